"""Clean-up: what is old goes, what is needed stays."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import insert, select, update

from outsmart_sync.errors import InvalidSettings
from outsmart_sync.services import health, retention
from outsmart_sync.store import dialect, runs
from outsmart_sync.store.runs import RunState
from outsmart_sync.store.store import Store
from outsmart_sync.store.tables import (
    extract_progress,
    looked_up,
    record_log,
    run,
    run_category,
    run_connection,
    staging,
)
from support import added


@pytest.fixture
def number(store: Store) -> int:
    return added(store, administration_name="Firm", outsmart_account="north").id


def a_run(store: Store, number: int, days: float, *categories: str) -> int:
    """A run that ended so many days ago, in which these categories had work."""
    run_id = runs.open_run(store, f"{days}", package="exact_online", direction="import", options={})
    runs.save_plan(store, run_id, {number: (0, ["relations", "materials"])})
    with store.begin() as transaction:
        at = dialect.now(transaction) - timedelta(days=days)
    for name in categories:
        job = runs.begin_step(store, run_id, number, name, "upsert")
        with store.begin() as transaction:
            runs.change_category(transaction, job, state=RunState.DONE, started_at=at, finished_at=at)
            runs.save_progress(transaction, job, "accounts", runs.Progress(None, "1", 1, 1))
            transaction.execute(
                insert(staging).values(
                    job_id=job,
                    seq=1,
                    record="relation",
                    provider_id="a",
                    tags="",
                    blocked=False,
                    problems="",
                    origin="read",
                )
            )
            transaction.execute(
                insert(record_log).values(
                    connection_id=number, run_id=run_id, category=name, record="relation", event="created", at=at
                )
            )
    runs.close_run(store, run_id, RunState.DONE if categories else RunState.IDLE)
    with store.begin() as transaction:
        transaction.execute(update(run).where(run.c.id == run_id).values(started_at=at, finished_at=at))
    return run_id


def ids(store: Store) -> list[int]:
    with store.read() as transaction:
        return list(transaction.execute(select(run.c.id).order_by(run.c.id)).scalars())


def count(store: Store, table: object) -> int:
    with store.read() as transaction:
        return len(transaction.execute(select(table)).all())  # type: ignore[call-overload]


def test_old_runs_go_with_all_that_is_theirs_and_the_last_of_each_category_stays(store: Store, number: int) -> None:
    a_run(store, number, 500, "relations")
    last_materials = a_run(store, number, 450, "materials", "relations")
    a_run(store, number, 430, "relations")
    recent = a_run(store, number, 10, "relations")
    removed = retention.clean(store)
    assert removed["runs"] == 2
    assert ids(store) == [last_materials, recent]
    assert count(store, run_connection) == 2
    assert count(store, run_category) == 3
    assert removed["log lines"] == 4
    assert count(store, record_log) == 1
    assert (count(store, staging), count(store, extract_progress)) == (0, 0)
    (status,) = health.status(store)
    assert {each.name: each.last_success is not None for each in status.categories if each.last_success} == {
        "relations": True,
        "materials": True,
    }


def test_runs_without_work_go_after_a_week_and_one_under_way_stays(store: Store, number: int) -> None:
    for days in (30, 8, 6):
        a_run(store, number, days)
    runs.open_run(store, "now", package="exact_online", direction="import", options={})
    assert retention.clean(store)["runs without work"] == 2
    assert len(ids(store)) == 2


def test_more_than_one_transaction_takes_goes_in_several(
    store: Store, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_RUNS", 2)
    monkeypatch.setattr(retention, "_CHUNK", 2)
    for days in range(401, 406):
        a_run(store, number, days, "relations")
    removed = retention.clean(store)
    assert (removed["runs"], removed["log lines"]) == (4, 5)


def test_look_ups_of_long_ago_go(store: Store, number: int) -> None:
    with store.begin() as transaction:
        for code, days in (("old", 2), ("new", 0)):
            at = dialect.now(transaction) - timedelta(days=days)
            transaction.execute(
                insert(looked_up).values(
                    connection_id=number, entity="customer", code_key=code, remote_id="1", facts="", at=at
                )
            )
    assert retention.clean(store)["look-ups"] == 1


def test_a_history_too_short_is_refused(store: Store) -> None:
    with pytest.raises(InvalidSettings, match="at least 30 days"):
        retention.clean(store, 3)
