"""What a person was told to do by hand, because no vendor's API does it: counted, so that it is not overlooked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from outsmart_sync.pipeline.outcomes import TO_DO_BY_HAND
from outsmart_sync.store import dialect
from outsmart_sync.store.tables import record_log

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from outsmart_sync.pipeline.job import Job

RECENTLY = timedelta(days=7)
"""How long it counts as to be done: nobody says when it is."""


def of_run(connection: Connection, job: Job) -> int:
    """How many records a category's run has told of."""
    number: int = connection.execute(
        select(func.count()).where(
            record_log.c.run_id == job.run_id,
            record_log.c.connection_id == job.connection_id,
            record_log.c.category == job.category.name,
            record_log.c.reason.in_(TO_DO_BY_HAND),
        )
    ).scalar_one()
    return number


def recent(connection: Connection, connection_ids: Sequence[int]) -> dict[tuple[int, str], int]:
    """Connection and category → how many records of it were told of lately."""
    key = (record_log.c.connection_id, record_log.c.category)
    rows = connection.execute(
        select(*key, func.count().label("number"))
        .where(
            record_log.c.connection_id.in_(connection_ids),
            record_log.c.reason.in_(TO_DO_BY_HAND),
            record_log.c.at > dialect.now(connection) - RECENTLY,
        )
        .group_by(*key)
    )
    return {(row.connection_id, row.category): row.number for row in rows}
