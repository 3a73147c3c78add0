"""Where the store is: the forms in which an Airflow connection can be written, and what is no address."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import URL

from outsmart_sync.errors import NotConfigured
from outsmart_sync.store import address
from outsmart_sync.store.store import Store

SECRET = "p@ss:/w%rd#?&é"


def written(monkeypatch: pytest.MonkeyPatch, text: str | dict[str, Any]) -> URL | None:
    monkeypatch.setenv(address.VARIABLE, text if isinstance(text, str) else json.dumps(text))
    return address.from_environment()


def opened(monkeypatch: pytest.MonkeyPatch, text: str | dict[str, Any]) -> URL:
    url = written(monkeypatch, text)
    assert url is not None
    store = Store(url)
    store.close()
    return store.url


SQLITE = {
    "JSON": ({"conn_type": "sqlite", "host": "/data/store.db"}, "/data/store.db"),
    "JSON with schema": ({"conn_type": "sqlite", "schema": "/data/store.db"}, "/data/store.db"),
    "JSON with nothing": ({"conn_type": "sqlite", "host": "/data/a b.db", "login": None, "extra": ""}, "/data/a b.db"),
    "URI": ("sqlite:////data/store.db", "/data/store.db"),
    "URI as Airflow exports it": ("sqlite://%2Fdata%2Fstore.db", "/data/store.db"),
    "URI with blanks around it": ("  sqlite:////data/store.db\n", "/data/store.db"),
    "a path from here": ("sqlite:///store.db", "store.db"),
    "a path from home": ("sqlite:///~/store.db", str(Path("~/store.db").expanduser())),
}


@pytest.mark.parametrize(("text", "file"), SQLITE.values(), ids=SQLITE)
def test_a_file_can_be_written_in_every_form(monkeypatch: pytest.MonkeyPatch, text: Any, file: str) -> None:
    if isinstance(text, dict) and text.get("extra") == "":
        text = {**text, "extra": None}
    url = opened(monkeypatch, text)
    assert (url.drivername, url.database) == ("sqlite", file)


SERVER: dict[str, Any] = {
    "JSON": {
        "conn_type": "postgres",
        "host": "db.example",
        "login": "sync",
        "password": SECRET,
        "port": 5433,
        "schema": "outsmart",
    },
    "JSON with a port in text": {
        "conn_type": "postgresql",
        "host": "db.example",
        "login": "sync",
        "password": SECRET,
        "port": "5433",
        "schema": "outsmart",
    },
    "postgres URI": f"postgres://sync:{quote(SECRET, safe='')}@db.example:5433/outsmart",
    "postgresql URI": f"postgresql://sync:{quote(SECRET, safe='')}@db.example:5433/outsmart",
    "URI with driver": f"postgresql+psycopg://sync:{quote(SECRET, safe='')}@db.example:5433/outsmart",
}


@pytest.mark.parametrize("text", SERVER.values(), ids=SERVER)
def test_a_server_can_be_written_in_every_form_with_any_password(monkeypatch: pytest.MonkeyPatch, text: Any) -> None:
    url = opened(monkeypatch, text)
    assert url.drivername == "postgresql+psycopg"
    assert (url.host, url.port, url.username, url.password) == ("db.example", 5433, "sync", SECRET)
    assert url.database == "outsmart"


@given(
    password=st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), min_size=1, max_size=20)
)
def test_any_password_survives_the_json_form(password: str) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        url = opened(monkeypatch, {"conn_type": "postgres", "host": "h", "login": "u", "password": password})
        assert url.password == password


@pytest.mark.parametrize("extra", [{"sslmode": "require", "colour": "red"}, '{"sslmode": "require", "colour": "red"}'])
def test_extras_that_the_client_library_knows_are_kept_and_others_are_not(
    monkeypatch: pytest.MonkeyPatch, extra: Any
) -> None:
    url = opened(monkeypatch, {"conn_type": "postgres", "host": "h", "extra": extra})
    assert dict(url.query) == {"sslmode": "require"}


@pytest.mark.parametrize("text", ["", "   "])
def test_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    assert written(monkeypatch, text) is None
    monkeypatch.delenv(address.VARIABLE)
    assert address.from_environment() is None


NONSENSE: dict[str, Any] = {
    "text": "nonsense",
    "broken JSON": '{"conn_type": "sqlite", ',
    "JSON of another kind": '{"conn_type": 5}',
    "a list": "[1]",
    "extras that are no JSON": {"conn_type": "postgres", "host": "h", "extra": "sslmode=require"},
    "a port that is no number": {"conn_type": "postgres", "host": "h", "port": "five"},
    "a port in the URI that is no number": f"postgres://sync:{quote(SECRET, safe='')}@h:port/db",
}


@pytest.mark.parametrize("text", NONSENSE.values(), ids=NONSENSE)
def test_what_cannot_be_read_is_told_with_an_example_and_without_its_password(
    monkeypatch: pytest.MonkeyPatch, text: Any
) -> None:
    with pytest.raises(NotConfigured) as error:
        written(monkeypatch, text)
    assert address.VARIABLE in error.value.what
    assert "conn_type" in error.value.remedy
    assert quote(SECRET, safe="") not in str(error.value) + error.value.technical


UNSUPPORTED: dict[str, Any] = {
    "another database": "mysql://u:p@h/db",
    "another type": {"conn_type": "http", "host": "h"},
    "no type": {"host": "/data/store.db"},
    "no file": "sqlite://",
    "a file in memory": "sqlite:///:memory:",
    "no host in JSON": {"conn_type": "sqlite"},
    "a password with a bare @": "postgresql://sync:p@ss@h/db",
}


@pytest.mark.parametrize("text", UNSUPPORTED.values(), ids=UNSUPPORTED)
def test_what_the_store_cannot_be_kept_in_is_refused_with_a_remedy(monkeypatch: pytest.MonkeyPatch, text: Any) -> None:
    with pytest.raises(NotConfigured) as error:
        opened(monkeypatch, text)
    assert error.value.remedy
    assert "p@ss" not in str(error.value)


def test_a_store_shows_its_address_without_the_password() -> None:
    store = Store(URL.create("postgresql", "sync", SECRET, "db.example", database="outsmart"))
    assert repr(store) == "Store(postgresql+psycopg://sync:***@db.example/outsmart)"
    store.close()


def test_airflow_and_the_command_line_open_the_same_store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from outsmart_sync.store.hook import StoreHook

    for text in ({"conn_type": "sqlite", "host": str(tmp_path / "s.db")}, SERVER["JSON"], SERVER["postgres URI"]):
        url = opened(monkeypatch, text)
        store = StoreHook().get_conn()
        assert store.url == url
        store.close()


def test_a_store_of_another_airflow_connection_is_opened_by_its_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    from outsmart_sync.store.hook import StoreHook

    monkeypatch.setenv("AIRFLOW_CONN_OTHER_STORE", json.dumps(SERVER["JSON"] | {"extra": {"sslmode": "require"}}))
    store = StoreHook("other_store").get_conn()
    assert (store.url.password, store.url.database, dict(store.url.query)) == (
        SECRET,
        "outsmart",
        {"sslmode": "require"},
    )
    store.close()


def test_without_a_connection_the_variable_to_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from outsmart_sync.store.hook import StoreHook

    monkeypatch.delenv(address.VARIABLE, raising=False)
    with pytest.raises(NotConfigured) as error:
        StoreHook().get_conn()
    assert address.VARIABLE in error.value.remedy
