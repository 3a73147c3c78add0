"""Assembly orders become work orders, although nothing tells when one was changed: the last days are compared."""

from __future__ import annotations

import json
from typing import Any

import pytest

from outsmart_sync.errors import VendorUnavailable
from outsmart_sync.records.order import NEVER_SOLD
from outsmart_sync.store.tables import ledger as ledger_table
from outsmart_sync.store.tables import mirror, record_log
from pipeline.world import DIVISION, World

ASSEMBLY_ORDERS = "assembly_orders"
ORDERS, PARTS = "inventory/AssemblyOrders", "inventory/AssemblyOrders/PartItems"
PAGE = 60


@pytest.fixture
def assembly(world: World) -> World:
    """Assembly orders are on, and go to relation 1, the firm itself."""
    world.relation_by_hand("1", name="Own workshop")
    world.settings(
        licence="pro",
        assembly_orders={"enabled": True, "internal_relation": "1", "start_date": world.work_day(-200).isoformat()},
    )
    world.counts("relations")
    return world


def only(world: World) -> dict[str, Any]:
    (work_order,) = world.work_orders()
    return work_order


def materials(work_order: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each["MaterialCode"], each["MaterialNr"].replace(",", ".")) for each in work_order["Materials"] or ()]


def many(world: World, number: int) -> list[str]:
    item = world.item("P1")
    return world.control.add_exact(DIVISION, ORDERS, *[{"Item": item} for _ in range(number)])


def asked(world: World) -> list[str]:
    return [call["resource"] for call in world.reads(path="AssemblyOrders")]


def test_an_assembly_order_becomes_a_work_order_with_its_parts(assembly: World) -> None:
    order = assembly.assembly_order(
        assembly.item("P1", Description="Pump"), PlannedQuantity=3, AssemblyDate="2026-12-01", Notes="Twice tested"
    )
    assembly.part_item(order, assembly.item("B2"), 0.5)
    assembly.part_item(order, assembly.item("A1"), 6)
    assert assembly.counts(ASSEMBLY_ORDERS).created == 1
    made = only(assembly)
    assert made["WorkorderNo"] == assembly.assembly_order_number(order)
    assert made["WorkorderNo"].startswith(NEVER_SOLD)
    assert (made["CustomerDebtorNr"], made["CustomerName"], made["WorkDate"]) == ("1", "Own workshop", "01-12-2026")
    assert (made["WorkDescription"], made["InternalWorkDescription"]) == ("Twice tested", "3 P1 Pump")
    assert materials(made) == [("B2", "0.5"), ("A1", "6")]


def test_without_a_chosen_relation_it_is_rejected_and_goes_once_there_is_one(assembly: World) -> None:
    assembly.settings(assembly_orders={"internal_relation": ""})
    order = assembly.assembly_order(assembly.item("P1"))
    assert assembly.counts(ASSEMBLY_ORDERS).rejected == 1
    kept = assembly.kept("assembly_order", assembly.assembly_order_number(order))
    assert (kept.state, kept.reason) == ("rejected", "reference_unnamed")
    assembly.settings(assembly_orders={"internal_relation": "1"})
    assert ASSEMBLY_ORDERS in assembly.poll()
    assert assembly.counts(ASSEMBLY_ORDERS).created == 1


def test_it_waits_for_the_chosen_relation_and_goes_by_itself(assembly: World) -> None:
    assembly.settings(assembly_orders={"internal_relation": "WORKSHOP"})
    order = assembly.assembly_order(assembly.item("P1"))
    assert assembly.counts(ASSEMBLY_ORDERS).waiting == 1
    assert assembly.kept("assembly_order", assembly.assembly_order_number(order)).state == "waiting"
    assembly.relation_by_hand("Workshop")
    assembly.counts("relations", full=True)
    assert ASSEMBLY_ORDERS in assembly.poll()
    assert assembly.counts(ASSEMBLY_ORDERS).created == 1
    assert only(assembly)["CustomerDebtorNr"] == "Workshop"


def test_orders_to_take_apart_stay_out(assembly: World) -> None:
    assembly.assembly_order(assembly.item("P1"), Type=8061)
    assert assembly.counts(ASSEMBLY_ORDERS).created == 0
    assert assembly.work_orders() == []


@pytest.mark.parametrize(("status", "comes"), [(20, True), (30, True), (50, False)])
def test_the_chosen_statuses_come(assembly: World, status: int, *, comes: bool) -> None:
    assembly.assembly_order(assembly.item("P1"), OrderStatus=status)
    counts = assembly.counts(ASSEMBLY_ORDERS)
    assert (counts.created, counts.excluded) == ((1, 0) if comes else (0, 1))


def test_an_order_dated_before_the_first_day_stays_out(assembly: World) -> None:
    assembly.settings(assembly_orders={"start_date": assembly.work_day(-10).isoformat()})
    assembly.assembly_order(assembly.item("P1"), OrderDate=assembly.work_day(-11).isoformat())
    assembly.assembly_order(assembly.item("P2"), OrderDate=assembly.work_day(-10).isoformat())
    counts = assembly.counts(ASSEMBLY_ORDERS)
    assert (counts.created, counts.excluded) == (1, 1)


