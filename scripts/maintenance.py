"""Once a day: removes what is older than it is kept, from the store and from Airflow's own database.

A program beside the services and no DAG: tasks have no access to Airflow's database. ``--once`` ends after one round,
for cron and for Kubernetes.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

_DAY_SECONDS = 86_400
_AGAIN_SECONDS = 600


def main() -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="maintenance", description=__doc__)
    parser.add_argument("--once", action="store_true", help="one round, and end")
    parser.add_argument("--store-days", type=int, default=400, help="days that the store keeps log and runs")
    parser.add_argument("--airflow-days", type=int, default=14, help="days that Airflow keeps runs and tasks")
    given = parser.parse_args()
    while True:
        well = clean(given.store_days, given.airflow_days)
        if given.once:
            return 0 if well else 1
        time.sleep(_DAY_SECONDS if well else _AGAIN_SECONDS)


def clean(store_days: int, airflow_days: int) -> bool:
    """One round; returns whether both parts went well."""
    before = (datetime.now(UTC) - timedelta(days=airflow_days)).isoformat(timespec="seconds")
    commands = (
        ["outsmart-sync", "store", "clean", "--days", str(store_days)],
        ["airflow", "db", "clean", "--clean-before-timestamp", before, "--skip-archive", "--yes"],
    )
    codes = [subprocess.run(command, check=False).returncode for command in commands]
    return not any(codes)


if __name__ == "__main__":
    sys.exit(main())
