"""Start dates: old documents are neither read nor brought, and no change of the date loses or doubles one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

import outsmart_sync.providers.vendor_hook  # noqa: F401 - Airflow sets up logging anew when it is first loaded
from dated import AHEAD, HEADERS, LINES, ORDERS, ORDERS_IMPORT, WHOLE_ORDERS_IMPORT, columns_of, declare
from outsmart_sync.errors import AccessDenied
from outsmart_sync.records.values import decode
from outsmart_sync.store.store import Store
from outsmart_sync.store.tables import mirror, part
from pipeline.world import DIVISION, World, day
from sandbox import process
from support import MAIN, Rig, connection_environment

RESOURCE = "salesorder/SalesOrders"
TIMESTAMP = "read/sync/Sync/SyncTimestamp"
RECORD = "category"
OFF: dict[str, Any] = {name: {"enabled": False} for name in ("relations", "materials", "hour_types")}


def remove_orders(world: World) -> None:
    if ids := [row["OrderID"] for row in world.control.exact_rows(DIVISION, RESOURCE)]:
        world.delete(RESOURCE, *ids)


@pytest.fixture
def orders(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Sales orders are imported, those dated today or later."""
    declare(monkeypatch, ORDERS_IMPORT)
    remove_orders(world)
    world.settings(**OFF, dated_orders={"enabled": True})
    yield world
    remove_orders(world)


def order(world: World, name: str, days: int) -> str:
    """An order dated so many days from today; returns its number."""
    row = world._add(RESOURCE, {"Description": name, "OrderDate": day(world.work_day(days))})
    return str(next(each["OrderNumber"] for each in world.control.exact_rows(DIVISION, RESOURCE) if row in _ids(each)))


def _ids(row: dict[str, Any]) -> tuple[str, str]:
    return row["ID"], row["OrderID"]


def redate(world: World, number: str, days: int) -> None:
    rows = world.control.exact_rows(DIVISION, RESOURCE)
    key = next(row["OrderID"] for row in rows if str(row["OrderNumber"]) == number)
    world.change(RESOURCE, key, OrderDate=day(world.work_day(days)))


def start(world: World, days: int) -> None:
    world.settings(dated_orders={"start_date": world.work_day(days).isoformat()})


def test_documents_of_earlier_days_do_not_come_and_those_of_the_day_itself_do(orders: World) -> None:
    old, new, later = order(orders, "old", -1), order(orders, "new", 0), order(orders, "later", 30)
    counts = orders.counts(ORDERS)
    assert (counts.excluded, counts.created) == (1, 2)
    assert set(orders.outsmart("categories")) == {new, later}
    assert orders.states(RECORD)[old] == ("excluded", "before_start")
    assert orders.kept(RECORD, old).dated_on == orders.work_day(-1)


def test_a_document_that_is_there_stays_up_to_date_whatever_its_date_becomes(orders: World) -> None:
    number = order(orders, "new", 0)
    orders.counts(ORDERS)
    redate(orders, number, -400)
    rows = orders.control.exact_rows(DIVISION, RESOURCE)
    orders.change(RESOURCE, rows[0]["OrderID"], Description="renamed")
    assert orders.counts(ORDERS).updated == 1
    assert orders.outsmart("categories")[number]["cat_name"] == "renamed"


def test_a_document_that_is_dated_anew_comes_in(orders: World) -> None:
    number = order(orders, "old", -1)
    assert orders.counts(ORDERS).excluded == 1
    redate(orders, number, 1)
    assert orders.counts(ORDERS).created == 1
    assert orders.kept(RECORD, number).dated_on == orders.work_day(1)


def test_a_later_start_date_keeps_out_what_is_new_and_leaves_what_is_there(orders: World) -> None:
    there = order(orders, "there", 0)
    orders.counts(ORDERS)
    start(orders, 10)
    new = order(orders, "new", 5)
    counts = orders.counts(ORDERS)
    assert (counts.excluded, counts.unchanged) == (1, 1)
    assert orders.states(RECORD) == {there: ("synced", None), new: ("excluded", "before_start")}


def test_an_earlier_start_date_is_work_and_brings_what_it_kept_out(orders: World) -> None:
    number = order(orders, "old", -5)
    orders.counts(ORDERS)
    assert orders.poll() == []
    start(orders, -5)
    assert orders.poll() == [ORDERS]
    assert orders.counts(ORDERS).created == 1
    assert set(orders.outsmart("categories")) == {number}
    assert orders.poll() == []


@pytest.mark.parametrize(
    "change",
    [{"work_type": "Service"}, {"remark": "x"}, {"start_date": "2020-02-02"}],
    ids=lambda change: next(iter(change)),
)
def test_every_kind_of_setting_is_part_of_the_rules_that_records_are_judged_by(
    orders: World, change: dict[str, str]
) -> None:
    before = orders.work(ORDERS).job.rules
    orders.settings(dated_orders=change)
    assert orders.work(ORDERS).job.rules != before


