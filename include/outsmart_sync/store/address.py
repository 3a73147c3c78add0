"""Where the store is: the Airflow connection ``outsmart_sync_store``, read without Airflow from the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import msgspec
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from outsmart_sync.errors import NotConfigured

CONN_ID = "outsmart_sync_store"
VARIABLE = "AIRFLOW_CONN_OUTSMART_SYNC_STORE"
_EXAMPLE = (
    f"Set {VARIABLE} to '"
    '{"conn_type": "sqlite", "host": "/path/to/store.db"}'
    "' or to postgresql://user:password@host/database."
)


# What PostgreSQL's client library takes beside the address; other extras of an Airflow connection mean nothing to it.
_OPTIONS = (
    "application_name",
    "channel_binding",
    "connect_timeout",
    "gssencmode",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "options",
    "sslcert",
    "sslcrl",
    "sslkey",
    "sslmode",
    "sslpassword",
    "sslrootcert",
    "target_session_attrs",
)


class _Parts(msgspec.Struct):
    """An Airflow connection in its JSON form."""

    conn_type: str = ""
    host: str | None = None
    login: str | None = None
    password: str | None = None
    port: int | str | None = None
    schema: str | None = None
    extra: dict[str, Any] | str | None = None


def from_environment() -> URL | None:
    """The address in the environment variable, as a URI or in Airflow's JSON form; None: the variable is not set.

    Raises:
        NotConfigured: The variable cannot be read.
    """
    value = os.environ.get(VARIABLE, "").strip()
    if not value:
        return None
    try:
        return _from_json(value) if value.startswith("{") else _from_uri(value)
    except (msgspec.DecodeError, ArgumentError, ValueError):
        raise NotConfigured(f"{VARIABLE} cannot be read.", remedy=_EXAMPLE) from None


def from_parts(
    conn_type: str | None,
    host: str | None,
    login: str | None = None,
    password: str | None = None,
    port: int | str | None = None,
    schema: str | None = None,
    extra: Mapping[str, Any] | None = None,
) -> URL:
    """The address behind the fields of an Airflow connection; for SQLite ``host`` is the file."""
    if conn_type == "sqlite":
        return URL.create("sqlite", database=host or schema)
    return URL.create(
        "postgresql" if conn_type == "postgres" else conn_type or "",
        username=login or None,
        password=password or None,
        host=host or None,
        port=int(port) if port else None,
        database=schema or None,
        query={name: str(value) for name, value in (extra or {}).items() if name in _OPTIONS},
    )


def _from_json(text: str) -> URL:
    parts = msgspec.json.decode(text, type=_Parts)
    extra = msgspec.json.decode(parts.extra, type=dict[str, Any]) if isinstance(parts.extra, str) else parts.extra
    return from_parts(parts.conn_type, parts.host, parts.login, parts.password, parts.port, parts.schema, extra)


def _from_uri(text: str) -> URL:
    url = make_url(text)
    if url.get_backend_name() == "sqlite" and url.host and not url.database:
        # So does Airflow write a file's path when it exports a connection: sqlite://%2Fpath%2Fto%2Fstore.db
        return URL.create("sqlite", database=unquote(url.host))
    return url


def not_configured() -> NotConfigured:
    """The error for a store that nobody has set up."""
    return NotConfigured(f"No store is configured: there is no connection {CONN_ID}.", remedy=_EXAMPLE)
