"""A real Airflow on this machine, as plain processes: API server, scheduler, DAG processor; SQLite, LocalExecutor.

Used by the quick start and by the tests. The settings that make it quick and safe on SQLite: four tasks at once (more
make SQLite's single writer fail), a heartbeat of 1 s and an idle sleep of 0.1 s (the defaults cost seconds per task),
and a base address with the port (tasks call it).
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import requests
from cryptography.fernet import Fernet

ROOT = Path(__file__).resolve().parent.parent
_COMPONENTS = {
    "api-server": ["api-server", "--workers", "1"],
    "scheduler": ["scheduler", "--skip-serve-logs"],
    "dag-processor": ["dag-processor"],
}
_START_SECONDS = 180.0
_STOP_SECONDS = 20.0
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


def environment(
    home: Path, port: int, *, dags: Path = ROOT / "dags", users: Sequence[str] = ("admin:admin",)
) -> dict[str, str]:
    """Airflow's settings for a home folder and port; secrets are made at the first call and kept in the home.

    Args:
        home: Airflow's home: database, logs, secrets.
        port: Port of the UI.
        dags: Folder of the DAGs.
        users: Who may log in, each with a role of Airflow's simple auth manager; the first one is the administrator.
    """
    home.mkdir(parents=True, exist_ok=True)
    kept = _secrets(home)
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__FERNET_KEY": kept["fernet_key"],
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(users),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
        "AIRFLOW__API__SECRET_KEY": kept["secret_key"],
        "AIRFLOW__API_AUTH__JWT_SECRET": kept["jwt_secret"],
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.1",
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }


class LocalAirflow:
    """Airflow's processes.

    Args:
        settings: What :func:`environment` gives, and the connections.
        logs: Folder for what the processes print.
    """

    def __init__(self, settings: Mapping[str, str], logs: Path) -> None:
        self.settings = dict(settings)
        # Another Airflow's settings in our own environment are none of this one's business.
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
        self._environment = {**inherited, **settings}
        self.home = Path(settings["AIRFLOW_HOME"])
        self._logs = logs
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._stopped = False
        self._lock = threading.Lock()  # start() may run in a thread while stop() is called
        self._session = requests.Session()
        self._session.trust_env = False
        self.address = settings["AIRFLOW__API__BASE_URL"]

    def __enter__(self) -> Self:
        try:
            self.start()
            self.wait_until_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def login(self) -> Login:
        """Who may log in."""
        return next(iter(self.logins.values()))

    @property
    def logins(self) -> dict[str, Login]:
        """Everybody who may log in, by name."""
        kept = json.loads((self.home / "passwords.json").read_text(encoding="utf-8"))
        return {user: Login(user, password) for user, password in kept.items()}

    @property
    def pids(self) -> list[int]:
        """Process ids of the components; each leads a process group of its own."""
        return [process.pid for process in self._processes.values()]

    def start(self) -> None:
        """Bring the metadata database up to date and start the components.

        Raises:
            LocalAirflowError: The database cannot be prepared, or :meth:`stop` was called meanwhile.
        """
        self._logs.mkdir(parents=True, exist_ok=True)
        passwords = self.home / "passwords.json"
        if not passwords.exists():
            passwords.touch(mode=0o600)
            users = self.settings["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS"].split(",")
            made = {user.partition(":")[0]: secrets.token_urlsafe(9) for user in users}
            passwords.write_text(json.dumps(made), encoding="utf-8")
        self._migrate()
        for name, arguments in _COMPONENTS.items():
            self._spawn(name, *arguments)

    def wait_until_ready(self, dag_id: str | None = None) -> None:
        """Wait until the components are healthy and, if named, a DAG has been read.

        Raises:
            LocalAirflowError: One of them ended, or they took too long.
        """
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end:
            self.check_alive()
            if self._healthy() and (dag_id is None or self._knows(dag_id)):
                return
            time.sleep(0.3)
        raise LocalAirflowError(f"Airflow is not ready after {_START_SECONDS:.0f} s (see {self._logs})")

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Call the public API as the administrator.

        Raises:
            LocalAirflowError: It refuses, or cannot be reached.
        """
        for pause in (*_REPEATS, None):
            try:
                if "Authorization" not in self._session.headers:
                    self._log_in()
                response = self._session.request(
                    method, f"{self.address}/api/v2/{path}", json=body, timeout=_HTTP_SECONDS
                )
            except requests.RequestException as error:
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
        self.check_alive()
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

    def tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """The task instances of a run, however many: Airflow gives a hundred at a time, whatever is asked for."""
        found: list[dict[str, Any]] = []
        while True:
            place = f"limit={_PAGE}&offset={len(found)}&order_by=id"
            page = self.call("GET", f"dags/{dag_id}/dagRuns/{run_id}/taskInstances?{place}")
            found += page["task_instances"]
            if len(found) >= page["total_entries"] or not page["task_instances"]:
                return found

    def task_states(self, dag_id: str, run_id: str) -> dict[tuple[str, int], str]:
        """(task id, map index) → state."""
        return {(task["task_id"], task["map_index"]): task["state"] for task in self.tasks(dag_id, run_id)}

    def stop(self) -> None:
        """End every process this object started, with its children; from now on it starts no more."""
        with self._lock:
            self._stopped = True
            processes = list(self._processes.values())
        for process in processes:
            end_group(process, signal.SIGINT)
        end = time.monotonic() + _STOP_SECONDS
        for process in processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(end - time.monotonic(), 0.1))
            end_group(process, signal.SIGKILL)
            process.wait()
        with self._lock:
            self._processes.clear()
        self._session.close()

    def _migrate(self) -> None:
        code = self._spawn("migrate", "db", "migrate").wait()
        with self._lock:
            self._processes.pop("migrate", None)
        if code and not self._stopped:
            log = self._logs / "migrate.log"
            raise LocalAirflowError(f"Airflow's database could not be prepared: {last_line(log)} (see {log})")

    def _spawn(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._stopped:
                raise LocalAirflowError("Airflow was stopped while it was starting")
            with (self._logs / f"{name}.log").open("wb") as output:
                self._processes[name] = subprocess.Popen(
                    _airflow(*arguments), env=self._environment, stdout=output, stderr=output, start_new_session=True
                )
            return self._processes[name]

    def _healthy(self) -> bool:
        try:
            health = self._session.get(f"{self.address}/api/v2/monitor/health", timeout=5).json()
        except (requests.RequestException, ValueError):
            return False
        return all(health[name]["status"] == "healthy" for name in ("metadatabase", "scheduler", "dag_processor"))

    def _knows(self, dag_id: str) -> bool:
        try:
            self.call("GET", f"dags/{dag_id}")
        except LocalAirflowError:
            errors = self.call("GET", "importErrors")["import_errors"]
            if errors:
                raise LocalAirflowError(f"A DAG cannot be read: {errors[0]['stack_trace'][-500:]}") from None
            return False
        return True

    def _log_in(self) -> None:
        login = self.login
        response = self._session.post(
            f"{self.address}/auth/token",
            json={"username": login.user, "password": login.password},
            timeout=_HTTP_SECONDS,
        )
        response.raise_for_status()
        self._session.headers["Authorization"] = f"Bearer {response.json()['access_token']}"

    def check_alive(self) -> None:
        """Make sure that every component still runs.

        Raises:
            LocalAirflowError: One of them has ended.
        """
        for name, process in self._processes.items():
            if process.poll() is not None:
                log = self._logs / f"{name}.log"
                raise LocalAirflowError(f"Airflow's {name} has ended: {last_line(log)} (see {log})")


def end_group(process: subprocess.Popen[bytes], by: signal.Signals) -> None:
    """Send a signal to a process and its children; nothing when they are gone."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, by)


def last_line(log: Path) -> str:
    """The line that says most about why a process ended: its last error, else the last one it printed."""
    lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower() and "uvicorn.error]" not in line]
    return (errors or lines or ["it printed nothing"])[-1][:300]


def _airflow(*arguments: str) -> Sequence[str]:
    return [sys.executable, "-m", "airflow", *arguments]


def _secrets(home: Path) -> dict[str, str]:
    file = home / "secrets.json"
    if not file.exists():
        file.touch(mode=0o600)
        made = {
            "fernet_key": Fernet.generate_key().decode(),
            "secret_key": secrets.token_hex(32),
            "jwt_secret": secrets.token_hex(64),
        }
        file.write_text(json.dumps(made), encoding="utf-8")
    kept: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return kept
