"""Records to and from OutSmart: wire forms both ways, and batches of which one bad record stops nothing."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outsmart_sync.errors import AccessDenied, RecordError, TransientError
from outsmart_sync.providers.outsmart.delivery import OutSmartAccount
from outsmart_sync.providers.outsmart.wire import from_wire, to_wire
from outsmart_sync.records.hour_type import HOUR_TYPE
from outsmart_sync.records.material import MATERIAL
from outsmart_sync.records.material_category import MATERIAL_CATEGORY
from outsmart_sync.records.price import PRICE
from outsmart_sync.records.project import PROJECT
from outsmart_sync.records.record import Kind, Record
from outsmart_sync.records.relation import ADDRESS, CONTACT_PERSON, RELATION
from outsmart_sync.records.values import Payload, decimal_text
from sandbox.fixed_world import OutSmartAccount as Account
from sandbox.process import SandboxProcess
from support import NORTH, SOUTH
from tests.providers.conftest import MakeOutSmart
from tests.providers.scripted import Answer, Received, ScriptedServer

RECORDS = [RELATION, CONTACT_PERSON, ADDRESS, MATERIAL, HOUR_TYPE]
LISTS = {
    "relation": "relations",
    "contact_person": "contactpersons",
    "address": "addresses",
    "material": "materials",
    "hour_type": "hourtypes",
}
AWKWARD_CODES = ["0042", "42", "O'Brien", " 7", "A B", "ü/%&+#", "007 ", '"', "é|é"]


@pytest.fixture
def south(calm: SandboxProcess, outsmart_at: MakeOutSmart) -> OutSmartAccount:
    """The sandbox's empty account."""
    for name in reversed(LISTS.values()):
        calm.control.delete_outsmart("south", name)
    calm.control.forget_calls()
    return OutSmartAccount(outsmart_at(calm.outsmart_url, SOUTH))


def material(code: str, **fields: str) -> Payload:
    return {"code": code, "description": f"Material {code}", "price": "4.55", "unit": "st"} | fields


def relation(code: str, **fields: str | bool) -> Payload:
    filled: Payload = {"name": f"Relation {code}", "street": "Kade 1", "postal_code": "3511 AB", "city": "Utrecht"}
    return {"debtor_number": code} | filled | fields


def without(payload: Payload, name: str) -> Payload:
    return {field: value for field, value in payload.items() if field != name}


def codes(vendors: SandboxProcess, name: str = "materials", field: str = "code") -> list[str]:
    return sorted(str(each[field]) for each in vendors.control.outsmart_records("south", name))


# To the wire


def test_numbers_go_as_text_and_flags_as_digits() -> None:
    payload: Payload = {"code": "U", "name": "Hour", "cost_booking": False, "sale_booking": True, "sale_price": "72.5"}
    assert to_wire(HOUR_TYPE, payload) == {
        "code": "U",
        "name": "Hour",
        "cost_booking": "0",
        "sale_booking": "1",
        "sale_price": "72.5",
    }


def test_a_street_goes_whole_and_empties_the_house_number() -> None:
    wire = to_wire(RELATION, relation("1", street="Straße des 17. Juni 135"))
    assert (wire["street"], wire["house_number"]) == ("Straße des 17. Juni 135", "")


def test_a_house_number_is_left_alone_where_no_street_is_written() -> None:
    assert "house_number" not in to_wire(RELATION, {"debtor_number": "1", "name": "A"})
    assert "house_number" not in to_wire(MATERIAL, material("A"))


# From the wire


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("4,55", "4.55"),
        ("4.55", "4.55"),
        ("4,50", "4.5"),
        ("0,00", "0"),
        ("1000", "1000"),
        (4.5, "4.5"),
        (7, "7"),
        ("-3,10", "-3.1"),
    ],
    ids=repr,
)
def test_a_number_is_read_with_a_comma_or_a_point(sent: Any, read: str) -> None:
    assert from_wire(MATERIAL, {"code": "A", "price": sent}) == {"code": "A", "price": read}


@pytest.mark.parametrize("sent", ["a lot", "1.000,00", "NaN", "Infinity", "--1"])
def test_a_number_that_cannot_be_read_is_left_out_and_noted(sent: str, chatter: Callable[[], str]) -> None:
    assert from_wire(MATERIAL, {"code": "A", "price": sent}) == {"code": "A"}
    assert "material A: 'price' is not a number" in chatter()


@pytest.mark.parametrize(
    ("sent", "read"),
    [("1", True), ("0", False), (1, True), (0, False), (True, True), (False, False), ("true", True)],
    ids=repr,
)
def test_a_flag_is_read_in_every_form(sent: Any, read: bool) -> None:
    assert from_wire(RELATION, {"debtor_number": "1", "active": sent}) == {"debtor_number": "1", "active": read}


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.name)
@pytest.mark.parametrize("blank", [None, "", "  "], ids=repr)
def test_a_field_without_a_value_is_left_out(record: Record, blank: str | None) -> None:
    fields = {field.name: blank for field in record.fields}
    assert from_wire(record, fields | {record.code: "C"}) == {record.code: "C"}


