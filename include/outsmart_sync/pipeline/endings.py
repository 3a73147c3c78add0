"""Ends what OutSmart holds of a record that the package no longer has, or that has become another one.

OutSmart removes nothing by this way. A record of a type that has a last day (``Record.ends``) gets yesterday there; any
other stays, and the sync log says so.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import and_, delete, insert, or_, select, update

from outsmart_sync.pipeline import merging, overtaken, scope
from outsmart_sync.pipeline.outcomes import ENDED, LEFT_BEHIND, REFUSED, Outcome
from outsmart_sync.records.staged import Origin
from outsmart_sync.records.values import Payload, code_key, decode
from outsmart_sync.store import dialect
from outsmart_sync.store.tables import mirror, record_log, staging

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Row

    from outsmart_sync.pipeline.job import Job
    from outsmart_sync.pipeline.ports import Destination
    from outsmart_sync.records.record import Record
    from outsmart_sync.store.store import Store

log = logging.getLogger(__name__)

_AT_ONCE = 200
_ONE_DAY = timedelta(days=1)
_GOING = (Outcome.CREATE, Outcome.UPDATE, Outcome.UNCHANGED)


@dataclass(frozen=True, slots=True)
class Left:
    """What OutSmart holds of a record under a code that is no longer its own.

    Attributes:
        seq: Place of the record's row in staging.
        code: The old code.
        there: What OutSmart holds under it.
    """

    seq: int
    code: str
    there: Payload


def end_gone(store: Store, job: Job, record: Record, destination: Destination) -> None:
    """End what the package deleted or what is no longer of the category, once; what it becomes again is made again.

    Raises:
        ConfigurationError: OutSmart refuses our tokens.
        TransientError: OutSmart does not answer; this may be run again.
        Busy: Another run has brought everything in the meantime.
    """
    if not record.ends:
        return
    after = -1
    while True:
        with store.read() as connection:
            rows = connection.execute(_gone(job, record).where(staging.c.seq > after)).all()
        if not rows:
            return
        after = rows[-1].seq
        overtaken.require_latest(store, job)
        running = [row for row in rows if _runs(job, record, decode(row.outsmart))]
        refusals = destination.write(record, [_ended(job, record, decode(row.outsmart)) for row in running])
        refused = {running[refusal.index].seq: refusal.error for refusal in refusals}
        with store.begin() as connection:
            for row in running:
                error = refused.get(row.seq)
                if error is not None:
                    log.warning("%s %s cannot be ended in OutSmart: %s", record.label, row.code, error.technical)
                _tell_ended(connection, job, record, row, "" if error is None else error.what.rstrip("."))
            _give_up(connection, rows)
        log.info("%s %s records ended in OutSmart", len(running) - len(refused), record.label)


def _gone(job: Job, record: Record) -> Any:
    """Rows that stand for no record any more, and what we brought to OutSmart of them."""
    own = and_(mirror.c.id == staging.c.mirror_id, mirror.c.provider_id == staging.c.provider_id)
    columns = (mirror.c.id, mirror.c.record, mirror.c.provider_id, mirror.c.code, mirror.c.outsmart)
    return (
        select(staging.c.seq, staging.c.reason, *columns)
        .join(mirror, own)
        .where(
            scope.staged(job),
            staging.c.record == record.name,
            or_(staging.c.outcome == Outcome.DELETED, _no_longer(job, record)),
            mirror.c.outsmart.is_not(None),
            scope.taken_over(job),
        )
        .order_by(staging.c.seq)
        .limit(_AT_ONCE)
    )


def _no_longer(job: Job, record: Record) -> ColumnElement[bool]:
    """Left out for what it is by itself, and not by a filter that a person set."""
    reasons = job.category.stream_of(record.name).own_reasons
    left = or_(staging.c.origin == Origin.LEFT, staging.c.reason.in_(reasons))
    return and_(staging.c.outcome == Outcome.EXCLUDED, left)


def _runs(job: Job, record: Record, there: Payload) -> bool:
    """Whether OutSmart still has it in use, today or later."""
    last = there.get(record.ends)
    return not last or str(last) >= job.today.isoformat()


def _ended(job: Job, record: Record, there: Payload) -> Payload:
    body = {name: value for name, value in there.items() if record.travels(name)}
    return {**body, record.ends: (job.today - _ONE_DAY).isoformat()}


def _give_up(connection: Connection, rows: Sequence[Row[Any]]) -> None:
    """What has ended is nobody's: its place is free for a record that gets its code."""
    ids = [row.id for row in rows]
    connection.execute(update(mirror).where(mirror.c.id.in_(ids)).values(outsmart=None, delivered_hash=None))


