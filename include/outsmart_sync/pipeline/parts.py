"""Folds parts, such as the prices of an item, into the records they belong to.

A record is folded again when it was read, or when one of its parts was: then its own fields come from the mirror. Parts
of this run replace those kept from earlier runs.

Rows of a shared stream, such as the projects of a package, are parts of every record that names their id.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, and_, delete, exists, func, literal, literal_column, null, or_, select, union

from outsmart_sync.pipeline import scope
from outsmart_sync.pipeline.pending import again
from outsmart_sync.records.mapping import SPLIT, staged_record
from outsmart_sync.records.staged import Origin, StagedRow
from outsmart_sync.records.streams import Fold, FoldContext, Part
from outsmart_sync.records.values import decode
from outsmart_sync.store import dialect, staged_rows
from outsmart_sync.store.tables import mirror, part, staging

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row, Select

    from outsmart_sync.pipeline.job import Job
    from outsmart_sync.records.streams import Stream
    from outsmart_sync.store.store import Store

_CHUNK = 1_000
_NO_PAYLOAD = ""
# Written into the statement, not bound: only so can SQLite tell that the partial index fits.
_PART: ColumnElement[str] = literal_column(f"'{Origin.PART}'")
_IS_PART = staging.c.origin == _PART


def fold(store: Store, job: Job) -> int:
    """Replace every staged base row by its folded one; returns how many. Can be stopped anywhere and done again."""
    apply = job.category.fold
    if apply is None:
        return 0
    with store.begin() as connection:
        _stage_parents_of_parts(connection, job)
    folded, after = 0, -1
    base = and_(scope.staged(job), staging.c.origin == Origin.BASE)
    while True:
        query = select(staging).where(base, staging.c.seq > after).order_by(staging.c.seq).limit(_CHUNK)
        with store.begin() as connection:
            rows = connection.execute(query).all()
            if not rows:
                return folded
            _replace(connection, job, apply, rows)
        folded, after = folded + len(rows), rows[-1].seq


def merge(connection: Connection, job: Job) -> None:
    """Keep this run's parts for later runs; part of the transaction that moves the cursors."""
    here = and_(scope.staged(job), _IS_PART)
    for stream in job.category.parts:
        gone_now = select(staging.c.provider_id).where(
            here, staging.c.record == stream.name, staging.c.payload == _NO_PAYLOAD
        )
        connection.execute(
            delete(part).where(_mine(job), part.c.stream == stream.name, part.c.provider_id.in_(gone_now))
        )
    columns: dict[str, Any] = {
        "connection_id": literal(job.connection_id),
        "category": literal(job.category.name),
        "stream": staging.c.record,
        "provider_id": staging.c.provider_id,
        "parent_id": staging.c.parent_id,
        "version": staging.c.version,
        "payload": staging.c.payload,
        "valid_from": staging.c.valid_from,
        "valid_until": staging.c.valid_until,
    }
    query = select(*columns.values()).where(here, staging.c.payload != _NO_PAYLOAD, staging.c.parent_id.is_not(None))
    statement = dialect.upsert(connection, part).from_select(list(columns), query)
    key = [part.c.connection_id, part.c.category, part.c.stream, part.c.provider_id]
    changed = {
        name: statement.excluded[name] for name in ("parent_id", "version", "payload", "valid_from", "valid_until")
    }
    connection.execute(statement.on_conflict_do_update(index_elements=key, set_=changed))


def gone(connection: Connection, job: Job, stream: str, versions: Mapping[str, int | None]) -> list[StagedRow]:
    """Rows that mark parts as gone: those that were kept, and those that this run itself has read just now.

    Args:
        connection: The transaction.
        job: What is being read.
        stream: Name of the parts' stream.
        versions: Id → version in which a part is gone; one that this run has read in a newer version stays. What was
            kept is older, whatever its version, which may be of another epoch.
    """
    shared = any(each.name == stream and each.split_by for each in job.category.parts)
    kept = select(part.c.provider_id, part.c.parent_id, null().label("version")).where(
        _mine(job), part.c.stream == stream, _named(part.c.provider_id, versions, shared=shared)
    )
    in_run = select(staging.c.provider_id, staging.c.parent_id, staging.c.version).where(
        scope.staged(job), staging.c.record == stream, _named(staging.c.provider_id, versions, shared=shared)
    )
    queries = (kept, in_run.order_by(staging.c.seq))
    known: dict[str, Any] = {row.provider_id: row for query in queries for row in connection.execute(query)}
    return [
        _gone_row(stream, row, version)
        for row in known.values()
        if (version := _version_of(row.provider_id, versions)) is None or row.version is None or row.version <= version
    ]


