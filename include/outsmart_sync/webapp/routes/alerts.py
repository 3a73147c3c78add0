"""Who hears when something breaks and when it works again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, Response

from outsmart_sync.errors import SyncError
from outsmart_sync.languages.catalogue import DEFAULT
from outsmart_sync.providers.messages.hook import MessageHook
from outsmart_sync.services import alerts
from outsmart_sync.store.connections import State
from outsmart_sync.webapp import access, opened
from outsmart_sync.webapp.pages import Shown, View

router = APIRouter()

_OK, _UNPROCESSABLE = 200, 422


def _page(
    view: Shown, *, failed: int = 0, error: SyncError | None = None, typed: tuple[str, str, str] = ("", "", "")
) -> HTMLResponse:
    store = opened.store()
    visible = [each for each in access.visible_connections(store, view.user) if each.state is not State.DISCONNECTED]
    rights = {each.package.name: each for each in access.visible_packages(view.user)}
    return view.page(
        "alerts.html",
        status=_UNPROCESSABLE if error else _OK,
        visible=[each for each in visible if rights[each.package].edit],
        recipients={each.id: alerts.recipients(store, each) for each in visible},
        failed=failed,
        error=error,
        typed=typed,
    )


@router.get("/alerts")
def show(view: View) -> HTMLResponse:
    """Recipients per administration, for those who may edit."""
    return _page(view)


@router.post("/alerts/{connection_id}")
def save(
    view: View,
    connection_id: access.Number,
    emails: Annotated[str, Form()] = "",
    webhook: Annotated[str, Form()] = "",
    language: Annotated[str, Form()] = DEFAULT,
    test: Annotated[bool, Form()] = False,
) -> Response:
    """Keep who hears; with ``test``, also send a message."""
    store = opened.store()
    connection, _ = access.open_connection(store, view.user, connection_id, "edit")
    try:
        alerts.save(store, connection, emails, webhook, language)
        if test:
            alerts.test(store, connection, MessageHook())
    except SyncError as error:
        return _page(view, failed=connection.id, error=error, typed=(emails, webhook, language))
    return view.go(f"alerts?{'sent' if test else 'saved'}={connection.id}")
