"""Materials: what technicians use and customers pay."""

from __future__ import annotations

from outsmart_sync.records.record import Field, Kind, Record

MATERIAL = Record(
    name="material",
    label="material",
    code="code",
    title="description",
    fields=(
        Field("code", "code", required=True),
        Field("description", "description", required=True, max_length=65_535),
        Field("price", "price", Kind.DECIMAL, required=True, default="0"),
        Field("unit", "unit", required=True),
        Field("barcode", "barcode", max_length=55),
        Field("note", "note"),
        Field("vat_code", "VAT code"),
    ),
)
