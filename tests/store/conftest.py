"""What tests of the store share: databases that are quick to get."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from outsmart_sync.store.store import Store
from support import empty_tables


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, databases: Any) -> Iterator[Store]:
    """An empty store with its tables, once on each database we support."""
    if request.param == "sqlite":
        made = Store(databases.make("sqlite"))
    else:
        made = Store(request.getfixturevalue("reused_postgresql"))
        empty_tables(made)
    yield made
    made.close()


@pytest.fixture
def postgresql_store(reused_postgresql: str) -> Iterator[Store]:
    """An empty store on PostgreSQL, for what only that can do."""
    made = Store(reused_postgresql)
    empty_tables(made)
    yield made
    made.close()
