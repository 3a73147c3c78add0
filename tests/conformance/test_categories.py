"""What every category of every package keeps to, on its vendor's own server: one suite for all of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select

from outsmart_sync.pipeline.job import Options
from outsmart_sync.pipeline.outcomes import REASONS
from outsmart_sync.providers.packages import package, packages
from outsmart_sync.records.catalogue import ImportCategory
from outsmart_sync.records.record import Kind
from outsmart_sync.records.setting_kinds import Choice, StartDate
from outsmart_sync.records.values import decode, parse_decimal
from outsmart_sync.services import planning, polling
from outsmart_sync.store.connections import SyncConnection
from outsmart_sync.store.runs import CategoryRun
from outsmart_sync.store.store import Store
from outsmart_sync.store.tables import mirror, record_log
from outsmart_sync.store.vault import KEYS_VARIABLE
from sandbox import process
from support import SMALL, SOUTH, Rig, connection_environment

CATEGORIES = [(name, category.name) for name, each in packages().items() for category in each.imports]
each_category = pytest.mark.parametrize(("name", "category"), CATEGORIES)
_ENTITIES = ("relations", "materials", "hourtypes", "projects", "workorders", "prices", "employees", "categories")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


_KEY = Fernet.generate_key().decode()


@pytest.fixture(autouse=True)
def vault_key(monkeypatch: pytest.MonkeyPatch) -> str:
    """One key for all tests here, as they share what was connected."""
    monkeypatch.setenv(KEYS_VARIABLE, _KEY)
    return _KEY


@dataclass
class Life:
    """A package's seeded administration, imported once, and once more in full."""

    rig: Rig
    connection: SyncConnection
    first: dict[str, CategoryRun]
    idle: list[str]
    again: dict[str, CategoryRun]
    before: dict[str, Any]
    after: dict[str, Any]


def _everything_on(name: str) -> dict[str, Any]:
    found: dict[str, Any] = {"licence": package(name).tiers[-1]}
    for category in package(name).imports:
        found[category.name] = {"enabled": True} | ({category.start.name: "2020-01-01"} if category.start else {})
    return found


def _in_outsmart(rig: Rig) -> dict[str, Any]:
    return {entity: rig.vendors.control.outsmart_records("south", entity) for entity in _ENTITIES}


def _polled(rig: Rig, name: str, connection_id: int) -> list[str]:
    opened = planning.open_run(rig.store, name, f"poll:{name}", Options())
    work = polling.poll(rig.store, rig.gateway, opened.run_id, [connection_id])
    return [category for each in work for category in each.categories]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def lives(databases: Any, request: pytest.FixtureRequest) -> Iterator[dict[str, Life]]:
    """Each package in a store and a sandbox of its own, on each database."""
    found: dict[str, Life] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(KEYS_VARIABLE, _KEY)
        for name in packages():
            store, vendors = Store(databases.make(request.param)), process.start(relations=20, items=24)
            for variable, value in connection_environment(vendors, store, SOUTH).items():
                patch.setenv(variable, value)
            found[name] = _lived(name, Rig(store, vendors))
        yield found
        for life in found.values():
            life.rig.vendors.stop()
            life.rig.store.close()


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> Callable[[Life], None]:
    """Puts a life's connections into the environment, where tasks find them."""

    def connect(life: Life) -> None:
        for variable, value in connection_environment(life.rig.vendors, life.rig.store, SOUTH).items():
            monkeypatch.setenv(variable, value)

    return connect


def _lived(name: str, rig: Rig) -> Life:
    connection = rig.connect(SMALL) if name == "exact_online" else rig.connect_visma("devries")
    from outsmart_sync.services import settings

    settings.save(rig.store, connection, _everything_on(name), gateway=rig.gateway)
    first = rig.sync(package=name)
    rig.sync(package=name)  # what waited for a later category
    idle, before = _polled(rig, name, connection.id), _in_outsmart(rig)
    again = rig.sync(package=name, full=True)
    return Life(rig, connection, first, idle, again, before, _in_outsmart(rig))


def _of(name: str, category: str) -> ImportCategory:
    return package(name).category(category)


