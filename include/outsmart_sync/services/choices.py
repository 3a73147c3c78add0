"""Which values a setting may have: those that the catalogue names, or those that a vendor's list holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from outsmart_sync.errors import InvalidSettings
from outsmart_sync.providers.packages import package as package_of
from outsmart_sync.records.export_catalogue import JOURNALS, PAYMENT_CONDITIONS
from outsmart_sync.records.export_settings import CONDITION, JOURNAL
from outsmart_sync.records.setting_kinds import Choice, Rules, Switch, Text
from outsmart_sync.records.values import is_machine_made
from outsmart_sync.services import history
from outsmart_sync.services.setting_values import Place, WrongValue, place_of, settings_of

if TYPE_CHECKING:
    from outsmart_sync.records.setting_kinds import Setting, ValueList
    from outsmart_sync.services.gateway import Gateway
    from outsmart_sync.store.connections import SyncConnection
    from outsmart_sync.store.store import Store

Choices = list[tuple[str, str]]
"""Values that may be chosen, with what a person knows them by."""

Known = dict["ValueList", Choices]
"""Lists that have been read."""

_CODED = {JOURNAL: JOURNALS, CONDITION: PAYMENT_CONDITIONS}
"""What a rule may choose by a code → the setting that holds such a code for all work orders."""

_SHOWN = 5
_SUGGESTED, _LOOKED_THROUGH = 20, 200


def choices(gateway: Gateway, connection: SyncConnection, category: str, name: str) -> Choices:
    """The values that a setting may have.

    Args:
        gateway: Opens the vendor that keeps the list, if one does.
        connection: Whose setting.
        category: Name of the category.
        name: Name of the setting.

    Raises:
        InvalidSettings: There is no such setting, or it may hold anything.
        SyncError: The vendor refuses or does not answer.
    """
    setting = _setting(connection, category, name)
    if isinstance(setting, Switch):
        return [("true", "on"), ("false", "off")]
    if isinstance(setting, (Choice, Text)) and setting.values:
        return list(setting.values.items())
    listed = _list_of(setting)
    if listed is None:
        raise InvalidSettings(
            f"{category}.{name} is not chosen from a list.",
            remedy=f"Write what is asked for: {setting.label}.",
            code="no_choices",
        )
    return _read(gateway, connection, listed)


def compared(
    gateway: Gateway, connection: SyncConnection, category: str, setting: Setting, value: Any, known: Known
) -> Any:
    """A new value as the vendor's list writes it: found without regard to case and blanks, or by what it is known by.

    Args:
        gateway: Opens the vendor.
        connection: Whose setting.
        category: Name of the category.
        setting: The setting; one without a vendor's list keeps its value, and costs no call.
        value: What it is to hold, in the form in which it is kept.
        known: Lists that have been read so far; added to.

    Raises:
        WrongValue: The list does not hold it; with a sentence that names some of what it holds.
        SyncError: The vendor refuses or does not answer.
    """
    listed = _list_of(setting)
    if listed is None or not value:
        return value
    if listed not in known:
        known[listed] = _read(gateway, connection, listed)
    if isinstance(setting, Rules):
        rules = _rules(connection, _place(connection, category, setting), setting, value, known[listed])
        return {each: _coded(gateway, connection, category, setting, rule, known) for each, rule in rules.items()}
    wanted = value if isinstance(value, list) else [value]
    found = [_written(each, known[listed]) for each in wanted]
    if unknown := [each for each, there in zip(wanted, found, strict=True) if there is None]:
        raise WrongValue(_unknown(connection, _place(connection, category, setting), listed, unknown, known[listed]))
    return list(dict.fromkeys(found)) if isinstance(value, list) else found[0]


def _rules(connection: SyncConnection, at: Place, setting: Rules, value: dict[str, str], there: Choices) -> Any:
    """Rules for values that the list holds, as it writes them; those that are there at first need not be in it."""
    found = {each: _written(each, there) for each in value}
    if unknown := [each for each, written in found.items() if written is None and each not in setting.default]:
        raise WrongValue(_unknown(connection, at, setting.lists, unknown, there))
    return {found[each] or each: rule for each, rule in value.items()}


def _coded(
    gateway: Gateway, connection: SyncConnection, category: str, setting: Setting, rule: str, known: Known
) -> str:
    """A rule as it is kept: its code is one of the package's own list, where it has one."""
    verb, _, code = rule.partition(":")
    if verb not in _CODED:
        return rule
    holder = _settings(connection, category).get(_CODED[verb])
    listed = _list_of(holder) if holder else None
    if holder is None or listed is None:
        at, vendor = _place(connection, category, setting), package_of(connection.package).label
        raise WrongValue(
            f"{at.name} ({at.category}: {at.label}): {rule} cannot be chosen, since {vendor} has no list for it."
        )
    if listed not in known:
        known[listed] = _read(gateway, connection, listed)
    written = _written(code, known[listed])
    if written is None:
        raise WrongValue(_unknown(connection, _place(connection, category, holder), listed, [code], known[listed]))
    return f"{verb}:{written}"


