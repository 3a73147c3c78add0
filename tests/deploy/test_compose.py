"""The compose files say what ``topology.py`` says, and the compose tool can read them. No engine runs here."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

import env_file
import topology
from local_airflow import ROOT

FILE = ROOT / "docker-compose.yaml"
WORKER = ROOT / "docker-compose.worker.yaml"
TAKES_FILES = "deploy/entrypoint.sh "
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
    for file in (*ROOT.glob("docker-compose*.yaml"), ROOT / ".env.example"):
        shutil.copy(file, tmp_path / file.name)
    shutil.copy(ROOT / "connections.env.example", tmp_path / "connections.env")
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy")
    env_file.main(tmp_path)
    return tmp_path


def config(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What the compose tool makes of the project."""
    return subprocess.run(
        [*compose_tool(), *arguments, "config"], cwd=project, capture_output=True, text=True, check=False
    )


def services_of(project: Path, *files: str, profiles: tuple[str, ...] = ()) -> dict[str, Any]:
    """The services that the compose tool finds in files of the project."""
    arguments = [word for file in files for word in ("-f", file)]
    done = config(project, *arguments, *(word for profile in profiles for word in ("--profile", profile)))
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = yaml.safe_load(done.stdout)["services"]
    return found


def documented(begins: str) -> list[str]:
    """The commands of the operator's guide that begin like this."""
    lines = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8").splitlines()
    found = [line.strip().split("  #")[0] for line in lines if line.startswith(f"    {begins}")]
    assert found, begins
    return found


def setting(project: Path, **said: str) -> None:
    """Add lines to the project's .env; the last one of a name counts."""
    with (project / ".env").open("a", encoding="utf-8") as file:
        file.writelines(f"{name}={value}\n" for name, value in said.items())


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


def test_every_service_is_limited_pinned_checked_and_comes_back(written: dict[str, Any]) -> None:
    for name, service in written.items():
        assert re.search(r":(\$\{IMAGE_TAG:-)?v?\d+\.\d+", service["image"]), name
        assert set(service["deploy"]["resources"]["limits"]) == {"memory", "cpus"}, name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        once = name in topology.SERVICES and topology.SERVICES[name].once
        assert service["restart"] == ("no" if once else "unless-stopped"), name
        assert ("test" in service.get("healthcheck", ())) != once, name
    for name in OWN:
        assert written[name]["cap_drop"] == ["ALL"]


def test_a_health_check_that_needs_secrets_takes_them_from_files_too(written: dict[str, Any]) -> None:
    for name in (*topology.SERVICES, "sandbox"):
        match written[name].get("healthcheck", {}).get("test"):
            case ["CMD-SHELL", command]:
                assert command.startswith(TAKES_FILES), name
            case ["CMD", "python", *_] | None:  # asks a port, or looks at a file: it needs none
                pass
            case other:
                raise AssertionError(other)
    for command in documented("docker compose exec api-server"):
        assert command.startswith(f"docker compose exec api-server {TAKES_FILES}")


def test_postgresql_is_healthy_once_it_takes_calls_from_others(written: dict[str, Any]) -> None:
    assert "--host" in written["postgres"]["healthcheck"]["test"]


def test_the_image_is_this_release_s_unless_another_one_is_named(project: Path) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    for file in (FILE, WORKER):
        assert f"image: outsmart-sync:${{IMAGE_TAG:-{version}}}" in file.read_text(encoding="utf-8")
    setting(project, IMAGE_TAG="0.0.9")
    assert services_of(project)["worker"]["image"] == "outsmart-sync:0.0.9"


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


def test_what_a_browser_is_sent_to_is_published(written: dict[str, Any]) -> None:
    text = (ROOT / "deploy" / "sandbox.env").read_text(encoding="utf-8")
    asked = {urlsplit(address).port for address in re.findall(r"http://127\.0\.0\.1:\d+", text)}
    published = {int(port.split(":")[-2]) for name in ("sandbox", "api-server") for port in written[name]["ports"]}
    assert asked == published
    inside = {urlsplit(address).port for address in re.findall(r"http://sandbox:\d+", text)}
    assert inside <= published


def test_the_try_out_needs_no_other_word(project: Path) -> None:
    (project / "connections.env").unlink()
    (project / ".env").unlink()
    env_file.main(project)
    worker = services_of(project, profiles=("sandbox",))["worker"]
    assert worker["environment"]["OUTSMART_SYNC_SANDBOX_HOST"] == "sandbox"
    assert "sandbox:8701" in worker["environment"]["AIRFLOW_CONN_EXACT_ONLINE_DEFAULT"]


