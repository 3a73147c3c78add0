"""Where an answer can be found again: after a refusal, a login, a reload or another language, the same page comes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest

from outsmart_sync.services import settings
from outsmart_sync.store import connections
from outsmart_sync.store.connections import SyncConnection
from outsmart_sync.webapp import airflow
from outsmart_sync.webapp.app import create_app
from support import Rig
from webapp.conftest import OWN, Browser, PlayedAirflow
from webapp.places import places

HUGE = 99999999999999999999999


@pytest.fixture
def firm(exact: Rig) -> SyncConnection:
    (found,) = connections.find(exact.store)
    return found


@pytest.fixture
def stranger(played: PlayedAirflow, monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:  # Airflow is played
    """Somebody without a login, who is told the address that comes after it."""
    monkeypatch.setattr(airflow, "login_address", lambda next_address: f"/auth/login?next={next_address}")
    with Browser(create_app()) as opened_page:
        yield opened_page


def here(shown: str) -> str:
    """What Airflow's address bar is told; the form of the language leads to the same."""
    found = re.search(r'data-here="([^"]*)"', shown)
    back = re.search(r'name="back" value="([^"]*)"', shown)
    assert found, shown
    assert back, shown
    assert found[1] == back[1]
    return unescape(found[1])


@pytest.mark.parametrize(
    ("address", "sent", "page_of_it"),
    [
        ("alerts/{0}", {"emails": "nobody"}, "alerts"),
        ("connections/{0}/report/accept", {}, "connections/{0}/report"),
        (
            "connections/{0}?saved=1",
            {"shown": "work_orders.hour_rounding"} | {"work_orders.hour_rounding": "odd"},
            "connections/{0}",
        ),
        ("connect/exact-online?again={0}", {"country": "xx"}, "connect/exact-online?again={0}"),
        ("records/{0}", {"action": "hold", "back": "find?text=1"}, "find?text=1"),
    ],
)
def test_a_refused_form_is_found_again_where_it_stood(
    page: Browser, firm: SyncConnection, address: str, sent: dict[str, str], page_of_it: str
) -> None:
    answer = page.post(address.format(firm.id), data=sent)
    assert answer.status_code == 422
    found = here(answer.text)
    assert found == page_of_it.format(firm.id)
    assert page.get(found).status_code == 200


def test_what_was_done_is_said_once(page: Browser, firm: SyncConnection) -> None:
    for address, lasting in (
        (f"connections/{firm.id}?saved=1&exports=1&counts=projects&unpause=1", f"connections/{firm.id}"),
        (f"connections/{firm.id}/report?first=1", f"connections/{firm.id}/report"),
        ("attention?connection=1&done=dismiss&number=2", "attention?connection=1"),
        ("exports?state=done&connection=1", "exports?state=done&connection=1"),
        ("alerts?sent=1", "alerts"),
        ("?disconnected=1", ""),
        ("?again=1", ""),
        (f"connect/exact-online?again={firm.id}", f"connect/exact-online?again={firm.id}"),
    ):
        assert here(page.get(address).text) == lasting, address


def test_what_is_not_there_is_told_with_style_and_a_way_on(page: Browser, firm: SyncConnection) -> None:
    for answer in (page.get("nosuch"), page.get("connections/77"), page.get(f"alerts/{firm.id}")):
        assert answer.status_code in (404, 405)
        assert 'href="/outsmart-sync/static/app.css"' in answer.text
        assert '<a class="button" href="/outsmart-sync/">Back to the overview</a>' in answer.text


def test_a_forged_form_is_refused_with_a_way_on(page: Browser, firm: SyncConnection) -> None:
    answer = page.post(f"alerts/{firm.id}", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert "Back to the overview" in answer.text
    assert "/auth/login" in answer.text


@pytest.mark.parametrize(
    ("method", "address", "headers", "after"),
    [
        ("GET", "attention?connection=1&done=hold&number=2", {}, "attention%3Fconnection%3D1"),
        ("POST", "connections/1/report/accept", {}, "connections%2F1%2Freport"),
        (
            "GET",
            "connections/1/progress?run=manual__1",
            {"HX-Request": "true", "HX-Current-URL": "http://testserver/outsmart-sync/exports?state=all"},
            "exports%3Fstate%3Dall",
        ),
        ("GET", "log", {"HX-Current-URL": "https://evil.example/elsewhere"}, "log"),
    ],
)
def test_after_a_login_the_same_page_comes_and_before_it_nothing_of_ours(
    stranger: Browser, method: str, address: str, headers: dict[str, str], after: str
) -> None:
    answer = stranger.request(method, address, headers=OWN | headers)
    assert answer.status_code == 401
    assert f'href="/auth/login?next=/plugin/outsmart-sync?page={after}"' in answer.text
    assert "static/" not in answer.text
    assert stranger.get("static/app.css").status_code == 401


def test_a_number_that_no_store_holds_is_not_there(page: Browser, exact: Rig, firm: SyncConnection) -> None:
    settings.save(exact.store, firm, {"relations": {"enabled": True}})
    known = dict.fromkeys(("connection_id", "number", "run_id"), HUGE)
    tried = [each for each in places(**known) if str(HUGE) in each[1]]
    assert len(tried) > 25
    for method, address in tried:
        answer = page.request(method, address, data={} if method == "POST" else None)
        assert answer.status_code == 404, (method, address)
        assert "There is no such page" in answer.text, (method, address)


@pytest.mark.parametrize(
    "address",
    ["exports?offset={0}", "attention/1/relation/rejected?offset={0}", "connections/1/progress?run=1&waited={0}"],
)
def test_neither_is_a_place_in_a_list(page: Browser, firm: SyncConnection, address: str) -> None:
    for number in (HUGE, -1):
        assert page.get(address.format(number)).status_code == 404


def test_a_record_that_no_store_holds_is_not_decided_about(page: Browser, firm: SyncConnection) -> None:
    sent: dict[str, Any] = {"action": "hold", "record": [HUGE], "back": "log"}
    assert page.post(f"records/{firm.id}", data=sent).status_code == 404
