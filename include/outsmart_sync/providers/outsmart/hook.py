"""Airflow's face on OutSmart: reads the Airflow connection, or the vault's own token of a sync connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

import requests
from airflow.sdk.log import mask_secret

from outsmart_sync.errors import CONNECTION_MISSING, NotConfigured, RequestRefused, VendorUnavailable
from outsmart_sync.providers import web
from outsmart_sync.providers.outsmart.client import API_URL, OutSmartClient, Tokens
from outsmart_sync.providers.outsmart.completed import CompletedWorkOrders
from outsmart_sync.providers.outsmart.delivery import OutSmartAccount
from outsmart_sync.providers.vendor_hook import VendorHook
from outsmart_sync.providers.web_pages import page_of
from outsmart_sync.store.vault import Vault

if TYPE_CHECKING:
    from outsmart_sync.records.exchange import WebPage
    from outsmart_sync.store.connections import SyncConnection
    from outsmart_sync.store.store import Store

_PAGES = {"work_order": "next/crm/work-orders/{id}/"}
"""Pages of the web application, as published integrations use them; of the other records the API tells no id."""
_FIRST_PAGE = "next/"
ACCOUNT_TOKEN = "outsmart_account"  # noqa: S105 - the vault's kind, not a token


class OutSmartHook(VendorHook):
    """Opens an OutSmart account.

    Args:
        outsmart_conn_id: Airflow connection: password is the account's token, the extra ``software_token`` ours; host
            or the extra ``api_url`` override the address, ``web_url`` that of its web application, of which
            ``web_pages`` tells where more records have their pages.
        sync_connection: Its own token in the vault, if it has one, wins over the password.
        store: The store with the vault; needed with ``sync_connection``.
    """

    conn_name_attr = "outsmart_conn_id"
    default_conn_name = "outsmart_default"
    conn_type = "outsmart"
    hook_name = "OutSmart"

    def __init__(
        self,
        outsmart_conn_id: str = default_conn_name,
        sync_connection: SyncConnection | None = None,
        *,
        store: Store | None = None,
    ) -> None:
        super().__init__(outsmart_conn_id)
        self._sync_connection = sync_connection
        self._store = store

    def get_conn(self) -> OutSmartClient:  # type: ignore[override]  # HttpHook hands out a bare session
        """A client of the account.

        Raises:
            NotConfigured: The connection or one of its tokens is missing.
        """
        api_url = self._api_url()
        return OutSmartClient(self.dressed(requests.Session(), api_url), self._tokens(), api_url)

    def _api_url(self) -> str:
        plain = web.allows_plain_http(self.extras)
        return web.checked_address(self.extras.get("api_url") or self._host() or API_URL, "api_url", plain_http=plain)

    def web_page(self, record: str, outsmart_id: str) -> WebPage:
        """The page of a record in OutSmart, or the first one."""
        base = web.origin(self._api_url())
        return page_of(record, {"id": outsmart_id}, base=base, pages=_PAGES, start=_FIRST_PAGE, extras=self.extras)

    def destination(self) -> OutSmartAccount:
        """The account as the pipeline writes it."""
        return OutSmartAccount(self.get_conn())

    def completed(self) -> CompletedWorkOrders:
        """The account's completed work orders, for exports."""
        return CompletedWorkOrders(self.get_conn())

    def is_configured(self) -> bool:
        """Whether there is an Airflow connection for the account; without one, imports end in the mirror.

        Raises:
            NotConfigured: There is one, and it cannot be read.
        """
        try:
            return self.connection is not None
        except NotConfigured as error:
            if error.code == CONNECTION_MISSING and self.http_conn_id == self.default_conn_name:
                return False  # a name that somebody chose must exist; a missing default means: not yet
            raise

    def check(self) -> str:
        """Read the employees, as OutSmart's own guides do to try a token."""
        client = self.get_conn()
        try:
            count = sum(1 for _ in client.get_list("employees"))
        except (RequestRefused, VendorUnavailable) as error:
            raise NotConfigured(
                "OutSmart's API does not answer at the address of the OutSmart connection.",
                why=error.what,
                remedy=f"Its address usually is {API_URL}; if yours is right, try again later.",
                technical=error.technical,
            ) from error
        finally:
            client.close()
        return f"OutSmart accepts the tokens; the account has {count} employees."

    def _host(self) -> str:
        """The address in the connection's ordinary fields, where it is given there."""
        connection = self.connection
        if not connection.host:
            return ""
        address = connection.host if "://" in connection.host else f"{connection.schema or 'https'}://{connection.host}"
        if not connection.port:
            return address
        scheme, _, rest = address.partition("://")
        host, slash, path = rest.partition("/")
        return f"{scheme}://{host}:{connection.port}{slash}{path}"

    def _tokens(self) -> Tokens:
        account = self._own_token() or self.connection.password or ""
        software = self.extras.get("software_token") or ""
        for value, name in ((account, "token (password)"), (software, "software_token (extra)")):
            if not value:
                raise NotConfigured(
                    f"The Airflow connection '{self.http_conn_id}' has no {name}.",
                    remedy="Fill it in; OutSmart issues both tokens.",
                )
        return Tokens(account, software)

    def _own_token(self) -> str | None:
        if self._sync_connection is None or self._store is None:
            return None
        secret = Vault(self._store).read(f"connection:{self._sync_connection.id}", ACCOUNT_TOKEN)
        if secret is None:
            return None
        mask_secret(secret.values["token"])
        return secret.values["token"]
