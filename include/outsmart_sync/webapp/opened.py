"""The store and the vendors, as the API server opens them: once per process."""

from __future__ import annotations

from functools import cache

from outsmart_sync.providers.gateway import HookGateway
from outsmart_sync.store import schema
from outsmart_sync.store.hook import StoreHook
from outsmart_sync.store.store import Store


@cache
def store() -> Store:
    """The store.

    Raises:
        NotConfigured: There is no connection to it.
        StoreUnusable: It has no tables, or of another version.
    """
    opened = StoreHook().get_conn()
    try:
        schema.require_current(opened)
    except BaseException:
        opened.close()
        raise
    return opened


@cache
def gateway() -> HookGateway:
    """Opens the vendors."""
    return HookGateway(store())
