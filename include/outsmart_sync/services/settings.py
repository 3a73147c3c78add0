"""Settings: what is switched on, and by which filters; checked as a whole, saved as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import msgspec
import yaml
from sqlalchemy import select

from outsmart_sync.errors import InvalidSettings, Problem, SyncError
from outsmart_sync.providers.packages import package as package_of
from outsmart_sync.records.export_catalogue import WORK_ORDERS
from outsmart_sync.records.setting_kinds import Switch
from outsmart_sync.services import choices, export_switch, leading, setting_values
from outsmart_sync.services.setting_values import ENABLED, WrongValue
from outsmart_sync.store import dialect
from outsmart_sync.store.tables import setting, sync_connection

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from outsmart_sync.records.catalogue import ImportCategory, Package
    from outsmart_sync.records.export_catalogue import ExportCategory
    from outsmart_sync.records.setting_kinds import Setting
    from outsmart_sync.services.gateway import Gateway
    from outsmart_sync.store.connections import SyncConnection
    from outsmart_sync.store.store import Store

LICENCE = "licence"
AUTOMATIC = "automatic"
"""Setting of a connection: whether scheduled runs take it along; off, it is synced by hand only."""

CHANGED_MEANWHILE = "changed_meanwhile"
"""Code of the error for settings that somebody else has saved since they were read."""

Values = dict[tuple[str, str], Any]
"""Category and setting → value; settings of the connection itself are of the category ''."""

_OF_CONNECTION = ""
_AUTOMATIC = Switch(name=AUTOMATIC, label="Sync by itself, every quarter of an hour", default=True)
_RARE_BREAKS = "\x85\u2028\u2029"


class _TextLoader(yaml.SafeLoader):
    """Reads every value as the text it is written as: YAML would make a number of a code such as 0100."""


_TextLoader.yaml_implicit_resolvers = {}


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of a sync connection, complete with defaults.

    Attributes:
        licence: The integration licence, one of the package's: ``none``, the lowest one that imports, or higher.
        categories: Category → setting → value; every category has ``enabled``, off at first.
        automatic: Whether scheduled runs take the connection along.
        version: Changes whenever something is saved.
    """

    licence: str
    categories: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    automatic: bool = True
    version: str = field(default="", compare=False)

    def enabled(self, package: Package) -> list[ImportCategory]:
        """The import categories that are switched on and covered by the licence, in the package's order."""
        return [
            category
            for category in package.imports
            if self.categories[category.name][ENABLED] and _covers(package, self.licence, category)
        ]

    def exporting(self, package: Package) -> list[ExportCategory]:
        """The export categories that are switched on and covered by the licence."""
        return [
            category
            for category in package.export_categories
            if self.categories[category.name][ENABLED] and _covers(package, self.licence, category)
        ]

    def beyond_licence(self, package: Package) -> dict[str, str]:
        """The categories that are switched on and that the licence does not cover → the sentence that says so."""
        return {
            category.name: needs_licence(category, self.licence)
            for category in package.categories
            if self.categories[category.name][ENABLED] and not _covers(package, self.licence, category)
        }

    def of(self, category: ImportCategory) -> dict[str, Any]:
        """The settings of a category, with those of another one that say which rows are whose."""
        shared = {split.setting: self.categories[split.category][split.setting] for split in category.splits}
        return {**shared, **self.categories[category.name]}

    def as_document(self) -> dict[str, Any]:
        """The form in which settings are shown and loaded."""
        connection = {LICENCE: self.licence, AUTOMATIC: self.automatic}
        return {**connection, **{name: dict(values) for name, values in self.categories.items()}}


def read(store: Store, connection: SyncConnection) -> Settings:
    """The settings of a connection."""
    return read_all(store, [connection])[connection.id]


def read_all(store: Store, wanted: Sequence[SyncConnection]) -> dict[int, Settings]:
    """Connection → its settings."""
    with store.read() as transaction:
        stored = _stored(transaction, [each.id for each in wanted])
    return {each.id: _settings(package_of(each.package), stored.get(each.id, [])) for each in wanted}


def _stored(transaction: Connection, connection_ids: Sequence[int]) -> dict[int, list[Row[Any]]]:
    found: dict[int, list[Row[Any]]] = {}
    for row in transaction.execute(select(setting).where(setting.c.connection_id.in_(connection_ids))):
        found.setdefault(row.connection_id, []).append(row)
    return found


