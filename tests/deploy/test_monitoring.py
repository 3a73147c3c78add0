"""From a figure to the dashboard: what is sent, what the exporter makes of it, what the dashboard asks."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from typing import Any

import pytest
import yaml

from local_airflow import ROOT

FOLDER = ROOT / "deploy" / "monitoring"
FIGURES = 2
SENDS = """
from airflow.sdk._shared.observability.metrics import stats
from airflow.sdk.observability.metrics import stats_utils
from outsmart_sync.orchestration.metrics import send
from outsmart_sync.services.metrics import Metric
stats.initialize(factory=stats_utils.get_stats_factory(), export_legacy_names=True)
send([Metric("outsmart_sync.age_seconds.exact_online.7", 12.5),
      Metric("outsmart_sync.records.exact_online.7.relations.created", 3, adds=True)])
"""


def mapped(name: str) -> tuple[str, dict[str, str]]:
    """What the exporter's mapping makes of a name, as its documentation describes: the first match counts."""
    for rule in yaml.safe_load((FOLDER / "statsd-mapping.yaml").read_text(encoding="utf-8"))["mappings"]:
        pattern = re.escape(rule["match"]).replace(r"\*", "([^.]*)")
        if found := re.fullmatch(pattern, name):
            groups = found.groups()

            def put(text: str, groups: tuple[str, ...] = groups) -> str:
                return re.sub(r"\$(\d)", lambda place: groups[int(place[1]) - 1], text)

            return put(rule["name"]), {label: put(value) for label, value in rule["labels"].items()}
    raise AssertionError(name)


@pytest.fixture(scope="module")
def received() -> dict[str, str]:
    """Name → value and kind, as they arrive at a StatsD server."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(30)
        told = {
            "AIRFLOW__METRICS__STATSD_ON": "True",
            "AIRFLOW__METRICS__STATSD_HOST": "127.0.0.1",
            "AIRFLOW__METRICS__STATSD_PORT": str(server.getsockname()[1]),
        }
        subprocess.run([sys.executable, "-c", SENDS], env={**os.environ, **told}, check=True)
        found: dict[str, str] = {}
        while len(found) < FIGURES:  # Airflow sends figures of its own besides
            name, _, value = server.recv(1_000).decode().partition(":")
            if name.startswith("airflow.outsmart_sync."):
                found[name] = value
        return found


def test_figures_arrive_by_statsd(received: dict[str, str]) -> None:
    assert received == {
        "airflow.outsmart_sync.age_seconds.exact_online.7": "12.5|g",
        "airflow.outsmart_sync.records.exact_online.7.relations.created": "3|c",
    }


def test_the_exporter_turns_their_names_into_labels(received: dict[str, str]) -> None:
    assert [mapped(name) for name in received] == [
        ("outsmart_sync_age_seconds", {"package": "exact_online", "connection": "7"}),
        (
            "outsmart_sync_records",
            {"package": "exact_online", "connection": "7", "category": "relations", "outcome": "created"},
        ),
    ]


def test_the_dashboard_asks_for_figures_that_there_are() -> None:
    source = (ROOT / "include" / "outsmart_sync" / "services" / "metrics.py").read_text(encoding="utf-8")
    dashboard: dict[str, Any] = json.loads(
        (FOLDER / "grafana" / "dashboards" / "outsmart-sync.json").read_text(encoding="utf-8")
    )
    asked = {
        name
        for panel in dashboard["panels"]
        for target in panel["targets"]
        for name in re.findall(r"outsmart_sync_(\w+)", target["expr"])
    }
    assert asked >= {"age_seconds", "calls_left", "stopped", "login_days_left", "records"}
    assert [name for name in asked if not re.search(rf"\b{name}\b", source)] == []
    guide = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert [name for name in asked if f"outsmart_sync.{name}" not in guide] == []
