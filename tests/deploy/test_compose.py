"""``docker-compose.yaml`` says what ``topology.py`` says, and the compose tool can read it. No engine runs here."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

import env_file
import topology
from local_airflow import ROOT

FILE = ROOT / "docker-compose.yaml"
PROFILES = ("sandbox", "monitoring")
OWN = (*topology.SERVICES, "sandbox")


def compose_tool() -> list[str]:
    """The compose tool of this machine: Docker's plug-in, or the program that Debian has.

    It is skipped where neither is there, with the reason.
    """
    if (
        shutil.which("docker")
        and not subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode
    ):
        return ["docker", "compose"]
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    pytest.skip("no compose tool is installed: apt install docker-compose")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The files that compose reads, with secrets made up as an operator would."""
    for name in ("docker-compose.yaml", ".env.example"):
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "connections.env.example", tmp_path / "connections.env")
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy")
    env_file.main(tmp_path)
    return tmp_path


def config(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What the compose tool makes of the project."""
    return subprocess.run(
        [*compose_tool(), *arguments, "config"], cwd=project, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def written() -> dict[str, Any]:
    """The file's services, as YAML alone reads them."""
    services: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))["services"]
    return services


@pytest.mark.parametrize("name", topology.SERVICES)
def test_a_service_is_what_the_topology_says(written: dict[str, Any], name: str) -> None:
    service, wanted = written[name], topology.SERVICES[name]
    assert tuple(service["command"]) == wanted.command
    assert service["environment"] == topology.environment(name, topology.COMPOSE)
    assert ("env_file" in service) == ("vendors" in wanted.knows)
    assert (service["restart"] == "no") == wanted.once


def test_redis_is_started_as_the_topology_says(written: dict[str, Any]) -> None:
    assert tuple(written["redis"]["command"]) == (*topology.REDIS, "${REDIS_PASSWORD:?}")


def test_every_service_is_limited_pinned_and_comes_back(written: dict[str, Any]) -> None:
    for name, service in written.items():
        assert re.search(r":v?\d+\.\d+", service["image"]), name
        assert set(service["deploy"]["resources"]["limits"]) == {"memory", "cpus"}, name
        once = name in topology.SERVICES and topology.SERVICES[name].once
        assert service["restart"] == ("no" if once else "unless-stopped"), name
        assert name != "maintenance" or service["healthcheck"] == {"disable": True}
        if not once and "monitoring" not in service.get("profiles", ()):
            assert "healthcheck" in service, name
    for name in OWN:
        assert written[name]["cap_drop"] == ["ALL"]


def test_the_image_is_pinned_and_runs_as_nobody_in_particular() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert re.findall(r"^USER (.*)$", text, re.MULTILINE)[-1] == "airflow"
    assert all(
        re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+", image) for image in re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    )
    lock = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    assert re.search(r"uv==(\S+) ", text)[1] == re.search(r"^uv==(\S+) ", lock, re.MULTILINE)[1]  # type: ignore[index]
    for source in re.findall(r"^COPY (?!--from)(.*) \S+$", text, re.MULTILINE):
        for name in source.split():
            assert name.startswith("--") or (ROOT / name).exists(), name


def test_the_compose_tool_accepts_it_with_every_profile(project: Path) -> None:
    assert config(project).returncode == 0, config(project).stderr
    arguments = [word for profile in PROFILES for word in ("--profile", profile)]
    done = config(project, *arguments)
    assert done.returncode == 0, done.stderr
    services = yaml.safe_load(done.stdout)["services"]
    assert set(services) >= {*topology.SERVICES, "postgres", "redis", "sandbox", "prometheus", "grafana"}
    assert "AIRFLOW_CONN_EXACT_ONLINE_DEFAULT" in services["worker"]["environment"]
    assert "AIRFLOW__CORE__FERNET_KEY" not in services["worker"]["environment"]


@pytest.mark.parametrize("name", topology.SECRETS)
def test_a_missing_secret_stops_it_and_is_named(project: Path, name: str) -> None:
    file = project / ".env"
    kept = [line for line in file.read_text(encoding="utf-8").splitlines() if not line.startswith(f"{name}=")]
    file.write_text("\n".join(kept), encoding="utf-8")
    done = config(project)
    assert done.returncode != 0
    assert name in done.stderr


def test_the_env_file_fills_in_what_is_empty_and_keeps_what_is_set(tmp_path: Path) -> None:
    (tmp_path / ".env.example").write_text((ROOT / ".env.example").read_text(encoding="utf-8"), encoding="utf-8")
    assert [line[-1] == "=" for line in env_file.filled("A=\n# B=\nC=x\n").splitlines()] == [False, True, False]
    env_file.main(tmp_path)
    first = (tmp_path / ".env").read_text(encoding="utf-8")
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600
    values = dict(line.split("=", 1) for line in first.splitlines() if "=" in line and not line.startswith("#"))
    assert all(values[name] for name in topology.SECRETS)
    assert len({values[name] for name in topology.SECRETS}) == len(topology.SECRETS)
    env_file.main(tmp_path)
    assert (tmp_path / ".env").read_text(encoding="utf-8") == first


def test_the_example_holds_no_secret() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    values = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    assert set(topology.SECRETS) <= set(values)
    assert not any(values[name] for name in topology.SECRETS)


def test_the_sandbox_is_reached_with_the_sandbox_s_own_values() -> None:
    from sandbox.fixed_world import APP, OUTSMART_ACCOUNTS, VISMA_APP

    lines = (ROOT / "deploy" / "sandbox.env").read_text(encoding="utf-8").splitlines()
    values = {name: json.loads(text) for name, _, text in (line.partition("=") for line in lines if line[:1] == "A")}
    assert values["AIRFLOW_CONN_EXACT_ONLINE_DEFAULT"]["password"] == APP.client_secret
    assert values["AIRFLOW_CONN_VISMA_EACCOUNTING_DEFAULT"]["password"] == VISMA_APP.client_secret
    assert values["AIRFLOW_CONN_OUTSMART_DEFAULT"]["password"] == OUTSMART_ACCOUNTS["north"].token


def test_a_secret_in_a_file_is_told_as_a_variable(tmp_path: Path) -> None:
    entry = ["sh", str(ROOT / "deploy" / "entrypoint.sh"), "sh", "-c", 'echo "$OUTSMART_SYNC_VAULT_KEYS"']
    (tmp_path / "keys").write_text("new,old\n", encoding="utf-8")
    told = {"PATH": "/usr/bin:/bin", "OUTSMART_SYNC_VAULT_KEYS_FILE": str(tmp_path / "keys")}
    assert subprocess.run(entry, env=told, capture_output=True, text=True, check=True).stdout == "new,old\n"
    told["OUTSMART_SYNC_VAULT_KEYS_FILE"] = str(tmp_path / "missing")
    done = subprocess.run(entry, env=told, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "mount it" in done.stderr
