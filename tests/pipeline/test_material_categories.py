"""Which material is in which category: links that wait for both, and go by themselves."""

from __future__ import annotations

from typing import Any

import pytest

from outsmart_sync.store.tables import mirror, record_log
from pipeline.world import World

CATEGORIES, MATERIALS = "categories", "materials"
ITEMS, GROUPS = "logistics/Items", "logistics/ItemGroups"
LINK = "material_category"


@pytest.fixture
def shop(world: World) -> World:
    world.settings(
        categories={"enabled": True}, materials={"enabled": True}, relations={"enabled": False},
        hour_types={"enabled": False},
    )  # fmt: skip
    return world


def link(world: World) -> Any:
    """The one link in the mirror that the package speaks of."""
    (row,) = [row for row in world.rows(mirror, record=LINK) if row.provider_id]
    return row


def run(world: World) -> None:
    """Categories, then materials, and once more as the next run does."""
    for name in (CATEGORIES, MATERIALS, CATEGORIES):
        world.counts(name)


def test_a_link_waits_for_its_material_and_goes_by_itself(shop: World) -> None:
    shop.item("A1", ItemGroup=shop.group("G1"))
    assert shop.counts(CATEGORIES).waiting == 1
    assert (link(shop).state, link(shop).reason, link(shop).detail) == ("waiting", "reference_missing", "material")
    assert CATEGORIES not in shop.poll()
    assert shop.counts(MATERIALS).created == 1
    assert CATEGORIES in shop.poll()
    assert shop.counts(CATEGORIES).created == 1
    assert shop.links() == {("A1", "G1")}


def test_a_link_of_a_material_that_outsmart_refuses_says_what_it_waits_for(shop: World) -> None:
    shop.item("A1", ItemGroup=shop.group("G1"), Barcode="x" * 60)
    run(shop)
    assert (link(shop).state, link(shop).detail) == ("waiting", "material A1")
    assert shop.links() == set()


def test_the_next_run_writes_nothing(shop: World) -> None:
    shop.item("A1", ItemGroup=shop.group("G1"))
    run(shop)
    shop.forget_calls()
    assert shop.poll() == []
    assert shop.counts(CATEGORIES).created == 0
    assert shop.counts(CATEGORIES, full=True).unchanged == 2
    assert shop.writes() == []


def test_a_poll_asks_for_the_items_once_for_both_categories(shop: World) -> None:
    shop.item("A1", ItemGroup=shop.group("G1"))
    run(shop)
    shop.forget_calls()
    shop.poll()
    assert [call["resource"] for call in shop.reads()].count("sync/Logistics/Items") == 1


@pytest.mark.parametrize(
    "other", [{"ItemGroup": None}, {"IsTime": 1}, {"IsSalesItem": False}], ids=["no group", "labour", "not for sale"]
)
def test_items_without_a_group_and_items_that_are_no_materials_have_no_link(shop: World, other: dict[str, Any]) -> None:
    shop.item("A1", **{"ItemGroup": shop.group("G1"), **other})
    run(shop)
    assert shop.rows(mirror, record=LINK) == []
    assert shop.links() == set()


def test_an_item_that_moves_gets_a_new_link_and_the_log_says_that_the_old_one_stays(shop: World) -> None:
    first, second = shop.group("G1"), shop.group("G2")
    item = shop.item("A1", ItemGroup=first)
    run(shop)
    shop.change(ITEMS, item, ItemGroup=second)
    assert shop.counts(CATEGORIES).updated == 1
    assert shop.links() == {("A1", "G1"), ("A1", "G2")}
    assert [row.detail for row in shop.rows(record_log, event="left")] == ["A1 | G1"]
    (told,) = shop.rows(record_log, event="updated", record=LINK)
    assert told.changes == '{"mct_cat_code":["G1","G2"]}'
    shop.forget_calls()
    assert shop.counts(CATEGORIES, full=True).unchanged == 3
    assert shop.writes() == []
    shop.change(ITEMS, item, ItemGroup=first)
    assert shop.counts(CATEGORIES).updated == 1
    shop.forget_calls()
    assert shop.counts(CATEGORIES, full=True).unchanged == 3
    assert shop.writes() == []


def test_an_item_that_leaves_all_groups_keeps_its_link_and_is_told_so(shop: World) -> None:
    item = shop.item("A1", ItemGroup=shop.group("G1"))
    run(shop)
    shop.change(ITEMS, item, ItemGroup=None)
    assert shop.counts(CATEGORIES).excluded == 1
    assert (link(shop).state, link(shop).reason) == ("excluded", "not_in_group")
    assert shop.links() == {("A1", "G1")}


def test_a_deleted_item_is_noted_and_its_link_stays(shop: World) -> None:
    item = shop.item("A1", ItemGroup=shop.group("G1"))
    run(shop)
    shop.delete(ITEMS, item)
    assert CATEGORIES in shop.poll()
    assert shop.counts(CATEGORIES).deleted == 1
    assert link(shop).source_gone_at is not None
    assert shop.links() == {("A1", "G1")}


def test_a_link_of_a_material_that_the_filter_leaves_out_comes_along_with_it(shop: World) -> None:
    shop.settings(materials={"item_groups": ["G2"]})
    shop.group("G2")
    shop.item("A1", ItemGroup=shop.group("G1"))
    run(shop)
    assert (link(shop).state, link(shop).reason, link(shop).detail) == ("excluded", "reference_left_out", "material A1")
    shop.settings(materials={"item_groups": ["G1", "G2"]})
    shop.counts(MATERIALS)
    assert CATEGORIES in shop.poll()
    assert shop.counts(CATEGORIES).created == 1
    assert shop.links() == {("A1", "G1")}


def test_a_link_that_outsmart_refuses_is_rejected_and_stops_no_other(shop: World) -> None:
    group = shop.group("G1")
    shop.item("A1", ItemGroup=group)
    shop.item("A2", ItemGroup=group)
    shop.counts(CATEGORIES)
    shop.counts(MATERIALS)
    shop.remove_by_hand("materials", "A1")
    counts = shop.counts(CATEGORIES)
    assert (counts.created, counts.rejected) == (1, 1)
    assert shop.links() == {("A2", "G1")}


def test_a_link_whose_answer_was_lost_is_there_once(quick_world: World) -> None:
    world = quick_world
    world.settings(categories={"enabled": True})
    world.item("A1", ItemGroup=world.group("G1"))
    world.counts(CATEGORIES)
    world.counts(MATERIALS)
    world.control.add_fault("reset", vendor="outsmart", path="material_categories", method="POST", times=1)
    world.counts(CATEGORIES)
    assert world.links() == {("A1", "G1")}
    assert link(world).state == "synced"


def test_one_category_by_its_code_brings_no_links(shop: World) -> None:
    shop.item("A1", ItemGroup=shop.group("G1"))
    shop.counts(MATERIALS)
    shop.forget_calls()
    assert shop.counts(CATEGORIES, codes=("G1",)).created == 1
    assert shop.links() == set()
    assert not shop.reads(path="Items")
