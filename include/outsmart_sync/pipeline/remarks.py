"""Records out of use for which OutSmart has no flag: the log says so, once, and once more when they are in use again.

OutSmart's own text fields are left alone: what stands in them is the office's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, and_, func, not_, or_, select

from outsmart_sync.pipeline import merging, scope
from outsmart_sync.pipeline.outcomes import IN_USE_AGAIN, OUT_OF_USE, Outcome
from outsmart_sync.records.setting_kinds import REMARK_INACTIVE
from outsmart_sync.store.tables import record_log, staging

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from outsmart_sync.pipeline.job import Job
    from outsmart_sync.records.record import Record

_IN_OUTSMART = (Outcome.CREATE, Outcome.UPDATE, Outcome.UNCHANGED)


def remark(connection: Connection, job: Job, record: Record) -> None:
    """Log which of a run's records are blocked or out of their dates since, or in use again.

    Args:
        connection: The caller's transaction.
        job: Whose rows; they have been brought to the destination.
        record: Record type; one with a flag or a last day of its own needs no remark, and neither has one whose stream
            knows nothing of use.
    """
    stream = job.category.stream_of(record.name)
    told_there = record.active is not None or record.made_once or bool(record.ends)
    if told_there or not (stream.blocked or stream.valid) or not job.is_on(REMARK_INACTIVE):
        return
    there = and_(scope.staged(job), staging.c.record == record.name, staging.c.outcome.in_(_IN_OUTSMART))
    unused = or_(staging.c.blocked, scope.out_of_dates(job))
    said = func.coalesce(_last_said(job), IN_USE_AGAIN)
    for rows, event in ((unused, OUT_OF_USE), (not_(unused), IN_USE_AGAIN)):
        merging.log_event(connection, job, and_(there, rows, said != event), event, "")


def _last_said(job: Job) -> ColumnElement[str]:
    return (
        select(record_log.c.event)
        .where(
            record_log.c.connection_id == job.connection_id,
            record_log.c.record == staging.c.record,
            record_log.c.code == staging.c.code,
            record_log.c.provider_id == staging.c.provider_id,
            record_log.c.event.in_((OUT_OF_USE, IN_USE_AGAIN)),
        )
        .order_by(record_log.c.id.desc())
        .limit(1)
        .correlate(staging)
        .scalar_subquery()
    )
