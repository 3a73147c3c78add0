"""Reads what the OutSmart account already has into the mirror, so that match-by-code can tell update from create.

Done at the first run of a category and at every full run. OutSmart offers neither pages nor changes, so each record
type is read whole, as a stream, staged in short transactions, and merged in one at the end. That it was read is noted
for the job; for later runs only when the job is settled, so that neither a preview nor a run that failed counts.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, case, delete, func, insert, literal, or_, select, update

from outsmart_sync.pipeline import guards, scope
from outsmart_sync.pipeline.outcomes import KEPT_FROM_THEIRS, MirrorState
from outsmart_sync.pipeline.pending import outsmart_read
from outsmart_sync.pipeline.standing import last_of_each
from outsmart_sync.records.mapping import staged_record
from outsmart_sync.records.record import REMOTE_ID
from outsmart_sync.records.staged import StagedRow
from outsmart_sync.records.values import Payload
from outsmart_sync.store import cursors, dialect, runs, staged_rows
from outsmart_sync.store.runs import Progress
from outsmart_sync.store.tables import mirror, staging

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Select
    from sqlalchemy.sql.selectable import FromClause

    from outsmart_sync.pipeline.job import Job
    from outsmart_sync.pipeline.ports import Destination
    from outsmart_sync.records.record import Record
    from outsmart_sync.store.store import Store

log = logging.getLogger(__name__)

ORIGIN = "outsmart"
_CHUNK = 1_000


def read_account(store: Store, job: Job, destination: Destination) -> None:
    """Bring the mirror's knowledge of the account up to date, where this run needs it.

    Raises:
        ConfigurationError: OutSmart refuses our tokens.
        TransientError: OutSmart's answer did not come, or not whole; the mirror is as it was.
    """
    with store.read() as connection:
        kept = cursors.read_all(connection, job.connection_id, job.category.name)
    for record in job.in_outsmart:
        if job.options.full or outsmart_read(record.name) not in kept:
            read_record(store, job, destination, record)


def was_read(connection: Connection, job: Job, record: Record) -> bool:
    """Whether this job itself has read a record type, so that the mirror knows what OutSmart holds now."""
    return outsmart_read(record.name) in runs.progress_of(connection, job.id)


def read_record(store: Store, job: Job, destination: Destination, record: Record) -> None:
    """Bring the mirror's knowledge of one record type up to date; what it raises is as above."""
    with store.begin() as connection:
        staged_rows.remove(connection, job.id, ORIGIN)
    count = 0
    payloads = _documents(record, destination) if record.made_once else destination.read(record)
    while chunk := list(islice(payloads, _CHUNK)):
        with store.begin() as connection:
            staged_rows.load(connection, job.id, _rows(record, chunk, count))
        count += len(chunk)
    with store.begin() as connection:
        dialect.analyze(connection, staging, count)
        _merge(connection, job, record)
        dialect.analyze(connection, mirror, count)
        staged_rows.remove(connection, job.id, ORIGIN)
        runs.save_progress(connection, job.id, outsmart_read(record.name), Progress(None, str(job.run_id), 0, count))
    log.info("OutSmart holds %s %s records", count, record.label)


def _documents(record: Record, destination: Destination) -> Iterator[Payload]:
    """Documents with numbers of ours, and by which id OutSmart knows them; of entries the last one of each record."""
    documents = destination.documents(record, record.prefix)
    if record.amount:
        yield from last_of_each(record, documents)
        return
    for document in documents:
        yield {**document.payload, record.code: document.number, REMOTE_ID: document.remote_id}


def _rows(record: Record, payloads: list[Payload], first: int) -> Iterator[StagedRow]:
    for number, payload in enumerate(payloads, first):
        yield staged_record(
            record,
            str(number),
            payload,
            version=None,
            tags="",
            blocked=False,
            valid=(None, None),
            due_on=None,
            parent_id=None,
            origin=ORIGIN,
        )


def _merge(connection: Connection, job: Job, record: Record) -> None:
    """Bind what was read to the mirror's records; write only what is new."""
    while _bind(connection, job, record):
        pass  # once more for those whose first choice was somebody else's
    here = _read_here(job, record)
    _forget_removed(connection, job, record)
    news = or_(mirror.c.outsmart.is_distinct_from(staging.c.payload), mirror.c.code != staging.c.code)
    if record.made_once:
        # What we sent is what later changes are compared with; what was made of it in OutSmart is none of ours.
        news = and_(news, mirror.c.delivered_hash.is_(None))
    connection.execute(
        update(mirror)
        .where(here, mirror.c.id == staging.c.mirror_id, news)
        .values(outsmart=staging.c.payload, outsmart_run_id=job.run_id, code=staging.c.code)
    )
    columns: dict[str, Any] = {
        "connection_id": literal(job.connection_id),
        "record": staging.c.record,
        "code": staging.c.code,
        "code_key": staging.c.code_key,
        "title": staging.c.title,
        "outsmart": staging.c.payload,
    }
    fixed = {
        "state": MirrorState.OUTSMART_ONLY,
        "outsmart_run_id": job.run_id,
        "first_run_id": job.run_id,
        "run_id": job.run_id,
    }
    connection.execute(
        insert(mirror).from_select(
            [*columns, *fixed],
            select(*columns.values(), *(literal(value) for value in fixed.values())).where(
                here, staging.c.mirror_id.is_(None)
            ),
        )
    )
    _join_halves(connection, job, record)
    guards.part_two_firms(connection, job, record)


