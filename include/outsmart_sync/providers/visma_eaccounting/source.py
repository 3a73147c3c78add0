"""A VISMA company as the pipeline reads it: changes since a moment of the server's, whole lists, look-ups, news.

Lists are filtered by the moment of a row's last change. Which of them take that filter is published nowhere; one that
refuses it (error 6000) is read whole whenever its newest rows are others than last time, and what is unchanged in it is
known by the hash of its content. VISMA reports no deletions, so once a day everything is read, and what is missing is
gone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, cast
from zoneinfo import ZoneInfo

import msgspec

from outsmart_sync.errors import AccessDenied, RequestRefused, VendorUnavailable
from outsmart_sync.providers.visma_eaccounting import company, price_lists
from outsmart_sync.providers.visma_eaccounting.errors import QUERY_REFUSED
from outsmart_sync.providers.visma_eaccounting.lists import VismaList, read_values
from outsmart_sync.providers.visma_eaccounting.positions import OVERLAP, Position, Reading, fingerprint
from outsmart_sync.providers.visma_eaccounting.stream import ExpandedStream
from outsmart_sync.providers.visma_eaccounting.units import HourUnits
from outsmart_sync.providers.visma_eaccounting.values import TIMEZONE, moment, quoted, time_literal, visma_date
from outsmart_sync.records.exchange import DeletionsPage, News, ReadPage
from outsmart_sync.records.mapping import MappedPage, Mapper
from outsmart_sync.records.values import code_key

if TYPE_CHECKING:
    from outsmart_sync.providers.visma_eaccounting.client import VismaClient
    from outsmart_sync.providers.visma_eaccounting.paging import Page
    from outsmart_sync.providers.visma_eaccounting.stream import VismaStream
    from outsmart_sync.records.catalogue import ImportCategory
    from outsmart_sync.records.price_lists import Expansion
    from outsmart_sync.records.setting_kinds import ValueList
    from outsmart_sync.records.streams import Row, Stream

log = logging.getLogger(__name__)

_Reader = tuple["ImportCategory", "VismaStream", str]
"""Who reads a list, as which stream, and where it stands in it."""

_MOST_PASSES = 3
_KEYS_PER_CALL = 20
_ARTICLES = "articles"
_TOP = 100
"""Rows that were changed last, by which a list without a filter is known."""


class VismaSource:
    """Reads one company.

    Args:
        client: Its session.
        administration: The id that the company must have; '': any.
        now: The clock by which a day begins.
    """

    def __init__(
        self, client: VismaClient, administration: str = "", *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._client = client
        self._administration = administration
        self._now = now
        self._expansion: Expansion | None = None
        self._hour_units = HourUnits(client)

    @property
    def calls(self) -> int:
        """Calls made so far."""
        return self._client.calls

    def pages(
        self,
        category: ImportCategory,
        stream: Stream,
        today: date,
        *,
        after: str | None,
        resume: str | None,
    ) -> Iterator[ReadPage]:
        """Everything in a stream after a cursor, or from an interrupted page on.

        A list that has changed while its pages came is read again: its pages may have shifted.

        Raises:
            VendorUnavailable: It changes all the time, or was cut off: what is missing in it says nothing.
        """
        visma = cast("VismaStream", stream)
        if isinstance(visma, ExpandedStream):
            yield self._expanded(category, visma, today)
            return
        reading = Reading.read(resume) if resume else self._begin(visma, after)
        mapper = _mapper(visma, today)
        while True:
            try:
                complete = yield from self._pass(visma, mapper, reading)
            except RequestRefused as error:
                if error.code != QUERY_REFUSED or not reading.since:
                    raise
                log.warning("%s takes no filter by %s any more, so it is read whole", visma.path, visma.changed)
                reading = self._whole(visma)
                continue
            if complete:
                return
            if reading.passes >= _MOST_PASSES:
                raise VendorUnavailable(
                    f"VISMA eAccounting's list of {visma.path} keeps changing while it is read, or is cut off.",
                    remedy="It is read again by itself.",
                    technical=f"{visma.path}: read {reading.passes} times",
                )
            log.info("%s has changed while it was read; it is read once more", visma.path)
            reading = reading.again()

    def _pass(self, stream: VismaStream, mapper: Mapper, reading: Reading) -> Generator[ReadPage, None, bool]:
        """All pages once; returns whether nothing can have been missed."""
        total, count, at, recent = reading.total, reading.count, reading.at, set[str]()
        steady = True
        for page in self._client.pages(stream.path, _question(stream, reading.since), reading.page):
            total = page.total if total is None else total
            at = at or page.server_time
            steady, count = steady and page.total == total, count + len(page.rows)
            recent |= _recent(stream, page, at)
            last = page.number >= page.pages
            complete = last and steady and count == page.total
            seen = fingerprint(recent) if reading.page == 1 else ""
            following = reading.again() if last else reading.following(page.number + 1, total, count, at)
            yield ReadPage(
                mapped=mapper.page(self._with_units(stream, page.rows)),
                next_page=None if complete else following.write(),
                cursor=Position(at, seen, reading.top).write(),
                fetched=len(page.rows),
            )
        return complete

    def _with_units(self, stream: VismaStream, rows: list[Row]) -> list[Row]:
        return self._hour_units.added_to(rows) if stream.from_units else rows

    def _begin(self, stream: VismaStream, after: str | None) -> Reading:
        """How a list is read: from a moment on, or whole."""
        position = None if after is None else Position.read(after)
        if position is not None and position.top is None:
            return Reading(since=position.since)
        if position is None and self._takes_filter(stream):
            return Reading()
        return self._whole(stream)

    def _whole(self, stream: VismaStream) -> Reading:
        """The reading of a list that takes no filter; its newest rows are noted first, so nothing is missed."""
        return Reading(top=self._top(stream))

    def _takes_filter(self, stream: VismaStream) -> bool:
        """Whether a list can be asked for what was changed since a moment: it is tried, with a question for nothing."""
        query = {
            "$filter": f"{stream.changed} gt {time_literal(self._now() + timedelta(days=366))}",
            "$select": stream.key,
        }
        try:
            self._client.page(stream.path, query, size=1)
        except RequestRefused as error:
            if error.code != QUERY_REFUSED:
                raise
            log.warning("%s does not take a filter by %s, so it is read whole: %s", stream.path, stream.changed, error)
            return False
        return True

    def _top(self, stream: VismaStream) -> str:
        """What the rows of a list are that were changed last, and how many there are in all: one call."""
        query = {"$orderby": f"{stream.changed} desc", "$select": f"{stream.key},{stream.changed}"}
        page = self._client.page(stream.path, query, size=_TOP)
        return f"{page.total}#{fingerprint(_stamps(stream, page.rows))}"

    def beginning(self, stream: Stream, day: date) -> str:  # noqa: ARG002  # as every package's source
        """The position behind which lies everything that was changed on a day or later."""
        at = datetime.combine(day, datetime.min.time(), ZoneInfo(TIMEZONE))
        return Position(time_literal(at + OVERLAP)).write()

    def lookup(
        self,
        category: ImportCategory,
        stream: Stream,
        today: date,
        keys: Sequence[str],
    ) -> Iterator[ReadPage]:
        """Only the records with these codes; of prices, those of the articles with these numbers."""
        visma = cast("VismaStream", stream)
        if isinstance(visma, ExpandedStream):
            yield self._prices_of(category, visma, today, keys)
            return
        mapper, wanted = _mapper(visma, today), {code_key(key) for key in keys}
        for page in self._found(visma, keys):
            mapped = mapper.page(self._with_units(visma, page.rows))
            ours = [row for row in mapped.rows if code_key(row.code or "") in wanted]
            yield ReadPage(
                MappedPage(ours, mapped.foreign if len(ours) == len(mapped.rows) else []), None, "", len(page.rows)
            )

    def _found(self, stream: VismaStream, keys: Sequence[str]) -> Iterator[Page]:
        """The rows of some codes; all rows of a list that cannot be asked for them."""
        question = _question(stream, "")
        if stream.numbered:
            return self._client.pages(stream.path, question)
        return self._with_keys(stream.path, stream.lookup, question, keys)

    def _with_keys(self, path: str, column: str, question: Mapping[str, str], keys: Sequence[str]) -> Iterator[Page]:
        for start in range(0, len(keys), _KEYS_PER_CALL):
            literals = [quoted(key.strip()) for key in keys[start : start + _KEYS_PER_CALL]]
            filters = " or ".join(f"{column} eq {literal}" for literal in literals)
            try:
                yield from list(self._client.pages(path, {**question, "$filter": filters}))
            except RequestRefused as error:
                if error.code != QUERY_REFUSED:
                    raise
                log.info("%s cannot be asked for a %s: all of it is looked through", path, column)
                break
        else:
            return
        yield from self._client.pages(path, question)

    def _prices_of(
        self, category: ImportCategory, stream: ExpandedStream, today: date, numbers: Sequence[str]
    ) -> ReadPage:
        """The prices of articles with these numbers; where there are none, at least whether prices can be read."""
        pages = self._with_keys(_ARTICLES, stream.lookup, {"$select": f"Id,{stream.lookup}"}, numbers)
        wanted = {code_key(number) for number in numbers}
        found = (row for page in pages for row in page.rows)
        ids = {str(row["Id"]) for row in found if code_key(str(row[stream.lookup] or "")) in wanted}
        if ids:
            return self._expanded(category, stream, today, ids)
        price_lists.require(self._client)
        return ReadPage(MappedPage(), None, "", 0)

    def require(self, category: ImportCategory, today: date) -> None:  # noqa: ARG002  # as every package's source
        """Ask for one row: which lists can be asked for a record that nobody has is not known."""
        stream = cast("VismaStream", category.streams[0])
        if isinstance(stream, ExpandedStream):
            price_lists.require(self._client)
        else:
            self._client.page(stream.path, {"$select": stream.key}, size=1)

    def existing(self, category: ImportCategory, stream: Stream, ids: Sequence[str]) -> set[str] | None:  # noqa: ARG002
        """Not asked: a read of VISMA's lists does not end before it has as many rows as they say."""
        return None

    def count(self, category: ImportCategory, since: date | None) -> int:
        """How many documents of a category with a start date there are, or bear a date not before a day.

        No list is known to be filtered by the date of its documents, so they are counted here.
        """
        stream = cast("VismaStream", category.dated)
        column = stream.dated or stream.key
        if since is None:
            return self._client.page(stream.path, {"$select": stream.key}, size=1).total
        pages = self._client.pages(stream.path, {"$select": column})
        days = (visma_date(row[column]) for page in pages for row in page.rows)
        return sum(day is not None and day >= since for day in days)

    def expands(self, category: ImportCategory, today: date) -> int:  # noqa: ARG002  # as every package's source
        """How many prices the price lists expand to; they are kept for the reading that follows."""
        self._expansion = price_lists.read(self._client)
        return self._expansion.count

    def _expanded(
        self, category: ImportCategory, stream: ExpandedStream, today: date, items: set[str] | None = None
    ) -> ReadPage:
        """What the price lists mean, for all articles or only for some."""
        expansion, self._expansion = self._expansion or price_lists.read(self._client), None
        rows = [row for row in expansion.rows() if items is None or row["Item"] in items]
        log.info("%s: price lists expand to %s prices", category.label, len(rows))
        mapper = Mapper(stream=stream, today=today, version=None, read_date=lambda day: day)
        return ReadPage(mapper.page(rows), None, expansion.position, len(rows))

    def choices(self, listed: ValueList) -> list[tuple[str, str]]:
        """The values of one of VISMA's lists, with what a person knows them by."""
        return read_values(self._client, cast("VismaList", listed))

    def deletions(
        self,
        category: ImportCategory,  # noqa: ARG002
        *,
        after: str | None,  # noqa: ARG002
        resume: str | None,  # noqa: ARG002
    ) -> Iterator[DeletionsPage]:
        """Nothing: VISMA does not tell."""
        yield from ()

    def news(self, positions: Mapping[ImportCategory, Mapping[str, str]]) -> News:
        """One call per list, however many categories read it."""
        asked: dict[str, list[_Reader]] = {}
        for category, cursors in positions.items():
            for stream in (cast("VismaStream", each) for each in category.streams):
                asked.setdefault(stream.path, []).append((category, stream, cursors[stream.name]))
        news = News()
        for path, readers in asked.items():
            try:
                busy = set(self._busy(readers))
            except (AccessDenied, RequestRefused) as error:
                # The tasks of those who read it will say so; the others are asked as ever.
                log.warning("%s: %s (%s)", path, error, error.technical)
                busy = {category.name for category, _, _ in readers}
            log.info("%s: %s", path, "something new for " + ", ".join(sorted(busy)) if busy else "nothing new")
            news.categories |= busy
        return news

    def _busy(self, asked: Sequence[_Reader]) -> Iterator[str]:
        """The categories, of those that read one list, for which it has something new."""
        if isinstance(asked[0][1], ExpandedStream):
            yield from (each.name for each, _, kept in asked if price_lists.has_changed(self._client, kept))
            return
        readers = [(category, stream, Position.read(kept)) for category, stream, kept in asked]
        whole = [each for each in readers if each[2].top is not None]
        if whole:
            top = self._top(whole[0][1])
            yield from (category.name for category, _, position in whole if position.top != top)
        filtered = [each for each in readers if each[2].top is None]
        if not filtered:
            return
        stream = filtered[0][1]
        earliest = min((position for _, _, position in filtered), key=lambda position: moment(position.at))
        query = {"$orderby": "Id", "$select": f"{stream.key},{stream.changed}"}
        page = self._client.page(stream.path, query | _filter(stream, earliest.since))
        for category, _, position in filtered:
            if page.pages > 1 or fingerprint(_changed_since(stream, page.rows, position.since)) != position.seen:
                yield category.name

    def epoch(self) -> str | None:
        """Which company this is (it must be the chosen one), and the day: each begins with a full compare."""
        found, settings, _ = company.look(self._client, expected=self._administration)
        day = self._now().astimezone(ZoneInfo(TIMEZONE)).date()
        return f"company {found} in {settings.get('CurrencyCode') or 'unknown currency'}, compared on {day.isoformat()}"

    def expired(self, cursor_age_days: float) -> bool:  # noqa: ARG002  # as every package's source
        """Never: every day begins with a full compare."""
        return False

    def close(self) -> None:
        """End the session."""
        self._client.close()


def _mapper(stream: VismaStream, today: date) -> Mapper:
    return Mapper(stream=stream, today=today, version=None, read_date=visma_date)


def _question(stream: VismaStream, since: str) -> dict[str, str]:
    return {"$orderby": stream.key, "$select": ",".join(stream.asked), **_filter(stream, since)}


def _filter(stream: VismaStream, since: str) -> dict[str, str]:
    return {"$filter": f"{stream.changed} gt {since}"} if since else {}


def _recent(stream: VismaStream, page: Page, at: str) -> set[str]:
    """The stamps of the rows that the next question will bring again, as it overlaps."""
    return _changed_since(stream, page.rows, Position(at).since)


def _changed_since(stream: VismaStream, rows: Iterable[Row], since: str) -> set[str]:
    begin = moment(since)
    return _stamps(stream, (row for row in rows if row[stream.changed] and moment(row[stream.changed]) > begin))


def _stamps(stream: VismaStream, rows: Iterable[Row]) -> set[str]:
    return {msgspec.json.encode([row[stream.key], row[stream.changed]]).decode() for row in rows}
