"""Step 1, extract: page through the package since the cursor, map each page, load it into staging.

Each page is one short transaction that also notes where to go on, so an interrupted extract resumes at its last page
and memory does not grow with rows. Nothing outside staging changes, except the mirror's knowledge of OutSmart.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import and_, case, delete, exists, func, select

from outsmart_sync.errors import ConfigurationError
from outsmart_sync.pipeline import (
    derived,
    epochs,
    gone,
    in_use,
    invoices,
    outsmart_read,
    parts,
    pending,
    scope,
    splitting,
    witness,
)
from outsmart_sync.pipeline.ahead import ahead
from outsmart_sync.pipeline.epochs import EPOCH
from outsmart_sync.pipeline.pending import STARTED
from outsmart_sync.pipeline.reached import FINISHED, FIRST_READ, FROM_START, cursor_age, first_read, stream_names
from outsmart_sync.pipeline.splitting import SPLIT
from outsmart_sync.records.exchange import DELETIONS, Deletion, ReadPage
from outsmart_sync.records.staged import ENTERED, Origin, StagedRow, aliases, values_of
from outsmart_sync.records.values import code_key, content_hash, decode, encode
from outsmart_sync.store import cursors, dialect, runs, staged_rows
from outsmart_sync.store.runs import Progress
from outsmart_sync.store.tables import mirror, staging

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from outsmart_sync.pipeline.job import Job
    from outsmart_sync.pipeline.ports import Destination, Source
    from outsmart_sync.records.streams import Stream
    from outsmart_sync.store.store import Store

log = logging.getLogger(__name__)

_CHUNK = 1_000


def extract(store: Store, job: Job, source: Source, destination: Destination | None) -> int:
    """Stage everything that must be judged; returns how many rows that is.

    Args:
        store: The store.
        job: What to do.
        source: The package.
        destination: The OutSmart account; None: the mirror is the destination.

    Raises:
        ConfigurationError: The package or OutSmart refuses us.
        TransientError: Limits, maintenance, network: extract may be run again and goes on where it stopped.
    """
    epoch = None if job.options.partial else _epoch(store, job, source)
    with store.begin() as connection:
        progress = _begin(connection, job, epoch)
        if not progress and not job.options.partial and (count := pending.stage(connection, job)):
            log.info("%s records of earlier runs are judged again", count)
        if not progress:
            _note(connection, job, FIRST_READ, Progress(None, str(staged_rows.next_seq(connection, job.id)), 0, 0))
            if epoch is not None:
                _note(connection, job, EPOCH, Progress(None, epoch, 0, 0))
            if (choice := splitting.chosen(job)) is not None:
                _note(connection, job, SPLIT, Progress(None, choice, 0, 0))
    if destination is not None:
        outsmart_read.read_account(store, job, destination)
    if job.options.partial:
        _look_up(store, job, source)
    else:
        _read_streams(store, job, source, progress, epoch)
    missing = [] if job.options.partial else gone.whole_reads(store, job, source)
    staged = _finish(store, job, missing)
    if destination is not None:
        invoices.link(store, job, destination)
    return staged


def _epoch(store: Store, job: Job, source: Source) -> str | None:
    """The administration's epoch, known before anything is read; an earlier attempt must have been in the same one."""
    with store.read() as connection:
        interrupted = _interrupted(runs.progress_of(connection, job.id))
    return epochs.current(store, job.connection_id, source, ask=job.options.full or interrupted)


def _interrupted(progress: Mapping[str, Progress]) -> bool:
    return bool(progress) and FINISHED not in progress


def _begin(connection: Connection, job: Job, epoch: str | None) -> dict[str, Progress]:
    """Resume an interrupted extract, or begin anew where the last one had come to its end."""
    progress = runs.progress_of(connection, job.id)
    if _interrupted(progress):
        moved = epoch is not None and (EPOCH not in progress or progress[EPOCH].cursor != epoch)
        if moved:
            log.warning("What the last attempt had read may be out of date by now: all of it is read again")
        elif witness.stands(connection, job):
            log.info("Going on where the last attempt stopped, after %s pages", sum(p.pages for p in progress.values()))
            return progress
        else:
            log.warning("What the last attempt had read was lost with a crash of the database: all of it is read again")
    runs.begin_anew(connection, job.id)
    witness.place(connection, job)
    return {}


