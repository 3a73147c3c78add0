"""`make run` as a new user types it, in a copy of the repository."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.browser import Browser
from sandbox.fixed_world import VISMA_COMPANIES
from tests.scripts.checkouts import ROOT, SMALL, copy_repository, free_ports, make, plain_environment, processes_in

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of what is in the repository, with its virtual environment."""
    copy = copy_repository(tmp_path_factory.mktemp("checkout"))
    (copy / ".venv").symlink_to(ROOT / ".venv")
    yield copy
    assert processes_in(copy) == []


@pytest.fixture(scope="module")
def ports() -> str:
    """Ports that nobody listens on: one for Airflow, four in a row for the sandbox."""
    first = free_ports(5)
    return f"--port {first} --sandbox-port {first + 1}"


def figures(output: str) -> dict[str, list[str]]:
    """Category → its figures, from the table."""
    return {line.split()[0]: line.split()[1:] for line in output.splitlines() if line[:1].isalpha()}


def test_a_first_run_shows_the_figures_and_a_second_one_says_that_nothing_changed(checkout: Path, ports: str) -> None:
    first = make(checkout, "run", f"ARGS=--once {SMALL} {ports}")
    assert first.returncode == 0, first.stdout + first.stderr
    assert first.stderr == ""
    for word in ("category", "read", "created", "updated", "unchanged", "excluded", "rejected", "API calls", "seconds"):
        assert word in first.stdout
    assert int(figures(first.stdout)["relations"][0]) > 0
    assert "outsmart-sync status" in first.stdout
    assert (checkout / ".local/store.db").stat().st_mode & 0o777 == 0o600
    assert processes_in(checkout) == []
    assert (checkout / ".env").stat().st_mode & 0o777 == 0o600

    status = subprocess.run(
        [str(checkout / ".venv/bin/outsmart-sync"), "status", "--json"],
        cwd=checkout, env=plain_environment(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert '"state": "active"' in status.stdout

    second = make(checkout, "run", f"ARGS=--once {SMALL} {ports}")
    assert second.returncode == 0, second.stdout + second.stderr
    assert "Nothing has changed since the last sync" in second.stdout
    again = figures(second.stdout)
    assert [again[name][:6] for name in ("relations", "materials", "hour_types")] == [["0"] * 6] * 3
    assert processes_in(checkout) == []


def test_ctrl_c_ends_every_process_that_was_started(checkout: Path, ports: str) -> None:
    process = subprocess.Popen(
        ["make", "run", f"ARGS={SMALL} {ports}"], cwd=checkout, env=plain_environment(), stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        said = []
        for line in process.stdout:
            said.append(line)
            if "Ctrl-C" in line:
                break
        else:
            pytest.fail("".join(said))
        assert any("password" in line for line in said)
        assert '"state": "active"' in _connected_to_visma(checkout)
        assert re.search(r"Work order W\d+: .*, total ", _previewed_exports(checkout))
        assert len(processes_in(checkout)) >= 3, processes_in(checkout)
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(60)
        process.stdout.close()
    end = time.monotonic() + 30
    while processes_in(checkout) and time.monotonic() < end:
        time.sleep(0.2)
    assert processes_in(checkout) == []


def _previewed_exports(checkout: Path) -> str:
    """What the guide's two lines about exports print."""
    said = ""
    for words in (
        ("settings", "set", "1", "work_orders.enabled=true", "work_orders.cut_off=2020-01-01"),
        ("export", "preview", "exact-online"),
    ):
        done = subprocess.run(
            [str(checkout / ".venv/bin/outsmart-sync"), *words],
            cwd=checkout, env=plain_environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            check=False,
        )  # fmt: skip
        said += done.stdout
    return said


def _connected_to_visma(checkout: Path) -> str:
    """Connect a company of the sandbox's VISMA, from the command line with `make run`'s own .env; what that prints."""
    outsmart_sync = str(checkout / ".venv/bin/outsmart-sync")
    given = {"cwd": checkout, "env": plain_environment(), "text": True, "stderr": subprocess.STDOUT}
    chosen = VISMA_COMPANIES["gavle"].id
    with subprocess.Popen(
        [outsmart_sync, "connect", "visma-eaccounting", "--administration", chosen, "--share-account"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, **given,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        address = next(line.strip() for line in process.stdout if line.strip().startswith("http"))
        process.stdin.write(Browser().consent_visma(address, "gavle") + "\n")
        process.stdin.close()
        said = process.stdout.read()
    assert process.returncode == 0, said
    done = subprocess.run([outsmart_sync, "status", "--json"], stdout=subprocess.PIPE, check=True, **given)
    return next(part for part in done.stdout.split('"package":') if "visma_eaccounting" in part)


def test_a_port_in_use_is_one_clear_line(checkout: Path, ports: str) -> None:
    taken = int(ports.split()[1])
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", taken))
        other.listen()
        refused = make(checkout, "run", f"ARGS=--once {SMALL} {ports}")
    assert refused.returncode != 0
    told = [line for line in refused.stderr.splitlines() if not line.startswith("make: ***")]
    assert len(told) == 1
    assert f"port {taken} is in use" in told[0]
    assert "Traceback" not in refused.stdout + refused.stderr


def test_other_figures_for_a_world_that_exists_are_refused_with_the_way_out(checkout: Path, ports: str) -> None:
    refused = make(checkout, "run", f"ARGS=--once --relations 61 --items 80 {ports}")
    assert refused.returncode != 0
    assert "make clean" in refused.stderr


def test_an_old_python_is_one_clear_line(tmp_path: Path, checkout: Path) -> None:
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")  # as an old one answers when asked for its version
    old.chmod(0o755)
    refused = make(checkout, "run", f"PYTHON={old}")
    told = [line for line in refused.stderr.splitlines() if "***" not in line]
    assert refused.returncode != 0
    assert len(told) == 1
    assert told[0].startswith("make: OutSmart Sync needs Python 3.11 or newer, and none was found.")


def test_an_environment_file_of_somebody_else_is_not_overwritten(checkout: Path, ports: str) -> None:
    kept = (checkout / ".env").read_text(encoding="utf-8")
    (checkout / ".env").write_text("MINE=1\n", encoding="utf-8")
    try:
        refused = make(checkout, "run", f"ARGS=--once {SMALL} {ports}")
        assert refused.returncode != 0
        assert ".env" in refused.stderr
        assert (checkout / ".env").read_text(encoding="utf-8") == "MINE=1\n"
    finally:
        (checkout / ".env").write_text(kept, encoding="utf-8")


def test_clean_forgets_the_world_and_the_keys(checkout: Path) -> None:
    make(checkout, "clean")
    assert not (checkout / ".local").exists()
    assert not (checkout / ".env").exists()
