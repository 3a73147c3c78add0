"""VISMA's rows: per company and resource, by key and in the orders they are asked for, written through to the state."""

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from sandbox.clock import Clock
from sandbox.state import State
from sandbox.visma_eaccounting.moments import write_moment
from sandbox.visma_eaccounting.resources import NUMBERS, RESOURCES, ROW_TYPES, Row, key_of

_KEPT_ORDERS = 16

_encode = msgspec.msgpack.Encoder().encode


class Table:
    """The rows of one resource in one company."""

    def __init__(self, rows: Iterable[Row], resource: str) -> None:
        self.resource = resource
        self.by_key = {key_of(resource, row): row for row in rows}
        self._by_value: dict[str, dict[Any, list[Row]]] = {}
        self._orders: dict[object, list[Row]] = {}

    def having(self, field: str, value: object) -> Sequence[Row]:
        """The rows whose field has a value."""
        if field not in self._by_value:
            groups: dict[Any, list[Row]] = {}
            for row in self.by_key.values():
                groups.setdefault(getattr(row, field), []).append(row)
            self._by_value[field] = groups
        return self._by_value[field].get(value, ())

    def kept_order(self, question: object) -> list[Row] | None:
        """The answer to a question that was asked since the last change."""
        return self._orders.get(question)

    def keep_order(self, question: object, rows: list[Row]) -> None:
        """Remember the answer to a question until the next change."""
        if len(self._orders) >= _KEPT_ORDERS:
            self._orders.clear()
        self._orders[question] = rows

    def put(self, rows: Iterable[Row]) -> None:
        """Add or replace rows; they come last in the order of a list that is asked for no order."""
        for row in rows:
            self.by_key.pop(key_of(self.resource, row), None)
            self.by_key[key_of(self.resource, row)] = row
        self.forget()

    def remove(self, rows: Iterable[Row]) -> None:
        """Take rows out."""
        for row in rows:
            del self.by_key[key_of(self.resource, row)]
        self.forget()

    def forget(self) -> None:
        """Drop what was worked out from the rows as they were."""
        self._by_value.clear()
        self._orders.clear()


class RowStore:
    """All rows of one sandbox's VISMA eAccounting."""

    def __init__(self, state: State, clock: Clock) -> None:
        self._state = state
        self._clock = clock
        self._tables: dict[tuple[str, str], Table] = {}

    def now(self) -> str:
        """The moment, as rows carry it."""
        return write_moment(self._clock.now())

    def today(self) -> str:
        """The day, as rows carry it."""
        return self._clock.now().date().isoformat()

    def table(self, company: str, resource: str) -> Table:
        """The rows of a resource in a company, read from the state at first use."""
        known = self._tables.get((company, resource))
        if known is None:
            decode = msgspec.msgpack.Decoder(ROW_TYPES[resource]).decode
            known = Table((decode(body) for body in self._state.visma_rows(company, resource)), resource)
            self._tables[company, resource] = known
        return known

    def find(self, company: str, resource: str, key: str | None) -> Row | None:
        """The row with this key, or None."""
        return None if key is None else self.table(company, resource).by_key.get(key.lower())

    def named(self, company: str, resource: str, name: str) -> Row:
        """The row with this key, or the number people know it by.

        Raises:
            KeyError: There is none.
        """
        table = self.table(company, resource)
        if resource == "companysettings":
            return self.settings(company)
        if name in table.by_key:
            return table.by_key[name]
        field = NUMBERS.get(resource)
        found = table.having(field, name) or (table.having(field, int(name)) if name.isdigit() else ()) if field else ()
        if not found:
            raise KeyError(f"{resource} {name}")
        return found[0]

    def settings(self, company: str) -> Row:
        """The company's settings."""
        return next(iter(self.table(company, "companysettings").by_key.values()))

    def insert(self, company: str, resource: str, values: dict[str, Any]) -> Row:
        """Add a row; it gets an id and its stamps."""
        made, now = ROW_TYPES[resource], self.now()
        known = set(made.__struct_fields__)
        stamps = {"CreatedUtc": now, str(RESOURCES[resource].changed): now}
        own = ({"Id": str(uuid.uuid4())} if "Id" in known else {}) | {
            name: value for name, value in stamps.items() if name in known
        }
        row = made(**(own | values))
        self.save(company, resource, [row])
        return row

    def update(self, company: str, resource: str, row: Row, values: dict[str, Any]) -> None:
        """Change a row; its change stamp becomes now."""
        changed = RESOURCES[resource].changed
        for name, value in (values | ({changed: self.now()} if changed else {})).items():
            setattr(row, name, value)
        self.save(company, resource, [row])

    def save(self, company: str, resource: str, rows: Sequence[Row]) -> None:
        """Store rows as they are."""
        self.table(company, resource).put(rows)
        self._state.put_visma_rows(company, resource, ((key_of(resource, row), _encode(row)) for row in rows))

    def delete(self, company: str, resource: str, rows: Sequence[Row]) -> None:
        """Remove rows; nothing tells that they were there."""
        self.table(company, resource).remove(rows)
        self._state.delete_visma_rows(company, resource, [key_of(resource, row) for row in rows])
