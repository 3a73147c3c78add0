"""Processes that begin with their modules loaded: forked from one that has imported them once."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from functools import cache
from multiprocessing import forkserver
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_CONTEXT = multiprocessing.get_context("forkserver")


def load_ahead(*modules: str) -> None:
    """Name the modules that every later child finds loaded; only the call before the first child counts."""
    _CONTEXT.set_forkserver_preload(list(modules))


class Forked:
    """A child process, with what the sandbox needs of ``subprocess.Popen``.

    Args:
        target: What the child does; it must be a function of a module. Its ``SystemExit`` is the exit code.
        arguments: Its arguments.
        output: The file to which what the child prints is added.
    """

    def __init__(self, target: Callable[..., Any], arguments: tuple[Any, ...], output: Path) -> None:
        _start_server()
        self._process = _CONTEXT.Process(target=_run, args=(target, arguments, str(output)), daemon=True)
        self._process.start()
        self.pid: int = self._process.pid or 0

    @property
    def returncode(self) -> int | None:
        """Its exit code, or minus the signal that ended it; None while it runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """The same as :attr:`returncode`."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended.

        Raises:
            subprocess.TimeoutExpired: It has not within these seconds.
        """
        self._process.join(timeout)
        code = self._process.exitcode
        if code is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
        return code

    def terminate(self) -> None:
        """Ask it to end."""
        self._process.terminate()

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()


@cache
def _start_server() -> None:
    """Start what children are forked from; Python before 3.13 does not tell it where this process finds modules."""
    kept = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    try:
        forkserver.ensure_running()
    finally:
        if kept is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = kept


def _run(target: Callable[..., Any], arguments: tuple[Any, ...], output: str) -> None:
    file = os.open(output, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for stream in (1, 2):
        os.dup2(file, stream)
    os.close(file)
    raise SystemExit(target(*arguments))
