"""Everything the sandbox remembers, in one SQLite file.

Writes go through at once, so a killed sandbox finds the same world when it starts again. Three kinds of things are
kept: small documents (tokens, counters, switches), the bookkeeping packages' rows and OutSmart's records with their
history.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec

Body = TypeVar("Body")

_TABLES = """
CREATE TABLE IF NOT EXISTS documents (kind TEXT, key TEXT, body BLOB, PRIMARY KEY (kind, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS exact_rows (
    division INTEGER, resource TEXT, key TEXT, body BLOB, PRIMARY KEY (division, resource, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS visma_rows (
    company TEXT, resource TEXT, key TEXT, body BLOB, PRIMARY KEY (company, resource, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outsmart_records (
    account TEXT, entity TEXT, key TEXT, body BLOB, PRIMARY KEY (account, entity, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outsmart_changes (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT, entity TEXT, key TEXT, at TEXT, actor TEXT, action TEXT,
    fields TEXT);
CREATE INDEX IF NOT EXISTS outsmart_changes_of ON outsmart_changes (account, entity, key);
"""
_CLEARING = (
    "DELETE FROM documents",
    "DELETE FROM exact_rows",
    "DELETE FROM visma_rows",
    "DELETE FROM outsmart_records",
    "DELETE FROM outsmart_changes",
)


class Change(msgspec.Struct, frozen=True):
    """One write to one OutSmart record.

    Attributes:
        account: The OutSmart account.
        entity: Which list the record is in, such as `relations`.
        key: The record's code (several codes are joined as JSON).
        at: When, in UTC, by the sandbox clock.
        actor: `api`, `hand` (edited in OutSmart itself) or `seed`.
        action: `insert`, `update`, `unchanged` (written with the values it already had) or `delete`.
        fields: What changed, as field → [before, after].
        seq: Rises with every change of this sandbox.
    """

    account: str
    entity: str
    key: str
    at: str
    actor: str
    action: str
    fields: dict[str, list[Any]]
    seq: int = 0


class State:
    """The SQLite file of one sandbox."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        # Enough to survive the end of this process at any moment; only a power cut could lose the last writes.
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.executescript(_TABLES)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make the writes inside all or nothing; inside another transaction it joins that one."""
        if self._connection.in_transaction:
            yield
            return
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def clear(self) -> None:
        """Forget everything."""
        for statement in _CLEARING:
            self._connection.execute(statement)

    def documents(self, kind: str) -> dict[str, bytes]:
        """All documents of a kind, by key."""
        return dict(self._connection.execute("SELECT key, body FROM documents WHERE kind = ?", (kind,)))

    def put_document(self, kind: str, key: str, body: bytes) -> None:
        """Add or replace a document."""
        self._connection.execute("INSERT OR REPLACE INTO documents VALUES (?, ?, ?)", (kind, key, body))

    def delete_document(self, kind: str, key: str) -> None:
        """Remove a document if it is there."""
        self._connection.execute("DELETE FROM documents WHERE kind = ? AND key = ?", (kind, key))

    def exact_rows(self, division: int, resource: str) -> Iterator[bytes]:
        """The encoded rows of one Exact Online resource in one division."""
        query = "SELECT body FROM exact_rows WHERE division = ? AND resource = ?"
        return (body for (body,) in self._connection.execute(query, (division, resource)))

    def put_exact_rows(self, division: int, resource: str, rows: Iterable[tuple[str, bytes]]) -> None:
        """Add or replace rows, given as key and encoded row."""
        values = ((division, resource, key, body) for key, body in rows)
        self._connection.executemany("INSERT OR REPLACE INTO exact_rows VALUES (?, ?, ?, ?)", values)

    def delete_exact_rows(self, division: int, resource: str, keys: Iterable[str]) -> None:
        """Remove rows by key."""
        self._connection.executemany(
            "DELETE FROM exact_rows WHERE division = ? AND resource = ? AND key = ?",
            ((division, resource, key) for key in keys),
        )

    def visma_rows(self, company: str, resource: str) -> Iterator[bytes]:
        """The encoded rows of one VISMA eAccounting resource in one company."""
        query = "SELECT body FROM visma_rows WHERE company = ? AND resource = ?"
        return (body for (body,) in self._connection.execute(query, (company, resource)))

    def put_visma_rows(self, company: str, resource: str, rows: Iterable[tuple[str, bytes]]) -> None:
        """Add or replace rows, given as key and encoded row."""
        values = ((company, resource, key, body) for key, body in rows)
        self._connection.executemany("INSERT OR REPLACE INTO visma_rows VALUES (?, ?, ?, ?)", values)

    def delete_visma_rows(self, company: str, resource: str, keys: Iterable[str]) -> None:
        """Remove rows by key."""
        self._connection.executemany(
            "DELETE FROM visma_rows WHERE company = ? AND resource = ? AND key = ?",
            ((company, resource, key) for key in keys),
        )

    def outsmart_records(self, account: str, entity: str) -> dict[str, bytes]:
        """The encoded records of one OutSmart list, by key."""
        query = "SELECT key, body FROM outsmart_records WHERE account = ? AND entity = ?"
        return dict(self._connection.execute(query, (account, entity)))

    def put_outsmart_records(self, account: str, entity: str, records: Iterable[tuple[str, bytes]]) -> None:
        """Add or replace records, given as key and encoded record."""
        values = ((account, entity, key, body) for key, body in records)
        self._connection.executemany("INSERT OR REPLACE INTO outsmart_records VALUES (?, ?, ?, ?)", values)

    def delete_outsmart_records(self, account: str, entity: str, keys: Iterable[str]) -> None:
        """Remove records by key."""
        self._connection.executemany(
            "DELETE FROM outsmart_records WHERE account = ? AND entity = ? AND key = ?",
            ((account, entity, key) for key in keys),
        )

    def add_changes(self, changes: Iterable[Change]) -> None:
        """Append to the history of OutSmart's records; `seq` is given out here."""
        self._connection.executemany(
            "INSERT INTO outsmart_changes (account, entity, key, at, actor, action, fields) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    one.account,
                    one.entity,
                    one.key,
                    one.at,
                    one.actor,
                    one.action,
                    msgspec.json.encode(one.fields).decode(),
                )
                for one in changes
            ),
        )

    def changes(self, account: str, entity: str | None = None, key: str | None = None, since: int = 0) -> list[Change]:
        """The history after `since`, oldest first, of an account, one of its lists or one record."""
        found = self._connection.execute(
            "SELECT account, entity, key, at, actor, action, fields, seq FROM outsmart_changes "
            "WHERE account = ?1 AND (?2 IS NULL OR entity = ?2) AND (?3 IS NULL OR key = ?3) AND seq > ?4 ORDER BY seq",
            (account, entity, key, since),
        )
        return [
            Change(account, entity, key, at, actor, action, msgspec.json.decode(fields), seq)
            for account, entity, key, at, actor, action, fields, seq in found
        ]


class Documents(Generic[Body]):
    """Documents of one kind, kept in memory and written through.

    Args:
        state: Where they are kept.
        kind: The kind, one word.
        shape: The type a document is decoded to.
    """

    def __init__(self, state: State, kind: str, shape: type[Body]) -> None:
        self._state = state
        self._kind = kind
        stored = state.documents(kind)
        self._known = {key: msgspec.json.decode(body, type=shape) for key, body in stored.items()}

    def get(self, key: str) -> Body | None:
        """The document, or None."""
        return self._known.get(key)

    def keys(self) -> list[str]:
        """All keys."""
        return list(self._known)

    def items(self) -> list[tuple[str, Body]]:
        """All keys and documents."""
        return list(self._known.items())

    def put(self, key: str, body: Body) -> None:
        """Add or replace a document."""
        self._known[key] = body
        self._state.put_document(self._kind, key, msgspec.json.encode(body))

    def clear(self) -> None:
        """Remove all documents."""
        for key in self.keys():
            self.delete(key)

    def delete(self, key: str) -> None:
        """Remove a document if it is there."""
        if self._known.pop(key, None) is not None:
            self._state.delete_document(self._kind, key)
