"""When DAGs run by themselves."""

from __future__ import annotations

import os
from datetime import timedelta

from airflow.sdk import CronTriggerTimetable

IMPORT_VARIABLE = "OUTSMART_SYNC_IMPORT_SCHEDULE"
"""Environment variable with another cron expression for imports, the same on every machine that runs Airflow."""


def import_schedule() -> CronTriggerTimetable:
    """Every 15 minutes, and never a slot that has passed.

    A cron text as ``schedule`` would let Airflow run the past slot at once when a new DAG is first seen, or unpaused,
    within five minutes after it; a buffer of nothing does not.
    """
    cron = os.environ.get(IMPORT_VARIABLE, "*/15 * * * *")
    return CronTriggerTimetable(cron, timezone="UTC", run_immediately=timedelta(0))
