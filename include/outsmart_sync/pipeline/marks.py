"""How far the last step of a job has come, record type by record type, so that it goes on there when run again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete

from outsmart_sync.store import runs
from outsmart_sync.store.runs import Progress
from outsmart_sync.store.tables import extract_progress

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from outsmart_sync.pipeline.job import Job
    from outsmart_sync.records.record import Record

DELIVERED = "delivered"
"""Rows up to this place have been brought to the destination."""

KEPT = "kept"
"""What was decided about rows that are not delivered has been kept."""

_BEFORE_ALL = -1


def reached(connection: Connection, job: Job, mark: str, record: Record) -> int:
    """Place of the last row that is done with; -1: none is."""
    progress = runs.progress_of(connection, job.id)
    found = progress.get(f"{mark}:{record.name}")
    return _BEFORE_ALL if found is None else found.read


def note(connection: Connection, job: Job, mark: str, record: Record, place: int) -> None:
    """Note a place; part of the transaction that did the work."""
    runs.save_progress(connection, job.id, f"{mark}:{record.name}", Progress(None, "", 0, place))


def forget(connection: Connection, job: Job) -> None:
    """An earlier step was run again: the last step begins anew."""
    names = [f"{mark}:{record.name}" for mark in (DELIVERED, KEPT) for record in job.category.records]
    connection.execute(
        delete(extract_progress).where(extract_progress.c.job_id == job.id, extract_progress.c.stream.in_(names))
    )
