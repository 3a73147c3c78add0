"""The rows of one table in one division, with the orders in which they are read."""

from collections.abc import Iterable, Sequence
from typing import Any

from sandbox.exact_online.row_types import Row, key_field

_SAMPLE = 200


class Table:
    """Rows by key, by Timestamp and, for properties that were asked for, by value.

    New Timestamps are always the highest, so a dictionary that gets every changed row at its end stays sorted by
    itself. The lists that paging needs are made when they are asked for and dropped when they are out of date.
    """

    def __init__(self, name: str) -> None:
        self.by_key: dict[Any, Row] = {}
        self._key = key_field(name)
        self._by_version: dict[int, Row] = {}
        self._by_value: dict[str, dict[Any, list[Row]]] = {}
        self._highest: dict[str, str] = {}
        self._version_order: tuple[list[int], list[Row]] | None = None
        self._key_order: tuple[list[Any], list[Row]] | None = None

    def load(self, rows: Iterable[Row]) -> None:
        """Replace the contents by rows that have their Timestamps."""
        found = list(rows)
        _share_texts(found)
        self.by_key = {getattr(row, self._key): row for row in found}
        self._by_version = {row.Timestamp: row for row in sorted(found, key=lambda row: row.Timestamp)}
        self._by_value.clear()
        self._highest.clear()
        self._version_order = self._key_order = None

    def put(self, rows: Sequence[Row], versions: Sequence[int]) -> None:
        """Add new rows, or move changed ones, to the end of the Timestamp order."""
        for row, version in zip(rows, versions, strict=True):
            self._by_version.pop(row.Timestamp, None)
            row.Timestamp = version
            self._by_version[version] = row
            if getattr(row, self._key) not in self.by_key:
                self._add(row)
        self._version_order = None

    def change(self, row: Row, values: dict[str, Any]) -> None:
        """Set properties of a row."""
        for field in values.keys() & self._by_value.keys():
            self._by_value[field][getattr(row, field)].remove(row)
            self._by_value[field].setdefault(values[field], []).append(row)
        for field, value in values.items():
            self._highest.pop(field, None)
            setattr(row, field, value)

    def remove(self, rows: Sequence[Row]) -> None:
        """Take rows out."""
        for row in rows:
            self.by_key.pop(getattr(row, self._key))
            self._by_version.pop(row.Timestamp)
            for field, groups in self._by_value.items():
                groups[getattr(row, field)].remove(row)
        self._highest.clear()
        self._version_order = self._key_order = None

    def version_order(self) -> tuple[list[int], list[Row]]:
        """All Timestamps, rising, and the rows that have them."""
        if self._version_order is None:
            self._version_order = list(self._by_version), list(self._by_version.values())
        return self._version_order

    def key_order(self) -> tuple[list[Any], list[Row]]:
        """All keys, rising, and the rows that have them.

        Exact Online hands rows out in key order (https://github.com/ossobv/exactonline/issues/36); how its database
        sorts GUIDs is left aside, as text is as good an order as any.
        """
        if self._key_order is None:
            keys = sorted(self.by_key)
            self._key_order = keys, [self.by_key[key] for key in keys]
        return self._key_order

    def having(self, field: str, value: object) -> Sequence[Row]:
        """The rows whose property has a value."""
        if field not in self._by_value:
            groups: dict[Any, list[Row]] = {}
            for row in self.by_key.values():
                groups.setdefault(getattr(row, field), []).append(row)
            self._by_value[field] = groups
        return self._by_value[field].get(value, ())

    def highest(self, field: str) -> str | None:
        """The highest text that a property holds; None without rows."""
        if field not in self._highest and self.by_key:
            self._highest[field] = max(getattr(row, field) or "" for row in self.by_key.values())
        return self._highest.get(field)

    def _add(self, row: Row) -> None:
        self.by_key[getattr(row, self._key)] = row
        self._key_order = None
        for field, groups in self._by_value.items():
            groups.setdefault(getattr(row, field), []).append(row)
        for field, highest in self._highest.items():
            self._highest[field] = max(highest, getattr(row, field) or "")


def _share_texts(rows: Sequence[Row]) -> None:
    """Let equal texts be one text: cities, currencies and references repeat, and memory counts.

    Only properties that hold text in the first rows are looked at; the others are mostly empty.
    """
    if not rows:
        return
    names = rows[0].__struct_fields__
    for name in names:
        if not any(type(getattr(row, name)) is str for row in rows[:_SAMPLE]):
            continue
        pool: dict[Any, Any] = {}
        for row in rows:
            value = getattr(row, name)
            if (known := pool.setdefault(value, value)) is not value:
                setattr(row, name, known)
