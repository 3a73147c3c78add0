"""What a person must mend at a vendor: told once in words, left alone, tried again by itself; and limits that end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from outsmart_sync.providers.packages import package
from outsmart_sync.services import health, planning
from outsmart_sync.services.polling import poll
from outsmart_sync.store.runs import CategoryRun, RunState
from outsmart_sync.store.tables import category_state, endpoint_error, run
from sandbox.fixed_world import USERS
from services.scheduled import connections_of, opened, scheduled
from support import MAIN, SMALL, Rig

CATEGORIES = [category.name for category in package("exact_online").imports]
EVERYTHING: dict[str, Any] = {"licence": "pro"} | {name: {"enabled": True} for name in CATEGORIES}
BOTH: dict[str, Any] = {"relations": {"enabled": True}, "materials": {"enabled": True}}
USER = next(user.user_name for user in USERS.values() if user.may_write)


def right(endpoint: str) -> dict[str, str]:
    return {"endpoint": endpoint, "action": "GET", "user": USER}


def relations(rig: Rig, name: str) -> CategoryRun:
    return scheduled(rig, name)[1, "relations"]


def said_of(rig: Rig, category: str = "relations") -> str:
    (found,) = [each.stopped for each in health.status(rig.store)[0].categories if each.name == category]
    return found


def a_day_passes(rig: Rig) -> None:
    """What stood in the way may be tried again, and endpoints are open."""
    with rig.store.begin() as transaction:
        transaction.execute(update(category_state).values(until=rig.store.now()))
        transaction.execute(update(endpoint_error).values(since=rig.store.now() - timedelta(days=1)))
    rig.vendors.control.reset_limits()


def run_state(rig: Rig) -> str:
    return str(rig.rows(run)[-1].state)


MISSING: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "a scope": (
        {"remove": ["Crm accounts"]},
        "scope_missing",
        "The app at Exact Online lacks the scope 'Crm accounts', without which Relations cannot be read.",
        "App Center, then connect the administration again",
    ),
    "a right": (
        {"remove_rights": [right("crm/Accounts")]},
        "no_right",
        "The Exact Online user that connected lacks the right to see Relations (crm/Accounts).",
        "Give that user the right in Exact",
    ),
    "a right for children": (
        {"remove_rights": [right("crm/Contacts")]},
        "no_right",
        "The Exact Online user that connected lacks the right to see contacts of Relations (crm/Contacts).",
        "Give that user the right in Exact",
    ),
    "the right for deletions": (
        {"remove_rights": [right("sync/Deleted")]},
        "no_right",
        "The Exact Online user that connected lacks the right 'Retrieve deleted records through web services'.",
        "Give that user the right in Exact",
    ),
    "access to the company": (
        {"remove_divisions": [MAIN]},
        "no_right",
        "Exact Online does not let us read Relations (crm/Accounts). The user's right, a module,",
        "Give the user that connected what is missing",
    ),
}


@pytest.mark.parametrize(("change", "code", "what", "remedy"), MISSING.values(), ids=MISSING)
def test_what_is_missing_is_told_by_its_name_with_what_to_do(
    sqlite_rig: Rig, change: dict[str, Any], code: str, what: str, remedy: str
) -> None:
    sqlite_rig.connect(relations={"enabled": True})
    sqlite_rig.vendors.control.change_scopes(**change)
    failed = relations(sqlite_rig, "first")
    assert (failed.state, failed.error_code) == (RunState.FAILED, code)
    assert failed.error_text.startswith(what)
    assert remedy in failed.error_text
    assert "tried again by itself once a day" in failed.error_text
    assert said_of(sqlite_rig) == failed.error_text


def test_a_module_is_missing_where_the_user_has_the_right_and_is_refused_all_the_same(sqlite_rig: Rig) -> None:
    sqlite_rig.connect(**BOTH)
    sqlite_rig.vendors.control.add_fault("status", vendor="exact", path="SalesItemPrices", status=403, times=None)
    found = scheduled(sqlite_rig, "first")
    assert found[1, "relations"].state is RunState.DONE
    text = found[1, "materials"].error_text
    assert text.startswith(
        "Exact Online does not let us read prices of Materials (logistics/SalesItemPrices), although"
    )
    assert "lacks the module that this belongs to (Exact's scope 'Sales prices'). Let Exact add the module" in text


def test_what_is_missing_is_red_once_then_skipped_and_goes_on_by_itself_once_it_is_mended(rig: Rig) -> None:
    rig.connect(**BOTH)
    rig.vendors.control.change_scopes(remove=["Crm accounts"])
    assert relations(rig, "red").state is RunState.FAILED
    assert run_state(rig) == RunState.FAILED
    rig.vendors.control.forget_calls()
    assert set(scheduled(rig, "skipped")) == {(1, "materials")}
    assert rig.vendors.control.calls(path="CRM") == []
    (before,) = rig.rows(category_state)
    assert timedelta(hours=23) < before.until - rig.store.now() < timedelta(hours=25)

    a_day_passes(rig)
    again = relations(rig, "a day later")
    assert (again.state, again.error_code) == (RunState.POSTPONED, "scope_missing")
    assert run_state(rig) == RunState.DONE
    assert len(rig.vendors.control.calls(path="CRM")) == 1
    assert "lacks the scope 'Crm accounts'" in said_of(rig)
    assert set(scheduled(rig, "skipped again")) == {(1, "materials")}

    rig.vendors.control.change_scopes(add=["Crm accounts"])
    a_day_passes(rig)
    assert relations(rig, "mended").state is RunState.DONE
    assert rig.rows(category_state) == []
    rig.vendors.control.change_scopes(remove=["Crm accounts"])
    rig.vendors.control.touch_exact(MAIN, "crm/Accounts", 1)
    assert relations(rig, "red anew").state is RunState.FAILED


def test_another_reason_is_told_again(sqlite_rig: Rig) -> None:
    sqlite_rig.connect(relations={"enabled": True})
    sqlite_rig.vendors.control.change_scopes(remove=["Crm accounts"])
    assert relations(sqlite_rig, "scope").state is RunState.FAILED
    sqlite_rig.vendors.control.change_scopes(add=["Crm accounts"], remove_rights=[right("crm/Accounts")])
    a_day_passes(sqlite_rig)
    assert relations(sqlite_rig, "right").state is RunState.FAILED


def test_by_hand_it_is_tried_at_once_and_told_again(sqlite_rig: Rig) -> None:
    sqlite_rig.connect(relations={"enabled": True})
    sqlite_rig.vendors.control.change_scopes(remove=["Crm accounts"])
    assert relations(sqlite_rig, "red").state is RunState.FAILED
    assert sqlite_rig.sync()["relations"].state is RunState.FAILED
    sqlite_rig.vendors.control.change_scopes(add=["Crm accounts"])
    assert sqlite_rig.sync()["relations"].state is RunState.DONE
    assert sqlite_rig.rows(category_state) == []


def test_what_every_category_needs_makes_each_red_once_also_where_its_endpoint_was_closed(sqlite_rig: Rig) -> None:
    """Five refusals close an endpoint, and there are more categories than that."""
    sqlite_rig.connect(**EVERYTHING)
    sqlite_rig.vendors.control.change_scopes(remove=["Organization administration"])
    first = scheduled(sqlite_rig, "first")
    assert {each.state for each in first.values()} == {RunState.FAILED}
    assert {each.error_code for each in first.values()} == {"scope_missing", "endpoint_closed"}
    assert scheduled(sqlite_rig, "second") == {}
    a_day_passes(sqlite_rig)
    assert {each.state for each in scheduled(sqlite_rig, "third").values()} == {RunState.POSTPONED}
    sqlite_rig.vendors.control.change_scopes(add=["Organization administration"])
    a_day_passes(sqlite_rig)
    assert {each.state for each in scheduled(sqlite_rig, "fourth").values()} <= {RunState.DONE, RunState.IDLE}


def test_a_poll_that_is_refused_one_stream_asks_the_others_as_ever(rig: Rig) -> None:
    rig.connect(MAIN, **EVERYTHING)
    scheduled(rig, "before")
    rig.vendors.control.change_scopes(remove=["Logistics items"])
    begun = opened(rig, "poll")
    (work,) = poll(rig.store, rig.gateway, begun.run_id, connections_of(begun))
    planning.close_run(rig.store, begun.run_id)
    assert work.categories == ["categories", "materials", "hour_types"]


def test_a_poll_that_is_answered_again_forgets_what_stood_in_the_way(sqlite_rig: Rig) -> None:
    sqlite_rig.connect(relations={"enabled": True})
    scheduled(sqlite_rig, "before")
    sqlite_rig.vendors.control.change_scopes(remove=["Crm accounts"])
    assert relations(sqlite_rig, "red").state is RunState.FAILED
    sqlite_rig.vendors.control.change_scopes(add=["Crm accounts"])
    a_day_passes(sqlite_rig)
    begun = opened(sqlite_rig, "poll")
    assert poll(sqlite_rig.store, sqlite_rig.gateway, begun.run_id, connections_of(begun)) == []
    assert sqlite_rig.rows(category_state) == []


def test_tokens_that_outsmart_refuses_are_red_once_although_the_package_can_be_read(
    sqlite_rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    sqlite_rig.connect(relations={"enabled": True})
    scheduled(sqlite_rig, "before")
    own = os.environ["AIRFLOW_CONN_OUTSMART_DEFAULT"]
    monkeypatch.setenv("AIRFLOW_CONN_OUTSMART_DEFAULT", own.replace("sandbox-token-north", "wrong"))
    for name, state in (("red", RunState.FAILED), ("told", RunState.POSTPONED)):
        rows = sqlite_rig.vendors.control.exact_rows(MAIN, "crm/Accounts")
        code = next(row["Code"] for row in rows if row["Status"] == "C" and row["Postcode"]).strip()
        sqlite_rig.vendors.control.change_exact(MAIN, "crm/Accounts", code, Name=f"Renamed {name}")
        assert (relations(sqlite_rig, name).state, said_of(sqlite_rig) != "") == (state, True)
        a_day_passes(sqlite_rig)
    monkeypatch.setenv("AIRFLOW_CONN_OUTSMART_DEFAULT", own)
    assert relations(sqlite_rig, "mended").state is RunState.DONE
    assert sqlite_rig.rows(category_state) == []


def midnight_there() -> str:
    """When Exact's day ends, by a clock in the Netherlands: 01:00 in winter, 02:00 in summer."""
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return f"{tomorrow.astimezone(ZoneInfo('Europe/Amsterdam')):%H:%M}"


