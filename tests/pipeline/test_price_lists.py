"""Price lists, expanded to one price per customer and article."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update

from outsmart_sync.providers.packages import package as package_of
from outsmart_sync.records.setting_kinds import Limit
from outsmart_sync.records.timelines import Span, cut, timeline
from outsmart_sync.services import expansions, setting_values, settings
from outsmart_sync.store.tables import cursor, mirror
from pipeline.world import DIVISION, World, day

AGREEMENTS = "price_agreements"
LISTS, PERIODS = "sales/SalesPriceLists", "sales/SalesPriceListPeriods"
LINKED, DISCOUNTS = "sales/SalesPriceListLinkedAccounts", "sales/SalesPriceListVolumeDiscounts"
NEW_YEAR = ("A1", "100", "2026-01-01")


class Lists:
    """Price lists of a world's administration."""

    def __init__(self, world: World) -> None:
        self.world = world

    def make(self, code: str = "GOLD", **values: Any) -> str:
        given = {"Code": code, "Description": code, "Entity": 1, "Type": 1, "Currency": "EUR", **values}
        return self._add(LISTS, given)

    def period(self, price_list: str, start: str = "2026-01-01T00:00:00", **values: Any) -> str:
        return self._add(PERIODS, {"PriceList": price_list, "Type": 1, "StartDate": start, **values})

    def link(self, price_list: str, code: str = "100") -> str:
        account = next(
            row for row in self.world.control.exact_rows(DIVISION, "crm/Accounts") if row["Code"].strip() == code
        )
        return self._add(LINKED, {"PriceList": price_list, "Code": account["Code"]})

    def discount(self, period: str, **values: Any) -> str:
        return self._add(DISCOUNTS, {"PriceListPeriod": period, "Quantity": 1.0, **values})

    def new_price(self, period: str, item: str, price: float, **values: Any) -> str:
        return self.discount(period, Item=item, Unit="pc", EntryMethod=2, NewPrice=price, **values)

    def _add(self, resource: str, values: dict[str, Any]) -> str:
        return str(self.world.control.add_exact(DIVISION, resource, values)[0])


@pytest.fixture
def firm(world: World) -> World:
    world.settings(licence="pro", price_agreements={"enabled": True})
    return world


@pytest.fixture
def item(firm: World) -> str:
    return firm.item("A1")


@pytest.fixture
def account(firm: World, item: str) -> str:
    made = firm.account("100")
    firm.sync("relations", "materials", "hour_types")
    return made


@pytest.fixture
def lists(firm: World, account: str) -> Lists:
    return Lists(firm)


@pytest.fixture
def gold(lists: Lists) -> str:
    """A list of customer 100."""
    made = lists.make()
    lists.link(made)
    return made


def yesterday(world: World) -> str:
    return world.work_day(-1).isoformat()


def test_a_list_gives_each_of_its_customers_a_price(firm: World, lists: Lists, gold: str, item: str) -> None:
    firm.account("200")
    firm.counts("relations")
    lists.link(gold, "200")
    period = lists.period(gold, EndDate="2027-12-31T00:00:00")
    lists.new_price(period, item, 8.5)
    lists.new_price(period, item, 7, Quantity=10.0)
    assert firm.counts(AGREEMENTS).created == 2
    assert firm.prices() == {
        NEW_YEAR: ("8,50", "2027-12-31"),
        ("A1", "200", "2026-01-01"): ("8,50", "2027-12-31"),
    }
    firm.forget_calls()
    assert AGREEMENTS not in firm.poll()
    asked = [call["resource"] for call in firm.reads()]
    assert sum("PriceList" in each for each in asked) == 4
    firm.counts(AGREEMENTS, full=True)
    assert firm.writes() == []


