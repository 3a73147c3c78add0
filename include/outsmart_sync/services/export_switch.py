"""Switching exports on and off: one connection per OutSmart account, from a moment on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import delete, select

from outsmart_sync.errors import Problem
from outsmart_sync.records.export_catalogue import WORK_ORDERS
from outsmart_sync.services.setting_values import ENABLED
from outsmart_sync.store.connections import State
from outsmart_sync.store.tables import setting, sync_connection

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from outsmart_sync.services.settings import Settings
    from outsmart_sync.store.connections import SyncConnection
    from outsmart_sync.store.store import Store

CUT_OFF = "cut_off"


def exporting(store: Store, account: str) -> list[int]:
    """Numbers of the connections of an OutSmart account that have exports switched on."""
    query = (
        select(setting.c.connection_id)
        .join(sync_connection, sync_connection.c.id == setting.c.connection_id)
        .where(
            sync_connection.c.outsmart_account == account,
            sync_connection.c.state != State.DISCONNECTED,
            setting.c.category == WORK_ORDERS,
            setting.c.name == ENABLED,
            setting.c.value == msgspec.json.encode(True).decode(),
        )
        .order_by(setting.c.connection_id)
    )
    with store.read() as transaction:
        return list(transaction.execute(query).scalars())


def problems(store: Store, connection: SyncConnection, values: Mapping[tuple[str, str], Any]) -> list[Problem]:
    """Why exports cannot be switched on: another connection exports the same work orders."""
    if values.get((WORK_ORDERS, ENABLED)) is not True:
        return []
    others = [number for number in exporting(store, connection.outsmart_account) if number != connection.id]
    return [
        Problem(
            WORK_ORDERS,
            ENABLED,
            f"connection {number} already exports the work orders of this OutSmart account, and both would bill each "
            f"of them. Switch it off there first: outsmart-sync settings set {number} {WORK_ORDERS}.{ENABLED}=false.",
        )
        for number in others[:1]
    ]


def fill(store: Store, before: Mapping[str, Any], values: dict[tuple[str, str], Any]) -> None:
    """Exports that are switched on begin now, unless another moment is named along with it."""
    switched_on = values.get((WORK_ORDERS, ENABLED)) is True and not before[ENABLED]
    emptied = before[ENABLED] and values.get((WORK_ORDERS, CUT_OFF)) == ""
    if (switched_on and not values.get((WORK_ORDERS, CUT_OFF))) or emptied:
        values[WORK_ORDERS, CUT_OFF] = store.now().isoformat(timespec="seconds")


def switch_off(transaction: Connection, connection_id: int) -> bool:
    """Switch exports off, as when a connection ends: connecting again does not bill what happened meanwhile.

    Returns:
        Whether they were on.
    """
    removed = transaction.execute(
        delete(setting).where(
            setting.c.connection_id == connection_id,
            setting.c.category == WORK_ORDERS,
            setting.c.name.in_((ENABLED, CUT_OFF)),
        )
    )
    return removed.rowcount > 0


def was_switched_on(before: Settings, after: Settings) -> bool:
    """Whether a change of settings switches exports on, or lets other work orders out."""
    then, now = (each.categories.get(WORK_ORDERS, {}) for each in (before, after))
    return bool(now.get(ENABLED)) and any(then.get(name) != now.get(name) for name in (ENABLED, CUT_OFF))
