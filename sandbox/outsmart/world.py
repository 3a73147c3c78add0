"""One sandbox's OutSmart: its endpoints and what stands behind them."""

import logging
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Middleware

from sandbox.calls import CODE, ROWS
from sandbox.clock import Clock
from sandbox.fixed_world import OUTSMART_ACCOUNTS, OUTSMART_ACCOUNTS_BY_TOKEN, OutSmartAccount
from sandbox.front import front_page
from sandbox.outsmart.entities import ENTITIES, LOOK_UPS, Entity
from sandbox.outsmart.envelope import (
    DATA_UNREADABLE,
    HTTPS_REQUIRED,
    NO_ENDPOINT,
    OK,
    SOFTWARE_TOKEN_MISSING,
    SOFTWARE_TOKEN_UNAUTHORIZED,
    TOKEN_MISSING,
    TOKEN_UNAUTHORIZED,
    UNCAUGHT_ERROR,
    UNKNOWN_ENDPOINT,
    RefusedError,
    envelope,
)
from sandbox.outsmart.looking_up import has_filter, read_filter
from sandbox.outsmart.records import Record, Records
from sandbox.outsmart.transactions import INVOICES, TRANSACTIONS, Transactions
from sandbox.outsmart.work_orders import WorkOrders
from sandbox.outsmart.worksheets import Worksheets
from sandbox.outsmart.writing import Writer, read_list
from sandbox.state import State
from sandbox.switches import SwitchBoard

BASE_PATH = "/openapi/8"
WORK_ORDER_ENDPOINTS = {
    "PostWorkorders": ("POST",),
    "GetWorkorders": ("GET",),
    "GetWorkorder": ("GET",),
    "UpdateWorkorder": ("GET", "POST"),
}
LARGEST_BODY = 1024**3
"""Bytes; no limit is documented."""

_log = logging.getLogger(__name__)


