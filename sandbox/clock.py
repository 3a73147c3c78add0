"""The time by which both vendors live; it can be put forward."""

import time
from datetime import UTC, datetime

from sandbox.state import Documents, State


class Clock:
    """This machine's clock plus a remembered number of seconds."""

    def __init__(self, state: State) -> None:
        self._shifts = Documents(state, "clock", float)

    @property
    def offset(self) -> float:
        """Seconds this clock is ahead of the machine's."""
        return self._shifts.get("offset") or 0.0

    def time(self) -> float:
        """Seconds since 1970, UTC."""
        return time.time() + self.offset

    def now(self) -> datetime:
        """The moment, in UTC."""
        return datetime.fromtimestamp(self.time(), UTC)

    def shift(self, seconds: float) -> None:
        """Put the clock forward (or, with a negative number, back)."""
        self._shifts.put("offset", self.offset + seconds)

    def reset(self) -> None:
        """Go back to the machine's time."""
        self._shifts.clear()
