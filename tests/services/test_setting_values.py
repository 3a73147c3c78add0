"""Settings of every kind: typed, shown, loaded, and refused in words; start dates are filled in when switched on."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dated import ORDERS, ORDERS_IMPORT, declare
from outsmart_sync.errors import InvalidSettings
from outsmart_sync.services import settings
from outsmart_sync.store.connections import SyncConnection
from outsmart_sync.store.store import Store
from support import added


@pytest.fixture
def connection(store: Store, monkeypatch: pytest.MonkeyPatch) -> SyncConnection:
    """A connection to a package that also imports sales orders."""
    declare(monkeypatch, ORDERS_IMPORT)
    return added(store)


def saved(store: Store, connection: SyncConnection, *typed: str) -> dict[str, Any]:
    """The sales orders' settings after these were typed."""
    return dict(settings.save(store, connection, settings.parse_all(typed)).categories[ORDERS])


def today(store: Store) -> str:
    return store.now().astimezone(ZoneInfo("Europe/Amsterdam")).date().isoformat()


def test_a_category_that_is_off_has_no_start_date_and_empty_texts(store: Store, connection: SyncConnection) -> None:
    assert settings.read(store, connection).categories[ORDERS] == {
        "enabled": False,
        "start_date": "",
        "work_type": "",
        "payment_method": "",
        "cancelled_status": "",
        "remark": "",
    }


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("2026-11-20", "2026-11-20"), (" 20-11-2026 ", "2026-11-20"), ("", ""), ("2024-02-29", "2024-02-29")],
)
def test_a_start_date_can_be_typed_either_way_round(
    store: Store, connection: SyncConnection, typed: str, kept: str
) -> None:
    assert saved(store, connection, f"{ORDERS}.start_date={typed}")["start_date"] == kept


@pytest.mark.parametrize("typed", ["tomorrow", "2026-13-01", "2026-02-30", "20/11/2026", "1753-01-01", "26-11-20"])
def test_a_start_date_that_is_none_is_refused_with_an_example(
    store: Store, connection: SyncConnection, typed: str
) -> None:
    with pytest.raises(InvalidSettings, match=r"dated_orders.start_date \(.*\) must be a date such as 2026-01-31, not"):
        saved(store, connection, f"{ORDERS}.enabled=true", f"{ORDERS}.start_date={typed}")
    assert settings.read(store, connection).categories[ORDERS]["enabled"] is False


@pytest.mark.parametrize("value", [date(2026, 11, 20), "2026-11-20"], ids=["date", "text"])
def test_a_program_may_hand_over_a_date(store: Store, connection: SyncConnection, value: Any) -> None:
    kept = settings.save(store, connection, {ORDERS: {"start_date": value}}).categories[ORDERS]
    assert kept["start_date"] == "2026-11-20"


@pytest.mark.parametrize("value", [True, 5, None, ["2026-11-20"]], ids=str)
def test_what_is_no_date_at_all_is_refused(store: Store, connection: SyncConnection, value: Any) -> None:
    with pytest.raises(InvalidSettings, match="must be a date"):
        settings.save(store, connection, {ORDERS: {"start_date": value}})


def test_switching_on_without_a_start_date_begins_today(store: Store, connection: SyncConnection) -> None:
    assert saved(store, connection, f"{ORDERS}.enabled=true")["start_date"] == today(store)


def test_a_start_date_that_was_chosen_stays_through_off_and_on(store: Store, connection: SyncConnection) -> None:
    saved(store, connection, f"{ORDERS}.start_date=2025-01-31", f"{ORDERS}.enabled=true")
    saved(store, connection, f"{ORDERS}.enabled=false")
    assert saved(store, connection, f"{ORDERS}.enabled=true")["start_date"] == "2025-01-31"


def test_emptying_the_start_date_while_switching_on_begins_anew_today(store: Store, connection: SyncConnection) -> None:
    saved(store, connection, f"{ORDERS}.start_date=2025-01-31")
    assert saved(store, connection, f"{ORDERS}.enabled=true", f"{ORDERS}.start_date=")["start_date"] == today(store)


def test_emptying_the_start_date_of_what_is_on_leaves_it(store: Store, connection: SyncConnection) -> None:
    saved(store, connection, f"{ORDERS}.start_date=2025-01-31", f"{ORDERS}.enabled=true")
    assert saved(store, connection, f"{ORDERS}.start_date=")["start_date"] == "2025-01-31"


def test_a_text_is_one_value_with_its_commas_and_equals_signs(store: Store, connection: SyncConnection) -> None:
    assert saved(store, connection, f"{ORDERS}.remark= a, b = c ")["remark"] == "a, b = c"


@pytest.mark.parametrize("value", [["a"], True, None, {"a": 1}], ids=str)
def test_a_text_that_is_none_is_refused(store: Store, connection: SyncConnection, value: Any) -> None:
    with pytest.raises(InvalidSettings, match=r"dated_orders.work_type \(.*: Type of work\) must be one value"):
        settings.save(store, connection, {ORDERS: {"work_type": value}})


def test_dates_and_texts_that_are_shown_can_be_loaded(store: Store, connection: SyncConnection, tmp_path: Path) -> None:
    saved(store, connection, f"{ORDERS}.start_date=2025-01-31", f"{ORDERS}.enabled=true", f"{ORDERS}.remark=0100")
    before = settings.read(store, connection)
    file = tmp_path / "settings.yaml"
    file.write_text(settings.as_yaml(before.as_document()), encoding="utf-8")
    assert settings.save(store, connection, settings.load(file)) == before


def test_a_date_in_a_file_needs_no_quotes(store: Store, connection: SyncConnection, tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(f"{ORDERS}:\n  start_date: 2025-01-31\n  remark: 12\n", encoding="utf-8")
    kept = settings.save(store, connection, settings.load(file)).categories[ORDERS]
    assert (kept["start_date"], kept["remark"]) == ("2025-01-31", "12")
