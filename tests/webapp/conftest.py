"""The page without a browser and without an Airflow: Airflow's side is played, everything behind the page is real."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from airflow.api_fastapi.core_api.security import get_user
from fastapi import FastAPI
from fastapi.testclient import TestClient

from exports.world import ExportWorld, made
from outsmart_sync.errors import AccessDenied
from outsmart_sync.store.store import Store
from outsmart_sync.webapp import airflow, opened
from outsmart_sync.webapp.airflow import Automation
from outsmart_sync.webapp.app import create_app
from pipeline.conftest import small_vendors, sqlite_world  # noqa: F401  # fixtures
from pipeline.world import World
from sandbox.process import SandboxProcess
from support import NORTH, Rig, connection_environment

ANNA = SimpleAuthManagerUser(username="anna", role="admin")
OWN = {"Sec-Fetch-Site": "same-origin"}


@dataclass
class PlayedAirflow:
    """What the page is told of Airflow, and what it asked of it.

    Attributes:
        may: Method and DAG, or Airflow connection, that the person may.
        paused: DAGs that are paused.
        triggered: DAG and what was asked, of each run that was started.
        unpaused: DAGs that were unpaused.
        state: How every run of a DAG stands.
        sees: Whether the person may know of a sync connection, by its number.
        scheduler_up: Whether the scheduler has been heard of lately.
    """

    may: Callable[[str, str], bool] = lambda _method, _name: True
    paused: set[str] = field(default_factory=set)
    triggered: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    unpaused: list[str] = field(default_factory=list)
    state: str = "queued"
    sees: Callable[[int], bool] = lambda _connection_id: True
    scheduler_up: bool = True

    def play(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Stand in for the adapter's calls."""
        calls = {
            "may_dag": lambda _user, method, dag_id: self.may(method, dag_id),
            "may_connection": lambda _user, method, conn_id: self.may(method, conn_id),
            "may_see": lambda _user, _dag_id, connection_id, _conn_id: self.sees(connection_id),
            "automation": lambda _user, dag_id: Automation(
                known=True, paused=dag_id in self.paused, scheduler_up=self.scheduler_up, next_run=None
            ),
            "unpause": self.unpause,
            "trigger": self.trigger,
            "run_state": lambda *_: self.state,
            "login_address": lambda _: "/auth/login",
            "person_of": self.person_of,
        }
        for name, call in calls.items():
            monkeypatch.setattr(airflow, name, call)

    async def person_of(self, _request: Any) -> SimpleAuthManagerUser:
        return ANNA

    def viewer(self) -> None:
        """The person may only look."""
        self.may = lambda method, _name: method == "GET"

    def unpause(self, _user: Any, dag_id: str) -> None:
        if not self.may("PUT", dag_id):
            raise AccessDenied("Airflow does not let you do this.", code="airflow_forbidden")
        self.unpaused.append(dag_id)
        self.paused.discard(dag_id)

    def trigger(self, _user: Any, dag_id: str, conf: dict[str, Any], _note: str) -> str:
        self.triggered.append((dag_id, conf))
        return f"manual__{len(self.triggered)}"


class Browser(TestClient):
    """Asks as a page of ours does."""

    def __init__(self, app: FastAPI) -> None:
        outer = FastAPI()
        outer.mount("/outsmart-sync", app)
        super().__init__(outer, base_url="http://testserver/outsmart-sync/", headers=OWN, follow_redirects=False)


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> PlayedAirflow:
    """An Airflow that lets everything be done."""
    found = PlayedAirflow()
    found.play(monkeypatch)
    return found


@pytest.fixture
def page(played: PlayedAirflow) -> Iterator[Browser]:  # it must be there
    """The page, as somebody who has logged in sees it."""
    app = create_app()
    app.dependency_overrides[get_user] = lambda: ANNA
    with Browser(app) as opened_page:
        yield opened_page


@pytest.fixture
def world(
    sqlite_world: World,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[ExportWorld]:
    """Exports switched on, with books of our own behind the page."""
    with made(sqlite_world, tmp_path, monkeypatch) as exporting:
        monkeypatch.setattr(opened, "store", lambda: exporting.store)
        monkeypatch.setattr(opened, "gateway", lambda: exporting.gateway)
        yield exporting


@pytest.fixture
def exact(sqlite_store: Store, vendors: SandboxProcess, monkeypatch: pytest.MonkeyPatch) -> Rig:
    """An administration of Exact Online behind the page, connected, with nothing switched on."""
    for name, value in connection_environment(vendors, sqlite_store, NORTH).items():
        monkeypatch.setenv(name, value)
    rig = Rig(sqlite_store, vendors)
    rig.connect()
    monkeypatch.setattr(opened, "store", lambda: rig.store)
    monkeypatch.setattr(opened, "gateway", lambda: rig.gateway)
    return rig
