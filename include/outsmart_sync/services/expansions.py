"""What a category's lists expand to in figures, for the person who switches it on or sets its limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from outsmart_sync.errors import SyncError
from outsmart_sync.services import settings
from outsmart_sync.services.setting_values import ENABLED

if TYPE_CHECKING:
    from outsmart_sync.records.catalogue import ImportCategory, Package
    from outsmart_sync.services.gateway import Gateway
    from outsmart_sync.services.settings import Settings
    from outsmart_sync.store.connections import SyncConnection
    from outsmart_sync.store.store import Store


@dataclass(frozen=True, slots=True)
class Expands:
    """How many records the lists of a category expand to.

    Attributes:
        category: The category's name.
        setting: Name of the setting with the limit.
        count: How many; None: it could not be counted.
        limit: How many are allowed.
        why: What stood in the way of counting; '' for nothing.
    """

    category: str
    setting: str
    count: int | None
    limit: int
    why: str = ""

    def __str__(self) -> str:
        if self.count is None:
            return f"How many prices the price lists expand to could not be counted. {self.why}"
        told = f"The price lists expand to {self.count:,} prices; {self.category}.{self.setting} allows {self.limit:,}."
        if self.count <= self.limit:
            return told
        return f"{told} With more than that nothing is imported: raise it, or shorten the lists in the package."


def begun(package: Package, before: Settings, after: Settings) -> list[ImportCategory]:
    """The categories with a limit that a change of settings switches on, or gives another limit."""
    found = []
    for category in package.imports:
        if category.limit is None or not after.categories[category.name][ENABLED]:
            continue
        names = (ENABLED, category.limit.name)
        then, now = (tuple(each.categories[category.name][name] for name in names) for each in (before, after))
        if then != now:
            found.append(category)
    return found


def meant_by(
    store: Store, gateway: Gateway, connection: SyncConnection, package: Package, before: Settings, after: Settings
) -> list[Expands]:
    """What the lists of categories that are begun expand to; a package that cannot be asked is told of instead."""
    return counted(store, gateway, connection, package, after, begun(package, before, after))


def counted(
    store: Store,
    gateway: Gateway,
    connection: SyncConnection,
    package: Package,
    saved: Settings,
    categories: Sequence[ImportCategory],
) -> list[Expands]:
    """What the lists of these categories, each with a limit, expand to."""
    found = []
    for category in categories:
        name = category.limit.name if category.limit else ""
        limit = int(saved.categories[category.name][name])
        try:
            source = gateway.door(connection).source()
            try:
                count = source.expands(category, settings.today_of(store, package))
            finally:
                source.close()
        except SyncError as error:
            found.append(Expands(category.name, name, None, limit, str(error)))
        else:
            found.append(Expands(category.name, name, count, limit))
    return found
