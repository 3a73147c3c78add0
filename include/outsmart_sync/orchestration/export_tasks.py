"""The tasks of an export DAG that are other than an import's: thin, each one call of a service."""

from __future__ import annotations

import logging

from airflow.sdk import get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

from outsmart_sync.orchestration.params import export_options, require_export_fields
from outsmart_sync.orchestration.run_tasks import (
    MaybeItem,
    Shard,
    WorkItem,
    end_here,
    is_by_hand,
    opened,
    require_work,
    shards_of,
    work_items,
)
from outsmart_sync.pipeline.job import Step
from outsmart_sync.records.export_actions import EXPORT, QUIET

log = logging.getLogger(__name__)


@task
def open_run(package: str, names: list[str]) -> list[Shard]:
    """Do what was asked about single work orders, and decide what takes part; a cleared run finds the plan it had.

    Args:
        package: The package.
        names: Those of all categories.

    Raises:
        DownstreamTasksSkipped: Nothing takes part, or nothing more was asked: Airflow's signal, no failure.
    """
    from outsmart_sync.services import export_actions, export_run
    from outsmart_sync.store import runs

    context = get_current_context()
    dag_run, params = context["dag_run"], context["params"]
    require_export_fields(dag_run.conf)
    store, gateway = opened()
    external_id = f"{dag_run.dag_id}/{dag_run.run_id}"
    options, action = export_options(params, by_hand=is_by_hand(dag_run)), params["action"]
    # Once: a second document must not come of clearing this task.
    if action != EXPORT and runs.find_external(store, external_id) is None:
        asked = [*options.codes], options.connection, params["document"] or ""
        for line in export_actions.act(store, gateway, action, *asked):
            log.info("%s", line)
        if action in QUIET:
            end_here(names)
    return shards_of(export_run.open_run(store, package, external_id, options), names)


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
