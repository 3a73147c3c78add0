"""What every poll is: each connection is asked for itself, and what is found is noted for the run."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from outsmart_sync.errors import SyncError
from outsmart_sync.providers import web
from outsmart_sync.providers.packages import package as package_of
from outsmart_sync.services import planning, trouble
from outsmart_sync.store import connections, runs

if TYPE_CHECKING:
    from collections.abc import Callable

    from outsmart_sync.pipeline.job import Options
    from outsmart_sync.store.connections import SyncConnection
    from outsmart_sync.store.store import Store

log = logging.getLogger(__name__)

PATIENCE = 60.0
"""Seconds that the calls for one connection may take in all: the others wait for it, and its own run has more time."""

_SILENT_IN_A_ROW = 3
"""After so many connections that got no answer, the vendor is taken to be away, and the others are not asked."""


@dataclass(frozen=True, slots=True)
class Work:
    """A connection that has something to do.

    Attributes:
        connection_id: The connection.
        label: Its administration's name.
        categories: Categories with work.
        left_out: Categories that are switched on and do not run all the same → why.
    """

    connection_id: int
    label: str
    categories: list[str]
    left_out: dict[str, str]


def poll_each(
    store: Store,
    run_id: int,
    connection_ids: list[int],
    ask: Callable[[SyncConnection, list[str], Options], list[str]],
    *,
    direction: str,
    for_another: bool,
) -> list[Work]:
    """Ask each connection whether there is anything to do.

    A connection whose poll fails, at trouble or at a defect, is handed on: its own tasks fail and nobody else's. So is
    one that does not answer in time, and one that is not asked because those before it got no answer.

    Args:
        store: The store.
        run_id: The run.
        connection_ids: Connections of its plan.
        ask: Connection, its categories, what was asked of the run → the categories with work.
        direction: Import or export.
        for_another: Another run will do what is found.

    Returns:
        Connections that have work.
    """
    plan = runs.read_plan(store, run_id)
    options = planning.options_of(store, run_id)
    work, silent = [], 0
    for connection_id in connection_ids:
        connection = connections.require(store, connection_id)
        busy = categories = plan[connection_id][1]
        try:
            if silent < _SILENT_IN_A_ROW:
                with web.within(PATIENCE):
                    busy = ask(connection, categories, options)
                silent = 0
        except SyncError as error:
            silent = silent + 1 if web.is_silence(error) else 0
            postponed = trouble.postpone_if_long(store, connection, categories, error)
            if postponed and not options.by_hand:  # whoever waits for it is told by its tasks
                busy = []
                log.warning("%s: nothing runs for now: %s (%s)", connection.label, error, error.technical)
            else:
                log.warning(
                    "%s: the poll failed, its tasks will tell: %s (%s)", connection.label, error, error.technical
                )
        except Exception:
            log.exception("%s: the poll stopped at a defect, its tasks will tell", connection.label)
        if busy:
            package = package_of(connection.package)
            left_out = planning.left_out(store, package, connection, options, direction=direction)
            work.append(Work(connection.id, connection.label, busy, left_out))
        log.info("%s: %s", connection.label, "work in " + ", ".join(busy) if busy else "nothing to do")
    if not for_another:
        runs.save_work(store, run_id, {each.connection_id: each.categories for each in work})
    return work