def _settings(package: Package, rows: Sequence[Row[Any]]) -> Settings:
    stored = {(row.category, row.name): msgspec.json.decode(row.value) for row in rows}
    categories = {
        category.name: {
            name: stored.get((category.name, name), setting_values.default_of(each))
            for name, each in setting_values.settings_of(category).items()
        }
        for category in package.categories
    }
    return Settings(
        stored.get((_OF_CONNECTION, LICENCE), package.tiers[1]),
        categories,
        stored.get((_OF_CONNECTION, AUTOMATIC), True),
        _version(rows),
    )


def _version(rows: Sequence[Row[Any]]) -> str:
    """When what is synced was saved last; other values that are kept of the connection do not count."""
    synced = [row.changed_at for row in rows if row.category != _OF_CONNECTION or row.name in (LICENCE, AUTOMATIC)]
    return max(synced).isoformat() if synced else ""


def save(
    store: Store,
    connection: SyncConnection,
    changes: Mapping[str, Any],
    *,
    gateway: Gateway | None = None,
    version: str | None = None,
) -> Settings:
    """Change settings.

    Args:
        store: The store.
        connection: Whose settings.
        changes: ``licence``, and category → setting → value; what is not named stays.
        gateway: Opens the vendors, for values that they must have: each list that a new value is of is read once. None:
            such values are saved unchecked.
        version: The version that the changes were made to; when somebody has saved since, nothing is saved. None: any.

    Raises:
        InvalidSettings: Something is unknown or of the wrong kind; all problems are named and nothing is saved.
        SyncError: A vendor that must be asked refuses or does not answer; nothing is saved.
    """
    package = package_of(connection.package)
    problems: list[Problem] = []
    values = _checked(package, changes, problems)
    current = read(store, connection)
    licence = values.get((_OF_CONNECTION, LICENCE), current.licence)
    problems += _beyond_licence(package, licence, values)
    problems += export_switch.problems(store, connection, values)
    problems += _led_by_others(store, connection, current, values)
    if gateway is not None:
        _compared(gateway, connection, current, values, problems)
        _proposed(gateway, connection, current, values, problems)
    if problems:
        raise InvalidSettings(
            _not_saved(problems), remedy=f"See what there is with: outsmart-sync settings show {connection.id}"
        ).at(problems)
    _fill_start_dates(store, package, current, values)
    if WORK_ORDERS in current.categories:
        export_switch.fill(store, current.categories[WORK_ORDERS], values)
    _write(store, connection, values, version)
    return read(store, connection)


def keep(store: Store, connection: SyncConnection, values: Mapping[str, Any]) -> None:
    """Keep values of the connection itself that are none of its synced settings, such as who is told of trouble."""
    _write(store, connection, {(_OF_CONNECTION, name): value for name, value in values.items()}, None)


def _write(store: Store, connection: SyncConnection, values: Values, version: str | None) -> None:
    with store.begin() as transaction:
        _require_version(transaction, connection, version)
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


def _require_version(transaction: Connection, connection: SyncConnection, version: str | None) -> None:
    if version is None:
        return
    # Whoever saves at the same moment waits here, and then sees what was saved.
    transaction.execute(select(sync_connection.c.id).where(sync_connection.c.id == connection.id).with_for_update())
    stored = _stored(transaction, [connection.id]).get(connection.id, [])
    if _version(stored) != version:
        raise InvalidSettings(
            "Somebody else saved these settings while you were changing them, so yours were not saved.",
            remedy="Compare what you see with what is saved now, and save again to keep yours.",
            code=CHANGED_MEANWHILE,
        )


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


def today_of(store: Store, package: Package) -> date:
    """The calendar day of a package's administrations."""
    return store.now().astimezone(ZoneInfo(package.timezone)).date()


def _checked(package: Package, changes: Mapping[str, Any], problems: list[Problem]) -> Values:
    values: Values = {}
    names = [category.name for category in package.categories]
    for name, change in changes.items():
        if name == LICENCE:
            if change not in package.tiers:
                text = f"licence must be one of {', '.join(package.tiers)}, not '{change}'."
                problems.append(Problem(_OF_CONNECTION, LICENCE, text))
            values[_OF_CONNECTION, LICENCE] = change
        elif name == AUTOMATIC:
            known: Mapping[str, Setting] = {AUTOMATIC: _AUTOMATIC}
            _read_one(_OF_CONNECTION, "Connection", known, AUTOMATIC, change, values, problems)
        elif name not in names:
            text = f"there is no category '{name}' (there are {', '.join(names)})."
            problems.append(Problem(name, "", text))
        elif not isinstance(change, Mapping):
            problems.append(Problem(name, "", f"{name} needs settings of its own, such as enabled: true."))
        else:
            category = package.any_category(name)
            known = setting_values.settings_of(category)
            for setting_name, value in change.items():
                _read_one(name, category.label, known, setting_name, value, values, problems)
    return values


