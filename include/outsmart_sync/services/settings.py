"""Settings: what is switched on, and by which filters; checked as a whole, saved as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import yaml
from sqlalchemy import select

from outsmart_sync.errors import InvalidSettings
from outsmart_sync.providers.packages import package as package_of
from outsmart_sync.records.catalogue import Choice, ImportCategory, Package
from outsmart_sync.store import dialect
from outsmart_sync.store.tables import setting

if TYPE_CHECKING:
    from outsmart_sync.store.connections import SyncConnection
    from outsmart_sync.store.store import Store

LICENCE = "licence"
ENABLED = "enabled"
_OF_CONNECTION = ""
_RARE_BREAKS = "\x85\u2028\u2029"


class _TextLoader(yaml.SafeLoader):
    """Reads every value as the text it is written as: YAML would make a number of a code such as 0100."""


_TextLoader.yaml_implicit_resolvers = {}


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of a sync connection, complete with defaults.

    Attributes:
        licence: The integration licence: ``none``, ``basic`` or higher.
        categories: Category → setting → value; every category has ``enabled``, off at first.
    """

    licence: str
    categories: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def enabled(self, package: Package) -> list[ImportCategory]:
        """The import categories that are switched on and covered by the licence, in the package's order."""
        rank = package.tiers.index(self.licence)
        return [
            category
            for category in package.imports
            if self.categories[category.name][ENABLED] and package.tiers.index(category.tier) <= rank
        ]

    def as_document(self) -> dict[str, Any]:
        """The form in which settings are shown and loaded."""
        return {LICENCE: self.licence, **{name: dict(values) for name, values in self.categories.items()}}


def read(store: Store, connection: SyncConnection) -> Settings:
    """The settings of a connection."""
    package = package_of(connection.package)
    query = select(setting.c.category, setting.c.name, setting.c.value).where(setting.c.connection_id == connection.id)
    with store.read() as transaction:
        stored = {(row.category, row.name): msgspec.json.decode(row.value) for row in transaction.execute(query)}
    categories = {
        category.name: {
            name: stored.get((category.name, name), default) for name, default in _defaults(category).items()
        }
        for category in package.imports
    }
    return Settings(stored.get((_OF_CONNECTION, LICENCE), "basic"), categories)


def save(store: Store, connection: SyncConnection, changes: Mapping[str, Any]) -> Settings:
    """Change settings.

    Args:
        store: The store.
        connection: Whose settings.
        changes: ``licence``, and category → setting → value; what is not named stays.

    Raises:
        InvalidSettings: Something is unknown or of the wrong kind; all problems are named and nothing is saved.
    """
    package = package_of(connection.package)
    problems: list[str] = []
    values = _checked(package, changes, problems)
    licence = values.get((_OF_CONNECTION, LICENCE), read(store, connection).licence)
    problems += _beyond_licence(package, licence, values)
    if problems:
        raise InvalidSettings(
            "The settings were not saved: " + " ".join(problems),
            remedy=f"See what there is with: outsmart-sync settings show {connection.id}",
        )
    with store.begin() as transaction:
        now = dialect.now(transaction)
        for (category, name), value in values.items():
            text = msgspec.json.encode(value).decode()
            statement = dialect.upsert(transaction, setting).values(
                connection_id=connection.id, category=category, name=name, value=text, changed_at=now
            )
            transaction.execute(
                statement.on_conflict_do_update(
                    index_elements=[setting.c.connection_id, setting.c.category, setting.c.name],
                    set_={"value": text, "changed_at": now},
                )
            )
    return read(store, connection)


