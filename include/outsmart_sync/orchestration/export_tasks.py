"""The tasks of an export DAG that are other than an import's: thin, each one call of a service."""

from __future__ import annotations

import logging
from typing import Any

from airflow.sdk import Param, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

from outsmart_sync.errors import InvalidSettings
from outsmart_sync.orchestration.import_tasks import (
    MaybeItem,
    Shard,
    WorkItem,
    is_by_hand,
    opened,
    require_work,
    shards_of,
    work_items,
)
from outsmart_sync.orchestration.params import BY_HAND
from outsmart_sync.pipeline.job import Options, Step
from outsmart_sync.records.catalogue import Package
from outsmart_sync.records.export_actions import ACTIONS, EXPORT, QUIET

log = logging.getLogger(__name__)

_FIELDS = ("categories", "connection", "work_orders", "action", "document", "preview")


def export_params(package: Package) -> dict[str, Param]:
    """The trigger form's fields; the defaults are those of a scheduled run."""
    names = [category.name for category in package.export_categories]
    return {
        "categories": Param(
            [],
            type=["array", "null"],  # null: the form does not mark it as required
            items={"type": "string", "enum": names},
            examples=names,
            values_display={category.name: category.label for category in package.export_categories},
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
        "work_orders": Param(
            [],
            type=["array", "null"],
            items={"type": "string"},
            title="Only these work orders",
            description="Numbers or row ids, one a line. They go whatever their date and work status are.",
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


@task
def open_run(package: str) -> list[Shard]:
    """Do what was asked about single work orders, and decide what takes part; a cleared run finds the plan it had."""
    from outsmart_sync.services import export_actions, export_run
    from outsmart_sync.store import runs

    context = get_current_context()
    dag_run, params = context["dag_run"], context["params"]
    _require_known(dag_run.conf)
    store, gateway = opened()
    external_id = f"{dag_run.dag_id}/{dag_run.run_id}"
    action, numbers = params["action"], [each.strip() for each in params["work_orders"] or () if each.strip()]
    # Once: a second document must not come of clearing this task.
    if action != EXPORT and runs.find_external(store, external_id) is None:
        for line in export_actions.act(store, gateway, action, numbers, params["connection"], params["document"] or ""):
            log.info("%s", line)
        if action in QUIET:
            return []
    options = Options(
        categories=tuple(params["categories"] or ()),
        connection=params["connection"],
        preview=params["preview"],
        codes=tuple(numbers),
        by_hand=is_by_hand(dag_run),
    )
    return shards_of(export_run.open_run(store, package, external_id, options))


@task(map_index_template="{{ shard_label | default('') }}")
def poll(shard: Shard) -> list[WorkItem]:
    """Ask for each connection whether there is anything to do."""
    from outsmart_sync.services import export_polling

    store, gateway = opened()
    work = export_polling.poll(store, gateway, shard["run_id"], shard["connection_ids"], for_another=shard["of_many"])
    return work_items(shard, work)


@task(multiple_outputs=False)
def step(name: str, category: str, item: MaybeItem) -> dict[str, int]:
    """Run one step of one export category of one connection."""
    item = require_work(item, category)
    from outsmart_sync.services import export_steps, exports

    store, gateway = opened()
    result = export_steps.run_step(store, gateway, Step(name), item["run_id"], item["connection_id"], category)
    if result.skip:
        raise AirflowSkipException(result.skip)
    if Step(name) is Step.MATCH_BY_CODE:
        for line in exports.preview_lines(store, item["run_id"]):
            log.info("%s", line)
    return result.figures()


def _require_known(conf: Any) -> None:
    """Refuse a run that was triggered with a field the form does not have, such as a misspelt ``preview``.

    Raises:
        InvalidSettings: There is one.
    """
    if unknown := sorted(set(conf or {}) - {*_FIELDS, BY_HAND}):
        raise InvalidSettings(
            f"The run was triggered with unknown fields: {', '.join(unknown)}.",
            why="Nothing was done: a misspelt preview would have sent.",
            remedy=f"The fields are {', '.join(_FIELDS)}.",
            code="unknown_field",
        )
