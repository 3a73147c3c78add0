"""Prices that VISMA's customers have by price lists, end to end: what comes and ends, what is said, how many calls."""

from __future__ import annotations

from typing import Any

import pytest

from outsmart_sync.providers.packages import package
from outsmart_sync.services import leading, settings
from outsmart_sync.store.connections import SyncConnection
from outsmart_sync.store.tables import category_state, record_log
from providers.visma_eaccounting.test_visma_imports import COMPANY, PACKAGE, article, customer, on, poll, run
from support import SMALL, Rig

PRICES = "price_agreements"
NEEDED = ("customers", "materials", "hour_types")
PRO, STANDARD = 5, 1


def connect(rig: Rig, **changes: Any) -> SyncConnection:
    """A company with the variant Pro, and everything on that prices need."""
    rig.vendors.control.change_visma_standing(COMPANY, variant=PRO)
    return rig.connect_visma(COMPANY, **on(*NEEDED, PRICES, **{PRICES: changes}))


def price_list(rig: Rig, name: str = "Contract", **values: Any) -> str:
    given = {"Name": name, "Number": 2, "CurrencyCode": "EUR", "IsStandard": False, "IsActive": True, **values}
    return rig.vendors.control.add_visma(COMPANY, "salespricelists", given)[0]


def price(rig: Rig, listed: str, item: str, net: float, **values: Any) -> str:
    given = {"SalesPriceListId": listed, "ArticleId": item, "NetPrice": net, "CurrencyCode": "EUR", **values}
    return rig.vendors.control.add_visma(COMPANY, "salespricelists/prices", given)[0]


def prices(rig: Rig) -> dict[tuple[str, str], tuple[str, str]]:
    """OutSmart's prices: article and customer → price and last day."""
    rows = rig.vendors.control.outsmart_records("south", "prices")
    assert {row["date_start"] for row in rows} <= {"2000-01-01"}
    return {
        (row["material"] or row["hourtype"], row["debtornr"]): (row["price"], row["date_end"] or "") for row in rows
    }


def asked(rig: Rig) -> list[str]:
    calls = rig.vendors.control.calls(vendor="visma", path="/v2/")
    found = (call["path"].removeprefix("/v2/") for call in calls)
    return sorted("/".join(part for part in path.split("/") if "-" not in part) for path in found)


def test_a_list_gives_its_customers_prices_of_materials_and_hours(visma: Rig) -> None:
    connect(visma)
    listed = price_list(visma)
    customer(visma, "0012", SalesPriceListId=listed)
    customer(visma, "2", SalesPriceListId=listed)
    customer(visma, "3")
    price(visma, listed, article(visma, "00100"), 8.505)
    price(visma, listed, article(visma, "UUR", of="HUR"), 55)
    assert run(visma)[PRICES].counts.created == 4
    assert prices(visma) == {
        ("00100", "0012"): ("8,505", ""),
        ("00100", "2"): ("8,505", ""),
        ("UUR", "0012"): ("55,00", ""),
        ("UUR", "2"): ("55,00", ""),
    }
    visma.vendors.control.forget_calls()
    assert run(visma, PRICES, full=True)[PRICES].counts.unchanged == 4
    assert {call["method"] for call in visma.vendors.control.calls(vendor="outsmart")} == {"GET"}


def test_another_price_or_another_list_changes_a_price_and_no_list_ends_it(visma: Rig) -> None:
    connect(visma)
    first, second = price_list(visma), price_list(visma, "Gold", Number=3)
    identity, item = customer(visma, "1", SalesPriceListId=first), article(visma, "A")
    key = price(visma, first, item, 9)
    price(visma, second, item, 7)
    run(visma)
    assert prices(visma) == {("A", "1"): ("9,00", "")}
    control = visma.vendors.control
    control.change_visma(COMPANY, "salespricelists/prices", key, NetPrice=8.5)
    assert poll(visma, "price") == [PRICES]
    assert run(visma)[PRICES].counts.updated == 1
    assert prices(visma) == {("A", "1"): ("8,50", "")}
    control.change_visma(COMPANY, "customers", identity, SalesPriceListId=second)
    counts = run(visma)[PRICES].counts
    assert (counts.created, counts.updated, counts.deleted) == (0, 1, 0)
    assert prices(visma) == {("A", "1"): ("7,00", "")}
    control.change_visma(COMPANY, "customers", identity, SalesPriceListId=None)
    run(visma)
    (row,) = visma.rows(record_log, event="ended")
    assert row.code.startswith("A")
    assert prices(visma)["A", "1"][1] != ""
    control.change_visma(COMPANY, "customers", identity, SalesPriceListId=first)
    run(visma)
    assert prices(visma) == {("A", "1"): ("8,50", "")}


