"""Bringing a document up to date without touching what the office did to it: which of its rows are still ours.

A row is ours while it says what we sent. One that says something else was edited, one that none of our lines explains
was added; both are left alone, and told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Generic, TypeVar

import msgspec

from outsmart_sync.records.export_document import ExportDocument, Line, MadeDocument


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger keeps of a document.

    Attributes:
        document: As it was sent; after an update with the lines that are ours.
        becoming: What it was to become by an update whose end is not known; None: there is none.
    """

    document: ExportDocument
    becoming: ExportDocument | None = None

    @property
    def versions(self) -> tuple[Sequence[Line], Sequence[Line]]:
        """The lines that were sent, and those that an update may have sent since."""
        return self.document.lines, self.becoming.lines if self.becoming else ()


class Agreed(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger keeps of a line of an imported order that the work order used.

    Attributes:
        quantity: That of the order's line, when it was last as the work order has it, or about to become so.
        key: Name of the work order's line; '' where an older version wrote it.
        article: The package's id of its article; '' likewise.
        becoming: The quantity that is being set and of which nobody knows yet whether it was; None: there is none.
    """

    quantity: Decimal
    key: str = ""
    article: str = ""
    becoming: Decimal | None = None


class Replaced(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an update.

    Attributes:
        made: The document as it is now.
        left: What was left alone, in words.
        lines: The lines that are ours, as they are there or, where the office edited them, as they were sent.
    """

    made: MadeDocument
    left: list[str] = []
    lines: list[Line] = []


R = TypeVar("R")


@dataclass
class Changes(Generic[R]):
    """What an update does to the rows of a document.

    Attributes:
        changed: Rows of ours that say something else from now on.
        removed: Rows of ours that are no longer on the work order.
        added: Lines that were never sent.
        left: What is left alone, in words.
        lines: See :class:`Replaced`.
    """

    changed: list[tuple[R, Line]] = field(default_factory=list)
    removed: list[R] = field(default_factory=list)
    added: list[Line] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)


def changes(
    rows: Sequence[R],
    sent: Sent,
    wanted: Sequence[Line],
    alike: Callable[[R, Line], bool],
    words: Callable[[R], str],
) -> Changes[R]:
    """What an update does.

    Args:
        rows: The document's rows as they are, in their order.
        sent: What was sent.
        wanted: The lines that it is to have.
        alike: Whether a row says what a line says.
        words: What a person knows a row by.
    """
    before, between = ({line.key: line for line in lines} for lines in sent.versions)
    new = {line.key: line for line in wanted}
    place, free = _placed(rows, (*before.items(), *between.items()), alike)
    done = Changes[R]()
    for key, line in new.items():
        if key in place:
            if not alike(place[key], line):
                done.changed.append((place[key], line))
            done.lines.append(line)
        elif key in before:
            done.lines.append(before[key])
        else:
            done.added.append(line)
            done.lines.append(line)
    for key, line in before.items():
        if key not in place:
            done.left.append(f"'{_short(line.text)}' is not there as it was sent")
            done.lines += [] if key in new else [line]
    done.removed = [row for key, row in place.items() if key not in new]
    done.left += [f"'{_short(words(row))}' is there otherwise than we sent it, or is not ours" for row in free]
    return done


def _placed(
    rows: Sequence[R], sent: Iterable[tuple[str, Line]], alike: Callable[[R, Line], bool]
) -> tuple[dict[str, R], list[R]]:
    """Key → the row that is as its line was sent; and the rows that are not ours."""
    place: dict[str, R] = {}
    free = list(rows)
    for key, line in sent:
        found = next((row for row in free if key not in place and alike(row, line)), None)
        if found is not None:
            free = [row for row in free if row is not found]
            place[key] = found
    return place, free


def encode(value: Sent | Line | Agreed) -> str:
    """As text, for the ledger."""
    return msgspec.json.encode(value).decode()


def decode_sent(text: str) -> Sent:
    """The document behind :func:`encode`'s text."""
    return _sent.decode(text)


def decode_line(text: str) -> Line:
    """The line behind :func:`encode`'s text."""
    return _line.decode(text)


def decode_agreed(text: str) -> Agreed:
    """What is behind :func:`encode`'s text; older versions wrote the quantity alone."""
    return _agreed.decode(text) if text.startswith("{") else Agreed(quantity=Decimal(text))


_sent, _line = msgspec.json.Decoder(Sent), msgspec.json.Decoder(Line)
_agreed = msgspec.json.Decoder(Agreed)


def _short(text: str) -> str:
    return " ".join(text.split())[:60]
