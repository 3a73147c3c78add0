"""The values that a filter may have, read from the package when somebody opens it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse

from outsmart_sync.errors import SyncError
from outsmart_sync.services import choices, settings
from outsmart_sync.services.setting_values import settings_of
from outsmart_sync.store.connections import SyncConnection
from outsmart_sync.webapp import access, forms, opened
from outsmart_sync.webapp.pages import Shown, View

router = APIRouter()


@router.get("/connections/{connection_id}/choices/{category}/{name}")
def show(view: View, connection_id: access.Number, category: str, name: str, request: Request) -> HTMLResponse:
    """A setting's values, those ticked that are ticked on the page or, where it says nothing, saved."""
    store = opened.store()
    connection, setting = _setting(view, connection_id, category, name)
    whole_name = f"{category}.{name}"
    chosen = request.query_params.getlist(whole_name)
    if not chosen and "typed" not in request.query_params:
        saved = settings.read(store, connection).categories[category][name]
        chosen = saved if isinstance(saved, list) else [saved]
    try:
        offered = choices.choices(opened.gateway(), connection, category, name)
        error = None
    except SyncError as problem:
        offered, error = [(value, value) for value in chosen if value], problem
    gone = [value for value in chosen if value and value not in dict(offered)]
    return view.page(
        "choices.html", whole_name=whole_name, setting=setting, offered=offered, chosen=chosen, gone=gone, error=error
    )


@router.get("/connections/{connection_id}/rules/{category}/{name}")
def show_rules(view: View, connection_id: access.Number, category: str, name: str, request: Request) -> HTMLResponse:
    """All values that may have a rule, with the rules that stand on the page."""
    connection, setting = _setting(view, connection_id, category, name)
    whole_name = f"{category}.{name}"
    typed = {key: request.query_params.getlist(key) for key in request.query_params}
    found, error = None, None
    try:
        found = choices.rule_choices(opened.gateway(), connection, category, name)
    except SyncError as problem:
        error = problem
    return view.page(
        "rules.html",
        whole_name=whole_name,
        setting=setting,
        chosen=forms.rules(typed, whole_name),
        found=found,
        error=error,
    )


@router.get("/connections/{connection_id}/suggestions/{category}/{name}")
def suggest(view: View, connection_id: access.Number, category: str, name: str, request: Request) -> HTMLResponse:
    """Codes that a person may mean who has typed this much."""
    connection, _ = _setting(view, connection_id, category, name)
    typed = request.query_params.get(f"{category}.{name}", "")
    return view.page("suggestions.html", found=choices.suggested(opened.store(), connection, category, name, typed))


def _setting(view: Shown, connection_id: int, category: str, name: str) -> tuple[SyncConnection, Any]:
    """A setting that this person may change.

    Raises:
        HTTPException: 404: there is none.
    """
    connection, rights = access.open_connection(opened.store(), view.user, connection_id, "look")
    found = {each.name: each for each in rights.package.categories}.get(category)
    setting = settings_of(found).get(name) if found else None
    if setting is None:
        raise HTTPException(404)
    rights.require(access.right_to_change(category, rights.package))
    return connection, setting
