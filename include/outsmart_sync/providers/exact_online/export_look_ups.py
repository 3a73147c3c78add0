"""What documents refer to: found by code or id in batches, made where it is missing.

Fields: https://start.exactonline.nl/docs/HlpRestAPIResourcesDetails.aspx?name=CRMAccounts , name=LogisticsItems ,
name=LogisticsUnits , name=ProjectProjects and name=PayrollEmployees .
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from outsmart_sync.errors import AccessDenied, RecordError
from outsmart_sync.providers.exact_online import exports, units, writing
from outsmart_sync.providers.exact_online.export_reading import all_rows, by_ids, decimal, rows_with, same_text
from outsmart_sync.providers.exact_online.values import TIMEZONE, exact_date, padded_code
from outsmart_sync.records.export_document import Entity, Known, Likely
from outsmart_sync.records.values import code_key

if TYPE_CHECKING:
    from outsmart_sync.providers.exact_online.client import ExactOnlineClient
    from outsmart_sync.records.export_document import NewArticle, NewCustomer
    from outsmart_sync.records.streams import Row

log = logging.getLogger(__name__)

_ACCOUNTS, _ITEMS, _GROUPS = "crm/Accounts", "logistics/Items", "logistics/ItemGroups"
_VAT_CODES = "vat/VATCodes"
_CUSTOMER = "C"
_LONGEST_DESCRIPTION = 60
_LONGEST_ACCOUNT_CODE = 18
_COUNTRY_LETTERS = 2
_OF_TIME = "T"
_INCLUDING = "I"
"""``Type`` of a VAT code whose prices include VAT (name=VatVATCodes)."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the records of an entity are.

    Attributes:
        path: Their endpoint.
        columns: What is read of them.
        title: Columns that a person knows them by.
        blocked: Why a record cannot stand on a document; '' when it can.
    """

    path: str
    columns: tuple[str, ...]
    title: tuple[str, ...]
    blocked: Callable[[Row, date], str]


def _account_blocked(row: Row, today: date) -> str:
    if row["Blocked"]:
        return "blocked"
    if row["Status"] != _CUSTOMER:
        return "not a customer"
    return _outside(row, today)


def _item_blocked(row: Row, today: date) -> str:
    return "not for sale" if not row["IsSalesItem"] else _outside(row, today)


def _project_blocked(row: Row, _: date) -> str:
    return "blocked for entries" if row["BlockEntry"] else ""


def _outside(row: Row, today: date) -> str:
    first, last = exact_date(row["StartDate"]), exact_date(row["EndDate"])
    if last is not None and last < today:
        return "ended"
    return "not yet valid" if first is not None and first > today else ""


_DATES = ("StartDate", "EndDate")
_ITEM = _Place(
    _ITEMS,
    (
        "ID",
        "Code",
        "Description",
        "IsSalesItem",
        "IsTime",
        "Unit",
        "UnitType",
        "SalesVatCode",
        "StandardSalesPrice",
        *_DATES,
    ),
    ("Description",),
    _item_blocked,
)
_PLACES = {
    Entity.CUSTOMER: _Place(
        _ACCOUNTS, ("ID", "Code", "SearchCode", "Name", "Status", "Blocked", *_DATES), ("Name",), _account_blocked
    ),
    Entity.ARTICLE: _ITEM,
    Entity.HOUR_ARTICLE: _ITEM,
    Entity.PROJECT: _Place(
        "project/Projects", ("ID", "Code", "Description", "BlockEntry"), ("Description",), _project_blocked
    ),
    Entity.EMPLOYEE: _Place(
        "payroll/Employees", ("ID", "Code", "FirstName", "LastName"), ("FirstName", "LastName"), lambda _row, _today: ""
    ),
}
_LIKELY_COLUMNS = (*_PLACES[Entity.CUSTOMER].columns, "VATNumber", "ChamberOfCommerce", "Postcode")


class ExactLookUps:
    """Finds and makes records of one administration.

    Args:
        client: The administration.
        settings: What new ones are made with.
    """

    def __init__(self, client: ExactOnlineClient, settings: Mapping[str, Any]) -> None:
        self._client = client
        self._settings = settings
        self._minutes: dict[str, Decimal] | None = None
        self._unit_codes: set[str] = set()

    def look_up(self, entity: Entity, codes: Sequence[str]) -> dict[str, Known]:
        """Records by OutSmart's codes of them.

        A customer that was made for a code that Exact does not take has it as its search code.
        """
        place = _PLACES[entity]
        asked = {code_key(code): code for code in codes if code.strip()}
        conditions = [
            same_text(column, value) for code in asked.values() for column, value in _where(entity, code).items()
        ]
        found: dict[str, Known] = {}
        for row in rows_with(self._client, place.path, place.columns, conditions):
            for code in _codes_of(row):
                if (wanted := asked.get(code_key(code))) is not None:
                    found.setdefault(wanted, self._known(entity, row))
        return found

    def facts(self, entity: Entity, remote_ids: Sequence[str]) -> dict[str, Known]:
        """Records by Exact's ids of them."""
        place = _PLACES[entity]
        rows = by_ids(self._client, place.path, "ID", place.columns, remote_ids)
        return {str(row["ID"]): self._known(entity, row) for row in rows}

    def likely_customers(self, customer: NewCustomer) -> list[Likely]:
        """Accounts that have the same VAT or chamber-of-commerce number, or the same name and postcode."""
        conditions = [same_text("VATNumber", each) for each in _spellings(customer.vat_number)]
        conditions += [same_text("ChamberOfCommerce", each) for each in _spellings(customer.coc_number)]
        if customer.name and customer.postcode:
            also = " or ".join(same_text("Postcode", each) for each in _spellings(customer.postcode))
            conditions.append(f"({same_text('Name', customer.name)} and ({also}))")
        rows = rows_with(self._client, _ACCOUNTS, _LIKELY_COLUMNS, conditions)
        return [Likely(known=self._known(Entity.CUSTOMER, row), why=_alike(row, customer)) for row in _once(rows)]

    def likely_articles(self, article: NewArticle) -> list[Likely]:
        """Items with the same description."""
        description = article.description.strip()[:_LONGEST_DESCRIPTION]
        conditions = [same_text("Description", description)] if description else []
        rows = rows_with(self._client, _ITEMS, _ITEM.columns, conditions)
        return [Likely(known=self._known(Entity.ARTICLE, row), why="description") for row in _once(rows)]

    def create_customer(self, customer: NewCustomer) -> Known:
        """Make an account. Exact takes only numbers as codes: a customer with another one gets Exact's next number.

        By its search code it is found again, should the answer be lost.
        """
        country = customer.country.strip().upper()
        body = {
            "Name": customer.name,
            "Status": self._text(exports.CUSTOMER_STATUS) or _CUSTOMER,
            "Code": customer.code.strip() if _is_account_code(customer.code) else "",
            "SearchCode": "" if _is_account_code(customer.code) else customer.code.strip(),
            "AddressLine1": customer.street,
            "Postcode": customer.postcode,
            "City": customer.city,
            "Country": country if len(country) == _COUNTRY_LETTERS else "",
            "Email": customer.email,
            "Phone": customer.phone,
            "VATNumber": customer.vat_number,
            "ChamberOfCommerce": customer.coc_number,
            "PaymentConditionSales": self._text(exports.CUSTOMER_CONDITION),
        }
        row = writing.create(self._client, _ACCOUNTS, {name: value for name, value in body.items() if value})
        return Known(remote_id=str(row["ID"]), code=(row.get("Code") or "").strip(), title=customer.name)

    def create_article(self, article: NewArticle) -> Known:
        """Make an item; its price is that of the lines it stands on."""
        self._read_units()
        unit = article.unit.strip()
        body = {
            "Code": article.code.strip(),
            "Description": (article.description.strip() or article.code.strip())[:_LONGEST_DESCRIPTION],
            "IsSalesItem": True,
            "Unit": unit if unit in self._unit_codes else self._text(exports.UNIT),
            "ItemGroup": self._item_group(),
            "SalesVatCode": self._text(exports.VAT_CODE),
        }
        row = writing.create(self._client, _ITEMS, {name: value for name, value in body.items() if value})
        return Known(remote_id=str(row["ID"]), code=article.code.strip(), title=str(body["Description"]))

    def _known(self, entity: Entity, row: Row) -> Known:
        place = _PLACES[entity]
        vat_code = str(row.get("SalesVatCode") or "").strip()
        minutes, blocked = self._time_of(row) if entity is Entity.HOUR_ARTICLE else (None, "")
        rate = self._including.get(vat_code) if vat_code else None
        price = decimal(row.get("StandardSalesPrice"))
        return Known(
            remote_id=str(row["ID"]),
            code=(row["Code"] or "").strip(),
            title=" ".join(str(row[column]).strip() for column in place.title if row[column]),
            unit_minutes=minutes,
            vat_included=rate is not None,
            vat_rate=rate or Decimal(0),
            price=price if price is None or rate is None else price / (1 + rate),
            blocked=place.blocked(row, datetime.now(ZoneInfo(TIMEZONE)).date()) or blocked,
        )

    def _time_of(self, row: Row) -> tuple[Decimal | None, str]:
        """Minutes in one unit of an hour type, and why hours cannot be billed with it."""
        unit = (row["Unit"] or "").strip()
        minutes = self._read_units().get(unit)
        if minutes is None and row["UnitType"] == _OF_TIME:
            return None, f"hours cannot be converted to its unit '{unit}'"
        return minutes, ""

    def _read_units(self) -> dict[str, Decimal]:
        """Units of time with their minutes; read once."""
        if self._minutes is None:
            self._minutes = {}
            known = units.minutes(self._settings)
            for row in all_rows(self._client, units.PATH, ("Code", units.TIME_UNIT)):
                code = (row["Code"] or "").strip()
                self._unit_codes.add(code)
                if minutes := known.get((row[units.TIME_UNIT] or "").strip()):
                    self._minutes[code] = minutes
        return self._minutes

    @cached_property
    def _including(self) -> dict[str, Decimal]:
        """VAT codes whose prices include VAT, with their rates; read once.

        Without the right to read them none are known: a price that is meant otherwise shows in the document's total.
        """
        columns = ("Code", "Type", "Percentage")
        try:
            rows = list(all_rows(self._client, _VAT_CODES, columns))
        except AccessDenied as error:
            log.warning("Which VAT codes include VAT is not known: %s", error)
            return {}
        including = (row for row in rows if str(row["Type"] or "").strip() == _INCLUDING)
        return {str(row["Code"]).strip(): Decimal(row["Percentage"] or 0) for row in including}

    def _item_group(self) -> str:
        code = self._text(exports.ITEM_GROUP)
        if not code:
            return ""
        rows = list(rows_with(self._client, _GROUPS, ("ID", "Code"), [same_text("Code", code)]))
        if not rows:
            raise RecordError(
                f"Exact Online has no item group '{code}' for articles that are made.",
                remedy="Choose another one in the settings of the export.",
            )
        return str(rows[0]["ID"])

    def _text(self, name: str) -> str:
        return str(self._settings.get(name) or "")


