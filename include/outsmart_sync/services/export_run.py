"""Exporting in this process, without Airflow, under the same leases as the DAGs."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from outsmart_sync.errors import StoreUnusable, SyncError
from outsmart_sync.pipeline.job import Options, Step
from outsmart_sync.records.export_catalogue import WORK_ORDERS
from outsmart_sync.services import planning
from outsmart_sync.services.export_steps import run_step
from outsmart_sync.store import runs

if TYPE_CHECKING:
    from outsmart_sync.services.gateway import Gateway
    from outsmart_sync.store.store import Store

log = logging.getLogger(__name__)


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
    defects = 0
    try:
        for connection_id, (_, categories) in runs.read_plan(store, opened.run_id).items():
            for category in categories:
                defects += not _run_category(store, gateway, opened.run_id, connection_id, category)
    except BaseException:  # also Ctrl-C: the next run must not wait for this one's leases
        with suppress(SyncError):
            planning.close_run(store, opened.run_id, failed=True)
        raise
    planning.close_run(store, opened.run_id, failed=defects > 0)
    return opened.run_id


def _run_category(store: Store, gateway: Gateway, run_id: int, connection_id: int, category: str) -> bool:
    """Run a category's steps as far as they go; returns False when a defect ended them."""
    for step in Step:
        try:
            result = run_step(store, gateway, step, run_id, connection_id, category)
        except StoreUnusable:
            raise
        except SyncError as error:
            log.warning("%s: %s", category, error)  # its row in the store tells it too
            return True
        except Exception:
            log.exception("%s of connection %s stopped at a defect; the others go on", category, connection_id)
            return False
        if result.skip:
            return True
    return True
