"""What Exact Online does to a row besides storing what was sent: codes, padding, defaults, references."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sandbox.exact_online.dates import day_ms, wall_clock
from sandbox.exact_online.documents import complete_document
from sandbox.exact_online.errors import already_exists, invalid
from sandbox.exact_online.row_types import Row, key_field
from sandbox.exact_online.rows import RowStore

CODE_WIDTH = 18
"""Account codes stand right in 18 places (https://start.exactonline.nl/docs/HlpRestAPIResourcesDetails.aspx?name=CRMAccounts)."""

COUNTRY_WIDTH = 3
"""Countries stand left in 3 places, in recordings (https://github.com/NangoHQ/integration-templates)."""

Values = dict[str, Any]
Complete = Callable[[RowStore, int, Values, Row | None, datetime], None]


def pad_code(code: str) -> str:
    """An account code as it is stored."""
    return code.strip().rjust(CODE_WIDTH)


def pad_country(country: str) -> str:
    """A country code as it is stored."""
    return country.strip().ljust(COUNTRY_WIDTH)


def complete(
    store: RowStore, division: int, table: str, values: Values, row: Row | None, now: datetime, fresh: str | None = None
) -> None:
    """Complete and check the values of a new or changed row, in place.

    Args:
        store: All rows.
        division: The division.
        table: The table.
        values: What was sent, checked for types.
        row: The row that changes; None for a new one.
        now: The moment.
        fresh: For a line, the key of the header that is being made with it.

    Raises:
        VendorError: A code is taken, or a reference leads nowhere.
    """
    if row is None and values.get(key_field(table)) in store.table(division, table).by_key:
        raise already_exists()
    if values.get("Country"):
        values["Country"] = pad_country(values["Country"])
    if table in _COMPLETE:
        _COMPLETE[table](store, division, values, row, now)
    else:
        complete_document(store, division, table, values, row, _day(now), fresh)


def _account(store: RowStore, division: int, values: Values, row: Row | None, now: datetime) -> None:
    table = store.table(division, "crm/Accounts")
    if values.get("Code"):
        if not values["Code"].strip().isdigit():
            raise invalid("Code")
        values["Code"] = pad_code(values["Code"])
        _refuse_taken(table.having("Code", values["Code"]), row)
    if row is not None:
        return
    if not values.get("Code"):
        # The highest used one plus 1 (https://www.basvanbeek.nl/exact-online-tips/).
        # All are equally long, so that the highest text is the highest number.
        values["Code"] = pad_code(str(int(table.highest("Code") or 0) + 1))
    defaults = {"Status": "A", "Type": "A", "Blocked": False, "IsSupplier": False, "StartDate": _day(now)}
    values.update({name: value for name, value in defaults.items() if values.get(name) is None})


def _contact(store: RowStore, division: int, values: Values, row: Row | None, _: datetime) -> None:
    if row is None or "Account" in values:
        _must_exist(store, division, "crm/Accounts", values.get("Account"), "Account")


def _address(store: RowStore, division: int, values: Values, row: Row | None, _: datetime) -> None:
    if row is None or "Account" in values:
        _must_exist(store, division, "crm/Accounts", values.get("Account"), "Account")
    if row is None:
        values.setdefault("Type", 4)
        values.setdefault("Main", False)


def _item(store: RowStore, division: int, values: Values, row: Row | None, now: datetime) -> None:
    if values.get("Code"):
        _refuse_taken(store.table(division, "logistics/Items").having("Code", values["Code"]), row)
    if values.get("ItemGroup"):
        _must_exist(store, division, "logistics/ItemGroups", values["ItemGroup"], "ItemGroup")
    if values.get("Unit") and not store.table(division, "logistics/Units").having("Code", values["Unit"]):
        raise invalid("Unit")
    if row is None:
        defaults = {"IsSalesItem": True, "IsStockItem": False, "IsTime": 0, "StartDate": _day(now), "Stock": 0.0}
        values.update({name: value for name, value in defaults.items() if values.get(name) is None})


def _price(store: RowStore, division: int, values: Values, row: Row | None, now: datetime) -> None:
    if row is None or "Item" in values:
        _must_exist(store, division, "logistics/Items", values.get("Item"), "Item")
    if values.get("Account"):
        _must_exist(store, division, "crm/Accounts", values["Account"], "Account")
    if row is None:
        defaults = {"Currency": "EUR", "Quantity": 1.0, "NumberOfItemsPerUnit": 1.0, "StartDate": _day(now)}
        values.update({name: value for name, value in defaults.items() if values.get(name) is None})


def _day(now: datetime) -> int:
    return day_ms(wall_clock(now).date())


def _refuse_taken(found: Sequence[Row], row: Row | None) -> None:
    if any(one is not row for one in found):
        raise already_exists()


def _must_exist(store: RowStore, division: int, table: str, key: str | None, name: str) -> None:
    if key not in store.table(division, table).by_key:
        raise invalid(name)


_COMPLETE: dict[str, Complete] = {
    "crm/Accounts": _account,
    "crm/Contacts": _contact,
    "crm/Addresses": _address,
    "logistics/Items": _item,
    "logistics/SalesItemPrices": _price,
}
