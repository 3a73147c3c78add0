"""The match report: a look writes nothing and switches nothing on; records are linked before the first import."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from outsmart_sync.pipeline.outcomes import Link
from outsmart_sync.services import report, settings
from outsmart_sync.store import connections
from outsmart_sync.store.connections import SyncConnection
from outsmart_sync.store.tables import mirror
from support import SMALL, Rig
from webapp.conftest import Browser, PlayedAirflow

DAG = "exact_online_import"


@pytest.fixture
def firm(exact: Rig) -> SyncConnection:
    """An administration whose first import waits for a person."""
    (found,) = connections.find(exact.store)
    settings.save(exact.store, found, {settings.AUTOMATIC: False, "relations": {"enabled": True}})
    return found


def test_a_look_at_a_running_schedule_is_a_preview(page: Browser, firm: SyncConnection, played: PlayedAirflow) -> None:
    assert page.post(f"connections/{firm.id}/report").status_code == 200
    assert played.triggered == [(DAG, {"connection": firm.id, "categories": [], "preview": True})]
    assert played.unpaused == []


def test_a_look_at_a_paused_schedule_starts_nothing_and_says_what_would_run_again(
    page: Browser, exact: Rig, firm: SyncConnection, played: PlayedAirflow
) -> None:
    other = exact.connect(SMALL, relations={"enabled": True})
    played.paused.add(DAG)
    refused = page.post(f"connections/{firm.id}/report")
    assert refused.status_code == 403
    assert f"Somebody paused the DAG {DAG}" in refused.text
    assert (played.triggered, played.unpaused) == ([], [])
    shown = page.get(f"connections/{firm.id}/report").text
    assert f"The DAG {DAG} is paused in Airflow" in shown
    assert f"these are synced by themselves again: {other.label}." in shown
    assert f"again: {firm.label}" not in shown
    settings.save(exact.store, other, {settings.AUTOMATIC: False})
    assert "nothing is synced by itself until somebody says so" in page.get(f"connections/{firm.id}/report").text
    assert page.post(f"connections/{firm.id}/report/resume").status_code == 303
    assert played.unpaused == [DAG]
    assert page.post(f"connections/{firm.id}/report").status_code == 200


@pytest.mark.parametrize(
    ("place", "said"),
    [("sync", "De synchronisatie staat in Airflow op pauze"), ("export", "De export staat in Airflow op pauze")],
)
def test_a_paused_dag_is_told_in_the_language(
    page: Browser, exact: Rig, firm: SyncConnection, played: PlayedAirflow, place: str, said: str
) -> None:
    settings.save(exact.store, firm, {"licence": "pro", "work_orders": {"enabled": True}})
    played.paused |= {DAG, "exact_online_export"}
    answer = page.post(f"connections/{firm.id}/{place}", headers={"Accept-Language": "nl"})
    assert answer.status_code == 403
    assert said in answer.text
    assert "Iemand heeft de DAG" in answer.text
    assert "first" not in answer.text.split("<main")[1]


def test_whoever_may_only_look_switches_no_schedule_on(
    page: Browser, firm: SyncConnection, played: PlayedAirflow
) -> None:
    played.paused.add(DAG)
    played.viewer()
    shown = page.get(f"connections/{firm.id}/report").text
    assert "Ask somebody who may edit the DAG." in shown
    assert "report/resume" not in shown
    assert page.post(f"connections/{firm.id}/report/resume").status_code == 403
    assert played.unpaused == []


def test_a_new_record_is_linked_with_another_code_before_anything_is_imported(
    page: Browser, exact: Rig, firm: SyncConnection
) -> None:
    exact.sync("relations", preview=True)
    part = page.get(f"connections/{firm.id}/report/relations/create").text
    row = next(each for each in re.findall(r"<tr>.*?</tr>", part, re.DOTALL) if 'name="outsmart_code" required' in each)
    sent = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', row))
    with exact.store.read() as transaction:
        theirs = transaction.execute(
            select(mirror).where(mirror.c.record == "relation", mirror.c.provider_id.is_(None))
        ).first()
    assert theirs is not None
    place = f"connections/{firm.id}/report/link"
    unknown = page.post(place, data={**sent, "outsmart_code": "no such code"}, headers={"HX-Request": "true"})
    assert unknown.status_code == 422
    assert "OutSmart has no relation with code" in unknown.text
    done = page.post(place, data={**sent, "outsmart_code": theirs.code.strip()})
    assert done.status_code == 200
    assert f"is OutSmart's {theirs.code.strip()} from now on" in done.text.replace("&#39;", "'")
    (linked,) = exact.rows(mirror, id=theirs.id)
    assert (linked.provider_id, linked.link) == (sent["provider_id"], Link.JOINED)
    again = page.post(place, data={**sent, "outsmart_code": theirs.code.strip()}, headers={"HX-Request": "true"})
    assert again.status_code == 422


def test_a_report_that_an_import_has_overtaken_links_nothing_twice(
    page: Browser, exact: Rig, firm: SyncConnection
) -> None:
    exact.sync("relations", preview=True)
    exact.sync("relations")
    part = page.get(f"connections/{firm.id}/report/relations/create").text
    (row, *_) = [each for each in re.findall(r"<tr>.*?</tr>", part, re.DOTALL) if 'value="relation"' in each]
    sent = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', row))
    theirs = next(each for each in exact.rows(mirror, record="relation") if each.provider_id is None)
    answer = page.post(
        f"connections/{firm.id}/report/link",
        data={**sent, "outsmart_code": theirs.code.strip()},
        headers={"HX-Request": "true"},
    )
    assert answer.status_code == 422
    assert "is linked with OutSmart" in answer.text


def test_the_report_leads_on_to_the_exports(page: Browser, firm: SyncConnection) -> None:
    shown = page.get(f"connections/{firm.id}/report", params={"first": 1}).text
    assert f'connections/{firm.id}#exports"' in shown
    assert "Completed work orders do not go to Exact Online yet" in shown


def test_an_import_that_cannot_start_switches_nothing_on(
    page: Browser, exact: Rig, firm: SyncConnection, played: PlayedAirflow
) -> None:
    settings.save(exact.store, firm, {"relations": {"enabled": False}})
    played.paused.add(DAG)
    answer = page.post(f"connections/{firm.id}/report/accept")
    assert answer.status_code == 422
    assert "There is nothing to sync." in answer.text
    assert f'href="/outsmart-sync/connections/{firm.id}/report">Back to where you were<' in answer.text
    assert settings.read(exact.store, firm).automatic is False
    assert (played.triggered, played.unpaused) == ([], [])


def test_records_of_one_category_cost_no_look_at_the_others(
    page: Browser, exact: Rig, firm: SyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact.sync("relations", preview=True)
    assert "hx-disabled-elt" in next(
        each
        for each in page.get(f"connections/{firm.id}/report").text.splitlines()
        if "report/relations/excluded" in each
    )
    compared: list[str] = []
    monkeypatch.setattr(
        report, "alike", lambda _store, _connection, category, _job: compared.append(category.name) or []
    )
    place = f"connections/{firm.id}/report/relations"
    assert '<h2 tabindex="-1" autofocus>' in page.get(f"{place}/excluded").text
    assert compared == []
    assert page.get(f"{place}/alike").status_code == 200
    assert compared == ["relations"]
    assert page.get(f"{place}/nonsense").status_code == 404
    assert page.get(f"connections/{firm.id}/report/projects/create").status_code == 404
