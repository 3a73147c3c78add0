"""Decisions that are refused keep what was chosen, and one that is on its way is not sent a second time."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from exports.world import ExportWorld, line
from outsmart_sync.errors import VendorUnavailable
from outsmart_sync.pipeline.outcomes import MirrorState
from outsmart_sync.providers.packages import package
from outsmart_sync.services import attention, links, settings
from outsmart_sync.store import connections
from outsmart_sync.store.connections import SyncConnection
from outsmart_sync.store.tables import mirror
from outsmart_sync.webapp import airflow
from support import Rig
from webapp.conftest import Browser, PlayedAirflow

BACK = "attention/1/relation/rejected?reason=missing_field"


@pytest.fixture
def firm(exact: Rig) -> SyncConnection:
    """An administration some of whose relations were rejected."""
    (found,) = connections.find(exact.store)
    settings.save(exact.store, found, {"relations": {"enabled": True}})
    exact.sync("relations")
    return found


def sent_again(shown: str) -> dict[str, list[str]]:
    """What the button of a page of an error sends."""
    (form,) = re.findall(r'<form method="post">(.*?)</form>', shown, re.DOTALL)
    fields: dict[str, list[str]] = {}
    for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', form):
        fields.setdefault(name, []).append(unescape(value))
    return fields


def test_deciding_without_a_tick_leads_back_to_the_list(page: Browser, firm: SyncConnection) -> None:
    answer = page.post(f"records/{firm.id}", data={"action": "hold", "back": BACK})
    assert answer.status_code == 422
    assert "No record was chosen." in answer.text
    assert f'href="/outsmart-sync/{BACK}">Back to where you were<' in answer.text
    assert '<form method="post">' not in answer.text


def test_while_a_run_works_the_choice_is_kept_and_sent_again(page: Browser, exact: Rig, firm: SyncConnection) -> None:
    chosen = [str(row.id) for row in exact.rows(mirror, record="relation", state=MirrorState.REJECTED)][:2]
    place, sent = f"records/{firm.id}", {"action": ["hold"], "record": chosen, "back": [BACK]}
    with links.alone(exact.store, firm, package(firm.package).category("relations")):
        answer = page.post(place, data=sent)
    assert answer.status_code == 503
    assert "is being synced just now" in answer.text
    assert f'href="/outsmart-sync/{BACK}">Back to where you were<' in answer.text
    assert sent_again(answer.text) == sent
    answer = page.post(place, data=sent_again(answer.text))
    assert answer.headers["Location"] == f"/outsmart-sync/{BACK}&done=hold&number=2"


def test_a_decision_about_work_orders_is_not_sent_a_second_time(page: Browser, world: ExportWorld) -> None:
    row_id = world.work_order("W1", line("NOPE"))
    world.run()
    listed = page.get("exports").text
    (form,) = re.findall(r'<form id="decide"[^>]*>', listed)
    assert 'hx-disabled-elt="#decide button" hx-sync="this:drop"' in form
    shown = page.get(f"exports/{world.world.connection.id}/{row_id}").text
    asking = re.findall(r"<(?:form|button)[^>]* hx-post=[^>]*>", shown)
    assert asking
    for each in asking:
        assert 'hx-disabled-elt="#one button" hx-sync="this:drop"' in each


def test_when_the_last_page_of_a_list_is_done_the_one_before_it_is_shown(page: Browser, firm: SyncConnection) -> None:
    answer = page.get(BACK, params={"reason": "missing_field", "offset": 50})
    assert answer.status_code == 303
    assert answer.headers["Location"].endswith("attention/1/relation/rejected?reason=missing_field&offset=0")


def test_a_run_that_was_started_is_not_started_again_when_the_next_one_cannot_be(
    page: Browser, exact: Rig, firm: SyncConnection, played: PlayedAirflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = 11, 12
    asked = [attention.Retry({"connection": firm.id, "categories": [name]}, [number])
             for name, number in (("relations", first), ("materials", second))]  # fmt: skip
    monkeypatch.setattr(attention, "retries", lambda *_: asked)
    settings.save(exact.store, firm, {name: {"enabled": True} for name in ("relations", "materials")})
    trigger = airflow.trigger

    def busy_at_the_second(user: Any, dag_id: str, conf: dict[str, Any], note: str) -> str:
        if conf["categories"] == ["materials"]:
            raise VendorUnavailable("Airflow is busy.")
        return trigger(user, dag_id, conf, note)

    monkeypatch.setattr(airflow, "trigger", busy_at_the_second)
    answer = page.post(f"records/{firm.id}", data={"action": "retry", "record": [first, second], "back": BACK})
    assert [conf["categories"] for _, conf in played.triggered] == [["relations"]]
    assert re.findall(r'name="record" value="(\d+)"', answer.text) == [str(second)]
