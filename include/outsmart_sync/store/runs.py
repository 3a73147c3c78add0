"""Runs: what was asked, which connections took part, and what became of each category."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import and_, delete, func, insert, select, update

from outsmart_sync.store import dialect
from outsmart_sync.store.tables import extract_progress, run, run_category, run_connection, staging

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from outsmart_sync.store.store import Store


class RunState(StrEnum):
    """Where a run, or a category of it, stands."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    POSTPONED = "postponed"
    """Waits for a limit to begin anew, or for a person to mend what was told before; a later run goes on."""
    PREVIEWED = "previewed"
    IDLE = "idle"
    """There was nothing to do."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of a category's rows.

    Attributes:
        read: Rows of the category that the package sent.
        created: New in OutSmart (or in the mirror, when there is no OutSmart account).
        updated: Changed there.
        unchanged: Already the same there; cost neither a write nor a call.
        excluded: Left out by a filter.
        rejected: Cannot go until somebody corrects them.
        waiting: Go by themselves once the record they belong to is there.
        held: A person must decide.
        deleted: Gone in the package; kept in OutSmart.
        edited: Edited in OutSmart since our last delivery; this run brings the package's values back.
        calls: Calls to the package.
        outsmart_calls: Calls to OutSmart.
    """

    read: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    excluded: int = 0
    rejected: int = 0
    waiting: int = 0
    held: int = 0
    deleted: int = 0
    edited: int = 0
    calls: int = 0
    outsmart_calls: int = 0


Plan = dict[int, tuple[int, list[str]]]
"""Connection → (shard, categories that take part)."""

COUNTED = tuple(field.name for field in fields(Counts))


@dataclass(frozen=True, slots=True)
class CategoryRun:
    """One category of one connection in one run."""

    id: int
    run_id: int
    connection_id: int
    category: str
    state: RunState
    step: str
    started_at: datetime
    finished_at: datetime | None
    seconds: float
    staged: int
    counts: Counts
    error_code: str
    error_text: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a stream has been read in this run.

    Attributes:
        next_page: Where to go on; None: it has been read to its end.
        cursor: Position reached.
        pages: Pages read.
        read: Rows read.
    """

    next_page: str | None
    cursor: str
    pages: int
    read: int


def open_run(store: Store, external_id: str, *, package: str, direction: str, options: dict[str, Any]) -> int:
    """Make the run of this outside name; returns its number."""
    with store.begin() as connection:
        made = connection.execute(
            insert(run)
            .values(
                external_id=external_id,
                package=package,
                direction=direction,
                options=msgspec.json.encode(options).decode(),
                state=RunState.RUNNING,
                started_at=dialect.now(connection),
            )
            .returning(run.c.id)
        )
        number: int = made.scalar_one()
        return number


def reopen_run(store: Store, external_id: str) -> int | None:
    """The number of a run that was opened before, running again; None: there is none of this outside name."""
    with store.begin() as connection:
        found = connection.execute(select(run.c.id).where(run.c.external_id == external_id)).scalar_one_or_none()
        if found is not None:
            connection.execute(update(run).where(run.c.id == found).values(state=RunState.RUNNING, finished_at=None))
        return found


def find_run(store: Store, run_id: int) -> Row[Any] | None:
    """A run by its number."""
    with store.read() as connection:
        return connection.execute(select(run).where(run.c.id == run_id)).one_or_none()


def close_run(store: Store, run_id: int, state: RunState) -> None:
    """Say how a run ended."""
    with store.begin() as connection:
        connection.execute(
            update(run).where(run.c.id == run_id).values(state=state, finished_at=dialect.now(connection))
        )


def add_calls(store: Store, run_id: int, calls: int) -> None:
    """Count calls that belong to no category, such as a poll's."""
    if calls:
        with store.begin() as connection:
            connection.execute(update(run).where(run.c.id == run_id).values(calls=run.c.calls + calls))


def save_plan(store: Store, run_id: int, plan: Plan) -> None:
    """Keep which connections take part."""
    with store.begin() as connection:
        connection.execute(delete(run_connection).where(run_connection.c.run_id == run_id))
        for connection_id, (shard, categories) in plan.items():
            connection.execute(
                insert(run_connection).values(
                    run_id=run_id, connection_id=connection_id, shard=shard, categories=",".join(categories)
                )
            )


def read_plan(store: Store, run_id: int) -> Plan:
    """What :func:`save_plan` kept, in the same order."""
    query = select(run_connection).where(run_connection.c.run_id == run_id)
    with store.read() as connection:
        rows = connection.execute(query.order_by(run_connection.c.shard, run_connection.c.connection_id)).all()
    return {row.connection_id: (row.shard, row.categories.split(",") if row.categories else []) for row in rows}


def save_work(store: Store, run_id: int, work: dict[int, list[str]]) -> None:
    """Keep which categories of a run's connections have something to do."""
    with store.begin() as connection:
        for connection_id, categories in work.items():
            mine = (run_connection.c.run_id == run_id) & (run_connection.c.connection_id == connection_id)
            connection.execute(update(run_connection).where(mine).values(work=",".join(categories)))


