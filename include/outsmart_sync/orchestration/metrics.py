"""Sends figures through Airflow's metrics, to whatever it is set up for: StatsD, OpenTelemetry, or nothing.

Metrics: https://airflow.apache.org/docs/apache-airflow/stable/administration-and-deployment/logging-monitoring/metrics.html
"""

from __future__ import annotations

from collections.abc import Iterable

from airflow.sdk.observability import stats

from outsmart_sync.services.metrics import Metric


def send(metrics: Iterable[Metric]) -> None:
    """Send them; one that cannot be sent is lost, and fails nothing."""
    for each in metrics:
        if each.adds:
            stats.incr(each.name, int(each.value))
        else:
            stats.gauge(each.name, each.value)
