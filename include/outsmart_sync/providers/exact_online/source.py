"""An Exact administration as the pipeline reads it: sync streams, look-ups, deletions, news.

Sync: https://start.exactonline.nl/docs/HlpRestAPIResourcesDetails.aspx?name=SyncCRMAccounts . A Timestamp is a row
version, unrelated to time; a row that changed several times comes once, with its last one. Deletions are kept for two
months only (name=SyncDeleted).

A few lists have neither (item groups, warehouses). They are short, so they are read whole, when their number of rows or
those that were changed last are others than last time. Of one that does not even tell what was changed last, and is not
short, the last days are read: see ``windows``.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, cast

import msgspec

from outsmart_sync.errors import AccessDenied, ConfigurationError, RequestRefused, VendorUnavailable
from outsmart_sync.providers.exact_online import price_lists, start_dates, windows
from outsmart_sync.providers.exact_online.lists import ExactList, read_values
from outsmart_sync.providers.exact_online.rights import DELETED, DIVISIONS, MODULE_MISSING, Need, explained
from outsmart_sync.providers.exact_online.stream import ExactStream, ExpandedStream
from outsmart_sync.providers.exact_online.units import TimeUnits
from outsmart_sync.providers.exact_online.values import exact_date, exact_moment, is_id, padded_code, quoted
from outsmart_sync.records.exchange import DELETIONS, NOT_THERE, Deletion, DeletionsPage, News, ReadPage
from outsmart_sync.records.mapping import MappedPage, Mapper
from outsmart_sync.records.values import code_key, content_hash

if TYPE_CHECKING:
    from outsmart_sync.providers.exact_online.client import ExactOnlineClient, Page
    from outsmart_sync.records.catalogue import ImportCategory
    from outsmart_sync.records.price_lists import Expansion
    from outsmart_sync.records.setting_kinds import ValueList
    from outsmart_sync.records.streams import Row, Stream

log = logging.getLogger(__name__)

VERSION = "Timestamp"
MODIFIED = "Modified"
BEGINNING = "1"
"""The position before every row: the vendor's page says to start with ``gt 1``."""

_DELETED = "sync/Deleted"
_DELETED_COLUMNS = ("EntityKey", "EntityType", VERSION)
_VERSION = "/"  # between a number and that of its version
_DELETIONS_KEPT_DAYS = 55  # two months, with days to spare
_NOBODY = "2147483646"  # a code that no record has
_KEYS_PER_CALL = 20  # keeps addresses far below Exact's 6,000 characters


