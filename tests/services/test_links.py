"""Links made by hand: a person says that two records are one, or that they are two."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from outsmart_sync.errors import Busy, InvalidSettings
from outsmart_sync.services import history, links, planning
from outsmart_sync.store import leases
from outsmart_sync.store.store import Store
from outsmart_sync.store.tables import mirror, record_log
from pipeline.world import World, made
from sandbox import process

RELATIONS = "relations"
ELSEWHERE = {"name": "Bakker B.V.", "postal_code": "9999 XX", "city": "Assen"}


@pytest.fixture(scope="module")
def small_vendors() -> Iterator[process.SandboxProcess]:
    with process.start(relations=1, items=1) as vendors:
        yield vendors


@pytest.fixture
def world(store: Store, small_vendors: process.SandboxProcess, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with made(store, small_vendors, monkeypatch) as world:
        yield world


def link(world: World, code: str, outsmart_code: str) -> links.Decision:
    return links.link(world.store, world.connection, "relation", code, outsmart_code)


def unlink(world: World, code: str) -> links.Decision:
    return links.unlink(world.store, world.connection, "relation", code)


def names(world: World) -> dict[str, str]:
    return {code: record["name"] for code, record in world.outsmart("relations").items()}


@pytest.fixture
def held(world: World) -> World:
    """Relation 100 is held: OutSmart's 100 is another firm's."""
    world.relation_by_hand("100", **ELSEWHERE)
    world.contact(world.account("100"))
    assert world.counts(RELATIONS).held == 1
    return world


def test_two_that_are_one_are_linked_and_brought_by_the_next_run_with_their_children(held: World) -> None:
    assert "next sync" in link(held, "100", "100").text
    assert RELATIONS in held.poll()
    counts = held.counts(RELATIONS)
    assert (counts.updated, counts.created) == (1, 1)
    assert names(held) == {"100": "Customer 100"}
    (contact,) = held.outsmart("contactpersons").values()
    assert contact["cpn_debtor_nr"] == "100"
    assert len(held.rows(mirror, record="relation")) == 1
    assert RELATIONS not in held.poll()


def test_a_link_beats_another_code_and_outsmarts_own_is_kept_through_full_runs_and_changes(world: World) -> None:
    world.relation_by_hand("HAND", **ELSEWHERE)
    account = world.account("100", City=None)
    world.contact(account)
    assert world.counts(RELATIONS).rejected == 1
    link(world, "100", "hand")
    world.change("crm/Accounts", account, City="Delft")
    assert world.counts(RELATIONS).updated == 1
    assert names(world) == {"HAND": "Customer 100"}
    for number, (full, code) in enumerate([(True, "100"), (False, "300"), (True, "300")]):
        world.change("crm/Accounts", account, Code=code, Name=f"Name {number}")
        assert world.counts(RELATIONS, full=full).updated == 1
        assert names(world) == {"HAND": f"Name {number}"}
    (contact,) = world.outsmart("contactpersons").values()
    assert contact["cpn_debtor_nr"] == "HAND"
    assert world.counts(RELATIONS, full=True).unchanged == 2


def test_a_changed_code_goes_on_once_it_is_linked_and_is_held_again_once_it_is_not(world: World) -> None:
    account = world.account("100")
    world.counts(RELATIONS)
    world.change("crm/Accounts", account, Code="200", Name="Renamed")
    assert world.counts(RELATIONS).held == 1
    link(world, "200", "100")
    assert world.counts(RELATIONS).updated == 1
    assert names(world) == {"100": "Renamed"}
    assert world.counts(RELATIONS, full=True).unchanged == 1
    unlink(world, "200")
    assert world.counts(RELATIONS).held == 1
    assert world.states("relation") == {"100": ("held", "code_changed")}
    assert names(world) == {"100": "Renamed"}


def test_two_that_are_two_stay_apart_until_one_has_another_code(held: World) -> None:
    assert "until one of the two has another code" in unlink(held, "100").text
    for full in (False, True):
        held.counts(RELATIONS, full=full)
        assert names(held) == {"100": "Bakker B.V."}
    (row,) = held.rows(mirror, record="relation", state="held")
    assert (row.reason, row.detail) == ("kept_apart", "100, Bakker B.V., Assen")
    held.change("crm/Accounts", row.provider_id, Code="200")
    counts = held.counts(RELATIONS)
    assert counts.held == 0
    assert names(held) == {"100": "Bakker B.V.", "200": "Customer 100"}


def test_they_go_too_when_outsmarts_is_removed(held: World) -> None:
    unlink(held, "100")
    held.remove_by_hand("relations", "100")
    held.counts(RELATIONS, full=True)
    held.counts(RELATIONS)
    assert names(held) == {"100": "Customer 100"}


def test_who_is_apart_can_be_linked_after_all_and_taken_apart_again(held: World) -> None:
    unlink(held, "100")
    link(held, "100", "100")
    assert held.counts(RELATIONS).updated == 1
    unlink(held, "100")
    for full in (False, True):
        held.counts(RELATIONS, full=full)
    assert held.rows(mirror, record="relation", state="held")[0].reason == "kept_apart"
    assert len(held.rows(mirror, record="relation")) == 2


def test_a_link_to_another_code_that_is_undone_leaves_two_records(world: World) -> None:
    world.relation_by_hand("HAND", **ELSEWHERE)
    world.account("100", City=None)
    world.counts(RELATIONS)
    link(world, "100", "HAND")
    assert world.counts(RELATIONS).updated == 1  # the city that it lacks is in OutSmart
    unlink(world, "100")
    assert world.counts(RELATIONS).rejected == 1
    assert set(names(world)) == {"HAND"}
    assert len(world.rows(mirror, record="relation")) == 2


def test_of_two_records_with_one_code_the_linked_one_goes_on(world: World) -> None:
    world.material_by_hand("ab")
    first = world.item("ab")
    world.item("AB")
    assert world.counts("materials").held == 2
    links.link(world.store, world.connection, "material", first, "ab")
    assert world.counts("materials").updated == 1
    assert {code: row["description"] for code, row in world.outsmart("materials").items()} == {"ab": "Item ab"}
    assert len(world.rows(mirror, record="material", state="held")) == 1


def test_a_record_that_is_removed_in_outsmart_loses_its_link_and_comes_under_its_own_code(world: World) -> None:
    world.relation_by_hand("HAND")
    world.account("100", City=None)
    world.counts(RELATIONS)
    link(world, "100", "HAND")
    world.counts(RELATIONS)
    world.remove_by_hand("relations", "HAND")
    world.counts(RELATIONS, full=True)
    assert world.rows(mirror, link="joined") == []


def test_what_a_person_said_is_in_the_sync_log_and_the_records_history(held: World) -> None:
    link(held, "100", "100")
    held.counts(RELATIONS)
    unlink(held, "100")
    lines = [row for row in held.rows(record_log, record="relation") if row.run_id == 0]
    assert [(row.event, row.code, row.detail) for row in lines] == [
        ("linked", "100", "OutSmart: 100"),
        ("unlinked", "100", "OutSmart: 100"),
    ]
    ours = next(each for each in history.history(held.store, "relation", "100") if each.provider_id)
    assert [event.event for event in ours.events if event.run_id == 0] == ["linked", "unlinked"]
    assert history.events(held.store, event="linked")[0].text == "A person said so. OutSmart: 100."


def test_what_cannot_be_linked_is_refused_in_words_and_changes_nothing(held: World) -> None:
    held.account("200")
    held.relation_by_hand("HAND")
    held.counts(RELATIONS, full=True)
    before = held.everything()
    for record, ours, theirs, code in (
        ("relation", "999", "100", "unknown_record"),
        ("relation", "100", "999", "unknown_record"),
        ("nonsense", "100", "100", "unknown_record"),
        ("relation", "200", "200", "already_linked"),
        ("relation", "200", "HAND", "already_linked"),
        ("relation", "100", "200", "already_linked"),
    ):
        with pytest.raises(InvalidSettings) as error:
            links.link(held.store, held.connection, record, ours, theirs)
        assert (error.value.code, bool(error.value.remedy)) == (code, True)
    for code, expected in (("999", "unknown_record"), ("HAND", "unknown_record")):
        with pytest.raises(InvalidSettings) as error:
            unlink(held, code)
        assert error.value.code == expected
    assert held.everything() == before
    unlink(held, "100")
    with pytest.raises(InvalidSettings) as error:
        unlink(held, "100")
    assert error.value.code == "not_linked"


def test_several_records_with_the_code_must_be_told_apart_by_their_id(world: World) -> None:
    world.material_by_hand("x")
    world.item("ab")
    world.item("AB")
    world.counts("materials")
    with pytest.raises(InvalidSettings) as error:
        links.link(world.store, world.connection, "material", "ab", "x")
    assert error.value.code == "ambiguous_record"


def test_nobody_links_while_a_run_works_on_the_category(held: World) -> None:
    name = planning.lease_name(held.connection.id, RELATIONS)
    assert leases.claim(held.store, name, "run:1", links._LEASE_LASTS)
    with pytest.raises(Busy):
        link(held, "100", "100")
    leases.release(held.store, name, "run:1")
    link(held, "100", "100")
    assert leases.holder(held.store, name) is None
