"""The sale price of an item: against a slow and obvious reading of the rule, and against Exact's own figure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from outsmart_sync.providers.exact_online.imports import MATERIALS_IMPORT, PRICES
from outsmart_sync.providers.exact_online.prices import sale_price
from outsmart_sync.providers.exact_online.source import ExactSource
from outsmart_sync.records.streams import FoldContext, Folded, Part
from outsmart_sync.records.values import decode
from sandbox import process
from sandbox.process import SandboxProcess
from tests.providers.conftest import MakeClient

TODAY = date(2026, 3, 1)
FOLD = sale_price("price")


def day(offset: int) -> date:
    return TODAY + timedelta(days=offset)


def price(
    amount: str | None, *, key: str = "p", first: date | None = None, last: date | None = None, **fields: str
) -> Part:
    given = {"price": amount, "quantity": "1", "currency": "EUR", "unit": "pc", "default_unit": "pc"} | fields
    return Part(key, {name: value for name, value in given.items() if value is not None}, first, last)


def folded(*prices: Part, currency: str = "EUR", payload: dict[str, Any] | None = None) -> Folded:
    return FOLD({"code": "A"} if payload is None else payload, list(prices), FoldContext(TODAY, currency))


def found(*prices: Part, currency: str = "EUR") -> str | bool | None:
    return folded(*prices, currency=currency).payload.get("price")


def test_the_price_that_holds_today_is_the_price() -> None:
    assert folded(price("4.50")) == Folded({"code": "A", "price": "4.5"}, None)


def test_without_a_price_the_field_is_left_out_even_where_there_was_one() -> None:
    assert folded(payload={"code": "A", "price": "9"}) == Folded({"code": "A"}, None)


@pytest.mark.parametrize(
    "other",
    [
        price("1", key="z", quantity="10"),
        price("1", key="z", quantity="1.5"),
        price("1", key="z", currency="USD"),
        price("1", key="z", unit="box"),
        price("1", key="z", last=day(-1)),
        price("1", key="z", first=day(1)),
        price("1", key="0"),
    ],
    ids=["quantity step", "a little more than one", "currency", "unit", "ended", "future", "tie of a lower id"],
)
def test_a_row_that_does_not_hold_for_one_piece_today_is_passed_over(other: Part) -> None:
    assert found(price("4", key="p"), other) == found(other, price("4", key="p")) == "4"


@pytest.mark.parametrize(
    "only",
    [
        price("1", quantity="10"),
        price("1", currency="USD"),
        price("1", unit="box"),
        price("1", last=day(-1)),
        price("1", first=day(1)),
        price(None),
    ],
    ids=["quantity step", "currency", "unit", "ended", "future", "row without a price"],
)
def test_a_row_that_does_not_hold_is_no_price_even_alone(only: Part) -> None:
    assert found(only) is None


@pytest.mark.parametrize(
    "part",
    [
        Part("p", {"price": "4"}, None, None),
        Part("p", {"price": "4", "quantity": "0"}, None, None),
        Part("p", {"price": "4", "default_unit": "pc"}, None, None),
        Part("p", {"price": "4", "unit": "pc"}, None, None),
        price("4", first=TODAY, last=TODAY),
    ],
    ids=["nothing said", "from nothing on", "no unit", "no unit of the item", "today alone"],
)
def test_what_a_row_leaves_open_speaks_for_it(part: Part) -> None:
    assert found(part) == "4"


def test_where_the_administrations_currency_is_unknown_any_will_do() -> None:
    assert found(price("4", currency="USD"), currency="") == "4"


def test_the_lowest_quantity_wins_then_the_latest_start_then_the_id() -> None:
    steps = price("1", key="a", quantity="1", first=day(-1)), price("2", key="b", quantity="0", first=day(-9))
    assert found(*steps) == "2"
    assert found(price("1", key="b", first=day(-9)), price("2", key="a", first=day(-1))) == "2"
    assert found(price("1", key="b", first=None), price("2", key="a", first=day(-400))) == "2"
    assert found(price("1", key="a"), price("2", key="b")) == "2"


@pytest.mark.parametrize(
    ("prices", "due_on"),
    [
        ([price("4")], None),
        ([price("4", last=TODAY)], day(1)),
        ([price("4", first=day(3))], day(3)),
        ([price("4", last=day(5)), price("5", first=day(6))], day(6)),
        ([price("4", last=day(5)), price("5", first=day(3))], day(3)),
        ([price("4", last=day(-5))], None),
        ([price("4", first=day(3), currency="USD"), price("4", last=day(5), quantity="10")], None),
        ([price("4", last=date(9999, 12, 31))], None),
    ],
    ids=["open", "last day", "begins", "handed over", "first of two", "over", "no prices of ours", "forever"],
)
def test_the_day_on_which_the_price_may_differ_is_told(prices: list[Part], due_on: date | None) -> None:
    assert folded(*prices).due_on == due_on


DAYS = st.one_of(st.none(), st.integers(-5, 5).map(day))
PARTS = st.builds(
    lambda key, amount, quantity, currency, unit, first, last: Part(
        key,
        {
            name: value
            for name, value in {
                "price": amount,
                "quantity": quantity,
                "currency": currency,
                "unit": unit,
                "default_unit": "pc",
            }.items()
            if value is not None
        },
        first,
        last,
    ),
    st.uuids().map(str),
    st.one_of(st.none(), st.integers(0, 999).map(lambda cents: f"{cents / 100:.2f}")),
    st.sampled_from([None, "0", "1", "5"]),
    st.sampled_from([None, "EUR", "USD"]),
    st.sampled_from([None, "pc", "box"]),
    DAYS,
    DAYS,
)


def price_of_the_day(parts: list[Part], today: date) -> Decimal | None:
    """Slowly: strike out what does not hold, then keep the better of each two."""
    best: Part | None = None
    for part in parts:
        said = part.payload
        if said.get("currency", "EUR") != "EUR" or said.get("unit", "pc") != "pc":
            continue
        if Decimal(str(said.get("quantity", "0"))) > 1:
            continue
        if part.valid_from is not None and today < part.valid_from:
            continue
        if part.valid_until is not None and today > part.valid_until:
            continue
        best = part if best is None or better(part, best) else best
    return None if best is None or "price" not in best.payload else Decimal(str(best.payload["price"]))


def better(one: Part, other: Part) -> bool:
    quantities = [Decimal(str(part.payload.get("quantity", "0"))) for part in (one, other)]
    if quantities[0] != quantities[1]:
        return quantities[0] < quantities[1]
    starts = [part.valid_from or date.min for part in (one, other)]
    if starts[0] != starts[1]:
        return starts[0] > starts[1]
    return one.provider_id > other.provider_id


@given(st.lists(PARTS, max_size=6, unique_by=lambda part: part.provider_id), st.randoms())
def test_the_price_is_that_of_the_obvious_reading_whatever_the_order_of_rows(parts: list[Part], chance: Any) -> None:
    expected = price_of_the_day(parts, TODAY)
    chance.shuffle(parts)
    said = found(*parts)
    assert (None if said is None else Decimal(str(said))) == expected


@given(st.lists(PARTS, max_size=6, unique_by=lambda part: part.provider_id))
def test_the_price_stays_what_it_is_until_the_day_that_was_told(parts: list[Part]) -> None:
    due_on = folded(*parts).due_on
    assert due_on is None or due_on > TODAY
    last = (due_on or day(20)) - timedelta(days=1)
    offset = 0
    while day(offset) <= last:
        assert price_of_the_day(parts, day(offset)) == price_of_the_day(parts, TODAY)
        offset += 1


@given(st.lists(PARTS, max_size=4, unique_by=lambda part: part.provider_id))
def test_folding_what_was_folded_changes_nothing(parts: list[Part]) -> None:
    once = folded(*parts)
    assert folded(*parts, payload=dict(once.payload)) == once


@pytest.fixture(scope="module")
def many_items() -> Iterator[SandboxProcess]:
    with process.start(relations=60, items=1_500) as vendors:
        yield vendors


def test_the_price_of_every_item_is_the_one_that_exact_shows(
    many_items: SandboxProcess, exact_at: MakeClient, sessions: Callable[[], requests.Session]
) -> None:
    client = exact_at(many_items.exact_url, many_items.control.give_tokens()["access_token"])
    moment = datetime.fromisoformat(many_items.control.now())
    today = moment.astimezone(ZoneInfo("Europe/Amsterdam")).date()
    parts = defaultdict[str, list[Part]](list)
    for page in ExactSource(client).pages(MATERIALS_IMPORT, PRICES, today, after=None, resume=None):
        for row in page.mapped.rows:
            part = Part(row.provider_id, decode(row.payload or "{}"), row.valid_from, row.valid_until)
            parts[str(row.parent_id)].append(part)
    everything = "Modified gt datetime'2000-01-01T00:00:00'"  # this endpoint insists on a filter
    address = client.address("logistics/Items", select=("ID", "StandardSalesPrice"), filters=everything)
    shown = {row["ID"]: row["StandardSalesPrice"] for page in client.pages(address) for row in page.rows}
    context = FoldContext(today, "EUR")
    ours = {item: FOLD({}, parts[item], context).payload.get("price") for item in shown}
    assert len(shown) == 1_500
    assert {item: None if text is None else Decimal(str(text)) for item, text in ours.items()} == shown
    priced = [item for item in shown if shown[item] is not None]
    assert len(priced) < len(shown) < sum(map(len, parts.values()))
