"""What the hooks of packages share: a person logs in at the vendor, and the vault keeps the login's token pairs."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, ClassVar

import requests
from airflow.sdk.log import mask_secret

from outsmart_sync.errors import LoginExpired, NotConfigured, VendorUnavailable
from outsmart_sync.providers.token_endpoint import TIMEOUT
from outsmart_sync.providers.vendor_hook import VendorHook
from outsmart_sync.store.tokens import TokenKeeper, TokenPair, login_owner
from outsmart_sync.store.vault import Vault

if TYPE_CHECKING:
    from outsmart_sync.store.connections import SyncConnection
    from outsmart_sync.store.store import Store

log = logging.getLogger(__name__)


class LoginHook(VendorHook):
    """Base of the hooks of packages.

    Args:
        conn_id: Airflow connection of the app.
        sync_connection: The administration to open; None: only for logging in.
        store: The store with vault and budgets; needed with ``sync_connection``.
    """

    vendor: ClassVar[str]
    """What sentences call the package."""
    takes_proof: ClassVar[bool]
    """Whether a login carries a proof that who finishes it began it (RFC 7636)."""
    renewed_after: ClassVar[int]
    """Seconds after receipt from which an access token is renewed."""

    def __init__(self, conn_id: str, sync_connection: SyncConnection | None, store: Store | None) -> None:
        super().__init__(conn_id)
        self._sync_connection = sync_connection
        self._store = store

    def login_address(self, state: str, verifier: str = "") -> str:
        """Where a person logs in; ``state`` comes back with the answer."""
        raise NotImplementedError

    def exchange_code(self, code: str, verifier: str = "") -> TokenPair:
        """The token pair of a finished login."""
        return _masked(self._exchanged(code, verifier))

    def renew(self, pair: TokenPair) -> TokenPair:
        """A new pair for one that no administration uses yet; the old one may be dead from then on."""
        return _masked(self._renewed(pair.refresh))

    def _exchanged(self, code: str, verifier: str) -> TokenPair:
        """The pair for a code."""
        raise NotImplementedError

    def _renewed(self, refresh_token: str) -> TokenPair:
        """The pair for a refresh token."""
        raise NotImplementedError

    def _opened(self) -> tuple[SyncConnection, Store, TokenKeeper]:
        """What a client of the sync connection's administration needs.

        Raises:
            NotConfigured: The hook has no sync connection or store.
            LoginExpired: The administration is disconnected.
        """
        connection, store = self._sync_connection, self._store
        if connection is None or store is None:
            raise NotConfigured(
                f"{self.hook_name} can only be read through a sync connection.",
                remedy="Connect an administration first.",
            )
        if connection.login_id is None:
            raise LoginExpired("This administration is disconnected.", remedy="Connect it again.", code="disconnected")
        keeper = TokenKeeper(
            store,
            Vault(store),
            login_owner(connection.login_id),
            lambda refresh_token: _masked(self._renewed(refresh_token)),
            refresh_after=self.renewed_after,
            seen=mask_secret,
        )
        return connection, store, keeper

    def _fresh(self, pair: TokenPair) -> _Fresh:
        """The access token of a login that is just being made."""
        return _Fresh(self.vendor, pair)

    def _check_app(self, token_url: str, session: requests.Session) -> str:
        """Whether the login page answers and the vendor knows the app; as far as that shows without a login.

        Args:
            token_url: The token endpoint.
            session: Goes to the login page; closed afterwards.
        """
        address = self.login_address("test")
        page = address.partition("?")[0]
        try:
            with session:
                answer = session.get(address, timeout=TIMEOUT, allow_redirects=False)
        except requests.RequestException as error:
            raise NotConfigured(
                f"{self.vendor}'s login page at {page} cannot be reached.",
                remedy="Check the addresses in the connection and the network.",
                technical=str(error),
            ) from error
        if not answer.ok:
            raise NotConfigured(
                f"{self.vendor}'s login page answers with error {answer.status_code}.",
                remedy="Check client id and redirect_uri: both must be those of the app's registration.",
            )
        try:
            self._exchanged("connection-test", "")  # the vendor complains of it, or before that of the app
        except LoginExpired:
            log.debug("%s knows the app", self.vendor)
        except VendorUnavailable as error:
            raise NotConfigured(
                f"{self.vendor}'s token endpoint at {token_url} does not answer as it should.",
                remedy="Check the addresses in the connection and the network.",
                technical=error.technical,
            ) from error
        return f"{self.vendor}'s login page answers and the app is known; nobody has logged in through this test."


class _Fresh:
    """The access token of a login that is just being made; nothing is stored or renewed yet."""

    def __init__(self, vendor: str, pair: TokenPair) -> None:
        self._vendor = vendor
        self._pair = pair

    def access_token(self, refused: str | None = None) -> str:
        """The token; a fresh one that is refused cannot be helped."""
        if refused is not None:
            raise LoginExpired(f"{self._vendor} refuses the login it has just given.", remedy="Start the login again.")
        return self._pair.access


def _masked(pair: TokenPair) -> TokenPair:
    """A pair that Airflow's logs do not show."""
    mask_secret(pair.access)
    mask_secret(pair.refresh)
    return pair
