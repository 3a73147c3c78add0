"""Authorization codes and tokens: what was given to whom, and what it is still worth.

The rules come from https://support.exactonline.com as users retell them: codes live 3 minutes and work once
(https://forums.invantive.com/t/2903), access tokens live 600 s, refreshing is refused before 570 s
(https://github.com/websmurf/laravel-exact-online/issues/31), a refresh token works once
(https://github.com/picqer/exact-php-client/issues/549) and dies after 30 unused days
(https://github.com/websmurf/laravel-exact-online/issues/22).
"""

import base64
import secrets

import msgspec

from sandbox.clock import Clock
from sandbox.fixed_world import APP, LOGINS, User
from sandbox.state import Documents, State

CODE_SECONDS = 180
ACCESS_SECONDS = 600
EARLIEST_REFRESH_SECONDS = 570
REFRESH_SECONDS = 30 * 86_400


class Code(msgspec.Struct, frozen=True):
    """An authorization code."""

    user_name: str
    redirect_uri: str
    divisions: tuple[int, ...]
    issued_at: float
    used: bool = False


class Family(msgspec.Struct, frozen=True):
    """What one user has allowed the app, since the last login.

    Attributes:
        number: Rises with each login; a login with the same app and user ends the family before it
            (https://docs.skyvia.com/connectors/cloud-sources/exactonline_connections.html).
        divisions: Companies the app may see.
        revoked: Whether the user has taken it back.
    """

    number: int
    divisions: tuple[int, ...]
    revoked: bool = False


class Token(msgspec.Struct, frozen=True):
    """An access or refresh token."""

    user_name: str
    family: int
    issued_at: float
    used: bool = False


class Session(msgspec.Struct, frozen=True):
    """Who is calling: the user, and the companies that user's consent covers.

    `divisions` leaves out companies the user has no access to.
    """

    client_id: str
    user: User
    divisions: frozenset[int]


class Pair(msgspec.Struct, frozen=True):
    """The token endpoint's answer; `expires_in` is text (https://github.com/picqer/exact-php-client)."""

    access_token: str
    refresh_token: str
    token_type: str = "bearer"  # noqa: S105  the kind of token, not a token
    expires_in: str = str(ACCESS_SECONDS)


class Grants:
    """All codes and tokens of one sandbox."""

    def __init__(self, state: State, clock: Clock) -> None:
        self._state = state
        self._clock = clock
        self.codes = Documents(state, "codes", Code)
        self.families = Documents(state, "families", Family)
        self.access_tokens = Documents(state, "access_tokens", Token)
        self.refresh_tokens = Documents(state, "refresh_tokens", Token)
        self._withdrawn = Documents(state, "withdrawn_divisions", bool)

    def new_code(self, user_name: str, redirect_uri: str, divisions: tuple[int, ...]) -> str:
        """Give out an authorization code after consent."""
        code = _random_text()
        self.codes.put(code, Code(user_name, redirect_uri, divisions, self._clock.time()))
        return code

    def new_family(self, user_name: str, divisions: tuple[int, ...]) -> Pair:
        """Begin a family of tokens, which ends the user's earlier one."""
        before = self.families.get(user_name)
        with self._state.transaction():
            self.families.put(user_name, Family((before.number if before else 0) + 1, divisions))
            return self.new_pair(user_name)

    def new_pair(self, user_name: str) -> Pair:
        """Give out the next pair of the user's current family."""
        family = self.families.get(user_name)
        if family is None:
            raise LookupError(user_name)
        token = Token(user_name, family.number, self._clock.time())
        pair = Pair(access_token=_random_text(), refresh_token=_random_text())
        with self._state.transaction():
            self.access_tokens.put(pair.access_token, token)
            self.refresh_tokens.put(pair.refresh_token, token)
        return pair

    def is_current(self, token: Token) -> bool:
        """Whether the token's family is the user's latest and still allowed."""
        family = self.families.get(token.user_name)
        return family is not None and family.number == token.family and not family.revoked

    def age(self, issued_at: float) -> float:
        """Seconds since something was given out."""
        return self._clock.time() - issued_at

    def revoke(self, user_name: str | None = None) -> int:
        """Take back what a user (or every user) has allowed.

        Returns:
            How many families ended.
        """
        ended = 0
        for name, family in self.families.items():
            if user_name in {None, name} and not family.revoked:
                self.families.put(name, msgspec.structs.replace(family, revoked=True))
                ended += 1
        return ended

    def withdraw(self, division: int) -> None:
        """Take a company away from the app, as users can in the Security Centre."""
        self._withdrawn.put(str(division), body=True)

    def give_back(self, division: int) -> None:
        """Let the app see a company again."""
        self._withdrawn.delete(str(division))

    def withdrawn_divisions(self) -> frozenset[int]:
        """The companies taken away."""
        return frozenset(int(code) for code in self._withdrawn.keys())  # noqa: SIM118  no mapping

    def session(self, access_token: str) -> tuple[Session | None, bool]:
        """Look up an access token.

        Returns:
            The session it belongs to (None for an unknown token), and whether the token is valid.
        """
        token = self.access_tokens.get(access_token)
        if token is None or token.user_name not in LOGINS:
            return None, False
        family = self.families.get(token.user_name)
        user = LOGINS[token.user_name]
        allowed = frozenset(family.divisions if family else ()) & frozenset(user.divisions)
        valid = self.is_current(token) and self.age(token.issued_at) < ACCESS_SECONDS
        return Session(APP.client_id, user, allowed - self.withdrawn_divisions()), valid


def _random_text() -> str:
    """A code or token; with `+`, `/` and `=` in it, so that callers that do not encode them are found out."""
    return "sandbox." + base64.b64encode(secrets.token_bytes(46)).decode()
