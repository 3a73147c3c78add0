"""`/connect/token` and `/connect/revocation`.

https://developer.vismaonline.com/docs/getting-started describes both; refusals are those of plain OAuth. Whether a
refresh token is replaced depends on how old the app's registration is
(https://developer.vismaonline.com/changelog?page=2), so it is a switch.
"""

import base64
import binascii
from collections import Counter
from collections.abc import Mapping
from urllib.parse import unquote_plus

import msgspec
from aiohttp import web

from sandbox.clock import Clock
from sandbox.fixed_world import VISMA_APP
from sandbox.switches import SwitchBoard
from sandbox.visma_eaccounting import grants as rules
from sandbox.visma_eaccounting.grants import REFRESH_SCOPE, Grants, Refresh, meets_challenge

FORM = "application/x-www-form-urlencoded"


class TokenCall(msgspec.Struct, frozen=True):
    """One call of the token or revocation endpoint, for tests to count."""

    at: str
    grant_type: str
    status: int
    outcome: str


class TokenRefusedError(Exception):
    """Why no tokens are given: OAuth's `error`."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


class TokenEndpoint:
    """Answers token requests, and remembers how each ended."""

    def __init__(self, clock: Clock, grants: Grants, switches: SwitchBoard) -> None:
        self._clock = clock
        self._grants = grants
        self._switches = switches
        self.calls: list[TokenCall] = []

    async def handle(self, request: web.Request) -> web.Response:
        """Give tokens for a code or a refresh token."""
        fields = await _form(request)
        kind = fields.get("grant_type", "")
        try:
            _check_client(request, fields)
            body = self._tokens(kind, fields)
        except TokenRefusedError as refusal:
            return self._refused(kind, refusal)
        self._remember(kind, 200, "tokens")
        return web.json_response(body, headers={"Cache-Control": "no-store"})

    async def revoke(self, request: web.Request) -> web.Response:
        """End a token; an unknown one is no mistake."""
        fields = await _form(request)
        try:
            _check_client(request, fields)
        except TokenRefusedError as refusal:
            return self._refused("revocation", refusal)
        token = self._grants.refresh_tokens.get(fields.get("token", ""))
        if token is not None:
            self._grants.end(token.grant)
        else:
            self._grants.access_tokens.delete(fields.get("token", ""))
        self._remember("revocation", 200, "revoked" if token else "unknown")
        return web.Response(status=200)

    def outcomes(self) -> dict[str, int]:
        """How often calls ended in which way."""
        return dict(Counter(f"{call.grant_type} {call.status} {call.outcome}" for call in self.calls))

    def new_tokens(self, grant: str) -> dict[str, object]:
        """Tokens for a grant; without the scope `offline_access` none to refresh with."""
        body = self._access(grant)
        known = self._grants.grants.get(grant)
        if known is not None and REFRESH_SCOPE in known.scopes:
            body["refresh_token"] = self._grants.new_refresh_token(grant)
        return body

    def _access(self, grant: str) -> dict[str, object]:
        known = self._grants.grants.get(grant)
        return {
            "access_token": self._grants.new_access_token(grant),
            "expires_in": rules.ACCESS_SECONDS,
            "token_type": "Bearer",
            "scope": " ".join(known.scopes if known else ()),
        }

    def _tokens(self, kind: str, fields: Mapping[str, str]) -> dict[str, object]:
        if kind == "authorization_code":
            return self._exchange(fields)
        if kind == "refresh_token":
            return self._refresh(fields)
        raise TokenRefusedError("unsupported_grant_type")

    def _exchange(self, fields: Mapping[str, str]) -> dict[str, object]:
        text = fields.get("code", "")
        code = self._grants.codes.get(text)
        if code is None or code.used or self._grants.age(code.issued_at) >= rules.CODE_SECONDS:
            raise TokenRefusedError("invalid_grant")
        fits = meets_challenge(code, fields.get("code_verifier", ""))
        if fields.get("redirect_uri") != code.redirect_uri or not fits or not self._grants.is_alive(code.grant):
            raise TokenRefusedError("invalid_grant")
        self._grants.codes.put(text, msgspec.structs.replace(code, used=True))
        return self.new_tokens(code.grant)

    def _refresh(self, fields: Mapping[str, str]) -> dict[str, object]:
        text = fields.get("refresh_token", "")
        token = self._grants.refresh_tokens.get(text)
        if token is None or token.ended or not self._grants.is_alive(token.grant):
            raise TokenRefusedError("invalid_grant")
        body, manner = self._access(token.grant), self._switches.now.visma_refresh
        if manner == "rotate":
            self._grants.refresh_tokens.put(text, Refresh(token.grant, ended=True))
            body["refresh_token"] = self._grants.new_refresh_token(token.grant)
        elif manner == "reuse":
            body["refresh_token"] = text
        return body

    def _refused(self, kind: str, refusal: TokenRefusedError) -> web.Response:
        self._remember(kind, 400, refusal.error)
        return web.json_response({"error": refusal.error}, status=400)

    def _remember(self, kind: str, status: int, outcome: str) -> None:
        at = self._clock.now().isoformat(timespec="milliseconds")
        self.calls.append(TokenCall(at, kind, status, outcome))


async def _form(request: web.Request) -> dict[str, str]:
    form = await request.post() if request.content_type == FORM else {}
    return {name: value for name, value in form.items() if isinstance(value, str)}


def _check_client(request: web.Request, fields: Mapping[str, str]) -> None:
    """The client's name and secret, in a Basic header or, as the discovery document also lists, in the body."""
    scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
    given = (fields.get("client_id"), fields.get("client_secret"))
    if scheme.lower() == "basic":
        try:
            name, _, secret = base64.b64decode(rest, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise TokenRefusedError("invalid_client") from None
        given = (unquote_plus(name), unquote_plus(secret))
    if given != (VISMA_APP.client_id, VISMA_APP.client_secret):
        raise TokenRefusedError("invalid_client")
