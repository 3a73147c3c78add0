"""Records that an export made at the package under another code than OutSmart's: the mirror knows that both are one.

Otherwise the import would bring what was made to OutSmart under the package's code, as a second one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert, select, update

from outsmart_sync.pipeline.outcomes import Link, MirrorState
from outsmart_sync.records.export_document import Entity
from outsmart_sync.records.material import MATERIAL
from outsmart_sync.records.relation import RELATION
from outsmart_sync.records.values import code_key, encode
from outsmart_sync.store.tables import mirror

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from outsmart_sync.pipeline.export_job import ExportJob
    from outsmart_sync.records.export_document import Known

_RECORDS = {Entity.CUSTOMER: RELATION, Entity.ARTICLE: MATERIAL}


def link(connection: Connection, job: ExportJob, entity: Entity, code: str, known: Known) -> None:
    """Link OutSmart's record of a code with the one that was made for it, as a person would who says that they are one.

    Where OutSmart's has not been read yet, it is noted as far as the work order tells. Nothing is done where the
    package kept the code, or where the mirror has either of both otherwise.
    """
    if not known.code or code_key(known.code) == code_key(code):
        return
    record = _RECORDS[entity]
    mine = (mirror.c.connection_id == job.connection_id) & (mirror.c.record == record.name)
    if connection.execute(select(mirror.c.id).where(mine, mirror.c.provider_id == known.remote_id)).first():
        return
    theirs = list(connection.execute(select(mirror).where(mine, mirror.c.code_key == code_key(code))))
    joined = {"provider_id": known.remote_id, "link": Link.JOINED}
    if not theirs:
        connection.execute(
            insert(mirror).values(
                connection_id=job.connection_id,
                record=record.name,
                code=code,
                code_key=code_key(code),
                outsmart=encode({record.code: code}),
                state=MirrorState.OUTSMART_ONLY,
                first_run_id=job.run_id,
                run_id=job.run_id,
                **joined,
            )
        )
    elif len(theirs) == 1 and theirs[0].provider_id is None:
        connection.execute(update(mirror).where(mirror.c.id == theirs[0].id).values(**joined))
