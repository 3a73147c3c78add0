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
    visible = [each for each in access.visible_connections(store, view.user) if not health.is_forgotten(each)]
    standing: dict[str, list[health.ConnectionStatus]] = {rights.package.name: [] for rights in packages}
    for each in health.status(store, visible, count=False):
        standing[each.connection.package].append(each)
    connected = [rights for rights in packages if standing[rights.package.name]]
    return view.page(
        "overview.html",
        packages=packages,
        standing=standing,
        automation={each.package.name: airflow.automation(view.user, each.dag_id) for each in connected},
        exporting={
            each.package.name: airflow.automation(view.user, each.export_dag_id)
            for each in connected
            if each.package.export_categories
        },
        now=store.now(),
    )
