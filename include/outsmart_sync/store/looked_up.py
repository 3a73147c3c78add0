"""What was looked up at a package for exports, so that it is not asked again soon."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import and_, delete, or_, select

from outsmart_sync.store import dialect
from outsmart_sync.store.tables import looked_up as table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

KEPT = timedelta(days=1)
"""So long what was found counts."""

MISSES_KEPT = timedelta(minutes=30)
"""So long what was not found is not asked for again, unless a person starts the run: somebody may be making it."""

_CHUNK = 500


def read(connection: Connection, connection_id: int, entity: str, keys: Sequence[str]) -> dict[str, str]:
    """What is known by these codes: key → facts as text; '' for what was not there."""
    now = dialect.now(connection)
    counts = or_(table.c.at > now - MISSES_KEPT, and_(table.c.at > now - KEPT, table.c.facts != ""))
    found: dict[str, str] = {}
    for start in range(0, len(keys), _CHUNK):
        query = select(table.c.code_key, table.c.facts).where(
            table.c.connection_id == connection_id,
            table.c.entity == entity,
            table.c.code_key.in_(keys[start : start + _CHUNK]),
            counts,
        )
        found |= {row.code_key: row.facts for row in connection.execute(query)}
    return found


def keep(connection: Connection, connection_id: int, entity: str, found: Mapping[str, tuple[str, str]]) -> None:
    """Keep what a look-up said: key → the package's id and facts as text, both '' for what was not there."""
    now = dialect.now(connection)
    for key, (remote_id, facts) in found.items():
        values = {"remote_id": remote_id, "facts": facts, "at": now}
        statement = dialect.upsert(connection, table).values(
            connection_id=connection_id, entity=entity, code_key=key, **values
        )
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=[table.c.connection_id, table.c.entity, table.c.code_key], set_=values
            )
        )


def forget_missing(connection: Connection, connection_id: int) -> None:
    """Forget what was not there, so that it is asked for again."""
    connection.execute(delete(table).where(table.c.connection_id == connection_id, table.c.remote_id == ""))