def test_a_field_that_we_do_not_know_is_left_out() -> None:
    assert from_wire(MATERIAL, {"code": "A", "freefield1": "x", "eancode": "y"}) == {"code": "A"}


@pytest.mark.parametrize("code", AWKWARD_CODES)
def test_a_code_is_kept_letter_by_letter(code: str) -> None:
    assert from_wire(MATERIAL, {"code": code}) == {"code": code}


@pytest.mark.parametrize(
    ("street", "number", "line"),
    [
        ("Kade", "12 bis", "Kade 12 bis"),
        ("Kade 12", "", "Kade 12"),
        ("Kade 12", None, "Kade 12"),
        (" Kade ", " 12 ", "Kade 12"),
        (None, "12", "12"),
        ("Kade", 12, "Kade 12"),
    ],
)
def test_street_and_house_number_are_one_line(street: Any, number: Any, line: str) -> None:
    fields = {"debtor_number": "1", "street": street, "house_number": number}
    assert from_wire(RELATION, fields) == {"debtor_number": "1", "street": line}


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30).map(str.strip).filter(bool)
AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9)
VALUES: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.TEXT: TEXTS,
    Kind.DATE: st.dates().map(lambda day: day.isoformat()),
    Kind.FLAG: st.booleans(),
    Kind.DECIMAL: AMOUNTS.map(decimal_text),
}


@given(st.data(), st.sampled_from(RECORDS), st.booleans())
def test_what_is_written_is_what_is_read_back(data: st.DataObject, record: Record, comma: bool) -> None:
    payload: Payload = {record.code: data.draw(TEXTS)}
    for field in data.draw(st.lists(st.sampled_from(record.fields), unique_by=lambda field: field.name)):
        payload[field.name] = data.draw(VALUES[field.kind])
    wire: dict[str, Any] = dict(to_wire(record, payload))
    if comma:
        decimals = {field.name for field in record.fields if field.kind is Kind.DECIMAL}
        wire = {name: value.replace(".", ",") if name in decimals else value for name, value in wire.items()}
    assert from_wire(record, wire) == payload


@given(AMOUNTS)
def test_an_amount_loses_nothing_on_the_way(amount: Decimal) -> None:
    wire = to_wire(MATERIAL, {"code": "A", "price": decimal_text(amount)})
    assert Decimal(str(from_wire(MATERIAL, wire)["price"])) == amount


# An account, over the wire


def test_each_record_type_has_its_own_list(calm: SandboxProcess, outsmart_at: MakeOutSmart) -> None:
    account = OutSmartAccount(outsmart_at(calm.outsmart_url, NORTH))
    for record in RECORDS:
        payloads = list(account.read(record))
        there = calm.control.outsmart_records("north", LISTS[record.name])
        assert sorted(str(each[record.code]) for each in payloads) == sorted(str(each[record.code]) for each in there)
    assert account.calls == len(RECORDS)
    assert [call["resource"] for call in calm.control.calls(vendor="outsmart")] == list(LISTS.values())


@pytest.mark.parametrize("code", AWKWARD_CODES)
def test_a_record_of_any_code_is_stored_and_found_again(south: OutSmartAccount, code: str) -> None:
    assert south.write(MATERIAL, [material(code)]) == []
    assert south.write(MATERIAL, [material(code, description="Second")]) == []
    assert list(south.read(MATERIAL)) == [material(code, description="Second")]


def test_every_field_that_we_write_is_stored_and_read_back(south: OutSmartAccount) -> None:
    full = {record.name: filled(record) for record in RECORDS}
    for record in RECORDS:
        assert south.write(record, [full[record.name]]) == []
        assert list(south.read(record)) == [full[record.name]]


def filled(record: Record) -> Payload:
    """A record with every field that we may write."""
    values: dict[Kind, str | bool] = {
        Kind.TEXT: "Ø'1",
        Kind.DECIMAL: "12.345",
        Kind.FLAG: True,
        Kind.DATE: "2026-03-01",
    }
    return {field.name: values[field.kind] for field in record.fields}


def test_a_house_number_of_a_person_is_replaced_by_the_packages_line(
    calm: SandboxProcess, south: OutSmartAccount
) -> None:
    by_hand = {"debtor_number": "1", "name": "A", "street": "Oude Kade", "house_number": "12"}
    calm.control.write_outsmart("south", "relations", by_hand)
    assert [each["street"] for each in south.read(RELATION)] == ["Oude Kade 12"]
    assert south.write(RELATION, [relation("1", street="Nieuwe Kade 3")]) == []
    stored = calm.control.outsmart_record("south", "relations", "1")
    assert (stored["street"], stored["house_number"] or "") == ("Nieuwe Kade 3", "")


