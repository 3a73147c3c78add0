"""Exact's forms of dates, codes and numbers."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outsmart_sync.providers.exact_online import values
from outsmart_sync.providers.exact_online.values import code_from_id, exact_date, is_reference, padded_code, quoted

NO_ID = "00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize(
    ("stamp", "day"),
    [
        ("/Date(1723420800000)/", date(2024, 8, 12)),
        ("/Date(0)/", date(1970, 1, 1)),
        ("/Date(-86400000)/", date(1969, 12, 31)),
        ("/Date(-2208988800000)/", date(1900, 1, 1)),
        ("/Date(253402214400000)/", date(9999, 12, 31)),
        ("/Date(1723507199000)/", date(2024, 8, 12)),
        (None, None),
    ],
    ids=["recorded", "epoch", "before it", "1900", "forever", "last second", "none"],
)
def test_a_date_is_the_calendar_day_that_it_shows(stamp: str | None, day: date | None) -> None:
    assert exact_date(stamp) == day


@given(st.dates())
def test_every_day_is_read_as_itself(day: date) -> None:
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC)
    milliseconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)).days * 86_400_000
    assert exact_date(f"/Date({milliseconds})/") == day


@pytest.mark.parametrize("zone", ["Europe/Amsterdam", "Pacific/Kiritimati", "America/Adak"])
def test_the_machines_own_zone_makes_no_difference(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        exact_date.cache_clear()
        assert exact_date("/Date(1723420800000)/") == date(2024, 8, 12)
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    "value",
    [
        "",
        "2024-08-12",
        "/Date()/",
        "/Date(12a)/",
        "Date(0)",
        "/Date(0)/ ",
        "/Date(99999999999999999)/",
        0,
        1723420800000,
    ],
)
def test_what_is_no_exact_date_is_refused_and_shown(value: Any) -> None:
    with pytest.raises(ValueError, match="is not an Exact date"):
        exact_date(value)


def test_account_codes_are_padded_on_the_left_to_eighteen() -> None:
    assert padded_code("25") == "                25"
    assert padded_code("  25 ") == padded_code("25")
    assert padded_code("0025") != padded_code("25")
    assert len(padded_code("123456789012345678")) == 18


@given(st.text(max_size=30))
def test_a_quoted_text_has_no_lone_apostrophe(value: str) -> None:
    literal = quoted(value)
    assert literal[0] == literal[-1] == "'"
    assert "'" not in literal[1:-1].replace("''", "")
    assert literal[1:-1].replace("''", "'") == value


@pytest.mark.parametrize(
    ("value", "points"),
    [(None, False), (NO_ID, False), ("de300000-0000-4000-8000-000000000001", True)],
    ids=["null", "zero id", "id"],
)
def test_null_and_the_zero_id_point_to_nothing(value: str | None, points: bool) -> None:
    assert is_reference(value) is points


def test_a_code_made_from_an_id_is_the_same_for_ever() -> None:
    """Contact persons and addresses were written to OutSmart under these codes: another rule would double them all."""
    provider_id = "de300000-0000-4000-8000-000000000001"
    assert code_from_id(provider_id) == "3BWPBJO4ZU2MDWF6"
    assert code_from_id(provider_id.upper()) == code_from_id("{" + provider_id + "}") == "3BWPBJO4ZU2MDWF6"


@given(st.lists(st.uuids(), unique=True, min_size=2, max_size=50))
def test_different_ids_have_different_codes_of_sixteen_capitals_and_digits(ids: list[UUID]) -> None:
    codes = {code_from_id(str(each)) for each in ids}
    assert len(codes) == len(ids)
    assert all(len(code) == 16 and code.isalnum() and code.upper() == code for code in codes)


def test_neighbouring_ids_by_the_thousand_have_different_codes() -> None:
    assert len({code_from_id(str(UUID(int=number))) for number in range(100_000)}) == 100_000


@pytest.mark.parametrize(
    ("value", "read"), [("  NL ", "NL"), ("FR ", "FR"), ("   ", None), ("", None), (12, "12")], ids=repr
)
def test_a_text_loses_its_padding_and_a_blank_one_is_no_value(value: Any, read: str | None) -> None:
    assert values.text("Country").read(value) == read


@pytest.mark.parametrize(
    ("value", "read"),
    [(Decimal("4.50"), "4.5"), (0, "0"), (Decimal("0.1"), "0.1"), ("12.30", "12.3"), (Decimal("1E+2"), "100")],
    ids=repr,
)
def test_a_number_is_taken_exactly_as_sent(value: Any, read: str) -> None:
    assert values.number("Price").read(value) == read


@pytest.mark.parametrize("nowhere", [0, Decimal("0.0"), Decimal(0)], ids=repr)
def test_a_coordinate_of_zero_is_none(nowhere: Any) -> None:
    assert values.coordinate("Latitude").read(nowhere) is None
    assert values.coordinate("Latitude").read(Decimal("-0.1276")) == "-0.1276"


def stamp(moment: datetime) -> str:
    return f"/Date({int(moment.replace(tzinfo=UTC).timestamp() * 1000)})/"


@pytest.mark.parametrize("zone", ["Europe/Amsterdam", "America/New_York", "Asia/Tokyo"])
@pytest.mark.parametrize("month", [1, 3, 7, 10], ids=lambda month: f"month {month}")
def test_a_time_of_day_is_what_the_clock_shows_in_summer_and_winter_on_any_machine(
    month: int, zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        for hour, minute in ((7, 30), (0, 15), (23, 59)):
            sent = stamp(datetime(2027, month, 28, hour, minute))  # noqa: DTZ001 - as the clock shows it
            assert values.clock("StartDate").read(sent) == f"{hour:02}:{minute:02}"
            assert values.day("StartDate").read(sent) == f"2027-{month:02}-28"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_midnight_is_no_time_and_what_is_no_date_has_none() -> None:
    assert values.clock("StartDate").read(stamp(datetime(2027, 7, 15))) is None  # noqa: DTZ001 - a plain date
    with pytest.raises(ValueError, match="not an Exact date"):
        values.clock("StartDate").read("07:30")


@pytest.mark.parametrize(
    ("hours", "read"),
    [
        (Decimal("7.75"), "465"),
        (8, "480"),
        (Decimal("0.0083"), None),
        (Decimal("0.0084"), "1"),
        (Decimal("0.3333333333"), "20"),
        (40, "2400"),
        (0, None),
        (Decimal(-2), None),
    ],
    ids=str,
)
def test_hours_are_whole_minutes(hours: Any, read: str | None) -> None:
    assert values.minutes("Hours").read(hours) == read


@given(st.uuids())
def test_a_number_from_an_id_is_short_and_always_the_same(identity: UUID) -> None:
    number = values.number_from_id("PL-")
    assert number(str(identity)) == number(str(identity).upper()) == f"PL-{code_from_id(str(identity))[:10]}"


def test_neighbouring_ids_by_the_thousand_have_different_numbers() -> None:
    number = values.number_from_id("PL-")
    assert len({number(str(UUID(int=each))) for each in range(100_000)}) == 100_000
