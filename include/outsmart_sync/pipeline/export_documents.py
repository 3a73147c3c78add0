"""Makes what a plan says: one document, or a call for each line, or lines on the order that the work came from.

Whichever it is, what comes back is what the package has now, to be compared with what was meant.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from msgspec.structs import replace

from outsmart_sync.errors import RecordError, UncertainOutcome
from outsmart_sync.pipeline import money
from outsmart_sync.pipeline.once import Once, Thing
from outsmart_sync.pipeline.order_back import ORDER_QUANTITY, says
from outsmart_sync.records.export_document import ExportDocument, Line, LineKind, MadeDocument
from outsmart_sync.records.export_plan import Plan, Problem, Quantity, Stopped
from outsmart_sync.records.export_update import Agreed, Replaced, Sent, decode_line, decode_sent, encode
from outsmart_sync.store import ledger
from outsmart_sync.store.exports import GONE, ExportState
from outsmart_sync.store.ledger import LedgerState

if TYPE_CHECKING:
    from outsmart_sync.pipeline.export_ports import Exporter
    from outsmart_sync.records.export_catalogue import DocumentKind

ORDER_LINE = "order_line"
"""The ledger's word for a line on an imported order."""

_MARGIN = timedelta(days=2)


@dataclass
class Documents:
    """Makes documents of one job.

    Attributes:
        once: Makes each thing once.
        exporter: The package.
        found: Token → what was found under it, of everything whose end is not known; looked for once, in batches.
    """

    once: Once
    exporter: Exporter
    found: dict[str, list[MadeDocument]] | None = field(default=None)

    def make(self, plan: Plan, key: str) -> MadeDocument:
        """What the package has, made now or before.

        Raises:
            Stopped: It was refused, or whether it is there is not known.
            TransientError: The package does not answer; what was made is noted.
        """
        document = plan.document
        if document.append_to:
            return self._append(plan, key)
        if self.once.job.kind.by_line:
            return self._lines(document, key)
        return self._document(document, key)

    def there(self, number: str, key: str, remote_id: str) -> MadeDocument:
        """What the package has of a document that a person accepted as it is; nothing is made or changed.

        Raises:
            Stopped: It is gone.
        """
        job = self.once.job
        if job.order_type(number):
            return self._order(remote_id, number)
        if not job.kind.by_line:
            return self.exporter.get(job.kind, remote_id) or _gone(number)
        with self.once.store.read() as connection:
            lines = ledger.of_prefix(connection, job.account, job.kind.name, f"{key}/")
        made = [MadeDocument(remote_id=line.remote_id) for line in lines if line.state is LedgerState.DONE]
        return _together([self._told(each, number) for each in made], number) if made else _gone(number)

    def update(self, plan: Plan, key: str, remote_id: str) -> Replaced:
        """Bring a document that is there to what the work order says now, as far as it is as we sent it.

        Raises:
            Stopped: The package does not allow it, or gave no clear answer.
            TransientError: The package does not answer.
        """
        kind = self.once.job.kind
        with self.once.store.read() as connection:
            line = ledger.find(connection, self.once.job.account, kind.name, key)
        if line is None or not line.content:
            raise Stopped(
                Problem(
                    state=ExportState.DIFFERS,
                    reason="not_updated",
                    cause="Which lines of the document are ours is not known: an older version made it.",
                    remedy="Correct it there by hand, then: outsmart-sync export settle --accept.",
                )
            )
        sent = decode_sent(line.content)
        self._keep(kind.name, key, Sent(document=sent.document, becoming=plan.document))
        replaced = self._replace(kind, remote_id, sent, plan.document)
        ours = replace(plan.document, lines=replaced.lines)
        self._keep(kind.name, key, Sent(document=ours))
        return replaced

    def _keep(self, kind: str, key: str, content: Sent | Line) -> None:
        with self.once.store.begin() as connection:
            ledger.keep(connection, self.once.job.account, kind, key, encode(content))

    def _replace(self, kind: DocumentKind, remote_id: str, sent: Sent, document: ExportDocument) -> Replaced:
        self.once.may_send()
        try:
            return self.exporter.replace(kind, remote_id, sent, document)
        except RecordError as error:
            raise Stopped(
                Problem(
                    state=ExportState.DIFFERS,
                    reason="not_updated",
                    cause=f"{self.once.job.package} does not let the document be changed: {error.what}",
                    remedy="Correct it there by hand, then: outsmart-sync export settle --accept.",
                )
            ) from error
        except UncertainOutcome as error:
            raise Stopped(
                Problem(
                    state=ExportState.SENDING,
                    reason="unsure",
                    cause=f"{self.once.job.package} gave no clear answer about the change.",
                    remedy="It is made again by the next run.",
                    by_itself=True,
                )
            ) from error

    def _document(self, document: ExportDocument, key: str) -> MadeDocument:
        kind = self.once.job.kind
        made = self.once.make(
            Thing(
                kind.name,
                key,
                f"{kind.label} of work order {document.number}",
                document.token,
                encode(Sent(document=document)),
            ),
            lambda: self.exporter.create(kind, document),
            lambda: self._look(document.token),
            lambda found: _difference(document, found),
        )
        if made.total is None and made.quantity is None:
            return self.exporter.get(kind, made.remote_id) or _gone(document.number)
        return made

    def _lines(self, document: ExportDocument, key: str) -> MadeDocument:
        kind, made = self.once.job.kind, []
        for line in document.lines:
            if line.kind is LineKind.TEXT:
                continue
            each = self.once.make(
                Thing(kind.name, f"{key}/{line.key}", f"{line.kind} '{line.text[:40]}'", line.token),
                lambda line=line: self.exporter.create_line(kind, document, line),  # type: ignore[misc]
                lambda line=line: self._look(line.token),  # type: ignore[misc]
            )
            made.append(self._told(each, document.number))
        return _together(made, document.number)

    def _told(self, made: MadeDocument, what: str) -> MadeDocument:
        """A line with what the package has of it; one that an earlier run made is read again, to be compared."""
        if made.quantity is not None or made.total is not None:
            return made
        return self.exporter.get(self.once.job.kind, made.remote_id) or _gone(what)

    def _append(self, plan: Plan, key: str) -> MadeDocument:
        document = plan.document
        for each in plan.quantities:
            self._set_quantity(document.append_to, key, each)
        for line in document.lines:
            self.once.make(
                Thing(
                    ORDER_LINE,
                    f"{key}/{line.key}",
                    f"line '{line.text[:40]}' of work order {document.number}",
                    line.token,
                    encode(line),
                ),
                lambda line=line: self.exporter.append_line(document, line),  # type: ignore[misc]
                lambda line=line: self._on_order(document, line),  # type: ignore[misc]
            )
        return self._order(document.append_to, document.number)

    def _order(self, order_id: str, number: str) -> MadeDocument:
        order = self.exporter.order(order_id)
        if order is None:
            return _gone(number)
        return replace(order.made, total=money.total_of(line.amount for line in order.lines))

    def _set_quantity(self, order_id: str, key: str, each: Quantity) -> None:
        """Give a line of an imported order the quantity that was used, and note it, unless the office has its own."""
        agreed = Agreed(quantity=each.used, key=each.key, article=each.article)

        def thing(content: Agreed) -> Thing:
            name = f"{key}/{each.line_id}"[:120]
            return Thing(ORDER_QUANTITY, name, f"quantity of {each.line_id}", content=encode(content))

        if each.changes:
            self.once.note(thing(replace(agreed, quantity=each.ordered, becoming=each.used)), each.line_id)
            self.once.attempt(thing(agreed), lambda: self.exporter.change_quantity(order_id, each.line_id, each.used))
        if not (each.edited or each.noted):
            self.once.note(thing(agreed), each.line_id)

    def bring_up_to_date(self, plan: Plan, key: str) -> list[str]:
        """Bring the lines that we added to an imported order to what the work order says now.

        Returns:
            What is left alone, in words.

        Raises:
            Stopped: The package does not allow it, or gave no clear answer.
            TransientError: The package does not answer.
        """
        job = self.once.job
        left = [
            f"the ordered quantity {each.ordered.normalize():f} is not the one that we set"
            for each in plan.quantities
            if each.edited and each.ordered != each.used
        ]
        order_id = plan.document.append_to
        order = self.exporter.order(order_id)
        there = {line.token: line for line in order.lines if line.token} if order else {}
        wanted = {f"{key}/{line.key}": line for line in plan.document.lines}
        with self.once.store.read() as connection:
            known = ledger.of_prefix(connection, job.account, ORDER_LINE, f"{key}/")
        for entry in (each for each in known if each.state is LedgerState.DONE and each.content):
            was = decode_line(entry.content)
            row, line = there.get(was.token), wanted.get(entry.key)
            if row is None or not (says(row, was) or (line is not None and says(row, line))):
                left.append(f"'{was.text[:60]}' is not on the order as it was sent")
                continue
            thing = Thing(ORDER_LINE, entry.key, f"line '{was.text[:40]}' of work order {plan.document.number}")
            if line is None:
                self.once.attempt(thing, lambda row=row: self.exporter.remove_line(order_id, row.remote_id))  # type: ignore[misc]
                with self.once.store.begin() as connection:
                    ledger.refused(connection, job.account, ORDER_LINE, entry.key)
                continue
            if not says(row, line):
                self.once.attempt(
                    thing,
                    lambda row=row, line=line: self.exporter.change_line(order_id, row.remote_id, line),  # type: ignore[misc]
                )
            self._keep(ORDER_LINE, entry.key, line)
        return left

    def _on_order(self, document: ExportDocument, line: Line) -> list[MadeDocument]:
        order = self.exporter.order(document.append_to)
        return [
            MadeDocument(remote_id=each.remote_id, quantity=each.quantity)
            for each in (order.lines if order else ())
            if each.token == line.token
        ]

    def found_again(self, key: str) -> MadeDocument | None:
        """The document of a work order that was sent without a clear answer, judged by what was sent then.

        Returns:
            None: nothing is unclear about it any more, and it is not there.

        Raises:
            Stopped: Whether it is there is for a later run or a person to find out.
        """
        kind = self.once.job.kind
        with self.once.store.read() as connection:
            line = ledger.find(connection, self.once.job.account, kind.name, key)
        if line is None or not line.content:
            return None
        was = decode_sent(line.content).document
        return self.once.found_again(
            Thing(kind.name, key, f"{kind.label} of work order {was.number}", was.token),
            lambda: self._look(was.token),
            lambda found: _difference(was, found),
        )

    def _look(self, token: str) -> list[MadeDocument]:
        """What is there under a token: everything whose end is not known is looked for at once."""
        if self.found is None:
            self.found = self._look_for_all()
        return self.found.get(token, [])

    def _look_for_all(self) -> dict[str, list[MadeDocument]]:
        job = self.once.job
        with self.once.store.read() as connection:
            lines = ledger.unclear(connection, job.account, job.kind.name, job.connection_id)
        tokens = [token for _, token in lines if token]
        if not tokens:
            return {}
        begun = min((line.begun_at for line, _ in lines if line.begun_at), default=job.now)
        found: dict[str, list[MadeDocument]] = {}
        for each in self.exporter.find(job.kind, tokens, (begun - _MARGIN).date()):
            found.setdefault(each.token, []).append(each)
        return found


