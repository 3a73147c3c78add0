"""A process that imports on command, and stops or dies where it is told to.

It reads one order a line and forks a child for each, so that a child costs no start. Run with the connections in the
environment; arguments: the token for Exact Online, its address, and OutSmart's.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from datetime import timedelta
from typing import Any

from sqlalchemy import event

from outsmart_sync.pipeline.job import Options
from outsmart_sync.providers.outsmart.delivery import OutSmartAccount
from outsmart_sync.services import sync
from outsmart_sync.store import ledger, runs
from outsmart_sync.store.connections import SyncConnection
from outsmart_sync.store.store import Store
from pipeline.world import FixedGateway

ledger.MISSES_COUNT_AFTER = timedelta(0)  # the runs of a test follow each other without a pause


class _Counter:
    """Counts statements, and kills its own process before one of them; 0: before none."""

    def __init__(self, store: Store, at: int) -> None:
        self.seen, self._at = 0, at
        event.listen(store.engine, "before_cursor_execute", self._count)
        event.listen(store.engine, "commit", self._count)

    def _count(self, *_: object) -> None:
        self.seen += 1
        if self.seen == self._at:
            os.kill(os.getpid(), signal.SIGKILL)


class _Gateway(FixedGateway):
    """Stops its own process when the OutSmart account is opened for this time; 0: never."""

    stop_at = 0

    def destination(self, connection: SyncConnection) -> OutSmartAccount:
        self.stop_at -= 1
        if self.stop_at == 0:
            os.kill(os.getpid(), signal.SIGSTOP)
        return super().destination(connection)

    def delivers(self, connection: SyncConnection) -> bool:  # noqa: ARG002  # they all do
        return True


def obey(order: dict[str, Any], addresses: list[str]) -> dict[str, Any]:
    """Import once; returns the number of statements, and category → error code."""
    store = Store(os.environ["AIRFLOW_CONN_OUTSMART_SYNC_STORE"])
    counter, gateway = _Counter(store, order["kill_at"]), _Gateway(store, *addresses)
    gateway.stop_at = order["stop_at"]
    run_id = sync.import_now(store, gateway, "exact_online", order["name"], Options())
    errors = {each.category: each.error_code for each in runs.category_runs(store, run_id) if each.error_code}
    return {"statements": counter.seen, "errors": errors}


def main() -> None:
    """Obey until there are no more orders; a line that begins with ``=`` answers each."""
    for line in iter(sys.stdin.readline, ""):
        child = os.fork()
        if child == 0:
            said = obey(json.loads(line), sys.argv[1:])
            print("=" + json.dumps(said), flush=True)
            os._exit(0)
        print(f"={child}", flush=True)
        _, status = os.waitpid(child, 0)
        print("=ended" if status == 0 else f"=died {status}", flush=True)


if __name__ == "__main__":
    main()
