"""Where the vendor's login page sends the whole window back to."""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

from outsmart_sync.errors import SyncError
from outsmart_sync.providers.packages import packages
from outsmart_sync.services import connect as connecting
from outsmart_sync.services import login
from outsmart_sync.store import logins
from outsmart_sync.webapp import access, airflow, opened
from outsmart_sync.webapp.pages import Shown, View
from outsmart_sync.webapp.routes.connect import COOKIE, begun_here

router = APIRouter()

_BAD_REQUEST = 400


def is_callback(request: Request) -> bool:
    """Whether a request is a vendor's answer."""
    path = request.url.path
    return "/outsmart-sync/oauth/" in path and path.endswith("/callback")


def own_address(request: Request) -> str:
    """The address of a vendor's answer, to come back to after logging in at Airflow."""
    path = request.url.path.removeprefix(airflow.root_path())
    return f"{airflow.root_path()}{path}?{request.url.query}"


def _again(view: Shown, command: str) -> str:
    """Our page that begins the login anew, with the country and the account that were chosen."""
    try:
        begun = logins.find(opened.store(), begun_here(view)[0])
    except SyncError:  # what is wrong with the store is told by whoever needs it
        begun = None
    chosen = {"country": begun.country, "account": begun.outsmart_conn_id} if begun else {}
    return f"connect/{command}{'?' if chosen else ''}{urlencode(chosen)}"


@router.get("/oauth/{package}/callback")
def callback(view: View, package: str) -> Response:
    """Finish the login that this person began in this browser."""
    found = packages().get(package.replace("-", "_"))
    if found is None or not found.imports:
        raise HTTPException(404)
    back = _again(view, found.command)
    try:
        access.Rights(view.user, found).require("connect")
        state, again = begun_here(view)
        done = login.finish(opened.store(), opened.gateway(), str(view.request.url), state=state)
    except SyncError as error:
        return view.page("login_error.html", status=_BAD_REQUEST, error=error, package=found, back=back)
    works_again = done.revived or [each for each in done.resumed if str(each.id) == again]
    if works_again:  # they connected again what had expired or was refused: nothing is to be chosen
        connecting.disconnect(opened.store(), done.connection, opened.gateway())
        answer = view.go_to_frame(f"?again={works_again[0].id}")
    else:
        answer = view.go_to_frame(f"connections/{done.connection.id}/setup")
    answer.delete_cookie(COOKIE, path=f"{airflow.root_path()}/outsmart-sync/oauth")
    return answer
