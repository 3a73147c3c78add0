"""The trigger forms of the DAGs, and what a run was asked by one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow.sdk import Param

from outsmart_sync.errors import InvalidSettings
from outsmart_sync.pipeline.job import Options
from outsmart_sync.records.catalogue import ImportCategory, Package
from outsmart_sync.records.export_actions import ACTIONS, EXPORT
from outsmart_sync.records.export_catalogue import ExportCategory

BY_HAND = "by_hand"
"""What a run tells the runs that it starts for single connections: that a person asked; no form shows it."""

_IMPORT_FIELDS = ("categories", "connection", "full", "preview", "codes")
_EXPORT_FIELDS = ("categories", "connection", "work_orders", "action", "document", "preview")


def import_params(package: Package) -> dict[str, Param]:
    """The fields of an import DAG's form; the defaults are those of a scheduled run."""
    return {
        **_which(package.imports),
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
        "codes": _lines("Only these codes", "One a line, such as debtor numbers; needs exactly one category."),
    }


def export_params(package: Package) -> dict[str, Param]:
    """The fields of an export DAG's form; the defaults are those of a scheduled run."""
    return {
        **_which(package.export_categories),
        "work_orders": _lines(
            "Only these work orders",
            "Numbers or row ids, one a line. They go whatever their date and work status are.",
        ),
        "action": Param(
            EXPORT,
            type="string",
            enum=[EXPORT, *ACTIONS],
            values_display={EXPORT: "Export", **ACTIONS},
            title="What is done with them",
            description="Everything but Export needs the work orders that are meant.",
        ),
        "document": Param(
            None,
            type=["null", "string"],
            title="Number of the document",
            description="Of one that is there already: see the action Uncertain.",
        ),
        "preview": Param(
            False,
            type="boolean",
            title="Preview",
            description="Show each document with its lines and its total in the logs; nothing is sent.",
        ),
    }


def require_import_fields(conf: Mapping[str, Any] | None) -> None:
    """Refuse a run that was triggered with a field the form does not have, such as a misspelt ``preview``.

    Raises:
        InvalidSettings: There is one.
    """
    _require_known(conf, _IMPORT_FIELDS, "Nothing was done: a misspelt preview would have written.")


def require_export_fields(conf: Mapping[str, Any] | None) -> None:
    """The same for an export.

    Raises:
        InvalidSettings: There is one.
    """
    _require_known(conf, _EXPORT_FIELDS, "Nothing was done: a misspelt preview would have sent.")


def import_options(params: Any, *, by_hand: bool) -> Options:
    """What an import was asked, from its form."""
    return Options(
        categories=tuple(params["categories"] or ()),
        connection=params["connection"],
        full=params["full"],
        preview=params["preview"],
        codes=_stripped(params["codes"]),
        by_hand=by_hand,
    )


def export_options(params: Any, *, by_hand: bool) -> Options:
    """What an export was asked, from its form."""
    return Options(
        categories=tuple(params["categories"] or ()),
        connection=params["connection"],
        preview=params["preview"],
        codes=_stripped(params["work_orders"]),
        by_hand=by_hand,
    )


def _which(categories: tuple[ImportCategory, ...] | tuple[ExportCategory, ...]) -> dict[str, Param]:
    names = [category.name for category in categories]
    return {
        "categories": Param(
            [],
            type=["array", "null"],  # null: the form does not mark it as required
            items={"type": "string", "enum": names},
            examples=names,
            values_display={category.name: category.label for category in categories},
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
    }


def _lines(title: str, description: str) -> Param:
    return Param([], type=["array", "null"], items={"type": "string"}, title=title, description=description)


def _stripped(lines: list[str] | None) -> tuple[str, ...]:
    return tuple(line.strip() for line in lines or () if line.strip())


def _require_known(conf: Mapping[str, Any] | None, fields: tuple[str, ...], why: str) -> None:
    if unknown := sorted(set(conf or {}) - {*fields, BY_HAND}):
        raise InvalidSettings(
            f"The run was triggered with unknown fields: {', '.join(unknown)}.",
            why=why,
            remedy=f"The fields are {', '.join(fields)}.",
            code="unknown_field",
        )
