"""Extract: pages, where they go on, what is judged again, what OutSmart holds."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from outsmart_sync.errors import VendorUnavailable
from outsmart_sync.records.values import decode
from outsmart_sync.store.tables import cursor, mirror
from pipeline.world import DIVISION, Work, World, day

PAGE = 1_000
"""Rows on a page of a sync stream."""


def many_accounts(world: World, number: int) -> list[str]:
    rows = [
        {"Code": str(code), "Name": f"Customer {code}", "Status": "C", "City": "Delft"} for code in range(1, number + 1)
    ]
    return list(world.control.add_exact(DIVISION, "crm/Accounts", *rows))


def interrupted(world: World) -> Work:
    """An extract of relations that stopped after its first page."""
    world.control.add_fault("status", vendor="exact", path="sync/CRM/Accounts", skip=1, times=3, status=503)
    work = world.work("relations")
    with pytest.raises(VendorUnavailable):
        work.extract()
    return work


def account_reads(world: World) -> int:
    return len(world.reads(path="sync/CRM/Accounts"))


def test_a_page_that_was_read_is_kept_when_the_next_one_fails(quick_world: World) -> None:
    many_accounts(quick_world, PAGE + 5)
    assert len(interrupted(quick_world).outcomes()) == PAGE


def test_an_interrupted_extract_goes_on_at_the_page_that_failed(quick_world: World) -> None:
    many_accounts(quick_world, 2 * PAGE + 5)
    work = interrupted(quick_world)
    quick_world.forget_calls()
    assert work.extract() == 2 * PAGE + 5
    assert account_reads(quick_world) == 2


def test_a_stream_that_was_read_to_its_end_is_not_read_again_when_a_later_one_failed(quick_world: World) -> None:
    quick_world.contact(quick_world.account("100"))
    quick_world.control.add_fault("status", vendor="exact", path="sync/CRM/Contacts", times=3, status=503)
    work = quick_world.work("relations")
    with pytest.raises(VendorUnavailable):
        work.extract()
    quick_world.forget_calls()
    assert work.extract() == 2
    assert account_reads(quick_world) == 0


def test_of_a_row_that_changed_between_two_pages_the_newest_counts(quick_world: World) -> None:
    first, *_ = many_accounts(quick_world, PAGE + 5)
    work = interrupted(quick_world)
    quick_world.change("crm/Accounts", first, Name="Renamed")
    assert work.extract() == PAGE + 5
    (row,) = [row for row in work.staged() if row.provider_id == first]
    assert decode(row.payload)["name"] == "Renamed"


def test_a_row_that_was_deleted_between_two_pages_is_gone(quick_world: World) -> None:
    first, *_ = many_accounts(quick_world, PAGE + 5)
    work = interrupted(quick_world)
    quick_world.delete("crm/Accounts", first)
    outcomes = work.judged()
    assert outcomes["1"] == ("deleted", "deleted_at_source")
    assert len(outcomes) == PAGE + 5


def test_a_finished_extract_that_is_run_again_begins_anew(world: World) -> None:
    account = world.account("100", Name="Before")
    work = world.work("relations")
    work.extract()
    world.change("crm/Accounts", account, Name="After")
    world.forget_calls()
    assert work.extract() == 1
    assert account_reads(world) == 1
    assert [decode(row.payload)["name"] for row in work.staged() if row.code] == ["After"]


def test_nothing_but_staging_changes_before_the_upsert(world: World) -> None:
    world.contact(world.account("100"))
    world.price(world.item("A1"), 5)
    before = world.everything(), world.cursors()
    for category in ("relations", "materials"):
        world.work(category).judged()
    assert (world.everything(), world.cursors()) == before


def test_an_incremental_run_reads_only_what_changed(world: World) -> None:
    world.account("100")
    second = world.account("200")
    world.counts("relations")
    world.change("crm/Accounts", second, Name="Renamed")
    counts = world.counts("relations")
    assert (counts.read, counts.updated) == (1, 1)


def test_a_full_run_reads_everything(world: World) -> None:
    world.account("100")
    world.account("200")
    world.counts("relations")
    counts = world.counts("relations", full=True)
    assert (counts.read, counts.unchanged) == (2, 2)


def test_cursors_older_than_the_package_keeps_deletions_are_not_trusted(world: World) -> None:
    world.account("100")
    world.counts("relations")
    with world.store.begin() as connection:
        connection.execute(update(cursor).values(moved_at=world.store.now() - timedelta(days=70)))
    assert world.counts("relations").read == 1
    assert world.counts("relations").read == 0


def test_a_full_read_that_ends_too_early_removes_nothing_and_is_read_again(quick_world: World) -> None:
    many_accounts(quick_world, PAGE + 5)
    quick_world.counts("relations")
    quick_world.control.add_fault("short", vendor="exact", path="sync/CRM/Accounts", times=1)
    work = quick_world.work("relations", full=True)
    with pytest.raises(VendorUnavailable, match="came to an end before all of it was there"):
        work.extract()
    assert {row.source_gone_at for row in quick_world.rows(mirror, record="relation")} == {None}
    quick_world.forget_calls()
    assert work.through().deleted == 0
    assert account_reads(quick_world) == 2


def test_what_is_gone_in_a_full_read_costs_one_call_to_be_sure(quick_world: World) -> None:
    gone = [quick_world.account(str(number)) for number in range(100, 130)]
    quick_world.account("200")
    quick_world.counts("relations")
    quick_world.control.shift_clock(-70 * 86_400)
    quick_world.delete("crm/Accounts", *gone)
    quick_world.control.reset_clock()
    quick_world.forget_calls()
    assert quick_world.counts("relations", full=True).deleted == 30
    assert len([call for call in quick_world.reads() if call["resource"] == "crm/Accounts"]) == 1


def test_a_deletion_does_not_touch_a_record_that_was_made_again_after_it(world: World) -> None:
    account = world.account("100")
    world.counts("relations")
    world.delete("crm/Accounts", account)
    world.account("100", ID=account, Name="Back")
    counts = world.counts("relations")
    assert (counts.deleted, counts.updated) == (0, 1)
    assert world.kept("relation", "100").source_gone_at is None


def test_a_deletion_of_something_unknown_is_passed_over(world: World) -> None:
    account = world.account("100")
    world.delete("crm/Accounts", account)
    assert world.counts("relations").deleted == 0
    assert world.rows(mirror) == []


def test_a_deletion_is_noted_once(world: World) -> None:
    account = world.account("100")
    world.counts("relations")
    world.delete("crm/Accounts", account)
    assert world.counts("relations").deleted == 1
    before = world.everything()
    assert world.counts("relations", full=True).deleted in (0, 1)
    assert world.everything() == before


def test_an_address_that_is_no_delivery_address_any_more_stays_out_when_rules_change(world: World) -> None:
    address = world.address(world.account("100"))
    world.counts("relations")
    world.change("crm/Addresses", address, Type=1)
    world.counts("relations")
    world.settings(relations={"types": ["customer", "supplier"]})
    world.counts("relations")
    (row,) = world.rows(mirror, record="address")
    assert (row.state, row.reason) == ("excluded", "not_delivery_address")


def test_other_rules_bring_in_what_was_left_out_without_reading_it_again(world: World) -> None:
    world.contact(world.account("100", Status="P"))
    assert world.counts("relations").excluded == 2
    world.settings(relations={"types": ["customer", "prospect"]})
    counts = world.counts("relations")
    assert (counts.read, counts.created) == (0, 2)


def test_other_rules_leave_out_what_came_in_and_change_nothing_in_outsmart(world: World) -> None:
    world.account("100")
    world.counts("relations")
    before = world.outsmart("relations")
    world.settings(relations={"types": ["supplier"]})
    assert world.counts("relations").excluded == 1
    assert world.states("relation") == {"100": ("excluded", "type_not_chosen")}
    assert world.outsmart("relations") == before


def test_the_calendar_ends_an_hour_type_without_any_news(world: World) -> None:
    world.labour("L1", EndDate=day(world.work_day(3)))
    world.counts("hour_types")
    assert world.work("hour_types", today=world.work_day(3)).through().updated == 0
    assert world.work("hour_types", today=world.work_day(4)).through().updated == 1
    assert world.outsmart("hourtypes")["L1"]["active"] == "0"


def test_the_calendar_brings_in_an_item_on_its_first_day(world: World) -> None:
    world.item("A1", StartDate=day(world.work_day(3)))
    assert world.counts("materials").excluded == 1
    assert world.work("materials", today=world.work_day(2)).extract() == 0
    assert world.work("materials", today=world.work_day(3)).through().created == 1


def test_a_changed_relation_takes_the_children_along_that_it_kept_out(world: World) -> None:
    account = world.account("100", Blocked=True)
    world.contact(account)
    world.address(account)
    assert world.counts("relations").excluded == 3
    world.change("crm/Accounts", account, Blocked=False)
    counts = world.counts("relations")
    assert (counts.read, counts.created) == (1, 3)


def test_outsmart_is_read_at_the_first_run_and_at_full_runs_only(world: World) -> None:
    world.account("100")
    reads = []
    for full in (False, False, True):
        world.forget_calls()
        world.sync("relations", full=full)
        reads.append(len(world.reads("outsmart")))
    assert reads == [3, 0, 3]


def test_what_a_preview_read_of_outsmart_is_read_again_by_the_first_run(world: World) -> None:
    world.account("100", Name="A")
    world.relation_by_hand("100", name="A")
    world.sync("relations", preview=True)
    world.relation_by_hand("100", name="edited")
    world.sync("relations")
    assert world.outsmart("relations")["100"]["name"] == "A"


def test_an_answer_of_outsmart_that_breaks_off_leaves_the_mirror_as_it_was(quick_world: World) -> None:
    for number in range(3):
        quick_world.relation_by_hand(f"H{number}")
    quick_world.counts("relations")
    before = quick_world.rows(mirror)
    quick_world.control.add_fault("truncate", vendor="outsmart", method="GET", path="relations", times=3)
    with pytest.raises(VendorUnavailable):
        quick_world.work("relations", full=True).extract()
    assert quick_world.rows(mirror) == before


def test_a_record_that_was_removed_in_outsmart_is_made_again_by_a_full_run(world: World) -> None:
    world.account("100")
    world.counts("relations")
    world.remove_by_hand("relations", "100")
    assert world.counts("relations").created == 0
    assert world.counts("relations", full=True).created == 1
    assert set(world.outsmart("relations")) == {"100"}


def test_a_record_that_only_outsmart_had_is_forgotten_with_it(world: World) -> None:
    world.relation_by_hand("H1")
    world.counts("relations")
    assert world.states("relation") == {"H1": ("outsmart", None)}
    world.remove_by_hand("relations", "H1")
    world.counts("relations", full=True)
    assert world.states("relation") == {}


def test_a_run_by_code_brings_that_record_with_its_children_and_moves_no_cursor(world: World) -> None:
    first = world.account("100")
    world.contact(first)
    world.account("200")
    before = world.cursors()
    counts = world.counts("relations", codes=("100",))
    assert (counts.read, counts.created) == (2, 2)
    assert set(world.outsmart("relations")) == {"100"}
    assert {key: value for key, value in world.cursors().items() if key[1] == "accounts"} == before
    assert world.counts("relations").created == 1


def test_a_run_by_a_code_that_nobody_has_does_nothing(world: World) -> None:
    world.account("100")
    assert world.counts("relations", codes=("999",)).read == 0
    assert world.outsmart("relations") == {}


def test_a_run_by_code_after_the_rules_changed_leaves_the_others_to_the_next_run(world: World) -> None:
    world.account("100", Status="P")
    world.account("200", Status="P")
    assert world.counts("relations").excluded == 2
    world.settings(relations={"types": ["prospect"]})
    assert world.counts("relations", codes=("100",)).created == 1
    assert world.counts("relations").created == 1
    assert set(world.outsmart("relations")) == {"100", "200"}
