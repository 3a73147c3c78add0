"""Airflow's public API, as scripts and tests call it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import requests

_HTTP_SECONDS = 120.0  # at the first call of a task Airflow builds that API: half a minute and more on a busy machine
_PAGE = 100  # Airflow's maximum_page_limit
_REPEATS = (0.2, 0.5, 1.0, 2.0)
ENDED = ("success", "failed")


class LocalAirflowError(Exception):
    """Airflow did not start or did not answer; the text says why and where its log is."""


@dataclass(frozen=True)
class Login:
    """The administrator of the local Airflow."""

    user: str
    password: str


class AirflowApi:
    """Airflow as its public API shows it.

    Args:
        address: Address of the API server.
        who: Tells who logs in.
        check_alive: Raises when a process that is needed has ended.
    """

    def __init__(self, address: str, who: Callable[[], Login], check_alive: Callable[[], None] = lambda: None) -> None:
        self.address = address
        self._who = who
        self._check = check_alive
        self.session = requests.Session()
        self.session.trust_env = False

    def close(self) -> None:
        """Close the connection."""
        self.session.close()

    def healthy(self) -> bool:
        """Whether database, scheduler and DAG processor are well."""
        try:
            health = self.session.get(f"{self.address}/api/v2/monitor/health", timeout=5).json()
        except (requests.RequestException, ValueError):
            return False
        return all(health[name]["status"] == "healthy" for name in ("metadatabase", "scheduler", "dag_processor"))

    def knows(self, dag_id: str) -> bool:
        """Whether a DAG has been read.

        Raises:
            LocalAirflowError: None of that name, and one that cannot be read.
        """
        try:
            self.call("GET", f"dags/{dag_id}")
        except LocalAirflowError:
            errors = self.call("GET", "importErrors")["import_errors"]
            if errors:
                raise LocalAirflowError(f"A DAG cannot be read: {errors[0]['stack_trace'][-500:]}") from None
            return False
        return True

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Call the public API as the administrator.

        Raises:
            LocalAirflowError: It refuses, or cannot be reached.
        """
        for pause in (*_REPEATS, None):
            try:
                if "Authorization" not in self.session.headers:
                    self._log_in()
                response = self.session.request(
                    method, f"{self.address}/api/v2/{path}", json=body, timeout=_HTTP_SECONDS
                )
            except requests.RequestException as error:
                if method == "GET" and pause is not None:  # a busy machine; asking again changes nothing
                    time.sleep(pause)
                    continue
                raise LocalAirflowError(f"Airflow's API does not answer: {error}") from error
            if response.ok:
                break
            # Airflow on SQLite: a request that read before it wrote fails when another process wrote in between.
            if response.status_code != requests.codes.server_error or pause is None:
                raise LocalAirflowError(
                    f"Airflow answers {response.status_code} to {method} {path}: {response.text[:500]}"
                )
            time.sleep(pause)
        return response.json() if response.content else None

    def trigger(self, dag_id: str, conf: dict[str, Any] | None = None) -> str:
        """Unpause a DAG and start a run; returns its id."""
        self.call("PATCH", f"dags/{dag_id}", {"is_paused": False})
        run_id = f"manual__{datetime.now(UTC).isoformat()}"  # of our own, so that a repeated call makes no second run
        body = {"dag_run_id": run_id, "logical_date": None, "conf": conf or {}}
        try:
            self.call("POST", f"dags/{dag_id}/dagRuns", body)
        except LocalAirflowError as error:
            if "409" not in str(error):
                raise
        return run_id

    def run_state(self, dag_id: str, run_id: str) -> str:
        """State of a run."""
        self._check()
        return str(self.call("GET", f"dags/{dag_id}/dagRuns/{run_id}")["state"])

    def wait_for(self, dag_id: str, run_id: str, seconds: float = 300) -> str:
        """Wait for a run's end; returns its state.

        Raises:
            LocalAirflowError: It took longer.
        """
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if (state := self.run_state(dag_id, run_id)) in ENDED:
                return state
            time.sleep(0.2)
        raise LocalAirflowError(f"{run_id} has not ended after {seconds:.0f} s: {self.task_states(dag_id, run_id)}")

    def wait_for_all(self, dag_id: str, run_id: str, seconds: float = 300) -> dict[str, str]:
        """Wait for a run and all that it starts, a run for each connection; returns run → state.

        Raises:
            LocalAirflowError: It took longer.
        """
        end = time.monotonic() + seconds
        states = {run_id: self.wait_for(dag_id, run_id, seconds)}
        for started in self._started_by(dag_id, run_id):
            states[started] = self.wait_for(dag_id, started, max(end - time.monotonic(), 1.0))
        return states

    def _started_by(self, dag_id: str, run_id: str) -> list[str]:
        names = [each["dag_run_id"] for each in self._all(f"dags/{dag_id}/dagRuns", "dag_runs")]
        return [name for name in names if name.startswith(f"{run_id}__")]

    def tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """The task instances of a run."""
        return self._all(f"dags/{dag_id}/dagRuns/{run_id}/taskInstances", "task_instances")

    def _all(self, path: str, key: str) -> list[dict[str, Any]]:
        """A whole list, however long: Airflow gives a hundred at a time, whatever is asked for."""
        found: list[dict[str, Any]] = []
        while True:
            page = self.call("GET", f"{path}?limit={_PAGE}&offset={len(found)}&order_by=id")
            found += page[key]
            if len(found) >= page["total_entries"] or not page[key]:
                return found

    def task_states(self, dag_id: str, run_id: str) -> dict[tuple[str, int], str]:
        """(task id, map index) → state."""
        return {(task["task_id"], task["map_index"]): task["state"] for task in self.tasks(dag_id, run_id)}

    def _log_in(self) -> None:
        login = self._who()
        response = self.session.post(
            f"{self.address}/auth/token",
            json={"username": login.user, "password": login.password},
            timeout=_HTTP_SECONDS,
        )
        response.raise_for_status()
        self.session.headers["Authorization"] = f"Bearer {response.json()['access_token']}"
