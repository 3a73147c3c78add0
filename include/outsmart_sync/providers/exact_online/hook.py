"""Airflow's face on Exact Online: reads the Airflow connection and the token vault, hands out a client."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from requests_oauthlib import OAuth2Session

from outsmart_sync.providers import web
from outsmart_sync.providers.exact_online import oauth
from outsmart_sync.providers.exact_online.client import RULES, ExactOnlineClient
from outsmart_sync.providers.exact_online.exporter import ExactExporter
from outsmart_sync.providers.exact_online.imports import PACKAGE
from outsmart_sync.providers.exact_online.source import ExactSource
from outsmart_sync.providers.login_hook import LoginHook
from outsmart_sync.providers.web_pages import page_of
from outsmart_sync.records.exchange import Administration, Login, WebPage
from outsmart_sync.store.budget import BudgetRules, CallBudget

if TYPE_CHECKING:
    from collections.abc import Mapping

    from outsmart_sync.records.streams import Row
    from outsmart_sync.store.connections import SyncConnection
    from outsmart_sync.store.store import Store
    from outsmart_sync.store.tokens import TokenPair

_PAGES = {"relation": "docs/CRMAccountCard.aspx?_Division_={administration}&AccountID=%7b{id}%7d"}
"""Pages of the web application; of relations' alone the address is public, from an integration's guide:
https://support.focus.teamleader.eu/hc/en-150/articles/25693702327057"""
_FIRST_PAGE = "docs/MenuPortal.aspx?_Division_={administration}"
_ACTIVE = 1
_NOT_BLOCKED = 0


class ExactOnlineHook(LoginHook):
    """Opens Exact Online.

    Args:
        exact_online_conn_id: Airflow connection of the app: login is the client id, password the client secret, extras
            ``authorize_url``, ``token_url``, ``api_url`` and ``web_url`` override the vendor's addresses,
            ``redirect_uri`` is the one registered with the app, ``web_pages`` tells of more records where their pages
            are.
        sync_connection: The administration to open; None: only for logging in.
        store: The store with vault and budget; needed with ``sync_connection``.
        country: Whose instance, when there is no ``sync_connection``.
    """

    conn_name_attr = "exact_online_conn_id"
    default_conn_name = PACKAGE.conn_id
    conn_type = "exact_online"
    hook_name = "Exact Online"
    vendor = "Exact Online"
    takes_proof = False  # Exact's pages on OAuth name no PKCE
    renewed_after = oauth.REFRESH_AFTER

    def __init__(
        self,
        exact_online_conn_id: str = default_conn_name,
        sync_connection: SyncConnection | None = None,
        *,
        store: Store | None = None,
        country: str = "nl",
    ) -> None:
        super().__init__(exact_online_conn_id, sync_connection, store)
        self._country = sync_connection.country if sync_connection else country

    @cached_property
    def app(self) -> oauth.App:
        """The app registration and its addresses.

        Raises:
            NotConfigured: The Airflow connection is missing or incomplete.
        """
        connection = self.connection
        return oauth.App.of(self._country, connection.login or "", connection.password or "", self.extras)

    def get_conn(self) -> ExactOnlineClient:  # type: ignore[override]  # HttpHook hands out a bare session
        """A client of the sync connection's administration.

        Raises:
            NotConfigured: The hook has no sync connection or store.
        """
        return self._client(RULES)

    def _client(self, rules: BudgetRules) -> ExactOnlineClient:
        connection, _, keeper = self._opened()
        return ExactOnlineClient(
            self._session(self.app.api_url),
            self.app.api_url,
            keeper,
            division=connection.administration or None,
            budget=self._budget(rules),
            hosts=self.app.hosts,
        )

    def source(self) -> ExactSource:
        """The administration as the pipeline reads it."""
        return ExactSource(self.get_conn())

    def exporter(self, settings: Mapping[str, Any]) -> ExactExporter:
        """The administration as exports write to it; ``settings`` are those of the category ``work_orders``.

        What imports leave of the day's calls is for it.
        """
        return ExactExporter(self._client(replace(RULES, keep_share=0.0)), settings)

    def web_page(self, record: str, provider_id: str) -> WebPage:
        """The page of a record in Exact Online, or that of the administration."""
        administration = self._sync_connection.administration if self._sync_connection else ""
        values = {"administration": administration, "id": provider_id}
        base = web.origin(self.app.authorize_url)
        return page_of(record, values, base=base, pages=_PAGES, start=_FIRST_PAGE, extras=self.extras)

    def forgive(self) -> None:
        """Open endpoints again that were closed after errors: a person says that the cause is mended."""
        if budget := self._budget():
            budget.forgive()

    def login_address(self, state: str, verifier: str = "") -> str:  # noqa: ARG002
        """Where a person logs in; ``state`` comes back with the answer."""
        return oauth.login_address(self.app, state)

    def _exchanged(self, code: str, verifier: str) -> TokenPair:  # noqa: ARG002
        return oauth.exchange_code(self.app, code)

    def _renewed(self, refresh_token: str) -> TokenPair:
        return oauth.refresh(self.app, refresh_token)

    def end_login(self) -> None:
        """Nothing: Exact has no endpoint for that; a login that nobody uses lapses by itself."""

    def look_around(self, pair: TokenPair | None = None) -> Login:
        """Who has logged in, and which administrations may be chosen.

        Args:
            pair: A fresh pair that is no sync connection's yet; None: the sync connection's login.
        """
        if pair is None:
            client = self.get_conn()
        else:
            session = self._session(self.app.api_url)
            client = ExactOnlineClient(session, self.app.api_url, self._fresh(pair), hosts=self.app.hosts)
        try:
            me = client.me()
            rows = client.divisions(str(me["CurrentDivision"]))
        finally:
            client.close()
        usable = [row for row in rows if row["Status"] == _ACTIVE and row["BlockingStatus"] == _NOT_BLOCKED]
        administrations = [
            Administration(
                code=str(row["Code"]),
                name=str(row["Description"] or row["CustomerName"] or row["Code"]).strip(),
                country=(row["Country"] or "").strip().lower(),
                currency=(row["Currency"] or "").strip(),
            )
            for row in usable
        ]
        return Login(user_id=str(me["UserID"]), user_name=_name_of(me), administrations=administrations)

    def check(self) -> str:
        """Ask Exact who is logged in; without a login, whether it knows the app."""
        if self._sync_connection is not None:
            client = self.get_conn()
            try:
                return f"Connected to Exact Online as {_name_of(client.me())}."
            finally:
                client.close()
        return self._check_app(self.app.token_url, self._session(self.app.authorize_url))

    def _session(self, url: str) -> OAuth2Session:
        return self.dressed(OAuth2Session(self.app.client_id), url)

    def _budget(self, rules: BudgetRules = RULES) -> CallBudget | None:
        connection = self._sync_connection
        if connection is None or self._store is None or not connection.administration:
            return None
        key = f"{PACKAGE.name}:{connection.country}:{self.app.client_id}:{connection.administration}"
        return CallBudget(self._store, key, rules)


def _name_of(me: Row) -> str:
    return str(me["FullName"] or me["UserName"]).strip()
