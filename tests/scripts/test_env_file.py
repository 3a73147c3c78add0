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
    text = "REDIS_PASSWORD=\n# JWT_SECRET=\nVAULT_KEYS=x\n"
    assert [line[-1] == "=" for line in env_file.filled(text).splitlines()] == [False, True, False]
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


def test_what_is_no_secret_may_be_empty(folder: Path) -> None:
    empty = ("OTEL_EXPORTER_OTLP_HEADERS", "PUBLIC_URL", "OUTSMART_SYNC_IMPORT_SCHEDULE", "ANYTHING")
    (folder / ".env").write_text("".join(f"{name}=\n" for name in empty), encoding="utf-8")
    assert env_file.main(folder) == 0
    found = values(folder)
    assert [found[name] for name in empty] == [""] * len(empty)
    assert all(found[name] for name in (*topology.SECRETS, "GRAFANA_PASSWORD"))


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("export VAULT_KEYS=mine", "mine"),
        ("  VAULT_KEYS=mine", "mine"),
        ("\texport  VAULT_KEYS = mine", "mine"),
        ("VAULT_KEYS: mine", "mine"),
        ("VAULT_KEYS='mi ne'", "mi ne"),
        ('VAULT_KEYS="mi#ne" # the vault', "mi#ne"),
        ("VAULT_KEYS=mi#ne # the vault", "mi#ne"),
    ],
)
def test_a_value_is_seen_however_it_is_written(folder: Path, line: str, value: str) -> None:
    (folder / ".env").write_text(f"{line}\n", encoding="utf-8")
    assert env_file.main(folder) == 0
    lines = (folder / ".env").read_text(encoding="utf-8").splitlines()
    assert [each for each in lines if "VAULT_KEYS" in each] == [line]
    assert env_file.main(folder, ["--files"]) == 0
    assert (folder / env_file.FOLDER / "vault_keys").read_text(encoding="utf-8") == f"{value}\n"
    assert value not in (folder / ".env").read_text(encoding="utf-8")


@pytest.mark.parametrize("line", ["  JWT_SECRET =", "export JWT_SECRET=''", "JWT_SECRET= # to be made"])
def test_an_empty_secret_is_filled_where_it_stands(folder: Path, line: str) -> None:
    (folder / ".env").write_text(f"{line}\n", encoding="utf-8")
    assert env_file.main(folder) == 0
    first, *others = (folder / ".env").read_text(encoding="utf-8").splitlines()
    assert re.fullmatch(r"\s*(export )?JWT_SECRET=[0-9a-f]{64}", first)
    assert not any("JWT_SECRET" in each for each in others)


@pytest.mark.parametrize("text", ["VAULT_KEYS=one\nVAULT_KEYS=two\n", "VAULT_KEYS=one\nVAULT_KEYS=\n"])
def test_a_secret_with_two_values_is_left_to_a_person(
    folder: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / ".env").write_text(text, encoding="utf-8")
    assert env_file.main(folder) == CODE_OF_A_REFUSAL
    assert "VAULT_KEYS" in capsys.readouterr().err
    assert (folder / ".env").read_text(encoding="utf-8") == text


