"""An installation that is damaged, moved or does not fit on the disk: what `make run` says and does."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scripts.checkouts import (
    SMALL,
    copy_repository,
    free_ports,
    install,
    make,
    plain_environment,
    processes_in,
    told_by,
)

PYTHON = f"PYTHON={sys.executable}"
NOT_INSTALLING = {"PIP_NO_INDEX": "1", "PIP_RETRIES": "0"}  # the installation begins, and finds no packages


def run(copy: Path) -> subprocess.CompletedProcess[str]:
    first = free_ports(4)
    return make(copy, "run", PYTHON, f"ARGS=--once {SMALL} --port {first} --sandbox-port {first + 1}")


def bootstrap(copy: Path) -> subprocess.CompletedProcess[str]:
    """What `make run` does first, where no package can be had."""
    return subprocess.run(
        [sys.executable, "scripts/bootstrap.py", "run"], cwd=copy, env=plain_environment() | NOT_INSTALLING,
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    "package",
    [
        pytest.param("cryptography", id="needed by the quick start"),
        pytest.param("aiohttp", id="needed by the sandbox"),
        pytest.param("airflow", id="needed at the first connection"),
    ],
)
def test_a_package_that_is_gone_is_one_line_with_the_way_out(tmp_path: Path, package: str) -> None:
    copy = copy_repository(tmp_path)
    install(copy, without=package)
    ended = run(copy)
    assert ended.returncode != 0
    (told,) = told_by(ended)
    assert told == f"make run: the installation is damaged: {package} is missing; run make distclean and try again"
    assert processes_in(copy) == []


def test_what_is_installed_is_not_installed_again(tmp_path: Path) -> None:
    copy = copy_repository(tmp_path)
    install(copy)
    ended = bootstrap(copy)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_a_folder_that_was_renamed_gets_an_environment_of_its_own(tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    install(copy_repository(before))
    before.rename(after)
    ended = bootstrap(after)
    assert "Installing into .venv" in ended.stdout
    (told,) = told_by(ended)
    assert told.startswith("make: the installation failed: ")
    configuration = (after / ".venv" / "pyvenv.cfg").read_text(encoding="utf-8")
    assert str(after / ".venv") in configuration
    assert str(before) not in configuration


def test_an_environment_that_several_folders_share_is_left_alone(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    install(copy_repository(first))
    copy_repository(second)
    (second / ".venv").symlink_to(first / ".venv")
    ended = bootstrap(second)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


@pytest.mark.parametrize("name", ["python", "outsmart-sync"])
def test_an_environment_without_its_programs_is_not_complete(tmp_path: Path, name: str) -> None:
    copy = copy_repository(tmp_path)
    install(copy)
    asked = [sys.executable, "-c", "import bootstrap; print(bootstrap.complete())"]
    assert subprocess.run(asked, cwd=copy / "scripts", capture_output=True, text=True, check=True).stdout == "True\n"
    (copy / ".venv" / "bin" / name).unlink()
    assert subprocess.run(asked, cwd=copy / "scripts", capture_output=True, text=True, check=True).stdout == "False\n"


def may_mount() -> bool:
    command = ["unshare", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"]
    return (
        shutil.which("unshare") is not None
        and subprocess.run(command, capture_output=True, check=False).returncode == 0
    )


needs_mount = pytest.mark.skipif(not may_mount(), reason="this machine lets nobody mount in a namespace of their own")


def run_on_a_small_disk(copy: Path, disk: Path, *, fill: bool = False) -> subprocess.CompletedProcess[str]:
    """`make run` with the copy on a disk of 20 MB, of which nothing is free when it is filled."""
    disk.mkdir()
    filling = "dd if=/dev/zero of=filling bs=64k 2>/dev/null; " if fill else ""
    script = (
        f"mount -t tmpfs -o size=20m none {disk} && cp -a {copy}/. {disk} && cd {disk} && "
        f"{{ {filling}make run '{PYTHON}' 'ARGS=--once {SMALL} --port {free_ports(1)}'; }}"
    )
    return subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", script], env=plain_environment() | NOT_INSTALLING,
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@needs_mount
@pytest.mark.parametrize("fill", [False, True], ids=["a little room", "no room at all"])
def test_without_room_for_the_installation_nothing_is_begun(tmp_path: Path, fill: bool) -> None:
    copy = copy_repository(tmp_path / "copy")
    ended = run_on_a_small_disk(copy, tmp_path / "disk", fill=fill)
    assert ended.returncode != 0
    (told,) = told_by(ended)
    assert told.startswith("make: the disk has ")
    assert told.endswith(" MB free, installing needs 1500 MB: make room")
    assert "Installing" not in ended.stdout


@needs_mount
@pytest.mark.parametrize("fill", [False, True], ids=["a little room", "no room at all"])
def test_without_room_for_the_quick_start_nothing_is_begun(tmp_path: Path, fill: bool) -> None:
    shared, copy = copy_repository(tmp_path / "shared"), copy_repository(tmp_path / "copy")
    install(shared)
    (copy / ".venv").symlink_to(shared / ".venv")
    ended = run_on_a_small_disk(copy, tmp_path / "disk", fill=fill)
    assert ended.returncode != 0
    (told,) = told_by(ended)
    assert told.startswith("make run: the disk has ")
    assert told.endswith(" MB free, 500 are needed: make room")
    assert "Sandbox" not in ended.stdout
