"""Spans of days: which of several that overlap holds when, and what is left of one where others take its place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """From one day to another, both included; ``last`` None: for ever."""

    first: date
    last: date | None

    def holds(self, day: date) -> bool:
        """Whether a day lies in it."""
        return self.first <= day and (self.last is None or day <= self.last)


def timeline(spans: Sequence[tuple[Span, bool]]) -> list[tuple[Span, int]]:
    """Which of several spans holds when, by places: special ones go before others, later ones before earlier."""
    found: list[tuple[Span, int]] = []
    for piece in _pieces([span for span, _ in spans]):
        holding = [
            (special, span.first, place) for place, (span, special) in enumerate(spans) if span.holds(piece.first)
        ]
        if not holding:
            continue
        place = max(holding)[2]
        if found and found[-1][1] == place and found[-1][0].last == piece.first - _ONE_DAY:
            piece = Span(found.pop()[0].first, piece.last)  # noqa: PLW2901 - one piece with the one before
        found.append((piece, place))
    return found


def cut(span: Span, others: Sequence[Span]) -> list[Span]:
    """What is left of a span where none of the others holds."""
    left: list[Span] = []
    for piece in _pieces([span, *others]):
        if not span.holds(piece.first) or any(other.holds(piece.first) for other in others):
            continue
        if left and left[-1].last == piece.first - _ONE_DAY:
            piece = Span(left.pop().first, piece.last)  # noqa: PLW2901 - one piece with the one before
        left.append(piece)
    return left


def _pieces(spans: Sequence[Span]) -> Iterator[Span]:
    """The days of all spans, cut wherever one of them begins or ends."""
    begins = {span.first for span in spans} | {
        span.last + _ONE_DAY for span in spans if span.last is not None and span.last < date.max
    }
    ordered = sorted(begins)
    for first, following in zip(ordered, [*ordered[1:], None], strict=True):
        yield Span(first, following - _ONE_DAY if following else None)
