"""An Exact administration as the pipeline reads it: sync streams, look-ups, deletions, news.

Sync: https://start.exactonline.nl/docs/HlpRestAPIResourcesDetails.aspx?name=SyncCRMAccounts . A Timestamp is a row
version, unrelated to time; a row that changed several times comes once, with its last one. Deletions are kept for two
months only (name=SyncDeleted).

A few lists have neither (item groups, warehouses). They are short, so they are read whole, when their number of rows or
those that were changed last are others than last time.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, cast

import msgspec

from outsmart_sync.errors import VendorUnavailable
from outsmart_sync.providers.exact_online import start_dates
from outsmart_sync.providers.exact_online.lists import ExactList, read_values
from outsmart_sync.providers.exact_online.stream import ExactStream
from outsmart_sync.providers.exact_online.values import exact_date, is_id, padded_code, quoted
from outsmart_sync.records.exchange import DELETIONS, Deletion, DeletionsPage, News, ReadPage
from outsmart_sync.records.mapping import Mapper
from outsmart_sync.records.values import content_hash

if TYPE_CHECKING:
    from outsmart_sync.providers.exact_online.client import ExactOnlineClient, Page
    from outsmart_sync.records.catalogue import ImportCategory, Row, Stream, ValueList

log = logging.getLogger(__name__)

VERSION = "Timestamp"
MODIFIED = "Modified"
BEGINNING = "1"
"""The position before every row: the vendor's page says to start with ``gt 1``."""

_DELETED = "sync/Deleted"
_DELETED_COLUMNS = ("EntityKey", "EntityType", VERSION)
_DELETIONS_KEPT_DAYS = 55  # two months, with days to spare
_KEYS_PER_CALL = 20  # keeps addresses far below Exact's 6,000 characters


