"""Imports from VISMA, end to end: what comes, what does not, what is noticed later, and how many calls it takes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from outsmart_sync.pipeline.job import Options
from outsmart_sync.services import choices, planning, polling, settings
from outsmart_sync.store import cursors, ledger
from outsmart_sync.store.runs import CategoryRun
from outsmart_sync.store.tables import mirror, record_log
from support import Rig

PACKAGE = "visma_eaccounting"
COMPANY = "leeg"
ALL = ("customers", "materials", "hour_types", "projects", "sales_orders")


def customer(rig: Rig, number: str, **values: Any) -> str:
    given = {
        "CustomerNumber": number,
        "Name": f"Customer {number}",
        "InvoiceAddress1": "Kerkstraat 1",
        "InvoicePostalCode": "1234 AB",
        "InvoiceCity": "Delft",
        "IsPrivatePerson": False,
        **values,
    }
    return rig.vendors.control.add_visma(COMPANY, "customers", given)[0]


def unit(rig: Rig, code: str) -> str:
    rows = rig.vendors.control.visma_rows(COMPANY, "units")
    return str(next(row["Id"] for row in rows if row["Code"] == code))


def article(rig: Rig, number: str, *, of: str = "PCS", **values: Any) -> str:
    given = {"Number": number, "Name": f"Article {number}", "UnitId": unit(rig, of), "NetPrice": 10.0, **values}
    return rig.vendors.control.add_visma(COMPANY, "articles", given)[0]


def in_outsmart(rig: Rig, entity: str, key: str) -> dict[str, dict[str, Any]]:
    return {row[key]: row for row in rig.vendors.control.outsmart_records("south", entity)}


def on(*categories: str, **changes: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: {"enabled": True, **changes.get(name, {})} for name in categories}


def run(rig: Rig, *categories: str, **options: Any) -> dict[str, CategoryRun]:
    done = rig.sync(*categories, package=PACKAGE, **options)
    assert {name: each.error_text for name, each in done.items() if each.error_code} == {}
    return done


def states(rig: Rig, record: str) -> dict[str, tuple[str, str | None]]:
    return {row.code: (row.state, row.reason) for row in rig.rows(mirror, record=record)}


def poll(rig: Rig, name: str = "poll") -> list[str]:
    opened = planning.open_run(rig.store, PACKAGE, f"test:{name}", Options())
    (connection_id,) = (number for shard in opened.shards for number in shard)
    work = polling.poll(rig.store, rig.gateway, opened.run_id, [connection_id])
    planning.close_run(rig.store, opened.run_id)
    return [category for each in work for category in each.categories]


def paths(rig: Rig) -> list[str]:
    return [call["path"].removeprefix("/v2/") for call in rig.vendors.control.calls(vendor="visma", path="/v2/")]


def test_customers_become_relations_with_their_numbers_as_they_are(visma: Rig) -> None:
    visma.connect_visma(COMPANY, **on("customers"))
    identity = customer(
        visma, "0012", InvoiceCountryCode="NL", Telephone="015 1", EmailAddress="a@example.com", Note="Bel eerst"
    )
    customer(visma, "7", IsActive=False)
    counts = run(visma)["customers"].counts
    assert (counts.created, counts.excluded) == (1, 1)
    (found,) = in_outsmart(visma, "relations", "debtor_number").values()
    expected = {
        "debtor_number": "0012",
        "name": "Customer 0012",
        "postal_code": "1234 AB",
        "city": "Delft",
        "country": "NL",
        "email": "a@example.com",
        "remark": "Bel eerst",
        "external_id": identity,
    }
    assert {name: found[name] for name in expected} == expected


def test_inactive_customers_come_when_asked_for_and_those_that_are_there_become_inactive(sqlite_visma: Rig) -> None:
    connection = sqlite_visma.connect_visma(COMPANY, **on("customers"))
    customer(sqlite_visma, "1")
    customer(sqlite_visma, "2", IsActive=False)
    run(sqlite_visma)
    settings.save(sqlite_visma.store, connection, {"customers": {"include_inactive": True}})
    assert run(sqlite_visma)["customers"].counts.created == 1
    sqlite_visma.vendors.control.change_visma(COMPANY, "customers", "1", IsActive=False)
    assert run(sqlite_visma)["customers"].counts.updated == 1
    assert {row["active"] for row in in_outsmart(sqlite_visma, "relations", "debtor_number").values()} in (
        {False},
        {"0"},
        {0},
    )


def test_labels_choose_customers_and_articles_and_a_person_sees_their_names(sqlite_visma: Rig) -> None:
    control = sqlite_visma.vendors.control
    connection = sqlite_visma.connect_visma(COMPANY, **on("customers", "materials"))
    for resource in ("customerlabels", "articlelabels"):
        control.add_visma(COMPANY, resource, {"Name": "Field service"})
    (label,) = control.visma_rows(COMPANY, "customerlabels")
    (tag,) = control.visma_rows(COMPANY, "articlelabels")
    customer(sqlite_visma, "1", CustomerLabels=[label])
    customer(sqlite_visma, "2")
    article(sqlite_visma, "A", ArticleLabels=[tag])
    article(sqlite_visma, "B")
    assert choices.choices(sqlite_visma.gateway, connection, "customers", "labels") == [(label["Id"], "Field service")]
    settings.save(
        sqlite_visma.store,
        connection,
        {"customers": {"labels": "field service"}, "materials": {"labels": [tag["Id"]]}},
        gateway=sqlite_visma.gateway,
    )
    done = run(sqlite_visma)
    assert {name: (each.counts.created, each.counts.excluded) for name, each in done.items()} == {
        "customers": (1, 1),
        "materials": (1, 1),
    }
    assert states(sqlite_visma, "relation")["2"] == ("excluded", "label_not_chosen")


def test_articles_are_told_apart_by_their_unit_and_move_when_it_changes(visma: Rig) -> None:
    visma.connect_visma(COMPANY, **on("materials", "hour_types"))
    article(visma, "00100", NetPrice=12.35, Barcodes=[{"Barcode": "871", "BarcodeType": 0}])
    article(visma, "UUR", of="HUR", NetPrice=62.5)
    run(visma)
    assert in_outsmart(visma, "materials", "code")["00100"]["price"] == "12,35"
    assert set(in_outsmart(visma, "materials", "code")) == {"00100"}
    assert set(in_outsmart(visma, "hourtypes", "code")) == {"UUR"}
    visma.vendors.control.change_visma(COMPANY, "articles", "UUR", UnitId=unit(visma, "PCS"))
    run(visma)
    assert "UUR" in in_outsmart(visma, "materials", "code")
    assert states(visma, "hour_type")["UUR"] == ("excluded", "not_hours")
    assert not is_in_use(visma, "UUR")
    visma.vendors.control.change_visma(COMPANY, "articles", "UUR", UnitId=unit(visma, "HUR"))
    run(visma)
    assert states(visma, "material")["UUR"] == ("excluded", "hours")
    assert states(visma, "hour_type")["UUR"][0] == "synced"
    assert is_in_use(visma, "UUR")


def is_in_use(rig: Rig, code: str) -> bool:
    return in_outsmart(rig, "hourtypes", "code")[code]["active"] not in (False, 0, "0")


def test_the_units_that_are_hours_are_proposed_and_another_choice_judges_all_articles_anew(sqlite_visma: Rig) -> None:
    connection = sqlite_visma.connect_visma(COMPANY, **on("materials", "hour_types"))
    hour, piece = unit(sqlite_visma, "HUR"), unit(sqlite_visma, "PCS")
    assert settings.read(sqlite_visma.store, connection).categories["hour_types"]["hour_units"] == [hour]
    article(sqlite_visma, "A")
    article(sqlite_visma, "B", of="HUR")
    run(sqlite_visma)
    chosen = {"hour_units": [piece], "count_as_hour": True}
    settings.save(sqlite_visma.store, connection, {"hour_types": chosen})
    assert sorted(poll(sqlite_visma)) == ["hour_types", "materials"]
    run(sqlite_visma)
    assert {code for code, state in states(sqlite_visma, "hour_type").items() if state[0] == "synced"} == {"A"}
    assert {code for code, state in states(sqlite_visma, "material").items() if state[0] == "synced"} == {"B"}


def test_a_unit_that_is_chosen_as_hours_and_not_called_one_is_no_hour_until_a_person_says_so(visma: Rig) -> None:
    connection = visma.connect_visma(COMPANY, **on("materials", "hour_types"))
    chosen = [unit(visma, code) for code in ("HUR", "DAY")]
    settings.save(visma.store, connection, {"hour_types": {"hour_units": chosen}})
    article(visma, "DAG", of="DAY", NetPrice=480)
    article(visma, "UUR", of="HUR", NetPrice=60)
    counts = run(visma)["hour_types"].counts
    assert (counts.created, counts.excluded) == (1, 1)
    assert states(visma, "hour_type")["DAG"] == ("excluded", "not_one_hour")
    assert set(in_outsmart(visma, "hourtypes", "code")) == {"UUR"}
    settings.save(visma.store, connection, {"hour_types": {"count_as_hour": True}})
    assert poll(visma) == ["hour_types"]
    visma.vendors.control.forget_calls()
    assert run(visma)["hour_types"].counts.created == 1
    assert Decimal(in_outsmart(visma, "hourtypes", "code")["DAG"]["sale_price"].replace(",", ".")) == 480


def test_projects_that_go_on_come_and_finished_ones_become_inactive(visma: Rig) -> None:
    visma.connect_visma(COMPANY, **on("customers", "projects"))
    identity = customer(visma, "1")
    control = visma.vendors.control
    given = {"Name": "Dak", "CustomerId": identity, "StartDate": "2026-01-05", "Status": 1}
    control.add_visma(COMPANY, "projects", {"Number": "P001", **given}, {"Number": "P002", **given, "Status": 2})
    counts = run(visma)["projects"].counts
    assert (counts.created, counts.excluded) == (1, 1)
    found = in_outsmart(visma, "projects", "code")["P001"]
    assert (found["debtor_number"], found["date_start"][:10]) == ("1", "2026-01-05")
    control.change_visma(COMPANY, "projects", "P001", Status=2)
    assert run(visma)["projects"].counts.updated == 1
    assert in_outsmart(visma, "projects", "code")["P001"]["active"] in (False, "0", 0)


def order(rig: Rig, identity: str, *rows: dict[str, Any], **values: Any) -> str:
    base = {"IsTextRow": False, "IsWorkCost": False, "EligibleForReverseChargeOnVat": False}
    lines = [{"LineNumber": place, **base, **row} for place, row in enumerate(rows, 1)]
    return rig.vendors.control.add_visma(COMPANY, "orders", {"CustomerId": identity, "Rows": lines, **values})[0]


def orders_on(rig: Rig, **changes: Any) -> Any:
    changes = {"start_date": "2026-01-01", **changes}
    return rig.connect_visma(COMPANY, **on("customers", "projects", "sales_orders", sales_orders=changes))


def test_confirmed_orders_become_work_orders_at_their_own_prices_and_exact_quantities(visma: Rig) -> None:
    orders_on(visma)
    identity = customer(visma, "1")
    article(visma, "0010", NetPrice=10.0)
    (project,) = visma.vendors.control.add_visma(
        COMPANY, "projects", {"Number": "P1", "Name": "Dak", "CustomerId": identity, "StartDate": "2026-01-05"}
    )
    made = order(
        visma,
        identity,
        {"IsTextRow": True, "Text": "Voordeur gebruiken"},
        {"ArticleNumber": "0010", "Text": "Pomp", "Quantity": 2.3333, "UnitPrice": 19.99, "ProjectId": project},
        {"ArticleNumber": "0010", "Text": "Met korting", "Quantity": 1, "UnitPrice": 10, "DiscountPercentage": 0.125},
        BuyersOrderReference="PO 7",
        OrderDate="2026-11-20",
    )
    order(visma, identity, {"ArticleNumber": "0010", "Text": "x", "Quantity": 1}, OrderDate="2025-12-31")
    counts = run(visma)["sales_orders"].counts
    assert (counts.created, counts.excluded) == (1, 1)
    number = visma.vendors.control.visma_row(COMPANY, "orders", made)["Number"]
    (work,) = visma.vendors.control.outsmart_records("south", "workorders")
    assert work["WorkorderNo"] == f"VO-{number}"
    kept = visma.rows(mirror, record="sales_order", provider_id=made)[0].payload
    assert "Voordeur gebruiken" in kept
    lines = [(line["code"], Decimal(line["quantity"]), Decimal(line["price"])) for line in _lines(kept)]
    assert lines == [("0010", Decimal("2.3333"), Decimal("19.99")), ("0010", Decimal(1), Decimal("8.75"))]


def _lines(payload: str) -> list[dict[str, str]]:
    import json

    found: list[dict[str, str]] = json.loads(json.loads(payload)["materials"])
    return found


def test_other_statuses_come_only_when_chosen(sqlite_visma: Rig) -> None:
    connection = orders_on(sqlite_visma)
    identity = customer(sqlite_visma, "1")
    article(sqlite_visma, "A")
    line = {"ArticleNumber": "A", "Text": "x", "Quantity": 1, "UnitPrice": 5}
    draft, shipped = (order(sqlite_visma, identity, line) for _ in range(2))
    sqlite_visma.vendors.control.change_visma(COMPANY, "orders", draft, Status=1)
    sqlite_visma.vendors.control.act_on_visma(COMPANY, "orders", shipped, "completed")
    assert run(sqlite_visma)["sales_orders"].counts.created == 0
    settings.save(sqlite_visma.store, connection, {"sales_orders": {"statuses": ["shipped"]}})
    assert run(sqlite_visma)["sales_orders"].counts.created == 1


def test_an_order_in_another_currency_is_left_out_and_says_so(sqlite_visma: Rig) -> None:
    orders_on(sqlite_visma)
    article(sqlite_visma, "A")
    line = {"ArticleNumber": "A", "Text": "x", "Quantity": 1, "UnitPrice": 100}
    own, foreign = (
        order(sqlite_visma, customer(sqlite_visma, number, CurrencyCode=code), line, CurrencyCode=code)
        for number, code in (("1", "EUR"), ("2", "SEK"))
    )
    counts = run(sqlite_visma)["sales_orders"].counts
    assert (counts.created, counts.excluded) == (1, 1)
    reasons = {row.provider_id: row.reason for row in sqlite_visma.rows(mirror, record="sales_order")}
    assert (reasons[own], reasons[foreign]) == (None, "other_currency")


def test_an_order_that_our_export_made_never_comes_back(sqlite_visma: Rig) -> None:
    connection = orders_on(sqlite_visma)
    identity = customer(sqlite_visma, "1")
    article(sqlite_visma, "A")
    made = order(sqlite_visma, identity, {"ArticleNumber": "A", "Text": "x", "Quantity": 1, "UnitPrice": 5})
    with sqlite_visma.store.begin() as transaction:
        sent = (connection.outsmart_account, "sales_order", "WO-1")
        ledger.begin(transaction, *sent, connection_id=connection.id, run_id=1)
        ledger.done(transaction, *sent, made, run_id=1)
    counts = run(sqlite_visma)["sales_orders"].counts
    assert (counts.created, counts.excluded) == (0, 1)
    assert {row.reason for row in sqlite_visma.rows(mirror, record="sales_order")} == {"own_export"}


def test_a_deleted_record_is_noted_by_the_days_compare_and_not_before(visma: Rig) -> None:
    connection = visma.connect_visma(COMPANY, **on("customers"))
    customer(visma, "1")
    customer(visma, "2")
    run(visma)
    visma.vendors.control.delete_visma(COMPANY, "customers", "2")
    assert run(visma)["customers"].counts.deleted == 0
    _a_day_later(visma, connection.id)
    assert poll(visma) == ["customers"]
    assert run(visma)["customers"].counts.deleted == 1
    assert {row.code for row in visma.rows(record_log, event="deleted")} == {"2"}
    assert set(in_outsmart(visma, "relations", "debtor_number")) == {"1", "2"}


def _a_day_later(rig: Rig, connection_id: int) -> None:
    """What was compared was compared on another day."""
    with rig.store.begin() as transaction:
        for category in ALL:
            kept = cursors.read_all(transaction, connection_id, category).get("epoch")
            if kept:
                cursors.move(transaction, connection_id, category, {"epoch": f"{kept.value} yesterday"})


def test_a_read_that_was_cut_off_marks_nothing_as_gone(sqlite_visma: Rig) -> None:
    sqlite_visma.connect_visma(COMPANY, **on("customers"))
    for number in range(3):
        customer(sqlite_visma, str(number))
    run(sqlite_visma)
    page = sqlite_visma.vendors.control.visma_rows(COMPANY, "customers")[0]
    meta = {"CurrentPage": 1, "PageSize": 1000, "TotalNumberOfPages": 1, "TotalNumberOfResults": 3}
    body = {"Meta": {**meta, "ServerTimeUtc": "2026-11-26T12:00:00.1234567Z"}, "Data": [page]}
    sqlite_visma.vendors.control.add_fault(
        "status", vendor="visma", path="/v2/customers", status=200, body=body, times=None
    )
    done = sqlite_visma.sync("customers", package=PACKAGE, full=True)["customers"]
    assert done.error_code == "vendor_unavailable"
    assert "cut off" in done.error_text
    sqlite_visma.vendors.control.clear_faults()
    assert run(sqlite_visma, "customers", full=True)["customers"].counts.deleted == 0


def test_a_list_that_refuses_the_filter_is_read_whole_and_that_is_remembered(visma: Rig) -> None:
    visma.vendors.control.switch(visma_filters_refused=["projects/ModifiedUtc"])
    visma.connect_visma(COMPANY, **on("customers", "projects"))
    identity = customer(visma, "1")
    given = {"Name": "Dak", "CustomerId": identity, "StartDate": "2026-01-05"}
    visma.vendors.control.add_visma(COMPANY, "projects", *({"Number": f"P{n}", **given} for n in range(3)))
    run(visma)
    visma.vendors.control.forget_calls()
    assert poll(visma, "quiet") == []
    assert [call["status"] for call in visma.vendors.control.calls(vendor="visma", path="/v2/projects")] == [200]
    visma.vendors.control.change_visma(COMPANY, "projects", "P1", Name="Gevel")
    assert poll(visma, "busy") == ["projects"]
    visma.vendors.control.forget_calls()
    counts = run(visma, "projects")["projects"].counts
    assert (counts.read, counts.updated, counts.unchanged) == (3, 1, 2)
    assert {call["status"] for call in visma.vendors.control.calls(vendor="visma", path="/v2/projects")} == {200}


def test_a_filter_that_is_refused_one_day_costs_nothing_but_a_whole_read(sqlite_visma: Rig) -> None:
    sqlite_visma.connect_visma(COMPANY, **on("customers"))
    customer(sqlite_visma, "1")
    run(sqlite_visma)
    sqlite_visma.vendors.control.switch(visma_filters_refused=["customers"])
    customer(sqlite_visma, "2")
    assert poll(sqlite_visma) == ["customers"]
    counts = run(sqlite_visma)["customers"].counts
    assert (counts.created, counts.read) == (1, 2)


def test_a_full_import_takes_two_calls_per_list_and_category_and_one_for_units_and_an_idle_cycle_one_per_list(
    visma: Rig,
) -> None:
    visma.connect_visma(COMPANY, **on(*ALL, sales_orders={"start_date": "2026-01-01"}))
    customer(visma, "1")
    article(visma, "A")
    article(visma, "B", of="HUR")
    visma.vendors.control.forget_calls()
    run(visma)
    lists = ["articles"] * 4 + ["customers"] * 2 + ["orders"] * 2 + ["projects"] * 2
    assert sorted(paths(visma)) == sorted([*lists, "companysettings", "units"])
    visma.vendors.control.forget_calls()
    assert poll(visma) == []
    assert sorted(paths(visma)) == ["articles", "customers", "orders", "projects"]


def test_a_change_makes_one_run_and_the_overlap_that_brings_it_again_makes_none(sqlite_visma: Rig) -> None:
    sqlite_visma.connect_visma(COMPANY, **on("customers", "materials"))
    customer(sqlite_visma, "1")
    run(sqlite_visma)
    assert poll(sqlite_visma, "quiet") == []
    sqlite_visma.vendors.control.change_visma(COMPANY, "customers", "1", Name="Anders")
    assert poll(sqlite_visma, "busy") == ["customers"]
    assert run(sqlite_visma)["customers"].counts.updated == 1
    assert poll(sqlite_visma, "quiet again") == []


def test_one_customer_is_looked_up_although_its_number_cannot_be_asked_for(sqlite_visma: Rig) -> None:
    sqlite_visma.connect_visma(COMPANY, **on("customers", "materials"))
    for number in ("1", "2"):
        customer(sqlite_visma, number)
        article(sqlite_visma, f"A/{number}'s")
    assert run(sqlite_visma, "customers", codes=("2",))["customers"].counts.created == 1
    assert run(sqlite_visma, "materials", codes=("a/1'S",))["materials"].counts.created == 1
    assert set(in_outsmart(sqlite_visma, "relations", "debtor_number")) == {"2"}
    assert set(in_outsmart(sqlite_visma, "materials", "code")) == {"A/1's"}


def test_a_start_date_is_told_in_figures(sqlite_visma: Rig) -> None:
    from datetime import date

    from outsmart_sync.services import start_dates

    connection = orders_on(sqlite_visma)
    identity = customer(sqlite_visma, "1")
    article(sqlite_visma, "A")
    line = {"ArticleNumber": "A", "Text": "x", "Quantity": 1, "UnitPrice": 5}
    for day in ("2026-11-01", "2026-11-20"):
        order(sqlite_visma, identity, line, OrderDate=day)
    found = start_dates.meant(sqlite_visma.gateway, connection, "sales_orders", date(2026, 11, 10))
    assert (found.documents, found.total) == (1, 2)
