"""Figures for whoever watches over all connections."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, update

from outsmart_sync.services import metrics, settings
from outsmart_sync.store import connections, dialect, runs
from outsmart_sync.store.connections import State
from outsmart_sync.store.tables import category_state, run, run_connection, vault_secret
from support import MAIN, SMALL, Rig


def figures(rig: Rig) -> dict[str, float]:
    return {each.name.removeprefix("outsmart_sync."): each.value for each in metrics.standing(rig.store)}


def test_they_say_how_a_connection_stands(rig: Rig) -> None:
    connection = rig.connect(SMALL, licence="pro", relations={"enabled": True}, work_orders={"enabled": True})
    assert not [name for name in figures(rig) if name.startswith("last_end")]
    rig.sync("relations")
    with rig.store.begin() as transaction:
        at = dialect.now(transaction)
        transaction.execute(update(run).values(finished_at=at - timedelta(hours=2)))
        export = {"package": "exact_online", "direction": "export", "options": "{}", "state": "idle", "started_at": at}
        planned = {"connection_id": connection.id, "shard": 0, "categories": "work_orders"}
        for number, ago in ((8, timedelta(hours=1)), (9, timedelta(hours=3))):
            transaction.execute(insert(run).values(id=number, external_id=str(number), finished_at=at - ago, **export))
            transaction.execute(insert(run_connection).values(run_id=number, **planned))
        transaction.execute(update(vault_secret).values(obtained_at=at - timedelta(days=20)))
        transaction.execute(
            insert(category_state).values(
                connection_id=connection.id, category="relations", state="blocked", code="x", reason="", since=at
            )
        )
    found = figures(rig)
    assert found["last_end.exact_online.1.import"] == (at - timedelta(hours=2)).timestamp()
    assert found["last_end.exact_online.1.export"] == (at - timedelta(hours=1)).timestamp()
    assert round(found["login_days_left.exact_online.1"]) == 10
    assert found["stopped.exact_online.1"] == 1
    assert found["expired.exact_online.1"] == 0
    assert 0 < found["calls_left.exact_online.1"] < 1_000_000


def directions(rig: Rig, what: str) -> dict[str, float]:
    """Direction → figure of the one connection."""
    start = f"{what}.exact_online.1."
    return {name.removeprefix(start): value for name, value in figures(rig).items() if name.startswith(start)}


@pytest.mark.parametrize(
    ("chosen", "scheduled"),
    [
        ({}, {"import": 1, "export": 1}),
        ({"work_orders": {"enabled": False}}, {"import": 1, "export": 0}),
        ({"relations": {"enabled": False}}, {"import": 0, "export": 1}),
        ({"licence": "none"}, {"import": 0, "export": 0}),
        ({"automatic": False}, {"import": 0, "export": 0}),
    ],
    ids=str,
)
def test_what_is_switched_off_on_purpose_does_not_age(
    rig: Rig, chosen: dict[str, Any], scheduled: dict[str, int]
) -> None:
    connection = rig.connect(SMALL, licence="pro", relations={"enabled": True}, work_orders={"enabled": True})
    ended(rig, connection.id)
    settings.save(rig.store, connection, chosen)
    assert directions(rig, "scheduled") == scheduled
    assert set(directions(rig, "last_end")) == {name for name, runs in scheduled.items() if runs}


def ended(rig: Rig, number: int) -> None:
    """Runs of both directions that a connection took part in."""
    with rig.store.begin() as transaction:
        at = dialect.now(transaction)
        for run_id, direction in ((8, "import"), (9, "export")):
            values = {"package": "exact_online", "direction": direction, "options": "{}", "state": "idle"}
            transaction.execute(
                insert(run).values(id=run_id, external_id=str(run_id), started_at=at, finished_at=at, **values)
            )
            transaction.execute(
                insert(run_connection).values(run_id=run_id, connection_id=number, shard=0, categories="-")
            )


def test_one_that_waits_for_a_login_or_was_disconnected_is_not_scheduled(rig: Rig) -> None:
    connection = rig.connect(SMALL, licence="pro", relations={"enabled": True}, work_orders={"enabled": True})
    ended(rig, connection.id)
    for state, expired in ((State.EXPIRED, 1), (State.DISCONNECTED, 0)):
        with rig.store.begin() as transaction:
            connections.set_state(transaction, connection.id, state)
        assert directions(rig, "scheduled") == {"import": 0, "export": 0}
        assert not directions(rig, "last_end")
        found = figures(rig)
        assert found["expired.exact_online.1"] == expired, "whoever collects figures keeps the last one"
        assert found["stopped.exact_online.1"] == 0
        assert ("login_days_left.exact_online.1" in found) is (state is State.EXPIRED)


def test_a_defect_in_one_connection_leaves_out_its_figures_alone(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.connect(SMALL, relations={"enabled": True})
    rig.connect(MAIN, relations={"enabled": True})
    of_connection = metrics._of_connection
    monkeypatch.setattr(
        metrics, "_of_connection", lambda each, known: of_connection(each, known) if each.id > 1 else 1 / 0
    )
    assert {name.split(".")[2] for name in figures(rig)} == {"2"}


def test_they_count_what_became_of_records(rig: Rig) -> None:
    rig.connect(SMALL, relations={"enabled": True})
    done = rig.sync("relations")["relations"]
    found = {each.name: each for each in metrics.of_run(rig.store, runs.category_runs(rig.store, done.run_id))}
    created = found["outsmart_sync.records.exact_online.1.relations.created"]
    assert (created.value, created.adds) == (done.counts.created, True)
    assert all(each.value for each in found.values())
