"""A cluster of several workers with the sandbox behind it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from cluster import REDIS, Cluster
from outsmart_sync.orchestration.schedules import EXPORT_VARIABLE, IMPORT_VARIABLE
from outsmart_sync.store.store import Store
from outsmart_sync.store.vault import KEYS_VARIABLE
from sandbox import process
from support import NORTH, SOUTH, Rig, exact_connection, outsmart_connection, visma_connection

SOUTH_CONN_ID = "outsmart_south"
QUICK = {
    IMPORT_VARIABLE: "0 0 1 1 *",  # only what a test triggers runs
    EXPORT_VARIABLE: "0 0 1 1 *",
    # A machine that goes down is found out after seconds, not after five minutes.
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "10",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "2",
    # So is what it had taken from the queue and not begun: after ten minutes otherwise.
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": "25",
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "5",
    "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
}


@dataclass
class Site:
    """A cluster, the vendors, and the store.

    Attributes:
        cluster: The services.
        rig: Store and vendors.
        synced: Codes of the relations that the first import brought; a test that loses one is told so.
    """

    cluster: Cluster
    rig: Rig
    synced: set[str] = field(default_factory=set)

    def run(self, dag_id: str, **conf: Any) -> str:
        """Trigger a DAG and wait for its end; returns its state."""
        return self.cluster.api.wait_for(dag_id, self.cluster.api.trigger(dag_id, conf), 240)


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The cluster, started once for all tests of a file."""
    if shutil.which(REDIS) is None:
        pytest.skip("redis-server is not installed: apt install redis-server")
    home = tmp_path_factory.mktemp("cluster")
    with process.start(relations=60, items=60) as vendors:
        connections = {
            "AIRFLOW_CONN_EXACT_ONLINE_DEFAULT": exact_connection(vendors),
            "AIRFLOW_CONN_VISMA_EACCOUNTING_DEFAULT": visma_connection(vendors),
            "AIRFLOW_CONN_OUTSMART_DEFAULT": outsmart_connection(vendors, NORTH),
            f"AIRFLOW_CONN_{SOUTH_CONN_ID.upper()}": outsmart_connection(vendors, SOUTH),
        }
        with Cluster(home, connections, settings=QUICK) as cluster:
            store = Store(cluster.store)
            try:
                yield Site(cluster, Rig(store, vendors))
            finally:
                store.close()


@pytest.fixture
def site(started: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """The cluster, with this process seeing the same connections and keys as the workers do."""
    seen = started.cluster.environment(started.cluster.workers[0])
    for name, value in seen.items():
        if name.startswith("AIRFLOW_CONN_") or name == KEYS_VARIABLE:
            monkeypatch.setenv(name, value)
    started.rig.vendors.control.clear_faults()
    yield started
    started.rig.vendors.control.clear_faults()
