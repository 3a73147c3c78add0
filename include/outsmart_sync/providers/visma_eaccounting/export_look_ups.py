"""What documents refer to: found by code or id, made where it is missing.

Fields: schemas ``CustomerApi``, ``ArticleApi``, ``ArticleAccountCodingApi``, ``UnitApi`` and ``ProjectApi`` of
https://eaccountingapi.vismaonline.com/openapi/v2.json . Which lists can be filtered by a number is published for
articles only; one that refuses it is read whole, once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from outsmart_sync.errors import RecordError, RequestRefused
from outsmart_sync.providers.visma_eaccounting import exports, lists, writing
from outsmart_sync.providers.visma_eaccounting.errors import QUERY_REFUSED
from outsmart_sync.providers.visma_eaccounting.export_rows import cents, fraction
from outsmart_sync.providers.visma_eaccounting.values import quoted
from outsmart_sync.records.export_document import Entity, Known, Likely
from outsmart_sync.records.values import code_key

if TYPE_CHECKING:
    from outsmart_sync.providers.visma_eaccounting.client import VismaClient
    from outsmart_sync.records.export_document import NewArticle, NewCustomer
    from outsmart_sync.records.streams import Row

log = logging.getLogger(__name__)

CUSTOMERS, ARTICLES, PROJECTS = "customers", "articles", "projects"
_CODINGS, _UNITS, _COUNTRIES = "articleaccountcodings", "units", "countries"
_KEYS_PER_CALL = 20
_HOUR = Decimal(60)
_FINISHED = 2
_COUNTRY_LETTERS = 2
_LONGEST = {"Name": 50, "InvoiceAddress1": 50, "InvoicePostalCode": 10, "InvoiceCity": 50, "Telephone": 50}
_LONGEST_CUSTOMER_NUMBER, _LONGEST_ARTICLE_NUMBER, _LONGEST_ARTICLE_NAME = 16, 40, 50


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the records of an entity are.

    Attributes:
        path: Their list.
        number: Column with their number.
        columns: What is read of them besides id, number and name.
        blocked: Why a record cannot stand on a document; '' when it can.
    """

    path: str
    number: str
    columns: tuple[str, ...]
    blocked: Callable[[Row], str]

    @property
    def select(self) -> str:
        """What is asked for."""
        return ",".join(("Id", self.number, "Name", *self.columns))


def _inactive(row: Row) -> str:
    return "" if row["IsActive"] else "inactive"


_ARTICLE = _Place(ARTICLES, "Number", ("IsActive", "CodingId", "UnitId"), _inactive)
PLACES = {
    Entity.CUSTOMER: _Place(
        CUSTOMERS,
        "CustomerNumber",
        (
            *("IsActive", "IsPrivatePerson", "ReverseChargeOnConstructionServices", "InvoiceCountryCode"),
            *("InvoicePostalCode", "VatNumber", "CorporateIdentityNumber", "CurrencyCode"),
        ),
        _inactive,
    ),
    Entity.ARTICLE: _ARTICLE,
    Entity.HOUR_ARTICLE: _ARTICLE,
    Entity.PROJECT: _Place(PROJECTS, "Number", ("Status",), lambda row: "ended" if row["Status"] == _FINISHED else ""),
}
"""VISMA has no employees that stand on documents."""