class ExactSource:
    """Reads one administration.

    Args:
        client: Its session.
    """

    def __init__(self, client: ExactOnlineClient) -> None:
        self._client = client

    @property
    def calls(self) -> int:
        """Calls made so far."""
        return self._client.calls

    def pages(
        self, category: ImportCategory, stream: Stream, today: date, *, after: str | None, resume: str | None
    ) -> Iterator[ReadPage]:
        """Everything in a stream after a cursor, or from an interrupted page on."""
        exact = cast("ExactStream", stream)
        if exact.whole:
            yield from self._list(category, exact, today, after if resume else None, resume)
            return
        mapper = _mapper(category, exact, today, VERSION)
        position = int(after or BEGINNING)
        address = resume or self._client.address(
            exact.path, select=(*exact.columns, VERSION), filters=f"{VERSION} gt {position}L"
        )
        for page in self._client.pages(address):
            position = max(position, _last_version(page))
            yield ReadPage(mapper.page(page.rows), page.next_page, str(position), len(page.rows))

    def lookup(self, category: ImportCategory, stream: Stream, today: date, keys: Sequence[str]) -> Iterator[ReadPage]:
        """Only the records with these codes, or the parts and children of parents with these ids."""
        exact = cast("ExactStream", stream)
        mapper = _mapper(category, exact, today, None)
        by_code = exact.parent is None
        for start in range(0, len(keys), _KEYS_PER_CALL):
            chosen = keys[start : start + _KEYS_PER_CALL]
            literals = [_code_literal(exact, key) if by_code else f"guid'{key}'" for key in chosen]
            literals = [literal for literal in literals if literal]
            if not literals:
                continue
            filters = " or ".join(f"{exact.lookup} eq {literal}" for literal in literals)
            columns = tuple(column for column in exact.columns if column not in exact.sync_only)
            address = self._client.address(exact.single, select=columns, filters=filters)
            absent = dict.fromkeys(exact.sync_only)
            for page in self._client.pages(address):
                rows = [{**absent, **row} for row in page.rows] if absent else page.rows
                yield ReadPage(mapper.page(rows), page.next_page, "", len(page.rows))

    def beginning(self, stream: Stream, day: date) -> str:
        """The row version behind which lies everything that was changed on a day or later."""
        position = start_dates.position_of(self._client, cast("ExactStream", stream), day)
        return str(max(position or 0, int(BEGINNING)))

    def count(self, category: ImportCategory, since: date | None) -> int:
        """How many documents of a category with a start date there are, or bear a date not before a day."""
        return start_dates.count_documents(self._client, cast("ExactStream", category.dated), since)

    def choices(self, listed: ValueList) -> list[tuple[str, str]]:
        """The values of one of Exact's lists, with what a person knows them by."""
        return read_values(self._client, cast("ExactList", listed))

    def deletions(self, category: ImportCategory, *, after: str | None, resume: str | None) -> Iterator[DeletionsPage]:
        """What Exact deleted after a cursor, of the category's own kinds."""
        position = int(after or BEGINNING)
        streams = {cast("ExactStream", stream).deleted_type: stream.name for stream in category.streams}
        streams.pop(None, None)
        for page in self._client.pages(resume or self._deleted_address(position)):
            position = max(position, _last_version(page))
            found = [
                Deletion(streams[row["EntityType"]], str(row["EntityKey"]), int(row[VERSION]))
                for row in page.rows
                if row["EntityType"] in streams
            ]
            yield DeletionsPage(found, page.next_page, str(position))

    def news(self, positions: Mapping[ImportCategory, Mapping[str, str]]) -> News:
        """One call per stream and position, however many categories read it, and one for deletions."""
        news, asked = News(), dict[tuple[str, str], bool]()
        for category, cursors in positions.items():
            if any(self._has_news(cast("ExactStream", stream), cursors, asked) for stream in category.streams):
                news.categories.add(category.name)
        quiet = {
            category: cursors[DELETIONS]
            for category, cursors in positions.items()
            if category.name not in news.categories and category.reports_deletions
        }
        if quiet:
            self._deletion_news(quiet, news)
        return news

    def expired(self, cursor_age_days: float) -> bool:
        """Deletions older than two months are lost, so a cursor that old means reading everything again."""
        return cursor_age_days > _DELETIONS_KEPT_DAYS

    def close(self) -> None:
        """End the session."""
        self._client.close()

    def _list(
        self, category: ImportCategory, stream: ExactStream, today: date, read: str | None, resume: str | None
    ) -> Iterator[ReadPage]:
        """A whole list, which must have as many rows as it says; its position is that of its newest rows."""
        mapper = _mapper(category, stream, today, None)
        count, top = _so_far(read)
        total: int | None = None
        for page in self._client.pages(resume or self._list_address(stream)):
            count, top = count + len(page.rows), top or _fingerprint(stream, page)
            total = page.total if page.total is not None else total
            if page.next_page is None and total is not None and count != total:
                raise VendorUnavailable(
                    f"Exact Online's list of {stream.name} has changed while it was read, or was cut off.",
                    remedy="It is read again by itself.",
                    technical=f"{stream.path}: {count} rows of {total}",
                )
            yield ReadPage(mapper.page(page.rows), page.next_page, f"{count}#{top}", len(page.rows))

    def _list_address(self, stream: ExactStream) -> str:
        return self._client.address(stream.path, select=_list_columns(stream), newest_first=MODIFIED)

    def _list_position(self, stream: ExactStream) -> str:
        """Where a list stands: how many rows it has, and what its newest ones are."""
        page = self._client.get(self._list_address(stream))
        return f"{len(page.rows) if page.total is None else page.total}#{_fingerprint(stream, page)}"

    def _has_news(self, stream: ExactStream, cursors: Mapping[str, str], asked: dict[tuple[str, str], bool]) -> bool:
        question = (stream.path, cursors[stream.name])
        if question not in asked:
            if stream.whole:
                asked[question] = self._list_position(stream) != question[1]
            else:
                address = self._client.address(
                    stream.path, select=(VERSION,), filters=f"{VERSION} gt {question[1]}L", top=1
                )
                asked[question] = bool(self._client.get(address).rows)
            log.info("%s: %s after %s", stream.path, "something new" if asked[question] else "nothing new", question[1])
        return asked[question]

    def _deletion_news(self, quiet: Mapping[ImportCategory, str], news: News) -> None:
        """Look through the deletions after the earliest cursor; those of nobody here are passed for good."""
        position = min(int(cursor) for cursor in quiet.values())
        page = self._client.get(self._deleted_address(position))
        last = max(position, _last_version(page))
        log.info("%s: %s rows after %s", _DELETED, len(page.rows), position)
        for category, cursor in quiet.items():
            types = {cast("ExactStream", stream).deleted_type for stream in category.streams}
            new = [row for row in page.rows if int(row[VERSION]) > int(cursor)]
            if page.next_page or any(row["EntityType"] in types for row in new):
                news.categories.add(category.name)
            elif last > int(cursor):
                news.passed[category.name] = {DELETIONS: str(last)}

    def _deleted_address(self, position: int) -> str:
        return self._client.address(_DELETED, select=_DELETED_COLUMNS, filters=f"{VERSION} gt {position}L")


def _mapper(category: ImportCategory, stream: ExactStream, today: date, version: str | None) -> Mapper:
    folded = stream is category.streams[0] and category.fold is not None
    return Mapper(stream=stream, today=today, version=version, read_date=exact_date, folded=folded)


def _code_literal(stream: ExactStream, code: str) -> str:
    """A code as a filter takes it; '' when no record of this stream can have it."""
    if stream.lookup == stream.key:
        return f"guid'{code.strip()}'" if is_id(code) else ""
    if stream.number_prefix:
        number = code.strip().upper().removeprefix(stream.number_prefix)
        return number if number.isdecimal() and number.isascii() else ""
    return quoted(padded_code(code) if stream.padded else code)


def _list_columns(stream: ExactStream) -> tuple[str, ...]:
    return tuple(sorted({*stream.columns, MODIFIED}))


def _fingerprint(stream: ExactStream, page: Page) -> str:
    """Of the rows that were changed last: two changes within one second have the same ``Modified``."""
    rows = [[row[column] for column in _list_columns(stream)] for row in page.rows]
    return content_hash(msgspec.json.encode(rows).decode())


def _so_far(position: str | None) -> tuple[int, str]:
    """Rows read before an interruption, and the fingerprint of the first page."""
    count, _, top = (position or "0#").partition("#")
    return int(count), top


def _last_version(page: Page) -> int:
    rows: list[Row] = page.rows
    return max((int(row[VERSION]) for row in rows), default=0)
