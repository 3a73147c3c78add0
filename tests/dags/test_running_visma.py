"""VISMA's import DAG, run by a real scheduler against the sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from outsmart_sync.providers.packages import package
from outsmart_sync.services import connect
from outsmart_sync.store import connections
from outsmart_sync.store.connections import State, SyncConnection
from outsmart_sync.store.tables import cursor, mirror, run_category
from tests.dags.conftest import Stage, logs_of

DAG, PACKAGE, COMPANY = "visma_eaccounting_import", "visma_eaccounting", "devries"
CATEGORIES = tuple(category.name for category in package(PACKAGE).imports)
STEPS = ("extract", "filter", "match_by_code", "upsert")

pytestmark = pytest.mark.timeout(1_200)  # a first import of everything is 24 processes of Airflow's


@pytest.fixture
def company(running: Stage) -> Iterator[SyncConnection]:
    """The sandbox's main company, with every category on."""
    running.airflow.wait_until_ready(DAG)
    chosen: dict[str, Any] = {name: {"enabled": True} for name in CATEGORIES}
    chosen["sales_orders"]["start_date"] = "2020-01-01"
    yield running.rig.connect_visma(COMPANY, **chosen)
    for connection in connections.find(running.rig.store, state=State.ACTIVE):
        connect.disconnect(running.rig.store, connection)


def run(stage: Stage, **conf: Any) -> tuple[str, str, dict[tuple[str, int], str]]:
    return stage.run(DAG, **conf)


def came(stage: Stage, connection: SyncConnection, record: str) -> int:
    return len(stage.rig.rows(mirror, connection_id=connection.id, record=record, state="synced"))


def test_every_category_is_imported_and_then_there_is_nothing_to_do(running: Stage, company: SyncConnection) -> None:
    _, state, tasks = run(running)
    assert state == "success"
    assert {tasks[f"{category}.{step}", -1] for category in CATEGORIES for step in STEPS} == {"success"}
    for record in ("relation", "material", "hour_type", "project", "sales_order", "price"):
        assert came(running, company, record), record
    run(running)  # what waited for a later category
    running.rig.vendors.control.forget_calls()
    _, state, tasks = run(running)
    assert state == "success"
    busy = {task for (task, _), each in tasks.items() if each in ("success", "failed")} - {"all_categories"}  # empty
    assert sorted(busy) == ["close_run", "open_run", "poll", "with_work"]
    asked = sorted(call["path"] for call in running.rig.vendors.control.calls(vendor="visma", path="/v2/"))
    lists = ("articles", "customers", "customers", "orders", "projects", "salespricelists", "salespricelists/prices")
    assert asked == [f"/v2/{path}" for path in lists]


def test_the_form_runs_one_category_and_a_lapsed_login_is_red_with_what_to_do(
    running: Stage, company: SyncConnection
) -> None:
    control = running.rig.vendors.control
    control.touch_visma(COMPANY, "articles", 2, Name="Changed at VISMA")
    _, state, tasks = run(running, categories=["materials"], connection=company.id, full=True)
    assert state == "success"
    assert {tasks[f"materials.{step}", -1] for step in STEPS} == {"success"}
    assert tasks["customers.extract", -1] == "skipped"

    exact = running.rig.connect(2001006, relations={"enabled": False}, materials={"enabled": False})
    control.revoke_visma(company=COMPANY)
    run_id, state, tasks = run(running, categories=["projects"], full=True)
    assert state == "failed"
    assert tasks["projects.extract", -1] == "failed"
    failed = [task for task in running.airflow.tasks(DAG, run_id) if task["task_id"] == "projects.extract"]
    assert [task["try_number"] for task in failed] == [1]  # nothing that a person must mend is repeated
    (row,) = running.rig.rows(run_category, connection_id=company.id, category="projects", state="failed")
    assert row.error_code == "login_expired"
    assert "VISMA no longer accepts the login" in row.error_text
    assert "Connect the company again" in row.error_text
    assert "VISMA no longer accepts the login" in logs_of(running.airflow.home / "logs")
    with running.rig.store.read() as connection:
        kept = connection.execute(select(cursor.c.connection_id).where(cursor.c.category == "materials")).scalars()
        assert company.id in set(kept)  # what was read before the login lapsed stays
    assert connections.require(running.rig.store, exact.id).state == State.ACTIVE  # the other package's login stands
    assert connections.require(running.rig.store, company.id).state == State.EXPIRED
