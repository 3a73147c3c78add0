"""What can be exported to Exact Online, as data; `exporter.py` does it.

Documents: https://start.exactonline.nl/docs/HlpRestAPIResourcesDetails.aspx?name=SalesOrderSalesOrders ,
name=SalesInvoiceSalesInvoices , name=ProjectTimeTransactions and name=ProjectCostTransactions .
"""

from __future__ import annotations

from decimal import Decimal

from outsmart_sync.providers.exact_online import lists
from outsmart_sync.providers.exact_online.units import HOURS_PER_DAY
from outsmart_sync.records.export_catalogue import DocumentKind, Exports, Negative
from outsmart_sync.records.export_document import Entity
from outsmart_sync.records.order import NEVER_SOLD
from outsmart_sync.records.setting_kinds import Text

SALES_ORDER, SALES_INVOICE, HOURS = "sales_order", "sales_invoice", "hours"

JOURNAL, WAREHOUSE, PAYMENT_CONDITION, DOCUMENT_TYPE = "journal", "warehouse", "payment_condition", "document_type"
HOUR_STATUS = "hour_status"
CUSTOMER_STATUS, CUSTOMER_CONDITION = "customer_status", "customer_payment_condition"
ITEM_GROUP, UNIT, VAT_CODE = "item_group", "unit", "vat_code"

QUANTITY_DECIMALS = 6
"""Exact's pages name no limit. A quarter of an hour is 0.03125 of a day: with fewer, cents would go astray."""

EXPORTS = Exports(
    kinds=(
        DocumentKind(name=SALES_ORDER, label="sales order", quantity_decimals=QUANTITY_DECIMALS),
        # Open and not printed, type 8020, without a warehouse. Only a credit note (8021) may come to less than nothing.
        DocumentKind(
            name=SALES_INVOICE,
            label="sales invoice",
            quantity_decimals=QUANTITY_DECIMALS,
            negative=Negative.CREDIT,
            journals=True,
        ),
        # Exact prices the hours (PriceFC of TimeTransactions is read-only), so that they are compared by quantity.
        DocumentKind(
            name=HOURS,
            label="hours and costs",
            by_line=True,
            quantity_decimals=QUANTITY_DECIMALS,
            tolerance=Decimal("0.01"),
            package_prices=True,
            takes_files=False,
            payment_conditions=False,
        ),
    ),
    appends_to={SALES_ORDER: SALES_ORDER},
    settings=(
        Text(JOURNAL, "Sales journal of invoices (empty: the first one)", lists=lists.JOURNALS),
        Text(
            WAREHOUSE,
            "Warehouse of sales orders (empty: Exact's own choice; needs Plus or more)",
            lists=lists.WAREHOUSES,
        ),
        Text(PAYMENT_CONDITION, "Payment condition (empty: that of the customer)", lists=lists.PAYMENT_CONDITIONS),
        # https://github.com/NangoHQ/integration-templates: 10 is the only one known from recordings.
        Text(DOCUMENT_TYPE, "Document type of the work order's PDF", default="10", lists=lists.DOCUMENT_TYPES),
        Text(
            HOUR_STATUS,
            "Status of exported hours and costs",
            default="1",
            values={"1": "draft", "10": "submitted"},
        ),
        Text(HOURS_PER_DAY, "Hours in a day, for hour types whose unit is a day", default="8"),
        Text(
            CUSTOMER_STATUS,
            "Status of customers that are made",
            default="C",
            values={"C": "customer", "P": "prospect", "S": "suspect"},
        ),
        Text(
            CUSTOMER_CONDITION,
            "Payment condition of customers that are made (empty: Exact's own choice)",
            lists=lists.PAYMENT_CONDITIONS,
        ),
        Text(
            ITEM_GROUP, "Item group of articles that are made (empty: Exact's own choice)", lists=lists.ITEM_GROUP_CODES
        ),
        Text(UNIT, "Unit of articles that are made when theirs is not known (empty: Exact's own)", lists=lists.UNITS),
        Text(VAT_CODE, "VAT code of articles that are made (empty: Exact's own choice)", lists=lists.VAT_CODES),
    ),
    # Items are looked up once a day: some have prices including VAT, which the mirror does not know.
    fixed_facts=frozenset({Entity.CUSTOMER, Entity.PROJECT, Entity.EMPLOYEE}),
    never_sold=NEVER_SOLD,
)
