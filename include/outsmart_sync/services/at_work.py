"""Which connections another run is still at work on: a run that starts by itself leaves these alone."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from outsmart_sync.store import dialect, leases
from outsmart_sync.store.runs import RunState
from outsmart_sync.store.tables import run, run_category, run_connection

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy import Connection

    from outsmart_sync.store.store import Store

SILENT = timedelta(hours=1)
"""A run that has held no lease for so long was ended from outside, without being closed."""


def elsewhere(store: Store, package: str, direction: str) -> dict[int, int]:
    """Connection → the open run that has not finished with it."""
    query = (
        select(run.c.id, run.c.started_at, run_connection.c.connection_id, run_connection.c.work)
        .join(run_connection, run_connection.c.run_id == run.c.id)
        .where(
            run.c.state == RunState.RUNNING,
            run.c.package == package,
            run.c.direction == direction,
            run_connection.c.work != "",
        )
    )
    with store.read() as transaction:
        rows = transaction.execute(query).all()
        open_runs = {row.id: row.started_at for row in rows}
        finished = _finished(transaction, open_runs)
        living = _living(transaction, open_runs)
    return {
        row.connection_id: row.id
        for row in rows
        if row.id in living and not set(row.work.split(",")) <= finished[row.id, row.connection_id]
    }


def owner(run_id: int) -> str:
    """The name under which a run holds leases."""
    return f"run:{run_id}"


def _finished(transaction: Connection, run_ids: Collection[int]) -> dict[tuple[int, int], set[str]]:
    """Run and connection → the categories that have ended, however."""
    query = select(run_category.c.run_id, run_category.c.connection_id, run_category.c.category).where(
        run_category.c.run_id.in_(run_ids), run_category.c.finished_at.is_not(None)
    )
    found: defaultdict[tuple[int, int], set[str]] = defaultdict(set)
    for row in transaction.execute(query):
        found[row.run_id, row.connection_id].add(row.category)
    return found


def _living(transaction: Connection, open_runs: dict[int, datetime]) -> set[int]:
    """Runs that have given a sign of life lately: they began, or held a lease."""
    since = dialect.now(transaction) - SILENT
    held = leases.held_until(transaction, [owner(number) for number in open_runs])
    return {number for number, began in open_runs.items() if max(began, held.get(owner(number), began)) > since}
