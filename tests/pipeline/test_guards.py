"""The guard at first contact: a code alone does not make one record of two firms."""

from __future__ import annotations

from typing import Any

import pytest

from outsmart_sync.pipeline.guards import are_two_firms
from outsmart_sync.records.relation import RELATION
from outsmart_sync.services import links
from outsmart_sync.store.tables import mirror, record_log
from pipeline.world import World, without_outsmart

RELATIONS = "relations"
ELSEWHERE = {"name": "Bakker B.V.", "postal_code": "9999 XX", "city": "Assen"}
"""Another name, postcode and city than those of the accounts in these tests."""


def differ(ours: dict[str, Any], theirs: dict[str, Any]) -> bool:
    assert RELATION.identity is not None
    return are_two_firms(RELATION.identity, ours, theirs)


@pytest.mark.parametrize(
    ("ours", "theirs", "two"),
    [
        ("NL123456789B01", "nl 1234.56.789.b01", False),
        ("NL123456789B01", "123456789B01", False),
        ("BE0123456789", "BE 123.456.789", False),
        ("BE0123456789", "0123 456 789", False),
        ("FRAB123456789", "AB123456789", False),
        ("ESB12345678", "B12345678", False),
        ("NL123456789B01", "NL123456789B02", True),
        ("NL123456789B01", "BE123456789B01", True),
        ("NL123456789B01", "987654321B01", True),
        ("NL123456789B01", " . ", False),
    ],
)
@pytest.mark.parametrize("field", ["vat_number", "kvk_number"])
def test_numbers_are_compared_without_what_makes_no_difference(
    field: str, ours: str, theirs: str, *, two: bool
) -> None:
    assert differ({field: ours}, {field: theirs}) is two
    assert differ({field: theirs}, {field: ours}) is two


OURS = {"name": "Café Jansen B.V.", "postal_code": "1234 AB", "city": "Delft"}


@pytest.mark.parametrize(
    ("theirs", "two"),
    [
        ({"name": "Bakker", "postal_code": "9999XX", "city": "Assen"}, True),
        ({"name": "cafe jansen bv", "postal_code": "9999XX", "city": "Assen"}, False),
        ({"name": "Bakker", "postal_code": "1234ab", "city": "Assen"}, False),
        ({"name": "Bakker", "postal_code": "9999XX", "city": "DELFT"}, False),
        ({"name": "Bakker", "city": "Assen"}, False),
        ({"name": "Bakker", "postal_code": "9999XX", "city": "-"}, False),
        ({}, False),
    ],
)
def test_name_postcode_and_city_speak_of_two_firms_only_where_all_of_them_are_filled_and_differ(
    theirs: dict[str, Any], *, two: bool
) -> None:
    assert differ(OURS, theirs) is two


def test_a_number_that_both_have_outweighs_a_move_and_a_new_name() -> None:
    theirs = {"name": "Bakker", "postal_code": "9999XX", "city": "Assen", "kvk_number": "12345678"}
    assert differ(OURS, theirs)
    assert not differ(OURS | {"kvk_number": "1234 5678"}, theirs)


def test_two_firms_with_one_code_are_held_with_what_outsmart_has_and_nothing_is_written(world: World) -> None:
    world.relation_by_hand("100", **ELSEWHERE)
    account = world.account("100")
    world.contact(account)
    world.account("200")
    counts = world.counts(RELATIONS)
    assert (counts.created, counts.updated, counts.held, counts.waiting) == (1, 0, 1, 1)
    assert world.outsmart("relations")["100"]["name"] == "Bakker B.V."
    assert world.outsmart("contactpersons") == {}
    held = next(row for row in world.rows(mirror, record="relation", state="held"))
    assert (held.code, held.reason, held.detail) == ("100", "two_firms", "100, Bakker B.V., Assen")
    assert held.outsmart is None
    (line,) = world.rows(record_log, event="held")
    assert (line.code, line.reason) == ("100", "two_firms")


def test_other_numbers_are_two_firms_whatever_the_address(world: World) -> None:
    world.relation_by_hand("100", vat_number="NL999999999B01")
    world.account("100", VATNumber="NL123456782B90")
    assert world.work(RELATIONS).judged()["100"] == ("held", "two_firms")


def test_held_ones_stay_held_through_later_and_full_runs_and_say_so_once(world: World) -> None:
    world.relation_by_hand("100", **ELSEWHERE)
    account = world.account("100")
    assert world.counts(RELATIONS).held == 1
    for full in (False, True, True):
        world.touch("crm/Accounts", account)
        assert world.counts(RELATIONS, full=full).held == 1
    assert len(world.rows(mirror, record="relation")) == 2
    assert len(world.rows(record_log, event="held")) == 1
    assert world.outsmart("relations")["100"]["name"] == "Bakker B.V."
    assert RELATIONS not in world.poll()


