"""Records that are deleted in the package, or out of use there: what becomes of OutSmart's flag."""

from __future__ import annotations

import pytest

from outsmart_sync.store.tables import mirror, record_log
from pipeline.world import World, day

RELATIONS = "relations"


@pytest.fixture
def tidy(world: World) -> World:
    """A world in which what is deleted becomes inactive."""
    world.settings(relations={"deactivate_removed": True}, hour_types={"deactivate_removed": True})
    return world


def active(world: World, code: str, entity: str = "relations") -> str:
    return world.outsmart(entity)[code]["active"]


def test_without_the_switch_a_deletion_is_only_noted(world: World) -> None:
    account = world.account("100")
    world.counts(RELATIONS)
    world.delete("crm/Accounts", account)
    world.forget_calls()
    assert world.counts(RELATIONS).deleted == 1
    assert (active(world, "100"), world.writes()) == ("1", [])


def test_what_was_deleted_becomes_inactive_with_one_update_once(tidy: World) -> None:
    account = tidy.account("100")
    tidy.account("200")
    tidy.counts(RELATIONS)
    tidy.by_hand("relations", debtor_number="100", phone_number="edited")
    tidy.delete("crm/Accounts", account)
    tidy.forget_calls()
    assert tidy.counts(RELATIONS).deleted == 1
    assert (active(tidy, "100"), active(tidy, "200"), len(tidy.writes())) == ("0", "1", 1)
    assert tidy.outsmart("relations")["100"]["phone_number"] == "edited"
    for full in (False, True, True):
        tidy.counts(RELATIONS, full=full)
    assert len(tidy.writes()) == 1
    (line,) = tidy.rows(record_log, event="deactivated")
    assert (line.code, line.changes) == ("100", '{"active":[true,false]}')
    assert len(tidy.rows(record_log, event="deleted", record="relation")) == 1
    assert tidy.kept("relation", "100").source_gone_at is not None


def test_an_hour_type_becomes_inactive_too(tidy: World) -> None:
    item = tidy.labour("H1")
    tidy.counts("hour_types")
    tidy.delete("logistics/Items", item)
    tidy.counts("hour_types")
    assert active(tidy, "H1", "hourtypes") == "0"


def test_what_is_missing_in_a_full_run_becomes_inactive(tidy: World) -> None:
    account = tidy.account("100")
    tidy.account("200")
    tidy.counts(RELATIONS)
    tidy.delete("crm/Accounts", account)
    assert tidy.counts(RELATIONS, full=True).deleted == 1
    assert active(tidy, "100") == "0"


@pytest.mark.parametrize("follow", [True, False], ids=["following", "not following"])
@pytest.mark.parametrize("full", [False, True], ids=["incremental", "full"])
def test_one_that_comes_back_under_its_code_is_made_active_again(tidy: World, *, follow: bool, full: bool) -> None:
    tidy.settings(relations={"follow_inactive": follow})
    account = tidy.account("100")
    tidy.counts(RELATIONS)
    tidy.delete("crm/Accounts", account)
    tidy.counts(RELATIONS)
    assert active(tidy, "100") == "0"
    tidy.account("100")
    counts = tidy.counts(RELATIONS, full=full)
    assert (counts.updated, counts.edited, active(tidy, "100")) == (1, 0, "1")
    tidy.forget_calls()
    assert tidy.counts(RELATIONS, full=True).unchanged == 1
    assert (tidy.writes(), len(tidy.rows(mirror, record="relation"))) == ([], 1)


@pytest.mark.parametrize("follow", [True, False], ids=["following", "not following"])
def test_one_that_comes_back_under_its_id_is_made_active_again(tidy: World, *, follow: bool) -> None:
    tidy.settings(hour_types={"follow_inactive": follow})
    item = tidy.labour("H1")
    tidy.counts("hour_types")
    tidy.change("logistics/Items", item, IsTime=0, IsSalesItem=False)  # no item of the category: it is left alone
    tidy.counts("hour_types")
    assert active(tidy, "H1", "hourtypes") == "1"
    tidy.delete("logistics/Items", item)
    tidy.counts("hour_types")
    assert active(tidy, "H1", "hourtypes") == "0"
    tidy._add("logistics/Items", {"ID": item, "Code": "H1", "Description": "Item H1", "Unit": "pc", "IsTime": 1})
    assert tidy.counts("hour_types").updated == 1
    assert active(tidy, "H1", "hourtypes") == "1"
    assert tidy.counts("hour_types", full=True).unchanged == 1


