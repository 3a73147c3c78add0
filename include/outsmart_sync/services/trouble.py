"""What stands in a category's way, and since when: noted where people and later runs look."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, or_, select, update

from outsmart_sync.errors import (
    CONNECTION_MISSING,
    Busy,
    ConfigurationError,
    LoginExpired,
    NotConfigured,
    RenewalRefused,
    RequestRefused,
    StagingGone,
    StoreUnusable,
    SyncError,
    TransientError,
    VaultLocked,
)
from outsmart_sync.providers.packages import package as package_of
from outsmart_sync.records.catalogue import ImportCategory
from outsmart_sync.services import login
from outsmart_sync.store import dialect, runs
from outsmart_sync.store.budget import ENDPOINT_CLOSED
from outsmart_sync.store.connections import SyncConnection
from outsmart_sync.store.runs import RunState
from outsmart_sync.store.tables import category_state

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from outsmart_sync.pipeline.export_job import ExportJob
    from outsmart_sync.pipeline.job import Job, Options
    from outsmart_sync.records.export_catalogue import ExportCategory
    from outsmart_sync.store.store import Store

log = logging.getLogger(__name__)

LONGEST_WAIT = timedelta(minutes=2)
"""A limit that begins anew later than this postpones the category instead of holding a worker."""

WORTH_WAITING = timedelta(minutes=20)
"""So long a read that is under way waits for a login that is refused for now, instead of beginning anew later."""

TRIED_AGAIN_AFTER = timedelta(days=1)
"""What a person must mend is looked at again so often, so that nobody need tell us that it is mended."""

_BLOCKED, _POSTPONED = "blocked", "postponed"

_COSTS_NO_CALL = frozenset({VaultLocked.code, NotConfigured.code, CONNECTION_MISSING, StagingGone.code})
"""Codes of what is found out on this machine: trying again costs no call, so no later run is kept from it."""


def stopped(store: Store, connection: SyncConnection, category: str, options: Options) -> str | None:
    """Why a category does not run now; None: it does. A person may try a blocked one again at any time."""
    row = _state(store, connection, category)
    if row is None or options.by_hand or (row.until is not None and row.until <= store.now()):
        return None
    return str(row.reason)


def note_failure(
    store: Store,
    job_id: int,
    connection: SyncConnection,
    category: ImportCategory | ExportCategory,
    error: SyncError,
    options: Options,
) -> bool:
    """Keep why a step failed where people look; returns whether the category is postponed instead of failed.

    It is postponed until a limit begins anew; or when the schedule found again what was told before, as nobody has
    mended it.
    """
    if isinstance(error, StoreUnusable):
        return False
    postponed = not _worth_waiting(store, job_id, error) and postpone_if_long(store, connection, [category.name], error)
    told = False
    if isinstance(error, LoginExpired):
        login.lost(store, connection, error)
    elif isinstance(error, ConfigurationError) and error.code not in _COSTS_NO_CALL:
        told = _block(store, connection, category, error) and not options.by_hand
    _note(store, job_id, RunState.POSTPONED if postponed or told else RunState.FAILED, error.code, str(error))
    return postponed or told


def _worth_waiting(store: Store, job_id: int, error: SyncError) -> bool:
    """Whether a step tries again itself, as a refusal that may pass soon would cost it what it has read so far."""
    if not isinstance(error, RenewalRefused) or error.retry_at is None:
        return False
    if error.retry_at - store.now() > WORTH_WAITING:
        return False
    with store.read() as transaction:
        return any(each.pages for each in runs.progress_of(transaction, job_id).values())


def note_defect(
    store: Store, job_id: int, connection: SyncConnection, category: ImportCategory | ExportCategory, error: Exception
) -> None:
    """Keep that a step failed at something that nobody foresaw."""
    told = SyncError(
        f"{category.label} of {connection.label} stopped at something that was not foreseen.",
        remedy="This is a defect in OutSmart Sync: send the log of this step to whoever maintains it.",
        code="internal_error",
        technical=type(error).__name__,
    )
    try:
        _note(store, job_id, RunState.FAILED, told.code, f"{told} ({told.technical})")
    except SyncError as unnoted:  # the defect is the one to hear of
        log.warning("The defect could not be noted: %s", unnoted)


def _note(store: Store, job_id: int, state: RunState, code: str, text: str) -> None:
    with store.begin() as transaction:
        now = dialect.now(transaction)
        runs.change_category(transaction, job_id, state=state, error_code=code, error_text=text, finished_at=now)


def _block(
    store: Store, connection: SyncConnection, category: ImportCategory | ExportCategory, error: ConfigurationError
) -> bool:
    """Leave a category out of scheduled runs, until the time the error names or for a day; by hand it goes at once.

    Returns:
        Whether the same stood in its way before.
    """
    until = error.until if isinstance(error, RequestRefused) else None
    if until is None:
        until = store.now() + TRIED_AGAIN_AFTER
        package = package_of(connection.package).command
        verb = "sync" if isinstance(category, ImportCategory) else "export run"
        command = f"outsmart-sync {verb} {package} --connection {connection.id} --category {category.name}"
        error.remedy = (
            f"{error.remedy} It is tried again by itself once a day; to go on as soon as it is mended, sync "
            f"{category.label} by hand once: {command}"
        ).lstrip()
    before = _state(store, connection, category.name)
    _keep_state(store, connection, category.name, _BLOCKED, error, until)
    # An endpoint is closed because of refusals that were told.
    return (
        before is not None
        and before.state == _BLOCKED
        and (before.code == error.code or ENDPOINT_CLOSED in (before.code, error.code))
    )


def postpone_if_long(store: Store, connection: SyncConnection, categories: list[str], error: SyncError) -> bool:
    """Postpone categories when the error names a time that is far off; returns whether it did."""
    until = error.retry_at if isinstance(error, TransientError) and not isinstance(error, Busy) else None
    if until is None or until - datetime.now(UTC) <= LONGEST_WAIT:
        return False
    error.remedy = f"It waits until {_clock(connection, until)} and goes on by itself."
    for category in categories:
        _keep_state(store, connection, category, _POSTPONED, error, until)
    return True


def _clock(connection: SyncConnection, moment: datetime) -> str:
    """A time as the administration's own clock will show it; with its day when that is not the next time it does."""
    zone = ZoneInfo(package_of(connection.package).timezone)
    near = moment - datetime.now(UTC) < timedelta(days=1)
    return f"{moment.astimezone(zone):{'%H:%M' if near else '%d-%m-%Y %H:%M'}}"


