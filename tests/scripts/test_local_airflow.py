"""Airflow as plain processes: what is left of them when a start does not succeed."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import pytest

from airflow_api import LocalAirflowError
from local_airflow import LocalAirflow, environment
from tests.scripts.checkouts import SMALL, copy_repository, free_ports, install, make, processes_in, told_by


@pytest.fixture
def airflow(tmp_path: Path) -> LocalAirflow:
    return LocalAirflow(environment(tmp_path / "home", free_ports(1)), tmp_path / "logs")


def test_stopped_while_its_database_is_prepared_it_leaves_no_process_and_starts_none(
    airflow: LocalAirflow, tmp_path: Path
) -> None:
    raised: list[LocalAirflowError] = []

    def start() -> None:
        try:
            airflow.start()
        except LocalAirflowError as error:
            raised.append(error)

    starting = threading.Thread(target=start)
    starting.start()
    end = time.monotonic() + 60
    while not processes_in(tmp_path) and time.monotonic() < end:
        time.sleep(0.01)
    try:
        assert "db migrate" in processes_in(tmp_path)[0]
        airflow.stop()
        assert processes_in(tmp_path) == []
    finally:
        starting.join(120)
        left = processes_in(tmp_path)
        airflow.stop()
    assert left == []
    assert "stopped" in str(raised[0])
    assert not (tmp_path / "logs" / "api-server.log").exists()


def test_a_stopped_one_starts_nothing_more(airflow: LocalAirflow, tmp_path: Path) -> None:
    airflow.stop()
    try:
        with pytest.raises(LocalAirflowError, match="stopped"):
            airflow.start()
        assert processes_in(tmp_path) == []
    finally:
        airflow.stop()


def test_a_quick_start_that_cannot_connect_leaves_no_process(tmp_path: Path) -> None:
    copy = copy_repository(tmp_path)
    install(copy)
    (copy / ".local").mkdir()
    (copy / ".local" / "store.db").write_text("this is no database " * 500, encoding="utf-8")
    first = free_ports(4)
    ended = make(
        copy, "run", f"PYTHON={sys.executable}", f"ARGS=--once {SMALL} --port {first} --sandbox-port {first + 1}"
    )
    left = processes_in(copy)
    end = time.monotonic() + 120
    while processes_in(copy) and time.monotonic() < end:
        time.sleep(0.2)  # what is left ends by itself, and is not another test's business
    assert left == []
    assert ended.returncode != 0
    assert len(told_by(ended)) == 1
