"""The DAG files as Airflow reads them, without a database."""

from __future__ import annotations

import ast
import subprocess
import sys
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from outsmart_sync.errors import InvalidSettings
from outsmart_sync.orchestration.params import require_export_fields, require_import_fields
from outsmart_sync.orchestration.schedules import RUNS_VARIABLE, runs_at_once
from outsmart_sync.providers.packages import package

ROOT = Path(__file__).resolve().parents[2]
DAG_FILES = sorted((ROOT / "dags").glob("*.py"))


OF_THE_RUN = {"open_run", "poll", "with_work", "start_run", "choose_categories", "all_categories", "close_run"}


@pytest.fixture(scope="module")
def dags() -> dict[str, Any]:
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(str(ROOT / "dags"))
    assert bag.import_errors == {}
    return dict(bag.dags)


def test_every_file_holds_the_dag_of_its_name(dags: dict[str, Any]) -> None:
    assert set(dags) == {path.stem for path in DAG_FILES}


@pytest.mark.parametrize("dag_id", [path.stem for path in DAG_FILES])
def test_a_dag_never_fires_a_past_slot_and_a_slow_run_does_not_hold_up_the_next(
    dags: dict[str, Any], dag_id: str
) -> None:
    dag = dags[dag_id]
    assert dag.start_date is None
    assert dag.catchup is False
    assert dag.max_active_runs == 16
    assert dag.dagrun_timeout is None
    assert dag.schedule.run_immediately == timedelta(0)
    assert {kind.value for kind in dag.allowed_run_types} == {"scheduled", "manual", "operator_triggered"}


@pytest.mark.parametrize("dag_id", [path.stem for path in DAG_FILES])
def test_a_dag_says_what_it_does_and_whose_it_is(dags: dict[str, Any], dag_id: str) -> None:
    dag = dags[dag_id]
    assert dag.doc_md
    assert dag.description
    assert dag.owner == "outsmart-sync"
    assert "outsmart" in dag.tags


@pytest.mark.parametrize("dag_id", [path.stem for path in DAG_FILES])
def test_every_task_is_retried_by_our_policy_and_is_bounded_in_time(dags: dict[str, Any], dag_id: str) -> None:
    from outsmart_sync.orchestration.retries import SyncRetryPolicy

    for task in dags[dag_id].tasks:
        assert isinstance(task.retry_policy, SyncRetryPolicy), task.task_id
        assert task.retries > 0, task.task_id
        assert task.execution_timeout is not None, task.task_id


def test_the_import_runs_four_steps_per_category_in_order(dags: dict[str, Any]) -> None:
    from outsmart_sync.providers.exact_online.imports import PACKAGE

    dag = dags["exact_online_import"]
    steps = ("extract", "filter", "match_by_code", "upsert")
    for category in PACKAGE.imports:
        for earlier, later in pairwise(steps):
            assert f"{category.name}.{earlier}" in dag.get_task(f"{category.name}.{later}").upstream_task_ids
        assert dag.get_task(f"{category.name}.extract").trigger_rule == "none_failed"
    expected = {f"{category.name}.{step}" for category in PACKAGE.imports for step in steps}
    assert {task.task_id for task in dag.tasks} == OF_THE_RUN | expected
    close_run = dag.get_task("close_run")
    assert close_run.is_teardown
    # Those in the middle may be at work, or have failed, when the last ones have been skipped.
    assert close_run.upstream_task_ids == {"open_run", "start_run", "all_categories"}
    ended = dag.get_task("all_categories")
    assert ended.upstream_task_ids == {f"{category.name}.upsert" for category in PACKAGE.imports}
    assert ended.trigger_rule == "none_failed"


@pytest.mark.parametrize("name", ["exact_online", "visma_eaccounting"])
def test_each_category_brings_forth_an_asset_of_its_own_when_it_has_been_delivered(
    dags: dict[str, Any], name: str
) -> None:
    brought = {task.task_id: [each.name for each in task.outlets] for task in dags[f"{name}_import"].tasks}
    for category in package(name).imports:
        assert brought.pop(f"{category.name}.upsert") == [f"outsmart_sync/{name}/{category.name}"]
    assert not any(brought.values())


@pytest.mark.parametrize("name", ["exact_online", "visma_eaccounting"])
def test_a_category_begins_when_exactly_those_that_it_refers_to_have_ended(dags: dict[str, Any], name: str) -> None:
    dag = dags[f"{name}_import"]
    categories = package(name).imports
    ends = {f"{category.name}.upsert" for category in categories}
    found = {each.name: dag.get_task(f"{each.name}.extract").upstream_task_ids & ends for each in categories}
    assert found == {each.name: {f"{earlier}.upsert" for earlier in each.after} for each in categories}
    assert any(found.values())


def test_the_trigger_form_offers_the_categories_and_its_defaults_suit_a_scheduled_run(dags: dict[str, Any]) -> None:
    from outsmart_sync.providers.exact_online.imports import PACKAGE

    params = dags["exact_online_import"].params
    assert set(params) == {"categories", "connection", "full", "preview", "codes"}
    assert params.get_param("categories").schema["items"]["enum"] == [category.name for category in PACKAGE.imports]
    assert params.validate() == {"categories": [], "connection": None, "full": False, "preview": False, "codes": []}


