"""Calls that may be made again: until there is an answer worth returning, or a failure worth telling.

What a failure is, and what to do first, stands in each vendor's table (:mod:`outsmart_sync.providers.outcomes`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from outsmart_sync.errors import RateLimited, SyncError, TransientError
from outsmart_sync.providers import web
from outsmart_sync.providers.outcomes import Outcome, Reaction, error_of

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable

_Answer = TypeVar("_Answer")

REPEATS = (0.5, 2.0)
"""Seconds before a call is tried for the second and third time."""
_MOST_WAITS = 3


class FailedAnswer(Exception):
    """An answer that the table says something about; turned into the error it makes when nothing more can be tried.

    Args:
        row: The table's row.
        technical: The call and its answer, for engineers.
        text: The vendor's own words.
        wait: Seconds until the vendor's limit begins anew; 0: it is not about a limit.
    """

    def __init__(self, row: Outcome, technical: str, text: str = "", wait: float = 0) -> None:
        super().__init__(technical)
        self.row = row
        self.wait = wait
        self.error: SyncError = error_of(row, text, technical)
        if wait and isinstance(self.error, TransientError):
            self.error = RateLimited(
                self.error.what,
                remedy=self.error.remedy,
                code=row.code,
                technical=technical,
                retry_at=web.moment_in(wait),
            )


def answered(
    ask: Callable[[str], _Answer],
    token_of: Callable[[str | None], str] | None,
    *,
    log: logging.Logger,
    sleep: Callable[[float], None],
    patience: float = 0,
    before_waiting: Callable[[], None] | None = None,
) -> _Answer:
    """What a call brings in the end.

    Args:
        ask: Makes the call once, with an access token; raises :class:`FailedAnswer`.
        token_of: Hands out the access token; gets the one that was refused, if one was. None: there is none.
        log: Says whose calls these are.
        sleep: Waits.
        patience: Seconds that may be waited for a vendor's limit to begin anew, each time.
        before_waiting: Done before a wait for the vendor's limit.

    Raises:
        SyncError: What the last failure means.
    """
    repeats, renewed, waits = iter(REPEATS), False, 0
    while True:
        token = token_of(None) if token_of else ""
        try:
            return ask(token)
        except FailedAnswer as failed:
            reaction = failed.row.reaction
            if reaction is Reaction.RENEW and token_of and not renewed:
                renewed = True
                log.info("Access token refused; renewing it")
                token_of(token)
            elif (
                reaction is Reaction.WAIT and waits < _MOST_WAITS and 0 < failed.wait <= min(patience, web.time_left())
            ):
                waits += 1
                log.info("Call limit reached; waiting %.0f s (%s)", failed.wait, failed)
                if before_waiting is not None:
                    before_waiting()
                sleep(failed.wait)
            elif reaction is Reaction.REPEAT and (pause := next(repeats, None)) is not None:
                log.warning("%s; trying again in %s s", failed, pause)
                sleep(pause)
            else:
                raise failed.error from failed.__cause__
