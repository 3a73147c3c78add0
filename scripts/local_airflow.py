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
from pathlib import Path
from typing import Self

from cryptography.fernet import Fernet

from airflow_api import AirflowApi, LocalAirflowError, Login

ROOT = Path(__file__).resolve().parent.parent
_COMPONENTS = {
    "api-server": ["api-server", "--workers", "1"],
    "scheduler": ["scheduler", "--skip-serve-logs"],
    "dag-processor": ["dag-processor"],
}
_START_SECONDS = 180.0
_STOP_SECONDS = 20.0


_WARM = """\
# Each of Airflow's processes reads this. Tasks are forked from the scheduler, and find loaded what it has imported.

import sys

if "scheduler" in sys.argv:
    import outsmart_sync.orchestration.warm  # noqa: F401
"""


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
    (home / "config").mkdir(exist_ok=True)
    (home / "config" / "airflow_local_settings.py").write_text(_WARM, encoding="utf-8")
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
    }


class LocalAirflow(AirflowApi):
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
        super().__init__(settings["AIRFLOW__API__BASE_URL"], lambda: self.login, self.check_alive)

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
            if self.healthy() and (dag_id is None or self.knows(dag_id)):
                return
            time.sleep(0.3)
        raise LocalAirflowError(f"Airflow is not ready after {_START_SECONDS:.0f} s (see {self._logs})")

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
        self.session.close()

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
