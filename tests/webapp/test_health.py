"""Health: the day's calls with a forecast, records per day as a chart and as figures, and a scheduler that is down."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from sqlalchemy import insert, update

from outsmart_sync.services import health
from outsmart_sync.store import connections
from outsmart_sync.store.connections import SyncConnection
from outsmart_sync.store.runs import RunState
from outsmart_sync.store.tables import call_budget, category_state, run, run_category
from outsmart_sync.webapp import chart
from support import Rig
from webapp.conftest import Browser, PlayedAirflow

_DAY = timedelta(days=1)


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


def done(rig: Rig, firm: SyncConnection, *days: tuple[int, RunState, dict[str, int]]) -> None:
    """Runs so many days ago, with what became of records."""
    with rig.store.begin() as transaction:
        for number, (ago, state, counts) in enumerate(days, start=1):
            at = rig.store.now() - ago * _DAY
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
        exact,
        firm,
        (0, RunState.DONE, {"created": 3, "rejected": 1}),
        (0, RunState.FAILED, {"created": 2}),
        (0, RunState.PREVIEWED, {"created": 100}),
        (13, RunState.DONE, {"updated": 7}),
        (14, RunState.DONE, {"updated": 70}),
    )
    days = health.days(exact.store, [firm.id])
    assert len(days) == 14
    assert days[-1].on == exact.store.now().date()
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
    assert found.bars[-1].y == pytest.approx(10, abs=0.11)
    assert all(bar.x >= chart.LEFT and bar.x + bar.width <= chart.WIDTH for bar in found.bars)


def test_the_chart_and_its_figures_are_on_the_page(page: Browser, exact: Rig, firm: SyncConnection) -> None:
    done(exact, firm, (0, RunState.DONE, {"created": 1_234}), (1, RunState.DONE, {"rejected": 5}))
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
    from outsmart_sync.services import settings

    settings.save(exact.store, firm, {"relations": {"enabled": True}})
    now = exact.store.now()
    with exact.store.begin() as transaction:
        values = {"state": "blocked", "code": "scope_missing", "since": now, "until": now + _DAY}
        row = {"connection_id": firm.id, "category": "relations", "reason": "A scope is missing."}
        transaction.execute(insert(category_state).values(values | row))
    shown = page.get("health").text
    assert re.search(r"<strong>Relations</strong><p>A scope is missing\.", shown)
