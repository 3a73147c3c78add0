"""Maps a package's rows to OutSmart's shape, as the stream declares it.

Plain loops over each page's rows: for 1,000 rows of 25 columns they took 4 ms where a pandas frame took 15 ms, besides
0.3 s and 50 MB for importing pandas in every task (``benchmarks/mapping.py``; reasons in ``docs/decisions.md``).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from outsmart_sync.records.record import UNREADABLE, Record, is_active
from outsmart_sync.records.staged import (
    ALIAS,
    CURRENCY,
    ENTERED,
    LEFT_OUT,
    RANK,
    RANK_LENGTH,
    Origin,
    StagedRow,
    tag,
    tags_text,
)
from outsmart_sync.records.streams import Row, Source, Stream
from outsmart_sync.records.values import Payload, code_key, content_hash, encode

log = logging.getLogger(__name__)

SPLIT = "+"
"""Stands in a part's id between the package's own id and what tells those apart that share it."""

_APART = 16
_ONE_DAY = timedelta(days=1)
_UNREADABLE = (ValueError, TypeError, ArithmeticError, AttributeError)


@dataclass(frozen=True, slots=True)
class MappedPage:
    """One page after mapping.

    Attributes:
        rows: Rows of the category, in the page's order.
        foreign: Package id and version of rows that are not of the category: they may once have been.
    """

    rows: list[StagedRow] = field(default_factory=list)
    foreign: list[tuple[str, int | None]] = field(default_factory=list)


@dataclass(frozen=True)
class Mapper:
    """Maps rows of one stream.

    Attributes:
        stream: What is mapped, and how.
        today: The administration's calendar day, for records that begin or end.
        version: The package's column with the row version; None: its rows have none.
        read_date: Reads the package's form of a plain date.
        folded: The category folds parts into this record, so it is staged without them first.
    """

    stream: Stream
    today: date
    version: str | None
    read_date: Callable[[Any], date | None]
    folded: bool = False

    @cached_property
    def _sources(self) -> list[tuple[str, tuple[str, ...], Callable[[Any], str | bool | None]]]:
        return [(name, source.columns, source.read) for name, source in self.stream.fields.items() if not source.joined]

    @cached_property
    def _joined(self) -> list[tuple[str, Source]]:
        return [(name, source) for name, source in self.stream.fields.items() if source.joined]

    @cached_property
    def _absent(self) -> Payload:
        """What stands where no column has a value."""
        return {name: source.absent for name, source in self.stream.fields.items() if source.absent is not None}

    def page(self, rows: Iterable[Row]) -> MappedPage:
        """Map a page. A row with a value that cannot be read stops no other: it will be rejected, and says why.

        Raises:
            KeyError: The package left out a column that was asked for.
        """
        mapped = MappedPage()
        stream = self.stream
        belongs = stream.belongs.rule if stream.belongs else None
        build = self._part if stream.record is None else self._record
        for row in rows:
            try:
                if belongs is not None and not belongs(row):
                    mapped.foreign.append((row[stream.key], self._version(row)))
                else:
                    mapped.rows.append(build(row))
            except _UNREADABLE as error:
                log.warning("%s %s cannot be read: %s", stream.name, row[stream.key], error)
                if stream.record is not None:
                    mapped.rows.append(self._rejected(stream.record, row))
                else:
                    mapped.foreign.append((row[stream.key], self._version(row)))
        return mapped

    def _rejected(self, record: Record, row: Row) -> StagedRow:
        """A row with what can be read of it."""
        payload: Payload = {}
        bad: list[str] = []
        for name, source in self.stream.fields.items():
            try:
                value = value_of(row, source)
            except _UNREADABLE:
                bad.append(name)
            else:
                payload |= {} if value is None else {name: value}
        stream = self.stream
        if stream.derived_code:
            payload[record.code] = stream.derived_code(row[stream.key])
        try:
            tags = self._tags(row)
        except _UNREADABLE:
            tags = ""
        try:
            dated_on = self._dated_on(row)
        except _UNREADABLE:
            dated_on = None
        return staged_record(
            record,
            row[stream.key],
            payload,
            version=self._version(row),
            tags=tags,
            blocked=self._blocked(row),
            valid=(None, None),
            due_on=None,
            parent_id=row[stream.parent] if stream.parent else None,
            origin=Origin.BASE if self.folded else Origin.PAGE,
            dated_on=dated_on,
            unreadable=[f"{name}{UNREADABLE}" for name in bad or [""]],
        )

    def _version(self, row: Row) -> int | None:
        value = row.get(self.version) if self.version else None
        return None if value is None else int(value)

    def _payload(self, row: Row) -> Payload:
        payload: Payload = dict(self._absent)
        for name, columns, read in self._sources:
            for column in columns:
                value = row[column]
                if value is not None and (value := read(value)) is not None:
                    payload[name] = value
                    break
        for name, source in self._joined:
            if (value := value_of(row, source)) is not None:
                payload[name] = value
        return payload

    def _tags(self, row: Row) -> str:
        tags = [tag(kind, value) for kind, value in self.stream.tags.rule(row)] if self.stream.tags else []
        if self.stream.alias and (alias := row[self.stream.alias]):
            tags.append(tag(ALIAS, str(alias)))
        if self.stream.left_out and (reason := self.stream.left_out.rule(row)):
            tags.append(tag(LEFT_OUT, reason))
        if self.stream.ranked:
            tags.append(tag(RANK, f"{self.stream.ranked.rule(row):0{RANK_LENGTH}}"))
        if self.stream.currency and (currency := str(row[self.stream.currency] or "").strip()):
            tags.append(tag(CURRENCY, currency))
        if self.stream.entered and (day := self.read_date(row[self.stream.entered])):
            tags.append(tag(ENTERED, day.isoformat()))
        return tags_text(tags)

    def _blocked(self, row: Row) -> bool:
        stream = self.stream
        if not stream.blocked or not stream.is_blocked(row[stream.blocked]):
            return False
        if not stream.blocked_out_of_dates:
            return True
        valid_from, valid_until = self._validity(row)
        return is_active(self.today, blocked=False, valid_from=valid_from, valid_until=valid_until)

    def _validity(self, row: Row) -> tuple[date | None, date | None]:
        if self.stream.valid is None:
            return None, None
        first, last = (self.read_date(row[column]) if column else None for column in self.stream.valid)
        return first, last

    def _dated_on(self, row: Row) -> date | None:
        return self.read_date(row[self.stream.dated]) if self.stream.dated else None

    def _record(self, row: Row) -> StagedRow:
        stream = self.stream
        record: Record = stream.record  # type: ignore[assignment]  # a part goes through _part
        provider_id: str = row[stream.key]
        payload = self._payload(row)
        if stream.derived_code:
            payload[record.code] = stream.derived_code(provider_id)
        valid_from, valid_until = self._validity(row)
        blocked = self._blocked(row)
        if record.active:
            payload[record.active] = is_active(
                self.today, blocked=blocked, valid_from=valid_from, valid_until=valid_until
            )
        return staged_record(
            record,
            provider_id,
            payload,
            version=self._version(row),
            tags=self._tags(row),
            blocked=blocked,
            valid=(valid_from, valid_until),
            due_on=next_change(self.today, valid_from, valid_until),
            parent_id=row[stream.parent] if stream.parent else None,
            origin=Origin.BASE if self.folded else Origin.PAGE,
            dated_on=self._dated_on(row),
        )

    def _part_id(self, row: Row) -> str:
        """A part's id: of parts that share one, each has its own, made of it and of what tells them apart."""
        shared: str = row[self.stream.key]
        apart = row[self.stream.split_by] if self.stream.split_by else None
        return shared if apart is None else f"{shared}{SPLIT}{content_hash(str(apart))[:_APART]}"

    def _part(self, row: Row) -> StagedRow:
        stream = self.stream
        text = encode(self._payload(row))
        valid_from, valid_until = self._validity(row)
        return StagedRow(
            record=stream.name,
            provider_id=self._part_id(row),
            version=self._version(row),
            code=None,
            code_key=None,
            title=None,
            payload=text,
            content_hash=None,
            tags="",
            blocked=False,
            valid_from=valid_from,
            valid_until=valid_until,
            due_on=None,
            parent_id=row[stream.parent] if stream.parent else None,
            problems="",
            origin=Origin.PART,
        )


