"""Fifty sync connections on a cluster: a first import, an idle cycle of all four DAGs, and one with some changes."""

from __future__ import annotations

import os
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
from sqlalchemy import text

from outsmart_sync.orchestration.schedules import EXPORT_VARIABLE, IMPORT_VARIABLE
from outsmart_sync.pipeline.job import Options
from outsmart_sync.providers.gateway import HookGateway
from outsmart_sync.services import connect, planning, polling, settings, sync
from outsmart_sync.store.connections import SyncConnection
from outsmart_sync.store.store import Store
from sandbox import process
from sandbox.browser import Browser
from sandbox.fixed_world import VISMA_COMPANIES
from sandbox.process import SandboxProcess

CONNECTIONS = {2001001: 16, 2001003: 12, 2001004: 10, 2001002: 3}
"""Division → connections, each joined with an OutSmart account of its own; things change in the last one."""

VISMA_CONNECTIONS = 9
DAGS = ("exact_online_import", "visma_eaccounting_import", "exact_online_export", "visma_eaccounting_export")
NEVER = "0 0 1 1 *"


@dataclass
class _Cost:
    """What a piece of work took."""

    seconds: float
    cpu: float
    calls: int


def run(rows: int) -> None:
    """Print what each costs; ``rows`` is not used: the sandbox's administrations are as they are.

    First without Airflow, in this process; with ``OUTSMART_SYNC_BENCH_CLUSTER`` set also as DAGs on two workers.
    """
    del rows
    import sandbox_connections
    from cluster import Cluster

    total = sum(CONNECTIONS.values()) + VISMA_CONNECTIONS
    with process.start(relations=60, items=60) as vendors, tempfile.TemporaryDirectory() as folder:
        variables = sandbox_connections.packages(vendors) | sandbox_connections.accounts(
            vendors, {f"outsmart_{number}": "north" for number in range(1, total + 1)}
        )
        schedules = {IMPORT_VARIABLE: NEVER, EXPORT_VARIABLE: NEVER}
        cluster = Cluster(Path(folder), variables, workers=2, settings=schedules)
        os.environ |= variables | {"OUTSMART_SYNC_VAULT_KEYS": cluster.place.secrets["VAULT_KEYS"]}
        store = Store(cluster.store)
        try:
            cluster.start_store()
            _measure_services(cluster, store, vendors)
            if os.environ.get("OUTSMART_SYNC_BENCH_CLUSTER"):
                cluster.start_airflow()
                _measure_dags(cluster, vendors)
        finally:
            store.close()
            cluster.stop()


def _measure_services(cluster: Any, store: Store, vendors: SandboxProcess) -> None:
    began = time.perf_counter()
    made = _connect_all(store)
    print(f"\n{len(made)} connections over both packages, connected in {time.perf_counter() - began:.0f} s")
    with _timed(cluster, vendors) as cost:
        _import(store)
    _print("first import of all, one process", cost)
    print(f"  database of the store: {_size(store):.0f} MB, {_records(store):,} records in the mirror")
    with _timed(cluster, vendors) as cost:
        _poll(store)
    _print("idle: polls of all, one process", cost)
    vendors.control.touch_exact(2001002, "crm/Accounts", 5, seed=1)
    with _timed(cluster, vendors) as cost:
        busy = _poll(store)
        _import(store)
    _print(f"changes in {busy} of {len(made)}: polls and steps, one process", cost)


def _measure_dags(cluster: Any, vendors: SandboxProcess) -> None:
    for name in ("idle cycle of all four DAGs, first", "idle cycle of all four DAGs, again"):
        with _timed(cluster, vendors) as cost:
            _cycle(cluster)
        _print(name, cost)
    vendors.control.touch_exact(2001002, "crm/Accounts", 5, seed=2)
    with _timed(cluster, vendors) as cost:
        _cycle(cluster)
    _print(f"cycle with changes in {CONNECTIONS[2001002]} connections", cost)
    print("  memory of each service with its children, PSS in MB")
    for service, pid in cluster.pids().items():
        print(f"    {service:<16} {_memory(pid):5.0f}")


def _import(store: Store) -> None:
    for package in ("exact_online", "visma_eaccounting"):
        sync.import_now(store, HookGateway(store), package, f"bench:{uuid.uuid4()}", Options())


