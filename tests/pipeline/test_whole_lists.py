"""Lists without a list of changes: item groups and warehouses are read whole, and only when they are another."""

from __future__ import annotations

import pytest

from outsmart_sync.errors import InvalidSettings, VendorUnavailable
from outsmart_sync.records.exchange import DELETIONS
from outsmart_sync.store import cursors
from outsmart_sync.store.tables import mirror
from pipeline.world import World

CATEGORIES = "categories"
GROUPS = "logistics/ItemGroups"


@pytest.fixture
def groups(world: World) -> World:
    world.settings(
        categories={"enabled": True},
        relations={"enabled": False},
        materials={"enabled": False},
        hour_types={"enabled": False},
    )
    return world


def test_item_groups_become_categories(groups: World) -> None:
    groups.group("G1")
    groups.group("G2")
    counts = groups.counts(CATEGORIES)
    assert (counts.read, counts.created, counts.outsmart_calls) == (2, 2, 3)
    assert {code: record["cat_name"] for code, record in groups.outsmart("categories").items()} == {
        "G1": "Group G1",
        "G2": "Group G2",
    }


def test_a_category_that_outsmart_hides_stays_hidden(groups: World) -> None:
    groups.by_hand("categories", cat_code="G1", cat_name="Old name", cat_display="0")
    groups.group("G1")
    assert groups.counts(CATEGORIES).updated == 1
    assert groups.outsmart("categories")["G1"]["cat_display"] == "0"
    assert groups.outsmart("categories")["G1"]["cat_name"] == "Group G1"


def test_a_list_of_several_pages_is_read_whole(groups: World) -> None:
    for number in range(130):
        groups.group(f"G{number}")
    assert groups.counts(CATEGORIES).created == 130


def test_a_row_that_is_missing_in_the_list_is_noted_as_deleted_and_stays_in_outsmart(groups: World) -> None:
    groups.group("G1")
    gone = groups.group("G2")
    groups.counts(CATEGORIES)
    groups.delete(GROUPS, gone)
    counts = groups.counts(CATEGORIES)
    assert (counts.deleted, counts.created, counts.updated) == (1, 0, 0)
    assert set(groups.outsmart("categories")) == {"G1", "G2"}
    assert groups.kept("category", "G2").source_gone_at is not None
    assert groups.kept("category", "G1").source_gone_at is None


def test_a_run_by_code_calls_nothing_deleted(groups: World) -> None:
    groups.group("G1")
    groups.group("G2")
    groups.counts(CATEGORIES)
    assert groups.counts(CATEGORIES, codes=("G1",)).deleted == 0


def test_a_renamed_group_is_updated(groups: World) -> None:
    row = groups.group("G1")
    groups.counts(CATEGORIES)
    groups.change(GROUPS, row, Description="Pumps")
    assert groups.counts(CATEGORIES).updated == 1
    assert groups.outsmart("categories")["G1"]["cat_name"] == "Pumps"


def test_a_list_without_news_costs_one_call_and_keeps_no_cursor_for_deletions(groups: World) -> None:
    groups.settings(licence="pro", categories={"enabled": False}, warehouses={"enabled": True})
    groups.warehouse("W1")
    groups.counts("warehouses")
    with groups.store.read() as connection:
        assert DELETIONS not in cursors.read_all(connection, groups.connection.id, "warehouses")
    groups.forget_calls()
    assert groups.poll() == []
    assert [call["resource"] for call in groups.reads()] == ["inventory/Warehouses"]


@pytest.mark.parametrize("what", ["made", "changed", "deleted", "one made for one deleted"])
def test_every_difference_of_a_list_is_found(groups: World, what: str) -> None:
    row = groups.group("G1")
    groups.counts(CATEGORIES)
    if what == "changed":
        groups.change(GROUPS, row, Description="Pumps")
    if "made" in what:
        groups.group("G2")
    if "deleted" in what:
        groups.delete(GROUPS, row)
    assert groups.poll() == [CATEGORIES]


def test_a_list_that_is_cut_off_deletes_nothing(groups: World) -> None:
    for number in range(70):
        groups.group(f"G{number}")
    groups.counts(CATEGORIES)
    before = groups.rows(mirror, record="category")
    work = groups.work(CATEGORIES)
    source = work.doors.source
    stream = work.job.category.streams[0]
    first = next(iter(source.pages(work.job.category, stream, work.job.today, after=None, resume=None)))
    assert first.next_page is not None
    groups.delete(GROUPS, *[row.provider_id for row in before[:5]])
    with pytest.raises(VendorUnavailable, match="has changed while it was read"):
        list(source.pages(work.job.category, stream, work.job.today, after=first.cursor, resume=first.next_page))
    assert groups.rows(mirror, record="category") == before


def test_warehouses_need_the_licence_pro_and_come_with_their_id(world: World) -> None:
    with pytest.raises(InvalidSettings, match="licence 'pro'"):
        world.settings(warehouses={"enabled": True})
    world.settings(licence="pro", warehouses={"enabled": True})
    row = world.warehouse("W1")
    assert world.counts("warehouses").created == 1
    assert world.outsmart("warehouses")["W1"] == {
        "wse_code": "W1",
        "wse_description": "Warehouse W1",
        "wse_external_id": row,
    }


def test_a_renamed_warehouse_is_updated_and_what_is_the_same_is_left(world: World) -> None:
    world.settings(licence="pro", warehouses={"enabled": True})
    row = world.warehouse("W1")
    world.warehouse("W2")
    world.counts("warehouses")
    world.change("inventory/Warehouses", row, Description="Van of Anna")
    counts = world.counts("warehouses")
    assert (counts.updated, counts.unchanged, counts.created) == (1, 1, 0)
    assert world.outsmart("warehouses")["W1"]["wse_description"] == "Van of Anna"


def test_a_warehouse_without_a_code_is_rejected_and_one_that_is_gone_is_noted_and_stays(world: World) -> None:
    world.settings(licence="pro", warehouses={"enabled": True})
    gone = world.warehouse("W1")
    world.warehouse(" ")
    counts = world.counts("warehouses")
    assert (counts.created, counts.rejected) == (1, 1)
    world.delete("inventory/Warehouses", gone)
    assert world.counts("warehouses").deleted == 1
    assert set(world.outsmart("warehouses")) == {"W1"}
    assert world.kept("warehouse", "W1").source_gone_at is not None


def test_a_group_without_a_code_is_rejected_and_stops_no_other(groups: World) -> None:
    groups.group(" ")
    groups.group("G1")
    counts = groups.counts(CATEGORIES)
    assert (counts.rejected, counts.created) == (1, 1)
    assert [(row.state, row.reason) for row in groups.rows(mirror, record="category") if row.code != "G1"] == [
        ("rejected", "code_missing")
    ]
