"""The page below a path of its own: an address that Airflow makes already holds it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_ASK = """
from airflow.api_fastapi.app import create_auth_manager
create_auth_manager()
from outsmart_sync.webapp import airflow
print(airflow.login_address(airflow.frame_address("connections/1")))
print(airflow.run_address("a_dag", "manual__1"))
"""


def asked(base_url: str, home: Path) -> list[str]:
    """What an API server of this address says; Airflow reads its settings once per process."""
    environment = os.environ | {"AIRFLOW_HOME": str(home), "AIRFLOW__API__BASE_URL": base_url}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _ASK],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout.strip().splitlines()[-2:]


def test_the_path_stands_once_in_every_address(tmp_path: Path) -> None:
    login, run = asked("http://localhost:8080/airflow", tmp_path)
    page = "%2Fairflow%2Fplugin%2Foutsmart-sync%3Fpage%3Dconnections%252F1"
    assert login == f"/airflow/auth/login?next={page}"
    assert run == "/airflow/dags/a_dag/runs/manual__1"


def test_without_a_path_nothing_is_put_before_it(tmp_path: Path) -> None:
    assert asked("http://localhost:8080", tmp_path)[0].startswith("/auth/login?next=%2Fplugin%2F")
