"""What the package no longer has: what it says that it deleted, and what a read from beginning to end lacks."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import not_, select

from outsmart_sync.errors import VendorUnavailable
from outsmart_sync.pipeline import parts, scope
from outsmart_sync.pipeline.reached import FROM_START, cursor_age, first_read, stream_names
from outsmart_sync.records.exchange import NOT_THERE
from outsmart_sync.records.staged import Origin, StagedRow
from outsmart_sync.store import cursors, dialect, runs, staged_rows
from outsmart_sync.store.tables import mirror, staging

if TYPE_CHECKING:
    from sqlalchemy import Connection, Select

    from outsmart_sync.pipeline.job import Job
    from outsmart_sync.pipeline.ports import Source
    from outsmart_sync.records.streams import Stream
    from outsmart_sync.store.store import Store

log = logging.getLogger(__name__)

_CHUNK = 1_000
_LAST_YEAR = timedelta(days=366)
_SAMPLE = 20  # of what seems to be gone, so many are asked for


def marked(
    connection: Connection, job: Job, record: str, versions: dict[str, int | None], origin: str
) -> list[StagedRow]:
    """Rows that mark records as gone: those of the mirror, and those that this run itself has read just now.

    Only what this run has read can be newer than the word that it is gone: records are read before that word, so when
    the mirror got a newer version, the word was heard then. The mirror's own versions are not looked at: they may be
    of another epoch, in which they were larger.
    """
    in_mirror = select(mirror).where(
        scope.mirrored(job, record), mirror.c.provider_id.in_(versions), mirror.c.source_gone_at.is_(None)
    )
    in_run = select(staging).where(
        scope.staged(job),
        staging.c.seq >= first_read(connection, job),
        staging.c.record == record,
        staging.c.provider_id.in_(versions),
        staging.c.code.is_not(None),
    )
    just_read = {row.provider_id: row for row in connection.execute(in_run.order_by(staging.c.seq))}
    known = {row.provider_id: row for row in connection.execute(in_mirror)} | just_read
    return [
        StagedRow(
            record=record,
            provider_id=row.provider_id,
            version=versions[row.provider_id],
            code=row.code,
            code_key=row.code_key,
            title=row.title,
            payload=row.payload,
            content_hash=row.content_hash,
            tags=row.tags,
            blocked=row.blocked,
            valid_from=row.valid_from,
            valid_until=row.valid_until,
            due_on=None,
            parent_id=row.parent_id,
            problems="",
            origin=origin,
            dated_on=row.dated_on,
        )
        for row in known.values()
        if row.provider_id not in just_read or not _is_newer(row.version, versions[row.provider_id])
    ]


def whole_reads(store: Store, job: Job, source: Source) -> list[tuple[Stream, list[str]]]:
    """Streams that were read from their beginning to their end, each with what we know and it no longer has.

    The package's list of deletions does not reach back for ever, and some lists have none. What has a start date is
    never read from its beginning, so what was not read may well be there: after a pause that is longer than deletions
    are kept, documents of the last year are asked for one by one.

    Raises:
        VendorUnavailable: Some of it is there all the same: the read came to an end too early.
    """
    found: list[tuple[Stream, list[str]]] = []
    documents: list[tuple[Stream, list[str]]] = []
    with store.read() as connection:
        progress = runs.progress_of(connection, job.id)
        paused = source.expired(_cursor_age(connection, job))
        for stream in job.category.streams:
            if not (FROM_START in progress or stream.whole) or stream.shared:
                continue  # what a shared part says outlives it
            if stream.name in progress and progress[stream.name].cursor == NOT_THERE:
                continue
            if not job.category.begins_late(stream):
                found.append((stream, sorted(_missing(connection, job, stream))))
            elif paused and stream.record is not None:
                documents.append((stream, sorted(_missing(connection, job, stream, job.today - _LAST_YEAR))))
    for stream, ids in documents:
        there = source.existing(job.category, stream, ids) if ids else None
        found.append((stream, [] if there is None else [each for each in ids if each not in there]))
    _require_end(store, job, source, found)
    return [(stream, ids) for stream, ids in found if ids]


def _require_end(store: Store, job: Job, source: Source, missing: Sequence[tuple[Stream, list[str]]]) -> None:
    """Ask for some of what seems to be gone: a list of changes does not say how long it is."""
    for stream, ids in missing:
        late = job.category.begins_late(stream)
        sample = ids[:: max(1, len(ids) // _SAMPLE)][:_SAMPLE]
        if not late and sample and source.existing(job.category, stream, sample):
            with store.begin() as connection:
                runs.begin_anew(connection, job.id)
            raise VendorUnavailable(
                f"The list of {stream.name} came to an end before all of it was there.",
                remedy="It is read again by itself; nothing counts as removed.",
                technical=f"{stream.name}: {len(ids)} known records were not in it, and some of them are there",
            )


def stage_missing(connection: Connection, job: Job, stream: Stream, ids: Sequence[str]) -> None:
    """Stage as deleted what a stream no longer has."""
    for start in range(0, len(ids), _CHUNK):
        some: dict[str, int | None] = dict.fromkeys(ids[start : start + _CHUNK])
        gone = (
            parts.gone(connection, job, stream.name, some)
            if stream.record is None
            else marked(connection, job, stream.record.name, some, Origin.DELETED)
        )
        staged_rows.load(connection, job.id, gone)
    log.info("%s: %s that were known are not in the package any more", stream.name, len(ids))


def _missing(connection: Connection, job: Job, stream: Stream, since: date | None = None) -> list[str]:
    """Ids that we know and that were not read; since a day: of documents in the destination that bear a later one."""
    first = first_read(connection, job)
    name = stream.record.name if stream.record else stream.name
    known = parts.kept(job, stream.name) if stream.record is None else _known(job, name)
    if stream.record is not None:
        others = {each.id_prefix for each in job.category.streams if each.record is stream.record} - {stream.id_prefix}
        begin = mirror.c.provider_id
        known = known.where(*(not_(begin.startswith(each)) for each in others if each))
        known = known.where(begin.startswith(stream.id_prefix)) if stream.id_prefix else known
    if since is not None:
        known = known.where(mirror.c.dated_on >= since, scope.in_destination(job))
    if stream.window:
        known = known.where(mirror.c.dated_on >= stream.window_start(job.today))
    read = select(staging.c.provider_id).where(scope.staged(job), staging.c.seq >= first, staging.c.record == name)
    return list(connection.execute(known.except_(read)).scalars())


def _known(job: Job, record: str) -> Select[Any]:
    return select(mirror.c.provider_id).where(
        scope.mirrored(job, record), mirror.c.provider_id.is_not(None), mirror.c.source_gone_at.is_(None)
    )


def _cursor_age(connection: Connection, job: Job) -> float:
    """Days since the category was last read to its end."""
    kept = cursors.read_all(connection, job.connection_id, job.category.name)
    return cursor_age(kept, stream_names(job.category), dialect.now(connection))


def _is_newer(version: int | None, than: int | None) -> bool:
    return version is not None and than is not None and version > than
