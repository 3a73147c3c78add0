"""The Helm values: their shape, and that they say what the topology says. No cluster and no helm run here."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest
import yaml

import topology
from local_airflow import ROOT

FILE = ROOT / "deploy" / "helm-values.yaml"
CHART_SETS = {"AIRFLOW__CORE__EXECUTOR", "AIRFLOW__CORE__EXECUTION_API_SERVER_URL"}
"""What the chart itself sets, from its own values."""


@pytest.fixture(scope="module")
def values() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return found


def test_versions_are_those_of_the_project(values: dict[str, Any]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f"apache-airflow=={values['airflowVersion']}" in project["dependencies"]
    assert values["defaultAirflowTag"] == project["version"]


def test_every_service_is_told_what_the_topology_tells_it(values: dict[str, Any]) -> None:
    told = {each["name"]: each["value"] for each in values["env"]}
    assert all(isinstance(value, str) for value in told.values())
    for name, value in topology.environment("dag-processor", topology.COMPOSE).items():
        if "$" in value or "METRICS" in name or name in CHART_SETS:
            continue
        assert told[name] == value, name
    warm = topology.environment("worker", topology.COMPOSE)["AIRFLOW__CELERY__EXTRA_CELERY_CONFIG"]
    assert {each["name"]: each["value"] for each in values["workers"]["env"]} == {
        "AIRFLOW__CELERY__EXTRA_CELERY_CONFIG": warm
    }
    assert values["executor"] == "CeleryExecutor"
    assert {each["envName"] for each in values["secret"]} == {
        "OUTSMART_SYNC_VAULT_KEYS",
        "AIRFLOW_CONN_OUTSMART_SYNC_STORE",
    }
    assert yaml.safe_load(values["extraEnvFrom"]) == [{"secretRef": {"name": "outsmart-sync-connections"}}]


def test_nothing_secret_stands_in_it(values: dict[str, Any]) -> None:
    names = {name for name in (*values, *values["data"]) if re.search("secret|fernet|jwt|key", name, re.IGNORECASE)}
    assert names - {"secret"} == {each for each in names - {"secret"} if each.endswith("SecretName")}
    assert not re.search(r"pass(word)?:|://[^.\s]+:[^.\s]+@", FILE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["apiServer", "scheduler", "dagProcessor", "triggerer", "workers"])
def test_every_service_has_requests_and_limits(values: dict[str, Any], name: str) -> None:
    assert set(values[name]["resources"]) == {"requests", "limits"}
    for part in values[name]["resources"].values():
        assert re.fullmatch(r"\d+m?", part["cpu"])
        assert re.fullmatch(r"\d+[MG]i", part["memory"])