def _where(entity: Entity, code: str) -> dict[str, str]:
    """Columns in which a code may stand, with how it stands there."""
    if entity is not Entity.CUSTOMER:
        return {"Code": code.strip()}
    found = {"Code": padded_code(code)} if _may_be(entity, code) else {}
    return found if _is_account_code(code) else found | {"SearchCode": code.strip()}


def _codes_of(row: Row) -> list[str]:
    """Codes by which a record may have been asked for: a search code counts where it can be no code."""
    search_code = row.get("SearchCode") or ""
    return [row["Code"] or "", *([search_code] if search_code and not _is_account_code(search_code) else [])]


def _may_be(entity: Entity, code: str) -> bool:
    """Whether Exact can have such a code: those of accounts are numbers."""
    return entity is not Entity.CUSTOMER or (code.strip().isdigit() and len(code.strip()) <= _LONGEST_ACCOUNT_CODE)


def _is_account_code(code: str) -> bool:
    """Whether a new account may have it: a number without leading zeros, since Exact may drop those."""
    return _may_be(Entity.CUSTOMER, code) and str(int(code)) == code.strip()


def _spellings(number: str) -> list[str]:
    """A number as it is written, and without its dots and blanks; none for an empty one."""
    bare = "".join(letter for letter in number if letter.isalnum()).upper()
    return list(dict.fromkeys(each for each in (number.strip(), bare) if each))


def _alike(row: Row, customer: NewCustomer) -> str:
    def same(column: str, value: str) -> bool:
        wanted = _spellings(value)[-1:]
        return bool(wanted) and wanted == _spellings(row[column] or "")[-1:]

    if same("VATNumber", customer.vat_number):
        return "VAT number"
    return "chamber of commerce number" if same("ChamberOfCommerce", customer.coc_number) else "name and postcode"


def _once(rows: Iterable[Row]) -> list[Row]:
    return list({str(row["ID"]): row for row in rows}.values())