def load(path: Path) -> dict[str, Any]:
    """The changes in a YAML file, in the form that :meth:`Settings.as_document` shows; every value is text.

    Raises:
        InvalidSettings: The file cannot be read or is no such document.
    """
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=_TextLoader)  # noqa: S506 - a safe loader
    except OSError as error:
        raise InvalidSettings(f"{path} cannot be read: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InvalidSettings(f"{path} is not a YAML file.", technical=str(error)) from error
    if not isinstance(document, dict):
        raise InvalidSettings(f"{path} holds no settings.", remedy="It begins with lines such as: relations:")
    return document


def as_yaml(document: Mapping[str, Any]) -> str:
    """A document as the text that :func:`load` reads."""
    text = yaml.safe_dump(dict(document), sort_keys=False, allow_unicode=True)
    if not any(mark in text for mark in _RARE_BREAKS):
        return text
    return yaml.safe_dump(dict(document), sort_keys=False)  # escaped: YAML reads such line breaks as blanks


def parse(text: str) -> dict[str, Any]:
    """One change written as ``relations.types=customer,prospect`` or ``licence=pro``.

    Raises:
        InvalidSettings: It is not written so.
    """
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise InvalidSettings(
            f"'{text}' is not a setting.",
            remedy="Write it as relations.enabled=true or relations.types=customer,prospect.",
        )
    category, dot, setting_name = name.strip().partition(".")
    if not dot:
        return {category: value.strip()}
    return {category: {setting_name: value.strip()}}


def parse_all(texts: Iterable[str]) -> dict[str, Any]:
    """Several changes, each written as for :func:`parse`; the last one of a setting counts.

    A value where a category belongs is kept, for :func:`save` to name it.

    Raises:
        InvalidSettings: One of them is not written so.
    """
    changes: dict[str, Any] = {}
    for text in texts:
        for name, value in parse(text).items():
            before = changes.get(name)
            if isinstance(value, dict) and before is not None:
                changes[name] = {**before, **value} if isinstance(before, dict) else before
            else:
                changes[name] = value
    return changes


def _read_text(value: str, default: Any) -> Any:
    """A value typed as text, as the kind of value that the setting holds."""
    if isinstance(default, bool):
        return {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}.get(
            value.lower(), value
        )
    return [part.strip() for part in value.split(",") if part.strip()]


def _defaults(category: ImportCategory) -> dict[str, Any]:
    defaults: dict[str, Any] = {ENABLED: False}
    for each in category.filters:
        defaults[each.name] = list(each.default) if isinstance(each, Choice) else each.default
    return defaults


def _checked(package: Package, changes: Mapping[str, Any], problems: list[str]) -> dict[tuple[str, str], Any]:
    values: dict[tuple[str, str], Any] = {}
    names = [category.name for category in package.imports]
    for name, change in changes.items():
        if name == LICENCE:
            if change not in package.tiers:
                problems.append(f"licence must be one of {', '.join(package.tiers)}, not '{change}'.")
            values[_OF_CONNECTION, LICENCE] = change
        elif name not in names:
            problems.append(f"there is no category '{name}' (there are {', '.join(names)}).")
        elif not isinstance(change, Mapping):
            problems.append(f"{name} needs settings of its own, such as enabled: true.")
        else:
            for setting_name, value in change.items():
                _check_one(package.category(name), setting_name, value, values, problems)
    return values


def _check_one(
    category: ImportCategory, name: str, value: Any, values: dict[tuple[str, str], Any], problems: list[str]
) -> None:
    known = _defaults(category)
    if name not in known:
        problems.append(f"{category.name} has no setting '{name}' (it has {', '.join(known)}).")
        return
    if isinstance(value, str):
        value = _read_text(value, known[name])
    if isinstance(known[name], bool):
        if not isinstance(value, bool):
            problems.append(f"{category.name}.{name} must be true or false, not '{value}'.")
    elif not isinstance(value, (list, tuple)):
        problems.append(f"{category.name}.{name} must be a list, not '{value}'.")
        return
    else:
        value = [str(each) for each in value]
        choice = next(each for each in category.filters if each.name == name)
        allowed = choice.values if isinstance(choice, Choice) else {}
        if allowed and (unknown := [each for each in value if each not in allowed]):
            problems.append(f"{category.name}.{name}: {', '.join(unknown)} is none of {', '.join(allowed)}.")
    values[category.name, name] = value


def _beyond_licence(package: Package, licence: str, values: dict[tuple[str, str], Any]) -> list[str]:
    if licence not in package.tiers:
        return []
    rank = package.tiers.index(licence)
    return [
        f"{category.label} needs the licence '{category.tier}', and this connection has '{licence}'."
        for category in package.imports
        if values.get((category.name, ENABLED)) is True and package.tiers.index(category.tier) > rank
    ]
