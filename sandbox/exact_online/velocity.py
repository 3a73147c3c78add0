"""The error velocity limit: who keeps making mistakes at an endpoint is shut out of it for an hour.

More than 10 answers of 400, 401, 403 or 404 per app, user, company, endpoint and hour
(https://docs.maesn.com/rate-limits, https://forums.invantive.com/t/1336). How the refusal looks is not documented; here
it is a 429 with both families of limit headers, which show calls left. That repeated offences lengthen the block is
known, by how much is not: here every block takes an hour.
"""

import msgspec

from sandbox.clock import Clock
from sandbox.exact_online.errors import TOO_MANY_REQUESTS, VendorError
from sandbox.exact_online.grants import Session
from sandbox.state import Documents, State

COUNTED = frozenset({400, 401, 403, 404})
ALLOWED = 10
HOUR = 3600


class Offences(msgspec.Struct, frozen=True):
    """When errors were made, and until when the endpoint is shut."""

    at: tuple[float, ...] = ()
    blocked_until: float = 0.0


class ErrorVelocity:
    """Counts errors and shuts endpoints."""

    def __init__(self, state: State, clock: Clock) -> None:
        self._clock = clock
        self._offences = Documents(state, "offences", Offences)

    def check(self, session: Session, division: int, endpoint: str) -> None:
        """Refuse a call to an endpoint that is shut.

        Raises:
            VendorError: It is.
        """
        known = self._offences.get(_key(session, division, endpoint))
        if known is not None and self._clock.time() < known.blocked_until:
            raise VendorError(429, TOO_MANY_REQUESTS)

    def record(self, session: Session, division: int, endpoint: str, status: int) -> None:
        """Count an answer, if it is one of the counted errors."""
        if status not in COUNTED:
            return
        key, now = _key(session, division, endpoint), self._clock.time()
        known = self._offences.get(key) or Offences()
        at = (*(moment for moment in known.at if now - moment < HOUR), now)
        blocked = len(at) > ALLOWED
        self._offences.put(key, Offences(() if blocked else at, now + HOUR if blocked else 0.0))

    def blocks(self) -> dict[str, float]:
        """The endpoints that are shut, and for how many more seconds."""
        now = self._clock.time()
        return {key: known.blocked_until - now for key, known in self._offences.items() if known.blocked_until > now}

    def forgive(self) -> None:
        """Forget all errors."""
        self._offences.clear()


def _key(session: Session, division: int, endpoint: str) -> str:
    return f"{session.client_id} {session.user.user_name} {division} {endpoint}"
