"""Health: the day's calls with a forecast, records per day as a chart and as figures, and a scheduler that is down."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextvars import copy_context
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert, update

from outsmart_sync.errors import RenewalRefused
from outsmart_sync.services import health, settings
from outsmart_sync.store import connections
from outsmart_sync.store.connections import State, SyncConnection
from outsmart_sync.store.runs import RunState
from outsmart_sync.store.store import Store
from outsmart_sync.store.tables import call_budget, category_state, run, run_category, run_connection, vault_secret
from outsmart_sync.store.tokens import REFUSED, login_owner
from outsmart_sync.store.vault import Vault
from outsmart_sync.webapp import airflow, chart
from outsmart_sync.webapp.airflow import Automation
from sandbox.browser import Browser as VendorBrowser
from support import Rig
from webapp.conftest import Browser, PlayedAirflow
from webapp.logging_in import EXACT, log_in, there_and_back

_DAY = timedelta(days=1)
_ZONE = ZoneInfo("Europe/Amsterdam")


@pytest.fixture
def firm(exact: Rig) -> SyncConnection:
    (found,) = connections.find(exact.store)
    return found


def budget(rig: Rig, used: int, gone: float) -> None:
    """The day of the package began this share of a day ago, and so many of its 5,000 calls were used."""
    with rig.store.begin() as transaction:
        changed = transaction.execute(
            update(call_budget).values(
                day_limit=5_000, day_left=5_000 - used, day_ends=rig.store.now() + (1 - gone) * _DAY
            )
        )
    assert changed.rowcount


@pytest.mark.parametrize(
    ("used", "gone", "forecast", "tone"),
    [(500, 0.5, "1,000", "muted"), (3_000, 0.5, "6,000", "badge warn"), (10, 0.001, "200", "muted")],
)
def test_calls_are_told_with_what_the_day_will_have_cost(
    page: Browser, exact: Rig, firm: SyncConnection, used: int, gone: float, forecast: str, tone: str
) -> None:
    exact.gateway.door(firm).look_around()
    budget(exact, used, gone)
    shown = page.get("health").text
    assert f'<progress value="{used}" max="5000"' in shown
    assert f"{used:,} of 5,000" in shown
    found = re.search(r'class="([\w ]+)">at this pace ([\d,]+) by the end of the day', shown)
    assert found
    assert (found[1], round(int(found[2].replace(",", "")), -1)) == (tone, int(forecast.replace(",", "")))


def test_yesterdays_calls_are_not_told(page: Browser, exact: Rig, firm: SyncConnection) -> None:
    exact.gateway.door(firm).look_around()
    budget(exact, 500, 1.01)
    assert "<progress" not in page.get("health").text
    assert health.calls(exact.store, firm) is None


def done(store: Store, firm: SyncConnection, *days: tuple[int, RunState, dict[str, int]]) -> None:
    """Runs so many days ago, with what became of records."""
    with store.begin() as transaction:
        for number, (ago, state, counts) in enumerate(days, start=1):
            at = store.now() - ago * _DAY
            values = {"package": firm.package, "direction": "import", "options": "{}", "started_at": at}
            transaction.execute(insert(run).values(id=number, external_id=f"run:{number}", state="done", **values))
            transaction.execute(
                insert(run_category).values(
                    run_id=number,
                    connection_id=firm.id,
                    category="relations",
                    state=state,
                    step="upsert",
                    started_at=at,
                    finished_at=at,
                    **counts,
                )
            )


def test_records_per_day_are_counted_by_outcome_without_looks_and_without_what_is_long_ago(
    exact: Rig, firm: SyncConnection
) -> None:
    done(
        exact.store,
        firm,
        (0, RunState.DONE, {"created": 3, "rejected": 1}),
        (0, RunState.FAILED, {"created": 2}),
        (0, RunState.PREVIEWED, {"created": 100}),
        (13, RunState.DONE, {"updated": 7}),
        (14, RunState.DONE, {"updated": 70}),
    )
    days = health.days(exact.store, [firm])
    assert len(days) == 14
    assert days[-1].on == exact.store.now().astimezone(_ZONE).date()
    assert days[-1].counts == {"created": 5, "updated": 0, "excluded": 0, "rejected": 1}
    assert days[0].counts["updated"] == 7
    assert sum(sum(day.counts.values()) for day in days) == 13
    assert all(sum(day.counts.values()) == 0 for day in health.days(exact.store, []))


def test_the_chart_stacks_a_days_outcomes_to_the_height_of_its_sum() -> None:
    day = health.Day(on=date(2026, 11, 27), counts={"created": 30, "updated": 10, "excluded": 0, "rejected": 10})
    empty = health.Day(on=day.on - _DAY, counts=dict.fromkeys(day.counts, 0))
    found = chart.bars([empty, day])
    assert found.top == 50
    assert [bar.look for bar in found.bars] == ["bar-good", "bar-update", "bar-bad"]
    assert found.bars[0].y + found.bars[0].height == pytest.approx(chart.BASE)
    for lower, upper in zip(found.bars, found.bars[1:], strict=False):
        assert upper.y + upper.height == pytest.approx(lower.y, abs=0.11)
    assert found.bars[-1].y == pytest.approx(chart.TOP, abs=0.11)
    assert all(bar.x >= 0 and bar.x + bar.width <= chart.WIDTH for bar in found.bars)


def test_the_chart_and_its_figures_are_on_the_page(page: Browser, exact: Rig, firm: SyncConnection) -> None:
    done(exact.store, firm, (0, RunState.DONE, {"created": 1_234}), (1, RunState.DONE, {"rejected": 5}))
    shown = page.get("health").text
    assert re.findall(r'<rect class="(bar-\w+)" x', shown) == ["bar-bad", "bar-good"]
    assert ">1,234<" in shown
    assert ">1.234<" in page.get("health", headers={"Accept-Language": "nl"}).text


def test_a_scheduler_that_is_down_is_told_and_nothing_is_called_on(
    page: Browser, firm: SyncConnection, played: PlayedAirflow
) -> None:
    down = "scheduler has not been heard of lately"
    assert down not in page.get("").text
    played.scheduler_up = False
    for place in ("", f"connections/{firm.id}"):
        assert down in page.get(place).text, place
    assert "Automatic sync off" in page.get("").text
    assert re.search(r'Automatic sync</dt><dd><span class="badge warn">off', page.get("health").text)


def test_categories_in_trouble_are_named_with_what_to_do(page: Browser, exact: Rig, firm: SyncConnection) -> None:
    settings.save(exact.store, firm, {"relations": {"enabled": True}})
    now = exact.store.now()
    with exact.store.begin() as transaction:
        values = {"state": "blocked", "code": "scope_missing", "since": now, "until": now + _DAY}
        row = {"connection_id": firm.id, "category": "relations", "reason": "A scope is missing."}
        transaction.execute(insert(category_state).values(values | row))
    shown = page.get("health").text
    assert re.search(r"<strong>Relations</strong><p>A scope is missing\.", shown)


def test_a_day_is_one_of_the_packages_calendar(store: Store) -> None:
    names = ("currency", "outsmart_account", "conn_id", "outsmart_conn_id")
    with store.begin() as transaction:
        number = connections.add(
            transaction, package="exact_online", country="nl", administration="1", **dict.fromkeys(names, "x")
        )
    firm = connections.require(store, number)
    done(store, firm, (0, RunState.DONE, {"created": 1}), (1, RunState.DONE, {"created": 20}))
    today = store.now().astimezone(_ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    with store.begin() as transaction:
        for number, moment in {1: today, 2: today - timedelta(seconds=1)}.items():
            transaction.execute(update(run_category).where(run_category.c.run_id == number).values(started_at=moment))
    *_, yesterday, last = health.days(store, [firm])
    assert (yesterday.counts["created"], last.counts["created"]) == (20, 1)
    assert (last.on, yesterday.on) == (today.date(), today.date() - _DAY)


def test_a_login_that_expired_says_why_and_how_to_go_on_and_no_days(
    page: Browser, exact: Rig, firm: SyncConnection, played: PlayedAirflow
) -> None:
    shown = page.get("health").text
    assert "29 days left unless it is used" in shown
    assert 'Automatic sync</dt><dd><span class="badge good">on' in shown
    with exact.store.begin() as transaction:
        transaction.execute(update(vault_secret).values(obtained_at=exact.store.now() - 28.5 * _DAY))
    assert "1 day left unless it is used" in page.get("health").text
    assert "The login lapses in 1 day unless it is used." in page.get("").text
    with exact.store.begin() as transaction:
        connections.set_state(transaction, firm.id, State.EXPIRED, code="x", text="It was taken back.")
    shown = page.get("health").text
    assert '<div class="note bad"><p>It was taken back.</p></div>' in shown
    assert f'connect/exact-online?again={firm.id}"' in shown
    assert "left unless" not in shown
    assert 'Automatic sync</dt><dd><span class="badge warn">off' in shown
    played.viewer()
    assert "?again=" not in page.get("health").text


def test_a_login_that_was_forgotten_leaves_an_empty_overview(page: Browser, exact: Rig, firm: SyncConnection) -> None:
    with exact.store.begin() as transaction:
        connections.change(transaction, firm.id, state=State.DISCONNECTED, administration=None, login_id=None)
    shown = page.get("").text
    assert "Nothing is connected yet. Connect Exact Online" in shown
    assert '<a class="button main" href="/outsmart-sync/connect/exact-online">Connect Exact Online</a>' in shown
    with exact.store.begin() as transaction:
        connections.change(transaction, firm.id, administration="1")
    assert "Nothing is connected yet. Connect Exact Online" not in page.get("").text


def test_what_a_person_may_not_see_is_not_looked_at(
    page: Browser, firm: SyncConnection, played: PlayedAirflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[list[int]] = []
    status = health.status

    def noted(store: Store, wanted: Sequence[SyncConnection], **how: bool) -> list[health.ConnectionStatus]:
        looked.append([each.id for each in wanted])
        return status(store, wanted, **how)

    monkeypatch.setattr(health, "status", noted)
    for seen, expected in ((True, [firm.id]), (False, [])):
        played.sees = lambda _, seen=seen: seen
        for place in ("", "health"):
            looked.clear()
            assert page.get(place).status_code == 200, place
            assert looked == [expected], place


def test_airflows_monitor_is_asked_once_however_many_dags_a_page_tells_of(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def call(_user: Any, _method: str, path: str) -> SimpleNamespace:
        asked.append(path)
        found = {"scheduler": {"status": "healthy"}, "is_paused": False}
        return SimpleNamespace(status_code=200, json=lambda: found)

    monkeypatch.setattr(airflow, "_call", call)

    def a_request() -> list[bool]:
        return [airflow.automation(None, dag_id).on for dag_id in ("one", "two")]  # type: ignore[arg-type]

    for _ in range(2):
        assert copy_context().run(a_request) == [True, True]
    assert asked == 2 * ["dags/one", "monitor/health", "dags/two"]


def test_the_next_sync_is_told_of_each_category_that_will_run(
    page: Browser, exact: Rig, firm: SyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = datetime(2026, 12, 1, 9, 15, tzinfo=UTC)
    monkeypatch.setattr(airflow, "automation", lambda *_: Automation(True, False, True, at))
    settings.save(exact.store, firm, {"relations": {"enabled": True}, "hour_types": {"enabled": True}})

    def told() -> list[str]:
        cells = re.findall(r'id="last-(\w+)"(.*?)</div>', page.get(f"connections/{firm.id}").text, re.DOTALL)
        return [name for name, text in cells if "next: 1 Dec 2026, 10:15" in text]

    assert sorted(told()) == ["hour_types", "relations"]
    now = exact.store.now()
    with exact.store.begin() as transaction:
        values = {"state": "blocked", "code": "scope_missing", "since": now, "until": None, "reason": "No scope."}
        transaction.execute(insert(category_state).values(connection_id=firm.id, category="relations", **values))
    assert told() == ["hour_types"]
    settings.save(exact.store, firm, {"automatic": False})
    assert told() == []


def test_the_last_sync_is_one_of_imports_and_no_later_than_the_last_look(exact: Rig, firm: SyncConnection) -> None:
    done(exact.store, firm, (2, RunState.DONE, {}), (1, RunState.DONE, {}), (0, RunState.DONE, {}))
    with exact.store.begin() as transaction:
        transaction.execute(update(run_category).where(run_category.c.run_id == 3).values(category="work_orders"))
        values = {"connection_id": firm.id, "shard": 0, "categories": "relations"}
        transaction.execute(insert(run_connection).values(run_id=1, **values))
        transaction.execute(update(run).where(run.c.id == 1).values(finished_at=exact.store.now() - 2 * _DAY))
    found = health.of(exact.store, firm)
    assert found.last_success is not None
    assert found.last_checked == found.last_success
    assert exact.store.now() - found.last_success > 0.9 * _DAY


def test_an_administration_is_called_by_a_code_only_where_people_know_it(
    page: Browser, exact: Rig, firm: SyncConnection
) -> None:
    assert firm.administration in page.get("").text
    code = "6f1d1c5e-0d1f-4c5c-9d3e-0a4f6a2b7c11"
    with exact.store.begin() as transaction:
        connections.change(transaction, firm.id, administration=code)
    for place in ("", f"connections/{firm.id}"):
        assert code not in page.get(place).text, place


def test_a_login_that_is_refused_for_now_offers_to_connect_again_and_goes_on_after_it(
    page: Browser, exact: Rig, firm: SyncConnection
) -> None:
    settings.save(exact.store, firm, {"relations": {"enabled": True}, "materials": {"enabled": True}})
    refuse(exact, firm, relations=RenewalRefused.code, materials=RenewalRefused.code, categories="forbidden")
    for place in ("", f"connections/{firm.id}", "health"):
        assert f"connect/exact-online?again={firm.id}" in page.get(place).text, place
    assert page.get("").text.count("could not renew the login") == 1, "told once, with both categories"
    answer = there_and_back(page, EXACT, VendorBrowser.consent, country="nl", again=str(firm.id))
    assert answer.headers["Location"].endswith(f"%3Fagain%3D{firm.id}"), answer.headers["Location"]
    assert [row.category for row in exact.rows(category_state)] == ["categories"], "what else is wrong stays"
    assert [each.id for each in connections.find(exact.store, state=State.CONNECTED)] == []
    assert "?again=" not in page.get("").text


def test_who_connects_another_administration_meanwhile_may_choose_it(
    page: Browser, exact: Rig, firm: SyncConnection
) -> None:
    refuse(exact, firm, relations=RenewalRefused.code)
    log_in(page)
    assert exact.rows(category_state) == []


def test_a_refusal_is_over_when_the_login_was_renewed_whatever_a_category_s_row_says(
    page: Browser, exact: Rig, firm: SyncConnection
) -> None:
    refuse(exact, firm, relations=RenewalRefused.code)
    Vault(exact.store).forget(login_owner(firm.login_id or 0), REFUSED)
    for place in ("", f"connections/{firm.id}", "health"):
        assert "?again=" not in page.get(place).text, place


def refuse(rig: Rig, connection: SyncConnection, **codes: str) -> None:
    """As a run leaves it at whose poll the package refused to renew the login: category → code of what stops it."""
    said = "Exact Online could not renew the login just now: “no text”. This may pass by itself."
    Vault(rig.store).write(
        login_owner(connection.login_id or 0), REFUSED, {"since": "", "what": said, "technical": "", "version": "1"}
    )
    with rig.store.begin() as transaction:
        now = rig.store.now()
        for category, code in codes.items():
            values = {"state": "postponed", "code": code, "reason": said, "since": now, "until": now + _DAY}
            transaction.execute(insert(category_state).values(connection_id=connection.id, category=category, **values))
