"""A process that exports on command, and goes wrong, or dies, as its orders say.

It reads one order a line and forks a child for each, so that a child costs no start. Run with the connections in the
environment; arguments: ``model``, the file of our own books and OutSmart's address; or ``exact`` or ``visma``, the
token for the package, its address and OutSmart's.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from exports.books import Trouble
from exports.world import BooksGateway, ExactGateway, VismaGateway, with_exports
from faults.importer import _Counter
from outsmart_sync.pipeline.job import Options
from outsmart_sync.providers.packages import packages
from outsmart_sync.services import export_run
from outsmart_sync.store import runs
from outsmart_sync.store.store import Store


def obey(order: dict[str, Any], books: str, *addresses: str) -> dict[str, Any]:
    """Export once; returns category → error code."""
    store = Store(os.environ["AIRFLOW_CONN_OUTSMART_SYNC_STORE"])
    _Counter(store, order["kill_at"])
    package, opened = _BOOKS[books]
    options = Options(categories=("work_orders",))
    run_id = export_run.export_now(store, opened(store, order, *addresses), package, order["name"], options)
    return {each.category: each.error_code for each in runs.category_runs(store, run_id)}


def _our_own(store: Store, order: dict[str, Any], file: str, outsmart_url: str) -> BooksGateway:
    """Our own books, which go wrong, or kill this process, at their writes."""
    packages()["exact_online"] = with_exports()
    gateway = BooksGateway(store, Path(file), outsmart_url)
    gateway.pdf = b"%PDF-1.7"
    if order["rate"]:
        gateway.trouble = Trouble(order["seed"], order["rate"], kills=True)
    return gateway


_BOOKS: dict[str, tuple[str, Callable[..., Any]]] = {
    "model": ("exact_online", _our_own),
    "exact": ("exact_online", lambda store, _, *addresses: ExactGateway(store, *addresses)),
    "visma": ("visma_eaccounting", lambda store, _, *addresses: VismaGateway(store, *addresses)),
}


def main() -> None:
    """Obey until there are no more orders; a line that begins with ``=`` answers each."""
    for line in iter(sys.stdin.readline, ""):
        child = os.fork()
        if child == 0:
            said = obey(json.loads(line), *sys.argv[1:])
            print("=" + json.dumps(said), flush=True)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print("=ended" if status == 0 else f"=died {status}", flush=True)


if __name__ == "__main__":
    main()
