"""What a person decided about single records: dismissed until they change, or on hold until they are released."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, exists, or_, select, update

from outsmart_sync.pipeline import scope
from outsmart_sync.pipeline.outcomes import DISMISSED, HELD_BY_HAND, Link, Outcome
from outsmart_sync.records.staged import Origin
from outsmart_sync.store.tables import mirror, staging

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

    from outsmart_sync.pipeline.job import Job
    from outsmart_sync.records.record import Record


def respect(connection: Connection, job: Job, record: Record) -> None:
    """Keep what a person put on hold, and leave out what they dismissed as long as it is the same."""
    decided = (Link.ON_HOLD, Link.DISMISSED)
    if not connection.execute(
        select(exists().where(scope.mirrored(job, record.name), mirror.c.link.in_(decided)))
    ).scalar_one():
        return
    _set(connection, job, record, _own(job, record, Link.ON_HOLD), Outcome.HELD, HELD_BY_HAND)
    same = and_(_own(job, record, Link.DISMISSED), mirror.c.content_hash == staging.c.content_hash)
    _set(connection, job, record, same, Outcome.EXCLUDED, DISMISSED)
    _forget_what_changed(connection, job, record)


def _own(job: Job, record: Record, link: Link) -> ColumnElement[bool]:
    return and_(
        scope.mirrored(job, record.name), mirror.c.provider_id == staging.c.provider_id, mirror.c.link == link.value
    )


def _set(
    connection: Connection, job: Job, record: Record, decided: ColumnElement[bool], outcome: Outcome, reason: str
) -> None:
    may_still_go = or_(
        staging.c.outcome.is_(None), staging.c.outcome.in_((Outcome.REJECTED, Outcome.WAITING, Outcome.HELD))
    )
    connection.execute(
        update(staging)
        .where(
            scope.staged(job),
            staging.c.record == record.name,
            staging.c.origin != Origin.DELETED,
            may_still_go,
            exists().where(decided),
        )
        .values(outcome=outcome, reason=reason, detail=None)
    )


def _forget_what_changed(connection: Connection, job: Job, record: Record) -> None:
    """A dismissed record that has changed is judged as any other from now on."""
    changed = exists().where(
        scope.staged(job),
        staging.c.record == record.name,
        staging.c.provider_id == mirror.c.provider_id,
        staging.c.content_hash != mirror.c.content_hash,
    )
    connection.execute(
        update(mirror)
        .where(scope.mirrored(job, record.name), mirror.c.link == Link.DISMISSED.value, changed)
        .values(link="")
    )
