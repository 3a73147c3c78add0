"""The tasks of an import DAG that are other than an export's: thin, each one call of a service."""

from __future__ import annotations

from airflow.sdk import get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

from outsmart_sync.orchestration.assets import tell
from outsmart_sync.orchestration.params import import_options, require_import_fields
from outsmart_sync.orchestration.run_tasks import (
    MaybeItem,
    Shard,
    WorkItem,
    is_by_hand,
    opened,
    require_work,
    shards_of,
    the_store,
    work_items,
)
from outsmart_sync.pipeline.job import Step


@task
def open_run(package: str, names: list[str]) -> list[Shard]:
    """Decide what takes part; a cleared run finds the plan it had. ``names`` are those of all categories.

    Raises:
        DownstreamTasksSkipped: Nothing takes part: Airflow's signal, no failure.
    """
    from outsmart_sync.services import planning

    context = get_current_context()
    dag_run = context["dag_run"]
    require_import_fields(dag_run.conf)
    options = import_options(context["params"], by_hand=is_by_hand(dag_run))
    return shards_of(planning.open_run(the_store(), package, f"{dag_run.dag_id}/{dag_run.run_id}", options), names)


@task(map_index_template="{{ shard_label | default('') }}")
def poll(shard: Shard) -> list[WorkItem]:
    """Ask each connection whether there is anything to do."""
    from outsmart_sync.services import polling

    store, gateway = opened()
    work = polling.poll(store, gateway, shard["run_id"], shard["connection_ids"], for_another=shard["of_many"])
    return work_items(shard, work)


@task(multiple_outputs=False)
def step(name: str, category: str, item: MaybeItem) -> dict[str, int]:
    """Run one step of one category of one connection."""
    item = require_work(item, category)
    from outsmart_sync.services import steps

    store, gateway = opened()
    result = steps.run_step(store, gateway, Step(name), item["run_id"], item["connection_id"], category)
    if result.skip:
        raise AirflowSkipException(result.skip)
    tell(get_current_context(), item["connection_id"], item["label"], result.figures())
    return result.figures()
