"""The first page: a card per package, with its administrations and what needs attention."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from outsmart_sync.services import health
from outsmart_sync.webapp import access, airflow, opened
from outsmart_sync.webapp.pages import View

router = APIRouter()


@router.get("/")
def overview(view: View) -> HTMLResponse:
    """Every package that the person may know of."""
    store = opened.store()
    packages = access.visible_packages(view.user)
    visible = {each.id for each in access.visible_connections(store, view.user)}
    standing = [each for each in health.status(store) if each.connection.id in visible]
    return view.page(
        "overview.html",
        packages=packages,
        standing={
            rights.package.name: [each for each in standing if each.connection.package == rights.package.name]
            for rights in packages
        },
        automation={rights.package.name: airflow.automation(view.user, rights.dag_id) for rights in packages},
        exporting={rights.package.name: airflow.automation(view.user, rights.export_dag_id) for rights in packages},
        now=store.now(),
    )
