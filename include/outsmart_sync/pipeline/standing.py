"""What OutSmart has been told of an amount: the entries that were made for a record, and what stands by them.

A record's last entry either stands or undid the one before it. The number of each follows from the record's code:
``code``, ``code/-1`` which undoes it, ``code/2``, ``code/-2``, and so on. So it is known which one comes next.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from outsmart_sync.records.record import REFERS, REMOTE_ID
from outsmart_sync.records.values import Payload

if TYPE_CHECKING:
    from collections.abc import Iterable

    from outsmart_sync.records.exchange import Document
    from outsmart_sync.records.record import Record

ENTRY = f"{REFERS}entry"
"""Entry of what OutSmart holds of a record: the number of its last entry."""

NOTHING = "0"
"""The amount of a record of which nothing is, or is to be, registered."""

_SMALLEST = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Standing:
    """What is registered of a record.

    Attributes:
        code: The record's code.
        last: Its last entry: 2 is the second one, -2 what undid that; 0: there is none.
        amount: What stands; 0 when it was undone.
        held: The last entry's fields at OutSmart, with the amount that stands.
    """

    code: str
    last: int
    amount: Decimal
    held: Payload

    @classmethod
    def of(cls, record: Record, code: str, held: Payload) -> Standing:
        """From what the mirror says that OutSmart holds of a record."""
        last = place_of(code, str(held.get(ENTRY, ""))) if held else 0
        amount = Decimal(str(held.get(record.amount, NOTHING))) if last > 0 else Decimal(0)
        return cls(code, last, amount, held)

    @property
    def upcoming(self) -> int:
        """The entry that comes next: what undoes the last one or, after that, a new one."""
        return -self.last if self.last > 0 else 1 - self.last

    def after(self, record: Record, place: int, body: Payload) -> Standing:
        """What stands once an entry is there: its own amount, or nothing when it undid another.

        One whose amount somebody has made zero at OutSmart counts as undone.
        """
        held = {**body, record.code: self.code, ENTRY: number_of(self.code, place)}
        if place < 0 or not amount_of(record, body):
            held |= {record.amount: NOTHING, ENTRY: number_of(self.code, -abs(place))}
        return Standing.of(record, self.code, held)

    def is_as(self, record: Record, body: Payload) -> bool:
        """Whether the package says the same."""
        wanted = amount_of(record, body)
        if wanted != self.amount:
            return False
        same = all(
            self.held.get(field) == body[field]
            for reference in record.references
            for field in reference.fields.values()
            if field in body
        )
        return same or not wanted


def number_of(code: str, place: int) -> str:
    """The number of a record's entry at OutSmart."""
    return code if place == 1 else f"{code}/{place}"


def place_of(code: str, number: str) -> int:
    """Which of a record's entries has a number."""
    rest = number[len(code) :].removeprefix("/")
    return int(rest) if rest.removeprefix("-").isdecimal() else 1


def code_of(number: str) -> str:
    """The code of the record that an entry is of."""
    code, _, place = number.rpartition("/")
    return code if code and place.removeprefix("-").isdecimal() else number


def amount_of(record: Record, body: Payload) -> Decimal:
    """The amount that a payload says, to the cent."""
    return Decimal(str(body.get(record.amount, NOTHING))).quantize(_SMALLEST)


def last_of_each(record: Record, documents: Iterable[Document]) -> Iterator[Payload]:
    """What stands of each record, out of all entries that OutSmart has."""
    last: dict[str, tuple[tuple[int, bool], Payload]] = {}
    for document in documents:
        code = code_of(document.number)
        place = place_of(code, document.number)
        order = (abs(place), place < 0)
        if code not in last or last[code][0] <= order:
            body = {**document.payload, REMOTE_ID: document.remote_id}
            last[code] = order, Standing(code, 0, Decimal(0), {}).after(record, place, body).held
    for _, held in last.values():
        yield held