def _read_streams(store: Store, job: Job, source: Source, progress: dict[str, Progress], epoch: str | None) -> None:
    after = {} if FROM_START in progress else _cursors(store, job, source, epoch)
    if not after:
        with store.begin() as connection:
            _note(connection, job, FROM_START, Progress(None, "", 0, 0))
    _require_limit(job, source)
    first_day = _first_day(store, job, progress)
    for stream in job.category.streams:
        position, done = after.get(stream.name), progress.get(stream.name)
        if position is None and done is None and first_day is not None and job.category.begins_late(stream):
            position = source.beginning(stream, first_day)
            log.info("%s is read from %s on", stream.name, first_day)
        _read_stream(store, job, source, stream, position, done)
    if first_day is not None:
        _look_up_older_parts(store, job, source, first_day)
    if job.category.reports_deletions:
        _read_deletions(store, job, source, after.get(DELETIONS), progress.get(DELETIONS))


def _require_limit(job: Job, source: Source) -> None:
    """Before anything is read: what a category's lists expand to must not be more than a person allowed.

    Raises:
        ConfigurationError: It is.
    """
    limit = job.category.limit
    if limit is None:
        return
    most, count = int(job.settings[limit.name]), source.expands(job.category, job.today)
    log.info("%s: price lists expand to %s prices, of at most %s", job.category.label, count, most)
    if count > most:
        raise ConfigurationError(
            f"The price lists expand to {count:,} prices, and {job.category.name}.{limit.name} allows {most:,}.",
            why="Each list gives one price per customer, article and period. Nothing was imported.",
            remedy="Raise that setting, or take customers or periods off the lists in the package.",
            code="too_many_prices",
        )


def _look_up_older_parts(store: Store, job: Job, source: Source, first_day: date) -> None:
    """Parts of new documents that were entered before the day from which on parts are read: those are nowhere else."""
    streams = [each for each in job.category.parts if job.category.begins_late(each)]
    with store.read() as connection:
        keys = _entered_before(connection, job, first_day) if streams else []
    if not keys:
        return
    for stream in streams:
        found = 0
        for page in source.lookup(job.category, stream, job.today, keys):
            found += len(page.mapped.rows)
            with store.begin() as connection:
                _stage_page(connection, job, stream, page)
        log.info("%s: %s found of %s documents that were entered before %s", stream.name, found, len(keys), first_day)


def _entered_before(connection: Connection, job: Job, day: date) -> list[str]:
    """Documents of this run that may come in, are not in the destination, and were entered before a day."""
    there = exists().where(
        scope.mirrored(job, job.category.record.name),
        mirror.c.provider_id == staging.c.provider_id,
        scope.in_destination(job),
    )
    query = select(staging.c.provider_id, staging.c.tags).where(
        scope.staged(job),
        staging.c.seq >= first_read(connection, job),
        staging.c.record == job.category.record.name,
        staging.c.dated_on >= job.starts_on,
        ~there,
    )
    found = ((row.provider_id, values_of(row.tags, ENTERED)) for row in connection.execute(query))
    return sorted({provider_id for provider_id, days in found if any(each < day.isoformat() for each in days)})


def _cursors(store: Store, job: Job, source: Source, epoch: str | None) -> dict[str, str]:
    """Where to read from; nothing when everything must be read."""
    if job.options.full:
        return {}
    with store.read() as connection:
        kept = cursors.read_all(connection, job.connection_id, job.category.name)
        now = dialect.now(connection)
    names = stream_names(job.category)
    positions = {stream: cursor.value for stream, cursor in kept.items() if stream in names}
    if positions and epochs.over(kept, epoch):
        log.warning(
            "%s: what was read before may be out of date (%s; when it was last read: %s), so everything is read again. "
            "What is unchanged stays as it is",
            job.category.label,
            epoch,
            kept[EPOCH].value if EPOCH in kept else "unknown",
        )
        return {}
    age = cursor_age(kept, names, now)
    if source.expired(age):
        log.warning("The last sync was %.0f days ago, longer than the package keeps deletions: all is read again", age)
        return {}
    if positions and splitting.changed(kept, job):
        log.info("%s: other rows than before are of this category, so everything is read again", job.category.label)
        return {}
    if job.starts_on is not None and STARTED in kept and job.starts_on.isoformat() < kept[STARTED].value:
        log.info("The start date has moved from %s to %s: all is read from there", kept[STARTED].value, job.starts_on)
        return {}
    return positions


def _first_day(store: Store, job: Job, progress: dict[str, Progress]) -> date | None:
    """Where a first or full read of a category with a start date begins; None: at the very beginning.

    A start date that was moved to a later day moves it no further: what changed in between, of documents that are in
    the destination, would be missed. The day is noted, so that a date moved to an earlier one is seen; it stays that of
    the first attempt, as what was read since was read from there.
    """
    if job.starts_on is None:
        return None
    if STARTED in progress:
        first = date.fromisoformat(progress[STARTED].cursor)
    else:
        with store.begin() as connection:
            kept = cursors.read_all(connection, job.connection_id, job.category.name)
            first = min(job.starts_on, date.fromisoformat(kept[STARTED].value) if STARTED in kept else job.starts_on)
            _note(connection, job, STARTED, Progress(None, first.isoformat(), 0, 0))
    return first - timedelta(days=job.category.dated.dated_ahead)


