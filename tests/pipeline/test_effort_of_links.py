"""Records that wait for others cost steps by their number, not by its square; so does looking whether they may go."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from outsmart_sync.pipeline import pending
from outsmart_sync.pipeline.extract import extract
from outsmart_sync.pipeline.filter import filter_rows
from outsmart_sync.pipeline.job import Job, Options
from outsmart_sync.pipeline.match import match_by_code
from outsmart_sync.pipeline.upsert import upsert
from outsmart_sync.providers.exact_online.imports import CATEGORIES_IMPORT, ITEMS_IN_GROUPS
from outsmart_sync.providers.exact_online.values import exact_date
from outsmart_sync.records.exchange import DeletionsPage, ReadPage, Refused
from outsmart_sync.records.mapping import Mapper
from outsmart_sync.records.record import Record
from outsmart_sync.records.values import Payload
from outsmart_sync.store import connections, runs, schema
from outsmart_sync.store.runs import Counts
from outsmart_sync.store.store import Store
from outsmart_sync.store.tables import mirror
from pipeline.test_effort import PAGE, Account, Effort

CATEGORY = dataclasses.replace(CATEGORIES_IMPORT, streams=(ITEMS_IN_GROUPS,))
GROUP = "ffffffff-0000-4000-8000-000000000000"


class Links(Account):
    """An account that keeps links by both their codes."""

    def write(self, record: Record, payloads: Sequence[Payload]) -> list[Refused]:
        return super().write(record, [{**payload, record.code: record.code_of(payload)} for payload in payloads])


class Package:
    """So many items in one group, told once."""

    calls = 0

    def __init__(self, number: int) -> None:
        self._number = number

    def pages(self, _category: Any, stream: Any, today: date, *, after: str | None, **_: Any) -> Iterator[ReadPage]:
        mapper = Mapper(stream=stream, today=today, version="Timestamp", read_date=exact_date)
        number = 0 if after else self._number
        for start in range(0, max(number, 1), PAGE):
            end = min(start + PAGE, number)
            rows = [self._row(stream, place) for place in range(start, end)]
            yield ReadPage(mapper.page(rows), None if end == number else "next", str(self._number + 10), len(rows))

    def deletions(self, _category: Any, **_: Any) -> Iterator[DeletionsPage]:
        yield DeletionsPage([], None, "5")

    def expired(self, _days: float) -> bool:
        return False

    def epoch(self) -> None:
        return None

    @staticmethod
    def _row(stream: Any, place: int) -> dict[str, Any]:
        given = {"ID": item(place), "ItemGroup": GROUP, "IsSalesItem": True, "IsTime": 0, "UnitType": "O"}
        return dict.fromkeys(stream.columns) | {"Timestamp": str(place + 10), **given}


def item(place: int) -> str:
    return f"{place:08x}-0000-4000-8000-000000000000"


def bring(store: Store, connection: int, record: str, ids: list[str], *, there: bool) -> None:
    """Records as another category keeps them, in OutSmart or on their way there."""
    common = {"connection_id": connection, "record": record, "first_run_id": 1, "run_id": 1}
    outsmart = "{}" if there else None
    rows = [
        {**common, "provider_id": each, "code": each, "code_key": each, "payload": "{}", "outsmart": outsmart,
         "state": "synced" if there else "waiting"}
        for each in ids
    ]  # fmt: skip
    with store.begin() as transaction:
        transaction.execute(insert(mirror), rows)


@dataclasses.dataclass
class Steps:
    """One store, of which the steps of each thing that is done are counted."""

    store: Store
    connection: int
    package: Package
    account: Account
    effort: Effort

    def run(self, name: str) -> tuple[Counts, int]:
        before = self.effort.steps
        run_id = runs.open_run(self.store, name, package="exact_online", direction="import", options={})
        job = self.job(run_id, runs.begin_step(self.store, run_id, self.connection, CATEGORY.name, "extract"))
        extract(self.store, job, self.package, self.account)  # type: ignore[arg-type]  # closed by nobody
        filter_rows(self.store, job)
        match_by_code(self.store, job)
        counts = upsert(self.store, job, self.account)  # type: ignore[arg-type]
        return counts, self.effort.steps - before

    def poll(self) -> tuple[bool, int]:
        before = self.effort.steps
        with self.store.read() as connection:
            found = pending.has_pending(connection, self.job(0, 0))
        return found, self.effort.steps - before

    def job(self, run_id: int, job_id: int) -> Job:
        today = date(2026, 1, 1)
        return Job(job_id, run_id, self.connection, CATEGORY, {}, Options(), today, "EUR", delivers=True)


def efforts(folder: Path, number: int) -> dict[str, int]:
    store = Store(f"sqlite:///{folder / f'{number}.db'}")
    effort = Effort(store)
    schema.upgrade(store)
    with store.begin() as transaction:
        connection = connections.add(
            transaction, package="exact_online", country="nl", conn_id="-", outsmart_conn_id="-", outsmart_account="-"
        )
    steps = Steps(store, connection, Package(number), Links(), effort)
    bring(store, connection, "category", [GROUP], there=True)
    found = {}
    counts, found["waits"] = steps.run("waits")
    assert counts.waiting == number
    comes_up, found["idle poll"] = steps.poll()
    assert not comes_up
    bring(store, connection, "material", [item(place) for place in range(number)], there=True)
    assert steps.poll()[0]
    counts, found["goes"] = steps.run("goes")
    assert counts.created == number
    assert not steps.poll()[0]
    store.close()
    return found


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, int], dict[str, int]]:
    folder = tmp_path_factory.mktemp("effort")
    return efforts(folder, 500), efforts(folder, 2_000)


@pytest.mark.parametrize("what", ["waits", "idle poll", "goes"])
def test_four_times_the_waiting_records_take_about_four_times_the_steps(
    measured: tuple[dict[str, int], dict[str, int]], what: str
) -> None:
    few, many = (found[what] for found in measured)
    assert many < 6 * max(few, 1)