def test_the_standard_list_an_inactive_one_and_another_currency_give_no_prices(sqlite_visma: Rig) -> None:
    connect(sqlite_visma)
    standard = price_list(sqlite_visma, "Standard", IsStandard=True, Number=1)
    hidden, dollars = price_list(sqlite_visma, IsActive=False), price_list(sqlite_visma, CurrencyCode="USD")
    item = article(sqlite_visma, "A")
    for number, listed in enumerate((standard, hidden, dollars)):
        customer(sqlite_visma, str(number), SalesPriceListId=listed)
        price(sqlite_visma, listed, item, 5)
    counts = run(sqlite_visma)[PRICES].counts
    assert (counts.created, counts.excluded) == (0, 1)
    assert prices(sqlite_visma) == {}


def test_what_is_not_imported_is_said(sqlite_visma: Rig, caplog: pytest.LogCaptureFixture) -> None:
    connect(sqlite_visma)
    listed = price_list(sqlite_visma)
    control = sqlite_visma.vendors.control
    agreed = control.add_visma(COMPANY, "discountagreements", {"Name": "5 %", "Number": 1, "IsActive": True})[0]
    customer(sqlite_visma, "1", SalesPriceListId=listed, DiscountAgreementId=agreed)
    customer(sqlite_visma, "2", DiscountPercentage=0.055)
    run(sqlite_visma)
    (said,) = [each.getMessage() for each in caplog.records if "discount agreements" in each.getMessage()]
    assert "of 1 customers" in said
    assert "that 1 customers get" in said


def test_a_variant_without_price_lists_says_so_and_stops_nothing_else(sqlite_visma: Rig) -> None:
    connect(sqlite_visma)
    sqlite_visma.vendors.control.change_visma_standing(COMPANY, variant=STANDARD)
    customer(sqlite_visma, "1")
    done = sqlite_visma.sync(package=PACKAGE)
    assert done["customers"].counts.created == 1
    assert done[PRICES].error_code == "variant"
    assert "product variant" in done[PRICES].error_text
    assert "customer prices need Pro" in done[PRICES].error_text
    (state,) = sqlite_visma.rows(category_state, category=PRICES)
    assert "product variant" in state.reason
    sqlite_visma.vendors.control.change_visma_standing(COMPANY, variant=PRO)
    assert run(sqlite_visma, PRICES)[PRICES].error_code == ""
    assert sqlite_visma.rows(category_state, category=PRICES) == []


def test_prices_that_were_there_stay_when_the_lists_cannot_be_read(sqlite_visma: Rig) -> None:
    connect(sqlite_visma)
    listed = price_list(sqlite_visma)
    customer(sqlite_visma, "1", SalesPriceListId=listed)
    price(sqlite_visma, listed, article(sqlite_visma, "A"), 9)
    run(sqlite_visma)
    control = sqlite_visma.vendors.control
    meta = {"CurrentPage": 1, "PageSize": 1000, "TotalNumberOfPages": 1, "TotalNumberOfResults": 1}
    body = {"Meta": {**meta, "ServerTimeUtc": "2026-11-26T12:00:00.1234567Z"}, "Data": []}
    control.add_fault(
        "status", vendor="visma", path=f"/v2/salespricelists/prices/{listed}", status=200, body=body, times=None
    )
    done = sqlite_visma.sync(PRICES, package=PACKAGE, full=True)[PRICES]
    assert (done.error_code, done.counts.deleted) == ("vendor_unavailable", 0)
    control.clear_faults()
    control.change_visma_standing(COMPANY, variant=STANDARD)
    assert sqlite_visma.sync(PRICES, package=PACKAGE, full=True)[PRICES].error_code == "variant"
    assert prices(sqlite_visma) == {("A", "1"): ("9,00", "")}


def test_more_prices_than_a_person_allowed_are_not_imported(sqlite_visma: Rig) -> None:
    connection = connect(sqlite_visma, price_list_limit="1")
    listed = price_list(sqlite_visma)
    customer(sqlite_visma, "1", SalesPriceListId=listed)
    for code in ("A", "B"):
        price(sqlite_visma, listed, article(sqlite_visma, code), 9)
    done = sqlite_visma.sync(package=PACKAGE)[PRICES]
    assert done.error_code == "too_many_prices"
    assert "expand to 2 prices" in done.error_text
    settings.save(sqlite_visma.store, connection, {PRICES: {"price_list_limit": "2"}})
    assert run(sqlite_visma, PRICES)[PRICES].counts.created == 2


