"""A sandbox in a process of its own, for tests.

with sandbox.process.start(relations=50, items=60) as vendor:
    vendor.exact_url  # http://127.0.0.1:41234
    vendor.outsmart_url  # http://127.0.0.1:41235/openapi/8
    vendor.visma_url  # http://127.0.0.1:41236
    vendor.control.shift_clock(600)  # a sandbox.remote_control.RemoteControl
    vendor.restart()  # kill -9, and up again: same ports, same world

One with a state folder of its own starts as the command line does. A temporary one is forked from a process that has
loaded the sandbox, with a copy of the world that the first one of these figures made; that takes a tenth of the time.
"""

import atexit
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlencode, urlsplit

import msgspec

from sandbox.__main__ import main
from sandbox.config import DEFAULT_REDIRECT_URI, DEFAULT_VISMA_REDIRECT_URI
from sandbox.fixed_world import APP, VISMA_APP
from sandbox.forking import Forked, load_ahead
from sandbox.remote_control import RemoteControl
from sandbox.server import ADDRESSES_FILE, Addresses
from sandbox.visma_eaccounting.authorize import EACCOUNTING

VISMA_SCOPES = "ea:api offline_access ea:sales"
NO_LIMIT = 1_000_000
_START_SECONDS = 120.0
_STOP_SECONDS = 15.0
_ROOT = Path(__file__).resolve().parent.parent
_STATE_FILE = "sandbox.sqlite3"

load_ahead("sandbox.process")


class SandboxDidNotStartError(Exception):
    """The process ended or hung before it listened; the text is what it said."""


class SandboxEndedError(Exception):
    """The process ended although nobody here ended it; the text is its exit code and what it said last."""


class SandboxProcess:
    """A running sandbox; `start` makes one.

    Attributes:
        state_dir: Its state folder, with what it printed in `output.txt`.
        exact_url: Base address of Exact Online.
        outsmart_url: Base address of OutSmart's API.
        visma_url: Base address of VISMA: `/connect/...` and `/v2/...`.
        control: A client of the control server.
    """

    def __init__(self, state_dir: Path, options: list[str], *, temporary: bool) -> None:
        self.state_dir = state_dir
        self._options = options
        self._temporary = temporary
        self._end_expected = False
        self._launch((0, 0, 0, 0))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def control_url(self) -> str:
        """Address of the control server."""
        return self.control.address

    def authorize_url(self, state: str = "state", redirect_uri: str = DEFAULT_REDIRECT_URI, **others: str) -> str:
        """The address an app sends a user to, to ask for access; `sandbox.browser.Browser` can open it."""
        query = {"client_id": APP.client_id, "redirect_uri": redirect_uri, "response_type": "code", "state": state}
        return f"{self.exact_url}/api/oauth2/auth?{urlencode(query | others)}"

    def visma_authorize_url(
        self, state: str = "state", redirect_uri: str = DEFAULT_VISMA_REDIRECT_URI, **others: str
    ) -> str:
        """The address an app sends a user to at VISMA; by default all companies with eAccounting are offered."""
        query = {
            "client_id": VISMA_APP.client_id,
            "redirect_uri": redirect_uri,
            "response_type": "code",
            "state": state,
        }
        usual = {
            "scope": VISMA_SCOPES,
            "prompt": "select_account",
            "acr_values": EACCOUNTING,
        }
        return f"{self.visma_url}/connect/authorize?{urlencode(query | usual | others)}"

    def kill(self) -> None:
        """End the process as `kill -9` does; the state stays."""
        self._process.kill()
        self.wait()
        self.control.close()

    def wait(self, seconds: float = _STOP_SECONDS) -> int:
        """Wait until the process has ended, after a signal for example; returns its exit code."""
        code = self._process.wait(seconds)
        self._end_expected = True
        return code

    def restart(self) -> None:
        """Kill the process if it lives, and start it again with the same ports and state."""
        if self._process.poll() is None:
            self.kill()
        addresses = (self.exact_url, self.outsmart_url, self.control_url, self.visma_url)
        self._launch(tuple(urlsplit(one).port or 0 for one in addresses))

    def stop(self) -> None:
        """End the process in order; a temporary state folder is removed.

        Raises:
            SandboxEndedError: It had ended before, by itself or by somebody else.
        """
        surprise = self._surprise()
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self.wait()
            except subprocess.TimeoutExpired:
                self.kill()
        self.control.close()
        if self._temporary:
            shutil.rmtree(self.state_dir, ignore_errors=True)
        if surprise:
            raise SandboxEndedError(surprise)

    def _surprise(self) -> str | None:
        if self._process.poll() is None or self._end_expected:
            return None
        said = self._output.read_text(encoding="utf-8")
        return f"the sandbox had already ended, with exit code {self._process.returncode}; it said:\n{said}"

    def _launch(self, ports: tuple[int, ...]) -> None:
        words = ["--state-dir", str(self.state_dir), *self._options]
        for name, port in zip(("exact", "outsmart", "control", "visma"), ports, strict=True):
            words += [f"--{name}-port", str(port)]
        self._process: Forked | subprocess.Popen[bytes]
        if self._temporary:
            self._process = Forked(main, (words,), self._output)
        else:
            command = [sys.executable, "-m", "sandbox", *words]
            with self._output.open("ab") as output:
                self._process = subprocess.Popen(command, cwd=_ROOT, stdout=output, stderr=output)
        self._end_expected = False
        try:
            addresses = self._wait_for_addresses()
        except SandboxDidNotStartError:
            self._process.kill()
            self._process.wait()
            raise
        self.exact_url = addresses.exact_online
        self.outsmart_url = addresses.outsmart
        self.visma_url = addresses.visma_eaccounting
        self.control = RemoteControl(addresses.control)

    def _wait_for_addresses(self) -> Addresses:
        """Wait for the file that this very process writes once it listens."""
        file, end = self.state_dir / ADDRESSES_FILE, time.monotonic() + _START_SECONDS
        while time.monotonic() < end and self._process.poll() is None:
            if file.exists():
                addresses = msgspec.json.decode(file.read_bytes(), type=Addresses)
                if addresses.pid == self._process.pid:
                    return addresses
            time.sleep(0.01)
        raise SandboxDidNotStartError(self._output.read_text(encoding="utf-8"))

    @property
    def _output(self) -> Path:
        return self.state_dir / "output.txt"


