"""The vocabulary in which a package declares what can be imported.

A package's ``imports.py`` is a list of :class:`ImportCategory`; orchestration turns each into a task group, settings
into switches and filters, and the pipeline runs it without knowing the package.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from outsmart_sync.records.record import Record
from outsmart_sync.records.setting_kinds import Choice, Limit, Setting, StartDate
from outsmart_sync.records.streams import DerivedStream, Fold, Split, Stream

if TYPE_CHECKING:
    from outsmart_sync.records.export_catalogue import ExportCategory, Exports


@dataclass(frozen=True, kw_only=True, eq=False)
class ImportCategory:
    """One thing a person can switch on: what to read, what to keep, what it becomes.

    Attributes:
        name: Stable name: task group, setting, log.
        label: As a person reads it.
        streams: What is read, the main record's stream first.
        filters: What can be set; those that leave records out are judged in this order.
        fold: Folds the parts streams into the main record.
        after: Categories whose records this one refers to; they go first.
        tier: Licence that the category needs.
        derived: Records that follow from the main ones.
    """

    name: str
    label: str
    streams: tuple[Stream, ...]
    filters: tuple[Setting, ...] = ()
    fold: Fold | None = None
    after: tuple[str, ...] = ()
    tier: str = "basic"
    derived: tuple[DerivedStream, ...] = ()

    @property
    def record(self) -> Record:
        """The record type the category is about.

        Raises:
            ValueError: The first stream is a part; a declaration can not be so.
        """
        record = self.streams[0].record
        if record is None:
            raise ValueError(f"the first stream of {self.name} makes no record")
        return record

    @property
    def records(self) -> tuple[Record, ...]:
        """Every record type of the category, parents before children, and last what follows from the main ones."""
        found = [stream.record for stream in (*self.streams, *self.derived) if stream.record]
        return tuple({record.name: record for record in found}.values())

    @property
    def parts(self) -> tuple[Stream, ...]:
        """The streams whose rows are folded into the main record."""
        return tuple(stream for stream in self.streams if stream.record is None)

    @property
    def start(self) -> StartDate | None:
        """The setting of the first day whose documents are imported; None: the category is not dated."""
        return next((each for each in self.filters if isinstance(each, StartDate)), None)

    @property
    def limit(self) -> Limit | None:
        """The setting of how many records the category may expand to; None: it expands nothing."""
        return next((each for each in self.filters if isinstance(each, Limit)), None)

    @property
    def dated(self) -> Stream:
        """The stream whose documents bear the dates that a start date is compared with."""
        return next((stream for stream in self.streams if stream.dated), self.streams[0])

    def begins_late(self, stream: Stream) -> bool:
        """Whether a stream is read from the start date on, as dated documents and their parts are."""
        if self.start is None or stream.whole or stream.compared or stream.shared:
            return False
        return stream.record is None or stream.dated is not None

    @property
    def reports_deletions(self) -> bool:
        """Whether any stream relies on the package's list of deleted records."""
        return not all(stream.whole or stream.compared for stream in self.streams)

    @property
    def splits(self) -> tuple[Split, ...]:
        """What a person says of which rows are of this category."""
        return tuple(stream.split for stream in self.streams if stream.split)

    def follows(self, stream: Stream) -> bool:
        """Whether a stream's rows go with records of the main stream: their parts, or their children."""
        return self.fold is not None if stream.record is None else stream.parent is not None

    def chooses(self, choice: Choice, record: Record) -> bool:
        """Whether a choice looks at this record type."""
        return record.name == (choice.record or self.record.name)

    def stream_of(self, record: str) -> Stream:
        """The stream that makes this record type.

        Raises:
            KeyError: No stream of the category makes it.
        """
        for stream in (*self.streams, *self.derived):
            if stream.record and stream.record.name == record:
                return stream
        raise KeyError(f"{self.name} has no stream for {record}")


@dataclass(frozen=True, kw_only=True, eq=False)
class Package:
    """A bookkeeping package, or OutSmart itself, as the rest of the system sees it.

    Attributes:
        name: Stable name, also of its folder.
        label: Its product name.
        countries: Country code → name; empty when the package does not ask.
        timezone: Where its administrations keep their calendar.
        conn_id: Airflow connection of the app.
        imports: What can be imported, parents before children.
        tiers: Licences from none upwards.
        hook: ``module:class`` of its Airflow hook, loaded only when a vendor is called.
        login_lasts: A login that is not used for so long ends at the vendor; None: it does not end by itself.
        command: Its name on the command line.
        exports: What it declares about exports; None: nothing can be exported to it.
        export_categories: What of that can be switched on.
    """

    name: str
    label: str
    conn_id: str
    hook: str
    timezone: str = "UTC"
    countries: Mapping[str, str] = field(default_factory=dict)
    imports: tuple[ImportCategory, ...] = ()
    tiers: tuple[str, ...] = ("none", "basic")
    login_lasts: timedelta | None = None
    exports: Exports | None = None
    export_categories: tuple[ExportCategory, ...] = ()

    @property
    def categories(self) -> tuple[ImportCategory | ExportCategory, ...]:
        """Everything that can be switched on."""
        return (*self.imports, *self.export_categories)

    def any_category(self, name: str) -> ImportCategory | ExportCategory:
        """The category of this name, of either direction.

        Raises:
            KeyError: The package has no such category.
        """
        for category in self.categories:
            if category.name == name:
                return category
        raise KeyError(name)

    @property
    def command(self) -> str:
        """The package's name on the command line."""
        return self.name.replace("_", "-")

    def category(self, name: str) -> ImportCategory:
        """The import category of this name.

        Raises:
            KeyError: The package has no such category.
        """
        for category in self.imports:
            if category.name == name:
                return category
        raise KeyError(name)
