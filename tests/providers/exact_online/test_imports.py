"""Exact's import categories: which rows belong to which, and what of a row becomes what."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from outsmart_sync.providers.exact_online.imports import (
    ACCOUNTS,
    ADDRESSES,
    CONTACTS,
    HOUR_TYPES_IMPORT,
    MATERIALS_IMPORT,
    PRICES,
    ExactStream,
)
from outsmart_sync.providers.exact_online.values import code_from_id, exact_date
from outsmart_sync.records.mapping import MappedPage, Mapper
from outsmart_sync.records.staged import StagedRow
from outsmart_sync.records.streams import Stream
from outsmart_sync.records.values import decode

TODAY = date(2026, 3, 1)
ID = "de300000-0000-4000-8000-000000000001"
ACCOUNT = "de300000-0000-4000-8000-000000000002"
NO_ID = "00000000-0000-0000-0000-000000000000"
MATERIALS, HOUR_TYPES = MATERIALS_IMPORT.streams[0], HOUR_TYPES_IMPORT.streams[0]


def page_of(stream: Stream, **values: Any) -> MappedPage:
    row = dict.fromkeys(stream.columns) | {"ID": ID, "Timestamp": 5} | values
    return Mapper(stream=stream, today=TODAY, version="Timestamp", read_date=exact_date).page([row])


def row_of(stream: Stream, **values: Any) -> StagedRow:
    (row,) = page_of(stream, **values).rows
    return row


def payload_of(stream: Stream, **values: Any) -> dict[str, Any]:
    return decode(row_of(stream, **values).payload or "")


def belongs(stream: Stream, **values: Any) -> bool:
    page = page_of(stream, **values)
    assert len(page.rows) + len(page.foreign) == 1
    return bool(page.rows)


def test_an_account_becomes_a_relation() -> None:
    payload = payload_of(
        ACCOUNTS,
        Code="              1001",
        Name=" 't Hoekje ",
        AddressLine1="Straße des 17. Juni 135",
        Postcode="3511 AB",
        City="Utrecht",
        Country="NL ",
        Phone="",
        Email="a@example.com",
        Latitude=Decimal("52.09"),
        Longitude=0,
        InvoiceAccountCode="                 7",
        ChamberOfCommerce="012345",
        Blocked=False,
    )
    assert payload == {
        "debtor_number": "1001",
        "name": "'t Hoekje",
        "street": "Straße des 17. Juni 135",
        "postal_code": "3511 AB",
        "city": "Utrecht",
        "country": "NL",
        "email": "a@example.com",
        "latitude": "52.09",
        "external_id": ID,
        "debtor_number_invoice": "7",
        "kvk_number": "012345",
        "active": True,
    }


@pytest.mark.parametrize(
    ("status", "supplier", "tags"),
    [
        ("C", False, "|type:customer|"),
        ("P", False, "|type:prospect|"),
        ("S", False, "|type:suspect|"),
        ("C ", True, "|type:customer|type:supplier|"),
        ("A", True, "|type:supplier|"),
        (None, True, "|type:supplier|"),
        ("A", False, ""),
        (None, False, ""),
        ("", False, ""),
    ],
)
def test_an_account_is_tagged_by_what_it_is(status: str | None, supplier: bool, tags: str) -> None:
    assert row_of(ACCOUNTS, Code="1", Status=status, IsSupplier=supplier).tags == tags


@pytest.mark.parametrize(
    ("names", "name"),
    [
        ({"FullName": "Ann Bee", "LastName": "Bee"}, "Ann Bee"),
        ({"FullName": None, "LastName": "Bee", "FirstName": "Ann"}, "Bee"),
        ({"FullName": " ", "LastName": None, "FirstName": "Ann"}, "Ann"),
    ],
)
def test_a_contact_becomes_a_contact_person_with_a_code_from_its_id(names: dict[str, Any], name: str) -> None:
    row = row_of(CONTACTS, Account=ACCOUNT, Phone=None, Mobile="06", **names)
    assert (row.code, row.parent_id) == (code_from_id(ID), ACCOUNT)
    assert decode(row.payload or "") == {"cpn_code": code_from_id(ID), "cpn_name": name, "cpn_phone": "06"}


@pytest.mark.parametrize("account", [None, NO_ID], ids=["none", "zero id"])
@pytest.mark.parametrize("stream", [CONTACTS, ADDRESSES], ids=lambda stream: stream.name)
def test_a_row_of_no_relation_is_of_no_category(stream: ExactStream, account: str | None) -> None:
    assert not belongs(stream, Account=account, Type=4)
    assert belongs(stream, Account=ACCOUNT, Type=4)


@pytest.mark.parametrize(("kind", "ours"), [(1, False), (2, False), (3, False), (4, True), (None, False)])
def test_only_delivery_addresses_are_taken(kind: int | None, ours: bool) -> None:
    assert belongs(ADDRESSES, Account=ACCOUNT, Type=kind) is ours


@pytest.mark.parametrize(
    ("item", "material", "hour_type"),
    [
        ({"IsSalesItem": True, "IsTime": 0, "UnitType": "O"}, True, False),
        ({"IsSalesItem": False, "IsTime": 0, "UnitType": "O"}, False, False),
        ({"IsSalesItem": True, "IsTime": 1, "UnitType": "O"}, False, True),
        ({"IsSalesItem": True, "IsTime": 0, "UnitType": "T"}, False, True),
        ({"IsSalesItem": False, "IsTime": 1, "UnitType": "T"}, False, True),
        ({"IsSalesItem": True, "IsTime": None, "UnitType": None}, True, False),
    ],
    ids=["sold", "not sold", "labour by flag", "labour by unit", "labour not sold", "nothing said"],
)
def test_an_item_is_a_material_or_an_hour_type_or_neither(
    item: dict[str, Any], material: bool, hour_type: bool
) -> None:
    assert belongs(MATERIALS, Code="A", **item) is material
    assert belongs(HOUR_TYPES, Code="A", **item) is hour_type


def test_an_item_becomes_a_material_or_an_hour_type() -> None:
    item = {"Code": "U-001", "Description": "Monteur", "Unit": "uur", "Barcode": "87", "StartDate": "/Date(0)/"}
    assert payload_of(MATERIALS, IsSalesItem=True, **item) == {
        "code": "U-001",
        "description": "Monteur",
        "unit": "uur",
        "barcode": "87",
    }
    labour = {name: value for name, value in item.items() if name in HOUR_TYPES.columns}
    assert payload_of(HOUR_TYPES, IsTime=1, **labour) == {"code": "U-001", "name": "Monteur", "active": True}


@pytest.mark.parametrize(
    ("group", "tags"), [("01 ", "|group:01|"), ("A|B", "|group:A¦B|"), (None, ""), (" ", "")], ids=repr
)
def test_an_item_is_tagged_by_its_group(group: str | None, tags: str) -> None:
    assert row_of(MATERIALS, Code="A", IsSalesItem=True, ItemGroupCode=group).tags == tags


@pytest.mark.parametrize("column", ["Account", "Employee", "Project"])
def test_a_price_of_somebody_or_something_is_an_agreement_and_no_list_price(column: str) -> None:
    assert not belongs(PRICES, Item=ID, **{column: ACCOUNT})
    assert belongs(PRICES, Item=ID, **{column: NO_ID})


def test_a_price_row_keeps_its_figures_exactly() -> None:
    row = row_of(
        PRICES,
        Item=ID,
        Price=Decimal("4.550"),
        Quantity=Decimal("1.0"),
        Currency="EUR",
        Unit="st ",
        DefaultItemUnit="st",
        EndDate="/Date(1772323200000)/",
    )
    assert decode(row.payload or "") == {
        "price": "4.55",
        "quantity": "1",
        "currency": "EUR",
        "unit": "st",
        "default_unit": "st",
    }
    assert (row.parent_id, row.valid_until) == (ID, TODAY)