def begin_step(store: Store, run_id: int, connection_id: int, category: str, step: str) -> int:
    """Note that a step of a category begins, perhaps after it failed or was postponed; returns the job's number."""
    with store.begin() as connection:
        statement = dialect.upsert(connection, run_category).values(
            run_id=run_id,
            connection_id=connection_id,
            category=category,
            state=RunState.RUNNING,
            step=step,
            started_at=dialect.now(connection),
        )
        key = [run_category.c.run_id, run_category.c.connection_id, run_category.c.category]
        begun = connection.execute(
            statement.on_conflict_do_update(index_elements=key, set_={"step": step}).returning(run_category.c.id)
        )
        job_id: int = begun.scalar_one()
        stopped = run_category.c.state.in_((RunState.FAILED, RunState.POSTPONED))
        again = {"state": RunState.RUNNING, "error_code": "", "error_text": "", "finished_at": None}
        connection.execute(update(run_category).where(run_category.c.id == job_id, stopped).values(**again))
    return job_id


def begin_anew(connection: Connection, job_id: int) -> None:
    """Start a category from its beginning; what an earlier attempt staged is forgotten, its calls are not."""
    for table in (extract_progress, staging):
        connection.execute(delete(table).where(table.c.job_id == job_id))
    fresh = {name: 0 for name in COUNTED if name not in ("calls", "outsmart_calls")}
    values = {"state": RunState.RUNNING, "started_at": dialect.now(connection), "staged": 0, **fresh}
    change_category(connection, job_id, finished_at=None, error_code="", error_text="", **values)


def change_category(connection: Connection, job_id: int, **values: Any) -> None:
    """Set columns of a category's row."""
    connection.execute(update(run_category).where(run_category.c.id == job_id).values(**values))


def count_calls(store: Store, job_id: int, *, seconds: float, **calls: int) -> None:
    """Add a step's calls and seconds to its category."""
    with store.begin() as connection:
        added = {name: run_category.c[name] + number for name, number in calls.items()}
        change_category(connection, job_id, seconds=run_category.c.seconds + seconds, **added)


def category_run(store: Store, job_id: int) -> CategoryRun | None:
    """One category of a run, by its number."""
    with store.read() as connection:
        row = connection.execute(select(run_category).where(run_category.c.id == job_id)).one_or_none()
    return None if row is None else _category(row)


def overtaken_by(store: Store, job_id: int) -> int | None:
    """Another run that settled the same category after this one had begun to read it: what this one staged is old."""
    mine, other = run_category.alias("mine"), run_category.alias("other")
    query = (
        select(other.c.run_id)
        .join(mine, and_(mine.c.connection_id == other.c.connection_id, mine.c.category == other.c.category))
        .where(
            mine.c.id == job_id,
            other.c.id != job_id,
            other.c.state.in_((RunState.DONE, RunState.IDLE)),
            other.c.finished_at > mine.c.started_at,
        )
        .limit(1)
    )
    with store.read() as connection:
        return connection.execute(query).scalar_one_or_none()


def category_runs(store: Store, run_id: int) -> list[CategoryRun]:
    """Every category of a run, in the order in which they began."""
    query = select(run_category).where(run_category.c.run_id == run_id)
    with store.read() as connection:
        return [_category(row) for row in connection.execute(query.order_by(run_category.c.started_at))]


def latest_of(store: Store, connection_id: int) -> dict[str, CategoryRun]:
    """The last run of each category of a connection that read or wrote; previews do not count."""
    newest = (
        select(func.max(run_category.c.id))
        .where(run_category.c.connection_id == connection_id, run_category.c.state != RunState.PREVIEWED)
        .group_by(run_category.c.category)
    )
    with store.read() as connection:
        rows = connection.execute(select(run_category).where(run_category.c.id.in_(newest)))
        return {row.category: _category(row) for row in rows}


def progress_of(connection: Connection, job_id: int) -> dict[str, Progress]:
    """How far each stream has been read in this run."""
    rows = connection.execute(select(extract_progress).where(extract_progress.c.job_id == job_id))
    return {row.stream: Progress(row.next_page, row.cursor, row.pages, row.read) for row in rows}


def save_progress(connection: Connection, job_id: int, stream: str, progress: Progress) -> None:
    """Note how far a stream has been read; part of the transaction that stages the page."""
    values = asdict(progress)
    statement = dialect.upsert(connection, extract_progress).values(job_id=job_id, stream=stream, **values)
    key = [extract_progress.c.job_id, extract_progress.c.stream]
    connection.execute(statement.on_conflict_do_update(index_elements=key, set_=values))


def _category(row: Row[Any]) -> CategoryRun:
    return CategoryRun(
        id=row.id,
        run_id=row.run_id,
        connection_id=row.connection_id,
        category=row.category,
        state=RunState(row.state),
        step=row.step,
        started_at=row.started_at,
        finished_at=row.finished_at,
        seconds=row.seconds,
        staged=row.staged,
        counts=Counts(**{name: getattr(row, name) for name in COUNTED}),
        error_code=row.error_code,
        error_text=row.error_text,
    )


def purge_staging(store: Store, older_than: timedelta) -> int:
    """Remove what runs that began long ago left in staging; returns how many rows."""
    with store.begin() as connection:
        limit = dialect.now(connection) - older_than
        recent = select(func.min(run_category.c.id)).where(run_category.c.started_at >= limit)
        behind_all = select(func.max(run_category.c.id) + 1)
        first_kept = func.coalesce(recent.scalar_subquery(), behind_all.scalar_subquery())
        connection.execute(delete(extract_progress).where(extract_progress.c.job_id < first_kept))
        return connection.execute(delete(staging).where(staging.c.job_id < first_kept)).rowcount


def find_external(store: Store, external_id: str) -> int | None:
    """The number of the run of this outside name; None: there is none yet."""
    with store.read() as connection:
        return connection.execute(select(run.c.id).where(run.c.external_id == external_id)).scalar_one_or_none()
