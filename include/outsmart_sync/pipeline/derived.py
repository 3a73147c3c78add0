"""Stages what follows from a category's main records, such as the work order of an accepted quotation.

It is judged, matched and delivered as any other record. What follows from a record is worked out anew whenever that is
staged; what no longer follows from it is gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, func, select

from outsmart_sync.pipeline import scope
from outsmart_sync.records.mapping import staged_record
from outsmart_sync.records.record import UNREADABLE, Record
from outsmart_sync.records.staged import Origin, StagedRow
from outsmart_sync.records.values import decode
from outsmart_sync.store import staged_rows
from outsmart_sync.store.tables import mirror, staging

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Row

    from outsmart_sync.pipeline.job import Job
    from outsmart_sync.records.streams import Derived, DerivedStream
    from outsmart_sync.store.store import Store

_CHUNK = 500
_PART = "/"


def stage(store: Store, job: Job) -> None:
    """Stage what follows from every main record that is staged. Can be stopped anywhere and done again."""
    for stream in job.category.derived:
        if stream.when and not job.settings.get(stream.when):
            continue
        after = -1
        while True:
            with store.begin() as connection:
                rows = connection.execute(_main_rows(job).where(staging.c.seq > after)).all()
                if not rows:
                    break
                _stage(connection, job, stream, [row for row in rows if UNREADABLE not in row.problems])
            after = rows[-1].seq


def _main_rows(job: Job) -> Any:
    main = and_(scope.staged(job), staging.c.record == job.category.record.name, staging.c.origin != Origin.PART)
    return select(staging).where(main).order_by(staging.c.seq).limit(_CHUNK)


def _stage(connection: Connection, job: Job, stream: DerivedStream, rows: Sequence[Row[Any]]) -> None:
    record = stream.record
    if record is None or not rows:
        return
    known = _known(connection, job, record, [row.provider_id for row in rows])
    staged = [each for row in rows for each in _following(stream, record, row, known)]
    ids = [each.provider_id for each in staged]
    for start in range(0, len(ids), _CHUNK):  # in place of those that came up by themselves
        connection.execute(
            delete(staging).where(
                scope.staged(job),
                staging.c.record == record.name,
                staging.c.provider_id.in_(ids[start : start + _CHUNK]),
            )
        )
    staged_rows.load(connection, job.id, staged)


def _known(connection: Connection, job: Job, record: Record, ids: list[str]) -> dict[str, Row[Any]]:
    """What the mirror has that follows from these records."""
    found: dict[str, Row[Any]] = {}
    for length in sorted({len(each) for each in ids}):
        mains = func.substr(mirror.c.provider_id, 1, length).in_([each for each in ids if len(each) == length])
        query = select(mirror).where(scope.mirrored(job, record.name), mains, mirror.c.source_gone_at.is_(None))
        found |= {row.provider_id: row for row in connection.execute(query)}
    return found


def _following(stream: DerivedStream, record: Record, row: Row[Any], known: dict[str, Row[Any]]) -> list[StagedRow]:
    made = {} if row.origin == Origin.DELETED else _derived(stream, row)
    rows = [
        _row(record, provider_id, row, each) for provider_id, each in made.items() if each.fresh or provider_id in known
    ]
    mine = (each for each in known.values() if each.provider_id.partition(_PART)[0] == row.provider_id)
    return [*rows, *(_gone(each, row.version) for each in mine if each.provider_id not in made)]


def _derived(stream: DerivedStream, row: Row[Any]) -> dict[str, Derived]:
    found = stream.derive(decode(row.payload))
    return {f"{row.provider_id}{_PART}{each.part}" if each.part else row.provider_id: each for each in found}


def _row(record: Record, provider_id: str, main: Row[Any], derived: Derived) -> StagedRow:
    stopped = record.active is not None and derived.payload.get(record.active) is False
    return staged_record(
        record,
        provider_id,
        derived.payload,
        version=main.version,
        tags=main.tags,
        blocked=stopped,
        valid=(None, None),
        due_on=None,
        parent_id=None,
        origin=Origin.LEFT if derived.left else Origin.PAGE,
        dated_on=main.dated_on,
    )


def _gone(known: Row[Any], version: int | None) -> StagedRow:
    return StagedRow(
        record=known.record,
        provider_id=known.provider_id,
        version=version,
        code=known.code,
        code_key=known.code_key,
        title=known.title,
        payload=known.payload,
        content_hash=known.content_hash,
        tags=known.tags,
        blocked=known.blocked,
        valid_from=None,
        valid_until=None,
        due_on=None,
        parent_id=known.parent_id,
        problems="",
        origin=Origin.DELETED,
        dated_on=known.dated_on,
    )
