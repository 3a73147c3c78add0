"""The store's tables: made from nothing, checked, taken back, and the same as what this release declares."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from sqlalchemy import create_engine, inspect, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import StatementError

from outsmart_sync.errors import StoreUnusable
from outsmart_sync.store import connections, dialect, schema
from outsmart_sync.store.store import Store
from outsmart_sync.store.tables import lease, metadata, staging
from store.racing import race


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A database without tables."""
    if request.param == "sqlite":
        made = Store(f"sqlite:///{tmp_path / 'empty.db'}")
        yield made
        made.close()
        return
    server = make_url(request.getfixturevalue("postgres")).set(drivername="postgresql+psycopg")
    name = f"empty_{tmp_path.name}".lower()[:60]
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    made = Store(server.set(database=name))
    yield made
    made.close()
    with engine.connect() as connection:
        connection.execute(text(f'DROP DATABASE "{name}"'))
    engine.dispose()


def tables_of(store: Store) -> set[str]:
    with store.read() as connection:
        return set(inspect(connection).get_table_names())


def set_version(store: Store, version: str) -> None:
    with store.begin() as connection:
        connection.execute(text(f"UPDATE store_version SET version_num = '{version}'"))


def test_an_upgrade_makes_every_table_that_is_declared(empty: Store) -> None:
    assert schema.upgrade(empty) == schema.newest()
    assert tables_of(empty) == {*metadata.tables, "store_version"}
    schema.require_current(empty)


def test_the_migrations_make_what_is_declared(store: Store) -> None:
    assert schema.differences(store) == []


def test_a_table_that_was_changed_by_hand_is_a_difference(empty: Store) -> None:
    schema.upgrade(empty)
    with empty.begin() as connection:
        connection.execute(text("ALTER TABLE lease ADD COLUMN colour VARCHAR(5)"))
    (difference,) = schema.differences(empty)
    assert "colour" in difference


def test_an_upgrade_of_a_store_that_is_current_changes_nothing(empty: Store) -> None:
    schema.upgrade(empty)
    with empty.begin() as connection:
        connection.execute(lease.insert().values(name="kept", owner="x", version=1, expires_at=dialect.now(connection)))
    assert schema.upgrade(empty) == schema.newest()
    with empty.read() as connection:
        assert connection.execute(select(lease.c.name)).scalar_one() == "kept"


def test_a_downgrade_takes_every_table_back_and_an_upgrade_makes_them_anew(empty: Store) -> None:
    schema.upgrade(empty)
    schema.downgrade(empty, "base")
    assert tables_of(empty) <= {"store_version"}
    schema.upgrade(empty)
    assert schema.differences(empty) == []


def test_a_database_without_tables_says_which_command_makes_them(empty: Store) -> None:
    with pytest.raises(StoreUnusable) as error:
        schema.require_current(empty)
    assert (error.value.code, error.value.remedy) == ("store_version", "Run: outsmart-sync store upgrade")
    assert error.value.what == "The store has no tables yet."


def test_a_table_that_is_not_there_says_which_command_makes_it(empty: Store) -> None:
    with pytest.raises(StoreUnusable) as error:
        connections.find(empty)
    assert (error.value.code, error.value.remedy) == ("store_version", "Run: outsmart-sync store upgrade")


@pytest.mark.parametrize(
    "work", [schema.require_current, schema.upgrade, lambda store: schema.downgrade(store, "base")]
)
def test_a_store_of_a_newer_release_is_left_alone(store: Store, work: Any) -> None:
    set_version(store, "9999")
    try:
        with pytest.raises(StoreUnusable) as error:
            work(store)
        assert error.value.code == "store_version"
        assert "newer release" in str(error.value)
        assert "9999" in error.value.why
        assert set(metadata.tables) <= tables_of(store)
    finally:
        set_version(store, schema.newest())


def test_a_store_without_its_version_row_has_no_tables_as_far_as_we_know(empty: Store) -> None:
    schema.upgrade(empty)
    with empty.begin() as connection:
        connection.execute(text("DELETE FROM store_version"))
    with pytest.raises(StoreUnusable, match="outsmart-sync store upgrade"):
        schema.require_current(empty)


def test_an_upgrade_that_fails_leaves_nothing_half_done(empty: Store) -> None:
    with empty.begin() as connection:
        connection.execute(text("CREATE TABLE staging (id INTEGER)"))  # stands where a table of ours belongs
    with pytest.raises(Exception, match="staging"):
        schema.upgrade(empty)
    assert tables_of(empty) == {"staging"}


def test_of_many_processes_that_upgrade_at_once_all_find_the_tables(empty: Store) -> None:
    results = race(6, "upgrade", empty)
    assert [result.get("got") for result in results] == [schema.newest()] * 6, results
    assert schema.differences(empty) == []


def test_an_upgrade_makes_the_folder_of_a_sqlite_file(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/a 100% new/folder/store.db")
    schema.upgrade(store)
    store.close()
    assert (tmp_path / "a 100% new" / "folder" / "store.db").exists()


def test_a_time_without_its_zone_is_refused(store: Store) -> None:
    values = {"name": "x", "owner": "x", "version": 1, "expires_at": datetime(2026, 1, 1)}  # noqa: DTZ001 - the mistake
    with pytest.raises(StatementError, match="without zone"), store.begin() as connection:
        connection.execute(lease.insert().values(**values))


_ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(moment=st.datetimes(datetime(1970, 1, 2), datetime(2999, 1, 1), timezones=_ZONES))  # noqa: DTZ001 - zones are drawn
@examples(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
def test_any_time_comes_back_as_the_same_instant_in_utc(store: Store, moment: datetime) -> None:
    with store.begin() as connection:
        connection.execute(lease.delete())
        connection.execute(lease.insert().values(name="x", owner="x", version=1, expires_at=moment))
        found = connection.execute(select(lease.c.expires_at)).scalar_one()
    assert (found, found.tzinfo) == (moment, UTC)


def test_bulk_loaded_values_come_back_as_ordinary_ones_do(store: Store) -> None:
    columns = ("job_id", "seq", "record", "provider_id", "tags", "blocked", "problems", "origin", "valid_from", "title")
    rows = [(1, seq, "relation", f"p{seq}", "", seq == 1, "", "page", day, title) for seq, day, title in ODDITIES]
    with store.begin() as connection:
        dialect.bulk_insert(connection, staging, columns, rows)
    with store.read() as connection:
        found = connection.execute(select(*(staging.c[name] for name in columns)).order_by(staging.c.seq)).all()
    assert [tuple(row) for row in found] == rows


ODDITIES = [
    (0, None, None),
    (1, date(2024, 2, 29), "tab\tnewline\nbackslash\\N \\."),
    (2, date(1900, 1, 1), 'it\'s 100% "quoted" ünïcode €'),
    (3, date(9999, 12, 31), ""),
]
