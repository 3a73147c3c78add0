"""How many calls an app may make per company, and the headers that say so.

Both windows follow the calendar in UTC: the next whole minute and the next midnight, as epoch milliseconds
(https://github.com/picqer/exact-php-client/issues/609). When one is used up, the 429 carries only that window's headers
(https://github.com/picqer/exact-php-client/issues/646).
"""

import msgspec

from sandbox.clock import Clock
from sandbox.exact_online.errors import TOO_MANY_REQUESTS, VendorError
from sandbox.state import Documents, State

MINUTE, DAY = 60, 86_400


class Allowance(msgspec.Struct, frozen=True):
    """Calls a minute and a day."""

    minute: int
    day: int


class Usage(msgspec.Struct, frozen=True):
    """Calls made in the minute and the day (numbered since 1970) of the last call."""

    minute: int
    minute_calls: int
    day: int
    day_calls: int


class Limits:
    """The call limits of one sandbox; companies go by their code, calls without a company by 0."""

    def __init__(self, state: State, clock: Clock, default: Allowance) -> None:
        self._clock = clock
        self._default = default
        self._changed = Documents(state, "allowances", Allowance)
        self._usage = Documents(state, "usage", Usage)

    def allowance(self, division: int) -> Allowance:
        """What is allowed for a company."""
        return self._changed.get(str(division)) or self._changed.get("all") or self._default

    def allow(self, division: int | None, minute: int | None, day: int | None) -> Allowance:
        """Change what is allowed for a company, or (None) for every company without a figure of its own."""
        before = self._default if division is None else self.allowance(division)
        after = Allowance(before.minute if minute is None else minute, before.day if day is None else day)
        self._changed.put("all" if division is None else str(division), after)
        return after

    def reset(self) -> None:
        """Go back to the figures of the command line, with nothing used."""
        self._changed.clear()
        self._usage.clear()

    def usage(self, client_id: str, division: int) -> Usage:
        """The calls of this minute and this day."""
        minute, day = int(self._clock.time()) // MINUTE, int(self._clock.time()) // DAY
        last = self._usage.get(f"{client_id} {division}") or Usage(minute, 0, day, 0)
        return Usage(
            minute, last.minute_calls if last.minute == minute else 0, day, last.day_calls if last.day == day else 0
        )

    def set_usage(self, client_id: str, division: int, minute_calls: int | None, day_calls: int | None) -> Usage:
        """Say how many calls of this minute and day are used, as if another process had made them."""
        now = self.usage(client_id, division)
        minute_calls = now.minute_calls if minute_calls is None else minute_calls
        day_calls = now.day_calls if day_calls is None else day_calls
        after = Usage(now.minute, minute_calls, now.day, day_calls)
        self._usage.put(f"{client_id} {division}", after)
        return after

    def spend(self, client_id: str, division: int) -> dict[str, str]:
        """Count a call.

        Args:
            client_id: The app.
            division: The company.

        Returns:
            The headers of the answer.

        Raises:
            VendorError: No call is left.
        """
        allowed, used = self.allowance(division), self.usage(client_id, division)
        if used.day_calls >= allowed.day:
            raise VendorError(429, TOO_MANY_REQUESTS, _day_headers(allowed, used))
        if used.minute_calls >= allowed.minute:
            raise VendorError(429, TOO_MANY_REQUESTS, _minute_headers(allowed, used))
        used = self.set_usage(client_id, division, used.minute_calls + 1, used.day_calls + 1)
        return _day_headers(allowed, used) | _minute_headers(allowed, used)


def _day_headers(allowed: Allowance, used: Usage) -> dict[str, str]:
    return _headers("X-RateLimit-", allowed.day, used.day_calls, (used.day + 1) * DAY)


def _minute_headers(allowed: Allowance, used: Usage) -> dict[str, str]:
    return _headers("X-RateLimit-Minutely-", allowed.minute, used.minute_calls, (used.minute + 1) * MINUTE)


def _headers(prefix: str, limit: int, used: int, reset: int) -> dict[str, str]:
    return {
        prefix + "Limit": str(limit),
        prefix + "Remaining": str(max(limit - used, 0)),
        prefix + "Reset": str(reset * 1000),
    }
