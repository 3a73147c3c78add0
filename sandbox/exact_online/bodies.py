"""Bodies of POST and PUT: checked against the vendor's list of properties and turned into stored values."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from sandbox.exact_online.dates import parse
from sandbox.exact_online.errors import VendorError, invalid, mandatory, unknown_property, wrong_value
from sandbox.exact_online.odata.literals import GUID
from sandbox.exact_online.resources import Property, Resource
from sandbox.exact_online.row_types import STORED

_LIMITS = {"Edm.Byte": (0, 255), "Edm.Int16": (-(2**15), 2**15), "Edm.Int32": (-(2**31), 2**31)}


def read_body(raw: bytes) -> dict[str, Any]:
    """Decode a body that must be one JSON object.

    Raises:
        VendorError: It is not.
    """
    try:
        body = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        body = None
    if not isinstance(body, dict):
        raise VendorError(400, "Error processing request stream. The request body could not be read.")
    return body


def stored_values(resource: Resource, body: Mapping[str, Any], method: str) -> dict[str, Any]:
    """Check the properties of a body.

    Args:
        resource: Where it was sent.
        body: The JSON object.
        method: `post` or `put`.

    Returns:
        The values to store. Read-only properties are left out of a POST, as recordings show
        (https://github.com/NangoHQ/integration-templates/tree/main/integrations/exact-online: `IsPurchase`, `IsSales`);
        in a PUT they are refused, for sending back what was read is reported to fail
        (https://github.com/picqer/exact-php-client/issues/492).

    Raises:
        VendorError: A property is unknown, not writable, of the wrong type or has no value that makes sense.
    """
    values = {}
    for name, value in body.items():
        known = resource.properties.get(name)
        if known is None or (method == "put" and method not in known.writable):
            raise unknown_property(name, resource.type_name)
        if method in known.writable and not known.is_collection and name in STORED[resource.rows]:
            values[name] = convert(known, value)
            _check_value(resource, name, value)
    return values


def nested_bodies(resource: Resource, body: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The rows that come with a new one, per collection.

    Raises:
        VendorError: A collection is no list of rows; a single one must be a list, too
            (https://github.com/picqer/exact-php-client/issues/117).
    """
    found = {name: body[name] for name in resource.collections if body.get(name) is not None}
    for name, rows in found.items():
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise wrong_value(name, resource.properties[name].edm)
    return found


def refuse_nested(resource: Resource, body: Mapping[str, Any]) -> None:
    """Refuse rows that come with a change of their header (https://github.com/picqer/exact-php-client/issues/538).

    Raises:
        VendorError: There are some.
    """
    if any(body.get(name) for name in resource.collections):
        raise VendorError(400, "Error processing request stream. Binding to new entities is not supported.")


def require(resource: Resource, values: Mapping[str, Any]) -> None:
    """Refuse a new row without a mandatory property.

    The vendor flags both names of a contact and says that one will do.

    Raises:
        VendorError: One is missing.
    """
    missing = [name for name in resource.mandatory_on_post if values.get(name) in (None, "", [])]
    if resource.rows == "crm/Contacts" and missing in (["FirstName"], ["LastName"]):
        return
    if missing:
        raise mandatory(missing[0])


def convert(known: Property, value: Any) -> Any:
    """A value of a body in the form in which rows hold it.

    Raises:
        VendorError: It has another type than the property.
    """
    if value is None:
        return None
    converter = _CONVERTERS.get(known.edm)
    if converter is None:
        raise wrong_value(known.name, known.edm)
    try:
        return converter(value)
    except ValueError:
        raise wrong_value(known.name, known.edm) from None


def _check_value(resource: Resource, name: str, value: Any) -> None:
    allowed = resource.values.get(name)
    if allowed is not None and value is not None and str(value) not in allowed:
        raise invalid(name)


def _must(condition: object, value: Any) -> Any:
    if not condition:
        raise ValueError(value)
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _whole(edm: str) -> Callable[[Any], int]:
    low, high = _LIMITS[edm]

    def read(value: Any) -> int:
        whole: int = _must(isinstance(value, int) and not isinstance(value, bool) and low <= value <= high, value)
        return whole

    return read


def _guid(value: Any) -> str:
    text: str = _must(isinstance(value, str) and GUID.fullmatch(value), value)
    return text.lower()


_CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "Edm.String": lambda value: _must(isinstance(value, str), value),
    "Edm.Binary": lambda value: _must(isinstance(value, str), value),
    "Edm.Boolean": lambda value: _must(isinstance(value, bool), value),
    "Edm.Guid": _guid,
    "Edm.DateTime": lambda value: parse(_must(isinstance(value, str), value)),
    "Edm.Double": lambda value: _must(_is_number(value), value),
    **{edm: _whole(edm) for edm in _LIMITS},
}
