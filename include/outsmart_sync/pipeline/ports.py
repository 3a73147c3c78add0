"""What the steps need from a vendor, whichever it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from outsmart_sync.records.catalogue import ImportCategory, Stream
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

    def lookup(self, category: ImportCategory, stream: Stream, today: date, keys: Sequence[str]) -> Iterator[ReadPage]:
        """Only the records with these codes; for streams of parts and children, those of parents with these ids."""

    def deletions(self, category: ImportCategory, *, after: str | None, resume: str | None) -> Iterator[DeletionsPage]:
        """What the package deleted after a cursor."""

    def news(self, positions: Mapping[ImportCategory, Mapping[str, str]]) -> News:
        """Ask every stream once whether there is anything after its cursor, with as few calls as possible."""

    def expired(self, cursor_age_days: float) -> bool:
        """Whether a cursor of this age can no longer be trusted, so that everything must be read again."""

    def epoch(self) -> str | None:
        """What cursors and row versions depend on: once it is another, everything must be read again; None: nothing."""

    def close(self) -> None:
        """End the session."""


class Destination(Protocol):
    """An OutSmart account."""

    calls: int

    def read(self, record: Record) -> Iterator[Payload]:
        """Every record of a type that the account holds, in canonical form."""

    def write(self, record: Record, payloads: Sequence[Payload]) -> list[Refused]:
        """Insert or update by code; returns what was refused, everything else is stored.

        Raises:
            ConfigurationError: The account's tokens are refused.
            TransientError: No answer; writing again is safe.
        """

    def close(self) -> None:
        """End the session."""
