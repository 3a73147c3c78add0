"""The limit of 600 calls a minute per client and endpoint (https://developer.vismaonline.com/docs/rate-limits-copy).

Whether companies are counted apart is not said; here they are not.
"""

import math

import msgspec

from sandbox.clock import Clock
from sandbox.state import Documents, State
from sandbox.visma_eaccounting.errors import TOO_MANY, ApiError

MINUTE = 60


class Use(msgspec.Struct, frozen=True):
    """Calls in one minute; `minute` counts minutes since 1970."""

    minute: int
    calls: int


class Limits:
    """How often each endpoint was called this minute."""

    def __init__(self, state: State, clock: Clock, allowed: int) -> None:
        self._clock = clock
        self._usual = allowed
        self._allowed = Documents(state, "visma_limit", int)
        self._used: dict[str, Use] = {}

    @property
    def allowed(self) -> int:
        """Calls a minute."""
        known = self._allowed.get("minute")
        return self._usual if known is None else known

    def allow(self, calls: int) -> None:
        """Set the calls a minute."""
        self._allowed.put("minute", calls)

    def set_usage(self, endpoint: str, calls: int) -> None:
        """Take so many calls of this minute as made."""
        self._used[endpoint] = Use(self._minute(), calls)

    def usage(self) -> dict[str, int]:
        """Calls of this minute, by endpoint."""
        return {endpoint: use.calls for endpoint, use in self._used.items() if use.minute == self._minute()}

    def reset(self) -> None:
        """As set up, and nothing used."""
        self._allowed.clear()
        self._used.clear()

    def spend(self, endpoint: str, *, retry_after: bool) -> None:
        """Count a call.

        Args:
            endpoint: The path without ids.
            retry_after: Whether a refusal carries `Retry-After`.

        Raises:
            ApiError: There were too many this minute; the text names the seconds to wait.
        """
        minute, known = self._minute(), self._used.get(endpoint)
        calls = (known.calls if known and known.minute == minute else 0) + 1
        self._used[endpoint] = Use(minute, calls)
        if calls > self.allowed:
            wait = math.ceil((minute + 1) * MINUTE - self._clock.time())
            refusal = ApiError(TOO_MANY, f"API calls quota exceeded! Try again in {wait} seconds.")
            refusal.headers = {"Retry-After": str(wait)} if retry_after else {}
            raise refusal

    def _minute(self) -> int:
        return int(self._clock.time() // MINUTE)
