"""All that differs between SQLite and PostgreSQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Table, event, func, select, text
from sqlalchemy.dialects import postgresql, sqlite

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

Upsert = postgresql.Insert | sqlite.Insert

# The forms in which SQLAlchemy itself stores them; the driver's own adapters are deprecated.
sqlite3.register_adapter(date, date.isoformat)
sqlite3.register_adapter(
    datetime, lambda value: value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
)

_CHANGES_TABLES = int.from_bytes(b"outsmart")
"""Number of the lock; any one that no other program takes in this database."""

BULK_ANALYZE_ROWS = 5_000
"""From this many new rows on, PostgreSQL's planner is told about them before they are joined."""


def prepare(engine: Engine) -> None:
    """Give every new database connection the settings this project relies on."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver must not open transactions by itself: `_begin_sqlite` does, before the first read.
    connection.isolation_level = None
    # 32 MB of log before it is copied into the file: a page of rows touches the same index pages again and again.
    for pragma in (
        "wal_autocheckpoint=8000",
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        "busy_timeout=30000",
        "cache_size=-16000",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # IMMEDIATE: a transaction that reads first and writes later would otherwise fail with "database is locked" at the
    # moment it writes, without waiting, when another process wrote in between.
    writes = not connection.get_execution_options().get("read_only", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def now(connection: Connection) -> datetime:
    """The store's clock, aware UTC: two machines with different clocks agree on it.

    SQLite lives on one machine, whose clock is the store's.
    """
    if connection.dialect.name == "postgresql":
        stamp: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
        return stamp.astimezone(UTC)
    return sqlite_now()


def sqlite_now() -> datetime:
    """The clock of the one machine that has the SQLite file."""
    return datetime.now(UTC)


def lock_tables_for_change(connection: Connection) -> None:
    """Let one process at a time change the tables, until this transaction ends; SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_CHANGES_TABLES)))


def do_not_wait_for_disk(connection: Connection) -> None:
    """Let this transaction's commit return before it is on disk; SQLite's log works so anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL synchronous_commit = off"))


def upsert(connection: Connection, table: Table) -> Upsert:
    """An INSERT for this database that can be given an ON CONFLICT clause."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def bulk_insert(connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Insert many rows, in the fastest way the database has; part of the caller's transaction.

    Args:
        connection: An open transaction.
        table: Where to.
        columns: Names of the columns, in the order of each row's values.
        rows: The values; times and dates as Python objects.
    """
    if connection.dialect.name == "postgresql":
        driver = connection.connection.cursor()
        with driver.copy(f"COPY {table.name} ({', '.join(columns)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        driver.close()
        return
    # The driver's own executemany: SQLAlchemy's per-row parameter handling would cost twice the insert itself.
    marks = ", ".join("?" * len(columns))
    statement = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 - names of our own tables
    driver = connection.connection.cursor()
    driver.executemany(statement, rows)
    driver.close()


def contains(connection: Connection, haystack: ColumnElement[str], needle: str) -> ColumnElement[bool]:
    """Whether a text holds another one, case counting and without wildcards."""
    return position(connection, haystack, needle) > 0


def position(connection: Connection, haystack: ColumnElement[str], needle: Any) -> ColumnElement[int]:
    """Where a text holds another one, counted from 1; 0: nowhere."""
    find = func.strpos if connection.dialect.name == "postgresql" else func.instr
    return find(haystack, needle)


def analyze(connection: Connection, table: Table, added: int) -> None:
    """Tell PostgreSQL's planner that a table has changed a lot; SQLite plans by its indexes alone."""
    if connection.dialect.name == "postgresql" and added >= BULK_ANALYZE_ROWS:
        connection.execute(text(f"ANALYZE {table.name}"))
