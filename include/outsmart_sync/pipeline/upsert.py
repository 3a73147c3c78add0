"""Step 4, upsert: deliver creates and updates to OutSmart in chunks, merge them into the mirror, then move the cursor.

A chunk is delivered with no transaction open, then one short transaction merges it, logs it and marks its rows as done.
Killed between the two, the chunk is delivered again, which changes nothing: writing to OutSmart is insert-or-update by
code. The cursors move last, in the transaction that settles everything that was not delivered.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, and_, bindparam, exists, func, select, update

from outsmart_sync.errors import StagingGone
from outsmart_sync.pipeline import (
    documents,
    endings,
    entries,
    in_use,
    marks,
    merging,
    notices,
    overtaken,
    parts,
    references,
    remarks,
    scope,
    witness,
)
from outsmart_sync.pipeline.epochs import EPOCH
from outsmart_sync.pipeline.match import count_outcomes
from outsmart_sync.pipeline.outcomes import REFUSED, Outcome
from outsmart_sync.pipeline.pending import RULES, STARTED, outsmart_read
from outsmart_sync.pipeline.reached import FINISHED, stream_names
from outsmart_sync.pipeline.splitting import SPLIT
from outsmart_sync.records.values import Payload, code_key, decode, encode
from outsmart_sync.store import cursors, dialect, runs
from outsmart_sync.store.runs import RunState
from outsmart_sync.store.tables import mirror, staging

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from outsmart_sync.pipeline.job import Job
    from outsmart_sync.pipeline.ports import Destination
    from outsmart_sync.records.exchange import Refused
    from outsmart_sync.records.record import Record
    from outsmart_sync.records.streams import Referred
    from outsmart_sync.store.runs import CategoryRun
    from outsmart_sync.store.store import Store

log = logging.getLogger(__name__)

DELIVERED_AT_ONCE = 200
"""Records in one call to OutSmart; it documents no limit."""

MERGED_AT_ONCE = 20_000
"""Records in one statement when the mirror is the destination."""

_WRITTEN = (Outcome.CREATE, Outcome.UPDATE)
_parent = mirror.alias("parent")


def upsert(store: Store, job: Job, destination: Destination | None) -> runs.Counts:
    """Bring what was matched to the destination.

    Args:
        store: The store.
        job: What to do.
        destination: The OutSmart account; None: the mirror is the destination.

    Raises:
        StagingGone: What extract staged is not there any more.
        ConfigurationError: OutSmart refuses our tokens.
        TransientError: OutSmart does not answer; upsert may be run again and goes on where it stopped.
        Busy: This process stood still for so long that another run brought everything in the meantime.
    """
    staged = require_staged(store, job)
    for record in job.category.records:
        if record.tells:
            notices.tell(store, job, record, destination)
        elif destination is None or record.kept:
            _merge_all(store, job, record)
        elif record.amount:
            entries.deliver(store, job, record, destination)
        elif record.made_once:
            documents.deliver(store, job, record, destination)
        else:
            _deliver_all(store, job, record, destination)
            endings.end_gone(store, job, record, destination)
            in_use.deactivate_removed(store, job, record, destination, lambda: overtaken.require_latest(store, job))
        # Before the children go: a parent that was not delivered may be in OutSmart all the same, and is linked here.
        with store.begin() as connection:
            merging.keep_undelivered(connection, job, record)
    with store.begin() as connection:
        dialect.analyze(connection, mirror, staged)
    return settle(store, job)


def settle(store: Store, job: Job) -> runs.Counts:
    """Keep what was decided about all other rows, and move the cursors: one transaction.

    Returns:
        What became of the category's rows.

    Raises:
        StagingGone: What extract staged is not there any more.
    """
    counts = count_outcomes(store, job)
    before = runs.category_run(store, job.id)
    with store.begin() as connection:
        _require_whole(connection, job, before)
        for record in job.category.records:
            merging.keep_undelivered(connection, job, record)
            remarks.remark(connection, job, record)
        parts.merge(connection, job)
        # Settled before, and only this step was cleared: later runs may have moved the cursors on.
        if not job.options.partial and before is not None and before.state is not RunState.DONE:
            cursors.move(connection, job.connection_id, job.category.name, _positions(connection, job))
        totals = figures(counts)
        runs.change_category(
            connection, job.id, state=RunState.DONE, step="upsert", finished_at=dialect.now(connection), **totals
        )
    found = runs.category_run(store, job.id)
    if found is None:
        raise StagingGone("The run's own row is gone.", remedy="Clear extract.")
    return found.counts


def _positions(connection: Connection, job: Job) -> dict[str, str]:
    """Where the streams have been read to and in which epoch, what was read of OutSmart, and the rules judged by."""
    progress = runs.progress_of(connection, job.id)
    reached = {name: progress[name].cursor for name in (*stream_names(job.category), EPOCH, SPLIT) if name in progress}
    notes = (STARTED, *map(outsmart_read, _names(job)))
    read = {name: progress[name].cursor for name in notes if name in progress}
    return {**{name: cursor for name, cursor in reached.items() if cursor}, **read, RULES: job.rules}


def _names(job: Job) -> list[str]:
    return [record.name for record in job.category.records]


def figures(counts: dict[str, int]) -> dict[str, Any]:
    """Outcomes by the names under which a category's figures are kept."""
    return {
        "created": counts.get(Outcome.CREATE, 0),
        "updated": counts.get(Outcome.UPDATE, 0),
        **{
            outcome.value: counts.get(outcome, 0)
            for outcome in (
                Outcome.UNCHANGED,
                Outcome.EXCLUDED,
                Outcome.REJECTED,
                Outcome.WAITING,
                Outcome.HELD,
                Outcome.DELETED,
            )
        },
    }


