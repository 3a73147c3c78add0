"""The cheapest question there is: has a connection anything to do?"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from outsmart_sync.pipeline import epochs, pending
from outsmart_sync.pipeline.reached import cursor_age, stream_names
from outsmart_sync.providers.packages import package as package_of
from outsmart_sync.records.catalogue import ImportCategory
from outsmart_sync.services import planning, trouble
from outsmart_sync.services.doors import Doors
from outsmart_sync.services.polls import poll_each
from outsmart_sync.store import cursors, dialect, runs
from outsmart_sync.store.cursors import Cursor

if TYPE_CHECKING:
    from outsmart_sync.pipeline.job import Options
    from outsmart_sync.pipeline.ports import Source
    from outsmart_sync.services.gateway import Gateway
    from outsmart_sync.services.polls import Work
    from outsmart_sync.store.connections import SyncConnection
    from outsmart_sync.store.store import Store

_CURSOR_CONFIRMED_EVERY = timedelta(days=1)

Quiet = dict[ImportCategory, dict[str, Cursor]]
"""Categories for which nothing waits here, with their cursors."""


def poll(
    store: Store, gateway: Gateway, run_id: int, connection_ids: list[int], *, for_another: bool = False
) -> list[Work]:
    """Ask each connection's streams the cheapest question there is, and look what waits in the store.

    Args:
        store: The store.
        gateway: Opens the package.
        run_id: The run.
        connection_ids: Connections of its plan.
        for_another: Another run will do what is found.

    Returns:
        Connections that have work; also those whose poll failed, so that their own tasks fail and nobody else's.
    """

    def ask(connection: SyncConnection, names: list[str], options: Options) -> list[str]:
        return _poll_connection(store, gateway, run_id, connection, names, options)

    return poll_each(store, run_id, connection_ids, ask, direction=planning.IMPORT, for_another=for_another)


def _poll_connection(
    store: Store, gateway: Gateway, run_id: int, connection: SyncConnection, names: list[str], options: Options
) -> list[str]:
    if options.full or options.codes or options.preview:
        return names
    package = package_of(connection.package)
    doors = Doors(gateway, connection)
    try:
        jobs = [doors.job(store, run_id, package.category(name), options) for name in names]
        busy, quiet = set[str](), Quiet()
        with store.read() as transaction:
            now = dialect.now(transaction)
            for job in jobs:
                kept = cursors.read_all(transaction, connection.id, job.category.name)
                if any(name not in kept for name in stream_names(job.category)) or pending.has_pending(
                    transaction, job
                ):
                    busy.add(job.category.name)
                else:
                    quiet[job.category] = kept
        if quiet:
            busy |= _worthless(store, connection, doors.source, quiet, now)
        if quiet:
            busy |= _ask(store, connection, doors.source, quiet)
        return [name for name in names if name in busy]
    finally:
        doors.close()
        runs.add_calls(store, run_id, doors.source_calls)


def _worthless(store: Store, connection: SyncConnection, source: Source, quiet: Quiet, now: datetime) -> set[str]:
    """Take out the categories whose cursors are worth nothing any more, so that all of it is read again."""
    epoch = epochs.current(store, connection.id, source)
    found = {
        category
        for category, kept in quiet.items()
        # What happened too long ago, the package no longer tells.
        if source.expired(cursor_age(kept, stream_names(category), now)) or epochs.over(kept, epoch)
    }
    for category in found:
        del quiet[category]
    return {category.name for category in found}


def _ask(store: Store, connection: SyncConnection, source: Source, quiet: Quiet) -> set[str]:
    news = source.news({
        category: {name: kept[name].value for name in stream_names(category)}
        for category, kept in quiet.items()
    })  # fmt: skip
    if news.doubtful:
        epoch = epochs.current(store, connection.id, source, ask=True)
        if moved := {category.name for category, kept in quiet.items() if epochs.over(kept, epoch)}:
            return moved
    with store.begin() as transaction:
        seen = {category.name: kept for category, kept in quiet.items()}
        for name, positions in news.passed.items():
            cursors.move_on(transaction, connection.id, name, positions, seen[name])
        idle = [category.name for category in quiet if category.name not in news.categories]
        for name in idle:
            cursors.confirm(transaction, connection.id, name, _CURSOR_CONFIRMED_EVERY)
        trouble.mended(transaction, connection.id, idle)
    return news.categories
