"""Alerts through Airflow's notifiers: each hears once that something broke and once that it works again."""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
import requests
from airflow.sdk.bases.notifier import BaseNotifier

from outsmart_sync.errors import NotConfigured, VendorUnavailable
from outsmart_sync.providers.messages import notifiers
from outsmart_sync.providers.messages.hook import MessageHook
from outsmart_sync.services import alerts
from outsmart_sync.store import connections
from outsmart_sync.store.connections import State, SyncConnection
from outsmart_sync.store.store import Store
from services.test_alerts import connection, expire
from tests.providers.scripted import Answer, ScriptedServer
from webapp.mail_server import MailServer

__all__ = ["connection"]  # a fixture

HERE = f"{__name__}.Kept"
SMTP = "airflow.providers.smtp.notifications.smtp.SmtpNotifier"


class Kept(BaseNotifier):
    """A site's own notifier: keeps what it is told."""

    template_fields = ("title", "lines")
    told: ClassVar[list[tuple[str, list[str]]]] = []
    broken: ClassVar[bool] = False
    raises: ClassVar[Exception | None] = None

    def __init__(self, title: str, lines: list[str]) -> None:
        super().__init__()
        self.title, self.lines = title, lines

    def notify(self, context: Any) -> None:  # noqa: ARG002
        if self.raises is not None:
            raise self.raises
        if self.broken:
            raise RuntimeError("the chat is away")
        self.told.append((self.title, self.lines))


def named(monkeypatch: pytest.MonkeyPatch, *entries: dict[str, Any]) -> None:
    monkeypatch.setenv(notifiers.VARIABLE, json.dumps(entries))


def kept(**more: Any) -> dict[str, Any]:
    parameters = {"title": "{{ alert.event }} {{ alert.connection }}", "lines": ["{{ alert.text }}", "plain"]}
    return {"class": HERE, "parameters": parameters, **more}


@pytest.fixture(autouse=True)
def fresh() -> None:
    Kept.told.clear()
    Kept.broken = False
    Kept.raises = None


@pytest.fixture
def alone(store: Store, connection: SyncConnection) -> SyncConnection:
    """A connection of which nobody on the page is to hear."""
    alerts.save(store, connection, "", "")
    return connection


