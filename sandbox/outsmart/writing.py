"""POST: a list of records is checked as a whole and taken as a whole, or not at all.

The examples of the API description show a list of two with one bad record refused with `response` null
(https://github.com/CloudEcosystemDev/outsmart-component); the message names fields, not the record.
"""

from typing import Any

import msgspec

from sandbox.outsmart.entities import ENTITIES, Entity
from sandbox.outsmart.envelope import BODY_NOT_JSON, NO_BODY, RefusedError
from sandbox.outsmart.records import Record, Records
from sandbox.outsmart.values import as_price, stored
from sandbox.switches import SwitchBoard


def read_list(raw: bytes) -> list[Any]:
    """Decode a body.

    Raises:
        RefusedError: There is none, or it is not a JSON list.
    """
    if not raw.strip():
        raise RefusedError(NO_BODY)
    try:
        body = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        body = None
    if not isinstance(body, list):
        raise RefusedError(BODY_NOT_JSON)
    return body


class Writer:
    """Takes lists of records."""

    def __init__(self, records: Records, switches: SwitchBoard) -> None:
        self._records = records
        self._switches = switches

    def write(self, account: str, entity: Entity, body: list[Any]) -> int:
        """Insert or update all records of a body.

        Returns:
            How many records were taken.

        Raises:
            RefusedError: One of them cannot be taken; then none is.
        """
        checked = [self.checked(account, entity, one) for one in body]
        self._records.write(account, entity, checked, "api")
        return len(checked)

    def checked(self, account: str, entity: Entity, sent: Any, *, whole: bool = True) -> Record:
        """The fields of one sent record in the form in which they are kept.

        Args:
            account: The account.
            entity: The list.
            sent: What stood in the body.
            whole: Whether required fields must be there, as for a new record.

        Raises:
            RefusedError: It cannot be taken.
        """
        if not isinstance(sent, dict):
            raise RefusedError(entity.failed, f"Insert or update of {entity.name} failed: not a record")
        if whole:
            _require(entity, sent)
        record = {name: _stored(entity, name, value) for name, value in sent.items()}
        self._check_references(account, entity, record)
        self._check_sale_price(entity, record)
        return record

    def _check_references(self, account: str, entity: Entity, record: Record) -> None:
        """Refuse records that name an unknown relation, material or category; the vendor documents no code for it."""
        for name, target in entity.references.items():
            value = record.get(name)
            if value and value not in self._records.of(account, ENTITIES[target].name):
                raise RefusedError(entity.failed, f"Insert or update of {entity.name} failed: {name} {value} not found")

    def _check_sale_price(self, entity: Entity, record: Record) -> None:
        strict = entity.name == "hourtypes" and self._switches.now.hour_type_price_above_zero
        if strict and as_price(record["sale_price"] or "0") <= 0:
            raise RefusedError(entity.missing, "sale_price must be greater than 0")


def _require(entity: Entity, sent: dict[str, Any]) -> None:
    missing = [name for name in entity.required if _is_blank(sent.get(name))]
    if missing:
        raise RefusedError(entity.missing, "Required field missing: " + ", ".join(missing))
    filled = [name for name in entity.one_of if not _is_blank(sent.get(name))]
    if entity.one_of and len(filled) != 1:
        raise RefusedError(entity.missing, "Required field missing: either " + " or ".join(entity.one_of))


def _is_blank(value: Any) -> bool:
    return value is None or not str(value).strip()


def _stored(entity: Entity, name: str, value: Any) -> str | None:
    form = entity.form_of(name)
    if form is None:
        raise RefusedError(entity.failed, f"Insert or update of {entity.name} failed: unknown field {name}")
    try:
        made = stored(form, value)
    except (ValueError, TypeError):
        code = entity.unreadable or entity.failed
        raise RefusedError(code, f"Insert or update of {entity.name} failed: invalid value for {name}") from None
    if name in entity.choices and made not in entity.choices[name]:
        raise RefusedError(entity.failed, f"Insert or update of {entity.name} failed: {name} cannot be {made}")
    limit = entity.limits.get(name)
    if made is not None and limit is not None and len(made) > limit:
        raise RefusedError(entity.failed, f"Insert or update of {entity.name} failed: {name} is too long")
    return made