class ExactSource:
    """Reads one administration.

    Args:
        client: Its session.
    """

    def __init__(self, client: ExactOnlineClient) -> None:
        self._client = client
        self._units = TimeUnits(client)
        self._expansion: Expansion | None = None

    @property
    def calls(self) -> int:
        """Calls made so far."""
        return self._client.calls

    def pages(
        self, category: ImportCategory, stream: Stream, today: date, *, after: str | None, resume: str | None
    ) -> Iterator[ReadPage]:
        """Everything in a stream after a cursor, or from an interrupted page on."""
        exact = cast("ExactStream", stream)
        if not (_may_be_missing(exact) and after == NOT_THERE):
            with _perhaps_missing(category, exact):
                yield from self._pages(category, exact, today, after, resume)
                return
        yield ReadPage(MappedPage(), None, NOT_THERE, 0)

    def _pages(
        self, category: ImportCategory, exact: ExactStream, today: date, after: str | None, resume: str | None
    ) -> Iterator[ReadPage]:
        with explained(self._client, _need(category, exact)):
            if isinstance(exact, ExpandedStream):
                yield self._expanded(category, exact, today)
            elif exact.window:
                yield from self._window(category, exact, today, after if resume else None, resume)
            elif exact.whole:
                yield from self._list(category, exact, today, after if resume else None, resume)
            else:
                yield from self._changes(category, exact, today, after, resume)

    def _changes(
        self, category: ImportCategory, exact: ExactStream, today: date, after: str | None, resume: str | None
    ) -> Iterator[ReadPage]:
        mapper = _mapper(category, exact, today, VERSION)
        position = int(after or BEGINNING)
        address = resume or self._client.address(
            exact.path, select=(*exact.asked, VERSION), filters=f"{VERSION} gt {position}L"
        )
        for page in self._client.pages(address):
            position = max(position, _last_version(page))
            rows = self._units.added_to(page.rows) if exact.from_units else page.rows
            yield ReadPage(mapper.page(rows), page.next_page, str(position), len(page.rows))

    def lookup(self, category: ImportCategory, stream: Stream, today: date, keys: Sequence[str]) -> Iterator[ReadPage]:
        """Only the records with these codes, or the parts and children of parents with these ids."""
        exact = cast("ExactStream", stream)
        with _perhaps_missing(category, exact):
            yield from self._found(category, exact, today, keys)

    def _found(
        self, category: ImportCategory, exact: ExactStream, today: date, keys: Sequence[str]
    ) -> Iterator[ReadPage]:
        mapper = _mapper(category, exact, today, None)
        by_code = exact.parent is None
        for start in range(0, len(keys), _KEYS_PER_CALL):
            chosen = keys[start : start + _KEYS_PER_CALL]
            literals = [_code_literal(exact, key) if by_code else f"guid'{key}'" for key in chosen]
            literals = [literal for literal in dict.fromkeys(literals) if literal]
            if not literals:
                continue
            filters = " or ".join(f"{exact.lookup} eq {literal}" for literal in literals)
            columns = tuple(column for column in exact.asked if column not in exact.sync_only)
            address = self._client.address(exact.single, select=columns, filters=filters, expand=exact.expand)
            absent = dict.fromkeys(exact.sync_only)
            for page in self._explained_pages(address, _need_to_look_up(category, exact)):
                rows = windows.whole_rows(self._client, exact, page.rows)
                if exact.from_units:
                    rows = self._units.added_to(rows)
                mapped = mapper.page([{**absent, **row} for row in rows] if absent else rows)
                if exact.versioned and by_code:
                    mapped = MappedPage([row for row in mapped.rows if _is_asked(row.code, chosen)], mapped.foreign)
                yield ReadPage(mapped, page.next_page, "", len(page.rows))

    def require(self, category: ImportCategory, today: date) -> None:
        """Ask for a record that nobody has."""
        for _ in self.lookup(category, category.streams[0], today, [_NOBODY]):
            pass

    def existing(self, category: ImportCategory, stream: Stream, ids: Sequence[str]) -> set[str] | None:
        """Asked at the ordinary endpoint; lists that are read whole say how long they are."""
        exact = cast("ExactStream", stream)
        known = [each for each in ids if is_id(each)]
        if exact.whole or exact.window or isinstance(exact, ExpandedStream) or not known:
            return None
        found: set[str] = set()
        try:
            for start in range(0, len(known), _KEYS_PER_CALL):
                some = known[start : start + _KEYS_PER_CALL]
                filters = " or ".join(f"{exact.key} eq guid'{each}'" for each in some)
                page = self._client.get(self._client.address(exact.single, select=(exact.key,), filters=filters))
                found |= {str(row[exact.key]) for row in page.rows}
        except ConfigurationError as error:
            log.warning("%s: whether what is missing is gone could not be asked (%s)", category.label, error)
            return None
        return found

    def beginning(self, stream: Stream, day: date) -> str:
        """The row version behind which lies everything that was changed on a day or later."""
        position = start_dates.position_of(self._client, cast("ExactStream", stream).path, day)
        return str(max(position or 0, int(BEGINNING)))

    def count(self, category: ImportCategory, since: date | None) -> int:
        """How many documents of a category with a start date there are, or bear a date not before a day."""
        dated = cast("ExactStream", category.dated)
        with explained(self._client, _need_to_look_up(category, dated)):
            return start_dates.count_documents(self._client, dated, since)

    def expands(self, category: ImportCategory, today: date) -> int:
        """How many prices the price lists expand to; they are kept for the reading that follows."""
        stream = next(cast("ExactStream", each) for each in category.streams if isinstance(each, ExpandedStream))
        self._expansion = None
        with _perhaps_missing(category, stream), explained(self._client, _need(category, stream)):
            self._expansion = price_lists.read(self._client, today)
        return self._expanded_rows()

    def _expanded_rows(self) -> int:
        return self._expansion.count if self._expansion else 0

    def _expanded(self, category: ImportCategory, stream: ExpandedStream, today: date) -> ReadPage:
        expansion = self._expansion or price_lists.read(self._client, today)
        self._expansion = None
        mapper = Mapper(stream=stream, today=today, version=None, read_date=lambda day: day)
        rows = list(expansion.rows())
        log.info("%s: price lists expand to %s prices", category.label, len(rows))
        return ReadPage(mapper.page(rows), None, expansion.position, len(rows))

    def choices(self, listed: ValueList) -> list[tuple[str, str]]:
        """The values of one of Exact's lists, with what a person knows them by."""
        return read_values(self._client, cast("ExactList", listed))

    def deletions(self, category: ImportCategory, *, after: str | None, resume: str | None) -> Iterator[DeletionsPage]:
        """What Exact deleted after a cursor, of the category's own kinds."""
        position = int(after or BEGINNING)
        streams = {cast("ExactStream", stream).deleted_type: stream.name for stream in category.streams}
        streams.pop(None, None)
        for page in self._explained_pages(resume or self._deleted_address(position), DELETED):
            position = max(position, _last_version(page))
            found = [
                Deletion(streams[row["EntityType"]], str(row["EntityKey"]), int(row[VERSION]))
                for row in page.rows
                if row["EntityType"] in streams
            ]
            yield DeletionsPage(found, page.next_page, str(position))

    def news(self, positions: Mapping[ImportCategory, Mapping[str, str]]) -> News:
        """One call per stream and position, however many categories read it, and one for deletions."""
        news, asked = News(), _Asked(_furthest(positions), _lowest(positions))
        for category, cursors in positions.items():
            streams = [cast("ExactStream", stream) for stream in category.streams if not stream.window]
            if any(self._has_news(stream, cursors, asked) for stream in streams):
                news.categories.add(category.name)
            else:
                self._look_at_windows(category, cursors, news)
        quiet = {
            category: cursors[DELETIONS]
            for category, cursors in positions.items()
            if category.name not in news.categories and category.reports_deletions
        }
        if quiet:
            self._deletion_news(quiet, news, asked)
        news.doubtful = asked.doubtful
        return news

    def epoch(self) -> str | None:
        """When the administration was last moved, and its personnel data linked or unlinked: both renew all Timestamps.

        Rule: https://start.exactonline.nl/docs/HlpRestAPIResourcesDetails.aspx?name=SystemSystemDivisions .
        """
        division = str(self._client.division)
        with explained(self._client, DIVISIONS):
            rows = self._client.divisions(division, only=division)
        for row in rows:
            moved, linked = exact_moment(row["DivisionMoveDate"]), exact_moment(row["DivisionHRLinkUnlinkDate"])
            return f"moved {moved or 'never'}, personnel data linked or unlinked {linked or 'never'}"
        log.warning("Exact Online does not list administration %s, so nobody knows whether it was moved", division)
        return None

    def expired(self, cursor_age_days: float) -> bool:
        """Deletions older than two months are lost, so a cursor that old means reading everything again."""
        return cursor_age_days > _DELETIONS_KEPT_DAYS

    def close(self) -> None:
        """End the session."""
        self._client.close()

    def _explained_pages(self, address: str, need: Need) -> Iterator[Page]:
        with explained(self._client, need):
            yield from self._client.pages(address)

    def _window(
        self, category: ImportCategory, stream: ExactStream, today: date, read: str | None, resume: str | None
    ) -> Iterator[ReadPage]:
        """The last days of a list."""
        mapper = _mapper(category, stream, today, None)
        for rows, next_page, position in windows.read(self._client, stream, today, so_far=read, resume=resume):
            yield ReadPage(mapper.page(rows), next_page, position, len(rows))

    def _look_at_windows(self, category: ImportCategory, cursors: Mapping[str, str], news: News) -> None:
        """One call per window: the page whose turn it is."""
        for stream in (cast("ExactStream", each) for each in category.streams if each.window):
            turned = windows.look(self._client, stream, cursors[stream.name])
            log.info("%s: %s", stream.path, "something new" if turned is None else "nothing new")
            if turned is None:
                news.categories.add(category.name)
            elif turned != cursors[stream.name]:
                news.passed.setdefault(category.name, {})[stream.name] = turned

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

    def _has_news(self, stream: ExactStream, cursors: Mapping[str, str], asked: _Asked) -> bool:
        if _may_be_missing(stream) and cursors[stream.name] == NOT_THERE:
            return False
        first = str(asked.lowest.get(stream.path, cursors[stream.name]))
        return self._answer(stream, first, asked) and self._answer(stream, cursors[stream.name], asked)

    def _answer(self, stream: ExactStream, position: str, asked: _Asked) -> bool:
        question = (stream.path, position)
        if question not in asked.answers:
            try:
                found = self._is_ahead(stream, question[1], asked)
            except (AccessDenied, RequestRefused) as error:
                # The tasks of those who read it will say so; the others are asked as ever.
                log.warning("%s: %s (%s)", stream.path, error, error.technical)
                found = True
            asked.answers[question] = found
            log.info("%s: %s after %s", stream.path, "something new" if found else "nothing new", question[1])
        return asked.answers[question]

    def _is_ahead(self, stream: ExactStream, position: str, asked: _Asked) -> bool:
        """Whether a stream has anything after a position."""
        if isinstance(stream, ExpandedStream):
            return price_lists.has_changed(self._client, position)
        if stream.whole:
            return self._list_position(stream) != position
        address = self._client.address(stream.path, select=(VERSION,), filters=f"{VERSION} gt {position}L", top=1)
        page = self._client.get(address)
        asked.look_at(page)
        return bool(page.rows)

    def _deletion_news(self, quiet: Mapping[ImportCategory, str], news: News, asked: _Asked) -> None:
        """Look through the deletions after the earliest cursor; those of nobody here are passed for good."""
        position = min(int(cursor) for cursor in quiet.values())
        page = self._client.get(self._deleted_address(position))
        asked.look_at(page)
        last = max(position, _last_version(page))
        log.info("%s: %s rows after %s", _DELETED, len(page.rows), position)
        for category, cursor in quiet.items():
            types = {cast("ExactStream", stream).deleted_type for stream in category.streams}
            new = [row for row in page.rows if int(row[VERSION]) > int(cursor)]
            if page.next_page or any(row["EntityType"] in types for row in new):
                news.categories.add(category.name)
            elif last > int(cursor):
                news.passed.setdefault(category.name, {})[DELETIONS] = str(last)

    def _deleted_address(self, position: int) -> str:
        return self._client.address(_DELETED, select=_DELETED_COLUMNS, filters=f"{VERSION} gt {position}L")