def _named(column: ColumnElement[str], versions: Mapping[str, int | None], *, shared: bool) -> ColumnElement[bool]:
    """Whether an id is one of these, or made of one of them."""
    if not shared:
        return column.in_(versions)
    lengths = sorted({len(each) for each in versions})
    begins = [
        and_(
            func.substr(column, length + 1, 1) == SPLIT,
            func.substr(column, 1, length).in_([each for each in versions if len(each) == length]),
        )
        for length in lengths
    ]
    return or_(column.in_(versions), *begins)


def _version_of(part_id: str, versions: Mapping[str, int | None]) -> int | None:
    return versions[part_id] if part_id in versions else versions[part_id.partition(SPLIT)[0]]


def kept(job: Job, stream: str) -> Select[Any]:
    """Ids of the parts that were kept."""
    return select(part.c.provider_id).where(_mine(job), part.c.stream == stream)


def named(connection: Connection, job: Job, stream: Stream) -> list[str]:
    """Ids in a shared stream that the records and parts of this run name; for runs of a few records."""
    rows = connection.execute(select(staging.c.payload).where(scope.staged(job), staging.c.payload != _NO_PAYLOAD))
    found = (decode(row.payload).get(stream.shared) for row in rows)
    return sorted({str(identity) for identity in found if identity})


def _gone_row(stream: str, row: Row[Any], version: int | None) -> StagedRow:
    return StagedRow(
        record=stream,
        provider_id=row.provider_id,
        version=version,
        code=None,
        code_key=None,
        title=None,
        payload=_NO_PAYLOAD,
        content_hash=None,
        tags="",
        blocked=False,
        valid_from=None,
        valid_until=None,
        due_on=None,
        parent_id=row.parent_id,
        problems="",
        origin=Origin.PART,
    )


def _mine(job: Job) -> ColumnElement[bool]:
    return and_(part.c.connection_id == job.connection_id, part.c.category == job.category.name)


def _stage_parents_of_parts(connection: Connection, job: Job) -> None:
    """Records whose part was read although they themselves were not: their own fields come from the mirror."""
    record = job.category.record
    item, price = staging.alias("item"), staging.alias("price")
    in_run = and_(price.c.job_id == job.id, price.c.origin == _PART)
    touched = select(price.c.parent_id).where(in_run, price.c.parent_id.is_not(None))
    same_part = and_(in_run, price.c.record == part.c.stream, price.c.provider_id == part.c.provider_id)
    left = (
        select(part.c.parent_id)
        .select_from(part)
        .join(price, same_part)
        .where(_mine(job), part.c.parent_id != price.c.parent_id)
    )
    already = exists().where(
        item.c.job_id == job.id, item.c.record == record.name, item.c.provider_id == mirror.c.provider_id
    )
    query = select(mirror.c.id).where(
        scope.mirrored(job, record.name),
        mirror.c.source_gone_at.is_(None),
        mirror.c.provider_id.in_(union(touched, left)),
        ~already,
    )
    ids = sorted({*connection.execute(query).scalars(), *_sharing(connection, job, already)})
    for start in range(0, len(ids), _CHUNK):
        rows = connection.execute(select(mirror).where(mirror.c.id.in_(ids[start : start + _CHUNK])))
        staged_rows.load(connection, job.id, [again(job, record, row) for row in rows])


