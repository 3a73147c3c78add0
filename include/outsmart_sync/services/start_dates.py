"""What a start date means in figures, for the person who sets one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from outsmart_sync.errors import InvalidSettings, SyncError
from outsmart_sync.providers.packages import package as package_of
from outsmart_sync.services.setting_values import ENABLED

if TYPE_CHECKING:
    from outsmart_sync.records.catalogue import Package
    from outsmart_sync.services.gateway import Gateway
    from outsmart_sync.services.settings import Settings
    from outsmart_sync.store.connections import SyncConnection


@dataclass(frozen=True, slots=True)
class Meant:
    """How many documents a start date lets in.

    Attributes:
        category: The category's name.
        label: What its documents are called.
        start: The start date.
        documents: Documents dated on that day or later.
        total: All documents there are.
    """

    category: str
    label: str
    start: date
    documents: int
    total: int

    def __str__(self) -> str:
        return f"{self.start}: {self.documents:,} of {self.total:,} {self.label.lower()}"


def meant(gateway: Gateway, connection: SyncConnection, category_name: str, start: date) -> Meant:
    """Count the documents that a start date means, before or after it is saved: two calls that fetch none of them.

    Raises:
        InvalidSettings: The category does not exist or has no start date.
        SyncError: The package refuses or does not answer.
    """
    dated = {each.name: each for each in package_of(connection.package).imports if each.start is not None}
    category = dated.get(category_name)
    if category is None:
        raise InvalidSettings(
            f"'{category_name}' has no start date.",
            remedy=f"Categories that have one: {', '.join(dated) or 'none'}.",
            code="unknown_category",
        )
    source = gateway.door(connection).source()
    try:
        return Meant(category.name, category.label, start, source.count(category, start), source.count(category, None))
    finally:
        source.close()


@dataclass(frozen=True, slots=True)
class NotCounted:
    """A start date of which nobody could say what it means; it is saved all the same.

    Attributes:
        category: The category's name.
        start: The start date.
        why: What stood in the way.
    """

    category: str
    start: date
    why: str

    def __str__(self) -> str:
        return f"{self.start}: how many {self.category} that means could not be counted. {self.why}"


def meant_by(gateway: Gateway, connection: SyncConnection, first_days: Mapping[str, date]) -> list[Meant | NotCounted]:
    """What each of these start dates means; a package that cannot be asked is told of instead."""
    found: list[Meant | NotCounted] = []
    for category, first_day in first_days.items():
        try:
            found.append(meant(gateway, connection, category, first_day))
        except SyncError as error:
            found.append(NotCounted(category, first_day, str(error)))
    return found


def begun(package: Package, before: Settings, after: Settings) -> dict[str, date]:
    """The dated categories that a change of settings gives another first day, or switches on: category → first day."""
    found = {}
    for category in package.imports:
        if category.start is None or not after.categories[category.name][ENABLED]:
            continue
        names = (ENABLED, category.start.name)
        then, now = (tuple(each.categories[category.name][name] for name in names) for each in (before, after))
        if then != now:
            found[category.name] = date.fromisoformat(str(now[1]))
    return found
