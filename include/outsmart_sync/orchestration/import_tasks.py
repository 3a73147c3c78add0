"""The tasks of an import DAG: thin, each one call of a service.

Only small references travel through XCom: run, connection, category, counts. The rows are in the store's staging. The
services are imported inside the tasks: this module is loaded with the DAG file, in every task process.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, NoReturn, TypedDict

from airflow.sdk import get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException, DagRunTriggerException, DownstreamTasksSkipped

from outsmart_sync.orchestration.assets import tell
from outsmart_sync.orchestration.params import options_from, require_known
from outsmart_sync.orchestration.schedules import connections_per_run
from outsmart_sync.pipeline.job import Step

if TYPE_CHECKING:
    from collections.abc import Iterable

    from outsmart_sync.services.gateway import Gateway
    from outsmart_sync.services.planning import OpenRun
    from outsmart_sync.services.polling import Work
    from outsmart_sync.store.store import Store

log = logging.getLogger(__name__)

LABEL = "administration"
"""Context variable of the map index label; every mapped task sets it."""

LABEL_TEMPLATE = f"{{{{ {LABEL} | default('') }}}}"


class Shard(TypedDict):
    """Connections that are polled together; ``apart``: a run of its own works on those with work."""

    run_id: int
    connection_ids: list[int]
    apart: bool


class WorkItem(TypedDict):
    """A connection with work, as it travels through XCom."""

    run_id: int
    connection_id: int
    label: str
    categories: list[str]
    left_out: dict[str, str]


@task
def open_run(package: str) -> list[Shard]:
    """Decide what takes part; a cleared run finds the plan it had."""
    from outsmart_sync.services import planning

    context = get_current_context()
    dag_run = context["dag_run"]
    require_known(dag_run.conf)
    options = options_from(context["params"], dag_run.conf or {}, by_hand=is_by_hand(dag_run))
    external_id = f"{dag_run.dag_id}/{dag_run.run_id}"
    return shards_of(planning.open_run(the_store(), package, external_id, options, per_run=connections_per_run()))


@task(map_index_template="{{ shard_label | default('') }}")
def poll(shard: Shard) -> list[WorkItem]:
    """Ask each connection whether there is anything to do.

    Raises:
        DagRunTriggerException: There is, and a run of its own is to do it: Airflow's signal, no failure.
    """
    from outsmart_sync.services import polling

    store, gateway = opened()
    work = polling.poll(store, gateway, shard["run_id"], shard["connection_ids"], for_another=shard["apart"])
    get_current_context()["shard_label"] = f"{len(shard['connection_ids'])} connections"  # type: ignore[typeddict-unknown-key]
    if shard["apart"] and work:
        hand_over(work)
    return work_items(shard["run_id"], work)


@task
def with_work(polled: Any) -> list[WorkItem]:
    """The connections that have something to do; ``polled`` is what every mapped ``poll`` returned, one list each."""
    # A slice is one call to Airflow; iterating asks for one more than there are, and that is logged as an error.
    items = [item for shard in polled[:] for item in shard]
    for item in items:
        log.info("%s: %s", item["label"], ", ".join(item["categories"]))
    return items


@task(map_index_template=LABEL_TEMPLATE)
def choose_categories(names: list[str], item: WorkItem) -> None:
    """Leave out the categories of one connection that have nothing to do, each with its reason.

    Their tasks get no process. Airflow's branch operators skip nothing inside a mapped group
    (https://github.com/apache/airflow/issues/67265), so their tasks are named with the index of this one. A task
    that the scheduler has in hand at that moment runs all the same, and finds out by itself: :func:`skip_unless_work`.

    Raises:
        DownstreamTasksSkipped: Some have nothing to do: Airflow's signal, no failure.
    """
    context = get_current_context()
    context[LABEL] = item["label"]  # type: ignore[literal-required]
    idle = [name for name in names if name not in item["categories"]]
    for name in idle:
        log.info("%s", why_idle(item, name))
    if idle:
        index = context["ti"].map_index
        tasks = [(f"{name}.{each.value}", index) for name in idle for each in Step]
        raise DownstreamTasksSkipped(tasks=tasks)  # type: ignore[no-untyped-call]


@task(multiple_outputs=False)
def step(name: str, category: str, item: WorkItem) -> dict[str, int]:
    """Run one step of one category of one connection."""
    get_current_context()[LABEL] = item["label"]  # type: ignore[literal-required]
    skip_unless_work(item, category)
    from outsmart_sync.services import steps

    store, gateway = opened()
    result = steps.run_step(store, gateway, Step(name), item["run_id"], item["connection_id"], category)
    if result.skip:
        raise AirflowSkipException(result.skip)
    tell(get_current_context(), item["connection_id"], item["label"], result.figures())
    return result.figures()


@task
def close_run(shards: list[Shard] | None) -> None:
    """End the run: give its leases back, tell its figures, and tell people what has broken or works again.

    Here, too, logins that nobody uses are kept alive: this task runs whatever is switched off, and delays none.
    """
    from outsmart_sync.orchestration.metrics import send
    from outsmart_sync.providers.messages.hook import MessageHook
    from outsmart_sync.services import alerts, keep_alive, metrics, planning

    store, gateway = opened()
    for shard in (shards or [])[:1]:
        closed = planning.close_run(store, shard["run_id"])
        send(metrics.of_run(store, closed))
        for each in closed:
            log.info("connection %s, %s: %s %s", each.connection_id, each.category, each.state, each.counts)
    keep_alive.keep(store, gateway)
    send(metrics.standing(store))
    if number := alerts.tell(store, MessageHook()):
        log.info("%s alerts were sent", number)


def is_by_hand(dag_run: Any) -> bool:
    """Whether a person started this run, or the one that has handed its connections over to this one."""
    return dag_run.run_type.value == "manual" or bool((dag_run.conf or {}).get("by_hand"))


def shards_of(run: OpenRun) -> list[Shard]:
    """What is polled together; of several shards, each with work gets a run of its own."""
    apart = len(run.shards) > 1
    return [Shard(run_id=run.run_id, connection_ids=ids, apart=apart) for ids in run.shards]


def hand_over(work: Iterable[Work], **asked: Any) -> NoReturn:
    """Start a run of the same DAG for connections with work, which was asked the same as this one.

    Args:
        work: The connections.
        asked: What that run is asked otherwise.

    Raises:
        DagRunTriggerException: Always: so a task tells Airflow to start a run.
    """
    context = get_current_context()
    dag_run, index = context["dag_run"], context["ti"].map_index
    found = list(work)
    conf = dict(context["params"]) | asked | {
        "connection": None,
        "connections": [each.connection_id for each in found],
        "by_hand": is_by_hand(dag_run),
    }  # fmt: skip
    raise DagRunTriggerException(
        trigger_dag_id=dag_run.dag_id,
        dag_run_id=f"{dag_run.run_id}__{(index or 0) + 1}",
        conf=conf,
        note=", ".join(each.label for each in found),
        reset_dag_run=False,
        skip_when_already_exists=True,  # a try of this task that got no answer
        wait_for_completion=False,
        allowed_states=[],
        failed_states=[],
        poke_interval=0,
        deferrable=False,
    )


def the_store() -> Store:
    """The store that the Airflow connection names."""
    from outsmart_sync.store.hook import StoreHook

    return StoreHook().get_conn()


def opened() -> tuple[Store, Gateway]:
    """The store, and what opens the vendors."""
    from outsmart_sync.providers.gateway import HookGateway

    store = the_store()
    return store, HookGateway(store)


def work_items(run_id: int, work: Iterable[Work]) -> list[WorkItem]:
    """What a poll found, as it travels through XCom."""
    return [
        WorkItem(
            run_id=run_id,
            connection_id=each.connection_id,
            label=each.label,
            categories=each.categories,
            left_out=each.left_out,
        )
        for each in work
    ]


def skip_unless_work(item: WorkItem, category: str) -> None:
    """End a task of a category that has nothing to do, or that does not run, with the reason.

    Raises:
        AirflowSkipException: It has nothing to do.
    """
    if category not in item["categories"]:
        raise AirflowSkipException(why_idle(item, category))


def why_idle(item: WorkItem, category: str) -> str:
    """The reason why a category has nothing to do."""
    return item["left_out"].get(category, f"{category}: nothing to do")
