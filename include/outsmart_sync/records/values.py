"""The few value forms that every stored record is written in, so that equal values are equal bytes."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from hashlib import blake2b
from uuid import UUID

import msgspec

Payload = dict[str, str | bool]
"""A record's fields by OutSmart's names: text, decimals as canonical text, dates as ISO text, flags as bool."""

_encoder = msgspec.json.Encoder(order="sorted")
_decoder = msgspec.json.Decoder(Payload)


def is_machine_made(code: str) -> bool:
    """Whether a code is an id that a machine made, which tells a person nothing."""
    try:
        UUID(code)
    except ValueError:
        return False
    return True


def decimal_text(value: Decimal | int) -> str:
    """Write a number exactly, without exponent and without trailing zeros: ``4.50`` becomes ``4.5``.

    Raises:
        ValueError: The value is not a finite number.
    """
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError(f"{value} is not a finite number")
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def parse_decimal(text: str) -> Decimal:
    """Read a number with a decimal point or a decimal comma.

    Raises:
        ValueError: The text is no number.
    """
    try:
        number = Decimal(text.strip().replace(",", "."))
    except InvalidOperation:
        raise ValueError(f"'{text}' is not a number") from None
    if not number.is_finite():
        raise ValueError(f"'{text}' is not a number")
    return number


def code_key(code: str) -> str:
    """The form in which codes are compared: padding and case do not make another code, leading zeros do."""
    return code.strip().casefold()


def comparable(value: str | bool | None) -> str | bool | None:
    """A value without what makes no difference to anybody: line ends, and blanks around it; an empty text is none."""
    return value.replace("\r\n", "\n").strip() or None if isinstance(value, str) else value


def encode(payload: Payload) -> str:
    """A payload as JSON text with sorted keys: the same fields give the same text."""
    return _encoder.encode(payload).decode()


def decode(text: str) -> Payload:
    """The payload behind :func:`encode`'s text."""
    return _decoder.decode(text)


def content_hash(text: str) -> str:
    """Fingerprint of an encoded payload, 32 hexadecimal digits."""
    return blake2b(text.encode(), digest_size=16).hexdigest()
