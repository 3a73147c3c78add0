"""Records that share a code: each that is held for it says which ones they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, select, update

from outsmart_sync.pipeline import scope
from outsmart_sync.records.staged import Origin
from outsmart_sync.store.tables import mirror, staging

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from outsmart_sync.pipeline.job import Job
    from outsmart_sync.records.record import Record

_CHUNK = 500
_NAMED = 5


def show_together(connection: Connection, job: Job, record: Record, seqs: Sequence[int]) -> None:
    """Put to staged rows, as their detail, all records that have their code: code and title of each.

    Args:
        connection: The caller's transaction.
        job: Whose rows.
        record: Their type.
        seqs: Which of them; those that are held for their code.
    """
    for start in range(0, len(seqs), _CHUNK):
        query = select(staging.c.seq, staging.c.code_key).where(
            scope.staged(job), staging.c.seq.in_(seqs[start : start + _CHUNK])
        )
        keys: dict[int, str] = {row.seq: row.code_key for row in connection.execute(query)}
        words = _words(connection, job, record, sorted(set(keys.values())))
        told = [{"seq_": seq, "detail_": words[key]} for seq, key in keys.items() if key in words]
        if told:
            one = and_(scope.staged(job), staging.c.seq == bindparam("seq_"))
            connection.execute(update(staging).where(one).values(detail=bindparam("detail_")), told)


def _words(connection: Connection, job: Job, record: Record, keys: Sequence[str]) -> dict[str, str]:
    """Code → the records that have it, in words."""
    here = and_(
        scope.staged(job),
        staging.c.record == record.name,
        staging.c.origin.not_in((Origin.DELETED, Origin.LEFT, Origin.PART)),
    )
    known = and_(scope.mirrored(job, record.name), mirror.c.source_gone_at.is_(None), mirror.c.provider_id.is_not(None))
    found: dict[str, dict[str, Any]] = defaultdict(dict)
    for table, mine in ((mirror, known), (staging, here)):  # what is read now is newer
        columns = (table.c.provider_id, table.c.code_key, table.c.code, table.c.title)
        for row in connection.execute(select(*columns).where(mine, table.c.code_key.in_(keys))):
            found[row.code_key][row.provider_id] = row
    return {key: _listed(list(rows.values())) for key, rows in found.items()}


def _listed(rows: list[Any]) -> str:
    named = sorted(f"{row.code} ({row.title})" if row.title else str(row.code) for row in rows)
    more = [f"and {len(named) - _NAMED} more"] if len(named) > _NAMED else []
    return ", ".join([*named[:_NAMED], *more])