def test_records_are_judged_again_without_a_call_when_a_text_changes(orders: World) -> None:
    order(orders, "new", 0)
    orders.counts(ORDERS)
    orders.settings(dated_orders={"remark": "other"})
    orders.forget_calls()
    assert orders.poll() == [ORDERS]
    assert orders.reads() == []
    work = orders.work(ORDERS)
    assert work.extract() == 1
    assert [row.origin for row in work.staged() if row.seq >= 0] == ["pending"]


# From here on with two years of orders, as the sandbox makes them.


@pytest.fixture(scope="module")
def old_vendors() -> Iterator[process.SandboxProcess]:
    """The vendors, with an administration that has sold for two years."""
    with process.start(relations=200, items=100) as vendors:
        yield vendors


@pytest.fixture
def years(store: Store, old_vendors: process.SandboxProcess, monkeypatch: pytest.MonkeyPatch) -> World:
    """Orders with their lines, not yet switched on; the import ends in the mirror."""
    old_vendors.control.clear_faults()
    old_vendors.control.reset_limits()
    for name, value in connection_environment(old_vendors, store, None).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AIRFLOW_CONN_OUTSMART_DEFAULT", raising=False)
    declare(monkeypatch, WHOLE_ORDERS_IMPORT)
    rig = Rig(store, old_vendors)
    return World(rig, rig.connect(MAIN), rig.gateway)


def switch_on(world: World, first: date) -> None:
    world.settings(dated_orders={"enabled": True, "start_date": first.isoformat()})
    world.forget_calls()


def dated(world: World, first: date) -> set[str]:
    """Numbers of the orders that Exact has of this day and later."""
    rows = world.control.exact_rows(MAIN, RESOURCE)
    return {str(row["OrderNumber"]) for row in rows if date.fromisoformat(row["OrderDate"][:10]) >= first}


def brought(world: World) -> set[str]:
    return {code for code, (state, _) in world.states("order").items() if state == "synced"}


def lines_of(world: World) -> dict[str, int]:
    """Number → lines of the orders that were brought, as Exact has them."""
    numbers = {row["OrderID"]: str(row["OrderNumber"]) for row in world.control.exact_rows(MAIN, RESOURCE)}
    found = dict.fromkeys(brought(world), 0)
    for row in world.control.exact_rows(MAIN, "salesorder/SalesOrderLines"):
        if numbers.get(row["OrderID"]) in found:
            found[numbers[row["OrderID"]]] += 1
    return found


def asked_for(world: World) -> list[tuple[str, str]]:
    """Endpoint and day of each question where a day lies in a stream."""
    queries = [call["query"] for call in world.reads(path="SyncTimestamp")]
    return [(query["endPoint"].strip("'"), query["modified"][9:19]) for query in queries]


@pytest.mark.parametrize("days", [5, 60, 300])
def test_years_of_old_documents_are_never_read(years: World, days: int) -> None:
    first = years.work_day(-days)
    switch_on(years, first)
    counts = years.counts(ORDERS)
    there = years.control.exact_rows(MAIN, RESOURCE)
    since = (first - timedelta(days=AHEAD)).isoformat()
    assert asked_for(years) == [("SalesOrderHeaders", since), ("SalesOrderLines", since)]
    since_then = len([row for row in there if row["Modified"][:10] >= since])
    assert counts.read in (since_then, since_then + 1)  # the last row before that day may come along
    assert counts.read < len(there)
    assert brought(years) == dated(years, first)
    assert all(filters != "Timestamp gt 1L" for path in (HEADERS, LINES) for filters in columns_of(years.reads(), path))


def test_every_document_that_comes_has_all_its_lines(years: World) -> None:
    switch_on(years, years.work_day(-120))
    years.counts(ORDERS)
    held: dict[str, int] = {}
    kept = {row.provider_id: row.code for row in years.rows(mirror, record="order", state="synced")}
    for row in years.rows(part):
        if row.parent_id in kept:
            held[kept[row.parent_id]] = held.get(kept[row.parent_id], 0) + 1
    assert held == {number: count for number, count in lines_of(years).items() if count}


def test_an_idle_cycle_costs_one_call_a_stream_and_one_for_deletions(years: World) -> None:
    switch_on(years, years.work_day(-5))
    years.counts(ORDERS)
    years.forget_calls()
    assert years.poll() == []
    assert sorted(call["resource"] for call in years.reads()) == sorted([HEADERS, LINES, "sync/Deleted"])


def test_a_full_run_begins_at_the_start_date_and_takes_nothing_for_deleted(years: World) -> None:
    first = years.work_day(-30)
    switch_on(years, first)
    years.counts(ORDERS)
    before = years.states("order")
    years.forget_calls()
    counts = years.counts(ORDERS, full=True)
    since = (first - timedelta(days=AHEAD)).isoformat()
    assert asked_for(years) == [("SalesOrderHeaders", since), ("SalesOrderLines", since)]
    assert (counts.deleted, counts.created) == (0, 0)
    assert years.states("order") == before


