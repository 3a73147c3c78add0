"""Shop orders from Exact Online, as work orders.

Fields: https://start.exactonline.nl/docs/HlpRestAPIResourcesDetails.aspx?name=SyncManufacturingShopOrders and
name=SyncManufacturingShopOrderMaterialPlans.

A shop order has no customer of its own. It leads to one by the line of a sales order that it is made for
(name=SyncSalesOrderSalesOrderLines, ``ShopOrder``), or by its project. What those two say of the customer is read here
as well: the categories that import them may be off, or leave them out.
"""

from __future__ import annotations

from decimal import Decimal

from outsmart_sync.providers.exact_online import lines
from outsmart_sync.providers.exact_online.production import ITEM, ITEM_NAME, QUANTITY, UNIT, what_is_made
from outsmart_sync.providers.exact_online.stream import ExactStream
from outsmart_sync.providers.exact_online.values import day, id_of, is_reference, number, prefixed, text
from outsmart_sync.records.catalogue import ImportCategory
from outsmart_sync.records.order import (
    CUSTOMER_OR_OWN,
    INTERNAL_RELATION,
    INVOICE,
    PROJECT,
    SHOP_ORDER_PREFIX,
    WORK_ORDER_SETTINGS,
    compose,
    order,
)
from outsmart_sync.records.record import REFERS
from outsmart_sync.records.setting_kinds import Choice, StartDate
from outsmart_sync.records.streams import Belongs, FoldContext, Folded, Part, Row, Tags
from outsmart_sync.records.values import Payload

STATUSES = {10: "open", 20: "in_process", 30: "finished", 40: "completed"}
"""Status of a shop order (name=ManufacturingShopOrders); it cannot be cancelled, only deleted."""
MATERIAL = 1
"""Type of a line of the plan: 1 material, 2 by-product (name=ManufacturingShopOrderMaterialPlans)."""

SALES_ORDER = f"{REFERS}sales_order"
"""Where a payload holds the id of the sales order that a shop order is made for."""
_ORDER_NUMBER = "order_number"

SHOP_ORDER = order("shop_order", "shop order", SHOP_ORDER_PREFIX, (CUSTOMER_OR_OWN, INVOICE, PROJECT))


def _status(row: Row) -> list[tuple[str, str]]:
    status = STATUSES.get(row["Status"])
    return [("status", status)] if status else []


HEADERS = ExactStream(
    name="shop_orders",
    record=SHOP_ORDER,
    path="sync/Manufacturing/ShopOrders",
    scope="Manufacturing shopfloor",
    single="manufacturing/ShopOrders",
    lookup="ShopOrderNumber",
    number_prefix=SHOP_ORDER.prefix,
    deleted_type=36,
    key="ID",
    fields={
        "number": prefixed(SHOP_ORDER.prefix, "ShopOrderNumber"),
        PROJECT.key: id_of("Project"),
        "short_description": text("Description", "ItemDescription"),
        "description": text("Notes", "Description", "ItemDescription"),
        "extern_project": text("YourRef"),
        "work_date": day("PlannedStartDate", "PlannedDate", "EntryDate"),
        "deadline": day("PlannedDate"),
        ITEM: text("ItemCode"),
        ITEM_NAME: text("ItemDescription"),
        QUANTITY: number("PlannedQuantity"),
        UNIT: text("Unit"),
    },
    tags=Tags(("Status",), _status),
    dated="EntryDate",
    entered="Created",
    compose=compose,
)

# No price: what a plan holds are costs, and the customer reads a work order.
PLANS = ExactStream(
    name="shop_order_plans",
    record=None,
    path="sync/Manufacturing/ShopOrderMaterialPlans",
    scope="Manufacturing shopfloor",
    single="manufacturing/ShopOrderMaterialPlans",
    lookup="ShopOrder",
    deleted_type=37,
    key="ID",
    fields={
        lines.LINE: number("LineNumber"),
        lines.CODE: text("ItemCode"),
        lines.NAME: text("Description", "ItemDescription"),
        lines.UNIT: text("Unit"),
        lines.QUANTITY: number("PlannedQuantity"),
    },
    parent="ShopOrder",
    belongs=Belongs(("Type",), lambda row: row["Type"] == MATERIAL, "by_product"),
)

