"""Request bodies: JSON checked against a schema.

Fields that are read-only are left aside, as callers send back what they have read
(https://github.com/stefanwejd-dev/sie-mcp). A field that no schema knows is refused, so that misspelt names are found.
"""

import base64
import binascii
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

from sandbox.visma_eaccounting.errors import invalid
from sandbox.visma_eaccounting.moments import read_day, read_moment
from sandbox.visma_eaccounting.resources import SCHEMAS, Field

Problems = list[tuple[str, str]]
Values = dict[str, Any]


def read_body(raw: bytes, schema: str) -> Values:
    """Read a body.

    Args:
        raw: The body.
        schema: The schema it has to meet.

    Returns:
        A value for each field that can be written; what was not sent has its empty value.

    Raises:
        ApiError: It is no JSON object, or does not meet the schema.
    """
    try:
        content = msgspec.json.decode(raw)
    except msgspec.DecodeError:
        raise invalid(("", "The body is not valid JSON.")) from None
    problems: Problems = []
    values = _object(content, schema, "", problems)
    if problems:
        raise invalid(*problems)
    return values


def decode_data(text: str) -> bytes:
    """The bytes of base64.

    Raises:
        ApiError: It is none.
    """
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise invalid(("Data", "The value is not valid base64.")) from None


def _object(content: object, schema: str, place: str, problems: Problems) -> Values:
    if not isinstance(content, dict):
        problems.append((place, "An object is expected."))
        return {}
    fields = SCHEMAS.get(schema)
    if fields is None:
        return content
    for name in content:
        if name not in fields:
            problems.append((place + name, f"The field {place}{name} does not exist."))
    return {
        name: _field(content, name, field, place, problems) for name, field in fields.items() if not field.read_only
    }


def _field(content: Values, name: str, field: Field, place: str, problems: Problems) -> Any:
    value = content.get(name)
    if value is None or (field.required and not value and isinstance(value, str)):
        if field.required:
            problems.append((place + name, f"The {name} field is required."))
        elif name in content and not field.nullable and field.type in {"bool", "int", "number"}:
            problems.append((place + name, f"{name} can not be null."))
        return field.empty
    if field.type == "list":
        return _list(value, field, place + name, problems)
    if field.type == "object":
        return _object(value, str(field.of), f"{place}{name}.", problems)
    try:
        return _CHECKS[field.type](value, field)
    except (ValueError, TypeError) as reason:
        problems.append((place + name, f"{name}: {reason}"))
        return field.empty


def _list(value: object, field: Field, place: str, problems: Problems) -> list[Any]:
    if not isinstance(value, list):
        problems.append((place, "A list is expected."))
        return []
    if field.of in SCHEMAS:
        return [_object(one, str(field.of), f"{place}[{index}].", problems) for index, one in enumerate(value)]
    return value


def _text(value: object, field: Field) -> str:
    if not isinstance(value, str):
        raise TypeError("a text is expected.")
    if field.max is not None and len(value) > field.max:
        raise ValueError(f"at most {field.max} characters are allowed.")
    return value


def _uuid(value: object, field: Field) -> str:
    try:
        return str(uuid.UUID(_text(value, field)))
    except (ValueError, TypeError):
        raise ValueError("a GUID is expected.") from None


def _day(value: object, field: Field) -> str:
    try:
        return read_day(_text(value, field))
    except (ValueError, TypeError):
        raise ValueError("a date as YYYY-MM-DD is expected.") from None


def _moment(value: object, field: Field) -> str:
    try:
        return read_moment(_text(value, field))
    except (ValueError, TypeError):
        raise ValueError("a time is expected.") from None


def _bool(value: object, _: Field) -> bool:
    if not isinstance(value, bool):
        raise TypeError("true or false is expected.")
    return value


def _int(value: object, field: Field) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("a whole number is expected.")
    if field.values and value not in field.values:
        raise ValueError(f"{value} is not one of {', '.join(map(str, field.values))}.")
    _within(value, field)
    return value


def _number(value: object, field: Field) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError("a number is expected.")
    places = -int(Decimal(repr(value)).normalize().as_tuple().exponent)
    if field.decimals is not None and places > field.decimals:
        raise ValueError(f"at most {field.decimals} decimals are allowed.")
    _within(value, field)
    return float(value)


def _within(value: float, field: Field) -> None:
    if (field.low is not None and value < field.low) or (field.high is not None and value > field.high):
        raise ValueError(f"a value from {field.low} to {field.high} is expected.")


_CHECKS: dict[str, Callable[[object, Field], Any]] = {
    "text": _text,
    "uuid": _uuid,
    "date": _day,
    "time": _moment,
    "bool": _bool,
    "int": _int,
    "number": _number,
}
