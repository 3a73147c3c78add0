"""Step 3, match_by_code: what exists is updated, what does not is created, what is the same costs nothing.

A record is found by the link made earlier, else by its code. Set-based: a handful of statements whatever the number of
rows. The step may be run again: it begins by taking back its own decisions.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from sqlalchemy import and_, case, exists, func, literal, not_, or_, select, update

from outsmart_sync.pipeline import marks, scope
from outsmart_sync.pipeline.outcomes import Outcome
from outsmart_sync.records.values import Payload, decode
from outsmart_sync.store import staged_rows
from outsmart_sync.store.tables import mirror, staging

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

    from outsmart_sync.pipeline.job import Job
    from outsmart_sync.records.record import Record
    from outsmart_sync.store.store import Store

log = logging.getLogger(__name__)

MATCHED = (Outcome.CREATE, Outcome.UPDATE, Outcome.UNCHANGED)
DECIDED_HERE = (*MATCHED, Outcome.HELD)
_CHUNK = 1_000
_other = mirror.alias("other")


def match_by_code(store: Store, job: Job) -> dict[str, int]:
    """Decide about every staged row that the filter let through.

    Returns:
        Outcome → number of rows, over all rows of the job.
    """
    with store.begin() as connection:
        _take_back(connection, job)
        for record in job.category.records:
            _link(connection, job, record)
            _hold_changed_codes(connection, job, record)
            _hold_duplicates(connection, job, record)
            _unlink_all_but_one(connection, job, record)
            _compare(connection, job, record)
    for record in job.category.records:
        _compare_with_outsmart(store, job, record)
    counts = count_outcomes(store, job)
    log.info("Matched %s: %s", job.category.name, ", ".join(f"{n} {outcome}" for outcome, n in sorted(counts.items())))
    return counts


def count_outcomes(store: Store, job: Job) -> dict[str, int]:
    """Outcome → number of the job's rows."""
    with store.read() as connection:
        rows = connection.execute(
            select(staging.c.outcome, func.count().label("number"))
            .where(scope.staged(job), staging.c.outcome.is_not(None))
            .group_by(staging.c.outcome)
        )
        return {row.outcome: row.number for row in rows}


def _take_back(connection: Connection, job: Job) -> None:
    connection.execute(
        update(staging)
        .where(scope.staged(job), staging.c.outcome.in_(DECIDED_HERE))
        .values(outcome=None, reason=None, detail=None)
    )
    marks.forget(connection, job)
    connection.execute(
        update(staging).where(scope.staged(job), staging.c.mirror_id.is_not(None)).values(mirror_id=None)
    )


def _link(connection: Connection, job: Job, record: Record) -> None:
    """Point every row to its record in the mirror: by id, else by the code of one whose id is unknown or gone."""
    rows = and_(scope.staged(job), staging.c.record == record.name)
    if connection.execute(select(~exists().where(scope.mirrored(job, record.name)))).scalar_one():
        return
    by_id = (
        select(mirror.c.id)
        .where(scope.mirrored(job, record.name), mirror.c.provider_id == staging.c.provider_id)
        .scalar_subquery()
    )
    connection.execute(update(staging).where(rows).values(mirror_id=by_id))
    free = or_(mirror.c.provider_id.is_(None), mirror.c.source_gone_at.is_not(None))
    same_code = and_(scope.mirrored(job, record.name), mirror.c.code_key == staging.c.code_key)
    by_code = select(func.min(mirror.c.id)).where(same_code, free).having(func.count() == 1).scalar_subquery()
    taken = exists().where(same_code, not_(free), scope.taken_over(job))
    connection.execute(
        update(staging)
        .where(rows, staging.c.mirror_id.is_(None), staging.c.code_key != "", not_(taken))
        .values(mirror_id=by_code)
    )


def _hold(
    connection: Connection,
    job: Job,
    record: Record,
    condition: ColumnElement[bool],
    reason: str,
    detail: ColumnElement[str],
) -> None:
    held = connection.execute(
        update(staging)
        .where(scope.open_rows(job, record.name), condition)
        .values(outcome=Outcome.HELD, reason=reason, detail=detail)
    )
    if held.rowcount:
        log.warning("%s %s records held: %s", held.rowcount, record.label, reason)


def _hold_changed_codes(connection: Connection, job: Job, record: Record) -> None:
    """A known record with another code: OutSmart cannot rename, and must not get a silent twin."""
    linked = and_(_other.c.id == staging.c.mirror_id, _other.c.provider_id == staging.c.provider_id)
    changed = exists().where(linked, scope.taken_over(job, _other), _other.c.code_key != staging.c.code_key)
    old_code = select(_other.c.code).where(_other.c.id == staging.c.mirror_id).scalar_subquery()
    _hold(connection, job, record, changed, "code_changed", old_code)