class VismaLookUps:
    """Finds and makes records of one company.

    Args:
        client: The company.
        settings: What new ones are made with.
    """

    def __init__(self, client: VismaClient, settings: Mapping[str, Any]) -> None:
        self._client = client
        self._settings = settings
        self._whole: dict[str, list[Row]] = {}

    def look_up(self, entity: Entity, codes: Sequence[str]) -> dict[str, Known]:
        """Records by OutSmart's codes of them: the numbers that VISMA has."""
        place = PLACES.get(entity)
        asked = {code_key(code): code for code in codes if code.strip()}
        if place is None or not asked:
            return {}
        found: dict[str, Known] = {}
        for row in self._with_numbers(place, list(asked.values())):
            if (wanted := asked.get(code_key(str(row[place.number] or "")))) is not None:
                found.setdefault(wanted, self._known(entity, row))
        return found

    def facts(self, entity: Entity, remote_ids: Sequence[str]) -> dict[str, Known]:
        """Records by VISMA's ids of them: a few one by one, many by reading the list."""
        place, wanted = PLACES.get(entity), list(dict.fromkeys(remote_ids))
        if place is None:
            return {}
        if place.path in self._whole or len(wanted) > _KEYS_PER_CALL:
            rows = [row for row in self._all(place) if str(row["Id"]) in set(wanted)]
        else:
            rows = [row for row in (self._client.row(place.path, each) for each in wanted) if row is not None]
        return {str(row["Id"]): self._known(entity, row) for row in rows}

    def likely_customers(self, customer: NewCustomer) -> list[Likely]:
        """Customers that have the same VAT or company number, or the same name and postcode."""
        found = ((row, _alike(row, customer)) for row in self._all(PLACES[Entity.CUSTOMER]))
        return [Likely(known=self._known(Entity.CUSTOMER, row), why=why) for row, why in found if why]

    def likely_articles(self, article: NewArticle) -> list[Likely]:
        """Articles with the same name."""
        name = article.description.strip()[:_LONGEST_ARTICLE_NAME]
        if not name:
            return []
        rows = self._rows(_ARTICLE, {"$filter": f"Name eq {quoted(name)}"})
        return [Likely(known=self._known(Entity.ARTICLE, row), why="description") for row in rows]

    def create_customer(self, customer: NewCustomer) -> Known:
        """Make a customer under OutSmart's code, by which it is found again should the answer be lost."""
        number, country = customer.code.strip(), customer.country.strip().upper()
        if len(number) > _LONGEST_CUSTOMER_NUMBER:
            raise RecordError(
                f"The debtor number '{number}' is longer than the {_LONGEST_CUSTOMER_NUMBER} characters that VISMA "
                "eAccounting takes.",
                remedy="Give the relation a shorter one in OutSmart, or make the customer by hand and link it.",
            )
        if not customer.postcode.strip() or not customer.city.strip():
            raise RecordError(
                f"VISMA eAccounting takes no customer without postcode and city: {number} {customer.name}.",
                remedy="Fill them in at the relation in OutSmart.",
            )
        body = {
            "CustomerNumber": number,
            "Name": customer.name,
            "InvoiceAddress1": customer.street,
            "InvoicePostalCode": customer.postcode,
            "InvoiceCity": customer.city,
            "InvoiceCountryCode": country if len(country) == _COUNTRY_LETTERS else "",
            "EmailAddress": customer.email,
            "Telephone": customer.phone,
            "VatNumber": "".join(customer.vat_number.split()),
            "CorporateIdentityNumber": customer.coc_number,
            "TermsOfPaymentId": self._needed(exports.CUSTOMER_TERMS, "terms of payment of new customers"),
        }
        given = {name: value.strip()[: _LONGEST.get(name, 255)] for name, value in body.items() if value.strip()}
        row = writing.create(
            self._client, CUSTOMERS, given | {"IsActive": True, "IsPrivatePerson": self._is_private(customer)}
        )
        self._learn(CUSTOMERS, row)
        return self._known(Entity.CUSTOMER, row)

    def create_article(self, article: NewArticle) -> Known:
        """Make an article."""
        number = article.code.strip()
        if len(number) > _LONGEST_ARTICLE_NUMBER:
            raise RecordError(
                f"The code '{number}' is longer than the {_LONGEST_ARTICLE_NUMBER} characters that VISMA eAccounting "
                "takes.",
                remedy="Choose a fallback article in the settings of the export, or shorten it.",
            )
        body: dict[str, Any] = {
            "Number": number,
            "Name": (article.description.strip() or number)[:_LONGEST_ARTICLE_NAME],
            "CodingId": self._needed(exports.ARTICLE_CODING, "account coding of new articles"),
            "UnitId": self._unit_id(article.unit) or self._needed(exports.ARTICLE_UNIT, "unit of new articles"),
            "IsActive": True,
        }
        if article.price is not None and article.price > 0:
            body["NetPrice"] = cents(article.price)
        row = writing.create(self._client, ARTICLES, body)
        self._learn(ARTICLES, row)
        return self._known(Entity.ARTICLE, row)

    def _known(self, entity: Entity, row: Row) -> Known:
        place, customer = PLACES[entity], entity is Entity.CUSTOMER
        return Known(
            remote_id=str(row["Id"]),
            code=str(row[place.number] or "").strip(),
            title=str(row["Name"] or "").strip(),
            unit_minutes=_HOUR if entity is Entity.HOUR_ARTICLE else None,
            vat_included=customer and bool(row["IsPrivatePerson"]) and self._includes_vat(row),
            vat_rate=self._rates.get(str(row["CodingId"]), Decimal(0)) if place is _ARTICLE else Decimal(0),
            reverse_charge=customer and bool(row["ReverseChargeOnConstructionServices"]),
            blocked=place.blocked(row)
            or (self._foreign_money(row) if customer else "")
            or (self._not_hours(row) if entity is Entity.HOUR_ARTICLE else ""),
        )

    def _not_hours(self, row: Row) -> str:
        """Why hours cannot be billed with an article, unless the settings say that its unit counts as one."""
        unit = str(row["UnitId"])
        if unit in self._hour_units or self._text(exports.OTHER_HOUR_UNITS) == exports.ONE_HOUR:
            return ""
        name = ", ".join(sorted(self._units.get(unit, ())))
        return f"hours cannot be converted to its unit '{name}'"

    def _foreign_money(self, row: Row) -> str:
        """Why a customer's documents would come to something else: a draft is in the customer's currency."""
        theirs, ours = str(row["CurrencyCode"] or ""), str(self._company.get("CurrencyCode") or "")
        return f"it is billed in {theirs}, and work orders are in {ours}" if theirs and ours and theirs != ours else ""

    def _includes_vat(self, row: Row) -> bool:
        """Whether a private person's prices include VAT: those outside the EU pay none."""
        if not self._company.get("ShowPricesExclVatPC"):
            return False
        country, own = row["InvoiceCountryCode"], self._company.get("CountryCode")
        return not country or country == own or country in self._members

    def _with_numbers(self, place: _Place, numbers: Sequence[str]) -> Iterator[Row]:
        if place.path not in self._whole:
            try:
                found = []
                for start in range(0, len(numbers), _KEYS_PER_CALL):
                    literals = [quoted(each.strip()) for each in numbers[start : start + _KEYS_PER_CALL]]
                    filters = " or ".join(f"{place.number} eq {each}" for each in literals)
                    found += list(self._rows(place, {"$filter": filters}))
            except RequestRefused as error:
                if error.code != QUERY_REFUSED:
                    raise
                log.info("%s cannot be asked for a %s: all of it is read", place.path, place.number)
            else:
                return iter(found)
        return iter(self._all(place))

    def _all(self, place: _Place) -> list[Row]:
        if place.path not in self._whole:
            self._whole[place.path] = list(self._rows(place, {}))
        return self._whole[place.path]

    def _rows(self, place: _Place, query: Mapping[str, str]) -> Iterator[Row]:
        for page in self._client.pages(place.path, {"$select": place.select, **query}):
            yield from page.rows

    def _learn(self, path: str, row: Row) -> None:
        if path in self._whole:
            self._whole[path].append(row)

    def _is_private(self, customer: NewCustomer) -> bool:
        chosen = self._text(exports.PRIVATE_PERSON)
        without = not customer.vat_number.strip() and not customer.coc_number.strip()
        return chosen == exports.PRIVATE or (chosen == exports.WITHOUT_NUMBER and without)

    def _unit_id(self, name: str) -> str:
        wanted = name.strip().casefold()
        return next((key for key, words in self._units.items() if wanted and wanted in words), "")

    @cached_property
    def _company(self) -> Row:
        return self._client.company_settings()

    @cached_property
    def _members(self) -> frozenset[str]:
        """Countries of the EU."""
        rows = (row for page in self._client.pages(_COUNTRIES, {"$orderby": "Code"}) for row in page.rows)
        return frozenset(str(row["Code"]) for row in rows if row["IsEuMember"])

    @cached_property
    def _rates(self) -> dict[str, Decimal]:
        """Account coding → VAT rate as a fraction."""
        pages = self._client.pages(_CODINGS, {"$select": "Id,VatRatePercent"})
        return {str(row["Id"]): fraction(row["VatRatePercent"]) for page in pages for row in page.rows}

    @cached_property
    def _units(self) -> dict[str, set[str]]:
        """Unit → what it is called."""
        columns = lists.UNITS.title
        pages = self._client.pages(_UNITS, {"$select": ",".join(("Id", *columns))})
        rows = [row for page in pages for row in page.rows]
        return {str(row["Id"]): {str(row[each] or "").strip().casefold() for each in columns} for row in rows}

    @cached_property
    def _hour_units(self) -> frozenset[str]:
        return frozenset(key for key, names in self._units.items() if lists.is_hour(names))

    def _needed(self, name: str, label: str) -> str:
        value = self._text(name)
        if not value:
            raise RecordError(
                f"VISMA eAccounting demands {label}, and none is chosen.",
                remedy=f"Choose it in the settings of the export ({name}).",
                code="setting_missing",
            )
        return value

    def _text(self, name: str) -> str:
        return str(self._settings.get(name) or "")


def _alike(row: Row, customer: NewCustomer) -> str:
    def same(column: str, value: str) -> bool:
        wanted = _bare(value)
        return bool(wanted) and wanted == _bare(str(row[column] or ""))

    if same("VatNumber", customer.vat_number):
        return "VAT number"
    if same("CorporateIdentityNumber", customer.coc_number):
        return "chamber of commerce number"
    if same("Name", customer.name) and same("InvoicePostalCode", customer.postcode):
        return "name and postcode"
    return ""


def _bare(text: str) -> str:
    return "".join(letter for letter in text if letter.isalnum()).upper()
