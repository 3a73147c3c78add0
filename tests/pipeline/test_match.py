"""Match by code: create, update, unchanged, held."""

from __future__ import annotations

from typing import Any

import pytest

from outsmart_sync.store.tables import mirror
from pipeline.world import World, without_outsmart


def test_what_outsmart_lacks_is_created_and_what_it_has_is_updated(world: World) -> None:
    world.relation_by_hand("100")
    world.account("100")
    world.account("200")
    assert world.work("relations").judged() == {"100": ("update", None), "200": ("create", None)}


def test_what_outsmart_has_already_the_same_costs_no_call(world: World) -> None:
    world.material_by_hand("A1", description="Item A1", unit="pc", price="5,00")
    world.price(world.item("A1"), 5)
    counts = world.counts("materials")
    assert (counts.unchanged, world.writes()) == (1, [])
    assert world.kept("material", "A1").state == "synced"


@pytest.mark.parametrize(("theirs", "ours"), [("ab1", "AB1"), (" ab1 ", "ab1")], ids=["case", "padding"])
def test_a_code_is_found_whatever_its_case_and_padding_and_keeps_outsmarts_spelling(
    world: World, theirs: str, ours: str
) -> None:
    world.material_by_hand(theirs)
    world.item(ours)
    assert world.counts("materials").updated == 1
    assert {code: row["description"] for code, row in world.outsmart("materials").items()} == {theirs: f"Item {ours}"}


def test_leading_zeros_make_another_code(world: World) -> None:
    world.material_by_hand("007")
    world.item("7")
    assert world.counts("materials").created == 1
    assert set(world.outsmart("materials")) == {"007", "7"}


def test_a_changed_code_is_held_and_makes_no_twin(world: World) -> None:
    item = world.item("A1")
    world.counts("materials")
    world.change("logistics/Items", item, Code="B1", Description="Renamed")
    assert world.counts("materials").held == 1
    (row,) = world.rows(mirror, record="material")
    assert (row.code, row.state, row.reason, row.detail) == ("A1", "held", "code_changed", "A1")
    assert {code: row["description"] for code, row in world.outsmart("materials").items()} == {"A1": "Item A1"}


def test_a_code_that_is_set_back_goes_on(world: World) -> None:
    item = world.item("A1")
    world.counts("materials")
    world.change("logistics/Items", item, Code="B1")
    world.counts("materials")
    world.change("logistics/Items", item, Code="A1", Description="Back")
    assert world.counts("materials").updated == 1
    assert world.states("material") == {"A1": ("synced", None)}
    assert world.outsmart("materials")["A1"]["description"] == "Back"


def test_the_code_of_a_record_that_changed_its_own_is_not_given_to_another(world: World) -> None:
    item = world.item("A1")
    world.counts("materials")
    world.change("logistics/Items", item, Code="B1")
    world.item("A1", Description="Another")
    assert world.counts("materials").held == 2
    assert world.outsmart("materials")["A1"]["description"] == "Item A1"


def test_a_code_that_changes_in_case_only_is_no_changed_code(world: World) -> None:
    item = world.item("a1")
    world.counts("materials")
    world.change("logistics/Items", item, Code="A1", Description="Louder")
    assert world.counts("materials").updated == 1
    assert {code: row["description"] for code, row in world.outsmart("materials").items()} == {"a1": "Louder"}


