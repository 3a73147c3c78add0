"""Step 3, match_by_code: what exists is updated, what does not is created, what is the same costs nothing.

A record is found by the link made earlier, else by its code. Set-based: a handful of statements whatever the number of
rows. The step may be run again: it begins by taking back its own decisions.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Text, and_, case, cast, exists, func, literal, not_, null, or_, select, update

from outsmart_sync.pipeline import decisions, edits, entries, guards, in_use, marks, references, rivals, scope
from outsmart_sync.pipeline.outcomes import BY_HAND, CANCELLED, DUPLICATE, REFUSED, MirrorState, Outcome
from outsmart_sync.pipeline.outsmart_read import was_read
from outsmart_sync.records.staged import Origin
from outsmart_sync.records.values import Payload, code_key, comparable, decode
from outsmart_sync.store import staged_rows
from outsmart_sync.store.tables import mirror, staging

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Row, ScalarSelect

    from outsmart_sync.pipeline.job import Job
    from outsmart_sync.records.record import Record
    from outsmart_sync.records.streams import Referred
    from outsmart_sync.store.store import Store

log = logging.getLogger(__name__)

MATCHED = (Outcome.CREATE, Outcome.UPDATE, Outcome.UNCHANGED)
DECIDED_HERE = (*MATCHED, Outcome.HELD)
_CHUNK = 1_000
_other = mirror.alias("other")
_own = mirror.alias("own")
_parent = mirror.alias("parent")
_parent_row = staging.alias("parent_row")
_same_row = staging.alias("same_row")


def match_by_code(store: Store, job: Job) -> dict[str, int]:
    """Decide about every staged row that the filter let through.

    Returns:
        Outcome → number of rows, over all rows of the job.
    """
    with store.begin() as connection:
        _take_back(connection, job)
        for record in job.category.records:
            _link(connection, job, record)
            guards.hold_two_firms(connection, job, record)
            decisions.respect(connection, job, record)
            _hold_changed_codes(connection, job, record)
            _hold_duplicates(connection, job, record)
            _unlink_all_but_one(connection, job, record)
            _compare(connection, job, record)
            entries.compare(connection, job, record)
    for record in job.category.records:
        _compare_with_outsmart(store, job, record)
        with store.begin() as connection:
            in_use.revive(connection, job, record)
    edits.tell(store, job)
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
    """Undo what this step decided, and what OutSmart refused after it: those are tried again."""
    refused = and_(staging.c.outcome == Outcome.REJECTED, staging.c.reason == REFUSED)
    connection.execute(
        update(staging)
        .where(scope.staged(job), or_(staging.c.outcome.in_(DECIDED_HERE), refused))
        .values(outcome=None, reason=None, detail=None)
    )
    marks.forget(connection, job)
    connection.execute(
        update(staging).where(scope.staged(job), staging.c.mirror_id.is_not(None)).values(mirror_id=None)
    )


def _link(connection: Connection, job: Job, record: Record) -> None:
    """Point every row to its record in the mirror: by id, else by the code of one in the destination that is vacant.

    A record that has not come to the destination may find its place there vacant later: what kept it out was deleted,
    or somebody made a record with its code by hand.
    """
    rows = and_(scope.staged(job), staging.c.record == record.name)
    if connection.execute(select(~exists().where(scope.mirrored(job, record.name)))).scalar_one():
        return
    connection.execute(update(staging).where(rows).values(mirror_id=_by_id(job, record)))
    free = scope.vacant(job)
    same_code = and_(scope.mirrored(job, record.name), mirror.c.code_key == staging.c.code_key)
    by_code = (
        select(func.min(mirror.c.id))
        .where(
            same_code,
            free,
            scope.in_destination(job),
            # What we brought there for a record that is gone now is for one that goes there, not for one that does not.
            or_(mirror.c.provider_id.is_(None), staging.c.outcome.is_(None)),
        )
        .having(func.count() == 1)
        .scalar_subquery()
    )
    taken = exists().where(same_code, not_(free), scope.taken_over(job))
    there = exists().where(_own.c.id == staging.c.mirror_id, scope.in_destination(job, _own))
    connection.execute(
        update(staging)
        .where(rows, staging.c.origin != Origin.DELETED, not_(there), staging.c.code_key != "", not_(taken))
        .values(mirror_id=func.coalesce(by_code, staging.c.mirror_id))
    )


def _by_id(job: Job, record: Record) -> ScalarSelect[int]:
    """The mirror's record with a row's own id."""
    return (
        select(mirror.c.id)
        .where(scope.mirrored(job, record.name), mirror.c.provider_id == staging.c.provider_id)
        .scalar_subquery()
    )


def _hold(
    connection: Connection,
    job: Job,
    record: Record,
    condition: ColumnElement[bool],
    reason: str,
    detail: ColumnElement[str],
) -> None:
    _tell_held(record, reason, _mark_held(connection, job, record, condition, reason, detail))


def _hold_rows(connection: Connection, job: Job, record: Record, seqs: Sequence[int], reason: str) -> None:
    """Hold these rows, some at a time: no database takes a list of any length."""
    held = 0
    for start in range(0, len(seqs), _CHUNK):
        some = staging.c.seq.in_(seqs[start : start + _CHUNK])
        held += _mark_held(connection, job, record, some, reason, staging.c.code)
    _tell_held(record, reason, held)


def _mark_held(
    connection: Connection,
    job: Job,
    record: Record,
    condition: ColumnElement[bool],
    reason: str,
    detail: ColumnElement[str],
) -> int:
    return connection.execute(
        update(staging)
        .where(scope.open_rows(job, record.name), condition)
        .values(outcome=Outcome.HELD, reason=reason, detail=detail)
    ).rowcount


def _tell_held(record: Record, reason: str, held: int) -> None:
    if held:
        log.warning("%s %s records held: %s", held, record.label, reason)


def _hold_changed_codes(connection: Connection, job: Job, record: Record) -> None:
    """A known record with another code: OutSmart cannot rename, and must not get a silent twin; the mirror can.

    A code that is made of several fields is no name: the record under the old one is ended or left (see ``endings``).
    """
    if not job.delivers or record.kept or record.keys:
        return
    linked = and_(
        _other.c.id == staging.c.mirror_id,
        _other.c.provider_id == staging.c.provider_id,
        _other.c.link.not_in(BY_HAND),
    )
    changed = exists().where(linked, scope.in_destination(job, _other), _other.c.code_key != staging.c.code_key)
    old_code = select(_other.c.code).where(_other.c.id == staging.c.mirror_id).scalar_subquery()
    _hold(connection, job, record, changed, "code_changed", old_code)


def _hold_duplicates(connection: Connection, job: Job, record: Record) -> None:
    """Several records with one code: the one that is already in the destination goes on, the others are shown."""
    linked = exists().where(
        _own.c.id == staging.c.mirror_id, _own.c.provider_id == staging.c.provider_id, scope.taken_over(job, _own)
    )
    candidates = and_(scope.open_rows(job, record.name), staging.c.code_key != "", not_(linked))
    twins = {
        *_rivals_in_run(connection, job, record, candidates),
        *_rivals_in_mirror(connection, job, record, candidates),
    }
    _hold_rows(connection, job, record, sorted(twins), DUPLICATE)
    rivals.show_together(connection, job, record, sorted(twins))
    ambiguous = (
        select(_other.c.code_key)
        .where(scope.mirrored(job, record.name, _other), _other.c.provider_id.is_(None), _other.c.outsmart.is_not(None))
        .group_by(_other.c.code_key)
        .having(func.count() > 1)
        .subquery()
    )
    doubtful = select(staging.c.seq).join(ambiguous, ambiguous.c.code_key == staging.c.code_key).where(candidates)
    _hold_rows(connection, job, record, list(connection.execute(doubtful).scalars()), "duplicate_in_outsmart")


def _rivals_in_run(connection: Connection, job: Job, record: Record, candidates: ColumnElement[bool]) -> Iterable[int]:
    """Rows whose code another row of this run has."""
    here = and_(scope.open_rows(job, record.name), staging.c.code_key != "")
    repeated = select(staging.c.code_key).where(here).group_by(staging.c.code_key).having(func.count() > 1).subquery()
    query = select(staging.c.seq).join(repeated, repeated.c.code_key == staging.c.code_key).where(candidates)
    return connection.execute(query).scalars()


def _rivals_in_mirror(
    connection: Connection, job: Job, record: Record, candidates: ColumnElement[bool]
) -> Iterable[int]:
    """Rows whose code a record of the mirror claims; one that is held claims it unless this run judges it anew."""
    judged_anew = exists().where(
        _same_row.c.job_id == job.id,
        _same_row.c.record == record.name,
        _same_row.c.provider_id == _other.c.provider_id,
    )
    same_code = and_(scope.mirrored(job, record.name, _other), _other.c.code_key == staging.c.code_key)
    query = (
        select(staging.c.seq)
        .join(_other, same_code)
        .where(
            candidates,
            not_(scope.vacant(job, _other)),
            _other.c.provider_id != staging.c.provider_id,
            or_(scope.taken_over(job, _other), and_(scope.claims_code(job, _other), not_(judged_anew))),
        )
    )
    return connection.execute(query).scalars()


def _unlink_all_but_one(connection: Connection, job: Job, record: Record) -> None:
    """Of several rows that found one record by its code, the one that goes on keeps it; one that is held takes none."""
    first = func.row_number().over(
        partition_by=staging.c.mirror_id,
        order_by=(case((staging.c.outcome.is_(None), 0), else_=1), staging.c.seq),
    )
    by_code = and_(
        scope.staged(job), staging.c.record == record.name, _other.c.provider_id.is_distinct_from(staging.c.provider_id)
    )
    held = func.coalesce(staging.c.outcome == Outcome.HELD, False).label("held")
    found = select(staging.c.seq, held, first.label("place")).join(_other, _other.c.id == staging.c.mirror_id)
    numbered = found.where(by_code).subquery()
    connection.execute(
        update(staging)
        .where(
            scope.staged(job),
            staging.c.seq.in_(select(numbered.c.seq).where(or_(numbered.c.held, numbered.c.place > 1))),
        )
        .values(mirror_id=_by_id(job, record))
    )


def _compare(connection: Connection, job: Job, record: Record) -> None:
    """Create, update or unchanged, by fingerprint of what the destination got from us."""
    same = scope.destination_hash(job, _other) == staging.c.content_hash
    if record.parent is not None:
        # The fingerprint does not hold whose child it is; the mirror does, as far as it says what was delivered.
        same = and_(same, _other.c.state == MirrorState.SYNCED, _other.c.parent_id == staging.c.parent_id)
    if record.made_once:
        # A document that was cancelled or deleted is there, and not as it was.
        gone = or_(_other.c.source_gone_at.is_not(None), func.coalesce(_other.c.reason, "") == CANCELLED)
        same = and_(same, not_(gone))
    if record.keys:
        # Nor does it hold the codes of what a record refers to.
        same = and_(same, _other.c.code_key == staging.c.code_key)
    verdict = case(
        (not_(scope.in_destination(job, _other)), literal(Outcome.CREATE.value)),
        (same, literal(Outcome.UNCHANGED.value)),
        else_=literal(Outcome.UPDATE.value),
    )
    found = select(verdict).where(_other.c.id == staging.c.mirror_id).scalar_subquery()
    connection.execute(
        update(staging)
        .where(scope.open_rows(job, record.name), staging.c.origin != "part")
        .values(outcome=func.coalesce(found, literal(Outcome.CREATE.value)))
    )


def _compare_with_outsmart(store: Store, job: Job, record: Record) -> None:
    """Where OutSmart's own values are fresh, they decide: equal ones cost no call, edited ones are brought back.

    So they do, as far as we know them, where other rules leave out a field or add one: that alone is no news.
    """
    with store.read() as connection:
        fresh = was_read(connection, job, record)
    if record.made_once or (not fresh and record.active is None):
        return
    query = (
        select(
            staging.c.seq,
            staging.c.code_key,
            staging.c.payload,
            mirror.c.outsmart,
            _parent_code(job, record).label("parent_code"),
        )
        .join(mirror, mirror.c.id == staging.c.mirror_id)
        .where(
            scope.staged(job),
            staging.c.record == record.name,
            staging.c.outcome.in_((Outcome.UPDATE, Outcome.UNCHANGED)),
            mirror.c.outsmart.is_not(None),
        )
    )
    if not fresh:
        judged_otherwise = and_(mirror.c.judged_by != job.rules, mirror.c.state == MirrorState.SYNCED)
        query = query.where(staging.c.outcome == Outcome.UPDATE, judged_otherwise)
    with store.begin() as connection:
        for rows in staged_rows.chunks(connection, query, _CHUNK):
            found = references.resolve(connection, job, record, [decode(row.payload) for row in rows])
            same = [row.seq for row, others in zip(rows, found, strict=True) if _is_there(record, row, others)]
            equal = set(same)
            other = [row.seq for row in rows if row.seq not in equal]
            for outcome, seqs in ((Outcome.UNCHANGED, same), (Outcome.UPDATE, other)):
                if seqs:
                    connection.execute(
                        update(staging).where(scope.staged(job), staging.c.seq.in_(seqs)).values(outcome=outcome)
                    )


def _parent_code(job: Job, record: Record) -> ColumnElement[str | None]:
    """The code of a child's parent: OutSmart's own spelling where it is known there, else that of this run."""
    if record.parent is None:
        return cast(null(), Text)
    kept = select(func.min(_parent.c.code)).where(
        scope.mirrored(job, record.parent.record, _parent), _parent.c.provider_id == staging.c.parent_id
    )
    staged = select(func.min(_parent_row.c.code)).where(
        _parent_row.c.job_id == job.id,
        _parent_row.c.record == record.parent.record,
        _parent_row.c.provider_id == staging.c.parent_id,
    )
    return func.coalesce(kept.scalar_subquery(), staged.scalar_subquery())


def _is_there(record: Record, row: Row[Any], others: Mapping[str, Referred]) -> bool:
    """Whether OutSmart has a row already, under the same parent and with the same others."""
    there = decode(row.outsmart)
    if record.keys and code_key(record.code_of(there)) != row.code_key:
        return False
    if record.parent and code_key(str(there.get(record.parent.field, ""))) != code_key(row.parent_code or ""):
        return False
    payload = decode(row.payload)
    meant = references.named_or_new(record, payload, others, there)
    same = all(
        code_key(str(there.get(reference.fields[meant[reference.name].record], "")))
        == code_key(meant[reference.name].code)
        for reference in record.references
        if reference.name in meant
    )
    return same and holds(record, there, payload)


def holds(record: Record, there: Payload, wanted: Payload) -> bool:
    """Whether a record already has every value that we would write, apart from line ends and its code's spelling."""
    return all(
        comparable(there.get(name)) == comparable(value)
        for name, value in wanted.items()
        if name != record.code and record.travels(name)
    )
