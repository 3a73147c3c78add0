"""One case of :mod:`benchmarks.four_steps`: store address, where pages come from, the vendors' addresses."""

from __future__ import annotations

import dataclasses
import json
import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import requests
from sqlalchemy import select

from outsmart_sync.pipeline.extract import extract
from outsmart_sync.pipeline.filter import filter_rows
from outsmart_sync.pipeline.job import Job, Options
from outsmart_sync.pipeline.match import match_by_code
from outsmart_sync.pipeline.upsert import upsert
from outsmart_sync.providers.exact_online.client import ExactOnlineClient, Page, _decoder
from outsmart_sync.providers.exact_online.imports import ACCOUNTS, RELATIONS_IMPORT
from outsmart_sync.providers.exact_online.source import ExactSource
from outsmart_sync.store import connections, runs, schema
from outsmart_sync.store.store import Store
from outsmart_sync.store.tables import mirror
from sandbox.remote_control import RemoteControl

DIVISION = "2001001"
CATEGORY = dataclasses.replace(RELATIONS_IMPORT, streams=(ACCOUNTS,))
_FLOOR_COLUMNS = (
    "connection_id",
    "record",
    "provider_id",
    "version",
    "code",
    "code_key",
    "title",
    "payload",
    "content_hash",
    "tags",
    "blocked",
    "valid_from",
    "valid_until",
    "state",
    "run_id",
)


def main(url: str, pages: str, exact_url: str, control_url: str) -> None:
    """Two imports, each printed as a line of JSON."""
    store = Store(url)
    schema.upgrade(store)
    source = _source(pages, exact_url, RemoteControl(control_url))
    with store.begin() as connection:
        number = connections.add(
            connection, package="exact_online", country="nl", conn_id="-", outsmart_conn_id="-", outsmart_account=pages
        )
    for what, full in (("first", False), ("again, unchanged", True)):
        run_id = runs.open_run(store, f"{pages}:{what}", package="exact_online", direction="import", options={})
        options = Options(full=full)
        job_id = runs.begin_step(store, run_id, number, CATEGORY.name, "extract")
        job = Job(job_id, run_id, number, CATEGORY, {"types": []}, options, date(2026, 11, 20), "EUR", delivers=False)
        measured = _measured(store, job, source)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"what": what, "peak_mb": peak, **measured, "floor": _floor(store, number)}), flush=True)


def _measured(store: Store, job: Job, source: Any) -> dict[str, Any]:
    steps: dict[str, float] = {}
    began = time.perf_counter()
    for name, step in (
        ("extract", lambda: extract(store, job, source, None)),
        ("filter", lambda: filter_rows(store, job)),
        ("match_by_code", lambda: match_by_code(store, job)),
        ("upsert", lambda: upsert(store, job, None)),
    ):
        start = time.perf_counter()
        step()
        steps[name] = time.perf_counter() - start
    return {"seconds": time.perf_counter() - began, "steps": steps}


def _source(pages: str, exact_url: str, control: RemoteControl) -> ExactSource:
    token = control.give_tokens(divisions=[int(DIVISION)])["access_token"]
    client = ExactOnlineClient(requests.Session(), exact_url, _Token(token), division=DIVISION)
    if pages == "wire":
        return ExactSource(client)
    address = client.address(ACCOUNTS.path, select=(*ACCOUNTS.columns, "Timestamp"), filters="Timestamp gt 1L")
    raw = []
    while address:
        answer = requests.get(
            address, headers={"Authorization": f"Bearer {token}", "Accept": "application/json"}, timeout=60
        )
        raw.append(answer.content)
        address = answer.json()["d"].get("__next")
    return ExactSource(_MemoryClient(raw))  # type: ignore[arg-type]  # has what a source uses of a client


@dataclass
class _Token:
    """A token that needs no renewal."""

    token: str

    def access_token(self, refused: str | None = None) -> str:  # noqa: ARG002
        """The token."""
        return self.token


@dataclass
class _MemoryClient:
    """Hands out accounts that were fetched before, as bytes: decoding is measured, the wire is not."""

    accounts: list[bytes]
    calls: int = 0

    def address(self, name: str, **_: Any) -> str:
        """The resource itself."""
        return name

    def pages(self, address: str) -> Iterator[Page]:
        """The pages of a resource, decoded one by one."""
        found = self.accounts if address == ACCOUNTS.path else []
        for number, page in enumerate(found, 1):
            yield Page(_decoder.decode(page)["d"]["results"], "more" if number < len(found) else None)
        if not found:
            yield Page([], None)


def _floor(store: Store, number: int) -> float:
    """Seconds for a bare bulk upsert of the same rows into a table of the same shape."""
    with store.read() as connection:
        query = select(*(mirror.c[name] for name in _FLOOR_COLUMNS)).where(mirror.c.connection_id == number)
        rows = [tuple(row) for row in connection.execute(query)]
    with store.begin() as connection:
        postgres = connection.dialect.name == "postgresql"
        driver = connection.connection.cursor()
        columns = ", ".join(_FLOOR_COLUMNS)
        key = "connection_id, record, provider_id"
        driver.execute("DROP TABLE IF EXISTS floor_table")
        driver.execute(f"CREATE TABLE floor_table AS SELECT {columns} FROM mirror WHERE false")
        driver.execute(f"CREATE UNIQUE INDEX floor_key ON floor_table ({key})")
    changed = ", ".join(f"{name} = excluded.{name}" for name in _FLOOR_COLUMNS[3:])
    start = time.perf_counter()
    with store.begin() as connection:
        driver = connection.connection.cursor()
        if postgres:
            driver.execute("CREATE TEMPORARY TABLE floor_rows (LIKE floor_table) ON COMMIT DROP")
            with driver.copy(f"COPY floor_rows ({columns}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            driver.execute(
                f"INSERT INTO floor_table SELECT * FROM floor_rows ON CONFLICT ({key}) DO UPDATE SET {changed}"
            )
        else:
            marks = ", ".join("?" * len(_FLOOR_COLUMNS))
            driver.executemany(
                f"INSERT INTO floor_table VALUES ({marks}) ON CONFLICT ({key}) DO UPDATE SET {changed}",
                [tuple(str(v) if hasattr(v, "isoformat") else v for v in row) for row in rows],
            )
    return time.perf_counter() - start


if __name__ == "__main__":
    main(*sys.argv[1:])
