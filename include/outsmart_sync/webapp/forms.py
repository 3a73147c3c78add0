"""Reads forms: what a person switched, chose and typed, in the shape in which services take it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData

from outsmart_sync.records.catalogue import Package
from outsmart_sync.records.export_settings import EXPORT
from outsmart_sync.records.setting_kinds import Choice, CutOff, Rules, Switch
from outsmart_sync.services.setting_values import settings_of

Form = Mapping[str, list[str]]
"""A form's fields with their values; a field that was left empty or unticked may be missing."""

SHOWN = "shown"
"""Hidden field that names each setting the form shows: one that is shown and not sent was unticked."""

OF = "/"
"""Stands between the name of a setting with rules, and the value that a rule is for."""

_Answer = TypeVar("_Answer")


def plain(form: FormData) -> dict[str, list[str]]:
    """A form's texts; files are of no use here."""
    return {name: [str(value) for value in form.getlist(name) if isinstance(value, str)] for name in form}


async def in_thread(call: Callable[..., _Answer], *values: Any) -> _Answer:
    """Run what talks to databases and vendors beside the server's loop."""
    return await run_in_threadpool(call, *values)


def changes(form: Form, package: Package) -> dict[str, Any]:
    """What a settings form changes, in the shape that ``settings.save`` takes."""
    found: dict[str, Any] = {}
    if licence := form.get("licence"):
        found["licence"] = licence[0]
    known = {category.name: settings_of(category) for category in package.categories}
    for whole_name in form.get(SHOWN, []):
        category, _, name = whole_name.partition(".")
        setting = known.get(category, {}).get(name)
        sent = form.get(whole_name, [])
        value: Any = sent[0] if sent else ""
        if isinstance(setting, Switch):
            value = bool(sent)
        elif isinstance(setting, Choice):
            value = [each.strip() for each in sent if each.strip()]
        elif isinstance(setting, Rules):
            value = rules(form, whole_name)
        elif isinstance(setting, CutOff):
            value = moment(value, package.timezone)
        found.setdefault(category, {})[name] = value
    return found


def rules(form: Form, whole_name: str) -> dict[str, str]:
    """Value → what is done with it; what is exported as any other needs no rule."""
    beginning = whole_name + OF
    named = {name.removeprefix(beginning): sent for name, sent in form.items() if name.startswith(beginning)}
    return {value: sent[0] for value, sent in named.items() if sent and sent[0] not in ("", EXPORT)}


def moment(typed: str, timezone: str) -> str:
    """A moment as a browser sends it, on the clock of the package's time zone; what is none is left as it was typed."""
    try:
        found = datetime.fromisoformat(typed.strip())
    except ValueError:
        return typed
    return (found if found.tzinfo else found.replace(tzinfo=ZoneInfo(timezone))).isoformat()
