"""What the quick start says a run came to, from what the store holds of it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

from local_airflow import LocalAirflow, environment
from outcome import nothing_changed, troubles
from outsmart_sync.services import history
from outsmart_sync.services.history import RunSummary
from outsmart_sync.store import dialect, runs
from outsmart_sync.store.runs import RunState
from outsmart_sync.store.store import Store
from outsmart_sync.store.tables import category_state
from quickstart import Quickstart
from support import added

RUN = "exact_online_import/run"
CATEGORIES = ["relations", "materials"]


@pytest.fixture
def connection_id(sqlite_store: Store) -> int:
    """A connection whose two categories take part in a run."""
    return added(sqlite_store).id


def begun(store: Store, connection_id: int) -> int:
    """A run of two categories."""
    run_id = runs.open_run(store, RUN, package="exact_online", direction="import", options={})
    runs.save_plan(store, run_id, {connection_id: (0, CATEGORIES)})
    return run_id


def ended(store: Store, run_id: int, connection_id: int, category: str, state: RunState, text: str = "") -> None:
    """A category that came to this end."""
    job = runs.begin_step(store, run_id, connection_id, category, "extract")
    with store.begin() as transaction:
        runs.change_category(transaction, job, state=state, error_text=text)


def postponed_by_poll(store: Store, connection_id: int, category: str, *, ago: timedelta) -> None:
    """What a poll leaves when the day's calls are used up."""
    with store.begin() as transaction:
        now = dialect.now(transaction)
        values = {"state": "postponed", "code": "daily_limit", "reason": "no calls left today", "since": now - ago}
        transaction.execute(
            insert(category_state).values(
                connection_id=connection_id, category=category, until=now + timedelta(hours=5), **values
            )
        )


def found(store: Store) -> RunSummary:
    run = history.find_run(store, RUN)
    assert run is not None
    return run


@pytest.mark.parametrize("state", [RunState.FAILED, RunState.POSTPONED])
def test_a_category_that_stopped_is_told_with_its_text_and_is_no_quiet_run(
    sqlite_store: Store, connection_id: int, state: RunState
) -> None:
    run_id = begun(sqlite_store, connection_id)
    ended(sqlite_store, run_id, connection_id, "relations", RunState.IDLE)
    ended(sqlite_store, run_id, connection_id, "materials", state, "the day's calls are used up")
    told = troubles(sqlite_store, found(sqlite_store))
    assert told == [f"materials {state}: the day's calls are used up"]
    assert not nothing_changed("success", found(sqlite_store), told)


def test_a_category_that_the_poll_of_this_run_postponed_is_told(sqlite_store: Store, connection_id: int) -> None:
    begun(sqlite_store, connection_id)
    postponed_by_poll(sqlite_store, connection_id, "materials", ago=timedelta())
    told = troubles(sqlite_store, found(sqlite_store))
    assert told == ["materials postponed: no calls left today"]
    assert not nothing_changed("success", found(sqlite_store), told)


def test_what_was_postponed_before_this_run_is_not_its_trouble(sqlite_store: Store, connection_id: int) -> None:
    begun(sqlite_store, connection_id)
    postponed_by_poll(sqlite_store, connection_id, "materials", ago=timedelta(hours=1))
    assert troubles(sqlite_store, found(sqlite_store)) == []


@pytest.mark.parametrize(
    ("states", "airflow", "quiet"),
    [
        pytest.param([RunState.IDLE, RunState.DONE], "success", True, id="all looked and found nothing"),
        pytest.param([], "success", True, id="the poll found nothing"),
        pytest.param([], "failed", False, id="the poll failed"),
        pytest.param([RunState.RUNNING], "success", False, id="one has not ended"),
        pytest.param([RunState.DONE], "failed", False, id="the run failed"),
    ],
)
def test_nothing_has_changed_only_when_the_run_could_look(
    sqlite_store: Store, connection_id: int, states: list[RunState], airflow: str, quiet: bool
) -> None:
    run_id = begun(sqlite_store, connection_id)
    for category, state in zip(CATEGORIES, states, strict=False):
        ended(sqlite_store, run_id, connection_id, category, state)
    assert nothing_changed(airflow, found(sqlite_store), []) is quiet


def test_figures_are_a_change(sqlite_store: Store, connection_id: int) -> None:
    run_id = begun(sqlite_store, connection_id)
    job = runs.begin_step(sqlite_store, run_id, connection_id, "relations", "upsert")
    with sqlite_store.begin() as transaction:
        runs.change_category(transaction, job, state=RunState.DONE, read=1)
    assert not nothing_changed("success", found(sqlite_store), [])


def test_a_run_that_was_never_opened_is_no_quiet_one(sqlite_store: Store) -> None:
    assert troubles(sqlite_store, None) == []
    assert not nothing_changed("failed", None, [])
    assert not nothing_changed("success", None, [])


def test_trouble_makes_the_quick_start_fail_and_goes_to_stderr(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    airflow = LocalAirflow(environment(tmp_path, 1), tmp_path)
    assert not Quickstart._judge(airflow, "run", "success", ["materials postponed: no calls left today"])
    assert capsys.readouterr().err == "make run: materials postponed: no calls left today\n"
    assert Quickstart._judge(airflow, "run", "success", [])
