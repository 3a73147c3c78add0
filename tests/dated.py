"""A category with a start date, as a package may declare one, over sales orders as Exact Online serves them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from outsmart_sync.providers.exact_online.imports import PACKAGE, ExactStream
from outsmart_sync.providers.exact_online.values import text
from outsmart_sync.providers.packages import packages
from outsmart_sync.records.catalogue import ImportCategory
from outsmart_sync.records.category import CATEGORY
from outsmart_sync.records.lists import PAYMENT_METHODS, WORK_STATUSES, WORK_TYPES
from outsmart_sync.records.record import Field, Record
from outsmart_sync.records.setting_kinds import StartDate, Text
from outsmart_sync.records.streams import Fold, FoldContext, Folded, Part
from outsmart_sync.records.values import Payload

ORDERS = "dated_orders"
HEADERS, LINES = "sync/SalesOrder/SalesOrderHeaders", "sync/SalesOrder/SalesOrderLines"
AHEAD = 90

_HEADERS = ExactStream(
    name="orders",
    record=CATEGORY,  # a record type that OutSmart takes, whatever it is for
    path=HEADERS,
    single="salesorder/SalesOrders",
    lookup="OrderNumber",
    deleted_type=32,
    key="ID",
    fields={"cat_code": text("OrderNumber"), "cat_name": text("Description", "OrderNumber")},
    dated="OrderDate",
    dated_ahead=AHEAD,
)
_LINES = ExactStream(
    name="lines",
    record=None,
    path=LINES,
    single="salesorder/SalesOrderLines",
    lookup="OrderID",
    deleted_type=33,
    key="ID",
    fields={"item": text("ItemCode")},
    parent="OrderID",
)
_ORDER = Record(
    name="order",
    label="order",
    code="number",
    title="number",
    fields=(Field("number", "number", required=True), Field("lines", "number of lines")),
)

SETTINGS = (
    StartDate(),
    Text(name="work_type", label="Type of work", lists=WORK_TYPES),
    Text(name="payment_method", label="Payment method", lists=PAYMENT_METHODS),
    Text(name="cancelled_status", label="Work status of what was cancelled", lists=WORK_STATUSES),
    Text(name="remark", label="Remark on every work order"),
)

ORDERS_IMPORT = ImportCategory(name=ORDERS, label="Dated orders", streams=(_HEADERS,), filters=SETTINGS)
"""Orders that go to OutSmart."""


def _count(payload: Payload, parts: list[Part], _: FoldContext) -> Folded:
    return Folded(payload | {"lines": str(len(parts))}, None)


_FOLD: Fold = _count

WHOLE_ORDERS_IMPORT = replace(
    ORDERS_IMPORT,
    streams=(replace(_HEADERS, record=_ORDER, key="OrderID", fields={"number": text("OrderNumber")}), _LINES),
    fold=_FOLD,
)
"""Orders with their lines, which end in the mirror."""


def declare(monkeypatch: Any, *categories: ImportCategory) -> None:
    """Let the package have these categories besides its own."""
    monkeypatch.setitem(packages(), PACKAGE.name, replace(PACKAGE, imports=(*PACKAGE.imports, *categories)))


def columns_of(calls: Sequence[dict[str, Any]], resource: str) -> list[str]:
    """The filters with which a resource was asked."""
    return [call["query"].get("$filter", "") for call in calls if call["resource"] == resource]
