"""Airflow's face on VISMA eAccounting: reads the Airflow connection and the token vault, hands out a client."""

from __future__ import annotations

from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import requests

from outsmart_sync.errors import NotConfigured
from outsmart_sync.providers.login_hook import LoginHook
from outsmart_sync.providers.visma_eaccounting import company, oauth
from outsmart_sync.providers.visma_eaccounting.client import PARALLEL, RULES, VismaClient
from outsmart_sync.providers.visma_eaccounting.exporter import ENDPOINTS, VismaExporter
from outsmart_sync.providers.visma_eaccounting.imports import PACKAGE
from outsmart_sync.providers.visma_eaccounting.price_lists import READS
from outsmart_sync.providers.visma_eaccounting.source import VismaSource
from outsmart_sync.providers.visma_eaccounting.stream import VismaStream
from outsmart_sync.providers.web_pages import page_of
from outsmart_sync.records.exchange import Login, WebPage
from outsmart_sync.store.budget import CallBudget
from outsmart_sync.store.tokens import TOKENS, login_owner, pair_of
from outsmart_sync.store.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from outsmart_sync.store.connections import SyncConnection
    from outsmart_sync.store.store import Store
    from outsmart_sync.store.tokens import TokenPair

_MOST_PARALLEL = 8
_APPLICATION = "https://eaccounting.vismaonline.com"
_PAGES = {"invoice": "#/sales/customerinvoice/{id}"}
"""Pages of the web application; that of invoices as published integrations use it, no other is public."""
_FIRST_PAGE = "#/dashboard"


