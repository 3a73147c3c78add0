"""Airflow on several machines, as plain processes of this one: what ``docker-compose.yaml`` starts, without Docker.

PostgreSQL, Redis, API server, scheduler, DAG processor, triggerer and Celery workers, each with a working folder of its
own: no disk is shared. Commands and environment are those of ``topology.py``. Used by
``try_cluster.py``, the tests and the benchmarks.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Self

from cryptography.fernet import Fernet

import topology
from administrator import NAME
from airflow_api import AirflowApi, LocalAirflowError, Login
from local_airflow import ROOT, end_group, last_line
from postgres_server import PostgresServer

_START_SECONDS = 240.0
_STOP_SECONDS = 20.0
REDIS = "redis-server"


class Cluster:
    """The services of ``topology.py`` on free ports of this machine.

    Args:
        home: Folder that holds a folder for each process.
        vendors: The vendors' connections and whatever else workers and API server are told.
        workers: How many workers there are.
        concurrency: Tasks that each runs at a time.
        settings: Environment of every service that differs from the topology's, such as shorter time-outs.

    Attributes:
        reviving: Whether a service that ends is started again, as ``restart: unless-stopped`` does.

    Raises:
        LocalAirflowError: There is no Redis on this machine.
    """

    def __init__(
        self,
        home: Path,
        vendors: Mapping[str, str],
        *,
        workers: int = 3,
        concurrency: int = 2,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        if shutil.which(REDIS) is None:
            raise LocalAirflowError(f"{REDIS} is not installed: apt install redis-server")
        self.home = home
        self.reviving = False
        self._ports = _free_ports(6 + workers)
        api, postgres, redis = (next(self._ports) for _ in range(3))
        self.address = f"http://127.0.0.1:{api}"
        self._redis_port, self._api_port, self._health_port = redis, api, next(self._ports)
        self.place = topology.Place(
            api=self.address,
            public=self.address,
            postgres=f"127.0.0.1:{postgres}",
            redis=f"127.0.0.1:{redis}",
            secrets=made_up_secrets(),
            concurrency=str(concurrency),
        )
        self._vendors = dict(vendors)
        self._settings = dict(settings or {})
        self.workers = [f"worker-{number}" for number in range(1, workers + 1)]
        self._log_ports = {name: str(next(self._ports)) for name in ("triggerer", *self.workers)}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        home.mkdir(parents=True, exist_ok=True)
        self._postgres = PostgresServer(postgres, self.place.secrets)
        self.api = AirflowApi(self.address, lambda: Login(NAME, self.place.secrets["ADMIN_PASSWORD"]), self.check_alive)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def store(self) -> str:
        """Address of the store."""
        return topology.environment("store", self.place)["AIRFLOW_CONN_OUTSMART_SYNC_STORE"]

    @property
    def metadata(self) -> str:
        """Address of Airflow's own database."""
        return topology.environment("scheduler", self.place)["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]

    def start(self) -> None:
        """Start everything, in the topology's order, and wait until all of it is ready.

        Raises:
            LocalAirflowError: Something did not start.
        """
        self.start_store()
        self.start_airflow()

    def start_store(self) -> None:
        """Start PostgreSQL alone, with the store's tables.

        Raises:
            LocalAirflowError: The tables could not be made.
        """
        self._postgres.start()
        self._postgres.make_databases()
        self._run_once("store")

    def start_airflow(self) -> None:
        """Start all the rest, and wait until it is ready.

        Raises:
            LocalAirflowError: Something did not start.
        """
        self.start_redis()
        self._run_once("migrations")
        for name in ("api-server", "scheduler", "dag-processor", "triggerer", *self.workers):
            self.start_service(name)
        self._run_once("administrator")
        self.wait_for("Airflow is healthy", self.api.healthy)
        for name in self.workers:
            self.wait_for(f"{name} is ready", lambda name=name: " ready" in self.log(name))  # type: ignore[misc]

    def stop(self) -> None:
        """End every process that this object started."""
        for process in self._processes.values():
            end_group(process, signal.SIGTERM)
        end = time.monotonic() + _STOP_SECONDS
        for process in self._processes.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(end - time.monotonic(), 0.1))
            end_group(process, signal.SIGKILL)
            process.wait()
        self._processes.clear()
        self.api.close()
        self._postgres.remove()

    def start_service(self, name: str) -> None:
        """Start a service, or start it again; workers are called ``worker-1`` and so on."""
        self._spawn_service(name)

    def maintain(self) -> str:
        """One round of the clean-up that the service ``maintenance`` does once a day; returns what it printed.

        Raises:
            LocalAirflowError: It failed.
        """
        command = (*self._command("maintenance"), "--once")
        if self._spawn("maintenance", command, self.environment("maintenance")).wait():
            raise LocalAirflowError(f"maintenance failed: {self.log('maintenance')[-500:]}")
        del self._processes["maintenance"]
        return self.log("maintenance")

    def kill(self, name: str) -> None:
        """End a service with all its children at once, as when its machine goes down."""
        process = self._processes.pop(name)
        end_group(process, signal.SIGKILL)
        process.wait()

    def start_redis(self) -> None:
        """Start Redis, with what it kept."""
        command = (*topology.REDIS, self.place.secrets["REDIS_PASSWORD"], "--port", str(self._redis_port))
        self._spawn("redis", (*command, "--bind", "127.0.0.1", "--dir", "."), {})
        self.wait_for("Redis listens", lambda: _listens(self._redis_port))

    def restart_postgres(self, pause: float = 0.0) -> None:
        """Take PostgreSQL away from everybody, and start it again."""
        self._postgres.stop()
        time.sleep(pause)
        self._postgres.start()

    def environment(self, name: str) -> dict[str, str]:
        """What a service is told: the topology's part, and what differs because it is a process of this machine."""
        kind = _kind(name)
        told = topology.environment(kind, self.place) | self._settings
        if "vendors" in topology.SERVICES[kind].knows:
            told |= self._vendors
        folder = self.home / name
        told |= {
            "AIRFLOW_HOME": str(folder),
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(self._api_port),
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT": str(self._health_port),
        }
        if port := self._log_ports.get(name):
            server = "TRIGGER_LOG_SERVER_PORT" if kind == "triggerer" else "WORKER_LOG_SERVER_PORT"
            told[f"AIRFLOW__LOGGING__{server}"] = port
        return told

    def task_logs(self, worker: str) -> list[Path]:
        """The logs of the tasks that a worker has run; they are on its own disk."""
        return sorted((self.home / worker / "logs").rglob("attempt=*.log"))

    def log(self, name: str) -> str:
        """What a process has printed."""
        return (self.home / name / "output.txt").read_text(encoding="utf-8", errors="replace")

    def pids(self) -> dict[str, int]:
        """Service → process id; each leads a process group of its own."""
        return {name: process.pid for name, process in self._processes.items()}

    def check_alive(self) -> None:
        """Make sure that every service that was started still runs; in :attr:`reviving`, start it again if not.

        Raises:
            LocalAirflowError: One of them has ended.
        """
        for name, process in list(self._processes.items()):
            if process.poll() is not None and self.reviving:
                self.start_service(name)
            elif process.poll() is not None:
                log = self.home / name / "output.txt"
                raise LocalAirflowError(f"{name} has ended: {last_line(log)} (see {log})")

    def wait_for(self, what: str, there: Callable[[], bool], seconds: float = _START_SECONDS) -> None:
        """Wait until something is so.

        Raises:
            LocalAirflowError: It took too long, or a service has ended.
        """
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.check_alive()
            if there():
                return
            time.sleep(0.2)
        raise LocalAirflowError(f"after {seconds:.0f} s it is still not so that {what} (see {self.home})")

    def _command(self, name: str) -> tuple[str, ...]:
        program, *arguments = topology.SERVICES[_kind(name)].command
        if name in self.workers:
            arguments += ["--celery-hostname", f"{name}@%h"]
        return (str(Path(sys.executable).parent / program), *arguments)

    def _run_once(self, *names: str) -> None:
        """Run services that do one thing and end, side by side."""
        for name, process in {name: self._spawn_service(name) for name in names}.items():
            code = process.wait()
            del self._processes[name]
            if code:
                log = self.home / name / "output.txt"
                raise LocalAirflowError(f"{name} failed: {last_line(log)} (see {log})")

    def _spawn_service(self, name: str) -> subprocess.Popen[bytes]:
        return self._spawn(name, self._command(name), self.environment(name))

    def _spawn(self, name: str, command: tuple[str, ...], told: Mapping[str, str]) -> subprocess.Popen[bytes]:
        folder = self.home / name
        folder.mkdir(exist_ok=True)
        if not (folder / "scripts").exists():  # commands name it from the project's root
            (folder / "scripts").symlink_to(ROOT / "scripts")
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("AIRFLOW", "OUTSMART"))}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
        with (folder / "output.txt").open("ab") as output:
            self._processes[name] = subprocess.Popen(
                command, env={**inherited, "PATH": path, **told}, cwd=folder, stdin=subprocess.DEVNULL,
                stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip
        return self._processes[name]


def made_up_secrets() -> dict[str, str]:
    """A value for each secret of the topology; all of them can stand in an address as they are."""
    keys = {name: Fernet.generate_key().decode() for name in ("FERNET_KEY", "VAULT_KEYS")}
    return {name: secrets.token_hex(32) for name in topology.SECRETS} | keys


def _kind(name: str) -> str:
    return "worker" if name.startswith("worker-") else name


def _free_ports(number: int) -> Iterator[int]:
    """Ports that nobody listens on, all of them different."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(number)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return iter([int(probe.getsockname()[1]) for probe in probes])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
