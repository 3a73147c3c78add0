"""The rules that hold for every package, with VISMA's records: two firms, empty values, rejects, what waits."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from outsmart_sync.store.tables import mirror
from providers.visma_eaccounting.test_visma_imports import (
    COMPANY,
    article,
    customer,
    in_outsmart,
    on,
    order,
    orders_on,
    run,
    states,
)
from support import Rig


def relation_by_hand(rig: Rig, number: str, **values: Any) -> None:
    base = {"name": "Bakker B.V.", "street": "Dorpsweg 9", "postal_code": "9999 XX", "city": "Assen"}
    rig.vendors.control.write_outsmart("south", "relations", {"debtor_number": number, **base, **values})


def test_another_firm_with_the_same_number_is_held_and_everybody_else_goes_on(visma: Rig) -> None:
    visma.connect_visma(COMPANY, **on("customers"))
    relation_by_hand(visma, "1")
    customer(visma, "1")
    customer(visma, "2")
    counts = run(visma)["customers"].counts
    assert (counts.created, counts.updated, counts.held) == (1, 0, 1)
    assert states(visma, "relation")["1"] == ("held", "two_firms")
    assert in_outsmart(visma, "relations", "debtor_number")["1"]["name"] == "Bakker B.V."


def test_an_empty_field_wipes_nothing_and_what_visma_does_not_hold_stays(visma: Rig) -> None:
    visma.connect_visma(COMPANY, **on("customers"))
    customer(visma, "1", Telephone="015 1", Note="Bel eerst")
    run(visma)
    visma.vendors.control.write_outsmart("south", "relations", {"debtor_number": "1", "accountmanager": "Bert"})
    visma.vendors.control.change_visma(COMPANY, "customers", "1", Telephone=None, Note="", Name="Anders")
    assert run(visma)["customers"].counts.updated == 1
    found = in_outsmart(visma, "relations", "debtor_number")["1"]
    assert (found["name"], found["phone_number"], found["remark"]) == ("Anders", "015 1", "Bel eerst")
    assert found["accountmanager"] == "Bert"


def test_a_customer_without_a_street_is_rejected_with_field_and_remedy_and_goes_once_it_is_mended(visma: Rig) -> None:
    visma.connect_visma(COMPANY, **on("customers"))
    customer(visma, "1", InvoiceAddress1=None)
    customer(visma, "2")
    counts = run(visma)["customers"].counts
    assert (counts.created, counts.rejected) == (1, 1)
    (row,) = visma.rows(mirror, record="relation", state="rejected")
    assert (row.code, row.reason) == ("1", "missing_field")
    assert "street" in row.detail.casefold() or "address" in row.detail.casefold()
    visma.vendors.control.change_visma(COMPANY, "customers", "1", InvoiceAddress1="Kerkstraat 1")
    assert run(visma)["customers"].counts.created == 1
    assert set(in_outsmart(visma, "relations", "debtor_number")) == {"1", "2"}


def test_a_project_and_an_order_wait_for_their_customer_and_go_by_themselves(visma: Rig) -> None:
    orders_on(visma)
    identity = customer(visma, "1", InvoiceAddress1=None)
    article(visma, "A")
    visma.vendors.control.add_visma(
        COMPANY, "projects", {"Number": "P1", "Name": "Dak", "CustomerId": identity, "StartDate": "2026-01-05"}
    )
    order(visma, identity, {"ArticleNumber": "A", "Text": "x", "Quantity": 1, "UnitPrice": 5})
    first = run(visma)
    assert first["sales_orders"].counts.waiting == 1
    assert first["sales_orders"].counts.created == 0
    assert "1" in str(visma.rows(mirror, record="sales_order")[0].detail)
    visma.vendors.control.change_visma(COMPANY, "customers", "1", InvoiceAddress1="Kerkstraat 1")
    second = run(visma)
    assert second["customers"].counts.created == 1
    assert second["sales_orders"].counts.created == 1
    assert set(in_outsmart(visma, "projects", "code")) == {"P1"}


def lines_in_outsmart(rig: Rig) -> list[tuple[str, Decimal, Decimal]]:
    """Code, quantity and price of the materials of the only work order."""
    (work,) = rig.vendors.control.outsmart_records("south", "workorders")
    number = lambda text: Decimal(str(text).replace(",", "."))  # noqa: E731
    return [
        (line["MaterialCode"], number(line["MaterialNr"]), number(line["MaterialPrice"])) for line in work["Materials"]
    ]


def test_the_lines_of_the_work_order_in_outsmart_have_the_order_s_own_prices_and_exact_quantities(visma: Rig) -> None:
    orders_on(visma)
    identity = customer(visma, "1")
    article(visma, "0010", NetPrice=10.0)
    made = order(
        visma,
        identity,
        {"ArticleNumber": "0010", "Text": "Pomp", "Quantity": 2.3333, "UnitPrice": 19.99},
        {"ArticleNumber": "0010", "Text": "In procenten", "Quantity": 1, "UnitPrice": 10, "DiscountPercentage": 0.125},
        {"ArticleNumber": "0010", "Text": "Vast bedrag", "Quantity": 4, "UnitPrice": 10},
        {"ArticleNumber": "0010", "Text": "Retour", "Quantity": -1, "UnitPrice": 10},
    )
    rows = visma.vendors.control.visma_row(COMPANY, "orders", made)["Rows"]
    rows[2] |= {"IsDiscountInFixedAmount": True, "DiscountFixedAmount": 6, "DiscountPercentage": 0.15}
    visma.vendors.control.change_visma(COMPANY, "orders", made, Rows=rows)
    run(visma)
    assert lines_in_outsmart(visma) == [
        ("0010", Decimal("2.3333"), Decimal("19.99")),
        ("0010", Decimal(1), Decimal("8.75")),
        ("0010", Decimal(4), Decimal("8.5")),
        ("0010", Decimal(-1), Decimal(10)),
    ]


def test_prices_that_include_vat_come_without_it(sqlite_visma: Rig) -> None:
    orders_on(sqlite_visma)
    control = sqlite_visma.vendors.control
    identity = customer(sqlite_visma, "1", IsPrivatePerson=True)
    article(sqlite_visma, "A")
    made = order(sqlite_visma, identity, {"ArticleNumber": "A", "Text": "x", "Quantity": 1, "UnitPrice": 121})
    control.change_visma(COMPANY, "orders", made, IncludesVat=True)
    rate = Decimal(str(control.visma_row(COMPANY, "orders", made)["Rows"][0]["VatRate"]))
    assert 0 < rate < 1
    run(sqlite_visma)
    (kept,) = sqlite_visma.rows(mirror, record="sales_order")
    (line,) = json.loads(json.loads(kept.payload)["materials"])
    assert abs(Decimal(line["price"]) * (1 + rate) - 121) < Decimal("0.001")
