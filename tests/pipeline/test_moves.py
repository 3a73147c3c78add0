"""An administration that was moved, so that all its row versions begin anew: nothing is missed, nothing is doubled."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, update

from outsmart_sync.errors import VendorUnavailable
from outsmart_sync.pipeline.epochs import EPOCH, OF_CONNECTION
from outsmart_sync.records.exchange import DELETIONS
from outsmart_sync.records.values import decode
from outsmart_sync.store.tables import cursor, mirror, part, record_log
from pipeline.world import DIVISION, World

LOWER, THOUSANDS, HIGHER = 500, 5_000, 10**12
"""Where row versions begin: after a move below all that were read, or above; and before it."""

DIVISIONS = "system/Divisions"
ACCOUNTS, CONTACTS, ADDRESSES = "crm/Accounts", "crm/Contacts", "crm/Addresses"
ITEMS, PRICES, GROUPS = "logistics/Items", "logistics/SalesItemPrices", "logistics/ItemGroups"

lower_and_higher = pytest.mark.parametrize("first", [LOWER, HIGHER], ids=["lower", "higher"])


@pytest.fixture
def world(world: World) -> Iterator[World]:
    """Row versions are in the thousands, whatever the test before left."""
    move(world, THOUSANDS)
    world.forget_calls()
    yield world
    world.control.reset_clock()


@pytest.fixture
def quick_world(quick_world: World) -> Iterator[World]:
    """The same, with clients that do not pause before they try again."""
    move(quick_world, THOUSANDS)
    quick_world.forget_calls()
    yield quick_world
    quick_world.control.reset_clock()


def an_hour_passes(world: World) -> None:
    """What was said of moves is not believed any longer."""
    with world.store.begin() as connection:
        ago = world.store.now() - timedelta(hours=1)
        connection.execute(update(cursor).where(cursor.c.category == OF_CONNECTION).values(moved_at=ago))


def move(world: World, first: int) -> None:
    world.control.shift_clock(1)  # a date of a move has no parts of a second
    world.control.move_division(DIVISION, first)


def questions(world: World) -> int:
    """How often Exact was asked whether the administration was moved."""
    return len(world.reads(path=DIVISIONS))


def records_and_lines(world: World) -> list[list[Any]]:
    """All but the parts, of which the row versions are kept up to date."""
    return [sorted(world.rows(table), key=str) for table in (mirror, record_log)]


def events(world: World) -> list[tuple[str, str]]:
    return [(row.event, row.code) for row in world.rows(record_log)]


def nothing_is_left_to_do(world: World) -> None:
    """Reading all of both sides again finds no difference."""
    before = records_and_lines(world)
    world.forget_calls()
    world.sync(full=True)
    assert world.writes() == []
    assert records_and_lines(world) == before


@lower_and_higher
def test_what_happens_around_a_move_arrives_and_nothing_twice(world: World, first: int) -> None:
    ids = {code: world.account(code) for code in ("100", "200", "300", "400", "500")}
    world.counts("relations")
    world.change(ACCOUNTS, ids["200"], Name="Changed before")
    world.delete(ACCOUNTS, ids["300"])
    world.account("600", Name="Made before")
    move(world, first)
    world.change(ACCOUNTS, ids["400"], Name="Changed after")
    world.delete(ACCOUNTS, ids["500"])
    world.account("700", Name="Made after")
    an_hour_passes(world)
    counts = world.counts("relations")
    assert (counts.read, counts.created, counts.updated, counts.unchanged, counts.deleted) == (5, 2, 2, 1, 2)
    names = {code: record["name"] for code, record in world.outsmart("relations").items()}
    assert names == {
        "100": "Customer 100",
        "200": "Changed before",
        "300": "Customer 300",
        "400": "Changed after",
        "500": "Customer 500",
        "600": "Made before",
        "700": "Made after",
    }
    gone = {row.code for row in world.rows(mirror, record="relation") if row.source_gone_at}
    assert gone == {"300", "500"}
    nothing_is_left_to_do(world)
    assert world.counts("relations").read == 0


@lower_and_higher
def test_what_happens_after_a_move_and_before_it_is_noticed_is_made_good(world: World, first: int) -> None:
    ids = {code: world.account(code) for code in ("100", "200", "300")}
    world.counts("relations")
    move(world, first)
    world.change(ACCOUNTS, ids["200"], Name="Changed")
    world.delete(ACCOUNTS, ids["300"])
    world.account("400")
    world.sync("relations")  # believes what it was told within the hour
    an_hour_passes(world)
    world.counts("relations")
    names = {code: record["name"] for code, record in world.outsmart("relations").items()}
    assert names == {"100": "Customer 100", "200": "Changed", "300": "Customer 300", "400": "Customer 400"}
    assert [code for event, code in events(world) if event == "deleted"] == ["300"]
    assert [code for event, code in events(world) if event == "created"] == ["100", "200", "300", "400"]
    nothing_is_left_to_do(world)


@lower_and_higher
def test_what_is_as_it_was_costs_no_call_no_line_and_no_write_and_the_log_says_what_happened(
    world: World, first: int, caplog: pytest.LogCaptureFixture
) -> None:
    account = world.account("100")
    world.contact(account)
    world.address(account)
    world.account("200", City=None)
    world.account("300", Status="P")
    world.price(world.item("A1"), 5)
    world.price(world.labour("L1"), 60)
    world.sync()
    before, calls = records_and_lines(world), world.control.outsmart_writes("south")
    move(world, first)
    an_hour_passes(world)
    world.forget_calls()
    counts = {name: each.counts for name, each in world.sync().items()}
    assert {name: each.read > 0 for name, each in counts.items()} == dict.fromkeys(counts, True)
    assert [(each.created, each.updated, each.deleted) for each in counts.values()] == [(0, 0, 0)] * 3
    assert world.control.calls(vendor="outsmart") == []
    assert records_and_lines(world) == before
    assert world.control.outsmart_writes("south") == calls
    assert "Relations: what was read before may be out of date (moved " in caplog.text


@lower_and_higher
def test_a_deletion_after_the_move_was_noticed_is_noted(world: World, first: int) -> None:
    """What the mirror keeps of an unchanged record is the version that it had before the move."""
    account, item = world.account("100"), world.item("A1")
    contact, address = world.contact(account), world.address(account)
    price = world.price(item, 5)
    world.sync()
    move(world, first)
    an_hour_passes(world)
    world.sync()
    world.delete(CONTACTS, contact)
    world.delete(ADDRESSES, address)
    world.delete(PRICES, price)
    assert world.counts("relations").deleted == 2
    world.counts("materials")
    assert world.rows(part, category="materials") == []
    assert "price" not in decode(world.kept("material", "A1").payload)
    world.delete(ACCOUNTS, account)
    assert world.counts("relations").deleted == 1


def test_a_deletion_between_the_pages_and_the_deletions_of_the_reading_after_a_move_is_noted(
    quick_world: World,
) -> None:
    world = quick_world
    account = world.account("100")
    world.counts("relations")
    move(world, LOWER)
    an_hour_passes(world)
    world.control.add_fault("status", vendor="exact", path="sync/Deleted", times=3, status=503)
    work = world.work("relations")
    with pytest.raises(VendorUnavailable):
        work.extract()
    world.delete(ACCOUNTS, account)
    assert work.through().deleted == 1
    assert world.kept("relation", "100").source_gone_at is not None


@lower_and_higher
def test_deletions_of_long_ago_that_come_again_touch_nobody(world: World, first: int) -> None:
    account = world.account("100")
    world.counts("relations")
    world.delete(ACCOUNTS, account)
    world.counts("relations")
    world.account("100", ID=account, Name="Back")
    world.counts("relations")
    move(world, first)
    an_hour_passes(world)
    before = world.everything()
    assert world.counts("relations").deleted == 0
    assert world.everything() == before


def test_a_record_that_comes_up_again_here_is_judged_as_the_package_has_it_now(world: World) -> None:
    """Its row from the mirror has the larger version, of before the move."""
    account = world.account("100", Status="P", Name="Old")
    world.counts("relations")
    move(world, LOWER)
    world.change(ACCOUNTS, account, Name="New")
    world.settings(relations={"types": ["prospect"]})
    an_hour_passes(world)
    assert world.counts("relations").created == 1
    assert world.outsmart("relations")["100"]["name"] == "New"


def test_a_record_that_comes_up_again_here_and_was_deleted_is_gone(world: World) -> None:
    account = world.account("100", Status="P")
    world.counts("relations")
    world.delete(ACCOUNTS, account)
    move(world, LOWER)
    world.settings(relations={"types": ["prospect"]})
    an_hour_passes(world)
    counts = world.counts("relations")
    assert (counts.created, counts.deleted) == (0, 1)


@lower_and_higher
def test_an_item_that_changes_its_category_around_a_move_changes_it_here(world: World, first: int) -> None:
    item = world.item("A1")
    world.item("A2")
    world.sync()
    move(world, first)
    world.change(ITEMS, item, IsTime=1)
    an_hour_passes(world)
    world.sync()
    assert world.states("material") == {"A1": ("excluded", "not_for_sale"), "A2": ("synced", None)}
    assert world.states("hour_type") == {"A1": ("synced", None)}
    assert "deleted" not in {event for event, _ in events(world)}


@lower_and_higher
def test_prices_that_change_around_a_move_are_folded_as_they_are_now(world: World, first: int) -> None:
    prices = {code: world.price(world.item(code), 5) for code in ("A1", "A2", "A3", "A4")}
    world.counts("materials")
    world.change(PRICES, prices["A1"], Price=6)
    world.delete(PRICES, prices["A2"])
    move(world, first)
    world.change(PRICES, prices["A3"], Price=7)
    an_hour_passes(world)
    counts = world.counts("materials")
    assert (counts.updated, counts.created, counts.unchanged) == (3, 0, 1)
    found = {code: decode(world.kept("material", code).payload).get("price") for code in prices}
    assert found == {"A1": "6", "A2": None, "A3": "7", "A4": "5"}
    assert len(world.rows(part)) == 3
    nothing_is_left_to_do(world)


@lower_and_higher
def test_a_list_that_is_read_whole_is_read_again_after_a_move(world: World, first: int) -> None:
    world.settings(categories={"enabled": True})
    kept, gone = world.group("G1"), world.group("G2")
    world.group("G3")
    world.counts("categories")
    world.change(GROUPS, kept, Description="Pumps")
    move(world, first)
    world.delete(GROUPS, gone)
    world.group("G4")
    an_hour_passes(world)
    counts = world.counts("categories")
    assert (counts.read, counts.created, counts.updated, counts.unchanged, counts.deleted) == (3, 1, 1, 1, 1)
    nothing_is_left_to_do(world)


@lower_and_higher
def test_an_extract_that_was_interrupted_before_a_move_begins_anew(quick_world: World, first: int) -> None:
    world = quick_world
    rows: list[dict[str, Any]] = [
        {"Code": str(code), "Name": f"Customer {code}", "Status": "C", "City": "Delft"} for code in range(1, 1_006)
    ]
    ids = world.control.add_exact(DIVISION, ACCOUNTS, *rows)
    world.control.add_fault("status", vendor="exact", path="sync/CRM/Accounts", skip=1, times=3, status=503)
    work = world.work("relations")
    with pytest.raises(VendorUnavailable):
        work.extract()
    move(world, first)
    world.delete(ACCOUNTS, ids[0])
    world.change(ACCOUNTS, ids[1], Name="Changed")
    counts = work.through()
    assert counts.read == len(rows) - 1
    assert sorted(row.code for row in world.rows(mirror, record="relation")) == sorted(str(n) for n in range(2, 1_006))
    assert decode(world.kept("relation", "2").payload)["name"] == "Changed"
    assert world.counts("relations").read == 0


def test_an_extract_that_was_interrupted_and_not_moved_goes_on_after_one_question(quick_world: World) -> None:
    world = quick_world
    world.account("100")
    world.control.add_fault("status", vendor="exact", path="sync/CRM/Contacts", times=3, status=503)
    work = world.work("relations")
    with pytest.raises(VendorUnavailable):
        work.extract()
    world.forget_calls()
    work.extract()
    assert questions(world) == 1
    assert world.reads(path="sync/CRM/Accounts") == []


@lower_and_higher
def test_a_move_between_two_steps_is_noticed_by_the_next_run(world: World, first: int) -> None:
    account = world.account("100")
    work = world.work("relations")
    work.extract()
    move(world, first)
    world.change(ACCOUNTS, account, Name="After")
    work.through()
    assert world.outsmart("relations")["100"]["name"] in ("Customer 100", "After")
    an_hour_passes(world)
    world.counts("relations")
    assert world.outsmart("relations")["100"]["name"] == "After"
    nothing_is_left_to_do(world)


@lower_and_higher
def test_the_poll_notices_a_move_within_the_hour_and_sends_every_category_to_read(world: World, first: int) -> None:
    world.account("100")
    world.item("A1")
    world.sync()
    assert world.poll() == []
    move(world, first)
    an_hour_passes(world)
    world.forget_calls()
    assert sorted(world.poll()) == ["hour_types", "materials", "relations"]
    assert [call["resource"] for call in world.reads()] == [DIVISIONS]
    world.sync()
    world.forget_calls()
    assert world.poll() == []
    assert questions(world) == 0


def test_a_poll_asks_for_moves_once_an_hour(world: World) -> None:
    world.account("100")
    world.sync()
    world.forget_calls()
    for _ in range(3):
        assert world.poll() == []
    assert questions(world) == 0
    an_hour_passes(world)
    for _ in range(3):
        assert world.poll() == []
    assert questions(world) == 1


def test_all_categories_of_a_run_share_one_question(world: World) -> None:
    world.sync()
    assert questions(world) == 1
    world.sync()
    assert questions(world) == 1


def test_a_full_run_always_asks_and_a_run_by_code_never(world: World) -> None:
    world.account("100")
    world.counts("relations")
    world.forget_calls()
    world.counts("relations", full=True)
    assert questions(world) == 1
    an_hour_passes(world)
    world.counts("relations", codes=("100",))
    assert questions(world) == 1


def test_something_new_with_a_version_below_what_was_read_makes_the_poll_ask_at_once(world: World) -> None:
    """A stream that had no rows has no cursor to speak of, so it shows what comes after the move."""
    account = world.account("100")
    world.sync()
    move(world, LOWER)
    world.contact(account)
    world.change(ACCOUNTS, account, Name="Changed")
    world.forget_calls()
    assert sorted(world.poll()) == ["hour_types", "materials", "relations"]
    assert questions(world) == 1


def test_a_false_alarm_of_that_kind_costs_one_question_and_no_work(world: World) -> None:
    account = world.account("100")
    world.sync("relations")
    world.change(ACCOUNTS, account, Name="Changed")
    world.item("A1")
    world.sync("materials", "hour_types")
    world.forget_calls()
    assert world.poll() == ["relations"]
    assert questions(world) == 1


def test_cursors_of_an_unknown_epoch_are_not_believed(world: World) -> None:
    account = world.account("100")
    world.account("200")
    world.counts("relations")
    with world.store.begin() as connection:
        connection.execute(delete(cursor).where(cursor.c.stream == EPOCH))
    world.delete(ACCOUNTS, account)
    move(world, LOWER)
    assert "relations" in world.poll()
    world.forget_calls()
    counts = world.counts("relations")
    assert (counts.read, counts.deleted) == (1, 1)
    assert world.writes() == []


def test_both_dates_are_kept_beside_the_cursors_of_the_connection_and_of_each_category(world: World) -> None:
    world.account("100")
    world.sync()
    kept = {row.category: row.value for row in world.rows(cursor, stream=EPOCH)}
    assert set(kept) == {OF_CONNECTION, "relations", "materials", "hour_types"}
    (said,) = set(kept.values())
    assert said.startswith("moved 20")
    assert said.endswith("personnel data linked or unlinked never")
    assert ("relations", DELETIONS) in world.cursors()
