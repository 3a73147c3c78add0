"""Builds the virtual environment from a lock file; needs nothing but Python and does nothing when all is in place.

Called by the Makefile as ``bootstrap.py run`` (what running and testing need) or ``bootstrap.py check`` (also linters).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"
LOCKS = {"run": ROOT / "requirements.txt", "check": ROOT / "requirements-dev.txt"}
NEEDED_BYTES = 1_500_000_000
LOG = VENV / "install.log"


def main(kind: str) -> None:
    """Bring the environment to the lock file of this kind.

    Raises:
        SystemExit: It cannot be built; one line says why and what to do.
    """
    stamp = VENV / f".installed-{kind}"
    wanted = fingerprint(kind)
    # The environment for checking holds everything that running needs.
    for satisfied in {kind, "check"}:
        if read(VENV / f".installed-{satisfied}") == fingerprint(satisfied) and complete():
            return
    require_space()
    began = time.monotonic()
    print(f"Installing into {VENV.relative_to(ROOT)} from {LOCKS[kind].name} (a minute or so, once) ...", flush=True)
    for old in VENV.glob(".installed-*"):
        old.unlink()
    make_environment()
    install_uv()
    run([str(BIN / "uv"), "pip", "sync", "--require-hashes", "--compile-bytecode", str(LOCKS[kind])])
    run([str(BIN / "uv"), "pip", "install", "--no-deps", "--no-build-isolation", "--editable", str(ROOT)])
    stamp.write_text(wanted, encoding="utf-8")
    print(f"Installed in {time.monotonic() - began:.0f} s.", flush=True)


def fingerprint(kind: str) -> str:
    """What the environment depends on: interpreter, lock file, our own package's metadata, and where it is.

    Scripts and the link to our own package hold full paths: a folder that was renamed or copied needs a new one.
    """
    place = os.fsencode(VENV.resolve())
    parts = (sys.version.encode(), LOCKS[kind].read_bytes(), (ROOT / "pyproject.toml").read_bytes(), place)
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def complete() -> bool:
    """Whether the programs that `make` starts are there."""
    return all((BIN / name).exists() for name in ("python", "outsmart-sync"))


def read(path: Path) -> str:
    """A file's text; '' when there is none."""
    return path.read_text(encoding="utf-8") if path.exists() else ""


def require_space() -> None:
    """Stop early when the disk cannot hold the environment."""
    free = shutil.disk_usage(ROOT).free
    if free < NEEDED_BYTES:
        fail(f"the disk has {free // 1_000_000} MB free, installing needs {NEEDED_BYTES // 1_000_000} MB: make room")


def make_environment() -> None:
    """Make the virtual environment, anew if it is of another Python, of another folder or broken."""
    python = BIN / "python"
    if python.exists() and moved():
        shutil.rmtree(VENV)
    if (
        python.exists()
        and subprocess.run([str(python), "-c", "import pip"], capture_output=True, check=False).returncode
    ):
        shutil.rmtree(VENV)
    if python.exists() and version_of(str(python)) != version_of(sys.executable):
        shutil.rmtree(VENV)
    if not python.exists():
        made = subprocess.run([sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True, check=False)
        if made.returncode:
            shutil.rmtree(VENV, ignore_errors=True)
            fail(
                f"{sys.executable} cannot make virtual environments: install its venv module (apt install python3-venv)"
            )


def moved() -> bool:
    """Whether the environment was made in another folder; it keeps the command that made it."""
    made = [line for line in read(VENV / "pyvenv.cfg").splitlines() if line.startswith("command = ")]
    return not any(line.endswith((f" {VENV}", f" {VENV.resolve()}")) for line in made)


def version_of(python: str) -> str:
    """The version line of an interpreter."""
    return subprocess.run([python, "-V"], capture_output=True, text=True, check=False).stdout


def install_uv() -> None:
    """Install the installer itself from the lock file, hashes and all."""
    lines, taking = [], False
    for line in LOCKS["run"].read_text(encoding="utf-8").splitlines():
        if not line.startswith((" ", "#")):
            taking = line.startswith("uv==")
        if taking:
            lines.append(line)
    with tempfile.NamedTemporaryFile("w", suffix=".txt", delete=False) as file:
        file.write("\n".join(lines) + "\n")
    try:
        run([str(BIN / "python"), "-m", "pip", "install", "--quiet", "--require-hashes", "--no-deps", "-r", file.name])
    finally:
        Path(file.name).unlink()


def run(command: list[str]) -> None:
    """Run one step of the installation; its output goes to a file, of which the last line is shown on failure."""
    environment = {**os.environ, "VIRTUAL_ENV": str(VENV), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    with LOG.open("a", encoding="utf-8") as file:
        file.write(f"$ {' '.join(command)}\n{done.stdout}{done.stderr}\n")
    if done.returncode:
        # The last line says most, but for advice that the installer gives about itself.
        said = [line for line in (done.stderr or done.stdout).splitlines() if line.strip() and "hint: " not in line]
        why = said[-1].strip() if said else "no message"
        fail(f"the installation failed: {why} (all of it: {LOG.relative_to(ROOT)}; try again, or: make distclean)")


def fail(why: str) -> NoReturn:
    """End with one line."""
    sys.stderr.write(f"make: {why}\n")
    sys.exit(1)


if __name__ == "__main__":
    try:
        main(sys.argv[1] if len(sys.argv) > 1 else "run")
    except OSError as error:
        fail(f"{error.strerror}: {error.filename or ROOT}")
    except KeyboardInterrupt:
        fail("interrupted; run it again to go on")
