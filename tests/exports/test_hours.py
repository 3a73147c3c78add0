"""Hours: over midnight, without breaks, rounded up, at least what was agreed, in the article's own unit."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outsmart_sync.pipeline import hours
from outsmart_sync.records.completed_work_order import Period

START = datetime(2026, 5, 4, 7, tzinfo=UTC)
STARTS = st.integers(0, 2 * 24 * 60).map(lambda minutes: START + timedelta(minutes=minutes))
LENGTHS = st.integers(1, 24 * 60 - 1)
STEPS = st.sampled_from([0, 5, 15, 30])


def period(start: datetime, minutes: int, pause: int = 0) -> Period:
    end = start + timedelta(minutes=minutes)
    return Period(day=start.date(), begin=start.time(), end=end.time(), pause=pause)


@given(STARTS, LENGTHS, st.data())
def test_a_period_lasts_from_its_begin_to_its_end_less_the_break(
    start: datetime, length: int, data: st.DataObject
) -> None:
    pause = data.draw(st.integers(0, length))
    assert hours.minutes_of(period(start, length, pause)) == length - pause


@pytest.mark.parametrize(
    ("begin", "end", "pause", "total", "minutes"),
    [
        (time(8), time(17), 30, None, 510),
        (time(23, 30), time(0, 15), 0, None, 45),
        (time(0), time(0), 0, None, 0),
        (time(0), time(0), 0, 24 * 60, 24 * 60),
        (None, None, 0, 90, 90),
        (time(8), None, 15, 90, 90),
        (time(8), time(9), 0, 600, 60),
    ],
)
def test_periods_as_people_write_them(
    begin: time | None, end: time | None, pause: int, total: int | None, minutes: int
) -> None:
    assert hours.minutes_of(Period(begin=begin, end=end, pause=pause, total=total)) == minutes


@pytest.mark.parametrize("odd", [Period(), Period(begin=time(8), end=time(9), pause=61)])
def test_what_cannot_have_been_worked_is_told(odd: Period) -> None:
    with pytest.raises(hours.Impossible):
        hours.minutes_of(odd)


@given(st.integers(0, 10_000), STEPS)
def test_rounding_goes_up_and_by_less_than_a_step(minutes: int, step: int) -> None:
    rounded = hours.rounded_up(minutes, step)
    assert minutes <= rounded < minutes + max(step, 1)
    assert step == 0 or rounded % step == 0


@given(st.lists(LENGTHS, min_size=1, max_size=6), STEPS, STEPS, st.decimals("0", "12", places=2))
def test_the_work_order_s_own_step_and_minimum_go_first(
    lengths: list[int], step: int, own: int, minimum: Decimal
) -> None:
    periods = [period(START, length) for length in lengths]
    found = hours.billed(periods, step, own, minimum)
    plain = [hours.rounded_up(length, own or step) for length in lengths]
    least = -((-Fraction(minimum) * 60) // 1)
    assert sum(found) == max(sum(plain), least)
    assert found[1:] == plain[1:]


def test_forty_minutes_in_steps_of_thirty_are_an_hour() -> None:
    assert hours.billed([period(START, 40)], 5, 30, None) == [60]


@given(st.integers(1, 10_000), st.sampled_from([1, 15, 60, 480, 1440]), st.decimals("0.01", "500", places=2))
def test_an_article_s_own_unit_changes_the_figures_and_not_the_amount(
    minutes: int, unit: int, hour_price: Decimal
) -> None:
    quantity, price = hours.in_units(minutes, Decimal(unit)), hours.price_per_unit(hour_price, Decimal(unit))
    exact = Fraction(minutes, 60) * Fraction(hour_price)
    assert abs(Fraction(quantity) * Fraction(price) - exact) < Fraction(1, 10**12)
