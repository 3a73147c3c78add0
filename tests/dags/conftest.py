"""A real Airflow with the sandbox behind it, for the tests that run DAGs."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from time import sleep
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from cryptography.fernet import Fernet

from local_airflow import LocalAirflow, environment
from outsmart_sync.orchestration.schedules import EXPORT_VARIABLE, IMPORT_VARIABLE
from outsmart_sync.providers.exact_online.values import TIMEZONE
from outsmart_sync.store import schema
from outsmart_sync.store.store import Store
from outsmart_sync.store.vault import KEYS_VARIABLE
from sandbox import process
from support import NORTH, Rig, connection_environment


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Stage:
    """Everything a DAG run needs, in one place."""

    airflow: LocalAirflow
    rig: Rig

    def run(self, dag_id: str, **conf: Any) -> tuple[str, str, dict[tuple[str, int], str]]:
        """Trigger a DAG and wait: run id, state, task states."""
        run_id = self.airflow.trigger(dag_id, conf)
        state = self.airflow.wait_for(dag_id, run_id, seconds=600)
        states = self.airflow.task_states(dag_id, run_id)
        if state == "success":  # which Airflow makes of the last tasks alone
            assert [task for task, ended in states.items() if ended in ("failed", "upstream_failed")] == []
        return run_id, state, states


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Airflow, sandbox and store, started once for all tests of a file."""
    home = tmp_path_factory.mktemp("airflow")
    store = Store(f"sqlite:///{home / 'store.db'}")
    schema.upgrade(store)
    with process.start(relations=30, items=40) as vendors:
        settings = environment(home / "home", free_port())
        settings |= connection_environment(vendors, store, NORTH)
        settings[IMPORT_VARIABLE] = settings[EXPORT_VARIABLE] = "0 0 1 1 *"  # only what a test triggers runs
        settings[KEYS_VARIABLE] = Fernet.generate_key().decode()
        kept = {name: os.environ.get(name) for name in settings}
        with LocalAirflow(settings, home / "logs") as airflow:
            airflow.wait_until_ready("exact_online_import")
            yield Stage(airflow, Rig(store, vendors))
        for name, value in kept.items():
            if value is None:
                os.environ.pop(name, None)
    store.close()


@pytest.fixture
def running(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """The stage, with this process seeing the same connections and keys as Airflow's tasks do."""
    apps = ("EXACT_ONLINE_DEFAULT", "VISMA_EACCOUNTING_DEFAULT", "OUTSMART_DEFAULT")
    names = ("AIRFLOW_CONN_OUTSMART_SYNC_STORE", *(f"AIRFLOW_CONN_{app}" for app in apps))
    for name in (*names, KEYS_VARIABLE):
        monkeypatch.setenv(name, stage.airflow.settings[name])
    stage.rig.vendors.control.clear_faults()
    stage.rig.vendors.control.forget_calls()
    yield stage
    stage.rig.vendors.control.clear_faults()


@pytest.fixture
def one_day(running: Stage) -> None:
    """Starts no test right before midnight, when prices of the new day are work where a test expects none."""
    now = datetime.now(ZoneInfo(TIMEZONE))
    left = datetime.combine(now.date() + timedelta(days=1), time(), now.tzinfo) - now
    if left < timedelta(minutes=5):  # what a test with several runs takes on a busy machine
        sleep(left.total_seconds() + 1)


def logs_of(home: Path) -> str:
    """Everything Airflow's tasks have logged."""
    return "\n".join(path.read_text(encoding="utf-8") for path in home.rglob("*.log"))
