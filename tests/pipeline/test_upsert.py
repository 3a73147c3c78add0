"""Upsert: what reaches OutSmart, what is kept of it, what it costs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from outsmart_sync.errors import VendorUnavailable
from outsmart_sync.store.tables import mirror, record_log
from pipeline.world import World, without_outsmart

REFUSAL: dict[str, Any] = {
    "vendor": "outsmart",
    "method": "POST",
    "status": 200,
    "body": {"code": 1300, "messages": ["No"], "response": None},
}
"""An answer with which OutSmart refuses a list."""


def refuse(world: World, path: str = "relations", times: int = 1) -> None:
    """Let OutSmart refuse so many lists."""
    world.control.add_fault("status", path=path, times=times, **REFUSAL)


def test_a_complete_record_arrives_with_all_its_values(world: World) -> None:
    account = world.account("100", Phone="010-1", Email="a@b.nl", Remarks="Ring twice", Country="NL", VATNumber="NL1")
    world.counts("relations")
    assert world.outsmart("relations")["100"] == {
        "debtor_number": "100",
        "name": "Customer 100",
        "street": "Kerkstraat 1",
        "house_number": "",
        "postal_code": "1234 AB",
        "city": "Delft",
        "country": "NL",
        "phone_number": "010-1",
        "email": "a@b.nl",
        "remark": "Ring twice",
        "vat_number": "NL1",
        "external_id": account,
        "active": "1",
    }


def test_a_field_that_outsmart_demands_and_the_package_lacks_keeps_outsmarts_value(world: World) -> None:
    world.by_hand("hourtypes", code="L1", name="Old", cost_booking="1", sale_booking="0", sale_price="55")
    world.labour("L1")
    world.counts("hour_types")
    there = world.outsmart("hourtypes")["L1"]
    assert [there[name] for name in ("name", "cost_booking", "sale_booking", "sale_price")] == [
        "Item L1",
        "1",
        "0",
        "55,00",
    ]


def test_a_new_record_gets_the_default_of_a_field_that_the_package_lacks(world: World) -> None:
    world.labour("L1")
    world.item("A1")
    world.sync()
    there = world.outsmart("hourtypes")["L1"]
    assert [there[name] for name in ("cost_booking", "sale_booking", "sale_price")] == ["0", "1", "0,00"]
    assert world.outsmart("materials")["A1"]["price"] == "0,00"


def test_an_empty_value_at_the_source_wipes_nothing(world: World) -> None:
    account = world.account("100", Phone="010-1")
    world.counts("relations")
    world.change("crm/Accounts", account, Phone=None, Name="Renamed")
    world.counts("relations")
    there = world.outsmart("relations")["100"]
    assert (there["name"], there["phone_number"]) == ("Renamed", "010-1")


def test_a_child_names_its_relation_as_outsmart_writes_the_code(world: World) -> None:
    world.relation_by_hand(" 100")
    world.contact(world.account("100"))
    world.counts("relations")
    assert set(world.outsmart("relations")) == {" 100"}
    assert [row["cpn_debtor_nr"].strip() for row in world.outsmart("contactpersons").values()] == ["100"]


def test_a_contact_person_moves_with_its_relation(world: World) -> None:
    first, second = world.account("100"), world.account("200")
    contact = world.contact(first)
    world.counts("relations")
    world.change("crm/Contacts", contact, Account=second)
    world.counts("relations")
    assert [row["cpn_debtor_nr"] for row in world.outsmart("contactpersons").values()] == ["200"]


def test_a_full_run_brings_back_a_contact_person_that_was_moved_in_outsmart(world: World) -> None:
    first = world.account("100")
    world.account("200")
    world.contact(first)
    world.counts("relations")
    (code,) = world.outsmart("contactpersons")
    world.by_hand("contactpersons", cpn_code=code, cpn_debtor_nr="200")
    world.counts("relations", full=True)
    assert [row["cpn_debtor_nr"] for row in world.outsmart("contactpersons").values()] == ["100"]


def test_a_refused_record_stops_none_of_the_others(world: World) -> None:
    for code in range(100, 110):
        world.account(str(code))
    refuse(world, times=4)  # all ten, the first five, the first two, the first one
    counts = world.counts("relations")
    assert (counts.created, counts.rejected) == (9, 1)
    (row,) = world.rows(mirror, state="rejected")
    assert row.reason == "refused"
    assert "No" in row.detail
    assert row.code not in world.outsmart("relations")


def test_a_refusal_is_in_the_log_with_its_reason(world: World) -> None:
    world.account("100")
    refuse(world)
    world.counts("relations")
    (line,) = world.rows(record_log)
    assert (line.event, line.reason, line.code) == ("rejected", "refused", "100")
    assert "No" in line.detail


def test_a_refused_record_is_not_sent_again_by_every_run(world: World) -> None:
    world.account("100")
    refuse(world)
    world.counts("relations")
    world.forget_calls()
    world.counts("relations")
    assert world.writes() == []


@pytest.mark.parametrize("how", ["changed", "full"])
def test_a_refused_record_is_sent_again_when_it_changed_and_by_a_full_run(world: World, how: str) -> None:
    account = world.account("100")
    refuse(world)
    world.counts("relations")
    if how == "changed":
        world.change("crm/Accounts", account, Name="Better")
    assert world.counts("relations", full=how == "full").created == 1
    assert world.states("relation") == {"100": ("synced", None)}


def test_a_record_that_was_refused_as_an_update_keeps_what_outsmart_has(world: World) -> None:
    account = world.account("100", Name="Before")
    world.counts("relations")
    world.change("crm/Accounts", account, Name="After")
    refuse(world)
    assert world.counts("relations").rejected == 1
    assert world.outsmart("relations")["100"]["name"] == "Before"
    assert world.counts("relations", full=True).updated == 1
    assert world.outsmart("relations")["100"]["name"] == "After"


def test_a_child_names_the_refused_parent_that_it_waits_for(world: World) -> None:
    world.contact(world.account("100"))
    refuse(world)
    assert world.counts("relations").waiting == 1
    (row,) = world.rows(mirror, record="contact_person")
    assert (row.state, row.reason, row.detail) == ("waiting", "parent_open", "100")


def test_a_waiting_child_goes_by_itself_once_its_parent_is_there(world: World) -> None:
    account = world.account("100")
    world.contact(account)
    refuse(world)
    world.counts("relations")
    world.change("crm/Accounts", account, Name="Better")
    counts = world.counts("relations")
    assert (counts.read, counts.created) == (1, 2)
    assert len(world.outsmart("contactpersons")) == 1


def test_an_update_is_logged_field_by_field(world: World) -> None:
    account = world.account("100", Name="Before", Phone="010-1")
    world.counts("relations")
    world.change("crm/Accounts", account, Name="After", City="Gouda")
    world.counts("relations")
    created, updated = world.rows(record_log)
    assert (created.event, created.changes) == ("created", None)
    assert (updated.event, updated.code) == ("updated", "100")
    assert json.loads(updated.changes) == {"name": ["Before", "After"], "city": ["Delft", "Gouda"]}


def test_a_record_that_is_left_out_is_logged_once(world: World) -> None:
    account = world.account("100", Status="P")
    world.counts("relations")
    world.touch("crm/Accounts", account)
    world.counts("relations")
    assert [(line.event, line.reason) for line in world.rows(record_log)] == [("excluded", "type_not_chosen")]


def test_the_mirror_knows_what_outsmart_holds(world: World) -> None:
    account = world.account("100")
    world.counts("relations")
    row = world.kept("relation", "100")
    assert (row.state, row.provider_id, row.delivered_hash) == ("synced", account, row.content_hash)
    assert json.loads(row.outsmart)["name"] == "Customer 100"


@pytest.mark.parametrize("step", ["extract", "filter", "match_by_code", "upsert"])
def test_cursors_move_only_when_everything_is_done(quick_world: World, step: str) -> None:
    world = quick_world
    world.account("100")
    world.counts("relations")
    before = world.cursors()
    world.account("200")
    work = world.work("relations")
    steps = {"extract": work.extract, "filter": work.filter, "match_by_code": work.match, "upsert": work.upsert}
    if step == "upsert":
        world.control.add_fault("reset", vendor="outsmart", method="POST", times=3)
    for name, run in steps.items():
        if name == step == "upsert":
            with pytest.raises(VendorUnavailable):
                run()
        else:
            run()
        assert world.cursors() == before
        if name == step:
            break
    world.counts("relations")
    after = world.cursors()
    assert after["relations", "accounts"] != before["relations", "accounts"]
    assert set(after) == set(before)


def test_an_upsert_that_is_run_again_goes_on_where_it_stopped(quick_world: World) -> None:
    for number in range(250):
        quick_world.account(str(1_000 + number))
    work = quick_world.work("relations")
    work.judged()
    quick_world.control.add_fault("status", vendor="outsmart", method="POST", skip=1, times=3, status=503)
    with pytest.raises(VendorUnavailable):
        work.upsert()
    assert len(quick_world.outsmart("relations")) == 200
    quick_world.forget_calls()
    assert work.upsert().created == 250
    assert len(quick_world.writes()) == 1
    assert len(quick_world.outsmart("relations")) == 250
    assert len(quick_world.rows(record_log)) == 250


def test_an_upsert_that_was_done_and_is_run_again_sends_nothing(world: World) -> None:
    world.account("100")
    work = world.work("relations")
    before = work.through(), world.cursors(), world.everything()
    world.forget_calls()
    assert (work.upsert(), world.cursors(), world.everything()) == before
    assert world.writes() == []


def test_a_record_that_was_executed_although_the_answer_was_lost_is_there_once(quick_world: World) -> None:
    quick_world.account("100")
    quick_world.control.add_fault("timeout_after", vendor="outsmart", method="POST", seconds=0.01, times=3)
    assert quick_world.sync("relations")["relations"].error_code
    assert set(quick_world.outsmart("relations")) == {"100"}
    counts = quick_world.counts("relations")
    assert (counts.created, counts.unchanged) == (0, 1)
    assert set(quick_world.outsmart("relations")) == {"100"}


def test_a_second_run_writes_nothing(world: World) -> None:
    world.contact(world.account("100"))
    world.account("200", City=None)
    world.account("300", Status="P")
    world.price(world.item("A1"), 5)
    world.item("a1")
    world.sync()
    before = world.everything(), world.cursors()
    world.forget_calls()
    world.sync()
    assert (world.everything(), world.cursors()) == before
    assert world.control.calls(vendor="outsmart") == []


def test_rows_that_were_saved_unchanged_cost_no_write(world: World) -> None:
    account = world.account("100")
    contact = world.contact(account)
    world.sync()
    before = world.everything()
    world.touch("crm/Accounts", account)
    world.touch("crm/Contacts", contact)
    world.forget_calls()
    assert world.counts("relations").unchanged == 2
    assert world.everything() == before
    assert world.writes() == []


def test_a_full_run_of_unchanged_data_writes_nothing(world: World) -> None:
    world.contact(world.account("100"))
    world.account("200", City=None)
    world.account("300", Status="P")
    world.price(world.item("A1"), 5)
    world.labour("L1")
    world.sync()
    before = world.everything()
    world.forget_calls()
    world.sync(full=True)
    assert world.everything() == before
    assert world.writes() == []


def test_a_preview_shows_the_figures_and_changes_nothing(world: World) -> None:
    account = world.account("100")
    world.sync("relations")
    world.change("crm/Accounts", account, Name="Renamed")
    world.account("200")
    before = world.everything(), world.cursors(), world.outsmart("relations")
    result = world.sync("relations", preview=True)["relations"]
    assert (result.state, result.counts.updated, result.counts.created) == ("previewed", 1, 1)
    assert (world.everything(), world.cursors(), world.outsmart("relations")) == before


def test_without_an_outsmart_account_everything_ends_in_the_mirror_and_goes_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = without_outsmart(monkeypatch)
    world.contact(world.account("100"))
    world.account("200", City=None)
    counts = world.counts("relations")
    assert (counts.created, counts.rejected) == (2, 1)
    assert world.counts("relations").read == 0
    monkeypatch.setenv("AIRFLOW_CONN_OUTSMART_DEFAULT", account)
    counts = world.counts("relations")
    assert (counts.read, counts.created) == (0, 2)
    assert (set(world.outsmart("relations")), len(world.outsmart("contactpersons"))) == ({"100"}, 1)


def test_without_an_outsmart_account_a_second_run_writes_nothing_either(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_outsmart(monkeypatch)
    world.contact(world.account("100"))
    world.price(world.item("A1"), 5)
    world.sync()
    before = world.everything()
    world.sync()
    world.sync(full=True)
    assert world.everything() == before
