"""Once a day: removes what is older than it is kept, from the store, Airflow's own database, Celery's, and the logs.

A program beside the services and no DAG: tasks have no access to Airflow's database. ``--once`` ends after one round,
for cron and for Kubernetes; ``--logs-only`` is for a machine that has only a worker.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

RESULTS_VARIABLE = "AIRFLOW__CELERY__RESULT_BACKEND"
_DAY_SECONDS = 86_400
_AGAIN_SECONDS = 600
_LATE_SECONDS = _DAY_SECONDS + 2 * 3_600
_DONE = Path(tempfile.gettempdir()) / "outsmart-sync-maintenance"
"""Touched when a round went well; the service's health check looks at its age."""


def main() -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="maintenance", description=__doc__)
    parser.add_argument("--once", action="store_true", help="one round, and end")
    parser.add_argument("--check", action="store_true", help="only tell whether the last round was in time")
    parser.add_argument("--logs-only", action="store_true", help="remove only log files")
    parser.add_argument("--store-days", type=int, default=400, help="days that the store keeps log and runs")
    parser.add_argument(
        "--airflow-days", type=int, default=14, help="days that Airflow keeps runs, tasks and their logs"
    )
    parser.add_argument("--logs", type=Path, default=logs_folder(), help="Airflow's folder of logs (%(default)s)")
    given = parser.parse_args()
    if given.check:
        return 0 if in_time(_DONE) else 1
    while True:
        well = clean(given.store_days, given.airflow_days, given.logs, logs_only=given.logs_only)
        if given.once:
            return 0 if well else 1
        if well:
            _DONE.touch()
        time.sleep(_DAY_SECONDS if well else _AGAIN_SECONDS)


def clean(store_days: int, airflow_days: int, logs: Path, *, logs_only: bool = False) -> bool:
    """One round; returns whether all parts went well. One that fails keeps none of the others from its work."""
    before = datetime.now(UTC) - timedelta(days=airflow_days)
    parts: list[Callable[[], bool]] = [lambda: remove_logs(logs, before)]
    if not logs_only:
        stamp = before.isoformat(timespec="seconds")
        parts += [
            lambda: _run("outsmart-sync", "store", "clean", "--days", str(store_days)),
            lambda: _run("airflow", "db", "clean", "--clean-before-timestamp", stamp, "--skip-archive", "--yes"),
            lambda: remove_results(os.environ.get(RESULTS_VARIABLE, ""), before),
        ]
    went = [part() for part in parts]
    return all(went)


def remove_logs(folder: Path, before: datetime) -> bool:
    """Remove log files that nothing was written to since a time, and the folders that are empty then."""
    walked = [(Path(root), files) for root, _, files in os.walk(folder)]
    # Asked before anything is removed from them: one that has just been made is about to be written to.
    old = [path for path, _ in walked if path != folder and _older(path, before)]
    removed, failed = 0, 0
    for path in (root / name for root, files in walked for name in files if name.endswith(".log")):
        try:
            if _older(path, before):
                path.unlink(missing_ok=True)
                removed += 1
        except OSError as error:
            failed += 1
            _say(f"maintenance: {path} could not be removed: {error.strerror}")
    for path in reversed(old):
        with contextlib.suppress(OSError):  # it is not empty
            path.rmdir()
    _say(f"Removed: {removed} log files older than {before:%Y-%m-%d}.")
    return not failed


def remove_results(address: str, before: datetime) -> bool:
    """Remove the results of tasks that Celery keeps in a database; elsewhere they end by themselves.

    Args:
        address: Celery's result backend; nothing is done without one, or where it is no database.
        before: Results older than this are removed.
    """
    if not address.startswith("db+"):
        return True
    from sqlalchemy import DateTime, column, create_engine, delete, inspect, table
    from sqlalchemy.exc import SQLAlchemyError

    engine = create_engine(address.removeprefix("db+"))
    removed = 0
    try:
        with engine.begin() as connection:
            made = inspect(connection).get_table_names()  # Celery makes them for the first result
            for name in {"celery_taskmeta", "celery_tasksetmeta"}.intersection(made):
                done = column("date_done", DateTime())
                old = delete(table(name, done)).where(done < before.replace(tzinfo=None))
                removed += connection.execute(old).rowcount
    except SQLAlchemyError as error:
        _say(f"maintenance: Celery's results could not be removed: {error}")
        return False
    finally:
        engine.dispose()
    _say(f"Removed: {removed} results of Celery.")
    return True


def logs_folder() -> Path:
    """Where Airflow's environment says that its logs are."""
    home = Path(os.environ.get("AIRFLOW_HOME") or Path.home() / "airflow")
    return Path(os.environ.get("AIRFLOW__LOGGING__BASE_LOG_FOLDER") or home / "logs")


def in_time(done: Path) -> bool:
    """Whether the last round that went well is not longer ago than it may be."""
    return done.exists() and time.time() - done.stat().st_mtime < _LATE_SECONDS


def _older(path: Path, before: datetime) -> bool:
    try:
        return path.lstat().st_mtime < before.timestamp()
    except FileNotFoundError:  # somebody else removed it
        return False


def _run(*command: str) -> bool:
    return not subprocess.run(command, check=False).returncode


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
