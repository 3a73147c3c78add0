"""Statements that carry staged rows into the mirror and the sync log."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Text, and_, case, cast, delete, func, insert, literal, not_, null, or_, select, update

from outsmart_sync.pipeline import marks, scope
from outsmart_sync.pipeline.outcomes import Link, MirrorState, Outcome
from outsmart_sync.records.values import Payload, decode
from outsmart_sync.store import dialect, staged_rows
from outsmart_sync.store.tables import mirror, record_log, staging

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

    from outsmart_sync.pipeline.job import Job
    from outsmart_sync.records.record import Record

log = logging.getLogger(__name__)

_CHUNK = 1_000
_known = mirror.alias("known")

_COPIED = (
    "parent_id",
    "version",
    "title",
    "payload",
    "content_hash",
    "tags",
    "blocked",
    "valid_from",
    "valid_until",
    "problems",
    "due_on",
    "dated_on",
)

_STATES = {
    Outcome.EXCLUDED: MirrorState.EXCLUDED,
    Outcome.REJECTED: MirrorState.REJECTED,
    Outcome.WAITING: MirrorState.WAITING,
    Outcome.HELD: MirrorState.HELD,
}


def merge(
    connection: Connection, job: Job, rows: ColumnElement[bool], *, state_of_written: bool = False, kept: bool = False
) -> int:
    """Carry staged rows into the mirror: one update for records that are there, one insert for the others.

    Args:
        connection: The transaction.
        job: Whose rows.
        rows: Which rows.
        state_of_written: They have been brought to the destination just now.
        kept: Their destination is the mirror, with or without an OutSmart account.

    Returns:
        Number of rows carried.
    """
    state = _state()
    values: dict[str, Any] = {
        **{name: staging.c[name] for name in _COPIED},
        "provider_id": staging.c.provider_id,
        "state": state,
        "reason": case((state == MirrorState.SYNCED, null()), else_=staging.c.reason),
        "detail": case((state == MirrorState.SYNCED, null()), else_=staging.c.detail),
        "judged_by": job.rules,
        "source_gone_at": null(),
        "run_id": job.run_id,
    }
    if job.delivers or kept:
        delivered = staging.c.content_hash if state_of_written else _adopted_hash()
        values["delivered_hash"] = delivered
    _give_up_notes(connection, job, rows)
    updated = connection.execute(
        update(mirror).where(rows, mirror.c.id == staging.c.mirror_id).values(**values, **_code(), **_decisions(state))
    )
    new = {
        "connection_id": literal(job.connection_id),
        "record": staging.c.record,
        "code": staging.c.code,
        "code_key": staging.c.code_key,
        **values,
        "first_run_id": job.run_id,
    }
    if job.delivers and not state_of_written:
        new["delivered_hash"] = null()
    selected = [value if hasattr(value, "label") else literal(value) for value in new.values()]
    inserted = connection.execute(
        insert(mirror).from_select(
            list(new), select(*selected).where(rows, staging.c.mirror_id.is_(None)).order_by(staging.c.seq)
        )
    )
    return int(updated.rowcount) + int(inserted.rowcount)


def _give_up_notes(connection: Connection, job: Job, rows: ColumnElement[bool]) -> None:
    """A record that takes a vacant place leaves the one where it was only noted as not delivered."""
    left = (
        select(_known.c.id)
        .join(staging, and_(staging.c.record == _known.c.record, staging.c.provider_id == _known.c.provider_id))
        .where(rows, _known.c.connection_id == job.connection_id, _known.c.id != staging.c.mirror_id)
    )
    connection.execute(delete(mirror).where(mirror.c.id.in_(left)))


def _state() -> ColumnElement[Any]:
    return case(
        *((staging.c.outcome == outcome, literal(state.value)) for outcome, state in _STATES.items()),
        else_=literal(MirrorState.SYNCED.value),
    )


def _adopted_hash() -> ColumnElement[Any]:
    """An unchanged row is in OutSmart as the package has it, whoever brought it there."""
    return case((staging.c.outcome == Outcome.UNCHANGED, staging.c.content_hash), else_=mirror.c.delivered_hash)


def _code() -> dict[str, Any]:
    """A record that OutSmart holds keeps the code it has there."""
    in_outsmart = mirror.c.outsmart.is_not(None)
    return {
        "code": case((in_outsmart, mirror.c.code), else_=staging.c.code),
        "code_key": case((in_outsmart, mirror.c.code_key), else_=staging.c.code_key),
    }


def _decisions(state: ColumnElement[Any]) -> dict[str, Any]:
    """What outlives a record's delivery, or its code: that it was kept apart does not, nor that it was deactivated."""
    over = and_(
        mirror.c.link == Link.APART,
        or_(state == MirrorState.SYNCED, mirror.c.code_key != staging.c.code_key),
    )
    return {
        "link": case((over, literal("")), else_=mirror.c.link),
        "deactivated_at": case((state == MirrorState.SYNCED, null()), else_=mirror.c.deactivated_at),
    }


