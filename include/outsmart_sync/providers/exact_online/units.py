"""Units of time: how long each is, and what a price for one comes to for an hour.

Units: https://start.exactonline.nl/docs/HlpRestAPIResourcesDetails.aspx?name=LogisticsUnits .
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from outsmart_sync.records.values import parse_decimal

if TYPE_CHECKING:
    from outsmart_sync.providers.exact_online.client import ExactOnlineClient
    from outsmart_sync.records.streams import Row

PATH = "logistics/Units"
TIME_UNIT = "TimeUnit"
"""Column of the list of units: yy, mm, wk, dd, hh, mi, ss; empty where a unit is none of time."""
HOURS_PER_DAY = "hours_per_day"
"""Name of the setting that says how many hours a day has: Exact does not."""

TOO_LONG = frozenset({"yy", "mm", "wk"})
"""No measures of work: nobody says how many hours a working week or month has."""

_HOUR = Decimal(60)
_DAY, _USUAL_DAY = "dd", Decimal(8)
_MINUTES = {"hh": _HOUR, "mi": Decimal(1)}
_CENT = Decimal("0.01")


def minutes(settings: Mapping[str, Any]) -> dict[str, Decimal]:
    """Time unit → minutes in it, for those that work is measured in."""
    return {**_MINUTES, _DAY: _working_day(settings) * _HOUR}


def per_hour(price: Decimal, time_unit: str, settings: Mapping[str, Any]) -> Decimal:
    """A price for one unit, as that for an hour, to the cent; a unit of no known length counts as an hour."""
    length = minutes(settings).get(time_unit, _HOUR)
    return price if length == _HOUR else (price * _HOUR / length).quantize(_CENT, ROUND_HALF_UP)


def _working_day(settings: Mapping[str, Any]) -> Decimal:
    try:
        hours = parse_decimal(str(settings.get(HOURS_PER_DAY) or ""))
    except ValueError:
        return _USUAL_DAY
    return hours if hours > 0 else _USUAL_DAY


class TimeUnits:
    """The time units of an administration's units, read when the first row asks for one.

    Args:
        client: The administration.
    """

    def __init__(self, client: ExactOnlineClient) -> None:
        self._client = client
        self._known: dict[str, str] | None = None

    def added_to(self, rows: list[Row]) -> list[Row]:
        """Rows with the time unit of their unit; one call for all, and none where no row is kept in a unit of time."""
        return [{**row, TIME_UNIT: self._of(row)} for row in rows]

    def _of(self, row: Row) -> str | None:
        if row["UnitType"] != "T" or not row["Unit"]:
            return None
        if self._known is None:
            address = self._client.address(PATH, select=("Code", TIME_UNIT))
            read = [each for page in self._client.pages(address) for each in page.rows]
            self._known = {_code(each["Code"]): _code(each[TIME_UNIT]) for each in read}
        return self._known.get(_code(row["Unit"])) or None


def _code(value: Any) -> str:
    return str(value or "").strip()
