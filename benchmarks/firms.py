"""Many firms on a cluster of plain processes: sync connections over both packages, and what a piece of work costs."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

from outsmart_sync import terminal
from outsmart_sync.orchestration.schedules import EXPORT_VARIABLE, IMPORT_VARIABLE
from outsmart_sync.providers.gateway import HookGateway
from outsmart_sync.services import connect, login, settings
from outsmart_sync.store.connections import SyncConnection
from outsmart_sync.store.store import Store
from outsmart_sync.store.vault import KEYS_VARIABLE
from sandbox import process
from sandbox.browser import Browser
from sandbox.fixed_world import VISMA_COMPANIES
from sandbox.process import SandboxProcess

NEVER = "0 0 1 1 *"
_SECONDS = 1800
_ON = {"enabled": True}


@dataclass(frozen=True)
class Firms:
    """A running cluster with connected firms; firm 1 has the OutSmart account ``firm-1``, and so on.

    Attributes:
        cluster: The services of :mod:`cluster`.
        vendors: The sandbox.
        store: The store.
        connections: Those of the firms, in order.
    """

    cluster: Any
    vendors: SandboxProcess
    store: Store
    connections: list[SyncConnection]

    def cycle(self, *dags: str, conf: Mapping[str, Any] | None = None) -> str:
        """Runs DAGs side by side, as one quarter of an hour has them; returns what became of them."""
        runs = {dag: self.cluster.api.trigger(dag, dict(conf or {})) for dag in dags}
        said = []
        for dag, run in runs.items():
            states = self.cluster.api.wait_for_all(dag, run, _SECONDS)
            number = sum(self._processes(dag, each) for each in states)
            failed = sum(state != "success" for state in states.values())
            said.append(f"{dag}: {len(states)} runs, {failed} of them failed, {number} processes")
        return "; ".join(said)

    @contextlib.contextmanager
    def timed(self, what: str) -> Iterator[Cost]:
        """Measures a piece of work and prints it: wall seconds, CPU seconds of our processes, calls to the vendors."""
        self.vendors.control.forget_calls()
        before, began = self._cpu(), time.perf_counter()
        cost = Cost()
        yield cost
        cost.seconds, cost.cpu = time.perf_counter() - began, self._cpu() - before
        cost.calls = sum(each["calls"] for each in self.vendors.control.call_summary())
        print(f"  {what:<58} {cost.seconds:6.1f} s {cost.cpu:6.1f} CPU s {cost.calls:6,} calls", flush=True)
        if cost.said:
            print(f"    {cost.said}", flush=True)

    def print_memory(self) -> None:
        """Prints the memory of each service with its children; what processes share is divided among them."""
        print("  memory of each service with its children (PSS), MB:")
        for service, pid in self.cluster.pids().items():
            print(f"    {service:<16} {_memory(pid):5.0f}", flush=True)

    def _cpu(self) -> float:
        """CPU seconds of the services, of their children that have ended, and of this process."""
        total = float(sum(psutil.Process().cpu_times()[:2]))
        for pid in self.cluster.pids().values():
            for each in _family(pid):
                with contextlib.suppress(psutil.Error):
                    total += sum(each.cpu_times()[:4])
        return total

    def _processes(self, dag: str, run_id: str) -> int:
        return sum(bool(task["pid"]) for task in self.cluster.api.tasks(dag, run_id))


@dataclass
class Cost:
    """What a piece of work took, and what there is to say about it."""

    seconds: float = 0.0
    cpu: float = 0.0
    calls: int = 0
    said: str = ""


@contextlib.contextmanager
def connected(divisions: Mapping[int, int], visma: int, *, workers: int, relations: int, items: int) -> Iterator[Firms]:
    """A cluster whose store is up and whose Airflow is not yet, with firms connected and their main categories on.

    Args:
        divisions: Division of Exact → how many firms keep their books in it, each with an OutSmart account of its own.
        visma: How many firms keep their books in VISMA.
        workers: Celery workers; each runs two tasks at a time.
        relations: Relations of the first division.
        items: Items of each.
    """
    import sandbox_connections
    from cluster import Cluster

    terminal.load_airflow()
    number = sum(divisions.values()) + visma
    with process.start(relations=relations, items=items) as vendors, tempfile.TemporaryDirectory() as folder:
        told = sandbox_connections.packages(vendors) | sandbox_connections.accounts(
            vendors, {f"outsmart_{place}": f"firm-{place}" for place in range(1, number + 1)}
        )
        cluster = Cluster(
            Path(folder), told, workers=workers, settings={IMPORT_VARIABLE: NEVER, EXPORT_VARIABLE: NEVER}
        )
        os.environ |= told | {KEYS_VARIABLE: cluster.place.secrets["VAULT_KEYS"]}
        store = Store(cluster.store)
        try:
            cluster.start_store()
            began = time.perf_counter()
            made = _connect_all(store, divisions, visma)
            print(
                f"\n{len(made)} firms over both packages, connected in {time.perf_counter() - began:.0f} s", flush=True
            )
            yield Firms(cluster, vendors, store, made)
        finally:
            store.close()
            cluster.stop()


def _connect_all(store: Store, divisions: Mapping[int, int], visma: int) -> list[SyncConnection]:
    codes = [str(division) for division, count in divisions.items() for _ in range(count)]
    companies = [each for each in VISMA_COMPANIES.values() if each.eaccounting and each.start_guide_done]
    made = [_connect(store, "exact_online", code, place) for place, code in enumerate(codes, 1)]
    for place in range(visma):
        company = companies[place % 2]
        made.append(_connect(store, "visma_eaccounting", company.id, len(made) + 1, company.code))
    for each in made:
        names = ("relations", "hour_types") if each.package == "exact_online" else ("customers", "hour_types")
        settings.save(store, each, dict.fromkeys((*names, "materials"), _ON))
        settings.save(store, each, {"work_orders": _ON | {"cut_off": "2020-01-01"}})
    return made


def _connect(store: Store, package: str, code: str, number: int, company: str = "") -> SyncConnection:
    gateway, browser = HookGateway(store), Browser()
    begun = login.start(
        store,
        gateway,
        package,
        country="" if company else "nl",
        outsmart_conn_id=f"outsmart_{number}",
        outsmart_account=f"firm {number}",
    )
    user = f"firm-{number}@example.com"  # a login, and so a pair of tokens, of its own
    back = (
        browser.consent_visma(begun.address, company, user)
        if company
        else browser.consent(begun.address, user_name=user)
    )
    browser.close()
    done = login.finish(store, gateway, back, state=begun.state)
    return connect.choose_administration(store, gateway, done.connection, code)


def _family(pid: int) -> list[Any]:
    with contextlib.suppress(psutil.Error):
        return [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    return []


def _memory(pid: int) -> float:
    total = 0.0
    for each in _family(pid):
        with contextlib.suppress(psutil.Error):
            total += float(each.memory_full_info().pss)
    return total / 1_000_000


def require_redis() -> None:
    """Ends the program where there is no Redis to run a cluster with."""
    from cluster import REDIS

    if shutil.which(REDIS) is None:
        sys.exit(f"This needs {REDIS}: apt install redis-server")
