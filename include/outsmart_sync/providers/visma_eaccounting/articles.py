"""Articles of VISMA eAccounting: hour types where the unit is an hour, materials where it is not.

Fields: schema ``ArticleApi`` of https://eaccountingapi.vismaonline.com/openapi/v2.json . Which units are hours is
    written in
no list of VISMA's, so a person says so, once for both categories.
"""

from __future__ import annotations

from typing import Any

from outsmart_sync.providers.visma_eaccounting import lists, units
from outsmart_sync.providers.visma_eaccounting.customers import LABEL, labels_in
from outsmart_sync.providers.visma_eaccounting.stream import VismaStream
from outsmart_sync.providers.visma_eaccounting.values import number, text
from outsmart_sync.records.catalogue import ImportCategory
from outsmart_sync.records.hour_type import HOUR_TYPE
from outsmart_sync.records.material import MATERIAL
from outsmart_sync.records.setting_kinds import DEACTIVATE_REMOVED, FOLLOW_INACTIVE, REMARK_INACTIVE, Choice, Switch
from outsmart_sync.records.streams import LeftOut, Row, Source, Split, Tags

UNIT = "unit"
_labels = labels_in("ArticleLabels")


def _tags(row: Row) -> list[tuple[str, str]]:
    return [*_labels.rule(row), (UNIT, str(row["UnitId"]))]


def _first_barcode(value: Any) -> str | None:
    codes = (str(each.get("Barcode") or "").strip() for each in value)
    return next((code for code in codes if code), None)


def _articles(*, hours: bool) -> VismaStream:
    """The stream of articles, of which each category takes its own kind."""
    if hours:
        fields = {"code": text("Number"), "name": text("Name"), "sale_price": number("NetPrice")}
    else:
        fields = {
            "code": text("Number"),
            "description": text("Name"),
            "price": number("NetPrice"),
            "unit": text("UnitAbbreviation", "UnitName"),
            "barcode": Source(("Barcodes",), _first_barcode),
            "note": text("Note"),
        }
    return VismaStream(
        name="articles",
        record=HOUR_TYPE if hours else MATERIAL,
        path="articles",
        changed="ChangedUtc",
        lookup="Number",
        key="Id",
        fields=fields,
        blocked="IsActive",
        is_blocked=lambda value: value is False,
        tags=Tags((*_labels.columns, units.UNIT_ID), _tags),
        left_out=LeftOut((units.IS_HOUR,), units.why_not, (units.NOT_ONE_HOUR,)) if hours else None,
        from_units=(units.IS_HOUR,) if hours else (),
        split=Split("hour_types", "hour_units", UNIT, takes=hours, otherwise="not_hours" if hours else "hours"),
    )


_CHOICE = Choice(
    name="labels",
    label="Articles to import, by label (empty: all)",
    tag=LABEL,
    reason="label_not_chosen",
    lists=lists.ARTICLE_LABELS,
)
_INACTIVE = Switch(name="include_inactive", label="Also import inactive articles", lets="blocked")

MATERIALS_IMPORT = ImportCategory(
    name="materials",
    label="Materials",
    streams=(_articles(hours=False),),
    filters=(_CHOICE, _INACTIVE, REMARK_INACTIVE),
    tier="active",
)

HOUR_TYPES_IMPORT = ImportCategory(
    name="hour_types",
    label="Hour types",
    streams=(_articles(hours=True),),
    filters=(
        Choice(
            name="hour_units",
            label="Units that are hours: their articles are hour types, all others materials",
            tag=UNIT,
            reason="not_hours",
            lists=lists.UNITS,
        ),
        Switch(
            name="count_as_hour",
            label="Count a unit that is chosen as hours, and not called an hour, as one hour",
            lets=units.NOT_ONE_HOUR,
        ),
        _CHOICE,
        _INACTIVE,
        FOLLOW_INACTIVE,
        DEACTIVATE_REMOVED,
    ),
    tier="active",
)
