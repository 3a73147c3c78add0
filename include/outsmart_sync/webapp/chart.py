"""Places the bars of the chart of records per day."""

from __future__ import annotations

from dataclasses import dataclass

from outsmart_sync.services.health import Day

WIDTH, HEIGHT, TOP, BASE = 700, 208, 24, 180
LOOKS = {"created": "bar-good", "updated": "bar-update", "excluded": "bar-quiet", "rejected": "bar-bad"}
"""Outcome → class of its bars, from the bottom up."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One part of one day's bar, in the chart's own units."""

    x: float
    y: float
    width: float
    height: float
    look: str


@dataclass(frozen=True, slots=True)
class Bars:
    """The chart.

    Attributes:
        bars: Parts of bars.
        days: Middle of each day's bar, with the day.
        top: Figure at the chart's upper edge.
    """

    bars: list[Bar]
    days: list[tuple[float, Day]]
    top: int


def bars(days: list[Day]) -> Bars:
    """The bars of days, each as wide as the others."""
    top = _round(max((sum(day.counts.values()) for day in days), default=0))
    step = WIDTH / max(len(days), 1)
    placed: list[Bar] = []
    middles = []
    for number, day in enumerate(days):
        x, y = number * step + step * 0.15, float(BASE)
        middles.append((x + step * 0.35, day))
        for name, look in LOOKS.items():
            height = day.counts[name] / top * (BASE - TOP)
            y -= height
            if height:
                placed.append(Bar(round(x, 1), round(y, 1), round(step * 0.7, 1), round(height, 1), look))
    return Bars(placed, middles, top)


def _round(largest: int) -> int:
    """The next round figure."""
    scale = 10
    while scale < largest:
        scale *= 10
    return next((part for share in (1, 2, 5, 10) if (part := scale * share // 10) >= largest and part), scale)
