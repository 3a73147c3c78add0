"""The epoch of an administration: every position in it is worth something only while the epoch lasts.

A package may number all its rows anew, as when an administration is moved to another database. Cursors from before then
point nowhere, and reading on from them misses what happens, in silence. So each category keeps beside its cursors the
epoch that it was read in; in another one it is read again from its beginning. That notes what was deleted in between,
because it is missing, and delivers nothing that is as it was.

What the package last said is believed for an hour, and kept beside the cursors of the connection. That loses nothing:
the epoch that a category keeps was asked for before the category was read, so a move in between comes out with the next
question.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from outsmart_sync.store import cursors, dialect

if TYPE_CHECKING:
    from outsmart_sync.pipeline.ports import Source
    from outsmart_sync.store.cursors import Cursor
    from outsmart_sync.store.store import Store

EPOCH = "epoch"
"""Name under which a category keeps, beside its cursors, the epoch it was read in; the connection keeps the last."""

OF_CONNECTION = ""
"""The category under which the connection's own is kept."""

BELIEVED = timedelta(hours=1)
"""A question costs a call, and administrations are hardly ever moved."""


def current(store: Store, connection_id: int, source: Source, *, ask: bool = False) -> str | None:
    """The epoch of a connection's administration, by what the package said within the hour.

    Args:
        store: The store.
        connection_id: The sync connection.
        source: The package.
        ask: Believe nothing, ask.

    Returns:
        The epoch; None: the package has none.

    Raises:
        ConfigurationError: The package refuses us.
        TransientError: No answer.
    """
    with store.read() as connection:
        last = cursors.read_all(connection, connection_id, OF_CONNECTION).get(EPOCH)
        now = dialect.now(connection)
    if last is not None and not ask and now - last.moved_at < BELIEVED:
        return last.value
    epoch = source.epoch()
    if epoch is not None:
        with store.begin() as connection:
            cursors.move(connection, connection_id, OF_CONNECTION, {EPOCH: epoch})
    return epoch


def over(kept: Mapping[str, Cursor], epoch: str | None) -> bool:
    """Whether a category's cursors were kept in another epoch than the present one, or in one that nobody knows."""
    return epoch is not None and (EPOCH not in kept or kept[EPOCH].value != epoch)
