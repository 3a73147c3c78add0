"""Everything that we write to OutSmart is a field of its lists, and every field that it insists on is written."""

from __future__ import annotations

import pytest

from outsmart_sync.providers.exact_online.imports import PACKAGE
from outsmart_sync.providers.outsmart import wire as wires
from outsmart_sync.records.category import CATEGORY
from outsmart_sync.records.employee import EMPLOYEE
from outsmart_sync.records.hour_type import HOUR_TYPE
from outsmart_sync.records.material import MATERIAL
from outsmart_sync.records.record import Kind, Record
from outsmart_sync.records.relation import ADDRESS, CONTACT_PERSON, RELATION
from outsmart_sync.records.warehouse import WAREHOUSE
from sandbox.outsmart.entities import ENTITIES
from tests.contract.vendors import OUTSMART, OutSmartList

RECORDS = {
    record.name: record
    for record in (RELATION, CONTACT_PERSON, ADDRESS, CATEGORY, MATERIAL, HOUR_TYPE, EMPLOYEE, WAREHOUSE)
}
KINDS = {Kind.TEXT: "text", Kind.DATE: "text", Kind.DECIMAL: "number", Kind.FLAG: "flag"}
PARENTS = {"contact_person": "cpn_debtor_nr", "address": "adr_debtor_nr"}

each_record = pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)


def list_of(record: Record) -> OutSmartList:
    return OUTSMART[wires.WIRES[record.name].endpoint]


def test_every_record_type_is_looked_at_and_has_a_list() -> None:
    imported = {record.name for category in PACKAGE.imports for record in category.records}
    assert imported == set(RECORDS) == set(wires.WIRES)


@each_record
def test_every_field_exists_with_a_kind_that_fits(record: Record) -> None:
    fields = list_of(record).fields
    assert {field.name: KINDS[field.kind] for field in record.fields} == {
        field.name: fields.get(field.name) for field in record.fields
    }


@each_record
def test_a_record_is_written_by_the_lists_key(record: Record) -> None:
    assert record.code == list_of(record).key


@each_record
def test_exactly_the_fields_that_outsmart_insists_on_are_required(record: Record) -> None:
    assert {field.name for field in record.fields if field.required} == set(list_of(record).required)


@each_record
def test_no_text_is_let_through_that_is_longer_than_outsmart_takes(record: Record) -> None:
    longest = list_of(record).limits
    limits = {field.name: field.max_length for field in record.fields if field.name in longest}
    for name, limit in limits.items():
        assert limit is not None, name
        assert limit <= longest[name]


@each_record
def test_the_fields_that_only_the_wire_knows_exist(record: Record) -> None:
    wire = wires.to_wire(record, dict.fromkeys((field.name for field in record.fields), "x"))
    assert set(wire) <= set(list_of(record).fields)


@each_record
def test_what_is_filled_in_by_default_is_of_the_fields_kind(record: Record) -> None:
    for field in record.fields:
        if field.default is not None:
            assert isinstance(field.default, bool) is (field.kind is Kind.FLAG), field.name


@each_record
def test_what_belongs_to_a_relation_names_it_by_its_code(record: Record) -> None:
    assert (record.parent.field if record.parent else None) == PARENTS.get(record.name)
    if record.parent:
        assert RECORDS[record.parent.record].code == OUTSMART["relations"].key


@each_record
def test_every_stream_fills_only_fields_of_its_record(record: Record) -> None:
    for category in PACKAGE.imports:
        for stream in category.streams:
            if stream.record is record:
                assert set(stream.fields) <= {field.name for field in record.fields}


@pytest.mark.parametrize("name", OUTSMART)
def test_the_sandbox_serves_the_list_as_it_is_documented(name: str) -> None:
    """Else tests that pass on the sandbox would say little about the vendor."""
    documented, served = OUTSMART[name], ENTITIES[name]
    assert served.key == (documented.key,)
    assert set(served.required) == set(documented.required)
    forms = {"price": "number", "date": "text"}
    assert {field: forms.get(form, form) for field, form in served.fields.items()} == documented.fields
    assert {field: limit for field, limit in documented.limits.items() if limit < 65_536} == served.limits
