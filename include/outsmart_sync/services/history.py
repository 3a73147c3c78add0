"""What happened: runs with their figures, and everything that was ever done to one record."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import exists, or_, select

from outsmart_sync.errors import InvalidSettings
from outsmart_sync.pipeline.by_hand import RECENTLY
from outsmart_sync.pipeline.export_extract import WORK_ORDER
from outsmart_sync.pipeline.outcomes import TO_DO_BY_HAND, explain
from outsmart_sync.providers.packages import packages
from outsmart_sync.records.invoice import INVOICE
from outsmart_sync.records.values import Payload, code_key, decode
from outsmart_sync.store import connections, runs
from outsmart_sync.store.tables import mirror, record_log, run, run_category

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from outsmart_sync.store.runs import CategoryRun
    from outsmart_sync.store.store import Store

EVENTS = (
    "created",
    "updated",
    "excluded",
    "rejected",
    "waiting",
    "held",
    "deleted",
    "deactivated",
    "ended",
    "out_of_use",
    "in_use_again",
    "left",
    "edited",
    "linked",
    "unlinked",
    "delivered",
    "withdrawn",
    "change_by_hand",
    "order_cancelled",
    "order_reopened",
    # Of work orders on their way into the books.
    "exported",
    "failed",
    "uncertain",
    "differs",
    "changed",
    "older",
    "decided",
    "dismissed",
    "put_on_hold",
    "released",
)
"""What lines of the sync log can tell."""


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One run.

    Attributes:
        run_id: Its number.
        external_id: Its name outside, such as that of the Airflow run.
        package: What was synced.
        state: How it went.
        started_at: When it began.
        finished_at: When it ended; None: it has not.
        calls: Calls of its poll.
        categories: What became of each category.
    """

    run_id: int
    external_id: str
    package: str
    state: str
    started_at: datetime
    finished_at: datetime | None
    calls: int
    categories: list[CategoryRun]


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the sync log.

    Attributes:
        at: When.
        connection: Administration's name.
        run_id: In which run; 0: in none, a person did it.
        record: Record type.
        code: The record's code.
        event: What happened, one of :data:`EVENTS`.
        text: Why.
        remedy: What to do.
        changes: Field → [old, new].
        id: The line's number.
        connection_id: The sync connection.
        category: Name of the category.
        provider_id: The package's id of the record; '' when it has none.
    """

    at: datetime
    connection: str
    run_id: int
    record: str
    code: str
    event: str
    text: str
    remedy: str
    changes: dict[str, list[Any]]
    id: int = 0
    connection_id: int = 0
    category: str = ""
    provider_id: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A record that a search found.

    Attributes:
        id: Its number in the mirror.
        connection_id: Whose.
        connection: Administration's name.
        record: Record type.
        code: Its code in OutSmart.
        title: What a person recognises it by.
        state: Where it stands.
    """

    id: int
    connection_id: int
    connection: str
    record: str
    code: str
    title: str
    state: str


@dataclass(frozen=True, slots=True)
class RecordStatus:
    """Where a record stands, and how it came there.

    Attributes:
        connection: Administration's name.
        record: Record type.
        code: Its code in OutSmart.
        title: What a person recognises it by.
        provider_id: The package's id; '' when only OutSmart has it.
        state: Where it stands.
        text: Why.
        remedy: What to do.
        package_values: What the package says, in OutSmart's shape.
        outsmart_values: What OutSmart holds, as last read there or delivered.
        deleted_at: When the package said that it is gone.
        events: What was done to it, oldest first.
        id: Its number in the mirror.
        connection_id: The sync connection.
        link: What a person decided about it.
    """

    connection: str
    record: str
    code: str
    title: str
    provider_id: str
    state: str
    text: str
    remedy: str
    package_values: Payload
    outsmart_values: Payload
    deleted_at: datetime | None
    events: list[Event]
    id: int = 0
    connection_id: int = 0
    link: str = ""


