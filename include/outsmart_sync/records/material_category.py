"""Which material belongs to which category.

OutSmart can add such a link, not remove one: of a material that moves to another category the old one stays.
"""

from __future__ import annotations

from outsmart_sync.records.record import Field, Record, Reference

ITEM = Reference("item", {"material": "mct_mat_code"}, "material")
GROUP = Reference("group", {"category": "mct_cat_code"}, "category")

MATERIAL_CATEGORY = Record(
    name="material_category",
    label="category of a material",
    code="key",
    title="mct_mat_code",
    keys=("mct_mat_code", "mct_cat_code"),
    references=(ITEM, GROUP),
    fields=(
        Field("key", "material and category", required=True),
        Field("mct_mat_code", "material", required=True),
        Field("mct_cat_code", "category", required=True),
    ),
)
