"""Categories: the groups in which OutSmart shows materials."""

from __future__ import annotations

from outsmart_sync.records.record import Field, Kind, Record

CATEGORY = Record(
    name="category",
    label="category",
    code="cat_code",
    title="cat_name",
    fields=(
        Field("cat_code", "code", required=True),
        Field("cat_name", "name", required=True),
        Field("cat_display", "is shown", Kind.FLAG, required=True, default=True),
    ),
)
