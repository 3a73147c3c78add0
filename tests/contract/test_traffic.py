"""Every request of a whole working life is one that the vendors document, and that the strict sandbox accepts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select

from outsmart_sync.providers.exact_online import price_lists, rights
from outsmart_sync.providers.exact_online.imports import ACCOUNTS, PACKAGE, ExactStream
from outsmart_sync.providers.exact_online.stream import ExpandedStream
from outsmart_sync.providers.outsmart.wire import WIRES
from outsmart_sync.records.setting_kinds import Choice
from outsmart_sync.services.choices import choices
from outsmart_sync.store.store import Store
from outsmart_sync.store.tables import mirror
from outsmart_sync.store.vault import KEYS_VARIABLE
from sandbox import process
from support import MAIN, NORTH, Rig, connection_environment
from tests.contract.vendors import EXACT, FUNCTIONS, OUTSMART, conditions

ALL_ON: dict[str, Any] = {"licence": "pro"} | {category.name: {"enabled": True} for category in PACKAGE.imports}
WORK_ORDER_CALLS = {"PostWorkorders", "GetWorkorders", "GetWorkorder", "UpdateWorkorder"}
FILTER = {"key", "value", "operator"}
OPTIONS = {"include_inactive": True, "include_blocked": True}
Call = dict[str, Any]


@pytest.fixture(scope="module")
def calls(databases: Any) -> Iterator[list[Call]]:
    """What both vendors received: login, first import, changes, deletions, preview, full, chosen codes, idling."""
    store = Store(databases.make("sqlite"))
    with process.start(relations=1_100, items=120) as vendors, pytest.MonkeyPatch.context() as patch:
        for name, value in connection_environment(vendors, store, NORTH).items():
            patch.setenv(name, value)
        patch.setenv(KEYS_VARIABLE, Fernet.generate_key().decode())
        live(Rig(store, vendors))
        yield vendors.control.calls()
    store.close()


def live(rig: Rig) -> None:
    """A working life."""
    control = rig.vendors.control
    connection = rig.connect(**(ALL_ON | {"relations": {"enabled": True} | OPTIONS}))
    for category in PACKAGE.imports:
        for each in category.filters:
            if isinstance(each, Choice):
                choices(rig.gateway, connection, category.name, each.name)
    source = rig.gateway.door(connection).source()
    source.beginning(ACCOUNTS, date(2026, 1, 31))
    source.close()
    rig.sync()
    rig.sync()
    accounts = control.exact_rows(MAIN, "crm/Accounts")
    for resource in ("crm/Accounts", "crm/Contacts", "crm/Addresses", "logistics/Items", "logistics/SalesItemPrices"):
        control.touch_exact(MAIN, resource, 5)
    control.delete_exact(MAIN, "crm/Accounts", accounts[0]["ID"])
    control.delete_exact(MAIN, "logistics/Items", control.exact_rows(MAIN, "logistics/Items")[0]["ID"])
    rig.sync(preview=True)
    rig.sync()
    rig.sync(full=True)
    codes = [row["Code"].strip() for row in accounts[1:30]]
    rig.sync("relations", codes=tuple(codes))
    items = [row["Code"] for row in control.exact_rows(MAIN, "logistics/Items")]
    for category in ("materials", "hour_types"):
        rig.sync(category, codes=tuple(items[:25]))
    rig.sync("materials", codes=("O'Brien & zonen",))
    rig.sync("categories", codes=(control.exact_rows(MAIN, "logistics/ItemGroups")[0]["Code"],))
    rig.sync("warehouses", codes=(control.exact_rows(MAIN, "inventory/Warehouses")[0]["Code"],))
    _take_production(rig)
    rig.sync("employees", codes=(control.exact_rows(MAIN, "payroll/Employees")[0]["Code"].strip(),))
    for category in PACKAGE.imports:
        later = category.start is not None or category.name == "price_agreements"
        if later and (codes := known_codes(rig, category.record.name)):
            rig.sync(category.name, codes=codes)


def known_codes(rig: Rig, record: str) -> tuple[str, ...]:
    """Codes of some records that were read, imported or not."""
    query = select(mirror.c.code).where(mirror.c.record == record, mirror.c.code != "").limit(3)
    with rig.store.read() as connection:
        return tuple(connection.execute(query).scalars())


def _take_production(rig: Rig) -> None:
    """Shop orders and assembly orders by their numbers; of the former one with a sales order and one with a project."""
    made = rig.vendors.control.exact_rows(MAIN, "manufacturing/ShopOrders")
    sold = {row.get("ShopOrder") for row in rig.vendors.control.exact_rows(MAIN, "salesorder/SalesOrderLines")}
    chosen = [
        next(row for row in made if row["ID"] in sold and row["ShopOrderNumber"]),
        next(row for row in made if row.get("Project")),
    ]
    rig.sync("shop_orders", codes=tuple(f"SH-{row['ShopOrderNumber']}" for row in chosen))
    (assembled, *_) = rig.vendors.control.exact_rows(MAIN, "inventory/AssemblyOrders")
    rig.sync("assembly_orders", codes=(f"AS-{assembled['OrderNumber']}",))


def exact_calls(calls: list[Call]) -> list[Call]:
    return [call for call in calls if call["vendor"] == "exact" and call["path"].startswith("/api/v1/")]


def outsmart_calls(calls: list[Call]) -> list[Call]:
    return [call for call in calls if call["vendor"] == "outsmart"]


def test_exact_accepts_every_call(calls: list[Call]) -> None:
    refused = [call for call in exact_calls(calls) if call["status"] != 200]
    assert refused == []
    assert len(exact_calls(calls)) > 40


def test_exact_is_only_ever_read(calls: list[Call]) -> None:
    assert {call["method"] for call in exact_calls(calls)} == {"GET"}


def test_every_call_to_exact_is_one_of_its_documentation(calls: list[Call]) -> None:
    for call in exact_calls(calls):
        if function := FUNCTIONS.get(call["resource"]):
            assert set(call["query"]) == set(function.parameters)
        else:
            assert EXACT[call["resource"]].mistakes(call["query"]) == [], call


def test_every_resource_of_the_tables_is_called_at_some_time(calls: list[Call]) -> None:
    """Those that only exports use are called in `test_exact_exports.py`."""
    called = {call["resource"] for call in exact_calls(calls)}
    called.add("sales/SalesPriceListVolumeDiscounts")  # of it, only the sync endpoint's twin is read
    assert called | rights._EXPORTS.keys() == {*EXACT, *FUNCTIONS}


def test_every_stream_is_asked_for_its_own_columns(calls: list[Call]) -> None:
    streams = [(category, stream) for category in PACKAGE.imports for stream in category.streams]
    for category, stream in streams:
        assert isinstance(stream, ExactStream)
        if isinstance(stream, ExpandedStream):
            continue
        wanted = {
            ",".join((*stream.asked, "Timestamp")),
            "Timestamp",
            ",".join(sorted({*stream.columns, "Modified"})),
            ",".join(stream.asked),
        }
        asked = {call["query"]["$select"] for call in exact_calls(calls) if call["resource"] == stream.path}
        assert asked & wanted
        if stream.shared or (stream is not category.streams[0] and stream.parent is None):
            continue  # such rows are not looked up
        columns = ",".join(column for column in stream.asked if column not in stream.sync_only)
        assert columns in {
            call["query"]["$select"] for call in exact_calls(calls) if call["resource"] == stream.single
        }, stream.name


def test_price_lists_are_asked_for_their_own_columns(calls: list[Call]) -> None:
    for path, columns in price_lists.READS.items():
        asked = {call["query"]["$select"] for call in exact_calls(calls) if call["resource"] == path}
        assert any(set(each.split(",")) == set(columns) for each in asked), path


def test_no_address_comes_near_the_longest_that_exact_takes(calls: list[Call]) -> None:
    longest = max(len(call["path"]) + sum(map(len, call["query"].values())) * 3 for call in exact_calls(calls))
    assert longest < 6_000


def test_a_version_is_always_written_as_a_long_number(calls: list[Call]) -> None:
    literals = [
        literal
        for call in exact_calls(calls)
        for field, operator, literal in conditions(call["query"].get("$filter", ""))
        if field == "Timestamp" and operator == "gt"
    ]
    assert literals
    assert all(literal.endswith("L") for literal in literals)


def test_no_row_is_read_from_another_administration(calls: list[Call]) -> None:
    assert {call["division"] for call in exact_calls(calls) if call["resource"] != "current/Me"} == {str(MAIN)}


def test_outsmart_accepts_every_call(calls: list[Call]) -> None:
    refused = [call for call in outsmart_calls(calls) if (call["status"], call["code"]) != (200, 200)]
    assert refused == []


def test_every_call_to_outsmart_is_for_a_list_of_its_description(calls: list[Call]) -> None:
    written = {call["resource"] for call in outsmart_calls(calls) if call["method"] == "POST"}
    delivered = {record.at_outsmart for category in PACKAGE.imports for record in category.records if not record.kept}
    assert written - WORK_ORDER_CALLS <= {WIRES[name].endpoint for name in delivered if name in WIRES}
    assert {call["resource"] for call in outsmart_calls(calls)} <= {*OUTSMART, *WORK_ORDER_CALLS}
    assert {call["method"] for call in outsmart_calls(calls)} == {"GET", "POST"}
    lists = [call for call in outsmart_calls(calls) if call["resource"] not in WORK_ORDER_CALLS]
    assert all(set(call["query"]) <= {"token", "software_token", *FILTER} for call in lists)


def test_no_call_ever_handles_a_work_order_by_reading_it(calls: list[Call]) -> None:
    reads = [call for call in outsmart_calls(calls) if call["resource"].startswith("GetWorkorder")]
    assert reads
    assert {call["query"].get("update_status") for call in reads} == {"false"}
