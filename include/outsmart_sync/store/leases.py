"""Lease rows: what must not run twice at once, without a transaction held open over an HTTP call.

A lease has a name, an owner and an expiry by the store's clock. It is claimed and renewed in short transactions. Its
version grows with every change of owner, so that someone who lost it can tell.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, or_, select, update

from outsmart_sync.errors import SyncError
from outsmart_sync.store import dialect
from outsmart_sync.store.tables import lease

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from outsmart_sync.store.store import Store

log = logging.getLogger(__name__)

_RENEWALS = 4
"""So often is a lease renewed within its own length."""


@dataclass(frozen=True, slots=True)
class Lease:
    """Who holds a lease, and until when unless it is renewed."""

    name: str
    owner: str
    version: int
    expires_at: datetime


def claim(store: Store, name: str, owner: str, lasts: timedelta) -> Lease | None:
    """Take or renew a lease.

    Args:
        store: Where it is kept.
        name: What must not run twice at once.
        owner: Who wants it; the same owner may claim again, which renews it.
        lasts: How long it holds unless renewed.

    Returns:
        The lease, or None while another owner's has not expired.
    """
    with store.begin() as connection:
        now = dialect.now(connection)
        values = {"name": name, "owner": owner, "version": 1, "expires_at": now + lasts}
        insert = dialect.upsert(connection, lease).values(**values)
        taken = connection.execute(
            insert.on_conflict_do_update(
                index_elements=[lease.c.name],
                set_={
                    "owner": owner,
                    "expires_at": now + lasts,
                    "version": lease.c.version + (lease.c.owner != owner).cast(lease.c.version.type),
                },
                where=or_(lease.c.owner == owner, lease.c.expires_at <= now),
            ).returning(lease.c.version)
        ).scalar_one_or_none()
    return None if taken is None else Lease(name, owner, taken, now + lasts)


@contextmanager
def kept(store: Store, name: str, owner: str, lasts: timedelta) -> Iterator[None]:
    """Renew a lease that its owner holds, from a thread of its own, while a block runs.

    A block may take longer than the lease lasts; a process that is killed in it stops renewing. A lease that another
    owner took because this process stood still for too long stays with that one.
    """
    over = threading.Event()

    def renew() -> None:
        while not over.wait(lasts.total_seconds() / _RENEWALS):
            try:
                if claim(store, name, owner, lasts) is None:
                    log.error("The lease %s was lost to another process: this one stood still for too long", name)
                    return
            except SyncError as error:
                log.warning("The lease %s could not be renewed: %s", name, error)

    keeper = threading.Thread(target=renew, name="lease", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        over.set()
        keeper.join()


def release(store: Store, name: str, owner: str) -> bool:
    """Give a lease back; False when it was no longer the owner's."""
    with store.begin() as connection:
        now = dialect.now(connection)
        gone = connection.execute(
            update(lease).where(lease.c.name == name, lease.c.owner == owner).values(expires_at=now, owner="")
        )
        return gone.rowcount == 1


def release_all(store: Store, owner: str) -> int:
    """Give back everything an owner still holds; returns how many."""
    with store.begin() as connection:
        now = dialect.now(connection)
        return connection.execute(update(lease).where(lease.c.owner == owner).values(expires_at=now, owner="")).rowcount


def holder(store: Store, name: str) -> Lease | None:
    """Who holds a lease now; None when nobody does."""
    with store.read() as connection:
        now = dialect.now(connection)
        row = connection.execute(select(lease).where(lease.c.name == name, lease.c.expires_at > now)).one_or_none()
    return None if row is None else Lease(row.name, row.owner, row.version, row.expires_at)


def held_until(connection: Connection, owners: Collection[str]) -> dict[str, datetime]:
    """Owner → when the last of its leases ends, or has ended without being given back."""
    query = select(lease.c.owner, func.max(lease.c.expires_at).label("until")).where(lease.c.owner.in_(owners))
    return {row.owner: row.until for row in connection.execute(query.group_by(lease.c.owner))}


def purge(store: Store, older_than: timedelta) -> int:
    """Remove leases that expired long ago; returns how many."""
    with store.begin() as connection:
        limit = dialect.now(connection) - older_than
        return connection.execute(delete(lease).where(lease.c.expires_at < limit)).rowcount
