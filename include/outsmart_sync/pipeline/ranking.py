"""Of several records that make up one code, such as the quantity steps of a price, lets the first in rank come.

They are judged together: when one of them is, so are the others, out of the mirror. What OutSmart holds under their
code is handed over to the one that comes, so that it is changed there and does not end and begin anew.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, case, exists, func, insert, literal, not_, null, or_, select, update

from outsmart_sync.pipeline import pending, references, scope
from outsmart_sync.pipeline.outcomes import MirrorState, Outcome
from outsmart_sync.records.staged import RANK, RANK_LENGTH, tag
from outsmart_sync.store import dialect, staged_rows
from outsmart_sync.store.tables import mirror, staging

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Select

    from outsmart_sync.pipeline.job import Job
    from outsmart_sync.records.record import Record

log = logging.getLogger(__name__)

_CHUNK = 500
_HELD = ("outsmart", "outsmart_run_id", "delivered_hash", "content_hash", "state", "code", "code_key")
_NOT_COPIED = ("id", "link", "deactivated_at")
_known = mirror.alias("known")
_row = staging.alias("row")
_winner = mirror.alias("winner")
_loser = staging.alias("loser")


def bring_rivals(connection: Connection, job: Job, record: Record) -> None:
    """Stage the mirror's records with a code that a staged one has, or had; those that were left out for it, too."""
    if not job.category.stream_of(record.name).ranked:
        return
    references.name(connection, job, record, staging.c.outcome.is_(None))
    here = and_(scope.staged(job), staging.c.record == record.name)
    keys = select(staging.c.code_key).where(here, staging.c.code_key != "")
    own = and_(scope.mirrored(job, record.name, _known), _known.c.provider_id == staging.c.provider_id)
    old_keys = select(_known.c.code_key).join(staging, own).where(here, _known.c.code_key != "")
    already = exists().where(
        _row.c.job_id == job.id, _row.c.record == record.name, _row.c.provider_id == mirror.c.provider_id
    )
    query = select(mirror).where(
        scope.mirrored(job, record.name),
        mirror.c.provider_id.is_not(None),
        mirror.c.source_gone_at.is_(None),
        mirror.c.code_key.in_(keys.union(old_keys)),
        not_(already),
    )
    rivals = connection.execute(query.order_by(mirror.c.id)).all()
    for start in range(0, len(rivals), _CHUNK):
        some = rivals[start : start + _CHUNK]
        staged_rows.load(connection, job.id, [pending.again(job, record, row) for row in some])


def choose(connection: Connection, job: Job, record: Record) -> None:
    """Leave out every row that is still in the running and has one before it in rank."""
    ranked = job.category.stream_of(record.name).ranked
    if not ranked:
        return
    place = func.row_number().over(
        partition_by=staging.c.code_key,
        order_by=(
            case((staging.c.valid_until < job.today, 1), else_=0),
            _rank(connection),
            staging.c.provider_id,
        ),
    )
    numbered = (
        select(staging.c.seq, place.label("place"))
        .where(scope.open_rows(job, record.name), staging.c.code_key != "")
        .subquery()
    )
    later = select(numbered.c.seq).where(numbered.c.place > 1)
    left_out = connection.execute(
        update(staging)
        .where(scope.staged(job), staging.c.seq.in_(later))
        .values(outcome=Outcome.EXCLUDED, reason=ranked.reason, detail=None)
    ).rowcount
    if left_out:
        log.info("%s %s records excluded: %s", left_out, record.label, ranked.reason)
    _hand_over(connection, job, record)


def _rank(connection: Connection) -> ColumnElement[str]:
    """A row's rank, out of its tags: figures of one length, so that they compare as texts do."""
    begin = tag(RANK, "")
    found = dialect.position(connection, staging.c.tags, begin)
    return func.substr(staging.c.tags, found + len(begin), RANK_LENGTH)


def _hand_over(connection: Connection, job: Job, record: Record) -> None:
    """Give what OutSmart holds of a record that is left out to the one that goes there under its code."""
    for pair in connection.execute(_pairs(job, record)).all():
        loser = mirror.c.id == pair.id
        held = {name: getattr(pair, name) for name in _HELD}
        if pair.winner_id is None:
            copied = {column.name: column for column in mirror.c if column.name not in _NOT_COPIED}
            values = {**copied, "provider_id": literal(pair.provider_id), "parent_id": null()}
            connection.execute(insert(mirror).from_select(list(values), select(*values.values()).where(loser)))
        else:
            connection.execute(update(mirror).where(mirror.c.id == pair.winner_id).values(held))
        given_up = dict.fromkeys(("outsmart", "delivered_hash", "reason", "detail"))
        connection.execute(update(mirror).where(loser).values({**given_up, "state": MirrorState.EXCLUDED}))


def _pairs(job: Job, record: Record) -> Select[Any]:
    """Rows that go, each with the record of the mirror whose place they take; that one is left out in this run."""
    in_run = and_(_loser.c.job_id == job.id, _loser.c.record == record.name, _loser.c.outcome == Outcome.EXCLUDED)
    own = and_(scope.mirrored(job, record.name, _winner), _winner.c.provider_id == staging.c.provider_id)
    return (
        select(staging.c.provider_id, _winner.c.id.label("winner_id"), mirror.c.id, *(mirror.c[name] for name in _HELD))
        .select_from(staging)
        .join(mirror, and_(scope.mirrored(job, record.name), mirror.c.code_key == staging.c.code_key))
        .join(_loser, and_(in_run, _loser.c.provider_id == mirror.c.provider_id))
        .outerjoin(_winner, own)
        .where(
            scope.open_rows(job, record.name),
            staging.c.code_key != "",
            scope.taken_over(job),
            mirror.c.source_gone_at.is_(None),
            or_(_winner.c.id.is_(None), not_(scope.in_destination(job, _winner))),
        )
    )
