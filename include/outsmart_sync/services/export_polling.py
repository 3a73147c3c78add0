"""The cheapest question about exports: does OutSmart have completed work orders with which something is to be done?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from outsmart_sync.pipeline import export_extract
from outsmart_sync.records.export_catalogue import INVOICE_STATUS, WORK_ORDERS
from outsmart_sync.services import planning, trouble
from outsmart_sync.services.export_doors import ExportDoors, export_job
from outsmart_sync.services.polls import poll_each
from outsmart_sync.store import exports, runs

if TYPE_CHECKING:
    from outsmart_sync.pipeline.job import Options
    from outsmart_sync.services.gateway import Gateway
    from outsmart_sync.services.polls import Work
    from outsmart_sync.store.connections import SyncConnection
    from outsmart_sync.store.store import Store


def poll(
    store: Store, gateway: Gateway, run_id: int, connection_ids: list[int], *, for_another: bool = False
) -> list[Work]:
    """Look for each connection whether there is anything to export, or to hear of what was.

    Args:
        store: The store.
        gateway: Opens OutSmart and the package.
        run_id: The run.
        connection_ids: Connections of its plan.
        for_another: Another run will do what is found.

    Returns:
        Connections that have work; also those whose poll failed, so that their own tasks fail and nobody else's.
    """

    def ask(connection: SyncConnection, names: list[str], options: Options) -> list[str]:
        return _poll(store, gateway, run_id, connection, names, options)

    return poll_each(store, run_id, connection_ids, ask, direction=planning.EXPORT, for_another=for_another)


def _poll(
    store: Store, gateway: Gateway, run_id: int, connection: SyncConnection, categories: list[str], options: Options
) -> list[str]:
    if options.codes:
        return [name for name in categories if name == WORK_ORDERS]
    if options.preview or options.by_hand:
        return categories
    doors = ExportDoors(store, gateway, connection)
    found = []
    try:
        if WORK_ORDERS in categories:
            job = export_job(store, connection, run_id, WORK_ORDERS, options)
            if export_extract.read_work(store, job, doors.outsmart):
                found.append(WORK_ORDERS)
            else:
                with store.begin() as transaction:
                    trouble.mended(transaction, connection.id, [WORK_ORDERS])
        if INVOICE_STATUS in categories and _awaits_invoices(store, connection):
            found.append(INVOICE_STATUS)
        return found
    finally:
        doors.close()
        runs.add_calls(store, run_id, doors.calls)


def _awaits_invoices(store: Store, connection: SyncConnection) -> bool:
    """Whether anything that was exported is not known to be paid."""
    query = select(func.count()).where(exports.is_open(connection.id))
    with store.read() as transaction:
        return bool(transaction.execute(query).scalar_one())