def test_what_was_linked_before_is_not_looked_at_again(world: World) -> None:
    account = world.account("100")
    world.counts(RELATIONS)
    world.change("crm/Accounts", account, Name="Bakker B.V.", Postcode="9999 XX", City="Assen")
    assert world.counts(RELATIONS).updated == 1
    world.relation_by_hand("100", name="Somebody", postal_code="5555 EE", city="Oss")
    assert world.counts(RELATIONS, full=True).updated == 1


def test_switched_off_everything_goes_on_and_what_was_held_too(world: World) -> None:
    world.relation_by_hand("100", **ELSEWHERE)
    world.account("100")
    assert world.counts(RELATIONS).held == 1
    world.settings(relations={"hold_two_firms": False})
    assert world.counts(RELATIONS).updated == 1
    assert world.outsmart("relations")["100"]["name"] == "Customer 100"
    assert len(world.rows(mirror, record="relation")) == 1


@pytest.mark.parametrize("mended", ["in the package", "in outsmart", "other code", "removed there"])
def test_a_held_one_goes_by_itself_once_it_is_mended(world: World, mended: str) -> None:
    world.relation_by_hand("100", **ELSEWHERE)
    account = world.account("100")
    assert world.counts(RELATIONS).held == 1
    if mended == "in the package":
        world.change("crm/Accounts", account, City="Assen")
    elif mended == "in outsmart":
        world.relation_by_hand("100")
    elif mended == "other code":
        world.change("crm/Accounts", account, Code="300")
    else:
        world.remove_by_hand("relations", "100")
    world.counts(RELATIONS, full=mended in ("in outsmart", "removed there"))
    world.counts(RELATIONS)
    there = world.outsmart("relations")
    assert there["300" if mended == "other code" else "100"]["name"] == "Customer 100"
    assert world.rows(mirror, record="relation", state="held") == []
    assert ("100" in there and there["100"]["name"] == "Bakker B.V.") == (mended == "other code")


def test_one_that_was_held_and_is_alone_now_needs_no_full_run_of_its_own(world: World) -> None:
    world.relation_by_hand("100", **ELSEWHERE)
    world.account("100")
    world.counts(RELATIONS)
    with world.store.begin() as connection:  # as if another category's run had read OutSmart without it
        connection.execute(mirror.delete().where(mirror.c.provider_id.is_(None)))
    assert RELATIONS in world.poll()
    assert world.counts(RELATIONS).created == 1


def test_a_customer_of_an_excluded_type_does_not_lend_its_contacts_to_another_firm(world: World) -> None:
    world.relation_by_hand("100", **ELSEWHERE)
    account = world.account("100", Status="S")
    world.contact(account)
    for full in (False, True):
        counts = world.counts(RELATIONS, full=full)
        assert (counts.created, counts.updated) == (0, 0)
    assert world.outsmart("contactpersons") == {}


def test_nor_when_outsmart_is_read_for_the_sake_of_another_relation(world: World) -> None:
    world.relation_by_hand("100", **ELSEWHERE)
    contact = world.contact(world.account("100", Status="S"))
    world.account("200")
    world.counts(RELATIONS)
    world.counts(RELATIONS, full=True, codes=("200",))
    world.touch("crm/Contacts", contact)
    world.counts(RELATIONS)
    assert world.outsmart("contactpersons") == {}


def test_a_rejected_one_is_held_once_it_is_complete(world: World) -> None:
    world.relation_by_hand("100", **ELSEWHERE, vat_number="NL999999999B01")
    account = world.account("100", VATNumber="NL123456782B90", AddressLine1="x", Remarks="y" * 70_000)
    assert world.counts(RELATIONS).rejected == 1
    assert world.counts(RELATIONS, full=True).rejected == 1
    world.change("crm/Accounts", account, Remarks="short")
    assert world.counts(RELATIONS).held == 1
    assert world.outsmart("relations")["100"]["name"] == "Bakker B.V."


def test_a_number_that_is_used_again_for_another_firm_does_not_take_the_place_of_the_deleted_one(world: World) -> None:
    old = world.account("100")
    world.counts(RELATIONS)
    world.delete("crm/Accounts", old)
    world.counts(RELATIONS)
    world.account("100", Name="Bakker B.V.", Postcode="9999 XX", City="Assen")
    assert world.counts(RELATIONS).held == 1
    assert world.outsmart("relations")["100"]["name"] == "Customer 100"


