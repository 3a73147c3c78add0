"""How a stream of VISMA's is read."""

from __future__ import annotations

from dataclasses import dataclass

from outsmart_sync.records.streams import Stream


@dataclass(frozen=True, kw_only=True, eq=False)
class VismaStream(Stream):
    """A list of VISMA's.

    Attributes:
        path: The list, below ``/v2/``.
        changed: Column with the moment of a row's last change, which the list can be filtered by, unless it refuses.
        lookup: Column by which one record is found.
        numbered: That column is a number or may be empty, so that the list cannot be asked for our codes.
        from_units: Columns that the list of units has, by the row's ``UnitId`` (see ``units``), and this list lacks.
    """

    path: str
    changed: str
    lookup: str
    numbered: bool = False
    from_units: tuple[str, ...] = ()
    compared: bool = True

    @property
    def asked(self) -> tuple[str, ...]:
        """The columns that the list is asked for."""
        return tuple(sorted({*self.columns, self.changed} - set(self.from_units)))


@dataclass(frozen=True, kw_only=True, eq=False)
class ExpandedStream(VismaStream):
    """Rows that VISMA does not have as such: its price lists, expanded (see ``price_lists``); read as a whole list.

    Looked up are the prices of articles, by their numbers.
    """