def test_a_day_that_is_used_up_says_until_when_it_waits_by_the_clock_there_and_nobody_else_does(rig: Rig) -> None:
    main, small = rig.connect(MAIN, **BOTH), rig.connect(SMALL, **BOTH)
    rig.vendors.control.set_limits(division=MAIN, day=10, used_day=10)
    found = scheduled(rig, "first")
    assert found[main.id, "relations"].state is RunState.POSTPONED
    assert found[main.id, "relations"].error_text.endswith(f"It waits until {midnight_there()} and goes on by itself.")
    assert {found[small.id, name].state for name in BOTH} == {RunState.DONE}
    assert run_state(rig) == RunState.DONE
    assert f"waits until {midnight_there()}" in said_of(rig)
    assert connections_of(opened(rig, "second")) == [small.id]


def test_the_reserve_that_is_kept_for_exports_is_waited_for_in_the_same_words(sqlite_rig: Rig) -> None:
    sqlite_rig.connect(**BOTH)
    sqlite_rig.vendors.control.set_limits(day=100, used_day=94)
    found = scheduled(sqlite_rig, "first")
    assert {each.state for each in found.values()} == {RunState.POSTPONED}
    assert {each.error_code for each in found.values()} <= {"day_limit", "rate_limited"}
    assert {each.error_text.partition("It waits until ")[2] for each in found.values()} == {
        f"{midnight_there()} and goes on by itself."
    }