def test_one_that_comes_back_out_of_its_dates_stays_inactive(tidy: World) -> None:
    account = tidy.account("100")
    tidy.counts(RELATIONS)
    tidy.delete("crm/Accounts", account)
    tidy.counts(RELATIONS)
    tidy.account("100", EndDate=day(tidy.work_day(-1)))
    tidy.counts(RELATIONS)
    assert active(tidy, "100") == "0"


def test_what_we_never_brought_is_left_alone(tidy: World) -> None:
    tidy.relation_by_hand("100", city="")
    account = tidy.account("100", City=None)
    assert tidy.counts(RELATIONS).rejected == 1
    tidy.delete("crm/Accounts", account)
    tidy.forget_calls()
    tidy.counts(RELATIONS)
    assert (active(tidy, "100"), tidy.writes()) == ("1", [])


def test_one_that_somebody_made_inactive_already_costs_no_call(tidy: World) -> None:
    account = tidy.account("100")
    tidy.counts(RELATIONS)
    tidy.by_hand("relations", debtor_number="100", active="0")
    tidy.delete("crm/Accounts", account)
    tidy.forget_calls()
    tidy.counts(RELATIONS, full=True)
    assert (tidy.writes(), tidy.rows(record_log, event="deactivated")) == ([], [])


def test_a_refusal_is_told_and_stops_nothing(tidy: World) -> None:
    first, second = tidy.account("100"), tidy.account("200")
    tidy.counts(RELATIONS)
    tidy.by_hand("relations", debtor_number="100", city="")
    tidy.counts(RELATIONS, full=True, preview=True)  # so OutSmart's empty city is known
    tidy.delete("crm/Accounts", first, second)
    assert tidy.counts(RELATIONS).deleted == 2
    assert active(tidy, "200") == "0"
    (line,) = tidy.rows(record_log, event="rejected")
    assert (line.code, line.reason) == ("100", "refused")


def test_a_step_that_is_run_again_after_it_wrote_logs_once(tidy: World) -> None:
    account = tidy.account("100")
    tidy.counts(RELATIONS)
    tidy.delete("crm/Accounts", account)
    work = tidy.work(RELATIONS)
    work.judged()
    work.upsert()
    work.upsert()
    assert len(tidy.rows(record_log, event="deactivated")) == 1


def test_blocked_and_ended_ones_become_inactive_unless_that_is_switched_off(world: World) -> None:
    first, second = world.account("100"), world.account("200")
    world.counts(RELATIONS)
    world.settings(relations={"follow_inactive": False})
    world.forget_calls()
    assert world.counts(RELATIONS).updated == 0
    world.change("crm/Accounts", first, Blocked=True)
    world.change("crm/Accounts", second, EndDate=day(world.work_day(-1)), Name="New name")
    world.counts(RELATIONS)
    assert (active(world, "100"), active(world, "200")) == ("1", "1")
    assert world.outsmart("relations")["200"]["name"] == "New name"
    world.settings(relations={"follow_inactive": True})
    assert world.counts(RELATIONS).updated == 2
    assert (active(world, "100"), active(world, "200")) == ("0", "0")


def test_switched_off_the_flag_that_somebody_set_in_outsmart_stays(world: World) -> None:
    account = world.account("100")
    world.settings(relations={"follow_inactive": False})
    world.counts(RELATIONS)
    world.by_hand("relations", debtor_number="100", active="0")
    world.change("crm/Accounts", account, Name="New name")
    world.counts(RELATIONS)
    assert world.counts(RELATIONS, full=True).unchanged == 1
    assert active(world, "100") == "0"


