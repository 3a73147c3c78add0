"""VISMA's forms of dates, numbers and texts, each read in exactly one function.

Formats: https://developer.vismaonline.com/docs/filtering and https://developer.vismaonline.com/docs/pagination .
"""

from __future__ import annotations

import re
from base64 import b32encode
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any
from uuid import UUID

from outsmart_sync.records.streams import Source
from outsmart_sync.records.values import decimal_text

TIMEZONE = "Europe/Stockholm"
"""The clock of Sweden, Norway and the Netherlands."""

_STAMP = re.compile(r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d+))?(Z|[+-]\d{2}:\d{2})?")
_NO_ID = UUID(int=0)


def visma_date(value: Any) -> date | None:
    """A plain date: ``2026-01-31``, sometimes with a time behind it, which does not count.

    Raises:
        ValueError: The value is no date.
    """
    return None if value is None else date.fromisoformat(str(value)[:10])


def moment(value: str) -> datetime:
    """A stamp of VISMA's, which may have seven digits behind the second; without a zone it is UTC.

    Raises:
        ValueError: The value is no stamp.
    """
    match = _STAMP.fullmatch(value)
    if match is None:
        raise ValueError(f"'{value}' is not a moment")
    fraction, zone = (match[2] or "0")[:6].ljust(6, "0"), match[3] or "Z"
    return datetime.fromisoformat(f"{match[1]}.{fraction}{zone}").astimezone(UTC)


def time_literal(value: datetime) -> str:
    """A moment as a filter takes it: colons between hours and minutes, two digits of a second, ``Z``."""
    return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.00Z"


def text(*columns: str) -> Source:
    """A text; a blank one is no value."""
    return Source(columns, _text)


def number(*columns: str) -> Source:
    """A decimal number, exactly as sent."""
    return Source(columns, _number)


def day(*columns: str) -> Source:
    """A plain date, as ISO text."""
    return Source(columns, _day)


def id_of(*columns: str) -> Source:
    """The id of another record; the zero id means none."""
    return Source(columns, _id)


def is_id(value: str) -> bool:
    """Whether a text is an id of VISMA's."""
    try:
        return str(UUID(value)) == value.strip().lower()
    except ValueError:
        return False


def code_from_id(provider_id: str) -> str:
    """Ten capitals and digits from an id, the same for ever: for documents that VISMA gives no number."""
    return b32encode(blake2b(UUID(provider_id).bytes, digest_size=10).digest()).decode()[:10]


def quoted(value: str) -> str:
    """A text literal of a filter."""
    return "'" + value.replace("'", "''") + "'"


def _text(value: Any) -> str | None:
    return str(value).strip() or None


def _number(value: Any) -> str:
    return decimal_text(value if isinstance(value, (Decimal, int)) else Decimal(str(value)))


def _day(value: Any) -> str | None:
    found = visma_date(value)
    return found.isoformat() if found else None


def _id(value: Any) -> str | None:
    return str(value) if UUID(str(value)) != _NO_ID else None
