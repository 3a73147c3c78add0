"""Prices for one customer: which come, when they change into others, and how they end."""

from __future__ import annotations

from typing import Any

import pytest

from outsmart_sync.store.tables import mirror, record_log
from pipeline.world import World, day, without_outsmart

AGREEMENTS = "price_agreements"
PRICES = "logistics/SalesItemPrices"
NEW_YEAR = ("A1", "100", "2026-01-01")


@pytest.fixture
def firm(world: World) -> World:
    """A customer 100 and an article A1 that are in OutSmart."""
    world.settings(licence="pro", price_agreements={"enabled": True})
    return world


@pytest.fixture
def article(firm: World) -> str:
    return firm.item("A1")


@pytest.fixture
def customer(firm: World, article: str) -> str:
    account = firm.account("100")
    firm.sync("relations", "materials", "hour_types")
    return account


def yesterday(world: World) -> str:
    return world.work_day(-1).isoformat()


def kept(world: World) -> Any:
    (row,) = [row for row in world.rows(mirror, record="price") if row.provider_id]
    return row


def test_an_agreement_becomes_a_price_of_that_customer(firm: World, article: str, customer: str) -> None:
    firm.agreement(article, customer, 4.125, EndDate="2027-12-31T00:00:00")
    assert firm.counts(AGREEMENTS).created == 1
    assert firm.prices() == {NEW_YEAR: ("4,125", "2027-12-31")}


def test_an_agreement_about_labour_becomes_a_price_of_the_hour_type(firm: World, customer: str) -> None:
    firm.agreement(firm.labour("L1"), customer, 60)
    firm.counts("hour_types")
    assert firm.counts(AGREEMENTS).created == 1
    assert firm.prices() == {("L1", "100", "2026-01-01"): ("60,00", "")}


def test_the_next_run_writes_nothing_and_asks_for_prices_once(firm: World, article: str, customer: str) -> None:
    firm.agreement(article, customer, 4)
    firm.sync()
    firm.forget_calls()
    assert firm.poll() == []
    assert [call["resource"] for call in firm.reads()].count("sync/Logistics/SalesItemPrices") == 1
    assert firm.counts(AGREEMENTS, full=True).unchanged == 1
    assert firm.writes() == []


def test_a_changed_price_is_updated(firm: World, article: str, customer: str) -> None:
    row = firm.agreement(article, customer, 4)
    firm.counts(AGREEMENTS)
    firm.change(PRICES, row, Price=5.5)
    assert firm.counts(AGREEMENTS).updated == 1
    assert firm.prices() == {NEW_YEAR: ("5,50", "")}


def test_an_agreement_waits_for_article_and_customer_and_goes_by_itself(firm: World) -> None:
    firm.agreement(firm.item("A1"), firm.account("100"), 4)
    assert firm.counts(AGREEMENTS).waiting == 1
    assert (kept(firm).state, kept(firm).detail) == ("waiting", "article")
    firm.counts("materials")
    assert AGREEMENTS in firm.poll()
    assert firm.counts(AGREEMENTS).waiting == 1
    assert kept(firm).detail == "relation"
    firm.counts("relations")
    assert AGREEMENTS in firm.poll()
    assert firm.counts(AGREEMENTS).created == 1
    assert firm.prices() == {NEW_YEAR: ("4,00", "")}


def test_an_agreement_with_a_relation_that_is_left_out_is_left_out(firm: World, article: str, customer: str) -> None:
    firm.agreement(article, firm.account("200", Status="S"), 4)
    firm.counts("relations")
    assert firm.counts(AGREEMENTS).excluded == 1
    assert (kept(firm).reason, kept(firm).detail) == ("reference_left_out", "relation 200")
    firm.settings(relations={"types": ["customer", "suspect"]})
    firm.counts("relations")
    assert AGREEMENTS in firm.poll()
    assert firm.counts(AGREEMENTS).created == 1


NOT_OURS = {
    "other_currency": {"Currency": "USD"},
    "other_unit": {"Unit": "box"},
}


def a_box(world: World) -> None:
    world.control.add_exact(2001006, "logistics/Units", {"Code": "box", "Description": "Box", "Type": "O"})


