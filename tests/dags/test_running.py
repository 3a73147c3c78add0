"""The import DAG, run by a real scheduler against the sandbox."""

from __future__ import annotations

import json
from typing import Any

import pytest

from airflow_api import LocalAirflowError
from outsmart_sync.providers.exact_online.imports import PACKAGE
from outsmart_sync.services import connect
from outsmart_sync.store import connections
from outsmart_sync.store.connections import State, SyncConnection
from outsmart_sync.store.tables import mirror, run_category
from outsmart_sync.store.tables import run as run_table
from support import Rig
from tests.dags.conftest import Stage, logs_of

pytestmark = pytest.mark.timeout(900)  # a run of a DAG takes minutes on a busy machine

DAG = "exact_online_import"
EXPORT = "exact_online_export"
RELATIONS = {"relations": {"enabled": True}}
ALL = RELATIONS | {"materials": {"enabled": True}, "hour_types": {"enabled": True}}
STEPS = ("extract", "filter", "match_by_code", "upsert")


@pytest.fixture
def connected(running: Stage) -> Any:
    """Connects divisions for one test; afterwards none of them is active any more."""
    made: list[SyncConnection] = []

    def make(division: int, **settings: Any) -> SyncConnection:
        made.append(running.rig.connect(division, **(settings or ALL)))
        return made[-1]

    yield make
    for connection in connections.find(running.rig.store, state=State.ACTIVE):
        connect.disconnect(running.rig.store, connection)


def run(stage: Stage, **conf: Any) -> tuple[str, str, dict[tuple[str, int], str]]:
    return stage.run(DAG, **conf)


def processes(states: dict[tuple[str, int], str]) -> list[str]:
    """Tasks that had a process of their own: those that were not skipped by the scheduler, and are not empty."""
    return [task for (task, _), state in states.items() if state in ("success", "failed") and task != "all_categories"]


def synced(rig: Rig, connection: SyncConnection) -> set[str]:
    return {row.code for row in rig.rows(mirror, connection_id=connection.id, record="relation", state="synced")}


def decided(rig: Rig) -> list[Any]:
    """What the mirror says of the package's records; what OutSmart holds may have been read meanwhile."""
    return [(row.id, row.payload, row.state) for row in rig.rows(mirror) if row.provider_id is not None]


@pytest.mark.usefixtures("one_day")
def test_a_first_run_imports_every_category_in_order_and_an_idle_one_takes_four_tasks(
    running: Stage, connected: Any
) -> None:
    names = [category.name for category in PACKAGE.categories]
    connection = connected(2001001, licence="pro", **{name: {"enabled": True} for name in names})
    _, state, tasks = run(running)
    assert state == "success"
    assert all(tasks[f"{name}.extract", -1] == "success" for name in names)
    assert all(tasks[f"{category}.{step}", -1] == "success" for category in ALL for step in STEPS)
    done = {row.category: row for row in running.rig.rows(run_category, connection_id=connection.id)}
    assert set(done) == set(names)
    assert {row.error_code or "" for row in done.values()} == {""}
    for category in PACKAGE.categories:
        assert all(done[earlier].started_at < done[category.name].started_at for earlier in category.after)
    assert synced(running.rig, connection)
    _, state, tasks = run(running)  # categories go before materials: which material is in which waited for those
    assert state == "success"
    steps = [task for task, state in tasks.items() if state == "success" and task[0].endswith(".upsert")]
    assert steps == [("categories.upsert", -1)]
    running.rig.vendors.control.forget_calls()
    _, state, tasks = run(running)
    assert state == "success"
    assert sorted(processes(tasks)) == ["close_run", "open_run", "poll", "with_work"]
    asked = running.rig.vendors.control.calls(vendor="exact")
    resources = sorted(call["resource"] for call in asked)
    assert len(resources) == len(set(resources)) <= 26, resources  # one per stream, and one for deletions
    assert running.rig.vendors.control.calls(vendor="outsmart") == []


