"""One bad row stops nothing: a value that cannot be read is told, and everything beside it goes."""

from __future__ import annotations

from pipeline.world import World

YEAR_10000 = "/Date(253402300800000)/"


def test_a_relation_with_a_date_that_cannot_be_read_is_rejected_and_the_others_go(world: World) -> None:
    world.account("100")
    bad = world.account("200", EndDate=YEAR_10000)
    world.account("300")
    counts = world.counts("relations")
    assert (counts.created, counts.rejected) == (2, 1)
    kept = world.kept("relation", "200")
    assert (kept.state, kept.reason, kept.detail) == ("rejected", "unreadable", "a date or a type")
    world.change("crm/Accounts", bad, EndDate=None)
    assert world.counts("relations").created == 1
    assert set(world.outsmart("relations")) == {"100", "200", "300"}


def test_a_row_that_cannot_be_read_stays_rejected_when_it_is_judged_by_other_rules(world: World) -> None:
    bad = world.account("200", EndDate=YEAR_10000)
    world.counts("relations")
    world.settings(relations={"include_blocked": True})
    counts = world.counts("relations")
    assert (counts.rejected, counts.created) == (1, 0)
    assert world.kept("relation", "200").reason == "unreadable"
    world.change("crm/Accounts", bad, EndDate=None)  # the sandbox itself cannot list such a date


def test_a_zero_character_in_a_text_is_left_out(world: World) -> None:
    world.account("100", Name="Bak\x00ker")
    assert world.counts("relations").created == 1
    assert world.outsmart("relations")["100"]["name"] == "Bakker"


def test_a_deletion_that_the_package_has_forgotten_is_found_by_a_full_run(world: World) -> None:
    world.account("100")
    gone = world.account("200")
    contact = world.contact(gone)
    item = world.item("A1")
    price = world.price(item, 5)
    world.sync()
    world.control.shift_clock(-70 * 86_400)
    world.delete("crm/Contacts", contact)
    world.delete("crm/Accounts", gone)
    world.delete("logistics/SalesItemPrices", price)
    world.control.reset_clock()
    assert world.counts("relations", full=True).deleted == 2
    assert world.kept("relation", "200").source_gone_at is not None
    assert world.kept("relation", "100").source_gone_at is None
    world.counts("materials", full=True)
    assert '"price"' not in world.kept("material", "A1").payload


def test_an_incremental_run_takes_nothing_for_deleted_that_it_did_not_read(world: World) -> None:
    world.account("100")
    world.account("200")
    world.counts("relations")
    world.account("300")
    counts = world.counts("relations")
    assert (counts.read, counts.deleted) == (1, 0)