def latest_runs(
    store: Store,
    limit: int = 20,
    *,
    connection_ids: Sequence[int] | None = None,
    state: str | None = None,
    before: int | None = None,
) -> list[RunSummary]:
    """The newest runs first.

    Args:
        store: The store.
        limit: At most so many.
        connection_ids: Only runs in which one of these had something to do; None: all runs.
        state: Only runs in which a category, of these connections, stands so; None: however they went.
        before: Only runs with a lower number.
    """
    query = select(run).order_by(run.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(run.c.id < before)
    wanted = [run_category.c.run_id == run.c.id]
    if connection_ids is not None:
        wanted.append(run_category.c.connection_id.in_(connection_ids))
    if state is not None:
        wanted.append(run_category.c.state == state)
    if len(wanted) > 1:
        query = query.where(exists().where(*wanted))
    with store.read() as connection:
        rows = connection.execute(query).all()
    return [_summary(store, row) for row in rows]


def run_of(store: Store, run_id: int) -> RunSummary | None:
    """The run of this number."""
    row = runs.find_run(store, run_id)
    return None if row is None else _summary(store, row)


def find_run(store: Store, external_id: str) -> RunSummary | None:
    """The run of this outside name."""
    with store.read() as connection:
        row = connection.execute(select(run).where(run.c.external_id == external_id)).one_or_none()
    return None if row is None else _summary(store, row)


def events(
    store: Store,
    *,
    run_id: int | None = None,
    connection_id: int | None = None,
    category: str | None = None,
    event: str | None = None,
    limit: int | None = 100,
    before: int | None = None,
    connection_ids: Sequence[int] | None = None,
) -> list[Event]:
    """Lines of the sync log, newest first.

    Args:
        store: The store.
        run_id: Only of this run.
        connection_id: Only of this sync connection.
        category: Only of this category.
        event: Only these events.
        limit: At most so many; None: all.
        before: Only lines with a lower number.
        connection_ids: Only of these sync connections; None: of all.

    Raises:
        InvalidSettings: There is no such event or category.
    """
    _check_known("event", event, EVENTS)
    _check_known("category", category, {each.name: None for one in packages().values() for each in one.categories})
    query = select(record_log).order_by(record_log.c.id.desc()).limit(limit)
    for column, value in (
        ("run_id", run_id),
        ("connection_id", connection_id),
        ("category", category),
        ("event", event),
    ):
        if value is not None:
            query = query.where(record_log.c[column] == value)
    if before is not None:
        query = query.where(record_log.c.id < before)
    if connection_ids is not None:
        query = query.where(record_log.c.connection_id.in_(connection_ids))
    names = _names(store)
    with store.read() as connection:
        return [_event(row, names) for row in connection.execute(query)]


def standing_of(store: Store, lines: Sequence[Event]) -> dict[int, int]:
    """Line of the sync log → the number in the mirror of the record that it is about, where that is there."""
    named = [each for each in lines if each.provider_id]
    if not named:
        return {}
    query = select(mirror.c.id, mirror.c.connection_id, mirror.c.record, mirror.c.provider_id).where(
        mirror.c.connection_id.in_({each.connection_id for each in named}),
        mirror.c.record.in_({each.record for each in named}),
        mirror.c.provider_id.in_({each.provider_id for each in named}),
    )
    with store.read() as connection:
        known = {(row.connection_id, row.record, row.provider_id): row.id for row in connection.execute(query)}
    found = {each.id: known.get((each.connection_id, each.record, each.provider_id)) for each in named}
    return {line: number for line, number in found.items() if number is not None}


def to_do_by_hand(store: Store, connection_ids: Sequence[int], limit: int = 50) -> list[Event]:
    """What a person was told lately to look after by hand, such as orders that were cancelled; newest first."""
    query = (
        select(record_log)
        .where(
            record_log.c.connection_id.in_(connection_ids),
            record_log.c.reason.in_(TO_DO_BY_HAND),
            record_log.c.at > store.now() - RECENTLY,
        )
        .order_by(record_log.c.id.desc())
        .limit(limit)
    )
    names = _names(store)
    with store.read() as connection:
        return [_event(row, names) for row in connection.execute(query)]


def _check_known(what: str, name: str | None, known: Iterable[str]) -> None:
    if name is not None and name not in known:
        raise InvalidSettings(
            f"There is no {what} '{name}'.", remedy=f"Choose one of: {', '.join(known)}.", code=f"unknown_{what}"
        )


def history(store: Store, record: str, code: str, connection_id: int | None = None) -> list[RecordStatus]:
    """Where a record stands in each connection, and everything that was done to it.

    Args:
        store: The store.
        record: Record type, such as ``relation``.
        code: Its code; case and surrounding blanks do not matter.
        connection_id: Only this connection.

    Raises:
        InvalidSettings: There is no such record type.
    """
    kinds = (each.name for one in packages().values() for category in one.imports for each in category.records)
    _check_known("record", record, dict.fromkeys((*kinds, WORK_ORDER, INVOICE.name)))
    query = select(mirror).where(mirror.c.record == record, mirror.c.code_key == code_key(code)).order_by(mirror.c.id)
    if connection_id is not None:
        query = query.where(mirror.c.connection_id == connection_id)
    names = _names(store)
    with store.read() as connection:
        return [_with_events(connection, row, names) for row in connection.execute(query).all()]


def search(store: Store, connection_ids: Sequence[int], text: str, limit: int = 50) -> list[Found]:
    """Records by code, number or name: those with exactly this code first, then those that have it in them.

    Args:
        store: The store.
        connection_ids: Of these sync connections.
        text: A code, a work order number, or a part of a name.
        limit: At most so many.
    """
    text = text.strip()
    if not text:
        return []
    like = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    same = mirror.c.code_key == code_key(text)
    beginning = mirror.c.code_key.like(f"{code_key(like)}%", escape="\\")
    named = mirror.c.title.ilike(f"%{like}%", escape="\\")
    mine = mirror.c.connection_id.in_(connection_ids)
    columns = [mirror.c[name] for name in ("id", "connection_id", "record", "code", "title", "state")]
    names, found = _names(store), dict[int, Any]()
    with store.read() as connection:
        for way in (same, mirror.c.provider_id == text, or_(beginning, named)):
            query = select(*columns).where(mine, way).order_by(mirror.c.id).limit(limit)
            found |= {row.id: row for row in connection.execute(query) if row.id not in found}
            if len(found) >= limit:
                break
    return [
        Found(
            row.id,
            row.connection_id,
            names[row.connection_id],
            row.record,
            row.code.strip(),
            row.title or "",
            row.state,
        )
        for row in list(found.values())[:limit]
    ]


def record_of(store: Store, mirror_id: int) -> RecordStatus | None:
    """Where one record stands, by its number in the mirror, and everything that was done to it."""
    with store.read() as connection:
        row = connection.execute(select(mirror).where(mirror.c.id == mirror_id)).one_or_none()
        return None if row is None else _with_events(connection, row, _names(store))


def _with_events(connection: Connection, row: Any, names: dict[int, str]) -> RecordStatus:
    lines = connection.execute(
        select(record_log)
        .where(
            record_log.c.connection_id == row.connection_id,
            record_log.c.record == row.record,
            or_(record_log.c.code == row.code, record_log.c.provider_id == (row.provider_id or "")),
        )
        .order_by(record_log.c.id)
    )
    return _status(row, names, [_event(line, names) for line in lines])


def _summary(store: Store, row: Any) -> RunSummary:
    return RunSummary(
        row.id,
        row.external_id,
        row.package,
        row.state,
        row.started_at,
        row.finished_at,
        row.calls,
        runs.category_runs(store, row.id),
    )


def _names(store: Store) -> dict[int, str]:
    return {connection.id: connection.label for connection in connections.find(store)}


def _event(row: Any, names: dict[int, str]) -> Event:
    text, remedy = explain(row.reason, row.detail)
    changes = msgspec.json.decode(row.changes) if row.changes else {}
    return Event(
        row.at,
        names.get(row.connection_id, str(row.connection_id)),
        row.run_id,
        row.record,
        row.code or "",
        row.event,
        text,
        remedy,
        changes,
        row.id,
        row.connection_id,
        row.category,
        row.provider_id or "",
    )


def _status(row: Any, names: dict[int, str], lines: list[Event]) -> RecordStatus:
    text, remedy = explain(row.reason, row.detail)
    return RecordStatus(
        connection=names.get(row.connection_id, str(row.connection_id)),
        record=row.record,
        code=row.code,
        title=row.title or "",
        provider_id=row.provider_id or "",
        state=row.state,
        text=text,
        remedy=remedy,
        package_values=decode(row.payload) if row.payload else {},
        outsmart_values=decode(row.outsmart) if row.outsmart else {},
        deleted_at=row.source_gone_at,
        events=lines,
        id=row.id,
        connection_id=row.connection_id,
        link=row.link,
    )
