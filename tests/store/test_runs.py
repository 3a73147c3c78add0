"""Runs in the store: their plan, their categories, how far each stream was read, cursors, and what goes by age."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select, update

from outsmart_sync.store import cursors, runs
from outsmart_sync.store.runs import Counts, Progress, RunState
from outsmart_sync.store.store import Store
from outsmart_sync.store.tables import cursor, extract_progress, run, run_category, staging
from support import added

DAY = timedelta(days=1)


def connected(store: Store, administration: str = "1") -> int:
    return added(store, administration).id


def opened(store: Store, name: str = "run") -> int:
    return runs.open_run(store, name, package="exact_online", direction="import", options={"full": True})


def begun(store: Store, name: str, connection_id: int = 1) -> int:
    """A category that has begun in a run of its own; its number."""
    return runs.begin_step(store, opened(store, name), connection_id, "relations", "extract")


def category(store: Store, job: int) -> runs.CategoryRun:
    found = runs.category_run(store, job)
    assert found is not None
    return found


def change(store: Store, job: int, **values: object) -> None:
    with store.begin() as transaction:
        runs.change_category(transaction, job, **values)


def stage(store: Store, job: int, rows: int = 2) -> None:
    with store.begin() as transaction:
        transaction.execute(
            insert(staging),
            [
                {
                    "job_id": job,
                    "seq": seq,
                    "record": "relation",
                    "provider_id": str(seq),
                    "tags": "",
                    "blocked": False,
                    "problems": "",
                    "origin": "page",
                }
                for seq in range(rows)
            ],
        )
        runs.save_progress(transaction, job, "accounts", Progress("page 2", "7", 1, rows))


def staged(store: Store) -> dict[int, int]:
    with store.read() as transaction:
        rows = transaction.execute(select(staging.c.job_id, func.count()).group_by(staging.c.job_id))
        return {job: number for job, number in rows.all()}  # noqa: C416 - rows are no pairs to mypy


def progress(store: Store, job: int) -> dict[str, Progress]:
    with store.read() as transaction:
        return runs.progress_of(transaction, job)


def test_a_run_is_found_again_by_its_outside_name_and_runs_again(store: Store) -> None:
    number = opened(store)
    runs.close_run(store, number, RunState.FAILED)
    assert runs.reopen_run(store, "run") == number
    row = runs.find_run(store, number)
    assert row is not None
    assert (row.state, row.finished_at, row.options) == (RunState.RUNNING, None, '{"full":true}')
    assert runs.reopen_run(store, "another") is None
    assert runs.find_run(store, number + 1) is None


def test_a_plan_comes_back_in_its_order(store: Store) -> None:
    numbers = [connected(store, str(each)) for each in range(3)]
    plan = {numbers[2]: (0, ["relations", "materials"]), numbers[0]: (1, ["hour_types"]), numbers[1]: (1, [])}
    number = opened(store)
    runs.save_plan(store, number, plan)
    assert list(runs.read_plan(store, number).items()) == list(plan.items())
    runs.save_plan(store, number, {numbers[1]: (0, ["relations"])})
    assert runs.read_plan(store, number) == {numbers[1]: (0, ["relations"])}
    assert runs.read_plan(store, number + 1) == {}


def test_calls_of_a_poll_add_up(store: Store) -> None:
    number = opened(store)
    for calls in (3, 0, 4):
        runs.add_calls(store, number, calls)
    row = runs.find_run(store, number)
    assert row is not None
    assert row.calls == 7


def test_a_category_has_one_row_however_often_its_steps_begin(store: Store) -> None:
    connected(store)
    number = opened(store)
    jobs = {runs.begin_step(store, number, 1, "relations", step) for step in ("extract", "filter", "extract", "upsert")}
    (found,) = runs.category_runs(store, number)
    assert jobs == {found.id}
    assert (found.step, found.state) == ("upsert", RunState.RUNNING)


@pytest.mark.parametrize("state", [RunState.FAILED, RunState.POSTPONED])
def test_a_category_that_stopped_runs_again_without_its_old_error(store: Store, state: RunState) -> None:
    connected(store)
    job = begun(store, "run")
    change(store, job, state=state, error_code="x", error_text="why", finished_at=store.now())
    runs.begin_step(store, 1, 1, "relations", "filter")
    found = category(store, job)
    assert (found.state, found.error_code, found.error_text, found.finished_at) == (RunState.RUNNING, "", "", None)


def test_a_cleared_step_of_a_category_that_is_done_leaves_it_done(store: Store) -> None:
    connected(store)
    job = begun(store, "run")
    change(store, job, state=RunState.DONE, created=3)
    runs.begin_step(store, 1, 1, "relations", "upsert")
    assert (category(store, job).state, category(store, job).counts.created) == (RunState.DONE, 3)


def test_beginning_anew_forgets_what_was_staged_and_counted_but_not_the_calls(store: Store) -> None:
    connected(store)
    job, other = begun(store, "run"), begun(store, "other")
    stage(store, job)
    stage(store, other)
    change(store, job, state=RunState.DONE, created=3, read=4, staged=5, finished_at=store.now(), error_code="x")
    runs.count_calls(store, job, seconds=1.5, calls=2, outsmart_calls=1)
    with store.begin() as transaction:
        runs.begin_anew(transaction, job)
    found = category(store, job)
    assert found.counts == Counts(calls=2, outsmart_calls=1)
    assert (found.state, found.staged, found.finished_at, found.error_code) == (RunState.RUNNING, 0, None, "")
    assert (staged(store), progress(store, job)) == ({other: 2}, {})


def test_calls_and_seconds_of_the_steps_add_up(store: Store) -> None:
    connected(store)
    job = begun(store, "run")
    for _ in range(3):
        runs.count_calls(store, job, seconds=0.5, calls=2, outsmart_calls=1)
    found = category(store, job)
    assert (found.counts.calls, found.counts.outsmart_calls, found.seconds) == (6, 3, 1.5)


def test_how_far_a_stream_was_read_is_kept_per_stream(store: Store) -> None:
    connected(store)
    job = begun(store, "run")
    with store.begin() as transaction:
        runs.save_progress(transaction, job, "accounts", Progress("page 2", "7", 1, 60))
        runs.save_progress(transaction, job, "contacts", Progress(None, "", 1, 0))
        runs.save_progress(transaction, job, "accounts", Progress(None, "9", 2, 80))
    assert progress(store, job) == {"accounts": Progress(None, "9", 2, 80), "contacts": Progress(None, "", 1, 0)}


@pytest.mark.parametrize(
    ("state", "after", "overtaken"),
    [
        (RunState.DONE, 1, True),
        (RunState.IDLE, 1, True),
        (RunState.FAILED, 1, False),
        (RunState.PREVIEWED, 1, False),
        (RunState.DONE, -1, False),
    ],
    ids=["done", "idle", "failed", "previewed", "done before"],
)
def test_a_run_is_overtaken_by_one_that_settled_the_category_since(
    store: Store, state: RunState, after: int, overtaken: bool
) -> None:
    connected(store)
    mine, other = begun(store, "mine"), begun(store, "other")
    began = category(store, mine).started_at
    change(store, other, state=state, finished_at=began + timedelta(seconds=after))
    assert runs.overtaken_by(store, mine) == (category(store, other).run_id if overtaken else None)
    assert runs.overtaken_by(store, other) is None


def test_other_connections_and_categories_overtake_nobody(store: Store) -> None:
    connected(store)
    connected(store, "2")
    mine, of_another = begun(store, "mine"), begun(store, "other", 2)
    materials = runs.begin_step(store, 2, 1, "materials", "extract")
    for job in (of_another, materials):
        change(store, job, state=RunState.DONE, finished_at=store.now())
    assert runs.overtaken_by(store, mine) is None


def aged(store: Store, *days: int) -> list[int]:
    """Jobs that began so many days ago, oldest first, each with two rows in staging."""
    connected(store)
    jobs = []
    for number, age in enumerate(days):
        job = begun(store, f"run {number}")
        stage(store, job)
        change(store, job, started_at=store.now() - age * DAY)
        jobs.append(job)
    return jobs


def test_staging_goes_by_the_age_of_its_run(store: Store) -> None:
    jobs = aged(store, 9, 4, 2, 0)
    assert runs.purge_staging(store, 3 * DAY) == 4
    assert staged(store) == {jobs[2]: 2, jobs[3]: 2}
    assert [bool(progress(store, job)) for job in jobs] == [False, False, True, True]
    assert runs.purge_staging(store, 3 * DAY) == 0


def test_staging_of_old_runs_goes_when_there_is_no_recent_one(store: Store) -> None:
    aged(store, 9, 4)
    assert runs.purge_staging(store, 3 * DAY) == 4
    assert staged(store) == {}


def test_an_empty_store_has_nothing_to_purge(store: Store) -> None:
    assert runs.purge_staging(store, DAY) == 0


def test_the_runs_themselves_and_their_figures_are_not_purged(store: Store) -> None:
    aged(store, 9)
    runs.purge_staging(store, DAY)
    with store.read() as transaction:
        kept = [transaction.execute(select(func.count()).select_from(table)).scalar_one() for table in KEPT]
    assert kept == [1, 1, 0]


KEPT = (run, run_category, extract_progress)


def positions(store: Store, connection_id: int, name: str = "relations") -> dict[str, str]:
    with store.read() as transaction:
        return {stream: c.value for stream, c in cursors.read_all(transaction, connection_id, name).items()}


def test_cursors_are_of_a_connection_a_category_and_a_stream(store: Store) -> None:
    one, two = connected(store), connected(store, "2")
    with store.begin() as transaction:
        cursors.move(transaction, one, "relations", {"accounts": "7", "contacts": "8"})
        cursors.move(transaction, one, "materials", {"items": "9"})
        cursors.move(transaction, two, "relations", {"accounts": "1"})
        cursors.move(transaction, one, "relations", {"accounts": "4300000000"})
    assert positions(store, one) == {"accounts": "4300000000", "contacts": "8"}
    assert (positions(store, one, "materials"), positions(store, two)) == ({"items": "9"}, {"accounts": "1"})


def test_a_cursor_that_is_moved_in_a_transaction_that_fails_stays(store: Store) -> None:
    one = connected(store)
    with store.begin() as transaction:
        cursors.move(transaction, one, "relations", {"accounts": "7"})

    def fail() -> None:
        with store.begin() as transaction:
            cursors.move(transaction, one, "relations", {"accounts": "8"})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert positions(store, one) == {"accounts": "7"}


@pytest.mark.parametrize(("age", "confirmed"), [(2, True), (0, False)], ids=["old", "fresh"])
def test_a_cursor_is_confirmed_only_when_that_was_last_done_long_ago(store: Store, age: int, confirmed: bool) -> None:
    one = connected(store)
    with store.begin() as transaction:
        cursors.move(transaction, one, "relations", {"accounts": "7"})
        moved = store.now() - age * DAY
        transaction.execute(update(cursor).values(moved_at=moved))
        cursors.confirm(transaction, one, "materials", DAY)
        cursors.confirm(transaction, one, "relations", DAY)
        found = cursors.read_all(transaction, one, "relations")["accounts"]
    assert (found.value, found.moved_at > moved) == ("7", confirmed)