def test_one_connection_idle_one_failing_one_slow_do_not_touch_each_other(running: Stage, connected: Any) -> None:
    control = running.rig.vendors.control
    idle = connected(2001006, **RELATIONS)
    assert run(running)[1] == "success"  # the empty administration has been read; it is idle from now on
    failing, slow, healthy = (connected(division, **RELATIONS) for division in (2001003, 2001004, 2001002))
    forbidden = {"error": {"code": "", "message": {"lang": "", "value": "Forbidden"}}}
    control.add_fault("status", vendor="exact", division=2001003, times=None, status=403, body=forbidden)
    control.add_fault("slow", vendor="exact", division=2001004, times=None, seconds=3)

    run_id, state, tasks = run(running)

    assert state == "success"
    own = ["choose_categories", "close_run", "open_run", "poll", *["start_run"] * 3, "with_work"]
    assert sorted(processes(tasks)) == own
    parts = {each.id: f"{run_id}__{each.id}" for each in (failing, slow, healthy)}
    states = {number: running.airflow.wait_for(DAG, part, seconds=600) for number, part in parts.items()}
    assert states == {failing.id: "failed", slow.id: "success", healthy.id: "success"}
    found = {
        number: {task["task_id"]: task for task in running.airflow.tasks(DAG, part)} for number, part in parts.items()
    }
    notes = {
        each["dag_run_id"]: each["note"] for each in running.airflow.call("GET", f"dags/{DAG}/dagRuns")["dag_runs"]
    }
    assert {notes[parts[each.id]] for each in (failing, slow, healthy)} == {
        each.label for each in (failing, slow, healthy)
    }
    assert f"{run_id}__{idle.id}" not in notes  # nothing to do: no run of its own
    for connection in (slow, healthy):
        steps = [found[connection.id][f"relations.{step}"]["state"] for step in STEPS]
        assert steps == ["success"] * 4, connection.label
        assert synced(running.rig, connection)
    assert found[failing.id]["relations.extract"]["state"] == "failed"
    assert found[failing.id]["relations.extract"]["try_number"] == 1  # nothing that a person must mend is repeated
    healthy_begin = found[healthy.id]["relations.extract"]["start_date"]
    slow_end = found[slow.id]["relations.extract"]["end_date"]
    assert healthy_begin < slow_end  # nobody waited for the slow one, however busy the machine is
    assert synced(running.rig, failing) == set()
    opened = {row.external_id: row for row in running.rig.rows(run_table)}
    assert all('"by_hand":true' in opened[f"{DAG}/{part}"].options for part in parts.values())

    control.clear_faults()
    running.airflow.call(
        "POST",
        f"dags/{DAG}/clearTaskInstances",
        {"dry_run": False, "dag_run_id": parts[failing.id], "task_ids": ["relations.extract"],
         "include_downstream": True, "only_failed": False, "reset_dag_runs": True},
    )  # fmt: skip
    assert running.airflow.wait_for(DAG, parts[failing.id]) == "success"
    assert synced(running.rig, failing)


def test_a_category_that_a_person_must_mend_is_red_once_and_then_left_out(running: Stage, connected: Any) -> None:
    connection = connected(2001005, **RELATIONS)
    control = running.rig.vendors.control
    control.change_scopes(remove=["Crm accounts"])
    try:
        _, state, tasks = run(running)
        assert state == "failed"
        assert tasks["relations.extract", -1] == "failed"
        (row,) = running.rig.rows(run_category, connection_id=connection.id, state="failed")
        assert row.error_code == "scope_missing"
    finally:
        control.change_scopes(add=["Crm accounts"])
    _, state, _ = run(running)  # by hand: tried again, and mended
    assert state == "success"
    assert synced(running.rig, connection)


def test_the_form_takes_one_category_of_one_connection_and_a_preview_writes_nothing(
    running: Stage, connected: Any
) -> None:
    connection = connected(2001002)
    connected(2001004)
    running.rig.vendors.control.touch_exact(2001002, "logistics/Items", 3, Description="Changed in Exact")
    before = decided(running.rig)
    _, state, tasks = run(running, categories=["materials"], connection=connection.id, preview=True, full=True)
    assert state == "success"
    assert tasks["materials.match_by_code", -1] == "success"
    assert tasks["materials.upsert", -1] == "skipped"
    assert tasks["relations.extract", -1] == "skipped"
    assert decided(running.rig) == before
    written = [call for call in running.rig.vendors.control.calls(vendor="outsmart") if call["method"] == "POST"]
    assert written == []


def test_categories_that_have_nothing_to_do_are_skipped_without_a_process(running: Stage, connected: Any) -> None:
    connection = connected(2001002)
    run_id, state, _ = run(running, categories=["materials"], connection=connection.id, full=True)
    assert state == "success"
    tasks = running.airflow.tasks(DAG, run_id)
    with_process = {task["task_id"] for task in tasks if task["pid"]}
    of_the_run = {"open_run", "poll", "with_work", "choose_categories", "close_run"}
    needed = of_the_run | {f"materials.{step}" for step in STEPS}
    assert with_process >= needed
    # The scheduler may just have been looking at one or two of the thirteen others: these skip themselves.
    assert len(with_process - needed) <= 3, with_process
    ended = {task["task_id"]: task["end_date"] for task in tasks if task["pid"]}
    began = {task["task_id"]: task["start_date"] for task in tasks if task["pid"]}
    assert began["close_run"] >= ended["materials.upsert"]  # although what comes after it was skipped long before
    assert "relations: nothing to do" in logs_of(running.airflow.home / "logs")


def test_an_unknown_category_is_refused_by_the_form(running: Stage) -> None:
    with pytest.raises(LocalAirflowError, match="400"):
        running.airflow.trigger(DAG, {"categories": ["invoices"]})