def _poll(store: Store) -> int:
    """What the tasks ``open_run``, ``poll`` and ``close_run`` do, for all shards; returns the connections with work."""
    busy = 0
    for package in ("exact_online", "visma_eaccounting"):
        opened = planning.open_run(store, package, f"bench:{uuid.uuid4()}", Options())
        for shard in opened.shards:
            busy += len(polling.poll(store, HookGateway(store), opened.run_id, shard))
        planning.close_run(store, opened.run_id)
    return busy


def _cycle(cluster: Any) -> None:
    """All four DAGs side by side, as one quarter of an hour has them."""
    runs = {dag: cluster.api.trigger(dag) for dag in DAGS}
    states = {dag: cluster.api.wait_for(dag, number, 900) for dag, number in runs.items()}
    print("  " + ", ".join(f"{dag} {state}, {_tasks(cluster, dag, runs[dag])} tasks" for dag, state in states.items()))


def _tasks(cluster: Any, dag: str, run_id: str) -> int:
    """Tasks that had a process."""
    return sum(task["state"] in ("success", "failed") or (bool(task["start_date"]) and bool(task["pid"]))
               for task in cluster.api.tasks(dag, run_id))  # fmt: skip


def _connect_all(store: Store) -> list[SyncConnection]:
    gateway = HookGateway(store)
    made, number = [], 0
    for division, count in CONNECTIONS.items():
        for _ in range(count):
            number += 1
            made.append(_connect(store, gateway, "exact_online", str(division), number))
    companies = [each for each in VISMA_COMPANIES.values() if each.eaccounting and each.start_guide_done]
    for place in range(VISMA_CONNECTIONS):
        number += 1
        made.append(
            _connect(store, gateway, "visma_eaccounting", companies[place % 2].id, number, companies[place % 2].code)
        )
    for each in made:
        name = "relations" if each.package == "exact_online" else "customers"
        settings.save(store, each, {name: {"enabled": True}, "materials": {"enabled": True}})
    return made


def _connect(
    store: Store, gateway: HookGateway, package: str, code: str, number: int, company: str = ""
) -> SyncConnection:
    country = "nl" if package == "exact_online" else ""
    begun = connect.start_login(
        store,
        gateway,
        package,
        country=country,
        outsmart_conn_id=f"outsmart_{number}",
        outsmart_account=f"firm {number}",
    )
    browser = Browser()
    back = browser.consent_visma(begun.address, company) if company else browser.consent(begun.address)
    browser.close()
    done = connect.finish_login(store, gateway, back, state=begun.state)
    return connect.choose_administration(store, gateway, done.connection, code)


@contextmanager
def _timed(cluster: Any, vendors: SandboxProcess) -> Iterator[_Cost]:
    """Wall seconds, CPU seconds of our own processes (not the sandbox's), calls to the vendors."""
    vendors.control.forget_calls()
    before, began = _cpu(cluster), time.perf_counter()
    cost = _Cost(0, 0, 0)
    yield cost
    cost.seconds, cost.cpu = time.perf_counter() - began, _cpu(cluster) - before
    cost.calls = sum(each["calls"] for each in vendors.control.call_summary())


def _cpu(cluster: Any) -> float:
    """CPU seconds of the services, of their children that have ended, and of this process."""
    own = float(sum(psutil.Process().cpu_times()[:2]))
    total = own
    for pid in cluster.pids().values():
        for each in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
            try:
                total += sum(each.cpu_times()[:4])
            except psutil.Error:
                continue
    return total


def _memory(pid: int) -> float:
    total = 0.0
    for each in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
        try:
            total += float(each.memory_full_info().pss)
        except psutil.Error:
            continue
    return total / 1_000_000


def _size(store: Store) -> float:
    with store.read() as transaction:
        return float(transaction.execute(text("SELECT pg_database_size(current_database())")).scalar_one()) / 1_000_000


def _records(store: Store) -> int:
    with store.read() as transaction:
        return int(transaction.execute(text("SELECT count(*) FROM mirror")).scalar_one())


def _print(what: str, cost: _Cost) -> None:
    print(f"  {what:<52} {cost.seconds:6.1f} s  {cost.cpu:6.1f} CPU s  {cost.calls:5} calls")
