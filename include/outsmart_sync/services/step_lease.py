"""The lease under which a step runs, so that no other process does the same at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from outsmart_sync.errors import Busy
from outsmart_sync.services import at_work
from outsmart_sync.store import leases

if TYPE_CHECKING:
    from outsmart_sync.store.connections import SyncConnection
    from outsmart_sync.store.store import Store

LEASE_LASTS = timedelta(minutes=3)


@contextmanager
def held_lease(store: Store, run_id: int, name: str, label: str, connection: SyncConnection) -> Iterator[None]:
    """Hold a lease while a step runs, and keep it for the run's next step.

    Args:
        store: The store.
        run_id: The run that holds it.
        name: The lease's name.
        label: What it is about, for people.
        connection: Whose.

    Raises:
        Busy: Another run holds it.
    """
    owner = at_work.owner(run_id)
    if leases.claim(store, name, owner, LEASE_LASTS) is None:
        raise busy(store, name, label, connection)
    with leases.kept(store, name, owner, LEASE_LASTS):
        yield


def require_held(store: Store, run_id: int, name: str, label: str, connection: SyncConnection) -> None:
    """Make sure, before something is sent, that this run still holds its lease.

    Raises:
        Busy: This process stood still for so long that another one has taken over.
    """
    holder = leases.holder(store, name)
    if holder is None or holder.owner != at_work.owner(run_id):
        raise busy(store, name, label, connection)


def busy(store: Store, name: str, label: str, connection: SyncConnection) -> Busy:
    """The error for a lease that another run holds."""
    holder = leases.holder(store, name)
    return Busy(
        f"{label} of {connection.label} is being synced by another run just now.",
        remedy="It is tried again by itself; or wait until that run has ended.",
        technical=f"lease {name} is held by {holder.owner if holder else 'nobody any more'}",
        retry_at=holder.expires_at if holder else None,
    )
