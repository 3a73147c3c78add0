"""Work orders, and the material lines that stand on them.

Fields, lengths and what OutSmart demands: https://knowledge.out-smart.com/openapi/work-orders .
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal

import msgspec

from outsmart_sync.records.record import Field, Kind, Record
from outsmart_sync.records.values import code_key, parse_decimal

_LONG = 65_535
_SHORT = 255
_CENT = Decimal("0.01")

WORK_ORDER = Record(
    name="work_order",
    label="work order",
    code="number",
    title="customer_name",
    fields=(
        Field("number", "number", required=True, max_length=_SHORT),
        # Where the work is. The street goes with its house number, in one line.
        Field("customer", "debtor number", required=True, max_length=_SHORT),
        Field("customer_name", "name", required=True, max_length=_SHORT),
        Field("customer_street", "street", required=True, max_length=_SHORT),
        Field("customer_zip", "postcode", required=True, max_length=_SHORT),
        Field("customer_city", "city", required=True, max_length=_SHORT),
        Field("customer_contact", "contact person's name", required=True, max_length=_SHORT),
        Field("customer_email", "e-mail", max_length=_SHORT),
        Field("customer_phone", "telephone", max_length=_SHORT),
        Field("address", "code of the delivery address", max_length=_SHORT),
        Field("contact_person", "code of the contact person", max_length=_SHORT),
        # Where the bill goes.
        Field("invoice_customer", "debtor number for the invoice", required=True, max_length=_SHORT),
        Field("invoice_name", "name for the invoice", required=True, max_length=_SHORT),
        Field("invoice_street", "street for the invoice", required=True, max_length=_SHORT),
        Field("invoice_zip", "postcode for the invoice", required=True, max_length=_SHORT),
        Field("invoice_city", "city for the invoice", required=True, max_length=_SHORT),
        Field("invoice_contact", "contact person for the invoice", required=True, max_length=_SHORT),
        Field("invoice_email", "e-mail for the invoice", max_length=_SHORT),
        Field("invoice_phone", "telephone for the invoice", max_length=_SHORT),
        Field("type_of_work", "type of work", required=True, max_length=_SHORT),
        Field("payment_method", "payment method", required=True, max_length=_SHORT),
        # The customer reads it when signing.
        Field("description", "work description", max_length=_LONG),
        # Only the employee reads it.
        Field("internal_description", "internal work description", max_length=_LONG),
        Field("short_description", "short work description", max_length=_SHORT),
        Field("order_number", "order number", max_length=_SHORT),
        Field("project", "project", max_length=_SHORT),
        Field("extern_project", "external project number", max_length=_SHORT),
        Field("employee", "employee", max_length=_SHORT),
        Field("work_date", "date", Kind.DATE),
        # As ``07:30``.
        Field("work_time", "time"),
        Field("work_end_date", "last date", Kind.DATE),
        Field("work_end_time", "end time"),
        Field("deadline", "deadline", Kind.DATE),
        # In minutes. OutSmart has 0 where none was planned, so 0 is the same as no duration.
        Field("duration", "duration", Kind.DECIMAL),
        Field("work_status", "work status", max_length=_SHORT),
        Field("comment", "comment", max_length=_SHORT),
        # As :func:`encode_materials` writes them; left out where there are none.
        Field("materials", "materials"),
    ),
)
"""A work order is made once: OutSmart takes a second one with the same number as another work order."""

CHANGEABLE = frozenset({"work_date", "work_time", "employee", "work_status", "materials"})
"""What OutSmart can change of a work order that is there; the rest is changed by hand."""


class MaterialLine(msgspec.Struct, frozen=True):
    """A line of material on a work order.

    Attributes:
        code: Material code; OutSmart demands one.
        name: What the line says; OutSmart demands it.
        unit: Unit.
        quantity: Canonical decimal text.
        price: Of one unit, canonical decimal text.
        warehouse: Warehouse code.
    """

    code: str
    name: str
    unit: str = ""
    quantity: str = "0"
    price: str = "0"
    warehouse: str = ""


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(list[MaterialLine])


def encode_materials(lines: Iterable[MaterialLine]) -> str:
    """The lines as the payload holds them, in the order given: equal lines give equal text."""
    return _encoder.encode(list(lines)).decode()


def same_materials(one: str, other: str) -> bool:
    """Whether two lists of lines say the same to a person, in whatever order; '' is none.

    A price that was rounded to cents is the same one; units and warehouses are not looked at.
    """
    return Counter(map(_told, _lines(one))) == Counter(map(_told, _lines(other)))


def _lines(text: str) -> list[MaterialLine]:
    return decode_materials(text) if text else []


def _told(line: MaterialLine) -> tuple[str, str, Decimal | str, Decimal | str]:
    price = _number(line.price)
    cents = price.quantize(_CENT, ROUND_HALF_UP) if isinstance(price, Decimal) else price
    return code_key(line.code), line.name.strip(), _number(line.quantity), cents


def _number(text: str) -> Decimal | str:
    try:
        return parse_decimal(text)
    except ValueError:
        return text


def decode_materials(text: str) -> list[MaterialLine]:
    """The lines behind :func:`encode_materials`'s text.

    Raises:
        msgspec.DecodeError: The text holds something else.
    """
    return _decoder.decode(text)
