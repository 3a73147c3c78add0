"""Tells work orders what has become of their orders elsewhere, such as that goods were delivered.

OutSmart changes little of a work order that is there: a work status can say it. The words go into the sync log, beside
what else happened to that work order; where it is only made later, they go along with it.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, exists, insert, or_, select, update

from outsmart_sync.errors import RecordError
from outsmart_sync.pipeline import marks, merging, overtaken, references, scope
from outsmart_sync.pipeline.outcomes import REFERENCE_LEFT_OUT, REFUSED, MirrorState, Outcome
from outsmart_sync.records.exchange import Stage
from outsmart_sync.records.order import DELIVERED_STATUS
from outsmart_sync.records.record import BY_CODE, REMOTE_ID
from outsmart_sync.records.values import Payload, decode
from outsmart_sync.records.work_order import WORK_ORDER
from outsmart_sync.store import dialect, ledger
from outsmart_sync.store.tables import mirror, record_log, staging

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Row

    from outsmart_sync.pipeline.job import Job
    from outsmart_sync.pipeline.ports import Destination
    from outsmart_sync.records.record import Record
    from outsmart_sync.records.streams import Referred
    from outsmart_sync.store.store import Store

log = logging.getLogger(__name__)

TOLD, WITHDRAWN = "delivered", "withdrawn"
"""Lines of the sync log about the work order."""

_AT_ONCE = 100
_STATUS_GIVEN = "delivered_status"
_WRITTEN = (Outcome.CREATE, Outcome.UPDATE)
_known = mirror.alias("known")


def tell(store: Store, job: Job, record: Record, destination: Destination | None) -> None:
    """Tell each document what a record says about it, and keep that it was told.

    Raises:
        ConfigurationError: OutSmart refuses our tokens.
        TransientError: OutSmart does not answer; this may be run again and goes on where it stopped.
        Busy: Another run has done it in the meantime.
    """
    with store.begin() as connection:
        after = marks.reached(connection, job, marks.DELIVERED, record)
        written = and_(scope.staged(job), staging.c.record == record.name, staging.c.outcome.in_(_WRITTEN))
        references.judge(connection, job, record, and_(written, staging.c.seq > after))
    while True:
        with store.read() as connection:
            rows = connection.execute(_rows(job, record).where(staging.c.seq > after)).all()
            found = references.resolve(connection, job, record, [decode(row.payload) for row in rows])
        if not rows:
            return
        overtaken.require_latest(store, job)
        for row, others in zip(rows, found, strict=True):
            _tell(store, job, record, destination, row, others.get(record.tells))
            after = row.seq


def beforehand(connection: Connection, job: Job, name: str) -> dict[str, list[str]]:
    """What there is to tell of documents that have not been made: code, as it is compared → texts, oldest first."""
    left_out = and_(mirror.c.state == MirrorState.EXCLUDED, mirror.c.reason == REFERENCE_LEFT_OUT)
    query = select(mirror.c.parent_id, mirror.c.title).where(
        scope.mirrored(job, name),
        or_(mirror.c.state == MirrorState.WAITING, left_out),
        mirror.c.source_gone_at.is_(None),
        mirror.c.title.is_not(None),
    )
    found: dict[str, list[str]] = defaultdict(list)
    for row in connection.execute(query.order_by(mirror.c.title)):
        found[str(row.parent_id).removeprefix(BY_CODE)].append(row.title)
    return found


def with_texts(body: Payload, texts: list[str]) -> Payload:
    """A work order with what is to be told, where only the employee reads it."""
    if not texts:
        return body
    own = str(body.get("internal_description", ""))
    return {**body, "internal_description": "\n".join([own, *texts] if own else texts)}


def _rows(job: Job, record: Record) -> Any:
    """What is to be told, and what was told and does not hold any more."""
    told = exists().where(
        _known.c.id == staging.c.mirror_id, _known.c.state == MirrorState.SYNCED, _known.c.source_gone_at.is_(None)
    )
    withdrawn = and_(staging.c.outcome == Outcome.DELETED, told)
    return (
        select(staging.c.seq, staging.c.code, staging.c.title, staging.c.payload, staging.c.outcome)
        .where(scope.staged(job), staging.c.record == record.name, or_(staging.c.outcome.in_(_WRITTEN), withdrawn))
        .order_by(staging.c.seq)
        .limit(_AT_ONCE)
    )


def _tell(
    store: Store, job: Job, record: Record, destination: Destination | None, row: Row[Any], other: Referred | None
) -> None:
    here = and_(scope.staged(job), staging.c.seq == row.seq)
    given, refused = False, ""
    if other is not None and row.outcome != Outcome.DELETED:
        try:
            given = destination is not None and _give_status(store, job, destination, other)
        except RecordError as error:
            refused = error.what.rstrip(".") or error.technical
            log.warning("%s %s: the work order was not changed: %s", record.label, row.code, error.technical)
    with store.begin() as connection:
        if refused:
            values = {"outcome": Outcome.REJECTED.value, "reason": REFUSED, "detail": refused}
            connection.execute(update(staging).where(here).values(**values))
        else:
            _keep(connection, job, record, row, here)
            if other is not None:
                _note(connection, job, row, other)
            if given and other is not None:
                ledger.begin(
                    connection,
                    job.account,
                    _STATUS_GIVEN,
                    other.code,
                    connection_id=job.connection_id,
                    run_id=job.run_id,
                )
                ledger.done(connection, job.account, _STATUS_GIVEN, other.code, _id(other), job.run_id)
        marks.note(connection, job, marks.DELIVERED, record, row.seq)


def _keep(connection: Connection, job: Job, record: Record, row: Row[Any], here: ColumnElement[bool]) -> None:
    if row.outcome == Outcome.DELETED:
        return
    merging.log_changes(connection, job, record, here)
    merging.log_events(connection, job, and_(here, staging.c.outcome == Outcome.CREATE))
    merging.merge(connection, job, here, state_of_written=True, kept=True)


def _give_status(store: Store, job: Job, destination: Destination, other: Referred) -> bool:
    """Give a work order the chosen status, once, while nobody has begun; returns whether it was given."""
    status = str(job.settings.get(DELIVERED_STATUS) or "")
    if not status or not _id(other):
        return False
    with store.read() as connection:
        if ledger.find(connection, job.account, _STATUS_GIVEN, other.code) is not None:
            return False
    document = destination.get(WORK_ORDER, _id(other))
    if document is None or document.stage is not Stage.NEW:
        return False
    destination.change(WORK_ORDER, document.remote_id, {"work_status": status})
    log.info("Work order %s has the work status %s now", other.code, status)
    return True


def _id(other: Referred) -> str:
    return str(other.payload.get(REMOTE_ID, ""))


def _note(connection: Connection, job: Job, row: Row[Any], other: Referred) -> None:
    """A line of the sync log about the work order."""
    event = WITHDRAWN if row.outcome == Outcome.DELETED else TOLD
    connection.execute(
        insert(record_log).values(
            connection_id=job.connection_id,
            run_id=job.run_id,
            category=job.category.name,
            record=other.record,
            provider_id=other.provider_id or None,
            code=other.code,
            event=event,
            reason=event,
            detail=row.title,
            at=dialect.now(connection),
        )
    )
