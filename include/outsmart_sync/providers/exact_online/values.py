"""Exact's forms of dates, codes and numbers, each read in exactly one function.

Formats: https://start.exactonline.nl/docs/HlpRestAPIResources.aspx
"""

from __future__ import annotations

import re
from base64 import b32encode
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from hashlib import blake2b
from typing import Any, NoReturn
from uuid import UUID

from outsmart_sync.records.streams import Source
from outsmart_sync.records.values import decimal_text

TIMEZONE = "Europe/Amsterdam"
"""Exact's administrations keep Dutch time, which is also that of its other four countries' capitals."""

ACCOUNT_CODE_WIDTH = 18
"""Account codes are padded with leading blanks to this width, in answers and in filters."""

_STAMP = re.compile(r"/Date\((-?\d+)\)/")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NO_ID = UUID(int=0)


_NUMBER_LENGTH = 10
_MINUTES_PER_HOUR = 60


@lru_cache(maxsize=4_096)
def exact_date(value: Any) -> date | None:
    """A plain date: ``/Date(ms)/`` is midnight UTC of that calendar day, whatever the country.

    Raises:
        ValueError: The value is no Exact date.
    """
    return None if value is None else _wall_clock(value).date()


def _wall_clock(value: Any) -> datetime:
    """A stamp as the clock in the administration's office shows it: the zone in it is written, not meant.

    Raises:
        ValueError: The value is no Exact date.
    """
    match = _STAMP.fullmatch(str(value))
    try:
        return _EPOCH + timedelta(milliseconds=int(match[1])) if match else _no_date(value)
    except OverflowError:
        return _no_date(value)


def exact_moment(value: Any) -> str | None:
    """A moment to tell apart from others and to show: ``/Date(ms)/`` is Dutch local time written as if it were UTC.

    Raises:
        ValueError: The value is no Exact date.
    """
    if value is None:
        return None
    match = _STAMP.fullmatch(str(value))
    try:
        moment = _EPOCH + timedelta(milliseconds=int(match[1])) if match else _no_date(value)
    except OverflowError:
        return str(value)
    return moment.replace(tzinfo=None).isoformat(sep=" ", timespec="milliseconds").removesuffix(".000")


def _no_date(value: Any) -> NoReturn:
    raise ValueError(f"'{value}' is not an Exact date")


def text(*columns: str) -> Source:
    """A text without padding; a blank one is no value."""
    return Source(columns, _text)


def number(*columns: str) -> Source:
    """A decimal number, exactly as sent."""
    return Source(columns, _number)


def day(*columns: str, absent: str | None = None) -> Source:
    """A plain date, as ISO text; ``absent`` stands where there is none."""
    return Source(columns, _day, absent=absent)


def clock(*columns: str) -> Source:
    """The time of day as ``07:30``; midnight is no time, since a plain date is midnight, too.

    Exact writes its own wall-clock time as if it were UTC, in summer as in winter, so nothing is converted.
    """
    return Source(columns, _clock)


def minutes(column: str) -> Source:
    """Hours as whole minutes, half a minute up; none where there are none."""
    return Source((column,), _minutes)


def id_of(*columns: str) -> Source:
    """The id of another record; the zero id means none."""
    return Source(columns, _id)


def flag(column: str) -> Source:
    """A yes or no."""
    return Source((column,), bool)


def prefixed(prefix: str, column: str) -> Source:
    """A number with our prefix before it: the package numbers each kind of order by itself."""
    return Source((column,), lambda value: f"{prefix}{int(value)}")


def coordinate(column: str) -> Source:
    """A latitude or longitude; Exact writes 0 where it knows none."""
    return Source((column,), lambda value: _number(value) if value else None)


def is_reference(value: Any) -> bool:
    """Whether a column points to another record; the zero id means none."""
    return value is not None and UUID(value) != _NO_ID


def number_from_id(prefix: str) -> Callable[[str], str]:
    """A number for documents that have none in Exact, made from their id: our prefix and ten capitals and digits.

    It is short because people read it out and type it in; ten characters are 50 bits, so that among 100,000 two are
    alike less often than once in 200,000 accounts, and then the second one is held as a duplicate. A count would not
    do: after a loss of the store it would begin again, and other work orders would have the numbers.
    """
    return lambda provider_id: prefix + code_from_id(provider_id)[:_NUMBER_LENGTH]


def is_id(text: str) -> bool:
    """Whether a text that a person wrote is an id of Exact's."""
    try:
        return str(UUID(text)) == text.strip().lower()
    except ValueError:
        return False


def code_from_id(provider_id: str) -> str:
    """A code for records that have none in Exact, the same for ever: 16 capitals and digits from the id.

    OutSmart upserts contact persons and addresses by a code that may have to be unique in the whole account, so it
    comes from Exact's id (80 bits of a hash) and not from a count per relation.
    """
    return b32encode(blake2b(UUID(provider_id).bytes, digest_size=10).digest()).decode()


def padded_code(code: str) -> str:
    """An account code as Exact stores it, without which a filter finds nothing."""
    return code.strip().rjust(ACCOUNT_CODE_WIDTH)


def quoted(value: str) -> str:
    """A text literal of a filter."""
    return "'" + value.replace("'", "''") + "'"


def moment(day: date) -> str:
    """The beginning of a day as a literal of a filter; Exact reads it in the administration's own time."""
    return f"datetime'{day.isoformat()}T00:00:00'"


def _id(value: Any) -> str | None:
    return str(value) if is_reference(value) else None


def _text(value: Any) -> str | None:
    return str(value).strip() or None


def _day(value: Any) -> str | None:
    found = exact_date(value)
    return found.isoformat() if found else None


def _clock(value: Any) -> str | None:
    found = f"{_wall_clock(value):%H:%M}"
    return None if found == "00:00" else found


def _minutes(value: Any) -> str | None:
    found = (Decimal(str(value)) * _MINUTES_PER_HOUR).quantize(Decimal(1), ROUND_HALF_UP)
    return decimal_text(found) if found > 0 else None


def _number(value: Any) -> str:
    return decimal_text(value if isinstance(value, (Decimal, int)) else Decimal(str(value)))
