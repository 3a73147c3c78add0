"""Starting, stopping, killing: the process and what it remembers."""

import contextlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys

import pytest
import requests

from sandbox import process
from sandbox.config import SandboxConfig
from sandbox.server import SandboxServer
from tests.sandbox.clients import MAIN, App, ExactClient, OutSmartClient


def run(*arguments):
    command = [sys.executable, "-m", "sandbox", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


def test_last_line_printed_is_the_addresses_as_json(tmp_path):
    with process.start(tmp_path, relations=3, items=3) as one:
        lines = (tmp_path / "output.txt").read_text(encoding="utf-8").splitlines()
        assert lines[0].startswith("Making the world")
        assert lines[1:5] == [
            f"Exact Online  {one.exact_url}",
            f"VISMA         {one.visma_url}",
            f"OutSmart      {one.outsmart_url}",
            f"Control       {one.control_url}",
        ]
        printed = json.loads(lines[5])
        assert printed == json.loads((tmp_path / "addresses.json").read_text())
        assert printed["pid"] == one.pid
    assert not (tmp_path / "addresses.json").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_stop_it_cleanly(tmp_path, number):
    with process.start(tmp_path, relations=3, items=3) as one:
        os.kill(one.pid, number)
        assert one.wait() == 0
    said = (tmp_path / "output.txt").read_text(encoding="utf-8")
    assert "Traceback" not in said
    assert said.endswith(f"Stopping on {signal.Signals(number).name}.\n")


def test_an_end_that_nobody_asked_for_is_told():
    one = process.start(relations=3, items=3)
    os.kill(one.pid, signal.SIGKILL)
    one._process.wait(10)
    with pytest.raises(process.SandboxEndedError, match="exit code -9"):
        one.stop()


def test_second_start_finds_the_world_of_the_first(tmp_path):
    with process.start(tmp_path, relations=30, items=30) as one:
        [key] = one.control.add_exact(MAIN, "Accounts", {"Name": "Kept"})
        before = one.control.exact_rows(MAIN, "Accounts")
    with process.start(tmp_path, relations=30, items=30) as again:
        assert again.control.exact_rows(MAIN, "Accounts") == before
        assert again.control.exact_row(MAIN, "Accounts", key)["Name"] == "Kept"
    assert (tmp_path / "output.txt").read_text(encoding="utf-8").count("Making the world") == 1


def test_other_figures_make_another_world_and_say_so(tmp_path):
    with process.start(tmp_path, relations=30, items=30):
        pass
    with process.start(tmp_path, relations=31, items=30) as again:
        assert again.control.counts(MAIN, "crm/Accounts")["total"] == 31
    assert "The kept world is another one (30 relations, 30 items" in (tmp_path / "output.txt").read_text(
        encoding="utf-8"
    )


def test_kill_and_restart_keep_everything(browser):
    with process.start(relations=20, items=20, minute_limit=60, day_limit=5000) as one:
        address = browser.consent(one.authorize_url())
        one.control.shift_clock(100)
        one.control.switch(int64_as_string=True)
        exact = ExactClient(one, one.control.give_tokens())
        for _ in range(11):
            assert exact.get("crm/Accounts").status_code == 400
        left = int(exact.get("logistics/Units", top=1).headers["X-RateLimit-Remaining"])
        key = exact.call(
            "POST", "crm/Contacts", json={"LastName": "x", "Account": one.control.exact_rows(MAIN, "Accounts")[0]["ID"]}
        ).json()["d"]["ID"]
        south = OutSmartClient(one, "south")
        south.post("paymentmethods", {"pmd_description": "kept"})
        last = one.control.world()["exact_online"]["divisions"][0]["last_timestamp"]
        pid, url = one.pid, one.exact_url

        one.restart()

        assert one.pid != pid
        assert one.exact_url == url
        assert one.control.ask("GET", "/clock")["offset_seconds"] == 100
        assert one.control.switch()["int64_as_string"] is True
        response = exact.get(f"crm/Contacts(guid'{key}')")
        assert response.json()["d"]["LastName"] == "x"
        assert int(response.headers["X-RateLimit-Remaining"]) == left - 2
        assert exact.get("crm/Accounts", filter="Status eq 'C'").status_code == 429
        assert [row["pmd_description"] for row in south.get("paymentmethods")["response"]] == ["kept"]
        assert one.control.outsmart_writes("south") == {"paymentmethods": {"kept": {"insert": 1}}}
        assert App(one).exchange(address).status_code == 200
        one.control.touch_exact(MAIN, "Accounts", 1)
        assert one.control.world()["exact_online"]["divisions"][0]["last_timestamp"] > last


def test_state_of_an_older_format_is_made_anew_and_said_so(tmp_path):
    with process.start(tmp_path, relations=3, items=3) as one:
        one.control.add_exact(MAIN, "Accounts", {"Name": "Older"})
    with contextlib.closing(sqlite3.connect(tmp_path / "sandbox.sqlite3")) as state, state:
        [(body,)] = state.execute("SELECT body FROM documents WHERE kind = 'stamp'")
        stamp = json.loads(body)
        assert stamp["format"].startswith("2-")
        state.execute("UPDATE documents SET body = ? WHERE kind = 'stamp'", (json.dumps(stamp | {"format": "1-old"}),))
    with process.start(tmp_path, relations=3, items=3) as again:
        assert all(row["Name"] != "Older" for row in again.control.exact_rows(MAIN, "Accounts"))
    said = (tmp_path / "output.txt").read_text(encoding="utf-8")
    assert "The kept world is another one (3 relations, 3 items, seed 20, format 1-old)" in said


@pytest.mark.parametrize(("relations", "items"), [(0, 0), (1, 1), (0, 5), (5, 0), (2, 9)])
def test_tiny_worlds_can_be_made(relations, items):
    ended = run("--describe", "--relations", str(relations), "--items", str(items), "--state-dir", "/nonexistent")
    assert (ended.returncode, ended.stderr) == (0, "")


def test_taken_port_is_one_clear_line_and_exit_code_2(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = run("--state-dir", str(tmp_path), "--relations", "1", "--items", "1",
                    "--exact-port", "0", "--outsmart-port", str(port), "--control-port", "0",
                    "--visma-port", "0")  # fmt: skip
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1
    assert f"port {port}" in ended.stderr
    assert "--outsmart-port" in ended.stderr


def test_second_sandbox_in_a_folder_is_refused(tmp_path):
    with process.start(tmp_path, relations=3, items=3):
        ended = run("--state-dir", str(tmp_path), "--relations", "3", "--items", "3",
                    "--exact-port", "0", "--outsmart-port", "0", "--control-port", "0",
                    "--visma-port", "0")  # fmt: skip
    assert ended.returncode == 2
    assert "--state-dir" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_start_tells_why_it_did_not(tmp_path):
    with (
        process.start(tmp_path, relations=3, items=3),
        pytest.raises(process.SandboxDidNotStartError, match="Another sandbox"),
    ):
        process.start(tmp_path, relations=3, items=3)


def test_wrong_figures_are_explained():
    ended = run("--relations", "many")
    assert ended.returncode == 2
    assert "not a whole number" in ended.stderr


def test_describe_prints_the_counts_without_serving(tmp_path):
    ended = run("--describe", "--relations", "12", "--items", "10", "--state-dir", str(tmp_path / "none"))
    assert ended.returncode == 0
    divisions = json.loads(ended.stdout)["exact_online"]["divisions"]
    assert divisions[0]["counts"]["crm/Accounts"]["total"] == 12
    assert not (tmp_path / "none").exists()


def test_describe_tells_of_the_kept_world(tmp_path):
    with process.start(tmp_path, relations=12, items=10) as one:
        one.control.add_exact(MAIN, "Accounts", {"Name": "Thirteenth"})
        ended = run("--describe", "--relations", "12", "--items", "10", "--state-dir", str(tmp_path))
    assert json.loads(ended.stdout)["exact_online"]["divisions"][0]["counts"]["crm/Accounts"]["total"] == 13


def test_limits_and_redirect_uris_of_the_command_line(browser):
    uri = "https://sync.example.com/cb"
    with process.start(relations=2, items=2, minute_limit=7, day_limit=9, redirect_uris=(uri,)) as one:
        headers = ExactClient(one, one.control.give_tokens()).get("logistics/Units").headers
        assert (headers["X-RateLimit-Minutely-Limit"], headers["X-RateLimit-Limit"]) == ("7", "9")
        assert browser.consent(one.authorize_url(redirect_uri=uri)).startswith(uri)
        assert requests.get(one.authorize_url(), timeout=5).status_code == 400


async def _serve_once(folder):
    server = SandboxServer(SandboxConfig(folder, exact_port=0, outsmart_port=0, control_port=0, relations=2, items=2))
    addresses = await server.start()
    await server.stop()
    return addresses


def test_server_can_run_inside_a_process(tmp_path):
    import asyncio

    addresses = asyncio.run(_serve_once(tmp_path))
    assert addresses.exact_online.startswith("http://127.0.0.1:")


def test_nothing_of_the_product_is_imported():
    code = "import sandbox.__main__, sandbox.process, sys; print([m for m in sys.modules if 'outsmart_sync' in m])"
    ended = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=60)
    assert ended.stdout.strip() == "[]"
