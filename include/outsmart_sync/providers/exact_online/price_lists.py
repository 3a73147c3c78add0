"""Exact's price lists, expanded to one price per customer and article.

Pages: https://start.exactonline.nl/docs/HlpRestAPIResourcesDetails.aspx?name=SalesSalesPriceLists (and
SalesSalesPriceListPeriods, SalesSalesPriceListLinkedAccounts, SyncSalesSalesPriceListVolumeDiscounts, LogisticsItems,
CRMAccounts, LogisticsSalesItemPrices).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec

from outsmart_sync.errors import AccessDenied, VendorUnavailable
from outsmart_sync.providers.exact_online.rights import Need, explained
from outsmart_sync.providers.exact_online.values import TIMEZONE, exact_date, is_reference, padded_code, quoted
from outsmart_sync.records.price_lists import Expansion, Priced
from outsmart_sync.records.timelines import Span, timeline
from outsmart_sync.records.values import content_hash

if TYPE_CHECKING:
    from outsmart_sync.providers.exact_online.client import ExactOnlineClient, Page
    from outsmart_sync.records.streams import Row

MODIFIED, VERSION = "Modified", "Timestamp"
READS: Mapping[str, tuple[str, ...]] = {
    "sales/SalesPriceLists": ("ID", "Currency", MODIFIED),
    "sales/SalesPriceListPeriods": ("ID", "PriceList", "Type", "StartDate", "EndDate", "Created", MODIFIED),
    "sales/SalesPriceListLinkedAccounts": ("ID", "Code", "PriceList", MODIFIED),
    "sync/Sales/SalesPriceListVolumeDiscounts": (
        "ID",
        "PriceListPeriod",
        "Item",
        "ItemGroup",
        "Quantity",
        "NumberOfItemsPerUnit",
        "EntryMethod",
        "Discount",
        "NewPrice",
        "BasePriceAmount",
        VERSION,
    ),
    "crm/Accounts": ("ID", "Code", "PriceList"),
    "logistics/Items": ("ID", "ItemGroup", "IsSalesItem", "StandardSalesPrice"),
    "logistics/SalesItemPrices": (
        "Account",
        "Item",
        "Employee",
        "Project",
        "Currency",
        "Unit",
        "DefaultItemUnit",
        "StartDate",
        "EndDate",
    ),
}
"""Endpoint → the columns that are read."""

_LISTS, _PERIODS, _LINKED, _DISCOUNTS = tuple(READS)[:4]
_PLACES = 4
_SPECIAL, _DISCOUNT_LEADS = 2, 1
_PRICES_SCOPE = "Sales prices"
NEEDS: Mapping[str, Need] = {
    _PERIODS: Need("the periods of price lists", _PERIODS, _PRICES_SCOPE),
    _LINKED: Need("the customers of price lists", _LINKED, _PRICES_SCOPE),
    _DISCOUNTS: Need("the prices of price lists", "sales/SalesPriceListVolumeDiscounts", _PRICES_SCOPE),
    "crm/Accounts": Need("the customers of price lists", "crm/Accounts", "Crm accounts"),
    "logistics/Items": Need("the items of price lists", "logistics/Items", "Logistics items"),
    "logistics/SalesItemPrices": Need("the customers' own prices", "logistics/SalesItemPrices", _PRICES_SCOPE),
}
"""What it takes to read each endpoint that a list leads to."""

INCOMPLETE = "price_lists_incomplete"
"""Code of a refusal of what the lists are about, although they themselves can be read."""

_KEYS_PER_CALL = 20  # keeps addresses far below Exact's 6,000 characters


def read(client: ExactOnlineClient, today: date) -> Expansion:
    """Read the lists, and what they are about.

    Raises:
        VendorUnavailable: A list has changed meanwhile, or was cut off.
        AccessDenied: Exact does not let us read one of them.
    """
    lists, at_lists = _whole(client, _LISTS)
    if not lists:
        return Expansion(_position(at_lists), {}, {}, {}, {})
    with _demanded(client, _PERIODS):
        periods, at_periods = _whole(client, _PERIODS)
    with _demanded(client, _LINKED):
        linked, at_linked = _whole(client, _LINKED)
    with _demanded(client, _DISCOUNTS):
        discounts, at_discounts = _changes(client)
    by_id = {row["ID"]: row for row in lists}
    accounts = _accounts(client, by_id, [row for row in linked if row["PriceList"] in by_id])
    used = [row for row in periods if row["PriceList"] in accounts and not _is_over(row, today)]
    steps = _lowest_steps(discounts, {row["ID"] for row in used})
    items = _items(client, [row for row in steps if _needs_items(row)])
    return Expansion(
        _position(at_lists, at_periods, at_linked, at_discounts, _this_day()),
        accounts,
        _prices(used, steps, items, today),
        {identity: str(row["Currency"] or "") for identity, row in by_id.items()},
        _own_agreements(
            client, {identity: by_id[each]["Currency"] for each in accounts for identity in accounts[each]}
        ),
    )


def has_changed(client: ExactOnlineClient, position: str) -> bool:
    """Whether a list is not as it was; a call for each of the four, or one where there are no lists.

    Once a day it counts as changed: customers and articles that were put to a list or a group changed none of the four.
    """
    kept = tuple(msgspec.json.decode(position, type=list[str]))
    if len(kept) > _PLACES and kept[_PLACES] != _this_day():
        return True
    for path, known in zip((_LISTS, _PERIODS, _LINKED), kept, strict=False):
        page = client.get(_address(client, path))
        total = len(page.rows) if page.total is None else page.total
        if f"{total}#{_fingerprint(page)}" != known:
            return True
    if len(kept) == 1:
        return False
    filters = f"{VERSION} gt {kept[_PLACES - 1]}L"
    return bool(client.get(client.address(_DISCOUNTS, select=(VERSION,), filters=filters, top=1)).rows)


def _this_day() -> str:
    return datetime.now(ZoneInfo(TIMEZONE)).date().isoformat()


def _position(*places: str) -> str:
    return msgspec.json.encode(places).decode()


def _address(client: ExactOnlineClient, path: str) -> str:
    return client.address(path, select=READS[path], newest_first=MODIFIED)


def _fingerprint(page: Page) -> str:
    rows = [{name: value for name, value in row.items() if name != "__metadata"} for row in page.rows]
    return content_hash(msgspec.json.encode(rows, order="sorted").decode())


def _whole(client: ExactOnlineClient, path: str) -> tuple[list[Row], str]:
    """All rows of a list, and where it stands; it must have as many as it says."""
    rows: list[Row] = []
    top, total = "", None
    for page in client.pages(_address(client, path)):
        rows += page.rows
        top, total = top or _fingerprint(page), page.total if page.total is not None else total
    if total is not None and len(rows) != total:
        raise VendorUnavailable(
            "Exact Online's price lists have changed while they were read, or were cut off.",
            remedy="They are read again by themselves.",
            technical=f"{path}: {len(rows)} rows of {total}",
        )
    return rows, f"{len(rows)}#{top}"


def _changes(client: ExactOnlineClient) -> tuple[list[Row], str]:
    """Every discount, and its stream's position: a thousand a page, where the ordinary endpoint has sixty."""
    found: dict[str, Row] = {}
    last = 1
    address = client.address(_DISCOUNTS, select=READS[_DISCOUNTS], filters=f"{VERSION} gt 1L")
    for page in client.pages(address):
        for row in page.rows:
            found[row["ID"]] = row
            last = max(last, int(row[VERSION]))
    return list(found.values()), str(last)