@pytest.mark.parametrize("reason", NOT_OURS)
def test_what_outsmart_has_no_place_for_is_left_out_with_its_reason(
    firm: World, article: str, customer: str, reason: str
) -> None:
    a_box(firm)
    firm.agreement(article, customer, 4, **NOT_OURS[reason])
    assert firm.counts(AGREEMENTS).excluded == 1
    assert (kept(firm).state, kept(firm).reason) == ("excluded", reason)
    assert firm.prices() == {}


@pytest.mark.parametrize("reason", [*NOT_OURS, "no_agreement"])
def test_an_agreement_that_becomes_such_a_row_ends_in_outsmart_once(
    firm: World, article: str, customer: str, reason: str
) -> None:
    a_box(firm)
    row = firm.agreement(article, customer, 4)
    firm.counts(AGREEMENTS)
    changed = {"Account": None} if reason == "no_agreement" else NOT_OURS[reason]
    firm.change(PRICES, row, **changed)
    firm.counts(AGREEMENTS)
    assert firm.prices() == {NEW_YEAR: ("4,00", yesterday(firm))}
    (told,) = firm.rows(record_log, event="ended")
    assert (told.code, told.reason) == ("A1 |  | 100 | 2026-01-01", reason)
    firm.forget_calls()
    firm.touch(PRICES, row)
    firm.counts(AGREEMENTS)
    firm.counts(AGREEMENTS, full=True)
    assert firm.writes() == []
    back = {"Currency": "EUR", "Unit": "pc", "Account": customer}
    firm.change(PRICES, row, **back)
    firm.counts(AGREEMENTS)
    assert firm.prices() == {NEW_YEAR: ("4,00", "")}


@pytest.mark.parametrize(("steps", "price"), [((1, 10, 100), "1,00"), ((1, 0), "0,00"), ((10, 5), "5,00")])
def test_only_the_lowest_step_of_several_comes(
    firm: World, article: str, customer: str, steps: tuple[int, ...], price: str
) -> None:
    for quantity in steps:
        firm.agreement(article, customer, quantity, Quantity=quantity)
    counts = firm.counts(AGREEMENTS)
    assert (counts.created, counts.excluded) == (1, len(steps) - 1)
    assert firm.prices() == {NEW_YEAR: (price, "")}
    assert {row.reason for row in firm.rows(mirror, record="price") if row.state == "excluded"} == {"larger_quantity"}
    firm.forget_calls()
    assert AGREEMENTS not in firm.poll()
    firm.counts(AGREEMENTS, full=True)
    assert firm.writes() == []


def test_of_two_rows_for_one_quantity_always_the_same_comes(firm: World, article: str, customer: str) -> None:
    ids = {firm.agreement(article, customer, price): price for price in (4, 5, 6)}
    counts = firm.counts(AGREEMENTS)
    assert (counts.created, counts.excluded) == (1, 2)
    assert firm.prices() == {NEW_YEAR: (f"{ids[min(ids)]},00", "")}


@pytest.mark.parametrize("what", ["deleted", "a larger step", "another unit", "ended"])
def test_when_the_lowest_step_goes_the_next_takes_its_place_at_once(
    firm: World, article: str, customer: str, what: str
) -> None:
    a_box(firm)
    lowest, _, _ = (firm.agreement(article, customer, price, Quantity=step) for step, price in ((1, 9), (5, 8), (9, 7)))
    firm.counts(AGREEMENTS)
    firm.forget_calls()
    if what == "deleted":
        firm.delete(PRICES, lowest)
    else:
        ended = {"EndDate": day(firm.work_day(-30))}
        firm.change(
            PRICES, lowest, **{"a larger step": {"Quantity": 10}, "another unit": {"Unit": "box"}}.get(what, ended)
        )
    assert AGREEMENTS in firm.poll()
    assert firm.counts(AGREEMENTS).updated == 1
    assert firm.prices() == {NEW_YEAR: ("8,00", "")}
    assert len(firm.writes()) == 1
    assert AGREEMENTS not in firm.poll()
    firm.counts(AGREEMENTS, full=True)
    assert len(firm.writes()) == 1


def test_a_lower_step_takes_the_place_of_a_higher_one_and_gives_it_back(
    firm: World, article: str, customer: str
) -> None:
    firm.agreement(article, customer, 8, Quantity=5)
    firm.counts(AGREEMENTS)
    lower = firm.agreement(article, customer, 9)
    counts = firm.counts(AGREEMENTS)
    assert (counts.updated, counts.excluded) == (1, 1)
    assert firm.prices() == {NEW_YEAR: ("9,00", "")}
    firm.change(PRICES, lower, Quantity=7)
    assert firm.counts(AGREEMENTS).updated == 1
    assert firm.prices() == {NEW_YEAR: ("8,00", "")}
    firm.counts(AGREEMENTS, full=True)
    assert sorted(row.state for row in firm.rows(mirror, record="price") if row.provider_id) == ["excluded", "synced"]


