"""The flag by which OutSmart marks a record as in use: whether we keep it, and what becomes of it when one is gone.

A record that is blocked or out of its dates is made inactive in OutSmart, unless that is switched off. One that is
deleted in the package is made inactive only where that is switched on: one update, once. So is one that a person's
choice has moved to another category, where the flag follows the package. When it comes back, under its id or under its
code, it is made active again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import and_, insert, or_, select, update

from outsmart_sync.pipeline import scope
from outsmart_sync.pipeline.outcomes import REFUSED, Outcome
from outsmart_sync.records.record import is_active
from outsmart_sync.records.setting_kinds import DEACTIVATE_REMOVED, FOLLOW_INACTIVE
from outsmart_sync.records.staged import Origin
from outsmart_sync.records.values import Payload, content_hash, decode, encode
from outsmart_sync.store import dialect, staged_rows
from outsmart_sync.store.tables import mirror, record_log, staging

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from outsmart_sync.pipeline.job import Job
    from outsmart_sync.pipeline.ports import Destination
    from outsmart_sync.records.record import Record
    from outsmart_sync.records.staged import StagedRow
    from outsmart_sync.store.store import Store

log = logging.getLogger(__name__)

_AT_ONCE = 200


def follows(job: Job, record: Record) -> bool:
    """Whether OutSmart's flag follows the package; where it does not, the flag is no part of what we write."""
    return record.active is not None and job.is_on(FOLLOW_INACTIVE)


def as_followed(job: Job, record: Record | None, rows: list[StagedRow]) -> list[StagedRow]:
    """Rows of a page as they are staged: without the flag, where OutSmart's is left alone."""
    if record is None or record.active is None or follows(job, record):
        return rows
    return [_without_flag(record.active, row) for row in rows]


def _without_flag(flag: str, row: StagedRow) -> StagedRow:
    payload = decode(row.payload or "{}")
    payload.pop(flag, None)
    text = encode(payload)
    return row._replace(payload=text, content_hash=content_hash(text))


def with_flag(job: Job, record: Record, row: Row[Any], body: Payload) -> Payload:
    """What is sent: a new record has the flag in any case, since OutSmart takes one without it for active."""
    if record.active is None or record.active in body or row.outcome != Outcome.CREATE:
        return body
    return {**body, record.active: _is_active(job, row)}


def revive(connection: Connection, job: Job, record: Record) -> None:
    """A record that we made inactive because it was gone, and that is there again, is brought even if nothing changed.

    Its payload gets the flag; its fingerprint stays that of what the package says.
    """
    if record.active is None or not job.delivers:
        return
    query = (
        select(staging.c.seq, staging.c.payload, staging.c.blocked, staging.c.valid_from, staging.c.valid_until)
        .join(mirror, mirror.c.id == staging.c.mirror_id)
        .where(
            scope.staged(job),
            staging.c.record == record.name,
            staging.c.outcome.in_((Outcome.UPDATE, Outcome.UNCHANGED)),
            mirror.c.deactivated_at.is_not(None),
        )
    )
    for rows in staged_rows.chunks(connection, query, _AT_ONCE):
        for row in rows:
            if not _is_active(job, row):
                continue
            payload = encode({**decode(row.payload), record.active: True})
            connection.execute(
                update(staging)
                .where(scope.staged(job), staging.c.seq == row.seq)
                .values(outcome=Outcome.UPDATE, payload=payload)
            )


def _is_active(job: Job, row: Row[Any]) -> bool:
    return is_active(job.today, blocked=row.blocked, valid_from=row.valid_from, valid_until=row.valid_until)


def deactivate_removed(
    store: Store, job: Job, record: Record, destination: Destination, before_writing: Callable[[], None]
) -> None:
    """Make inactive in OutSmart what we brought there and the package has deleted or moved now, where that is on.

    Args:
        store: The store.
        job: Whose rows.
        record: Record type.
        destination: The OutSmart account.
        before_writing: Makes sure that what was staged is not old.

    Raises:
        ConfigurationError: OutSmart refuses our tokens.
        TransientError: OutSmart does not answer; doing it again is safe.
        Busy: Another run has synced the category since.
    """
    if record.active is None or not (job.is_on(DEACTIVATE_REMOVED) or _moves(job, record)):
        return
    with store.read() as connection:
        gone = [row for row in connection.execute(_gone(job, record)) if decode(row.outsmart).get(record.active, True)]
    for start in range(0, len(gone), _AT_ONCE):
        rows = gone[start : start + _AT_ONCE]
        before_writing()
        refused = {each.index: each for each in destination.write(record, [_inactive(record, row) for row in rows])}
        with store.begin() as connection:
            for index, each in refused.items():
                log.warning("%s %s refused by OutSmart: %s", record.label, rows[index].code, each.error.technical)
                _log(connection, job, rows[index], "rejected", reason=REFUSED, detail=each.error.what.rstrip("."))
            done = [row for index, row in enumerate(rows) if index not in refused]
            _keep(connection, job, record, done)
        log.info("%s %s records made inactive in OutSmart: the package no longer has them so", len(done), record.label)


def _moves(job: Job, record: Record) -> bool:
    """Whether records leave for another category of which a person said what is in it."""
    return job.category.stream_of(record.name).split is not None and job.is_on(FOLLOW_INACTIVE)


def _gone(job: Job, record: Record) -> Any:
    """Records that are deleted or moved now, and that we have brought to OutSmart."""
    own = and_(scope.mirrored(job, record.name), mirror.c.provider_id == staging.c.provider_id)
    ways = [staging.c.outcome == Outcome.DELETED] if job.is_on(DEACTIVATE_REMOVED) else []
    if _moves(job, record):
        ways.append(and_(staging.c.outcome == Outcome.EXCLUDED, staging.c.origin == Origin.LEFT))
    columns = (mirror.c.id, mirror.c.record, mirror.c.provider_id, mirror.c.code, mirror.c.outsmart)
    return (
        select(*columns, staging.c.reason)
        .join(staging, own)
        .where(
            scope.staged(job),
            staging.c.record == record.name,
            or_(*ways),
            mirror.c.source_gone_at.is_(None),
            mirror.c.outsmart.is_not(None),
            scope.taken_over(job),
        )
        .order_by(mirror.c.id)
    )


def _inactive(record: Record, row: Row[Any]) -> Payload:
    """Only the flag, with the fields without which OutSmart takes no record."""
    there = decode(row.outsmart)
    required = {field.name: there[field.name] for field in record.fields if field.required and field.name in there}
    return {**required, record.code: row.code, str(record.active): False}


def _keep(connection: Connection, job: Job, record: Record, rows: Sequence[Row[Any]]) -> None:
    now = dialect.now(connection)
    flag = str(record.active)
    for row in rows:
        there = decode(row.outsmart)
        connection.execute(
            update(mirror)
            .where(mirror.c.id == row.id)
            .values(outsmart=encode({**there, flag: False}), deactivated_at=now)
        )
        changes = msgspec.json.encode({flag: [there.get(flag), False]}).decode()
        _log(connection, job, row, "deactivated", reason=row.reason, changes=changes)


def _log(connection: Connection, job: Job, row: Row[Any], event: str, **values: str) -> None:
    connection.execute(
        insert(record_log).values(
            connection_id=job.connection_id,
            run_id=job.run_id,
            category=job.category.name,
            record=row.record,
            provider_id=row.provider_id,
            code=row.code,
            event=event,
            at=dialect.now(connection),
            **values,
        )
    )
