"""Ends a run in this process as if the process were killed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import event

from pipeline.world import World


class Killed(BaseException):
    """Ends a run as a killed process does: nothing catches it."""


@contextmanager
def killed_when(world: World, due: Callable[[], bool]) -> Iterator[None]:
    """Die before the first statement of the store at which it is due."""

    def tick(*_: object) -> None:
        if due():
            raise Killed

    for name in ("before_cursor_execute", "commit"):
        event.listen(world.store.engine, name, tick)
    try:
        yield
    except Killed:
        pass
    finally:
        for name in ("before_cursor_execute", "commit"):
            event.remove(world.store.engine, name, tick)


@contextmanager
def killed_at(world: World, statement: int) -> Iterator[None]:
    """Die before this statement of the store."""
    left = iter(range(statement))
    with killed_when(world, lambda: next(left, None) is None):
        yield
