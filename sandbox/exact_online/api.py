"""`/api/v1/...`: takes requests in the order in which the vendor would refuse them.

Token, limits, error velocity, permissions, and only then the question itself.
"""

from aiohttp import web

from sandbox.calls import ROWS
from sandbox.clock import Clock
from sandbox.exact_online.bodies import read_body
from sandbox.exact_online.calling import Call, Target, read_target, resource_at
from sandbox.exact_online.errors import VendorError, bad_query, not_found
from sandbox.exact_online.functions import me, rights_parameters, sync_timestamp
from sandbox.exact_online.grants import Grants, Session
from sandbox.exact_online.limits import Limits
from sandbox.exact_online.odata.answers import JSON_TYPE, answer, error_answer
from sandbox.exact_online.permissions import Permissions
from sandbox.exact_online.reading import Reader
from sandbox.exact_online.rows import RowStore
from sandbox.exact_online.velocity import ErrorVelocity
from sandbox.exact_online.writing import Writer

_ECHOED = {
    "salesorder/SalesOrders", "salesinvoice/SalesInvoices", "documents/Documents", "documents/DocumentAttachments",
}  # fmt: skip
"""What a POST answers filled, as recordings show (https://github.com/NangoHQ/integration-templates)."""

LONGEST_ADDRESS = 6000
"""Characters of an address, says the vendor's page on restrictions (https://github.com/Pi-Systems/exact-online)."""


class Api:
    """The REST API of one sandbox."""

    def __init__(
        self,
        clock: Clock,
        store: RowStore,
        grants: Grants,
        limits: Limits,
        velocity: ErrorVelocity,
        permissions: Permissions,
        reader: Reader,
        writer: Writer,
    ) -> None:
        self._clock = clock
        self._store = store
        self._grants = grants
        self._limits = limits
        self._velocity = velocity
        self._permissions = permissions
        self._reader = reader
        self._writer = writer

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one request."""
        target = read_target(request.path)
        try:
            session = self._identify(request, target)
            headers = self._limits.spend(session.client_id, target.division if target else 0)
        except VendorError as refusal:
            return _refuse(request, refusal)
        response = await self._answer_counted(request, session, target)
        response.headers.update(headers)
        return response

    def _identify(self, request: web.Request, target: Target | None) -> Session:
        if len(request.raw_path) > LONGEST_ADDRESS:
            raise VendorError(414, "The request URI is longer than 6000 characters")
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        session, valid = self._grants.session(token) if scheme.lower() == "bearer" else (None, False)
        if session is not None and not valid and target is not None:
            self._velocity.record(session, target.division, target.path, 401)
        if session is None or not valid:
            raise VendorError(401, "Unauthorized")
        return session

    async def _answer_counted(self, request: web.Request, session: Session, target: Target | None) -> web.Response:
        """Answer, and let errors count towards the error velocity limit."""
        if target is None:
            return _refuse(request, not_found())
        try:
            self._velocity.check(session, target.division, target.path)
            return await self._answer(request, session, target)
        except VendorError as refusal:
            self._velocity.record(session, target.division, target.path, refusal.status)
            return _refuse(request, refusal)

    async def _answer(self, request: web.Request, session: Session, target: Target) -> web.Response:
        resource = resource_at(target)
        call = Call(request, session, target.division, resource, target.key, target.collection)
        if resource.path == "current/Me":
            return self._me(call)
        self._permissions.check(session, call.division, resource, request.method)
        if request.method not in resource.methods:
            raise VendorError(405, "Method Not Allowed")
        if resource.kind == "function":
            return self._function(call)
        if request.method == "GET":
            return self._reader.read(call)
        return await self._write(call)

    def _me(self, call: Call) -> web.Response:
        if call.request.method != "GET":
            raise VendorError(405, "Method Not Allowed")
        options = call.request.query
        if any(name != "$select" for name in options):
            raise bad_query()
        record = me(call.session.user, self._clock.now())
        wanted = options["$select"].split(",") if "$select" in options else list(record)
        if any(name not in record for name in wanted):
            raise bad_query()
        call.request[ROWS] = 1
        return answer(call.request, {"results": [{name: record[name] for name in wanted}]})

    def _function(self, call: Call) -> web.Response:
        if call.resource.path == "users/UserHasRights":
            endpoint, action = rights_parameters(call.request.query)
            row: dict[str, object] = {"UserHasRights": self._permissions.has_right(call.session, action, endpoint)}
        else:
            row = sync_timestamp(self._store, call.division, call.request.query)
        return answer(call.request, {"results": [row]})

    async def _write(self, call: Call) -> web.Response:
        if call.request.query:
            raise bad_query()
        if (call.key is None) != (call.request.method == "POST") or call.collection is not None:
            raise VendorError(405, "Method Not Allowed")
        by = call.session.user.user_id
        if call.request.method == "DELETE":
            self._writer.remove(call.division, call.resource, self._reader.find(call), by)
            return web.Response(status=204)
        if call.request.content_type != JSON_TYPE:
            raise VendorError(415, "Unsupported Media Type")
        body = read_body(await call.request.read())
        if call.request.method == "PUT":
            self._writer.change(call.division, call.resource, self._reader.find(call), body, by)
            return web.Response(status=204)
        row = self._writer.create(call.division, call.resource, body, by)
        shown = self._reader.render(call, row)
        if call.resource.path not in _ECHOED and "return=representation" not in call.request.headers.get("Prefer", ""):
            shown = _only_the_key(shown, call.resource.key)
        return answer(call.request, shown, status=201)


def _only_the_key(shown: dict[str, object], key: str) -> dict[str, object]:
    """What a POST answers unless the whole row is asked for.

    Recordings of Accounts and Items show nulls but for the id
    (https://github.com/NangoHQ/integration-templates/tree/main/integrations/exact-online).
    """
    kept = {"__metadata", key}
    return {name: value if name in kept or isinstance(value, dict) else None for name, value in shown.items()}


def _refuse(request: web.Request, refusal: VendorError) -> web.Response:
    response = error_answer(request, refusal.status, refusal.body)
    response.headers.update(refusal.headers)
    return response