def _tell_ended(connection: Connection, job: Job, record: Record, row: Row[Any], refusal: str) -> None:
    before = decode(row.outsmart).get(record.ends)
    after = (job.today - _ONE_DAY).isoformat()
    changes = msgspec.json.encode({record.ends: [before, after]}).decode()
    connection.execute(
        insert(record_log).values(
            connection_id=job.connection_id,
            run_id=job.run_id,
            category=job.category.name,
            record=row.record,
            provider_id=row.provider_id,
            code=row.code,
            event=Outcome.REJECTED if refusal else ENDED,
            reason=REFUSED if refusal else row.reason,
            detail=refusal or None,
            changes=None if refusal else changes,
            at=dialect.now(connection),
        )
    )


# Records that have become another one: their code is made of several fields, of which one changed.


def left_behind(connection: Connection, job: Job, record: Record, rows: Iterable[Row[Any]]) -> list[Left]:
    """Of rows that are about to be delivered, what we brought to OutSmart under another code than they have now.

    A code that another record has by now is that one's.
    """
    if not record.keys:
        return []
    found = []
    for row in rows:
        there = decode(row.outsmart) if row.outsmart and row.ours else {}
        code = record.code_of(there)
        if code and code_key(code) != code_key(row.code):
            found.append(Left(row.seq, code, there))
    taken = _claimed(connection, job, record, found)
    return [left for left in found if code_key(left.code) not in taken]


def _claimed(connection: Connection, job: Job, record: Record, found: Sequence[Left]) -> set[str]:
    """Codes that another record goes under, in this run or as the mirror knows it."""
    if not found:
        return set()
    keys = [code_key(left.code) for left in found]
    known = mirror.alias("known")
    going = select(staging.c.code_key).where(
        scope.staged(job),
        staging.c.record == record.name,
        staging.c.code_key.in_(keys),
        staging.c.outcome.in_(_GOING),
    )
    own = select(staging.c.mirror_id).where(scope.staged(job), staging.c.seq.in_([left.seq for left in found]))
    there = select(known.c.code_key).where(
        scope.mirrored(job, record.name, known),
        known.c.code_key.in_(keys),
        scope.taken_over(job, known),
        known.c.source_gone_at.is_(None),
        known.c.id.not_in(own),
    )
    return {str(key) for query in (going, there) for key in connection.execute(query).scalars()}


def end_old_codes(job: Job, record: Record, destination: Destination, left: Sequence[Left]) -> None:
    """End them in OutSmart, where that is possible; before the records go there under their new codes.

    Raises:
        ConfigurationError: OutSmart refuses our tokens.
        TransientError: OutSmart does not answer; doing it again is safe.
    """
    if not record.ends:
        return
    running = [each for each in left if _runs(job, record, each.there)]
    if running:
        for refusal in destination.write(record, [_ended(job, record, each.there) for each in running]):
            code = running[refusal.index].code
            log.warning("%s %s cannot be ended in OutSmart: %s", record.label, code, refusal.error.technical)


def note_left(connection: Connection, job: Job, record: Record, left: Iterable[Left], seqs: set[int]) -> None:
    """Say in the sync log what became of the old codes of rows that were delivered, and who has the new ones."""
    for each in left:
        if each.seq in seqs:
            row = and_(scope.staged(job), staging.c.seq == each.seq)
            merging.log_event(connection, job, row, ENDED if record.ends else LEFT_BEHIND, each.code)
            _absorb(connection, job, record, row)


def _absorb(connection: Connection, job: Job, record: Record, row: ColumnElement[bool]) -> None:
    """What was only known from OutSmart under the new code is this record's from now on."""
    code = select(staging.c.code_key).where(row).scalar_subquery()
    connection.execute(
        delete(mirror).where(
            scope.mirrored(job, record.name), mirror.c.provider_id.is_(None), mirror.c.code_key == code
        )
    )
