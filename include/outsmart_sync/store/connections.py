"""Sync connections: which administration of which package is aligned with which OutSmart account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from outsmart_sync.errors import InvalidSettings
from outsmart_sync.store import dialect
from outsmart_sync.store.tables import sync_connection

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from outsmart_sync.store.store import Store


class State(StrEnum):
    """Where a sync connection stands."""

    CONNECTED = "connected"
    """Logged in; the administration has yet to be chosen."""
    ACTIVE = "active"
    EXPIRED = "expired"
    """The package no longer accepts the login."""
    DISCONNECTED = "disconnected"
    """Ended by a person; everything is kept."""


@dataclass(frozen=True, slots=True)
class SyncConnection:
    """One administration joined with one OutSmart account.

    Attributes:
        id: Number in the store; a scope of cursors, package ids and links.
        package: Name of the bookkeeping package.
        country: Lower-case country code; '' when the package does not ask.
        administration: The package's code of the administration; '' until it is chosen.
        administration_name: Its name there.
        currency: Its currency; '' when unknown.
        outsmart_account: Our name of the OutSmart account.
        conn_id: Airflow connection of the app.
        outsmart_conn_id: Airflow connection of the OutSmart account.
        login_id: The login it uses; None: disconnected.
        state: Where it stands.
        state_code: Code of the reason, when there is one.
        state_text: The reason in words.
        state_since: Since when.
    """

    id: int
    package: str
    country: str
    administration: str
    administration_name: str
    currency: str
    outsmart_account: str
    conn_id: str
    outsmart_conn_id: str
    login_id: int | None
    state: State
    state_code: str
    state_text: str
    state_since: datetime

    @property
    def label(self) -> str:
        """What a person calls it."""
        return self.administration_name or self.administration or f"connection {self.id}"


def get(store: Store, connection_id: int) -> SyncConnection | None:
    """The connection of this number."""
    with store.read() as connection:
        row = connection.execute(select(sync_connection).where(sync_connection.c.id == connection_id)).one_or_none()
    return None if row is None else _of(row)


def require(store: Store, connection_id: int) -> SyncConnection:
    """The connection of this number.

    Raises:
        InvalidSettings: There is none.
    """
    found = get(store, connection_id)
    if found is None:
        raise InvalidSettings(
            f"There is no sync connection {connection_id}.",
            remedy="List them with: outsmart-sync status",
            code="unknown_connection",
        )
    return found


def find(store: Store, **where: str | int) -> list[SyncConnection]:
    """Connections with these column values, oldest first."""
    query = select(sync_connection).order_by(sync_connection.c.id)
    for column, value in where.items():
        query = query.where(sync_connection.c[column] == value)
    with store.read() as connection:
        return [_of(row) for row in connection.execute(query)]


def add(connection: Connection, **values: Any) -> int:
    """Insert a connection in state *connected*; returns its number."""
    now = dialect.now(connection)
    inserted = connection.execute(
        insert(sync_connection)
        .values(state=State.CONNECTED, state_since=now, created_at=now, **values)
        .returning(sync_connection.c.id)
    )
    number: int = inserted.scalar_one()
    return number


def change(connection: Connection, connection_id: int, **values: Any) -> None:
    """Set columns of a connection."""
    connection.execute(update(sync_connection).where(sync_connection.c.id == connection_id).values(**values))


def set_state(connection: Connection, connection_id: int, state: State, *, code: str = "", text: str = "") -> None:
    """Move a connection to a state, with the reason."""
    change(
        connection,
        connection_id,
        state=state,
        state_code=code,
        state_text=text,
        state_since=dialect.now(connection),
    )


def _of(row: Row[Any]) -> SyncConnection:
    return SyncConnection(
        id=row.id,
        package=row.package,
        country=row.country,
        administration=row.administration or "",
        administration_name=row.administration_name,
        currency=row.currency,
        outsmart_account=row.outsmart_account,
        conn_id=row.conn_id,
        outsmart_conn_id=row.outsmart_conn_id,
        login_id=row.login_id,
        state=State(row.state),
        state_code=row.state_code,
        state_text=row.state_text,
        state_since=row.state_since,
    )