def test_a_look_without_news_is_one_call_and_so_is_the_reading_of_a_page(assembly: World) -> None:
    assembly.part_item(assembly.assembly_order(assembly.item("P1")), assembly.item("A1"))
    assembly.forget_calls()
    assembly.counts(ASSEMBLY_ORDERS)
    assert asked(assembly) == [ORDERS]
    for _ in range(2):
        assembly.forget_calls()
        assert ASSEMBLY_ORDERS not in assembly.poll()
        assert asked(assembly) == [ORDERS]


def test_the_next_reading_makes_no_other_and_asks_outsmart_nothing(assembly: World) -> None:
    assembly.part_item(assembly.assembly_order(assembly.item("P1")), assembly.item("A1"))
    assembly.counts(ASSEMBLY_ORDERS)
    assembly.forget_calls()
    assert assembly.counts(ASSEMBLY_ORDERS).unchanged == 1
    assert assembly.counts(ASSEMBLY_ORDERS, full=True).unchanged == 1
    assert len(assembly.work_orders()) == 1
    assert assembly.writes() == []


@pytest.mark.parametrize("what", ["made", "status", "part", "part made", "part gone", "deleted", "one for one"])
def test_every_difference_of_the_last_days_is_found(assembly: World, what: str) -> None:
    item = assembly.item("P1")
    order = assembly.assembly_order(item)
    part = assembly.part_item(order, item, 2)
    assembly.counts(ASSEMBLY_ORDERS)
    if what in ("made", "one for one"):
        assembly.assembly_order(item)
    if what in ("deleted", "one for one"):
        assembly.delete(ORDERS, order)
    if what == "status":
        assembly.change(ORDERS, order, OrderStatus=30)
    if what == "part":
        assembly.change(PARTS, part, Quantity=3)
    if what == "part made":
        assembly.part_item(order, item, 1)
    if what == "part gone":
        assembly.delete(PARTS, part)
    assert ASSEMBLY_ORDERS in assembly.poll()
    assembly.counts(ASSEMBLY_ORDERS)
    assert ASSEMBLY_ORDERS not in assembly.poll()


def test_parts_that_changed_change_the_work_order_while_nobody_has_begun(assembly: World) -> None:
    item = assembly.item("P1")
    order = assembly.assembly_order(item)
    part = assembly.part_item(order, item, 2)
    assembly.counts(ASSEMBLY_ORDERS)
    assembly.change(PARTS, part, Quantity=5)
    assert assembly.counts(ASSEMBLY_ORDERS).updated == 1
    assert materials(only(assembly)) == [("P1", "5")]
    assembly.move_on(assembly.assembly_order_number(order), EmployeeNr="7", status="Opgehaald")
    assembly.change(PARTS, part, Quantity=6)
    assert assembly.counts(ASSEMBLY_ORDERS).excluded == 1
    assert materials(only(assembly)) == [("P1", "5")]


def test_an_order_that_is_missing_among_the_last_days_is_deleted(assembly: World) -> None:
    assembly.by_hand("workstatusses", sta_code="X", sta_name="Cancelled")
    assembly.settings(assembly_orders={"cancelled_status": "X"})
    item = assembly.item("P1")
    gone, stays = assembly.assembly_order(item), assembly.assembly_order(item)
    assembly.counts(ASSEMBLY_ORDERS)
    number = assembly.assembly_order_number(gone)
    assembly.delete(ORDERS, gone)
    assert assembly.counts(ASSEMBLY_ORDERS).deleted == 1
    assert {each["WorkorderNo"]: each.get("WorkStatus") for each in assembly.work_orders()} == {
        number: "X",
        assembly.assembly_order_number(stays): None,
    }
    assembly.counts(ASSEMBLY_ORDERS, full=True)
    assert len(assembly.rows(record_log, reason="order_cancelled")) == 1


def test_an_order_that_leaves_the_last_days_is_left_as_it_is(assembly: World) -> None:
    item = assembly.item("P1")
    old = assembly.assembly_order(item, OrderDate=assembly.work_day(-120).isoformat())
    new = assembly.assembly_order(item, OrderDate=assembly.work_day(0).isoformat())
    assert assembly.counts(ASSEMBLY_ORDERS).created == 2
    work = assembly.work(ASSEMBLY_ORDERS, today=assembly.work_day(1))
    counts = work.through()
    assert (counts.deleted, counts.unchanged) == (0, 1)
    assert assembly.kept("assembly_order", assembly.assembly_order_number(old)).source_gone_at is None
    assembly.delete(ORDERS, old, new)
    assert assembly.work(ASSEMBLY_ORDERS, today=assembly.work_day(1)).through().deleted == 1
    states = {row.code: row.source_gone_at is not None for row in assembly.rows(mirror, record="assembly_order")}
    assert sorted(states.values()) == [False, True]


def test_an_order_of_before_the_last_days_is_never_read(assembly: World) -> None:
    assembly.assembly_order(assembly.item("P1"), OrderDate=assembly.work_day(-121).isoformat())
    assert assembly.counts(ASSEMBLY_ORDERS).created == 0


