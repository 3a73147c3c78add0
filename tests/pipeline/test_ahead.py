"""Working one item ahead."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator

import pytest

from outsmart_sync.pipeline.ahead import ahead


def test_all_items_come_in_their_order() -> None:
    assert list(ahead(iter(range(50)))) == list(range(50))


def test_nothing_comes_of_nothing() -> None:
    assert list(ahead(iter(()))) == []


def test_the_next_item_is_made_while_the_caller_works() -> None:
    made = threading.Event()

    def items() -> Iterator[int]:
        yield 1
        made.set()
        yield 2

    for _ in ahead(items()):
        assert made.wait(30)


def test_never_more_than_one_item_is_ahead() -> None:
    made = 0

    def items() -> Iterator[int]:
        nonlocal made
        for made in range(1, 20):  # noqa: UP028  # it is counted
            yield made

    for item in ahead(items()):
        assert made <= item + 1


def test_an_error_comes_out_after_the_items_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    seen = []
    with pytest.raises(ValueError, match="broken"):
        seen.extend(ahead(items()))
    coming = ahead(items())
    assert next(coming) == 1


def test_a_caller_that_stops_early_leaves_no_thread_and_no_changed_setting() -> None:
    threads, interval = threading.active_count(), sys.getswitchinterval()
    coming = ahead(iter(range(10)))
    assert next(coming) == 0
    coming.close()  # type: ignore[attr-defined]  # it is a generator
    assert threading.active_count() == threads
    assert sys.getswitchinterval() == interval
