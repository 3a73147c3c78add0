"""Lines of orders and invoices: a net price, or a price with its discount, never both."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from outsmart_sync.providers.exact_online.export_reading import decimal
from outsmart_sync.records.export_document import OrderLine
from outsmart_sync.records.export_token import tokens_in

if TYPE_CHECKING:
    from outsmart_sync.records.export_document import Line
    from outsmart_sync.records.streams import Row

_LONGEST_TEXT = 60
_NET_DECIMALS = 4
"""A discounted price with more decimals than these is sent as a net price: how Exact rounds it is not documented."""


def body_of(line: Line, *, with_token: bool = False) -> dict[str, Any]:
    """A line as Exact takes it.

    Args:
        line: The line.
        with_token: It is found again by its token, which stands in its notes.
    """
    notes = [line.token] if with_token else []
    if len(line.text) > _LONGEST_TEXT:
        notes.append(line.text)
    body: dict[str, Any] = {"Item": line.article, "Quantity": line.quantity} | _price(line)
    extras = {"Description": _shortened(line.text), "Notes": "\n".join(notes), "Project": line.project}
    return body | {name: value for name, value in extras.items() if value}


def is_alike(row: Row, line: Line) -> bool:
    """Whether a line that is there says what is meant."""
    wanted = body_of(line)
    return all(_plain(row.get(name)) == _plain(value) for name, value in wanted.items())


def as_order_line(row: Row) -> OrderLine:
    """A line that is there."""
    return OrderLine(
        remote_id=str(row["ID"]),
        article=str(row["Item"] or ""),
        text=row["Description"] or "",
        quantity=decimal(row["Quantity"]) or Decimal(0),
        price=decimal(row["NetPrice"]) or Decimal(0),
        amount=decimal(row["AmountFC"]) or Decimal(0),
        token=next(iter(tokens_in(row["Notes"] or "")), ""),
    )


def _price(line: Line) -> dict[str, Decimal]:
    if line.price is None:
        return {}
    net = (line.price * (1 - line.discount)).normalize()
    exponent = net.as_tuple().exponent
    if line.discount and isinstance(exponent, int) and -exponent <= _NET_DECIMALS:
        return {"UnitPrice": line.price, "Discount": line.discount}
    return {"NetPrice": net}


def _shortened(text: str) -> str:
    return " ".join(text.split())[:_LONGEST_TEXT].rstrip()


def _plain(value: Any) -> Any:
    return Decimal(value) if isinstance(value, (Decimal, int)) and not isinstance(value, bool) else value or ""
