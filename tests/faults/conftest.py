"""What breaks, and the world that it breaks in."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.conftest import quick_world, small_vendors  # noqa: F401  # fixtures
from pipeline.walking import Walk
from pipeline.world import FixedGateway, World

_TESTS = Path(__file__).resolve().parent.parent


class Importer:
    """A process that imports on command; see ``importer.py``."""

    def __init__(self, world: World) -> None:
        gateway = world.rig.gateway
        assert isinstance(gateway, FixedGateway)
        arguments = [gateway.token, gateway.exact_url, gateway.outsmart_url]
        path = os.pathsep.join(map(str, (_TESTS.parent / "include", _TESTS.parent, _TESTS.parent / "scripts", _TESTS)))
        self._said = tempfile.TemporaryFile("w+")  # noqa: SIM115  # closed with the process
        self._process = subprocess.Popen(
            [sys.executable, str(_TESTS / "faults" / "importer.py"), *arguments],
            env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
        )

    def begin(self, name: str, *, kill_at: int = 0, stop_at: int = 0) -> int:
        """Order an import; returns the process id.

        Args:
            name: The run's outside name: the same one goes on with the same run.
            kill_at: The statement before which it is killed.
            stop_at: Which opening of the OutSmart account stops it: odd ones are extracts, even ones upserts.
        """
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"name": name, "kill_at": kill_at, "stop_at": stop_at}) + "\n")
        self._process.stdin.flush()
        return int(self._answer())

    def end(self) -> dict[str, Any] | None:
        """Wait for its end; None: it was killed."""
        said = self._answer()
        if said == f"died {signal.SIGKILL}":
            return None
        if said.startswith("died"):
            self._said.seek(0)
            raise AssertionError(self._said.read())
        result: dict[str, Any] = json.loads(said)
        assert self._answer() == "ended"
        return result

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()
        self._said.close()

    def _answer(self) -> str:
        assert self._process.stdout is not None
        for line in iter(self._process.stdout.readline, ""):
            if line.startswith("="):
                return line[1:].strip()
        raise AssertionError("the importer has ended")


@pytest.fixture
def importer(quick_world: World) -> Iterator[Importer]:  # noqa: F811  # the fixture
    """A process that imports on command."""
    made = Importer(quick_world)
    yield made
    made.close()


@pytest.fixture
def walk(quick_world: World) -> Walk:  # noqa: F811  # the fixture
    """Somebody who edits at random, and knows what must come of it; everything has been imported once."""
    walk = Walk(quick_world, seed=7)
    for _ in range(4):
        walk.edit()
    walk.check(full=True)
    return walk
