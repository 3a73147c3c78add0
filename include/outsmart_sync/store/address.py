"""Where the store is: the Airflow connection ``outsmart_sync_store``, read without Airflow from the environment."""

from __future__ import annotations

import os
from typing import Any

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


def from_environment() -> URL | None:
    """The address in the environment variable, as a URI or in Airflow's JSON form; None: the variable is not set.

    Raises:
        NotConfigured: The variable cannot be read.
    """
    value = os.environ.get(VARIABLE, "").strip()
    if not value:
        return None
    try:
        if value.startswith("{"):
            parts = msgspec.json.decode(value, type=dict[str, Any])
            return from_parts(
                **{name: parts.get(name) for name in ("conn_type", "host", "login", "password", "port", "schema")}
            )
        return make_url(value)
    except (msgspec.DecodeError, ArgumentError, ValueError):
        raise NotConfigured(f"{VARIABLE} cannot be read.", remedy=_EXAMPLE) from None


def from_parts(
    conn_type: str | None,
    host: str | None,
    login: str | None = None,
    password: str | None = None,
    port: int | str | None = None,
    schema: str | None = None,
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
    )


def not_configured() -> NotConfigured:
    """The error for a store that nobody has set up."""
    return NotConfigured(f"No store is configured: there is no connection {CONN_ID}.", remedy=_EXAMPLE)
