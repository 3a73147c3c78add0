"""Setting a connection up: its administration is fixed and what is to be synced is kept; both or nothing."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from outsmart_sync.errors import InvalidSettings
from outsmart_sync.services import connect, settings
from outsmart_sync.services.setting_values import ENABLED

if TYPE_CHECKING:
    from outsmart_sync.services.gateway import Gateway
    from outsmart_sync.store.connections import SyncConnection
    from outsmart_sync.store.store import Store

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SetUp:
    """A connection that was set up.

    Attributes:
        connection: The connection, with its administration.
        left_off: Categories that were wanted and stay off, as they lack a choice that only a person can make.
    """

    connection: SyncConnection
    left_off: tuple[str, ...] = ()


def set_up(
    store: Store,
    gateway: Gateway,
    connection: SyncConnection,
    administration: str,
    changes: Mapping[str, Any],
    *,
    share_account: bool = False,
    known: connect.Known | None = None,
) -> SetUp:
    """Fix the administration of a connection that awaits one, and keep its settings.

    A connection that is new does not sync by itself yet, as a person looks first at what would be imported; one that
    is resumed goes on as it was.

    Args:
        store: The store.
        gateway: Opens the package.
        connection: The connection.
        administration: The package's code of the administration.
        changes: What :func:`settings.save` takes.
        share_account: Another administration may already deliver into the same OutSmart account.
        known: Which connections a refusal may name; None: all.

    Raises:
        InvalidSettings: A setting is wrong, or the administration cannot be chosen; nothing is fixed then.
    """
    if connect.earlier_of(store, connection, administration) is None:
        changes = {**changes, settings.AUTOMATIC: False}
    settings.save(store, connection, changes)
    fixed = connect.choose_administration(
        store, gateway, connection, administration, share_account=share_account, known=known
    )
    try:
        # Only now can the package be asked for its lists: what it proposes is filled in.
        settings.save(store, fixed, changes, gateway=gateway)
    except InvalidSettings as error:
        log.warning("%s: %s", fixed.label, error)
        lacking = tuple(dict.fromkeys(each.category for each in error.problems))
        settings.save(store, fixed, _without(changes, lacking))
        return SetUp(fixed, lacking)
    return SetUp(fixed)


def _without(changes: Mapping[str, Any], categories: tuple[str, ...]) -> dict[str, Any]:
    """The changes, with these categories off: they are switched on once what they lack is chosen."""
    off = {name: {**changes[name], ENABLED: False} for name in categories if isinstance(changes.get(name), dict)}
    return {**changes, **off}
