"""Where the reading of a list stands: between two runs, and between two of its pages.

The next question asks for what was changed after the server's own time of the last one, less an overlap: a change may
become visible a little later than its stamp says. What the overlap brings again is known by its fingerprint, so that it
makes no run necessary.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import msgspec

from outsmart_sync.providers.visma_eaccounting.values import moment, time_literal
from outsmart_sync.records.values import content_hash

OVERLAP = timedelta(minutes=5)


class Position(msgspec.Struct, frozen=True):
    """How far a list was read.

    Attributes:
        at: The server's time of the first page, as it writes it.
        seen: Fingerprint of the rows that were changed within the overlap before it, or later, and were read.
        top: Of a list that cannot be filtered: how many rows it had, and the fingerprint of the newest; None: it can.
    """

    at: str
    seen: str = ""
    top: str | None = None

    @classmethod
    def read(cls, text: str) -> Position:
        """The position behind :meth:`write`'s text."""
        return msgspec.json.decode(text, type=cls)

    def write(self) -> str:
        """The position as a cursor keeps it."""
        return msgspec.json.encode(self).decode()

    @property
    def since(self) -> str:
        """The moment that the next question asks after, as a filter takes it."""
        return time_literal(moment(self.at) - OVERLAP)


class Reading(msgspec.Struct, frozen=True):
    """A list that is being read.

    Attributes:
        since: The moment whose changes are asked for, as a filter takes it; '': all rows.
        top: As :attr:`Position.top`.
        page: The page to go on with.
        total: Rows of all pages, as the first page said; None: it has not come.
        count: Rows that have come.
        at: The server's time of the first page; '': it has not come.
        passes: How often it has been begun.
    """

    since: str = ""
    top: str | None = None
    page: int = 1
    total: int | None = None
    count: int = 0
    at: str = ""
    passes: int = 1

    @classmethod
    def read(cls, text: str) -> Reading:
        """The reading behind :meth:`write`'s text."""
        return msgspec.json.decode(text, type=cls)

    def write(self) -> str:
        """The reading as an interrupted run finds it again."""
        return msgspec.json.encode(self).decode()

    def following(self, page: int, total: int | None, count: int, at: str) -> Reading:
        """The same, before a page."""
        return msgspec.structs.replace(self, page=page, total=total, count=count, at=at)

    def again(self) -> Reading:
        """The same from its first page, with the time of the first pass: what changed since is asked for again."""
        return Reading(since=self.since, top=self.top, at=self.at, passes=self.passes + 1)


def fingerprint(stamps: Iterable[str]) -> str:
    """Of rows' ids and moments, in whatever order they came."""
    return content_hash("\n".join(sorted(stamps)))
