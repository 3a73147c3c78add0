"""How a record type of OutSmart is declared."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property

from outsmart_sync.records.values import Payload

UNREADABLE = "!"
"""Marks, behind a field's name, a problem that no value of OutSmart's can mend: the package's own cannot be read."""


class Kind(StrEnum):
    """What a field holds."""

    TEXT = "text"
    DECIMAL = "decimal"
    FLAG = "flag"
    DATE = "date"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record type, by OutSmart's name.

    Attributes:
        name: OutSmart's field name.
        label: The word a person uses for it.
        kind: What it holds.
        required: OutSmart refuses the record without it.
        default: What a new record gets where neither side holds a value; None: such a record is rejected.
        max_length: Longest text that OutSmart takes, in characters; None: not documented.
    """

    name: str
    label: str
    kind: Kind = Kind.TEXT
    required: bool = False
    default: str | bool | None = None
    max_length: int | None = None


@dataclass(frozen=True, slots=True)
class Parent:
    """A record that must exist first: its code goes into ``field``."""

    record: str
    field: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Fields that tell whether two records with one code are of two firms; one that either side lacks tells nothing.

    Attributes:
        numbers: Each of them identifies a firm: other numbers, another firm.
        together: Only where all of them differ, they speak of two firms.
        shown: What a person is shown of the other record.
    """

    numbers: tuple[str, ...]
    together: tuple[str, ...]
    shown: tuple[str, ...]


@dataclass(frozen=True)
class Record:
    """One record type of OutSmart.

    Attributes:
        name: Our name for it, as in staging, mirror and log.
        label: The word a person uses, singular.
        code: Field that identifies a record; writing is insert-or-update by it.
        title: Field that a person recognises a record by.
        fields: Every field we may write.
        parent: The record this one belongs to.
        active: Flag field that marks a record as in use; None: OutSmart has none for this type.
        identity: What tells two firms apart; None: only the code counts.
    """

    name: str
    label: str
    code: str
    title: str
    fields: tuple[Field, ...]
    parent: Parent | None = None
    active: str | None = None
    identity: Identity | None = None

    def field(self, name: str) -> Field:
        """The field of this name.

        Raises:
            KeyError: This record type has no such field.
        """
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(f"{self.name} has no field {name}")

    def problems(self, payload: Payload) -> str:
        """What OutSmart would refuse in a payload, as ``field`` or ``field>length`` separated by commas; '' if nothing.

        The parent's code is not looked for: it is resolved later, by ``match_by_code``.
        """
        required, limited = self._judged
        problems = [name for name in required if name not in payload]
        for name, length in limited:
            value = payload.get(name)
            if isinstance(value, str) and len(value) > length:
                problems.append(f"{name}>{length}")
        return ",".join(problems)

    @cached_property
    def _judged(self) -> tuple[list[str], list[tuple[str, int]]]:
        """Fields that must be there, and fields that must not be too long; kept, since this runs once per row."""
        parent_field = self.parent.field if self.parent else None
        required = [
            field.name
            for field in self.fields
            if field.required and field.default is None and field.name != parent_field
        ]
        return required, [(field.name, field.max_length) for field in self.fields if field.max_length]


def is_active(today: date, *, blocked: bool, valid_from: date | None, valid_until: date | None) -> bool:
    """Whether a record is in use today: not blocked, begun, and not ended (the last day still counts)."""
    if blocked or (valid_from is not None and valid_from > today):
        return False
    return valid_until is None or valid_until >= today