def test_fields_that_we_do_not_write_stay_as_a_person_left_them(calm: SandboxProcess, south: OutSmartAccount) -> None:
    calm.control.write_outsmart("south", "materials", material("A") | {"freefield1": "by hand"})
    south.write(MATERIAL, [material("A", description="New")])
    stored = calm.control.outsmart_record("south", "materials", "A")
    assert (stored["description"], stored["freefield1"]) == ("New", "by hand")


def test_records_made_by_hand_without_an_address_are_read(calm: SandboxProcess, south: OutSmartAccount) -> None:
    calm.control.write_outsmart("south", "relations", {"debtor_number": "9", "name": "By hand"})
    assert list(south.read(RELATION)) == [{"debtor_number": "9", "name": "By hand", "active": True}]


def test_a_record_without_a_code_is_passed_over(server: ScriptedServer, outsmart_at: MakeOutSmart) -> None:
    rows = [{"code": None, "description": "x"}, {"code": "", "description": "y"}, {"code": "A"}, {"description": "z"}]
    server.play(Answer(200, {"code": 200, "messages": [], "response": rows}))
    assert list(OutSmartAccount(outsmart_at(server.url)).read(MATERIAL)) == [{"code": "A"}]


def test_a_list_that_is_cut_off_is_no_shorter_list(calm: SandboxProcess, outsmart_at: MakeOutSmart) -> None:
    calm.control.add_fault("truncate", vendor="outsmart", clean=True)
    with pytest.raises(TransientError):
        list(OutSmartAccount(outsmart_at(calm.outsmart_url, NORTH)).read(RELATION))


# Records that are known by several fields


@pytest.fixture
def priced(calm: SandboxProcess, south: OutSmartAccount) -> Iterator[OutSmartAccount]:
    """The account with what prices and categories of materials refer to."""
    lists = ("prices", "material_categories", "projects", "categories")
    for name in lists:
        calm.control.delete_outsmart("south", name)
    south.write(MATERIAL, [material("A"), material("B")])
    south.write(RELATION, [relation("7")])
    calm.control.write_outsmart("south", "hourtypes", {"code": "U", "name": "Hour"})
    calm.control.write_outsmart("south", "categories", {"cat_code": "C", "cat_name": "C"})
    yield south
    for name in lists:
        calm.control.delete_outsmart("south", name)


def price(**fields: str) -> Payload:
    payload: Payload = {"date_start": "2026-01-01", "price": "4.555"} | fields
    return payload | {"key": PRICE.code_of(payload)}


def test_a_code_of_several_fields_does_not_travel() -> None:
    assert to_wire(PRICE, price(material="A")) == {
        "material": "A",
        "hourtype": "",
        "debtornr": "",
        "date_start": "2026-01-01",
        "price": "4.555",
    }


def test_prices_for_one_customer_for_everyone_and_for_hours_stand_side_by_side(priced: OutSmartAccount) -> None:
    prices = [
        price(material="A"),
        price(material="A", debtornr="7"),
        price(material="A", date_start="2026-07-01", date_end="2026-12-31"),
        price(hourtype="U", debtornr="7"),
    ]
    assert priced.write(PRICE, prices) == []
    assert list(priced.read(PRICE)) == prices
    assert len({each["key"] for each in prices}) == 4


def test_a_price_that_is_written_again_is_updated(priced: OutSmartAccount) -> None:
    priced.write(PRICE, [price(material="A", debtornr="7")])
    ended = price(material="A", debtornr="7", date_end="2026-06-30", price="5")
    assert priced.write(PRICE, [ended]) == []
    assert list(priced.read(PRICE)) == [ended]


def test_a_price_for_nothing_and_one_for_two_things_are_refused_alone(priced: OutSmartAccount) -> None:
    batch = [price(), price(material="B"), price(material="A", hourtype="U"), price(material="404")]
    assert [each.index for each in priced.write(PRICE, batch)] == [0, 2, 3]
    assert list(priced.read(PRICE)) == [batch[1]]


def test_categories_of_materials_are_known_by_both_codes(priced: OutSmartAccount) -> None:
    links: list[Payload] = [
        {"key": f"{code} | C", "mct_mat_code": code, "mct_cat_code": "C"} for code in ("A", "B", "404")
    ]
    assert [each.index for each in priced.write(MATERIAL_CATEGORY, links)] == [2]
    assert list(priced.read(MATERIAL_CATEGORY)) == links[:2]


