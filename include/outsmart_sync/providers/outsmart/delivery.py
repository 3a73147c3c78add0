"""Records to and from OutSmart: endpoints, wire forms, and batches of which one bad record stops nothing.

Endpoints and fields: https://knowledge.out-smart.com/openapi and
https://github.com/CloudEcosystemDev/outsmart-component . A list is stored whole or not at all, so a refused list is
halved until the bad record stands alone.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from outsmart_sync.errors import RecordError
from outsmart_sync.providers.outsmart.lists import read_values
from outsmart_sync.records.exchange import Refused
from outsmart_sync.records.record import Kind, Record
from outsmart_sync.records.values import Payload, decimal_text, parse_decimal

if TYPE_CHECKING:
    from outsmart_sync.providers.outsmart.client import OutSmartClient
    from outsmart_sync.records.catalogue import ValueList

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Wire:
    """How a record type travels.

    Attributes:
        endpoint: Where it is read and written.
        split: Field whose line OutSmart keeps in two, and the second of the two.
    """

    endpoint: str
    split: tuple[str, str] | None = None


_WIRES = {
    # The package gives one address line. It goes into `street` whole and `house_number` is emptied: cutting the number
    # out of "Straße des 17. Juni 135" or "12 bis, rue X" goes wrong somewhere, and both read the same on a work order.
    "relation": _Wire("relations", split=("street", "house_number")),
    "contact_person": _Wire("contactpersons"),
    "address": _Wire("addresses"),
    "material": _Wire("materials"),
    "hour_type": _Wire("hourtypes"),
    "category": _Wire("categories"),
    "employee": _Wire("employees"),
    "warehouse": _Wire("warehouses"),
}


class OutSmartAccount:
    """An account as the pipeline reads and writes it.

    Args:
        client: Its session.
    """

    def __init__(self, client: OutSmartClient) -> None:
        self._client = client

    @property
    def calls(self) -> int:
        """Calls made so far."""
        return self._client.calls

    def read(self, record: Record) -> Iterator[Payload]:
        """Every record of a type that the account holds; a record without a code is passed over."""
        wire = _WIRES[record.name]
        for fields in self._client.get_list(wire.endpoint):
            payload = from_wire(record, fields)
            if payload.get(record.code):
                yield payload

    def write(self, record: Record, payloads: Sequence[Payload]) -> list[Refused]:
        """Insert or update; returns what was refused.

        Raises:
            ConfigurationError: The account's tokens are refused.
            TransientError: No answer; writing again is safe.
        """
        bodies = [to_wire(record, payload) for payload in payloads]
        refused: list[Refused] = []
        self._write(_WIRES[record.name].endpoint, bodies, 0, refused)
        return refused

    def choices(self, listed: ValueList) -> list[tuple[str, str]]:
        """The values of one of OutSmart's lists, with what a person knows them by."""
        return read_values(self._client, listed)

    def close(self) -> None:
        """End the session."""
        self._client.close()

    def _write(self, endpoint: str, bodies: list[dict[str, str]], first: int, refused: list[Refused]) -> None:
        if not bodies:
            return
        try:
            self._client.post(endpoint, bodies)
        except RecordError as error:
            if len(bodies) == 1:
                refused.append(Refused(first, error))
                return
            middle = len(bodies) // 2
            self._write(endpoint, bodies[:middle], first, refused)
            self._write(endpoint, bodies[middle:], first + middle, refused)


def to_wire(record: Record, payload: Payload) -> dict[str, str]:
    """A record as OutSmart takes it: numbers as text, flags as 0 and 1."""
    body = {name: ("1" if value else "0") if isinstance(value, bool) else value for name, value in payload.items()}
    split = _WIRES[record.name].split
    if split and split[0] in body:
        body[split[1]] = ""
    return body


def from_wire(record: Record, fields: dict[str, Any]) -> Payload:
    """A record as OutSmart sends it, in canonical form; blank fields, and numbers that cannot be read, are left out."""
    payload: Payload = {}
    for field in record.fields:
        value = fields.get(field.name)
        if value is None or (text := str(value).replace("\x00", "").strip()) == "":
            continue
        if field.name == record.code:
            payload[field.name] = str(value).replace(
                "\x00", ""
            )  # blanks and all: it is what OutSmart finds the record by
        elif field.kind is Kind.FLAG:
            payload[field.name] = text.lower() in ("1", "true")
        elif field.kind is Kind.DECIMAL:
            try:
                payload[field.name] = decimal_text(parse_decimal(text))
            except ValueError:
                log.warning("%s %s: '%s' is not a number", record.label, fields.get(record.code), field.name)
        else:
            payload[field.name] = text
    split = _WIRES[record.name].split
    if split and (rest := str(fields.get(split[1]) or "").strip()):
        payload[split[0]] = f"{payload.get(split[0], '')} {rest}".strip()
    return payload
