"""Field values: what OutSmart takes on writing and how it gives it back.

Numbers are text, prices have a decimal comma, flags are "0" and "1"
(https://github.com/CloudEcosystemDev/outsmart-component).
"""

import re
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

Form = Literal["text", "price", "amount", "quantity", "flag", "date", "number", "lines"]
"""`lines` are records inside a record and stay as they are."""

LARGEST_TEXT = 64 * 1024
_CENTS = Decimal("0.01")


def stored(form: Form, value: Any) -> str | None:
    """A sent value in the form in which it is kept and given back.

    Args:
        form: What the field holds.
        value: What was sent.

    Returns:
        The value; None stays None.

    Raises:
        ValueError: It cannot be read as what the field holds.
        TypeError: It is neither text nor a number.
    """
    if value is None:
        return None
    if form == "lines":
        raise TypeError(value)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise TypeError(value)
    return _FORMS[form](str(value))


def as_price(text: str) -> Decimal:
    """A price with a comma or a point before the cents.

    Raises:
        ValueError: The text is no such number.
    """
    if not re.fullmatch(r"-?\d+(?:[.,]\d+)?", text.strip()):
        raise ValueError(text)
    return Decimal(text.strip().replace(",", "."))


def day(text: str) -> bool:
    """Whether a text is a date as work orders have them, `20-02-2016`."""
    return _reads_as(text, r"\d\d-\d\d-\d{4}", "%d-%m-%Y")


def time_of_day(text: str) -> bool:
    """Whether a text is a time as work orders have them, `07:08`."""
    return _reads_as(text, r"\d\d:\d\d", "%H:%M")


def _reads_as(text: str, pattern: str, form: str) -> bool:
    try:
        return re.fullmatch(pattern, text) is not None and bool(datetime.strptime(text, form))  # noqa: DTZ007
    except ValueError:
        return False


def _text(text: str) -> str:
    if len(text.encode()) > LARGEST_TEXT:
        raise ValueError(text[:20])
    return text


def _price(text: str) -> str:
    """Two decimals at least; the descriptions show both 4,55 and 0.00 and nothing longer."""
    price = as_price(text)
    if price == price.quantize(_CENTS):
        price = price.quantize(_CENTS)
    return f"{price:f}".replace(".", ",")


def _amount(text: str) -> str:
    """Two decimals behind a point, as invoices and transactions show (https://knowledge.out-smart.com/openapi/invoices)."""
    return f"{as_price(text):.2f}"


def _quantity(text: str) -> str:
    """No more decimals than were sent, as work orders show them."""
    return f"{as_price(text).normalize():f}".replace(".", ",")


def _flag(text: str) -> str:
    if text not in {"0", "1"}:
        raise ValueError(text)
    return text


def _date(text: str) -> str:
    if not text:
        return text
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        raise ValueError(text)
    return date.fromisoformat(text).isoformat()


def _number(text: str) -> str:
    try:
        Decimal(text or "0")
    except InvalidOperation:
        raise ValueError(text) from None
    return text


_FORMS = {
    "text": _text,
    "price": _price,
    "amount": _amount,
    "quantity": _quantity,
    "flag": _flag,
    "date": _date,
    "number": _number,
}