def _together(lines: list[MadeDocument], number: str) -> MadeDocument:
    """What is made line by line, as one."""
    known = [each.quantity for each in lines if each.quantity is not None]
    return MadeDocument(
        remote_id=lines[0].remote_id,
        number=number,
        total=money.total_of(each.total for each in lines),
        quantity=sum(known, Decimal(0)) if len(known) == len(lines) else None,
        lines=lines,
    )


def compared(job_tolerance: Decimal, plan: Plan, made: MadeDocument, package: str) -> Problem | None:
    """What the package has, beside what was meant; None: they are the same, as far as the package says."""
    document = plan.document
    billed = [line for line in document.lines if line.kind is not LineKind.TEXT]
    if made.lines:
        return _compared_by_line(job_tolerance, billed, made.lines, package)
    if document.total is not None and made.total is not None:
        if money.within(document.total, made.total, job_tolerance, len(billed)):
            return None
        return _differs(
            f"{package} computes {money.cents(made.total)}, the work order comes to {document.total}.", reason="total"
        )
    return None


def _compared_by_line(tolerance: Decimal, lines: list[Line], made: list[MadeDocument], package: str) -> Problem | None:
    """Each line beside what was meant: what is too much in one must not make up for what is missing in another."""
    reason, causes = "", []
    for line, there in zip(lines, made, strict=True):
        if there.quantity is not None and there.quantity != line.quantity:
            reason = reason or "quantity"
            cause = (
                f"{package} has a quantity of {there.quantity.normalize():f} for '{_short(line.text)}', the work order "
                f"of {line.quantity.normalize():f}."
            )
            causes.append(cause)
        elif (
            line.amount is not None
            and there.total is not None
            and not money.within(line.amount, there.total, tolerance, 1)
        ):
            reason = reason or "total"
            cause = (
                f"{package} computes {money.cents(there.total)} for '{_short(line.text)}', the work order comes to "
                f"{line.amount}."
            )
            causes.append(cause)
    return _differs(" ".join(causes), reason=reason) if causes else None


