"""What stands in a category's way, and since when: noted where people and later runs look."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from outsmart_sync.errors import (
    Busy,
    ConfigurationError,
    LoginExpired,
    StagingGone,
    StoreUnusable,
    SyncError,
    TransientError,
)
from outsmart_sync.services import connect
from outsmart_sync.store import dialect, runs
from outsmart_sync.store.connections import SyncConnection
from outsmart_sync.store.runs import RunState
from outsmart_sync.store.tables import category_state

if TYPE_CHECKING:
    from outsmart_sync.pipeline.job import Job, Options
    from outsmart_sync.records.catalogue import ImportCategory
    from outsmart_sync.store.store import Store

log = logging.getLogger(__name__)

LONGEST_WAIT = timedelta(minutes=2)
"""A limit that begins anew later than this postpones the category instead of holding a worker."""


def stopped(store: Store, connection: SyncConnection, category: str, options: Options) -> str | None:
    """Why a category does not run now; None: it does. A person may try a blocked one again at any time."""
    query = select(category_state).where(
        category_state.c.connection_id == connection.id, category_state.c.category == category
    )
    with store.read() as transaction:
        row = transaction.execute(query).one_or_none()
        now = dialect.now(transaction)
    if row is None or options.by_hand or (row.until is not None and row.until <= now):
        return None
    return str(row.reason)


def note_failure(
    store: Store, job_id: int, connection: SyncConnection, category: ImportCategory, error: SyncError
) -> bool:
    """Keep why a step failed where people look; returns whether the category is postponed instead of failed."""
    if isinstance(error, StoreUnusable):
        return False
    postponed = postpone_if_long(store, connection, [category.name], error)
    if isinstance(error, LoginExpired):
        connect.login_lost(store, connection, error)
    elif isinstance(error, ConfigurationError) and not isinstance(error, StagingGone):
        _keep_state(store, connection, category.name, "blocked", error, None)
    with store.begin() as transaction:
        runs.change_category(
            transaction,
            job_id,
            state=RunState.POSTPONED if postponed else RunState.FAILED,
            error_code=error.code,
            error_text=str(error),
            finished_at=dialect.now(transaction),
        )
    return postponed


def postpone_if_long(store: Store, connection: SyncConnection, categories: list[str], error: SyncError) -> bool:
    """Postpone categories when the error names a time that is far off; returns whether it did."""
    until = error.retry_at if isinstance(error, TransientError) and not isinstance(error, Busy) else None
    if until is None or until - datetime.now(UTC) <= LONGEST_WAIT:
        return False
    for category in categories:
        _keep_state(store, connection, category, "postponed", error, until)
    return True


def _keep_state(
    store: Store, connection: SyncConnection, category: str, state: str, error: SyncError, until: datetime | None
) -> None:
    with store.begin() as transaction:
        now = dialect.now(transaction)
        values = {"state": state, "code": error.code, "reason": str(error), "since": now, "until": until}
        statement = dialect.upsert(transaction, category_state).values(
            connection_id=connection.id, category=category, **values
        )
        key = [category_state.c.connection_id, category_state.c.category]
        transaction.execute(statement.on_conflict_do_update(index_elements=key, set_=values))


def mended(store: Store, job: Job) -> None:
    """A category that could be read stands in nobody's way any more."""
    with store.begin() as transaction:
        transaction.execute(
            delete(category_state).where(
                category_state.c.connection_id == job.connection_id, category_state.c.category == job.category.name
            )
        )
