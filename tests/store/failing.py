"""A process of its own that uses a store until something fails, and tells what it was told.

Run as a program: address of the store as the first argument, then the limit of a file's size in bytes (0: none) and the
user to become (-1: stay who we are).
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys

from outsmart_sync.errors import SyncError, TransientError
from outsmart_sync.store import schema
from outsmart_sync.store.store import Store
from outsmart_sync.store.tables import endpoint_error

ROWS = 2_000
TEXT = "x" * 1_000


def fill(store: Store) -> int:
    """Write rows of a kilobyte, one a transaction."""
    with store.begin() as connection:
        now = store.now()
        first = connection.exec_driver_sql("SELECT count(*) FROM endpoint_error").scalar_one()
    for number in range(first, first + ROWS):
        with store.begin() as connection:
            values = {"key": "k", "endpoint": str(number), "status": 500, "count": 1, "since": now, "text": TEXT}
            connection.execute(endpoint_error.insert().values(**values))
    return ROWS


def main(address: str, limit: int, user: int) -> None:
    """Use the store, and print what came of it."""
    store = Store(address)
    schema.newest()  # everything is loaded before we become somebody who may not read it
    if limit:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    if user >= 0:
        os.setresuid(user, user, user)
    told: dict[str, object] = {}
    try:
        told["rows"] = fill(store)
    except SyncError as error:
        passes = isinstance(error, TransientError)
        told |= {"code": error.code, "passes": passes, "remedy": error.remedy, "technical": error.technical}
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
