"""Turns a package's catalogue into task groups: one per category, four tasks each, in one group per connection.

The outer group is mapped over the connections that have work, with the categories nested inside: so each connection is
judged alone. An order between separately mapped groups would wait for all connections, and one that is idle or failed
would stop the others.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import TaskGroup, task_group

from outsmart_sync.orchestration.assets import asset_of
from outsmart_sync.orchestration.import_tasks import (
    LABEL_TEMPLATE,
    WorkItem,
    choose_categories,
    close_run,
    open_run,
    poll,
    step,
    with_work,
)
from outsmart_sync.pipeline.job import Step

if TYPE_CHECKING:
    from airflow.sdk import Asset
    from airflow.sdk.definitions.xcom_arg import XComArg

    from outsmart_sync.records.catalogue import ImportCategory, Package
    from outsmart_sync.records.export_catalogue import ExportCategory


def import_tasks(package: Package) -> None:
    """Every task of a package's import DAG."""
    shards = open_run(package.name)
    work = with_work(poll.expand(shard=shards))
    _connection_group(package).expand(item=work) >> close_run(shards).as_teardown()


def _connection_group(package: Package) -> Any:
    """The group of one sync connection, to be expanded: its categories, those that others refer to first."""

    @task_group(group_id="connection", prefix_group_id=False)
    def connection(item: WorkItem) -> None:
        groups = {
            category.name: category_group(category, item, asset=asset_of(package, category))
            for category in package.imports
        }
        chosen = choose_categories(list(groups), item)
        # The last category may be skipped while an earlier one is at work, or has failed. Empty: it gets no process.
        all_categories = EmptyOperator(task_id="all_categories", trigger_rule="none_failed")
        for category in package.imports:
            chosen >> groups[category.name] >> all_categories
            for earlier in category.after:
                groups[earlier] >> groups[category.name]

    return connection


def category_group(
    category: ImportCategory | ExportCategory, item: WorkItem, run: Any = step, asset: Asset | None = None
) -> TaskGroup:
    """The group of one category: its four steps, each run by the task ``run``; the last one brings the asset forth."""
    with TaskGroup(group_id=category.name, tooltip=category.label) as group:
        steps = [_step_task(name, category, item, run, asset) for name in Step]
        for earlier, later in pairwise(steps):
            earlier >> later
    return group


def _step_task(
    name: Step, category: ImportCategory | ExportCategory, item: WorkItem, run: Any, asset: Asset | None
) -> XComArg:
    first = name is Step.EXTRACT
    task = run.override(
        task_id=name.value,
        map_index_template=LABEL_TEMPLATE,
        # A category that failed stops those that refer to it; one that had nothing to do does not.
        trigger_rule="none_failed" if first else "all_success",
        outlets=[asset] if asset and name is Step.UPSERT else [],
    )
    return task(name.value, category.name, item)  # type: ignore[no-any-return]