def keep_undelivered(connection: Connection, job: Job, record: Record) -> None:
    """Keep what was decided about rows that were not delivered; a row about which nothing is new costs no write."""
    if marks.reached(connection, job, marks.KEPT, record) >= 0:
        return
    here = and_(scope.staged(job), staging.c.record == record.name)
    decided = and_(here, staging.c.outcome.in_((*_STATES, Outcome.UNCHANGED)))
    new = and_(decided, staging.c.mirror_id.is_(None))
    log_events(connection, job, and_(new, staging.c.outcome != Outcome.UNCHANGED))
    merge(connection, job, new)
    news = list(connection.execute(_news(job, decided)))
    for start in range(0, len(news), _CHUNK):
        chunk = news[start : start + _CHUNK]
        told = [row.seq for row in chunk if row.worth_telling]
        if told:
            log_events(connection, job, and_(here, staging.c.seq.in_(told)))
        merge(connection, job, and_(here, staging.c.seq.in_([row.seq for row in chunk])))
    _note_deletions(connection, job, here)
    marks.note(connection, job, marks.KEPT, record, len(news))


def _news(job: Job, decided: ColumnElement[bool]) -> Any:
    """Rows that would change the record of the mirror they point to, and whether the log must say so."""
    state = _state()
    reason_same = and_(
        mirror.c.reason.is_not_distinct_from(staging.c.reason), mirror.c.detail.is_not_distinct_from(staging.c.detail)
    )
    same = and_(
        mirror.c.provider_id == staging.c.provider_id,
        mirror.c.state == state,
        mirror.c.content_hash == staging.c.content_hash,
        mirror.c.judged_by == job.rules,
        mirror.c.due_on.is_not_distinct_from(staging.c.due_on),
        mirror.c.dated_on.is_not_distinct_from(staging.c.dated_on),
        mirror.c.tags == staging.c.tags,
        mirror.c.blocked == staging.c.blocked,
        mirror.c.valid_from.is_not_distinct_from(staging.c.valid_from),
        mirror.c.valid_until.is_not_distinct_from(staging.c.valid_until),
        mirror.c.parent_id.is_not_distinct_from(staging.c.parent_id),
        mirror.c.source_gone_at.is_(None),
        or_(state == MirrorState.SYNCED, reason_same),
    )
    if job.delivers:
        # An unchanged row that OutSmart had already: from now on it counts as brought by us.
        same = and_(
            same, or_(staging.c.outcome != Outcome.UNCHANGED, mirror.c.delivered_hash == staging.c.content_hash)
        )
    told = and_(mirror.c.state == state, reason_same)
    unchanged = staging.c.outcome == Outcome.UNCHANGED
    return (
        select(staging.c.seq, and_(not_(unchanged), not_(func.coalesce(told, False))).label("worth_telling"))
        .join(mirror, mirror.c.id == staging.c.mirror_id)
        .where(decided, not_(func.coalesce(same, False)))
        .order_by(staging.c.seq)
    )


def _note_deletions(connection: Connection, job: Job, here: ColumnElement[bool]) -> None:
    """What is gone in the package is noted; it stays in OutSmart."""
    # By its own id: a record that was made anew under its code has taken its place in the mirror by now.
    not_yet = select(_known.c.id).where(
        _known.c.id == staging.c.mirror_id,
        _known.c.provider_id == staging.c.provider_id,
        _known.c.source_gone_at.is_(None),
    )
    rows = and_(here, staging.c.outcome == Outcome.DELETED, not_yet.exists())
    log_events(connection, job, rows)
    now = dialect.now(connection)
    connection.execute(
        update(mirror)
        .where(rows, mirror.c.id == staging.c.mirror_id)
        .values(source_gone_at=now, run_id=job.run_id, due_on=None)
    )


