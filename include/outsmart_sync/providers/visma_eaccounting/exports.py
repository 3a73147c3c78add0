"""What can be exported to VISMA eAccounting, as data; `exporter.py` does it.

Documents: schemas ``OrderApi`` and ``CustomerInvoiceDraftApi`` of
https://eaccountingapi.vismaonline.com/openapi/v2.json .
"""

from __future__ import annotations

from decimal import Decimal

from outsmart_sync.providers.visma_eaccounting import lists
from outsmart_sync.records.export_catalogue import DocumentKind, Exports, Negative
from outsmart_sync.records.export_document import Entity
from outsmart_sync.records.setting_kinds import Text

SALES_ORDER, INVOICE_DRAFT = "sales_order", "invoice_draft"

ORDER_STATUS, PAYMENT_CONDITION = "order_status", "payment_condition"
DELIVERY_METHOD, DELIVERY_TERM = "delivery_method", "delivery_term"
CUSTOMER_TERMS, PRIVATE_PERSON = "customer_terms", "private_person"
OTHER_HOUR_UNITS, REFUSE, ONE_HOUR = "other_hour_units", "refuse", "one_hour"
ARTICLE_CODING, ARTICLE_UNIT = "article_coding", "article_unit"

BUSINESS, PRIVATE, WITHOUT_NUMBER = "business", "private", "without_number"

_CENT = Decimal("0.01")
"""VAT is worked out per rate or per row: they may differ by this much for each row."""
_PRICE_DECIMALS = 2
"""Of domestic customers; abroad there are four."""
_DISCOUNT_DECIMALS = 4
"""Of a discount as a fraction: a hundredth of a percent."""

EXPORTS = Exports(
    kinds=(
        # A row may be negative, the total of an order may not.
        DocumentKind(
            name=SALES_ORDER,
            label="sales order",
            quantity_decimals=4,
            price_decimals=_PRICE_DECIMALS,
            tolerance=_CENT,
            negative=Negative.REFUSED,
            text_lines=True,
            takes_photos=True,
            file_calls=1,
            discount_decimals=_DISCOUNT_DECIMALS,
        ),
        DocumentKind(
            name=INVOICE_DRAFT,
            label="invoice draft",
            quantity_decimals=2,
            price_decimals=_PRICE_DECIMALS,
            tolerance=_CENT,
            negative=Negative.CREDIT,
            text_lines=True,
            takes_photos=True,
            file_calls=1,
            discount_decimals=_DISCOUNT_DECIMALS,
        ),
    ),
    appends_to={SALES_ORDER: SALES_ORDER},
    settings=(
        Text(
            ORDER_STATUS,
            "Status of sales orders that are made",
            default="2",
            values={"1": "draft", "2": "ongoing", "3": "shipped"},
        ),
        Text(PAYMENT_CONDITION, "Terms of payment (empty: those of the customer)", lists=lists.TERMS_OF_PAYMENT),
        Text(DELIVERY_METHOD, "Delivery method (empty: none)", lists=lists.DELIVERY_METHODS),
        Text(DELIVERY_TERM, "Delivery terms (empty: none)", lists=lists.DELIVERY_TERMS),
        Text(
            CUSTOMER_TERMS,
            "Terms of payment of customers that are made (needed to make any)",
            lists=lists.TERMS_OF_PAYMENT,
        ),
        Text(
            PRIVATE_PERSON,
            "Customers that are made are",
            default=BUSINESS,
            values={
                BUSINESS: "businesses",
                PRIVATE: "private persons",
                WITHOUT_NUMBER: "private persons where they have neither VAT nor company number",
            },
        ),
        Text(ARTICLE_CODING, "Account coding of articles that are made (needed to make any)", lists=lists.CODINGS),
        Text(
            ARTICLE_UNIT,
            "Unit of articles that are made when theirs is not known (needed then)",
            lists=lists.ARTICLE_UNITS,
        ),
        Text(
            OTHER_HOUR_UNITS,
            "Hours on an article whose unit is not called an hour",
            default=REFUSE,
            values={REFUSE: "are not billed: the work order fails and says so", ONE_HOUR: "count one unit for an hour"},
        ),
    ),
    # Of customers it counts whether their prices include VAT, of articles the rate.
    fixed_facts=frozenset({Entity.PROJECT, Entity.EMPLOYEE}),
)
