"""`/connect/authorize`: login, the choice of a company, and the way back to the app.

https://developer.vismaonline.com/docs/getting-started: who has a default company is asked for none, unless `prompt`
holds `select_account`, or `acr_values` holds `forceselectcompany:true` together with `prompt=login`; `service:...` in
`acr_values` leaves only companies with eAccounting.
"""

import secrets
from collections.abc import Callable, Mapping

import msgspec
from aiohttp import web
from multidict import MultiMapping
from yarl import URL

from sandbox.fixed_world import VISMA_APP, VISMA_COMPANIES, VISMA_LOGINS, VismaCompany, VismaUser
from sandbox.state import Documents, State
from sandbox.visma_eaccounting.grants import Grants
from sandbox.visma_eaccounting.pages import company_page, login_page, message_page
from sandbox.visma_eaccounting.standing import Standings

COOKIE = "VismaSandbox"
EACCOUNTING = "service:44643EB1-3F76-4C1C-A672-402AE8085934"
FORCE_CHOICE = "forceselectcompany:true"
SCOPES = frozenset((
    "ea:api", "offline_access", "ea:sales", "ea:sales_readonly", "ea:accounting", "ea:accounting_readonly",
    "ea:purchase", "ea:purchase_readonly", "vls:api", "openid", "email", "profile",
))  # fmt: skip


class Wish(msgspec.Struct, frozen=True):
    """What the app asks for."""

    scopes: tuple[str, ...]
    prompts: frozenset[str]
    values: frozenset[str]

    @property
    def must_choose(self) -> bool:
        """Whether the list of companies comes also to somebody with a default company."""
        return "select_account" in self.prompts or (FORCE_CHOICE in self.values and "login" in self.prompts)


class AuthorizeEndpoint:
    """Takes a person through login and the choice of a company."""

    def __init__(
        self, state: State, grants: Grants, standings: Standings, redirect_uris: Callable[[], list[str]]
    ) -> None:
        self._grants = grants
        self._standings = standings
        self._redirect_uris = redirect_uris
        self._logins = Documents(state, "visma_logins", str)

    async def show(self, request: web.Request) -> web.Response:
        """Show the login page, or the next one to somebody who is logged in already."""
        wish = self._read(request.query)
        user = self._logged_in(request)
        if user is None or "login" in wish.prompts:
            return _html(login_page(VISMA_APP.name))
        return self._choice(user, wish)

    async def answer(self, request: web.Request) -> web.Response:
        """Take what was filled in on either page."""
        wish = self._read(request.query)
        form = {name: str(value) for name, value in (await request.post()).items()}
        if "user_name" in form:
            return self._log_in(form, wish)
        user = self._logged_in(request)
        if user is None:
            return _html(login_page(VISMA_APP.name))
        if form.get("decision") != "allow":
            raise _way_back(request.query, error="access_denied")
        chosen = form.get("company", "")
        if chosen not in {one.code for one in self._companies(user, wish)}:
            return self._choice(user, wish, "Choose a company.")
        grant = self._grants.new_grant(user.user_name, chosen, wish.scopes)
        challenge, method = request.query.get("code_challenge"), request.query.get("code_challenge_method", "plain")
        raise _way_back(
            request.query, code=self._grants.new_code(grant, request.query["redirect_uri"], challenge, method)
        )

    def _read(self, query: MultiMapping[str]) -> Wish:
        """Refuse what the app may not ask; only for a registered address does the browser go back there."""
        if query.get("client_id") != VISMA_APP.client_id:
            raise _stopped("Unknown app", "unauthorized_client: no app is registered with this client_id.")
        if query.get("redirect_uri") not in self._redirect_uris():
            raise _stopped("Not authorized", "The redirect_uri is not exactly one of those registered for this app.")
        if query.get("response_type") != "code":
            raise _way_back(query, error="unsupported_response_type")
        scopes = tuple(query.get("scope", "").split())
        if not scopes or not SCOPES.issuperset(scopes):
            raise _way_back(query, error="invalid_scope")
        prompts, values = query.get("prompt", "").split(), query.get("acr_values", "").split()
        return Wish(scopes, frozenset(prompts), frozenset(values))

    def _log_in(self, form: Mapping[str, str], wish: Wish) -> web.Response:
        user = VISMA_LOGINS.get(form["user_name"])
        if user is None or form.get("password") != user.password:
            return _html(login_page(VISMA_APP.name, "The user name or password is not correct."))
        response = self._choice(user, wish)
        login = secrets.token_urlsafe(24)
        self._logins.put(login, user.user_name)
        response.set_cookie(COOKIE, login, path="/connect", httponly=True, samesite="Lax")
        return response

    def _choice(self, user: VismaUser, wish: Wish, error: str = "") -> web.Response:
        return _html(company_page(VISMA_APP.name, user, self._companies(user, wish), wish.scopes, error))

    def _companies(self, user: VismaUser, wish: Wish) -> list[VismaCompany]:
        if user.default_company and not wish.must_choose:
            return [VISMA_COMPANIES[user.default_company]]
        only_eaccounting = EACCOUNTING in wish.values
        companies = [VISMA_COMPANIES[code] for code in user.companies]
        return [one for one in companies if not only_eaccounting or self._standings.of(one.code).eaccounting]

    def _logged_in(self, request: web.Request) -> VismaUser | None:
        return VISMA_LOGINS.get(self._logins.get(request.cookies.get(COOKIE, "")) or "")


def _html(text: str) -> web.Response:
    return web.Response(text=text, content_type="text/html", charset="utf-8")


def _stopped(title: str, text: str) -> web.HTTPBadRequest:
    return web.HTTPBadRequest(text=message_page(title, text), content_type="text/html")


def _way_back(query: MultiMapping[str], **answer: str) -> web.HTTPFound:
    state = {"state": query["state"]} if "state" in query else {}
    return web.HTTPFound(URL(query["redirect_uri"]).update_query(answer | state))
