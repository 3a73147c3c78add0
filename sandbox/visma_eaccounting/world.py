"""One sandbox's VISMA eAccounting, put together."""

from aiohttp import web
from aiohttp.typedefs import Middleware

from sandbox.clock import Clock
from sandbox.config import SandboxConfig
from sandbox.fixed_world import VISMA_COMPANIES
from sandbox.front import front_page
from sandbox.state import Documents, State
from sandbox.switches import SwitchBoard
from sandbox.visma_eaccounting.api import Api
from sandbox.visma_eaccounting.authorize import AuthorizeEndpoint
from sandbox.visma_eaccounting.grants import Grants
from sandbox.visma_eaccounting.limits import Limits
from sandbox.visma_eaccounting.reading import Reader
from sandbox.visma_eaccounting.routing import resource_at
from sandbox.visma_eaccounting.rows import RowStore
from sandbox.visma_eaccounting.standing import Standings
from sandbox.visma_eaccounting.token_endpoint import TokenEndpoint
from sandbox.visma_eaccounting.writing import Writer

LARGEST_BODY = 30 * 1024**2
"""Bytes; the vendor publishes no largest attachment."""


class VismaEAccounting:
    """VISMA's parts, for its server and for the control server."""

    def __init__(self, config: SandboxConfig, state: State, clock: Clock, switches: SwitchBoard) -> None:
        self._config = config
        self._added_uris = Documents(state, "visma_redirect_uris", bool)
        self.store = RowStore(state, clock)
        self.grants = Grants(state, clock)
        self.limits = Limits(state, clock, config.visma_minute_limit)
        self.standings = Standings(state)
        self.tokens = TokenEndpoint(clock, self.grants, switches)
        self.authorize = AuthorizeEndpoint(state, self.grants, self.standings, self.redirect_uris)
        self.writer = Writer(self.store)
        reader = Reader(self.store, switches)
        self.api = Api(self.grants, self.limits, self.standings, switches, reader, self.writer)

    def redirect_uris(self) -> list[str]:
        """The addresses registered for the app."""
        return [*self._config.visma_redirect_uris, *self._added_uris.keys()]

    def add_redirect_uri(self, uri: str) -> None:
        """Register another address for the app."""
        self._added_uris.put(uri, body=True)

    def application(self, middleware: Middleware) -> web.Application:
        """The web application: the identity server and the API on one port.

        Args:
            middleware: What goes around every request.
        """
        app = web.Application(middlewares=[middleware], client_max_size=LARGEST_BODY)
        app.router.add_get("/connect/authorize", self.authorize.show)
        app.router.add_post("/connect/authorize", self.authorize.answer)
        app.router.add_post("/connect/token", self.tokens.handle)
        app.router.add_post("/connect/revocation", self.tokens.revoke)
        app.router.add_route("*", "/v2/{tail:.*}", self.api.handle)
        app.router.add_get("/", self.show_application)
        return app

    async def show_application(self, request: web.Request) -> web.Response:  # noqa: ARG002
        """The application; which of its pages is meant stands behind the `#`, which no server sees."""
        return front_page("VISMA eAccounting", ("VISMA eAccounting", {}))

    def subject(self, request: web.Request) -> tuple[str, str | None]:
        """What a request is about and in which company, for the log of calls."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        session = self.grants.session(token)[0] if scheme.lower() == "bearer" else None
        return resource_at(request.path), session.company.code if session else None


def known(company: str) -> str:
    """A company's code.

    Raises:
        KeyError: There is none.
    """
    if company not in VISMA_COMPANIES:
        raise KeyError(f"company {company}")
    return company
