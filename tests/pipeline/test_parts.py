"""Parts: the prices of an item, folded into it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from outsmart_sync.pipeline import parts
from outsmart_sync.records.values import decode
from outsmart_sync.store.tables import part
from pipeline.world import World, day


def price_of(world: World, code: str = "A1") -> Any:
    """The price in the mirror: what the package says now."""
    return decode(world.kept("material", code).payload).get("price")


def test_a_changed_price_alone_updates_the_material(world: World) -> None:
    price = world.price(world.item("A1"), 5)
    world.counts("materials")
    world.change("logistics/SalesItemPrices", price, Price=6.5)
    counts = world.counts("materials")
    assert (counts.read, counts.updated) == (0, 1)
    assert world.outsmart("materials")["A1"]["price"] == "6,50"


def test_a_changed_item_keeps_the_price_that_was_read_earlier(world: World) -> None:
    item = world.item("A1")
    world.price(item, 5)
    world.counts("materials")
    world.change("logistics/Items", item, Description="Renamed")
    assert world.counts("materials").updated == 1
    assert world.outsmart("materials")["A1"] == {"code": "A1", "description": "Renamed", "price": "5,00", "unit": "pc"}


def test_a_price_that_is_saved_unchanged_costs_nothing(world: World) -> None:
    price = world.price(world.item("A1"), 5)
    world.counts("materials")
    world.touch("logistics/SalesItemPrices", price)
    world.forget_calls()
    assert world.counts("materials").unchanged == 1
    assert world.writes() == []


def test_a_deleted_price_gives_way_to_the_one_that_is_left(world: World) -> None:
    item = world.item("A1")
    world.price(item, 5, StartDate=day(world.work_day(-9)))
    newer = world.price(item, 7, StartDate=day(world.work_day(-5)))
    world.counts("materials")
    assert price_of(world) == "7"
    world.delete("logistics/SalesItemPrices", newer)
    assert world.counts("materials").updated == 1
    assert world.outsmart("materials")["A1"]["price"] == "5,00"


def test_a_price_without_successor_stays_in_outsmart_when_it_is_deleted(world: World) -> None:
    price = world.price(world.item("A1"), 5)
    world.counts("materials")
    world.delete("logistics/SalesItemPrices", price)
    world.counts("materials")
    assert price_of(world) is None
    assert world.rows(part) == []
    assert world.outsmart("materials")["A1"]["price"] == "5,00"


def test_a_price_ends_and_another_begins_by_the_calendar(world: World) -> None:
    item, soon = world.item("A1"), world.work_day(3)
    world.price(item, 5, EndDate=day(soon))
    world.price(item, 7, StartDate=day(soon + timedelta(days=1)))
    world.counts("materials")
    assert world.work("materials", today=soon).through().updated == 0
    assert world.outsmart("materials")["A1"]["price"] == "5,00"
    assert world.work("materials", today=soon + timedelta(days=1)).through().updated == 1
    assert world.outsmart("materials")["A1"]["price"] == "7,00"


def test_the_price_of_an_item_that_is_not_known_yet_waits_for_it(world: World) -> None:
    item = world.labour("A1")
    world.price(item, 5)
    assert world.counts("materials").created == 0
    world.change("logistics/Items", item, IsTime=0)
    assert world.counts("materials").created == 1
    assert world.outsmart("materials")["A1"]["price"] == "5,00"


def test_a_price_that_becomes_an_agreement_with_one_customer_is_no_price_for_all(world: World) -> None:
    item, account = world.item("A1"), world.account("100")
    world.price(item, 5, StartDate=day(world.work_day(-9)))
    special = world.price(item, 3, StartDate=day(world.work_day(-5)))
    world.counts("materials")
    assert price_of(world) == "3"
    world.change("logistics/SalesItemPrices", special, Account=account)
    world.counts("materials")
    assert world.outsmart("materials")["A1"]["price"] == "5,00"


@pytest.mark.parametrize(
    "other", [{"Currency": "USD"}, {"Quantity": 10}, {"Unit": "box"}], ids=["currency", "quantity", "unit"]
)
def test_a_price_that_is_not_the_items_own_does_not_count(sqlite_world: World, other: dict[str, Any]) -> None:
    item = sqlite_world.item("A1")
    if "Unit" in other:
        sqlite_world.control.add_exact(2001006, "logistics/Units", {"Code": "box", "Description": "Box", "Type": "O"})
    sqlite_world.price(item, 5, **other)
    sqlite_world.counts("materials")
    assert price_of(sqlite_world) is None


def test_a_changed_price_brings_no_item_back_that_is_no_longer_for_sale(world: World) -> None:
    item = world.item("A1")
    price = world.price(item, 5)
    world.counts("materials")
    world.change("logistics/Items", item, IsTime=1)
    assert world.counts("materials").excluded == 1
    world.change("logistics/SalesItemPrices", price, Price=9)
    world.counts("materials")
    assert world.states("material")["A1"] == ("excluded", "not_for_sale")
    assert world.outsmart("materials")["A1"]["price"] == "5,00"


def test_a_price_that_moves_to_another_item_leaves_the_first(world: World) -> None:
    first, second = world.item("A"), world.item("B")
    price = world.price(first, 5)
    world.counts("materials")
    world.change("logistics/SalesItemPrices", price, Item=second)
    world.counts("materials")
    assert (price_of(world, "A"), price_of(world, "B")) == (None, "5")


def test_folding_twice_gives_the_same(world: World) -> None:
    world.price(world.item("A1"), 5)
    work = world.work("materials")
    work.extract()
    before = work.decisions()
    parts.fold(world.store, work.job)
    assert work.decisions() == before


def test_both_categories_keep_the_prices_that_they_read(world: World) -> None:
    world.price(world.item("A1"), 5)
    world.price(world.labour("L1"), 60)
    world.sync()
    assert {(row.category, row.stream) for row in world.rows(part)} == {
        ("materials", "prices"),
        ("hour_types", "prices"),
    }
    assert world.outsmart("hourtypes")["L1"]["sale_price"] == "60,00"
