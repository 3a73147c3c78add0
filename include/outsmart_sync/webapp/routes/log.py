"""What happened: runs, the records of a run, and the same as a file."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, HTTPException
from fastapi.responses import HTMLResponse, StreamingResponse

from outsmart_sync.services import history, log_file
from outsmart_sync.store.connections import SyncConnection
from outsmart_sync.store.runs import RunState
from outsmart_sync.webapp import access, airflow, naming, opened, words
from outsmart_sync.webapp.pages import Shown, View

router = APIRouter()

_RUNS, _LINES = 25, 50


def _visible(view: Shown) -> list[SyncConnection]:
    return access.visible_connections(opened.store(), view.user)


def _mine(visible: list[SyncConnection], connection: str) -> list[int]:
    """The sync connections that are asked for, of those that the person may know of."""
    known = [each.id for each in visible]
    asked = access.number_of(connection)
    if asked is None:
        return known
    if asked not in known:
        raise HTTPException(404)
    return [asked]


def _named(view: Shown, visible: list[SyncConnection]) -> dict[str, Any]:
    """What pages of the log call things by; packages only where several are used."""
    rights = {each.package.name: each.package for each in access.visible_packages(view.user)}
    used = {each.package for each in visible}
    return {
        "names": {each.id: each.label for each in visible},
        "packages": {name: rights[name].label for name in used if len(used) > 1},
        "labels": naming.categories(view.user),
        "zones": {name: package.timezone for name, package in rights.items()},
        "imports": {category.name for package in rights.values() for category in package.imports},
        "address_of": airflow.address_of,
    }


@router.get("/log")
def show_runs(view: View, connection: str = "", state: str = "", before: access.Number | None = None) -> HTMLResponse:
    """The newest runs; with a state: those in which a category stands so, and only these categories."""
    store = opened.store()
    if state and state not in words.RUN_STATES:
        raise HTTPException(404)
    visible = _visible(view)
    mine = _mine(visible, connection)
    found = history.latest_runs(store, _RUNS + 1, connection_ids=mine, state=state or None, before=before)
    return view.page(
        "runs.html",
        runs=found[:_RUNS],
        more=found[_RUNS - 1].run_id if len(found) > _RUNS else None,
        visible=visible,
        chosen=access.number_of(connection),
        state=state,
        visible_ids=set(mine),
        **_named(view, visible),
    )


@router.get("/runs/{run_id}")
def show_run(
    view: View,
    run_id: access.Number,
    event: str = "",
    category: str = "",
    connection: str = "",
    before: access.Number | None = None,
) -> HTMLResponse:
    """One run with its records."""
    store = opened.store()
    visible = _visible(view)
    mine = _mine(visible, connection)
    run = history.run_of(store, run_id)
    if run is None or not any(each.connection_id in mine for each in run.categories):
        raise HTTPException(404)
    found = history.events(
        store,
        run_id=run_id,
        event=event or None,
        category=category or None,
        connection_ids=mine,
        before=before,
        limit=_LINES + 1,
    )
    lines = found[:_LINES]
    deciding = [each for each in visible if each.id in mine and _imported(run, each, access.rights_of(view.user, each))]
    return view.page(
        "run_lines.html" if "HX-Request" in view.request.headers else "run.html",
        run=run,
        lines=lines,
        more=lines[-1].id if len(found) > _LINES else None,
        event=event,
        category=category,
        connection=connection,
        records=naming.records(view.user),
        fields=naming.fields(view.user),
        field_label=naming.field_label,
        events=history.EVENTS,
        standing=history.standing_of(store, lines),
        deciding=deciding,
        looked_only=all(each.state == RunState.PREVIEWED for each in run.categories),
        **_named(view, visible),
    )


def _imported(run: history.RunSummary, connection: SyncConnection, rights: access.Rights) -> bool:
    """Whether a run imported records of a connection, about which this person may decide."""
    names = {each.name for each in rights.package.imports}
    return rights.edit and any(
        each.connection_id == connection.id and each.category in names for each in run.categories
    )


@router.get("/log.csv")
def as_file(
    view: View,
    run: access.Number | None = None,
    event: str = "",
    category: str = "",
    connection: str = "",
    state: str = "",
) -> StreamingResponse:
    """Lines of the log as a file that spreadsheets open, however many there are."""
    if state and state not in words.RUN_STATES:
        raise HTTPException(404)
    mine = _mine(_visible(view), connection)
    rows = log_file.lines(
        opened.store(),
        naming.Spoken(view.user, view.language),
        run_id=run,
        event=event or None,
        category=category or None,
        connection_ids=mine,
        state=state or None,
    )
    name = f"outsmart-sync-run-{run}.csv" if run else "outsmart-sync-log.csv"
    return StreamingResponse(
        rows, media_type="text/csv; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
