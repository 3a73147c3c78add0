"""Everything that we write to OutSmart is a field of its lists, and every field that it insists on is written."""

from __future__ import annotations

import pytest

from outsmart_sync.providers.exact_online.imports import PACKAGE
from outsmart_sync.providers.outsmart import wire as wires
from outsmart_sync.providers.outsmart import work_orders
from outsmart_sync.records.category import CATEGORY
from outsmart_sync.records.employee import EMPLOYEE
from outsmart_sync.records.hour_type import HOUR_TYPE
from outsmart_sync.records.invoice import INVOICE
from outsmart_sync.records.material import MATERIAL
from outsmart_sync.records.material_category import MATERIAL_CATEGORY
from outsmart_sync.records.price import PRICE
from outsmart_sync.records.project import PROJECT
from outsmart_sync.records.record import Kind, Record
from outsmart_sync.records.relation import ADDRESS, CONTACT_PERSON, RELATION
from outsmart_sync.records.transaction import TRANSACTION
from outsmart_sync.records.warehouse import WAREHOUSE
from outsmart_sync.records.work_order import WORK_ORDER, MaterialLine, encode_materials
from sandbox.outsmart.entities import ENTITIES
from sandbox.outsmart.entities import WORK_ORDERS as SERVED_WORK_ORDERS
from tests.contract.vendors import OUTSMART, WORK_ORDERS, OutSmartList

RECORDS = {
    record.name: record
    for record in (
        RELATION,
        CONTACT_PERSON,
        ADDRESS,
        CATEGORY,
        MATERIAL,
        MATERIAL_CATEGORY,
        HOUR_TYPE,
        EMPLOYEE,
        WAREHOUSE,
        PRICE,
        PROJECT,
        TRANSACTION,
    )
}
OUR_OWN = {"transaction": {"external_id"}}
"""Fields that we insist on although OutSmart does not."""
KINDS = {Kind.TEXT: "text", Kind.DATE: "text", Kind.DECIMAL: "number", Kind.FLAG: "flag"}
PARENTS = {"contact_person": "cpn_debtor_nr", "address": "adr_debtor_nr"}

each_record = pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)


def list_of(record: Record) -> OutSmartList:
    return OUTSMART[wires.WIRES[record.name].endpoint]


def travelling(record: Record) -> dict[str, str]:
    """OutSmart's name of each field that travels."""
    names = wires.WIRES[record.name].names
    return {
        field.name: names.get(field.name, field.name)
        for field in record.fields
        if not (record.keys and field.name == record.code)
    }


def test_every_record_type_is_looked_at_and_has_a_list() -> None:
    imported = {record.at_outsmart for category in PACKAGE.imports for record in category.records if not record.kept}
    assert imported - {WORK_ORDER.name} <= set(RECORDS)
    assert set(RECORDS) == set(wires.WIRES) - {INVOICE.name}


@each_record
def test_every_field_exists_with_a_kind_that_fits(record: Record) -> None:
    fields = list_of(record).fields
    names = travelling(record)
    assert {name: KINDS[record.field(name).kind] for name in names} == {
        name: fields.get(sent) for name, sent in names.items()
    }


@each_record
def test_a_record_is_written_by_the_lists_key(record: Record) -> None:
    made_once = record is TRANSACTION  # and OutSmart gives it its key
    assert made_once or (record.keys or (record.code,)) == list_of(record).key


@each_record
def test_exactly_the_fields_that_outsmart_insists_on_are_required(record: Record) -> None:
    required = {sent for name, sent in travelling(record).items() if record.field(name).required}
    ours = {wires.WIRES[record.name].names[name] for name in OUR_OWN.get(record.name, ())}
    assert required - ours == set(list_of(record).required)


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
    assert set(travelling(record).values()) <= set(wire) <= set(list_of(record).fields)


@each_record
def test_what_is_filled_in_by_default_is_of_the_fields_kind(record: Record) -> None:
    for field in record.fields:
        if field.default is not None:
            assert isinstance(field.default, bool) is (field.kind is Kind.FLAG), field.name


@each_record
def test_what_belongs_to_a_relation_names_it_by_its_code(record: Record) -> None:
    assert (record.parent.field if record.parent else None) == PARENTS.get(record.name)
    if record.parent:
        assert (RECORDS[record.parent.record].code,) == OUTSMART["relations"].key


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
    assert served.key == documented.key
    assert set(served.required) == set(documented.required)
    forms = {"price": "number", "amount": "number", "date": "text"}
    assert {field: forms.get(form, form) for field, form in served.fields.items()} == documented.fields
    assert {field: limit for field, limit in documented.limits.items() if limit < 65_536} == served.limits


def test_invoices_are_read_by_fields_that_exist_with_a_kind_that_fits() -> None:
    served = ENTITIES["invoices"].fields
    forms = {"amount": Kind.DECIMAL, "date": Kind.DATE, "text": Kind.TEXT}
    for name, sent in travelling(INVOICE).items():
        assert forms[served[sent]] is INVOICE.field(name).kind


# Work orders


def test_every_field_of_a_work_order_exists_and_none_is_let_through_that_is_too_long() -> None:
    lengths = WORK_ORDERS["lengths"]
    for name, sent in work_orders._NAMES.items():
        field = WORK_ORDER.field(name)
        if sent in WORK_ORDERS["numbers"]:
            assert field.kind is Kind.DECIMAL
        elif field.max_length is None:
            assert "date" in name or "time" in name or name == "deadline"
        else:
            assert field.max_length <= lengths[sent], name


def test_exactly_the_fields_that_outsmart_insists_on_are_required_of_a_work_order() -> None:
    required = {work_orders._NAMES[field.name] for field in WORK_ORDER.fields if field.required}
    assert required == set(WORK_ORDERS["required"]) == set(SERVED_WORK_ORDERS.required)


def test_house_numbers_and_updates_have_the_documented_names() -> None:
    assert set(work_orders._HOUSE_NUMBERS.values()) <= set(WORK_ORDERS["lengths"])
    assert set(work_orders._CHANGES.values()) == set(WORK_ORDERS["update"])


def test_a_line_of_material_has_every_documented_field_that_we_fill_and_no_other() -> None:
    (sent,) = work_orders.lines_to_wire(encode_materials([MaterialLine("A", "N", "m", "1", "2", "W")]))
    assert set(sent) == {*WORK_ORDERS["material"]["required"], *WORK_ORDERS["material"]["optional"]}


def test_the_sandbox_serves_work_orders_as_they_are_documented() -> None:
    documented = {*WORK_ORDERS["lengths"], *WORK_ORDERS["numbers"]}
    assert documented <= set(SERVED_WORK_ORDERS.fields)
