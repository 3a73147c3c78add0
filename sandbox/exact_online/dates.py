"""Exact Online's way with dates: milliseconds since 1970 in which Dutch wall-clock time stands as if it were UTC.

Seen in recordings at https://github.com/NangoHQ/integration-templates/tree/main/integrations/exact-online: a record
made at 14:28 GMT in June carries 16:28. A plain date is midnight of that day.
"""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
DAY_MS = 86_400_000
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  wall-clock time has no zone
_WIRE = re.compile(r"/Date\((-?\d+)\)/")


def wall_clock(moment: datetime) -> datetime:
    """Dutch wall-clock time of a moment, without a zone."""
    return moment.astimezone(AMSTERDAM).replace(tzinfo=None)


def utc_offset_seconds(moment: datetime) -> float:
    """How far Dutch time is ahead of UTC at a moment."""
    offset = moment.astimezone(AMSTERDAM).utcoffset() or timedelta()
    return offset.total_seconds()


def wall_clock_ms(moment: datetime) -> int:
    """A moment as Exact Online writes it, in milliseconds, to the second."""
    return (wall_clock(moment) - _EPOCH) // timedelta(seconds=1) * 1000


def moment_of(milliseconds: int) -> datetime:
    """The moment, in UTC, that such a number of milliseconds stands for."""
    return (_EPOCH + timedelta(milliseconds=milliseconds)).replace(tzinfo=AMSTERDAM).astimezone(UTC)


def day_ms(day: date) -> int:
    """A plain date in milliseconds."""
    return (day - _EPOCH.date()).days * DAY_MS


def to_wire(milliseconds: int) -> str:
    """The form in JSON answers."""
    return f"/Date({milliseconds})/"


def to_iso(milliseconds: int) -> str:
    """Wall-clock time as ISO text, for Atom and for people."""
    return (_EPOCH + timedelta(milliseconds=milliseconds)).isoformat()


def parse(text: str) -> int:
    """Read a date as a request body or a `datetime'...'` literal may write it.

    Args:
        text: `2026-06-25`, `2026-06-25T16:24:10` or `/Date(1782404650000)/`.

    Returns:
        Milliseconds of the wall-clock time.

    Raises:
        ValueError: The text is none of these.
    """
    if wire := _WIRE.fullmatch(text):
        return int(wire[1])
    if not re.match(r"\d{4}-\d\d-\d\d", text):
        raise ValueError(text)
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is not None:
        raise ValueError(text)
    return (moment - _EPOCH) // timedelta(milliseconds=1)
