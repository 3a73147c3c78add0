"""The page with a long log: what the server takes to make each page, and a browser until it shows something.

Run and log are made as they are after months; a real Airflow serves them to a real Chromium.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import Page
from sqlalchemy import insert

from outsmart_sync.store import connections, runs
from outsmart_sync.store.connections import State
from outsmart_sync.store.runs import RunState
from outsmart_sync.store.store import Store
from outsmart_sync.store.tables import mirror, record_log, run_category
from page_stage import browser, stage

_REPEATS = 7
_FIRMS = 50
_EVENTS = ("created", "updated", "excluded", "rejected")
_CHUNK = 5_000
_PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"
_SERVER = "performance.getEntriesByType('navigation')[0].responseStart"


def run(rows: int) -> None:
    """Print a line per page.

    Args:
        rows: Lines in the log, and records in the mirror.
    """
    print(f"\nThe page with {rows:,} lines in the log and as many records, milliseconds, median of {_REPEATS}:")
    with tempfile.TemporaryDirectory(prefix="page-") as home, browser() as chrome, stage(Path(home)) as made:
        number = fill(made.store, rows)
        context = chrome.new_context()
        made.log_in(context).close()
        page = context.new_page()
        for name, address in (
            ("overview", ""),
            ("runs", "log"),
            ("a run's records", f"runs/{number}"),
            ("its rejects only", f"runs/{number}?event=rejected"),
            ("needs attention", "attention"),
            ("search by code", f"find?text=C{rows // 2}"),
            ("search by name", f"find?text=Firm+{rows // 2}"),
        ):
            tell(name, page, made.own_address + address)
        for place in range(2, _FIRMS + 1):
            connect(made.store, str(place))
        tell(f"overview of {_FIRMS}", page, made.own_address)
        tell(f"health of {_FIRMS}", page, f"{made.own_address}health")


def tell(name: str, page: Page, address: str) -> None:
    """Print how fast a page is."""
    server, paint = measured(page, address)
    print(f"  {name:<18} server {server:6.0f}   first paint {paint:6.0f}", flush=True)


def measured(page: Page, address: str) -> tuple[float, float]:
    """Milliseconds until the server's first byte, and until the browser shows something."""
    found = []
    for _ in range(_REPEATS):
        page.goto(address)
        time.sleep(0.1)
        found.append((page.evaluate(_SERVER), page.evaluate(_PAINT)))
    return statistics.median(each[0] for each in found), statistics.median(each[1] for each in found)


def fill(store: Store, rows: int) -> int:
    """A connection with a run of so many records; returns the run's number."""
    connection_id = connect(store, "1")
    number = runs.open_run(store, "exact_online_import/made", package="exact_online", direction="import", options={})
    now = store.now()
    with store.begin() as transaction:
        counts = {"read": rows, "created": rows // 4, "updated": rows // 4, "rejected": rows // 4}
        values = {"run_id": number, "connection_id": connection_id, "category": "relations", "step": "upsert"}
        values |= {"state": RunState.DONE, "started_at": now - timedelta(hours=1), "finished_at": now} | counts
        transaction.execute(insert(run_category).values(**values))
        for start in range(0, rows, _CHUNK):
            places = range(start, min(start + _CHUNK, rows))
            transaction.execute(insert(record_log), [_line(connection_id, number, place, now) for place in places])
            transaction.execute(insert(mirror), [_record(connection_id, number, place) for place in places])
    return number


def connect(store: Store, administration: str) -> int:
    """An active connection, as if somebody had logged in; returns its number."""
    with store.begin() as transaction:
        connection_id = connections.add(
            transaction,
            package="exact_online",
            country="nl",
            administration=administration,
            administration_name=f"Firm {administration}",
            outsmart_account=f"account-{administration}",
            conn_id="exact_online_default",
            outsmart_conn_id="outsmart_default",
        )
        connections.set_state(transaction, connection_id, State.ACTIVE)
    return connection_id


def _line(connection_id: int, run_id: int, place: int, now: object) -> dict[str, object]:
    event = _EVENTS[place % len(_EVENTS)]
    return {
        "connection_id": connection_id,
        "run_id": run_id,
        "category": "relations",
        "record": "relation",
        "provider_id": f"id-{place}",
        "code": f"C{place}",
        "event": event,
        "reason": "missing_field" if event == "rejected" else None,
        "detail": "street" if event == "rejected" else None,
        "changes": '{"name": ["Old", "New"]}' if event == "updated" else None,
        "at": now,
    }


def _record(connection_id: int, run_id: int, place: int) -> dict[str, object]:
    rejected = place % len(_EVENTS) == len(_EVENTS) - 1
    return {
        "connection_id": connection_id,
        "record": "relation",
        "provider_id": f"id-{place}",
        "code": f"C{place}",
        "code_key": f"c{place}",
        "title": f"Firm {place}",
        "payload": "{}",
        "state": "rejected" if rejected else "synced",
        "reason": "missing_field" if rejected else None,
        "detail": "street" if rejected else None,
        "first_run_id": run_id,
        "run_id": run_id,
    }
