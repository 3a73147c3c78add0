"""Turns what a package declares into a DAG's tasks: one group per category, four tasks each.

A run works on one connection. One that finds work for several starts a run of the same DAG for each. Mapping the groups
over the connections instead makes one run of all their tasks, and what Airflow's scheduler and API server do for each
task of a run grows with their number: fifty first imports cost them more than the imports, see docs/decisions.md.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import TaskGroup

from outsmart_sync.orchestration import export_tasks, import_tasks
from outsmart_sync.orchestration.assets import asset_of
from outsmart_sync.orchestration.run_tasks import ITEM, choose_categories, close_run, start_run, with_work
from outsmart_sync.pipeline.job import Step
from outsmart_sync.records.export_actions import EXPORT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow.sdk import Asset
    from airflow.sdk.definitions.xcom_arg import XComArg

    from outsmart_sync.records.catalogue import ImportCategory, Package
    from outsmart_sync.records.export_catalogue import ExportCategory


def import_dag_tasks(package: Package) -> None:
    """Every task of a package's import DAG: those categories first to which others refer."""
    shards = import_tasks.open_run(package.name, [category.name for category in package.imports])
    polled = import_tasks.poll.expand(shard=shards)
    after = {category.name: category.after for category in package.imports}
    assets = {category.name: asset_of(package, category) for category in package.imports}

    def group(category: Any, item: XComArg) -> TaskGroup:
        return _category_group(category, item, import_tasks.step, assets[category.name])

    _run_tasks(package.imports, after, shards, polled, group, anew={})


def export_dag_tasks(package: Package) -> None:
    """Every task of a package's export DAG: work orders, and then what became of earlier ones."""
    shards = export_tasks.open_run(package.name, [category.name for category in package.export_categories])
    polled = export_tasks.poll.expand(shard=shards)
    after = {later.name: (earlier.name,) for earlier, later in pairwise(package.export_categories)}

    def group(category: Any, item: XComArg) -> TaskGroup:
        return _category_group(category, item, export_tasks.step)

    # What else was asked about single work orders has been done when a run starts others.
    _run_tasks(package.export_categories, after, shards, polled, group, anew={"action": EXPORT})


def _run_tasks(
    categories: tuple[ImportCategory, ...] | tuple[ExportCategory, ...],
    after: Mapping[str, tuple[str, ...]],
    shards: Any,
    polled: Any,
    group: Callable[[Any, XComArg], TaskGroup],
    *,
    anew: dict[str, Any],
) -> None:
    """The tasks that come after the poll.

    Args:
        categories: What is synced.
        after: Category → those that end before it begins.
        shards: What ``open_run`` returned.
        polled: What every ``poll`` returned.
        group: Makes the tasks of a category for the connection that the run works on.
        anew: What the runs that this one starts are asked otherwise than it was.
    """
    names = [category.name for category in categories]
    work = with_work(polled, names)
    item = work[ITEM]
    groups = {category.name: group(category, item) for category in categories}
    chosen = choose_categories(names, item)
    closed = close_run(shards).as_teardown()
    # The last category may be skipped while an earlier one is at work, or has failed. Empty: it gets no process.
    all_categories = EmptyOperator(task_id="all_categories", trigger_rule="none_failed")
    for name in names:
        chosen >> groups[name] >> all_categories
        for earlier in after.get(name, ()):
            groups[earlier] >> groups[name]
    [start_run.partial(anew=anew).expand(item=work), all_categories] >> closed


def _category_group(
    category: ImportCategory | ExportCategory, item: XComArg, step: Any, asset: Asset | None = None
) -> TaskGroup:
    """The group of one category: its four steps, each run by the task ``step``; the last one brings the asset forth."""
    with TaskGroup(group_id=category.name, tooltip=category.label) as group:
        steps = [_step_task(name, category, item, step, asset) for name in Step]
        for earlier, later in pairwise(steps):
            earlier >> later
    return group


def _step_task(
    name: Step, category: ImportCategory | ExportCategory, item: XComArg, step: Any, asset: Asset | None
) -> XComArg:
    task = step.override(
        task_id=name.value,
        # A category that failed stops those that refer to it; one that had nothing to do does not.
        trigger_rule="none_failed" if name is Step.EXTRACT else "all_success",
        outlets=[asset] if asset and name is Step.UPSERT else [],
    )
    return task(name.value, category.name, item)  # type: ignore[no-any-return]
