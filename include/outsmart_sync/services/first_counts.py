"""How many records categories mean that begin: for the person who switches them on, before anything is imported."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from outsmart_sync.providers.packages import package as package_of
from outsmart_sync.services import expansions, settings, start_dates
from outsmart_sync.services.setting_values import ENABLED

if TYPE_CHECKING:
    from outsmart_sync.services.expansions import Expands
    from outsmart_sync.services.gateway import Gateway
    from outsmart_sync.services.settings import Settings
    from outsmart_sync.services.start_dates import Meant, NotCounted
    from outsmart_sync.store.connections import SyncConnection
    from outsmart_sync.store.store import Store


@dataclass(frozen=True, slots=True)
class FirstCounts:
    """What was counted.

    Attributes:
        dated: Documents that start dates let in.
        expanded: Records that lists expand to.
    """

    dated: list[Meant | NotCounted] = field(default_factory=list)
    expanded: list[Expands] = field(default_factory=list)


def begun(connection: SyncConnection, before: Settings, after: Settings) -> list[str]:
    """Names of the categories that a change of settings begins, and of which a number can be told."""
    package = package_of(connection.package)
    dated = start_dates.begun(package, before, after)
    return [*dated, *(each.name for each in expansions.begun(package, before, after) if each.name not in dated)]


def countable(store: Store, connection: SyncConnection) -> list[str]:
    """Names of the switched-on categories of which a number can be told."""
    saved = settings.read(store, connection)
    on = saved.enabled(package_of(connection.package))
    return [each.name for each in on if each.start is not None or each.limit is not None]


def count(store: Store, gateway: Gateway, connection: SyncConnection, names: Iterable[str]) -> FirstCounts:
    """Ask the package: two calls for each start date. One that cannot be asked is told of instead.

    Args:
        store: The store.
        gateway: Opens the package.
        connection: Whose categories.
        names: The categories; those that are off, or of which nothing can be told, are passed over.
    """
    package, saved, wanted = package_of(connection.package), settings.read(store, connection), set(names)
    on = [each for each in package.imports if each.name in wanted and saved.categories[each.name][ENABLED]]
    first_days = {
        each.name: date.fromisoformat(str(saved.categories[each.name][each.start.name]))
        for each in on
        if each.start is not None and saved.categories[each.name][each.start.name]
    }
    limited = [each for each in on if each.limit is not None]
    return FirstCounts(
        start_dates.meant_by(gateway, connection, first_days),
        expansions.counted(store, gateway, connection, package, saved, limited),
    )
