"""What the steps need from a vendor, whichever it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from outsmart_sync.records.catalogue import ImportCategory
    from outsmart_sync.records.exchange import DeletionsPage, Document, News, ReadPage, Refused
    from outsmart_sync.records.record import Record
    from outsmart_sync.records.setting_kinds import ValueList
    from outsmart_sync.records.streams import Stream
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

    def require(self, category: ImportCategory, today: date) -> None:
        """Ask for next to nothing of a category: a call, and it comes back whether it may be read.

        Raises:
            ConfigurationError: A licence, a module or a right is missing.
            TransientError: No answer.
        """

    def existing(self, category: ImportCategory, stream: Stream, ids: Sequence[str]) -> set[str] | None:
        """Those of these ids of the package's that are there, though a read from the beginning lacks them.

        None, without a call, for a list that says how long it is, and where it cannot be asked.
        """

    def count(self, category: ImportCategory, since: date | None) -> int:
        """How many documents of a category with a start date bear a date, or one not before a day."""

    def expands(self, category: ImportCategory, today: date) -> int:
        """How many records the lists of a category with a limit expand to; reading it may use the same answers."""

    def choices(self, listed: ValueList) -> list[tuple[str, str]]:
        """The values of one of the package's lists, with what a person knows them by."""

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

    def choices(self, listed: ValueList) -> list[tuple[str, str]]:
        """The values of one of OutSmart's lists, with what a person knows them by."""

    def write(self, record: Record, payloads: Sequence[Payload]) -> list[Refused]:
        """Insert or update by code; returns what was refused, everything else is stored.

        Raises:
            ConfigurationError: The account's tokens are refused.
            TransientError: No answer; writing again is safe.
        """

    def find(self, record: Record, number: str) -> list[Document]:
        """Every document that has our number; several, when it was made more than once.

        Raises:
            ConfigurationError: The account's tokens are refused.
            TransientError: No answer; whether there is one is unknown.
        """

    def get(self, record: Record, remote_id: str) -> Document | None:
        """The document with this id of the account's; None: it was removed there.

        Raises:
            ConfigurationError: The account's tokens are refused.
            TransientError: No answer; whether it is there is unknown.
        """

    def documents(self, record: Record, prefix: str) -> Iterator[Document]:
        """Every document whose number begins with a prefix, while they arrive.

        None of them counts before the iterator has ended: only then is it known that the list came whole.

        Raises:
            ConfigurationError: The account's tokens are refused.
            TransientError: No answer, or one that was cut off.
        """

    def create(self, record: Record, payload: Payload) -> str:
        """Make one document, with a single call; returns its id.

        Raises:
            RecordError: It was refused; nothing is stored.
            UncertainOutcome: No clear answer: it may be stored or not. Look it up, never repeat it blindly.
            TransientError: Nothing was sent, so nothing is stored.
            ConfigurationError: The account's tokens are refused; nothing is stored.
        """

    def change(self, record: Record, remote_id: str, changes: Payload) -> None:
        """Change fields of a document, as far as its type allows (``CHANGEABLE`` of its declaration).

        Safe to repeat. An empty value changes nothing.

        Raises:
            RecordError: It was refused, or the document is gone.
            ConfigurationError: The account's tokens are refused.
            TransientError: No answer; changing it again is safe.
        """

    def invoices(self) -> Iterator[Payload]:
        """Every invoice of the account, as ``records/invoice.py`` declares it, while they arrive.

        Raises:
            ConfigurationError: The account's tokens are refused.
            TransientError: No answer, or one that was cut off.
        """

    def close(self) -> None:
        """End the session."""