@pytest.mark.parametrize(("host", "code"), [("localhost", 0), ("sandbox.invalid", 1)])
def test_production_does_not_run_on_the_sandbox_s_connections(host: str, code: int) -> None:
    told = {"PATH": "/usr/bin:/bin", "OUTSMART_SYNC_SANDBOX_HOST": host}
    entry = ["sh", str(ROOT / "deploy" / "entrypoint.sh"), "true"]
    done = subprocess.run(entry, env=told, capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert ("CONNECTIONS_FILE=connections.env" in done.stderr) == bool(code)


def test_connections_that_are_named_and_not_there_stop_it(project: Path) -> None:
    (project / "connections.env").unlink()
    done = config(project)
    assert done.returncode != 0
    assert "connections.env" in done.stderr


def test_keys_can_be_files(project: Path) -> None:
    env_file.main(project, ["--files"])
    services = services_of(project)  # .env says which files compose reads
    plain = yaml.safe_load(FILE.read_text(encoding="utf-8"))["services"]
    for name in topology.SERVICES:
        told = services[name]["environment"]
        of_files = {f"{variable}_FILE" for variable, value in told.items() if value == env_file.IN_A_FILE}
        assert {variable for variable in told if variable.endswith("_FILE")} == of_files, name
        mounted = {f"/run/secrets/{each['source']}" for each in services[name].get("secrets", ())}
        assert {told[variable] for variable in of_files} == mounted, name
        for variable in of_files:
            wanted = f"${{{Path(told[variable]).name.upper()}:?}}"
            assert plain[name]["environment"][variable.removesuffix("_FILE")] == wanted
            assert (project / env_file.FOLDER / Path(told[variable]).name).exists()
    ignored = (ROOT / env_file.FOLDER / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert "*" in ignored


def test_keys_in_files_and_workers_elsewhere_go_together(project: Path) -> None:
    setting(project, CLUSTER_LISTEN="10.0.0.1", COMPOSE_FILE="docker-compose.yaml:docker-compose.cluster.yaml")
    env_file.main(project, ["--files"])
    services = services_of(project)
    assert any(str(each).startswith("10.0.0.1:5432:5432") for each in services["postgres"]["ports"])
    assert "OUTSMART_SYNC_VAULT_KEYS_FILE" in services["worker"]["environment"]


def test_a_service_that_is_not_given_its_files_does_not_start(project: Path) -> None:
    env_file.main(project, ["--files"])
    services = services_of(project, FILE.name)  # as a command does that names files and forgets that one
    for name in topology.SERVICES:
        secret = [each for each, value in services[name]["environment"].items() if value == env_file.IN_A_FILE]
        done = entered(**services[name]["environment"])
        assert done.returncode == (1 if secret else 0), name
        assert ("COMPOSE_FILE" in done.stderr) == bool(secret)
        assert not secret or any(f"{each} is in-a-file" in done.stderr for each in secret)
    assert entered(OUTSMART_SYNC_VAULT_KEYS=f"new,{env_file.IN_A_FILE}").returncode == 1
    assert entered(OUTSMART_SYNC_VAULT_KEYS=f"not-{env_file.IN_A_FILE}").returncode == 0


def entered(**told: str) -> subprocess.CompletedProcess[str]:
    """What comes of a service that is told this and does nothing; the sandbox's name leads nowhere here."""
    told = {name: str(value) for name, value in told.items()} | {"PATH": "/usr/bin:/bin"}
    told.pop("OUTSMART_SYNC_SANDBOX_HOST", None)
    entry = ["sh", str(ROOT / "deploy" / "entrypoint.sh"), "true"]
    return subprocess.run(entry, env=told, capture_output=True, text=True, check=False)


def test_a_worker_on_another_machine_is_what_the_topology_says() -> None:
    service = yaml.safe_load(WORKER.read_text(encoding="utf-8"))["services"]["worker"]
    here = yaml.safe_load(FILE.read_text(encoding="utf-8"))["services"]["worker"]
    assert tuple(service["command"]) == topology.SERVICES["worker"].command
    assert service["environment"] == topology.environment("worker", topology.COMPOSE_WORKER)
    same = ("image", "restart", "init", "security_opt", "cap_drop", "volumes", "logging", "healthcheck")
    assert {name: service[name] for name in (*same, "stop_grace_period")} == {
        name: here[name] for name in (*same, "stop_grace_period")
    }
    assert service["hostname"] == "${WORKER_HOST:?}"
    assert service["ports"] == ["${WORKER_LISTEN:-0.0.0.0}:8793:8793"]
    assert not {"postgres", "redis"} & set(yaml.safe_load(WORKER.read_text(encoding="utf-8"))["services"])


@pytest.mark.parametrize("arguments", [[], ["--files"]])
def test_a_worker_on_another_machine_starts_from_what_the_guide_writes(project: Path, arguments: list[str]) -> None:
    (writes,) = documented("python3 scripts/env_file.py --worker")
    setting(project, CLUSTER_LISTEN="10.0.0.1")
    env_file.main(project, arguments)
    assert config(project, "-f", WORKER.name).returncode != 0  # nothing says where the others are
    env_file.main(project, writes.split()[2:])
    assert (project / "worker.env").stat().st_mode & 0o777 == 0o600
    (project / "worker.env").replace(project / ".env")
    known = {line.partition("=")[0] for line in (project / ".env").read_text(encoding="utf-8").splitlines()}
    assert not known & {"POSTGRES_PASSWORD", "AIRFLOW_DB_PASSWORD", "FERNET_KEY", "JWT_SECRET", "ADMIN_PASSWORD"}
    services = services_of(project, WORKER.name)
    assert set(services) == {"worker", "maintenance"}
    told = services["worker"]["environment"]
    assert told["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://10.0.0.1:8080/execution/"
    assert told["AIRFLOW_CONN_OUTSMART_SYNC_STORE"].endswith("@10.0.0.1:5432/outsmart_sync")
    assert "AIRFLOW_CONN_EXACT_ONLINE_DEFAULT" in told
    assert env_file.IN_A_FILE not in told.values()
    assert services["worker"]["hostname"] == "10.0.0.2"
    assert any("10.0.0.2" in str(each) for each in services["worker"]["ports"])


def test_a_worker_on_another_machine_is_told_whatever_its_file_asks_for(project: Path) -> None:
    setting(project, CLUSTER_LISTEN="10.0.0.1")
    env_file.main(project, ["--worker", "10.0.0.2"])
    told = {line.partition("=")[0] for line in (project / "worker.env").read_text(encoding="utf-8").splitlines()}
    needed = set(re.findall(r"(?<!\$)\$\{(\w+):\?", WORKER.read_text(encoding="utf-8")))
    assert needed
    assert needed <= told


def test_workers_on_other_machines_are_let_in_at_one_address(project: Path) -> None:
    guide = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    named = "docker-compose.yaml:docker-compose.cluster.yaml"
    assert f"`COMPOSE_FILE={named}`" in guide
    setting(project, COMPOSE_FILE=named)
    assert config(project).returncode != 0  # CLUSTER_LISTEN is not set
    setting(project, CLUSTER_LISTEN="10.0.0.1")
    services = services_of(project)
    for name, port in (("postgres", 5432), ("redis", 6379), ("api-server", 8080)):
        assert any(str(each).startswith(f"10.0.0.1:{port}:{port}") for each in services[name]["ports"]), name
    assert "statsd-exporter" in services_of(project, profiles=("monitoring",))


def test_every_compose_file_that_the_guide_names_is_there() -> None:
    guide = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    named = set(re.findall(r"docker-compose(?:\.\w+)?\.yaml", guide)) - {"docker-compose.override.yaml"}
    assert named == {file.name for file in ROOT.glob("docker-compose*.yaml")}
    # A command that names files does not read COMPOSE_FILE; only that of a worker's own machine does so.
    given = {word for line in documented("docker compose") for word in re.findall(r"-f (\S+)", line)}
    assert given == {WORKER.name}


def test_workers_elsewhere_are_stopped_and_started_wherever_tables_change() -> None:
    guide = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    for begins, ends in (
        ("**Upgrade**", "**Back to"),
        ("**Back to", "**When a part"),
        ("## Backup and restore", "The store alone"),
    ):
        part = guide[guide.index(begins) : guide.index(ends)]
        stop, start = (part.index(f"docker compose -f {WORKER.name} {word}") for word in ("stop", "up"))
        assert stop < part.index("docker compose up --detach") < start


def test_a_secret_in_a_file_is_told_as_a_variable(tmp_path: Path) -> None:
    entry = ["sh", str(ROOT / "deploy" / "entrypoint.sh"), "sh", "-c", 'echo "$OUTSMART_SYNC_VAULT_KEYS"']
    (tmp_path / "keys").write_text("new,old\n", encoding="utf-8")
    told = {"PATH": "/usr/bin:/bin", "OUTSMART_SYNC_VAULT_KEYS_FILE": str(tmp_path / "keys")}
    assert subprocess.run(entry, env=told, capture_output=True, text=True, check=True).stdout == "new,old\n"
    told["OUTSMART_SYNC_VAULT_KEYS_FILE"] = str(tmp_path / "missing")
    done = subprocess.run(entry, env=told, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "mount it" in done.stderr
