"""Copies of the repository in which `make` is run as a user's shell would."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SMALL = "--relations 60 --items 80"
SECONDS = 280


def copy_repository(copy: Path) -> Path:
    """What is in the repository, without a virtual environment."""
    files = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    for name in files:
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    return copy


def install(copy: Path, *, without: str = "") -> None:
    """Give a copy an environment of its own, as bootstrap.py leaves it, its packages links to those of these tests.

    Args:
        copy: The copy of the repository.
        without: A package that has got lost.
    """
    venv = copy / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    packages = next(venv.glob("lib/python*/site-packages"))
    for each in Path(sysconfig.get_path("purelib")).iterdir():
        if each.name.split("-")[0].split(".")[0] != without and not each.name.startswith("__editable__"):
            (packages / each.name).symlink_to(each)
    (packages / "ours.pth").write_text(str(copy / "include"), encoding="utf-8")
    (venv / "bin" / "outsmart-sync").touch()
    stamp = "import bootstrap; print(bootstrap.fingerprint('run'), end='')"
    told = subprocess.run(
        [sys.executable, "-c", stamp], cwd=copy / "scripts", capture_output=True, text=True, check=True
    )
    (venv / ".installed-run").write_text(told.stdout, encoding="utf-8")


def free_ports(count: int) -> int:
    """The first of so many ports in a row; test processes begin to look at places of their own."""
    begin = os.getpid() * 97 % 10_000
    for offset in range(0, 10_000, 7):
        first = 21_000 + (begin + offset) % 10_000
        probes = [socket.socket() for _ in range(count)]
        try:
            for number, probe in enumerate(probes):
                probe.bind(("127.0.0.1", first + number))
        except OSError:
            continue
        else:
            return first
        finally:
            for probe in probes:
                probe.close()
    raise AssertionError("no free ports")


def processes_in(folder: Path) -> list[str]:
    """Command lines of processes that work with files of a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            environment = (process / "environ").read_bytes().decode(errors="replace")
            state = (process / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if state != "Z" and (str(folder) in command or f"AIRFLOW_HOME={folder}" in environment):
            found.append(command)
    return found


def make(folder: Path, *arguments: str, seconds: float = SECONDS) -> subprocess.CompletedProcess[str]:
    """Run make as a user's shell would: without the tests' own settings."""
    return subprocess.run(
        ["make", *arguments], cwd=folder, env=plain_environment(), capture_output=True, text=True,
        timeout=seconds, check=False,
    )  # fmt: skip


def plain_environment() -> dict[str, str]:
    """The environment without what belongs to these tests, or to the `make` that runs them."""
    ours = ("AIRFLOW", "OUTSMART", "PYTEST", "PYTHON", "MAKE", "MFLAGS")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


def told_by(ended: subprocess.CompletedProcess[str]) -> list[str]:
    """What a user reads as the error: stderr without make's own last word."""
    assert "Traceback" not in ended.stdout + ended.stderr, ended.stdout + ended.stderr
    return [line for line in ended.stderr.splitlines() if not line.startswith("make: ***")]
