"""The tasks that every DAG has, and what travels between tasks.

Only small references travel through XCom: run, connection, category, counts. The rows are in the store's staging. The
services are imported inside the tasks: these modules are loaded with the DAG file, in every task process.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, NoReturn, TypedDict, cast

from airflow.sdk import get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException, DagRunTriggerException, DownstreamTasksSkipped

from outsmart_sync.orchestration.params import BY_HAND
from outsmart_sync.pipeline.job import Step

if TYPE_CHECKING:
    from collections.abc import Iterable

    from outsmart_sync.services.gateway import Gateway
    from outsmart_sync.services.planning import OpenRun
    from outsmart_sync.services.polls import Work
    from outsmart_sync.store.store import Store

log = logging.getLogger(__name__)

LABEL = "administration"
"""Context variable of a map index label."""

ITEM = "item"
"""XCom key of the connection that a run works on."""

LABEL_TEMPLATE = f"{{{{ {LABEL} | default('') }}}}"

_AFTER_POLL = ("start_run", "choose_categories")


class Shard(TypedDict):
    """Connections that are polled together; ``of_many``: others take part, so each with work gets a run of its own."""

    run_id: int
    connection_ids: list[int]
    of_many: bool


class WorkItem(TypedDict):
    """A connection with work, as it travels through XCom; ``apart``: a run of its own does it."""

    run_id: int
    connection_id: int
    label: str
    categories: list[str]
    left_out: dict[str, str]
    apart: bool


MaybeItem = WorkItem | dict[str, Any]
"""The connection that a run works on, or nothing in it: each has a run of its own."""


@task
def with_work(polled: Any, names: list[str]) -> list[WorkItem]:
    """The connections with work that get runs of their own; ``polled`` is what every ``poll`` returned, one list each.

    The one that this run works on itself is left for the steps under the key ``item``.

    Raises:
        DownstreamTasksSkipped: Nothing is to be done: Airflow's signal, no failure.
    """
    # A slice is one call to Airflow; iterating asks for one more than there are, and that is logged as an error.
    items: list[WorkItem] = [item for shard in polled[:] for item in shard]
    for item in items:
        log.info("%s: %s", item["label"], ", ".join(item["categories"]))
    if not items:
        skip(*_AFTER_POLL, *steps_of(names))
    # Nothing would be an XCom that is not there, which is an error to those who ask for it.
    get_current_context()["ti"].xcom_push(ITEM, next((item for item in items if not item["apart"]), {}))
    return [item for item in items if item["apart"]]


@task(map_index_template=LABEL_TEMPLATE)
def start_run(item: WorkItem, anew: dict[str, Any]) -> None:
    """Start a run of the same DAG for one connection with work, which is asked the same as this one but for ``anew``.

    So a slow connection holds up nobody, a failing one makes its own run red, and no run has many tasks: what Airflow
    does about a run grows with the square of their number.

    Raises:
        DagRunTriggerException: Always: so a task tells Airflow to start a run.
    """
    context = get_current_context()
    context[LABEL] = item["label"]  # type: ignore[literal-required]
    dag_run = context["dag_run"]
    asked = {**context["params"], **anew, "connection": item["connection_id"], BY_HAND: is_by_hand(dag_run)}
    raise DagRunTriggerException(
        trigger_dag_id=dag_run.dag_id,
        dag_run_id=f"{dag_run.run_id}__{item['connection_id']}",
        conf=asked,
        note=item["label"],
        reset_dag_run=False,
        skip_when_already_exists=True,  # a try of this task that got no answer
        wait_for_completion=False,
        allowed_states=[],
        failed_states=[],
        poke_interval=0,
        deferrable=False,
    )


@task
def choose_categories(names: list[str], item: MaybeItem) -> None:
    """Skip the categories that have nothing to do, each with its reason, without a process for any of their tasks.

    Raises:
        DownstreamTasksSkipped: There are some: Airflow's signal, no failure.
    """
    idle = [name for name in names if not item or name not in item["categories"]]
    for name in idle:
        log.info("%s", why_idle(item, name))
    if idle:
        skip(*steps_of(idle))


@task
def close_run(shards: list[Shard] | None) -> None:
    """End the run: give its leases back, tell its figures, and tell people what has broken or works again.

    Last of all, logins that nobody uses are kept alive: this task runs whatever is switched off, and whatever became of
    the rest. What it finds out of them, the next one tells.
    """
    from outsmart_sync.orchestration.metrics import send
    from outsmart_sync.providers.messages.hook import MessageHook
    from outsmart_sync.services import alerts, keep_alive, metrics, planning

    store, gateway = opened()
    try:
        for shard in (shards or [])[:1]:
            closed = planning.close_run(store, shard["run_id"])
            send(metrics.of_run(store, closed))
            for each in closed:
                log.info("connection %s, %s: %s %s", each.connection_id, each.category, each.state, each.counts)
        send(metrics.standing(store))
        if number := alerts.tell(store, MessageHook()):
            log.info("%s alerts were sent", number)
    finally:
        keep_alive.keep(store, gateway)


def is_by_hand(dag_run: Any) -> bool:
    """Whether a person started this run, or the one that started it."""
    return bool((dag_run.conf or {}).get(BY_HAND, dag_run.run_type.value == "manual"))


def shards_of(run: OpenRun, names: Iterable[str]) -> list[Shard]:
    """What is polled together, as it travels through XCom; ``names`` are those of all categories.

    Raises:
        DownstreamTasksSkipped: Nothing takes part, so the run ends here.
    """
    if not run.shards:
        end_here(names)
    return [Shard(run_id=run.run_id, connection_ids=ids, of_many=run.of_many) for ids in run.shards]


def end_here(names: Iterable[str]) -> NoReturn:
    """Let Airflow skip all that comes after ``open_run`` but ``close_run``, without a process for any of it.

    Left to themselves, the first steps would run, since a poll of nothing is skipped, and miss what they work on.

    Raises:
        DownstreamTasksSkipped: Always.
    """
    skip("poll", "with_work", *_AFTER_POLL, *steps_of(names))


def steps_of(names: Iterable[str]) -> list[str]:
    """The tasks of categories."""
    return [f"{name}.{each.value}" for name in names for each in Step]


def skip(*tasks: str) -> NoReturn:
    """Let Airflow skip tasks of this run, as its branch operators do.

    One that the scheduler has in hand at that moment runs all the same, and finds out by itself: :func:`require_work`.

    Raises:
        DownstreamTasksSkipped: Always.
    """
    raise DownstreamTasksSkipped(tasks=list(tasks))  # type: ignore[no-untyped-call]


def the_store() -> Store:
    """The store that the Airflow connection names."""
    from outsmart_sync.store.hook import StoreHook

    return StoreHook().get_conn()


def opened() -> tuple[Store, Gateway]:
    """The store, and what opens the vendors."""
    from outsmart_sync.providers.gateway import HookGateway

    store = the_store()
    return store, HookGateway(store)


def work_items(shard: Shard, work: Iterable[Work]) -> list[WorkItem]:
    """What a poll found, as it travels through XCom."""
    get_current_context()["shard_label"] = f"{len(shard['connection_ids'])} connections"  # type: ignore[typeddict-unknown-key]
    return [
        WorkItem(
            run_id=shard["run_id"],
            connection_id=each.connection_id,
            label=each.label,
            categories=each.categories,
            left_out=each.left_out,
            apart=shard["of_many"],
        )
        for each in work
    ]


def require_work(item: MaybeItem, category: str) -> WorkItem:
    """The run's connection; ends a task of a category that has nothing to do, or that does not run, with the reason.

    Raises:
        AirflowSkipException: It has nothing to do.
    """
    if not item or category not in item["categories"]:
        raise AirflowSkipException(why_idle(item, category))
    return cast("WorkItem", item)


def why_idle(item: MaybeItem, category: str) -> str:
    """The reason why a category has nothing to do."""
    if not item:
        return f"{category}: each connection has a run of its own"
    return item["left_out"].get(category, f"{category}: nothing to do")
