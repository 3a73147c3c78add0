"""Literals in addresses: `'text'`, `guid'...'`, `datetime'...'`, `5L`, numbers, true and false.

Spellings: https://www.basvanbeek.nl/exact-online-tips/ and the entity classes of
https://github.com/picqer/exact-php-client.
"""

import re
from typing import Any

from sandbox.exact_online.dates import parse, to_iso
from sandbox.exact_online.errors import bad_query

GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_WHOLE = re.compile(r"-?\d+(L?)")
_NUMBER = re.compile(r"(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)[dDmMfF]?")

_INTEGER_LIMITS = {
    "Edm.Byte": (0, 255),
    "Edm.Int16": (-(2**15), 2**15 - 1),
    "Edm.Int32": (-(2**31), 2**31 - 1),
    "Edm.Int64": (-(2**63), 2**63 - 1),
}


def read_literal(text: str, edm: str) -> Any:
    """The value of a literal that is compared with a property.

    Args:
        text: The literal as it stands in the address.
        edm: The property's type.

    Returns:
        The value in the form in which rows hold it.

    Raises:
        VendorError: It is no literal, or one of another type.
    """
    if edm in _INTEGER_LIMITS:
        return _whole_number(text, edm)
    reader = _READERS.get(edm)
    if reader is None:
        raise bad_query()
    try:
        return reader(text)
    except ValueError:
        raise bad_query() from None


def write_literal(value: Any, edm: str) -> str:
    """A value as a literal, for addresses of rows and `$skiptoken`."""
    if value is None:
        return "null"
    if edm == "Edm.Guid":
        return f"guid'{value}'"
    if edm == "Edm.DateTime":
        return f"datetime'{to_iso(value)}'"
    if edm == "Edm.String":
        return "'" + str(value).replace("'", "''") + "'"
    if edm == "Edm.Boolean":
        return "true" if value else "false"
    return f"{value}L" if edm == "Edm.Int64" else str(value)


def _whole_number(text: str, edm: str) -> int:
    found = _WHOLE.fullmatch(text)
    low, high = _INTEGER_LIMITS[edm]
    if not found or (found[1] and edm != "Edm.Int64"):
        raise bad_query()
    value = int(text.removesuffix("L"))
    if not found[1]:
        # Without the suffix it is a 32-bit literal, whatever it is compared with.
        low, high = max(low, -(2**31)), min(high, 2**31 - 1)
    if not low <= value <= high:
        raise bad_query()
    return value


def _quoted(text: str, prefix: str = "") -> str:
    if not re.fullmatch(prefix + r"'(?:[^']|'')*'", text):
        raise ValueError(text)
    return text[len(prefix) + 1 : -1].replace("''", "'")


def _guid(text: str) -> str:
    value = _quoted(text, "guid")
    if not GUID.fullmatch(value):
        raise ValueError(text)
    return value.lower()


def _double(text: str) -> float:
    found = _NUMBER.fullmatch(text)
    if not found:
        raise ValueError(text)
    return float(found[1])


def _boolean(text: str) -> bool:
    if text not in {"true", "false"}:
        raise ValueError(text)
    return text == "true"


_READERS = {
    "Edm.String": _quoted,
    "Edm.Guid": _guid,
    "Edm.DateTime": lambda text: parse(_quoted(text, "datetime")),
    "Edm.Double": _double,
    "Edm.Boolean": _boolean,
}
