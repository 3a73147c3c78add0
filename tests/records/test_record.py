"""Record declarations: what OutSmart would refuse, what is in use today, and when that changes."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outsmart_sync.records.hour_type import HOUR_TYPE
from outsmart_sync.records.invoice import INVOICE
from outsmart_sync.records.mapping import next_change
from outsmart_sync.records.material import MATERIAL
from outsmart_sync.records.material_category import MATERIAL_CATEGORY
from outsmart_sync.records.price import PRICE
from outsmart_sync.records.project import PROJECT
from outsmart_sync.records.record import Field, Kind, Parent, Record, is_active
from outsmart_sync.records.relation import ADDRESS, CONTACT_PERSON, RELATION
from outsmart_sync.records.transaction import TRANSACTION
from outsmart_sync.records.values import Payload
from outsmart_sync.records.work_order import (
    CHANGEABLE,
    WORK_ORDER,
    MaterialLine,
    decode_materials,
    encode_materials,
)

RECORDS = (
    RELATION,
    CONTACT_PERSON,
    ADDRESS,
    MATERIAL,
    HOUR_TYPE,
    PRICE,
    MATERIAL_CATEGORY,
    PROJECT,
    WORK_ORDER,
    TRANSACTION,
    INVOICE,
)
TODAY = date(2026, 3, 1)
YESTERDAY, TOMORROW = date(2026, 2, 28), date(2026, 3, 2)
FOREVER = date(9999, 12, 31)

GOOD_RELATION: Payload = {
    "debtor_number": "1001",
    "name": "Bakkerij 't Hoekje",
    "street": "Dorpsstraat 1",
    "postal_code": "3511 AB",
    "city": "Utrecht",
}

each_record = pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.name)


@each_record
def test_a_declaration_names_only_fields_that_it_declares(record: Record) -> None:
    names = [field.name for field in record.fields]
    assert len(names) == len(set(names))
    named = {record.code, record.title} | ({record.active} if record.active else set())
    named |= {record.parent.field} if record.parent else set()
    named |= set(record.keys)
    assert named <= set(names)
    assert record.field(record.code).required


@each_record
def test_a_default_is_of_its_fields_kind(record: Record) -> None:
    for field in record.fields:
        if field.default is not None:
            assert isinstance(field.default, bool) == (field.kind is Kind.FLAG), field.name
        if field.name == record.active:
            assert field.kind is Kind.FLAG


def test_a_field_is_found_by_name_and_an_unknown_one_is_an_error() -> None:
    assert RELATION.field("city").label == "city"
    with pytest.raises(KeyError, match="relation has no field town"):
        RELATION.field("town")


def test_a_complete_payload_has_no_problems() -> None:
    assert RELATION.problems(GOOD_RELATION) == ""


def test_every_missing_required_field_is_a_problem_in_the_order_of_the_declaration() -> None:
    assert RELATION.problems({"name": "X"}) == "debtor_number,street,postal_code,city"


def test_a_field_that_may_be_left_out_is_no_problem() -> None:
    assert RELATION.problems(GOOD_RELATION | {"email": "a@example.com"}) == ""


@pytest.mark.parametrize(("length", "problems"), [(55, ""), (56, "barcode>55")], ids=["longest", "one more"])
def test_a_text_may_be_as_long_as_outsmart_takes_and_no_longer(length: int, problems: str) -> None:
    payload: Payload = {"code": "A", "description": "B", "unit": "st", "barcode": "8" * length}
    assert MATERIAL.problems(payload) == problems


def test_missing_and_too_long_fields_are_named_together() -> None:
    assert MATERIAL.problems({"code": "A", "description": "x" * 65_536}) == "unit,description>65535"


def test_a_required_field_with_a_default_is_never_a_problem() -> None:
    assert MATERIAL.problems({"code": "A", "description": "B", "unit": "st"}) == ""
    assert HOUR_TYPE.problems({"code": "A", "name": "B"}) == ""


@pytest.mark.parametrize("record", [CONTACT_PERSON, ADDRESS], ids=lambda record: record.name)
def test_the_parents_code_is_no_problem_before_it_is_resolved(record: Record) -> None:
    assert record.parent is not None
    assert record.field(record.parent.field).required
    assert record.parent.field not in record.problems({}).split(",")


def test_a_flag_is_never_too_long() -> None:
    record = Record("r", "r", "code", "code", (Field("code", "code", required=True, max_length=3),), Parent("p", "f"))
    assert record.problems({"code": True}) == ""
    assert record.problems({"code": "four"}) == "code>3"


@each_record
def test_a_code_made_of_several_fields_is_none_of_them(record: Record) -> None:
    assert record.code not in record.keys


@pytest.mark.parametrize(
    ("record", "payload", "code"),
    [
        (MATERIAL, {"code": " 007 "}, " 007 "),
        (MATERIAL, {}, ""),
        (MATERIAL_CATEGORY, {"mct_mat_code": "A", "mct_cat_code": "B"}, "A | B"),
        (MATERIAL_CATEGORY, {"mct_mat_code": " A ", "mct_cat_code": "B"}, "A | B"),
        (PRICE, {"material": "A", "date_start": "2026-01-01", "price": "1"}, "A |  |  | 2026-01-01"),
        (PRICE, {"hourtype": "A", "debtornr": "7", "date_start": "2026-01-01"}, " | A | 7 | 2026-01-01"),
        (PRICE, {"key": "old", "price": "1"}, ""),
    ],
)
def test_a_code_is_a_field_or_several_joined(record: Record, payload: Payload, code: str) -> None:
    assert record.code_of(payload) == code


def test_what_can_be_changed_of_a_work_order_is_part_of_it() -> None:
    assert {field.name for field in WORK_ORDER.fields} > CHANGEABLE


def test_material_lines_are_read_as_they_were_written_and_written_alike() -> None:
    lines = [MaterialLine("A", 'Pipe "15"\nlong', "m", "2.5", "4.55", "W"), MaterialLine("B", "Elbow")]
    text = encode_materials(lines)
    assert decode_materials(text) == lines
    assert encode_materials(decode_materials(text)) == text
    other_order = '[{"name":"Elbow","code":"B","price":"0"}]'
    assert encode_materials(decode_materials(other_order)) == encode_materials(lines[1:])


@pytest.mark.parametrize(
    ("valid_from", "valid_until", "active"),
    [
        (None, None, True),
        (TODAY, None, True),
        (TOMORROW, None, False),
        (YESTERDAY, None, True),
        (None, TODAY, True),
        (None, YESTERDAY, False),
        (None, TOMORROW, True),
        (TODAY, TODAY, True),
        (TOMORROW, YESTERDAY, False),
        (None, FOREVER, True),
    ],
    ids=[
        "always",
        "begins today",
        "begins tomorrow",
        "began",
        "ends today",
        "ended yesterday",
        "ends tomorrow",
        "one day",
        "never",
        "forever",
    ],
)
def test_first_and_last_day_both_count_as_in_use(
    valid_from: date | None, valid_until: date | None, active: bool
) -> None:
    assert is_active(TODAY, blocked=False, valid_from=valid_from, valid_until=valid_until) is active


def test_what_is_blocked_is_never_in_use() -> None:
    assert not is_active(TODAY, blocked=True, valid_from=None, valid_until=None)


@pytest.mark.parametrize(
    ("days", "change"),
    [
        ((None, None), None),
        ((TODAY, None), None),
        ((TOMORROW, None), TOMORROW),
        ((None, TODAY), TOMORROW),
        ((None, YESTERDAY), None),
        ((None, TOMORROW), date(2026, 3, 3)),
        ((TOMORROW, TOMORROW), TOMORROW),
        ((YESTERDAY, FOREVER), None),
        ((FOREVER, None), None),
        ((None, date(2026, 5, 1), date(2026, 4, 1), None), date(2026, 4, 1)),
        ((), None),
    ],
    ids=[
        "always",
        "began",
        "begins",
        "last day",
        "over",
        "ends tomorrow",
        "begins before it ends",
        "open end",
        "never",
        "two",
        "none",
    ],
)
def test_the_next_change_is_the_first_day_on_or_the_first_day_after(
    days: tuple[date | None, ...], change: date | None
) -> None:
    assert next_change(TODAY, *days) == change


NEAR = st.one_of(st.none(), st.integers(-6, 6).map(lambda days: TODAY + timedelta(days=days)))


@given(st.lists(st.tuples(NEAR, NEAR), max_size=3))
def test_nothing_changes_before_the_next_change(validities: list[tuple[date | None, date | None]]) -> None:
    def in_use(day: date) -> list[bool]:
        return [is_active(day, blocked=False, valid_from=first, valid_until=last) for first, last in validities]

    change = next_change(TODAY, *(day for validity in validities for day in validity))
    days = [TODAY + timedelta(days=days) for days in range(20)]
    flips = [later for earlier, later in pairwise(days) if in_use(earlier) != in_use(later)]
    assert change is None or change > TODAY
    assert not flips or (change is not None and change <= flips[0])
    if all(first is None or last is None or first <= last for first, last in validities):
        assert (flips[0] if flips else None) == change
