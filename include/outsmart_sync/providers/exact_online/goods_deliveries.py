"""Goods deliveries from Exact Online: kept in the mirror, and told to the work orders of their sales orders.

Fields: https://start.exactonline.nl/docs/HlpRestAPIResourcesDetails.aspx?name=SyncSalesOrderGoodsDeliveries and
name=SyncSalesOrderGoodsDeliveryLines. A line that was split over storage locations comes once for each, with one id.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from outsmart_sync.providers.exact_online import lines
from outsmart_sync.providers.exact_online.sales_orders import SALES_ORDER
from outsmart_sync.providers.exact_online.stream import ExactStream
from outsmart_sync.providers.exact_online.values import day, number, prefixed, text
from outsmart_sync.records.catalogue import ImportCategory
from outsmart_sync.records.goods_delivery import DELIVERY_NOTICE, GOODS_DELIVERY, ORDER
from outsmart_sync.records.lists import WORK_STATUSES
from outsmart_sync.records.order import DELIVERED_STATUS
from outsmart_sync.records.setting_kinds import StartDate, Text
from outsmart_sync.records.streams import Derived, DerivedStream, FoldContext, Folded, Part
from outsmart_sync.records.values import Payload, decimal_text

_PREFIX = "GD-"
_ORDER = "order"


class _Line(msgspec.Struct, frozen=True):
    """What was delivered of an article, as the payload holds it."""

    order: str
    code: str
    name: str
    unit: str
    quantity: str


DELIVERIES = ExactStream(
    name="goods_deliveries",
    record=GOODS_DELIVERY,
    path="sync/SalesOrder/GoodsDeliveries",
    scope="Logistics wms",
    single="salesorder/GoodsDeliveries",
    lookup="DeliveryNumber",
    number_prefix=_PREFIX,
    deleted_type=16,
    key="EntryID",
    fields={
        "number": prefixed(_PREFIX, "DeliveryNumber"),
        "customer_name": text("DeliveryAccountName"),
        "delivery_date": day("DeliveryDate"),
        "description": text("Description"),
        "tracking_number": text("TrackingNumber"),
    },
    dated="DeliveryDate",
    entered="Created",
)

LINES = ExactStream(
    name="goods_delivery_lines",
    record=None,
    path="sync/SalesOrder/GoodsDeliveryLines",
    scope="Logistics wms",
    single="salesorder/GoodsDeliveryLines",
    lookup="EntryID",
    deleted_type=17,
    key="ID",
    split_by="StorageLocation",
    fields={
        lines.LINE: number("LineNumber"),
        _ORDER: prefixed(SALES_ORDER.prefix, "SalesOrderNumber"),
        lines.CODE: text("ItemCode"),
        lines.NAME: text("Description", "ItemDescription"),
        lines.UNIT: text("Unitcode"),
        lines.QUANTITY: number("QuantityDelivered"),
    },
    parent="EntryID",
)


def with_lines(payload: Payload, parts: list[Part], _: FoldContext) -> Folded:
    """A delivery with its lines: one per order, article and unit."""
    folded = {name: value for name, value in payload.items() if name not in ("lines", "orders")}
    totals: dict[tuple[str, ...], Decimal] = {}
    names: dict[tuple[str, ...], str] = {}
    for part in sorted(parts, key=lines.place):
        order, code, name, unit = (
            str(part.payload.get(field, "")) for field in (_ORDER, lines.CODE, lines.NAME, lines.UNIT)
        )
        key = (order, code or name, unit)
        totals[key] = totals.get(key, Decimal(0)) + (part.number(lines.QUANTITY) or Decimal(0))
        names.setdefault(key, name)
    delivered = [
        _Line(order, code, names[order, code, unit], unit, decimal_text(quantity))
        for (order, code, unit), quantity in totals.items()
    ]
    if delivered:
        folded["lines"] = msgspec.json.encode(delivered).decode()
    if orders := list(dict.fromkeys(line.order for line in delivered if line.order)):
        folded["orders"] = ", ".join(orders)
    return Folded(folded, None)


def notices(payload: Payload) -> list[Derived]:
    """What a delivery tells each of its sales orders."""
    delivered = msgspec.json.decode(str(payload.get("lines", "[]")), type=list[_Line])
    found = []
    for order in dict.fromkeys(line.order for line in delivered if line.order):
        words = ", ".join(f"{line.quantity} x {line.code}" for line in delivered if line.order == order)
        own: Payload = {
            "number": f"{payload.get('number', '')}/{order}",
            "text": f"delivered {payload.get('delivery_date', '')}: {words} ({order})",
            ORDER.key: order,
        }
        found.append(Derived(own, part=order))
    return found


NOTICES = DerivedStream(name="delivery_notices", record=DELIVERY_NOTICE, derive=notices)

GOODS_DELIVERIES_IMPORT = ImportCategory(
    name="goods_deliveries",
    label="Goods deliveries",
    streams=(DELIVERIES, LINES),
    filters=(
        Text(
            DELIVERED_STATUS,
            "Work status of a work order when goods of its order have been delivered (empty: none; what was delivered "
            "and when stands in its history here, as OutSmart takes nothing else of it afterwards)",
            lists=WORK_STATUSES,
        ),
        StartDate(),
    ),
    fold=with_lines,
    after=("sales_orders",),
    tier="pro",
    derived=(NOTICES,),
)
