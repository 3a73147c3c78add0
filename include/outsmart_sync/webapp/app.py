"""The web app: what every request passes, and the routes."""

from __future__ import annotations

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException as AnyHTTPException

from outsmart_sync.errors import SyncError
from outsmart_sync.webapp import airflow, guards, languages, pages
from outsmart_sync.webapp.routes import (
    alerts,
    assets,
    callback,
    choices,
    connect,
    exports,
    health,
    overview,
    records,
    report,
    settings,
)
from outsmart_sync.webapp.routes import (
    log as log_routes,
)

_UNAUTHORIZED, _NOT_FOUND, _SEE_OTHER = 401, 404, 303


def create_app() -> FastAPI:
    """The page's web app; nothing of it answers without a valid login at Airflow."""
    app = FastAPI(
        title="OutSmart Sync",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        dependencies=[airflow.LOGGED_IN, Depends(guards.require_own_origin)],
    )
    app.middleware("http")(guards.add_headers)
    for module in (
        assets,
        overview,
        connect,
        callback,
        settings,
        choices,
        report,
        exports,
        log_routes,
        records,
        health,
        alerts,
    ):
        app.include_router(module.router)
    app.add_exception_handler(SyncError, _told)
    app.add_exception_handler(AnyHTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _not_understood)
    return app


async def _told(request: Request, error: Exception) -> Response:
    """An error a person can act on, in words."""
    if not isinstance(error, SyncError):
        raise error
    return pages.Shown(request, await airflow.person_of(request)).error(error)


async def _refused(request: Request, error: Exception) -> Response:
    """Somebody without a login, a forged request, or a page that is not there: nothing is told, nothing is shown."""
    status = error.status_code if isinstance(error, HTTPException | AnyHTTPException) else _NOT_FOUND
    if status == _UNAUTHORIZED and callback.is_callback(request):
        # They logged in at the vendor and Airflow's own login has ended meanwhile: back here after it, with the answer.
        return RedirectResponse(airflow.login_address(callback.own_address(request)), _SEE_OTHER)
    return _refusal(request, status)


async def _not_understood(request: Request, _error: Exception) -> Response:
    return _refusal(request, _NOT_FOUND)


def _refusal(request: Request, status: int) -> Response:
    """What was refused, with a way on: after a login at Airflow, back to the same page."""
    ours = {} if status == _UNAUTHORIZED else {"home": pages.home()}  # a stranger is given no style of ours either
    login = airflow.login_address(airflow.frame_address(pages.here_of(request)))
    template = pages.environment(languages.language_of(request)).get_template("refused.html")
    return HTMLResponse(template.render(status=status, login=login, **ours), status)
