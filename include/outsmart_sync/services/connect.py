"""Connecting, once somebody has logged in: choose the administration, which is fixed from then on; disconnecting."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlalchemy import delete, update

from outsmart_sync.errors import InvalidSettings, SyncError
from outsmart_sync.providers.packages import package as package_of
from outsmart_sync.services import export_switch, leading
from outsmart_sync.store import connections
from outsmart_sync.store.connections import State, SyncConnection
from outsmart_sync.store.tables import category_state, setting, sync_connection
from outsmart_sync.store.tokens import login_owner
from outsmart_sync.store.vault import Vault

if TYPE_CHECKING:
    from outsmart_sync.records.exchange import Administration
    from outsmart_sync.services.gateway import Gateway
    from outsmart_sync.store.store import Store

log = logging.getLogger(__name__)

Known = Callable[[SyncConnection], bool]
"""Whether somebody may know of a connection."""


def administrations_of(gateway: Gateway, connection: SyncConnection) -> list[Administration]:
    """The administrations that a connection's login gives access to.

    Raises:
        LoginExpired: The login is no longer accepted.
        TransientError: The package does not answer.
    """
    return gateway.door(connection).look_around().administrations


def earlier_of(store: Store, pending: SyncConnection, code: str) -> SyncConnection | None:
    """The connection that an administration had before, or has, on the same OutSmart account; None: it is new.

    Args:
        store: The store.
        pending: The connection that awaits its administration.
        code: The package's code of the administration.
    """
    found = connections.find(
        store,
        package=pending.package,
        country=pending.country,
        administration=code,
        outsmart_account=pending.outsmart_account,
    )
    return found[0] if found else None


def choose_administration(
    store: Store,
    gateway: Gateway,
    connection: SyncConnection,
    code: str,
    *,
    share_account: bool = False,
    known: Known | None = None,
) -> SyncConnection:
    """Fix the administration of a connection that awaits one.

    An administration that was connected before resumes: its cursors, links and log are found again.

    Args:
        store: The store.
        gateway: Opens the package.
        connection: The connection that awaits its administration.
        code: The package's code of the administration.
        share_account: Another administration may already deliver into the same OutSmart account.
        known: Which connections a refusal may name; None: all.

    Returns:
        The connection that is active now; not the given one when an earlier one resumes.

    Raises:
        InvalidSettings: The connection has an administration already, the login gives no access to this one, or
            another administration delivers into the OutSmart account.
    """
    code = code.strip()
    if connection.administration:
        if connection.administration == code and connection.state is State.ACTIVE:
            return connection
        raise InvalidSettings(
            f"Connection {connection.id} is fixed to {connection.label}.",
            remedy="Disconnect it and connect anew to choose another administration; what is in OutSmart stays.",
            code="administration_fixed",
        )
    gateway.delivers(connection)  # an OutSmart connection that was named must be there
    offered = administrations_of(gateway, connection)
    chosen = next((administration for administration in offered if administration.code == code), None)
    if chosen is None:
        raise InvalidSettings(
            f"This login gives no access to an administration '{code}'.",
            remedy="Choose one of: " + ", ".join(f"{a.code} ({a.name})" for a in offered) + "."
            if offered
            else "Log in as a user that has access to it and tick it on the package's page.",
            code="unknown_administration",
        )
    if not share_account:
        require_account_free(store, connection, chosen, known)
    return _activate(store, connection, chosen)


def require_account_free(
    store: Store, pending: SyncConnection, chosen: Administration, known: Known | None = None
) -> None:
    """Refuse a second administration of an OutSmart account; one that is joined with it already may stay.

    One of another package may join: then each category has one leading package (see ``leading``).

    Args:
        store: The store.
        pending: The connection that awaits its administration.
        chosen: The administration.
        known: Which connections the refusal may name; None: all.
    """
    joined = [
        each
        for each in connections.find(store, outsmart_account=pending.outsmart_account, package=pending.package)
        if each.state in (State.ACTIVE, State.EXPIRED)
    ]
    if not joined or any(_is_of(each, pending, chosen) for each in joined):
        return
    told = [each for each in joined if known is None or known(each)]
    names = " and ".join(f"{each.label} (connection {each.id})" for each in told) or "another administration"
    command = f"outsmart-sync connect {package_of(pending.package).command}"
    country = f" --country {pending.country}" if pending.country else ""
    raise InvalidSettings(
        f"The OutSmart account '{pending.outsmart_account}' is joined with {names} already, so {chosen.name} was not "
        "connected.",
        why="Both would write the same relations and materials there, found by their codes, and overwrite each other.",
        remedy="Log in again and join another account: "
        f"{command}{country} --outsmart OTHER_CONNECTION. Or, if both belong in one account and no "
        f"code is in both: {command} --connection {pending.id} --administration {chosen.code} --share-account",
        code="account_taken",
    )


def _is_of(connection: SyncConnection, pending: SyncConnection, chosen: Administration) -> bool:
    """Whether a connection is that of the chosen administration."""
    return (connection.package, connection.country, connection.administration) == (
        pending.package,
        pending.country,
        chosen.code,
    )


def disconnect(store: Store, connection: SyncConnection, gateway: Gateway | None = None) -> None:
    """End the sync of a connection; everything it brought stays, here and in OutSmart.

    Args:
        store: The store.
        connection: The connection.
        gateway: Opens the package, to end the login there too when nobody else uses it; None: it is only forgotten
            here.
    """
    if gateway is not None and connection.login_id is not None:
        _end_login(store, gateway, connection)
    with store.begin() as transaction:
        connections.set_state(transaction, connection.id, State.DISCONNECTED)
        connections.change(transaction, connection.id, login_id=None)
        exported = export_switch.switch_off(transaction, connection.id)
    if exported:
        log.warning("%s: exports are off; connecting again does not switch them on", connection.label)
    _forget_unused(store, connection.login_id)
    Vault(store).forget(f"connection:{connection.id}")
    log.info("%s disconnected", connection.label)


def _end_login(store: Store, gateway: Gateway, connection: SyncConnection) -> None:
    """What keeps the package from ending a login does not keep a person from disconnecting."""
    if [each.id for each in connections.find(store, login_id=connection.login_id or 0)] != [connection.id]:
        return
    try:
        gateway.door(connection).end_login()
    except SyncError as error:
        log.warning("The login could not be ended at the package, and is only forgotten here: %s", error)


def _forget_unused(store: Store, login_id: int | None) -> None:
    """Forget a login's tokens when no connection uses it any more."""
    if login_id is not None and not connections.find(store, login_id=login_id):
        Vault(store).forget(login_owner(login_id))


def _activate(store: Store, pending: SyncConnection, chosen: Administration) -> SyncConnection:
    earlier = earlier_of(store, pending, chosen.code)
    values = {
        "administration": chosen.code,
        "administration_name": chosen.name,
        "currency": chosen.currency,
        "login_id": pending.login_id,
        "conn_id": pending.conn_id,
        "outsmart_conn_id": pending.outsmart_conn_id,
    }
    target = earlier.id if earlier else pending.id
    with store.begin() as transaction:
        if earlier:
            transaction.execute(delete(setting).where(setting.c.connection_id == pending.id))
            transaction.execute(delete(sync_connection).where(sync_connection.c.id == pending.id))
        transaction.execute(update(sync_connection).where(sync_connection.c.id == target).values(**values))
        connections.set_state(transaction, target, State.ACTIVE)
        transaction.execute(delete(category_state).where(category_state.c.connection_id == target))
    if earlier:
        _forget_unused(store, earlier.login_id)  # it may have been another person's
    log.info("%s is connected%s", chosen.name, ", and goes on where it stopped" if earlier else "")
    leading.give_way(store, connections.require(store, target))
    return connections.require(store, target)
