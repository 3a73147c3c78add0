"""The trigger form of an import DAG."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow.sdk import Param

from outsmart_sync.errors import InvalidSettings
from outsmart_sync.pipeline.job import Options
from outsmart_sync.records.catalogue import Package

_FIELDS = ("categories", "connection", "full", "preview", "codes")
BY_HAND = "by_hand"
"""What a run tells the runs that it starts for single connections: that a person asked; the form does not show it."""


def import_params(package: Package) -> dict[str, Param]:
    """The form's fields; the defaults are those of a scheduled run."""
    names = [category.name for category in package.imports]
    return {
        "categories": Param(
            [],
            type=["array", "null"],  # null: the form does not mark it as required
            items={"type": "string", "enum": names},
            examples=names,
            values_display={category.name: category.label for category in package.imports},
            title="Categories",
            description="Leave empty for all that are switched on.",
        ),
        "connection": Param(
            None,
            type=["null", "integer"],
            minimum=1,
            title="Sync connection",
            description="Its number, as `outsmart-sync status` lists it. Leave empty for all that are active.",
        ),
        "full": Param(
            False,
            type="boolean",
            title="Read everything again",
            description="Also finds what was edited in OutSmart; the bookkeeping package's values win.",
        ),
        "preview": Param(
            False,
            type="boolean",
            title="Preview",
            description="Run the first three steps and show what would happen; nothing is written to OutSmart.",
        ),
        "codes": Param(
            [],
            type=["array", "null"],
            items={"type": "string"},
            title="Only these codes",
            description="One a line, such as debtor numbers; needs exactly one category.",
        ),
    }


def require_known(conf: Mapping[str, Any] | None) -> None:
    """Refuse a run that was triggered with a field the form does not have, such as a misspelt ``preview``.

    Raises:
        InvalidSettings: There is one.
    """
    if unknown := sorted(set(conf or {}) - {*_FIELDS, BY_HAND}):
        raise InvalidSettings(
            f"The run was triggered with unknown fields: {', '.join(unknown)}.",
            why="Nothing was done: a misspelt preview would have written.",
            remedy=f"The fields are {', '.join(_FIELDS)}.",
            code="unknown_field",
        )


def options_from(params: Any, *, by_hand: bool) -> Options:
    """What a run was asked, from its form."""
    return Options(
        categories=tuple(params["categories"] or ()),
        connection=params["connection"],
        full=params["full"],
        preview=params["preview"],
        codes=tuple(code.strip() for code in params["codes"] or () if code.strip()),
        by_hand=by_hand,
    )
