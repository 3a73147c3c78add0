"""Deliveries of goods, which are kept in the mirror, and what they tell the work orders of their sales orders."""

from __future__ import annotations

from outsmart_sync.records.record import Field, Kind, Record, Reference

GOODS_DELIVERY = Record(
    name="goods_delivery",
    label="goods delivery",
    code="number",
    title="customer_name",
    fields=(
        Field("number", "number"),
        Field("customer_name", "customer"),
        Field("delivery_date", "date of delivery", Kind.DATE),
        Field("description", "description"),
        Field("tracking_number", "tracking number"),
        Field("orders", "sales orders"),
        Field("lines", "lines"),
    ),
    kept=True,
)

ORDER = Reference("order", {"sales_order": "", "quotation_order": ""}, "sales order", by_code=True)
"""The sales order that goods were delivered of, or the quotation that has the work order of both."""

DELIVERY_NOTICE = Record(
    name="delivery_notice",
    label="delivery on a work order",
    code="number",
    title="text",
    fields=(Field("number", "number"), Field("text", "text")),
    references=(ORDER,),
    kept=True,
    tells=ORDER.name,
)
"""What was delivered of one sales order, and when."""
