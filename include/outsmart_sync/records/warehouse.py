"""Warehouses: where materials are kept."""

from __future__ import annotations

from outsmart_sync.records.record import Field, Record

WAREHOUSE = Record(
    name="warehouse",
    label="warehouse",
    code="wse_code",
    title="wse_description",
    fields=(
        Field("wse_code", "code", required=True),
        Field("wse_description", "description"),
        Field("wse_external_id", "id in the bookkeeping package"),
    ),
)