def log_events(connection: Connection, job: Job, rows: ColumnElement[bool]) -> None:
    """One line of the sync log for each of these rows: what became of it, and why."""
    event = case(
        (staging.c.outcome == Outcome.CREATE, literal("created")),
        (staging.c.outcome == Outcome.UPDATE, literal("updated")),
        else_=staging.c.outcome,
    )
    _log(connection, job, rows, event, staging.c.reason, staging.c.detail)


def log_event(
    connection: Connection, job: Job, rows: ColumnElement[bool], event: str, detail: str, reason: str = ""
) -> None:
    """One line of the sync log for each of these rows, beside what became of it; its reason is named as the event."""
    _log(connection, job, rows, literal(event), literal(reason or event), literal(detail))


def _log(
    connection: Connection,
    job: Job,
    rows: ColumnElement[bool],
    event: ColumnElement[Any],
    reason: ColumnElement[Any],
    detail: ColumnElement[Any],
) -> None:
    columns: dict[str, Any] = {
        "connection_id": literal(job.connection_id),
        "run_id": literal(job.run_id),
        "category": literal(job.category.name),
        "record": staging.c.record,
        "provider_id": staging.c.provider_id,
        "code": staging.c.code,
        "event": event,
        "reason": reason,
        "detail": detail,
        "at": literal(dialect.now(connection), record_log.c.at.type),
    }
    connection.execute(
        insert(record_log).from_select(list(columns), select(*columns.values()).where(rows).order_by(staging.c.seq))
    )


def log_changes(
    connection: Connection,
    job: Job,
    record: Record,
    rows: ColumnElement[bool],
    sent: Mapping[int, Payload] | None = None,
) -> None:
    """A line of the sync log for each update, field by field: what it was, what it is; before the mirror is changed.

    Args:
        connection: The transaction.
        job: Whose rows.
        record: Their type.
        rows: Which of them.
        sent: Place in staging → what was sent, which names others by their codes; the package's own payload does not.
    """
    query = (
        select(
            staging.c.seq,
            staging.c.provider_id,
            staging.c.code,
            staging.c.payload,
            mirror.c.payload.label("before"),
            mirror.c.outsmart,
            parent_code(job, record).label("parent_code"),
        )
        .join(mirror, mirror.c.id == staging.c.mirror_id)
        .where(rows, staging.c.outcome == Outcome.UPDATE)
    )
    now = dialect.now(connection)
    for chunk in staged_rows.chunks(connection, query, _CHUNK):
        lines = [
            (
                job.connection_id,
                job.run_id,
                job.category.name,
                record.name,
                row.provider_id,
                row.code,
                "updated",
                msgspec.json.encode(
                    changes(record, _before(row), _after(record, row, sent or {})), order="sorted"
                ).decode(),
                now,
            )
            for row in chunk
        ]
        names = ("connection_id", "run_id", "category", "record", "provider_id", "code", "event", "changes", "at")
        dialect.bulk_insert(connection, record_log, names, lines)


def _before(row: Any) -> Payload:
    text = row.outsmart or row.before
    return decode(text) if text else {}


def _after(record: Record, row: Any, sent: Mapping[int, Payload]) -> Payload:
    """What is written; whose child it is, and what it refers to, belong to that only where OutSmart holds it."""
    after = decode(row.payload)
    if row.outsmart:
        after |= sent.get(row.seq, {})
    if record.parent is not None and row.outsmart and row.parent_code:
        after[record.parent.field] = row.parent_code
    return after


def parent_code(job: Job, record: Record) -> ColumnElement[str | None]:
    """The code of a staged child's parent, as the mirror knows it; null where the record type has no parent."""
    if record.parent is None:
        return cast(null(), Text)
    return (
        select(func.min(_known.c.code))
        .where(scope.mirrored(job, record.parent.record, _known), _known.c.provider_id == staging.c.parent_id)
        .scalar_subquery()
    )


def changes(record: Record, before: Payload, after: Payload) -> dict[str, list[str | bool | None]]:
    """Field → its old and new value, for every field that is written with another value; a code is never rewritten."""
    return {
        name: [before.get(name), value]
        for name, value in after.items()
        if name != record.code and record.travels(name) and not _is_same(before.get(name), value)
    }


def _is_same(before: str | bool | None, after: str | bool) -> bool:
    """An empty text is what OutSmart shows as nothing."""
    return before == after or (before is None and after == "")
