"""The values that a filter may have, read from the package when somebody opens it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse

from outsmart_sync.errors import SyncError
from outsmart_sync.services import choices, settings
from outsmart_sync.services.setting_values import settings_of
from outsmart_sync.webapp import access, opened
from outsmart_sync.webapp.pages import View

router = APIRouter()


@router.get("/connections/{connection_id}/choices/{category}/{name}")
def show(view: View, connection_id: int, category: str, name: str, request: Request) -> HTMLResponse:
    """A filter's values, those ticked that are ticked on the page or, where it says nothing, saved."""
    store = opened.store()
    connection, rights = access.open_connection(store, view.user, connection_id, "edit")
    found = {each.name: each for each in rights.package.imports}.get(category)
    setting: Any = settings_of(found).get(name) if found else None
    if setting is None:
        raise HTTPException(404)
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
