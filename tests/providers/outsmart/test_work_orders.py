"""Wire forms of a work order: what is sent is what is read back, in one canonical form."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outsmart_sync.errors import RecordError
from outsmart_sync.providers.outsmart import work_orders
from outsmart_sync.providers.outsmart.work_orders import document, from_wire, to_wire
from outsmart_sync.records.exchange import Stage
from outsmart_sync.records.record import Kind
from outsmart_sync.records.values import Payload, decimal_text
from outsmart_sync.records.work_order import CHANGEABLE, WORK_ORDER, MaterialLine, encode_materials

TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30).map(str.strip).filter(bool)
LONG_TEXTS = st.lists(TEXTS, min_size=1, max_size=4).map("\n".join)
AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**6), max_value=10**6)
NUMBERS = AMOUNTS.map(decimal_text)
DAYS = st.dates(min_value=date(1900, 1, 1)).map(date.isoformat)
CLOCK = st.times().map(lambda time: f"{time:%H:%M}")
LINES = st.builds(MaterialLine, TEXTS, TEXTS, st.just("") | TEXTS, NUMBERS, NUMBERS, st.just("") | TEXTS)
VALUES: dict[str, st.SearchStrategy[str]] = {
    "work_time": CLOCK,
    "work_end_time": CLOCK,
    "duration": st.integers(1, 10_000).map(str),
    "description": LONG_TEXTS,
    "internal_description": LONG_TEXTS,
    "materials": st.lists(LINES, min_size=1, max_size=5).map(encode_materials),
}


def line(**fields: str) -> str:
    """One material line as the payload holds it."""
    return encode_materials([MaterialLine(**{"code": "A", "name": "Pipe"} | fields)])


@given(st.data())
def test_what_is_sent_is_what_is_read_back(data: st.DataObject) -> None:
    fields = data.draw(st.lists(st.sampled_from(WORK_ORDER.fields), unique_by=lambda field: field.name))
    payload: Payload = {
        field.name: data.draw(VALUES.get(field.name, DAYS if field.kind is Kind.DATE else TEXTS)) for field in fields
    }
    assert from_wire(to_wire(payload)) == payload


@given(AMOUNTS, AMOUNTS)
def test_no_number_of_a_line_loses_anything_on_the_way(quantity: Decimal, price: Decimal) -> None:
    materials = line(quantity=decimal_text(quantity), price=decimal_text(price))
    (sent,) = to_wire({"materials": materials})["Materials"]
    assert "." not in sent["MaterialNr"] + sent["MaterialPrice"]
    assert (Decimal(sent["MaterialNr"].replace(",", ".")), Decimal(sent["MaterialPrice"].replace(",", "."))) == (
        quantity,
        price,
    )


def test_every_field_has_a_name_of_its_own_on_the_wire() -> None:
    names = set(work_orders._NAMES)
    assert names | {"materials"} == {field.name for field in WORK_ORDER.fields}
    assert len(set(work_orders._NAMES.values())) == len(names)
    assert set(work_orders._CHANGES) | {"materials"} == CHANGEABLE


def test_dates_travel_as_the_vendor_writes_them() -> None:
    assert to_wire({"work_date": "2026-03-05", "work_time": "07:30", "deadline": "2026-12-31"}) == {
        "WorkDate": "05-03-2026",
        "WorkTime": "07:30",
        "WorkDeadline": "31-12-2026",
    }


def test_blank_fields_are_not_sent() -> None:
    payload: Payload = {"number": "SO-1", "customer_email": "", "work_date": "", "duration": "0", "materials": ""}
    assert to_wire(payload) == {"WorkorderNo": "SO-1"}


@pytest.mark.parametrize("field", ["work_date", "materials"])
def test_what_cannot_be_read_is_an_error_of_this_record_alone(field: str) -> None:
    with pytest.raises(RecordError, match="cannot be read") as refused:
        to_wire({"number": "SO-1", field: "tomorrow"})
    assert field in refused.value.technical


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ({"WorkDate": "05-03-2026"}, {"work_date": "2026-03-05"}),
        ({"WorkDate": "5-3-2026"}, {"work_date": "2026-03-05"}),
        ({"WorkDate": ""}, {}),
        ({"WorkDate": "00-00-0000"}, {}),
        ({"WorkTime": "07:30:00"}, {"work_time": "07:30"}),
        ({"WorkDuration": "0"}, {}),
        ({"WorkDuration": 90}, {"duration": "90"}),
        ({"WorkDescription": " a\n'b' \"c\" \x00"}, {"description": "a\n'b' \"c\""}),
        ({"EmployeeNr": None, "Materials": None}, {}),
        ({"Materials": []}, {}),
        ({"CustomerStreet": "Kade", "CustomerStreetNo": "12 bis"}, {"customer_street": "Kade 12 bis"}),
        ({"CustomerStreetInvoice": "Kade", "CustomerStreetNoInvoice": "1-D"}, {"invoice_street": "Kade 1-D"}),
    ],
    ids=str,
)
def test_a_field_is_read_in_every_form(sent: dict[str, Any], read: Payload) -> None:
    assert from_wire(sent) == read


@pytest.mark.parametrize(
    ("number", "canonical"), [("233,00", "233"), ("4.55", "4.55"), ("", "0"), (None, "0"), (2, "2"), ("2,50", "2.5")]
)
def test_a_number_of_a_line_is_read_in_every_form(number: Any, canonical: str) -> None:
    fields = {"MaterialCode": "A", "MaterialName": "Pipe", "MaterialNr": number, "MaterialPrice": number}
    assert from_wire({"Materials": [fields]})["materials"] == line(quantity=canonical, price=canonical)


def test_a_number_of_a_line_that_cannot_be_read_equals_none_of_ours(chatter: Callable[[], str]) -> None:
    fields = {"MaterialCode": "A", "MaterialName": "Pipe", "MaterialNr": "1.000,00", "MaterialPrice": "1"}
    assert from_wire({"Materials": [fields]})["materials"] == line(quantity="1.000,00", price="1")
    assert "1.000,00" in chatter()


def test_lines_keep_their_order() -> None:
    materials = encode_materials([MaterialLine(code, "Pipe") for code in "CAB"])
    assert [each["MaterialCode"] for each in to_wire({"materials": materials})["Materials"]] == ["C", "A", "B"]
    assert from_wire(to_wire({"materials": materials})) == {"materials": materials}


@pytest.mark.parametrize(
    ("status", "archived", "stage"),
    [
        ("Klaargezet", "0", Stage.NEW),
        ("Opgehaald", "0", Stage.STARTED),
        ("Compleet", "0", Stage.FINISHED),
        ("Afgehandeld", "0", Stage.FINISHED),
        ("Klaargezet", "1", Stage.FINISHED),
        ("Geregistreerd", "0", Stage.STARTED),
        ("", "0", Stage.STARTED),
    ],
)
def test_only_what_is_surely_untouched_is_new(status: str, archived: str, stage: Stage) -> None:
    found = document({"id": 7, "WorkorderNo": "SO-1", "status": status, "Archived": archived})
    assert (found.remote_id, found.number, found.stage) == ("7", "SO-1", stage)
