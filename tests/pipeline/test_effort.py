"""The work of a run grows with its rows, and not with their square: counted in steps of SQLite's machine."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from outsmart_sync.pipeline import guards
from outsmart_sync.pipeline.extract import extract
from outsmart_sync.pipeline.filter import filter_rows
from outsmart_sync.pipeline.job import Job, Options
from outsmart_sync.pipeline.match import match_by_code
from outsmart_sync.pipeline.upsert import upsert
from outsmart_sync.providers.exact_online.imports import ACCOUNTS, CONTACTS, RELATIONS_IMPORT
from outsmart_sync.providers.exact_online.values import exact_date
from outsmart_sync.records.exchange import DeletionsPage, ReadPage, Refused
from outsmart_sync.records.mapping import Mapper
from outsmart_sync.records.record import Record
from outsmart_sync.records.values import Payload
from outsmart_sync.store import connections, runs, schema
from outsmart_sync.store.store import Store

PAGE = 500
CATEGORY = dataclasses.replace(RELATIONS_IMPORT, streams=(ACCOUNTS, CONTACTS))
TYPICAL = {"Status": "C", "IsSupplier": False, "Blocked": False}
ADDRESS = {"AddressLine1": "Kerkstraat 1", "Postcode": "1234 AB", "City": "Delft"}


class Package:
    """So many relations with a contact person each."""

    calls = 0

    def __init__(self, number: int) -> None:
        self._number = number

    def pages(self, _category: Any, stream: Any, today: date, **_: Any) -> Iterator[ReadPage]:
        mapper = Mapper(stream=stream, today=today, version="Timestamp", read_date=exact_date)
        for start in range(0, self._number, PAGE):
            rows = [self._row(stream, place) for place in range(start, min(start + PAGE, self._number))]
            last = start + PAGE >= self._number
            yield ReadPage(mapper.page(rows), None if last else "next", str(self._number + 10), len(rows))

    def deletions(self, _category: Any, **_: Any) -> Iterator[DeletionsPage]:
        yield DeletionsPage([], None, "5")

    def expired(self, _days: float) -> bool:
        return False

    @staticmethod
    def _row(stream: Any, place: int) -> dict[str, Any]:
        account = f"{place:08x}-0000-4000-8000-000000000000"
        row = dict.fromkeys(stream.columns) | {"Timestamp": str(place + 10)}
        if stream is ACCOUNTS:
            return row | TYPICAL | ADDRESS | {"ID": account, "Code": str(place).rjust(18), "Name": f"Name {place}"}
        return row | {"ID": f"{place:08x}-0000-4000-8000-00000000000c", "Account": account, "FullName": "Jansen"}


class Account:
    """An OutSmart account that keeps what it is given."""

    calls = 0

    def __init__(self, by_hand: int = 0) -> None:
        self._kept: dict[str, dict[str, Payload]] = {}
        if by_hand:  # every other one is another firm's
            self._kept["relation"] = {str(place): self._relation(place) for place in range(by_hand)}

    @staticmethod
    def _relation(place: int) -> Payload:
        town = {"postal_code": "9999 XX", "city": "Assen"} if place % 2 else {"postal_code": "1234 AB", "city": "Delft"}
        return {"debtor_number": str(place), "name": f"By hand {place}", "street": "Dorp 9", **town}

    def read(self, record: Record) -> Iterator[Payload]:
        yield from list(self._kept.get(record.name, {}).values())

    def write(self, record: Record, payloads: Sequence[Payload]) -> list[Refused]:
        self._kept.setdefault(record.name, {}).update({str(payload[record.code]): payload for payload in payloads})
        return []


class Effort:
    """Counts the steps, by the thousand, of everything a store's connections do."""

    def __init__(self, store: Store) -> None:
        self.steps = 0
        event.listen(store.engine, "connect", self._watch)

    def _watch(self, connection: Any, _record: Any) -> None:
        connection.set_progress_handler(self._count, 1_000)

    def _count(self) -> int:
        self.steps += 1
        return 0


def efforts(folder: Path, number: int, *, by_hand: bool = False) -> dict[str, int]:
    """Run → steps: a first one, an idle one, and a full one that reads OutSmart as well.

    Args:
        folder: For the store.
        number: Relations, each with a contact person.
        by_hand: OutSmart has relations with all of their codes already, half of them other firms.
    """
    store = Store(f"sqlite:///{folder / f'{number}{by_hand}.db'}")
    effort = Effort(store)
    schema.upgrade(store)
    with store.begin() as transaction:
        connection = connections.add(
            transaction, package="exact_online", country="nl", conn_id="-", outsmart_conn_id="-", outsmart_account="-"
        )
    package, account = Package(number), Account(number if by_hand else 0)
    found = {}
    for name, full in (("first", False), ("again", False), ("full", True)):
        before = effort.steps
        run_id = runs.open_run(store, name, package="exact_online", direction="import", options={})
        job_id = runs.begin_step(store, run_id, connection, CATEGORY.name, "extract")
        settings = {"types": ["customer"], "include_inactive": False, "include_blocked": False}
        job = Job(
            job_id, run_id, connection, CATEGORY, settings, Options(full=full), date(2026, 1, 1), "EUR", delivers=True
        )
        extract(store, job, package, account)  # type: ignore[arg-type]  # closed by nobody
        filter_rows(store, job)
        match_by_code(store, job)
        counts = upsert(store, job, account)  # type: ignore[arg-type]
        kept_apart = counts.held + counts.waiting
        assert kept_apart == (number if by_hand else 0)
        assert counts.created + counts.updated + counts.unchanged + kept_apart == 2 * number
        found[name] = effort.steps - before
    store.close()
    return found


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, int], dict[str, int]]:
    folder = tmp_path_factory.mktemp("effort")
    return efforts(folder, 300), efforts(folder, 1_200)


@pytest.mark.parametrize("run", ["first", "again", "full"])
def test_four_times_the_rows_take_about_four_times_the_steps(
    measured: tuple[dict[str, int], dict[str, int]], run: str
) -> None:
    few, many = (found[run] for found in measured)
    assert 0 < many < 6 * few


def test_first_contacts_take_about_four_times_the_steps_too(tmp_path: Path) -> None:
    few, many = efforts(tmp_path, 300, by_hand=True), efforts(tmp_path, 1_200, by_hand=True)
    for run, steps in few.items():
        assert 0 < many[run] < 6 * steps, run


def test_the_guard_costs_a_run_without_first_contacts_next_to_nothing(
    measured: tuple[dict[str, int], dict[str, int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("hold_two_firms", "part_two_firms"):
        monkeypatch.setattr(guards, name, lambda *_: None)
    bare = efforts(tmp_path, 1_200)
    for run, steps in measured[1].items():
        assert steps < 1.1 * bare[run], run
