"""One call budget per vendor app and administration, shared by all processes through the store.

A call is taken from the budget before it is sent and the vendor's own figures, read from its answers, are written back
with the next one: one short transaction per call. Errors are counted per endpoint, because a vendor may block an
endpoint that is called wrong again and again.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select, update

from outsmart_sync.errors import RateLimited, RequestRefused
from outsmart_sync.store import dialect
from outsmart_sync.store.tables import call_budget, endpoint_error

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from outsmart_sync.store.store import Store

ENDPOINT_CLOSED = "endpoint_closed"
"""Code of the error for an endpoint that is not called for a while, because it refused again and again."""

_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Window:
    """One limit as the vendor states it in an answer.

    Attributes:
        limit: Calls per window; 0: not stated.
        left: Calls left in it.
        ends_in: Seconds until it begins anew, by the vendor's own clock.
    """

    limit: int
    left: int
    ends_in: float


@dataclass(frozen=True, slots=True)
class BudgetRules:
    """What holds before the vendor has stated its own figures, and how careful we are.

    Attributes:
        minute_limit: Calls per minute.
        day_limit: Calls per day.
        keep_share: Share of the day's calls that imports leave to exports.
        equal_errors: So many errors of one status close an endpoint.
        error_window: For so long.
    """

    minute_limit: int
    day_limit: int
    keep_share: float = 0.0
    equal_errors: int = 5
    error_window: timedelta = timedelta(hours=1)


class CallBudget:
    """The budget of one app and administration, as one process sees it.

    Args:
        store: The store.
        key: Under which the calls count.
        rules: What holds before the vendor has stated its own figures.
        errors_key: Under which the errors count, where administrations share their calls: one that is refused closes
            nothing for the others. '': as the calls.
    """

    def __init__(self, store: Store, key: str, rules: BudgetRules, errors_key: str = "") -> None:
        self._store = store
        self._key = key
        self._errors_key = errors_key or key
        self._rules = rules
        self._seen: dict[str, tuple[Window, float]] = {}  # with the moment by this process's monotonic clock

    def take(self, endpoint: str) -> float:
        """Take one call.

        Args:
            endpoint: What is about to be called, without ids.

        Returns:
            0 when the call may go out; else the seconds to wait before asking again, and nothing was taken.

        Raises:
            RateLimited: The day's calls are used up; ``retry_at`` says when the next day begins.
            RequestRefused: The endpoint has answered too many equal errors within the hour.
        """
        with self._store.begin() as connection:
            now = dialect.now(connection)
            self._refuse_broken(connection, endpoint, now)
            row = self._current(connection, now)
            kept = int(row["day_limit"] * self._rules.keep_share)
            day_over, minute_over = row["day_left"] <= kept, row["minute_left"] <= 0
            if not day_over and not minute_over:
                row["minute_left"] -= 1
                row["day_left"] -= 1
            self._save(connection, row)
        # Raised out here: an error inside would undo what was just learnt of the vendor's figures.
        if day_over:
            raise _day_used_up(row["day_ends"], kept)
        ends: datetime = row["minute_ends"]
        return max((ends - now).total_seconds(), 0.05) if minute_over else 0.0

    def observe(self, minute: Window | None, day: Window | None) -> None:
        """Remember what an answer said; it is stored with the next call, or by :meth:`flush`."""
        at = time.monotonic()
        self._seen |= {name: (window, at) for name, window in (("minute", minute), ("day", day)) if window is not None}

    def flush(self) -> None:
        """Store what the last answer said."""
        if not self._seen:
            return
        with self._store.begin() as connection:
            self._save(connection, self._current(connection, dialect.now(connection)))

    def count_error(self, endpoint: str, status: int, text: str) -> int:
        """Note an error of an endpoint; returns how many equal ones there were within the hour."""
        with self._store.begin() as connection:
            now = dialect.now(connection)
            here = (
                (endpoint_error.c.key == self._errors_key)
                & (endpoint_error.c.endpoint == endpoint)
                & (endpoint_error.c.status == status)
            )
            connection.execute(
                delete(endpoint_error).where(here, endpoint_error.c.since <= now - self._rules.error_window)
            )
            insert = dialect.upsert(connection, endpoint_error).values(
                key=self._errors_key, endpoint=endpoint, status=status, count=1, since=now, text=text[:500]
            )
            count: int = connection.execute(
                insert.on_conflict_do_update(
                    index_elements=[endpoint_error.c.key, endpoint_error.c.endpoint, endpoint_error.c.status],
                    set_={"count": endpoint_error.c.count + 1, "text": text[:500]},
                ).returning(endpoint_error.c.count)
            ).scalar_one()
            return count

    def forgive(self) -> None:
        """Forget the errors counted so far: a person has mended the cause."""
        with self._store.begin() as connection:
            connection.execute(delete(endpoint_error).where(endpoint_error.c.key == self._errors_key))

    def _refuse_broken(self, connection: Connection, endpoint: str, now: datetime) -> None:
        broken = connection.execute(
            select(endpoint_error).where(
                endpoint_error.c.key == self._errors_key,
                endpoint_error.c.endpoint == endpoint,
                endpoint_error.c.count >= self._rules.equal_errors,
                endpoint_error.c.since > now - self._rules.error_window,
            )
        ).first()
        if broken is not None:
            raise _endpoint_closed(broken, self._rules.error_window)

    def _current(self, connection: Connection, now: datetime) -> dict[str, Any]:
        """The budget as of now: the stored one, begun anew where its time is over, with what answers said."""
        query = select(call_budget).where(call_budget.c.key == self._key).with_for_update()
        stored = connection.execute(query).mappings().one_or_none()
        if stored is None:  # of several processes that meet here one makes the row, and the others wait for it
            fresh = dialect.upsert(connection, call_budget).values(**self._fresh(now))
            connection.execute(fresh.on_conflict_do_nothing(index_elements=[call_budget.c.key]))
            stored = connection.execute(query).mappings().one()
        row = dict(stored)
        if row["minute_ends"] <= now:
            row |= {"minute_left": row["minute_limit"], "minute_ends": now + _MINUTE}
        if row["day_ends"] <= now:
            row |= {"day_left": row["day_limit"], "day_ends": now + _DAY}
        for name, (window, at) in self._seen.items():
            _merge(row, name, window, now, age=time.monotonic() - at)
        self._seen = {}
        return row

    def _fresh(self, now: datetime) -> dict[str, Any]:
        rules = self._rules
        return {
            "key": self._key,
            "minute_limit": rules.minute_limit,
            "minute_left": rules.minute_limit,
            "minute_ends": now + _MINUTE,
            "day_limit": rules.day_limit,
            "day_left": rules.day_limit,
            "day_ends": now + _DAY,
        }

    def _save(self, connection: Connection, row: dict[str, Any]) -> None:
        connection.execute(update(call_budget).where(call_budget.c.key == self._key).values(**row))


def _merge(row: dict[str, Any], name: str, window: Window, now: datetime, *, age: float) -> None:
    """Bring what an answer said so many seconds ago into the budget."""
    other_limit = window.limit and window.limit != row[f"{name}_limit"]
    if other_limit:
        row[f"{name}_limit"] = window.limit
    if age >= window.ends_in:  # that window is over; what was left in it says nothing about this one
        row[f"{name}_left"] = min(row[f"{name}_left"], row[f"{name}_limit"])
        return
    ends = now + timedelta(seconds=window.ends_in - age)
    later_window = other_limit or ends > row[f"{name}_ends"] + timedelta(seconds=2)
    # Within one window the smaller figure counts: other processes may have calls under way.
    row[f"{name}_left"] = window.left if later_window else min(row[f"{name}_left"], window.left)
    row[f"{name}_ends"] = ends


def _day_used_up(ends: datetime, kept: int) -> RateLimited:
    reserve = f" ({kept} calls are kept for exports)" if kept else ""
    return RateLimited(
        f"The day's calls to the bookkeeping package are used up{reserve}.",
        remedy=f"The sync goes on by itself after {ends:%d-%m-%Y %H:%M} UTC.",
        code="day_limit",
        retry_at=ends,
    )


def _endpoint_closed(row: Row[Any], window: timedelta) -> RequestRefused:
    opens: datetime = row.since + window
    return RequestRefused(
        f"{row.endpoint} has answered {row.count} times with error {row.status}, so it is not called for now.",
        why=f"Its last answer was: {row.text}",
        remedy=f"Mend the cause; calls start again after {opens:%H:%M} UTC, or when you sync by hand.",
        code=ENDPOINT_CLOSED,
        until=opens,
    )
