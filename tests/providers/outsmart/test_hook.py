"""Airflow's face on OutSmart: its connection, its tests, whose token is used, and what is never sent."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from airflow.providers.http.hooks.http import HttpHook
from airflow.sdk import BaseHook
from airflow.sdk._shared.secrets_masker import redact

from outsmart_sync.errors import NotConfigured, VaultLocked
from outsmart_sync.providers import web
from outsmart_sync.providers.outsmart.hook import ACCOUNT_TOKEN, OutSmartHook
from outsmart_sync.records.material import MATERIAL
from outsmart_sync.store.connections import SyncConnection
from outsmart_sync.store.store import Store
from outsmart_sync.store.vault import KEYS_VARIABLE, Vault
from sandbox.process import SandboxProcess
from support import NORTH, SOUTH, added, outsmart_connection
from tests.providers.scripted import Answer, ScriptedServer

VARIABLE = "AIRFLOW_CONN_OUTSMART_DEFAULT"
EMPLOYEES = Answer(200, {"code": 200, "messages": [], "response": [{"number": "1"}]})
SENT = {"host", "user-agent", "accept-encoding", "accept", "connection", "content-type"}


@pytest.fixture
def north(calm: SandboxProcess, monkeypatch: pytest.MonkeyPatch) -> SandboxProcess:
    """The shared vendors, with the account north in the environment."""
    monkeypatch.setenv(VARIABLE, outsmart_connection(calm, NORTH))
    return calm


@pytest.fixture
def joined(sqlite_store: Store) -> SyncConnection:
    """A sync connection of the account."""
    return added(sqlite_store, "2001001", administration_name="North", currency="EUR", outsmart_account="north")


def connection_to(address: str, *, password: str | None = "the-token", extra: Any = None, **fields: Any) -> str:
    extras = {"software_token": "the-software-token"} | (extra or {})
    kept = {name: value for name, value in extras.items() if value is not None}
    return json.dumps({"conn_type": "outsmart", "host": address, "password": password, "extra": kept} | fields)


def given_tokens(server: ScriptedServer) -> dict[str, list[str]]:
    return parse_qs(urlsplit(server.received[-1].target).query)


# Anatomy


def test_the_hook_is_one_of_airflows(north: SandboxProcess) -> None:
    hook = OutSmartHook()
    assert isinstance(hook, HttpHook)
    assert (hook.conn_name_attr, hook.default_conn_name) == ("outsmart_conn_id", "outsmart_default")
    assert (hook.conn_type, hook.hook_name) == ("outsmart", "OutSmart")
    assert getattr(hook, hook.conn_name_attr) == "outsmart_default"


def test_airflow_makes_the_hook_from_a_connections_type(north: SandboxProcess) -> None:
    assert isinstance(BaseHook.get_hook("outsmart_default"), OutSmartHook)


def test_a_destination_is_the_account_of_the_connection(north: SandboxProcess) -> None:
    account = OutSmartHook().destination()
    there = north.control.outsmart_records("north", "materials")
    assert sorted(str(each["code"]) for each in account.read(MATERIAL)) == sorted(str(each["code"]) for each in there)
    account.close()


@pytest.mark.parametrize(
    ("fields", "address"),
    [
        ({}, "https://app.out-smart.com/openapi/8/employees"),
        ({"host": "www.werkbonapp.nl/openapi/8"}, "https://www.werkbonapp.nl/openapi/8/employees"),
        ({"host": "https://www.werkbonapp.nl/openapi/8/"}, "https://www.werkbonapp.nl/openapi/8/employees"),
        ({"host": "localhost/openapi/8", "schema": "http", "port": 81}, "http://localhost:81/openapi/8/employees"),
        ({"host": "https://out.example/openapi/8", "port": 8443}, "https://out.example:8443/openapi/8/employees"),
        (
            {"host": "x.example", "extra": {"software_token": "s", "api_url": "https://y.example"}},
            "https://y.example/employees",
        ),
    ],
    ids=["vendor's own", "host", "address", "schema and port", "address and port", "extra"],
)
def test_the_address_is_the_one_of_the_connection(
    monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any], address: str
) -> None:
    connection = {"conn_type": "outsmart", "password": "p", "extra": {"software_token": "s"}} | fields
    monkeypatch.setenv(VARIABLE, json.dumps(connection))
    client = OutSmartHook().get_conn()
    assert f"{client._api_url}/employees" == address
    client.close()


# Test connection


def test_a_good_connection_is_called_good(north: SandboxProcess) -> None:
    employees = len(north.control.outsmart_records("north", "employees"))
    good, message = OutSmartHook().test_connection()
    assert (good, message) == (True, f"OutSmart accepts the tokens; the account has {employees} employees.")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"password": None}, "token (password)"),
        ({"password": ""}, "token (password)"),
        ({"extra": {"software_token": None}}, "software_token (extra)"),
        ({"password": "wrong"}, "refuses the account's token"),
        ({"extra": {"software_token": "wrong"}}, "refuses the software token"),
        ({"extra": {"software_token": SOUTH.software_token}}, "refuses the software token"),
        ({"host": "http://127.0.0.1:9"}, "does not answer at the address"),
        ({"host": "http://out.example"}, "unencrypted to out.example"),
        ({"host": "ftp://out.example"}, "not a web address"),
        ({"extra": {"verify": "/no/such/file"}}, "verify"),
        ({"extra": {"proxies": "x"}}, "proxies"),
    ],
    ids=[
        "no token",
        "empty token",
        "no software token",
        "wrong token",
        "wrong software token",
        "token of another account",
        "wrong host",
        "plain http",
        "no address",
        "verify",
        "proxies",
    ],
)
def test_a_bad_connection_is_called_bad_with_what_to_mend(
    north: SandboxProcess, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], named: str
) -> None:
    extra = {"software_token": NORTH.software_token} | changes.get("extra", {})
    fields = {"password": NORTH.token, "host": north.outsmart_url} | changes | {"extra": extra}
    monkeypatch.setenv(VARIABLE, connection_to(fields.pop("host"), **fields))
    good, message = OutSmartHook().test_connection()
    assert not good
    assert named in message
    assert NORTH.token not in message


def test_an_address_of_something_else_is_named_as_the_cause(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.play(Answer(404, "<html>Not found</html>"))
    monkeypatch.setenv(VARIABLE, connection_to(server.url))
    good, message = OutSmartHook().test_connection()
    assert not good
    assert "https://app.out-smart.com/openapi/8" in message


def test_a_missing_connection_is_named_with_the_variable_that_would_hold_it() -> None:
    good, message = OutSmartHook("outsmart_nowhere").test_connection()
    assert not good
    assert "AIRFLOW_CONN_OUTSMART_NOWHERE" in message


# Is there an account at all?


def test_an_account_is_configured_when_there_is_a_connection_for_it(north: SandboxProcess) -> None:
    assert OutSmartHook().is_configured()


def test_without_the_default_connection_there_is_no_account_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_OUTSMART_DEFAULT", raising=False)
    assert not OutSmartHook().is_configured()


def test_a_connection_that_somebody_named_has_to_be_there() -> None:
    """Else a misspelt name would quietly end an import in the mirror."""
    with pytest.raises(NotConfigured, match="no Airflow connection 'outsmart_nowhere'"):
        OutSmartHook("outsmart_nowhere").is_configured()


def test_a_connection_that_cannot_be_read_is_not_taken_for_a_missing_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else an import would quietly end in the mirror because of a typing mistake."""
    monkeypatch.setenv("AIRFLOW_CONN_OUTSMART_BROKEN", '{"conn_type": "outsmart", "extra": ')
    with pytest.raises(NotConfigured, match="cannot be read"):
        OutSmartHook("outsmart_broken").is_configured()