@pytest.fixture
def mail(monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    """A mail server that Airflow's connection leads to."""
    server = MailServer()
    extra = {"disable_ssl": True, "disable_tls": True, "from_email": "sync@example.com", "retry_limit": 1}
    said = {"conn_type": "smtp", "host": "127.0.0.1", "port": server.port, "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", json.dumps(said))
    yield server
    server.stop()


def test_it_hears_once_of_every_connection_though_nobody_on_the_page_does(
    store: Store, alone: SyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    named(monkeypatch, kept())
    expire(store, alone, State.EXPIRED)
    assert [alerts.tell(store, MessageHook()) for _ in range(2)] == [1, 0]
    expire(store, alone, State.ACTIVE)
    assert [alerts.tell(store, MessageHook()) for _ in range(2)] == [1, 0]
    assert Kept.told == [
        ("broken Firm", ["It expired.", "plain"]),
        ("recovered Firm", ["It works again; nothing needs doing.", "plain"]),
    ]


def test_what_it_does_not_take_it_gets_later_and_the_others_not_again(
    store: Store, alone: SyncConnection, mail: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    named(monkeypatch, kept(), {"class": "nowhere.at.All"})
    alerts.save(store, alone, "a@example.com", "")
    Kept.broken = True
    expire(store, alone, State.EXPIRED)
    assert [alerts.tell(store, MessageHook()) for _ in range(2)] == [1, 0]
    assert [each.to for each in mail.delivered] == [["a@example.com"]]
    Kept.broken = False
    assert [alerts.tell(store, MessageHook()) for _ in range(2)] == [1, 0]
    assert [title for title, _ in Kept.told] == ["broken Firm"]
    Kept.broken = True
    expire(store, alone, State.ACTIVE)
    assert alerts.tell(store, MessageHook()) == 1
    Kept.broken = False
    assert [alerts.tell(store, MessageHook()) for _ in range(2)] == [1, 0]
    assert [title for title, _ in Kept.told] == ["broken Firm", "recovered Firm"]
    assert len(mail.delivered) == 2


def test_airflow_s_own_sends_by_mail_in_the_language_that_is_asked_for(
    store: Store, alone: SyncConnection, mail: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    parameters = {"to": "ops@example.com", "subject": "{{ alert.subject }}", "html_content": "{{ alert.html }}"}
    named(monkeypatch, {"class": SMTP, "parameters": parameters, "language": "nl"})
    with store.begin() as transaction:
        connections.set_state(transaction, alone.id, State.EXPIRED, code="x", text="One <b>line</b>.\nTwo.")
    assert alerts.tell(store, MessageHook()) == 1
    (delivered,) = mail.delivered
    assert delivered.to == ["ops@example.com"]
    assert delivered.message["Subject"] == "OutSmart Sync: Exact Online Firm vraagt aandacht"
    assert "One &lt;b&gt;line&lt;/b&gt;.<br>Two." in delivered.text
    mail.refuses = {"ops@example.com"}
    expire(store, alone, State.ACTIVE)
    assert alerts.tell(store, MessageHook()) == 0
    mail.refuses = set()
    assert [alerts.tell(store, MessageHook()) for _ in range(2)] == [1, 0]


def test_a_test_message_reaches_it_and_says_what_is_wrong(
    store: Store, alone: SyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    named(monkeypatch, kept())
    alerts.test(store, alone, MessageHook())
    assert [title for title, _ in Kept.told] == ["test Firm"]
    Kept.broken = True
    with pytest.raises(VendorUnavailable) as refused:
        alerts.test(store, alone, MessageHook())
    assert refused.value.technical == f"{HERE}: RuntimeError"
    named(monkeypatch, {"class": HERE, "parameters": {"colour": "red"}})
    with pytest.raises(NotConfigured, match=notifiers.VARIABLE):
        alerts.test(store, alone, MessageHook())


def test_no_address_with_a_token_is_told_to_anybody_or_logged(
    store: Store, alone: SyncConnection, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "T0P/S3CRET-token"
    server = ScriptedServer()
    server.play(*[Answer(status=404)] * 3)
    nobody = "http://127.0.0.1:9"  # nobody listens there
    try:
        named(monkeypatch, kept())
        Kept.raises = requests.ConnectionError(f"Max retries exceeded with url: /{secret}")
        for address, said in ((server.url, "HTTPError: HTTP 404"), (nobody, "ConnectionError")):
            with pytest.raises(VendorUnavailable) as refused:
                MessageHook().post(f"{address}/{secret}", alerts.Message(*["x"] * 7))
            assert refused.value.technical == said
            alerts.save(store, alone, "", f"{address}/{secret}")
            expire(store, alone, State.EXPIRED)
            assert alerts.tell(store, MessageHook()) == 0
        trace = "".join(traceback.format_exception(refused.value))
    finally:
        server.stop()
    assert "The webhook did not take the message" in caplog.text
    assert f"{HERE}: ConnectionError" in caplog.text
    assert secret not in caplog.text + trace


def test_what_notifiers_are_made_with_is_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    masked: list[str] = []
    monkeypatch.setattr(notifiers, "mask_secret", masked.append)
    parameters = {"url": "https://x/token", "lines": ["one-secret", {"deep": "two-secrets"}], "number": 7}
    named(monkeypatch, {"class": HERE, "parameters": parameters})
    notifiers.configured()
    assert masked == ["https://x/token", "one-secret", "two-secrets"]


@pytest.mark.parametrize("said", ["{", "[1]", '[{"parameters": {}}]', '[{"class": "a.B", "templates": {}}]', '"x"'])
def test_what_cannot_be_read_stops_no_mail(
    store: Store, alone: SyncConnection, mail: MailServer, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    monkeypatch.setenv(notifiers.VARIABLE, said)
    alerts.save(store, alone, "a@example.com", "")
    expire(store, alone, State.EXPIRED)
    assert alerts.tell(store, MessageHook()) == 1
    assert len(mail.delivered) == 1
    with pytest.raises(NotConfigured, match=f"{notifiers.VARIABLE} cannot be read"):
        notifiers.configured()


def test_one_that_is_gone_starts_anew_and_one_that_cannot_be_read_for_a_while_does_not(
    store: Store, alone: SyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    named(monkeypatch, kept())
    expire(store, alone, State.EXPIRED)
    assert alerts.tell(store, MessageHook()) == 1
    monkeypatch.setenv(notifiers.VARIABLE, "{")
    assert alerts.tell(store, MessageHook()) == 0
    named(monkeypatch, kept())
    assert alerts.tell(store, MessageHook()) == 0
    named(monkeypatch)
    assert alerts.tell(store, MessageHook()) == 0
    named(monkeypatch, kept())
    assert [alerts.tell(store, MessageHook()) for _ in range(2)] == [1, 0]


def test_a_parameter_that_changes_makes_it_another_one() -> None:
    one, same, other = (notifiers.Notifier("a.B", each) for each in ({"x": 1, "y": 2}, {"y": 2, "x": 1}, {"x": 2}))
    assert one.key == same.key != other.key
    assert len(one.key) < 30  # it is noted with what was told, in sixty characters
