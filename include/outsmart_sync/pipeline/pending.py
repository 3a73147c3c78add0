"""Records of the mirror that must be judged again although the package said nothing new about them.

These are records that were judged by other rules (filters, or before there was an OutSmart account to deliver to), that
waited for a record which is there now, that lacked what another record has by now, that were held for a code which is
theirs alone now, or whose calendar day has come. They are staged from the mirror, without a call.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sqlalchemy import Boolean, ColumnElement, and_, exists, false, literal_column, not_, or_, select
from sqlalchemy.orm import aliased

from outsmart_sync.pipeline import in_use, references, same_work, scope
from outsmart_sync.pipeline.outcomes import (
    DUPLICATE,
    KEPT_FROM_THEIRS,
    ON_ITS_WAY,
    OPEN_STATES,
    UNSURE,
    MirrorState,
)
from outsmart_sync.records.mapping import next_change, staged_record
from outsmart_sync.records.record import UNREADABLE, Record, is_active
from outsmart_sync.records.staged import Origin, StagedRow
from outsmart_sync.records.values import decode
from outsmart_sync.store import cursors, staged_rows
from outsmart_sync.store.tables import ledger, mirror, staging

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from outsmart_sync.pipeline.job import Job

log = logging.getLogger(__name__)

STARTED = "started"
"""Name under which a category with a start date keeps, beside its cursors, from which day on it has been read."""

RULES = "rules"
"""Name under which a category keeps, beside its cursors, the fingerprint of the rules it last judged by."""

_CHUNK = 1_000
# The partial index's own words, written into the statement: only so can SQLite tell that it fits.
_OPEN: ColumnElement[bool] = literal_column("mirror.state NOT IN ('synced', 'excluded')", Boolean)
_parent = mirror.alias("parent")
_rival = mirror.alias("rival")


def outsmart_read(record: str) -> str:
    """Name under which a category keeps that a record type has been read from OutSmart."""
    return f"outsmart:{record}"


def has_pending(connection: Connection, job: Job) -> bool:
    """Whether anything must be judged again; a few indexed look-ups."""
    kept = cursors.read_all(connection, job.connection_id, job.category.name)
    if RULES not in kept or kept[RULES].value != job.rules:
        return True
    if job.delivers and any(outsmart_read(record.name) not in kept for record in job.in_outsmart):
        return True
    return any(
        connection.execute(select(exists().where(scope.mirrored(job, record.name), condition))).scalar_one()
        for record in job.category.records
        for condition in _come_up(job, record)
    )


def stage(connection: Connection, job: Job) -> int:
    """Stage what is pending; part of the caller's transaction. Returns how many."""
    kept = cursors.read_all(connection, job.connection_id, job.category.name)
    count = 0
    for record in job.category.records:
        conditions = [*_come_up(job, record), *_come_along(record)]
        if RULES in kept and kept[RULES].value != job.rules:
            conditions.append(mirror.c.judged_by != job.rules)
        for rows in _chunks(connection, job, record, or_(*conditions)):
            count += staged_rows.load(connection, job.id, [again(job, record, row) for row in rows])
        if record.amount:
            count += _stage_gone(connection, job, record)
    return count


def _stage_gone(connection: Connection, job: Job, record: Record) -> int:
    """Stage as deleted what the package deleted while it was not clear what stands of it."""
    gone = and_(mirror.c.source_gone_at.is_not(None), mirror.c.state.in_(OPEN_STATES))
    return sum(
        staged_rows.load(
            connection, job.id, [again(job, record, row)._replace(origin=Origin.DELETED, due_on=None) for row in rows]
        )
        for rows in _chunks(connection, job, record, gone, gone=True)
    )


def stage_children(connection: Connection, job: Job) -> int:
    """Stage the mirror's children of staged parents that were left out or waiting because of them; returns how many."""
    count = 0
    child = aliased(staging)
    for record in job.category.records:
        if record.parent is None:
            continue
        staged_parent = exists().where(
            scope.staged(job), staging.c.record == record.parent.record, staging.c.provider_id == mirror.c.parent_id
        )
        already = exists().where(
            child.c.job_id == job.id,
            child.c.record == record.name,
            child.c.provider_id == mirror.c.provider_id,
        )
        left_out = mirror.c.reason.in_(("parent_excluded", "parent_open", "parent_missing"))
        for rows in _chunks(connection, job, record, and_(left_out, staged_parent, ~already)):
            count += staged_rows.load(connection, job.id, [again(job, record, row) for row in rows])
    return count


