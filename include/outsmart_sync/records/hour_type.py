"""Hour types: the rates at which hours are booked."""

from __future__ import annotations

from outsmart_sync.records.record import Field, Kind, Record

HOUR_TYPE = Record(
    name="hour_type",
    label="hour type",
    code="code",
    title="name",
    active="active",
    fields=(
        Field("code", "code", required=True),
        Field("name", "name", required=True),
        Field("cost_booking", "counts as cost", Kind.FLAG, required=True, default=False),
        Field("sale_booking", "is charged", Kind.FLAG, required=True, default=True),
        Field("sale_price", "sale price", Kind.DECIMAL, required=True, default="0"),
        Field("active", "in use", Kind.FLAG),
    ),
)
