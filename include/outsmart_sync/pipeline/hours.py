"""Hours worked, in whole minutes: over midnight, without breaks, rounded up, and at least as many as were agreed."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import time

    from outsmart_sync.records.completed_work_order import Period

HOUR = Decimal(60)
_DAY = 24 * 60


class Impossible(ValueError):
    """A period that cannot have been worked."""


def minutes_of(period: Period) -> int:
    """Minutes worked in a period.

    Begin, end and break count; the total that OutSmart tells only where one of them is missing, and to tell a whole
    day and night from no time at all.

    Raises:
        Impossible: Nothing tells how long it was, or the break is longer than the work.
    """
    if period.begin is None or period.end is None:
        if period.total is None:
            raise Impossible("neither times nor a total")
        return _not_negative(period.total)
    length = (_minute(period.end) - _minute(period.begin)) % _DAY
    if length == 0 and period.total:
        length = period.total + period.pause
    return _not_negative(length - period.pause)


def rounded_up(minutes: int, step: int) -> int:
    """Minutes in whole steps, up; a step of 0 or 1 changes nothing."""
    return minutes if step <= 1 else -(-minutes // step) * step


def billed(periods: Sequence[Period], step: int, own_step: int, minimum: Decimal | None) -> list[int]:
    """Minutes to be billed of each period.

    Args:
        periods: The work order's periods.
        step: Step to which the settings round up.
        own_step: The work order's own step, which goes before it; 0: none.
        minimum: Hours that the work order bills at least; what is missing goes onto its first period.

    Raises:
        Impossible: One of them cannot have been worked.
    """
    found = [rounded_up(minutes_of(period), own_step or step) for period in periods]
    least = int((minimum * HOUR).to_integral_value(ROUND_CEILING)) if minimum else 0
    if found and (missing := least - sum(found)) > 0:
        found[0] += missing
    return found


def in_units(minutes: int, unit_minutes: Decimal) -> Decimal:
    """Minutes in an article's own time unit, exact as far as decimals go."""
    return Decimal(minutes) / unit_minutes


def price_per_unit(hour_price: Decimal, unit_minutes: Decimal) -> Decimal:
    """A price of an hour as the price of an article's own time unit."""
    return hour_price * unit_minutes / HOUR


def _minute(moment: time) -> int:
    return moment.hour * 60 + moment.minute


def _not_negative(minutes: int) -> int:
    if minutes < 0:
        raise Impossible("the break is longer than the work")
    return minutes
