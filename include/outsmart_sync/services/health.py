"""How things stand: each connection with its login, its categories, and what the day's calls leave."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, or_, select

from outsmart_sync.providers.packages import package as package_of
from outsmart_sync.services import settings
from outsmart_sync.services.setting_values import ENABLED
from outsmart_sync.store import connections, dialect, logins
from outsmart_sync.store.connections import State, SyncConnection
from outsmart_sync.store.tables import category_state, mirror, run_category, vault_secret
from outsmart_sync.store.tokens import TOKENS, login_owner

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from outsmart_sync.records.catalogue import Package
    from outsmart_sync.store.store import Store


@dataclass(frozen=True, slots=True)
class CategoryStatus:
    """One category of a connection.

    Attributes:
        name: Its name.
        enabled: Whether it is switched on.
        stopped: Why it does not run now; '' when it does.
        last_success: When it last came to its end.
        records: Mirror state → number of records of its main type.
    """

    name: str
    enabled: bool
    stopped: str
    last_success: datetime | None
    records: dict[str, int]


@dataclass(frozen=True, slots=True)
class ConnectionStatus:
    """One sync connection.

    Attributes:
        connection: The connection.
        user_name: Who logged in.
        login_lapses: When the login ends unless it is used; None: it does not by itself.
        licence: Its licence.
        categories: Its categories.
    """

    connection: SyncConnection
    user_name: str
    login_lapses: datetime | None
    licence: str
    categories: list[CategoryStatus]


def status(store: Store) -> list[ConnectionStatus]:
    """Every connection, oldest first."""
    return [_connection_status(store, connection) for connection in connections.find(store)]


def _lapses(package: Package, connection: SyncConnection, obtained: datetime | None) -> datetime | None:
    if obtained is None or package.login_lasts is None or connection.state is State.DISCONNECTED:
        return None
    return obtained + package.login_lasts


def _connection_status(store: Store, connection: SyncConnection) -> ConnectionStatus:
    package = package_of(connection.package)
    chosen = settings.read(store, connection)
    with store.read() as transaction:
        stopped = _stopped(transaction, connection.id)
        finished = _finished(transaction, connection.id)
        records = _records(transaction, connection.id)
        obtained = _login_obtained(transaction, connection)
    return ConnectionStatus(
        connection=connection,
        user_name=logins.user_name(store, connection.login_id),
        login_lapses=_lapses(package, connection, obtained),
        licence=chosen.licence,
        categories=[
            CategoryStatus(
                name=category.name,
                enabled=chosen.categories[category.name][ENABLED],
                stopped=stopped.get(category.name, ""),
                last_success=finished.get(category.name),
                records=records.get(category.record.name, {}),
            )
            for category in package.imports
        ],
    )


def _stopped(transaction: Connection, connection_id: int) -> dict[str, str]:
    now = dialect.now(transaction)
    still = or_(category_state.c.until.is_(None), category_state.c.until > now)
    rows = transaction.execute(select(category_state).where(category_state.c.connection_id == connection_id, still))
    return {row.category: row.reason for row in rows}


def _finished(transaction: Connection, connection_id: int) -> dict[str, datetime]:
    rows = transaction.execute(
        select(run_category.c.category, func.max(run_category.c.finished_at).label("at"))
        .where(run_category.c.connection_id == connection_id, run_category.c.state.in_(("done", "idle")))
        .group_by(run_category.c.category)
    )
    return {row.category: row.at for row in rows}


def _records(transaction: Connection, connection_id: int) -> dict[str, dict[str, int]]:
    rows = transaction.execute(
        select(mirror.c.record, mirror.c.state, func.count().label("number"))
        .where(mirror.c.connection_id == connection_id)
        .group_by(mirror.c.record, mirror.c.state)
    )
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        found.setdefault(row.record, {})[row.state] = row.number
    return found


def _login_obtained(transaction: Connection, connection: SyncConnection) -> Any:
    if connection.login_id is None:
        return None
    return transaction.execute(
        select(vault_secret.c.obtained_at).where(
            vault_secret.c.owner == login_owner(connection.login_id), vault_secret.c.kind == TOKENS
        )
    ).scalar_one_or_none()
