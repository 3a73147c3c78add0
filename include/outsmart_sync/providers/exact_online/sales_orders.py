"""Sales orders from Exact Online, as work orders.

Fields: https://start.exactonline.nl/docs/HlpRestAPIResourcesDetails.aspx?name=SyncSalesOrderSalesOrderHeaders and
name=SyncSalesOrderSalesOrderLines. A changed line leaves its header's Timestamp alone, so lines are a stream of their
own.
"""

from __future__ import annotations

from outsmart_sync.providers.exact_online import lines
from outsmart_sync.providers.exact_online.quotations import WORK, work
from outsmart_sync.providers.exact_online.stream import ExactStream
from outsmart_sync.providers.exact_online.values import day, id_of, number, prefixed, text
from outsmart_sync.records.catalogue import ImportCategory
from outsmart_sync.records.order import (
    ADDRESS,
    CONTACT_PERSON,
    CUSTOMER,
    INVOICE,
    PROJECT,
    WORK_ORDER_SETTINGS,
    compose,
    order,
)
from outsmart_sync.records.setting_kinds import Choice, StartDate
from outsmart_sync.records.streams import Row, SameWork, Tags

STATUSES = {12: "open", 20: "partial", 21: "complete"}
"""Status of an order: 12 open, 20 partly delivered, 21 complete, 45 cancelled (name=SalesOrderSalesOrders)."""
CANCELLED = 45

SALES_ORDER = order("sales_order", "sales order", "SO-", (CUSTOMER, INVOICE, ADDRESS, CONTACT_PERSON, PROJECT))


def _tags(row: Row) -> list[tuple[str, str]]:
    return [*_status(row), *work(row["OrderedBy"], row["YourRef"])]


def _status(row: Row) -> list[tuple[str, str]]:
    """A cancelled order passes every choice: its work order must hear of it."""
    if row["Status"] == CANCELLED:
        return [("status", status) for status in STATUSES.values()]
    status = STATUSES.get(row["Status"])
    return [("status", status)] if status else []


HEADERS = ExactStream(
    name="sales_orders",
    record=SALES_ORDER,
    path="sync/SalesOrder/SalesOrderHeaders",
    scope="Sales orders",
    single="salesorder/SalesOrders",
    lookup="OrderNumber",
    number_prefix=SALES_ORDER.prefix,
    sync_only=("ID", "Project"),
    kept_in_look_ups=(lines.OF_ORDER,),
    deleted_type=32,
    key="OrderID",
    alias="ID",
    fields={
        "number": prefixed(SALES_ORDER.prefix, "OrderNumber"),
        CUSTOMER.key: id_of("DeliverTo", "OrderedBy"),
        INVOICE.key: id_of("InvoiceTo", "OrderedBy"),
        ADDRESS.key: id_of("DeliveryAddress"),
        CONTACT_PERSON.key: id_of("DeliverToContactPerson", "OrderedByContactPerson"),
        lines.OF_ORDER: id_of("Project"),
        "customer_contact": text("DeliverToContactPersonFullName", "OrderedByContactPersonFullName"),
        "invoice_contact": text("InvoiceToContactPersonFullName"),
        "short_description": text("Description"),
        "description": text("Remarks", "Description"),
        "extern_project": text("YourRef"),
        "work_date": day("DeliveryDate", "OrderDate"),
    },
    blocked="Status",
    is_blocked=lambda value: value == CANCELLED,
    tags=Tags(("Status", "OrderedBy", "YourRef"), _tags),
    currency="Currency",
    dated="OrderDate",
    entered="Created",
    same_work=(SameWork("quotation_order", WORK, "made_from_quotation", later=False, open=True),),
    notes_from="delivery_notice",
    compose=compose,
    exported_as="sales_order",
)

LINES = ExactStream(
    name="sales_order_lines",
    record=None,
    path="sync/SalesOrder/SalesOrderLines",
    scope="Sales orders",
    single="salesorder/SalesOrderLines",
    lookup="OrderID",
    deleted_type=33,
    key="ID",
    fields={
        lines.LINE: number("LineNumber"),
        lines.CODE: text("ItemCode"),
        lines.NAME: text("Description", "ItemDescription"),
        lines.UNIT: text("UnitCode"),
        lines.QUANTITY: number("Quantity"),
        lines.PRICE: number("NetPrice"),
        lines.PROJECT: id_of("Project"),
    },
    parent="OrderID",
)

SALES_ORDERS_IMPORT = ImportCategory(
    name="sales_orders",
    label="Sales orders",
    streams=(HEADERS, LINES),
    filters=(
        Choice(
            name="statuses",
            label="Sales orders to import, by status",
            tag="status",
            values={"open": "Open", "partial": "Partly delivered", "complete": "Complete"},
            default=("open", "partial"),
            reason="status_not_chosen",
        ),
        *WORK_ORDER_SETTINGS,
        StartDate(),
    ),
    fold=lines.as_materials,
    after=("relations", "project_planning", "quotations"),
    tier="pro",
)
