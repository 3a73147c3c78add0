"""The four steps as tasks call them: leases, failures that are kept, postponement, runs that overtake each other."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import delete, update

from outsmart_sync.errors import (
    AccessDenied,
    Busy,
    RateLimited,
    RenewalRefused,
    StagingGone,
    StoreUnusable,
    SyncError,
)
from outsmart_sync.pipeline.job import Options, Step
from outsmart_sync.providers.packages import package
from outsmart_sync.services import health, planning, steps, sync, trouble
from outsmart_sync.services.planning import OpenRun
from outsmart_sync.store import cursors, leases, runs
from outsmart_sync.store.runs import RunState
from outsmart_sync.store.tables import (
    call_budget,
    category_state,
    endpoint_error,
    lease,
    mirror,
    record_log,
    run,
    staging,
)
from outsmart_sync.store.vault import KEYS_VARIABLE
from services.scheduled import connections_of, opened, scheduled, step
from support import MAIN, SMALL, Rig

RELATIONS: dict[str, Any] = {"relations": {"enabled": True}}
MINUTE = timedelta(minutes=1)


def positions(rig: Rig, category: str = "relations", connection_id: int = 1) -> dict[str, str]:
    with rig.store.read() as transaction:
        return {k: c.value for k, c in cursors.read_all(transaction, connection_id, category).items()}


def writes(rig: Rig) -> list[Any]:
    return [call for call in rig.vendors.control.calls(vendor="outsmart") if call["method"] == "POST"]


def test_a_category_that_is_refused_is_red_once_and_tried_at_once_by_hand(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    rig.connect(**RELATIONS, materials={"enabled": True})
    rig.vendors.control.add_fault("status", vendor="exact", path="Accounts", status=403, times=None)
    first = scheduled(rig, "first")
    assert (first[1, "relations"].state, first[1, "relations"].error_code) == (RunState.FAILED, "module_missing")
    assert first[1, "materials"].state is RunState.DONE
    rig.vendors.control.clear_faults()
    rig.vendors.control.forget_calls()
    assert set(scheduled(rig, "second")) == {(1, "materials")}
    assert rig.vendors.control.calls(vendor="exact", path="Accounts") == []
    assert "relations takes no part: Exact Online does not let us read Relations" in caplog.text
    assert health.status(rig.store)[0].categories[0].stopped
    assert rig.sync("relations")["relations"].state is RunState.DONE
    assert health.status(rig.store)[0].categories[0].stopped == ""
    assert (1, "relations") in scheduled(rig, "third")


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_category_that_is_refused_says_at_its_end_how_it_is_taken_up_again(sqlite_rig: Rig, status: int) -> None:
    sqlite_rig.connect(**RELATIONS)
    sqlite_rig.vendors.control.add_fault("status", vendor="exact", path="Accounts", status=status, times=None)
    failed = scheduled(sqlite_rig, "first")[1, "relations"]
    said = "sync Relations by hand once: outsmart-sync sync exact-online --connection 1 --category relations"
    assert failed.error_text.endswith(said)
    assert health.status(sqlite_rig.store)[0].categories[0].stopped == failed.error_text


AT_HOME = {
    "another key": (KEYS_VARIABLE, Fernet.generate_key().decode(), "vault_locked"),
    "no key": (KEYS_VARIABLE, None, "vault_locked"),
    "no connection": ("AIRFLOW_CONN_EXACT_ONLINE_DEFAULT", None, "connection_missing"),
    "a connection that cannot be read": ("AIRFLOW_CONN_EXACT_ONLINE_DEFAULT", "{", "not_configured"),
    "a connection without a secret": (
        "AIRFLOW_CONN_EXACT_ONLINE_DEFAULT",
        '{"conn_type": "exact_online", "login": "x"}',
        "not_configured",
    ),
}


@pytest.mark.parametrize(("name", "value", "code"), AT_HOME.values(), ids=AT_HOME)
def test_what_is_wrong_on_this_machine_is_red_each_time_and_needs_no_hand_once_it_is_mended(
    sqlite_rig: Rig, monkeypatch: pytest.MonkeyPatch, name: str, value: str | None, code: str
) -> None:
    sqlite_rig.connect(**RELATIONS)
    sqlite_rig.vendors.control.forget_calls()
    with monkeypatch.context() as wrong:
        if value is None:
            wrong.delenv(name)
        else:
            wrong.setenv(name, value)
        for run_name in ("first", "second"):
            failed = scheduled(sqlite_rig, run_name)[1, "relations"]
            assert (failed.state, failed.error_code) == (RunState.FAILED, code)
    assert sqlite_rig.rows(category_state) == []
    assert sqlite_rig.vendors.control.calls(vendor="exact") == []
    assert scheduled(sqlite_rig, "third")[1, "relations"].state is RunState.DONE


def test_a_closed_endpoint_is_called_again_by_the_schedule_when_it_opens(sqlite_rig: Rig) -> None:
    sqlite_rig.connect(**RELATIONS)
    store = sqlite_rig.store
    scheduled(sqlite_rig, "first")
    (budget,) = sqlite_rig.rows(call_budget)
    since = store.now() - timedelta(minutes=20)
    closed = {"key": budget.key, "status": 400, "count": 5, "since": since, "text": "no"}
    streams = ("bulk/CRM/Accounts", "crm/Accounts", "sync/CRM/Accounts")
    with store.begin() as transaction:
        transaction.execute(endpoint_error.insert(), [closed | {"endpoint": each} for each in streams])
    failed = scheduled(sqlite_rig, "second", full=True)[1, "relations"]
    assert (failed.state, failed.error_code) == (RunState.FAILED, "endpoint_closed")
    (row,) = sqlite_rig.rows(category_state)
    assert row.until == since + timedelta(hours=1)
    assert scheduled(sqlite_rig, "third") == {}
    with store.begin() as transaction:
        transaction.execute(update(category_state).values(until=store.now()))
        transaction.execute(update(endpoint_error).values(since=since - timedelta(hours=1)))
    assert scheduled(sqlite_rig, "fourth")[1, "relations"].state in (RunState.DONE, RunState.IDLE)


def test_a_category_is_postponed_when_the_day_is_used_up_and_taken_up_again_after(rig: Rig) -> None:
    rig.connect(**RELATIONS)
    rig.vendors.control.set_limits(day=10, used_day=10)
    first = scheduled(rig, "first")[1, "relations"]
    assert (first.state, first.error_code) == (RunState.POSTPONED, "rate_limited")
    (row,) = rig.rows(category_state)
    assert row.state == "postponed"
    assert row.until > rig.store.now() + steps.trouble.LONGEST_WAIT
    assert scheduled(rig, "second") == {}
    assert rig.rows(run)[0].state == RunState.DONE
    rig.vendors.control.reset_limits()
    with rig.store.begin() as transaction:
        transaction.execute(update(category_state).values(until=rig.store.now()))
        transaction.execute(delete(call_budget))
    assert scheduled(rig, "third")[1, "relations"].state is RunState.DONE
    assert rig.rows(category_state) == []


@pytest.mark.parametrize(
    ("error", "postponed"),
    [
        (RateLimited("Wait.", retry_at=datetime.now(UTC) + timedelta(hours=1)), True),
        (RateLimited("Wait.", retry_at=datetime.now(UTC) + timedelta(seconds=50)), False),
        (RateLimited("Wait."), False),
        (Busy("Busy.", retry_at=datetime.now(UTC) + timedelta(hours=1)), False),
        (AccessDenied("No."), False),
    ],
    ids=["long", "short", "unknown", "busy", "no wait at all"],
)
def test_only_a_long_wait_of_the_vendor_postpones(sqlite_rig: Rig, error: Any, postponed: bool) -> None:
    connection = sqlite_rig.connect(**RELATIONS)
    assert steps.trouble.postpone_if_long(sqlite_rig.store, connection, ["relations"], error) is postponed
    assert len(sqlite_rig.rows(category_state)) == postponed


def test_a_category_that_another_run_holds_is_busy_and_nothing_stands_in_its_way_later(rig: Rig) -> None:
    rig.connect(**RELATIONS, hour_types={"enabled": True})
    leases.claim(rig.store, "import:1:relations", "run:99", MINUTE)
    result = rig.sync()
    assert (result["relations"].state, result["relations"].error_code) == (RunState.FAILED, "busy")
    assert result["hour_types"].state is RunState.DONE
    assert rig.rows(category_state) == []
    leases.release_all(rig.store, "run:99")
    assert rig.sync("relations")["relations"].state is RunState.DONE


def test_a_run_keeps_a_category_between_its_steps_and_gives_it_back_at_its_end(rig: Rig) -> None:
    rig.connect(**RELATIONS)
    mine, other = opened(rig, "mine"), opened(rig, "other")
    step(rig, mine, Step.EXTRACT)
    with pytest.raises(Busy) as error:
        step(rig, other, Step.EXTRACT)
    assert error.value.retry_at is not None
    assert error.value.remedy
    planning.close_run(rig.store, mine.run_id)
    assert step(rig, other, Step.EXTRACT).staged > 0


def test_a_cleared_step_of_a_run_that_was_overtaken_does_nothing(rig: Rig) -> None:
    rig.connect(**RELATIONS)
    old = opened(rig, "old")
    step(rig, old, Step.EXTRACT)
    step(rig, old, Step.FILTER)
    planning.close_run(rig.store, old.run_id)
    rig.vendors.control.change_exact(MAIN, "crm/Accounts", customer(rig), Name="Newer")
    scheduled(rig, "new")
    before, place = rig.rows(mirror), positions(rig)
    rig.vendors.control.forget_calls()
    for which in (Step.FILTER, Step.MATCH_BY_CODE, Step.UPSERT):
        skip = step(rig, old, which).skip
        assert skip == f"Run {old.run_id + 1} has synced Relations since; clear extract to read anew"
    assert (rig.rows(mirror), positions(rig)) == (before, place)
    assert rig.vendors.control.calls(vendor="outsmart") == []


def customer(rig: Rig) -> str:
    rows = rig.vendors.control.exact_rows(MAIN, "crm/Accounts")
    return next(row["Code"].strip() for row in rows if row["Status"] == "C" and row["Postcode"])


def test_every_step_may_run_twice(rig: Rig) -> None:
    rig.connect(**RELATIONS)
    once = opened(rig, "once")
    for which in Step:
        step(rig, once, which)
        step(rig, once, which)
    planning.close_run(rig.store, once.run_id)
    (found,) = runs.category_runs(rig.store, once.run_id)
    assert found.state is RunState.DONE
    created = [line.code for line in rig.rows(record_log, event="created", record="relation")]
    assert created
    assert len(created) == len(set(created))
    assert scheduled(rig, "again")[1, "relations"].state is RunState.IDLE


@pytest.mark.parametrize("which", [Step.FILTER, Step.MATCH_BY_CODE, Step.UPSERT])
def test_a_step_whose_rows_were_cleaned_up_says_clear_extract(sqlite_rig: Rig, which: Step) -> None:
    sqlite_rig.connect(**RELATIONS)
    old = opened(sqlite_rig, "old")
    step(sqlite_rig, old, Step.EXTRACT)
    with sqlite_rig.store.begin() as transaction:
        transaction.execute(delete(staging))
    with pytest.raises(StagingGone) as error:
        step(sqlite_rig, old, which)
    assert "extract" in str(error.value)
    assert sqlite_rig.rows(category_state) == []  # the next run is not kept from going


def test_a_step_of_a_run_that_is_not_known_says_so(sqlite_rig: Rig) -> None:
    sqlite_rig.connect(**RELATIONS)
    with pytest.raises(StagingGone, match="Start a new run"):
        step(sqlite_rig, OpenRun(99, [[1]]), Step.EXTRACT)


def test_a_preview_changes_nothing_outside_nor_in_the_mirror_nor_a_cursor(rig: Rig) -> None:
    rig.connect(**RELATIONS)
    first = rig.sync(preview=True)["relations"]
    assert {row.state for row in rig.rows(mirror)} == {"outsmart"}  # read there, to tell update from create
    assert (first.state, positions(rig), writes(rig)) == (RunState.PREVIEWED, {}, [])
    assert first.counts.created > 0
    done = rig.sync()["relations"]
    assert (done.counts.created, done.counts.updated) == (first.counts.created, first.counts.updated)
    rig.vendors.control.change_exact(MAIN, "crm/Accounts", customer(rig), Name="Newer")
    before, place, lines = rig.rows(mirror), positions(rig), len(rig.rows(record_log))
    rig.vendors.control.forget_calls()
    again = rig.sync(preview=True)["relations"]
    assert (again.state, again.counts.updated) == (RunState.PREVIEWED, 1)
    assert (rig.rows(mirror), positions(rig), len(rig.rows(record_log)), writes(rig)) == (before, place, lines, [])
    assert rig.sync()["relations"].counts.updated == 1


def test_a_preview_with_nothing_new_says_so(sqlite_rig: Rig) -> None:
    sqlite_rig.connect(**RELATIONS)
    sqlite_rig.sync()
    assert sqlite_rig.sync(preview=True)["relations"].state in (RunState.PREVIEWED, RunState.IDLE)


def test_chosen_codes_are_synced_alone_and_no_cursor_moves(rig: Rig) -> None:
    rig.connect(**RELATIONS)
    code = customer(rig)
    done = rig.sync("relations", codes=(code,))["relations"]
    assert done.state is RunState.DONE
    assert {row.code for row in rig.rows(mirror, record="relation") if row.provider_id} == {code}
    assert positions(rig) == {}
    assert rig.sync()["relations"].counts.read > 1


def test_a_code_that_does_not_exist_brings_nothing(sqlite_rig: Rig) -> None:
    sqlite_rig.connect(**RELATIONS)
    done = sqlite_rig.sync("relations", codes=("nobody",))["relations"]
    assert done.state in (RunState.IDLE, RunState.DONE)
    assert (done.counts.read, done.counts.created) == (0, 0)


def test_a_connection_that_fails_does_not_stop_the_others(rig: Rig) -> None:
    main, small = rig.connect(MAIN, **RELATIONS), rig.connect(SMALL, **RELATIONS)
    rig.vendors.control.add_fault("status", vendor="exact", division=MAIN, status=403, times=None)
    found = scheduled(rig, "one")
    assert found[main.id, "relations"].state is RunState.FAILED
    assert found[small.id, "relations"].state is RunState.DONE
    assert rig.rows(mirror, connection_id=small.id, state="synced")
    assert rig.rows(run)[0].state == RunState.FAILED
    assert connections_of(opened(rig, "two")) == [small.id]


def test_wrong_outsmart_tokens_are_told_and_nothing_is_lost(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    right = os.environ["AIRFLOW_CONN_OUTSMART_DEFAULT"]
    monkeypatch.setenv("AIRFLOW_CONN_OUTSMART_DEFAULT", right.replace("sandbox-token-north", "wrong"))
    rig.connect(**RELATIONS)
    failed = scheduled(rig, "first")[1, "relations"]
    assert (failed.state, failed.error_code) == (RunState.FAILED, "outsmart_token_refused")
    assert "password of the OutSmart connection" in failed.error_text
    assert "wrong" not in failed.error_text
    assert scheduled(rig, "second") == {}
    monkeypatch.setenv("AIRFLOW_CONN_OUTSMART_DEFAULT", right)
    assert rig.sync()["relations"].state is RunState.DONE


def test_calls_and_seconds_of_every_step_are_counted(sqlite_rig: Rig) -> None:
    sqlite_rig.connect(**RELATIONS)
    sqlite_rig.vendors.control.forget_calls()
    done = sqlite_rig.sync()["relations"]
    control = sqlite_rig.vendors.control
    assert done.counts.calls == len(control.calls(vendor="exact"))
    assert done.counts.outsmart_calls == len(control.calls(vendor="outsmart"))
    assert done.seconds > 0


def test_a_steps_figures_are_those_that_are_not_zero_without_calls(
    sqlite_rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    sqlite_rig.connect(**RELATIONS)
    once = opened(sqlite_rig, "once")
    first, *_ = results = [step(sqlite_rig, once, which).figures() for which in Step]
    last = results[-1]
    assert first == {"staged": first["staged"]}
    assert last["created"] > 0
    assert min(last.values()) > 0
    assert {"staged", "calls", "outsmart_calls"}.isdisjoint(last)
    (line,) = [each.getMessage() for each in caplog.records if each.getMessage().startswith("Relations: ")]
    assert "created" in line
    assert "calls" not in line


class Breaks:
    """A gateway of which every door breaks in the same way."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def __getattr__(self, _: str) -> Any:
        def broken(*_: Any) -> Any:
            raise self._error

        return broken


