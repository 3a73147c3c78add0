"""Opens vendors through their Airflow hooks; each hook is loaded only when it is used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from outsmart_sync.providers.packages import package

if TYPE_CHECKING:
    from outsmart_sync.store.connections import SyncConnection
    from outsmart_sync.store.store import Store

_OUTSMART_HOOK = "outsmart_sync.providers.outsmart.hook:OutSmartHook"


class HookGateway:
    """A gateway for any process that can read Airflow connections.

    Args:
        store: The store with vault and budgets.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def login_door(self, package: str, conn_id: str, country: str) -> Any:
        """A package's instance, for logging in."""
        return _hook(_package_hook(package))(conn_id, store=self._store, country=country)

    def door(self, connection: SyncConnection) -> Any:
        """A sync connection's administration."""
        return _hook(_package_hook(connection.package))(connection.conn_id, connection, store=self._store)

    def delivers(self, connection: SyncConnection) -> bool:
        """Whether there is an Airflow connection for the sync connection's OutSmart account."""
        return bool(self._outsmart(connection).is_configured())

    def outsmart_page(self, connection: SyncConnection, record: str, outsmart_id: str) -> Any:
        """The page of a record in OutSmart."""
        return self._outsmart(connection).web_page(record, outsmart_id)

    def destination(self, connection: SyncConnection) -> Any:
        """The sync connection's OutSmart account."""
        return self._outsmart(connection).destination()

    def completed(self, connection: SyncConnection) -> Any:
        """The completed work orders of the sync connection's OutSmart account."""
        return self._outsmart(connection).completed()

    def _outsmart(self, connection: SyncConnection) -> Any:
        return _hook(_OUTSMART_HOOK)(connection.outsmart_conn_id, connection, store=self._store)


def _package_hook(name: str) -> str:
    return package(name).hook


def _hook(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)
