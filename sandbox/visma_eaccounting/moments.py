"""Moments and days as VISMA writes them.

Stamps have seven digits of a second (https://developer.vismaonline.com/docs/pagination); days are `YYYY-MM-DD`, and
either shape is taken where a day is expected.
"""

import re
from datetime import UTC, date, datetime

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})?")


def write_moment(moment: datetime) -> str:
    """A moment, given in UTC; equally long for all, so that text order is time order."""
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}0Z"


def read_moment(text: str) -> str:
    """A moment, or the beginning of a day, as `write_moment` writes it; without a zone it is UTC.

    Raises:
        ValueError: It is none.
    """
    if _DAY.fullmatch(text):
        return write_moment(datetime.combine(date.fromisoformat(text), datetime.min.time()))
    found = _MOMENT.fullmatch(text)
    if not found:
        raise ValueError(text)
    day, hour, fraction, zone = found.groups()
    moment = datetime.fromisoformat(f"{day}T{hour}{'+00:00' if zone in {None, 'Z'} else zone}").astimezone(UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{(fraction or '').ljust(7, '0')[:7]}Z"


def read_day(text: str) -> str:
    """A day; a full time counts as its day.

    Raises:
        ValueError: It is none.
    """
    if not _DAY.fullmatch(text):
        read_moment(text)
    return date.fromisoformat(text[:10]).isoformat()