def test_the_export_runs_work_orders_and_then_what_became_of_earlier_ones(dags: dict[str, Any]) -> None:
    dag = dags["exact_online_export"]
    steps = ("extract", "filter", "match_by_code", "upsert")
    groups = ("work_orders", "invoice_status")
    for group in groups:
        for earlier, later in pairwise(steps):
            assert f"{group}.{earlier}" in dag.get_task(f"{group}.{later}").upstream_task_ids
        assert dag.get_task(f"{group}.extract").trigger_rule == "none_failed"
    assert "work_orders.upsert" in dag.get_task("invoice_status.extract").upstream_task_ids
    expected = {f"{group}.{step}" for group in groups for step in steps}
    assert {task.task_id for task in dag.tasks} == OF_THE_RUN | expected
    assert dag.get_task("close_run").is_teardown


def test_the_export_s_trigger_form_names_work_orders_and_what_is_done_with_them(dags: dict[str, Any]) -> None:
    params = dags["exact_online_export"].params
    assert params.validate() == {
        "categories": [],
        "connection": None,
        "work_orders": [],
        "action": "export",
        "document": None,
        "preview": False,
    }
    assert {"list", "show", "resend", "hold", "release"} < set(params.get_param("action").schema["enum"])


@pytest.mark.parametrize("dag_id", [path.stem for path in DAG_FILES])
def test_a_dag_survives_serialization_unchanged_from_parse_to_parse(dags: dict[str, Any], dag_id: str) -> None:
    from airflow.dag_processing.dagbag import DagBag
    from airflow.serialization.serialized_objects import DagSerialization

    again = DagBag(str(ROOT / "dags")).dags[dag_id]
    first, second = (DagSerialization.serialize_dag(dag) for dag in (dags[dag_id], again))
    assert first == second
    assert DagSerialization.deserialize_dag(first).dag_id == dag_id


@pytest.mark.parametrize("path", DAG_FILES, ids=lambda path: path.stem)
def test_a_dag_file_is_light(path: Path) -> None:
    """Every task process executes it: pandas, HTTP and OAuth libraries are loaded by those that need them."""
    code = (
        "import runpy, sys, airflow.sdk; before = set(sys.modules); "
        f"runpy.run_path({str(path)!r}); print(*(set(sys.modules) - before))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"pandas", "numpy", "requests_oauthlib", "aiohttp", "alembic", "ijson", "psycopg"}
    assert heavy.isdisjoint(loaded), heavy.intersection(loaded)


def test_a_worker_that_is_warm_has_loaded_all_that_tasks_import_where_they_need_it() -> None:
    needed = set()
    for file in (ROOT / "include" / "outsmart_sync" / "orchestration").glob("*_tasks.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            for part in node.body if isinstance(node, ast.FunctionDef) else ():
                if isinstance(part, ast.ImportFrom):
                    needed |= {f"{part.module}.{name.name}" for name in part.names} | {part.module}
    assert "outsmart_sync.services.steps" in needed
    code = "import sys, outsmart_sync.orchestration.warm; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    modules = {name for name in needed if (ROOT / "include" / f"{name.replace('.', '/')}.py").exists()}
    assert modules - loaded == set()
    vendors = ("exact_online", "visma_eaccounting", "outsmart")
    assert {f"outsmart_sync.providers.{name}.hook" for name in vendors} <= loaded


@pytest.mark.parametrize("path", DAG_FILES, ids=lambda path: path.stem)
def test_a_dag_file_is_named_after_a_provider_and_direction_and_is_short(path: Path) -> None:
    package, _, direction = path.stem.rpartition("_")
    assert direction in ("import", "export")
    assert (ROOT / "include" / "outsmart_sync" / "providers" / package).is_dir()
    assert len(ast.parse(path.read_text(encoding="utf-8")).body) < 15


def test_a_run_that_is_triggered_with_a_misspelt_field_is_refused() -> None:
    with pytest.raises(InvalidSettings, match=r"unknown fields: previw.*The fields are categories"):
        require_import_fields({"previw": True})
    require_import_fields({"preview": True})
    require_import_fields(None)
    with pytest.raises(InvalidSettings, match=r"unknown fields: codes.*The fields are categories, connection, work_"):
        require_export_fields({"codes": ["1"]})


@pytest.mark.parametrize("said", ["many", "0", "-1", ""])
def test_how_many_runs_go_at_once_is_a_number_or_the_dag_says_so(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(RUNS_VARIABLE, said)
    with pytest.raises(InvalidSettings, match=rf"{RUNS_VARIABLE} must be a whole number of at least 1, not '{said}'"):
        runs_at_once()
    monkeypatch.setenv(RUNS_VARIABLE, "3")
    assert runs_at_once() == 3
    monkeypatch.delenv(RUNS_VARIABLE)
    assert runs_at_once() == 16


def test_a_run_that_an_action_starts_for_others_only_exports(dags: dict[str, Any]) -> None:
    """What was asked about single work orders is done once, by the run that was asked."""
    for dag in dags.values():
        fixed = dag.get_task("start_run").partial_kwargs["op_kwargs"]["anew"]
        assert fixed == ({"action": "export"} if dag.dag_id.endswith("_export") else {})
