"""Wire forms of the records that OutSmart keeps in lists: endpoints, field names, numbers and flags as text.

Endpoints and fields: https://knowledge.out-smart.com/openapi and
https://github.com/CloudEcosystemDev/outsmart-component .
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from outsmart_sync.records.record import Field, Kind, Record
from outsmart_sync.records.values import Payload, decimal_text, parse_decimal

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Wire:
    """How a record type travels.

    Attributes:
        endpoint: Where it is read and written.
        split: Field whose line OutSmart keeps in two, and the second of the two.
        names: OutSmart's names of fields, where ours are others.
    """

    endpoint: str
    split: tuple[str, str] | None = None
    names: Mapping[str, str] = field(default_factory=dict)


WIRES = {
    # The package gives one address line. It goes into `street` whole and `house_number` is emptied: cutting the number
    # out of "Straße des 17. Juni 135" or "12 bis, rue X" goes wrong somewhere, and both read the same on a work order.
    "relation": Wire("relations", split=("street", "house_number")),
    "contact_person": Wire("contactpersons"),
    "address": Wire("addresses"),
    "material": Wire("materials"),
    "hour_type": Wire("hourtypes"),
    "category": Wire("categories"),
    "material_category": Wire("material_categories"),
    "employee": Wire("employees"),
    "warehouse": Wire("warehouses"),
    "price": Wire("prices"),
    "project": Wire("projects"),
    "transaction": Wire(
        "transactions",
        names={
            "external_id": "int_external_transaction_id",
            "invoice_id": "int_inv_id",
            "description": "int_description",
            "amount": "int_amount",
            "type": "int_type",
            "type_description": "int_type_description",
            "status": "int_status",
            "user": "int_user",
            "timestamp": "int_timestamp",
        },
    ),
    "invoice": Wire(
        "invoices",
        names={
            "id": "inv_id",
            "number": "inv_number_numeric",
            "number_formatted": "inv_number_formatted",
            "debtor": "inv_invoice_debtor_nr",
            "amount": "inv_amount",
            "balance": "inv_balance",
            "currency": "inv_currency_code",
            "work_order": "inv_worksheet_id",
            "type": "inv_type",
            "status": "inv_status",
            "date": "inv_date",
        },
    ),
}


def to_wire(record: Record, payload: Payload) -> dict[str, str]:
    """A record as OutSmart takes it: numbers as text, flags as 0 and 1."""
    wire = WIRES[record.at_outsmart]
    # Of a code that is made of several fields, an empty one says something too: a price for everyone.
    body = dict.fromkeys(record.keys, "")
    for name, value in payload.items():
        if not (record.keys and name == record.code):
            body[wire.names.get(name, name)] = ("1" if value else "0") if isinstance(value, bool) else value
    if wire.split and wire.split[0] in body:
        body[wire.split[1]] = ""
    return body


def from_wire(record: Record, fields: Mapping[str, Any]) -> Payload:
    """A record as OutSmart sends it, in canonical form; blank fields, and numbers that cannot be read, are left out."""
    wire = WIRES[record.at_outsmart]
    payload: Payload = {}
    whose = text_of(fields.get(wire.names.get(record.code, record.code)))
    for each in record.fields:
        value = read_field(record, each, fields.get(wire.names.get(each.name, each.name)), whose)
        if value is not None:
            payload[each.name] = value
    if wire.split and (rest := text_of(fields.get(wire.split[1]))):
        payload[wire.split[0]] = f"{payload.get(wire.split[0], '')} {rest}".strip()
    if record.keys and (code := record.code_of(payload)):
        payload[record.code] = code
    return payload


def read_field(record: Record, each: Field, value: Any, whose: str) -> str | bool | None:
    """A field's value in canonical form; None when it is blank, or no number where there should be one.

    ``whose`` is the code of the record, for the log.
    """
    text = text_of(value)
    if not text:
        return None
    if each.name == record.code:
        return str(value).replace("\x00", "")  # blanks and all: it is what OutSmart finds the record by
    if each.kind is Kind.FLAG:
        return text.lower() in ("1", "true")
    if each.kind is not Kind.DECIMAL:
        return text
    try:
        return decimal_text(parse_decimal(text))
    except ValueError:
        log.warning("%s %s: '%s' is not a number", record.label, whose, each.name)
        return None


def text_of(value: Any) -> str:
    """A value of OutSmart's as text without blanks around it; '' for none."""
    return "" if value is None else str(value).replace("\x00", "").strip()
