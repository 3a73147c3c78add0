"""`/api/oauth2/auth`: the login page, the consent page and the way back to the app.

Parameters: https://github.com/picqer/exact-php-client. That the user picks the companies an app may see is described at
https://support.zapfloorhq.com/knowledge-base/troubleshooting-erros-for-syncing-invoices-to-exact-online.
"""

import secrets
from collections.abc import Callable, Mapping

from aiohttp import web
from multidict import MultiMapping
from yarl import URL

from sandbox.exact_online.grants import Grants
from sandbox.exact_online.pages import consent_page, login_page, message_page
from sandbox.fixed_world import APP, DIVISIONS, LOGINS, Division, User
from sandbox.state import Documents, State

COOKIE = "ExactOnlineSandbox"


class AuthorizeEndpoint:
    """Takes a person through login and consent."""

    def __init__(self, state: State, grants: Grants, redirect_uris: Callable[[], list[str]]) -> None:
        self._grants = grants
        self._redirect_uris = redirect_uris
        self._logins = Documents(state, "logins", str)

    async def show(self, request: web.Request) -> web.Response:
        """Show the login page, or the consent page to somebody who is logged in already."""
        self._check(request.query)
        user = self._logged_in(request)
        if user is None or request.query.get("force_login") == "1":
            return _html(login_page(APP.name))
        return _html(consent_page(APP.name, user, _companies(user)))

    async def answer(self, request: web.Request) -> web.Response:
        """Take what was filled in on either page."""
        self._check(request.query)
        form = await request.post()
        if "user_name" in form:
            return self._log_in({name: str(value) for name, value in form.items()})
        user = self._logged_in(request)
        if user is None:
            return _html(login_page(APP.name))
        if form.get("decision") != "allow":
            raise _way_back(request.query, error="access_denied")
        chosen = tuple(code for code in user.divisions if str(code) in form.getall("division", []))
        if not chosen:
            return _html(consent_page(APP.name, user, _companies(user), "Tick at least one company."))
        code = self._grants.new_code(user.user_name, request.query["redirect_uri"], chosen)
        raise _way_back(request.query, code=code)

    def ticked(self, user: User) -> tuple[int, ...]:
        """The companies that a user grants who changes no tick."""
        return tuple(one.code for one in _companies(user) if one.ticked)

    def _check(self, query: MultiMapping[str]) -> None:
        """Refuse what the app may not ask; only for a registered address does the browser go back there."""
        if query.get("client_id") != APP.client_id:
            raise _stopped("Unknown app", "No app is registered with this client_id.")
        if query.get("redirect_uri") not in self._redirect_uris():
            raise _stopped("Not authorized", "The redirect_uri is not exactly the one registered for this app.")
        if query.get("response_type") != "code" or query.get("force_login", "0") not in {"0", "1"}:
            raise _way_back(query, error="invalid_request")

    def _log_in(self, form: Mapping[str, str]) -> web.Response:
        user = LOGINS.get(form["user_name"])
        if user is None or form.get("password") != user.password:
            return _html(login_page(APP.name, "The user name or password is not correct."))
        response = _html(consent_page(APP.name, user, _companies(user)))
        login = secrets.token_urlsafe(24)
        self._logins.put(login, user.user_name)
        response.set_cookie(COOKIE, login, path="/api/oauth2", httponly=True, samesite="Lax")
        return response

    def _logged_in(self, request: web.Request) -> User | None:
        return LOGINS.get(self._logins.get(request.cookies.get(COOKIE, "")) or "")


def _companies(user: User) -> list[Division]:
    return [DIVISIONS[code] for code in user.divisions]


def _html(text: str, status: int = 200) -> web.Response:
    return web.Response(text=text, status=status, content_type="text/html", charset="utf-8")


def _stopped(title: str, text: str) -> web.HTTPBadRequest:
    page = message_page(title, text)
    return web.HTTPBadRequest(text=page, content_type="text/html")


def _way_back(query: MultiMapping[str], **answer: str) -> web.HTTPFound:
    state = {"state": query["state"]} if "state" in query else {}
    return web.HTTPFound(URL(query["redirect_uri"]).update_query(answer | state))
