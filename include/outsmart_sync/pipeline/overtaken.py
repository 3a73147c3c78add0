"""Tells whether a later run has synced the category since: what an old run staged must not be written over it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outsmart_sync.errors import Busy
from outsmart_sync.store import runs

if TYPE_CHECKING:
    from outsmart_sync.pipeline.job import Job
    from outsmart_sync.store.store import Store


def require_latest(store: Store, job: Job) -> None:
    """Before something is written: what a process staged that stood still may be older than what is there by now.

    Raises:
        Busy: Another run has synced the category since.
    """
    later = runs.overtaken_by(store, job.id)
    if later is None:
        return
    raise Busy(
        f"Run {later} has synced {job.category.label} while this one stood still.",
        why="The machine slept, or was too busy for longer than a category is kept for one run.",
        remedy="Nothing needs doing: the later run has brought what was new.",
        code="overtaken",
    )