# Whose token


def test_the_connections_own_token_in_the_vault_wins(
    server: ScriptedServer, sqlite_store: Store, joined: SyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.play(EMPLOYEES)
    monkeypatch.setenv(VARIABLE, connection_to(server.url))
    assert OutSmartHook(sync_connection=joined, store=sqlite_store).test_connection()[0]
    assert given_tokens(server)["token"] == ["the-token"]
    Vault(sqlite_store).write(f"connection:{joined.id}", ACCOUNT_TOKEN, {"token": "its-own-token"})
    assert OutSmartHook(sync_connection=joined, store=sqlite_store).test_connection()[0]
    assert given_tokens(server) == {"token": ["its-own-token"], "software_token": ["the-software-token"]}
    assert OutSmartHook().test_connection()[0]
    assert given_tokens(server)["token"] == ["the-token"]


def test_a_connection_without_a_password_is_enough_where_the_vault_has_the_token(
    north: SandboxProcess, sqlite_store: Store, joined: SyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    extra = {"software_token": NORTH.software_token}
    monkeypatch.setenv(VARIABLE, connection_to(north.outsmart_url, password=None, extra=extra))
    Vault(sqlite_store).write(f"connection:{joined.id}", ACCOUNT_TOKEN, {"token": NORTH.token})
    assert OutSmartHook(sync_connection=joined, store=sqlite_store).test_connection()[0]


def test_another_connections_token_is_not_used(
    server: ScriptedServer, sqlite_store: Store, joined: SyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.play(EMPLOYEES)
    monkeypatch.setenv(VARIABLE, connection_to(server.url))
    Vault(sqlite_store).write(f"connection:{joined.id + 1}", ACCOUNT_TOKEN, {"token": "of-another"})
    OutSmartHook(sync_connection=joined, store=sqlite_store).test_connection()
    assert given_tokens(server)["token"] == ["the-token"]


def test_a_token_that_cannot_be_decrypted_is_not_replaced_by_another(
    north: SandboxProcess, sqlite_store: Store, joined: SyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    Vault(sqlite_store).write(f"connection:{joined.id}", ACCOUNT_TOKEN, {"token": "its-own-token"})
    monkeypatch.delenv(KEYS_VARIABLE)
    with pytest.raises(VaultLocked):
        OutSmartHook(sync_connection=joined, store=sqlite_store).get_conn()


# What is sent, and what is not


def test_no_extra_becomes_a_header(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Airflow's HTTP hook makes a header of every extra that it does not know."""
    server.play(EMPLOYEES)
    extra = {"X-Secret": "hidden-1", "note": "hidden-2", "headers": {"X-More": "hidden-3"}}
    fields = {"login": "hidden-4", "schema": "hidden-5"}
    monkeypatch.setenv(VARIABLE, connection_to(server.url, extra=extra, **fields))
    assert OutSmartHook().test_connection()[0]
    (received,) = server.received
    assert set(received.headers) <= SENT
    assert received.headers["user-agent"] == web.USER_AGENT
    assert "hidden" not in f"{received.target} {received.headers} {received.body!r}"
    assert "the-token" not in f"{received.headers}"


def test_calls_go_through_the_connections_proxy(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.play(EMPLOYEES)
    extra = {"plain_http": "true", "proxies": {"http": server.url}}
    monkeypatch.setenv(VARIABLE, connection_to("http://out.internal/openapi/8", extra=extra))
    assert OutSmartHook().test_connection()[0]
    assert server.received[0].target.startswith("http://out.internal/openapi/8/employees?")


@pytest.mark.parametrize(("said", "used"), [(False, False), ("false", False), (None, True)], ids=repr)
def test_certificates_are_checked_unless_the_connection_says_otherwise(
    monkeypatch: pytest.MonkeyPatch, said: Any, used: bool
) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(VARIABLE, connection_to("https://out.example", extra={"verify": said}))
    client = OutSmartHook().get_conn()
    assert client._session.verify is used
    client.close()


def test_every_token_that_is_read_is_masked_in_airflows_logs(
    sqlite_store: Store, joined: SyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, connection_to("https://out.example", password="masked-account-token"))
    Vault(sqlite_store).write(f"connection:{joined.id}", ACCOUNT_TOKEN, {"token": "masked-own-token"})
    OutSmartHook(sync_connection=joined, store=sqlite_store).get_conn().close()
    for secret in ("masked-account-token", "the-software-token", "masked-own-token"):
        assert secret not in str(redact(f"?token={secret}&x"))