def test_what_is_there_stays_whole_when_the_disk_is_full(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ".env").write_text("VAULT_KEYS=mine\n", encoding="utf-8")

    def full(_: int) -> None:
        raise OSError("No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        with pytest.raises(OSError, match="space"):
            env_file.main(folder)
    assert (folder / ".env").read_text(encoding="utf-8") == "VAULT_KEYS=mine\n"
    assert (folder / ".env.new").stat().st_mode & 0o777 == 0o600
    assert env_file.main(folder) == 0
    assert values(folder)["VAULT_KEYS"] == "mine"
    assert not (folder / ".env.new").exists()


def test_what_holds_secrets_is_not_committed() -> None:
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {"/.env", "/.env.new", "/worker.env", "/worker.env.new", "/connections.env", "/*.dump"} <= set(ignored)


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


def test_every_compose_command_reads_the_files(folder: Path) -> None:
    assert env_file.main(folder) == 0
    assert "COMPOSE_FILE" not in values(folder)
    assert env_file.main(folder, ["--files"]) == 0
    assert values(folder)["COMPOSE_FILE"] == "docker-compose.yaml:docker-compose.secrets.yaml"
    assert env_file.main(folder, ["--files"]) == 0
    assert values(folder)["COMPOSE_FILE"] == "docker-compose.yaml:docker-compose.secrets.yaml"


@pytest.mark.parametrize(
    ("named", "wanted"),
    [
        ("docker-compose.yaml:docker-compose.cluster.yaml", "{}:docker-compose.secrets.yaml"),
        ("docker-compose.yaml:./docker-compose.secrets.yaml:mine.yaml", "{}"),
        ("", "docker-compose.yaml:docker-compose.override.yaml:docker-compose.secrets.yaml"),
    ],
)
def test_what_compose_reads_already_it_goes_on_reading(folder: Path, named: str, wanted: str) -> None:
    (folder / "docker-compose.override.yaml").touch()
    (folder / ".env").write_text(f"COMPOSE_FILE={named}\n", encoding="utf-8")
    assert env_file.main(folder, ["--files"]) == 0
    assert values(folder)["COMPOSE_FILE"] == wanted.format(named)


def test_an_env_of_before_is_told_to_read_its_files(folder: Path) -> None:
    assert env_file.main(folder, ["--files"]) == 0
    lines = (folder / ".env").read_text(encoding="utf-8").splitlines()
    (folder / ".env").write_text(
        "".join(f"{line}\n" for line in lines if not line.startswith("COMPOSE_FILE")), encoding="utf-8"
    )
    assert env_file.main(folder) == 0
    assert values(folder)["COMPOSE_FILE"].endswith("docker-compose.secrets.yaml")


@pytest.mark.parametrize("arguments", [[], ["--files"]])
def test_keys_in_files_outlive_the_loss_of_env(
    folder: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert env_file.main(folder, ["--files"]) == 0
    place = folder / env_file.FOLDER
    kept = {path.name: path.read_text(encoding="utf-8") for path in place.iterdir()}
    assert set(kept) == {name.lower() for name in env_file.FILES}
    (folder / ".env").unlink()
    capsys.readouterr()
    assert env_file.main(folder, arguments) == 0
    assert {path.name: path.read_text(encoding="utf-8") for path in place.iterdir()} == kept
    found = values(folder)
    assert {found[name] for name in env_file.FILES} == {env_file.IN_A_FILE}
    assert found["COMPOSE_FILE"].endswith("docker-compose.secrets.yaml")
    assert "are kept" in capsys.readouterr().out


def test_a_file_with_another_value_is_not_written_over(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert env_file.main(folder) == 0
    before = (folder / ".env").read_text(encoding="utf-8")
    place = folder / env_file.FOLDER
    place.mkdir(parents=True)
    (place / "vault_keys").write_text("the real one\n", encoding="utf-8")
    assert env_file.main(folder, ["--files"]) == CODE_OF_A_REFUSAL
    assert str(place / "vault_keys") in capsys.readouterr().err
    assert [path.name for path in place.iterdir()] == ["vault_keys"]
    assert (place / "vault_keys").read_text(encoding="utf-8") == "the real one\n"
    assert (folder / ".env").read_text(encoding="utf-8") == before
    (place / "vault_keys").write_text(f"{values(folder)['VAULT_KEYS']}\n", encoding="utf-8")
    assert env_file.main(folder, ["--files"]) == 0


def test_a_file_that_is_missing_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert env_file.main(folder, ["--files"]) == 0
    (folder / env_file.FOLDER / "vault_keys").unlink()
    assert env_file.main(folder) == CODE_OF_A_REFUSAL
    assert str(folder / env_file.FOLDER / "vault_keys") in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["--files"]])
def test_a_worker_elsewhere_is_told_the_keys_themselves(folder: Path, arguments: list[str]) -> None:
    lines = "CLUSTER_LISTEN=10.0.0.1\nREDIS_ADDRESS=queue:6379\nexport VAULT_KEYS=new,old\nAPI_SECRET_KEY='a key'\n"
    (folder / ".env").write_text(lines, encoding="utf-8")
    assert env_file.main(folder, [*arguments, "--worker", "10.0.0.2"]) == 0
    file = folder / env_file.WORKER_FILE
    assert file.stat().st_mode & 0o777 == 0o600
    told = file.read_text(encoding="utf-8").splitlines()
    assert env_file.IN_A_FILE not in "".join(told)
    assert {"API_SECRET_KEY='a key'", "REDIS_ADDRESS=queue:6379", "API_ADDRESS=10.0.0.1:8080"} <= set(told)
    assert "VAULT_KEYS=new,old" in {line.removeprefix("export ") for line in told}
    assert f"CELERY_DB_PASSWORD={values(folder)['CELERY_DB_PASSWORD']}" in told


@pytest.mark.parametrize("listens", ["", "0.0.0.0"])
def test_a_worker_elsewhere_has_to_find_this_machine(
    folder: Path, listens: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / ".env").write_text(f"CLUSTER_LISTEN={listens}\n", encoding="utf-8")
    assert env_file.main(folder, ["--worker", "10.0.0.2"]) == CODE_OF_A_REFUSAL
    assert "CLUSTER_LISTEN" in capsys.readouterr().err
    assert not (folder / env_file.WORKER_FILE).exists()
