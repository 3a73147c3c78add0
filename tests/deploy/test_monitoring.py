"""From a figure to the dashboard: what is sent, what the exporter makes of it, what the dashboard asks."""

from __future__ import annotations

import gzip
import itertools
import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import yaml

import topology
from local_airflow import ROOT

FOLDER = ROOT / "deploy" / "monitoring"
FIGURES = 3
SENDS = """
from airflow.sdk._shared.observability.metrics import stats
from airflow.sdk.observability.metrics import stats_utils
from outsmart_sync.orchestration.metrics import send
from outsmart_sync.services.metrics import Metric
stats.initialize(factory=stats_utils.get_stats_factory(), export_legacy_names=True)
send([Metric("outsmart_sync.last_end.exact_online.7.import", 1764288000.5),
      Metric("outsmart_sync.scheduled.exact_online.7.import", 1.0),
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
        "airflow.outsmart_sync.last_end.exact_online.7.import": "1764288000.5|g",
        "airflow.outsmart_sync.scheduled.exact_online.7.import": "1.0|g",
        "airflow.outsmart_sync.records.exact_online.7.relations.created": "3|c",
    }


def test_the_exporter_turns_their_names_into_labels(received: dict[str, str]) -> None:
    assert [mapped(name) for name in received] == [
        ("outsmart_sync_last_end", {"package": "exact_online", "connection": "7", "direction": "import"}),
        ("outsmart_sync_scheduled", {"package": "exact_online", "connection": "7", "direction": "import"}),
        (
            "outsmart_sync_records",
            {"package": "exact_online", "connection": "7", "category": "relations", "outcome": "created"},
        ),
    ]


def panels() -> list[dict[str, Any]]:
    """The dashboard's panels."""
    file = FOLDER / "grafana" / "dashboards" / "outsmart-sync.json"
    found: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))["panels"]
    return found


def test_the_dashboard_asks_for_figures_that_there_are() -> None:
    source = (ROOT / "include" / "outsmart_sync" / "services" / "metrics.py").read_text(encoding="utf-8")
    asked = {
        name
        for panel in panels()
        for target in panel["targets"]
        for name in re.findall(r"outsmart_sync_(\w+)", target["expr"])
    }
    assert asked == {"last_end", "scheduled", "calls_left", "stopped", "expired", "login_days_left", "records"}
    assert [name for name in asked if not re.search(rf"\b{name}\b", source)] == []
    guide = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert [name for name in asked if f"outsmart_sync.{name}" not in guide] == []


def test_what_the_guide_calls_too_much_is_seen_on_the_dashboard() -> None:
    guide = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    drawn = [each for each in panels() if "thresholds" in each["fieldConfig"]["defaults"]]
    assert {each["fieldConfig"]["defaults"]["custom"]["thresholdsStyle"]["mode"] for each in drawn} == {"line+area"}
    for name in ("login_days_left", "calls_left"):
        (panel,) = [each for each in drawn if name in each["targets"][0]["expr"]]
        steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
        named = {f"{above['value']} ({below['color']})" for below, above in itertools.pairwise(steps)}
        (row,) = [line for line in guide.splitlines() if line.startswith(f"| `outsmart_sync.{name}.")]
        assert set(re.findall(r"below (\d+ \(\w+\))", row)) == named
    places = [(each["gridPos"]["x"], each["gridPos"]["y"]) for each in panels()]
    assert len(places) == len(set(places))


def test_what_was_switched_off_on_purpose_ages_neither_on_the_dashboard_nor_in_the_guide_s_alarm() -> None:
    (panel,) = [each for each in panels() if "last_end" in each["targets"][0]["expr"]]
    expression = panel["targets"][0]["expr"]
    assert expression.endswith(" and on (package, connection, direction) (outsmart_sync_scheduled == 1)")
    assert f"    {expression} > 3600\n" in (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def test_only_the_days_of_a_login_are_forgotten_and_not_within_a_day() -> None:
    """A gauge that the exporter forgets ends the alarm when everything stands still, which ``last_end`` must give."""
    rules = yaml.safe_load((FOLDER / "statsd-mapping.yaml").read_text(encoding="utf-8"))["mappings"]
    assert {rule["name"]: rule["ttl"] for rule in rules if "ttl" in rule} == {"outsmart_sync_login_days_left": "26h"}
    name = "airflow.outsmart_sync.login_days_left.exact_online.7"
    assert mapped(name) == ("outsmart_sync_login_days_left", {"package": "exact_online", "connection": "7"})


@pytest.fixture
def collector() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """A collector of OpenTelemetry: its address, and path and body of each call."""
    calls: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            gzipped = self.headers.get("Content-Encoding") == "gzip"
            calls.append((self.path, gzip.decompress(body) if gzipped else body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", calls
        server.shutdown()


def test_figures_arrive_at_a_collector_of_opentelemetry(collector: tuple[str, list[tuple[str, bytes]]]) -> None:
    address, calls = collector
    place = replace(topology.COMPOSE, metrics="False", otel="True", otel_endpoint=address, otel_headers="x-token=mine")
    worker = topology.environment("worker", place).items()
    told = {name: value for name, value in worker if "METRICS" in name or name.startswith("OTEL_")}
    subprocess.run([sys.executable, "-c", SENDS], env={**os.environ, **told}, check=True)
    assert {path for path, _ in calls} == {"/v1/metrics"}
    for name in (
        b"outsmart_sync.last_end.exact_online.7.import",
        b"outsmart_sync.records.exact_online.7.relations.created",
    ):
        assert any(name in body for _, body in calls), name
