"""When DAGs run by themselves."""

from __future__ import annotations

import os
from datetime import timedelta

from airflow.sdk import CronTriggerTimetable

IMPORT_VARIABLE = "OUTSMART_SYNC_IMPORT_SCHEDULE"
"""Environment variable with another cron expression for imports, the same on every machine that runs Airflow."""


EXPORT_VARIABLE = "OUTSMART_SYNC_EXPORT_SCHEDULE"
"""The same for exports."""


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
