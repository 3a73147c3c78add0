"""A row that tells whether what a job staged is still whole.

PostgreSQL keeps the staging table unlogged and empties it after a crash, while it remembers how far was read. The
witness is staged before everything else, so wherever it still stands, nothing that came after it has been lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, insert, select

from outsmart_sync.errors import TransientError
from outsmart_sync.store.tables import staging

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from outsmart_sync.pipeline.job import Job

_ORIGIN = "witness"
_PLACE = -1

IS_ROW: ColumnElement[bool] = staging.c.seq > _PLACE
"""What is staged, without the witness."""


def place(connection: Connection, job: Job) -> None:
    """Stage the witness; the job has nothing else in staging."""
    empty = {"record": "", "provider_id": "", "tags": "", "blocked": False, "problems": ""}
    connection.execute(insert(staging).values(job_id=job.id, seq=_PLACE, origin=_ORIGIN, **empty))


def stands(connection: Connection, job: Job) -> bool:
    """Whether nothing that the job staged has been lost."""
    here = select(staging.c.seq).where(staging.c.job_id == job.id, staging.c.seq == _PLACE)
    return connection.execute(here).one_or_none() is not None


def require(connection: Connection, job: Job) -> None:
    """Make sure of it, in the transaction that relies on it.

    Raises:
        TransientError: The database lost what was staged; reading again from the start mends it.
    """
    if not stands(connection, job):
        raise TransientError(
            f"What was read of {job.category.label} was lost.",
            why="The store's database was restarted after a crash while it was being read.",
            remedy="It is read again by itself.",
            code="staging_lost",
        )