def test_an_agreement_that_was_deleted_ends_yesterday(firm: World, article: str, customer: str) -> None:
    row = firm.agreement(article, customer, 4)
    firm.counts(AGREEMENTS)
    firm.delete(PRICES, row)
    assert AGREEMENTS in firm.poll()
    assert firm.counts(AGREEMENTS).deleted == 1
    assert firm.prices() == {NEW_YEAR: ("4,00", yesterday(firm))}
    firm.forget_calls()
    firm.counts(AGREEMENTS, full=True)
    assert firm.writes() == []
    firm.agreement(article, customer, 6)
    firm.counts(AGREEMENTS)
    assert firm.prices() == {NEW_YEAR: ("6,00", "")}


def test_an_agreement_that_was_made_anew_in_the_same_run_does_not_end(firm: World, article: str, customer: str) -> None:
    row = firm.agreement(article, customer, 4)
    firm.counts(AGREEMENTS)
    firm.delete(PRICES, row)
    firm.agreement(article, customer, 6)
    firm.counts(AGREEMENTS)
    assert firm.prices() == {NEW_YEAR: ("6,00", "")}


def test_an_agreement_that_ends_in_exact_ends_in_outsmart_and_may_go_on(
    firm: World, article: str, customer: str
) -> None:
    row = firm.agreement(article, customer, 4)
    firm.counts(AGREEMENTS)
    last = day(firm.work_day(-30))
    firm.change(PRICES, row, EndDate=last)
    assert firm.counts(AGREEMENTS).updated == 1
    assert firm.prices() == {NEW_YEAR: ("4,00", last[:10])}
    firm.change(PRICES, row, EndDate=None)
    assert firm.counts(AGREEMENTS).updated == 1
    assert firm.prices() == {NEW_YEAR: ("4,00", "")}


def test_an_agreement_that_has_ended_comes_only_where_outsmart_has_it(firm: World, article: str, customer: str) -> None:
    last = day(firm.work_day(-30))
    for start in ("2025-01-01", "2026-01-01"):
        firm.agreement(article, customer, 4, StartDate=f"{start}T00:00:00", EndDate=last)
    by_hand = {"material": "A1", "debtornr": "100", "date_start": "2026-01-01", "price": "4"}
    firm.by_hand("prices", **by_hand)
    counts = firm.counts(AGREEMENTS)
    assert (counts.updated, counts.excluded) == (1, 1)
    assert firm.prices() == {NEW_YEAR: ("4,00", last[:10])}


def test_an_agreement_of_the_future_comes_with_its_first_day(firm: World, article: str, customer: str) -> None:
    soon = firm.work_day(30)
    firm.agreement(article, customer, 4, StartDate=day(soon))
    assert firm.counts(AGREEMENTS).created == 1
    assert firm.prices() == {("A1", "100", soon.isoformat()): ("4,00", "")}


@pytest.mark.parametrize("what", ["first day", "article", "customer"])
def test_an_agreement_that_changes_what_it_is_known_by_ends_and_begins_anew(
    firm: World, article: str, customer: str, what: str
) -> None:
    row = firm.agreement(article, customer, 4)
    other = {
        "first day": ({"StartDate": "2026-03-01T00:00:00"}, ("A1", "100", "2026-03-01")),
        "article": ({"Item": firm.item("B2")}, ("B2", "100", "2026-01-01")),
        "customer": ({"Account": firm.account("200")}, ("A1", "200", "2026-01-01")),
    }
    firm.sync("relations", "materials")
    firm.counts(AGREEMENTS)
    changed, code = other[what]
    firm.change(PRICES, row, **changed)
    assert firm.counts(AGREEMENTS).updated == 1
    assert firm.prices() == {NEW_YEAR: ("4,00", yesterday(firm)), code: ("4,00", "")}
    assert [row.detail for row in firm.rows(record_log, event="ended")] == ["A1 |  | 100 | 2026-01-01"]
    firm.forget_calls()
    firm.counts(AGREEMENTS, full=True)
    assert firm.writes() == []


