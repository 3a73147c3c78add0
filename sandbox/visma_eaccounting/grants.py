"""Authorization codes and tokens: what was given to whom, for which company, and what it is still worth.

https://developer.vismaonline.com/docs/getting-started: a code lives 5 minutes and works once, an access token (a JWT)
60 minutes; a token belongs to one app, user and company.
"""

import base64
import hashlib
import hmac
import secrets
import uuid

import msgspec

from sandbox.clock import Clock
from sandbox.fixed_world import VISMA_APP, VISMA_COMPANIES, VISMA_LOGINS, VismaCompany, VismaUser
from sandbox.state import Documents, State

CODE_SECONDS = 300
ACCESS_SECONDS = 3600
REFRESH_SCOPE = "offline_access"


class Code(msgspec.Struct, frozen=True):
    """An authorization code, with the PKCE challenge it was asked with."""

    grant: str
    redirect_uri: str
    issued_at: float
    challenge: str | None = None
    method: str = "plain"
    used: bool = False


class Grant(msgspec.Struct, frozen=True):
    """What one user has allowed the app, for one company."""

    user_name: str
    company: str
    scopes: tuple[str, ...]
    revoked: bool = False


class Access(msgspec.Struct, frozen=True):
    """An access token."""

    grant: str
    issued_at: float


class Refresh(msgspec.Struct, frozen=True):
    """A refresh token; `ended` once another has taken its place."""

    grant: str
    ended: bool = False


class Session(msgspec.Struct, frozen=True):
    """Who is calling."""

    user: VismaUser
    company: VismaCompany
    scopes: frozenset[str]


class Grants:
    """All codes and tokens of one sandbox's VISMA."""

    def __init__(self, state: State, clock: Clock) -> None:
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self.codes = Documents(state, "visma_codes", Code)
        self.grants = Documents(state, "visma_grants", Grant)
        self.access_tokens = Documents(state, "visma_access_tokens", Access)
        self.refresh_tokens = Documents(state, "visma_refresh_tokens", Refresh)

    def new_grant(self, user_name: str, company: str, scopes: tuple[str, ...]) -> str:
        """Remember what a user allows; it ends nothing that was allowed before."""
        key = str(uuid.uuid4())
        self.grants.put(key, Grant(user_name, company, scopes))
        return key

    def new_code(self, grant: str, redirect_uri: str, challenge: str | None, method: str) -> str:
        """Give out an authorization code."""
        code = secrets.token_hex(32)
        self.codes.put(code, Code(grant, redirect_uri, self._clock.time(), challenge, method))
        return code

    def new_access_token(self, key: str) -> str:
        """Give out an access token."""
        grant, now = self.grants.get(key), self._clock.time()
        if grant is None:
            raise LookupError(key)
        user = VISMA_LOGINS[grant.user_name]
        token = self._sign({
            "client_id": VISMA_APP.client_id,
            "scope": list(grant.scopes),
            "sub": user.user_id,
            "auth_time": int(now),
            "idp": "Visma Online",
            "customer_id": VISMA_COMPANIES[grant.company].id,
            "email": user.user_name,
            "jti": secrets.token_hex(16),
            "iat": int(now),
            "exp": int(now) + ACCESS_SECONDS,
        })  # fmt: skip
        self.access_tokens.put(token, Access(key, now))
        return token

    def new_refresh_token(self, key: str) -> str:
        """Give out a refresh token."""
        token = secrets.token_hex(32)
        self.refresh_tokens.put(token, Refresh(key))
        return token

    def is_alive(self, key: str) -> bool:
        """Whether a user still allows what was allowed."""
        grant = self.grants.get(key)
        return grant is not None and not grant.revoked

    def age(self, issued_at: float) -> float:
        """Seconds since something was given out."""
        return self._clock.time() - issued_at

    def revoke(self, user_name: str | None = None, company: str | None = None) -> int:
        """Take back what a user (or everybody) has allowed, for one company or all.

        Returns:
            How many grants ended.
        """
        ended = [
            key
            for key, grant in self.grants.items()
            if user_name in {None, grant.user_name} and company in {None, grant.company} and not grant.revoked
        ]
        for key in ended:
            self.end(key)
        return len(ended)

    def end(self, key: str) -> None:
        """End a grant with all its tokens."""
        grant = self.grants.get(key)
        if grant is not None:
            self.grants.put(key, msgspec.structs.replace(grant, revoked=True))

    def session(self, access_token: str) -> tuple[Session | None, bool]:
        """Look up an access token.

        Returns:
            The session it belongs to (None for an unknown token), and whether the token is valid.
        """
        token = self.access_tokens.get(access_token)
        grant = self.grants.get(token.grant) if token else None
        if token is None or grant is None:
            return None, False
        valid = not grant.revoked and self.age(token.issued_at) < ACCESS_SECONDS
        session = Session(VISMA_LOGINS[grant.user_name], VISMA_COMPANIES[grant.company], frozenset(grant.scopes))
        return session, valid

    def _sign(self, claims: dict[str, object]) -> str:
        parts = [_encode(msgspec.json.encode(one)) for one in ({"alg": "HS256", "typ": "at+jwt"}, claims)]
        signed = ".".join(parts)
        return f"{signed}.{_encode(hmac.digest(self._key, signed.encode(), 'sha256'))}"


def meets_challenge(code: Code, verifier: str) -> bool:
    """Whether a PKCE verifier fits the challenge of a code; a code without challenge asks for none."""
    if code.challenge is None:
        return True
    hashed = _encode(hashlib.sha256(verifier.encode()).digest())
    return hmac.compare_digest(hashed if code.method == "S256" else verifier, code.challenge)


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
