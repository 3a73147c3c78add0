"""`make cluster`: the whole system on three workers without a shared disk, tried out on the sandbox.

Starts PostgreSQL, Redis, Airflow's services and three Celery workers as plain processes, connects an administration of
each package by the real logins, runs all four DAGs, says which worker did what, and ends (``--stay``: with Ctrl-C).
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import sandbox_connections
from airflow_api import LocalAirflowError
from cluster import Cluster
from outsmart_sync import terminal
from outsmart_sync.providers.gateway import HookGateway
from outsmart_sync.services import connect, login, settings
from outsmart_sync.store.store import Store
from outsmart_sync.store.vault import KEYS_VARIABLE
from sandbox import process
from sandbox.browser import Browser
from sandbox.fixed_world import VISMA_COMPANIES

DAGS = ("exact_online_import", "visma_eaccounting_import", "exact_online_export", "visma_eaccounting_export")
DIVISION, COMPANY = 2001001, "leeg"
RUN_SECONDS = 900


def main() -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="make cluster", description=__doc__)
    parser.add_argument("--stay", action="store_true", help="keep everything up until Ctrl-C")
    parser.add_argument("--workers", type=int, default=3, help="Celery workers")
    given = parser.parse_args()
    terminal.load_airflow()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.getsignal(signal.SIGINT))
    try:
        return _try_out(given.workers, stay=given.stay)
    except LocalAirflowError as error:
        sys.stderr.write(f"make cluster: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130


def _try_out(workers: int, *, stay: bool) -> int:
    with tempfile.TemporaryDirectory(prefix="outsmart-sync-cluster-") as folder, process.start() as vendors:
        told = sandbox_connections.packages(vendors)
        told |= sandbox_connections.accounts(vendors, {"outsmart_default": "north", "outsmart_south": "south"})
        with Cluster(Path(folder), told, workers=workers) as cluster:
            os.environ |= told | {KEYS_VARIABLE: cluster.place.secrets["VAULT_KEYS"]}
            store = Store(cluster.store)
            _connect(store)
            vendors.control.complete_work_orders("north", DIVISION, 3)
            states = {dag: _run(cluster, dag) for dag in DAGS}
            store.close()
            if stay:
                password = cluster.place.secrets["ADMIN_PASSWORD"]
                print(f"Airflow UI: {cluster.address}   user admin   password {password}   (Ctrl-C ends everything)")
                while True:
                    cluster.check_alive()
                    time.sleep(1)
    return 0 if set(states.values()) == {"success"} else 1


def _run(cluster: Cluster, dag: str) -> str:
    began, before = time.monotonic(), {name: len(cluster.task_logs(name)) for name in cluster.workers}
    state = cluster.api.wait_for(dag, cluster.api.trigger(dag), RUN_SECONDS)
    ran = Counter({name: len(cluster.task_logs(name)) - before[name] for name in cluster.workers})
    where = ", ".join(f"{name} {number}" for name, number in sorted(ran.items()))
    print(f"{dag:<26} {state:<8} {time.monotonic() - began:5.1f} s   tasks: {where}", flush=True)
    return state


def _connect(store: Store) -> None:
    gateway, browser = HookGateway(store), Browser()
    begun = login.start(store, gateway, "exact_online", country="nl")
    done = login.finish(store, gateway, browser.consent(begun.address), state=begun.state)
    exact = connect.choose_administration(store, gateway, done.connection, str(DIVISION))
    on = {"enabled": True}
    settings.save(store, exact, {"licence": "pro", "relations": on, "materials": on, "hour_types": on})
    settings.save(store, exact, {"work_orders": on | {"cut_off": "2020-01-01"}})
    begun = login.start(store, gateway, "visma_eaccounting", country="", outsmart_conn_id="outsmart_south")
    back = browser.consent_visma(begun.address, COMPANY)
    done = login.finish(store, gateway, back, state=begun.state)
    visma = connect.choose_administration(store, gateway, done.connection, VISMA_COMPANIES[COMPANY].id)
    settings.save(store, visma, {"customers": on, "materials": on, "work_orders": on})
    browser.close()


if __name__ == "__main__":
    sys.exit(main())
