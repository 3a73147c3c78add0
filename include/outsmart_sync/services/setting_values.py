"""What a setting of a category may hold, by its kind: what is typed is read, and what is wrong with it is said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from outsmart_sync.records.export_settings import CODED_VERBS, VERBS
from outsmart_sync.records.setting_kinds import Choice, CutOff, Limit, Rules, Setting, StartDate, Switch, Text

if TYPE_CHECKING:
    from outsmart_sync.records.catalogue import ImportCategory
    from outsmart_sync.records.export_catalogue import ExportCategory

ENABLED = "enabled"
"""The setting that every category has: whether it is switched on."""

_ENABLED = Switch(name=ENABLED, label="Switched on", lets="")
_WORDS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_DATE_FORMS = ("%Y-%m-%d", "%d-%m-%Y")
_FIRST_DAY = date(1900, 1, 1)  # earlier ones are slips of the pen, and no vendor's database takes them all


class WrongValue(Exception):
    """A setting that does not exist, or cannot hold what it is given; its text is the sentence that says so."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a setting is: the name that commands and files take, and the words that the page has for it.

    Attributes:
        name: Category and setting, joined by a dot; a setting of the connection itself has no category.
        category: Label of the category.
        label: Label of the setting.
    """

    name: str
    category: str
    label: str


def place_of(category: str, setting: Setting, label: str = "") -> Place:
    """Where a setting is.

    Args:
        category: The category's name; '' for the connection itself.
        setting: The setting.
        label: The category's label; '': its name serves.
    """
    return Place(f"{category}.{setting.name}" if category else setting.name, label or category, setting.label)


def settings_of(category: ImportCategory | ExportCategory) -> dict[str, Setting]:
    """Every setting of a category by name, ``enabled`` first."""
    return {ENABLED: _ENABLED, **{each.name: each for each in category.filters}}


def default_of(setting: Setting) -> Any:
    """What a setting holds until a person changes it."""
    if isinstance(setting, Rules):
        return dict(setting.default)
    return list(setting.default) if isinstance(setting, Choice) else setting.default


def read(category: str, known: Mapping[str, Setting], name: str, value: Any, label: str = "") -> Any:
    """A value in the form in which it is kept.

    Args:
        category: The category's name, for the message.
        known: Its settings.
        name: Name of the setting.
        value: What was typed or handed over.
        label: The category's label, for the message; '': its name serves.

    Raises:
        WrongValue: The category has no such setting, or it cannot hold this; with the sentence that says so.
    """
    setting = known.get(name)
    if setting is None:
        raise WrongValue(f"{category} has no setting '{name}' (it has {', '.join(known)}).")
    at = place_of(category, setting, label)
    if isinstance(setting, Switch):
        return _switch(at, value)
    if isinstance(setting, Choice):
        return _chosen(at, setting, value)
    if isinstance(setting, StartDate):
        return _day(at, value)
    if isinstance(setting, CutOff):
        return _moment(at, value)
    if isinstance(setting, Rules):
        return _rules(at, value)
    return _text(at, setting, value)


def _switch(at: Place, value: Any) -> bool:
    found = _WORDS.get(value.lower()) if isinstance(value, str) else value
    if not isinstance(found, bool):
        raise WrongValue(f"{at.name} ({at.category}: {at.label}) must be true or false, not '{value}'.")
    return found


def _chosen(at: Place, setting: Choice, value: Any) -> list[str]:
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    if not isinstance(value, (list, tuple)):
        raise WrongValue(f"{at.name} ({at.category}: {at.label}) must be a list, not '{value}'.")
    values = [str(each) for each in value]
    if setting.values and (unknown := [each for each in values if each not in setting.values]):
        raise _not_one_of(at, ", ".join(unknown), setting)
    return values


def _text(at: Place, setting: Text, value: Any) -> str:
    if value is None or isinstance(value, (bool, list, tuple, Mapping)):
        raise WrongValue(f"{at.name} ({at.category}: {at.label}) must be one value, not '{value}'.")
    text = str(value).strip()
    if isinstance(setting, Limit) and not (text.isascii() and text.isdecimal() and int(text) > 0):
        raise WrongValue(f"{at.name} ({at.category}: {at.label}) must be a whole number above 0, not '{value}'.")
    if setting.values and text not in setting.values:
        raise _not_one_of(at, text, setting)
    return text


def _not_one_of(at: Place, unknown: str, setting: Choice | Text) -> WrongValue:
    names, labels = ", ".join(setting.values), ", ".join(setting.values.values())
    return WrongValue(f"{at.name} ({at.category}: {at.label}): '{unknown}' is none of {names} ({labels}).")


def _moment(at: Place, value: Any) -> str:
    """A moment as ISO text in UTC, from a date or a date with a time; '' for none."""
    moment = value if isinstance(value, datetime) else _typed_moment(at, value)
    if moment is None:
        return ""
    if moment.date() < _FIRST_DAY:
        raise WrongValue(
            f"{at.name} ({at.category}: {at.label}) must be a moment such as 2026-01-31 or 2026-01-31T12:00, not "
            f"'{value}'."
        )
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat(timespec="seconds")


def _typed_moment(at: Place, value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(value.strip())
    except (AttributeError, ValueError):
        day = _day(at, value)
        return datetime.fromisoformat(day) if day else None


def _rules(at: Place, value: Any) -> dict[str, str]:
    """Value → what is done with it, from a mapping or from ``value=rule,value=rule``."""
    if isinstance(value, str):
        pairs = [each.partition("=")[::2] for each in value.split(",") if each.strip()]
        value = {key.strip(): rule.strip() for key, rule in pairs}
    if not isinstance(value, Mapping):
        raise WrongValue(f"{at.name} ({at.category}: {at.label}) must be rules such as 'Garantie=hold', not '{value}'.")
    rules = {str(key).strip(): str(rule).strip() for key, rule in value.items()}
    for key, rule in rules.items():
        verb, colon, code = rule.partition(":")
        if rule not in VERBS and not (colon and verb in CODED_VERBS and code.strip()):
            known = ", ".join((*VERBS, *(f"{each}:CODE" for each in CODED_VERBS)))
            raise WrongValue(f"{at.name} ({at.category}: {at.label}): '{rule}' for '{key}' is none of {known}.")
    return rules


def _day(at: Place, value: Any) -> str:
    """A plain date, as ISO text; '' for none."""
    if isinstance(value, date) and not isinstance(value, datetime):
        day: date | None = value
    elif isinstance(value, str) and not value.strip():
        return ""
    else:
        day = _typed_day(value.strip()) if isinstance(value, str) else None
    if day is None or day < _FIRST_DAY:
        raise WrongValue(f"{at.name} ({at.category}: {at.label}) must be a date such as 2026-01-31, not '{value}'.")
    return day.isoformat()


def _typed_day(text: str) -> date | None:
    for form in _DATE_FORMS:
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 - a plain date has no zone
        except ValueError:
            continue
    return None
