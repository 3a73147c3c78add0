"""Ids, audit stamps and Timestamps of generated rows."""

from datetime import date
from random import Random
from typing import Any

from sandbox.exact_online.dates import DAY_MS, day_ms
from sandbox.fixed_world import USERS

CREATOR = next(iter(USERS.values())).user_id
_HISTORY_DAYS = 1100
_OFFICE_OPENS_MS, _OFFICE_CLOSES_MS = 8 * 3_600_000, 18 * 3_600_000


class Stamps:
    """Gives rows their ids and moments.

    Args:
        chance: Where randomness comes from.
        today: The day the world is made; nothing has happened later than the day before.
    """

    def __init__(self, chance: Random, today: date) -> None:
        self._chance = chance
        self._today = day_ms(today)

    def guid(self) -> str:
        """A GUID."""
        text = f"{self._chance.getrandbits(128):032x}"
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-8{text[17:20]}-{text[20:]}"

    def day(self, offset: int) -> int:
        """The day so many days from today."""
        return self._today + offset * DAY_MS

    def audit(self) -> dict[str, Any]:
        """`Created`, `Modified` and by whom; the second is not before the first."""
        chance = self._chance
        created = chance.randint(2, _HISTORY_DAYS)
        return self.audit_at(created, chance.randint(1, created - 1) if chance.random() < 0.5 else created)

    def audit_at(self, created: int, modified: int | None = None) -> dict[str, Any]:
        """The same for something made and changed so many days ago; by default not changed since."""
        created_at, modified_at = self._moment(created), self._moment(created if modified is None else modified)
        return {
            "Created": min(created_at, modified_at),
            "Modified": max(created_at, modified_at),
            "Creator": CREATOR,
            "Modifier": CREATOR,
        }

    def _moment(self, days_ago: int) -> int:
        seconds = self._chance.randint(_OFFICE_OPENS_MS // 1000, _OFFICE_CLOSES_MS // 1000)
        return self._today - days_ago * DAY_MS + seconds * 1000


def give_versions(tables: dict[str, list[Any]], start: int, chance: Random) -> int:
    """Give rows their Timestamps, in the order in which they were modified.

    Args:
        tables: Rows by table, all of one division.
        start: Where Timestamps begin.
        chance: Makes the gaps.

    Returns:
        The highest Timestamp given.
    """
    version = start
    everything = sorted((row for rows in tables.values() for row in rows), key=lambda row: getattr(row, "Modified", 0))
    for row in everything:
        version += chance.randint(1, 4)
        row.Timestamp = version
    return version
