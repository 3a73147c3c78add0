"""How a stream of Exact's is read."""

from __future__ import annotations

from dataclasses import dataclass

from outsmart_sync.records.streams import Stream


@dataclass(frozen=True, kw_only=True, eq=False)
class ExactStream(Stream):
    """A sync stream of Exact and its ordinary twin; of a ``whole`` list there is only the ordinary endpoint.

    Attributes:
        path: Sync endpoint, filtered by Timestamp alone, 1,000 rows a page; of a whole list its ordinary endpoint.
        single: Ordinary endpoint for looking a few records up, 60 rows a page.
        lookup: Column of the ordinary endpoint by which one record is found.
        padded: The look-up column is padded as account codes are.
        number_prefix: The look-up column is a number, to which we put this before it is a code.
        versioned: Codes are that number, a stroke and the number of the version; a code without stroke means them all.
        sync_only: Columns that the ordinary endpoint does not have.
        from_units: Columns that the list of units has, by the row's ``Unit`` (see ``units``); both endpoints lack them.
        expand: Collection that comes along with each row; its column holds a list of rows then.
        deleted_type: Entity type under which sync/Deleted reports it (name=SyncDeleted); None: it does not.
        scope: What the app must be registered for at Exact to read it.
        single_scope: The same of the ordinary endpoint, where that is another scope.
    """

    path: str
    single: str
    lookup: str
    padded: bool = False
    number_prefix: str = ""
    versioned: bool = False
    sync_only: tuple[str, ...] = ()
    from_units: tuple[str, ...] = ()
    expand: str = ""
    deleted_type: int | None = None
    scope: str = ""
    single_scope: str = ""

    @property
    def asked(self) -> tuple[str, ...]:
        """The columns that the sync endpoint is asked for."""
        return tuple(column for column in self.columns if column not in self.from_units)


@dataclass(frozen=True, kw_only=True, eq=False)
class ExpandedStream(ExactStream):
    """Rows that Exact does not have as such: its price lists, expanded (see ``price_lists``); read as a whole list."""
