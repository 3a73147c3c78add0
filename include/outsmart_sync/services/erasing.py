"""Erasing: what is stored of a disconnected administration's people, removed when somebody asks for it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, or_, select

from outsmart_sync.errors import Busy, InvalidSettings
from outsmart_sync.services import planning
from outsmart_sync.store import connections, dialect
from outsmart_sync.store.connections import State, SyncConnection
from outsmart_sync.store.tables import (
    alert,
    category_state,
    cursor,
    extract_progress,
    lease,
    ledger,
    login,
    looked_up,
    mirror,
    part,
    record_log,
    run_category,
    run_connection,
    setting,
    staging,
    sync_connection,
    work_order_export,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from outsmart_sync.store.store import Store

log = logging.getLogger(__name__)

_WITH_NUMBER = (
    mirror, part, record_log, work_order_export, looked_up, setting, category_state, alert, cursor, run_connection,
)  # fmt: skip
_SHOWN = {mirror: "records", record_log: "log lines", work_order_export: "exported work orders", setting: "settings"}


@dataclass(frozen=True, slots=True)
class Stock:
    """What is stored of a connection.

    Attributes:
        rows: What → how many rows would be removed.
        kept: Lines of the ledger that stay: numbers of documents, so that none of them is ever made twice.
    """

    rows: dict[str, int]
    kept: int


def stock(store: Store, connection: SyncConnection) -> Stock:
    """What erasing would remove, and what it would keep."""
    with store.read() as transaction:
        rows = {
            name: transaction.execute(
                select(func.count()).select_from(table).where(table.c.connection_id == connection.id)
            ).scalar_one()
            for table, name in _SHOWN.items()
        }
        kept = transaction.execute(
            select(func.count()).select_from(ledger).where(ledger.c.connection_id == connection.id)
        ).scalar_one()
    return Stock(rows, kept)


def erase(store: Store, connection: SyncConnection) -> Stock:
    """Remove everything that is stored of a disconnected connection's people, in one transaction.

    Its number, its administration's number and the ledger stay: they name nobody, and without them a document could be
    made a second time if the administration is connected again.

    Returns:
        What was removed.

    Raises:
        InvalidSettings: It is connected.
        Busy: A step of it is still at work.
    """
    require_disconnected(connection)
    found = stock(store, connection)
    with store.begin() as transaction:
        _require_quiet(transaction, connection)
        jobs = select(run_category.c.id).where(run_category.c.connection_id == connection.id)
        for table in (staging, extract_progress):
            transaction.execute(delete(table).where(table.c.job_id.in_(jobs)))
        for table in (run_category, *_WITH_NUMBER):
            transaction.execute(delete(table).where(table.c.connection_id == connection.id))
        connections.change(transaction, connection.id, administration_name="", state_text="")
        # Who logged in, where no connection is theirs any more.
        used = select(sync_connection.c.login_id).where(sync_connection.c.login_id.is_not(None))
        transaction.execute(delete(login).where(login.c.id.not_in(used)))
    log.info("Connection %s: everything but its number and the ledger is erased", connection.id)
    return found


def require_disconnected(connection: SyncConnection) -> None:
    """Make sure that nothing of a connection is synced any more.

    Raises:
        InvalidSettings: It is connected.
    """
    if connection.state is not State.DISCONNECTED:
        raise InvalidSettings(
            f"{connection.label} is connected, so nothing was erased.",
            why="The next sync would bring everything back.",
            remedy=f"Disconnect it first: outsmart-sync disconnect {connection.id}",
            code="erase_connected",
        )


def _require_quiet(transaction: Connection, connection: SyncConnection) -> None:
    leases_of_it = (
        planning.lease_name(connection.id, ""),
        planning.export_lease_name(connection.outsmart_account, ""),  # perhaps another administration's of that account
    )
    held = select(lease.c.name).where(
        or_(*(lease.c.name.startswith(name, autoescape=True) for name in leases_of_it)),
        lease.c.expires_at > dialect.now(transaction),
    )
    if transaction.execute(held).first() is not None:
        raise Busy(
            f"A sync of {connection.label} is still at work, so nothing was erased.",
            remedy="Try again in a few minutes.",
            code="erase_busy",
        )
