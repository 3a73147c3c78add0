"""Cursors: how far a category has read each of its streams.

A cursor moves only in the transaction that also stores the last of what was read, see ``pipeline.upsert``.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update

from outsmart_sync.store import dialect
from outsmart_sync.store.tables import cursor

if TYPE_CHECKING:
    from sqlalchemy import Connection

RESTARTED = "restarted"
"""Stands among a category's cursors where it was told to begin anew, with another value each time."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """A position in a stream, in the package's own terms, and when it was last confirmed."""

    value: str
    moved_at: datetime


def read_all(connection: Connection, connection_id: int, category: str) -> dict[str, Cursor]:
    """A category's cursors by stream."""
    rows = connection.execute(
        select(cursor).where(cursor.c.connection_id == connection_id, cursor.c.category == category)
    )
    return {row.stream: Cursor(row.value, row.moved_at) for row in rows}


def move(connection: Connection, connection_id: int, category: str, positions: dict[str, str]) -> None:
    """Set cursors; part of the caller's transaction."""
    now = dialect.now(connection)
    for stream, value in positions.items():
        insert = dialect.upsert(connection, cursor).values(
            connection_id=connection_id, category=category, stream=stream, value=value, moved_at=now
        )
        connection.execute(
            insert.on_conflict_do_update(
                index_elements=[cursor.c.connection_id, cursor.c.category, cursor.c.stream],
                set_={"value": value, "moved_at": now},
            )
        )


def move_on(
    connection: Connection, connection_id: int, category: str, positions: dict[str, str], seen: Mapping[str, Cursor]
) -> None:
    """Set cursors that are still where they were seen; whoever moved one meanwhile knows better."""
    now = dialect.now(connection)
    for stream, value in positions.items():
        connection.execute(
            update(cursor)
            .where(
                cursor.c.connection_id == connection_id,
                cursor.c.category == category,
                cursor.c.stream == stream,
                cursor.c.value == seen[stream].value,
            )
            .values(value=value, moved_at=now)
        )


def restart(connection: Connection, connection_id: int, category: str) -> None:
    """Let a category read its streams from their beginning; who reads them just now sees it by :data:`RESTARTED`."""
    connection.execute(delete(cursor).where(cursor.c.connection_id == connection_id, cursor.c.category == category))
    move(connection, connection_id, category, {RESTARTED: uuid.uuid4().hex})


def confirm(connection: Connection, connection_id: int, category: str, older_than: timedelta) -> None:
    """Say that nothing lies after a category's cursors; written only where that was last said long ago."""
    now = dialect.now(connection)
    connection.execute(
        update(cursor)
        .where(
            cursor.c.connection_id == connection_id, cursor.c.category == category, cursor.c.moved_at < now - older_than
        )
        .values(moved_at=now)
    )