@dataclass(slots=True)
class _Asked:
    """What a poll has asked so far.

    All streams of an administration share one sequence of Timestamps, so a row that is new in one of them has a larger
    one than any that was read before. One that has not was changed while others were read; or all are numbered anew.

    Attributes:
        furthest: The largest cursor.
        lowest: Stream's path → the smallest cursor in it: where nothing comes after that, nothing comes after any.
        answers: Stream's path and cursor → whether there is anything after it.
        doubtful: Something new has a smaller Timestamp than the largest cursor.
    """

    furthest: int
    lowest: Mapping[str, int]
    answers: dict[tuple[str, str], bool] = field(default_factory=dict)
    doubtful: bool = False

    def look_at(self, page: Page) -> None:
        """Take note of what was handed out as new."""
        self.doubtful |= any(int(row[VERSION]) < self.furthest for row in page.rows)


def _furthest(positions: Mapping[ImportCategory, Mapping[str, str]]) -> int:
    return max(
        (
            int(cursors[name])
            for category, cursors in positions.items()
            for name in (DELETIONS, *(stream.name for stream in category.streams if not stream.whole))
            if name in cursors
        ),
        default=0,
    )


def _lowest(positions: Mapping[ImportCategory, Mapping[str, str]]) -> dict[str, int]:
    """The smallest cursor in each stream that several categories may read."""
    found: dict[str, int] = {}
    for category, cursors in positions.items():
        for stream in (cast("ExactStream", each) for each in category.streams if not each.whole):
            position = int(cursors[stream.name])
            if cursors[stream.name] != NOT_THERE:
                found[stream.path] = min(position, found.get(stream.path, position))
    return found


