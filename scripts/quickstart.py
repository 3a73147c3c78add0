"""`make run`: the whole system on the sandbox, synced once, with the Airflow UI left open.

Starts the vendors' sandbox, makes the store, connects by the real OAuth flow (playing the person at the browser),
starts Airflow, triggers the import, shows its progress and what became of each category, and stays until Ctrl-C.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

_DAMAGED = "make run: the installation is damaged: {} is missing; run make distclean and try again\n"

try:
    from cryptography.fernet import Fernet

    import outcome
    from airflow_api import LocalAirflowError
    from local_airflow import ROOT, LocalAirflow, end_group, environment, last_line
    from outsmart_sync import terminal
    from outsmart_sync.errors import SyncError
    from outsmart_sync.services.history import RunSummary
    from outsmart_sync.store import address, runs
    from outsmart_sync.store.store import Store
except ModuleNotFoundError as missing:
    sys.stderr.write(_DAMAGED.format(missing.name))
    sys.exit(1)

LOCAL = ROOT / ".local"
ENV_FILE = ROOT / ".env"
SETTINGS = Path(__file__).with_name("quickstart-settings.yaml")
DAG = "exact_online_import"
PAGE = "/plugin/outsmart-sync"
REDIRECT_PATH = "/outsmart-sync/oauth/{}/callback"
SANDBOX_MINUTE_LIMIT = 600
_FIRST_PORT, _LAST_PORT = 1_024, 65_500
NEEDED_BYTES = 500_000_000
RUN_SECONDS = 1_800
WORK_ORDERS = 6  # completed ones that the sandbox begins with

console = terminal.console()


class QuickstartError(Exception):
    """Something stands in the way; the text is one line that says what to do."""


def main() -> int:
    """Run the quick start; returns the process's exit code."""
    options = _options()
    # SIGINT too: a shell that starts a program in the background has it ignored, here and in all that is started here.
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, _interrupt)
    quickstart = Quickstart(options)
    try:
        return quickstart.run()
    except KeyboardInterrupt:
        console.print("\nStopping ...")
        return 0 if quickstart.synced else 130
    except (QuickstartError, LocalAirflowError, SyncError, ModuleNotFoundError) as error:
        # A module may be missing here, or in a process that was started and left only its last line.
        named = _MISSING.search(str(error))
        sys.stderr.write(_DAMAGED.format(named[1]) if named else f"make run: {error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"make run: {error.strerror or error}: {error.filename or ROOT}\n")
        return 1
    finally:
        quickstart.stop()


class Quickstart:
    """One run of it, with everything it started."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._sandbox: subprocess.Popen[bytes] | None = None
        self._airflow: LocalAirflow | None = None
        self._starting: _Background | None = None
        self._began = time.monotonic()
        self._claimed = False
        self.synced = False

    def run(self) -> int:
        """Start, sync, show, stay."""
        self._require_room()
        self._claim()
        self._require_same_world()
        addresses = self._start_sandbox()
        settings = self._environment(addresses)
        os.environ.update(settings)
        self._airflow = LocalAirflow(settings, LOCAL / "logs")
        self._starting = _Background(self._airflow.start)
        self._say("Store and connection")
        administration = self._connect(addresses)
        self._say(f"Connected to {administration}; starting Airflow")
        with self._no_scheduled_run():
            self._starting.join()
            self._airflow.wait_until_ready(DAG)
            ok = self._sync(self._airflow)
        self.synced = ok
        self._show_access(self._airflow)
        if self._options.once:
            return 0 if ok else 1
        console.print("Press Ctrl-C to stop everything.")
        while True:
            time.sleep(1)
            self._airflow.check_alive()
            if self._sandbox is not None and self._sandbox.poll() is not None:
                raise QuickstartError(f"the sandbox has ended: {last_line(LOCAL / 'logs' / 'sandbox.log')}")

    def stop(self) -> None:
        """End every process that was started."""
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(name, signal.SIG_IGN)
        if self._airflow is not None:
            self._airflow.stop()
        if self._starting is not None:
            self._starting.wait()
        if self._sandbox is not None:
            end_group(self._sandbox, signal.SIGTERM)
            try:
                self._sandbox.wait(15)
            except subprocess.TimeoutExpired:
                end_group(self._sandbox, signal.SIGKILL)
                self._sandbox.wait()
        if self._claimed:
            _PROCESS_FILE.unlink(missing_ok=True)

    def _say(self, text: str) -> None:
        console.print(f"[{time.monotonic() - self._began:5.1f} s] {text}", markup=False)

    def _claim(self) -> None:
        """One quick start per folder."""
        LOCAL.mkdir(exist_ok=True)
        if _PROCESS_FILE.exists():
            pid = int(_PROCESS_FILE.read_text(encoding="utf-8") or 0)
            if pid and _is_quickstart(pid):
                raise QuickstartError(f"it is running already in this folder (process {pid}); stop that one first")
        if len(set(self._ports())) < len(self._ports()):
            raise QuickstartError("the port of Airflow is one of the sandbox's four: choose another --port")
        for port in self._ports():
            if _in_use(port):
                raise QuickstartError(
                    f"port {port} is in use by another program: stop it, or choose others with "
                    "make run ARGS='--port 8090 --sandbox-port 8801'"
                )
        _PROCESS_FILE.write_text(str(os.getpid()), encoding="utf-8")
        self._claimed = True

    def _require_room(self) -> None:
        stats = os.statvfs(ROOT)
        free = stats.f_bavail * stats.f_frsize
        if free < NEEDED_BYTES:
            raise QuickstartError(
                f"the disk has {free // 1_000_000} MB free, {NEEDED_BYTES // 1_000_000} are needed: make room"
            )

    def _require_same_world(self) -> None:
        """Another sandbox world would have other ids behind the same codes than the store knows."""
        wanted = {"relations": self._options.relations, "items": self._options.items}
        if _WORLD_FILE.exists():
            made = json.loads(_WORLD_FILE.read_text(encoding="utf-8"))
            if made != wanted:
                raise QuickstartError(
                    f"the sandbox here was made with {made['relations']} relations and {made['items']} items; "
                    "run make clean first to start anew with other figures"
                )
        _WORLD_FILE.write_text(json.dumps(wanted), encoding="utf-8")

    def _redirect_uri(self, package: str) -> str:
        """Where the page takes up a login at a package, by its name on the command line."""
        return f"http://127.0.0.1:{self._options.port}{REDIRECT_PATH.format(package)}"

    def _ports(self) -> list[int]:
        first = self._options.sandbox_port
        return [self._options.port, first, first + 1, first + 2, first + 3]

    def _start_sandbox(self) -> dict[str, Any]:
        self._say(
            f"Sandbox: Exact Online and VISMA eAccounting, each with {self._options.relations} relations and "
            f"{self._options.items} items; OutSmart"
        )
        state, log = LOCAL / "sandbox", LOCAL / "logs" / "sandbox.log"
        log.parent.mkdir(exist_ok=True)
        addresses = state / "addresses.json"
        addresses.unlink(missing_ok=True)
        _, exact, outsmart, control, visma = self._ports()
        command = [
            sys.executable, "-m", "sandbox", "--state-dir", str(state),
            "--exact-port", str(exact), "--outsmart-port", str(outsmart), "--control-port", str(control),
            "--visma-port", str(visma),
            "--relations", str(self._options.relations), "--items", str(self._options.items),
            "--minute-limit", str(SANDBOX_MINUTE_LIMIT), "--redirect-uri", self._redirect_uri("exact-online"),
            "--visma-redirect-uri", self._redirect_uri("visma-eaccounting"),
        ]  # fmt: skip
        with log.open("wb") as output:
            self._sandbox = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output, start_new_session=True)
        while not addresses.exists():
            if self._sandbox.poll() is not None:
                raise QuickstartError(f"the sandbox did not start: {last_line(log)} (see {log.relative_to(ROOT)})")
            time.sleep(0.05)
        found: dict[str, Any] = json.loads(addresses.read_text(encoding="utf-8"))
        return found

    def _environment(self, addresses: dict[str, Any]) -> dict[str, str]:
        """Airflow's settings, our connections and keys; also written to .env for the command line."""
        import sandbox_connections
        from sandbox.fixed_world import OUTSMART_ACCOUNTS

        account = next(iter(OUTSMART_ACCOUNTS.values()))
        settings = environment(LOCAL / "airflow", self._options.port)
        settings["AIRFLOW_CONN_OUTSMART_SYNC_STORE"] = json.dumps(
            {"conn_type": "sqlite", "host": str(LOCAL / "store.db")}
        )
        settings[sandbox_connections.EXACT] = sandbox_connections.exact(
            addresses["exact_online"], self._redirect_uri("exact-online")
        )
        settings[sandbox_connections.VISMA] = sandbox_connections.visma(
            addresses["visma_eaccounting"], self._redirect_uri("visma-eaccounting")
        )
        settings[sandbox_connections.OUTSMART] = sandbox_connections.outsmart(addresses["outsmart"], account)
        settings["OUTSMART_SYNC_VAULT_KEYS"] = _vault_key()
        _write_env(settings)
        return settings

    def _connect(self, addresses: dict[str, Any]) -> str:
        from outsmart_sync.providers.gateway import HookGateway
        from outsmart_sync.services import connect, login, settings
        from outsmart_sync.store import connections, schema
        from outsmart_sync.store.connections import State
        from sandbox.browser import Browser
        from sandbox.fixed_world import DIVISIONS, OUTSMART_ACCOUNTS
        from sandbox.remote_control import RemoteControl

        terminal.load_airflow()
        store = self._store()
        schema.upgrade(store)
        active = connections.find(store, package="exact_online", state=State.ACTIVE)
        if active:
            return active[0].label
        gateway = HookGateway(store)
        started = login.start(store, gateway, "exact_online", country="nl")
        browser = Browser()
        return_address = browser.consent(started.address)
        browser.close()
        done = login.finish(store, gateway, return_address, state=started.state)
        main = next(division for division in DIVISIONS.values() if division.main)
        active_now = connect.choose_administration(store, gateway, done.connection, str(main.code))
        if not any(values["enabled"] for values in settings.read(store, active_now).categories.values()):
            settings.save(store, active_now, settings.load(SETTINGS), gateway=gateway)
        # Something for `export preview` to show; exports stay off until somebody switches them on.
        control = RemoteControl(addresses["control"])
        control.complete_work_orders(next(iter(OUTSMART_ACCOUNTS)), main.code, count=WORK_ORDERS, prefix="W")
        control.close()
        store.close()
        return active_now.label

    @contextlib.contextmanager
    def _no_scheduled_run(self) -> Iterator[None]:
        """Leave the schedule's runs without work meanwhile: one of a full quarter would do what this one is to show."""
        from outsmart_sync.services import settings
        from outsmart_sync.store import connections
        from outsmart_sync.store.connections import State

        store = self._store()
        _switch_on_again(store)
        found = [each for each in connections.find(store, state=State.ACTIVE) if settings.read(store, each).automatic]
        written = _PAUSED_FILE.with_suffix(".new")
        written.write_text(json.dumps([each.id for each in found]), encoding="utf-8")
        written.replace(_PAUSED_FILE)
        try:
            for each in found:
                settings.save(store, each, {settings.AUTOMATIC: False})
            yield
        finally:
            _switch_on_again(store)
            store.close()

    def _sync(self, airflow: LocalAirflow) -> bool:
        from outsmart_sync.services import history

        run_id = airflow.trigger(DAG)
        self._say(f"Airflow run {run_id}")
        store = self._store()
        progress: dict[tuple[int, str], str] = {}
        end = time.monotonic() + RUN_SECONDS
        while (state := airflow.run_state(DAG, run_id)) not in ("success", "failed"):
            if time.monotonic() > end:
                raise QuickstartError(f"the run has not ended after {RUN_SECONDS} s; look at {airflow.address}")
            self._tell_progress(history.find_run(store, f"{DAG}/{run_id}"), progress)
            time.sleep(0.3)
        run = history.find_run(store, f"{DAG}/{run_id}")
        self._tell_progress(run, progress)
        self._say(f"The run ended: {state}")
        told = outcome.troubles(store, run)
        self._show_figures(store, run, unchanged=outcome.nothing_changed(state, run, told))
        store.close()
        return self._judge(airflow, run_id, state, told)

    @staticmethod
    def _store() -> Store:
        return Store(address.from_environment() or "")

    def _tell_progress(self, run: Any, told: dict[tuple[int, str], str]) -> None:
        for each in run.categories if run else []:
            now = f"{each.category}: {each.step} {each.state}"
            if told.get((each.connection_id, each.category)) != now:
                told[each.connection_id, each.category] = now
                self._say(f"   {now}")

    def _show_figures(self, store: Store, run: RunSummary | None, *, unchanged: bool) -> None:
        console.print()
        if run is not None:
            console.print(terminal.figures_table(store, run.categories, planned=runs.read_plan(store, run.run_id)))
        if unchanged:
            console.print("\nNothing has changed since the last sync: no record was read, written or delivered.")
        if run is not None and run.calls:
            console.print(f"Asking Exact Online whether there is anything new took {run.calls} calls.")
        console.print()

    @staticmethod
    def _judge(airflow: LocalAirflow, run_id: str, state: str, told: list[str]) -> bool:
        for line in told:
            sys.stderr.write(f"make run: {line}\n")
        if state != "success" and not told:
            bad = [task["task_id"] for task in airflow.tasks(DAG, run_id) if task["state"] == "failed"]
            sys.stderr.write(
                f"make run: task {', '.join(bad) or 'none'} failed; its log is below {LOCAL / 'airflow' / 'logs'}\n"
            )
        return state == "success" and not told

    def _show_access(self, airflow: LocalAirflow) -> None:
        if self._options.once:
            console.print("Command line: .venv/bin/outsmart-sync status | log | history relation 12   (reads .env)")
            console.print("Without --once, make run keeps the Airflow UI and the sandbox up.", markup=False)
            return
        login = airflow.login
        console.print(
            f"Airflow UI:   {airflow.address}/dags/{DAG}   user {login.user}   password {login.password}", markup=False
        )
        console.print(f"Software integrations: {airflow.address}{PAGE}   the page for the office", markup=False)
        console.print(
            "Command line: .venv/bin/outsmart-sync status | log | history relation 12   (reads .env)", markup=False
        )


_ENV_MARK = "# Written by `make run`, for the command line and for Airflow's own commands; removed by `make clean`."
_WORLD_FILE = LOCAL / "world.json"
_PAUSED_FILE = LOCAL / "paused.json"  # connections that the schedule leaves alone for the time of the first sync
_MISSING = re.compile(r"No module named '([^']+)'")
_PROCESS_FILE = LOCAL / "quickstart.pid"


def _switch_on_again(store: Store) -> None:
    """Let the schedule take along what was switched off for a first sync; also by a quick start that was killed."""
    from outsmart_sync.services import settings
    from outsmart_sync.store import connections

    if not _PAUSED_FILE.exists():
        return
    for number in json.loads(_PAUSED_FILE.read_text(encoding="utf-8")):
        if (connection := connections.get(store, number)) is not None:
            settings.save(store, connection, {settings.AUTOMATIC: True})
    _PAUSED_FILE.unlink()


class _Background:
    """A call in a thread whose error is raised where it is waited for."""

    def __init__(self, call: Callable[[], None]) -> None:
        self._error: BaseException | None = None
        self._call = call
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Wait for the call's end, and raise what it raised."""
        self.wait()
        if self._error is not None:
            raise self._error

    def wait(self) -> None:
        """Wait for the call's end, whatever it raised."""
        self._thread.join()

    def _run(self) -> None:
        try:
            self._call()
        except BaseException as error:  # noqa: BLE001 - raised again by join
            self._error = error


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make run", description=__doc__)
    parser.add_argument("--once", action="store_true", help="stop after the first sync; exit code 0 when it went well")
    parser.add_argument("--relations", type=int, default=5_000, help="relations in the sandbox's administration")
    parser.add_argument("--items", type=int, default=20_000, help="items in the sandbox's administration")
    parser.add_argument("--port", type=_port, default=8080, help="port of the Airflow UI")
    parser.add_argument("--sandbox-port", type=_port, default=8701, help="first of the sandbox's four ports")
    return parser.parse_args()


def _port(text: str) -> int:
    if not text.isdecimal() or not _FIRST_PORT <= int(text) <= _LAST_PORT:
        raise argparse.ArgumentTypeError(f"'{text}' is no port: choose one from {_FIRST_PORT} to {_LAST_PORT}")
    return int(text)


def _vault_key() -> str:
    """The key of the vault: the one of the last time, else a new one."""
    if ENV_FILE.exists():
        from dotenv import dotenv_values

        kept = dotenv_values(ENV_FILE).get("OUTSMART_SYNC_VAULT_KEYS")
        if kept:
            return kept
    return Fernet.generate_key().decode()


def _write_env(settings: dict[str, str]) -> None:
    if ENV_FILE.exists() and not ENV_FILE.read_text(encoding="utf-8").startswith(_ENV_MARK):
        raise QuickstartError(
            "there is an .env that `make run` did not write: move it away first, it would be overwritten"
        )
    lines = [_ENV_MARK]
    lines += [f"{name}='{value}'" for name, value in settings.items()]
    ENV_FILE.touch(mode=0o600)
    ENV_FILE.chmod(0o600)
    ENV_FILE.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _in_use(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def _is_quickstart(pid: int) -> bool:
    try:
        return b"quickstart.py" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
