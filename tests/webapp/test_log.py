"""The log: by administration and by state, in people's words, with decisions about its records, and as a file."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from outsmart_sync.pipeline.outcomes import Link, MirrorState
from outsmart_sync.services import history
from outsmart_sync.store import connections
from outsmart_sync.store.connections import SyncConnection
from outsmart_sync.store.runs import RunState
from outsmart_sync.store.tables import mirror, record_log, run_category
from support import Rig
from webapp.conftest import Browser, PlayedAirflow


@pytest.fixture
def firm(exact: Rig) -> SyncConnection:
    """An administration of which one run has read relations, some of them rejected."""
    (found,) = connections.find(exact.store)
    from outsmart_sync.services import settings

    settings.save(exact.store, found, {"relations": {"enabled": True}, "hour_types": {"enabled": True}})
    exact.sync("relations")
    return found


def run_of(rig: Rig) -> int:
    return history.latest_runs(rig.store, 1)[0].run_id


def changed(rig: Rig, firm: SyncConnection) -> None:
    """A line about a record whose name changed."""
    with rig.store.begin() as transaction:
        row = transaction.execute(select(mirror).where(mirror.c.provider_id.is_not(None))).first()
        assert row is not None
        transaction.execute(
            insert(record_log).values(
                connection_id=firm.id,
                run_id=run_of(rig),
                category="relations",
                record="relation",
                provider_id=row.provider_id,
                code="=1+1",
                event="updated",
                reason="",
                detail="",
                changes='{"name":["Old","New"]}',
                at=rig.store.now(),
            )
        )


def file_of(page: Browser, language: str, **asked: Any) -> list[list[str]]:
    answer = page.get("log.csv", params=asked, headers={"Accept-Language": language})
    assert answer.status_code == 200
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))


def test_runs_are_chosen_by_how_they_went(page: Browser, exact: Rig, firm: SyncConnection) -> None:
    exact.sync("hour_types")
    with exact.store.begin() as transaction:
        transaction.execute(
            update(run_category).where(run_category.c.category == "hour_types").values(state=RunState.FAILED)
        )
    every, failed = page.get("log").text, page.get("log", params={"state": "failed"}).text
    table = re.compile(r"<tbody>.*</tbody>", re.DOTALL)
    assert ("Relations" in table.findall(every)[0], "Hour types" in table.findall(every)[0]) == (True, True)
    assert ("Relations" in table.findall(failed)[0], "Hour types" in table.findall(failed)[0]) == (False, True)
    assert "There is no such run." in page.get("log", params={"state": "postponed"}).text
    assert page.get("log", params={"state": "nonsense"}).status_code == 404


def test_changes_are_told_by_the_names_of_fields_in_the_language(
    page: Browser, exact: Rig, firm: SyncConnection
) -> None:
    changed(exact, firm)
    shown = page.get(f"runs/{run_of(exact)}", headers={"Accept-Language": "nl"}).text
    assert "<li>name:" not in shown
    assert re.search(r"<li>naam: <del>Old</del>", shown, re.IGNORECASE), re.findall(r"<li>.*?</li>", shown)


def test_the_file_speaks_the_language_and_holds_no_formula(page: Browser, exact: Rig, firm: SyncConnection) -> None:
    changed(exact, firm)
    heads, first, *_ = file_of(page, "nl", event="updated")
    assert heads[:4] == ["Wanneer", "Administratie", "Run", "Categorie"]
    assert first[3:7] == ["Relaties", "relatie", "'=1+1", "Bijgewerkt"]
    assert re.fullmatch(r"naam: Old → New", first[9], re.IGNORECASE)
    assert file_of(page, "en", event="updated")[0][0] == "When"
    assert page.get("log.csv", params={"event": "nonsense"}).status_code == 422


def test_records_of_a_run_are_decided_about_together(
    page: Browser, exact: Rig, firm: SyncConnection, played: PlayedAirflow
) -> None:
    number = run_of(exact)
    shown = page.get(f"runs/{number}", params={"event": "rejected"}).text
    boxes = [int(each) for each in re.findall(r'name="record" value="(\d+)" form="decide-', shown)]
    assert len(boxes) > 1
    back = re.search(r'name="back" value="([^"]+)"', shown)
    assert back
    sent = {"record": boxes[:2], "back": back[1].replace("&amp;", "&")}
    place = f"records/{firm.id}"
    answer = page.post(place, data=sent | {"action": "hold"})
    assert answer.headers["Location"] == f"/outsmart-sync/runs/{number}?event=rejected&done=hold&number=2"
    assert "2 records are on hold" in page.get(answer.headers["Location"].removeprefix("/outsmart-sync/")).text
    states = {row.id: (row.state, row.link) for row in exact.rows(mirror) if row.id in boxes[:2]}
    assert set(states.values()) == {(MirrorState.HELD, Link.ON_HOLD)}
    page.post(place, data=sent | {"action": "release"})
    page.post(place, data=sent | {"action": "retry", "record": [boxes[0], boxes[0]]})
    ((_, asked),) = played.triggered
    assert asked["categories"] == ["relations"]
    assert len(asked.get("codes", ["one"])) == 1


def test_what_is_in_outsmart_is_not_dismissed(page: Browser, exact: Rig, firm: SyncConnection) -> None:
    synced = next(row for row in exact.rows(mirror, record="relation", state="synced") if row.provider_id)
    answer = page.post(f"records/{firm.id}", data={"action": "dismiss", "record": [synced.id], "back": "log"})
    assert answer.headers["Location"].endswith("done=dismiss&number=0")
    assert exact.rows(mirror, id=synced.id)[0].state == MirrorState.SYNCED


def test_whoever_may_only_look_is_offered_no_decision(
    page: Browser, exact: Rig, firm: SyncConnection, played: PlayedAirflow
) -> None:
    played.viewer()
    shown = page.get(f"runs/{run_of(exact)}").text
    assert 'name="record"' not in shown
    assert 'name="action"' not in shown
