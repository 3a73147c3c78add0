"""`$filter`: from text to a test on rows.

Comparisons, `and`, `or`, parentheses, `trim` and `substringof` are what users of Exact Online report as working
(https://www.basvanbeek.nl/exact-online-tips/); anything else is refused as an error in the query.
"""

import operator
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.exact_online.errors import bad_query
from sandbox.exact_online.odata.literals import read_literal
from sandbox.exact_online.resources import Resource

Read = Callable[[Any], Any]
"""Reads one property of a row."""
Test = Callable[[Any], bool]

_TOKEN = re.compile(
    r"\s*(?:(?P<literal>(?:guid|datetime)?'(?:[^']|'')*'|-?\d[\w.+-]*|\b(?:true|false)\b)|(?P<word>[A-Za-z_]\w*)|(?P<mark>[(),]))"
)
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq, "ne": operator.ne, "gt": operator.gt, "ge": operator.ge, "lt": operator.lt, "le": operator.le,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Comparison:
    """`Field op literal`, or with the field in `trim(...)`."""

    field: str
    operator: str
    value: Any
    trimmed: bool = False


@dataclass(frozen=True, slots=True)
class Contains:
    """`substringof('text',Field)`."""

    field: str
    text: str
    wanted: bool = True


@dataclass(frozen=True, slots=True)
class Joined:
    """Several conditions joined by `and` or `or`."""

    word: str
    parts: tuple["Condition", ...]


Condition = Comparison | Contains | Joined


def parse_filter(text: str, resource: Resource) -> Condition:
    """Read a `$filter`.

    Args:
        text: The expression.
        resource: Where it is asked; it says which properties may be filtered and their types.

    Returns:
        The condition.

    Raises:
        VendorError: The expression cannot be read, or names a property it may not.
    """
    parser = _Parser(text, resource)
    condition = parser.either()
    parser.end()
    return condition


def lower_bound(condition: Condition | None, field: str) -> int | None:
    """The number a field must be above for the condition to hold, where that can be seen at a glance."""
    if isinstance(condition, Joined) and condition.word == "and":
        bounds = [bound for part in condition.parts if (bound := lower_bound(part, field)) is not None]
        return max(bounds, default=None)
    if isinstance(condition, Comparison) and condition.field == field and condition.operator == "gt":
        return int(condition.value)
    return None


def compile_filter(condition: Condition, reader: Callable[[str], Read]) -> Test:
    """Turn a condition into a test.

    Args:
        condition: The condition.
        reader: Gives the function that reads a property.

    Returns:
        A function that tells whether a row meets the condition.
    """
    if isinstance(condition, Joined):
        tests = [compile_filter(part, reader) for part in condition.parts]
        decide = all if condition.word == "and" else any
        return lambda row: decide(test(row) for test in tests)
    read = reader(condition.field)
    if isinstance(condition, Contains):
        return _contains(read, condition)
    return _compares(read, condition)


def _contains(read: Read, condition: Contains) -> Test:
    return lambda row: (condition.text in (read(row) or "")) is condition.wanted


def _compares(read: Read, condition: Comparison) -> Test:
    compare, wanted = _OPERATORS[condition.operator], condition.value
    when_empty = condition.operator == "ne"
    if not isinstance(wanted, str):
        return lambda row: when_empty if (value := read(row)) is None else compare(value, wanted)
    # As in the vendor's database, blanks at the end do not count; those in front (of account codes) do.
    strip = str.strip if condition.trimmed else str.rstrip
    wanted = wanted.rstrip()
    return lambda row: when_empty if (value := read(row)) is None else compare(strip(value), wanted)


class _Parser:
    """Reads an expression from left to right; `and` binds closer than `or`."""

    def __init__(self, text: str, resource: Resource) -> None:
        self._tokens = list(_tokens(text))
        self._resource = resource

    def either(self) -> Condition:
        return self._joined("or", lambda: self._joined("and", self._term))

    def end(self) -> None:
        if self._tokens:
            raise bad_query()

    def _joined(self, word: str, part: Callable[[], Condition]) -> Condition:
        parts = [part()]
        while self._tokens and self._tokens[0] == word:
            self._tokens.pop(0)
            parts.append(part())
        return parts[0] if len(parts) == 1 else Joined(word, tuple(parts))

    def _term(self) -> Condition:
        if self._accept("("):
            inside = self.either()
            self._expect(")")
            return inside
        if self._accept("substringof"):
            return self._substring()
        trimmed = self._accept("trim")
        name = self._bracketed_field() if trimmed else self._field()
        sign, literal = self._next(), self._next()
        if sign not in _OPERATORS:
            raise bad_query()
        return self._comparison(name, sign, literal, trimmed)

    def _comparison(self, name: str, sign: str, literal: str, trimmed: bool) -> Comparison:
        edm = self._resource.properties[name].edm
        if trimmed and edm != "Edm.String":
            raise bad_query()
        only_after = self._resource.kind == "sync" and name == "Timestamp"
        if (only_after and sign != "gt") or (edm in {"Edm.Boolean", "Edm.Guid"} and sign not in {"eq", "ne"}):
            raise bad_query()
        return Comparison(name, sign, read_literal(literal, edm), trimmed)

    def _substring(self) -> Contains:
        self._expect("(")
        text = read_literal(self._next(), "Edm.String")
        self._expect(",")
        name = self._field()
        self._expect(")")
        if self._resource.properties[name].edm != "Edm.String":
            raise bad_query()
        wanted = True
        if self._accept("eq"):
            wanted = read_literal(self._next(), "Edm.Boolean")
        return Contains(name, text, wanted)

    def _bracketed_field(self) -> str:
        self._expect("(")
        name = self._field()
        self._expect(")")
        return name

    def _field(self) -> str:
        name = self._next()
        if not self._resource.may_filter(name):
            raise bad_query()
        return name

    def _next(self) -> str:
        if not self._tokens:
            raise bad_query()
        return self._tokens.pop(0)

    def _accept(self, token: str) -> bool:
        if self._tokens and self._tokens[0] == token:
            self._tokens.pop(0)
            return True
        return False

    def _expect(self, token: str) -> None:
        if not self._accept(token):
            raise bad_query()


def _tokens(text: str) -> Iterator[str]:
    position, text = 0, text.rstrip()
    while position < len(text):
        found = _TOKEN.match(text, position)
        if not found:
            raise bad_query()
        yield found[0].strip()
        position = found.end()