def test_a_price_waits_for_its_article_and_follows_a_customer_that_is_left_out(sqlite_visma: Rig) -> None:
    connection = connect(sqlite_visma)
    settings.save(sqlite_visma.store, connection, {"materials": {"enabled": False}})
    listed = price_list(sqlite_visma)
    customer(sqlite_visma, "1", SalesPriceListId=listed)
    customer(sqlite_visma, "2", SalesPriceListId=listed, IsActive=False)
    price(sqlite_visma, listed, article(sqlite_visma, "A"), 9)
    counts = run(sqlite_visma)[PRICES].counts
    assert (counts.created, counts.waiting) == (0, 2)
    settings.save(sqlite_visma.store, connection, {"materials": {"enabled": True}})
    counts = run(sqlite_visma)[PRICES].counts
    assert (counts.created, counts.excluded) == (1, 1)
    assert prices(sqlite_visma) == {("A", "1"): ("9,00", "")}


def test_the_prices_of_one_article_are_looked_up_by_its_number(sqlite_visma: Rig) -> None:
    connect(sqlite_visma)
    listed = price_list(sqlite_visma)
    customer(sqlite_visma, "1", SalesPriceListId=listed)
    for code in ("A", "B"):
        price(sqlite_visma, listed, article(sqlite_visma, code), 9)
    run(sqlite_visma, *NEEDED)
    assert run(sqlite_visma, PRICES, codes=("b",))[PRICES].counts.created == 1
    assert prices(sqlite_visma) == {("B", "1"): ("9,00", "")}


def test_a_full_read_takes_six_calls_and_an_idle_look_three_or_one_where_there_are_no_lists(visma: Rig) -> None:
    connection = connect(visma)
    settings.save(visma.store, connection, {name: {"enabled": False} for name in NEEDED})
    run(visma)
    visma.vendors.control.forget_calls()
    assert poll(visma, "no lists") == []
    assert asked(visma) == ["salespricelists"]
    listed = price_list(visma)
    customer(visma, "1", SalesPriceListId=listed)
    price(visma, listed, article(visma, "A"), 9)
    visma.vendors.control.forget_calls()
    run(visma)
    lists = ["customers"] * 2 + ["salespricelists"] * 2 + ["salespricelists/prices"] * 2
    assert asked(visma) == lists
    visma.vendors.control.forget_calls()
    assert poll(visma, "idle") == []
    assert asked(visma) == ["customers", "salespricelists", "salespricelists/prices"]


def test_what_exact_leads_visma_cannot_import(sqlite_visma: Rig) -> None:
    exact = sqlite_visma.connect(SMALL)
    settings.save(sqlite_visma.store, exact, {"licence": "pro", PRICES: {"enabled": True}})
    sqlite_visma.vendors.control.change_visma_standing(COMPANY, variant=PRO)
    ours = sqlite_visma.connect_visma(COMPANY)
    (why,) = [why for name, why in leading.leaders(sqlite_visma.store, ours).items() if name == PRICES]
    assert "Exact Online leads there, with price agreements" in why
    with pytest.raises(Exception, match="Exact Online leads there"):
        settings.save(sqlite_visma.store, ours, {PRICES: {"enabled": True}}, gateway=sqlite_visma.gateway)


def test_every_price_is_the_one_that_visma_itself_shows_for_the_customer(sqlite_visma: Rig) -> None:
    """The seeded company, against ``articles?customerId=``."""
    rig = sqlite_visma
    rig.connect_visma("devries", **on(*NEEDED, PRICES))
    run(rig)
    control = rig.vendors.control
    standard = {row["Id"] for row in control.visma_rows("devries", "salespricelists") if row["IsStandard"]}
    found = prices(rig)
    assert found
    import requests

    token = control.give_visma_tokens(company="devries")["access_token"]
    for each in control.visma_rows("devries", "customers"):
        if each["SalesPriceListId"] in standard:
            continue
        answer = requests.get(
            f"{rig.vendors.visma_url}/v2/articles",
            params={"customerId": each["Id"], "$pagesize": "1000"},
            headers={"Authorization": f"Bearer {token}"},
            timeout=10,
        )
        shown = {row["Number"]: row["NetPrice"] for row in answer.json()["Data"]}
        for (code, number), (value, _) in found.items():
            if number == each["CustomerNumber"]:
                assert float(value.replace(",", ".")) == shown[code]


def test_the_category_is_declared_as_exacts_is() -> None:
    ours, theirs = (package(name).category(PRICES) for name in (PACKAGE, "exact_online"))
    assert ours.record is theirs.record
    assert ours.limit is theirs.limit
    assert ours.streams[-1].fields is theirs.streams[-1].fields
