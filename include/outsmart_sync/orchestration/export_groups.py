"""Turns what a package declares about exports into a DAG's task groups, in the same shape as the imports'."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from airflow.sdk import task_group

from outsmart_sync.orchestration.export_tasks import open_run, poll, step
from outsmart_sync.orchestration.import_groups import category_group
from outsmart_sync.orchestration.import_tasks import WorkItem, close_run, with_work

if TYPE_CHECKING:
    from outsmart_sync.records.catalogue import Package


def export_tasks(package: Package) -> None:
    """Every task of a package's export DAG."""
    shards = open_run(package.name)
    work = with_work(poll.expand(shard=shards))
    _connection_group(package).expand(item=work) >> close_run(shards).as_teardown()


def _connection_group(package: Package) -> Any:
    """The group of one sync connection, to be expanded: work orders, and then what became of earlier ones."""

    @task_group(group_id="connection", prefix_group_id=False)
    def connection(item: WorkItem) -> None:
        groups = [category_group(category, item, step) for category in package.export_categories]
        for earlier, later in pairwise(groups):
            earlier >> later

    return connection