class VismaEAccountingHook(LoginHook):
    """Opens VISMA eAccounting.

    Args:
        visma_eaccounting_conn_id: Airflow connection of the app: login is the client id, password the client secret,
            extras ``authorize_url``, ``token_url``, ``revocation_url``, ``api_url`` and ``web_url`` override the
            vendor's addresses, ``redirect_uri`` is the one registered with the app, ``parallel_pages`` how many pages
            of a list are fetched at a time, ``web_pages`` tells of more records where their pages are.
        sync_connection: The company to open; None: only for logging in.
        store: The store with vault and budget; needed with ``sync_connection``.
        country: Not asked for: the company says.
    """

    conn_name_attr = "visma_eaccounting_conn_id"
    default_conn_name = PACKAGE.conn_id
    conn_type = "visma_eaccounting"
    hook_name = "VISMA eAccounting"
    vendor = "VISMA"
    takes_proof = True
    renewed_after = oauth.REFRESH_AFTER

    def __init__(
        self,
        visma_eaccounting_conn_id: str = default_conn_name,
        sync_connection: SyncConnection | None = None,
        *,
        store: Store | None = None,
        country: str = "",  # noqa: ARG002  # as every package's hook
    ) -> None:
        super().__init__(visma_eaccounting_conn_id, sync_connection, store)

    @cached_property
    def app(self) -> oauth.App:
        """The app registration and its addresses.

        Raises:
            NotConfigured: The Airflow connection is missing or incomplete.
        """
        connection = self.connection
        return oauth.App.of(connection.login or "", connection.password or "", self.extras)

    def get_conn(self) -> VismaClient:  # type: ignore[override]  # HttpHook hands out a bare session
        """A client of the sync connection's company.

        Raises:
            NotConfigured: The hook has no sync connection or store.
        """
        _, store, keeper = self._opened()
        return VismaClient(
            self._session,
            self.app.api_url,
            keeper,
            budget_of=self._budgets(store),
            hosts=self.app.hosts,
            parallel=self._parallel(),
        )

    def source(self) -> VismaSource:
        """The company as the pipeline reads it."""
        chosen = self._sync_connection.administration if self._sync_connection else ""
        return VismaSource(self.get_conn(), chosen)

    def exporter(self, settings: Mapping[str, Any]) -> VismaExporter:
        """The company as exports write to it; ``settings`` are those of the category ``work_orders``."""
        return VismaExporter(self.get_conn(), settings)

    def web_page(self, record: str, provider_id: str) -> WebPage:
        """The page of a record in VISMA eAccounting, or the first one; there a person chooses the company."""
        administration = self._sync_connection.administration if self._sync_connection else ""
        values = {"administration": administration, "id": provider_id}
        return page_of(record, values, base=_APPLICATION, pages=_PAGES, start=_FIRST_PAGE, extras=self.extras)

    def forgive(self) -> None:
        """Open endpoints again that were closed after errors: a person says that the cause is mended."""
        if self._store is None:
            return
        budget_of = self._budgets(self._store)
        streams = [stream for category in PACKAGE.imports for stream in category.streams]
        lists = (stream.path for stream in streams if isinstance(stream, VismaStream))
        for path in dict.fromkeys(("companysettings", *lists, *READS, *ENDPOINTS)):
            budget_of(path).forgive()

    def login_address(self, state: str, verifier: str = "") -> str:
        """Where a person logs in; ``state`` comes back with the answer."""
        return oauth.login_address(self.app, state, verifier)

    def _exchanged(self, code: str, verifier: str) -> TokenPair:
        return oauth.exchange_code(self.app, code, verifier)

    def _renewed(self, refresh_token: str) -> TokenPair:
        return oauth.refresh(self.app, refresh_token)

    def end_login(self) -> None:
        """Revoke the sync connection's login at VISMA."""
        if self._sync_connection is None or self._store is None or self._sync_connection.login_id is None:
            return
        kept = Vault(self._store).read(login_owner(self._sync_connection.login_id), TOKENS)
        if kept is not None:
            oauth.revoke(self.app, pair_of(kept.values).refresh)

    def look_around(self, pair: TokenPair | None = None) -> Login:
        """Who has logged in, and the company that was chosen on VISMA's page, if it can be read.

        Args:
            pair: A fresh pair that is no sync connection's yet; None: the sync connection's login.

        Raises:
            AccessDenied: The company is not in order; with what to do.
        """
        chosen = ""
        if pair is None:
            client = self.get_conn()
            chosen = self._sync_connection.administration if self._sync_connection else ""
        else:
            client = VismaClient(self._session, self.app.api_url, self._fresh(pair), hosts=self.app.hosts)
        try:
            code, settings, claims = company.look(client, expected=chosen)
        finally:
            client.close()
        # A login is one person at one company: a login for another company takes nothing from this one.
        person = str(claims.get("sub") or claims.get("email") or "")
        return Login(
            user_id=f"{person}:{code}",
            user_name=str(claims.get("email") or settings.get("Email") or settings.get("Name") or "").strip(),
            administrations=[company.administration(settings, code)],
        )

    def check(self) -> str:
        """Ask VISMA for the company; without a login, whether it knows the app."""
        if self._sync_connection is not None:
            return f"Connected to VISMA eAccounting as {self.look_around().user_name}."
        return self._check_app(self.app.token_url, self._session())

    def _session(self) -> requests.Session:
        return self.dressed(requests.Session(), self.app.api_url)

    def _parallel(self) -> int:
        given = str(self.extras.get("parallel_pages") or PARALLEL)
        if not given.isdecimal() or not 1 <= int(given) <= _MOST_PARALLEL:
            raise NotConfigured(
                f"The extra parallel_pages of the connection must be from 1 to {_MOST_PARALLEL}, not '{given}'.",
                remedy="Correct it, or leave it out.",
            )
        return int(given)

    def _budgets(self, store: Store) -> Callable[[str], CallBudget]:
        """VISMA counts calls per app and endpoint; whether companies are counted apart it does not say.

        Errors count for each company: that one lacks a module or a right says nothing of the others.
        """
        app = f"{PACKAGE.name}:{self.app.client_id}"
        company = self._sync_connection.administration if self._sync_connection else ""
        return cache(lambda endpoint: CallBudget(store, f"{app}:{endpoint}", RULES, f"{app}:{company}:{endpoint}"))