def test_switching_it_back_and_forth_writes_nothing_where_nothing_differs(world: World) -> None:
    world.account("100")
    world.labour("H1")
    world.sync()
    world.forget_calls()
    for follow in (False, True):
        world.settings(relations={"follow_inactive": follow}, hour_types={"follow_inactive": follow})
        world.sync()
    assert world.writes() == []


def test_a_new_record_has_the_flag_in_any_case(world: World) -> None:
    world.settings(relations={"follow_inactive": False, "include_blocked": True})
    world.account("100", Blocked=True)
    world.account("200")
    world.counts(RELATIONS)
    assert (active(world, "100"), active(world, "200")) == ("0", "1")
    assert world.counts(RELATIONS, full=True).unchanged == 2


def remarks(world: World, code: str) -> list[str]:
    """What the log says, in order, about the use of a record for which OutSmart has no flag."""
    return [line.event for line in world.rows(record_log, code=code) if line.event in ("out_of_use", "in_use_again")]


def test_a_material_that_ended_is_remarked_once_and_again_when_it_is_back(world: World) -> None:
    world.item("M1", EndDate=day(world.work_day(1)))
    item = world.item("M2")
    world.counts("materials")
    assert (remarks(world, "M1"), remarks(world, "M2")) == ([], [])
    note = world.outsmart("materials")["M1"].get("note")
    world.work("materials", today=world.work_day(2)).through()  # the package says nothing: the calendar alone
    assert remarks(world, "M1") == ["out_of_use"]
    world.change("logistics/Items", item, EndDate=day(world.work_day(-5)))
    world.counts("materials")
    assert remarks(world, "M2") == ["out_of_use"]
    world.counts("materials", full=True)
    assert remarks(world, "M2") == ["out_of_use"]
    world.change("logistics/Items", item, EndDate=None)
    world.counts("materials")
    world.counts("materials", full=True)
    assert remarks(world, "M2") == ["out_of_use", "in_use_again"]
    assert world.outsmart("materials")["M1"].get("note") == note
    (line,) = world.rows(record_log, code="M1", event="out_of_use")
    assert line.reason == "out_of_use"


def test_remarks_can_be_switched_off_and_then_contacts_have_none_either(world: World) -> None:
    world.settings(materials={"follow_inactive": False}, relations={"follow_inactive": False})
    item, account = world.item("M1"), world.account("100")
    contact = world.contact(account)
    world.counts("materials")
    world.counts(RELATIONS)
    world.change("logistics/Items", item, EndDate=day(world.work_day(-5)))
    world.change("crm/Contacts", contact, EndDate=day(world.work_day(-5)))
    world.counts("materials")
    world.counts(RELATIONS)
    assert world.rows(record_log, event="out_of_use") == []


def test_an_exact_project_that_is_closed_or_removed_becomes_inactive_where_that_is_on(world: World) -> None:
    on = {"enabled": True, "deactivate_removed": True, "start_date": "2026-01-01"}
    world.settings(licence="pro", project_planning=on)
    account = world.account("100")
    world.counts(RELATIONS)
    closed, removed, left = (world.project(code, account) for code in ("P1", "P2", "P3"))
    world.counts("project_planning")
    world.change("project/Projects", closed, BlockEntry=True)
    world.delete("project/Projects", removed)
    world.counts("project_planning")
    assert {code: row["active"] for code, row in world.outsmart("projects").items()} == {
        "P1": "0",
        "P2": "0",
        "P3": "1",
    }
    world.settings(project_planning={"follow_inactive": False})
    world.change("project/Projects", left, BlockEntry=True)
    world.counts("project_planning")
    assert world.outsmart("projects")["P3"]["active"] == "1"


def test_a_relation_that_ended_has_a_flag_and_needs_no_remark(world: World) -> None:
    world.account("100", EndDate=day(world.work_day(-1)))
    world.settings(relations={"include_inactive": True})
    world.counts(RELATIONS)
    assert (active(world, "100"), remarks(world, "100")) == ("0", [])
