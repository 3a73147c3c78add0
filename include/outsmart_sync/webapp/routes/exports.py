"""Work orders on their way into the books: the list, one with its document and its history, and what people decide."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException
from fastapi.responses import HTMLResponse

from outsmart_sync.errors import SyncError
from outsmart_sync.records.catalogue import Package
from outsmart_sync.records.completed_work_order import ROW_ID
from outsmart_sync.records.export_actions import QUIET
from outsmart_sync.records.export_catalogue import WORK_ORDERS
from outsmart_sync.services import export_actions, export_count, export_list, planning, settings, web_pages
from outsmart_sync.store.connections import SyncConnection
from outsmart_sync.webapp import access, opened
from outsmart_sync.webapp.pages import Shown, View
from outsmart_sync.webapp.routes.settings import show_progress, start

router = APIRouter()

_PAGE = 50
_NAMED = 10
"""Work orders that an answer names one by one."""


@router.get("/exports")
def show_list(view: View, connection: str = "", state: str = "", offset: access.Number = 0) -> HTMLResponse:
    """The work orders of one administration: those that wait or need a look, or those in a state."""
    store = opened.store()
    candidates = export_list.exporting(store, access.visible_connections(store, view.user))
    if not candidates:
        return view.page("exports.html", connection=None)
    if connection:
        chosen = next((each for each in candidates if str(each.id) == connection), None)
    else:
        chosen = next((each for each in candidates if _is_on(each)), candidates[0])
    if chosen is None:
        raise HTTPException(404)
    rights = access.rights_of(view.user, chosen)
    rows = export_list.in_order(store, chosen.id, state, limit=_PAGE + 1, offset=offset)
    return view.page(
        "exports.html",
        connection=chosen,
        rights=rights,
        candidates=candidates,
        on=_is_on(chosen),
        state=state,
        rows=rows[:_PAGE],
        offset=offset,
        page=_PAGE,
        more=len(rows) > _PAGE,
        work=export_list.standing(store, chosen),
        kinds=kinds(rights.package),
    )


def _is_on(connection: SyncConnection) -> bool:
    package = access.package_of(connection)
    return bool(settings.read(opened.store(), connection).exporting(package))


def kinds(package: Package) -> dict[str, str]:
    """Kind of document → what a person calls it."""
    return {each.name: each.label for each in package.exports.kinds} if package.exports else {}


@router.get("/connections/{connection_id}/exports/count")
def count(view: View, connection_id: access.Number) -> HTMLResponse:
    """How many work orders the next export sends; one call to OutSmart."""
    store = opened.store()
    connection, rights = access.open_connection(store, view.user, connection_id, "export")
    found, problem = None, None
    try:
        found = export_count.first_export(store, opened.gateway(), connection)
    except SyncError as error:
        problem = error
    return view.page("exports_count.html", found=found, error=problem, connection=connection, rights=rights)


@router.get("/exports/{connection_id}/{row_id}")
def show_one(view: View, connection_id: access.Number, row_id: str) -> HTMLResponse:
    """One work order: where it stands, its document, and everything that was done to it."""
    store = opened.store()
    connection, rights = access.open_connection(store, view.user, connection_id, "look")
    found = export_list.open_one(store, connection, row_id)
    if found is None:
        raise HTTPException(404)
    return view.page(
        "export_one.html",
        found=found,
        connection=connection,
        rights=rights,
        kinds=kinds(rights.package),
        web_pages=web_pages.of_work_order(opened.gateway(), connection, row_id, found.invoice),
    )


@router.post("/exports/{connection_id}/{row_id}/preview")
def preview(view: View, connection_id: access.Number, row_id: str) -> HTMLResponse:
    """Start a run that composes the document and sends nothing; its progress, after which the page shows it."""
    connection, rights, row_ids = _asked(view, connection_id, [row_id])
    run_id = start(view, connection, rights, _conf(connection, row_ids) | {"preview": True}, planning.EXPORT)
    return show_progress(view, connection, rights, run_id, direction=planning.EXPORT)


@router.post("/exports/{connection_id}")
def decide(
    view: View,
    connection_id: access.Number,
    action: Annotated[str, Form()],
    work_order: Annotated[list[str] | None, Form()] = None,
    document: Annotated[str, Form()] = "",
) -> HTMLResponse:
    """Do what is asked about work orders; what is to be sent by that is exported at once."""
    connection, rights, row_ids = _asked(view, connection_id, work_order or [])
    answers = export_actions.decide(
        opened.store(), opened.gateway(), action, _by_row_id(row_ids), connection.id, document.strip()
    )
    decided = [each.shown.row_id for each in answers if each.shown]
    progress, problem = "", None
    if decided and action not in QUIET:
        try:
            run_id = start(view, connection, rights, _conf(connection, decided), planning.EXPORT)
            progress = bytes(show_progress(view, connection, rights, run_id, direction=planning.EXPORT).body).decode()
        except SyncError as error:
            problem = error
    answer = view.page(
        "export_answer.html",
        action=action,
        answers=answers,
        shown=_NAMED,
        progress=progress,
        not_started=problem,
    )
    answer.headers["HX-Trigger"] = "looked-again"
    return answer


def _asked(view: Shown, connection_id: int, row_ids: list[str]) -> tuple[SyncConnection, access.Rights, list[str]]:
    """Work orders of a connection about which this person may decide.

    Raises:
        HTTPException: 404: one of them is not the connection's.
        AccessDenied: They may not.
    """
    store = opened.store()
    connection, rights = access.open_connection(store, view.user, connection_id, "export")
    if export_list.mine(store, connection, row_ids) != row_ids:
        raise HTTPException(404)
    return connection, rights, row_ids


def _conf(connection: SyncConnection, row_ids: list[str]) -> dict[str, Any]:
    return {"connection": connection.id, "categories": [WORK_ORDERS], "work_orders": _by_row_id(row_ids)}


def _by_row_id(row_ids: list[str]) -> list[str]:
    """Row ids as what nothing else can be meant by: a number may be the row id of another work order."""
    return [f"{ROW_ID}{each}" for each in row_ids]