def value_of(row: Row, source: Source) -> str | bool | None:
    """A field's value in a row; None: it has none."""
    given = [row[column] for column in source.columns]
    if source.joined:
        return None if None in given else source.read(tuple(given))
    values = (source.read(value) for value in given if value is not None)
    return next((value for value in values if value is not None), None)


def staged_record(
    record: Record,
    provider_id: str,
    payload: Payload,
    *,
    version: int | None,
    tags: str,
    blocked: bool,
    valid: tuple[date | None, date | None],
    due_on: date | None,
    parent_id: str | None,
    origin: str,
    dated_on: date | None = None,
    unreadable: Sequence[str] = (),
) -> StagedRow:
    """A record's row for staging, with everything that follows from its payload.

    ``unreadable`` names, as problems, what could not be read of it.
    """
    text = encode(payload)
    unresolved = record.keys and any(reference.key in payload for reference in record.references)
    code = "" if unresolved else record.code_of(payload)
    title = str(payload.get(record.title, ""))
    problems = record.problems(payload)
    return StagedRow(  # by position: by name costs twice as much, a hundred thousand times
        record.name,
        provider_id,
        version,
        code,
        code_key(code),
        title,
        text,
        content_hash(text),
        tags,
        blocked,
        valid[0],
        valid[1],
        due_on,
        parent_id,
        ",".join((*unreadable, problems)).rstrip(",") if unreadable else problems,
        origin,
        dated_on,
    )


def next_change(today: date, *days: date | None) -> date | None:
    """The next day on which a validity of (first day, last day, first day, …) changes what holds; None: never again."""
    changes = []
    for position, day in enumerate(days):
        if day is None or day.year >= _FOREVER_YEAR:
            continue
        change = day if position % 2 == 0 else day + _ONE_DAY
        if change > today:
            changes.append(change)
    return min(changes, default=None)


_FOREVER_YEAR = 9999
