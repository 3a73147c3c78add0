"""Alerts on the page: who hears is kept, and a test message really arrives, by e-mail and by webhook."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from outsmart_sync.providers.messages.hook import MessageHook
from outsmart_sync.services import alerts, settings
from outsmart_sync.store import connections
from outsmart_sync.store.connections import State, SyncConnection
from providers.scripted import Answer, ScriptedServer
from support import Rig
from webapp.conftest import Browser, PlayedAirflow
from webapp.mail_server import MailServer

SMTP = "AIRFLOW_CONN_SMTP_DEFAULT"


@pytest.fixture
def firm(exact: Rig) -> SyncConnection:
    (found,) = connections.find(exact.store)
    return found


@pytest.fixture
def mail(monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    """A mail server that Airflow's connection leads to."""
    server = MailServer()
    extra = {"disable_ssl": True, "disable_tls": True, "from_email": "sync@example.com", "retry_limit": 1}
    monkeypatch.setenv(
        SMTP, json.dumps({"conn_type": "smtp", "host": "127.0.0.1", "port": server.port, "extra": extra})
    )
    yield server
    server.stop()


@pytest.fixture
def hook() -> Iterator[ScriptedServer]:
    """Somebody's address for webhooks."""
    server = ScriptedServer().play(Answer(204))
    yield server
    server.stop()


def save(page: Browser, firm: SyncConnection, **sent: Any) -> Any:
    return page.post(f"alerts/{firm.id}", data=sent)


def test_who_hears_is_kept_and_shown(page: Browser, exact: Rig, firm: SyncConnection) -> None:
    answer = save(page, firm, emails="a@example.com, b@example.com", webhook="http://127.0.0.1:9/hook")
    assert answer.headers["Location"] == f"/outsmart-sync/alerts?saved={firm.id}"
    shown = page.get("alerts").text
    assert 'value="a@example.com, b@example.com"' in shown
    assert 'value="http://127.0.0.1:9/hook"' in shown
    assert alerts.recipients(exact.store, firm).emails == ("a@example.com", "b@example.com")


def test_what_is_no_address_is_told_and_stays_typed(page: Browser, exact: Rig, firm: SyncConnection) -> None:
    answer = save(page, firm, emails="nobody", webhook="ftp://x")
    assert answer.status_code == 422
    assert "is no e-mail address" in answer.text
    assert 'value="nobody"' in answer.text
    assert not alerts.recipients(exact.store, firm)


def test_a_test_message_arrives_by_mail_and_by_webhook(
    page: Browser, firm: SyncConnection, mail: MailServer, hook: ScriptedServer
) -> None:
    answer = save(page, firm, emails="a@example.com b@example.com", webhook=f"{hook.url}/told", test="true")
    assert answer.headers["Location"] == f"/outsmart-sync/alerts?sent={firm.id}"
    assert "A test message was sent." in page.get("alerts", params={"sent": firm.id}).text
    (delivered,) = mail.delivered
    assert delivered.to == ["a@example.com", "b@example.com"]
    assert delivered.message["From"] == "sync@example.com"
    assert delivered.message["Subject"] == f"OutSmart Sync: Exact Online {firm.label} is only tested"
    assert "This is a test: nothing is wrong." in delivered.text
    (posted,) = hook.received
    assert (posted.method, posted.target) == ("POST", "/told")
    document = json.loads(posted.body)
    assert (document["event"], document["connection"], document["package"]) == ("test", firm.label, "Exact Online")


def test_what_broke_arrives_with_its_lines_and_with_nothing_that_a_mail_would_run(
    exact: Rig, firm: SyncConnection, mail: MailServer
) -> None:
    alerts.save(exact.store, firm, "a@example.com", "")
    with exact.store.begin() as transaction:
        connections.set_state(transaction, firm.id, State.EXPIRED, code="login_expired", text="One <b>line</b>.\nTwo.")
    assert alerts.tell(exact.store, MessageHook()) == 1
    (delivered,) = mail.delivered
    assert "One &lt;b&gt;line&lt;/b&gt;.<br>Two." in delivered.text
    assert delivered.message["Subject"].endswith("needs attention")


def test_a_mailbox_that_is_not_there_is_told_and_the_address_is_kept(
    page: Browser, exact: Rig, firm: SyncConnection, mail: MailServer
) -> None:
    mail.refuses = {"gone@example.com"}
    answer = save(page, firm, emails="gone@example.com", test="true")
    assert answer.status_code == 422
    assert "The mail server did not take the message." in answer.text
    assert alerts.recipients(exact.store, firm).emails == ("gone@example.com",)
    assert mail.delivered == []


def test_without_a_mail_connection_the_administrator_is_named_what_to_set(
    page: Browser, firm: SyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(SMTP, raising=False)
    answer = save(page, firm, emails="a@example.com", test="true")
    assert answer.status_code == 422
    assert SMTP in answer.text


@pytest.mark.parametrize("answer", [Answer(500), Answer(302, headers={"Location": "/x"}), Answer(reset=True)])
def test_a_webhook_that_does_not_take_it_is_told(
    page: Browser, firm: SyncConnection, hook: ScriptedServer, answer: Answer
) -> None:
    hook.play(answer)
    shown = save(page, firm, webhook=hook.url, test="true")
    assert shown.status_code == 422
    assert "The webhook did not take the message." in shown.text


def test_nobody_to_send_a_test_to_is_told(page: Browser, firm: SyncConnection) -> None:
    answer = save(page, firm, test="true")
    assert answer.status_code == 422
    assert "Nobody is to hear of this connection." in answer.text


def test_whoever_may_only_look_neither_sees_nor_changes_who_hears(
    page: Browser, exact: Rig, firm: SyncConnection, played: PlayedAirflow
) -> None:
    alerts.save(exact.store, firm, "a@example.com", "")
    played.viewer()
    assert "a@example.com" not in page.get("alerts").text
    assert save(page, firm, emails="b@example.com").status_code == 403
    assert alerts.recipients(exact.store, firm).emails == ("a@example.com",)


def test_whoever_edits_the_settings_meanwhile_is_not_told_of_another_edit(
    page: Browser, exact: Rig, firm: SyncConnection
) -> None:
    shown = {"version": settings.read(exact.store, firm).version, "licence": "pro"}
    save(page, firm, emails="a@example.com")
    assert page.post(f"connections/{firm.id}", data=shown).status_code == 303
    assert page.post(f"connections/{firm.id}", data=shown).status_code == 409
