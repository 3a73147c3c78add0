"""Quotations, which are kept in the mirror, and the work orders that accepted ones become."""

from __future__ import annotations

from outsmart_sync.records.order import ADDRESS, ARTICLE, CONTACT_PERSON, CUSTOMER, INVOICE, PROJECT, order
from outsmart_sync.records.record import Field, Kind, Record

QUOTATION = Record(
    name="quotation",
    label="quotation",
    code="number",
    title="customer_name",
    fields=(
        Field("number", "number and version"),
        Field("quotation", "number"),
        Field("status", "status"),
        Field("customer_name", "customer"),
        Field("customer_contact", "contact person"),
        Field("invoice_contact", "contact person for the invoice"),
        Field("quotation_date", "date", Kind.DATE),
        Field("closing_date", "last day on which it holds", Kind.DATE),
        Field("work_date", "date of delivery", Kind.DATE),
        Field("short_description", "description"),
        Field("description", "remarks"),
        Field("internal_description", "optional lines"),
        Field("extern_project", "customer's reference"),
        Field("amount", "amount", Kind.DECIMAL),
        Field("currency", "currency"),
        Field("materials", "lines"),
    ),
    kept=True,
)
"""A quotation, each version by itself."""

QUOTATION_ORDER = order(
    "quotation_order",
    "work order of a quotation",
    "QU-",
    (CUSTOMER, INVOICE, ADDRESS, CONTACT_PERSON, PROJECT, ARTICLE),
)