def test_a_start_date_that_moves_back_is_read_from_and_loses_nothing(years: World) -> None:
    switch_on(years, years.work_day(-30))
    years.counts(ORDERS)
    earlier = years.work_day(-500)
    switch_on(years, earlier)
    years.counts(ORDERS)
    assert brought(years) == dated(years, earlier)
    assert {asked for _, asked in asked_for(years)} == {(earlier - timedelta(days=AHEAD)).isoformat()}
    years.forget_calls()
    years.counts(ORDERS)
    assert asked_for(years) == []


def test_a_start_date_that_moves_on_is_not_read_from_and_a_full_run_still_sees_what_is_there(years: World) -> None:
    early = years.work_day(-400)
    switch_on(years, early)
    years.counts(ORDERS)
    there = brought(years)
    switch_on(years, years.work_day(-5))
    counts = years.counts(ORDERS)
    assert asked_for(years) == []
    assert (counts.excluded, counts.deleted) == (len(years.states("order")) - len(there), 0)
    assert brought(years) == there
    counts = years.counts(ORDERS, full=True)
    assert {asked for _, asked in asked_for(years)} == {(early - timedelta(days=AHEAD)).isoformat()}
    assert (counts.created, counts.updated, counts.deleted) == (0, 0, 0)
    assert brought(years) == there


def test_a_date_that_moves_back_while_a_read_is_interrupted_is_read_from_afterwards(years: World) -> None:
    switch_on(years, years.work_day(-30))
    work = years.work(ORDERS)
    years.control.add_fault("status", vendor="exact", path="SalesOrderLines", status=403, body="no", times=None)
    with pytest.raises(AccessDenied):
        work.extract()
    years.control.clear_faults()
    earlier = years.work_day(-300)
    years.settings(dated_orders={"start_date": earlier.isoformat()})
    resumed = years.work(ORDERS, run_id=work.job.run_id)
    resumed.through()
    years.counts(ORDERS)
    assert brought(years) == dated(years, earlier)
    assert years.cursors()[ORDERS, "started"] == earlier.isoformat()


def test_a_stream_whose_positions_exact_does_not_tell_is_read_whole_and_judged_alike(years: World) -> None:
    years.control.add_fault("status", vendor="exact", path="SyncTimestamp", status=400, body="no", times=None)
    first = years.work_day(-30)
    switch_on(years, first)
    counts = years.counts(ORDERS)
    years.control.clear_faults()
    assert brought(years) == dated(years, first)
    assert counts.read == len(years.control.exact_rows(MAIN, RESOURCE))
    again = years.counts(ORDERS, full=True)  # which tells them now, so that less is read
    assert (again.read < counts.read, again.deleted) == (True, 0)


def test_a_preview_with_another_date_moves_nothing(years: World) -> None:
    switch_on(years, years.work_day(-30))
    years.counts(ORDERS)
    before = years.cursors()
    switch_on(years, years.work_day(-300))
    years.sync(ORDERS, preview=True)
    assert years.cursors() == before
    years.counts(ORDERS)
    assert brought(years) == dated(years, years.work_day(-300))


def test_an_old_order_that_comes_in_brings_the_lines_that_lie_before_what_is_read(
    sqlite_store: Store, old_vendors: process.SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real sales orders: its header was changed today, its lines were not."""
    for name, value in connection_environment(old_vendors, sqlite_store, None).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AIRFLOW_CONN_OUTSMART_DEFAULT", raising=False)
    rig = Rig(sqlite_store, old_vendors)
    world = World(rig, rig.connect(MAIN, licence="pro", relations={"enabled": True}), rig.gateway)
    with_lines = {row["OrderID"] for row in world.control.exact_rows(MAIN, "salesorder/SalesOrderLines")}
    rows = [row for row in world.control.exact_rows(MAIN, RESOURCE) if row["OrderID"] in with_lines]
    old = min((row for row in rows if row["Status"] in (12, 20, 21)), key=lambda row: str(row["Created"]))
    soon = f"{world.work_day(10).isoformat()}T00:00:00"
    world.control.change_exact(MAIN, RESOURCE, old["OrderID"], OrderDate=soon, Status=12)
    world.counts("relations")
    world.settings(sales_orders={"enabled": True, "start_date": world.today().isoformat()})
    for full in (False, True):
        world.forget_calls()
        world.counts("sales_orders", full=full)
        (kept,) = (row for row in world.rows(mirror, record="sales_order") if row.provider_id == old["OrderID"])
        assert kept.state == "synced"
        assert "materials" in decode(kept.payload)
        looked_up = [call for call in world.reads(path="SalesOrderLines") if "OrderID" in call["query"]["$filter"]]
        assert len(looked_up) == (0 if full else 1)
