"""The control server's web application."""

from collections.abc import Callable
from typing import Any

from aiohttp import web

from sandbox.calls import CallLog, summarize
from sandbox.clock import Clock
from sandbox.control.access import Access
from sandbox.control.billing import Billing
from sandbox.control.completed import Completed
from sandbox.control.conditions import Conditions
from sandbox.control.exact_rows import ExactRows
from sandbox.control.outsmart_rows import OutSmartRows
from sandbox.control.reading import answer, explain_mistakes, number
from sandbox.control.visma_access import VismaAccess
from sandbox.control.visma_rows import VismaRows
from sandbox.describing import describe
from sandbox.exact_online.world import ExactOnline
from sandbox.faults import Faults
from sandbox.outsmart.world import OutSmart
from sandbox.switches import SwitchBoard
from sandbox.visma_eaccounting.world import VismaEAccounting

LARGEST_BODY = 1024**3


class Control:
    """Everything the control server can reach."""

    def __init__(
        self,
        clock: Clock,
        switches: SwitchBoard,
        faults: Faults,
        log: CallLog,
        exact: ExactOnline,
        visma: VismaEAccounting,
        outsmart: OutSmart,
        addresses: Callable[[], dict[str, Any]],
    ) -> None:
        self._log = log
        self._exact = exact
        self._visma = visma
        self._outsmart = outsmart
        self._addresses = addresses
        self._parts = (
            Conditions(clock, faults, switches, exact),
            Access(exact),
            ExactRows(exact.store),
            Billing(exact.store),
            Completed(exact, outsmart),
            VismaAccess(visma),
            VismaRows(visma.store),
            OutSmartRows(outsmart),
        )

    def application(self) -> web.Application:
        """The web application."""
        app = web.Application(middlewares=[explain_mistakes], client_max_size=LARGEST_BODY)
        app.add_routes([
            web.get("/health", self.health),
            web.get("/world", self.world),
            web.get("/calls", self.calls),
            web.delete("/calls", self.forget_calls),
        ])  # fmt: skip
        for part in self._parts:
            app.add_routes(part.routes())
        return app

    async def health(self, _request: web.Request) -> web.Response:
        """Says that the sandbox is there."""
        return answer({"status": "ok"})

    async def world(self, _request: web.Request) -> web.Response:
        """Addresses, companies, users, tokens, and what each company and account holds."""
        content = describe(self._exact.store, self._visma.store, self._outsmart.records)
        return answer({"addresses": self._addresses()} | content)

    async def calls(self, request: web.Request) -> web.Response:
        """`{"calls", "summary"}`, with `?since=` (a number), `?vendor=` and `?path=` (a regular expression)."""
        query = request.query
        found = self._log.find(number(request, "since"), query.get("vendor"), query.get("path"))
        return answer({"calls": found, "summary": summarize(found)})

    async def forget_calls(self, _request: web.Request) -> web.Response:
        """Forgets the calls so far."""
        self._log.clear()
        return answer({"calls": [], "summary": []})
