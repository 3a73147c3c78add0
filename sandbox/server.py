"""One sandbox: its state, its servers, and their start and stop."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO

import msgspec
from aiohttp import web

from sandbox.calls import CallLog
from sandbox.clock import Clock
from sandbox.config import SandboxConfig
from sandbox.control.app import Control
from sandbox.exact_online.calling import read_target
from sandbox.exact_online.world import ExactOnline
from sandbox.faults import Faults
from sandbox.observing import observer
from sandbox.outsmart.world import BASE_PATH, OutSmart, subject
from sandbox.seeds.generate import prepare
from sandbox.state import State
from sandbox.switches import SwitchBoard
from sandbox.visma_eaccounting.world import VismaEAccounting

LOOPBACK = "127.0.0.1"
ADDRESSES_FILE = "addresses.json"
_LONGEST_LINE = 64 * 1024
_SHUTDOWN_SECONDS = 0.5


class CannotStartError(Exception):
    """Why the sandbox cannot start, and what to do, in one line."""


class Addresses(msgspec.Struct, frozen=True):
    """Where the servers listen.

    Attributes:
        exact_online: Base address of Exact Online.
        outsmart: Base address of OutSmart's API, up to and including the version.
        control: Base address of the control server.
        visma_eaccounting: Base address of VISMA: the identity server below `/connect`, the API below `/v2`.
        pid: The process that serves them.
    """

    exact_online: str
    outsmart: str
    control: str
    visma_eaccounting: str
    pid: int


class SandboxServer:
    """A sandbox in this process.

    Args:
        config: How it is set up.
        say: Tells the user what happens, one line at a time.
    """

    def __init__(self, config: SandboxConfig, say: Callable[[str], None] = lambda _: None) -> None:
        self._config = config
        self._say = say
        self._runners: list[web.AppRunner] = []
        self._lock: IO[str] | None = None
        self._state: State | None = None
        self._addresses: Addresses | None = None

    @property
    def addresses(self) -> Addresses:
        """Where the servers listen; only after `start`."""
        if self._addresses is None:
            raise RuntimeError("the sandbox has not been started")
        return self._addresses

    async def start(self) -> Addresses:
        """Open or make the world and listen.

        Returns:
            The addresses, which are also written to `addresses.json` in the state folder.

        Raises:
            CannotStartError: A port is taken, or another sandbox uses the state folder.
        """
        folder = self._config.state_dir
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = _lock(folder)
        self._state = State(folder / "sandbox.sqlite3")
        prepare(self._config, self._state, self._say)
        try:
            await self._listen(self._state)
        except CannotStartError:
            await self.stop()
            raise
        written = folder / f"{ADDRESSES_FILE}.new"
        written.write_bytes(msgspec.json.encode(self.addresses))
        written.replace(folder / ADDRESSES_FILE)
        return self.addresses

    async def stop(self) -> None:
        """Stop listening and close the state."""
        if self._addresses is not None:
            (self._config.state_dir / ADDRESSES_FILE).unlink(missing_ok=True)
        for runner in self._runners:
            await runner.cleanup()
        self._runners.clear()
        if self._state is not None:
            self._state.close()
            self._state = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    async def _listen(self, state: State) -> None:
        config, clock, switches = self._config, Clock(state), SwitchBoard(state)
        faults, log = Faults(), CallLog()
        exact = ExactOnline(config, state, clock, switches)
        outsmart = OutSmart(state, clock, switches)
        visma = VismaEAccounting(config, state, clock, switches)
        control = Control(
            clock, switches, faults, log, exact, visma, outsmart, lambda: msgspec.to_builtins(self.addresses)
        )
        exact_app = exact.application(observer("exact", _exact_subject, clock, faults, log))
        outsmart_app = outsmart.application(observer("outsmart", subject, clock, faults, log))
        visma_app = visma.application(observer("visma", visma.subject, clock, faults, log))
        self._addresses = Addresses(
            exact_online=await self._serve(exact_app, config.host, config.exact_port, "--exact-port"),
            outsmart=await self._serve(outsmart_app, config.host, config.outsmart_port, "--outsmart-port") + BASE_PATH,
            control=await self._serve(control.application(), LOOPBACK, config.control_port, "--control-port"),
            visma_eaccounting=await self._serve(visma_app, config.host, config.visma_port, "--visma-port"),
            pid=os.getpid(),
        )

    async def _serve(self, app: web.Application, host: str, port: int, option: str) -> str:
        runner = web.AppRunner(app, access_log=None, max_line_size=_LONGEST_LINE, shutdown_timeout=_SHUTDOWN_SECONDS)
        await runner.setup()
        self._runners.append(runner)
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            reason = f"Cannot listen on {host} port {port}: {error.strerror or error}."
            raise CannotStartError(f"{reason} Stop what uses it, or choose another with {option}.") from None
        shown = f"[{host}]" if ":" in host else host
        return f"http://{shown}:{runner.addresses[0][1]}"


def _exact_subject(request: web.Request) -> tuple[str, str | None]:
    """What a request to Exact Online is about, for the log of calls."""
    target = read_target(request.path)
    if target is None:
        return request.path, None
    return target.path, str(target.division) if target.division else None


def _lock(folder: Path) -> IO[str]:
    """Keep a second sandbox out of the folder for as long as this process lives."""
    lock = (folder / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        reason = f"Another sandbox is using {folder}."
        raise CannotStartError(f"{reason} Stop it, or choose another folder with --state-dir.") from None
    return lock
