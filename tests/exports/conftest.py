"""The small world that the tests of exports live in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from exports.world import ExportWorld, made
from pipeline.conftest import small_vendors, sqlite_world, world  # noqa: F401  # fixtures
from pipeline.world import World


@pytest.fixture
def exporting(sqlite_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ExportWorld]:  # noqa: F811
    """Exports switched on, with customers, articles and an hour type."""
    with made(sqlite_world, tmp_path, monkeypatch) as exporting:
        yield exporting


@pytest.fixture
def exporting_anywhere(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ExportWorld]:  # noqa: F811
    """The same, once on each database."""
    with made(world, tmp_path, monkeypatch) as exporting:
        yield exporting
