"""What is told afterwards: runs, lines of the log, one record's history, and how every connection stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert, update

from outsmart_sync.errors import InvalidSettings
from outsmart_sync.providers.packages import package
from outsmart_sync.records.export_catalogue import INVOICE_STATUS
from outsmart_sync.records.values import code_key
from outsmart_sync.services import connect, health, history, settings
from outsmart_sync.store import connections, exports
from outsmart_sync.store.connections import State, SyncConnection
from outsmart_sync.store.store import Store
from outsmart_sync.store.tables import category_state, mirror, record_log, run, run_category, vault_secret
from outsmart_sync.store.vault import Vault
from support import Rig, added


@dataclass
class Past:
    """A store in which two runs have happened, to two connections."""

    store: Store
    one: SyncConnection
    two: SyncConnection

    def events(self, **chosen: Any) -> list[str]:
        return [f"{line.code} {line.event}" for line in history.events(self.store, **chosen)]


@pytest.fixture
def past(store: Store) -> Past:
    """Made by hand: what the steps write has tests of its own."""
    numbers = [added(store, each, state=State.CONNECTED, administration_name=f"Firm {each}").id for each in ("1", "2")]
    with store.begin() as transaction:
        now = store.now()
        for number in (1, 2):
            values = {"external_id": f"run {number}", "package": "exact_online", "direction": "import"}
            moment = now - timedelta(hours=3 - number)
            transaction.execute(
                insert(run).values(id=number, options="{}", state="done", started_at=moment, calls=number, **values)
            )
            transaction.execute(
                insert(run_category).values(
                    run_id=number,
                    connection_id=numbers[0],
                    category="relations",
                    state="done" if number == 1 else "failed",
                    step="upsert",
                    started_at=moment,
                    finished_at=moment + timedelta(minutes=1),
                    created=number,
                )
            )
        same = {"category": "relations", "record": "relation", "at": now}
        lines = [
            (1, numbers[0], "Abc", "p1", "created", None, None, None),
            (1, numbers[1], "abc", "p9", "created", None, None, None),
            (2, numbers[0], "Abc", "p1", "updated", None, None, '{"name":["Old","New"]}'),
            (2, numbers[0], None, "p2", "rejected", "blocked", "postal_code", None),
        ]
        for run_id, connection_id, code, provider_id, event, reason, detail, changes in lines:
            found = {"code": code, "provider_id": provider_id, "event": event, "reason": reason, "detail": detail}
            transaction.execute(
                insert(record_log).values(run_id=run_id, connection_id=connection_id, changes=changes, **found, **same)
            )
        for connection_id, code, provider_id, state in (
            (numbers[0], "Abc", "p1", "synced"),
            (numbers[1], "abc", "p9", "synced"),
            (numbers[0], "xyz", "p2", "rejected"),
        ):
            transaction.execute(
                insert(mirror).values(
                    connection_id=connection_id,
                    record="relation",
                    provider_id=provider_id,
                    code=code,
                    code_key=code_key(code),
                    title="New",
                    payload='{"name":"New"}',
                    outsmart='{"name":"New"}' if state == "synced" else None,
                    state=state,
                    source_gone_at=now if provider_id == "p9" else None,
                    first_run_id=1,
                    run_id=2,
                )
            )
    return Past(store, connections.require(store, numbers[0]), connections.require(store, numbers[1]))


def test_the_newest_run_comes_first_with_its_figures(past: Past) -> None:
    found = history.latest_runs(past.store)
    assert [(each.run_id, each.external_id, each.calls) for each in found] == [(2, "run 2", 2), (1, "run 1", 1)]
    assert [each.categories[0].counts.created for each in found] == [2, 1]
    assert [each.run_id for each in history.latest_runs(past.store, 1)] == [2]


def test_a_run_is_found_by_its_outside_name(past: Past) -> None:
    found = history.find_run(past.store, "run 1")
    assert found is not None
    assert found.run_id == 1
    assert history.find_run(past.store, "run 9") is None


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({}, [" rejected", "Abc updated", "abc created", "Abc created"]),
        ({"run_id": 1}, ["abc created", "Abc created"]),
        ({"event": "updated"}, ["Abc updated"]),
        ({"connection_id": 2}, ["abc created"]),
        ({"category": "materials"}, []),
        ({"run_id": 2, "event": "created"}, []),
        ({"limit": 1}, [" rejected"]),
    ],
    ids=str,
)
def test_lines_of_the_log_are_chosen_newest_first(past: Past, chosen: dict[str, Any], expected: list[str]) -> None:
    assert past.events(**chosen) == expected


def test_lines_of_exports_can_be_asked_for(past: Past) -> None:
    assert past.events(category="work_orders") == []


@pytest.mark.parametrize(
    ("chosen", "code", "known"),
    [
        ({"event": "nonsense"}, "unknown_event", "created, updated, excluded, rejected, waiting, held, deleted"),
        ({"event": ""}, "unknown_event", "created"),
        ({"category": "orders"}, "unknown_category", "relations, "),
    ],
    ids=str,
)
def test_lines_that_cannot_be_there_are_refused_and_the_known_words_are_named(
    past: Past, chosen: dict[str, Any], code: str, known: str
) -> None:
    with pytest.raises(InvalidSettings) as error:
        past.events(**chosen)
    assert error.value.code == code
    assert known in error.value.remedy


def test_a_line_says_cause_and_remedy_and_what_changed(past: Past) -> None:
    rejected, updated, *_ = history.events(past.store)
    assert rejected.connection == "Firm 1"
    assert rejected.text
    assert rejected.remedy
    assert updated.changes == {"name": ["Old", "New"]}


@pytest.mark.parametrize("code", ["Abc", "ABC", " abc "])
def test_a_record_is_found_whatever_the_case_in_every_connection(past: Past, code: str) -> None:
    found = history.history(past.store, "relation", code)
    assert [(each.connection, each.code) for each in found] == [("Firm 1", "Abc"), ("Firm 2", "abc")]
    assert [[line.event for line in each.events] for each in found] == [["created", "updated"], ["created"]]
    assert [each.deleted_at is None for each in found] == [True, False]
    assert found[0].package_values == found[0].outsmart_values == {"name": "New"}
    assert [each.code for each in history.history(past.store, "relation", code, past.two.id)] == ["abc"]


def test_lines_from_before_a_record_had_its_code_belong_to_it(past: Past) -> None:
    (found,) = history.history(past.store, "relation", "xyz")
    assert (found.state, [line.event for line in found.events], found.outsmart_values) == ("rejected", ["rejected"], {})


def test_a_record_that_was_never_seen_has_no_history(past: Past) -> None:
    assert history.history(past.store, "material", "Abc") == []


def test_status_counts_the_records_and_says_when_a_category_last_came_to_its_end(past: Past) -> None:
    first, second = health.status(past.store)
    (relations, *others) = first.categories
    there = [each.name for each in package("exact_online").categories if each.name != INVOICE_STATUS]
    assert [each.name for each in first.categories] == there
    assert relations.records == {"synced": 1, "rejected": 1}
    assert [each.records for each in others if each.records] == []
    assert relations.last_success is not None
    assert relations.last_success < past.store.now() - timedelta(minutes=90)  # the later run failed
    assert second.categories[0].last_success is None


@pytest.mark.parametrize(("seconds", "said"), [(None, "No right."), (60, "No right."), (-60, "")])
def test_status_says_what_stands_in_a_categorys_way(past: Past, seconds: int | None, said: str) -> None:
    now = past.store.now()
    until = None if seconds is None else now + timedelta(seconds=seconds)
    values = {"category": "relations", "state": "blocked", "code": "x", "reason": "No right.", "since": now}
    with past.store.begin() as transaction:
        transaction.execute(insert(category_state).values(connection_id=past.one.id, until=until, **values))
    assert health.status(past.store)[0].categories[0].stopped == said


def test_status_says_who_logged_in_and_when_the_login_lapses(rig: Rig) -> None:
    connection = rig.connect(relations={"enabled": True})
    (found,) = health.status(rig.store)
    assert (found.user_name, found.licence) == ("Dana Demo", "basic")
    assert found.login_lapses is not None
    assert timedelta(days=29) < found.login_lapses - rig.store.now() <= timedelta(days=30)
    with rig.store.begin() as transaction:
        transaction.execute(update(vault_secret).values(obtained_at=rig.store.now() - timedelta(days=29)))
    lapses = health.status(rig.store)[0].login_lapses
    assert lapses is not None
    assert lapses - rig.store.now() < timedelta(days=1)
    connect.disconnect(rig.store, connection)
    (found,) = health.status(rig.store)
    assert (found.connection.state, found.user_name, found.login_lapses) == (State.DISCONNECTED, "", None)


def test_rotating_the_vaults_keys_makes_no_login_younger(sqlite_rig: Rig) -> None:
    sqlite_rig.connect()
    before = health.status(sqlite_rig.store)
    Vault(sqlite_rig.store).rotate()
    assert health.status(sqlite_rig.store) == before


def test_status_says_that_a_category_is_beyond_a_lowered_licence(past: Past) -> None:
    settings.save(past.store, past.one, {"licence": "pro", "warehouses": {"enabled": True}})
    settings.save(past.store, past.one, {"licence": "basic"})
    stopped = {each.name: each.stopped for each in health.status(past.store)[0].categories if each.stopped}
    assert stopped == {"warehouses": "Warehouses needs the licence 'pro', and this connection has 'basic'."}


def test_status_counts_what_needs_a_person_among_contact_persons_and_addresses_too(past: Past) -> None:
    before = health.status(past.store)[0].categories[0].records
    with past.store.begin() as transaction:
        for record, state in (("contact_person", "rejected"), ("address", "held")):
            row = {"code": "1", "code_key": "1", "state": state, "first_run_id": 1, "run_id": 1}
            transaction.execute(insert(mirror).values(connection_id=past.one.id, record=record, **row))
    after = health.status(past.store)[0].categories[0].records
    assert after == {**before, "rejected": before["rejected"] + 1, "held": 1}


def test_status_asks_the_store_as_often_for_many_connections_as_for_three(past: Past) -> None:
    """The first page shows all of them."""
    before = health.status(past.store)
    add_firms(past.store, 0, 1)
    few = statements(past.store)
    add_firms(past.store, 1, 20)
    assert statements(past.store) == few
    found = health.status(past.store)
    assert found[: len(before)] == before, "what is told of one stays what it was"
    later = found[len(before) :]
    assert [each.categories[0].records for each in later] == [{"rejected": 1}] * 20
    assert all(each.work and each.work.open == 2 for each in later)
    numbers = [each.work.oldest.shown.number for each in later if each.work and each.work.oldest]
    assert numbers == [f"W{number}-old" for number in range(20)]


def add_firms(store: Store, start: int, end: int) -> None:
    """Connections with a record that waits for a person and two work orders that are not billed yet."""
    firms = {
        number: added(store, str(number), administration_name=f"Firm {number}", outsmart_account=f"account-{number}").id
        for number in range(start, end)
    }
    with store.begin() as transaction:
        now = store.now()
        for number, firm in firms.items():
            values = {"code": "1", "code_key": "1", "state": "rejected", "first_run_id": 1, "run_id": 1}
            transaction.execute(insert(mirror).values(connection_id=firm, record="relation", **values))
            for name, days in (("new", 1), ("old", 2)):
                order = {"number": f"W{number}-{name}", "payload": "{}", "fingerprint": "", "state": "waiting"}
                order |= {"run_id": 1, "completed_at": now - timedelta(days=days)}
                exports.put(transaction, f"account-{number}", name, connection_id=firm, **order)


def statements(store: Store) -> int:
    """How many statements the status of every connection takes."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(store.engine, "before_cursor_execute", note)
    try:
        health.status(store)
    finally:
        event.remove(store.engine, "before_cursor_execute", note)
    return len(seen)
