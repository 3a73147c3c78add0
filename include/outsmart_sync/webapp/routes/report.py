"""The match report: what an import would do, before anything is written; accepted or corrected by hand."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, HTTPException
from fastapi.responses import HTMLResponse, Response

from outsmart_sync.errors import SyncError
from outsmart_sync.services import first_counts, links, planning, report, settings
from outsmart_sync.webapp import access, airflow, opened, words
from outsmart_sync.webapp.pages import View
from outsmart_sync.webapp.routes.settings import show_progress, start

router = APIRouter()

_PAGE = 50


@router.get("/connections/{connection_id}/report")
def show(view: View, connection_id: access.Number) -> HTMLResponse:
    """The newest report, by category and outcome."""
    store = opened.store()
    connection, rights = access.open_connection(store, view.user, connection_id, "look")
    automation = airflow.automation(view.user, rights.dag_id)
    resumed = planning.by_itself(store, rights.package) if automation.paused else []
    return view.page(
        "report.html",
        automation=automation,
        resumed=[each.label for each in resumed if access.sees(rights, each)],
        others=any(not access.sees(rights, each) for each in resumed),
        connection=connection,
        rights=rights,
        saved=settings.read(store, connection),
        countable=first_counts.countable(store, connection),
        reports=report.latest(store, connection),
        alike=report.ALIKE,
    )


@router.post("/connections/{connection_id}/report")
def look(view: View, connection_id: access.Number) -> HTMLResponse:
    """Start a run that writes nothing; its progress is shown, and then the report."""
    store = opened.store()
    connection, rights = access.open_connection(store, view.user, connection_id, "edit")
    run_id = start(view, connection, rights, {"connection": connection.id, "categories": [], "preview": True})
    return show_progress(view, connection, rights, run_id, look=True)


@router.post("/connections/{connection_id}/report/resume")
def resume(view: View, connection_id: access.Number) -> Response:
    """Let the package's DAG run again, so that a look can; the page has said what else runs again by that."""
    connection, rights = access.open_connection(opened.store(), view.user, connection_id, "edit")
    airflow.unpause(view.user, rights.dag_id)
    return view.go(f"connections/{connection.id}/report")


@router.get("/connections/{connection_id}/report/progress")
def progress(view: View, connection_id: access.Number, run: str, waited: access.Number = 0) -> HTMLResponse:
    """How far the look is; when it has ended, the report takes its place."""
    connection, rights = access.open_connection(opened.store(), view.user, connection_id, "look")
    return show_progress(view, connection, rights, run, look=True, waited=waited)


@router.get("/connections/{connection_id}/report/{category}/{outcome}")
def records(
    view: View, connection_id: access.Number, category: str, outcome: str, offset: access.Number = 0
) -> HTMLResponse:
    """The records of a category with one outcome, some at a time."""
    store = opened.store()
    connection, rights = access.open_connection(store, view.user, connection_id, "look")
    found = report.newest(store, connection, category)
    if found is None or outcome not in words.OUTCOMES:
        raise HTTPException(404)
    rows = report.listed(store, connection, found, outcome, limit=_PAGE + 1, offset=offset)
    return view.page(
        "report_records.html",
        connection=connection,
        rights=rights,
        category=category,
        outcome=outcome,
        rows=rows[:_PAGE],
        next_offset=offset + _PAGE if len(rows) > _PAGE else None,
        alike=report.ALIKE,
    )


@router.post("/connections/{connection_id}/report/link")
def link(
    view: View,
    connection_id: access.Number,
    record: Annotated[str, Form()],
    provider_id: Annotated[str, Form()],
    code: Annotated[str, Form()],
    outsmart_code: Annotated[str, Form()],
) -> HTMLResponse:
    """Say that a record which would be made is one that OutSmart has."""
    store = opened.store()
    connection, _ = access.open_connection(store, view.user, connection_id, "edit")
    decision = links.link_ahead(store, connection, record, provider_id, code, outsmart_code)
    return view.page("decided.html", text=decision.text)


@router.post("/connections/{connection_id}/report/accept")
def accept(view: View, connection_id: access.Number) -> Response:
    """Start importing: once now, and from then on by itself."""
    store = opened.store()
    connection, rights = access.open_connection(store, view.user, connection_id, "edit")
    planning.require_runnable(store, connection, [])  # before anything is switched on
    settings.save(store, connection, {settings.AUTOMATIC: True})
    try:
        airflow.unpause(view.user, rights.dag_id)
        run_id = start(view, connection, rights, {"connection": connection.id, "categories": []})
    except SyncError as error:
        if error.code == "airflow_forbidden":
            return view.go(f"connections/{connection.id}?unpause=1")
        raise
    return view.go(f"connections/{connection.id}?started={run_id.replace('+', '%2B').replace(':', '%3A')}")