def _state(store: Store, connection: SyncConnection, category: str) -> Row[Any] | None:
    query = select(category_state).where(
        category_state.c.connection_id == connection.id, category_state.c.category == category
    )
    with store.read() as transaction:
        return transaction.execute(query).one_or_none()


def _keep_state(
    store: Store, connection: SyncConnection, category: str, state: str, error: SyncError, until: datetime
) -> None:
    with store.begin() as transaction:
        now = dialect.now(transaction)
        values = {"state": state, "code": error.code, "reason": str(error), "since": now, "until": until}
        statement = dialect.upsert(transaction, category_state).values(
            connection_id=connection.id, category=category, **values
        )
        key = [category_state.c.connection_id, category_state.c.category]
        transaction.execute(statement.on_conflict_do_update(index_elements=key, set_=values))


def let_go(store: Store, job: Job | ExportJob) -> None:
    """A category that could be read is not left out any more; what stood in its way is known until it ends well."""
    with store.begin() as transaction:
        now = dialect.now(transaction)
        transaction.execute(
            update(category_state)
            .where(
                category_state.c.connection_id == job.connection_id,
                category_state.c.category == job.category.name,
                or_(category_state.c.until.is_(None), category_state.c.until > now),
            )
            .values(until=now)
        )


def mended(transaction: Connection, connection_id: int, categories: list[str]) -> None:
    """Categories that came to their end, or could be asked, have nothing in their way any more."""
    transaction.execute(
        delete(category_state).where(
            category_state.c.connection_id == connection_id, category_state.c.category.in_(categories)
        )
    )