def _by_keys(client: ExactOnlineClient, path: str, column: str, literals: Sequence[str]) -> list[Row]:
    rows: list[Row] = []
    for start in range(0, len(literals), _KEYS_PER_CALL):
        filters = " or ".join(f"{column} eq {each}" for each in literals[start : start + _KEYS_PER_CALL])
        with _demanded(client, path):
            for page in client.pages(client.address(path, select=READS[path], filters=filters)):
                rows += page.rows
    return rows


@contextmanager
def _demanded(client: ExactOnlineClient, path: str) -> Iterator[None]:
    """Read within this what the lists are about: where it is refused, they are not shorter, but unknown.

    Raises:
        AccessDenied: It is refused; the words are about this, and not about the lists.
    """
    try:
        with explained(client, NEEDS[path]):
            yield
    except AccessDenied as error:
        raise AccessDenied(
            error.what, why=error.why, remedy=error.remedy, code=INCOMPLETE, technical=error.technical
        ) from error


def _guids(ids: Sequence[str]) -> list[str]:
    return [f"guid'{each}'" for each in sorted(set(ids))]


def _accounts(client: ExactOnlineClient, lists: Iterable[str], linked: Sequence[Row]) -> dict[str, list[str]]:
    """List → ids of its customers: those that it names by their codes, and those that name it themselves."""
    named = {str(row["Code"] or "").strip(): row["PriceList"] for row in linked}
    codes = [quoted(padded_code(code)) for code in sorted(named) if code]
    list_of = {
        row["ID"]: row["PriceList"] for row in _by_keys(client, "crm/Accounts", "PriceList", _guids(list(lists)))
    }
    for row in _by_keys(client, "crm/Accounts", "Code", codes):
        list_of[row["ID"]] = named[str(row["Code"]).strip()]
    found: dict[str, list[str]] = defaultdict(list)
    for identity, price_list in sorted(list_of.items()):
        found[price_list].append(identity)
    return dict(found)


