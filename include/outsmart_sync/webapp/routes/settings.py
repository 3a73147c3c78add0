"""Imports of one administration: what is switched on and by which filters, and syncing now."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import HTMLResponse, Response

from outsmart_sync.errors import AccessDenied, InvalidSettings, SyncError
from outsmart_sync.services import (
    export_list,
    export_switch,
    first_counts,
    health,
    history,
    planning,
    settings,
    start_dates,
)
from outsmart_sync.services.setting_values import WrongValue, read, settings_of
from outsmart_sync.store import runs
from outsmart_sync.store.connections import State, SyncConnection
from outsmart_sync.store.runs import RunState
from outsmart_sync.webapp import access, airflow, forms, opened, pages
from outsmart_sync.webapp.pages import Shown, View

router = APIRouter()

_OK, _CONFLICT, _UNPROCESSABLE = 200, 409, 422
_ENDED = ("success", "failed")

_SOONEST, _LATEST = 700, 10_000
"""Milliseconds before the page asks again how far a run is: a tenth of what it has waited so far, within these."""


@router.get("/connections/{connection_id}")
def show(view: View, connection_id: access.Number) -> Response:
    """The settings as they are saved."""
    connection, rights = access.open_connection(opened.store(), view.user, connection_id, "look")
    if connection.state is State.CONNECTED:
        return view.go(f"connections/{connection.id}/setup")
    return _page(view, connection, rights)


def _page(
    view: Shown,
    connection: SyncConnection,
    rights: access.Rights,
    *,
    typed: dict[str, Any] | None = None,
    error: SyncError | None = None,
) -> HTMLResponse:
    store = opened.store()
    saved = settings.read(store, connection)
    problems = {(each.category, each.setting): each.text for each in getattr(error, "problems", ())}
    conflict = error is not None and error.code == settings.CHANGED_MEANWHILE
    return view.page(
        "settings.html",
        status=_OK if error is None else _CONFLICT if conflict else _UNPROCESSABLE,
        connection=connection,
        rights=rights,
        saved=saved,
        typed=typed or {},
        error=error,
        problems=problems,
        standing=health.of(store, connection),
        latest=runs.latest_of(store, connection.id),
        automation=airflow.automation(view.user, rights.dag_id),
        exporting=airflow.automation(view.user, rights.export_dag_id) if rights.package.export_categories else None,
        work=export_list.standing(store, connection),
        settings_of=settings_of,
        now=store.now(),
        conflict=conflict,
    )


@router.post("/connections/{connection_id}")
async def save(view: View, connection_id: access.Number, request: Request) -> Response:
    """Keep what was changed; all of it or, when something is wrong, nothing, and what was typed stays."""
    form = await request.form()
    return await forms.in_thread(_save, view, connection_id, forms.plain(form))


def _save(view: Shown, connection_id: int, form: forms.Form) -> Response:
    store = opened.store()
    connection, rights = access.open_connection(store, view.user, connection_id, "look")
    changes = forms.changes(form, rights.package)
    for right in {access.right_to_change(each, rights.package) for each in changes} or {"edit"}:
        rights.require(right)
    before = settings.read(store, connection)
    version = form.get("version", [""])[0]
    try:
        settings.save(store, connection, changes, gateway=opened.gateway(), version=version)
    except SyncError as error:
        return _page(view, connection, rights, typed=changes, error=error)
    after = settings.read(store, connection)
    begun = export_switch.was_switched_on(before, after)
    counted = ",".join(first_counts.begun(connection, before, after))
    return view.go(
        f"connections/{connection.id}?saved=1{_let_run(view, connection, rights)}"
        f"{'&exports=1' if begun else ''}{f'&counts={counted}' if counted else ''}"
    )


def _let_run(view: Shown, connection: SyncConnection, rights: access.Rights) -> str:
    """What is saved is to be synced by itself from now on; returns what to tell when this person may not see to it."""
    saved = settings.read(opened.store(), connection)
    if not saved.automatic:
        return ""
    told = ""
    for on, dag_id, tell in (
        (saved.enabled(rights.package), rights.dag_id, "&unpause=1"),
        (saved.exporting(rights.package), rights.export_dag_id, "&unpause_export=1"),
    ):
        if not on or not airflow.automation(view.user, dag_id).paused:
            continue
        try:
            airflow.unpause(view.user, dag_id)
        except AccessDenied:
            told += tell
    return told


@router.post("/connections/{connection_id}/automatic")
def switch_automatic(view: View, connection_id: access.Number, on: Annotated[bool, Form()]) -> Response:
    """Let the schedule take an administration along, or not."""
    store = opened.store()
    connection, rights = access.open_connection(store, view.user, connection_id, "edit")
    settings.save(store, connection, {settings.AUTOMATIC: on})
    return view.go(f"connections/{connection.id}?saved=1{_let_run(view, connection, rights)}")


@router.get("/connections/{connection_id}/start-count/{category}")
def count_documents(view: View, connection_id: access.Number, category: str, request: Request) -> HTMLResponse:
    """How many documents a start date means."""
    connection, rights = access.open_connection(opened.store(), view.user, connection_id, "edit")
    names = {each.name: each for each in rights.package.imports}
    if category not in names or (start := names[category].start) is None:
        raise HTTPException(404)
    typed = request.query_params.get(f"{category}.{start.name}", "")
    try:
        day = read(category, settings_of(names[category]), start.name, typed, names[category].label)
    except WrongValue as error:
        return view.page("start_count.html", error=InvalidSettings(str(error)), meant=None)
    first = date.fromisoformat(day) if day else settings.today_of(opened.store(), rights.package)
    meant = start_dates.meant(opened.gateway(), connection, category, first)
    return view.page("start_count.html", error=None, meant=meant)


@router.get("/connections/{connection_id}/counts")
def count_begun(view: View, connection_id: access.Number, of: str = "") -> HTMLResponse:
    """How many records the categories mean that were begun, or all that are switched on."""
    store = opened.store()
    connection, rights = access.open_connection(store, view.user, connection_id, "edit")
    names = of.split(",") if of else first_counts.countable(store, connection)
    found = first_counts.count(store, opened.gateway(), connection, names)
    return view.page("first_counts.html", found=found, rights=rights, connection=connection)


@router.post("/connections/{connection_id}/sync")
def sync_now(view: View, connection_id: access.Number, category: Annotated[str, Form()] = "") -> HTMLResponse:
    """Start a run: of one category, everything read again; or of all that are switched on, what is new."""
    store = opened.store()
    connection, rights = access.open_connection(store, view.user, connection_id, "edit")
    if category and category not in {each.name for each in rights.package.imports}:
        raise HTTPException(404)
    asked = {"connection": connection.id, "categories": [category] if category else [], "full": bool(category)}
    run_id = start(view, connection, rights, asked)
    return show_progress(view, connection, rights, run_id, category)


@router.post("/connections/{connection_id}/export")
def export_now(view: View, connection_id: access.Number) -> HTMLResponse:
    """Start a run of the exports."""
    connection, rights = access.open_connection(opened.store(), view.user, connection_id, "export")
    run_id = start(view, connection, rights, {"connection": connection.id}, planning.EXPORT)
    return show_progress(view, connection, rights, run_id, direction=planning.EXPORT)


def start(
    view: Shown,
    connection: SyncConnection,
    rights: access.Rights,
    asked: dict[str, Any],
    direction: str = planning.IMPORT,
) -> str:
    """Start a run of a package's import or export for one administration; returns its id in Airflow.

    Raises:
        SyncError: It cannot run: not connected, nothing switched on, or the DAG is paused.
    """
    planning.require_runnable(opened.store(), connection, asked.get("categories", []), direction)
    dag_id = rights.dag_of(direction)
    if airflow.automation(view.user, dag_id).paused:
        raise AccessDenied(
            "The sync is paused in Airflow, so nothing was started."
            if direction == planning.IMPORT
            else "The export is paused in Airflow, so nothing was started.",
            why=f"Somebody paused the DAG {dag_id}.",
            remedy="Switch the automatic sync on first."
            if direction == planning.IMPORT
            else "Save the settings of the exports to switch it on, or ask somebody who may; what waits goes then.",
            code="dag_paused",
        )
    return airflow.trigger(view.user, dag_id, asked, "Started on the page Software integrations")


@router.get("/connections/{connection_id}/progress")
def progress(
    view: View,
    connection_id: access.Number,
    run: str,
    category: str = "",
    direction: str = planning.IMPORT,
    waited: access.Number = 0,
) -> HTMLResponse:
    """How far a run is; the page asks again until it has ended."""
    connection, rights = access.open_connection(opened.store(), view.user, connection_id, "look")
    if direction not in (planning.IMPORT, planning.EXPORT):
        raise HTTPException(404)
    return show_progress(view, connection, rights, run, category, direction, waited=waited)


def show_progress(
    view: Shown,
    connection: SyncConnection,
    rights: access.Rights,
    run_id: str,
    category: str = "",
    direction: str = planning.IMPORT,
    *,
    look: bool = False,
    waited: int = 0,
) -> HTMLResponse:
    """How far a run is, to be put where it was started; when it has ended, what shows its results looks again.

    Args:
        view: Who asks.
        connection: Whose part of the run is shown.
        rights: What they may do.
        run_id: The run's id in Airflow.
        category: Only this one; '': all of the run's.
        direction: Of which of the package's DAGs.
        look: It only looks; the match report takes its place when it has ended.
        waited: For how many milliseconds the page has asked.
    """
    store, dag_id = opened.store(), rights.dag_of(direction)
    state = airflow.run_state(view.user, dag_id, run_id)
    found = history.find_run(store, f"{dag_id}/{run_id}")
    mine = [each for each in (found.categories if found else []) if each.connection_id == connection.id]
    wanted = [each for each in mine if not category or each.category == category]
    ended = state in ("", *_ENDED) or bool(category and wanted and wanted[0].finished_at and state != "queued")
    pause = min(max(_SOONEST, waited // 10), _LATEST)
    answer = view.page(
        "progress.html",
        connection=connection,
        rights=rights,
        run_id=run_id,
        run=found,
        category=category,
        direction=direction,
        dag_id=dag_id,
        look=look,
        states=wanted,
        airflow_state=state,
        ended=ended,
        running=RunState.RUNNING,
        automation=None if wanted and not ended else airflow.automation(view.user, dag_id),
        standing=health.of(store, connection) if ended and direction == planning.IMPORT and not look else None,
        pause=pause,
        waited=waited + pause,
    )
    if look and state == "success":
        answer.headers["HX-Redirect"] = f"{pages.home()}connections/{connection.id}/report?looked=1"
    elif ended:
        answer.headers["HX-Trigger"] = "looked-again"
    return answer
