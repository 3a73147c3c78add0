"""OutSmart's records per account and list, with the history of each, written through to the state."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from sandbox.clock import Clock
from sandbox.outsmart.entities import ENTITIES, Entity
from sandbox.state import Change, Documents, State

Record = dict[str, Any]
"""Fields by name: text or null, in a few lists of such records."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(dict[str, Any]).decode


def key_of(entity: Entity, record: dict[str, Any]) -> str:
    """What a record is known by: its code; several codes as a JSON list."""
    codes = [str(record[name]) if len(entity.key) == 1 else str(record.get(name) or "") for name in entity.key]
    return codes[0] if len(codes) == 1 else join_codes(codes)


def join_codes(codes: Sequence[str]) -> str:
    """Several codes as one key."""
    return msgspec.json.encode(list(codes)).decode()


class Records:
    """The records of all accounts."""

    def __init__(self, state: State, clock: Clock) -> None:
        self._state = state
        self._clock = clock
        self._lists: dict[tuple[str, str], dict[str, Record]] = {}
        self._numbers = Documents(state, "outsmart_numbers", int)

    def of(self, account: str, entity: str) -> dict[str, Record]:
        """One list of one account by key, read from the state at first use. Not to be changed by the caller."""
        known = self._lists.get((account, entity))
        if known is None:
            stored = self._state.outsmart_records(account, entity)
            known = {key: _decode(body) for key, body in stored.items()}
            self._lists[account, entity] = known
        return known

    def next_number(self, account: str, entity: str) -> int:
        """A number that no record of a list had before."""
        number = (self._numbers.get(f"{account} {entity}") or 0) + 1
        self._numbers.put(f"{account} {entity}", number)
        return number

    def write(self, account: str, entity: Entity, records: Iterable[Record], actor: str) -> None:
        """Insert or update records by key; fields that are not given stay as they are.

        Args:
            account: The account.
            entity: The list.
            records: Checked records.
            actor: Who writes: `api`, `hand` or `seed`.
        """
        known = self.of(account, entity.name)
        at = self._clock.now().isoformat(timespec="milliseconds")
        changes: list[Change] = []
        for record in records:
            key = key_of(entity, record)
            before = known.get(key)
            known[key] = {**(entity.defaults if before is None else before), **record}
            changes.append(_change(account, entity.name, key, at, actor, before, record))
        with self._state.transaction():
            touched = dict.fromkeys(change.key for change in changes)
            self._state.put_outsmart_records(account, entity.name, ((key, _encode(known[key])) for key in touched))
            self._state.add_changes(changes)

    def delete(self, account: str, entity: str, keys: Sequence[str], actor: str) -> None:
        """Remove records, as somebody may do by hand."""
        known = self.of(account, entity)
        at = self._clock.now().isoformat(timespec="milliseconds")
        with self._state.transaction():
            self._state.delete_outsmart_records(account, entity, keys)
            self._state.add_changes(Change(account, entity, key, at, actor, "delete", {}) for key in keys)
        for key in keys:
            known.pop(key, None)

    def changes(self, account: str, entity: str | None = None, key: str | None = None, since: int = 0) -> list[Change]:
        """The history after `since`, oldest first."""
        return self._state.changes(account, entity, key, since)

    def counts(self, account: str) -> dict[str, int]:
        """How many records each list has."""
        return {name: len(self.of(account, name)) for name in ENTITIES}


def _change(account: str, entity: str, key: str, at: str, actor: str, before: Record | None, record: Record) -> Change:
    if before is None:
        return Change(
            account, entity, key, at, actor, "insert", {name: [None, value] for name, value in record.items()}
        )
    fields = {name: [before.get(name), value] for name, value in record.items() if before.get(name) != value}
    return Change(account, entity, key, at, actor, "update" if fields else "unchanged", fields)
