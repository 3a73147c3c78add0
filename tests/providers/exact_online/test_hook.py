"""Airflow's face on Exact Online: its connection, its tests, what it hands out and what it keeps to itself."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from airflow.providers.http.hooks.http import HttpHook
from airflow.sdk import BaseHook
from airflow.sdk._shared.secrets_masker import redact
from sqlalchemy import select

from outsmart_sync.errors import AccessDenied, LoginExpired, NotConfigured
from outsmart_sync.providers import web
from outsmart_sync.providers.exact_online.hook import ExactOnlineHook
from outsmart_sync.store import connections
from outsmart_sync.store.connections import SyncConnection
from outsmart_sync.store.store import Store
from outsmart_sync.store.tables import call_budget
from outsmart_sync.store.tokens import TOKENS, TokenPair, login_owner, pair_values
from outsmart_sync.store.vault import Vault
from sandbox.browser import Browser
from sandbox.fixed_world import APP
from sandbox.process import SandboxProcess
from support import MAIN, SMALL, Rig, connection_environment, exact_connection
from tests.providers.conftest import tokens_of
from tests.providers.scripted import Answer, ScriptedServer

VARIABLE = "AIRFLOW_CONN_EXACT_ONLINE_DEFAULT"
ACCOUNTS = {"select": ("ID",), "filters": "Timestamp gt 1L"}


@pytest.fixture
def joined(sqlite_store: Store, calm: SandboxProcess, monkeypatch: pytest.MonkeyPatch) -> Rig:
    """A store and the shared vendors, with the connections between them in the environment."""
    for name, value in connection_environment(calm, sqlite_store, None).items():
        monkeypatch.setenv(name, value)
    return Rig(sqlite_store, calm)


def changed(text: str, *, extra: dict[str, Any] | None = None, **fields: Any) -> str:
    """An Airflow connection with other fields; None leaves one out."""
    connection = json.loads(text) | fields
    connection["extra"] |= extra or {}
    for place in (connection, connection["extra"]):
        for name in [name for name, value in place.items() if value is None]:
            del place[name]
    return json.dumps(connection)


def scripted_connection(server: ScriptedServer, **extra: Any) -> str:
    addresses = dict.fromkeys(("authorize_url", "token_url", "api_url"), server.url)
    addresses["redirect_uri"] = "https://sync.example/back"
    return json.dumps(
        {"conn_type": "exact_online", "login": "the-app", "password": "the-secret", "extra": addresses | extra}
    )


def login_code(hook: ExactOnlineHook) -> str:
    """Log in as the demo user."""
    browser = Browser()
    try:
        back = urlsplit(browser.consent(hook.login_address("the-state")))
    finally:
        browser.close()
    return parse_qs(back.query)["code"][0]


# Anatomy


def test_the_hook_is_one_of_airflows(joined: Rig) -> None:
    hook = ExactOnlineHook()
    assert isinstance(hook, HttpHook)
    assert (hook.conn_name_attr, hook.default_conn_name) == ("exact_online_conn_id", "exact_online_default")
    assert (hook.conn_type, hook.hook_name) == ("exact_online", "Exact Online")
    assert getattr(hook, hook.conn_name_attr) == "exact_online_default"


def test_airflow_makes_the_hook_from_a_connections_type(joined: Rig) -> None:
    hook = BaseHook.get_hook("exact_online_default")
    assert isinstance(hook, ExactOnlineHook)
    assert hook.app.client_id == APP.client_id


def test_a_connection_of_another_name_is_used(joined: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_EXACT_OTHER", changed(exact_connection(joined.vendors), login="other-app"))
    assert ExactOnlineHook("exact_other").app.client_id == "other-app"


@pytest.mark.parametrize("country", ["nl", "be", "de", "fr", "es"])
def test_without_addresses_the_countrys_own_are_used(monkeypatch: pytest.MonkeyPatch, country: str) -> None:
    monkeypatch.setenv(VARIABLE, json.dumps({"conn_type": "exact_online", "login": "id", "password": "secret"}))
    assert ExactOnlineHook(country=country).app.api_url == f"https://start.exactonline.{country}"


# Test connection


def test_a_good_connection_is_called_good_without_a_login(joined: Rig) -> None:
    good, message = ExactOnlineHook().test_connection()
    assert (good, "app is known" in message) == (True, True)
    assert "nobody has logged in" in message


def test_a_connected_administration_says_who_is_connected(joined: Rig) -> None:
    connection = joined.connect(SMALL)
    hook = ExactOnlineHook(sync_connection=connection, store=joined.store)
    assert hook.test_connection() == (True, "Connected to Exact Online as Dana Demo.")


@pytest.mark.parametrize(
    ("fields", "extra", "named"),
    [
        ({"login": None}, {}, "client id"),
        ({"password": None}, {}, "client secret"),
        ({"login": "nobody"}, {}, "Check client id and redirect_uri"),
        ({"password": "wrong"}, {}, "does not know the app's client id or secret"),
        ({}, {"redirect_uri": None}, "redirect_uri"),
        ({}, {"redirect_uri": "https://other.example/cb"}, "Check client id and redirect_uri"),
        ({}, {"authorize_url": "http://127.0.0.1:9/auth"}, "login page at http://127.0.0.1:9/auth cannot be reached"),
        ({}, {"token_url": "http://127.0.0.1:9/token"}, "token endpoint at http://127.0.0.1:9/token does not answer"),
        ({}, {"api_url": "http://exact.example"}, "unencrypted to exact.example"),
        ({}, {"token_url": "http://exact.example"}, "unencrypted to exact.example"),
        ({}, {"authorize_url": "exact.example"}, "authorize_url is not a web address"),
        ({}, {"verify": "/no/such/file"}, "verify"),
        ({}, {"proxies": "http://proxy:3128"}, "proxies"),
    ],
    ids=[
        "no id",
        "no secret",
        "wrong id",
        "wrong secret",
        "no redirect",
        "wrong redirect",
        "wrong login host",
        "wrong token host",
        "plain api",
        "plain token",
        "no address",
        "verify",
        "proxies",
    ],
)
def test_a_bad_connection_is_called_bad_with_what_to_mend(
    joined: Rig, monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any], extra: dict[str, Any], named: str
) -> None:
    monkeypatch.setenv(VARIABLE, changed(exact_connection(joined.vendors), extra=extra, **fields))
    good, message = ExactOnlineHook().test_connection()
    assert not good
    assert named in message
    assert APP.client_secret not in message


def test_a_missing_connection_is_named_with_the_variable_that_would_hold_it(joined: Rig) -> None:
    good, message = ExactOnlineHook("exact_nowhere").test_connection()
    assert not good
    assert "'exact_nowhere'" in message
    assert "AIRFLOW_CONN_EXACT_NOWHERE" in message


@pytest.mark.parametrize("text", ["{", "no connection", '{"conn_type": 5'], ids=repr)
def test_a_connection_that_cannot_be_read_is_told_from_a_missing_one(
    joined: Rig, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_EXACT_BROKEN", text)
    good, message = ExactOnlineHook("exact_broken").test_connection()
    assert not good
    assert text not in message or len(text) < 3


def test_extras_that_are_no_names_are_refused(joined: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, json.dumps({"conn_type": "exact_online", "login": "i", "extra": '["a"]'}))
    good, message = ExactOnlineHook().test_connection()
    assert not good
    assert "extras" in message


def test_the_test_leaves_no_trace_at_the_vendor(joined: Rig) -> None:
    joined.vendors.control.forget_token_calls()
    ExactOnlineHook().test_connection()
    outcomes = joined.vendors.control.token_calls()["outcomes"]
    assert [name for name in outcomes if " 200 " in name] == []


# The client


def test_the_client_reads_the_connections_own_administration(joined: Rig) -> None:
    client = ExactOnlineHook(sync_connection=joined.connect(SMALL), store=joined.store).get_conn()
    rows = [row for page in client.pages(client.address("sync/CRM/Accounts", **ACCOUNTS)) for row in page.rows]
    client.close()
    assert client.division == str(SMALL)
    assert len(rows) == len(joined.vendors.control.exact_rows(SMALL, "crm/Accounts"))


@pytest.mark.parametrize("with_store", [True, False])
def test_without_a_sync_connection_there_is_no_client(joined: Rig, with_store: bool) -> None:
    hook = ExactOnlineHook(store=joined.store if with_store else None)
    with pytest.raises(NotConfigured, match="sync connection"):
        hook.get_conn()


def test_a_disconnected_administration_has_no_client(joined: Rig) -> None:
    connection = joined.connect(SMALL)
    with joined.store.begin() as open_store:
        connections.change(open_store, connection.id, login_id=None)
    hook = ExactOnlineHook(sync_connection=connections.require(joined.store, connection.id), store=joined.store)
    with pytest.raises(LoginExpired) as refused:
        hook.get_conn()
    assert refused.value.code == "disconnected"


def test_a_token_that_exact_refuses_is_renewed_and_kept(joined: Rig) -> None:
    connection = joined.connect(SMALL)
    before = tokens_of(joined.store, connection)
    joined.vendors.control.shift_clock(600)
    client = ExactOnlineHook(sync_connection=connection, store=joined.store).get_conn()
    assert client.me()["FullName"] == "Dana Demo"
    client.close()
    after = tokens_of(joined.store, connection)
    assert after["access"] != before["access"]
    assert after["previous"] == before["refresh"]


def test_calls_are_counted_in_one_budget_for_each_administration(joined: Rig) -> None:
    connection = joined.connect(SMALL)
    for _ in range(2):
        source = ExactOnlineHook(sync_connection=connection, store=joined.store).source()
        source._client.get(source._client.address("sync/CRM/Accounts", **ACCOUNTS))
        source.close()
    with joined.store.read() as open_store:
        keys = open_store.execute(select(call_budget.c.key)).scalars().all()
    assert keys == [f"exact_online:nl:{APP.client_id}:{SMALL}"]


def test_a_person_can_open_an_endpoint_again_that_was_closed(joined: Rig) -> None:
    connection = joined.connect(SMALL)
    joined.vendors.control.change_scopes(remove=["Crm accounts"])
    hook = ExactOnlineHook(sync_connection=connection, store=joined.store)
    client = hook.get_conn()
    address = client.address("sync/CRM/Accounts", **ACCOUNTS)
    for _ in range(5):
        with pytest.raises(AccessDenied):
            client.get(address)
    joined.vendors.control.change_scopes(add=["Crm accounts"])
    hook.forgive()
    assert client.get(address).rows
    client.close()


# Looking around


def test_only_administrations_in_use_can_be_chosen(joined: Rig) -> None:
    login = ExactOnlineHook(sync_connection=joined.connect(SMALL), store=joined.store).look_around()
    assert login.user_name == "Dana Demo"
    assert login.user_id == "de300000-0000-4000-8000-000000000001"
    codes = {one.code: one for one in login.administrations}
    assert set(codes) == {"2001001", "2001002", "2001003", "2001004", "2001005", "2001006"}  # not archived, not granted
    assert (codes["2001002"].name, codes["2001002"].country, codes["2001002"].currency) == (
        "Verwarming Peeters BV",
        "be",
        "EUR",
    )


def test_a_fresh_login_is_looked_at_before_anything_is_stored(joined: Rig) -> None:
    hook = ExactOnlineHook(store=joined.store)
    pair = hook.exchange_code(login_code(hook))
    assert str(MAIN) in {one.code for one in hook.look_around(pair).administrations}


def test_a_fresh_login_that_is_refused_is_to_be_started_again(joined: Rig) -> None:
    with pytest.raises(LoginExpired, match="Start the login again"):
        ExactOnlineHook(store=joined.store).look_around(TokenPair("never", "given", 600))


# What is sent, and what is not

SENT = {"host", "user-agent", "accept-encoding", "accept", "connection", "authorization"}


def test_no_extra_becomes_a_header(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Airflow's HTTP hook makes a header of every extra that it does not know."""
    extra = {"X-Secret": "hidden-1", "note": "hidden-2", "client_secret": "hidden-3", "headers": {"X-More": "hidden-4"}}
    monkeypatch.setenv(VARIABLE, scripted_connection(server, **extra))
    me = {"FullName": "A", "UserName": "a", "CurrentDivision": 1, "UserID": "u"}
    server.play(
        Answer(200, {"d": {"results": [me]}}),
        Answer(200, {"d": {"results": []}}),
        Answer(200, "<html>"),
        Answer(400, {"error": "invalid_request"}),
    )
    hook = ExactOnlineHook()
    hook.look_around(TokenPair("access", "refresh", 600))
    assert hook.test_connection()[0]
    assert len(server.received) == 4
    for received in server.received:
        assert set(received.headers) - SENT <= {"content-length", "content-type"}
        sent = f"{received.target} {received.headers} {received.body!r}"
        assert "hidden" not in sent
    assert [received.headers["user-agent"] for received in server.received[:2]] == [web.USER_AGENT] * 2
    assert "authorization" not in server.received[2].headers


