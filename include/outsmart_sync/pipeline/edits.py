"""What a full run is going to write over: records that somebody edited in OutSmart since we last brought them there.

Said before anything is written, in a preview too: how many there are, the first of them in the task's log, each of them
with its fields in the sync log.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import delete, select

from outsmart_sync.pipeline import merging, scope
from outsmart_sync.pipeline.outcomes import EDITED, Outcome
from outsmart_sync.pipeline.outsmart_read import was_read
from outsmart_sync.records.record import Record
from outsmart_sync.records.values import Payload, code_key, comparable, decode
from outsmart_sync.store import dialect, runs, staged_rows
from outsmart_sync.store.tables import mirror, record_log, staging

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from outsmart_sync.pipeline.job import Job
    from outsmart_sync.store.store import Store

log = logging.getLogger(__name__)

EVENT = "edited"
LISTED = 50
"""So many are listed in a task's log; the sync log has them all."""

_CHUNK = 1_000
_COLUMNS = (
    "connection_id", "run_id", "category", "record", "provider_id", "code",
    "event", "reason", "detail", "changes", "at",
)  # fmt: skip

Changes = dict[str, list[str | bool | None]]


def tell(store: Store, job: Job) -> None:
    """Say which records that were edited in OutSmart a full run writes over; the step may be run again."""
    if not (job.options.full and job.delivers):
        return
    listed: list[str] = []
    number = 0
    with store.begin() as connection:
        _forget(connection, job)
        for record in job.category.records:
            if was_read(connection, job, record) and not record.made_once:  # a document is never written over
                number += _tell_record(connection, job, record, listed)
        runs.change_category(connection, job.id, edited=number)
    if number:
        log.warning(
            "%s: %s records were edited in OutSmart since they were last brought there, and get the package's values: "
            "%s%s",
            job.category.label,
            number,
            "; ".join(listed),
            f"; and {number - len(listed)} more, see the sync log" if number > len(listed) else "",
        )


def _forget(connection: Connection, job: Job) -> None:
    connection.execute(
        delete(record_log).where(
            record_log.c.run_id == job.run_id,
            record_log.c.connection_id == job.connection_id,
            record_log.c.category == job.category.name,
            record_log.c.event == EVENT,
        )
    )


def _tell_record(connection: Connection, job: Job, record: Record, listed: list[str]) -> int:
    now = dialect.now(connection)
    number = 0
    for rows in staged_rows.chunks(connection, _overwritten(job, record), _CHUNK):
        lines = []
        for row in rows:
            found = edited(record, row)
            if not found:
                continue
            labels = ", ".join(record.field(name).label for name in found)
            if len(listed) < LISTED:
                listed.append(f"{record.label} {row.code} ({labels})")
            text = msgspec.json.encode(found, order="sorted").decode()
            about = (job.connection_id, job.run_id, job.category.name, record.name, row.provider_id, row.code)
            lines.append((*about, EVENT, EDITED, labels, text, now))
        if lines:
            dialect.bulk_insert(connection, record_log, _COLUMNS, lines)
        number += len(lines)
    return number


def _overwritten(job: Job, record: Record) -> Any:
    """Rows that will be brought to OutSmart again, with what we said last and what OutSmart holds now."""
    return (
        select(
            staging.c.seq,
            staging.c.provider_id,
            staging.c.payload,
            staging.c.parent_id,
            mirror.c.code,
            mirror.c.payload.label("last"),
            mirror.c.outsmart,
            mirror.c.deactivated_at,
            mirror.c.parent_id.label("last_parent"),
            merging.parent_code(job, record).label("parent_code"),
        )
        .join(mirror, mirror.c.id == staging.c.mirror_id)
        .where(
            scope.staged(job),
            staging.c.record == record.name,
            staging.c.outcome == Outcome.UPDATE,
            mirror.c.outsmart.is_not(None),
            mirror.c.delivered_hash.is_not(None),
            mirror.c.payload.is_not(None),
        )
    )


def edited(record: Record, row: Row[Any]) -> Changes:
    """Field → OutSmart's value and ours, where OutSmart has another one than the package says, or said last."""
    there, last, wanted = decode(row.outsmart), decode(row.last), decode(row.payload)
    found: Changes = {
        name: [there.get(name), value]
        for name, value in wanted.items()
        if name != record.code
        and record.travels(name)
        and comparable(there.get(name)) not in (comparable(value), comparable(last.get(name)))
    }
    if row.deactivated_at is not None and record.active:
        found.pop(record.active, None)  # that was us
    return found | _moved(record, row, there)


def _moved(record: Record, row: Row[Any], there: Payload) -> Changes:
    """A child that somebody gave another parent in OutSmart."""
    if record.parent is None or row.parent_code is None or row.parent_id != row.last_parent:
        return {}
    parent = there.get(record.parent.field)
    if code_key(str(parent or "")) == code_key(row.parent_code):
        return {}
    return {record.parent.field: [parent, row.parent_code]}
