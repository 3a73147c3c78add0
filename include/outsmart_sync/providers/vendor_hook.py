"""What all our hooks share: they stand on Airflow's HTTP hook and send nothing of its extras.

Taken from ``HttpHook``: the connection anatomy, its keep-alive adapter and its place in Airflow's connection form. Not
taken: its session per request, and its rule that an unknown extra becomes an HTTP header, which would send client ids
and tokens to every address (docs/decisions.md).
"""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.providers.http.hooks.http import HttpHook
from airflow.sdk.exceptions import AirflowNotFoundException
from airflow.sdk.log import mask_secret

from outsmart_sync.errors import CONNECTION_MISSING, NotConfigured, SyncError
from outsmart_sync.providers import web

if TYPE_CHECKING:
    import requests
    from airflow.sdk import Connection

_Session = TypeVar("_Session", bound="requests.Session")


class VendorHook(HttpHook):
    """Base of our hooks.

    Args:
        conn_id: Airflow connection.
    """

    def __init__(self, conn_id: str) -> None:
        super().__init__(method="GET", http_conn_id=conn_id)
        setattr(self, self.conn_name_attr, conn_id)

    @cached_property
    def connection(self) -> Connection:
        """The Airflow connection.

        Raises:
            NotConfigured: There is none of this name, or it cannot be read.
        """
        try:
            found: Connection = self.get_connection(self.http_conn_id)
        except AirflowNotFoundException:
            raise self._not_found() from None
        if not isinstance(found.extra_dejson, dict):
            raise NotConfigured(
                f"The extras of the Airflow connection '{self.http_conn_id}' cannot be read.",
                remedy='Write them as JSON with names: {"redirect_uri": "..."}.',
            )
        for secret in (found.password, found.extra_dejson.get("software_token")):
            if secret:
                mask_secret(secret)
        return found

    def _not_found(self) -> NotConfigured:
        """Airflow calls a connection missing as well when the variable that holds it cannot be read."""
        variable = f"AIRFLOW_CONN_{self.http_conn_id.upper()}"
        if os.environ.get(variable):
            return NotConfigured(
                f"The Airflow connection '{self.http_conn_id}' cannot be read.",
                why=f"{variable} is neither JSON nor an address.",
                remedy="Correct it; docs/operations.md shows its fields.",
            )
        return NotConfigured(
            f"There is no Airflow connection '{self.http_conn_id}'.",
            why="It was not found in the environment, nor in a secrets backend. (One that was typed into Airflow's "
            "form is seen by tasks and pages, not by the command line.)",
            remedy=f"Set {variable}; docs/operations.md shows its fields.",
            code=CONNECTION_MISSING,
        )

    @property
    def extras(self) -> dict[str, Any]:
        """The connection's extras."""
        extras: dict[str, Any] = self.connection.extra_dejson
        return extras

    def dressed(self, session: _Session, base_url: str) -> _Session:
        """Give a session what the connection says of TLS and proxies, and keep-alive; nothing becomes a header."""
        self.base_url = base_url
        self._configure_session_from_mount_adapters(session)
        return web.Transport.of(self.extras).dress(session, base_url)

    def test_connection(self) -> tuple[bool, str]:
        """Whether the vendor accepts what the connection holds, and what to do if not."""
        try:
            return True, self.check()
        except SyncError as error:
            return False, str(error)

    def check(self) -> str:
        """Call the vendor once; returns what was found, as a sentence.

        Raises:
            SyncError: The vendor refuses, or cannot be reached.
        """
        raise NotImplementedError
