"""Commands of the command line in processes of their own, that do not import everything again each time."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from typer.testing import CliRunner

from sandbox.forking import Forked

SECONDS = 120


@dataclass(frozen=True)
class Ended:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Standard output as the one JSON document it has to be."""
        return msgspec.json.decode(self.out)


def run(arguments: tuple[str, ...], folder: Path, environment: dict[str, str], typed: str = "") -> Ended:
    """Run the program's entry point as a shell does, in a folder and with an environment."""
    with tempfile.TemporaryDirectory() as kept:
        files = [Path(kept) / name for name in ("in", "out", "err")]
        files[0].write_text(typed)
        child = Forked(_command, (arguments, str(folder), environment, [*map(str, files)]), Path(os.devnull))
        try:
            code = child.wait(SECONDS)
        finally:
            child.kill()
        return Ended(code, *(file.read_text() for file in files[1:]))


def typed(*words: str, code: int = 0) -> str:
    """Run a command in this very process, which must end with an exit code; returns what it printed."""
    from outsmart_sync.cli import app

    with _logging_kept():  # a command points all logging to its stderr
        result = CliRunner().invoke(app, words)
    assert result.exit_code == code, (result.output, result.exception)
    return result.output


@contextlib.contextmanager
def _logging_kept() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in (None, "alembic", "airflow")]
    levels = [each.level for each in loggers]
    handlers = list(loggers[0].handlers)
    try:
        yield
    finally:
        loggers[0].handlers[:] = handlers
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _command(arguments: tuple[str, ...], folder: str, environment: dict[str, str], files: list[str]) -> None:
    modes = (os.O_RDONLY, os.O_WRONLY | os.O_CREAT, os.O_WRONLY | os.O_CREAT)
    for number, (file, mode) in enumerate(zip(files, modes, strict=True)):
        opened = os.open(file, mode, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)  # multiprocessing has put another one in its place
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["outsmart-sync", *arguments]
    from outsmart_sync.cli import main

    main()
