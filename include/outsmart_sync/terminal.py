"""What a terminal shows, the same for the command line and the quick start."""

from __future__ import annotations

import json
import logging
import sys
from contextlib import redirect_stdout
from dataclasses import asdict, is_dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from outsmart_sync.store import address, connections
from outsmart_sync.store.runs import Counts
from outsmart_sync.store.store import Store

if TYPE_CHECKING:
    from outsmart_sync.store.runs import CategoryRun, Plan

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
ConnectionNumber = Annotated[int, typer.Argument(help="Number of the sync connection, as `status` lists it.")]
OneConnection = Annotated[int | None, typer.Option("--connection", help="Only this sync connection.")]
"""What several commands take."""

NOT_AGAIN = "A command is not tried again by itself: run it once more, or leave it to the automatic sync."
"""Said when a command has failed: what it prints was written for syncs, which Airflow tries again."""

_verbose = False

_RARE = ("waiting", "held", "deleted", "edited")


def console(*, stderr: bool = False) -> Console:
    """A console whose tables are not squeezed into 80 columns when it is a file or a pipe."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else 160
    return Console(stderr=stderr, highlight=False, emoji=False, soft_wrap=True, width=width)


def log_to_stderr(*, verbose: bool) -> None:
    """Send log lines to stderr, so that stdout holds only what was asked for."""
    global _verbose  # noqa: PLW0603 - one process, one command line
    _verbose = verbose
    logging.basicConfig(
        level=logging.INFO if verbose else logging.ERROR,
        format="%(asctime)s %(levelname)-7s %(message)s",
        stream=sys.stderr,
        force=True,
    )
    logging.captureWarnings(capture=False)
    for name in ("alembic", "airflow"):
        logging.getLogger(name).setLevel(logging.WARNING)


def load_airflow(*, verbose: bool = False) -> None:
    """Load Airflow, which speaks on stdout and points all logging there when it is imported, and point it back."""
    with redirect_stdout(sys.stderr):
        import outsmart_sync.providers.vendor_hook  # noqa: F401 - imported for what Airflow does to logging

    log_to_stderr(verbose=verbose)


def open_store() -> Store:
    """The store: from the environment without loading Airflow, else through Airflow's secrets backends."""
    url = address.from_environment()
    if url is not None:
        return Store(url)
    from outsmart_sync.store.hook import StoreHook

    return StoreHook().get_conn()


def open_store_and_gateway() -> tuple[Store, Any]:
    """The store, and what opens the vendors: that loads Airflow, for its hooks."""
    from outsmart_sync.providers.gateway import HookGateway

    load_airflow(verbose=_verbose)
    store = open_store()
    return store, HookGateway(store)


def print_json(value: Any) -> None:
    """Print one JSON document on stdout, for programs."""
    sys.stdout.write(json.dumps(value, default=_plain, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, date):  # a datetime is one, too
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    raise TypeError(type(value).__name__)


def figures_table(store: Store, categories: list[CategoryRun], planned: Plan | None = None) -> Table:
    """The figures of a run as a table; figures that are rare have a column only where there are any.

    Args:
        store: For the administrations' names.
        categories: What became of each category that had something to do.
        planned: All that took part; those that had nothing to do get a line of zeros.
    """
    names = {connection.id: connection.label for connection in connections.find(store)}
    found = {(each.connection_id, each.category): each for each in categories}
    keys = dict.fromkeys((c, name) for c, (_, wanted) in (planned or {}).items() for name in wanted)
    rare = tuple(name for name in _RARE if any(getattr(each.counts, name) for each in categories))
    shown = ("read", "created", "updated", "unchanged", "excluded", "rejected", *rare)
    several = len({connection_id for connection_id, _ in (*keys, *found)}) > 1
    table = Table(
        box=None, padding=(0, 2, 0, 0), caption="API calls: to the bookkeeping package + to OutSmart",
        caption_justify="left",
    )  # fmt: skip
    for name in (*(("administration",) if several else ()), "category"):
        table.add_column(name, no_wrap=True)
    for name in (*shown, "API calls", "seconds"):
        table.add_column(name, justify="right", no_wrap=True)
    for connection_id, category in dict.fromkeys((*keys, *found)):
        each = found.get((connection_id, category))
        counts = each.counts if each else Counts()
        label = [escape(names.get(connection_id, str(connection_id)))] if several else []
        calls = f"{counts.calls}+{counts.outsmart_calls}"
        figures = [str(getattr(counts, name)) for name in shown]
        table.add_row(*label, category, *figures, calls, f"{each.seconds if each else 0:.1f}")
    return table
