"""The store: one SQL database, opened once per process."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from sqlalchemy import create_engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from outsmart_sync.errors import NotConfigured
from outsmart_sync.store import dialect
from outsmart_sync.store.failures import store_failure

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine


class Store:
    """A handle on the store's database.

    Every unit of work is one short transaction, :meth:`begin`; none spans a call to a vendor.

    Args:
        url: SQLAlchemy address; ``postgresql://`` means the psycopg driver.

    Raises:
        NotConfigured: The address cannot be read or names a database we do not support.
    """

    def __init__(self, url: str | URL) -> None:
        self.url = _supported(url)
        self.engine: Engine = create_engine(self.url, pool_pre_ping=self.url.get_backend_name() != "sqlite")
        dialect.prepare(self.engine)

    @contextmanager
    def begin(self, *, durable: bool = True) -> Iterator[Connection]:
        """A transaction that may write: committed at the end, rolled back on an error.

        Args:
            durable: Wait until it is on disk; False: losing it in a crash only means doing it again.

        Raises:
            StoreUnusable: The database is read-only, full, damaged or refuses us.
            TransientError: The database is locked or away.
        """
        with _told(), self.engine.begin() as connection:
            if not durable:
                dialect.do_not_wait_for_disk(connection)
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads; on SQLite it does not wait for writers.

        Raises:
            StoreUnusable: The database cannot be opened.
            TransientError: The database is away.
        """
        with _told(), self.engine.connect().execution_options(read_only=True) as connection, connection.begin():
            yield connection

    def now(self) -> datetime:
        """The store's clock, aware UTC."""
        if self.url.get_backend_name() == "sqlite":
            return dialect.sqlite_now()
        with self.read() as connection:
            return dialect.now(connection)

    def close(self) -> None:
        """Give the database connections back."""
        self.engine.dispose()

    def __repr__(self) -> str:
        return f"Store({self.url.render_as_string(hide_password=True)})"


@contextmanager
def _told() -> Iterator[None]:
    """Errors of the driver leave as errors a person can act on."""
    try:
        yield
    except (DBAPIError, sqlite3.Error, psycopg.Error) as error:
        told = store_failure(error)
        if told is None:
            raise
        raise told from error


def _supported(url: str | URL) -> URL:
    remedy = "Use sqlite:////path/to/file.db or postgresql://user:password@host/database."
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise NotConfigured("The store's address cannot be read.", remedy=remedy) from None
    backend = parsed.get_backend_name()
    if "@" in (parsed.host or ""):  # what stands before it belongs to the password, so the address is not shown
        raise NotConfigured(
            "The store's address cannot be read: there is more than one @ in it.",
            remedy="Write an @ in the password as %40, and a / as %2F.",
        )
    if backend in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    if backend == "sqlite":
        if not parsed.database or parsed.database == ":memory:":
            raise NotConfigured("The store's address names no file.", remedy=remedy)
        return parsed.set(drivername="sqlite", database=str(Path(parsed.database).expanduser()))
    raise NotConfigured(f"The store cannot be kept in '{backend}'.", remedy=remedy)
