"""Puts a document together from a completed work order; asks nobody, so that it can be shown before it is sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from msgspec.structs import replace

from outsmart_sync.pipeline import hours, money
from outsmart_sync.pipeline.export_rules import Ruling, ruling
from outsmart_sync.records.export_catalogue import Negative
from outsmart_sync.records.export_document import (
    Entity,
    ExportDocument,
    Known,
    Line,
    LineKind,
    NewArticle,
    NewCustomer,
)
from outsmart_sync.records.export_plan import Plan, Problem, Stopped
from outsmart_sync.records.export_token import token_of
from outsmart_sync.store.exports import ExportState

if TYPE_CHECKING:
    from outsmart_sync.pipeline.export_job import ExportJob
    from outsmart_sync.pipeline.export_resolve import Resolver
    from outsmart_sync.records.completed_work_order import CompletedWorkOrder, Material

_TO_BE_MADE = Known(remote_id="")
_PROJECT_LABEL, _HOUR_LABEL = "project", "hour type"


def compose(job: ExportJob, work_order: CompletedWorkOrder, resolver: Resolver, copy: int = 1) -> Plan:
    """What is sent of a work order.

    Args:
        job: Whose, and by which settings.
        work_order: The work order.
        resolver: Knows what it names.
        copy: Which document of it this is; a person asked for a second one.

    Raises:
        Stopped: It cannot be sent; with the reason.
    """
    return _Composer(job, work_order, resolver, copy).plan()


def require_not_negative(job: ExportJob, total: Decimal | None) -> None:
    """A total below zero is for a person where the package makes no such document.

    Raises:
        Stopped: It is.
    """
    if total is None or total >= 0 or job.kind.negative is not Negative.REFUSED:
        return
    raise Stopped(
        Problem(
            state=ExportState.HELD,
            reason="negative_total",
            cause=f"It comes to {total}, and {job.package} makes no {job.kind.label} of less than nothing.",
            remedy="Make the credit note by hand, then hold it here; or change the work order.",
        )
    )


@dataclass
class _Composer:
    job: ExportJob
    work_order: CompletedWorkOrder
    resolver: Resolver
    copy: int
    customers: dict[str, NewCustomer] = field(default_factory=dict)
    articles: dict[str, NewArticle] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)

    def plan(self) -> Plan:
        order, kind = self.work_order, self.job.kind
        rules = ruling(self.job, order)
        customer, payer = self._customer(order.customer), self._customer(order.payer)
        project = self._project()
        lines = [*self._materials(payer, rules), *self._hours(payer, rules), *self._travel(payer, rules)]
        self._require_known()
        if not lines:
            raise self._failed(
                "empty", "It has nothing that could be billed.", "Add a material or hours in OutSmart, or hold it."
            )
        total = money.total_of(line.amount for line in lines)
        if not self.job.order_type(order.number):
            require_not_negative(self.job, total)
        described = self.job.is_on("description_line") and order.description
        if described and kind.text_lines and not kind.by_line:
            lines.append(Line(key="t1", kind=LineKind.TEXT, text=order.description, token=self._token("t1")))
        document = ExportDocument(
            kind=kind.name,
            token=self._token(""),
            number=order.number,
            customer=customer.remote_id,
            deliver_to=customer.remote_id,
            invoice_to=payer.remote_id,
            work_address=order.address,
            lines=[line if line.kind is LineKind.TEXT else replace(line, project=project) for line in lines],
            day=order.end_day or order.day or self.job.today,
            total=total,
            currency=self.job.currency,
            reference=order.reference,
            title=" ".join(part for part in (order.number, order.short_description) if part),
            remarks=order.description if described and not kind.text_lines else "",
            project=project,
            journal=rules.journal or self.job.text("journal"),
            warehouse=self.job.text("warehouse"),
            payment_condition=rules.payment_condition or self.job.text("payment_condition"),
        )
        return Plan(
            document=document,
            new_customers=list(self.customers.values()),
            new_articles=list(self.articles.values()),
            calls=self._calls(document),
        )

    def _calls(self, document: ExportDocument) -> int:
        kind, made = self.job.kind, len(self.customers) + len(self.articles)
        files = int(self.job.is_on("pdf") and kind.takes_files)
        if self.job.is_on("photos") and kind.takes_photos:
            files += len(self.work_order.photos)
        return made + files * kind.file_calls + (len(document.lines) if kind.by_line else 1)

    def _token(self, line: str) -> str:
        return token_of(self.job.account, self.work_order.row_id, self.copy, line)

    # Who and where.

    def _customer(self, code: str) -> Known:
        known = self.resolver.known(Entity.CUSTOMER, code)
        if known is not None and known.blocked:
            self._blocked("customer", code, known)
        if known is not None:
            return known
        if self.resolver.is_ambiguous(Entity.CUSTOMER, code):
            raise self._failed(
                "several_customers",
                f"Several customers of {self.job.package} have the debtor number {code}.",
                "Give all but one another code, or link the right one: outsmart-sync link.",
                by_itself=True,
            )
        if not self.job.is_on("create_relations") or not code:
            self.unknown.append(f"customer '{code}'")
        else:
            self.customers[code] = self._new_customer(code)
        return _TO_BE_MADE

    def _new_customer(self, code: str) -> NewCustomer:
        order, own = self.work_order, self.resolver.relation(code)
        place = order.address if code == order.customer else order.invoice_address

        def either(name: str, other: str) -> str:
            return str(own.get(name) or other)

        return NewCustomer(
            code=code,
            name=either("name", place.name),
            street=either("street", place.street),
            postcode=either("postal_code", place.postcode),
            city=either("city", place.city),
            country=either("country", place.country),
            email=either("email", order.email if code == order.customer else ""),
            phone=either("phone_number", order.phone if code == order.customer else ""),
            vat_number=either("vat_number", ""),
            coc_number=either("kvk_number", ""),
        )

    def _project(self) -> str:
        code = self.work_order.project
        if not code:
            return ""
        known = self.resolver.known(Entity.PROJECT, code)
        if known is None:
            self.unknown.append(f"{_PROJECT_LABEL} '{code}'")
            return ""
        if known.blocked:
            self._blocked(_PROJECT_LABEL, code, known)
        return known.remote_id

    # What was used.

    def _materials(self, payer: Known, rules: Ruling) -> Iterator[Line]:
        for place, material in enumerate(self.work_order.materials, 1):
            if material.quantity == 0:
                continue
            article = self._article(material)
            discount = self._discount(material, place)
            price = Decimal(0) if rules.free else material.price
            yield self._line(
                f"m{place}",
                LineKind.MATERIAL,
                material.name or material.code,
                material.code,
                article,
                payer,
                material.quantity,
                price,
                Decimal(0) if rules.free else discount,
            )

    def _article(self, material: Material) -> Known:
        known = self.resolver.known(Entity.ARTICLE, material.code) if material.code else None
        if known is not None and known.blocked:
            self._blocked("material", material.code, known)
        if known is not None:
            return known
        if material.code and self.job.is_on("create_materials"):
            self.articles[material.code] = NewArticle(
                code=material.code, description=material.name or material.code, unit=material.unit, price=material.price
            )
            return _TO_BE_MADE
        fallback = self.job.text("fallback_material")
        found = self.resolver.known(Entity.ARTICLE, fallback) if fallback else None
        if found is not None and not found.blocked:
            return found
        self.unknown.append(f"material '{material.code or material.name}'")
        if fallback:
            self.unknown.append(f"fallback material '{fallback}'")
        return _TO_BE_MADE

    def _discount(self, material: Material, place: int) -> Decimal:
        try:
            return money.discount_of(
                material.quantity, material.price, material.discount, material.total, material.original_price
            )
        except money.Disagree as error:
            raise self._failed(
                "amounts_disagree",
                f"Material {place}, {material.code or material.name}: {error}.",
                "Correct the line in OutSmart; it goes by itself then.",
            ) from error

    def _hours(self, payer: Known, rules: Ruling) -> Iterator[Line]:
        order = self.work_order
        if not self.job.is_on("hours") or not order.periods:
            return
        step = int(self.job.text("hour_rounding") or 0)
        charged = [
            (place, period)
            for place, period in enumerate(order.periods, 1)
            if self.resolver.is_charged(period.hour_type)
        ]
        periods = [period for _, period in charged]
        try:
            billed = hours.billed(periods, step, order.rounding_minutes, order.minimum_hours)
        except hours.Impossible as error:
            raise self._failed(
                "impossible_hours", f"A period of work cannot be right: {error}.", "Correct it in OutSmart."
            ) from error
        for (place, period), minutes in zip(charged, billed, strict=True):
            if minutes == 0:
                continue
            article = self.resolver.known(Entity.HOUR_ARTICLE, period.hour_type) if period.hour_type else None
            if article is None:
                self.unknown.append(f"{_HOUR_LABEL} '{period.hour_type}'")
                continue
            if article.blocked:
                self._blocked(_HOUR_LABEL, period.hour_type, article)
            employee = self.resolver.known(Entity.EMPLOYEE, period.employee) if period.employee else None
            unit = article.unit_minutes or hours.HOUR
            line = self._line(
                f"h{place}",
                LineKind.HOURS,
                period.remark or article.title or period.hour_type,
                period.hour_type,
                article,
                payer,
                hours.in_units(minutes, unit),
                self._hour_price(period.hour_type, unit, rules),
            )
            yield replace(
                line,
                employee=employee.remote_id if employee else "",
                day=period.day,
                begin=period.begin,
                end=period.end,
            )

    def _hour_price(self, code: str, unit: Decimal, rules: Ruling) -> Decimal | None:
        if rules.free and self.job.kind.package_prices:
            raise self._held(
                "hours_not_free",
                f"A rule says that nothing is charged, but {self.job.package} prices hours itself.",
                "Book its hours there by hand at no price, and hold it here; or change the rule in the settings.",
            )
        if rules.free:
            return Decimal(0)
        if self.job.kind.package_prices:
            return None
        price = self.resolver.hour_price(code)
        if price is None:
            raise self._failed(
                "no_hour_price",
                f"OutSmart has no sale price for the hour type '{code}'.",
                "Fill it in at the hour type in OutSmart, then resend.",
            )
        return hours.price_per_unit(price, unit)

    def _travel(self, payer: Known, rules: Ruling) -> Iterator[Line]:
        code = self.job.text("travel_material")
        distance = sum((period.travel for period in self.work_order.periods), Decimal(0))
        if not code or distance == 0:
            return
        article = self.resolver.known(Entity.ARTICLE, code)
        if article is None:
            self.unknown.append(f"article for travel '{code}'")
            return
        if article.blocked:
            self._blocked("article for travel", code, article)
        price = Decimal(0) if rules.free else self.resolver.material_price(code)
        if price is None:
            price = article.price
        if price is None and not self.job.kind.package_prices:
            raise self._failed(
                "no_travel_price",
                f"OutSmart's price of the article for travel, '{code}', is not known here.",
                "Import materials, so that it is; or choose another article for travel in the settings.",
                by_itself=True,
            )
        yield self._line("r1", LineKind.TRAVEL, article.title or code, code, article, payer, distance, price)

    def _line(
        self,
        key: str,
        kind: LineKind,
        text: str,
        code: str,
        article: Known,
        payer: Known,
        quantity: Decimal,
        price: Decimal | None,
        discount: Decimal = Decimal(0),
    ) -> Line:
        strict = self.job.kind
        with_vat = payer.vat_included or article.vat_included
        kept = strict.discount_decimals
        if price is not None and kept is not None and discount != money.rounded(discount, kept):
            price, discount = price * (1 - discount), Decimal(0)
        sent = money.priced(
            quantity,
            price or Decimal(0),
            discount,
            quantity_decimals=strict.quantity_decimals,
            price_decimals=strict.price_decimals,
            vat_rate=article.vat_rate if with_vat else None,
        )
        if sent.quantity == 0:
            raise self._failed(
                "quantity_too_small",
                f"Of {code} {quantity.normalize():f} was used, which {self.job.package} rounds to nothing.",
                "Correct the quantity in OutSmart.",
            )
        if price is not None:
            computed = money.amount_of(sent.quantity, price, discount)
            if abs(computed - sent.amount) > money.CENT:
                raise self._failed(
                    "price_rounded",
                    f"{sent.quantity.normalize():f} of {code} at {price.normalize():f} comes to {computed}, but "
                    f"{self.job.package} keeps the price as {sent.price.normalize():f}, which comes to {sent.amount}.",
                    f"Give it a price that {self.job.package} can keep; or bill it by hand, and hold it here.",
                )
        return Line(
            key=key,
            kind=kind,
            text=text,
            token=self._token(key),
            code=code,
            article=article.remote_id,
            quantity=sent.quantity,
            price=None if price is None else sent.price,
            discount=discount,
            amount=None if price is None else sent.amount,
            vat_included=with_vat,
            reverse_charge=payer.reverse_charge,
        )

    # What stands in the way.

    def _require_known(self) -> None:
        if not self.unknown:
            return
        names = ", ".join(dict.fromkeys(self.unknown))
        raise self._failed(
            "unknown_record",
            f"{self.job.package} does not have {names}.",
            "Make it there, or link it: the work order goes by itself within an hour then. Or switch on that missing "
            "ones are made.",
            by_itself=True,
        )

    def _blocked(self, label: str, code: str, known: Known) -> None:
        raise self._failed(
            "blocked_record",
            f"{self.job.package} takes no documents for the {label} '{code}': {known.blocked}.",
            f"Mend the {label} there; the work order goes by itself within a day, or at once when it is resent.",
            by_itself=True,
        )

    def _held(self, reason: str, cause: str, remedy: str) -> Stopped:
        cause = f"Work order {self.work_order.number}: {cause}"
        return Stopped(Problem(state=ExportState.HELD, reason=reason, cause=cause, remedy=remedy))

    def _failed(self, reason: str, cause: str, remedy: str, *, by_itself: bool = False) -> Stopped:
        return Stopped(
            Problem(
                state=ExportState.FAILED,
                reason=reason,
                cause=f"Work order {self.work_order.number}: {cause}",
                remedy=remedy,
                by_itself=by_itself,
            )
        )
