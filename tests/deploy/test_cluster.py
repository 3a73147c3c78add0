"""Airflow on several workers without a shared disk: what goes on when one of its parts goes down."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

import pytest

from airflow_api import ENDED, LocalAirflowError
from outsmart_sync.services import connect, login, settings
from outsmart_sync.store.connections import SyncConnection
from outsmart_sync.store.tables import mirror, work_order_export
from sandbox.browser import Browser
from sandbox.fixed_world import VISMA_COMPANIES
from support import MAIN
from tests.deploy.conftest import SOUTH_CONN_ID, Site

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(
        not os.environ.get("OUTSMART_SYNC_CLUSTER"),
        reason="three workers and their servers need a machine of their own: make test-cluster",
    ),
]

IMPORT, EXPORT = "exact_online_import", "exact_online_export"
VISMA_IMPORT, VISMA_EXPORT = "visma_eaccounting_import", "visma_eaccounting_export"
EXTRACT = "relations.extract"
ORDERS = 4
SECONDS = 400
"""Patience on a machine that others use, too; on a quiet one a run takes half a minute."""


@pytest.fixture(scope="module")
def made() -> dict[str, SyncConnection]:
    """The connections that all tests of this file share, once they have been made."""
    return {}


@pytest.fixture
def connection(site: Site, made: dict[str, SyncConnection]) -> SyncConnection:
    """An administration of Exact with imports and exports on, connected by the first test that asks."""
    if not made:
        chosen = {name: {"enabled": True} for name in ("relations", "materials", "hour_types")}
        made["exact"] = site.rig.connect(MAIN, licence="pro", **chosen)
        settings.save(site.rig.store, made["exact"], {"work_orders": {"enabled": True, "cut_off": "2026-01-01"}})
    return made["exact"]


def steps_of(site: Site, dag_id: str, run_id: str) -> dict[str, str]:
    """Task → the worker on whose own disk it has logged in a run, and ``connection`` for those that are none."""
    found: dict[str, str] = {}
    for worker in site.cluster.workers:
        for log in site.cluster.task_logs(worker):
            parts = dict(part.partition("=")[::2] for part in log.parts if "=" in part)
            if (parts["dag_id"], parts["run_id"]) == (dag_id, run_id):
                found[parts["task_id"]] = worker
    return found


def change_names(site: Site, word: str) -> None:
    """Somebody at the package renames customers."""
    rows = site.rig.vendors.control.exact_rows(MAIN, "crm/Accounts")[:8]
    site.rig.vendors.control.change_exact_rows(
        MAIN, "crm/Accounts", [{"ID": row["ID"], "Name": f"{word} {number}"} for number, row in enumerate(rows)]
    )


def require_whole(site: Site, connection: SyncConnection) -> None:
    """Make sure that nothing is lost or doubled in OutSmart."""
    rows = site.rig.rows(mirror, connection_id=connection.id, record="relation")
    synced = {row.code for row in rows if row.state == "synced"}
    # All that the first import brought, and those alone.
    assert site.synced in (set(), synced)
    assert synced
    site.synced = synced
    held = site.rig.vendors.control.outsmart_records("north", "relations")
    number_of = Counter(each["debtor_number"] for each in held)
    assert {code: number_of[code] for code in synced} == dict.fromkeys(synced, 1)
    names = {row["Code"].strip(): row["Name"] for row in site.rig.vendors.control.exact_rows(MAIN, "crm/Accounts")}
    told = {each["debtor_number"]: each["name"] for each in held}
    assert {code: told[code] for code in synced} == {code: names[code] for code in synced}


def connect_visma(site: Site) -> None:
    """A company of VISMA, with an OutSmart account of its own."""
    rig = site.rig
    begun = login.start(rig.store, rig.gateway, "visma_eaccounting", country="", outsmart_conn_id=SOUTH_CONN_ID)
    browser = Browser()
    back = browser.consent_visma(begun.address, "leeg")
    browser.close()
    done = login.finish(rig.store, rig.gateway, back, state=begun.state)
    company = connect.choose_administration(rig.store, rig.gateway, done.connection, VISMA_COMPANIES["leeg"].id)
    settings.save(rig.store, company, {"customers": {"enabled": True}, "work_orders": {"enabled": True}})


def test_all_four_dags_run_and_steps_of_one_category_land_on_different_workers(
    site: Site, connection: SyncConnection
) -> None:
    connect_visma(site)
    api = site.cluster.api
    runs = {dag: api.trigger(dag) for dag in (IMPORT, VISMA_IMPORT)}
    assert {dag: api.wait_for(dag, run, SECONDS) for dag, run in runs.items()} == dict.fromkeys(runs, "success")
    where = steps_of(site, IMPORT, runs[IMPORT])
    assert set(where.values()) == set(site.cluster.workers)
    by_category = defaultdict(set)
    for task, worker in where.items():
        by_category[task.partition(".")[0]].add(worker)
    assert any(len(workers) > 1 for workers in by_category.values()), where
    (event, *_) = api.call("GET", f"assets/events?source_dag_id={IMPORT}&source_task_id=relations.upsert")[
        "asset_events"
    ]
    assert (event["extra"]["connection"], event["extra"]["created"] > 0) == (connection.id, True)
    require_whole(site, connection)

    control = site.rig.vendors.control
    control.complete_work_orders("north", MAIN, ORDERS)
    before = len(control.billed(MAIN))
    runs = {dag: api.trigger(dag) for dag in (EXPORT, VISMA_EXPORT)}
    assert {dag: api.wait_for(dag, run, SECONDS) for dag, run in runs.items()} == dict.fromkeys(runs, "success")
    done = [row for row in site.rig.rows(work_order_export) if row.state == "done"]
    assert len(done) == ORDERS
    assert len({row.remote_id for row in done}) == ORDERS
    assert len(control.billed(MAIN)) == before + ORDERS


def _worker_killed(site: Site, run_id: str) -> None:
    """The machine on which the step is at work goes down, and comes back empty-handed."""
    worker = steps_of(site, IMPORT, run_id)[EXTRACT]
    site.cluster.kill(worker)
    site.cluster.start_service(worker)


def _redis_restarted(site: Site, run_id: str) -> None:
    site.cluster.kill("redis")
    time.sleep(1)
    site.cluster.start_redis()


def _postgres_restarted(site: Site, run_id: str) -> None:
    site.cluster.restart_postgres(pause=1)


def _scheduler_restarted(site: Site, run_id: str) -> None:
    site.cluster.kill("scheduler")
    time.sleep(1)
    site.cluster.start_service("scheduler")


def _worker_stands_still(site: Site, run_id: str) -> None:
    """A worker stands still for longer than Airflow waits for its heartbeat, and then goes on."""
    worker = steps_of(site, IMPORT, run_id)[EXTRACT]
    group = site.cluster.pids()[worker]
    os.killpg(group, signal.SIGSTOP)
    time.sleep(14)
    os.killpg(group, signal.SIGCONT)


def _everything_else_restarted(site: Site, run_id: str) -> None:
    for fault in (_redis_restarted, _scheduler_restarted, _postgres_restarted):
        fault(site, run_id)


EACH = bool(os.environ.get("OUTSMART_SYNC_EACH_FAULT"))
"""Set: every part goes down in a run of its own, and one more run follows each; several minutes."""

TOGETHER = (_worker_killed, _everything_else_restarted, _worker_stands_still)
ONE_BY_ONE = (_worker_killed, _redis_restarted, _postgres_restarted, _scheduler_restarted, _worker_stands_still)


@pytest.mark.parametrize("fault", ONE_BY_ONE if EACH else TOGETHER, ids=lambda fault: fault.__name__.strip("_"))
def test_what_goes_down_in_the_middle_of_a_step_loses_and_doubles_nothing(
    site: Site, connection: SyncConnection, fault: Callable[[Site, str], None]
) -> None:
    cluster, control = site.cluster, site.rig.vendors.control
    if not site.rig.rows(mirror, connection_id=connection.id):
        assert site.run(IMPORT) == "success"
    change_names(site, fault.__name__)
    control.add_fault("slow", vendor="exact", path="(?i)crm/accounts", seconds=4, times=None)
    cluster.reviving = True
    try:
        run_id = cluster.api.trigger(IMPORT, {"categories": ["relations"], "full": True})
        cluster.wait_for("the step is at work", lambda: EXTRACT in steps_of(site, IMPORT, run_id), SECONDS)
        fault(site, run_id)
        control.clear_faults()

        def ended() -> bool:
            try:
                return cluster.api.run_state(IMPORT, run_id) in ENDED
            except LocalAirflowError:  # it may have lost its database, too
                return False

        cluster.wait_for("the run ends", ended, SECONDS)
        if EACH or cluster.api.run_state(IMPORT, run_id) != "success":
            assert site.run(IMPORT) == "success"  # the next run heals what this one left
        require_whole(site, connection)
    finally:
        cluster.reviving = False


def in_the_middle_of_a_write(
    site: Site, dag_id: str, task: str, conf: dict[str, Any], fault: dict[str, Any], seconds: int = 6
) -> None:
    """Kill the worker that runs a task's writes while one of them is on its way; the run has ended afterwards."""
    cluster, control = site.cluster, site.rig.vendors.control
    control.add_fault("slow", method="POST", seconds=seconds, times=None, **fault)
    cluster.reviving = True
    try:
        run_id = cluster.api.trigger(dag_id, conf)
        cluster.wait_for("a write is on its way", lambda: control.faults()[0]["hits"] > 0, SECONDS)
        worker = steps_of(site, dag_id, run_id)[task]
        cluster.kill(worker)
        cluster.start_service(worker)
        control.clear_faults()
        cluster.wait_for("the run ends", lambda: cluster.api.run_state(dag_id, run_id) in ENDED, SECONDS)
    finally:
        cluster.reviving = False


