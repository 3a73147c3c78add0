"""VISMA's price lists (Pro only), expanded to one price per customer and article.

Fields: schemas ``SalesPriceListApi``, ``SalesPriceListRowApi`` and ``CustomerApi`` of
https://eaccountingapi.vismaonline.com/openapi/v2.json . A customer has one list. The standard list, which comes with
the variant Pro, holds what articles cost anyway, so it gives nobody a price of their own.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from outsmart_sync.errors import VendorUnavailable
from outsmart_sync.providers.visma_eaccounting.positions import fingerprint
from outsmart_sync.records.price_lists import Expansion, Priced
from outsmart_sync.records.timelines import Span

if TYPE_CHECKING:
    from outsmart_sync.providers.visma_eaccounting.client import VismaClient
    from outsmart_sync.records.streams import Row

log = logging.getLogger(__name__)

LISTS, PRICES, CUSTOMERS = "salespricelists", "salespricelists/prices", "customers"
CHANGED = "ChangedUtc"

READS: Mapping[str, tuple[str, ...]] = {
    LISTS: ("Id", "Name", "CurrencyCode", "IsStandard", "IsActive", CHANGED),
    PRICES: ("SalesPriceListId", "ArticleId", "NetPrice", "CurrencyCode", CHANGED),
    CUSTOMERS: ("Id", "SalesPriceListId", "DiscountAgreementId", "DiscountPercentage", CHANGED),
}
"""List → the columns that are read."""
_ORDERS = {LISTS: "Id", PRICES: "ArticleId", CUSTOMERS: "Id"}
"""List → the column that no change of a row moves in it; of the prices, those of one list."""
_NEWEST = 100
"""Rows that were changed last, by which a list is known."""

FIRST_DAY = date(2000, 1, 1)
"""VISMA's prices have no first day, and OutSmart demands one: always this, so that another price is the same record."""


def read(client: VismaClient) -> Expansion:
    """Read the lists, who has them, and what is in those that give customers prices of their own.

    Raises:
        AccessDenied: The variant has no price lists, or the login may not read them.
        VendorUnavailable: A list has changed meanwhile, or was cut off.
    """
    at_lists = _position(client, LISTS)
    lists = {str(row["Id"]): row for row in _own_lists(_whole(client, LISTS))}
    if not lists:
        _tell_of_discounts(_whole(client, CUSTOMERS))
        return Expansion(_written(at_lists), {}, {}, {}, {}, one_each=True)
    at_prices, at_customers = _position(client, PRICES), _position(client, CUSTOMERS)
    customers = _whole(client, CUSTOMERS)
    _tell_of_discounts(customers)
    accounts = _accounts(customers, lists)
    return Expansion(
        _written(at_lists, at_prices, at_customers),
        accounts,
        {each: _prices(_whole(client, PRICES, each)) for each in accounts},
        {each: str(lists[each]["CurrencyCode"] or "") for each in accounts},
        {},
        one_each=True,
    )


def require(client: VismaClient) -> None:
    """Ask for the lists themselves.

    Raises:
        AccessDenied: The variant has no price lists, or the login may not read them.
    """
    client.page(LISTS, {"$orderby": "Id", "$select": "Id"}, size=1)


def has_changed(client: VismaClient, position: str) -> bool:
    """Whether the lists, their prices or who has them are not as they were: a call for each; one where none counts."""
    kept = msgspec.json.decode(position, type=list[str])
    return any(_position(client, path) != known for path, known in zip((LISTS, PRICES, CUSTOMERS), kept, strict=False))


def _position(client: VismaClient, path: str) -> str:
    """Where a list stands: how many rows it has, and what those are that were changed last."""
    page = client.page(path, {"$orderby": f"{CHANGED} desc", "$select": ",".join(READS[path])}, size=_NEWEST)
    rows = (msgspec.json.encode([row[column] for column in READS[path]], enc_hook=str).decode() for row in page.rows)
    return f"{page.total}#{fingerprint(rows)}"


def _written(*places: str) -> str:
    return msgspec.json.encode(places).decode()


def _whole(client: VismaClient, path: str, key: str = "") -> list[Row]:
    """All rows of a list, or of what is in one price list; there must be as many as it says."""
    query = {"$orderby": _ORDERS[path], "$select": ",".join(READS[path])}
    rows: list[Row] = []
    totals = set[int]()
    for page in client.pages(f"{path}/{key}" if key else path, query):
        rows += page.rows
        totals.add(page.total)
    if totals != {len(rows)}:
        raise VendorUnavailable(
            "VISMA eAccounting's price lists have changed while they were read, or were cut off.",
            remedy="They are read again by themselves.",
            technical=f"{path}: {len(rows)} rows of {sorted(totals)}",
        )
    return rows


def _own_lists(rows: Sequence[Row]) -> list[Row]:
    """The lists that give customers prices of their own: active, and not the standard list."""
    own = [row for row in rows if not row["IsStandard"] and row["IsActive"] is not False]
    for row in rows:
        if row["IsActive"] is False and not row["IsStandard"]:
            log.info("The price list '%s' is not active, so it gives no prices", row["Name"])
    return own


def _accounts(customers: Sequence[Row], lists: Mapping[str, Row]) -> dict[str, list[str]]:
    """List → ids of its customers."""
    found: dict[str, list[str]] = defaultdict(list)
    for row in customers:
        if (price_list := str(row["SalesPriceListId"] or "")) in lists:
            found[price_list].append(str(row["Id"]))
    return dict(found)


def _prices(rows: Sequence[Row]) -> dict[str, list[Priced]]:
    """Article → its one price, which holds for ever."""
    return {
        str(row["ArticleId"]): [Priced(Span(FIRST_DAY, None), "", Decimal(str(row["NetPrice"])))]
        for row in rows
        if row["NetPrice"] is not None
    }


def _tell_of_discounts(customers: Sequence[Row]) -> None:
    agreed = sum(bool(row["DiscountAgreementId"]) for row in customers)
    own = sum(bool(row["DiscountPercentage"]) for row in customers)
    if agreed or own:
        log.warning(
            "Not imported, as OutSmart has no place for them: the discount agreements of %s customers, and the "
            "percentage that %s customers get on everything. Their prices come without these discounts",
            agreed,
            own,
        )
