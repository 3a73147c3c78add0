"""The two halves of a record of the mirror, what the package says and what OutSmart holds: joined, and parted again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from outsmart_sync.pipeline.outcomes import MirrorState
from outsmart_sync.records.values import code_key, decode
from outsmart_sync.store.tables import mirror

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from outsmart_sync.records.record import Record


def join(connection: Connection, ours: Row[Any], theirs: Row[Any]) -> None:
    """Make one record of two rows of the mirror; it keeps OutSmart's own code.

    Args:
        connection: The transaction.
        ours: The package's record, which OutSmart does not have as far as we know.
        theirs: OutSmart's record, which no record of the package claims.
    """
    connection.execute(delete(mirror).where(mirror.c.id == theirs.id))
    connection.execute(
        update(mirror)
        .where(mirror.c.id == ours.id)
        .values(
            code=theirs.code,
            code_key=theirs.code_key,
            outsmart=theirs.outsmart,
            outsmart_run_id=theirs.outsmart_run_id,
            delivered_hash=theirs.delivered_hash,
            deactivated_at=theirs.deactivated_at,
        )
    )


def split(connection: Connection, record: Record, rows: Sequence[Row[Any]]) -> None:
    """Make two of each of these rows of the mirror: the package's record, by its own code, and OutSmart's."""
    if not rows:
        return
    for row in rows:  # few: they were found to be two one by one
        code = own_code(record, row)
        connection.execute(
            update(mirror)
            .where(mirror.c.id == row.id)
            .values(code=code, code_key=code_key(code), outsmart=None, delivered_hash=None, deactivated_at=None)
        )
    connection.execute(insert(mirror), [_of_outsmart(record, row) for row in rows])


def own_code(record: Record, row: Row[Any]) -> str:
    """The code that the package gives a record of the mirror, which may be linked to another one in OutSmart."""
    return str(decode(row.payload).get(record.code, "")) if row.payload else ""


def rows_of(connection: Connection, ids: Sequence[int]) -> list[Row[Any]]:
    """These rows of the mirror."""
    return list(connection.execute(select(mirror).where(mirror.c.id.in_(ids))))


def _of_outsmart(record: Record, row: Row[Any]) -> dict[str, Any]:
    title = decode(row.outsmart).get(record.title)
    return {
        "connection_id": row.connection_id,
        "record": row.record,
        "code": row.code,
        "code_key": row.code_key,
        "title": None if title is None else str(title),
        "outsmart": row.outsmart,
        "outsmart_run_id": row.outsmart_run_id,
        "state": MirrorState.OUTSMART_ONLY,
        "first_run_id": row.first_run_id,
        "run_id": row.run_id,
    }
