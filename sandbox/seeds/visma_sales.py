"""Projects, orders, invoice drafts and invoices of one of VISMA's companies."""

from collections.abc import Sequence
from typing import Any

from sandbox.seeds.traits import VISMA_ORDER_TRAITS as TRAITS
from sandbox.seeds.visma_books import VismaBooks
from sandbox.visma_eaccounting.resources import Row
from sandbox.visma_eaccounting.sales.drafts import add_up_draft
from sandbox.visma_eaccounting.sales.invoices import PAID, book_draft, book_order
from sandbox.visma_eaccounting.sales.orders import (
    DRAFT,
    INVOICED,
    ONGOING,
    SHIPPED,
    add_up_order,
    fill_from_customer,
)
from sandbox.visma_eaccounting.sales.rows import DRAFT_ROW, ORDER_ROW, REVERSE_FLAGS, buyer, complete_rows

_MOST_ROWS, _OLDEST_DAYS = 5, 600
_FIRST_ORDER = 1001
_ONGOING_PROJECT, _FINISHED_PROJECT = 1, 2
_ODD_QUANTITIES = (0.25, 1.3333, 2.75, 0.5)


def make_projects(books: VismaBooks) -> None:
    """Make projects, every fourth of them finished, some with a customer."""
    customers = books.all("customers")
    for index in range(_share(books, 0.04, 8, 150)):
        finished = index % 4 == 3
        age = books.chance.randint(20, _OLDEST_DAYS)
        books.make(
            "projects",
            Number=f"P{index + 1:04d}" if index % 3 else f"{index + 1:05d}",
            Name=f"{books.chance.choice(books.words.jobs)} {books.chance.choice(books.pool.cities)}",
            Status=_FINISHED_PROJECT if finished else _ONGOING_PROJECT,
            StartDate=books.day(-age),
            EndDate=books.day(-age // 2) if finished else None,
            CustomerId=books.chance.choice(customers).Id if index % 5 else None,
            Notes=None,
        )


def make_orders(books: VismaBooks) -> None:
    """Make orders: old ones invoiced or shipped, new ones ongoing, some drafts without a number."""
    count = _share(books, 0.3, 16, 1500)
    customers = [one for one in books.all("customers") if one.IsActive]
    for index in range(count):
        age = max(1, _OLDEST_DAYS - _OLDEST_DAYS * index // max(1, count))
        _order(books, books.chance.choice(customers), index, age, _status(index, count))


def make_drafts(books: VismaBooks) -> None:
    """Make a few invoice drafts."""
    customers = [one for one in books.all("customers") if one.IsActive]
    for index in range(_share(books, 0.02, 4, 60)):
        _draft(books, books.chance.choice(customers), index)


def make_invoices(books: VismaBooks) -> None:
    """Make the invoices of invoiced orders, most of them paid, and book half of the drafts."""
    code, store = books.company.code, books.store
    orders = [one for one in books.all("orders") if one.Status == INVOICED]
    for index, order in enumerate(orders):
        changed, order.Status = order.ModifiedUtc, SHIPPED
        day = {"InvoiceDate": order.ShippedDateTime, "DueDate": order.ShippedDateTime}
        book_order(store, code, order, _history(books, changed) | day | _payment(index, order))
        order.ModifiedUtc = changed
    store.save(code, "orders", orders)
    drafts = books.all("customerinvoicedrafts")
    for draft in drafts[: len(drafts) // 2]:
        book_draft(store, code, draft, history=_history(books, books.moment(1)), keep_date=True)


def _history(books: VismaBooks, moment: str) -> dict[str, Any]:
    return {"Id": books.guid(), "VoucherId": books.guid(), "CreatedUtc": moment, "ModifiedUtc": moment}


def _payment(index: int, order: Row) -> dict[str, Any]:
    """Every fourth order is not paid yet."""
    if index % 4 == 3:
        return {}
    paid = {"PaymentStatus": PAID, "PaymentDate": order.ShippedDateTime}
    return paid | {"RemainingAmount": 0.0, "RemainingAmountInvoiceCurrency": 0.0}


def _share(books: VismaBooks, part: float, fewest: int, most: int) -> int:
    """How many of a kind a company of this size has."""
    if not books.relations or not books.items:
        return 0
    return min(most, max(min(fewest, books.relations), round(books.relations * part)))


def _status(index: int, count: int) -> int:
    if index in TRAITS["draft"]:
        return DRAFT
    if index < count * 0.5:
        return INVOICED
    return SHIPPED if index < count * 0.6 else ONGOING


def _order(books: VismaBooks, customer: Row, index: int, age: int, status: int) -> None:
    code, store = books.company.code, books.store
    who = buyer(store, code, customer.Id)
    rows = [_row(books, index, place, ORDER_ROW) for place in range(books.chance.randint(1, _MOST_ROWS))]
    shipped = status in {SHIPPED, INVOICED}
    for one in rows:
        one |= {"DeliveredQuantity": one["Quantity"] if shipped else 0.0, "IsWorkCost": False, "WorkCostType": 0}
    values: dict[str, Any] = {
        "CustomerId": customer.Id,
        "CustomerNumber": customer.CustomerNumber,
        "CustomerName": customer.Name,
        "CustomerIsPrivatePerson": customer.IsPrivatePerson,
        "CurrencyCode": customer.CurrencyCode,
        "IncludesVat": who.includes_vat,
        "EuThirdParty": False,
        "ReverseChargeOnConstructionServices": False,
        "Status": status,
        "Number": None if status == DRAFT else _FIRST_ORDER + index,
        "OrderDate": books.day(-age),
        "DeliveryDate": books.day(books.chance.randint(2, 30) - age),
        "ShippedDateTime": books.day(-max(1, age - 5)) if shipped else None,
        "YourReference": customer.ContactPersonName,
        "OurReference": "Dana Demo",
        "BuyersOrderReference": f"PO-{index:04d}" if index in TRAITS["reference"] else None,
        "Rows": _with_ids(books, complete_rows(store, code, who, rows, ORDER_ROW)),
    }
    fill_from_customer(values, who)
    add_up_order(store, code, values)
    books.make("orders", age, **values)


def _draft(books: VismaBooks, customer: Row, index: int) -> None:
    code, store = books.company.code, books.store
    who, age = buyer(store, code, customer.Id), index % 20 + 1
    rows = [_row(books, index, place, DRAFT_ROW) for place in range(books.chance.randint(1, 3))]
    for one in rows:
        one["Quantity"] = round(one["Quantity"], 2)
    values: dict[str, Any] = {
        "CustomerId": customer.Id,
        "CustomerNumber": customer.CustomerNumber,
        "CustomerName": customer.Name,
        "CustomerIsPrivatePerson": customer.IsPrivatePerson,
        "InvoiceCurrencyCode": customer.CurrencyCode,
        "IncludesVat": who.includes_vat,
        "EuThirdParty": False,
        "ReverseChargeOnConstructionServices": customer.ReverseChargeOnConstructionServices,
        "InvoiceDate": books.day(-age),
        "DueDate": books.day(30 - age),
        "Rows": _with_ids(books, complete_rows(store, code, who, rows, DRAFT_ROW)),
    }
    fill_from_customer(values, who)
    add_up_draft(store, code, values)
    books.make("customerinvoicedrafts", age, **values)


def _with_ids(books: VismaBooks, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with ids that follow from the seed."""
    return [row | {"Id": books.guid()} for row in rows]


def _row(books: VismaBooks, index: int, place: int, schema: str) -> dict[str, Any]:
    chance = books.chance
    row = {"LineNumber": place + 1, "IsTextRow": False, "DiscountPercentage": 0.0, "ProjectId": None}
    row |= {REVERSE_FLAGS[schema]: False, "ArticleId": None, "Text": None, "UnitPrice": 0.0, "Quantity": 0.0}
    if place and index in TRAITS["text_row"]:
        return row | {"IsTextRow": True, "Text": chance.choice(books.words.jobs)}
    article = chance.choice(_having(books, "articles", "IsActive", value=True))
    ongoing = _having(books, "projects", "Status", _ONGOING_PROJECT)
    odd = index in TRAITS["odd_quantity"]
    return row | {
        "ArticleId": article.Id,
        "UnitPrice": round(article.NetPrice * chance.choice((1.0, 1.0, 0.93)), 2),
        "Quantity": chance.choice(_ODD_QUANTITIES) if odd else float(chance.randint(1, 12)),
        "DiscountPercentage": 0.125 if index in TRAITS["discount"] else 0.0,
        "ProjectId": chance.choice(ongoing).Id if ongoing and index in TRAITS["project"] else None,
    }


def _having(books: VismaBooks, resource: str, field: str, value: object) -> Sequence[Row]:
    return books.store.table(books.company.code, resource).having(field, value)
