"""`/v2/...`: takes requests in the order in which the vendor would refuse them.

Token, limit, the company's standing, and only then the question itself.
"""

from aiohttp import web

from sandbox.calls import ROWS
from sandbox.switches import SwitchBoard
from sandbox.visma_eaccounting.errors import NOT_AUTHORIZED, ApiError, invalid, missing, refuse
from sandbox.visma_eaccounting.grants import Grants, Session
from sandbox.visma_eaccounting.limits import Limits
from sandbox.visma_eaccounting.reading import Reader, json_answer
from sandbox.visma_eaccounting.routing import Target, endpoint, find, methods
from sandbox.visma_eaccounting.sales.attachments import KINDS
from sandbox.visma_eaccounting.standing import Standings
from sandbox.visma_eaccounting.writing import Writer

JSON_TYPE = "application/json"
_ANSWERED_WITH_200 = frozenset({"deliverymethods", "deliveryterms", "notes"})
"""What a POST answers with 200 instead of 201, says the vendor's description."""


class Api:
    """The REST API of one sandbox."""

    def __init__(
        self,
        grants: Grants,
        limits: Limits,
        standings: Standings,
        switches: SwitchBoard,
        reader: Reader,
        writer: Writer,
    ) -> None:
        self._grants = grants
        self._limits = limits
        self._standings = standings
        self._switches = switches
        self._reader = reader
        self._writer = writer

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one request."""
        try:
            session = self._identify(request)
            self._limits.spend(endpoint(request.path), retry_after=self._switches.now.visma_retry_after)
            target = find(request.method, request.path)
            if target is None:
                return _nowhere(request)
            user = session.user
            self._standings.check(session.company.code, target.operation, session.scopes, may_write=user.may_write)
            return await self._answer(request, session, target)
        except ApiError as refusal:
            return refuse(request, refusal)

    def _identify(self, request: web.Request) -> Session:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        session, valid = self._grants.session(token) if scheme.lower() == "bearer" else (None, False)
        if session is None or not valid:
            refusal = ApiError(NOT_AUTHORIZED, "Not authorized: the token is missing, unknown or has expired.")
            refusal.headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
            raise refusal
        return session

    async def _answer(self, request: web.Request, session: Session, target: Target) -> web.Response:
        if request.method == "GET":
            return self._read(request, session.company.code, target)
        raw = await request.read()
        if raw and request.content_type != JSON_TYPE:
            raise ApiError(invalid().code, "The content type must be application/json.", status=415)
        return self._write(request, session, target, raw)

    def _read(self, request: web.Request, company: str, target: Target) -> web.Response:
        resource = target.operation.resource
        if resource.name == "companysettings":
            return json_answer(self._reader.settings(company))
        if resource.name == "salespricelists/prices" and len(target.values) == 1:
            return self._reader.page(request, company, resource, {"SalesPriceListId": target.key})
        if target.operation.path.endswith(".pdf"):
            return self._writer.pdf(company, resource, target.key)
        if target.values:
            request[ROWS] = 1
            return json_answer(self._reader.single(company, resource, "/".join(target.values.values())))
        return self._reader.page(request, company, resource, {})

    def _write(self, request: web.Request, session: Session, target: Target, raw: bytes) -> web.Response:
        company, resource = session.company.code, target.operation.resource
        if resource.name == "salesdocumentattachments":
            return self._attachment(session, target, raw)
        if request.method == "DELETE":
            self._writer.remove(company, resource, target.key)
            return web.Response(status=200)
        if request.method == "PUT":
            shown = self._writer.replace(company, resource, target.key, raw)
            return json_answer(shown, 201 if resource.name == "projects" else 200)
        if target.values:
            status, shown = self._writer.act(company, resource, target.key, target.action, raw, request.query)
            return json_answer(shown, status)
        shown = self._writer.create(company, resource, raw, request.query)
        return json_answer(shown, 200 if resource.name in _ANSWERED_WITH_200 else 201)

    def _attachment(self, session: Session, target: Target, raw: bytes) -> web.Response:
        kind = next(word for word in target.operation.path.split("/") if word in KINDS)
        if target.operation.method == "POST":
            return json_answer(self._writer.attach(session.company.code, kind, raw, session.user), 201)
        document_id, attachment_id = target.values.values()
        self._writer.detach(session.company.code, kind, document_id, attachment_id)
        return web.Response(status=200)


def _nowhere(request: web.Request) -> web.Response:
    allowed = methods(request.path)
    if not allowed:
        return refuse(request, missing(f"The path {request.path}"))
    return web.Response(status=405, headers={"Allow": ", ".join(allowed)})