@pytest.mark.parametrize("error", [KeyboardInterrupt(), StoreUnusable("The disk is full.")], ids=["Ctrl-C", "no store"])
def test_a_sync_that_cannot_go_on_ends_its_run_and_gives_its_leases_back(sqlite_rig: Rig, error: BaseException) -> None:
    sqlite_rig.connect(**RELATIONS)
    with pytest.raises(type(error)):
        sync.import_now(sqlite_rig.store, Breaks(error), "exact_online", "broken", Options())
    (row,) = sqlite_rig.rows(run)
    assert (row.state, row.finished_at is not None) == (RunState.FAILED, True)
    assert {each.owner for each in sqlite_rig.rows(lease)} <= {""}
    assert sqlite_rig.sync()["relations"].state is RunState.DONE


class Defective:
    """A gateway that has a defect for one connection, and opens every other one."""

    def __init__(self, rig: Rig, connection_id: int) -> None:
        self._gateway = rig.gateway
        self._connection_id = connection_id

    def door(self, connection: Any) -> Any:
        if connection.id == self._connection_id:
            raise KeyError("Name")
        return self._gateway.door(connection)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._gateway, name)


def test_a_defect_in_a_step_is_noted_on_its_category_and_goes_on_up(sqlite_rig: Rig) -> None:
    connection = sqlite_rig.connect(**RELATIONS)
    run_id = opened(sqlite_rig, "once").run_id
    with pytest.raises(KeyError):
        steps.run_step(sqlite_rig.store, Defective(sqlite_rig, connection.id), Step.EXTRACT, run_id, 1, "relations")
    (found,) = runs.category_runs(sqlite_rig.store, run_id)
    assert (found.state, found.error_code, found.finished_at is None) == (RunState.FAILED, "internal_error", False)
    assert "defect" in found.error_text
    assert found.error_text.endswith("(KeyError)")
    assert sqlite_rig.rows(category_state) == []


