"""Exporting in this process, without Airflow, under the same leases as the DAGs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from outsmart_sync.records.export_catalogue import WORK_ORDERS
from outsmart_sync.services import in_process, planning
from outsmart_sync.services.export_steps import run_step

if TYPE_CHECKING:
    from outsmart_sync.pipeline.job import Options
    from outsmart_sync.services.gateway import Gateway
    from outsmart_sync.store.store import Store


def open_run(
    store: Store,
    package_name: str,
    external_id: str,
    options: Options,
) -> planning.OpenRun:
    """Open an export run, or find the one of this outside name again.

    Raises:
        InvalidSettings: The options name what does not exist, or a person asked for something of which nothing can run.
    """
    if options.codes and not options.categories:
        options = replace(options, categories=(WORK_ORDERS,))
    return planning.open_run(store, package_name, external_id, options, planning.EXPORT)


def export_now(store: Store, gateway: Gateway, package_name: str, external_id: str, options: Options) -> int:
    """Run the four steps of every chosen export category in this process.

    Returns:
        The run's number; its categories tell what became of them. One that fails does not stop the others.

    Raises:
        InvalidSettings: The options name something that does not exist or cannot run.
        StoreUnusable: The store cannot be read or written, so nothing can go on.
    """
    opened = open_run(store, package_name, external_id, replace(options, by_hand=True))
    in_process.run_all(store, gateway, opened.run_id, run_step)
    return opened.run_id