SALES_LINES = ExactStream(
    name="shop_order_sales_lines",
    record=None,
    path="sync/SalesOrder/SalesOrderLines",
    scope="Sales orders",
    single="salesorder/SalesOrderLines",
    lookup="ShopOrder",
    deleted_type=33,
    key="ID",
    fields={
        SALES_ORDER: id_of("OrderID"),
        _ORDER_NUMBER: number("OrderNumber"),
        lines.LINE: number("LineNumber"),
    },
    parent="ShopOrder",
    belongs=Belongs(("ShopOrder",), lambda row: is_reference(row["ShopOrder"]), "no_shop_order"),
)

# The customers of an order never change once it is there, and its lines go when it does: no deletions are needed.
SALES_ORDERS = ExactStream(
    name="shop_order_sales_orders",
    record=None,
    path="sync/SalesOrder/SalesOrderHeaders",
    scope="Sales orders",
    single="salesorder/SalesOrders",
    lookup="OrderID",
    key="OrderID",
    fields={CUSTOMER_OR_OWN.key: id_of("DeliverTo", "OrderedBy"), INVOICE.key: id_of("InvoiceTo", "OrderedBy")},
    parent="OrderID",
    shared=SALES_ORDER,
)

PROJECTS = ExactStream(
    name="shop_order_projects",
    record=None,
    path="sync/Project/Projects",
    scope="Projects projects",
    single="project/Projects",
    lookup="ID",
    key="ID",
    fields={CUSTOMER_OR_OWN.key: id_of("Account")},
    parent="ID",
    shared=PROJECT.key,
)


def complete(payload: Payload, parts: list[Part], _: FoldContext) -> Folded:
    """A shop order with the material of its plan and the customer that it leads to."""
    made = ("materials", "internal_description", SALES_ORDER, CUSTOMER_OR_OWN.key, INVOICE.key)
    folded = {name: value for name, value in payload.items() if name not in made}
    if materials := lines.materials_of([part for part in parts if part.stream == PLANS.name]):
        folded["materials"] = materials
    return Folded({**folded, **what_is_made(payload), **_customer(parts)}, None)


def _customer(parts: list[Part]) -> Payload:
    """Of the first sales order that it is made for, else of its project; nothing where neither has one."""
    orders = {part.provider_id: part.payload for part in parts if part.stream == SALES_ORDERS.name}
    projects = [part.payload for part in parts if part.stream == PROJECTS.name]
    made_for = sorted((part for part in parts if part.stream == SALES_LINES.name), key=_place)
    named = [str(line.payload[SALES_ORDER]) for line in made_for if line.payload.get(SALES_ORDER)]
    found = next((orders[name] for name in named if name in orders), projects[0] if projects else {})
    return {**({SALES_ORDER: named[0]} if named else {}), **found}


def _place(line: Part) -> tuple[Decimal, Decimal, str]:
    return (line.number(_ORDER_NUMBER) or Decimal(0), *lines.place(line))


SHOP_ORDERS_IMPORT = ImportCategory(
    name="shop_orders",
    label="Shop orders",
    streams=(HEADERS, PLANS, SALES_LINES, SALES_ORDERS, PROJECTS),
    filters=(
        Choice(
            name="statuses",
            label="Shop orders to import, by status",
            tag="status",
            values={
                "open": "Open",
                "in_process": "In process",
                "finished": "Finished",
                "completed": "Completed",
            },
            default=("open", "in_process"),
            reason="status_not_chosen",
        ),
        INTERNAL_RELATION,
        *WORK_ORDER_SETTINGS,
        StartDate(),
    ),
    fold=complete,
    after=("relations", "project_planning"),
    tier="pro",
)
