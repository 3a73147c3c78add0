"""Logins of persons, which the administrations they connected share, and attempts to log in."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from outsmart_sync.store import dialect
from outsmart_sync.store.tables import login, login_attempt, vault_secret

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from outsmart_sync.store.store import Store

ATTEMPT_LASTS = timedelta(minutes=15)

ATTEMPT_KEPT = timedelta(hours=24)
"""For so long after that, a login whose first half went well can be finished."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A login that somebody began.

    Attributes:
        state: Random value that must come back with the vendor's answer.
        package: The package.
        country: Whose instance.
        conn_id: Airflow connection of the app.
        outsmart_account: The OutSmart account that the administration will be joined with.
        outsmart_conn_id: Its Airflow connection.
        expires_at: Until when it may be finished.
        used: Whether it was finished already.
    """

    state: str
    package: str
    country: str
    conn_id: str
    outsmart_account: str
    outsmart_conn_id: str
    expires_at: datetime
    used: bool


def attempt_owner(state: str) -> str:
    """The vault's owner of the pair that a login brought, until it is finished."""
    return f"attempt:{state}"


def begin(
    store: Store, *, package: str, country: str, conn_id: str, outsmart_account: str, outsmart_conn_id: str
) -> Attempt:
    """Begin a login; attempts that have expired are forgotten, with what they left in the vault."""
    state = secrets.token_urlsafe(32)
    with store.begin() as connection:
        now = dialect.now(connection)
        gone = delete(login_attempt).where(login_attempt.c.expires_at < now - ATTEMPT_KEPT)
        owners = [attempt_owner(old) for old in connection.execute(gone.returning(login_attempt.c.state)).scalars()]
        connection.execute(delete(vault_secret).where(vault_secret.c.owner.in_(owners)))
        values = {
            "state": state,
            "package": package,
            "country": country,
            "conn_id": conn_id,
            "outsmart_account": outsmart_account,
            "outsmart_conn_id": outsmart_conn_id,
            "expires_at": now + ATTEMPT_LASTS,
        }
        connection.execute(insert(login_attempt).values(values))
    return Attempt(**values, used=False)  # type: ignore[arg-type]  # the values above are of these types


def take(store: Store, state: str) -> tuple[Attempt | None, bool]:
    """The attempt behind a state, marked as used.

    Returns:
        The attempt as it was before (None: there is none), and whether it may be finished now.
    """
    with store.begin() as connection:
        now = dialect.now(connection)
        row = connection.execute(select(login_attempt).where(login_attempt.c.state == state)).one_or_none()
        if row is None:
            return None, False
        taken = connection.execute(
            update(login_attempt)
            .where(login_attempt.c.state == state, login_attempt.c.used_at.is_(None), login_attempt.c.expires_at > now)
            .values(used_at=now)
        )
    return _attempt(row), taken.rowcount == 1


def find(store: Store, state: str) -> Attempt | None:
    """The attempt behind a state, left as it is; None: there is none."""
    with store.read() as connection:
        row = connection.execute(select(login_attempt).where(login_attempt.c.state == state)).one_or_none()
    return None if row is None else _attempt(row)


def _attempt(row: Row[Any]) -> Attempt:
    return Attempt(
        row.state,
        row.package,
        row.country,
        row.conn_id,
        row.outsmart_account,
        row.outsmart_conn_id,
        row.expires_at,
        row.used_at is not None,
    )


def keep(connection: Connection, *, package: str, country: str, conn_id: str, user_id: str, user_name: str) -> int:
    """The number of a person's login, made or found again."""
    statement = dialect.upsert(connection, login).values(
        package=package, country=country, conn_id=conn_id, user_id=user_id, user_name=user_name
    )
    kept = connection.execute(
        statement.on_conflict_do_update(
            index_elements=[login.c.package, login.c.country, login.c.conn_id, login.c.user_id],
            set_={"user_name": user_name},
        ).returning(login.c.id)
    )
    number: int = kept.scalar_one()
    return number


def user_name(store: Store, login_id: int | None) -> str:
    """Who logged in; '' when nobody is."""
    return user_names(store, [login_id]).get(login_id, "")


def user_names(store: Store, login_ids: Iterable[int | None]) -> dict[int | None, str]:
    """Login → who logged in; without those that there are none of."""
    wanted = [each for each in login_ids if each is not None]
    with store.read() as connection:
        rows = connection.execute(select(login.c.id, login.c.user_name).where(login.c.id.in_(wanted)))
        return {row.id: row.user_name for row in rows}
