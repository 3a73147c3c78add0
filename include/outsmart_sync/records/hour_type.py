"""Hour types: the rates at which hours are booked."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from outsmart_sync.records.record import Field, Kind, Record
from outsmart_sync.records.values import parse_decimal

if TYPE_CHECKING:
    from outsmart_sync.records.values import Payload

HOUR_TYPE = Record(
    name="hour_type",
    label="hour type",
    code="code",
    title="name",
    active="active",
    fields=(
        Field("code", "code", required=True),
        Field("name", "name", required=True),
        Field("cost_booking", "counts as cost", Kind.FLAG, required=True, default=False),
        Field("sale_booking", "is charged", Kind.FLAG, required=True, default=True),
        Field("sale_price", "sale price", Kind.DECIMAL, required=True, default="0"),
        Field("active", "in use", Kind.FLAG),
    ),
)


def is_told(payload: Payload) -> bool:
    """Whether an hour type says what an hour of it comes to, or that it is not charged."""
    return bool(payload.get("sale_price")) or payload.get("sale_booking") is False


def sale_price(payload: Payload) -> Decimal | None:
    """What is charged for an hour of a type, where :func:`is_told`; None: it is not charged."""
    return None if payload.get("sale_booking") is False else parse_decimal(str(payload["sale_price"]))