def test_a_run_by_hand_with_nothing_connected_says_so(running: Stage) -> None:
    run_id, state, tasks = run(running)
    assert state == "failed"
    assert tasks["open_run", -1] == "failed"
    text = logs_of(running.airflow.home / "logs")
    assert "No administration of Exact Online is connected." in text
    assert run_id in text


@pytest.mark.parametrize(
    ("dag", "conf"),
    [
        (DAG, {"by_hand": False}),
        (EXPORT, {"by_hand": False}),
        (EXPORT, {"action": "list"}),
    ],
)
def test_a_run_in_which_nothing_takes_part_costs_two_tasks_and_none_fails(
    running: Stage, connected: Any, dag: str, conf: dict[str, Any]
) -> None:
    everything = (*PACKAGE.categories, *PACKAGE.export_categories)  # whatever a test before this one left switched on
    connected(2001002, **{category.name: {"enabled": False} for category in everything})
    run_id, state, _ = running.run(dag, **conf)
    assert state == "success"
    found = {task["task_id"]: task for task in running.airflow.tasks(dag, run_id)}
    assert {name for name, task in found.items() if task["pid"]} == {"open_run", "close_run"}
    states = {name: task["state"] for name, task in found.items()}
    expected = dict.fromkeys(found, "skipped") | dict.fromkeys(("open_run", "all_categories", "close_run"), "success")
    assert states == expected


def test_no_log_of_airflow_holds_a_secret(running: Stage, connected: Any) -> None:
    connected(2001001)
    run(running, full=True)
    text = logs_of(running.airflow.home / "logs")
    settings = running.airflow.settings
    exact = json.loads(settings["AIRFLOW_CONN_EXACT_ONLINE_DEFAULT"])
    outsmart = json.loads(settings["AIRFLOW_CONN_OUTSMART_DEFAULT"])
    secrets = [exact["password"], outsmart["password"], outsmart["extra"]["software_token"]]
    secrets.append(settings["OUTSMART_SYNC_VAULT_KEYS"])
    from outsmart_sync.store.tokens import TOKENS, login_owner
    from outsmart_sync.store.vault import Vault

    connection = connections.find(running.rig.store, state=State.ACTIVE)[0]
    assert connection.login_id is not None
    pair = Vault(running.rig.store).read(login_owner(connection.login_id), TOKENS)
    assert pair is not None
    secrets += [pair.values["access"], pair.values["refresh"]]
    assert "page 1" in text  # the log does say what happens
    assert not [secret for secret in secrets if secret in text]


def export(stage: Stage, **conf: Any) -> tuple[str, dict[tuple[str, int], str]]:
    """Trigger the export DAG and wait: state, task states."""
    _, state, tasks = stage.run(EXPORT, **conf)
    return state, tasks


def test_completed_work_orders_are_exported_held_and_released_by_the_dag(running: Stage, connected: Any) -> None:
    from outsmart_sync.services import exports

    control, store, division = running.rig.vendors.control, running.rig.store, 2001002
    account = {"Code": "990", "Name": "Jansen", "Status": "C", "Postcode": "1234 AB", "City": "Delft"}
    control.add_exact(division, "crm/Accounts", account)
    unit = control.exact_rows(division, "logistics/Units")[0]["Code"]
    control.add_exact(division, "logistics/Items", {"Code": "EXPORT1", "Description": "Pipe", "Unit": unit})
    connected(division, work_orders={"enabled": True, "cut_off": "2026-01-01"})
    material = {"MaterialCode": "EXPORT1", "MaterialNr": "2", "MaterialPrice": "1,25", "MaterialName": "Pipe"}
    for number, method in (("DAG1", "op rekening"), ("DAG2", "contant voldaan")):
        order = {
            "WorkorderNo": number,
            "CustomerDebtorNr": "990",
            "CustomerName": "Jansen",
            "TypeOfWork": "Service",
            "PaymentMethod": method,
            "WorkEndDate": "05-11-2026",
            "status": "Compleet",
            "Materials": [material],
        }
        control.write_outsmart("north", "workorders", order)

    state, tasks = export(running, preview=True, work_orders=["DAG1", "DAG2"])
    assert state == "success"
    assert tasks["work_orders.upsert", -1] == "skipped"
    assert exports.listed(store) == []

    state, tasks = export(running, work_orders=["DAG1", "DAG2"])
    assert state == "success"
    assert all(tasks[f"work_orders.{step}", -1] == "success" for step in STEPS)
    found = {each.number: (each.state, each.cause) for each in exports.listed(store)}
    assert found["DAG1"] == ("done", "")
    assert found["DAG2"][0] == "held"

    assert export(running, work_orders=["DAG2"], action="release")[0] == "success"
    assert {each.number: each.state for each in exports.listed(store)} == {"DAG1": "done", "DAG2": "done"}
