"""Settings that only exports have: rules, a cut-off moment, texts of which only some exist."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from exports.world import declare
from outsmart_sync.errors import InvalidSettings
from outsmart_sync.services import export_switch, settings
from outsmart_sync.store.connections import SyncConnection
from outsmart_sync.store.store import Store
from support import added


def connected(store: Store, administration: str = "1", account: str = "demo") -> SyncConnection:
    return added(store, administration, outsmart_account=account)


@pytest.fixture
def connection(sqlite_store: Store, monkeypatch: pytest.MonkeyPatch) -> SyncConnection:
    declare(monkeypatch)
    return connected(sqlite_store)


def saved(store: Store, connection: SyncConnection, **values: Any) -> Any:
    return settings.save(store, connection, {"work_orders": values}).categories["work_orders"]


def test_what_would_be_billed_twice_is_held_at_first(sqlite_store: Store, connection: SyncConnection) -> None:
    found = settings.read(sqlite_store, connection).categories["work_orders"]
    assert found["enabled"] is False
    assert found["payment_methods"] == dict.fromkeys(("contant voldaan", "pin betaling", "conform offerte"), "hold")
    assert found["types_of_work"] == {"Garantie": "hold"}
    assert (found["document"], found["failure_status"], found["cut_off"]) == ("sales_order", "", "")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("contant voldaan=hold, op rekening=journal:71", {"contant voldaan": "hold", "op rekening": "journal:71"}),
        ({"op rekening": "condition:30"}, {"op rekening": "condition:30"}),
        ("", {}),
    ],
)
def test_rules_are_typed_as_pairs_or_loaded_as_a_mapping(
    sqlite_store: Store, connection: SyncConnection, typed: Any, kept: dict[str, str]
) -> None:
    assert saved(sqlite_store, connection, payment_methods=typed)["payment_methods"] == kept


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("payment_methods", "pin betaling=perhaps", "'perhaps' for 'pin betaling' is none of export, hold, free"),
        ("payment_methods", "pin betaling=journal:", "is none of"),
        ("document", "quotation", "'quotation' is none of sales_order, sales_invoice, hours"),
        ("hour_rounding", "7", "none of 0, 5, 15, 30"),
        ("cut_off", "yesterday", "must be a date"),
        ("cut_off", "0001-01-01", "must be a"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_saved(
    sqlite_store: Store, connection: SyncConnection, name: str, value: str, said: str
) -> None:
    with pytest.raises(InvalidSettings, match=said):
        saved(sqlite_store, connection, **{name: value})
    assert settings.read(sqlite_store, connection).categories["work_orders"]["enabled"] is False


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("2026-01-31", "2026-01-31T00:00:00+00:00"),
        ("31-01-2026", "2026-01-31T00:00:00+00:00"),
        ("2026-01-31T12:00+01:00", "2026-01-31T11:00:00+00:00"),
    ],
)
def test_a_cut_off_is_a_moment(sqlite_store: Store, connection: SyncConnection, typed: str, kept: str) -> None:
    assert saved(sqlite_store, connection, enabled=True, cut_off=typed)["cut_off"] == kept


def test_exports_begin_when_they_are_switched_on(sqlite_store: Store, connection: SyncConnection) -> None:
    from datetime import datetime

    before = sqlite_store.now() - timedelta(seconds=1)
    first = saved(sqlite_store, connection, enabled=True)["cut_off"]
    assert before <= datetime.fromisoformat(first) <= sqlite_store.now()
    saved(sqlite_store, connection, cut_off="2026-01-01")
    assert saved(sqlite_store, connection, enabled=True)["cut_off"].startswith("2026-01-01")
    saved(sqlite_store, connection, enabled=False)
    assert saved(sqlite_store, connection, enabled=True)["cut_off"] >= first


def test_both_packages_would_bill_everything_so_only_one_may(sqlite_store: Store, connection: SyncConnection) -> None:
    other, elsewhere = connected(sqlite_store, "2"), connected(sqlite_store, "3", "another account")
    saved(sqlite_store, connection, enabled=True)
    saved(sqlite_store, elsewhere, enabled=True)
    with pytest.raises(InvalidSettings, match=f"connection {connection.id} already exports"):
        saved(sqlite_store, other, enabled=True)
    assert export_switch.exporting(sqlite_store, "demo") == [connection.id]
    saved(sqlite_store, connection, enabled=False)
    assert saved(sqlite_store, other, enabled=True)["enabled"]
