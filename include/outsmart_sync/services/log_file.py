"""The sync log as a file that spreadsheets open, line by line, however many there are."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol
from zoneinfo import ZoneInfo

from sqlalchemy import select

from outsmart_sync.providers.packages import package as package_of
from outsmart_sync.services import history
from outsmart_sync.store import connections
from outsmart_sync.store.tables import run_category

if TYPE_CHECKING:
    from outsmart_sync.records.catalogue import Package
    from outsmart_sync.services.history import Event
    from outsmart_sync.store.store import Store

COLUMNS = ("at", "connection", "run_id", "category", "record", "code", "event", "text", "remedy", "changes")
"""Names of the file's columns, in their order."""

_CHUNK = 1_000
_UTF_8 = "\ufeff"  # the mark by which spreadsheets know it
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")
_MOMENT = "%Y-%m-%d %H:%M:%S"
_NOTHING = "\N{EN DASH}"


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
    state: str | None = None,
) -> Iterator[str]:
    """The file, newest line first, its headings at the top; times are local to each package.

    Args:
        store: The store.
        words: Says it in a person's language.
        run_id: As for :func:`history.events`, as the next three are.
        event: Only these events.
        category: Only of this category.
        connection_ids: Only of these sync connections; None: of all.
        state: Only of categories that stand so in their run.

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
    return _written(store, words, chunk, asked, state)


def _written(store: Store, words: Words, chunk: list[Event], asked: dict[str, Any], state: str | None) -> Iterator[str]:
    mine = asked["connection_ids"]
    packages = {
        each.id: package_of(each.package) for each in connections.find(store) if mine is None or each.id in mine
    }
    at, *others = map(words.column, COLUMNS)
    yield _UTF_8 + _line([f"{at} ({_clocks(packages.values())})" if packages else at, *others])
    while chunk:
        for each in chunk if state is None else _standing(store, chunk, state):
            yield _line(_values(words, each, packages.get(each.connection_id)))
        chunk = history.events(store, **asked, before=chunk[-1].id) if len(chunk) == _CHUNK else []


def _clocks(packages: Iterable[Package]) -> str:
    """By which clock times are told: one name, or each package's."""
    zones = {each.label: each.timezone for each in packages}
    if len(set(zones.values())) == 1:
        return next(iter(zones.values()))
    return ", ".join(f"{label}: {zone}" for label, zone in zones.items())


def _standing(store: Store, chunk: list[Event], state: str) -> list[Event]:
    """The lines whose category stands so in their run."""
    key = (run_category.c.run_id, run_category.c.connection_id, run_category.c.category)
    query = select(*key).where(
        run_category.c.run_id.in_({each.run_id for each in chunk}), run_category.c.state == state
    )
    with store.read() as transaction:
        wanted = {tuple(row) for row in transaction.execute(query)}
    return [each for each in chunk if (each.run_id, each.connection_id, each.category) in wanted]


def _values(words: Words, event: Event, package: Package | None) -> list[str]:
    return [
        event.at.astimezone(ZoneInfo(package.timezone if package else "UTC")).strftime(_MOMENT),
        event.connection,
        str(event.run_id),
        words.category(event.category),
        words.record(event.record),
        event.code,
        words.event(event.event),
        words.sentence(event.text),
        words.sentence(event.remedy),
        "; ".join(_change(words, event.record, *each) for each in event.changes.items()),
    ]


def _change(words: Words, record: str, field: str, values: list[Any]) -> str:
    """A field that was changed, as the page tells it: without what it was before, when that was nothing."""
    old, new = (_told(words, record, each) for each in values)
    return f"{words.field(record, field)}: {f'{old} → ' if old else ''}{new or _NOTHING}"


def _told(words: Words, record: str, value: Any) -> str:
    if isinstance(value, bool):
        return words.field(record, "yes" if value else "no")  # said as the name of a field that is not declared is
    return "" if value is None else str(value)


def _line(values: list[str]) -> str:
    """One line of the file; a value that a spreadsheet would take for a formula is made a text."""
    text = io.StringIO()
    csv.writer(text, delimiter=";").writerow([f"'{value}" if value[:1] in _FORMULAS else value for value in values])
    return text.getvalue()
