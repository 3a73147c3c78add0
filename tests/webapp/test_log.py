"""The log: by administration and by state, in people's words, with decisions about its records, and as a file."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from outsmart_sync.pipeline.outcomes import Link, MirrorState
from outsmart_sync.services import history
from outsmart_sync.store import connections
from outsmart_sync.store.connections import State, SyncConnection
from outsmart_sync.store.runs import RunState
from outsmart_sync.store.tables import mirror, record_log, run, run_category
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


def changed(rig: Rig, firm: SyncConnection, changes: str = '{"name":["Old","New"]}', **values: Any) -> int:
    """A line about a record whose name changed; returns the record's number in the mirror."""
    with rig.store.begin() as transaction:
        row = transaction.execute(
            select(mirror).where(mirror.c.provider_id.is_not(None), mirror.c.record == "relation")
        ).first()
        assert row is not None
        transaction.execute(
            insert(record_log).values(
                connection_id=firm.id,
                run_id=run_of(rig),
                category="relations",
                record="relation",
                **{
                    "provider_id": row.provider_id,
                    "code": "=1+1",
                    "event": "updated",
                    "reason": "",
                    "detail": "",
                    "changes": changes,
                    "at": rig.store.now(),
                }
                | values,
            )
        )
        number: int = row.id
        return number


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
    assert heads[0].startswith("Wanneer")
    assert heads[1:4] == ["Administratie", "Run", "Categorie"]
    assert first[3:7] == ["Relaties", "relatie", "'=1+1", "Bijgewerkt"]
    assert re.fullmatch(r"naam: Old → New", first[9], re.IGNORECASE)
    assert file_of(page, "en", event="updated")[0][0].startswith("When")
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


def test_each_run_says_of_which_administration_and_package_it_is(
    page: Browser, exact: Rig, firm: SyncConnection, played: PlayedAirflow
) -> None:
    cell = '<td data-label="Administration">'
    assert cell not in page.get("log").text
    names = ("country", "currency", "outsmart_account", "conn_id", "outsmart_conn_id")
    values = dict.fromkeys(names, "other") | {"package": "visma_eaccounting", "administration_name": "Peeters"}
    with exact.store.begin() as transaction:
        other = connections.add(transaction, administration="1", **values)
        connections.set_state(transaction, other, State.ACTIVE)
    assert f'{cell}{firm.label}<br><span class="muted small">Exact Online</span></td>' in page.get("log").text
    one = page.get(f"runs/{run_of(exact)}").text
    assert '<p class="muted">Exact Online · ' in one
    assert re.search(rf'<span class="muted small">[a-z ]+ · {re.escape(firm.label)}</span>', one)
    played.sees = lambda number: number != other
    assert cell not in page.get("log").text
    assert "Exact Online · " not in page.get(f"runs/{run_of(exact)}").text


def test_each_run_leads_to_airflows(page: Browser, exact: Rig, firm: SyncConnection) -> None:
    assert "In Airflow" not in page.get("log").text
    with exact.store.begin() as transaction:
        transaction.execute(update(run).values(external_id="exact_online_import/manual__1"))
    for place in ("log", f"runs/{run_of(exact)}"):
        assert '/dags/exact_online_import/runs/manual__1"' in page.get(place).text, place


def test_of_a_look_is_told_what_would_be_done(page: Browser, exact: Rig, firm: SyncConnection) -> None:
    with exact.store.begin() as transaction:
        transaction.execute(
            update(run_category).values(state=RunState.PREVIEWED, created=1_476, updated=94, seconds=1_234.56)
        )
        transaction.execute(delete(record_log))
    number = run_of(exact)
    for place in ("log", f"runs/{number}"):
        shown = page.get(place).text
        assert "1,476 would be created, 94 would be updated" in shown, place
        assert f'connections/{firm.id}/report">What would happen</a>' in shown, place
        assert "1,234.6 s" in shown, place
        assert "1.234,6 s" in page.get(place, headers={"Accept-Language": "nl"}).text, place
    assert "It only looked: nothing was done to a record." in page.get(f"runs/{number}").text
    assert "No such records" in page.get(f"runs/{number}", params={"event": "deleted"}).text
    with exact.store.begin() as transaction:
        transaction.execute(update(run_category).values(state=RunState.DONE))
    assert "1,476 created, 94 updated" in page.get("log").text


def test_yes_and_no_are_told_in_words(page: Browser, exact: Rig, firm: SyncConnection) -> None:
    record = changed(exact, firm, '{"name":[true,false]}')
    for place in (f"runs/{run_of(exact)}", f"record/{record}"):
        assert ": <del>yes</del> → <ins>no</ins>" in page.get(place).text, place


def test_a_line_leads_to_its_record_whether_or_not_that_has_a_code(
    page: Browser, exact: Rig, firm: SyncConnection
) -> None:
    record = changed(exact, firm, code="")
    changed(exact, firm, provider_id=None, code="", event="linked")
    changed(exact, firm, provider_id=None, code="OLD", event="linked")
    shown = page.get(f"runs/{run_of(exact)}").text
    assert f'record/{record}">\N{EN DASH}</a>' in shown
    assert '<td data-label="Code">\N{EN DASH} ' in shown
    assert 'find?text=OLD">OLD</a>' in shown
    assert "></a>" not in shown
    assert 'aria-label="Choose "' not in shown


def test_all_can_be_ticked_above_the_list_where_it_has_no_heading(
    page: Browser, exact: Rig, firm: SyncConnection, played: PlayedAirflow
) -> None:
    place = f"runs/{run_of(exact)}"
    tick = '<label class="tick narrow"><input type="checkbox" data-tick-all="record"> Tick all'
    assert tick in page.get(place).text
    played.viewer()
    assert tick not in page.get(place).text