def test_a_customer_that_names_its_list_itself_gets_its_prices_too(
    firm: World, lists: Lists, account: str, item: str
) -> None:
    gold, silver = lists.make(), lists.make("SILVER")
    lists.new_price(lists.period(gold), item, 8.5)
    lists.new_price(lists.period(silver), item, 9)
    firm.change("crm/Accounts", account, PriceList=gold)
    firm.counts(AGREEMENTS)
    assert firm.prices() == {NEW_YEAR: ("8,50", "")}
    firm.change("crm/Accounts", account, PriceList=silver)
    assert AGREEMENTS not in firm.poll()
    with firm.store.begin() as connection:  # another day has begun
        kept = connection.execute(select(cursor).where(cursor.c.category == AGREEMENTS)).all()
        for row in kept:
            value = row.value.replace(datetime.now(ZoneInfo("Europe/Amsterdam")).date().isoformat(), "2026-01-01")
            connection.execute(
                update(cursor).where(cursor.c.category == AGREEMENTS, cursor.c.stream == row.stream).values(value=value)
            )
    assert AGREEMENTS in firm.poll()
    firm.counts(AGREEMENTS)
    assert firm.prices() == {NEW_YEAR: ("9,00", "")}
    assert AGREEMENTS not in firm.poll()


@pytest.mark.parametrize(
    ("values", "price"),
    [
        ({"EntryMethod": 1, "Discount": 0.2, "BasePriceAmount": 10.0, "NewPrice": 1.0}, "8,00"),
        ({"EntryMethod": 2, "Discount": 0.2, "BasePriceAmount": 10.0, "NewPrice": 7.5}, "7,50"),
        ({"EntryMethod": 1, "Discount": 0.055, "BasePriceAmount": 12.0}, "11,34"),
        ({"EntryMethod": 1, "Discount": 0.1}, "18,00"),
    ],
)
def test_a_price_is_the_new_one_or_a_discount_off_the_base_or_standard_price(
    firm: World, lists: Lists, gold: str, item: str, values: dict[str, Any], price: str
) -> None:
    firm.price(item, 20, StartDate="2026-01-01T00:00:00")
    lists.discount(lists.period(gold), Item=item, Unit="pc", **values)
    firm.counts(AGREEMENTS)
    assert firm.prices() == {NEW_YEAR: (price, "")}


def test_a_list_by_group_gives_a_price_for_each_article_of_the_group(
    firm: World, lists: Lists, account: str, item: str
) -> None:
    group = firm.group("HW")
    for code, price in (("B1", 10), ("B2", 20)):
        firm.price(firm.item(code, ItemGroup=group), price, StartDate="2026-01-01T00:00:00")
    firm.counts("materials")
    by_group = lists.make("GROUPS", Entity=2)
    lists.link(by_group)
    lists.discount(lists.period(by_group), ItemGroup=group, EntryMethod=1, Discount=0.1)
    assert firm.counts(AGREEMENTS).created == 2
    assert {code: price for (code, _, _), (price, _) in firm.prices().items()} == {"B1": "9,00", "B2": "18,00"}


def test_a_list_in_another_currency_or_for_another_unit_does_not_come(
    firm: World, lists: Lists, gold: str, item: str
) -> None:
    lists.new_price(lists.period(gold), item, 5, NumberOfItemsPerUnit=10.0)
    firm.account("200")
    firm.counts("relations")
    dollars = lists.make("USD", Currency="USD")
    lists.link(dollars, "200")
    lists.new_price(lists.period(dollars), item, 5)
    assert firm.counts(AGREEMENTS).excluded == 1
    assert firm.prices() == {}


def test_an_agreement_of_the_customers_own_beats_the_list_and_gives_the_place_back(
    firm: World, lists: Lists, gold: str, item: str, account: str
) -> None:
    lists.new_price(lists.period(gold), item, 8)
    own = firm.agreement(item, account, 6)
    firm.counts(AGREEMENTS)
    assert firm.prices() == {NEW_YEAR: ("6,00", "")}
    firm.delete("logistics/SalesItemPrices", own)
    firm.counts(AGREEMENTS)
    assert firm.prices() == {NEW_YEAR: ("8,00", "")}
    today = firm.work_day(0)
    firm.agreement(item, account, 5, StartDate=day(today))
    firm.counts(AGREEMENTS)
    assert firm.prices() == {
        NEW_YEAR: ("8,00", yesterday(firm)),
        ("A1", "100", today.isoformat()): ("5,00", ""),
    }


