"""How a vendor's table of failures is written down: HTTP outcome → what to do and what to tell.

Each vendor keeps its own table as data in its ``errors.py``; the first row that fits counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from outsmart_sync.errors import SyncError


class Reaction(StrEnum):
    """What the client does before anybody hears of the failure."""

    RAISE = "raise"
    """Nothing: the error goes out."""
    REPEAT = "repeat"
    """A call that may be made twice (a read, a write that OutSmart knows by its code) is tried again within seconds."""
    WAIT = "wait"
    """Wait until the vendor's limit begins anew, if that is soon."""
    RENEW = "renew"
    """Renew the access token and call once more."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One row of a vendor's failure table.

    Attributes:
        status: HTTP status or the vendor's own code, or a range of them; None: any.
        marks: Lower-case pieces of the answer's text; one of them must be in it. Empty: any text.
        error: Class of the error: it says what the caller should do.
        code: Stable code of the error.
        what: Sentence that says what happened; ``{text}`` is the vendor's own.
        remedy: Sentence that says what to do.
        reaction: What the client does first.
    """

    status: int | range | None
    marks: tuple[str, ...]
    error: type[SyncError]
    code: str
    what: str
    remedy: str = ""
    reaction: Reaction = Reaction.RAISE


def outcome_of(table: Iterable[Outcome], status: int, text: str) -> Outcome:
    """The first row that fits an answer.

    Raises:
        LookupError: No row fits; a table ends with a row for everything else.
    """
    lowered = text.lower()
    for row in table:
        if _fits(row.status, status) and (not row.marks or any(mark in lowered for mark in row.marks)):
            return row
    raise LookupError(f"no outcome for status {status}")


def _fits(expected: int | range | None, status: int) -> bool:
    if isinstance(expected, range):
        return status in expected
    return expected in (None, status)


class Instead(str):
    """Words of ours in the place of a vendor's, which said nothing that can be shown."""

    __slots__ = ()


NO_TEXT = Instead("no text")
WEB_PAGE = Instead("a web page")


def error_of(row: Outcome, text: str, technical: str) -> SyncError:
    """The error that a row of the table makes; a vendor's own words are quoted in it."""
    text = text or NO_TEXT
    said = text if isinstance(text, Instead) else quoted(text)
    return row.error(row.what.format(text=said), remedy=row.remedy, code=row.code, technical=technical)


def quoted(text: str) -> str:
    """Somebody else's words within a sentence of ours: they are said as they are in every language."""
    return f"“{text}”"
