"""Airflow's face on Exact Online: reads the Airflow connection and the token vault, hands out a client."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import requests
from airflow.sdk.log import mask_secret
from requests_oauthlib import OAuth2Session

from outsmart_sync.errors import LoginExpired, NotConfigured, VendorUnavailable
from outsmart_sync.providers import web
from outsmart_sync.providers.exact_online import oauth
from outsmart_sync.providers.exact_online.client import RULES, ExactOnlineClient
from outsmart_sync.providers.exact_online.exporter import ExactExporter
from outsmart_sync.providers.exact_online.imports import PACKAGE
from outsmart_sync.providers.exact_online.source import ExactSource
from outsmart_sync.providers.vendor_hook import VendorHook
from outsmart_sync.providers.web_pages import page_of
from outsmart_sync.records.exchange import Administration, Login, WebPage
from outsmart_sync.store.budget import BudgetRules, CallBudget
from outsmart_sync.store.tokens import TokenKeeper, TokenPair, login_owner
from outsmart_sync.store.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from outsmart_sync.records.streams import Row
    from outsmart_sync.store.connections import SyncConnection
    from outsmart_sync.store.store import Store

log = logging.getLogger(__name__)

_PAGES = {"relation": "docs/CRMAccountCard.aspx?_Division_={administration}&AccountID=%7b{id}%7d"}
"""Pages of the web application; of relations' alone the address is public, from an integration's guide:
https://support.focus.teamleader.eu/hc/en-150/articles/25693702327057"""
_FIRST_PAGE = "docs/MenuPortal.aspx?_Division_={administration}"
_ACTIVE = 1
_NOT_BLOCKED = 0


class ExactOnlineHook(VendorHook):
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

    def __init__(
        self,
        exact_online_conn_id: str = default_conn_name,
        sync_connection: SyncConnection | None = None,
        *,
        store: Store | None = None,
        country: str = "nl",
    ) -> None:
        super().__init__(exact_online_conn_id)
        self._sync_connection = sync_connection
        self._store = store
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
        if self._sync_connection is None or self._store is None:
            raise NotConfigured(
                "Exact Online can only be read through a sync connection.", remedy="Connect an administration first."
            )
        if self._sync_connection.login_id is None:
            raise LoginExpired("This administration is disconnected.", remedy="Connect it again.", code="disconnected")
        keeper = TokenKeeper(
            self._store,
            Vault(self._store),
            login_owner(self._sync_connection.login_id),
            lambda refresh_token: self._masked(oauth.refresh(self.app, refresh_token)),
            refresh_after=oauth.REFRESH_AFTER,
            seen=mask_secret,
        )
        return ExactOnlineClient(
            self._session(self.app.api_url),
            self.app.api_url,
            keeper,
            division=self._sync_connection.administration or None,
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

    takes_proof = False  # Exact's pages on OAuth name no PKCE

    def login_address(self, state: str, verifier: str = "") -> str:  # noqa: ARG002
        """Where a person logs in; ``state`` comes back with the answer."""
        return oauth.login_address(self.app, state)

    def exchange_code(self, code: str, verifier: str = "") -> TokenPair:  # noqa: ARG002
        """The token pair of a finished login."""
        return self._masked(oauth.exchange_code(self.app, code))

    def renew(self, pair: TokenPair) -> TokenPair:
        """A new pair for one that no administration uses yet; the old one is dead from then on."""
        return self._masked(oauth.refresh(self.app, pair.refresh))

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
            client = ExactOnlineClient(session, self.app.api_url, _Fresh(pair), hosts=self.app.hosts)
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
        self._check_login_page()
        self._check_secret()
        return "Exact Online's login page answers and the app is known; nobody has logged in through this test."

    def _check_login_page(self) -> None:
        address = oauth.login_address(self.app, "test")
        try:
            with self._session(self.app.authorize_url) as session:
                answer = session.get(address, timeout=oauth.TIMEOUT, allow_redirects=False)
        except requests.RequestException as error:
            raise NotConfigured(
                f"Exact Online's login page at {self.app.authorize_url} cannot be reached.",
                remedy="Check the addresses in the connection and the network.",
                technical=str(error),
            ) from error
        if not answer.ok:
            raise NotConfigured(
                f"Exact Online's login page answers with error {answer.status_code}.",
                remedy="Check client id and redirect_uri: both must be those of the app's registration.",
            )

    def _check_secret(self) -> None:
        """Exchange a made-up code: Exact complains of it, or before that of the app's id and secret."""
        try:
            oauth.exchange_code(self.app, "connection-test")
        except LoginExpired:
            log.debug("Exact Online knows the app")
        except VendorUnavailable as error:
            raise NotConfigured(
                f"Exact Online's token endpoint at {self.app.token_url} does not answer as it should.",
                remedy="Check the addresses in the connection and the network.",
                technical=error.technical,
            ) from error

    def _session(self, url: str) -> OAuth2Session:
        return self.dressed(OAuth2Session(self.app.client_id), url)

    def _budget(self, rules: BudgetRules = RULES) -> CallBudget | None:
        connection = self._sync_connection
        if connection is None or self._store is None or not connection.administration:
            return None
        key = f"{PACKAGE.name}:{connection.country}:{self.app.client_id}:{connection.administration}"
        return CallBudget(self._store, key, rules)

    @staticmethod
    def _masked(pair: TokenPair) -> TokenPair:
        mask_secret(pair.access)
        mask_secret(pair.refresh)
        return pair


def _name_of(me: Row) -> str:
    return str(me["FullName"] or me["UserName"]).strip()


class _Fresh:
    """The access token of a login that is just being made; nothing is stored or renewed yet."""

    def __init__(self, pair: TokenPair) -> None:
        self._pair = pair

    def access_token(self, refused: str | None = None) -> str:
        """The token; a fresh one that is refused cannot be helped."""
        if refused is not None:
            raise LoginExpired("Exact Online refuses the login it has just given.", remedy="Start the login again.")
        return self._pair.access
