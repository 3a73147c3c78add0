"""Hour types that Exact keeps in days or minutes: OutSmart has a price for an hour."""

from __future__ import annotations

from decimal import Decimal

import pytest

from outsmart_sync.providers.exact_online import units
from outsmart_sync.records.values import parse_decimal
from pipeline.world import World

HOUR_TYPES = "hour_types"
_UNITS = {"day": "dd", "hour": "hh", "minute": "mi", "week": "wk"}


@pytest.fixture
def rates(sqlite_world: World) -> World:
    sqlite_world.unit("pc")
    for code, time_unit in _UNITS.items():
        sqlite_world.unit(code, time_unit)
    return sqlite_world


def rate(world: World, code: str, unit: str, price: float) -> str:
    """An hour type with its price; returns the price's id."""
    return world.price(world.labour(code, Unit=unit), price, Unit=unit)


def prices(world: World) -> dict[str, Decimal]:
    return {code: parse_decimal(record["sale_price"]) for code, record in world.outsmart("hourtypes").items()}


def test_the_price_of_a_day_or_a_minute_comes_as_that_of_an_hour(rates: World) -> None:
    rate(rates, "H", "hour", 60)
    rate(rates, "D", "day", 500)
    rate(rates, "M", "minute", 1.1)
    rate(rates, "CALL", "pc", 45)
    assert rates.counts(HOUR_TYPES).created == 4
    assert prices(rates) == {
        "H": Decimal(60),
        "D": Decimal("62.5"),
        "M": Decimal(66),
        "CALL": Decimal(45),
    }
    counts = rates.counts(HOUR_TYPES, full=True)
    assert (counts.unchanged, counts.updated) == (4, 0)


def test_how_many_hours_a_day_has_is_a_setting_that_takes_effect_from_what_is_known(rates: World) -> None:
    rate(rates, "D", "day", 500)
    rates.counts(HOUR_TYPES)
    rates.settings(hour_types={"hours_per_day": "10"})
    rates.forget_calls()
    assert rates.counts(HOUR_TYPES).updated == 1
    assert prices(rates) == {"D": Decimal(50)}
    assert not [call for call in rates.reads() if call["resource"].endswith("Units")]


def test_an_hour_type_by_the_week_stays_out_and_says_why(rates: World) -> None:
    rate(rates, "W", "week", 2000)
    assert rates.counts(HOUR_TYPES).excluded == 1
    assert rates.states("hour_type") == {"W": ("excluded", "no_measure_of_work")}


def test_a_price_that_changes_later_is_converted_too_and_the_units_are_read_only_with_an_item(rates: World) -> None:
    price = rate(rates, "D", "day", 500)
    rates.counts(HOUR_TYPES)
    rates.forget_calls()
    rates.change("logistics/SalesItemPrices", price, Price=600)
    assert rates.counts(HOUR_TYPES).updated == 1
    assert prices(rates) == {"D": Decimal(75)}
    assert not [call for call in rates.reads() if call["resource"].endswith("Units")]
    assert rates.counts(HOUR_TYPES, codes=("D",)).unchanged == 1


@pytest.mark.parametrize("typed", ["", "eight", "0", "-1"])
def test_a_day_has_eight_hours_unless_a_number_of_them_is_set(typed: str) -> None:
    assert units.per_hour(Decimal(100), "dd", {"hours_per_day": typed}) == Decimal("12.5")


def test_what_does_not_divide_evenly_is_rounded_to_the_cent() -> None:
    assert units.per_hour(Decimal(100), "dd", {"hours_per_day": "7.5"}) == Decimal("13.33")
