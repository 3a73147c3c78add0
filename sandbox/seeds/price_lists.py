"""One company's price lists: by item and by item group, with periods, discounts and the customers they are for."""

from typing import Any

from sandbox.exact_online.row_types import Row
from sandbox.seeds.books import Books

_BY_ITEM, _BY_GROUP = 1, 2
_FOR_CUSTOMERS, _STANDARD = 1, 2
_BASIC, _SPECIAL = 1, 2
_DISCOUNT_LEADING, _PRICE_LEADING = 1, 2
_LISTS = (
    ("GOLD", _BY_ITEM, _FOR_CUSTOMERS),
    ("GROUPS", _BY_GROUP, _FOR_CUSTOMERS),
    ("STANDARD", _BY_ITEM, _STANDARD),
)
_ITEMS_PER_LIST = 25


def make_price_lists(books: Books) -> None:
    """Make three lists; each has a period that has ended, one of now, one to come and a special offer."""
    if books.is_empty:
        return
    waiting = list(books.customers)
    books.chance.shuffle(waiting)
    for code, entity, kind in _LISTS:
        price_list = books.make(
            "sales/SalesPriceLists", Code=code, Description=f"{books.words.price_list} {code.title()}", Entity=entity,
            Type=kind, Currency="EUR",
        )  # fmt: skip
        for period in _periods(books, price_list):
            _discounts(books, period, entity)
        if kind == _FOR_CUSTOMERS:
            _link(books, price_list, waiting)


def _link(books: Books, price_list: Row, waiting: list[Row]) -> None:
    """Put a list on some customers; each has one list at most."""
    for _ in range(books.share(0.01, 3, 30)):
        if waiting:
            account = waiting.pop()
            account.PriceList = price_list.ID
            books.make("sales/SalesPriceListLinkedAccounts", Code=account.Code, PriceList=price_list.ID)


def _periods(books: Books, price_list: Row) -> list[Row]:
    day = books.stamps.day
    shapes = ((_BASIC, -700, -301), (_BASIC, -300, None), (_BASIC, 60, None), (_SPECIAL, -10, 20))
    return [
        books.make(
            "sales/SalesPriceListPeriods", PriceList=price_list.ID, Type=kind, StartDate=day(start),
            EndDate=None if end is None else day(end),
        )
        for kind, start, end in shapes
    ]  # fmt: skip


def _discounts(books: Books, period: Row, entity: int) -> None:
    if entity == _BY_GROUP:
        for group in books.tables["logistics/ItemGroups"][:3]:
            _discount(books, period, ItemGroup=group.ID, Discount=0.1, EntryMethod=_DISCOUNT_LEADING, Quantity=1.0)
        return
    for place, item in enumerate(books.chance.sample(books.materials, min(_ITEMS_PER_LIST, len(books.materials)))):
        price = books.price(item)
        about: dict[str, Any] = {"Item": item.ID, "Unit": item.Unit, "BasePriceAmount": price}
        steps = (1.0, 10.0) if place % 4 == 0 else (1.0,)
        for quantity in steps:
            if place % 2:
                method = {"EntryMethod": _PRICE_LEADING, "NewPrice": round(price * 0.85, 2), "Discount": 0.15}
            else:
                method = {"EntryMethod": _DISCOUNT_LEADING, "Discount": 0.2, "NewPrice": round(price * 0.8, 2)}
            _discount(books, period, Quantity=quantity, **about, **method)


def _discount(books: Books, period: Row, **values: Any) -> None:
    books.make("sales/SalesPriceListVolumeDiscounts", PriceListPeriod=period.ID, NumberOfItemsPerUnit=1.0, **values)
