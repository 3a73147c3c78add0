"""Records that an export made at the package under another code than OutSmart's: the import takes both for one.

The ledger knows which they are. Where OutSmart's record is in the mirror it is linked at once; where it is read only
later, then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import exists, select, update

from outsmart_sync.pipeline.outcomes import Link, MirrorState
from outsmart_sync.records.values import code_key
from outsmart_sync.store import ledger
from outsmart_sync.store.tables import mirror

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from outsmart_sync.pipeline.export_job import ExportJob
    from outsmart_sync.records.export_document import Entity, Known

_other = mirror.alias("other")


def made_kind(record: str) -> str:
    """The ledger's word for a record that an export made."""
    return f"new_{record}"


def made_key(connection_id: int, key: str) -> str:
    """Its key there: by administration, not by account, since each administration needs its own.

    Args:
        connection_id: Whose.
        key: The record's code as it is compared.
    """
    return f"{connection_id}/{key}"[:120]


def keep(connection: Connection, job: ExportJob, entity: Entity, code: str, known: Known) -> None:
    """Keep which record was made for OutSmart's code, where the package gave it another one."""
    if not known.code or code_key(known.code) == code_key(code):
        return
    kind, key = made_kind(entity.value), made_key(job.connection_id, code_key(code))
    ledger.keep(connection, job.account, kind, key, known.code)
    _link(connection, job.connection_id, entity.value, code_key(code), known.remote_id)


def link(connection: Connection, connection_id: int, record: str) -> None:
    """Link every one of OutSmart's records that has been read with the one that was made for it."""
    prefix = made_key(connection_id, "")
    for line in ledger.of_connection(connection, connection_id, made_kind(record)):
        if line.content and line.remote_id:
            _link(connection, connection_id, record, line.key.removeprefix(prefix), line.remote_id)


def _link(connection: Connection, connection_id: int, record: str, key: str, provider_id: str) -> None:
    """As a person would who says that they are one; not where the package's record is in the mirror already."""
    mine = (mirror.c.connection_id == connection_id) & (mirror.c.record == record)
    known = exists().where(
        _other.c.connection_id == connection_id, _other.c.record == record, _other.c.provider_id == provider_id
    )
    theirs = mine & (mirror.c.code_key == key) & (mirror.c.state == MirrorState.OUTSMART_ONLY)
    found = list(
        connection.execute(select(mirror.c.id).where(theirs, mirror.c.provider_id.is_(None), ~known)).scalars()
    )
    if len(found) == 1:
        values = {"provider_id": provider_id, "link": Link.JOINED}
        connection.execute(update(mirror).where(mirror.c.id == found[0]).values(**values))