def test_parts_beyond_a_page_of_them_are_not_lost(assembly: World) -> None:
    item = assembly.item("A1")
    order = assembly.assembly_order(item)
    parts = assembly.control.add_exact(
        DIVISION, PARTS, *[{"AssemblyOrder": order, "PartItem": item, "Quantity": each + 1} for each in range(130)]
    )
    assert assembly.counts(ASSEMBLY_ORDERS).created == 1
    assert materials(only(assembly)) == [("A1", str(each + 1)) for each in range(130)]
    assert ASSEMBLY_ORDERS not in assembly.poll()
    last = max(parts)
    assembly.change(PARTS, last, Quantity=1000)
    assert ASSEMBLY_ORDERS in assembly.poll()
    assert assembly.counts(ASSEMBLY_ORDERS).updated == 1
    assert "1000" in dict(materials(only(assembly))).values() or ("A1", "1000") in materials(only(assembly))


def test_one_order_by_its_number_comes_with_all_of_its_parts(assembly: World) -> None:
    item = assembly.item("A1")
    orders = [assembly.assembly_order(item), assembly.assembly_order(item)]
    assembly.control.add_exact(
        DIVISION, PARTS, *[{"AssemblyOrder": orders[1], "PartItem": item, "Quantity": 1} for _ in range(70)]
    )
    number = assembly.assembly_order_number(orders[1])
    assert assembly.counts(ASSEMBLY_ORDERS, codes=(number,)).created == 1
    assert (only(assembly)["WorkorderNo"], len(only(assembly)["Materials"])) == (number, 70)
    counts = assembly.counts(ASSEMBLY_ORDERS)
    assert (counts.created, counts.updated, counts.deleted) == (1, 0, 0)


def test_a_change_on_any_page_is_found_when_its_turn_comes_with_one_call_a_look(sqlite_world: World) -> None:
    world = sqlite_world
    world.settings(licence="pro", assembly_orders={"enabled": True})
    orders = sorted(many(world, 2 * PAGE + 10))
    world.counts(ASSEMBLY_ORDERS)
    for turn in range(4):
        world.forget_calls()
        assert ASSEMBLY_ORDERS not in world.poll(), turn
        assert asked(world) == [ORDERS]
    world.change(ORDERS, orders[-1], Notes="Changed")
    looks = [ASSEMBLY_ORDERS in world.poll() for _ in range(3)]
    assert looks.count(True) >= 1
    world.counts(ASSEMBLY_ORDERS)
    world.delete(ORDERS, orders[0])
    assert ASSEMBLY_ORDERS in world.poll()


def test_a_list_that_changes_while_it_is_read_or_is_cut_off_deletes_nothing(sqlite_world: World) -> None:
    world = sqlite_world
    world.settings(licence="pro", assembly_orders={"enabled": True})
    orders = sorted(many(world, PAGE + 10))
    world.counts(ASSEMBLY_ORDERS)
    before = world.rows(mirror, record="assembly_order")
    work = world.work(ASSEMBLY_ORDERS)
    source, category = work.doors.source, work.job.category
    stream = category.streams[0]
    first = next(iter(source.pages(category, stream, work.job.today, after=None, resume=None)))
    assert first.next_page is not None
    world.delete(ORDERS, *orders[:5])
    with pytest.raises(VendorUnavailable, match="has changed while it was read"):
        list(source.pages(category, stream, work.job.today, after=first.cursor, resume=first.next_page))
    assert world.rows(mirror, record="assembly_order") == before


def test_a_reading_that_was_interrupted_goes_on_at_its_page(sqlite_world: World) -> None:
    world = sqlite_world
    world.settings(licence="pro", assembly_orders={"enabled": True})
    many(world, PAGE + 10)
    work = world.work(ASSEMBLY_ORDERS)
    source, category = work.doors.source, work.job.category
    stream, today = category.streams[0], work.job.today
    whole = list(source.pages(category, stream, today, after=None, resume=None))
    rest = list(source.pages(category, stream, today, after=whole[0].cursor, resume=whole[0].next_page))
    assert [page.cursor for page in rest] == [page.cursor for page in whole[1:]]
    assert json.loads(rest[-1].cursor)["count"] == PAGE + 10


@pytest.mark.parametrize("fault", ["timeout_after", "truncate"])
def test_an_order_whose_answer_was_lost_is_made_once(assembly: World, fault: str) -> None:
    order = assembly.assembly_order(assembly.item("P1"))
    rule: dict[str, Any] = {"seconds": 0.01} if fault == "timeout_after" else {}
    assembly.control.add_fault(fault, vendor="outsmart", path="PostWorkorders", times=1, **rule)
    assembly.sync(ASSEMBLY_ORDERS)
    assembly.control.clear_faults()
    for _ in range(3):
        assembly.counts(ASSEMBLY_ORDERS)
    assert [each["WorkorderNo"] for each in assembly.work_orders()] == [assembly.assembly_order_number(order)]
    (line,) = assembly.rows(ledger_table)
    assert (line.state, line.remote_id) == ("done", str(only(assembly)["id"]))
