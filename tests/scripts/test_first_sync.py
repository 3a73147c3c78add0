"""The quick start keeps the schedule from its first sync, and gives it back, also after one that was killed."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

import quickstart
from outsmart_sync.services import settings
from outsmart_sync.store import connections
from outsmart_sync.store.store import Store
from quickstart import Quickstart
from support import added


@pytest.fixture
def paused(sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that names who is kept from the schedule; there are two connections, the second one by hand only."""
    for number in (1, 2):
        added(sqlite_store, str(number), outsmart_account=str(number))
    settings.save(sqlite_store, connections.require(sqlite_store, 2), {settings.AUTOMATIC: False})
    monkeypatch.setattr(Quickstart, "_store", staticmethod(lambda: sqlite_store))
    monkeypatch.setattr(quickstart, "_PAUSED_FILE", tmp_path / "paused.json")
    return tmp_path / "paused.json"


def automatic(store: Store) -> list[bool]:
    return [settings.read(store, each).automatic for each in connections.find(store)]


def test_it_is_given_back_at_the_end_also_of_one_that_failed(sqlite_store: Store, paused: Path) -> None:
    def fails() -> None:
        with Quickstart(argparse.Namespace())._no_scheduled_run():
            assert automatic(sqlite_store) == [False, False]
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert automatic(sqlite_store) == [True, False]
    assert not paused.exists()


def test_the_next_one_gives_back_what_a_killed_one_took(sqlite_store: Store, paused: Path) -> None:
    killed = Quickstart(argparse.Namespace())._no_scheduled_run()
    killed.__enter__()
    with Quickstart(argparse.Namespace())._no_scheduled_run():
        assert automatic(sqlite_store) == [False, False]
        assert paused.exists()
    assert automatic(sqlite_store) == [True, False]
    assert not paused.exists()


def test_one_that_was_erased_meanwhile_is_left_out(sqlite_store: Store, paused: Path) -> None:
    paused.write_text("[1, 77]", encoding="utf-8")
    with Quickstart(argparse.Namespace())._no_scheduled_run():
        pass
    assert automatic(sqlite_store) == [True, False]
