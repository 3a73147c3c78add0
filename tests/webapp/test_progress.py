"""How far a run is: in words for each direction, with what went wrong, and asked for no longer than it makes sense."""

from __future__ import annotations

import re
from typing import Any

import pytest

from outsmart_sync.services import settings
from outsmart_sync.store import connections, runs
from outsmart_sync.store.connections import SyncConnection
from outsmart_sync.store.runs import RunState
from support import Rig
from webapp.conftest import Browser, PlayedAirflow

IN_AIRFLOW = 'href="/dags/exact_online_import/runs/manual__1"'


@pytest.fixture
def firm(exact: Rig) -> SyncConnection:
    """An administration with one category switched on."""
    (found,) = connections.find(exact.store)
    settings.save(exact.store, found, {"relations": {"enabled": True}})
    return found


def begun(
    rig: Rig,
    firm: SyncConnection,
    category: str,
    step: str,
    direction: str = "import",
    state: RunState = RunState.RUNNING,
    why: str = "",
) -> None:
    """A run of ours that is in a step of a category."""
    name = f"exact_online_{direction}/manual__1"
    run_id = runs.open_run(rig.store, name, package=firm.package, direction=direction, options={})
    job_id = runs.begin_step(rig.store, run_id, firm.id, category, step)
    with rig.store.begin() as transaction:
        runs.change_category(transaction, job_id, state=state, error_text=why)


def progress(page: Browser, firm: SyncConnection, place: str = "progress", **asked: Any) -> Any:
    return page.get(f"connections/{firm.id}/{place}", params={"run": "manual__1"} | asked)


@pytest.mark.parametrize(
    ("category", "direction", "said"),
    [
        ("relations", "import", "Writing to OutSmart"),
        ("work_orders", "export", "Sending to Exact Online"),
        ("invoice_status", "export", "Writing to OutSmart"),
    ],
)
def test_what_is_written_is_said_with_where_it_goes(
    page: Browser, exact: Rig, firm: SyncConnection, played: PlayedAirflow, category: str, direction: str, said: str
) -> None:
    played.state = "running"
    begun(exact, firm, category, "upsert", direction)
    assert said in progress(page, firm, direction=direction).text


def test_a_run_that_failed_before_it_began_says_where_to_look(
    page: Browser, firm: SyncConnection, played: PlayedAirflow
) -> None:
    played.state = "failed"
    shown = progress(page, firm).text
    assert 'data-ended="yes"' in shown
    assert "It failed before it came to any record." in shown
    assert IN_AIRFLOW in shown


def test_a_category_that_failed_says_why_where_its_last_run_stands(
    page: Browser, exact: Rig, firm: SyncConnection, played: PlayedAirflow
) -> None:
    played.state = "failed"
    begun(exact, firm, "relations", "extract", state=RunState.FAILED, why="The disk is full.")
    _, last = progress(page, firm).text.split('id="last-relations" hx-swap-oob="true"')
    assert "The disk is full." in last
    assert "nothing new" not in last


def test_a_category_whose_run_was_ended_is_not_running_for_ever(
    page: Browser, exact: Rig, firm: SyncConnection, played: PlayedAirflow
) -> None:
    played.state = "failed"
    begun(exact, firm, "relations", "extract")
    shown = progress(page, firm).text.split("hx-swap-oob")[0]
    assert ">Failed<" in shown
    assert ">Running<" not in shown


@pytest.mark.parametrize("place", ["progress", "report/progress"])
def test_a_run_that_airflow_does_not_tell_of_is_asked_for_by_hand_only(
    page: Browser, firm: SyncConnection, played: PlayedAirflow, place: str
) -> None:
    played.state = ""
    shown = progress(page, firm, place).text
    assert "Airflow does not say how far this run is" in shown
    assert "hx-trigger" not in shown
    assert re.search(rf'<button type="button" [^>]*hx-get="[^"]*/{place}\?run=manual__1', shown)


@pytest.mark.parametrize("place", ["progress", "report/progress"])
def test_the_longer_a_run_takes_the_less_often_it_is_asked_for(page: Browser, firm: SyncConnection, place: str) -> None:
    waited, pauses = 0, list[int]()
    for _ in range(100):
        shown = progress(page, firm, place, waited=waited).text
        asked = re.search(r'waited=(\d+)" hx-trigger="load delay:(\d+)ms"', shown)
        assert asked
        assert int(asked[1]) == waited + int(asked[2])
        waited = int(asked[1])
        pauses.append(int(asked[2]))
    assert pauses[0] == 700
    assert pauses == sorted(pauses)
    assert pauses[-1] > 10 * pauses[0]
    assert "delay:10000ms" in progress(page, firm, place, waited=10**9).text


def test_a_scheduler_that_is_down_is_named(page: Browser, firm: SyncConnection, played: PlayedAirflow) -> None:
    assert "scheduler has not been heard of" not in progress(page, firm).text
    played.scheduler_up = False
    shown = progress(page, firm).text
    assert "Waiting for its turn" in shown
    assert "scheduler has not been heard of" in shown


def test_a_look_that_failed_says_why_and_one_that_ended_shows_the_report(
    page: Browser, exact: Rig, firm: SyncConnection, played: PlayedAirflow
) -> None:
    begun(exact, firm, "relations", "extract", state=RunState.FAILED, why="The disk is full.")
    played.state = "failed"
    answer = progress(page, firm, "report/progress")
    assert "HX-Redirect" not in answer.headers
    for text in ("The look ended with errors", "The disk is full.", IN_AIRFLOW, "Show the report"):
        assert text in answer.text, text
    played.state = "success"
    answer = progress(page, firm, "report/progress")
    assert answer.headers["HX-Redirect"] == f"/outsmart-sync/connections/{firm.id}/report?looked=1"
