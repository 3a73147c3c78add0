"""Opening a run: who takes part, who does not and why, and the same plan when a task is cleared."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from outsmart_sync.errors import InvalidSettings, StoreUnusable
from outsmart_sync.pipeline.job import Options
from outsmart_sync.providers.packages import package
from outsmart_sync.services import at_work, planning, settings
from outsmart_sync.store import connections, dialect, leases, runs
from outsmart_sync.store.connections import State, SyncConnection
from outsmart_sync.store.runs import RunState
from outsmart_sync.store.store import Store
from outsmart_sync.store.tables import category_state, run
from support import added

BY_HAND = Options(by_hand=True)


def connected(store: Store, administration: str, state: State = State.ACTIVE, **changes: Any) -> SyncConnection:
    """A connection as a login and a choice leave it; nobody is asked."""
    why = "The login is lost." if state is State.EXPIRED else ""
    connection = added(store, administration, state=state, why=why)
    settings.save(store, connection, changes or {"relations": {"enabled": True}})
    return connection


def plan_of(store: Store, name: str = "run", options: Options | None = None) -> runs.Plan:
    opened = planning.open_run(store, "exact-online", name, options or Options())
    return runs.read_plan(store, opened.run_id)


def refused(store: Store, options: Options) -> InvalidSettings:
    with pytest.raises(InvalidSettings) as error:
        planning.open_run(store, "exact_online", "run", options)
    with store.read() as transaction:
        assert transaction.execute(run.select()).all() == []
    assert error.value.remedy
    return error.value


def test_active_connections_take_part_with_the_categories_that_are_on(store: Store) -> None:
    first = connected(store, "1", relations={"enabled": True}, hour_types={"enabled": True})
    second = connected(store, "2", materials={"enabled": True})
    assert plan_of(store) == {first.id: (0, ["relations", "hour_types"]), second.id: (0, ["materials"])}


@pytest.mark.parametrize("state", [State.CONNECTED, State.EXPIRED, State.DISCONNECTED])
def test_a_connection_that_is_not_active_takes_no_part(store: Store, state: State) -> None:
    connected(store, "1", state)
    active = connected(store, "2")
    assert list(plan_of(store)) == [active.id]


def test_a_scheduled_run_with_nothing_to_do_is_none_the_worse(store: Store) -> None:
    opened = planning.open_run(store, "exact_online", "run", Options())
    assert opened.shards == []
    with store.read() as transaction:  # no task follows that could close it
        row = transaction.execute(run.select()).one()
    assert (row.state, row.finished_at is None) == (RunState.IDLE, False)


def test_a_run_with_nothing_to_do_cleans_up_like_any_other(store: Store) -> None:
    connection = connected(store, "1")
    old = planning.open_run(store, "exact_online", "old", Options())
    job = runs.begin_step(store, old.run_id, connection.id, "relations", "extract")
    with store.begin() as transaction:
        runs.change_category(transaction, job, started_at=store.now() - timedelta(days=9))
        runs.save_progress(transaction, job, "accounts", runs.Progress(None, "1", 1, 1))
        connections.set_state(transaction, connection.id, State.DISCONNECTED)
    planning.open_run(store, "exact_online", "idle", Options())
    with store.read() as transaction:
        assert runs.progress_of(transaction, job) == {}


def test_a_cleared_task_finds_the_same_plan_whatever_was_changed_since(store: Store) -> None:
    connection = connected(store, "1")
    before = planning.open_run(store, "exact_online", "run", Options())
    planning.close_run(store, before.run_id)
    settings.save(store, connection, {"materials": {"enabled": True}})
    connected(store, "2")
    assert planning.open_run(store, "exact_online", "run", Options()) == before
    assert plan_of(store) == {connection.id: (0, ["relations"])}
    with store.read() as transaction:
        assert transaction.execute(run.select()).one().state == RunState.RUNNING


def test_a_run_that_was_killed_before_it_had_a_plan_makes_one(store: Store) -> None:
    number = runs.open_run(store, "run", package="exact_online", direction="import", options={})
    connection = connected(store, "1")
    opened = planning.open_run(store, "exact_online", "run", Options())
    assert (opened.run_id, opened.shards) == (number, [[connection.id]])


def test_what_was_asked_is_found_again(store: Store) -> None:
    connected(store, "1")
    asked = Options(categories=("relations",), connection=1, full=True, codes=("007", "8"), by_hand=True)
    opened = planning.open_run(store, "exact_online", "run", asked)
    assert planning.options_of(store, opened.run_id) == asked


def test_many_connections_are_polled_in_groups(sqlite_store: Store) -> None:
    numbers = [connected(sqlite_store, str(each)).id for each in range(60)]
    opened = planning.open_run(sqlite_store, "exact_online", "run", Options())
    assert [len(shard) for shard in opened.shards] == [25, 25, 10]
    assert [each for shard in opened.shards for each in shard] == numbers
    assert opened.of_many
    assert planning.open_run(sqlite_store, "exact_online", "run", Options()) == opened


def at_work_on(store: Store, name: str, work: dict[int, list[str]]) -> int:
    """A run that has found work and has not ended."""
    opened = planning.open_run(store, "exact_online", name, Options())
    runs.save_work(store, opened.run_id, work)
    return opened.run_id


def test_a_run_leaves_alone_what_an_earlier_one_is_still_at_work_on(store: Store) -> None:
    slow, quick, idle = (connected(store, str(each)) for each in range(3))
    earlier = at_work_on(store, "earlier", {slow.id: ["relations"], quick.id: ["relations"]})
    for each in (slow, quick):
        number = runs.begin_step(store, earlier, each.id, "relations", "extract")
        if each is quick:
            with store.begin() as transaction:
                done = {"state": RunState.DONE, "finished_at": dialect.now(transaction)}
                runs.change_category(transaction, number, **done)
    assert set(plan_of(store, "next")) == {quick.id, idle.id}
    assert set(plan_of(store, "by hand", BY_HAND)) == {slow.id, quick.id, idle.id}  # told that it is busy, step by step
    assert set(plan_of(store, "earlier")) == {slow.id, quick.id, idle.id}  # its own plan stays
    planning.close_run(store, earlier)
    assert set(plan_of(store, "after that")) == {slow.id, quick.id, idle.id}


def test_a_run_that_was_ended_from_outside_keeps_nobody_from_a_connection_for_long(store: Store) -> None:
    connection = connected(store, "1")
    dead = at_work_on(store, "dead", {connection.id: ["relations"]})
    leases.claim(store, "its step", at_work.owner(dead), timedelta(minutes=3))
    with store.begin() as transaction:
        began = dialect.now(transaction) - 2 * at_work.SILENT
        transaction.execute(run.update().values(started_at=began))
    assert at_work.elsewhere(store, "exact_online", "import") == {connection.id: dead}  # it holds a lease
    leases.release_all(store, at_work.owner(dead))
    assert at_work.elsewhere(store, "exact_online", "import") == {}
    assert at_work.elsewhere(store, "exact_online", "export") == {}


def test_one_connection_and_chosen_categories_can_be_asked_for(store: Store) -> None:
    connected(store, "1")
    chosen = connected(store, "2", relations={"enabled": True}, materials={"enabled": True})
    assert plan_of(store, options=Options(categories=("materials",), connection=chosen.id)) == {
        chosen.id: (0, ["materials"])
    }


@pytest.mark.parametrize(
    ("options", "code", "named"),
    [
        (Options(categories=("relations", "orders")), "unknown_category", "orders"),
        (Options(codes=("1",)), "codes_need_category", "one category"),
        (Options(codes=("1",), categories=("relations", "materials")), "codes_need_category", "one category"),
        (Options(connection=99), "unknown_connection", "99"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wish_that_makes_no_sense_is_refused_before_a_run_is_opened(
    sqlite_store: Store, options: Options, code: str, named: str
) -> None:
    connected(sqlite_store, "1")
    error = refused(sqlite_store, options)
    assert error.code == code
    assert named in error.what


def test_a_connection_of_another_package_is_refused(sqlite_store: Store) -> None:
    connection = connected(sqlite_store, "1")
    with sqlite_store.begin() as transaction:
        connections.change(transaction, connection.id, package="visma_eaccounting")
    assert refused(sqlite_store, Options(connection=connection.id)).code == "unknown_connection"


@pytest.mark.parametrize(
    ("state", "options", "why"),
    [
        (None, BY_HAND, "No administration of Exact Online is connected."),
        (State.EXPIRED, BY_HAND, "1: The login is lost."),
        (State.DISCONNECTED, Options(by_hand=True, connection=1), "1: it is disconnected."),
        (State.CONNECTED, Options(by_hand=True, connection=1), "1: it is connected."),
        (State.ACTIVE, Options(by_hand=True, categories=("materials",)), "1: Materials is switched off."),
    ],
    ids=["nothing connected", "expired", "disconnected", "not chosen", "switched off"],
)
def test_a_person_who_asks_for_what_cannot_run_hears_why(
    sqlite_store: Store, state: State | None, options: Options, why: str
) -> None:
    if state:
        connected(sqlite_store, "1", state)
    error = refused(sqlite_store, options)
    assert (error.code, error.why) == ("nothing_to_sync", why)


@pytest.mark.parametrize(
    ("until", "by_hand", "takes_part"),
    [(None, False, False), (None, True, True), (60, False, False), (60, True, True), (-60, False, True)],
    ids=["blocked", "blocked, by hand", "postponed", "postponed, by hand", "postponed until a moment ago"],
)
def test_what_stands_in_a_categorys_way_holds_the_schedule_up_and_not_a_person(
    store: Store, until: int | None, by_hand: bool, takes_part: bool
) -> None:
    connection = connected(store, "1", relations={"enabled": True}, materials={"enabled": True})
    now = store.now()
    values = {"state": "blocked", "code": "no_right", "reason": "No right.", "since": now}
    with store.begin() as transaction:
        moment = None if until is None else now + timedelta(seconds=until)
        transaction.execute(
            insert(category_state).values(connection_id=connection.id, category="relations", until=moment, **values)
        )
    (_, categories) = plan_of(store, options=Options(by_hand=by_hand))[connection.id]
    assert ("relations" in categories) is takes_part
    assert "materials" in categories


def test_a_store_without_tables_is_told_before_anything_else(tmp_path: Any) -> None:
    empty = Store(f"sqlite:///{tmp_path / 'empty.db'}")
    with pytest.raises(StoreUnusable, match="outsmart-sync store upgrade"):
        planning.open_run(empty, "exact_online", "run", Options())
    empty.close()


def test_an_unknown_package_is_refused_and_the_known_ones_are_named(sqlite_store: Store) -> None:
    with pytest.raises(InvalidSettings, match="exact-online"):
        planning.open_run(sqlite_store, "afas", "run", Options())


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([], RunState.IDLE),
        ([RunState.DONE, RunState.IDLE], RunState.DONE),
        ([RunState.DONE, RunState.POSTPONED], RunState.DONE),
        ([RunState.DONE, RunState.FAILED], RunState.FAILED),
        ([RunState.DONE, RunState.RUNNING], RunState.FAILED),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, list) else "",
)
def test_a_run_ends_as_its_categories_did(store: Store, states: list[RunState], expected: RunState) -> None:
    connection = connected(store, "1")
    opened = planning.open_run(store, "exact_online", "run", Options())
    for number, state in enumerate(states):
        job = runs.begin_step(store, opened.run_id, connection.id, f"category {number}", "extract")
        with store.begin() as transaction:
            runs.change_category(transaction, job, state=state)
    assert len(planning.close_run(store, opened.run_id)) == len(states)
    with store.read() as transaction:
        row = transaction.execute(run.select()).one()
    assert (row.state, row.finished_at is not None) == (expected, True)


def test_a_run_whose_tasks_failed_elsewhere_ends_failed(store: Store) -> None:
    opened = planning.open_run(store, "exact_online", "run", Options())
    planning.close_run(store, opened.run_id, failed=True)
    with store.read() as transaction:
        assert transaction.execute(run.select()).one().state == RunState.FAILED


def test_closing_a_run_gives_back_its_own_leases_only(store: Store) -> None:
    opened = planning.open_run(store, "exact_online", "run", Options())
    leases.claim(store, "mine", at_work.owner(opened.run_id), timedelta(minutes=1))
    leases.claim(store, "other", "run:99", timedelta(minutes=1))
    planning.close_run(store, opened.run_id)
    assert leases.holder(store, "mine") is None
    assert leases.holder(store, "other") is not None


def test_a_category_beyond_a_lowered_licence_says_so_and_is_not_called_switched_off(store: Store) -> None:
    connection = connected(store, "1", licence="pro", warehouses={"enabled": True}, relations={"enabled": True})
    settings.save(store, connection, {"licence": "basic"})
    says = {"warehouses": "Warehouses needs the licence 'pro', and this connection has 'basic'."}
    exact = package("exact_online")
    assert planning.left_out(store, exact, connection, Options()) == says
    assert planning.left_out(store, exact, connection, Options(categories=("relations",))) == {}
    assert plan_of(store) == {connection.id: (0, ["relations"])}
    with pytest.raises(InvalidSettings) as error:
        plan_of(store, "by hand", Options(categories=("warehouses",), by_hand=True))
    assert says["warehouses"] in error.value.why
    assert "switched off" not in error.value.why


def test_a_connection_whose_automatic_sync_is_off_is_synced_by_hand_only(store: Store) -> None:
    connection = connected(store, "1", relations={"enabled": True})
    settings.save(store, connection, {settings.AUTOMATIC: False})
    assert plan_of(store) == {}
    by_hand = plan_of(store, "by hand", Options(by_hand=True))
    assert by_hand == {connection.id: (0, ["relations"])}