class OutSmart:
    """OutSmart's parts, for its server and for the control server."""

    def __init__(self, state: State, clock: Clock, switches: SwitchBoard) -> None:
        self._switches = switches
        self.records = Records(state, clock)
        self._worksheets = Worksheets(self.records)
        self._writer = Writer(self.records, switches)
        self.work_orders = WorkOrders(self.records, clock)
        self._transactions = Transactions(self.records, self._writer, clock)

    def application(self, middleware: Middleware) -> web.Application:
        """The web application.

        Args:
            middleware: What goes around every request.
        """
        app = web.Application(middlewares=[middleware], client_max_size=LARGEST_BODY)
        app.add_routes(self._worksheets.routes())
        app.router.add_get("/next/", self.show_application)
        app.router.add_get("/next/crm/work-orders/{row_id}/", self.show_work_order)
        app.router.add_route("*", "/{tail:.*}", self.handle)
        return app

    async def show_application(self, request: web.Request) -> web.Response:  # noqa: ARG002
        """The first page of the application."""
        return front_page("OutSmart", ("OutSmart", {}))

    async def show_work_order(self, request: web.Request) -> web.Response:
        """A work order by its row id; of each account that has one, as these number theirs apart."""
        key = request.match_info["row_id"]
        orders = (self.records.of(account, "workorders").get(key) for account in OUTSMART_ACCOUNTS)
        return front_page("OutSmart", *((f"Work order {one['WorkorderNo']}", one) for one in orders if one))

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one request."""
        try:
            response = await self._answer(request)
            code, messages = OK, list[str]()
        except RefusedError as refusal:
            response, code, messages = None, refusal.code, refusal.messages
        except Exception:  # noqa: BLE001  the vendor has a code for it
            _log.exception("OutSmart sandbox failed at %s %s", request.method, request.path)
            response, code, messages = None, UNCAUGHT_ERROR, ["Uncaught error"]
        request[CODE] = code
        return envelope(code, messages, response)

    async def _answer(self, request: web.Request) -> Any:
        if self._switches.now.https_required and not request.secure:
            raise RefusedError(HTTPS_REQUIRED)
        name = _endpoint(request.path)
        account = _account(request)
        if name in WORK_ORDER_ENDPOINTS:
            return await self._work_orders(request, account.name, name)
        if name in LOOK_UPS and request.method == "GET":
            return self._look_up(request, account, LOOK_UPS[name])
        entity = ENTITIES.get(name)
        if entity is None or request.method not in entity.methods:
            raise RefusedError(UNKNOWN_ENDPOINT)
        if request.method == "GET":
            return self._list(request, account, entity)
        body = read_list(await request.read())
        request[ROWS] = len(body)
        if entity.name == TRANSACTIONS.name:
            take = self._transactions.add if request.method == "POST" else self._transactions.change
            return [_shown(entity, record) for record in take(account.name, body)]
        return self._writer.write(account.name, entity, body)

    async def _work_orders(self, request: web.Request, account: str, name: str) -> Any:
        """Changing a work order is a GET with parameters; only lists of records are posted."""
        if request.method not in WORK_ORDER_ENDPOINTS[name]:
            raise RefusedError(UNKNOWN_ENDPOINT)
        if name.startswith("Get"):
            if has_filter(request.query):
                raise RefusedError(DATA_UNREADABLE, f"Filter is not supported on {name}")
            find = self.work_orders.many if name == "GetWorkorders" else self.work_orders.one
            found = find(account, request.query)
            request[ROWS] = len(found) if isinstance(found, list) else 1
            if isinstance(found, list):
                return [self._worksheets.linked(request, account, one) for one in found]
            return self._worksheets.linked(request, account, found)
        if request.method == "GET":
            return self.work_orders.update(account, request.query)
        body = read_list(await request.read())
        request[ROWS] = len(body)
        if name == "PostWorkorders":
            return self.work_orders.post(account, body)
        return self.work_orders.update_materials(account, request.query, body)

    def _list(self, request: web.Request, account: OutSmartAccount, entity: Entity) -> list[Record]:
        """The whole list: there is no paging, and filters are documented for look-ups, invoices and transactions only.

        What the vendor does with a filter elsewhere is not known; refusing it keeps anybody from relying on it.
        """
        if has_filter(request.query):
            if entity.filtered:
                return self._look_up(request, account, entity)
            raise RefusedError(entity.failed, f"Filter is not supported on {entity.name}")
        records = self.records.of(account.name, entity.name)
        request[ROWS] = len(records)
        return [_shown(entity, record) for record in self._with_balances(account, entity, list(records.values()))]

    def _look_up(self, request: web.Request, account: OutSmartAccount, entity: Entity) -> list[Record]:
        conditions = read_filter(entity, request.query)
        everything = list(self.records.of(account.name, entity.name).values())
        records = self._with_balances(account, entity, everything)
        found = [_shown(entity, record) for record in records if all(holds(record) for holds in conditions)]
        request[ROWS] = len(found)
        return found

    def _with_balances(self, account: OutSmartAccount, entity: Entity, records: list[Record]) -> list[Record]:
        """Invoices with what their transactions add up to (https://knowledge.out-smart.com/openapi/invoices)."""
        if entity.name != INVOICES.name:
            return records
        sums = self._transactions.balance(account.name)
        return [one | {"inv_balance": f"{sums.get(one['inv_id'], 0):.2f}"} for one in records]


def subject(request: web.Request) -> tuple[str, str | None]:
    """What a request is about, for the log of calls: the endpoint and the account."""
    account = OUTSMART_ACCOUNTS_BY_TOKEN.get(request.query.get("token", ""))
    return request.path.removeprefix(BASE_PATH).strip("/"), None if account is None else account.name


def _endpoint(path: str) -> str:
    base, _, name = path.rstrip("/").partition(f"{BASE_PATH}/")
    if path.rstrip("/") == BASE_PATH:
        raise RefusedError(NO_ENDPOINT)
    if base or name not in {*ENTITIES, *LOOK_UPS, *WORK_ORDER_ENDPOINTS}:
        raise RefusedError(UNKNOWN_ENDPOINT)
    return name


def _account(request: web.Request) -> OutSmartAccount:
    token, software_token = request.query.get("token"), request.query.get("software_token")
    if not token:
        raise RefusedError(TOKEN_MISSING)
    if not software_token:
        raise RefusedError(SOFTWARE_TOKEN_MISSING)
    account = OUTSMART_ACCOUNTS_BY_TOKEN.get(token)
    if account is None:
        raise RefusedError(TOKEN_UNAUTHORIZED)
    if account.software_token != software_token:
        raise RefusedError(SOFTWARE_TOKEN_UNAUTHORIZED)
    return account


def _shown(entity: Entity, record: Record) -> Record:
    """A record with all documented fields; those never filled are null."""
    return dict.fromkeys(entity.fields) | record
