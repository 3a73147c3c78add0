"""Sales orders of VISMA eAccounting, as work orders with their lines.

Fields: schemas ``OrderApi`` and ``OrderRowApi`` of https://eaccountingapi.vismaonline.com/openapi/v2.json . An order
    comes
with its rows; some have no number, so it is known by its id. Only rows have projects: a work order gets that of the
first row with one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from outsmart_sync.providers.visma_eaccounting.stream import VismaStream
from outsmart_sync.providers.visma_eaccounting.values import code_from_id, day, id_of, text
from outsmart_sync.records.catalogue import ImportCategory
from outsmart_sync.records.order import CUSTOMER, PROJECT, WORK_ORDER_SETTINGS, compose, order
from outsmart_sync.records.setting_kinds import Choice, StartDate
from outsmart_sync.records.streams import Row, Source, Tags
from outsmart_sync.records.values import decimal_text
from outsmart_sync.records.work_order import MaterialLine, encode_materials

STATUSES = {1: "draft", 2: "ongoing", 3: "shipped", 4: "invoiced"}
"""Status of an order."""

# Numbers begin otherwise than those of other packages: an OutSmart account may change from one to another.
SALES_ORDER = order("sales_order", "sales order", "VO-", (CUSTOMER, PROJECT))

_PRICE_PLACES = Decimal("0.0001")


def _order_number(value: Any) -> str:
    """Our number of an order: VISMA's own, or one made from the id of an order that has none."""
    return SALES_ORDER.prefix + (code_from_id(value) if isinstance(value, str) else str(int(value)))


def _rows(value: Iterable[Row]) -> list[Row]:
    return sorted(value, key=lambda row: row["LineNumber"])


def _materials(value: tuple[Any, ...]) -> str | None:
    """The rows with an article, in the order's own sequence."""
    rows, with_vat = value
    lines = [_line(row, with_vat=with_vat) for row in _rows(rows) if not row["IsTextRow"] and row["ArticleNumber"]]
    return encode_materials(lines) if lines else None


def _line(row: Row, *, with_vat: bool) -> MaterialLine:
    code = str(row["ArticleNumber"]).strip()
    return MaterialLine(
        code=code,
        name=str(row["Text"] or "").strip() or code,
        quantity=decimal_text(_decimal(row["Quantity"])),
        price=decimal_text(_price(row, with_vat=with_vat)),
    )


def _price(row: Row, *, with_vat: bool) -> Decimal:
    """What one unit costs after the row's own discount, without VAT."""
    price, quantity = _decimal(row["UnitPrice"]), _decimal(row["Quantity"])
    if not row["IsDiscountInFixedAmount"]:
        price *= 1 - _decimal(row["DiscountPercentage"])
    elif (discount := _decimal(row["DiscountFixedAmount"])) and quantity:
        price = (price - discount / quantity).quantize(_PRICE_PLACES)
    if with_vat and (rate := _decimal(row["VatRate"])):
        price = (price / (1 + _share(rate))).quantize(_PRICE_PLACES)
    return price


def _share(rate: Decimal) -> Decimal:
    """A VAT rate as a share of the price; VISMA's pages do not say whether it is that or a percentage."""
    return rate / 100 if rate > 1 else rate


def _decimal(value: Any) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value or 0))


def _project(value: Iterable[Row]) -> str | None:
    return next((str(row["ProjectId"]) for row in _rows(value) if row["ProjectId"]), None)


def _texts(value: Iterable[Row]) -> str | None:
    """What stands on the order between its lines."""
    texts = (str(row["Text"] or "").strip() for row in _rows(value) if row["IsTextRow"])
    return "\n".join(each for each in texts if each) or None


def _delivery(place: int) -> Source:
    """A part of the delivery address, where the order has a whole one; else the relation's own address is used."""
    columns = ("DeliveryAddress1", "DeliveryPostalCode", "DeliveryCity")
    pick: Callable[[tuple[Any, ...]], str | None] = lambda found: (  # noqa: E731
        str(found[place]).strip() if all(str(each).strip() for each in found) else None
    )
    return Source(columns, pick, joined=True)


def _status(row: Row) -> list[tuple[str, str]]:
    status = STATUSES.get(row["Status"])
    return [("status", status)] if status else []


ORDERS = VismaStream(
    name="sales_orders",
    record=SALES_ORDER,
    path="orders",
    changed="ModifiedUtc",
    lookup="Number",
    numbered=True,
    key="Id",
    fields={
        "number": Source(("Number", "Id"), _order_number),
        CUSTOMER.key: id_of("CustomerId"),
        PROJECT.key: Source(("Rows",), _project),
        "customer_street": _delivery(0),
        "customer_zip": _delivery(1),
        "customer_city": _delivery(2),
        "customer_contact": text("YourReference"),
        "order_number": text("Number"),
        "extern_project": text("BuyersOrderReference"),
        "description": Source(("Rows",), _texts),
        "work_date": day("DeliveryDate", "OrderDate"),
        "materials": Source(("Rows", "IncludesVat"), _materials, joined=True),
    },
    tags=Tags(("Status",), _status),
    dated="OrderDate",
    currency="CurrencyCode",
    compose=compose,
    exported_as="sales_order",
)

SALES_ORDERS_IMPORT = ImportCategory(
    name="sales_orders",
    label="Sales orders",
    streams=(ORDERS,),
    filters=(
        Choice(
            name="statuses",
            label="Sales orders to import, by status",
            tag="status",
            values={"draft": "Draft", "ongoing": "Ongoing (confirmed)", "shipped": "Shipped", "invoiced": "Invoiced"},
            default=("ongoing",),
            reason="status_not_chosen",
        ),
        *WORK_ORDER_SETTINGS,
        StartDate(),
    ),
    after=("customers", "projects"),
    tier="active",
)