def _may_be_missing(stream: ExactStream) -> bool:
    """Whether a category goes without a stream whose module the administration does not have."""
    return bool(stream.shared) or isinstance(stream, ExpandedStream)


@contextmanager
def _perhaps_missing(category: ImportCategory, stream: ExactStream) -> Iterator[None]:
    """Read within this; a shared stream whose module the administration lacks is left out."""
    try:
        yield
    except AccessDenied as error:
        if not (_may_be_missing(stream) and error.code == MODULE_MISSING):
            raise
        log.warning("%s: imported without %s: %s", category.label, stream.single, error)


def _need(category: ImportCategory, stream: ExactStream) -> Need:
    subject = (
        category.label if stream is category.streams[0] else f"{stream.name.replace('_', ' ')} of {category.label}"
    )
    return Need(subject, stream.single, stream.scope)


def _need_to_look_up(category: ImportCategory, stream: ExactStream) -> Need:
    return replace(_need(category, stream), scope=stream.single_scope or stream.scope)


def _mapper(category: ImportCategory, stream: ExactStream, today: date, version: str | None) -> Mapper:
    folded = stream is category.streams[0] and category.fold is not None
    return Mapper(stream=stream, today=today, version=version, read_date=exact_date, folded=folded)


def _code_literal(stream: ExactStream, code: str) -> str:
    """A code as a filter takes it; '' when no record of this stream can have it."""
    if stream.lookup == stream.key:
        return f"guid'{code.strip()}'" if is_id(code) else ""
    if stream.number_prefix:
        number = code.strip().upper().removeprefix(stream.number_prefix)
        if stream.versioned:
            number = number.partition(_VERSION)[0]
        return number if number.isdecimal() and number.isascii() else ""
    return quoted(padded_code(code) if stream.padded else code)


def _is_asked(code: str | None, asked: Sequence[str]) -> bool:
    """Whether a code with a version is among those asked for; one that was asked for without it means them all."""
    wanted = {code_key(each) for each in asked}
    key = code_key(code or "")
    return key in wanted or key.partition(_VERSION)[0] in wanted


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
