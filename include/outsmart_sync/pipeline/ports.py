"""What the steps need from a vendor, whichever it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from outsmart_sync.records.catalogue import ImportCategory, Stream, ValueList
    from outsmart_sync.records.exchange import DeletionsPage, News, ReadPage, Refused
    from outsmart_sync.records.record import Record
    from outsmart_sync.records.values import Payload


class Source(Protocol):
    """A connected administration of a package."""

    calls: int

    def pages(
        self, category: ImportCategory, stream: Stream, today: date, *, after: str | None, resume: str | None
    ) -> Iterator[ReadPage]:
        """Everything in a stream after a cursor (None: from the beginning), or from an interrupted page on."""

    def beginning(self, stream: Stream, day: date) -> str:
        """The position in a stream behind which lies everything that was changed on a day or later."""

    def lookup(self, category: ImportCategory, stream: Stream, today: date, keys: Sequence[str]) -> Iterator[ReadPage]:
        """Only the records with these codes; for streams of parts and children, those of parents with these ids."""

    def deletions(self, category: ImportCategory, *, after: str | None, resume: str | None) -> Iterator[DeletionsPage]:
        """What the package deleted after a cursor."""

    def news(self, positions: Mapping[ImportCategory, Mapping[str, str]]) -> News:
        """Ask every stream once whether there is anything after its cursor, with as few calls as possible."""

    def count(self, category: ImportCategory, since: date | None) -> int:
        """How many documents of a category with a start date bear a date, or one not before a day."""

    def choices(self, listed: ValueList) -> list[tuple[str, str]]:
        """The values of one of the package's lists, with what a person knows them by."""

    def expired(self, cursor_age_days: float) -> bool:
        """Whether a cursor of this age can no longer be trusted, so that everything must be read again."""

    def close(self) -> None:
        """End the session."""


class Destination(Protocol):
    """An OutSmart account."""

    calls: int

    def read(self, record: Record) -> Iterator[Payload]:
        """Every record of a type that the account holds, in canonical form."""

    def choices(self, listed: ValueList) -> list[tuple[str, str]]:
        """The values of one of OutSmart's lists, with what a person knows them by."""

    def write(self, record: Record, payloads: Sequence[Payload]) -> list[Refused]:
        """Insert or update by code; returns what was refused, everything else is stored.

        Raises:
            ConfigurationError: The account's tokens are refused.
            TransientError: No answer; writing again is safe.
        """

    def close(self) -> None:
        """End the session."""