def _hold_duplicates(connection: Connection, job: Job, record: Record) -> None:
    """Several records with one code: the one that is already in the destination goes on, the others are shown."""
    here = and_(scope.open_rows(job, record.name), staging.c.code_key != "")
    linked = exists().where(_other.c.id == staging.c.mirror_id, scope.taken_over(job, _other))
    somebody_elses = (
        select(staging.c.seq)
        .join(_other, and_(scope.mirrored(job, record.name, _other), _other.c.code_key == staging.c.code_key))
        .where(
            here,
            scope.taken_over(job, _other),
            _other.c.source_gone_at.is_(None),
            _other.c.provider_id != staging.c.provider_id,
        )
    )
    repeated = select(staging.c.code_key).where(here).group_by(staging.c.code_key).having(func.count() > 1)
    twins = select(staging.c.seq).where(here, staging.c.code_key.in_(list(connection.execute(repeated).scalars())))
    seqs = sorted({*connection.execute(somebody_elses).scalars(), *connection.execute(twins).scalars()})
    _hold(connection, job, record, and_(staging.c.seq.in_(seqs), not_(linked)), "duplicate_code", staging.c.code)
    ambiguous = (
        select(_other.c.code_key)
        .where(scope.mirrored(job, record.name, _other), _other.c.provider_id.is_(None), _other.c.outsmart.is_not(None))
        .group_by(_other.c.code_key)
        .having(func.count() > 1)
    )
    keys = list(connection.execute(ambiguous).scalars())
    doubtful = and_(staging.c.code_key.in_(keys), not_(linked))
    _hold(connection, job, record, doubtful, "duplicate_in_outsmart", staging.c.code)


def _unlink_all_but_one(connection: Connection, job: Job, record: Record) -> None:
    """Of several rows that found one record by its code, the one that goes on keeps it."""
    first = func.row_number().over(
        partition_by=staging.c.mirror_id,
        order_by=(case((staging.c.outcome.is_(None), 0), else_=1), staging.c.seq),
    )
    by_code = and_(
        scope.staged(job), staging.c.record == record.name, _other.c.provider_id.is_distinct_from(staging.c.provider_id)
    )
    ranked = select(staging.c.seq, first.label("place")).join(_other, _other.c.id == staging.c.mirror_id).where(by_code)
    numbered = ranked.subquery()
    connection.execute(
        update(staging)
        .where(scope.staged(job), staging.c.seq.in_(select(numbered.c.seq).where(numbered.c.place > 1)))
        .values(mirror_id=None)
    )


def _compare(connection: Connection, job: Job, record: Record) -> None:
    """Create, update or unchanged, by fingerprint of what the destination got from us."""
    verdict = case(
        (not_(scope.in_destination(job, _other)), literal(Outcome.CREATE.value)),
        (scope.destination_hash(job, _other) == staging.c.content_hash, literal(Outcome.UNCHANGED.value)),
        else_=literal(Outcome.UPDATE.value),
    )
    found = select(verdict).where(_other.c.id == staging.c.mirror_id).scalar_subquery()
    connection.execute(
        update(staging)
        .where(scope.open_rows(job, record.name), staging.c.origin != "part")
        .values(outcome=func.coalesce(found, literal(Outcome.CREATE.value)))
    )


def _compare_with_outsmart(store: Store, job: Job, record: Record) -> None:
    """Where OutSmart's own values are fresh, they decide: equal ones cost no call, edited ones are brought back."""
    if not job.delivers:
        return
    fresh = or_(mirror.c.outsmart_run_id == job.run_id, mirror.c.delivered_hash.is_(None))
    query = (
        select(staging.c.seq, staging.c.payload, mirror.c.outsmart)
        .join(mirror, mirror.c.id == staging.c.mirror_id)
        .where(
            scope.staged(job),
            staging.c.record == record.name,
            staging.c.outcome.in_((Outcome.UPDATE, Outcome.UNCHANGED)),
            mirror.c.outsmart.is_not(None),
            fresh,
        )
    )
    with store.begin() as connection:
        for rows in staged_rows.chunks(connection, query, _CHUNK):
            same = [row.seq for row in rows if holds(record, decode(row.outsmart), decode(row.payload))]
            equal = set(same)
            other = [row.seq for row in rows if row.seq not in equal]
            for outcome, seqs in ((Outcome.UNCHANGED, same), (Outcome.UPDATE, other)):
                if seqs:
                    connection.execute(
                        update(staging).where(scope.staged(job), staging.c.seq.in_(seqs)).values(outcome=outcome)
                    )


def holds(record: Record, there: Payload, wanted: Payload) -> bool:
    """Whether a record already has every value that we would write, apart from line ends and its code's spelling."""
    return all(_plain(there.get(name)) == _plain(value) for name, value in wanted.items() if name != record.code)


def _plain(value: str | bool | None) -> str | bool | None:
    return value.replace("\r\n", "\n").strip() if isinstance(value, str) else value
