"""Polling: an idle cycle costs a call per stream, work is found where it is, and trouble stays with whom it belongs."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, update

from outsmart_sync.providers import reads
from outsmart_sync.providers.exact_online import price_lists
from outsmart_sync.providers.exact_online.source import ExactSource
from outsmart_sync.providers.packages import package
from outsmart_sync.services import planning, polls, settings
from outsmart_sync.services.polling import poll
from outsmart_sync.services.polls import Work
from outsmart_sync.store import cursors
from outsmart_sync.store.store import Store
from outsmart_sync.store.tables import call_budget, category_state, cursor, run, vault_secret
from services.scheduled import connections_of, opened, scheduled
from support import MAIN, SMALL, Rig, added

RELATIONS: dict[str, Any] = {"relations": {"enabled": True}}
CATEGORIES = [category.name for category in package("exact_online").imports]
EVERYTHING: dict[str, Any] = {"licence": "pro"} | {name: {"enabled": True} for name in CATEGORIES}


def polled(rig: Rig, name: str, **options: Any) -> list[Work]:
    begun = opened(rig, name, **options)
    try:
        return poll(rig.store, rig.gateway, begun.run_id, connections_of(begun))
    finally:
        planning.close_run(rig.store, begun.run_id)


def exact_calls(rig: Rig) -> list[str]:
    return [re.sub(r".*/api/v1/\d+/", "", call["path"]) for call in rig.vendors.control.calls(vendor="exact")]


def asked_of(rig: Rig) -> list[int]:
    """Whom the calls were about, in their order; several in a row count as one."""
    divisions = [int(call["path"].split("/")[3]) for call in rig.vendors.control.calls(vendor="exact")]
    return [each for each, before in zip(divisions, [0, *divisions], strict=False) if each != before]


def synced(rig: Rig, *divisions: int, chosen: dict[str, Any] = EVERYTHING) -> None:
    """Connections that have nothing to do, by the time a poll asks."""
    for division in divisions:
        rig.connect(division, **chosen)
    for number in range(3):  # links of categories go with the run after that of their materials
        scheduled(rig, f"before {number}")
    rig.vendors.control.forget_calls()


def test_what_was_never_read_is_work_and_nobody_is_asked(sqlite_rig: Rig) -> None:
    sqlite_rig.connect(**EVERYTHING)
    sqlite_rig.vendors.control.forget_calls()
    (work,) = polled(sqlite_rig, "first")
    assert (work.label, work.categories) == ("Van Dijk Installatietechniek B.V.", CATEGORIES)
    assert exact_calls(sqlite_rig) == []


def test_an_idle_cycle_costs_one_call_a_stream_and_one_for_deletions(rig: Rig) -> None:
    synced(rig, SMALL)
    assert polled(rig, "idle") == []
    streams = {stream.path for category in package("exact_online").imports for stream in category.streams}  # type: ignore[attr-defined]
    calls = exact_calls(rig)
    assert len(calls) == len({call.lower() for call in calls})
    lists = list(price_lists.READS)[:4]  # the administration has some
    assert {call.lower() for call in calls} == {path.lower() for path in (*streams, *lists, "sync/Deleted")}
    assert rig.vendors.control.calls(vendor="outsmart") == []
    assert rig.rows(run)[-1].calls == len(calls)


def test_only_the_category_with_news_has_work(rig: Rig) -> None:
    synced(rig, SMALL)
    rig.vendors.control.touch_exact(SMALL, "crm/Accounts", 1, Name="Renamed")
    (work,) = polled(rig, "news")
    assert work.categories == ["relations"]


def test_a_deletion_is_work(sqlite_rig: Rig) -> None:
    synced(sqlite_rig, SMALL)
    row = sqlite_rig.vendors.control.exact_rows(SMALL, "logistics/Items")[0]
    sqlite_rig.vendors.control.delete_exact(SMALL, "logistics/Items", row["ID"])
    (work,) = polled(sqlite_rig, "news")
    assert {"materials", "hour_types"} & set(work.categories)


@pytest.mark.parametrize(
    "options", [{"full": True}, {"preview": True}, {"codes": ("1",), "categories": ("relations",)}], ids=str
)
def test_what_a_person_chooses_is_work_without_asking(sqlite_rig: Rig, options: dict[str, Any]) -> None:
    synced(sqlite_rig, SMALL)
    (work,) = polled(sqlite_rig, "asked", **options)
    assert work.categories == (list(options.get("categories", ())) or CATEGORIES)
    assert exact_calls(sqlite_rig) == []


def test_a_connection_whose_poll_fails_is_handed_on_and_the_others_are_asked(rig: Rig) -> None:
    synced(rig, MAIN, SMALL)
    rig.vendors.control.add_fault("status", vendor="exact", division=MAIN, status=403, times=None)
    rig.vendors.control.touch_exact(SMALL, "crm/Accounts", 1, Name="Renamed")
    works = polled(rig, "trouble")
    assert [(work.connection_id, work.categories) for work in works] == [(1, CATEGORIES), (2, ["relations"])]
    assert rig.rows(category_state) == []  # its own tasks find out, and tell


def test_one_that_does_not_answer_costs_the_others_no_more_than_its_time(
    sqlite_rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reads, "REPEATS", (0.0, 0.0))
    synced(sqlite_rig, 2001003, MAIN, SMALL, chosen=RELATIONS)
    control = sqlite_rig.vendors.control
    control.add_fault("slow", vendor="exact", division=MAIN, times=None, seconds=90)
    control.touch_exact(SMALL, "crm/Accounts", 1, Name="Renamed")
    assert polls.PATIENCE <= 60
    monkeypatch.setattr(polls, "PATIENCE", 3.0)
    works = polled(sqlite_rig, "one hangs")
    assert [(work.connection_id, work.categories) for work in works] == [(2, ["relations"]), (3, ["relations"])]
    assert control.faults()[0]["hits"] == 1  # its time was over: the call was not repeated


def test_a_vendor_that_is_away_is_asked_for_a_few_connections_and_all_are_handed_on(
    sqlite_rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reads, "REPEATS", (0.0, 0.0))
    divisions = [MAIN, SMALL, 2001003, 2001004, 2001006]
    synced(sqlite_rig, *divisions, chosen=RELATIONS)
    sqlite_rig.vendors.control.add_fault("status", vendor="exact", times=None, status=503)
    works = polled(sqlite_rig, "away")
    assert [work.connection_id for work in works] == [1, 2, 3, 4, 5]
    assert asked_of(sqlite_rig) == divisions[:3]
    sqlite_rig.vendors.control.clear_faults()
    sqlite_rig.vendors.control.forget_calls()
    for division in (MAIN, SMALL, 2001004, 2001006):  # each of them, but not in a row
        sqlite_rig.vendors.control.add_fault("status", vendor="exact", division=division, times=None, status=503)
    assert [work.connection_id for work in polled(sqlite_rig, "some")] == [1, 2, 4, 5]
    assert asked_of(sqlite_rig) == divisions


def test_slow_administrations_do_not_pass_for_a_vendor_that_is_away(
    sqlite_rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reads, "REPEATS", (0.0, 0.0))
    divisions = [MAIN, SMALL, 2001003, 2001004]
    synced(sqlite_rig, *divisions, chosen=RELATIONS)
    control = sqlite_rig.vendors.control
    monkeypatch.setattr(polls, "PATIENCE", 2.0)
    for division in divisions[:3]:  # the first call is answered, and the next one has too little time
        control.add_fault("slow", vendor="exact", division=division, times=None, seconds=1.3)
    control.touch_exact(2001004, "crm/Accounts", 1, Name="Renamed")
    works = polled(sqlite_rig, "slow")
    assert [work.connection_id for work in works] == [1, 2, 3, 4]
    assert asked_of(sqlite_rig) == divisions


def test_a_defect_in_one_connection_is_its_own(
    sqlite_rig: Rig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    synced(sqlite_rig, MAIN, SMALL, chosen=RELATIONS)
    sqlite_rig.vendors.control.touch_exact(SMALL, "crm/Accounts", 1, Name="Renamed")
    news = ExactSource.news

    def spoilt(source: ExactSource, positions: Any) -> Any:
        if source._client.division == str(MAIN):
            raise KeyError("nobody foresaw this")
        return news(source, positions)

    monkeypatch.setattr(ExactSource, "news", spoilt)
    works = polled(sqlite_rig, "defect")
    assert [(work.connection_id, work.categories) for work in works] == [(1, ["relations"]), (2, ["relations"])]
    (told,) = [each for each in caplog.records if "stopped at a defect" in each.getMessage()]
    assert told.exc_info is not None
    assert told.exc_info[0] is KeyError


def test_a_day_that_is_used_up_postpones_without_a_task(rig: Rig) -> None:
    synced(rig, SMALL)
    rig.vendors.control.set_limits(day=10, used_day=10)
    with rig.store.begin() as transaction:
        transaction.execute(delete(call_budget))
    assert polled(rig, "late") == []
    assert {row.category: row.state for row in rig.rows(category_state)} == dict.fromkeys(CATEGORIES, "postponed")
    rig.vendors.control.forget_calls()
    assert connections_of(opened(rig, "later")) == []
    assert exact_calls(rig) == []


def test_a_cursor_is_said_to_be_right_once_a_day(sqlite_rig: Rig) -> None:
    synced(sqlite_rig, SMALL)
    before = sqlite_rig.rows(cursor)
    polled(sqlite_rig, "soon")
    assert sqlite_rig.rows(cursor) == before
    with sqlite_rig.store.begin() as transaction:
        transaction.execute(update(cursor).values(moved_at=sqlite_rig.store.now() - timedelta(days=2)))
    polled(sqlite_rig, "later")
    after = sqlite_rig.rows(cursor)
    assert [row.value for row in after] == [row.value for row in before]
    assert min(row.moved_at for row in after) > sqlite_rig.store.now() - timedelta(days=1)


def test_after_a_poll_without_work_nothing_is_lost(rig: Rig) -> None:
    synced(rig, SMALL)
    for name in ("one", "two"):
        assert polled(rig, name) == []
    rig.vendors.control.touch_exact(SMALL, "logistics/Items", 3)
    (work,) = polled(rig, "three")
    assert work.categories


def test_a_cursor_that_is_too_old_is_work_even_when_nothing_is_new(rig: Rig) -> None:
    """Exact forgets deletions after two months, so quiet streams say nothing then."""
    synced(rig, SMALL)
    assert polled(rig, "quiet") == []
    with rig.store.begin() as transaction:
        transaction.execute(update(cursor).values(moved_at=rig.store.now() - timedelta(days=70)))
    (work,) = polled(rig, "after seventy days")
    assert set(work.categories) == set(CATEGORIES)


def test_work_names_what_is_left_out_and_why(sqlite_rig: Rig) -> None:
    connection = sqlite_rig.connect(licence="pro", relations={"enabled": True}, warehouses={"enabled": True})
    settings.save(sqlite_rig.store, connection, {"licence": "basic"})
    (work,) = polled(sqlite_rig, "first")
    assert work.categories == ["relations"]
    assert list(work.left_out) == ["warehouses"]
    assert "needs the licence 'pro'" in work.left_out["warehouses"]


def test_a_cursor_that_somebody_moved_meanwhile_stays_there(store: Store) -> None:
    number = added(store).id
    with store.begin() as transaction:
        cursors.move(transaction, number, "relations", {"deletions": "900", "accounts": "7"})
        seen = cursors.read_all(transaction, number, "relations")
        cursors.move(transaction, number, "relations", {"deletions": "12"})
        cursors.move_on(transaction, number, "relations", {"deletions": "901", "accounts": "8"}, seen)
        now = cursors.read_all(transaction, number, "relations")
    assert {name: each.value for name, each in now.items()} == {"deletions": "12", "accounts": "8"}


def test_a_login_that_is_refused_for_now_costs_the_next_cycles_neither_a_task_nor_a_call(sqlite_rig: Rig) -> None:
    """For a day nobody knows whether it passes; other connections must not wait for it meanwhile."""
    rig, control = sqlite_rig, sqlite_rig.vendors.control
    synced(rig, SMALL, chosen=RELATIONS)
    control.revoke("demo@example.com")
    control.shift_clock(600)
    with rig.store.begin() as transaction:
        transaction.execute(update(vault_secret).values(obtained_at=rig.store.now() - timedelta(seconds=600)))
    assert polled(rig, "refused") == []
    (state,) = rig.rows(category_state)
    assert (state.state, state.code) == ("postponed", "renewal_refused")
    assert "withdrawn: then connect the administration again. It waits until" in state.reason
    asked = control.token_calls()["count"]
    begun = opened(rig, "next")
    planning.close_run(rig.store, begun.run_id)
    assert connections_of(begun) == []
    (work,) = polled(rig, "by hand", by_hand=True)
    assert work.categories == ["relations"], "a person is told by the tasks"
    done = scheduled(rig, "by hand too", by_hand=True)[1, "relations"]
    assert (done.state, done.error_code) == ("postponed", "renewal_refused"), done.error_text
    assert control.token_calls()["count"] == asked