def _read_here(job: Job, record: Record, table: FromClause = staging) -> ColumnElement[bool]:
    return and_(table.c.job_id == job.id, table.c.origin == ORIGIN, table.c.record == record.name)


def _bind(connection: Connection, job: Job, record: Record) -> int:
    """Point rows to the records of the mirror that they are: pairs that are each other's best choice.

    Of several records with one code, the one that is known to be in OutSmart is meant, else the one written alike.

    Returns:
        Number of rows bound.
    """
    bound = _bound(job, record)
    alike = mirror.c.code == staging.c.code
    live = mirror.c.source_gone_at.is_(None)
    score = case((scope.in_destination(job), 4), else_=0) + case((alike, 2), else_=0)
    score += case((live, 1), else_=0)
    best = score.desc()
    pairs = (
        select(
            staging.c.seq,
            mirror.c.id,
            func.row_number().over(partition_by=staging.c.seq, order_by=(best, mirror.c.id)).label("of_row"),
            func.row_number().over(partition_by=mirror.c.id, order_by=(best, staging.c.seq)).label("of_record"),
        )
        .select_from(staging)
        .join(mirror, and_(scope.mirrored(job, record.name), mirror.c.code_key == staging.c.code_key))
        .where(_read_here(job, record), staging.c.mirror_id.is_(None))
    )
    if connection.execute(select(bound.exists())).scalar_one():  # not so at first, when the pairs are many
        pairs = pairs.where(mirror.c.id.not_in(bound))
    best_pairs = pairs.subquery()
    return connection.execute(
        update(staging)
        .where(
            scope.staged(job),
            staging.c.seq == best_pairs.c.seq,
            best_pairs.c.of_row == 1,
            best_pairs.c.of_record == 1,
        )
        .values(mirror_id=best_pairs.c.id)
    ).rowcount


def _bound(job: Job, record: Record) -> Select[Any]:
    """Ids of the mirror's records that a row has been bound to."""
    read = staging.alias("read")
    return select(read.c.mirror_id).where(_read_here(job, record, read), read.c.mirror_id.is_not(None))


def _join_halves(connection: Connection, job: Job, record: Record) -> None:
    """A record we know from the package only and one we know from OutSmart only, with one code between them, are one.

    Otherwise they would have been joined when the former was read; they were not while the code was ambiguous.
    """
    twin = mirror.alias("twin")
    group = (
        select(twin.c.code_key)
        .where(scope.mirrored(job, record.name, twin))
        .group_by(twin.c.code_key)
        .having(
            func.count() == 2,
            func.count(twin.c.provider_id) == 1,
            func.count(twin.c.outsmart) == 1,
            func.count(twin.c.delivered_hash) == 0,
        )
    )
    of_package = and_(
        scope.mirrored(job, record.name),
        mirror.c.provider_id.is_not(None),
        mirror.c.outsmart.is_(None),
        mirror.c.code_key.in_(group),
        func.coalesce(mirror.c.reason, "").not_in(KEPT_FROM_THEIRS),
    )
    of_outsmart = and_(
        scope.mirrored(job, record.name, twin), twin.c.provider_id.is_(None), twin.c.code_key == mirror.c.code_key
    )
    halves = connection.execute(
        update(mirror)
        .where(of_package)
        .values(
            code=select(func.min(twin.c.code)).where(of_outsmart).scalar_subquery(),
            outsmart=select(func.min(twin.c.outsmart)).where(of_outsmart).scalar_subquery(),
            outsmart_run_id=job.run_id,
        )
        .returning(mirror.c.code_key)
    ).scalars()
    joined = list(halves)
    for start in range(0, len(joined), _CHUNK):
        connection.execute(
            delete(mirror).where(
                scope.mirrored(job, record.name),
                mirror.c.provider_id.is_(None),
                mirror.c.code_key.in_(joined[start : start + _CHUNK]),
            )
        )


def _forget_removed(connection: Connection, job: Job, record: Record) -> None:
    """What OutSmart no longer has was removed there by hand; a document is not made again for that."""
    known = mirror.alias("known")
    # EXCEPT: no staging column is indexed for this, and every database does it in one pass all the same.
    unseen = (
        select(known.c.id)
        .where(
            scope.mirrored(job, record.name, known),
            or_(known.c.outsmart.is_not(None), known.c.delivered_hash.is_not(None)),
        )
        .except_(_bound(job, record))
    )
    connection.execute(delete(mirror).where(mirror.c.id.in_(unseen), mirror.c.provider_id.is_(None)))
    if record.made_once:
        return
    gone = connection.execute(
        update(mirror)
        .where(mirror.c.id.in_(unseen))
        .values(outsmart=None, delivered_hash=None, link="", deactivated_at=None)
    )
    if gone.rowcount:
        log.info(
            "%s %s records are no longer in OutSmart; they are made again when they are read",
            gone.rowcount,
            record.label,
        )
