"""`$filter`: from text to a test on rows, as https://developer.vismaonline.com/docs/filtering describes it.

`any` on rows is reported for invoices (https://developer.vismaonline.com/changelog?page=4). What cannot be read, or
names a property that is not known to be filtered, is refused with 6000, a time in another form with 6001.
"""

import operator
import re
from collections.abc import Callable, Iterator
from typing import Any

from sandbox.visma_eaccounting.errors import BAD_DATE, ApiError, bad_query
from sandbox.visma_eaccounting.moments import read_moment
from sandbox.visma_eaccounting.resources import SCHEMAS, Field, Resource

Test = Callable[[Any], bool]
Read = Callable[[Any], Any]

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<literal>[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|-?\d[\w.:+-]*)|(?P<word>[A-Za-z_]\w*)"
    r"|(?P<mark>[(),:/]))"
)
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq, "ne": operator.ne, "gt": operator.gt, "ge": operator.ge, "lt": operator.lt, "le": operator.le,
}  # fmt: skip
_TEXT_TESTS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda text, part: part.lower() in text.lower(),
    "startswith": lambda text, part: text.lower().startswith(part.lower()),
    "endswith": lambda text, part: text.lower().endswith(part.lower()),
}
_PARTS = {"year": (0, 4), "month": (5, 7), "day": (8, 10), "hour": (11, 13), "minute": (14, 16), "second": (17, 19)}

CODING_TYPE = Field("int")
"""A property of articles that can only be filtered (https://developer.vismaonline.com/changelog?page=5)."""


def parse_filter(text: str, resource: Resource, refused: tuple[str, ...], read: Callable[[str], Read]) -> Test:
    """Turn a `$filter` into a test on rows.

    Args:
        text: The expression.
        resource: Where it is asked.
        refused: Resources and properties (`orders/ModifiedUtc`) whose filter is refused at this moment.
        read: Gives the function that reads a property of a row.

    Raises:
        ApiError: It cannot be read, or names what may not be filtered.
    """
    if resource.name in refused:
        raise bad_query(f"Filtering is not supported for {resource.name}.")
    parser = _Parser(text, resource, refused, read)
    test = parser.either()
    parser.end()
    return test


class _Parser:
    """Reads an expression from left to right; `and` binds closer than `or`."""

    def __init__(self, text: str, resource: Resource, refused: tuple[str, ...], read: Callable[[str], Read]) -> None:
        self._tokens = list(_tokens(text))
        self._resource = resource
        self._refused = refused
        self._read = read
        self._variable: str | None = None

    def either(self) -> Test:
        return self._joined("or", any, lambda: self._joined("and", all, self._term))

    def end(self) -> None:
        if self._tokens:
            raise _unreadable(self._tokens[0])

    def _joined(self, word: str, decide: Callable[[Iterator[bool]], bool], part: Callable[[], Test]) -> Test:
        parts = [part()]
        while self._tokens and self._tokens[0] == word:
            self._tokens.pop(0)
            parts.append(part())
        return parts[0] if len(parts) == 1 else lambda row: decide(test(row) for test in parts)

    def _term(self) -> Test:
        if self._accept("("):
            inside = self.either()
            self._expect(")")
            return inside
        name = self._next()
        if name in _TEXT_TESTS:
            return self._text_test(_TEXT_TESTS[name])
        if name == "Rows" and self._variable is None:
            return self._any_row()
        if name == "length" or name in _PARTS:
            return self._measured(name)
        read, field = self._property(name)
        return self._compared(read, field)

    def _text_test(self, meets: Callable[[str, str], bool]) -> Test:
        self._expect("(")
        read, field = self._property(self._next())
        self._expect(",")
        part = _literal(self._next(), field)
        self._expect(")")
        if field.type != "text":
            raise bad_query("Only texts can be searched.")
        return lambda row: meets(read(row) or "", part)

    def _any_row(self) -> Test:
        """`Rows/any(c: contains(c/Text,'x'))`."""
        self._expect("/")
        self._expect("any")
        self._expect("(")
        self._variable = self._next()
        self._expect(":")
        test = self.either()
        self._variable = None
        self._expect(")")
        return lambda row: any(test(one) for one in row.Rows or ())

    def _measured(self, name: str) -> Test:
        """`length(Name) gt 3`, `year(ChangedUtc) eq 2026`."""
        self._expect("(")
        read, _ = self._property(self._next())
        self._expect(")")
        if name == "length":
            return self._compared(lambda row: len(read(row) or ""), Field("int"))
        first, last = _PARTS[name]
        return self._compared(lambda row: int(value[first:last]) if (value := read(row)) else None, Field("int"))

    def _compared(self, read: Read, field: Field) -> Test:
        sign = self._next()
        if sign not in _OPERATORS:
            raise _unreadable(sign)
        literal = self._next()
        if literal == "null":
            return lambda row: (read(row) is None) is (sign == "eq")
        compare, wanted = _OPERATORS[sign], _literal(literal, field)
        if field.type == "text":
            wanted = wanted.lower()
            return lambda row: compare((read(row) or "").lower(), wanted)
        return lambda row: sign == "ne" if (value := read(row)) is None else compare(value, wanted)

    def _property(self, name: str) -> tuple[Read, Field]:
        if self._variable is not None:
            return self._row_property(name)
        self._check(name)
        field = CODING_TYPE if name == "CodingType" else self._resource.fields[name]
        return self._read(name), field

    def _row_property(self, name: str) -> tuple[Read, Field]:
        if name != self._variable:
            raise _unreadable(name)
        self._expect("/")
        name = self._next()
        self._check(f"Rows/{name}")
        return lambda row: row.get(name), SCHEMAS[str(self._resource.fields["Rows"].of)][name]

    def _check(self, name: str) -> None:
        if name not in self._resource.filters or f"{self._resource.name}/{name}" in self._refused:
            raise bad_query(f"The property {name} can not be used in the $filter query option.")

    def _next(self) -> str:
        if not self._tokens:
            raise _unreadable("the end")
        return self._tokens.pop(0)

    def _accept(self, token: str) -> bool:
        if self._tokens and self._tokens[0] == token:
            self._tokens.pop(0)
            return True
        return False

    def _expect(self, token: str) -> None:
        if not self._accept(token):
            raise _unreadable(self._tokens[0] if self._tokens else "the end")


def _literal(text: str, field: Field) -> Any:
    """The value of a literal that is compared with a field."""
    try:
        return _READERS[field.type](text)
    except (ValueError, KeyError):
        if field.type in {"time", "date"}:
            raise ApiError(BAD_DATE, f"The date {text} has a wrong format.") from None
        raise _unreadable(text) from None


def _quoted(text: str) -> str:
    # Numbers without quotes are what the vendor's own examples compare article numbers with.
    if text.startswith("'"):
        return text[1:-1].replace("''", "'")
    if not text[0].isdigit():
        raise ValueError(text)
    return text


def _boolean(text: str) -> bool:
    return {"true": True, "false": False}[text]


_READERS: dict[str, Callable[[str], Any]] = {
    "text": _quoted,
    "uuid": str.lower,
    "time": read_moment,
    "date": lambda text: read_moment(text)[:10],
    "bool": _boolean,
    "int": int,
    "number": float,
}


def _unreadable(token: str) -> ApiError:
    return bad_query(f"The $filter query option can not be read at {token}.")


def _tokens(text: str) -> Iterator[str]:
    position, text = 0, text.rstrip()
    while position < len(text):
        found = _TOKEN.match(text, position)
        if not found:
            raise _unreadable(text[position:])
        yield found[0].strip()
        position = found.end()