def test_login_and_password_of_the_connection_are_never_sent_to_the_api(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, scripted_connection(server))
    server.play(Answer(403))
    hook = ExactOnlineHook()
    with pytest.raises(AccessDenied):
        hook.look_around(TokenPair("access", "refresh", 600))
    (received,) = server.received
    assert received.headers["authorization"] == "Bearer access"
    assert "the-secret" not in f"{received}"


def test_calls_go_through_the_connections_proxy(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = dict.fromkeys(("authorize_url", "token_url", "api_url"), "http://exact.internal")
    extra = addresses | {"plain_http": True, "proxies": {"http": server.url}}
    monkeypatch.setenv(VARIABLE, scripted_connection(server, **extra))
    server.play(Answer(403))
    hook = ExactOnlineHook()
    with pytest.raises(AccessDenied):
        hook.look_around(TokenPair("access", "refresh", 600))
    assert server.received[0].target.startswith("http://exact.internal/api/v1/current/Me")


@pytest.mark.parametrize(("said", "used"), [(False, False), ("false", False), (None, True)], ids=repr)
def test_certificates_are_checked_unless_the_connection_says_otherwise(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, said: Any, used: bool
) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(VARIABLE, scripted_connection(server, **({} if said is None else {"verify": said})))
    assert ExactOnlineHook()._session(server.url).verify is used


# Secrets in logs


def test_every_secret_that_is_read_is_masked_in_airflows_logs(joined: Rig) -> None:
    connection = joined.connect(SMALL)
    joined.vendors.control.shift_clock(600)
    client = ExactOnlineHook(sync_connection=connection, store=joined.store).get_conn()
    client.me()
    client.close()
    kept = tokens_of(joined.store, connection)
    for secret in (APP.client_secret, kept["access"], kept["refresh"], kept["previous"]):
        assert secret not in str(redact(f"a line with {secret} in it"))


def test_a_pair_that_another_process_stored_is_masked_when_it_is_read(joined: Rig) -> None:
    connection = joined.connect(SMALL)
    assert connection.login_id is not None
    given = joined.vendors.control.give_tokens()
    pair = TokenPair(given["access_token"], given["refresh_token"], 600)
    values = pair_values(pair, previous="the-refresh-token-before")
    Vault(joined.store).write(login_owner(connection.login_id), TOKENS, values)
    client = ExactOnlineHook(sync_connection=connection, store=joined.store).get_conn()
    client.me()
    client.close()
    for secret in (pair.access, pair.refresh, "the-refresh-token-before"):
        assert secret not in str(redact(f"a line with {secret} in it"))


def test_a_fresh_pair_is_masked_before_it_is_stored(joined: Rig) -> None:
    hook = ExactOnlineHook()
    pair = hook.exchange_code(login_code(hook))
    assert pair.access not in str(redact(f"Bearer {pair.access}"))
    assert pair.refresh not in str(redact(f"refresh_token={pair.refresh}"))


def test_the_pair_in_the_vault_is_not_readable_without_the_key(joined: Rig) -> None:
    connection = joined.connect(SMALL)
    assert connection.login_id is not None
    secret = Vault(joined.store).read(login_owner(connection.login_id), TOKENS)
    assert secret is not None
    assert secret.values["access"] not in repr(secret)


def test_a_hook_belongs_to_the_connections_country(joined: Rig) -> None:
    connection: SyncConnection = joined.connect(SMALL)
    assert ExactOnlineHook(sync_connection=connection, store=joined.store, country="de")._country == "nl"
