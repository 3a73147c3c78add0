"""Rows in staging: bulk loading, and the conditions that every step's statements share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, func, select

from outsmart_sync.records.staged import StagedRow
from outsmart_sync.store import dialect
from outsmart_sync.store.tables import staging

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Row

KEY_COLUMNS = ("run_id", "connection_id", "category", "seq")
COLUMNS = (*KEY_COLUMNS, *StagedRow._fields)


def scope(run_id: int, connection_id: int, category: str) -> ColumnElement[bool]:
    """The staged rows of one category of one connection in one run."""
    return and_(staging.c.run_id == run_id, staging.c.connection_id == connection_id, staging.c.category == category)


def next_seq(connection: Connection, here: ColumnElement[bool]) -> int:
    """The first free place."""
    last = connection.execute(select(func.max(staging.c.seq)).where(here)).scalar_one()
    return 0 if last is None else last + 1


def load(connection: Connection, key: tuple[int, int, str], first_seq: int, rows: Iterable[StagedRow]) -> int:
    """Load rows; part of the caller's transaction.

    Args:
        connection: The transaction.
        key: Run, connection, category.
        first_seq: Place of the first row.
        rows: What to load.

    Returns:
        The next free place.
    """
    placed = [(*key, seq, *row) for seq, row in enumerate(rows, first_seq)]
    if placed:
        dialect.bulk_insert(connection, staging, COLUMNS, placed)
    return first_seq + len(placed)


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


def remove(connection: Connection, here: ColumnElement[bool], origin: str) -> None:
    """Remove the rows of one origin."""
    connection.execute(delete(staging).where(here, staging.c.origin == origin))
