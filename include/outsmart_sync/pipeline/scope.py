"""What the steps' statements have in common: whose rows they are, and what counts as being in the destination."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, case, exists, false, func, null, or_, select

from outsmart_sync.pipeline.outcomes import BY_HAND, DUPLICATE, MirrorState
from outsmart_sync.records.staged import Origin
from outsmart_sync.store.tables import mirror, staging

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy.sql.selectable import FromClause

    from outsmart_sync.pipeline.job import Job


def staged(job: Job) -> ColumnElement[bool]:
    """The job's rows in staging."""
    return staging.c.job_id == job.id


def open_rows(job: Job, record: str) -> ColumnElement[bool]:
    """The job's rows of a record type that nothing has been decided about."""
    return and_(staged(job), staging.c.record == record, staging.c.outcome.is_(None))


def mirrored(job: Job, record: str, table: FromClause = mirror) -> ColumnElement[bool]:
    """The connection's records of a type in the mirror."""
    return and_(table.c.connection_id == job.connection_id, table.c.record == record)


def out_of_dates(job: Job) -> ColumnElement[bool]:
    """Whether a staged row has ended, or has not begun; never NULL, so that it can be negated."""
    late, over = staging.c.valid_from > job.today, staging.c.valid_until < job.today
    return or_(func.coalesce(late, false()), func.coalesce(over, false()))


def in_destination(job: Job, table: FromClause = mirror) -> ColumnElement[bool]:
    """Whether a record is known to be in the destination: OutSmart or, where there is no account, the mirror."""
    if job.delivers:
        return or_(table.c.outsmart.is_not(None), table.c.delivered_hash.is_not(None))
    return table.c.state == MirrorState.SYNCED


def taken_over(job: Job, table: FromClause = mirror) -> ColumnElement[bool]:
    """Whether we ourselves have brought a record of the mirror to the destination, or a person said that it is ours."""
    if job.delivers:
        return or_(table.c.delivered_hash.is_not(None), table.c.link.in_(BY_HAND))
    return table.c.state == MirrorState.SYNCED


def vacant(job: Job, table: FromClause = mirror) -> ColumnElement[bool]:
    """Whether no record of the package claims one of the mirror: only OutSmart has it, or the package deleted its own.

    A deletion counts from the moment it is staged, so that a record made anew under the same code takes over at once.
    """
    deletion = staging.alias("deletion")
    deleted_now = exists().where(
        deletion.c.job_id == job.id,
        deletion.c.record == table.c.record,
        deletion.c.provider_id == table.c.provider_id,
        deletion.c.origin == Origin.DELETED,
    )
    return or_(table.c.provider_id.is_(None), table.c.source_gone_at.is_not(None), deleted_now)


def held(job: Job, record: str) -> ColumnElement[str | None]:
    """What OutSmart holds of the record that a staged row is: found by its id, else by its code."""
    by_id = mirror.c.provider_id == staging.c.provider_id
    by_code = and_(mirror.c.code_key == staging.c.code_key, vacant(job))
    return func.coalesce(
        *(
            select(func.min(mirror.c.outsmart)).where(mirrored(job, record), found).scalar_subquery()
            for found in (by_id, by_code)
        )
    )


def claims_code(job: Job, table: FromClause = mirror) -> ColumnElement[bool]:
    """Whether a record of the mirror keeps others of its code out: it was brought there, or is held for that code."""
    held = and_(table.c.state == MirrorState.HELD, table.c.reason == DUPLICATE)
    return or_(taken_over(job, table), held)


def destination_hash(job: Job, table: FromClause = mirror) -> ColumnElement[str | None]:
    """Fingerprint of what the destination got from us; null when it got nothing."""
    if job.delivers:
        return table.c.delivered_hash
    return case((table.c.state == MirrorState.SYNCED, table.c.content_hash), else_=null())
