"""Filter: what stays out, and the first reason for it."""

from __future__ import annotations

from typing import Any

import pytest

from outsmart_sync.store.tables import mirror
from pipeline.world import World, day


def judged(world: World, **settings: Any) -> tuple[str, str | None]:
    """What the filter says about the one relation; ('None', None): it goes on."""
    if settings:
        world.settings(relations=settings)
    work = world.work("relations")
    work.extract()
    work.filter()
    return work.outcomes()["100"]


GOES_ON = ("None", None)


@pytest.mark.parametrize(
    ("row", "types", "outcome"),
    [
        pytest.param({"Status": "C"}, ["customer"], GOES_ON, id="customer"),
        pytest.param({"Status": "P"}, ["customer"], ("excluded", "type_not_chosen"), id="prospect left out"),
        pytest.param({"Status": "P"}, ["customer", "prospect"], GOES_ON, id="prospect chosen"),
        pytest.param({"Status": "S"}, ["suspect"], GOES_ON, id="suspect chosen"),
        pytest.param({"Status": "S"}, ["supplier"], ("excluded", "type_not_chosen"), id="a suspect is no supplier"),
        pytest.param({"Status": "C", "IsSupplier": True}, ["supplier"], GOES_ON, id="customer and supplier"),
        pytest.param({"Status": "P"}, [], GOES_ON, id="an empty choice keeps all"),
    ],
)
def test_a_relation_comes_in_by_its_type(
    sqlite_world: World, row: dict[str, Any], types: list[str], outcome: tuple[str, str | None]
) -> None:
    sqlite_world.account("100", **row)
    assert judged(sqlite_world, types=types) == outcome


def test_a_type_is_not_taken_for_another_that_begins_like_it(world: World) -> None:
    group = world.group("G1")
    world.item("A1", ItemGroup=group)
    world.group("G")
    world.settings(materials={"item_groups": ["G"]})
    assert world.work("materials").judged()["A1"] == ("excluded", "group_not_chosen")


def test_an_item_without_group_stays_out_when_groups_are_chosen(world: World) -> None:
    world.item("A1")
    world.item("B1", ItemGroup=world.group("G1"))
    world.settings(materials={"item_groups": ["G1"]})
    assert world.work("materials").judged() == {"A1": ("excluded", "group_not_chosen"), "B1": ("create", None)}


def unusable(world: World, kind: str) -> dict[str, Any]:
    return {
        "blocked": {"Blocked": True},
        "ended": {"EndDate": day(world.work_day(-1))},
        "not begun": {"StartDate": day(world.work_day(1))},
    }[kind]


KINDS = pytest.mark.parametrize(
    ("kind", "reason", "switch"),
    [
        ("blocked", "blocked", "include_blocked"),
        ("ended", "inactive", "include_inactive"),
        ("not begun", "inactive", "include_inactive"),
    ],
    ids=["blocked", "ended", "not begun"],
)


@KINDS
def test_a_relation_that_is_not_in_use_does_not_come_in(world: World, kind: str, reason: str, switch: str) -> None:
    world.account("100", **unusable(world, kind))
    assert world.counts("relations").excluded == 1
    assert world.states("relation") == {"100": ("excluded", reason)}


@KINDS
def test_a_switch_lets_it_in_as_inactive(sqlite_world: World, kind: str, reason: str, switch: str) -> None:
    sqlite_world.account("100", **unusable(sqlite_world, kind))
    sqlite_world.settings(relations={switch: True})
    assert sqlite_world.counts("relations").created == 1
    assert sqlite_world.outsmart("relations")["100"]["active"] == "0"


@KINDS
def test_one_that_we_brought_goes_on_and_becomes_inactive(world: World, kind: str, reason: str, switch: str) -> None:
    account = world.account("100")
    world.counts("relations")
    world.change("crm/Accounts", account, **unusable(world, kind))
    assert world.counts("relations").updated == 1
    assert world.outsmart("relations")["100"]["active"] == "0"


@KINDS
def test_one_that_outsmart_had_already_goes_on_and_becomes_inactive(
    sqlite_world: World, kind: str, reason: str, switch: str
) -> None:
    sqlite_world.relation_by_hand("100")
    sqlite_world.account("100", **unusable(sqlite_world, kind))
    assert sqlite_world.counts("relations").updated == 1
    assert sqlite_world.outsmart("relations")["100"]["active"] == "0"


def test_the_last_day_still_counts(sqlite_world: World) -> None:
    sqlite_world.account("100", StartDate=day(sqlite_world.today()), EndDate=day(sqlite_world.today()))
    assert judged(sqlite_world) == GOES_ON


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"Status": "P", "Blocked": True, "City": None}, "type_not_chosen"),
        ({"Blocked": True, "EndDate": "2001-01-01T00:00:00", "City": None}, "blocked"),
        ({"EndDate": "2001-01-01T00:00:00", "City": None}, "inactive"),
        ({"City": None}, "missing_field"),
    ],
    ids=["type", "blocked", "inactive", "problem"],
)
def test_the_first_rule_that_fits_is_the_reason(sqlite_world: World, row: dict[str, Any], reason: str) -> None:
    sqlite_world.account("100", **row)
    assert judged(sqlite_world)[1] == reason


