"""How a record type of OutSmart is declared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property

from outsmart_sync.records.values import Payload, code_key

UNREADABLE = "!"
"""Marks, behind a field's name, a problem that no value of OutSmart's can mend: the package's own cannot be read."""

KEY_SEPARATOR = " | "
"""Stands between the parts of a code that is made of several fields."""


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


REFERS = "@"
"""Begins the names in a payload that are not OutSmart's: ids of other records at the package, and what only we need."""


REMOTE_ID = f"{REFERS}id"
"""Entry of what OutSmart holds of a document: its own id of it."""


BY_CODE = "="
"""Begins what a record refers to where that is a code of OutSmart's, and no id of the package's."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Another record that a record names by its code, where the package names it by its id.

    A payload holds the id under ``@`` and the reference's name; the code is put in when the record is delivered.

    Attributes:
        name: Its name in the payload, without the ``@``.
        fields: Record type → OutSmart's field for its code. The first type that knows the id is meant.
        label: The word a person uses for it, singular.
        waits: The record waits until the other one is there; else it goes without.
        through: Another reference of the record; where the package names nothing here, what that one names is meant.
        setting: Setting with the code that is meant where the package names nothing at all; '': there is none.
        demanded: OutSmart refuses the record without it.
        by_code: The payload holds the other one's code, not its id. One that is not known is taken for left out: its
            category is read first.
        many: The payload holds any number of ids, with a blank between two.
        known: The other one's code is all that is needed, so that it need not be in the destination.
    """

    name: str
    fields: Mapping[str, str]
    label: str
    waits: bool = True
    by_code: bool = False
    many: bool = False
    known: bool = False
    through: str = ""
    setting: str = ""
    demanded: bool = False

    @property
    def key(self) -> str:
        """Where a payload holds the id."""
        return f"{REFERS}{self.name}"

    def identities(self, payload: Payload) -> list[str]:
        """What a payload names by it."""
        value = str(payload.get(self.key) or "")
        if self.many:
            return value.split()
        return [f"{BY_CODE}{code_key(value)}" if self.by_code else value] if value else []

    def place(self, identity: str) -> str:
        """Name under which what it names is handed to whoever puts a record together."""
        return f"{self.name} {identity}" if self.many else self.name


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
        references: Other records that it names by their codes, besides its parent.
        keys: Fields whose values together are the record's code; empty: ``code`` alone. Then ``code`` does not travel.
            Such a code may change with what the record refers to: then it is another one in OutSmart, and the one under
            the old code is ended (``ends``) or, where that is not possible, left.
        ends: Field with the last day of a record, by which one that is gone at the package is ended; '': none.
        made_once: OutSmart makes another one whenever it is sent, whatever its number: see ``pipeline.documents``.
        kind: The name under which OutSmart's wire knows it, where several of our types are one there; '': its own name.
        prefix: What the codes of this type begin with, where several of our types are one at OutSmart.
        changeable: Fields that OutSmart lets us change in a record that is made once.
        kept: It ends in the mirror, also where there is an OutSmart account.
        tells: Name of the reference whose document hears of it: see ``pipeline.notices``.
        identity: What tells two firms apart, or two documents with one number; None: only the code counts.
        amount: Field with an amount that OutSmart is told of by entries, each of them made once: when it changes, a
            counter-entry and a new entry follow, see ``pipeline.entries``. '': there is none.
    """

    name: str
    label: str
    code: str
    title: str
    fields: tuple[Field, ...]
    parent: Parent | None = None
    active: str | None = None
    references: tuple[Reference, ...] = ()
    keys: tuple[str, ...] = ()
    ends: str = ""
    made_once: bool = False
    kind: str = ""
    prefix: str = ""
    changeable: tuple[str, ...] = ()
    kept: bool = False
    tells: str = ""
    identity: Identity | None = None
    amount: str = ""

    def code_of(self, payload: Payload) -> str:
        """The record's code, that of one field or of several together; '' when it has none."""
        if not self.keys:
            return str(payload.get(self.code, ""))
        parts = [str(payload.get(name, "")).strip() for name in self.keys]
        return KEY_SEPARATOR.join(parts) if any(parts) else ""

    @property
    def at_outsmart(self) -> str:
        """The name under which OutSmart's wire knows the type."""
        return self.kind or self.name

    def travels(self, name: str) -> bool:
        """Whether a payload's entry is one of OutSmart's fields."""
        return not name.startswith(REFERS) and not (self.keys and name == self.code)

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

        The parent's code is not looked for: it is resolved later, by ``match_by_code``. Of a record that is made once,
        only what is there is judged: the rest is put together when it is delivered (:meth:`lacks`).
        """
        required, limited = self._judged
        problems = [] if self.made_once else [name for name in required if name not in payload]
        for name, length in limited:
            value = payload.get(name)
            if isinstance(value, str) and len(value) > length:
                problems.append(f"{name}>{length}")
        return ",".join(problems)

    def lacks(self, body: Payload) -> list[str]:
        """Labels of the fields without which OutSmart refuses a record, and that a body to be sent does not have."""
        return [field.label for field in self.fields if field.required and not body.get(field.name)]

    @cached_property
    def _judged(self) -> tuple[list[str], list[tuple[str, int]]]:
        """Fields that must be there, and fields that must not be too long; kept, since this runs once per row."""
        put_in = {self.parent.field} if self.parent else set[str]()
        if self.keys:
            put_in.add(self.code)
        put_in.update(field for reference in self.references for field in reference.fields.values())
        required = [
            field.name for field in self.fields if field.required and field.default is None and field.name not in put_in
        ]
        return required, [(field.name, field.max_length) for field in self.fields if field.max_length]


def is_active(today: date, *, blocked: bool, valid_from: date | None, valid_until: date | None) -> bool:
    """Whether a record is in use today: not blocked, begun, and not ended (the last day still counts)."""
    if blocked or (valid_from is not None and valid_from > today):
        return False
    return valid_until is None or valid_until >= today
