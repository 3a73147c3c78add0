"""The small world that the tests of the steps live in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from outsmart_sync.store.store import Store
from pipeline.world import World, made
from sandbox import process


@pytest.fixture(scope="session")
def small_vendors() -> Iterator[process.SandboxProcess]:
    """The vendors' servers, for all tests of the steps; each test begins with an empty administration."""
    with process.start(relations=1, items=1) as vendors:
        yield vendors


@pytest.fixture
def world(store: Store, small_vendors: process.SandboxProcess, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The small world, once on each database."""
    with made(store, small_vendors, monkeypatch) as world:
        yield world


@pytest.fixture
def sqlite_world(
    sqlite_store: Store, small_vendors: process.SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    """The small world on SQLite, where the database makes no difference."""
    with made(sqlite_store, small_vendors, monkeypatch) as world:
        yield world


@pytest.fixture
def quick_world(
    store: Store, small_vendors: process.SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    """The small world, with clients that do not pause before they try again."""
    with made(store, small_vendors, monkeypatch, quick=True) as world:
        yield world