def test_a_record_that_lacks_what_outsmart_needs_is_rejected_and_told_what(world: World) -> None:
    world.account("100", City=None, Postcode=None)
    world.account("200")
    counts = world.counts("relations")
    assert (counts.created, counts.rejected) == (1, 1)
    row = world.kept("relation", "100")
    assert (row.state, row.reason, row.detail) == ("rejected", "missing_field", "postcode, city")


def test_a_value_that_is_too_long_is_rejected_and_told_how_long_it_may_be(sqlite_world: World) -> None:
    sqlite_world.item("A1", Barcode="1" * 56)
    assert sqlite_world.counts("materials").rejected == 1
    row = sqlite_world.kept("material", "A1")
    assert (row.reason, row.detail) == ("too_long", "barcode (at most 55 characters)")


@pytest.mark.parametrize("brought", [True, False], ids=["brought by us", "found by its code"])
def test_what_outsmart_has_itself_is_not_missing(world: World, *, brought: bool) -> None:
    if brought:
        account = world.account("100")
        world.counts("relations")
        world.change("crm/Accounts", account, City=None, Name="Renamed")
    else:
        world.relation_by_hand("100", city="Delft")
        world.account("100", City=None, Name="Renamed")
    assert world.counts("relations").updated == 1
    there = world.outsmart("relations")["100"]
    assert (there["name"], there["city"]) == ("Renamed", "Delft")


def test_the_children_of_a_relation_that_is_left_out_are_left_out_and_name_it(world: World) -> None:
    account = world.account("100", Status="P")
    world.contact(account)
    world.counts("relations")
    (row,) = world.rows(mirror, record="contact_person")
    assert (row.state, row.reason, row.detail) == ("excluded", "parent_excluded", "100")


def test_a_child_that_changes_later_still_follows_its_relation_that_is_left_out(world: World) -> None:
    contact = world.contact(world.account("100", Status="P"))
    world.counts("relations")
    world.change("crm/Contacts", contact, LastName="Changed")
    counts = world.counts("relations")
    assert (counts.read, counts.excluded) == (1, 1)
    assert world.outsmart("contactpersons") == {}


def test_the_children_of_a_rejected_relation_wait_for_it_and_go_with_it(world: World) -> None:
    account = world.account("100", City=None)
    world.address(account)
    counts = world.counts("relations")
    assert (counts.rejected, counts.waiting) == (1, 1)
    (row,) = world.rows(mirror, record="address")
    assert (row.state, row.reason, row.detail) == ("waiting", "parent_open", "100")
    world.change("crm/Accounts", account, City="Delft")
    counts = world.counts("relations")
    assert (counts.read, counts.created) == (1, 2)


def test_a_child_of_a_relation_that_was_never_read_waits_until_it_is(world: World) -> None:
    account = world.account("100")
    world.counts("relations")
    contact = world.contact(account)
    with world.store.begin() as connection:
        connection.execute(mirror.delete())
    assert world.counts("relations").waiting == 1
    assert [reason for _, reason in world.states("contact_person").values()] == ["parent_missing"]
    world.touch("crm/Accounts", account)
    assert world.counts("relations").created >= 1
    assert [row["cpn_debtor_nr"] for row in world.outsmart("contactpersons").values()] == ["100"]
    assert contact


def test_a_child_goes_to_a_relation_that_outsmart_knows_by_code_only(world: World) -> None:
    world.relation_by_hand("100", city="")
    world.contact(world.account("100", City=None))
    counts = world.counts("relations")
    assert (counts.rejected, counts.created) == (1, 1)
    assert [row["cpn_debtor_nr"] for row in world.outsmart("contactpersons").values()] == ["100"]


def test_an_item_that_ended_while_its_group_was_left_out_does_not_come_in_with_the_group(world: World) -> None:
    group = world.group("G1")
    world.group("G2")
    item = world.item("A1", ItemGroup=group)
    world.settings(materials={"item_groups": ["G2"]})
    assert world.counts("materials").excluded == 1
    world.change("logistics/Items", item, EndDate=day(world.work_day(-2)))
    world.counts("materials")
    world.settings(materials={"item_groups": ["G1"]})
    world.counts("materials")
    assert world.outsmart("materials") == {}


def test_filtering_twice_gives_the_same(world: World) -> None:
    world.contact(world.account("100", Status="P"))
    world.address(world.account("200", City=None))
    world.contact(world.account("300"))
    work = world.work("relations")
    work.extract()
    work.filter()
    before = work.decisions()
    work.match()
    work.filter()
    assert work.decisions() == before