def test_a_special_offer_takes_the_place_of_the_basic_price_for_its_days(
    firm: World, lists: Lists, gold: str, item: str
) -> None:
    lists.new_price(lists.period(gold), item, 8)
    first, last = firm.work_day(5), firm.work_day(9)
    special = lists.period(gold, day(first), Type=2, EndDate=day(last))
    lists.new_price(special, item, 6)
    firm.counts(AGREEMENTS)
    before, after = firm.work_day(4).isoformat(), firm.work_day(10).isoformat()
    assert firm.prices() == {
        NEW_YEAR: ("8,00", before),
        ("A1", "100", first.isoformat()): ("6,00", last.isoformat()),
        ("A1", "100", after): ("8,00", ""),
    }


@pytest.mark.parametrize("what", ["discount", "period", "customer", "list"])
def test_what_is_taken_off_a_list_ends_in_outsmart(firm: World, lists: Lists, gold: str, item: str, what: str) -> None:
    period = lists.period(gold)
    discount = lists.new_price(period, item, 8)
    firm.counts(AGREEMENTS)
    linked = firm.control.exact_rows(DIVISION, LINKED)[0]["ID"]
    rows = {
        "discount": (DISCOUNTS, discount),
        "period": (PERIODS, period),
        "customer": (LINKED, linked),
        "list": (LISTS, gold),
    }
    firm.delete(*rows[what])
    assert AGREEMENTS in firm.poll()
    assert firm.counts(AGREEMENTS).deleted == 1
    assert firm.prices() == {NEW_YEAR: ("8,00", yesterday(firm))}
    firm.forget_calls()
    firm.counts(AGREEMENTS, full=True)
    assert firm.writes() == []


@pytest.mark.parametrize("endpoint", ["crm/Accounts", "sales/SalesPriceListLinkedAccounts"], ids=str)
def test_a_right_that_was_taken_away_ends_no_price_and_is_named(
    firm: World, lists: Lists, gold: str, item: str, endpoint: str
) -> None:
    period = lists.period(gold)
    lists.new_price(period, item, 8.5)
    firm.counts(AGREEMENTS)
    before = firm.prices()
    assert before
    lists.new_price(period, firm.item("B1"), 3)
    firm.sync("materials")
    firm.control.add_fault("status", vendor="exact", path=f"/{endpoint}$", status=403, times=None)
    refused = firm.sync(AGREEMENTS, full=True)[AGREEMENTS]
    assert (refused.error_code, "the customers of price lists" in refused.error_text) == (
        "price_lists_incomplete",
        True,
    )
    assert firm.prices() == before
    firm.control.clear_faults()
    firm.counts(AGREEMENTS, full=True)
    assert len(firm.prices()) == 2


def test_lists_whose_module_is_taken_away_end_no_price(firm: World, lists: Lists, gold: str, item: str) -> None:
    lists.new_price(lists.period(gold), item, 8.5)
    firm.counts(AGREEMENTS)
    before = firm.prices()
    firm.control.add_fault("status", vendor="exact", path="/sales/SalesPriceLists$", status=403, times=None)
    firm.counts(AGREEMENTS, full=True)
    assert firm.prices() == before


def test_a_changed_price_is_noticed_and_updated(firm: World, lists: Lists, gold: str, item: str, account: str) -> None:
    discount = lists.new_price(lists.period(gold), item, 8)
    firm.agreement(firm.item("B2"), account, 3)
    firm.counts("materials")
    firm.counts(AGREEMENTS)
    firm.change(DISCOUNTS, discount, NewPrice=9.0)
    assert AGREEMENTS in firm.poll()
    assert firm.counts(AGREEMENTS).updated == 1
    assert firm.prices() == {NEW_YEAR: ("9,00", ""), ("B2", "100", "2026-01-01"): ("3,00", "")}