# The mirror as destination: everything happens inside the database.


def _merge_all(store: Store, job: Job, record: Record) -> None:
    with store.read() as connection:
        first = marks.reached(connection, job, marks.DELIVERED, record) + 1
        last = connection.execute(select(func.max(staging.c.seq)).where(_to_write(job, record))).scalar_one()
    for start in range(first, -1 if last is None else last + 1, MERGED_AT_ONCE):
        began = time.monotonic()
        overtaken.require_latest(store, job)
        end = min(start + MERGED_AT_ONCE, last + 1)
        rows = and_(_to_write(job, record), staging.c.seq >= start, staging.c.seq < end)
        with store.begin() as connection:
            _wait_without_parent(connection, job, record, rows)
            references.judge(connection, job, record, rows)
            merging.log_changes(connection, job, record, rows)
            merging.log_events(connection, job, and_(rows, staging.c.outcome == Outcome.CREATE))
            merged = merging.merge(connection, job, rows, state_of_written=True, kept=record.kept)
            marks.note(connection, job, marks.DELIVERED, record, end - 1)
        log.info("%s: %s merged into the mirror, %.2f s", record.label, merged, time.monotonic() - began)


def _to_write(job: Job, record: Record) -> ColumnElement[bool]:
    return and_(scope.staged(job), staging.c.record == record.name, staging.c.outcome.in_(_WRITTEN))


def _wait_without_parent(connection: Connection, job: Job, record: Record, rows: ColumnElement[bool]) -> None:
    """A child whose parent did not make it waits for it."""
    if record.parent is None:
        return
    parent = and_(scope.mirrored(job, record.parent.record, _parent), _parent.c.provider_id == staging.c.parent_id)
    there = exists().where(parent, scope.in_destination(job, _parent))
    code = select(func.min(_parent.c.code)).where(parent).scalar_subquery()
    connection.execute(
        update(staging).where(rows, ~there).values(outcome=Outcome.WAITING, reason="parent_open", detail=code)
    )


# OutSmart as destination.


@dataclass(frozen=True, slots=True)
class _Parcel:
    """One record on its way: its row in staging, and what is sent."""

    row: Row[Any]
    body: Payload


def _deliver_all(store: Store, job: Job, record: Record, destination: Destination) -> None:
    with store.begin() as connection:
        after = marks.reached(connection, job, marks.DELIVERED, record)
        undelivered = and_(_to_write(job, record), staging.c.seq > after)
        _wait_without_parent(connection, job, record, undelivered)
        references.judge(connection, job, record, undelivered)
    chunk = 0
    while True:
        began = time.monotonic()
        with store.read() as connection:
            rows = connection.execute(_rows_to_deliver(job, record).where(staging.c.seq > after)).all()
            found = references.resolve(connection, job, record, [decode(row.payload) for row in rows])
            left = endings.left_behind(connection, job, record, rows)
        if not rows:
            return
        chunk, after = chunk + 1, rows[-1].seq
        parcels = [
            _Parcel(row, in_use.with_flag(job, record, row, body_of(record, row, others)))
            for row, others in zip(rows, found, strict=True)
        ]
        overtaken.require_latest(store, job)
        endings.end_old_codes(job, record, destination, left)
        refused = destination.write(record, [parcel.body for parcel in parcels])
        with store.begin() as connection:
            delivered = _keep_delivered(connection, job, record, parcels, refused)
            endings.note_left(connection, job, record, left, delivered)
        log.info(
            "%s chunk %s: %s delivered, %s refused, %.2f s",
            record.label,
            chunk,
            len(parcels) - len(refused),
            len(refused),
            time.monotonic() - began,
        )
        for refusal in refused:
            log.warning(
                "%s %s refused by OutSmart: %s", record.label, rows[refusal.index].code, refusal.error.technical
            )


