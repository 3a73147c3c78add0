"""Leases: one owner at a time, until given back or expired by the store's clock."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text, update

from outsmart_sync.store import dialect, leases
from outsmart_sync.store.store import Store
from outsmart_sync.store.tables import lease as lease_table
from store.racing import race

MINUTE = timedelta(minutes=1)


def expire(store: Store, name: str) -> None:
    with store.begin() as connection:
        connection.execute(update(lease_table).where(lease_table.c.name == name).values(expires_at=store.now()))


def test_a_free_lease_is_given_to_the_first_who_asks(store: Store) -> None:
    before = store.now()
    given = leases.claim(store, "relations", "ours", MINUTE)
    assert given is not None
    assert (given.name, given.owner, given.version) == ("relations", "ours", 1)
    assert before + MINUTE <= given.expires_at <= store.now() + MINUTE
    assert leases.holder(store, "relations") == given


def test_a_held_lease_is_refused_to_others_and_stays_as_it_is(store: Store) -> None:
    given = leases.claim(store, "relations", "ours", MINUTE)
    assert leases.claim(store, "relations", "theirs", MINUTE) is None
    assert leases.holder(store, "relations") == given


def test_its_owner_renews_a_lease_without_a_new_version(store: Store) -> None:
    first = leases.claim(store, "relations", "ours", MINUTE)
    again = leases.claim(store, "relations", "ours", 2 * MINUTE)
    assert first is not None
    assert again is not None
    assert again.version == first.version
    assert again.expires_at >= first.expires_at + MINUTE / 2


def test_leases_of_other_names_are_free(store: Store) -> None:
    leases.claim(store, "relations", "ours", MINUTE)
    assert leases.claim(store, "materials", "theirs", MINUTE) is not None


def test_an_expired_lease_has_no_holder_and_goes_to_another_in_a_new_version(store: Store) -> None:
    leases.claim(store, "relations", "ours", MINUTE)
    expire(store, "relations")
    assert leases.holder(store, "relations") is None
    taken = leases.claim(store, "relations", "theirs", MINUTE)
    assert taken is not None
    assert (taken.owner, taken.version) == ("theirs", 2)


def test_who_lost_a_lease_can_tell_from_its_version(store: Store) -> None:
    mine = leases.claim(store, "relations", "ours", MINUTE)
    expire(store, "relations")
    leases.claim(store, "relations", "theirs", MINUTE)
    leases.release(store, "relations", "theirs")
    again = leases.claim(store, "relations", "ours", MINUTE)
    assert mine is not None
    assert again is not None
    assert again.version > mine.version


def test_a_lease_given_back_is_free_at_once(store: Store) -> None:
    leases.claim(store, "relations", "ours", MINUTE)
    assert leases.release(store, "relations", "ours") is True
    assert leases.holder(store, "relations") is None
    assert leases.claim(store, "relations", "theirs", MINUTE) is not None


def test_nobody_gives_back_the_lease_of_another(store: Store) -> None:
    given = leases.claim(store, "relations", "ours", MINUTE)
    assert leases.release(store, "relations", "theirs") is False
    assert leases.holder(store, "relations") == given


def test_who_lost_a_lease_does_not_take_it_from_the_next_by_giving_it_back(store: Store) -> None:
    leases.claim(store, "relations", "ours", MINUTE)
    expire(store, "relations")
    taken = leases.claim(store, "relations", "theirs", MINUTE)
    assert leases.release(store, "relations", "ours") is False
    assert leases.holder(store, "relations") == taken


def test_all_leases_of_an_owner_are_given_back_and_no_others(store: Store) -> None:
    for name in ("relations", "materials"):
        leases.claim(store, name, "ours", MINUTE)
    leases.claim(store, "hour_types", "theirs", MINUTE)
    assert leases.release_all(store, "ours") == 2
    assert leases.holder(store, "relations") is None
    assert leases.holder(store, "hour_types") is not None


def test_only_leases_that_expired_long_ago_are_purged(store: Store) -> None:
    leases.claim(store, "old", "ours", -2 * MINUTE)
    leases.claim(store, "recent", "ours", -MINUTE / 2)
    leases.claim(store, "held", "ours", MINUTE)
    assert leases.purge(store, MINUTE) == 1
    assert leases.purge(store, timedelta(0)) == 1
    assert leases.holder(store, "held") is not None


@pytest.fixture
def shifted(databases: Any) -> Iterator[Store]:
    """A PostgreSQL store whose clock can be put forward: the table ``shift`` says by how much."""
    made = Store(databases.make("postgresql"))
    with made.begin() as connection:
        connection.execute(text("CREATE TABLE shift AS SELECT interval '0' AS much"))
        connection.execute(
            text(
                "CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS "
                "'SELECT pg_catalog.clock_timestamp() + much FROM public.shift'"
            )
        )
        name = made.url.database
        connection.execute(text(f'ALTER DATABASE "{name}" SET search_path = public, pg_catalog'))
    made.close()
    yield made
    made.close()


def test_a_lease_expires_by_the_clock_of_the_store_whatever_that_of_the_machine_says(shifted: Store) -> None:
    leases.claim(shifted, "relations", "ours", timedelta(minutes=30))
    assert leases.claim(shifted, "relations", "theirs", MINUTE) is None
    with shifted.begin() as connection:
        connection.execute(text("UPDATE shift SET much = interval '31 minutes'"))
    taken = leases.claim(shifted, "relations", "theirs", MINUTE)
    assert taken is not None
    assert leases.holder(shifted, "relations") == taken


def test_the_clock_of_the_store_goes_on_within_a_transaction(store: Store) -> None:
    with store.begin() as connection:
        first = dialect.now(connection)
        assert dialect.now(connection) > first


def test_of_many_threads_one_gets_the_lease(store: Store) -> None:
    barrier = threading.Barrier(16)

    def work(number: int) -> bool:
        barrier.wait(60)
        return leases.claim(store, "relations", f"thread {number}", MINUTE) is not None

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(work, range(16))) == 1


def test_of_many_processes_one_gets_the_lease(store: Store) -> None:
    results = race(12, "claim", store, name="relations")
    winners = [result["got"] for result in results if result["got"]]
    assert len(winners) == 1, results
    holder = leases.holder(store, "relations")
    assert holder is not None
    assert holder.owner == winners[0]
    assert holder.version == 1


def test_of_many_processes_one_gets_a_lease_that_has_expired(store: Store) -> None:
    leases.claim(store, "relations", "gone", MINUTE)
    expire(store, "relations")
    results = race(12, "claim", store, name="relations")
    assert sum(1 for result in results if result["got"]) == 1, results
    holder = leases.holder(store, "relations")
    assert holder is not None
    assert holder.version == 2


def test_a_lease_is_kept_for_longer_than_it_lasts_while_its_owner_is_at_work(store: Store) -> None:
    short = timedelta(seconds=1)
    first = leases.claim(store, "relations", "ours", short)
    assert first is not None
    with leases.kept(store, "relations", "ours", short):
        held = (leases.holder(store, "relations") for _ in wait(timedelta(seconds=30)))
        assert any(lease and lease.expires_at > first.expires_at + short for lease in held)


def test_a_lease_is_kept_no_longer_than_the_work(store: Store) -> None:
    short = timedelta(seconds=0.2)
    leases.claim(store, "relations", "ours", short)
    with leases.kept(store, "relations", "ours", short):
        pass
    assert any(leases.claim(store, "relations", "theirs", MINUTE) for _ in wait(timedelta(seconds=30)))


def test_a_lease_that_went_to_another_is_not_taken_back(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    short = timedelta(seconds=0.2)
    leases.claim(store, "relations", "ours", short)
    expire(store, "relations")
    taken = leases.claim(store, "relations", "theirs", MINUTE)
    with leases.kept(store, "relations", "ours", short):
        assert any("lost to another process" in caplog.text for _ in wait(timedelta(seconds=30)))
    assert leases.holder(store, "relations") == taken


def wait(most: timedelta) -> Iterator[None]:
    """Moments until a time has passed."""
    event, step = threading.Event(), 0.05
    for _ in range(int(most.total_seconds() / step)):
        yield
        event.wait(step)
