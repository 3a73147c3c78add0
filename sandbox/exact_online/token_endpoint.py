"""`/api/oauth2/token`: codes and refresh tokens against new tokens.

Request and answer are described in https://github.com/picqer/exact-php-client (Connection); each refusal names the
thread it was reported in.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta

import msgspec
from aiohttp import web

from sandbox.clock import Clock
from sandbox.exact_online import grants as rules
from sandbox.exact_online.grants import Grants, Pair
from sandbox.fixed_world import APP
from sandbox.state import Documents, State
from sandbox.switches import SwitchBoard

CALLS_A_DAY = 200
"""Per app and user (https://forums.invantive.com/t/1040)."""


class TokenCall(msgspec.Struct, frozen=True):
    """One call of the token endpoint, for tests to count."""

    at: str
    grant_type: str
    user_name: str | None
    status: int
    outcome: str


class TokenRefusedError(Exception):
    """Why no tokens are given."""

    def __init__(self, status: int, body: object, outcome: str, reason: str | None = None) -> None:
        super().__init__(outcome)
        self.status = status
        self.body = body
        self.outcome = outcome
        self.headers = {"Reason": reason} if reason else {}


def _error(status: int, error: str, description: str | None = None, reason: str | None = None) -> TokenRefusedError:
    body = {"error": error} | ({"error_description": description} if description else {})
    return TokenRefusedError(status, body, error, reason)


class TokenEndpoint:
    """Answers token requests, and remembers how each ended."""

    def __init__(self, state: State, clock: Clock, grants: Grants, switches: SwitchBoard) -> None:
        self._clock = clock
        self._grants = grants
        self._switches = switches
        self._used_today = Documents(state, "token_calls", int)
        self.calls: list[TokenCall] = []

    def forget_usage(self) -> None:
        """Take all of today's calls as not made."""
        self._used_today.clear()

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one request."""
        form = await request.post() if request.content_type == "application/x-www-form-urlencoded" else {}
        fields = {name: value for name, value in form.items() if isinstance(value, str)}
        user_name = self._user_of(fields)
        try:
            pair = self._answer(fields, user_name)
        except TokenRefusedError as refusal:
            self._remember(fields, user_name, refusal.status, refusal.outcome)
            if isinstance(refusal.body, str):
                return web.Response(status=refusal.status, text=refusal.body, headers=refusal.headers)
            return web.json_response(refusal.body, status=refusal.status, headers=refusal.headers)
        self._remember(fields, user_name, 200, "tokens")
        return web.json_response(msgspec.to_builtins(pair), headers={"Cache-Control": "no-store"})

    def outcomes(self) -> dict[str, int]:
        """How often calls ended in which way."""
        return dict(Counter(f"{call.grant_type} {call.status} {call.outcome}" for call in self.calls))

    def _answer(self, fields: Mapping[str, str], user_name: str | None) -> Pair:
        self._refuse_at_night()
        self._check_client(fields)
        if user_name is not None:
            self._spend_call(user_name)
        if fields.get("grant_type") == "authorization_code":
            return self._exchange(fields)
        if fields.get("grant_type") == "refresh_token":
            return self._refresh(fields)
        # No source shows Exact Online answering `unsupported_grant_type`.
        raise _error(400, "invalid_request")

    def _refuse_at_night(self) -> None:
        """A 400 out of nothing; the same request succeeds later (picqer/exact-php-client issue 497)."""
        left = self._switches.now.nightly_400
        if left > 0:
            self._switches.set({"nightly_400": left - 1})
            raise TokenRefusedError(400, "", "nightly 400")

    def _check_client(self, fields: Mapping[str, str]) -> None:
        """websmurf/laravel-exact-online issue 28."""
        if "client_id" not in fields or "client_secret" not in fields:
            raise _error(400, "invalid_request")
        if (fields["client_id"], fields["client_secret"]) != (APP.client_id, APP.client_secret):
            raise _error(400, "invalid_client")

    def _spend_call(self, user_name: str) -> None:
        """How a call above the limit is answered is not reported; this says what is wrong."""
        key = f"{self._clock.now().date()} {user_name}"
        used = (self._used_today.get(key) or 0) + 1
        self._used_today.put(key, used)
        if used > CALLS_A_DAY:
            raise _error(429, "access_denied", f"Rate limit exceeded: more than {CALLS_A_DAY} token requests today")

    def _exchange(self, fields: Mapping[str, str]) -> Pair:
        """A code works once, for 3 minutes, for the address it was asked with."""
        text = fields.get("code", "")
        code = self._grants.codes.get(text)
        if code is None or code.used or self._grants.age(code.issued_at) >= rules.CODE_SECONDS:
            raise _error(400, "invalid_request")
        if fields.get("redirect_uri") != code.redirect_uri:
            raise _error(400, "invalid_request")
        self._grants.codes.put(text, msgspec.structs.replace(code, used=True))
        return self._grants.new_family(code.user_name, code.divisions)

    def _refresh(self, fields: Mapping[str, str]) -> Pair:
        text = fields.get("refresh_token", "")
        token = self._grants.refresh_tokens.get(text)
        if token is None:
            raise _error(400, "invalid_request")
        family = self._grants.families.get(token.user_name)
        if family is not None and family.number == token.family and family.revoked:
            raise _error(400, "invalid_request")
        if token.used or not self._grants.is_current(token):
            # Plain text, no JSON (picqer/exact-php-client issue 549).
            raise TokenRefusedError(401, "Old refresh token used.", "old refresh token")
        self._check_age(token.issued_at)
        self._grants.refresh_tokens.put(text, msgspec.structs.replace(token, used=True))
        return self._grants.new_pair(token.user_name)

    def _check_age(self, issued_at: float) -> None:
        age = self._grants.age(issued_at)
        if age >= rules.REFRESH_SECONDS:
            now = self._clock.now()
            ended = now - timedelta(seconds=age - rules.REFRESH_SECONDS)
            form = "%m/%d/%Y %H:%M:%S"
            raise _error(
                400,
                "invalid_request",
                f"The refresh token expired at {ended.strftime(form)} and it is now {now.strftime(form)}.",
            )
        if age < rules.EARLIEST_REFRESH_SECONDS:
            text = "Rate limit exceeded: access_token not expired"
            raise _error(400, "access_denied", text, f"TooEarlyToRefreshTokens: {text}")

    def _user_of(self, fields: Mapping[str, str]) -> str | None:
        code = self._grants.codes.get(fields.get("code", ""))
        token = self._grants.refresh_tokens.get(fields.get("refresh_token", ""))
        found = code or token
        return found.user_name if found else None

    def _remember(self, fields: Mapping[str, str], user_name: str | None, status: int, outcome: str) -> None:
        at = self._clock.now().isoformat()
        self.calls.append(TokenCall(at, fields.get("grant_type", ""), user_name, status, outcome))