def test_beyond_the_limit_nothing_is_imported_and_the_count_is_said(
    firm: World, lists: Lists, gold: str, item: str, account: str
) -> None:
    period = lists.period(gold)
    lists.new_price(period, item, 8)
    lists.new_price(period, firm.item("B2"), 9)
    firm.agreement(firm.item("C3"), account, 3)
    firm.counts("materials")
    firm.settings(price_agreements={"price_list_limit": "1"})
    result = firm.sync(AGREEMENTS)[AGREEMENTS]
    assert result.error_code == "too_many_prices"
    assert firm.prices() == {}
    assert [row for row in firm.rows(mirror, record="price") if row.provider_id] == []
    firm.settings(price_agreements={"price_list_limit": "2"})
    assert firm.counts(AGREEMENTS).created == 3


JANUARY = Span(date(2026, 1, 1), date(2026, 1, 31))


def test_spans_are_laid_one_after_the_other() -> None:
    forever = Span(date(2025, 1, 1), None)
    later = Span(date(2026, 1, 10), None)
    assert timeline([(forever, False), (later, False), (JANUARY, True)]) == [
        (Span(date(2025, 1, 1), date(2025, 12, 31)), 0),
        (JANUARY, 2),
        (Span(date(2026, 2, 1), None), 1),
    ]
    assert timeline([(JANUARY, False)]) == [(JANUARY, 0)]


def test_a_span_is_cut_by_others() -> None:
    middle = Span(date(2026, 1, 10), date(2026, 1, 11))
    assert cut(JANUARY, [middle]) == [Span(JANUARY.first, date(2026, 1, 9)), Span(date(2026, 1, 12), JANUARY.last)]
    assert cut(JANUARY, [Span(date(2020, 1, 1), None)]) == []
    assert cut(JANUARY, [Span(date(2027, 1, 1), None)]) == [JANUARY]


def test_how_many_prices_lists_mean_is_said_when_switched_on_or_when_the_limit_is_changed(
    firm: World, lists: Lists, gold: str, item: str
) -> None:
    period = lists.period(gold)
    lists.new_price(period, item, 8)
    lists.new_price(period, firm.item("B2"), 9)
    rig, connection = firm.rig, firm.connection
    package = package_of(connection.package)
    on = settings.read(rig.store, connection)
    off = settings.save(rig.store, connection, {"price_agreements": {"enabled": False}})
    few = settings.save(rig.store, connection, {"price_agreements": {"enabled": True, "price_list_limit": "1"}})

    def said(before: settings.Settings, after: settings.Settings) -> list[str]:
        told = expansions.meant_by(rig.store, firm.gateway, connection, package, before, after)
        return [str(each) for each in told]

    assert said(off, on) == ["The price lists expand to 2 prices; price_agreements.price_list_limit allows 5,000."]
    assert said(on, on) == said(on, off) == []
    assert said(on, few) == [
        (
            "The price lists expand to 2 prices; price_agreements.price_list_limit allows 1. "
            "With more than that nothing is imported: raise it, or shorten the lists in the package."
        )
    ]
    firm.control.add_fault("status", vendor="exact", path=LISTS, times=4, status=503)
    (sentence,) = said(off, on)
    assert sentence.startswith("How many prices the price lists expand to could not be counted. ")
    firm.control.clear_faults()


@pytest.mark.parametrize("value", ["0", "-1", "many", "1.5", ""])
def test_a_limit_is_a_whole_number_above_zero(value: str) -> None:
    known = {"limit": Limit(name="limit", label="Most")}
    with pytest.raises(setting_values.WrongValue, match="whole number above 0"):
        setting_values.read("prices", known, "limit", value)
    assert setting_values.read("prices", known, "limit", 12) == "12"