def test_a_worker_killed_while_it_writes_to_outsmart_loses_and_doubles_nothing(
    site: Site, connection: SyncConnection
) -> None:
    if not site.rig.rows(mirror, connection_id=connection.id):
        assert site.run(IMPORT) == "success"
    change_names(site, "killed while writing")
    asked = {"categories": ["relations"], "full": True}
    in_the_middle_of_a_write(site, IMPORT, "relations.upsert", asked, {"vendor": "outsmart"})
    assert site.run(IMPORT, **asked) == "success"
    require_whole(site, connection)


def test_a_worker_killed_while_it_exports_bills_every_work_order_once(site: Site, connection: SyncConnection) -> None:
    if not site.rig.rows(mirror, connection_id=connection.id):
        assert site.run(IMPORT) == "success"
    control = site.rig.vendors.control
    before = len(control.billed(MAIN))
    ids = set(control.complete_work_orders("north", MAIN, ORDERS, prefix="KILLED-"))
    in_the_middle_of_a_write(site, EXPORT, "work_orders.upsert", {}, {"vendor": "exact", "path": "(?i)sales"})
    assert site.run(EXPORT) == "success"
    mine = [row for row in site.rig.rows(work_order_export) if row.row_id in ids]
    assert Counter(row.state for row in mine) == {"done": ORDERS}
    assert len({row.remote_id for row in mine}) == ORDERS
    assert len(control.billed(MAIN)) == before + ORDERS


def test_the_daily_clean_up_reaches_the_store_and_airflow_s_own_database(site: Site) -> None:
    printed = site.cluster.maintain()
    assert "Removed: 0 staged rows" in printed
    assert "dag_run" in printed
