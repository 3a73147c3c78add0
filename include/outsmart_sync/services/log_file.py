"""The sync log as a file that spreadsheets open, line by line, however many there are."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from outsmart_sync.services import history

if TYPE_CHECKING:
    from outsmart_sync.services.history import Event
    from outsmart_sync.store.store import Store

COLUMNS = ("at", "connection", "run_id", "category", "record", "code", "event", "text", "remedy", "changes")
"""Names of the file's columns, in their order."""

_CHUNK = 1_000
_UTF_8 = "\ufeff"  # the mark by which spreadsheets know it
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


class Words(Protocol):
    """Says in a person's language what the log calls by its own names."""

    def column(self, name: str) -> str:
        """Heading of one of :data:`COLUMNS`."""

    def event(self, name: str) -> str:
        """What happened."""

    def category(self, name: str) -> str:
        """A category."""

    def record(self, name: str) -> str:
        """A record type."""

    def field(self, record: str, name: str) -> str:
        """A field of a record type."""

    def sentence(self, text: str) -> str:
        """A cause or a remedy."""


def lines(
    store: Store,
    words: Words,
    *,
    run_id: int | None = None,
    event: str | None = None,
    category: str | None = None,
    connection_ids: Sequence[int] | None = None,
) -> Iterator[str]:
    """The file, newest line first, its headings at the top; the arguments are those of :func:`history.events`.

    Raises:
        InvalidSettings: There is no such event or category.
    """
    asked: dict[str, Any] = {
        "run_id": run_id,
        "event": event,
        "category": category,
        "connection_ids": connection_ids,
        "limit": _CHUNK,
    }
    chunk = history.events(store, **asked)  # before the first line is sent, so that what is wrong can still be told
    return _written(store, words, chunk, asked)


def _written(store: Store, words: Words, chunk: list[Event], asked: dict[str, Any]) -> Iterator[str]:
    yield _UTF_8 + _line([words.column(name) for name in COLUMNS])
    while chunk:
        for each in chunk:
            yield _line(_values(words, each))
        chunk = history.events(store, **asked, before=chunk[-1].id) if len(chunk) == _CHUNK else []


def _values(words: Words, event: Event) -> list[str]:
    return [
        event.at.isoformat(),
        event.connection,
        str(event.run_id),
        words.category(event.category),
        words.record(event.record),
        event.code,
        words.event(event.event),
        words.sentence(event.text),
        words.sentence(event.remedy),
        "; ".join(f"{words.field(event.record, name)}: {old} → {new}" for name, (old, new) in event.changes.items()),
    ]


def _line(values: list[str]) -> str:
    """One line of the file; a value that a spreadsheet would take for a formula is made a text."""
    text = io.StringIO()
    csv.writer(text, delimiter=";").writerow([f"'{value}" if value[:1] in _FORMULAS else value for value in values])
    return text.getvalue()
