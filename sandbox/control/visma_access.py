"""VISMA from the outside: tokens without a browser, addresses of the app, limits, and how companies stand."""

import msgspec
from aiohttp import web

from sandbox.control.reading import answer, read_as
from sandbox.fixed_world import VISMA_COMPANIES, VISMA_USERS
from sandbox.visma_eaccounting.world import VismaEAccounting, known


class VismaConsent(msgspec.Struct, forbid_unknown_fields=True):
    """A login and consent that is taken as given; by default of the first user, for the first company."""

    user: str = next(iter(VISMA_USERS))
    company: str = next(iter(VISMA_COMPANIES))
    scopes: tuple[str, ...] = ("ea:api", "offline_access", "ea:sales")


class VismaRevocation(msgspec.Struct, forbid_unknown_fields=True):
    """Whose consent ends, and for which company; None for all."""

    user: str | None = None
    company: str | None = None


class VismaRedirectUris(msgspec.Struct, forbid_unknown_fields=True):
    """Addresses to register for the app."""

    redirect_uris: tuple[str, ...]


class VismaLimitChange(msgspec.Struct, forbid_unknown_fields=True):
    """A new limit, or calls to be taken as made at an endpoint such as `articles`."""

    minute: int | None = None
    endpoint: str = ""
    used: int | None = None


class VismaAccess:
    """The control server's routes for VISMA's circumstances."""

    def __init__(self, visma: VismaEAccounting) -> None:
        self._visma = visma

    def routes(self) -> list[web.RouteDef]:
        """The routes."""
        return [
            web.post("/visma-oauth/tokens", self.give_tokens),
            web.post("/visma-oauth/revoke", self.revoke),
            web.get("/visma-token-calls", self.show_token_calls),
            web.delete("/visma-token-calls", self.forget_token_calls),
            web.get("/visma-redirect-uris", self.show_redirect_uris),
            web.post("/visma-redirect-uris", self.add_redirect_uris),
            web.get("/visma-limits", self.show_limits),
            web.post("/visma-limits", self.change_limits),
            web.delete("/visma-limits", self.reset_limits),
            web.get("/visma-standings", self.show_standings),
            web.delete("/visma-standings", self.reset_standings),
            web.post("/visma-standings/{company}", self.change_standing),
        ]

    async def give_tokens(self, request: web.Request) -> web.Response:
        """Tokens as after a login; they end no earlier ones."""
        consent = await read_as(request, VismaConsent)
        user = VISMA_USERS[consent.user]
        grant = self._visma.grants.new_grant(user.user_name, known(consent.company), consent.scopes)
        return answer(self._visma.tokens.new_tokens(grant))

    async def revoke(self, request: web.Request) -> web.Response:
        """Ends consent: access tokens stop working at once, refreshing gives `invalid_grant`."""
        which = await read_as(request, VismaRevocation)
        return answer({"revoked": self._visma.grants.revoke(which.user, which.company)})

    async def show_token_calls(self, _request: web.Request) -> web.Response:
        """How often the token and revocation endpoints were called, how the calls ended, and each call."""
        tokens = self._visma.tokens
        return answer({"count": len(tokens.calls), "outcomes": tokens.outcomes(), "calls": tokens.calls})

    async def forget_token_calls(self, request: web.Request) -> web.Response:
        """Starts the count again."""
        self._visma.tokens.calls.clear()
        return await self.show_token_calls(request)

    async def show_redirect_uris(self, _request: web.Request) -> web.Response:
        """The addresses registered for the app."""
        return answer({"redirect_uris": self._visma.redirect_uris()})

    async def add_redirect_uris(self, request: web.Request) -> web.Response:
        """Registers more addresses."""
        for uri in (await read_as(request, VismaRedirectUris)).redirect_uris:
            self._visma.add_redirect_uri(uri)
        return await self.show_redirect_uris(request)

    async def show_limits(self, _request: web.Request) -> web.Response:
        """`{"minute", "used"}`: calls a minute, and this minute's calls by endpoint."""
        return answer({"minute": self._visma.limits.allowed, "used": self._visma.limits.usage()})

    async def change_limits(self, request: web.Request) -> web.Response:
        """Sets the limit, or says how many calls of this minute are used at an endpoint."""
        change = await read_as(request, VismaLimitChange)
        if change.minute is not None:
            self._visma.limits.allow(change.minute)
        if change.used is not None:
            self._visma.limits.set_usage(change.endpoint, change.used)
        return await self.show_limits(request)

    async def reset_limits(self, request: web.Request) -> web.Response:
        """Goes back to the command line's limit, no call used."""
        self._visma.limits.reset()
        return await self.show_limits(request)

    async def show_standings(self, _request: web.Request) -> web.Response:
        """How each company stands: variant, modules, start guide and so on."""
        return answer({code: self._visma.standings.of(code) for code in VISMA_COMPANIES})

    async def change_standing(self, request: web.Request) -> web.Response:
        """Changes how a company stands; its settings follow."""
        company = known(request.match_info["company"])
        standing = self._visma.standings.change(company, await read_as(request, dict[str, object]))
        self._follow(company)
        return answer(standing)

    async def reset_standings(self, request: web.Request) -> web.Response:
        """All companies as they were made."""
        self._visma.standings.reset()
        for company in VISMA_COMPANIES:
            self._follow(company)
        return await self.show_standings(request)

    def _follow(self, company: str) -> None:
        standing, store = self._visma.standings.of(company), self._visma.store
        values = {
            "ProductVariant": standing.variant,
            "ActivatedModules": list(standing.modules),
            "CompanyStatus": standing.status,
        }
        store.update(company, "companysettings", store.settings(company), values)