def test_two_agreements_that_change_places_do_not_end_each_other(firm: World, article: str, customer: str) -> None:
    first = firm.agreement(article, customer, 1)
    second = firm.agreement(article, customer, 2, StartDate="2026-03-01T00:00:00")
    firm.counts(AGREEMENTS)
    firm.change(PRICES, first, StartDate="2026-03-01T00:00:00")
    firm.change(PRICES, second, StartDate="2026-01-01T00:00:00")
    for _ in range(2):
        firm.counts(AGREEMENTS)
    assert firm.prices() == {NEW_YEAR: ("2,00", ""), ("A1", "100", "2026-03-01"): ("1,00", "")}


def test_a_price_that_outsmart_refuses_is_rejected_and_stops_no_other(firm: World, article: str, customer: str) -> None:
    firm.agreement(firm.item("B2"), customer, 4)
    firm.agreement(article, customer, 5)
    firm.counts("materials")
    firm.remove_by_hand("materials", "B2")
    counts = firm.counts(AGREEMENTS)
    assert (counts.created, counts.rejected) == (1, 1)
    assert firm.prices() == {NEW_YEAR: ("5,00", "")}


def test_a_price_without_an_amount_is_rejected(firm: World, article: str, customer: str) -> None:
    row = firm.agreement(article, customer, 4)
    firm.change(PRICES, row, Price=None)
    assert firm.counts(AGREEMENTS).rejected == 1
    assert (kept(firm).reason, kept(firm).detail) == ("missing_field", "price")


@pytest.mark.parametrize("what", ["a new one", "an end", "a change of the first day"])
def test_nothing_is_lost_when_the_answer_to_a_write_is_lost(quick_world: World, what: str) -> None:
    world = quick_world
    world.settings(licence="pro", price_agreements={"enabled": True})
    item, customer = world.item("A1"), world.account("100")
    world.sync("relations", "materials")
    row = world.agreement(item, customer, 4)
    if what != "a new one":
        world.counts(AGREEMENTS)
    if what == "an end":
        world.delete(PRICES, row)
    if what == "a change of the first day":
        world.change(PRICES, row, StartDate="2026-03-01T00:00:00")
    world.control.add_fault("truncate", vendor="outsmart", path="prices", method="POST", times=1)
    world.counts(AGREEMENTS)
    ended, fresh = {NEW_YEAR: ("4,00", yesterday(world))}, {NEW_YEAR: ("4,00", "")}
    moved = {**ended, ("A1", "100", "2026-03-01"): ("4,00", "")}
    assert world.prices() == {"a new one": fresh, "an end": ended, "a change of the first day": moved}[what]


def test_one_articles_agreements_are_imported_by_its_code(firm: World, article: str, customer: str) -> None:
    firm.agreement(article, customer, 4)
    firm.agreement(firm.item("B2"), customer, 5)
    firm.counts("materials")
    assert firm.counts(AGREEMENTS, codes=("A1",)).created == 1
    assert firm.prices() == {NEW_YEAR: ("4,00", "")}


def test_without_an_outsmart_account_the_lowest_step_takes_the_place(
    firm: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_outsmart(monkeypatch)
    article, customer = firm.item("A1"), firm.account("100")
    firm.agreement(article, customer, 8, Quantity=5)
    firm.sync("relations", "materials")
    firm.counts(AGREEMENTS)
    lower = firm.agreement(article, customer, 9)
    firm.counts(AGREEMENTS)
    assert {row.provider_id for row in firm.rows(mirror, record="price") if row.state == "synced"} == {lower}
    firm.delete(PRICES, lower)
    firm.counts(AGREEMENTS)
    assert [row.state for row in firm.rows(mirror, record="price") if row.provider_id != lower] == ["synced"]


def test_without_an_outsmart_account_agreements_end_in_the_mirror(firm: World, monkeypatch: pytest.MonkeyPatch) -> None:
    without_outsmart(monkeypatch)
    row = firm.agreement(firm.item("A1"), firm.account("100"), 4)
    firm.sync("relations", "materials")
    assert firm.counts(AGREEMENTS).created == 1
    firm.change(PRICES, row, StartDate="2026-03-01T00:00:00")
    assert firm.counts(AGREEMENTS).updated == 1
    assert (kept(firm).state, kept(firm).code) == ("synced", "A1 |  | 100 | 2026-03-01")
    firm.delete(PRICES, row)
    assert firm.counts(AGREEMENTS).deleted == 1
