"""Which units are an hour, by what they are called.

Fields: schema ``UnitApi`` of https://eaccountingapi.vismaonline.com/openapi/v2.json . Nothing in it says how long a
unit is, and OutSmart's hour types have a price for an hour: a unit that is not called an hour is not taken for one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from outsmart_sync.providers.visma_eaccounting import lists

if TYPE_CHECKING:
    from outsmart_sync.providers.visma_eaccounting.client import VismaClient
    from outsmart_sync.records.streams import Row

UNIT_ID = "UnitId"
IS_HOUR = "UnitIsHour"
"""Column that is put to an article's row: whether its unit is called an hour."""

NOT_ONE_HOUR = "not_one_hour"
"""Reason code of an hour type whose unit is not called an hour."""


class HourUnits:
    """The units of a company that are called an hour, read when the first row asks for one.

    Args:
        client: The company.
    """

    def __init__(self, client: VismaClient) -> None:
        self._client = client
        self._known: frozenset[str] | None = None

    def added_to(self, rows: list[Row]) -> list[Row]:
        """Rows with whether their unit is called an hour; one call for all, and none where there are no rows."""
        return [{**row, IS_HOUR: str(row[UNIT_ID]) in self._ids()} for row in rows]

    def _ids(self) -> frozenset[str]:
        if self._known is None:
            self._known = frozenset(lists.hour_units(lists.read_values(self._client, lists.UNITS)))
        return self._known


def why_not(row: Row) -> str:
    """A unit that a person chose as hours, and that nobody knows to be one."""
    return "" if row[IS_HOUR] else NOT_ONE_HOUR
