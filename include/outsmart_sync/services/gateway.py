"""How services reach vendors without knowing how their connections are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from outsmart_sync.pipeline.export_ports import CompletedWorkOrders, Exporter
    from outsmart_sync.pipeline.ports import Destination, Source
    from outsmart_sync.records.exchange import Login, WebPage
    from outsmart_sync.store.connections import SyncConnection
    from outsmart_sync.store.tokens import TokenPair


class PackageDoor(Protocol):
    """A bookkeeping package, before or after an administration was chosen; the packages' hooks are such doors."""

    takes_proof: bool
    """Whether a login may be bound to who began it by a verifier (PKCE, RFC 7636)."""

    def login_address(self, state: str, verifier: str = "") -> str:
        """Where a person logs in; with the challenge of a verifier where the package takes one."""

    def exchange_code(self, code: str, verifier: str = "") -> TokenPair:
        """The token pair of a finished login, with the verifier that its address was made with."""

    def renew(self, pair: TokenPair) -> TokenPair:
        """A new pair for one that no administration uses yet."""

    def end_login(self) -> None:
        """End the stored login at the package, where it offers that."""

    def look_around(self, pair: TokenPair | None = None) -> Login:
        """Who logged in, and which administrations may be chosen; with the stored login, or with a fresh pair."""

    def source(self) -> Source:
        """The administration, opened for reading."""

    def exporter(self, settings: Mapping[str, Any]) -> Exporter:
        """The administration, opened for exporting; only packages that declare exports have it."""

    def forgive(self) -> None:
        """Open endpoints again that were closed after errors."""

    def web_page(self, record: str, provider_id: str) -> WebPage:
        """The page of a record of this type and id in the package's web application, or its first page."""


class Gateway(Protocol):
    """Opens vendors."""

    def login_door(self, package: str, conn_id: str, country: str) -> PackageDoor:
        """A package's instance, for logging in."""

    def door(self, connection: SyncConnection) -> PackageDoor:
        """A sync connection's administration."""

    def delivers(self, connection: SyncConnection) -> bool:
        """Whether the sync connection's OutSmart account is configured."""

    def outsmart_page(self, connection: SyncConnection, record: str, outsmart_id: str) -> WebPage:
        """The page of a record in the web application of OutSmart, or its first page."""

    def destination(self, connection: SyncConnection) -> Destination:
        """The sync connection's OutSmart account, opened for reading and writing."""

    def completed(self, connection: SyncConnection) -> CompletedWorkOrders:
        """The completed work orders of that account, opened for exports."""