def _read_one(
    category: str,
    label: str,
    known: Mapping[str, Setting],
    name: str,
    value: Any,
    values: Values,
    problems: list[Problem],
) -> None:
    try:
        values[category, name] = setting_values.read(category, known, name, value, label)
    except WrongValue as error:
        problems.append(Problem(category, name, str(error)))


def _compared(
    gateway: Gateway, connection: SyncConnection, current: Settings, values: Values, problems: list[Problem]
) -> None:
    """Compare with the vendors' lists what is new, and write it as they do.

    Raises:
        SyncError: A vendor cannot be asked, so nothing can be saved.
    """
    package = package_of(connection.package)
    known: choices.Known = {}
    for (name, setting_name), value in list(values.items()):
        if name == _OF_CONNECTION or value == current.categories[name][setting_name]:
            continue
        category = package.any_category(name)
        setting = setting_values.settings_of(category)[setting_name]
        try:
            values[name, setting_name] = choices.compared(gateway, connection, name, setting, value, known)
        except WrongValue as error:
            problems.append(Problem(name, setting_name, str(error)))
        except SyncError as error:
            at = setting_values.place_of(name, setting, category.label)
            text = f"{at.name} ({at.category}: {at.label}) could not be compared: {error.what}"
            error.what = _not_saved([*problems, Problem(name, setting_name, text)])
            error.remedy = f"{error.remedy} To save it all the same: --unchecked".strip()
            raise


def _led_by_others(store: Store, connection: SyncConnection, current: Settings, values: Values) -> list[Problem]:
    """What another package of the same OutSmart account imports cannot be switched on."""
    switched_on = [
        name
        for (name, setting_name), value in values.items()
        if name and setting_name == ENABLED and value is True and not current.categories[name][ENABLED]
    ]
    led = leading.leaders(store, connection) if switched_on else {}
    return [Problem(name, ENABLED, led[name]) for name in switched_on if name in led]


def _proposed(
    gateway: Gateway, connection: SyncConnection, current: Settings, values: Values, problems: list[Problem]
) -> None:
    """Fill in which rows are whose, for categories that are switched on and where nobody has said so.

    Raises:
        SyncError: The vendor cannot be asked, so nothing can be saved.
    """
    package = package_of(connection.package)
    switched_on = [each for each in package.imports if values.get((each.name, ENABLED)) is True]
    for split in {split.setting: split for category in switched_on for split in category.splits}.values():
        place = (split.category, split.setting)
        asked = setting_values.settings_of(package.category(split.category))[split.setting]
        if values.get(place, current.categories[split.category][split.setting]):
            continue
        if found := choices.proposed(gateway, connection, asked):
            values[place] = found
        elif split.takes and (split.category, ENABLED) in values:
            at = setting_values.place_of(split.category, asked, package.category(split.category).label)
            text = (
                f"{at.name} ({at.category}: {at.label}) is empty, and nothing in the list looks like it; choose from: "
                f"outsmart-sync settings choices {connection.id} {at.name}"
            )
            problems.append(Problem(split.category, split.setting, text))


def _not_saved(problems: Iterable[Problem]) -> str:
    return "The settings were not saved: " + " ".join(map(str, problems))


def _fill_start_dates(store: Store, package: Package, current: Settings, values: Values) -> None:
    """A category that is switched on without a start date begins today; one that is on keeps the date it has."""
    for category in package.imports:
        if category.start is None:
            continue
        before, name = current.categories[category.name], category.start.name
        on = values.get((category.name, ENABLED), before[ENABLED])
        if on and not values.get((category.name, name), before[name]):
            kept = before[name] if before[ENABLED] else ""
            values[category.name, name] = kept or today_of(store, package).isoformat()


def _beyond_licence(package: Package, licence: str, values: Values) -> list[Problem]:
    if licence not in package.tiers:
        return []
    return [
        Problem(category.name, ENABLED, needs_licence(category, licence))
        for category in package.categories
        if values.get((category.name, ENABLED)) is True and not _covers(package, licence, category)
    ]


def needs_licence(category: ImportCategory | ExportCategory, licence: str) -> str:
    """What is said of a category that a licence does not cover."""
    return f"{category.label} needs the licence '{category.tier}', and this connection has '{licence}'."


def _covers(package: Package, licence: str, category: ImportCategory | ExportCategory) -> bool:
    return package.tiers.index(category.tier) <= package.tiers.index(licence)
