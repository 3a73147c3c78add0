"""What a start date means in figures: counted at the package, and told by the command line when it is saved."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from dated import ORDERS, ORDERS_IMPORT, declare
from outsmart_sync import cli
from outsmart_sync.errors import InvalidSettings, VendorUnavailable
from outsmart_sync.providers.packages import packages
from outsmart_sync.services import settings, start_dates
from outsmart_sync.store.store import Store
from sandbox import process
from support import MAIN, NORTH, Rig, connection_environment

RESOURCE = "salesorder/SalesOrders"


@pytest.fixture(scope="module")
def old_vendors() -> Iterator[process.SandboxProcess]:
    """The vendors, with an administration that has sold for two years."""
    with process.start(relations=200, items=100) as vendors:
        yield vendors


@pytest.fixture
def rig(sqlite_store: Store, old_vendors: process.SandboxProcess, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    """A package that also imports sales orders."""
    old_vendors.control.clear_faults()
    old_vendors.control.reset_limits()
    for name, value in connection_environment(old_vendors, sqlite_store, NORTH).items():
        monkeypatch.setenv(name, value)
    declare(monkeypatch, ORDERS_IMPORT)
    yield Rig(sqlite_store, old_vendors)
    old_vendors.control.clear_faults()


def dates(rig: Rig) -> list[date]:
    return [date.fromisoformat(row["OrderDate"][:10]) for row in rig.vendors.control.exact_rows(MAIN, RESOURCE)]


@pytest.mark.parametrize("place", [0, 20, -1])
def test_the_documents_of_a_day_and_later_are_counted_without_being_fetched(rig: Rig, place: int) -> None:
    connection = rig.connect(MAIN)
    there = sorted(dates(rig))
    first = there[place]
    rig.vendors.control.forget_calls()
    meant = start_dates.meant(rig.gateway, connection, ORDERS, first)
    assert (meant.documents, meant.total) == (len([each for each in there if each >= first]), len(there))
    assert str(meant) == f"{first}: {meant.documents} of {meant.total} dated orders"
    queries = [call["query"] for call in rig.vendors.control.calls(vendor="exact")]
    assert [(query["$top"], query["$inlinecount"]) for query in queries] == [("0", "allpages")] * 2


def test_thousands_are_easy_to_read() -> None:
    assert str(start_dates.Meant("x", "Sales orders", date(2026, 11, 20), 12, 2000)) == (
        "2026-11-20: 12 of 2,000 sales orders"
    )


def test_a_category_without_a_start_date_is_named_with_those_that_have_one(rig: Rig) -> None:
    with pytest.raises(InvalidSettings, match="'relations' has no start date") as error:
        start_dates.meant(rig.gateway, rig.connect(MAIN), "relations", date(2026, 1, 1))
    assert ORDERS in error.value.remedy


def test_a_package_that_does_not_answer_is_told(rig: Rig) -> None:
    connection = rig.connect(MAIN)
    rig.vendors.control.add_fault("status", vendor="exact", path="SalesOrders", status=503, body="", times=None)
    with pytest.raises(VendorUnavailable):
        start_dates.meant(rig.gateway, connection, ORDERS, date(2026, 1, 1))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({ORDERS: {"enabled": True}}, True),
        ({ORDERS: {"enabled": True, "start_date": "2026-01-31"}}, True),
        ({ORDERS: {"start_date": "2026-01-31"}}, False),
        ({"relations": {"enabled": True}}, False),
    ],
    ids=["on", "on from a day", "off", "another category"],
)
def test_only_dates_that_begin_to_count_are_told(rig: Rig, changes: dict[str, Any], told: bool) -> None:
    connection = rig.connect(MAIN)
    before = settings.read(rig.store, connection)
    after = settings.save(rig.store, connection, changes)
    package = packages()[connection.package]
    begun = start_dates.begun(package, before, after)
    assert (ORDERS in begun) is told
    assert start_dates.begun(package, after, after) == {}


def test_saving_on_the_command_line_says_how_many_documents_a_start_date_means(
    rig: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    connection = rig.connect(MAIN)
    there = sorted(dates(rig))
    first = there[-3]
    capsys.readouterr()
    cli.settings_set(connection.id, [f"{ORDERS}.enabled=true", f"{ORDERS}.start_date={first}"])
    said = capsys.readouterr().out
    documents = len([each for each in there if each >= first])
    assert said.splitlines()[-1] == f"{first}: {documents} of {len(there)} dated orders"
    cli.settings_set(connection.id, [f"{ORDERS}.start_date={there[0]}"], as_json=True)
    (told,) = json.loads(capsys.readouterr().out)["start_dates"]
    assert (told["category"], told["documents"], told["total"]) == (ORDERS, len(there), len(there))
    cli.settings_set(connection.id, [f"{ORDERS}.remark=x"])
    assert "sales orders" not in capsys.readouterr().out


def test_settings_are_saved_even_when_their_documents_cannot_be_counted(
    rig: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    connection = rig.connect(MAIN)
    rig.vendors.control.add_fault("status", vendor="exact", path="SalesOrders", status=503, body="", times=None)
    cli.settings_set(connection.id, [f"{ORDERS}.enabled=true", f"{ORDERS}.start_date=2026-01-31"])
    assert "2026-01-31: how many dated_orders that means could not be counted. Exact Online" in capsys.readouterr().out
    assert settings.read(rig.store, connection).categories[ORDERS]["enabled"] is True