def _sharing(connection: Connection, job: Job, already: ColumnElement[bool]) -> list[int]:
    """Records that name the id of a shared part which is another than it was, apart from those staged already."""
    streams = [stream.name for stream in job.category.parts if stream.shared]
    if not streams:
        return []
    new = staging.alias("new")
    same = exists().where(
        _mine(job),
        part.c.stream == new.c.record,
        part.c.provider_id == new.c.provider_id,
        part.c.payload == new.c.payload,
    )
    shared = select(new.c.provider_id).where(
        new.c.job_id == job.id, new.c.origin == _PART, new.c.record.in_(streams), ~same
    )
    found: list[int] = []
    changed = list(connection.execute(shared).scalars())
    for start in range(0, len(changed), _CHUNK):
        some = shared.where(new.c.provider_id.in_(changed[start : start + _CHUNK])).subquery()
        names_it = dialect.position(connection, mirror.c.payload, some.c.provider_id) > 0
        here = and_(scope.mirrored(job, job.category.record.name), mirror.c.source_gone_at.is_(None), ~already)
        query = select(mirror.c.id).join(some, names_it).where(here)
        found += connection.execute(query).scalars()
    return found


def _replace(connection: Connection, job: Job, apply: Fold, rows: Sequence[Row[Any]]) -> None:
    context = FoldContext(today=job.today, currency=job.currency, settings=job.settings)
    parts = _parts_of(connection, job, [row.provider_id for row in rows])
    _add_shared(connection, job, rows, parts)
    folded = [_folded(job, row, apply, parts[row.provider_id], context) for row in rows]
    connection.execute(delete(staging).where(scope.staged(job), staging.c.seq.in_([row.seq for row in rows])))
    staged_rows.load(connection, job.id, folded)


def _folded(job: Job, row: Row[Any], apply: Fold, parts: list[Part], context: FoldContext) -> StagedRow:
    result = apply(decode(row.payload), parts, context)
    days = [day for day in (row.due_on, result.due_on) if day is not None]
    return staged_record(
        job.category.record,
        row.provider_id,
        result.payload,
        version=row.version,
        tags=row.tags,
        blocked=row.blocked,
        valid=(row.valid_from, row.valid_until),
        due_on=min(days, default=None),
        parent_id=row.parent_id,
        origin=Origin.PAGE,
        dated_on=row.dated_on,
    )


def _parts_of(connection: Connection, job: Job, parents: list[str]) -> dict[str, list[Part]]:
    """Parts by parent: kept ones, overruled by those of this run."""
    kept = select(
        part.c.stream, part.c.provider_id, part.c.parent_id, part.c.payload, part.c.valid_from, part.c.valid_until
    ).where(_mine(job), part.c.parent_id.in_(parents))
    ids = select(part.c.provider_id).where(_mine(job), part.c.parent_id.in_(parents))
    new = select(
        staging.c.record.label("stream"),
        staging.c.provider_id,
        staging.c.parent_id,
        staging.c.payload,
        staging.c.valid_from,
        staging.c.valid_until,
    ).where(
        scope.staged(job),
        _IS_PART,
        staging.c.parent_id.in_(parents) | staging.c.provider_id.in_(ids),
    )
    latest: dict[tuple[str, str], Any] = {}
    for query in (kept, new.order_by(staging.c.seq)):
        for row in connection.execute(query):
            latest[row.stream, row.provider_id] = row
    by_parent: dict[str, list[Part]] = defaultdict(list)
    for row in latest.values():
        if row.payload != _NO_PAYLOAD:
            by_parent[row.parent_id].append(
                Part(row.provider_id, decode(row.payload), row.valid_from, row.valid_until, row.stream)
            )
    return by_parent


def _add_shared(connection: Connection, job: Job, rows: Sequence[Row[Any]], parts: dict[str, list[Part]]) -> None:
    """Beside the parts that are theirs alone, the shared ones that the records or those parts name."""
    for stream in job.category.parts:
        if not stream.shared:
            continue
        named: dict[str, set[str]] = defaultdict(set)
        for row in rows:
            for payload in (decode(row.payload), *(each.payload for each in parts[row.provider_id])):
                if identity := payload.get(stream.shared):
                    named[str(identity)].add(row.provider_id)
        ids = sorted(named)
        for start in range(0, len(ids), _CHUNK):
            for identity, found in _parts_of(connection, job, ids[start : start + _CHUNK]).items():
                for record in named[identity]:
                    parts[record] += [each for each in found if each.stream == stream.name]