def _rows(life: Life, category: ImportCategory) -> list[Any]:
    names = [record.name for record in category.records]
    query = select(mirror).where(mirror.c.record.in_(names), mirror.c.provider_id.is_not(None))
    with life.rig.store.read() as connection:
        return list(connection.execute(query))


@each_category
def test_it_reads_and_ends_well(lives: dict[str, Life], name: str, category: str) -> None:
    done = lives[name].first[category]
    assert (done.error_code, done.error_text) == ("", "")
    assert done.state in ("done", "idle")


@each_category
def test_a_full_run_finds_everything_as_it_is(lives: dict[str, Life], name: str, category: str) -> None:
    counts = lives[name].again[category].counts
    assert (counts.created, counts.updated, counts.deleted) == (0, 0, 0)


@pytest.mark.parametrize("name", packages())
def test_nothing_is_written_twice(lives: dict[str, Life], name: str) -> None:
    assert lives[name].after == lives[name].before


@each_category
def test_an_idle_category_has_no_work(lives: dict[str, Life], name: str, category: str) -> None:
    assert category not in lives[name].idle


@each_category
def test_payloads_are_texts_flags_exact_numbers_and_plain_dates(
    lives: dict[str, Life], name: str, category: str
) -> None:
    records = {record.name: record for record in _of(name, category).records}
    for row in _rows(lives[name], _of(name, category)):
        for field, value in decode(row.payload).items():
            record = records[row.record]
            assert isinstance(value, (str, bool)), (row.code, field)
            if not record.travels(field) or value == "":
                continue
            if record.field(field).kind is Kind.DECIMAL:
                parse_decimal(str(value))
            elif record.field(field).kind is Kind.DATE:
                assert _DAY.fullmatch(str(value)), (row.code, field, value)


@each_category
def test_whatever_did_not_come_says_why(lives: dict[str, Life], name: str, category: str) -> None:
    rows = _rows(lives[name], _of(name, category))
    assert [row.code for row in rows if row.state not in ("synced", "outsmart_only") and not row.reason] == []
    logged = lives[name].rig.rows(record_log, event="rejected")
    assert all(row.reason for row in logged)


@each_category
def test_every_reason_is_told_in_words(name: str, category: str) -> None:
    declared = _of(name, category)
    own = {reason for stream in declared.streams if stream.record for reason in stream.own_reasons}
    chosen = {each.reason for each in declared.filters if isinstance(each, (Choice, StartDate))}
    assert {reason for reason in own | chosen if reason not in REASONS} == set()


@each_category
def test_one_record_is_looked_up_by_its_code_and_is_as_it_was(
    lives: dict[str, Life], connected: Callable[[Life], None], name: str, category: str
) -> None:
    life, declared = lives[name], _of(name, category)
    rows = [row for row in _rows(life, declared) if row.record == declared.record.name and row.state == "synced"]
    if not rows or declared.record.keys:
        pytest.skip("the seeded administration has none that can be asked for by a code")
    connected(life)
    done = life.rig.sync(category, package=name, codes=(rows[0].code,))[category]
    assert (done.error_code, done.counts.created, done.counts.updated) == ("", 0, 0)
    assert done.counts.read >= 1


@pytest.mark.parametrize("name", packages())
def test_half_an_answer_is_no_answer_and_nothing_counts_as_gone(
    lives: dict[str, Life], connected: Callable[[Life], None], name: str
) -> None:
    life, category = lives[name], package(name).imports[0]
    connected(life)
    vendor = {"exact_online": "exact", "visma_eaccounting": "visma"}[name]
    path = {"exact_online": "sync/CRM/Accounts", "visma_eaccounting": "customers"}[name]
    life.rig.vendors.control.add_fault(
        "truncate", vendor=vendor, path=f"/{path}$", method="GET", times=None, clean=True
    )
    try:
        done = life.rig.sync(category.name, package=name, full=True)[category.name]
    finally:
        life.rig.vendors.control.clear_faults()
    assert done.error_code == "vendor_unreadable"
    assert done.counts.deleted == 0
    assert {row.state for row in _rows(life, category)} >= {"synced"}
