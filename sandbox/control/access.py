"""OAuth from the outside: tokens without a browser, taking consent back, addresses of the app, the token calls."""

import msgspec
from aiohttp import web

from sandbox.control.reading import answer, read_as
from sandbox.exact_online.world import ExactOnline
from sandbox.fixed_world import USERS


class Consent(msgspec.Struct, forbid_unknown_fields=True):
    """A login and consent that is taken as given; by default of the first user, with the ticked companies."""

    user: str = next(iter(USERS))
    divisions: tuple[int, ...] | None = None


class Revocation(msgspec.Struct, forbid_unknown_fields=True):
    """Whose consent ends; None for everybody's."""

    user: str | None = None


class RedirectUris(msgspec.Struct, forbid_unknown_fields=True):
    """Addresses to register for the app."""

    redirect_uris: tuple[str, ...]


class Access:
    """The control server's routes for OAuth."""

    def __init__(self, exact: ExactOnline) -> None:
        self._exact = exact

    def routes(self) -> list[web.RouteDef]:
        """The routes."""
        return [
            web.post("/oauth/tokens", self.give_tokens),
            web.post("/oauth/revoke", self.revoke),
            web.get("/redirect-uris", self.show_redirect_uris),
            web.post("/redirect-uris", self.add_redirect_uris),
            web.get("/token-calls", self.show_token_calls),
            web.delete("/token-calls", self.forget_token_calls),
        ]

    async def give_tokens(self, request: web.Request) -> web.Response:
        """A token pair as after a login; it ends the user's earlier one."""
        consent = await read_as(request, Consent)
        divisions = consent.divisions
        if divisions is None:
            divisions = self._exact.authorize.ticked(USERS[consent.user])
        return answer(self._exact.grants.new_family(USERS[consent.user].user_name, divisions))

    async def revoke(self, request: web.Request) -> web.Response:
        """Ends consent: access tokens stop working at once, refreshing gives `invalid_request`."""
        return answer({"revoked": self._exact.grants.revoke((await read_as(request, Revocation)).user)})

    async def show_redirect_uris(self, _request: web.Request) -> web.Response:
        """The addresses registered for the app."""
        return answer({"redirect_uris": self._exact.redirect_uris()})

    async def add_redirect_uris(self, request: web.Request) -> web.Response:
        """Registers more addresses."""
        for uri in (await read_as(request, RedirectUris)).redirect_uris:
            self._exact.add_redirect_uri(uri)
        return await self.show_redirect_uris(request)

    async def show_token_calls(self, _request: web.Request) -> web.Response:
        """How often the token endpoint was called, how the calls ended, and each call."""
        tokens = self._exact.tokens
        return answer({"count": len(tokens.calls), "outcomes": tokens.outcomes(), "calls": tokens.calls})

    async def forget_token_calls(self, request: web.Request) -> web.Response:
        """Starts the count again (not the vendor's own, of 200 a day)."""
        self._exact.tokens.calls.clear()
        return await self.show_token_calls(request)
