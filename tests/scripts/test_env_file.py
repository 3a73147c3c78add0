"""``.env`` of the compose file, that of the quick start, and that neither costs the other its keys."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import env_file
import topology
from local_airflow import ROOT

CODE_OF_A_REFUSAL = 1


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkout as far as .env is concerned."""
    for name in (".env.example", "Makefile"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def values(folder: Path) -> dict[str, str]:
    """Name → value of a checkout's .env."""
    lines = (folder / ".env").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def clean(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run ``make clean``."""
    return subprocess.run(["make", "clean"], cwd=folder, capture_output=True, text=True, check=True)


def test_it_fills_in_what_is_empty_and_keeps_what_is_set(folder: Path) -> None:
    assert [line[-1] == "=" for line in env_file.filled("A=\n# B=\nC=x\n").splitlines()] == [False, True, False]
    assert env_file.main(folder) == 0
    first = (folder / ".env").read_text(encoding="utf-8")
    assert (folder / ".env").stat().st_mode & 0o777 == 0o600
    found = values(folder)
    assert all(found[name] for name in topology.SECRETS)
    assert len({found[name] for name in topology.SECRETS}) == len(topology.SECRETS)
    assert env_file.main(folder) == 0
    assert (folder / ".env").read_text(encoding="utf-8") == first


def test_it_adds_what_is_missing_and_says_so(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / ".env").write_text("VAULT_KEYS=mine\nPARALLELISM=8\n", encoding="utf-8")
    assert env_file.main(folder) == 0
    found = values(folder)
    assert (found["VAULT_KEYS"], found["PARALLELISM"]) == ("mine", "8")
    assert all(found[name] for name in topology.SECRETS)
    assert found["OUTSMART_SYNC_IMPORT_SCHEDULE"] == "*/15 * * * *"
    told = capsys.readouterr().out
    assert "POSTGRES_PASSWORD" in told
    assert "PARALLELISM" not in told


def test_the_vendors_are_the_sandbox_s_until_there_are_connections(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert env_file.main(folder) == 0
    assert values(folder)["CONNECTIONS_FILE"] == ""
    assert "--profile sandbox" in capsys.readouterr().out
    (folder / "connections.env").touch()
    assert env_file.main(folder) == 0
    assert values(folder)["CONNECTIONS_FILE"] == "connections.env"
    assert "--profile sandbox" not in capsys.readouterr().out


def test_the_quick_start_s_file_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = f"{env_file.QUICK_START}, for the command line.\nOUTSMART_SYNC_VAULT_KEYS='key'\n"
    (folder / ".env").write_text(text, encoding="utf-8")
    assert env_file.main(folder) == CODE_OF_A_REFUSAL
    assert "make clean" in capsys.readouterr().err
    assert (folder / ".env").read_text(encoding="utf-8") == text


def test_clean_removes_the_quick_start_s_file_and_no_other(folder: Path) -> None:
    (folder / ".local").mkdir()
    env_file.main(folder)
    kept = (folder / ".env").read_text(encoding="utf-8")
    assert "stays" in clean(folder).stderr
    assert (folder / ".env").read_text(encoding="utf-8") == kept
    assert not (folder / ".local").exists()
    source = (ROOT / "scripts" / "quickstart.py").read_text(encoding="utf-8")
    mark = re.search(r'^_ENV_MARK = "(.*)"$', source, re.MULTILINE)
    assert mark is not None
    assert mark[1].startswith(env_file.QUICK_START)
    (folder / ".env").write_text(f"{mark[1]}\nA='b'\n", encoding="utf-8")
    assert clean(folder).stderr == ""
    assert not (folder / ".env").exists()


def test_keys_can_be_moved_into_files(folder: Path) -> None:
    env_file.main(folder)
    before = values(folder)
    assert env_file.main(folder, ["--files"]) == 0
    after = values(folder)
    place = folder / env_file.FOLDER
    assert place.stat().st_mode & 0o777 == 0o700
    for name in topology.SECRETS:
        if name not in env_file.FILES:
            assert after[name] == before[name]
            continue
        assert after[name] == env_file.IN_A_FILE
        assert (place / name.lower()).read_text(encoding="utf-8").strip() == before[name]
    assert env_file.main(folder, ["--files"]) == 0
    assert (place / "vault_keys").read_text(encoding="utf-8").strip() == before["VAULT_KEYS"]
