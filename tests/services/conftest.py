"""What tests of the services share: databases that are quick to get."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import outsmart_sync.providers.vendor_hook  # noqa: F401 - Airflow sets up logging anew when it is first loaded
from outsmart_sync.store.store import Store
from sandbox.process import SandboxProcess
from support import NORTH, Rig, connection_environment, empty_tables, warmed


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, databases: Any) -> Iterator[Store]:
    """An empty store with its tables, once on each database we support."""
    if request.param == "sqlite":
        made = warmed(Store(databases.make("sqlite")))
    else:
        made = warmed(Store(request.getfixturevalue("reused_postgresql")))
        empty_tables(made)
    yield made
    made.close()


@pytest.fixture
def sqlite_rig(sqlite_store: Store, fresh_vendors: SandboxProcess, monkeypatch: pytest.MonkeyPatch) -> Rig:
    """As ``rig``, where the database makes no difference."""
    for name, value in connection_environment(fresh_vendors, sqlite_store, NORTH).items():
        monkeypatch.setenv(name, value)
    return Rig(sqlite_store, fresh_vendors)
