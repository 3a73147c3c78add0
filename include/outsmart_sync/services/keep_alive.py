"""Keeps logins alive that nobody uses: a vendor ends one that is not renewed, such as when everything is off."""

from __future__ import annotations

import logging
from random import shuffle
from typing import TYPE_CHECKING

from outsmart_sync.errors import LoginExpired, SyncError
from outsmart_sync.providers import web
from outsmart_sync.providers.packages import packages
from outsmart_sync.services import login
from outsmart_sync.store import connections, dialect
from outsmart_sync.store.connections import State, SyncConnection
from outsmart_sync.store.tokens import login_owner, renewed_at

if TYPE_CHECKING:
    from outsmart_sync.services.gateway import Gateway
    from outsmart_sync.store.store import Store

log = logging.getLogger(__name__)

SHARE = 0.25
"""Share of a login's life after which it is renewed: of thirty days, a good week."""

_AT_ONCE = 25
"""Logins that one run tries to renew at most, so that its end is not held up."""

_PATIENCE = 30.0
"""Seconds that the calls after a renewal may take."""


def keep(store: Store, gateway: Gateway) -> int:
    """Renew each login that has not been renewed for a quarter of its life; returns how many were.

    One that cannot be renewed is tried again by the next run; that fails nothing else. One that the vendor calls dead
    waits for a person from then on, as if an import had found out. A vendor that does not answer is asked for no other
    login; the order is another one each time, so that none of them always stands in the way of the others.
    """
    waiting = due(store)
    shuffle(waiting)
    silent = set[str]()
    tried = renewed = 0
    for each in waiting:
        if each.package in silent:
            continue
        if tried == _AT_ONCE:
            break
        tried += 1
        renewed += _renewed(store, gateway, each, silent)
    return renewed


def due(store: Store) -> list[SyncConnection]:
    """For each login that is to be renewed one connection that uses it, the oldest login first."""
    users = {
        login_owner(each.login_id): each
        for each in connections.find(store)
        if each.login_id is not None and each.state in (State.ACTIVE, State.CONNECTED)
    }
    with store.read() as transaction:
        now = dialect.now(transaction)
        renewed = renewed_at(transaction)
    found = []
    for owner, at in renewed.items():
        connection = users.get(owner)
        lasts = packages()[connection.package].login_lasts if connection else None
        if connection and lasts and now - at > lasts * SHARE:
            found.append(connection)
    return found


def _renewed(store: Store, gateway: Gateway, connection: SyncConnection, silent: set[str]) -> bool:
    """Renew a login; a package that does not answer is added to ``silent``."""
    try:
        with web.within(_PATIENCE):
            gateway.door(connection).look_around()  # which needs a token, and so renews the login
    except LoginExpired as error:
        log.warning("%s: the login has come to its end: %s", connection.label, error)
        login.lost(store, connection, error)
        return False
    except SyncError as error:
        log.warning("%s: the login could not be renewed, later runs try again: %s (%s)", connection.label, error,
                    error.technical)  # fmt: skip
        if web.is_silence(error):
            silent.add(connection.package)
        return False
    log.info("%s: the login was renewed, as it had not been used", connection.label)
    return True