def _read_stream(
    store: Store, job: Job, source: Source, stream: Stream, after: str | None, done: Progress | None
) -> None:
    if done is not None and done.next_page is None:
        return
    pages, read = (done.pages, done.read) if done else (0, 0)
    start = time.monotonic()
    resume, position = (done.next_page, done.cursor) if done else (None, after)
    for fetched in ahead(source.pages(job.category, stream, job.today, after=position, resume=resume)):
        page = replace(fetched, mapped=splitting.divided(job, stream, fetched.mapped))
        pages, read = pages + 1, read + len(page.mapped.rows)
        with store.begin(durable=False) as connection:
            _stage_page(connection, job, stream, page)
            _note(connection, job, stream.name, Progress(page.next_page, page.cursor, pages, read))
        log.info(
            "%s page %s: %s rows, %s for %s, %.2f s",
            stream.name,
            pages,
            page.fetched,
            len(page.mapped.rows),
            job.category.name,
            time.monotonic() - start,
        )
        start = time.monotonic()


def _stage_page(connection: Connection, job: Job, stream: Stream, page: ReadPage) -> None:
    rows = in_use.as_followed(job, stream.record, page.mapped.rows)
    if page.mapped.foreign:
        rows = rows + _left(connection, job, stream, dict(page.mapped.foreign))
    staged_rows.load(connection, job.id, rows)


def _left(connection: Connection, job: Job, stream: Stream, foreign: dict[str, int | None]) -> list[StagedRow]:
    """Rows for records that were of this category and, by what the package says now, no longer are."""
    if stream.record is None:
        return parts.gone(connection, job, stream.name, foreign)
    return gone.marked(connection, job, stream.record.name, foreign, Origin.LEFT)


def _read_deletions(store: Store, job: Job, source: Source, after: str | None, done: Progress | None) -> None:
    if done is not None and done.next_page is None:
        return
    pages, read = (done.pages, done.read) if done else (0, 0)
    resume, position = (done.next_page, done.cursor) if done else (None, after)
    for page in source.deletions(job.category, after=position, resume=resume):
        pages, read = pages + 1, read + len(page.deletions)
        with store.begin() as connection:
            rows = _deleted(connection, job, page.deletions)
            staged_rows.load(connection, job.id, rows)
            _note(connection, job, DELETIONS, Progress(page.next_page, page.cursor, pages, read))
        log.info(
            "deletions page %s: %s for %s, %s of them known here",
            pages,
            len(page.deletions),
            job.category.name,
            len(rows),
        )


def _deleted(connection: Connection, job: Job, deletions: list[Deletion]) -> list[StagedRow]:
    """Rows for deleted records that we know, unless they were read in a version that is newer than the deletion."""
    rows: list[StagedRow] = []
    for stream in job.category.streams:
        ids = {deletion.provider_id: deletion.version for deletion in deletions if deletion.stream == stream.name}
        if not ids:
            continue
        if stream.record is None:
            rows += parts.gone(connection, job, stream.name, ids)
        else:
            known = _by_alias(connection, job, stream.record.name, ids) if stream.alias else ids
            rows += gone.marked(connection, job, stream.record.name, known, Origin.DELETED)
    return rows


def _by_alias(connection: Connection, job: Job, record: str, versions: dict[str, int | None]) -> dict[str, int | None]:
    """Deletions that name a row's second id, by its first one; they are few, and so are the rows looked through."""
    found = dict(versions)
    tables = (
        (staging, and_(scope.staged(job), staging.c.record == record)),
        (mirror, and_(scope.mirrored(job, record), mirror.c.provider_id.is_not(None))),
    )
    for table, mine in tables:
        for row in connection.execute(select(table.c.provider_id, table.c.tags).where(mine)):
            for alias in aliases(row.tags):
                if alias in versions:
                    found[row.provider_id] = versions[alias]
    return found


def _look_up(store: Store, job: Job, source: Source) -> None:
    """Only the records with the wanted codes, then their children and parts."""
    parents = _stage_found(store, job, source, job.category.streams[0], job.options.codes)
    found = {code_key(code or "") for code in parents.values()}
    if missing := [code for code in job.options.codes if code_key(code) not in found]:
        log.warning("Not in the package, or not of this category: %s", ", ".join(missing))
    for stream in job.category.streams[1:]:
        keys = tuple(parents) if job.category.follows(stream) else ()
        if stream.shared:
            with store.read() as connection:
                keys = tuple(parts.named(connection, job, stream))
        if keys:
            _stage_found(store, job, source, stream, keys)


