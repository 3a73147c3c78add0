"""Health: connections, days until logins lapse, calls against the limit, records per day, categories in trouble."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from outsmart_sync.services import health
from outsmart_sync.store.connections import State
from outsmart_sync.webapp import access, airflow, chart, opened
from outsmart_sync.webapp.pages import View

router = APIRouter()


@router.get("/health")
def show(view: View) -> HTMLResponse:
    """How everything that the person may know of stands."""
    store = opened.store()
    packages = {rights.package.name: rights for rights in access.visible_packages(view.user)}
    visible = [each for each in access.visible_connections(store, view.user) if each.state is not State.DISCONNECTED]
    days = health.days(store, visible)
    return view.page(
        "health.html",
        standing=health.status(store, visible, count=False),
        calls={each.id: health.calls(store, each) for each in visible},
        packages=packages,
        automation={
            name: airflow.automation(view.user, packages[name].dag_id) for name in {each.package for each in visible}
        },
        days=days,
        bars=chart.bars(days),
        chart=chart,
        now=store.now(),
    )
