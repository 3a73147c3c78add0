"""Where the extract of a category stands: the names under which it notes that, and how old its cursors are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from outsmart_sync.records.exchange import DELETIONS
from outsmart_sync.store import runs

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from outsmart_sync.pipeline.job import Job
    from outsmart_sync.records.catalogue import ImportCategory
    from outsmart_sync.store.cursors import Cursor

FINISHED = "*"
"""Name under which an extract notes that it has come to its end."""

FROM_START = "^"
"""Name under which an extract notes that it reads everything, whatever the cursors say."""

FIRST_READ = "<"
"""Name under which it notes from which place in staging on there is what it has read itself."""

_SECONDS_PER_DAY = 86_400


def cursor_age(kept: Mapping[str, Cursor], names: Iterable[str], now: datetime) -> float:
    """Days since the cursor that has stood still longest was moved or confirmed."""
    return max(
        ((now - kept[name].moved_at).total_seconds() / _SECONDS_PER_DAY for name in names if name in kept), default=0
    )


def stream_names(category: ImportCategory) -> tuple[str, ...]:
    """The names under which a category keeps its cursors."""
    deletions = (DELETIONS,) if category.reports_deletions else ()
    return (*(stream.name for stream in category.streams), *deletions)


def first_read(connection: Connection, job: Job) -> int:
    """From which place in staging on there is what this run has read itself."""
    return int(runs.progress_of(connection, job.id)[FIRST_READ].cursor)