def _short(text: str) -> str:
    return " ".join(text.split())[:40]


def _differs(cause: str, *, reason: str) -> Problem:
    return Problem(
        state=ExportState.DIFFERS,
        reason=reason,
        cause=cause,
        remedy="Right as it is, or corrected there by hand: outsmart-sync export settle --accept. Or delete it there "
        "and send it again: outsmart-sync export resend.",
    )


def _difference(document: ExportDocument, found: MadeDocument) -> str:
    """What is other about a document that was found; '' when it is ours."""
    if found.customer and found.customer != document.customer:
        return "it is for another customer"
    if found.invoice_to and found.invoice_to != document.invoice_to:
        return "another one pays it"
    if found.total is not None and document.total is not None:
        allowed = money.CENT * len(document.lines)
        if abs(found.total - document.total) > allowed:
            return f"it comes to {money.cents(found.total)} instead of {document.total}"
    return ""


def _gone(number: str) -> MadeDocument:
    raise Stopped(gone(number))


def gone(number: str) -> Problem:
    """What is told where somebody deleted the document of a work order."""
    return Problem(
        state=ExportState.DIFFERS,
        reason=GONE,
        cause=f"What work order {number} was exported as is gone: somebody deleted it.",
        remedy="To make it again: outsmart-sync export resend. If it is billed otherwise, or not at all: "
        "outsmart-sync export settle --accept.",
    )
