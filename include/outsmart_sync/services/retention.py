"""Clean-up: what the store keeps for a time only, and for how long.

What never goes by itself: connections, settings, cursors, the mirror, and the ledger of what was made once.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, exists, select, tuple_

from outsmart_sync.errors import InvalidSettings
from outsmart_sync.store import dialect, leases, looked_up, runs
from outsmart_sync.store.runs import RunState
from outsmart_sync.store.tables import (
    extract_progress,
    login_attempt,
    record_log,
    run,
    run_category,
    run_connection,
    staging,
)
from outsmart_sync.store.tables import looked_up as looked_up_table

if TYPE_CHECKING:
    from sqlalchemy import Select, Table

    from outsmart_sync.store.store import Store

log = logging.getLogger(__name__)

HISTORY_DAYS = 400
"""The log of records, and the runs it names, for so many days: a year and what an accountant asks after it."""

LEAST_DAYS = 30
IDLE_KEPT = timedelta(days=7)
"""Runs that found nothing to do; they are nearly all of them."""

STAGING_KEPT = timedelta(days=3)
_ATTEMPTS_KEPT = _LEASES_KEPT = timedelta(days=30)
_CHUNK = 10_000
"""Rows that one transaction removes: nobody waits long for it."""

_RUNS = 500


def clean(store: Store, days: int = HISTORY_DAYS) -> dict[str, int]:
    """Remove what is older than it is kept; may be interrupted and run again at any time.

    Args:
        store: The store.
        days: Days that the log of records and the runs are kept.

    Returns:
        What → rows removed.

    Raises:
        InvalidSettings: Fewer days than a person needs to find out what happened.
    """
    if days < LEAST_DAYS:
        raise InvalidSettings(
            f"The history cannot be kept for {days} days only.",
            why="The page shows what happened in the last weeks, and people ask after it.",
            remedy=f"Keep it for at least {LEAST_DAYS} days.",
            code="retention",
        )
    history = timedelta(days=days)
    return {
        "staged rows": runs.purge_staging(store, STAGING_KEPT),
        "log lines": _remove(store, record_log, record_log.c.at, history),
        "runs without work": _remove_runs(store, IDLE_KEPT, idle=True),
        "runs": _remove_runs(store, history, idle=False),
        "look-ups": _remove(store, looked_up_table, looked_up_table.c.at, looked_up.KEPT),
        "login attempts": _remove(store, login_attempt, login_attempt.c.expires_at, _ATTEMPTS_KEPT),
        "leases": leases.purge(store, _LEASES_KEPT),
    }


def _remove(store: Store, table: Table, at: Any, older_than: timedelta) -> int:
    """Remove rows by their time, in chunks."""
    key = tuple_(*table.primary_key.columns)
    removed = 0
    while True:
        with store.begin() as transaction:
            old = select(*table.primary_key.columns).where(at < dialect.now(transaction) - older_than).limit(_CHUNK)
            gone = transaction.execute(delete(table).where(key.in_(old))).rowcount
        removed += gone
        if gone < _CHUNK:
            return removed


def _remove_runs(store: Store, older_than: timedelta, *, idle: bool) -> int:
    """Remove ended runs with all that belongs to them, but for the last that each category has."""
    removed = 0
    while True:
        with store.begin() as transaction:
            limit = dialect.now(transaction) - older_than
            numbers = list(transaction.execute(_old_runs(limit, idle=idle)).scalars())
            jobs = select(run_category.c.id).where(run_category.c.run_id.in_(numbers))
            for table, job in ((staging, staging.c.job_id), (extract_progress, extract_progress.c.job_id)):
                transaction.execute(delete(table).where(job.in_(jobs)))
            for table in (run_category, run_connection):
                transaction.execute(delete(table).where(table.c.run_id.in_(numbers)))
            transaction.execute(delete(run).where(run.c.id.in_(numbers)))
        removed += len(numbers)
        if len(numbers) < _RUNS:
            return removed


def _old_runs(limit: Any, *, idle: bool) -> Select[tuple[int]]:
    mine, later = run_category.alias("mine"), run_category.alias("later")
    newer = exists().where(
        later.c.connection_id == mine.c.connection_id, later.c.category == mine.c.category, later.c.id > mine.c.id
    )
    last_of_a_category = exists().where(mine.c.run_id == run.c.id, ~newer)
    query = select(run.c.id).where(run.c.finished_at < limit, run.c.state != RunState.RUNNING, ~last_of_a_category)
    if idle:
        query = query.where(~exists().where(run_category.c.run_id == run.c.id))
    return query.order_by(run.c.id).limit(_RUNS)