def test_a_defect_in_one_connection_does_not_stop_the_others_and_the_run_has_failed(sqlite_rig: Rig) -> None:
    broken = sqlite_rig.connect(MAIN, **RELATIONS, materials={"enabled": True})
    well = sqlite_rig.connect(SMALL, **RELATIONS)
    run_id = sync.import_now(sqlite_rig.store, Defective(sqlite_rig, broken.id), "exact_online", "x", Options())
    found = {(each.connection_id, each.category): each.state for each in runs.category_runs(sqlite_rig.store, run_id)}
    assert found == {
        (broken.id, "relations"): RunState.FAILED,
        (broken.id, "materials"): RunState.FAILED,
        (well.id, "relations"): RunState.DONE,
    }
    assert sqlite_rig.rows(run)[0].state == RunState.FAILED


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        (("It failed: no text", "", "Mend it."), "It failed: no text. Mend it."),
        (("It failed.", "Why so", "Mend it"), "It failed. Why so. Mend it"),
        (("Who is it?", "It says 'x'", ""), "Who is it? It says 'x'"),
        (("It says 'no.'", "", "Run: this"), "It says 'no.' Run: this"),
        (("It failed", "", ""), "It failed"),
        (("", "", ""), ""),
    ],
    ids=str,
)
def test_the_parts_of_an_error_are_sentences(parts: tuple[str, str, str], said: str) -> None:
    what, why, remedy = parts
    assert str(SyncError(what, why=why, remedy=remedy)) == said


@pytest.mark.parametrize(
    ("minutes", "read_some", "postponed"), [(10, False, True), (10, True, False), (20, True, False), (40, True, True)]
)
def test_a_read_that_has_come_some_way_waits_for_a_refusal_that_may_pass_soon(
    sqlite_rig: Rig, *, minutes: int, read_some: bool, postponed: bool
) -> None:
    """A later run would read all of it again; the task is tried again when the package may be asked."""
    connection = sqlite_rig.connect(**RELATIONS)
    begun = opened(sqlite_rig, "first")
    job_id = runs.begin_step(sqlite_rig.store, begun.run_id, connection.id, "relations", "extract")
    if read_some:
        with sqlite_rig.store.begin() as transaction:
            runs.save_progress(transaction, job_id, "relations", runs.Progress("next", "", 3, 180))
    refused = RenewalRefused("Not now.", retry_at=sqlite_rig.store.now() + minutes * MINUTE)
    category = package("exact_online").category("relations")
    assert trouble.note_failure(sqlite_rig.store, job_id, connection, category, refused, Options()) is postponed
