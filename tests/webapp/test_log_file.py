"""The log as a file: on the clock of the package, in people's words, and of the runs that were chosen."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import insert, update

from outsmart_sync.services import log_file, settings
from outsmart_sync.store import connections, runs
from outsmart_sync.store.connections import SyncConnection
from outsmart_sync.store.runs import RunState
from outsmart_sync.store.tables import record_log, run_category
from outsmart_sync.webapp import naming
from support import Rig
from webapp.conftest import ANNA, Browser, PlayedAirflow

AT = datetime(2026, 7, 1, 22, 30, 15, 123456, tzinfo=UTC)
CHANGES = '{"name":["Old","New"],"phone":[null,"1"],"email":["a@example.com",""],"blocked":[false,true]}'


@pytest.fixture
def firm(exact: Rig) -> SyncConnection:
    """An administration with a line about a record, of a run that failed, and another of one that did not."""
    (found,) = connections.find(exact.store)
    settings.save(exact.store, found, {"relations": {"enabled": True}})
    for name, state in (("failed", RunState.FAILED), ("done", RunState.DONE)):
        run_id = runs.open_run(exact.store, name, package=found.package, direction="import", options={})
        job_id = runs.begin_step(exact.store, run_id, found.id, "relations", "upsert")
        with exact.store.begin() as transaction:
            transaction.execute(update(run_category).where(run_category.c.id == job_id).values(state=state))
            transaction.execute(
                insert(record_log).values(
                    connection_id=found.id,
                    run_id=run_id,
                    category="relations",
                    record="relation",
                    provider_id="1",
                    code=name,
                    event="updated",
                    reason="",
                    detail="",
                    changes=CHANGES,
                    at=AT,
                )
            )
    return found


def file(rig: Rig, language: str = "en", **asked: Any) -> list[list[str]]:
    text = "".join(log_file.lines(rig.store, naming.Spoken(ANNA, language), **asked))
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff")), delimiter=";"))


def test_times_are_those_of_the_package_and_the_heading_names_the_zone(
    exact: Rig, firm: SyncConnection, played: PlayedAirflow
) -> None:
    heads, *lines = file(exact, connection_ids=[firm.id])
    assert heads[0] == "When (Europe/Amsterdam)"
    assert {line[0] for line in lines} == {"2026-07-02 00:30:15"}
    exact.connect_visma()
    assert file(exact)[0][0] == "When (Exact Online: Europe/Amsterdam, VISMA eAccounting: Europe/Stockholm)"
    assert file(exact, "nl", connection_ids=[firm.id])[0][0] == "Wanneer (Europe/Amsterdam)"


def test_changes_are_told_as_on_the_page(exact: Rig, firm: SyncConnection, played: PlayedAirflow) -> None:
    told = file(exact, "nl")[1][-1]
    for text in ("Old → New", ": 1", "a@example.com → \N{EN DASH}", "nee → ja"):
        assert text in told, told
    for engine in ("None", "True", "False"):
        assert engine not in told


def test_only_the_runs_that_were_chosen_are_in_it(
    page: Browser, exact: Rig, firm: SyncConnection, played: PlayedAirflow
) -> None:
    assert [line[5] for line in file(exact)[1:]] == ["done", "failed"]
    assert [line[5] for line in file(exact, state="failed")[1:]] == ["failed"]
    assert file(exact, state="postponed")[1:] == []
    assert 'log.csv?state=failed"' in page.get("log?state=failed").text