def _stage_found(
    store: Store, job: Job, source: Source, stream: Stream, keys: tuple[str, ...]
) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for fetched in source.lookup(job.category, stream, job.today, keys):
        page = replace(fetched, mapped=splitting.divided(job, stream, fetched.mapped))
        found |= {row.provider_id: row.code for row in page.mapped.rows}
        with store.begin() as connection:
            page.mapped.rows[:] = _with_kept(connection, job, stream, page.mapped.rows)
            _stage_page(connection, job, stream, page)
        log.info("%s: %s found", stream.name, page.fetched)
    with store.begin() as connection:
        _note(connection, job, stream.name, Progress(None, "", 1, len(found)))
    return found


def _with_kept(connection: Connection, job: Job, stream: Stream, rows: list[StagedRow]) -> list[StagedRow]:
    """Rows that were looked up, with what only the list of changes says, as it was read there last."""
    if stream.record is None or not stream.kept_in_look_ups:
        return rows
    query = select(mirror.c.provider_id, mirror.c.payload).where(
        scope.mirrored(job, stream.record.name), mirror.c.provider_id.in_([row.provider_id for row in rows])
    )
    known = {row.provider_id: decode(row.payload) for row in connection.execute(query) if row.payload}
    kept = [{name: known.get(row.provider_id, {}).get(name) for name in stream.kept_in_look_ups} for row in rows]
    payloads = [
        encode(decode(row.payload or "{}") | {name: value for name, value in each.items() if value is not None})
        for row, each in zip(rows, kept, strict=True)
    ]
    return [
        row._replace(payload=text, content_hash=content_hash(text)) for row, text in zip(rows, payloads, strict=True)
    ]


def _finish(store: Store, job: Job, missing: Sequence[tuple[Stream, list[str]]]) -> int:
    """Settle what was staged: one row per record, parts folded in, children of changed parents beside them."""
    with store.begin() as connection:
        for stream, ids in missing:
            gone.stage_missing(connection, job, stream, ids)
        dialect.analyze(connection, staging, staged_rows.next_seq(connection, job.id))
        dropped = _drop_superseded(connection, job)
        pending.stage_children(connection, job)
    if dropped:
        log.info("%s rows came more than once; the newest counts", dropped)
    parts.fold(store, job)
    derived.stage(store, job)
    with store.begin() as connection:
        witness.require(connection, job)
        here = and_(scope.staged(job), witness.IS_ROW)
        staged = connection.execute(
            select(func.count()).select_from(staging).where(here, staging.c.origin != Origin.PART)
        ).scalar_one()
        total = connection.execute(select(func.count()).select_from(staging).where(here)).scalar_one()
        records = [stream.name for stream in job.category.streams if stream.record]
        read = sum(
            progress.read for stream, progress in runs.progress_of(connection, job.id).items() if stream in records
        )
        _note(connection, job, FINISHED, Progress(None, "", 0, 0))
        if job.category.fold is not None:
            dialect.analyze(connection, staging, total)
        runs.change_category(connection, job.id, staged=total, read=read)
        dialect.analyze(connection, staging, total)
    log.info("Extracted %s: %s rows read, %s to be judged", job.category.name, read, staged)
    return int(total)


def _drop_superseded(connection: Connection, job: Job) -> int:
    """Keep the newest row of each record: one that changed while pages were read comes twice.

    What was read is newer than what came from the mirror, whose version may be of another epoch.
    """
    here = scope.staged(job)
    was_read = case((staging.c.seq >= first_read(connection, job), 1), else_=0)
    repeated = (
        select(staging.c.provider_id)
        .where(here)
        .group_by(staging.c.record, staging.c.provider_id)
        .having(func.count() > 1)
    )
    ids = list(connection.execute(repeated).scalars())
    dropped = 0
    for start in range(0, len(ids), _CHUNK):
        newest = func.row_number().over(
            partition_by=(staging.c.record, staging.c.provider_id),
            order_by=(was_read.desc(), func.coalesce(staging.c.version, -1).desc(), staging.c.seq.desc()),
        )
        some = and_(here, staging.c.provider_id.in_(ids[start : start + _CHUNK]))
        ranked = select(staging.c.seq, newest.label("place")).where(some).subquery()
        older = list(connection.execute(select(ranked.c.seq).where(ranked.c.place > 1)).scalars())
        dropped += connection.execute(delete(staging).where(here, staging.c.seq.in_(older))).rowcount
    return dropped


def _note(connection: Connection, job: Job, stream: str, progress: Progress) -> None:
    runs.save_progress(connection, job.id, stream, progress)