def test_an_account_that_is_configured_later_is_guarded_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    account = without_outsmart(monkeypatch)
    world.relation_by_hand("100", **ELSEWHERE)
    world.relation_by_hand("200")
    first = world.account("100")
    world.contact(first)
    world.account("200")
    assert world.counts(RELATIONS).created == 3
    monkeypatch.setenv("AIRFLOW_CONN_OUTSMART_DEFAULT", account)
    counts = world.counts(RELATIONS)
    assert (counts.held, counts.updated, counts.created) == (1, 1, 0)
    there = world.outsmart("relations")
    assert (there["100"]["name"], there["200"]["name"]) == ("Bakker B.V.", "Customer 200")
    assert world.outsmart("contactpersons") == {}


def test_matching_again_after_something_was_held_gives_the_same(world: World) -> None:
    world.relation_by_hand("100", **ELSEWHERE)
    world.account("100")
    world.account("200")
    work = world.work(RELATIONS)
    work.judged()
    before = work.decisions()
    work.match()
    assert work.decisions() == before


def test_other_records_have_no_firm_and_go_by_their_code(world: World) -> None:
    world.material_by_hand("A1")
    world.item("A1")
    assert world.counts("materials").updated == 1


# What a full run says before it writes.


def edited_lines(world: World) -> dict[str, Any]:
    return {row.code: row.changes for row in world.rows(record_log, event="edited")}


@pytest.mark.parametrize("preview", [False, True], ids=["run", "preview"])
def test_a_full_run_says_first_what_was_edited_in_outsmart(
    world: World, caplog: pytest.LogCaptureFixture, *, preview: bool
) -> None:
    for code in ("A1", "B1", "C1"):
        world.price(world.item(code), 5)
    changed = world.item("D1")
    world.counts("materials")
    world.material_by_hand("A1", price="99", unit="pc", description="edited")
    world.material_by_hand("B1", price="5", unit="pc", description="Item B1", note="kept")
    world.change("logistics/Items", changed, Description="Changed")
    result = world.sync("materials", full=True, preview=preview)["materials"]
    assert (result.counts.edited, result.counts.updated) == (1, 2)
    assert edited_lines(world) == {"A1": '{"description":["edited","Item A1"],"price":["99","5"]}'}
    assert "material A1 (description, price)" in caplog.text
    assert world.outsmart("materials")["A1"]["description"] == ("edited" if preview else "Item A1")


def test_it_is_said_again_after_a_preview_and_no_more_once_it_was_written_over(world: World) -> None:
    world.item("A1")
    world.counts("materials")
    world.material_by_hand("A1", unit="pc", price="0")
    found = [world.counts("materials", full=True, preview=preview).edited for preview in (True, True, False, False)]
    assert found == [1, 1, 1, 0]


def test_a_matching_that_is_run_again_lists_each_once(world: World) -> None:
    world.item("A1")
    world.counts("materials")
    world.material_by_hand("A1", unit="pc", price="0")
    work = world.work("materials", full=True)
    work.judged()
    work.match()
    assert list(edited_lines(world)) == ["A1"]


def test_at_first_contact_nothing_counts_as_edited_and_a_scheduled_run_says_nothing(world: World) -> None:
    world.material_by_hand("A1")
    item = world.item("A1")
    assert world.counts("materials", full=True).edited == 0
    world.material_by_hand("A1", unit="pc", price="0")
    world.touch("logistics/Items", item)
    assert world.counts("materials").edited == 0


def test_the_log_of_a_task_lists_the_first_fifty(sqlite_world: World, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(55):
        sqlite_world.item(f"N{number:02}")
    sqlite_world.counts("materials")
    for number in range(55):
        sqlite_world.by_hand("materials", code=f"N{number:02}", description="edited")
    assert sqlite_world.counts("materials", full=True, preview=True).edited == 55
    assert "N49 (description); and 5 more" in caplog.text
    assert "N50" not in caplog.text.split("were edited in OutSmart")[1]
    assert len(edited_lines(sqlite_world)) == 55


# A person's word against the code's; the rest is in tests/services/test_links.py.


def test_a_record_that_a_person_keeps_apart_is_held_even_where_nothing_speaks_of_two(world: World) -> None:
    world.relation_by_hand("100", **ELSEWHERE)
    account = world.account("100")
    world.counts(RELATIONS)
    links.unlink(world.store, world.connection, "relation", "100")
    world.change("crm/Accounts", account, City="Assen", Name="Bakker B.V.")
    for full in (False, True):
        world.settings(relations={"hold_two_firms": full})
        assert world.counts(RELATIONS, full=full).held == 1
    assert world.states("relation")["100"] in (("held", "kept_apart"), ("outsmart", None))
