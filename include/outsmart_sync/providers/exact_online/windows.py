"""Lists without a change stamp that are too long to be read whole at every look: the last so many days of them.

A reading notes the fingerprint of every page. A look asks for one page, each time the next, with the number of rows of
all: what was made or deleted shows in the number, at once; what was changed shows at the latest when the turn has come
round. Without ``$orderby`` rows come in the order of their keys, so a page keeps its rows until one comes or goes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import msgspec

from outsmart_sync.errors import VendorUnavailable
from outsmart_sync.providers.exact_online.values import moment
from outsmart_sync.records.values import content_hash

if TYPE_CHECKING:
    from outsmart_sync.providers.exact_online.client import ExactOnlineClient, Page
    from outsmart_sync.providers.exact_online.stream import ExactStream
    from outsmart_sync.records.streams import Row

PAGE_SIZE = 60
"""Rows of a page of an ordinary endpoint (https://start.exactonline.nl/docs/HlpRestAPIResources.aspx)."""

_FINGERPRINT_LENGTH = 16
_META = "__metadata"


class Position(msgspec.Struct, frozen=True):
    """Where a window stands.

    Attributes:
        since: Its first day, as ISO text.
        count: Rows in it.
        pages: The fingerprint of each page.
        turn: The page that is looked at next.
    """

    since: str
    count: int = 0
    pages: tuple[str, ...] = ()
    turn: int = 0

    @classmethod
    def read(cls, text: str) -> Position:
        """The position behind :meth:`write`'s text."""
        return msgspec.json.decode(text, type=cls)

    def write(self) -> str:
        """The position as a cursor keeps it."""
        return msgspec.json.encode(self).decode()

    def after(self, rows: Sequence[Row]) -> Position:
        """The position after one more page."""
        return msgspec.structs.replace(self, count=self.count + len(rows), pages=(*self.pages, _fingerprint(rows)))


def read(
    client: ExactOnlineClient, stream: ExactStream, today: date, *, so_far: str | None, resume: str | None
) -> Iterator[tuple[list[Row], str | None, str]]:
    """Every page of the window: its rows, with their collections whole, where to go on, and the position after it.

    Raises:
        VendorUnavailable: The list has changed meanwhile, or was cut off: what is missing in it says nothing.
    """
    position = Position.read(so_far) if so_far else Position(stream.window_start(today).isoformat())
    total: int | None = None
    for page in client.pages(resume or address(client, stream, position.since)):
        rows = whole_rows(client, stream, page.rows)
        position = position.after(rows)
        total = page.total if page.total is not None else total
        if page.next_page is None and position.count != total:
            raise VendorUnavailable(
                f"Exact Online's list of {stream.name} has changed while it was read, or was cut off.",
                remedy="It is read again by itself.",
                technical=f"{stream.path}: {position.count} rows of {total}",
            )
        yield rows, page.next_page, position.write()


def look(client: ExactOnlineClient, stream: ExactStream, text: str) -> str | None:
    """Look at the page whose turn it is; returns the position with the next turn, None when something is new."""
    position = Position.read(text)
    page: Page = client.get(address(client, stream, position.since, skip=position.turn * PAGE_SIZE))
    if page.total != position.count:
        return None
    if _fingerprint(whole_rows(client, stream, page.rows)) != position.pages[position.turn]:
        return None
    turn = (position.turn + 1) % len(position.pages)
    return msgspec.structs.replace(position, turn=turn).write()


def address(client: ExactOnlineClient, stream: ExactStream, since: str, *, skip: int = 0) -> str:
    """The address of a window, or of one of its pages."""
    return client.address(
        stream.path,
        select=stream.columns,
        filters=f"{stream.dated} ge {moment(date.fromisoformat(since))}",
        counted=True,
        expand=stream.expand,
        skip=skip,
    )


def whole_rows(client: ExactOnlineClient, stream: ExactStream, rows: list[Row]) -> list[Row]:
    """The rows with all of their collection, if they have one: Exact cuts it at 60 (https://github.com/picqer/exact-php-client/issues/546).

    Raises:
        VendorUnavailable: It was asked for and left out.
    """
    if not stream.expand:
        return rows
    return [{**row, stream.expand: _collection(client, stream, row[stream.expand])} for row in rows]


def _collection(client: ExactOnlineClient, stream: ExactStream, shown: Any) -> list[Row]:
    if isinstance(shown, list):
        return shown
    if not isinstance(shown, dict) or not isinstance(shown.get("results"), list):
        raise VendorUnavailable(
            f"Exact Online left out part of its list of {stream.name}.",
            remedy="It is read again by itself; if this stays, send the task's log to whoever maintains it.",
            technical=f"{stream.path}: no results in {stream.expand}",
        )
    found = list(shown["results"])
    if following := shown.get("__next"):
        for page in client.pages(following):
            found += page.rows
    return found


def _fingerprint(rows: Sequence[Row]) -> str:
    """Of a page's rows, without the addresses that Exact puts in."""
    return content_hash(msgspec.json.encode(_bare(rows), order="sorted").decode())[:_FINGERPRINT_LENGTH]


def _bare(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _bare(each) for name, each in value.items() if name != _META}
    if isinstance(value, (list, tuple)):
        return [_bare(each) for each in value]
    return value
