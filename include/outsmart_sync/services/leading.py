"""Which package leads a category, where one OutSmart account is joined with more than one package.

Both packages would write the same records, found by their codes, and overwrite each other; so what one of them imports
the other one cannot. Administrations of one package are not looked at: joining several of those is asked for by name.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from sqlalchemy import update

from outsmart_sync.providers.packages import package as package_of
from outsmart_sync.services.setting_values import ENABLED
from outsmart_sync.store import connections
from outsmart_sync.store.connections import State
from outsmart_sync.store.tables import setting

if TYPE_CHECKING:
    from outsmart_sync.records.catalogue import ImportCategory
    from outsmart_sync.store.connections import SyncConnection
    from outsmart_sync.store.store import Store

log = logging.getLogger(__name__)

_JOINED = (State.ACTIVE, State.EXPIRED)


def leaders(store: Store, connection: SyncConnection) -> dict[str, str]:
    """Category of a connection → why it cannot be switched on, as a sentence; only those that another package leads."""
    others = [
        each
        for each in connections.find(store, outsmart_account=connection.outsmart_account)
        if each.package != connection.package and each.state in _JOINED
    ]
    found: dict[str, str] = {}
    for other in others:
        for theirs in _switched_on(store, other):
            for ours in package_of(connection.package).imports:
                if _same(ours, theirs):
                    found.setdefault(ours.name, _sentence(ours, other, theirs))
    return found


def give_way(store: Store, connection: SyncConnection) -> None:
    """Switch off what another package has begun to lead while this connection was away."""
    led = leaders(store, connection)
    for category in _switched_on(store, connection):
        if category.name in led:
            log.warning("%s It is switched off here.", led[category.name])
            with store.begin() as transaction:
                transaction.execute(
                    update(setting)
                    .where(
                        setting.c.connection_id == connection.id,
                        setting.c.category == category.name,
                        setting.c.name == ENABLED,
                    )
                    .values(value="false")
                )


def _switched_on(store: Store, connection: SyncConnection) -> list[ImportCategory]:
    """Also what its licence does not cover: a licence may be raised at any time, and then it would run."""
    from outsmart_sync.services import settings

    chosen = settings.read(store, connection).categories
    return [each for each in package_of(connection.package).imports if chosen[each.name][ENABLED]]


def _same(ours: ImportCategory, theirs: ImportCategory) -> bool:
    """Whether two categories bring the same kind of records to OutSmart."""
    return not {record.name for record in ours.records}.isdisjoint(record.name for record in theirs.records)


def _sentence(ours: ImportCategory, other: SyncConnection, theirs: ImportCategory) -> str:
    leader = package_of(other.package).label
    return (
        f"{ours.label} cannot be imported into the OutSmart account '{other.outsmart_account}': "
        f"{leader} leads there, with {theirs.label.lower()} of {other.label} (connection {other.id}). Switch those "
        f"off first: "
        f"outsmart-sync settings set {other.id} {theirs.name}.{ENABLED}=false"
    )