def test_a_project_is_stored_and_read_back(priced: OutSmartAccount) -> None:
    project: Payload = {
        "code": "P1",
        "code_ext": "guid",
        "debtor_number": "7",
        "status": "Lopend",
        "name": "Roof",
        "date_start": "2026-01-01",
        "date_end": "2026-12-31",
        "progress": "50",
        "active": True,
    }
    assert PROJECT.problems(project) == ""
    assert priced.write(PROJECT, [project]) == []
    assert list(priced.read(PROJECT)) == [project]


# Batches with bad records

SIZE = 20
BAD = {
    "none": set[int](),
    "the first": {0},
    "the last": {SIZE - 1},
    "one amid": {7},
    "neighbours": {9, 10},
    "both ends": {0, SIZE - 1},
    "every other": set(range(0, SIZE, 2)),
    "all but one": set(range(SIZE)) - {13},
    "all": set(range(SIZE)),
    "any": set(random.Random(4).sample(range(SIZE), 6)),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_bad_records_are_told_exactly_and_everything_else_is_stored(
    calm: SandboxProcess, south: OutSmartAccount, bad: set[int]
) -> None:
    payloads = [material(f"M{number:02}") for number in range(SIZE)]
    batch = [without(each, "unit") if number in bad else each for number, each in enumerate(payloads)]
    refused = south.write(MATERIAL, batch)
    assert [each.index for each in refused] == sorted(bad)
    assert all(isinstance(each.error, RecordError) and "unit" in str(each.error) for each in refused)
    assert codes(calm) == [f"M{number:02}" for number in range(SIZE) if number not in bad]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 33])
def test_one_bad_record_costs_few_calls(calm: SandboxProcess, south: OutSmartAccount, size: int) -> None:
    batch = [material(f"M{number:02}") for number in range(size)]
    batch[size // 2] = without(batch[size // 2], "price")
    assert [each.index for each in south.write(MATERIAL, batch)] == [size // 2]
    assert len(codes(calm)) == size - 1
    assert south.calls <= 2 * size.bit_length() + 1


def test_a_good_batch_is_one_call_and_no_records_are_none(south: OutSmartAccount) -> None:
    assert south.write(MATERIAL, [material(str(number)) for number in range(500)]) == []
    assert south.calls == 1
    assert south.write(MATERIAL, []) == []
    assert south.calls == 1


def test_each_refused_record_has_its_own_reason(south: OutSmartAccount) -> None:
    batch = [without(material("A"), "unit"), material("B"), material("C", price="x"), material("D", barcode="8" * 56)]
    refused = south.write(MATERIAL, batch)
    assert [each.index for each in refused] == [0, 2, 3]
    for each, field in zip(refused, ("unit", "price", "barcode"), strict=True):
        assert field in str(each.error)


def test_a_child_of_an_unknown_relation_does_not_keep_its_neighbours_out(
    calm: SandboxProcess, south: OutSmartAccount
) -> None:
    south.write(RELATION, [relation("1")])
    persons: list[Payload] = [
        {"cpn_debtor_nr": debtor, "cpn_code": f"C{debtor}", "cpn_name": "P"} for debtor in ("1", "404")
    ]
    (refused,) = south.write(CONTACT_PERSON, persons)
    assert refused.index == 1
    assert "404" in str(refused.error)
    assert codes(calm, "contactpersons", "cpn_code") == ["C1"]


@pytest.mark.parametrize("skip", [0, 1, 3])
def test_a_trouble_amid_the_halving_is_a_trouble_and_writing_again_is_safe(
    calm: SandboxProcess, south: OutSmartAccount, skip: int
) -> None:
    batch = [material(f"M{number:02}") for number in range(SIZE)]
    batch[11] = without(batch[11], "unit")
    calm.control.add_fault("html", vendor="outsmart", method="POST", skip=skip, times=3)
    with pytest.raises(TransientError):
        south.write(MATERIAL, batch)
    assert [each.index for each in south.write(MATERIAL, batch)] == [11]
    assert codes(calm) == [f"M{number:02}" for number in range(SIZE) if number != 11]


def test_a_refused_token_is_no_refused_record(calm: SandboxProcess, outsmart_at: MakeOutSmart) -> None:
    client = outsmart_at(calm.outsmart_url, Account("x", SOUTH.token, "wrong", None))
    with pytest.raises(AccessDenied):
        OutSmartAccount(client).write(MATERIAL, [material("A"), material("B")])
    assert client.calls == 1


def test_a_batch_that_is_refused_although_each_record_is_taken_is_stored(
    server: ScriptedServer, outsmart_at: MakeOutSmart
) -> None:
    def answer(received: Received) -> Answer:
        code = 1200 if received.body.count(b'"code"') > 1 else 200
        return Answer(200, {"code": code, "messages": ["too many"], "response": 1})

    server.play(answer)
    assert OutSmartAccount(outsmart_at(server.url)).write(MATERIAL, [material(str(n)) for n in range(4)]) == []
    assert len(server.received) == 7
