"""What happened: runs, the records of a run, and the same as a file."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException
from fastapi.responses import HTMLResponse, StreamingResponse

from outsmart_sync.services import history, log_file
from outsmart_sync.store.connections import SyncConnection
from outsmart_sync.webapp import access, naming, opened, words
from outsmart_sync.webapp.pages import Shown, View

router = APIRouter()

_RUNS, _LINES = 25, 50


def _mine(view: Shown, connection: int | None) -> list[int]:
    """The sync connections that are asked for, of those that the person may know of."""
    visible = [each.id for each in access.visible_connections(opened.store(), view.user)]
    if connection is None:
        return visible
    if connection not in visible:
        raise HTTPException(404)
    return [connection]


@router.get("/log")
def show_runs(view: View, connection: str = "", state: str = "", before: int | None = None) -> HTMLResponse:
    """The newest runs; with a state: those in which a category stands so, and only these categories."""
    store = opened.store()
    chosen = int(connection) if connection.isdecimal() else None
    if state and state not in words.RUN_STATES:
        raise HTTPException(404)
    mine = _mine(view, chosen)
    found = history.latest_runs(store, _RUNS + 1, connection_ids=mine, state=state or None, before=before)
    return view.page(
        "runs.html",
        runs=found[:_RUNS],
        more=found[_RUNS - 1].run_id if len(found) > _RUNS else None,
        visible=access.visible_connections(store, view.user),
        chosen=chosen,
        state=state,
        labels=naming.categories(view.user),
        zones=zones(view),
        visible_ids=set(mine),
    )


def zones(view: Shown) -> dict[str, str]:
    """Package → the time zone of its administrations."""
    return {rights.package.name: rights.package.timezone for rights in access.visible_packages(view.user)}


@router.get("/runs/{run_id}")
def show_run(
    view: View, run_id: int, event: str = "", category: str = "", connection: str = "", before: int | None = None
) -> HTMLResponse:
    """One run with its records."""
    store = opened.store()
    mine = _mine(view, int(connection) if connection.isdecimal() else None)
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
    visible = access.visible_connections(store, view.user)
    deciding = [each for each in visible if each.id in mine and _imported(run, each, access.rights_of(view.user, each))]
    return view.page(
        "run_lines.html" if "HX-Request" in view.request.headers else "run.html",
        run=run,
        lines=lines,
        more=lines[-1].id if len(found) > _LINES else None,
        event=event,
        category=category,
        connection=connection,
        labels=naming.categories(view.user),
        records=naming.records(view.user),
        fields=naming.fields(view.user),
        field_label=naming.field_label,
        zones=zones(view),
        events=history.EVENTS,
        names={each.id: each.label for each in visible},
        standing=history.standing_of(store, lines),
        deciding=deciding,
    )


def _imported(run: history.RunSummary, connection: SyncConnection, rights: access.Rights) -> bool:
    """Whether a run imported records of a connection, about which this person may decide."""
    names = {each.name for each in rights.package.imports}
    return rights.edit and any(
        each.connection_id == connection.id and each.category in names for each in run.categories
    )


@router.get("/log.csv")
def as_file(
    view: View, run: int | None = None, event: str = "", category: str = "", connection: str = ""
) -> StreamingResponse:
    """Lines of the log as a file that spreadsheets open, however many there are."""
    mine = _mine(view, int(connection) if connection.isdecimal() else None)
    rows = log_file.lines(
        opened.store(),
        naming.Spoken(view.user, view.language),
        run_id=run,
        event=event or None,
        category=category or None,
        connection_ids=mine,
    )
    name = f"outsmart-sync-run-{run}.csv" if run else "outsmart-sync-log.csv"
    return StreamingResponse(
        rows, media_type="text/csv; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
