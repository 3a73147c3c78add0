"""Which material belongs to which category."""

from __future__ import annotations

from outsmart_sync.records.record import Field, Record

MATERIAL_CATEGORY = Record(
    name="material_category",
    label="category of a material",
    code="key",
    title="mct_mat_code",
    keys=("mct_mat_code", "mct_cat_code"),
    fields=(
        Field("key", "material and category", required=True),
        Field("mct_mat_code", "material", required=True),
        Field("mct_cat_code", "category", required=True),
    ),
)
