"""A store, the vendors, and the connection of VISMA's app between them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from outsmart_sync.store.store import Store
from sandbox import process
from support import SOUTH, Rig, connection_environment

LISTS = ("prices", "relations", "materials", "hourtypes", "projects", "workorders")
RESOURCES = (
    *("salespricelists/prices", "salespricelists", "orders", "projects", "articles", "customers"),
    *("customerlabels", "articlelabels"),
)
KEYS = {"salespricelists/prices": ("SalesPriceListId", "ArticleId")}
COMPANY = "leeg"
"""The sandbox's company without rows."""


@pytest.fixture(scope="module")
def shared_vendors() -> Iterator[process.SandboxProcess]:
    """The vendors' servers, with few rows."""
    with process.start(relations=12, items=14) as vendors:
        yield vendors


def at(store: Store, vendors: process.SandboxProcess, monkeypatch: pytest.MonkeyPatch) -> Rig:
    """The connections between a store and the vendors, whose changeable parts are as they were made."""
    control = vendors.control
    control.reset_visma_standings()
    control.reset_visma_limits()
    control.reset_clock()
    control.forget_visma_token_calls()
    control.switch(visma_refresh="reuse", visma_filters_refused=[], visma_retry_after=False)
    for resource in RESOURCES:
        if ids := [
            "/".join(row[name] for name in KEYS.get(resource, ("Id",))) for row in control.visma_rows(COMPANY, resource)
        ]:
            control.delete_visma(COMPANY, resource, *ids)
    for entity in LISTS:
        control.delete_outsmart("south", entity)
    for name, value in connection_environment(vendors, store, SOUTH).items():
        monkeypatch.setenv(name, value)
    control.forget_calls()
    return Rig(store, vendors)


@pytest.fixture
def visma(store: Store, vendors: process.SandboxProcess, monkeypatch: pytest.MonkeyPatch) -> Rig:
    """On each database."""
    return at(store, vendors, monkeypatch)


@pytest.fixture
def sqlite_visma(sqlite_store: Store, vendors: process.SandboxProcess, monkeypatch: pytest.MonkeyPatch) -> Rig:
    """On SQLite, where the database makes no difference."""
    return at(sqlite_store, vendors, monkeypatch)