@dataclass(frozen=True, slots=True)
class RuleChoices:
    """What a setting with rules may hold.

    Attributes:
        values: The values that may have a rule, with what a person knows them by.
        coded: Kind of rule with a code of the package → the codes.
    """

    values: Choices
    coded: dict[str, Choices]


def rule_choices(gateway: Gateway, connection: SyncConnection, category: str, name: str) -> RuleChoices:
    """The values that a setting with rules may have rules for, and the codes that those may name.

    Raises:
        InvalidSettings: There is no such setting, or it has no rules.
        SyncError: A vendor refuses or does not answer.
    """
    values = choices(gateway, connection, category, name)
    named = {verb: _settings(connection, category).get(name) for verb, name in _CODED.items()}
    lists = {verb: listed for verb, setting in named.items() if setting and (listed := _list_of(setting))}
    return RuleChoices(values, {verb: _read(gateway, connection, listed) for verb, listed in lists.items()})


def _settings(connection: SyncConnection, category: str) -> dict[str, Setting]:
    return settings_of(package_of(connection.package).any_category(category))


def _place(connection: SyncConnection, category: str, setting: Setting) -> Place:
    return place_of(category, setting, package_of(connection.package).any_category(category).label)


def suggested(store: Store, connection: SyncConnection, category: str, name: str, typed: str) -> Choices:
    """Codes that a person may mean who has typed this much, with what they stand for; the nearest first.

    Raises:
        InvalidSettings: There is no such setting.
    """
    setting = _setting(connection, category, name)
    record = setting.suggests if isinstance(setting, Text) else ""
    if not record or not typed.strip():
        return []
    found = history.search(store, [connection.id], typed, limit=_LOOKED_THROUGH)
    return [(each.code, each.title) for each in found if each.record == record][:_SUGGESTED]


def proposed(gateway: Gateway, connection: SyncConnection, setting: Setting) -> list[str]:
    """The values of a setting's list that a person would most likely choose; none where the list proposes nothing.

    Raises:
        SyncError: The vendor refuses or does not answer.
    """
    listed = _list_of(setting)
    if listed is None or listed.proposes is None:
        return []
    return listed.proposes(_read(gateway, connection, listed))


def _setting(connection: SyncConnection, category: str, name: str) -> Setting:
    package = package_of(connection.package)
    found = {each.name: settings_of(each) for each in package.categories}
    if category not in found:
        raise InvalidSettings(
            f"There is no category '{category}'.", remedy=f"Choose one of: {', '.join(found)}.", code="unknown_category"
        )
    if name not in found[category]:
        raise InvalidSettings(
            f"{category} has no setting '{name}'.", remedy=f"Choose one of: {', '.join(found[category])}."
        )
    return found[category][name]


def _list_of(setting: Setting) -> ValueList | None:
    return setting.lists if isinstance(setting, (Choice, Text, Rules)) else None


def _read(gateway: Gateway, connection: SyncConnection, listed: ValueList) -> Choices:
    if not listed.in_outsmart and not connection.administration:
        raise InvalidSettings(
            f"Connection {connection.id} has no administration yet whose {listed.label} could be looked at.",
            remedy="Choose the administration first.",
            code="no_administration",
        )
    opened = gateway.destination(connection) if listed.in_outsmart else gateway.door(connection).source()
    try:
        return opened.choices(listed)
    finally:
        opened.close()


def _written(value: str, there: Choices) -> str | None:
    """The one value of a list that is meant; None: there is none, or more than one."""
    same = value.strip().casefold()
    exact = [each for each, _ in there if each == value]
    alike = [each for each, _ in there if each.strip().casefold() == same]
    named = [each for each, label in there if label.strip().casefold() == same]
    found = exact or alike or named
    return found[0] if len(found) == 1 else None


def _unknown(connection: SyncConnection, at: Place, listed: ValueList, unknown: list[str], there: Choices) -> str:
    vendor, wanted = "OutSmart" if listed.in_outsmart else package_of(connection.package).label, ", ".join(unknown)
    if not there:
        return f"{at.name} ({at.category}: {at.label}): {wanted} is not among the {listed.label}: {vendor} has none."
    some, rest = ", ".join(_known_by(*each) for each in there[:_SHOWN]), len(there) - _SHOWN
    if rest <= 0:
        return (
            f"{at.name} ({at.category}: {at.label}): {wanted} is not among the {listed.label} ({vendor} has {some}; as "
            f"a list: outsmart-sync settings choices {connection.id} {at.name})."
        )
    return (
        f"{at.name} ({at.category}: {at.label}): {wanted} is not among the {listed.label} ({vendor} has {some} and "
        f"{rest} more; all of them: outsmart-sync settings choices {connection.id} {at.name})."
    )


def _known_by(value: str, label: str) -> str:
    """What a person calls a value of a list: an id that a machine gave it tells nobody anything."""
    return label if label == value or is_machine_made(value) else f"{value} ({label})"