def test_without_an_outsmart_account_a_changed_code_changes_in_the_mirror(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_outsmart(monkeypatch)
    item = world.item("A1")
    world.counts("materials")
    world.change("logistics/Items", item, Code="B1")
    assert world.counts("materials").updated == 1
    assert world.states("material") == {"B1": ("synced", None)}


def test_new_records_with_one_code_are_all_held(world: World) -> None:
    world.item("ab")
    world.item("AB")
    world.item("other")
    counts = world.counts("materials")
    assert (counts.held, counts.created) == (2, 1)
    held = world.rows(mirror, record="material", state="held")
    assert {row.reason for row in held} == {"duplicate_code"}
    assert {row.detail for row in held} == {"AB (Item AB), ab (Item ab)"}
    assert set(world.outsmart("materials")) == {"other"}


def test_of_records_with_one_code_the_one_that_is_in_outsmart_goes_on(world: World) -> None:
    first = world.item("ab")
    world.counts("materials")
    world.item("AB")
    world.change("logistics/Items", first, Description="Still here")
    counts = world.counts("materials")
    assert (counts.updated, counts.held) == (1, 1)
    (held,) = world.rows(mirror, record="material", state="held")
    assert held.detail == f"AB ({held.title}), ab (Still here)"
    assert {code: row["description"] for code, row in world.outsmart("materials").items()} == {"ab": "Still here"}


def test_a_duplicate_that_is_saved_again_stays_held(world: World) -> None:
    world.item("ab")
    second = world.item("AB")
    assert world.counts("materials").held == 2
    world.touch("logistics/Items", second)
    assert world.counts("materials").held == 1
    assert world.outsmart("materials") == {}


@pytest.mark.parametrize("how", ["other code", "deleted"])
def test_a_duplicate_goes_by_itself_once_the_code_is_its_own(world: World, how: str) -> None:
    first = world.item("ab")
    world.item("AB")
    assert world.counts("materials").held == 2
    if how == "deleted":
        world.delete("logistics/Items", first)
    else:
        world.change("logistics/Items", first, Code="other")
    world.counts("materials")
    world.counts("materials")
    assert set(world.outsmart("materials")) == ({"AB"} if how == "deleted" else {"other", "AB"})


def test_a_code_that_several_records_of_outsmart_have_is_held_until_one_is_left(world: World) -> None:
    world.material_by_hand("ab")
    world.material_by_hand("AB")
    world.item("ab")
    assert world.counts("materials").held == 1
    assert world.states("material")["ab"] in (("held", "duplicate_in_outsmart"), ("outsmart", None))
    world.remove_by_hand("materials", "AB")
    assert world.counts("materials", full=True).updated == 1
    assert {code: row["description"] for code, row in world.outsmart("materials").items()} == {"ab": "Item ab"}
    assert len(world.rows(mirror, record="material")) == 1


def test_a_record_made_anew_under_the_code_of_a_deleted_one_takes_over(world: World) -> None:
    old = world.item("X1", Description="old")
    world.counts("materials")
    world.delete("logistics/Items", old)
    world.item("X1", Description="new")
    world.counts("materials")
    assert world.outsmart("materials")["X1"]["description"] == "new"
    assert world.kept("material", "X1").source_gone_at is None


def test_a_record_made_anew_in_a_later_run_takes_over_too(world: World) -> None:
    old = world.item("X1", Description="old")
    world.counts("materials")
    world.delete("logistics/Items", old)
    assert world.counts("materials").deleted == 1
    world.item("X1", Description="new")
    assert world.counts("materials").updated == 1
    assert world.outsmart("materials")["X1"]["description"] == "new"


def test_a_duplicate_takes_the_place_of_the_one_that_kept_it_out(world: World) -> None:
    first = world.item("ab")
    world.price(first, 12.5)
    world.counts("materials")
    world.item("AB", Description="second")
    assert world.counts("materials").held == 1
    world.delete("logistics/Items", first)
    world.counts("materials")
    assert world.counts("materials").updated == 1
    there = world.outsmart("materials")
    assert set(there) == {"ab"}
    assert (there["ab"]["description"], there["ab"]["price"]) == ("second", "12,50")
    assert world.kept("material", "ab").title == "second"
    assert len(world.rows(mirror, record="material")) == 1


def test_records_made_anew_under_one_code_at_once_are_all_held_and_take_no_place(world: World) -> None:
    old = world.item("ab", Description="old")
    world.counts("materials")
    world.delete("logistics/Items", old)
    second, third = world.item("ab", Description="second"), world.item("AB", Description="third")
    for _ in range(2):
        assert world.counts("materials").held in (0, 2)
        assert {code: row["description"] for code, row in world.outsmart("materials").items()} == {"ab": "old"}
    world.touch("logistics/Items", second)
    assert world.counts("materials").held == 1
    world.delete("logistics/Items", third)
    world.counts("materials")
    world.counts("materials")
    assert {code: row["description"] for code, row in world.outsmart("materials").items()} == {"ab": "second"}


def test_a_deleted_record_that_never_came_to_outsmart_keeps_no_other_from_its_place(world: World) -> None:
    first = world.item("ab", Description="first")
    world.counts("materials")
    second = world.item("AB", Description="second")
    assert world.counts("materials").held == 1
    world.delete("logistics/Items", first, second)
    world.counts("materials")
    world.item("Ab", Description="third")
    assert world.counts("materials").updated == 1
    assert {code: row["description"] for code, row in world.outsmart("materials").items()} == {"ab": "third"}


def test_a_changed_code_is_held_even_before_the_first_delivery_of_a_record_that_outsmart_has(world: World) -> None:
    account = world.account("100", City=None)
    world.relation_by_hand("100", city="")
    assert world.counts("relations").rejected == 1
    world.change("crm/Accounts", account, Code="200", City="Delft")
    assert world.counts("relations").held == 1
    assert world.states("relation")["100"] == ("held", "code_changed")
    assert {code: row["name"] for code, row in world.outsmart("relations").items()} == {"100": "By hand 100"}


def test_a_twin_made_in_outsmart_does_not_take_the_link_of_the_record_we_brought(world: World) -> None:
    world.item("abc")
    world.counts("materials")
    world.material_by_hand("ABC", description="hand")
    world.counts("materials", full=True)
    assert world.kept("material", "abc").provider_id
    assert not world.kept("material", "ABC").provider_id


def test_a_full_run_brings_back_what_was_edited_in_outsmart(world: World) -> None:
    world.price(world.item("A1"), 5)
    world.item("B1")
    world.counts("materials")
    world.material_by_hand("A1", price="99", unit="pc", description="edited")
    counts = world.counts("materials", full=True)
    assert (counts.updated, counts.unchanged) == (1, 1)
    assert world.outsmart("materials")["A1"] == {"code": "A1", "description": "Item A1", "price": "5,00", "unit": "pc"}


def test_what_somebody_added_in_a_field_that_the_package_does_not_fill_stays(world: World) -> None:
    world.item("A1")
    world.counts("materials")
    world.by_hand("materials", code="A1", note="handle with care", freefield1="x")
    assert world.counts("materials", full=True).unchanged == 1
    there = world.outsmart("materials")["A1"]
    assert (there["note"], there["freefield1"]) == ("handle with care", "x")


@pytest.mark.parametrize("number", ["5", "5,0", "5.00", "5,000"])
def test_a_number_that_is_written_otherwise_is_the_same_number(sqlite_world: World, number: str) -> None:
    sqlite_world.material_by_hand("A1", description="Item A1", unit="pc", price=number)
    sqlite_world.price(sqlite_world.item("A1"), 5)
    assert sqlite_world.counts("materials").unchanged == 1


@pytest.mark.parametrize("full", [False, True], ids=["incremental", "full"])
def test_matching_twice_gives_the_same(world: World, *, full: bool) -> None:
    world.material_by_hand("A1")
    first = world.item("A1")
    for code in ("ab", "AB", "new", "same"):
        world.item(code)
    world.counts("materials")
    world.change("logistics/Items", first, Description="Changed")
    work = world.work("materials", full=full)
    work.judged()
    before = work.decisions()
    work.match()
    assert work.decisions() == before


def test_two_categories_of_items_do_not_mind_each_others_codes(world: World) -> None:
    world.item("x1")
    world.labour("X1")
    result: dict[str, Any] = world.sync()
    assert [result[name].counts.created for name in ("materials", "hour_types")] == [1, 1]