def _rows_to_deliver(job: Job, record: Record) -> Any:
    # A record that OutSmart knows keeps OutSmart's own way of writing its code, unless that is made of several.
    kept = select(mirror.c.code).where(mirror.c.id == staging.c.mirror_id, mirror.c.outsmart.is_not(None))
    code = staging.c.code if record.keys else func.coalesce(kept.scalar_subquery(), staging.c.code)
    ours = exists().where(mirror.c.id == staging.c.mirror_id, scope.taken_over(job))
    there = select(mirror.c.outsmart).where(mirror.c.id == staging.c.mirror_id).scalar_subquery()
    parent_code = select(func.min(_parent.c.code)).where(
        _parent.c.connection_id == job.connection_id,
        _parent.c.record == (record.parent.record if record.parent else ""),
        _parent.c.provider_id == staging.c.parent_id,
    )
    return (
        select(
            staging.c.seq,
            staging.c.provider_id,
            staging.c.outcome,
            staging.c.payload,
            staging.c.blocked,
            staging.c.valid_from,
            staging.c.valid_until,
            code.label("code"),
            there.label("outsmart"),
            ours.label("ours"),
            parent_code.scalar_subquery().label("parent_code"),
        )
        .where(_to_write(job, record))
        .order_by(staging.c.seq)
        .limit(DELIVERED_AT_ONCE)
    )


def body_of(record: Record, row: Row[Any], found: Mapping[str, Referred]) -> Payload:
    """What is sent: the package's values; for a demanded field that it lacks, OutSmart's own or the default."""
    there = decode(row.outsmart) if row.outsmart else {}
    body: Payload = {}
    for field in record.fields:
        if field.required:
            value = there.get(field.name, field.default)
            if value is not None:
                body[field.name] = value
    payload = decode(row.payload)
    body |= references.body_of(record, payload, references.named_or_new(record, payload, found, there))
    if not record.keys:
        body[record.code] = row.code
    if record.parent is not None:
        body[record.parent.field] = row.parent_code
    return body


def _keep_delivered(
    connection: Connection, job: Job, record: Record, parcels: Sequence[_Parcel], refused: Sequence[Refused]
) -> set[int]:
    """Note what became of a chunk; returns the places in staging of what was accepted."""
    refusals = {refusal.index: refusal.error for refusal in refused}
    accepted = [parcel for index, parcel in enumerate(parcels) if index not in refusals]
    for index, error in refusals.items():
        connection.execute(
            update(staging)
            .where(scope.staged(job), staging.c.seq == parcels[index].row.seq)
            .values(outcome=Outcome.REJECTED, reason=REFUSED, detail=error.what.rstrip(".") or error.technical)
        )
    marks.note(connection, job, marks.DELIVERED, record, parcels[-1].row.seq)
    delivered = {parcel.row.seq for parcel in accepted}
    if not accepted:
        return delivered
    rows = and_(scope.staged(job), staging.c.seq.in_(delivered))
    merging.log_changes(connection, job, record, rows, {parcel.row.seq: parcel.body for parcel in accepted})
    merging.log_events(connection, job, and_(rows, staging.c.outcome == Outcome.CREATE))
    merging.merge(connection, job, rows, state_of_written=True)
    _keep_bodies(connection, job, record, accepted)
    return delivered


def _keep_bodies(connection: Connection, job: Job, record: Record, accepted: Sequence[_Parcel]) -> None:
    """The mirror now knows what OutSmart holds: what it had, with what was sent."""
    held = [
        {
            "id_": parcel.row.provider_id,
            "outsmart_": encode({**(decode(parcel.row.outsmart) if parcel.row.outsmart else {}), **parcel.body}),
            "code_": parcel.row.code,
            "key_": code_key(parcel.row.code),
        }
        for parcel in accepted
    ]
    connection.execute(
        update(mirror)
        .where(scope.mirrored(job, record.name), mirror.c.provider_id == bindparam("id_"))
        .values(outsmart=bindparam("outsmart_"), code=bindparam("code_"), code_key=bindparam("key_")),
        held,
    )


def require_staged(store: Store, job: Job) -> int:
    """How many rows ``extract`` staged.

    Raises:
        StagingGone: There are fewer by now: they were cleaned up, or lost with an unlogged table.
    """
    known = runs.category_run(store, job.id)
    with store.read() as connection:
        return _require_whole(connection, job, known)


def _require_whole(connection: Connection, job: Job, known: CategoryRun | None) -> int:
    finished = FINISHED in runs.progress_of(connection, job.id)
    query = select(func.count()).select_from(staging).where(scope.staged(job), witness.IS_ROW)
    count = int(connection.execute(query).scalar_one())
    if known is None or not finished or count < known.staged:
        raise StagingGone(
            f"The rows that extract staged for {job.category.name} are not there (any more).",
            why="They are kept for a few days only, and do not outlive a crash of the store's database.",
            remedy=f"Clear {job.category.name}.extract, so that they are read again.",
        )
    return count
