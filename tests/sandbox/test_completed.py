"""OutSmart's completed work orders: made by the dozen, with their files and their history."""

from decimal import Decimal

import pytest
import requests

from sandbox.seeds.completed import KINDS
from tests.sandbox.clients import EMPTY, MAIN


@pytest.fixture
def complete(control):
    """Makes completed work orders in an account that is empty again afterwards."""

    def make(**wanted):
        return control.complete_work_orders("south", MAIN, **wanted)

    yield make
    for name in ("workorders", "hourtypes", "employees"):
        control.delete_outsmart("south", name)


def read(south, key, **query):
    return south.get("GetWorkorder", row_id=key, update_status="false", **query)["response"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_completed_and_names_what_there_is(complete, control, south, kind):
    customers = {row["Code"].strip() for row in control.exact_rows(MAIN, "Accounts") if row["Status"] == "C"}
    codes = {row["Code"] for row in control.exact_rows(MAIN, "Items")}
    for key in complete(count=3, kind=kind):
        order = read(south, key)
        assert (order["status"], order["WorkFinished"]) == ("Compleet", "1")
        assert (order["CustomerDebtorNr"] in customers) is (kind != "unknown_relation")
        assert {line["HourType"] for line in order["Workperiods"]} <= codes
        if kind != "unknown_material":
            assert {line["MaterialCode"] for line in order["Materials"]} <= codes
        assert order["Materials"] or order["Workperiods"]


def test_the_same_seed_gives_the_same(complete, south):
    [first], [second] = complete(seed=4), complete(seed=4)
    assert read(south, first)["Materials"] == read(south, second)["Materials"]


def test_an_empty_administration_has_nobody_to_bill(control):
    with pytest.raises(Exception, match="nobody or nothing"):
        control.complete_work_orders("south", EMPTY)


def test_only_the_total_tells_whether_a_discount_is_in_the_price(complete, south):
    def number(text):
        return Decimal(text.replace(",", "."))

    inside = set()
    for key in complete(count=8, kind="discount"):
        line = read(south, key)["Materials"][0]
        gross = number(line["MaterialNr"]) * number(line["MaterialOriginalPrice"])
        assert number(line["MaterialTotalPrice"]) == pytest.approx(gross * Decimal("0.9"), abs=Decimal("0.006"))
        inside.add(line["MaterialPrice"] != line["MaterialOriginalPrice"])
    assert inside == {True, False}


def test_hours_over_midnight_count_from_day_to_day(complete, south):
    [key] = complete(kind="night")
    [late, short] = read(south, key)["Workperiods"]
    assert (late["BeginTime"], late["EndTime"], late["Break"], late["TotalTime"]) == ("22:30", "01:15", "30", "02:15")
    assert short["TotalTime"] == "00:30"


def test_files_are_there_without_a_token(complete, south):
    [key] = complete()
    order = read(south, key)
    pdf = requests.get(order["PdfUrl"], timeout=10)
    assert pdf.headers["Content-Type"] == "application/pdf"
    assert pdf.content.startswith(b"%PDF-1.4")
    assert b"WB-1" in pdf.content
    [photo] = order["Photos"]
    assert requests.get(photo["image"], timeout=10).content.startswith(b"\x89PNG")
    assert requests.get(photo["image"].replace("/1.", "/2."), timeout=10).status_code == 404
    assert requests.get(order["PdfUrl"].replace(order["WorksheetCode"], "ab"), timeout=10).status_code == 404


def test_a_work_order_on_its_way_has_no_pdf(control, complete, south):
    [key] = complete()
    control.change_work_order("south", key, status="Opgehaald", EmployeeNr="1")
    assert read(south, key)["PdfUrl"] == ""


def test_its_history_tells_when_its_status_changed(control, complete, south):
    [key] = complete()
    before = read(south, key)
    assert [one["status"] for one in before["StatusChanges"]] == ["Compleet"]
    control.shift_clock(90)
    south.get("GetWorkorder", row_id=key)
    after = read(south, key)
    assert [one["status"] for one in after["StatusChanges"]] == ["Compleet", "Afgehandeld"]
    assert after["MutationDate"] > before["MutationDate"]
