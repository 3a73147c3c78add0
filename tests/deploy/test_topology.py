"""What services are told is what their programs read: no name is a mere guess."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from uvicorn.config import Config
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

import topology
from local_airflow import ROOT, environment
from outsmart_sync.orchestration import schedules

FILES = (
    "Dockerfile",
    "connections.env.example",
    "docs/operations.md",
    *(f"scripts/{name}.py" for name in ("cluster", "local_airflow", "maintenance", "quickstart", "topology")),
    *(file.name for file in ROOT.glob("docker-compose*.yaml")),
)
NAME = re.compile(r"AIRFLOW__[A-Z0-9_]*?[A-Z0-9]__[A-Z0-9_]*[A-Z0-9]")


@pytest.fixture(scope="module")
def options() -> set[str]:
    """Each option of Airflow and of its providers, as a variable of the environment names it."""
    from airflow.configuration import conf

    described = conf.configuration_description
    assert {"core", "fab", "celery"} <= set(described)
    return {f"AIRFLOW__{section}__{name}".upper() for section in described for name in described[section]["options"]}


def named() -> Iterator[tuple[str, str]]:
    """Where an option is named, and how."""
    for file in FILES:
        for name in NAME.findall((ROOT / file).read_text(encoding="utf-8")):
            yield file, name


def test_every_option_that_is_set_exists(options: set[str], tmp_path: Path) -> None:
    services = [topology.environment(service, topology.COMPOSE) for service in topology.SERVICES]
    told = {("topology", name) for each in services for name in each}
    told |= {("local_airflow", name) for name in environment(tmp_path / "home", 8080)}
    told |= set(named())
    # What ends so may be another variable's secret, in a file.
    wrong = {each for each in told if NAME.match(each[1]) and not {each[1], each[1].removesuffix("_FILE")} & options}
    assert sorted(wrong) == []


def test_who_parses_dag_files_is_told_when_they_run(monkeypatch: pytest.MonkeyPatch) -> None:
    place = topology.Place("", "", "", "", dict.fromkeys(topology.SECRETS, ""))
    usual: dict[str, Callable[[], object]] = {
        schedules.IMPORT_VARIABLE: lambda: schedules.import_schedule().expression,
        schedules.EXPORT_VARIABLE: lambda: schedules.export_schedule().expression,
        schedules.RUNS_VARIABLE: schedules.runs_at_once,
    }
    example = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    for name, read in usual.items():
        for service in ("dag-processor", "scheduler", "worker", "api-server"):
            told = topology.environment(service, place)[name]
            assert topology.environment(service, topology.COMPOSE)[name] == f"${{{name}:-{told}}}"
        monkeypatch.delenv(name, raising=False)
        assert str(read()) == told
        assert f"{name}={told}" in example


def test_a_service_is_told_no_secret_that_it_does_not_need() -> None:
    known = {name: " ".join(topology.environment(name, topology.COMPOSE).values()) for name in topology.SERVICES}
    assert not re.search("AIRFLOW_DB|FERNET|JWT|ADMIN", known["worker"])
    assert not re.search("REDIS|VAULT|JWT|API_SECRET", known["maintenance"])
    assert "CELERY_DB_PASSWORD" in known["maintenance"]


@pytest.mark.parametrize(("proxies", "scheme"), [("172.16.0.0/12", "https"), ("127.0.0.1", "http")])
def test_a_proxy_outside_of_the_container_is_believed_when_it_is_named(
    proxies: str, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = replace(topology.COMPOSE, proxies=proxies)
    assert "--proxy-headers" in topology.SERVICES["api-server"].command
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", topology.environment("api-server", place)["FORWARDED_ALLOW_IPS"])
    seen: list[str] = []

    async def application(scope: Any, *_: Any) -> None:
        seen.append(scope["scheme"])

    headers = [(b"x-forwarded-proto", b"https"), (b"x-forwarded-for", b"203.0.113.7")]
    call: Any = {"type": "http", "scheme": "http", "client": ("172.18.0.1", 40_000), "headers": headers}
    server = Config(application, proxy_headers=True)
    server.load()
    nothing: Any = None
    asyncio.run(ProxyHeadersMiddleware(application, server.forwarded_allow_ips)(call, nothing, nothing))
    assert seen == [scheme]
