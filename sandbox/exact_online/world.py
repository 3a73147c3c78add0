"""One sandbox's Exact Online, put together."""

import msgspec
from aiohttp import web
from aiohttp.typedefs import Middleware

from sandbox.clock import Clock
from sandbox.config import SandboxConfig
from sandbox.exact_online.api import Api
from sandbox.exact_online.authorize import AuthorizeEndpoint
from sandbox.exact_online.grants import Grants
from sandbox.exact_online.invoice_stream import InvoiceStream
from sandbox.exact_online.limits import Allowance, Limits
from sandbox.exact_online.permissions import Permissions
from sandbox.exact_online.reading import Reader
from sandbox.exact_online.rows import RowStore
from sandbox.exact_online.token_endpoint import TokenEndpoint
from sandbox.exact_online.velocity import ErrorVelocity
from sandbox.exact_online.writing import Writer
from sandbox.fixed_world import DIVISIONS
from sandbox.front import front_page
from sandbox.state import Documents, State
from sandbox.switches import SwitchBoard

LARGEST_BODY = 10 * 1024**2
"""Bytes (https://docs.skyvia.com/connectors/cloud-sources/exactonline_connections.html)."""


class ExactOnline:
    """Exact Online's parts, for its server and for the control server."""

    def __init__(self, config: SandboxConfig, state: State, clock: Clock, switches: SwitchBoard) -> None:
        self._config = config
        self._added_uris = Documents(state, "redirect_uris", bool)
        self.store = RowStore(state, clock)
        self.invoice_stream = InvoiceStream(self.store)
        self.grants = Grants(state, clock)
        self.limits = Limits(state, clock, Allowance(config.minute_limit, config.day_limit))
        self.velocity = ErrorVelocity(state, clock)
        self.permissions = Permissions(state, switches)
        self.tokens = TokenEndpoint(state, clock, self.grants, switches)
        self.authorize = AuthorizeEndpoint(state, self.grants, self.redirect_uris)
        self.writer = Writer(self.store, clock)
        reader = Reader(self.store, clock, switches)
        self.api = Api(
            clock, self.store, self.grants, self.limits, self.velocity, self.permissions, reader, self.writer
        )

    def redirect_uris(self) -> list[str]:
        """The addresses registered for the app."""
        return [*self._config.redirect_uris, *self._added_uris.keys()]

    def add_redirect_uri(self, uri: str) -> None:
        """Register another address for the app."""
        self._added_uris.put(uri, body=True)

    def application(self, middleware: Middleware) -> web.Application:
        """The web application.

        Args:
            middleware: What goes around every request.
        """
        app = web.Application(middlewares=[middleware], client_max_size=LARGEST_BODY)
        app.router.add_get("/api/oauth2/auth", self.authorize.show)
        app.router.add_post("/api/oauth2/auth", self.authorize.answer)
        app.router.add_post("/api/oauth2/token", self.tokens.handle)
        app.router.add_route("*", "/api/v1/{tail:.*}", self.api.handle)
        app.router.add_get("/docs/MenuPortal.aspx", self.show_administration)
        app.router.add_get("/docs/CRMAccountCard.aspx", self.show_account)
        return app

    async def show_administration(self, request: web.Request) -> web.Response:
        """The first page of an administration."""
        code = request.query.get("_Division_", "")
        division = DIVISIONS.get(int(code)) if code.isdecimal() else None
        return front_page("Exact Online", *([(division.description, {})] if division else []))

    async def show_account(self, request: web.Request) -> web.Response:
        """The card of an account; its id stands in braces."""
        code, key = request.query.get("_Division_", ""), request.query.get("AccountID", "")
        shown = []
        if code.isdecimal() and int(code) in DIVISIONS and key.startswith("{") and key.endswith("}"):
            row = self.store.table(int(code), "crm/Accounts").by_key.get(key[1:-1].lower())
            shown = [(row.Name, msgspec.structs.asdict(row))] if row is not None else []
        return front_page("Exact Online", *shown)
