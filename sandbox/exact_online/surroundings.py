"""What a row's properties are worked out from: the other rows of its division, and today's date."""

from collections.abc import Sequence
from typing import Any

from sandbox.exact_online.rows import RowStore


class Near:
    """The rows around a row of one division.

    Args:
        store: All rows.
        division: The division.
        today: Today, as dates are stored.
        current_division: The company the user last opened.
    """

    def __init__(self, store: RowStore, division: int, today: int, current_division: int | None = None) -> None:
        self._store = store
        self._division = division
        self.today = today
        self.current_division = current_division

    def find(self, table: str, key: str | None) -> Any:
        """The row with this key, or None."""
        return None if key is None else self._store.table(self._division, table).by_key.get(key)

    def having(self, table: str, field: str, value: object) -> Sequence[Any]:
        """The rows whose field has this value."""
        return self._store.table(self._division, table).having(field, value)
