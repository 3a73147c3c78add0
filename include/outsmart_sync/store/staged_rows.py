"""Rows in staging: bulk loading, and the conditions that every step's statements share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, select

from outsmart_sync.records.staged import StagedRow
from outsmart_sync.store import dialect
from outsmart_sync.store.tables import staging

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

COLUMNS = ("job_id", "seq", *StagedRow._fields)


def next_seq(connection: Connection, job_id: int) -> int:
    """The first free place of a job."""
    last = connection.execute(select(func.max(staging.c.seq)).where(staging.c.job_id == job_id)).scalar_one()
    return 0 if last is None else last + 1


def load(connection: Connection, job_id: int, rows: Iterable[StagedRow]) -> int:
    """Load rows behind those that a job has staged; part of the caller's transaction. Returns how many."""
    first = next_seq(connection, job_id)
    placed = [(job_id, seq, *row) for seq, row in enumerate(rows, first)]
    if placed:
        dialect.bulk_insert(connection, staging, COLUMNS, placed)
    return len(placed)


def chunks(connection: Connection, query: Any, size: int) -> Iterator[list[Row[Any]]]:
    """The rows of a query over staging, in chunks by ``seq``, which it must select.

    Each chunk is a query of its own, so rows may be changed or removed between two of them.
    """
    after = -1
    while True:
        rows = connection.execute(query.where(staging.c.seq > after).order_by(staging.c.seq).limit(size)).all()
        if not rows:
            return
        yield list(rows)
        after = rows[-1].seq


def remove(connection: Connection, job_id: int, origin: str) -> None:
    """Remove a job's rows of one origin."""
    connection.execute(delete(staging).where(staging.c.job_id == job_id, staging.c.origin == origin))