def start(
    state_dir: Path | None = None,
    *,
    relations: int = 50,
    items: int = 60,
    seed: int = 20,
    minute_limit: int = NO_LIMIT,
    day_limit: int = NO_LIMIT,
    visma_minute_limit: int = NO_LIMIT,
    redirect_uris: tuple[str, ...] = (),
    visma_redirect_uris: tuple[str, ...] = (),
) -> SandboxProcess:
    """Start a sandbox on free ports and wait until it listens.

    Args:
        state_dir: Its state folder; None for a temporary one that goes with the sandbox.
        relations: Accounts in the main administration.
        items: Items in the main administration.
        seed: What the rows follow from.
        minute_limit: Exact Online's calls a minute; out of the way unless a test is about it (the vendor's: 60).
        day_limit: Exact Online's calls a day (the vendor's: 5,000).
        visma_minute_limit: VISMA's calls a minute per endpoint (the vendor's: 600).
        redirect_uris: Addresses registered for the app at Exact Online; the command line's default if there are none.
        visma_redirect_uris: The same at VISMA.

    Returns:
        The running sandbox, also usable as a context manager.

    Raises:
        SandboxDidNotStartError: It did not start; the text is what it printed.
    """
    folder = state_dir or Path(tempfile.mkdtemp(prefix="sandbox-"))
    folder.mkdir(parents=True, exist_ok=True)
    figures = {"relations": relations, "items": items, "seed": seed}
    figures |= {"minute-limit": minute_limit, "day-limit": day_limit, "visma-minute-limit": visma_minute_limit}
    options = [word for name, value in figures.items() for word in (f"--{name}", str(value))]
    options += [word for uri in redirect_uris for word in ("--redirect-uri", uri)]
    options += [word for uri in visma_redirect_uris for word in ("--visma-redirect-uri", uri)]
    if state_dir is not None:
        return SandboxProcess(folder, options, temporary=False)
    world = _world_file(relations, items, seed, datetime.now(UTC).date())
    if world.exists():
        shutil.copy(world, folder / _STATE_FILE)
        return SandboxProcess(folder, options, temporary=True)
    made = SandboxProcess(folder, options, temporary=True)
    with closing(sqlite3.connect(folder / _STATE_FILE)) as source, closing(sqlite3.connect(world)) as copy:
        source.backup(copy)
    return made


@cache
def _worlds() -> Path:
    """A folder with a world for each set of figures, for as long as this process lives."""
    folder = tempfile.mkdtemp(prefix="sandbox-worlds-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def _world_file(relations: int, items: int, seed: int, day: date) -> Path:
    """Where the world of these figures is kept; its dates are those of its day."""
    return _worlds() / f"{relations}-{items}-{seed}-{day}.sqlite3"
