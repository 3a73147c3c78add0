"""Work orders that are made from the bookkeeping package's own orders: what each kind is, and how one is put together.

Their numbers carry a prefix per kind, since a package numbers each kind of order by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import msgspec

from outsmart_sync.records.lists import PAYMENT_METHODS, RELATIONS, WORK_STATUSES, WORK_TYPES
from outsmart_sync.records.record import REFERS, Identity, Record, Reference
from outsmart_sync.records.setting_kinds import Text
from outsmart_sync.records.streams import Referred
from outsmart_sync.records.values import Payload
from outsmart_sync.records.work_order import CHANGEABLE, WORK_ORDER, decode_materials, encode_materials

OPEN = f"{REFERS}open"
"""Payload entry: false once the order was cancelled at the package."""

CUSTOMER = Reference("customer", {"relation": "customer"}, "relation")
"""Where the work is."""
INVOICE = Reference("invoice", {"relation": "invoice_customer"}, "relation")
"""Who pays; without one it is the customer."""
ADDRESS = Reference("address", {"address": "address"}, "delivery address", waits=False)
CONTACT_PERSON = Reference("contact_person", {"contact_person": "contact_person"}, "contact person", waits=False)
PROJECT = Reference("project", {"project": "project"}, "project", waits=False)
ARTICLE = Reference("article", {"material": "", "hour_type": ""}, "article", many=True, known=True)
"""Articles of lines that name them by their ids; such a line's code is the id, as :func:`article` writes it."""
EMPLOYEE = Reference("employee", {"employee": "employee"}, "employee")

INTERNAL_RELATION = Text(
    "internal_relation",
    "Debtor number of the relation for orders without a customer (empty: such orders are rejected)",
    lists=RELATIONS,
)
CUSTOMER_OR_OWN = replace(CUSTOMER, setting=INTERNAL_RELATION.name, demanded=True)
"""The customer of an order that may be for the firm itself."""

SHOP_ORDER_PREFIX, ASSEMBLY_ORDER_PREFIX = "SH-", "AS-"
NEVER_SOLD = (SHOP_ORDER_PREFIX, ASSEMBLY_ORDER_PREFIX)
"""What the numbers of work orders begin with that are for the firm's own production: no export may make sales documents
of them, whoever their customer is."""

TYPE_OF_WORK, PAYMENT_METHOD, CONTACT = "type_of_work", "payment_method", "contact"
"""Names of the settings with what OutSmart demands and a package's order does not have."""

DELIVERED_STATUS = "delivered_status"
"""Name of the setting with the work status that a work order gets when goods of its order were delivered."""

CANCELLED_STATUS = "cancelled_status"
"""Name of the setting with the work status that a cancelled order's work order gets."""

WORK_ORDER_SETTINGS = (
    Text(TYPE_OF_WORK, "Type of work of the work orders", default="Service", lists=WORK_TYPES),
    Text(PAYMENT_METHOD, "Payment method of the work orders", default="op rekening", lists=PAYMENT_METHODS),
    Text(CONTACT, "Contact person where the order names none (empty: the relation's name)"),
    Text(CANCELLED_STATUS, "Work status of a work order whose order was cancelled (empty: none)", lists=WORK_STATUSES),
)
"""What every category has that makes work orders."""


def order(name: str, label: str, prefix: str, references: tuple[Reference, ...]) -> Record:
    """A kind of order as the work order that it becomes.

    Args:
        name: Its name in mirror, staging and log.
        label: The word a person uses, singular.
        prefix: What its numbers begin with in OutSmart.
        references: What it refers to.
    """
    return replace(
        WORK_ORDER,
        name=name,
        label=label,
        active=OPEN,
        references=references,
        made_once=True,
        kind=WORK_ORDER.name,
        prefix=prefix,
        changeable=tuple(sorted(CHANGEABLE)),
        identity=Identity(numbers=("customer",), together=(), shown=("customer", "customer_name")),
    )


def article(identity: str) -> str:
    """What stands for the code of a line whose article is known by its id only, until the order is put together."""
    return f"{REFERS}{identity}"


def compose(own: Payload, others: Mapping[str, Referred], settings: Mapping[str, Any]) -> Payload:
    """A work order: the order's own fields, the relation's name and address, and what the settings add."""
    body = _with_codes(own, others)
    customer = others.get(CUSTOMER.name)
    payer = others.get(INVOICE.name, customer)
    _add(body, _party("customer", "customer", customer))
    _add(body, _party("invoice", "invoice_customer", payer))
    _put_address(body, others.get(ADDRESS.name))
    for reference in (CONTACT_PERSON, PROJECT, EMPLOYEE):
        if (other := others.get(reference.name)) is not None:
            body[reference.fields[other.record]] = other.code
    for field, name in (("type_of_work", TYPE_OF_WORK), ("payment_method", PAYMENT_METHOD)):
        _add(body, {field: settings.get(name) or ""})
    for side in ("customer", "invoice"):
        _add(body, {f"{side}_contact": settings.get(CONTACT) or body.get(f"{side}_name", "")})
    return body


def _with_codes(own: Payload, others: Mapping[str, Referred]) -> Payload:
    """The order with its articles' codes."""
    text = str(own.get("materials", ""))
    if REFERS not in text:
        return dict(own)
    codes = {article(identity): other.code for identity, other in _articles(others)}
    lines = (msgspec.structs.replace(line, code=codes.get(line.code, line.code)) for line in decode_materials(text))
    return {**own, "materials": encode_materials(lines)}


def _articles(others: Mapping[str, Referred]) -> Iterator[tuple[str, Referred]]:
    begin = ARTICLE.place("")
    return ((place.removeprefix(begin), other) for place, other in others.items() if place.startswith(begin))


def _party(side: str, code: str, relation: Referred | None) -> Payload:
    """A relation as one of the two sides of a work order."""
    if relation is None:
        return {}
    known = relation.payload
    fields = {
        "name": "name",
        "street": "street",
        "zip": "postal_code",
        "city": "city",
        "email": "email",
        "phone": "phone_number",
        "contact": "contact",
    }
    return {code: relation.code, **{f"{side}_{name}": known.get(field, "") for name, field in fields.items()}}


def _put_address(body: Payload, address: Referred | None) -> None:
    """The order's delivery address is where the work is, whatever the relation's own address."""
    if address is None:
        return
    body["address"] = address.code
    for field, source in (("street", "adr_line_1"), ("zip", "adr_zip"), ("city", "adr_city")):
        if value := address.payload.get(source):
            body[f"customer_{field}"] = value


def _add(body: Payload, values: Mapping[str, Any]) -> None:
    """What the order itself says goes first."""
    for name, value in values.items():
        if value and not body.get(name):
            body[name] = value