def again(job: Job, record: Record, row: Row[Any]) -> StagedRow:
    """A record of the mirror as a staged row, with what the calendar decides decided for today.

    One that no longer is of this category stays so: only the package can say that it is again.
    """
    payload = decode(row.payload)
    if record.active and not in_use.follows(job, record):
        payload.pop(record.active, None)
    elif record.active:
        payload[record.active] = is_active(
            job.today, blocked=row.blocked, valid_from=row.valid_from, valid_until=row.valid_until
        )
    return staged_record(
        record,
        row.provider_id,
        payload,
        version=row.version,
        tags=row.tags,
        blocked=row.blocked,
        valid=(row.valid_from, row.valid_until),
        due_on=next_change(job.today, row.valid_from, row.valid_until),
        parent_id=row.parent_id,
        origin=_origin(job, record, row),
        dated_on=row.dated_on,
        unreadable=[problem for problem in row.problems.split(",") if problem.endswith(UNREADABLE)],
    )


def _origin(job: Job, record: Record, row: Row[Any]) -> str:
    elsewhere = job.category.stream_of(record.name).elsewhere
    if elsewhere and row.state == MirrorState.EXCLUDED and row.reason == elsewhere:
        return Origin.LEFT
    folded = record is job.category.record and job.category.fold is not None
    return Origin.BASE if folded else Origin.PENDING


def _come_up(job: Job, record: Record) -> list[ColumnElement[bool]]:
    """Each of the ways in which a record comes up for judgement without being read."""
    ways = [_due(job), _ready(job, record), _released(job, record), _alone(job, record)]
    if job.category.stream_of(record.name).same_work:
        ways.append(same_work.released(job, record))
    if record.references:
        ways.append(references.ready(job, record))
    if record.made_once:
        unsure = mirror.c.reason.in_((UNSURE, ON_ITS_WAY))
        ways.append(and_(_OPEN, mirror.c.state == MirrorState.WAITING, unsure))
        ways.append(and_(_OPEN, references.mended(job, record)))
    return ways


def _come_along(record: Record) -> list[ColumnElement[bool]]:
    """Ways in which a record is judged again in every run, but makes none necessary."""
    return [and_(_OPEN, mirror.c.state.in_(OPEN_STATES))] if record.amount else []


def _due(job: Job) -> ColumnElement[bool]:
    return mirror.c.due_on <= job.today


def _ready(job: Job, record: Record) -> ColumnElement[bool]:
    """Waits for a parent that is in the destination by now."""
    if record.parent is None:
        return false()
    parent_there = exists().where(
        scope.mirrored(job, record.parent.record, _parent),
        _parent.c.provider_id == mirror.c.parent_id,
        scope.in_destination(job, _parent),
    )
    return and_(_OPEN, mirror.c.state == MirrorState.WAITING, parent_there)


def _released(job: Job, record: Record) -> ColumnElement[bool]:
    """Was held because of its code, which nobody else claims any more."""
    claimed = exists().where(
        scope.mirrored(job, record.name, _rival),
        _rival.c.code_key == mirror.c.code_key,
        _rival.c.provider_id != mirror.c.provider_id,
        _rival.c.source_gone_at.is_(None),
        scope.claims_code(job, _rival),
    )
    return and_(_OPEN, mirror.c.state == MirrorState.HELD, mirror.c.reason == DUPLICATE, ~claimed)


def _alone(job: Job, record: Record) -> ColumnElement[bool]:
    """Was kept from OutSmart's record with its code, which is not there any more.

    A document that was made there for another connection keeps its number: it may never have been read for this one.
    """
    theirs = exists().where(
        scope.mirrored(job, record.name, _rival),
        _rival.c.code_key == mirror.c.code_key,
        _rival.c.id != mirror.c.id,
        _rival.c.outsmart.is_not(None),
    )
    made = exists().where(
        ledger.c.account == job.account,
        ledger.c.kind == record.at_outsmart,
        ledger.c.key == mirror.c.code,
        ledger.c.connection_id != job.connection_id,
    )
    gone = and_(~theirs, ~made) if record.made_once else ~theirs
    return and_(_OPEN, mirror.c.state == MirrorState.HELD, mirror.c.reason.in_(KEPT_FROM_THEIRS), gone)


def _chunks(
    connection: Connection, job: Job, record: Record, condition: ColumnElement[bool], *, gone: bool = False
) -> Iterator[list[Row[Any]]]:
    after = -1
    there = mirror.c.source_gone_at.is_(None)
    query = select(mirror).where(
        scope.mirrored(job, record.name),
        mirror.c.provider_id.is_not(None),
        not_(there) if gone else there,
        condition,
    )
    while True:
        rows = connection.execute(query.where(mirror.c.id > after).order_by(mirror.c.id).limit(_CHUNK)).all()
        if not rows:
            return
        yield list(rows)
        after = rows[-1].id
