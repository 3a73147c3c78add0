"""When DAGs run by themselves."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

from airflow.sdk import CronTriggerTimetable

from outsmart_sync.errors import InvalidSettings

IMPORT_VARIABLE = "OUTSMART_SYNC_IMPORT_SCHEDULE"
"""Environment variable with another cron expression for imports, the same on every machine that runs Airflow."""


EXPORT_VARIABLE = "OUTSMART_SYNC_EXPORT_SCHEDULE"
"""The same for exports."""


RUNS_VARIABLE = "OUTSMART_SYNC_RUNS_AT_ONCE"
"""Environment variable: so many runs of one DAG at a time."""

RUN_TYPES: list[Any] = ["scheduled", "manual", "operator_triggered"]
"""By the schedule, by a person, and by a run that hands connections over; never a past slot, never by an asset."""


def runs_at_once() -> int:
    """More than one: a first import of hours must not keep other connections from their next run.

    Raises:
        InvalidSettings: The environment variable says no number of at least 1.
    """
    said = os.environ.get(RUNS_VARIABLE, "16")
    if not said.isdecimal() or int(said) < 1:
        raise InvalidSettings(
            f"{RUNS_VARIABLE} must be a whole number of at least 1, not {said!r}.",
            why="It says how many runs of one DAG may be at work at a time.",
            remedy="Correct it, or leave it out: then there are 16.",
            code="bad_runs_at_once",
        )
    return int(said)


def import_schedule() -> CronTriggerTimetable:
    """Every 15 minutes, and never a slot that has passed."""
    return _schedule(IMPORT_VARIABLE, "*/15 * * * *")


def export_schedule() -> CronTriggerTimetable:
    """Every 15 minutes, five minutes after the imports: what they bring is there by then."""
    return _schedule(EXPORT_VARIABLE, "5-59/15 * * * *")


def _schedule(variable: str, usual: str) -> CronTriggerTimetable:
    """A schedule that never runs a slot that has passed.

    A cron text as ``schedule`` would let Airflow run the past slot at once when a new DAG is first seen, or unpaused,
    within five minutes after it; a buffer of nothing does not.
    """
    return CronTriggerTimetable(os.environ.get(variable, usual), timezone="UTC", run_immediately=timedelta(0))
