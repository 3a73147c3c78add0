"""What happened: runs, the records of a run, and the same as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from fastapi import APIRouter, HTTPException
from fastapi.responses import HTMLResponse, StreamingResponse

from outsmart_sync.services import history
from outsmart_sync.webapp import access, opened, sentences
from outsmart_sync.webapp.pages import Shown, View

router = APIRouter()

_RUNS, _LINES, _CHUNK = 25, 50, 1_000
_COLUMNS = ("at", "connection", "run_id", "category", "record", "code", "event", "text", "remedy", "changes")


def _mine(view: Shown, connection: int | None) -> list[int]:
    """The sync connections that are asked for, of those that the person may know of."""
    visible = [each.id for each in access.visible_connections(opened.store(), view.user)]
    if connection is None:
        return visible
    if connection not in visible:
        raise HTTPException(404)
    return [connection]


@router.get("/log")
def show_runs(view: View, connection: str = "", before: int | None = None) -> HTMLResponse:
    """The newest runs."""
    store = opened.store()
    chosen = int(connection) if connection.isdecimal() else None
    found = history.latest_runs(store, _RUNS + 1, connection_ids=_mine(view, chosen), before=before)
    return view.page(
        "runs.html",
        runs=found[:_RUNS],
        more=found[_RUNS - 1].run_id if len(found) > _RUNS else None,
        visible=access.visible_connections(store, view.user),
        chosen=chosen,
        labels=labels(view),
        zones=zones(view),
        visible_ids=set(_mine(view, chosen)),
    )


def zones(view: Shown) -> dict[str, str]:
    """Package → the time zone of its administrations."""
    return {rights.package.name: rights.package.timezone for rights in access.visible_packages(view.user)}


def labels(view: Shown) -> dict[str, str]:
    """Category → its label."""
    return {
        each.name: each.label for rights in access.visible_packages(view.user) for each in rights.package.categories
    }


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
    lines = history.events(
        store,
        run_id=run_id,
        event=event or None,
        category=category or None,
        connection_ids=mine,
        before=before,
        limit=_LINES + 1,
    )
    return view.page(
        "run_lines.html" if "HX-Request" in view.request.headers else "run.html",
        run=run,
        lines=lines[:_LINES],
        more=lines[_LINES - 1].id if len(lines) > _LINES else None,
        event=event,
        category=category,
        connection=connection,
        labels=labels(view),
        zones=zones(view),
        events=history.EVENTS,
        names={each.id: each.label for each in access.visible_connections(store, view.user)},
    )


@router.get("/log.csv")
def as_file(
    view: View, run: int | None = None, event: str = "", category: str = "", connection: str = ""
) -> StreamingResponse:
    """Lines of the log as a file that spreadsheets open, however many there are."""
    mine = _mine(view, int(connection) if connection.isdecimal() else None)
    rows = _rows(view, run, event or None, category or None, mine)
    name = f"outsmart-sync-run-{run}.csv" if run else "outsmart-sync-log.csv"
    return StreamingResponse(
        rows, media_type="text/csv; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def _rows(view: Shown, run: int | None, event: str | None, category: str | None, mine: list[int]) -> Iterator[str]:
    yield "\ufeff" + _line(_COLUMNS)  # the mark by which spreadsheets know UTF-8
    before: int | None = None
    while True:
        lines = history.events(
            opened.store(), run_id=run, event=event, category=category, connection_ids=mine, before=before, limit=_CHUNK
        )
        for each in lines:
            changes = "; ".join(f"{field}: {old} → {new}" for field, (old, new) in each.changes.items())
            said = [sentences.say(text, view.language) for text in (each.text, each.remedy)]
            where = (each.at.isoformat(), each.connection, str(each.run_id), each.category, each.record, each.code)
            yield _line((*where, each.event, *said, changes))
        if len(lines) < _CHUNK:
            return
        before = lines[-1].id


def _line(values: tuple[str, ...]) -> str:
    """One line of the file; a value that a spreadsheet would take for a formula is made a text."""
    text = io.StringIO()
    csv.writer(text, delimiter=";").writerow(
        [f"'{value}" if value[:1] in ("=", "+", "-", "@", "\t", "\r") else value for value in values]
    )
    return text.getvalue()
