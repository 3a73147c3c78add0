"""Figures for whoever watches over all connections."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import insert, update

from outsmart_sync.services import metrics
from outsmart_sync.store import dialect, runs
from outsmart_sync.store.tables import category_state, run, run_connection, vault_secret
from support import SMALL, Rig


def figures(rig: Rig) -> dict[str, float]:
    return {each.name.removeprefix("outsmart_sync."): each.value for each in metrics.standing(rig.store)}


def test_they_say_how_a_connection_stands(rig: Rig) -> None:
    connection = rig.connect(SMALL, relations={"enabled": True})
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


def test_they_count_what_became_of_records(rig: Rig) -> None:
    rig.connect(SMALL, relations={"enabled": True})
    done = rig.sync("relations")["relations"]
    found = {each.name: each for each in metrics.of_run(rig.store, runs.category_runs(rig.store, done.run_id))}
    created = found["outsmart_sync.records.exact_online.1.relations.created"]
    assert (created.value, created.adds) == (done.counts.created, True)
    assert all(each.value for each in found.values())
