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
    ours, theirs = [], []
    for row in rows:
        code = own_code(record, row)
        ours.append({"id_": row.id, "code_": code, "key_": code_key(code)})
        theirs.append(_of_outsmart(record, row))
    for place in ours:  # few: what is parted was found to be two, one by one
        connection.execute(
            update(mirror)
            .where(mirror.c.id == place["id_"])
            .values(
                code=place["code_"], code_key=place["key_"], outsmart=None, delivered_hash=None, deactivated_at=None
            )
        )
    connection.execute(insert(mirror), theirs)


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