def _is_over(period: Row, today: date) -> bool:
    last = exact_date(period["EndDate"])
    return last is not None and last < today


def _lowest_steps(discounts: Sequence[Row], periods: set[str]) -> list[Row]:
    """Of a period's rows about one article or group the one for the lowest quantity, ties by id."""
    found: dict[tuple[str, str], Row] = {}
    for row in sorted(discounts, key=lambda each: (each["Quantity"] or 0, each["ID"])):
        if row["PriceListPeriod"] in periods and (row["NumberOfItemsPerUnit"] or 1) == 1:
            found.setdefault((row["PriceListPeriod"], row["Item"] or row["ItemGroup"] or ""), row)
    return list(found.values())


def _needs_items(row: Row) -> bool:
    """Whether a row is about a group, or about an article's standard price."""
    return not is_reference(row["Item"]) or (row["EntryMethod"] == _DISCOUNT_LEADS and row["BasePriceAmount"] is None)


def _items(client: ExactOnlineClient, steps: Sequence[Row]) -> list[Row]:
    groups = [row["ItemGroup"] for row in steps if not is_reference(row["Item"]) and is_reference(row["ItemGroup"])]
    single = [row["Item"] for row in steps if is_reference(row["Item"])]
    return [
        *_by_keys(client, "logistics/Items", "ItemGroup", _guids(groups)),
        *_by_keys(client, "logistics/Items", "ID", _guids(single)),
    ]


def _prices(
    periods: Sequence[Row], steps: Sequence[Row], items: Sequence[Row], today: date
) -> dict[str, dict[str, list[Priced]]]:
    """List → article → its prices: a special offer goes before a basic price, a later period before an earlier one."""
    standard = {row["ID"]: row["StandardSalesPrice"] for row in items}
    members: dict[str, list[str]] = defaultdict(list)
    for row in items:
        if row["IsSalesItem"]:
            members[row["ItemGroup"] or ""].append(row["ID"])
    by_period = {row["ID"]: row for row in periods}
    found: dict[str, dict[str, list[tuple[Row, Row]]]] = defaultdict(lambda: defaultdict(list))
    for step in steps:
        period = by_period[step["PriceListPeriod"]]
        chosen = [step["Item"]] if is_reference(step["Item"]) else sorted(set(members[step["ItemGroup"] or ""]))
        for item in chosen:
            found[period["PriceList"]][item].append((period, step))
    return {
        price_list: {item: _one_after_the_other(item, rows, standard, today) for item, rows in of_items.items()}
        for price_list, of_items in found.items()
    }


def _one_after_the_other(
    item: str, rows: Sequence[tuple[Row, Row]], standard: Mapping[str, float | None], today: date
) -> list[Priced]:
    spans = [(_span(period), period["Type"] == _SPECIAL) for period, _ in rows]
    return [
        Priced(span, rows[place][0]["ID"], _price(rows[place][1], standard.get(item)))
        for span, place in timeline(spans)
        if span.last is None or span.last >= today
    ]


def _span(row: Row) -> Span:
    return Span(exact_date(row["StartDate"]) or exact_date(row.get("Created")) or date.min, exact_date(row["EndDate"]))


def _price(row: Row, standard: float | None) -> Decimal | None:
    """The new price where that leads; else the discount, a fraction, off the base price or the standard price."""
    if row["EntryMethod"] != _DISCOUNT_LEADS:
        return None if row["NewPrice"] is None else Decimal(str(row["NewPrice"]))
    base = standard if row["BasePriceAmount"] is None else row["BasePriceAmount"]
    return None if base is None else Decimal(str(base)) * (1 - Decimal(str(row["Discount"] or 0)))


def _own_agreements(client: ExactOnlineClient, accounts: Mapping[str, str]) -> dict[tuple[str, str], list[Span]]:
    """When customers have agreements of their own, of the kind that is imported."""
    found: dict[tuple[str, str], list[Span]] = defaultdict(list)
    for row in _by_keys(client, "logistics/SalesItemPrices", "Account", _guids(list(accounts))):
        own = (row["DefaultItemUnit"] or row["Unit"] or "").strip()
        fits = (row["Unit"] or own).strip() == own and row["Currency"] == accounts[row["Account"]]
        if fits and not any(is_reference(row[column]) for column in ("Employee", "Project")):
            found[row["Account"], row["Item"]].append(_span(row))
    return dict(found)
