"""Shop orders become work orders: for the customer of their sales order or project, else for the firm itself."""

from __future__ import annotations

from typing import Any

import pytest

from outsmart_sync.errors import InvalidSettings
from outsmart_sync.pipeline.outcomes import explain
from outsmart_sync.records.order import NEVER_SOLD
from outsmart_sync.store.tables import ledger as ledger_table
from outsmart_sync.store.tables import mirror, part, record_log
from pipeline.world import World

SHOP_ORDERS = "shop_orders"
ORDERS, PLANS = "manufacturing/ShopOrders", "manufacturing/ShopOrderMaterialPlans"
LINES = "salesorder/SalesOrderLines"


@pytest.fixture
def shop(world: World) -> World:
    """Shop orders are on, and those without a customer go to relation 1, the firm itself."""
    world.relation_by_hand("1", name="Own workshop")
    world.settings(licence="pro", shop_orders={"enabled": True, "internal_relation": "1"})
    world.counts("relations")
    return world


def only(world: World) -> dict[str, Any]:
    (work_order,) = world.work_orders()
    return work_order


def materials(work_order: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each["MaterialCode"], each["MaterialNr"].replace(",", ".")) for each in work_order["Materials"] or ()]


def test_a_shop_order_becomes_a_work_order_with_the_material_of_its_plan(shop: World) -> None:
    pump = shop.item("P1", Description="Pump")
    order = shop.shop_order(
        pump,
        PlannedQuantity=3,
        Unit="pc",
        PlannedStartDate="2026-12-01",
        PlannedDate="2026-12-09",
        YourRef="WO 7",
        Notes="Paint it blue",
    )
    shop.plan(order, shop.item("B2"), 0.125, PlannedPriceFC=12.5)
    shop.plan(order, shop.item("A1"), 4)
    shop.plan(order, shop.item("REST"), 2, Type=2)
    assert shop.counts(SHOP_ORDERS).created == 1
    made = only(shop)
    assert made["WorkorderNo"] == shop.shop_order_number(order)
    assert made["WorkorderNo"].startswith(NEVER_SOLD)
    assert (made["WorkDate"], made["WorkDeadline"], made["ExternProjectNr"]) == ("01-12-2026", "09-12-2026", "WO 7")
    assert (made["WorkDescription"], made["InternalWorkDescription"]) == ("Paint it blue", "3 pc P1 Pump")
    assert materials(made) == [("B2", "0.125"), ("A1", "4")]
    assert {each["MaterialPrice"] for each in made["Materials"]} == {"0,00"}


def test_the_next_run_makes_no_other_and_asks_outsmart_nothing(shop: World) -> None:
    order = shop.shop_order(shop.item("P1"))
    shop.plan(order, shop.item("A1"))
    shop.counts(SHOP_ORDERS)
    shop.forget_calls()
    assert SHOP_ORDERS not in shop.poll()
    assert shop.counts(SHOP_ORDERS).created == 0
    assert shop.counts(SHOP_ORDERS, full=True).unchanged == 1
    assert len(shop.work_orders()) == 1
    assert shop.writes() == []


def test_the_customer_is_that_of_the_sales_order_for_which_it_is_made(shop: World) -> None:
    customer, payer = shop.account("100"), shop.account("200", City="Gouda")
    shop.counts("relations")
    pump = shop.item("P1")
    order = shop.shop_order(pump, Project=shop.project("PR1", shop.account("300")))
    shop.order_line(shop.order(customer, InvoiceTo=payer), pump, ShopOrder=order)
    assert shop.counts(SHOP_ORDERS).created == 1
    made = only(shop)
    assert (made["CustomerDebtorNr"], made["CustomerName"]) == ("100", "Customer 100")
    assert (made["CustomerDebtorNrInvoice"], made["CustomerCityInvoice"]) == ("200", "Gouda")


def test_without_a_sales_order_the_customer_is_that_of_the_project(shop: World) -> None:
    project = shop.project("PR1", shop.account("300"))
    shop.counts("relations")
    shop.shop_order(shop.item("P1"), Project=project)
    assert shop.counts(SHOP_ORDERS).created == 1
    assert only(shop)["CustomerDebtorNr"] == "300"


def test_without_both_it_is_work_for_the_firm_itself(shop: World) -> None:
    shop.shop_order(shop.item("P1"), Project=shop.project("PR1"))
    assert shop.counts(SHOP_ORDERS).created == 1
    made = only(shop)
    assert (made["CustomerDebtorNr"], made["CustomerName"]) == ("1", "Own workshop")
    assert made["CustomerDebtorNrInvoice"] == "1"


def test_without_any_of_them_it_is_rejected_and_goes_once_a_relation_is_chosen(shop: World) -> None:
    shop.settings(shop_orders={"internal_relation": ""})
    order = shop.shop_order(shop.item("P1"))
    assert shop.counts(SHOP_ORDERS).rejected == 1
    kept = shop.kept("shop_order", shop.shop_order_number(order))
    assert kept.state == "rejected"
    what, remedy = explain(kept.reason, kept.detail)
    assert "relation" in what
    assert "settings" in remedy
    shop.settings(shop_orders={"internal_relation": "1"})
    assert SHOP_ORDERS in shop.poll()
    assert shop.counts(SHOP_ORDERS).created == 1


def test_an_internal_relation_that_outsmart_does_not_have_is_refused(shop: World) -> None:
    from outsmart_sync.services import settings

    with pytest.raises(InvalidSettings, match="7 is not among the relations"):
        settings.save(shop.store, shop.connection, {SHOP_ORDERS: {"internal_relation": "7"}}, gateway=shop.gateway)


def test_it_waits_for_its_customer_and_goes_by_itself(shop: World) -> None:
    pump, customer = shop.item("P1"), shop.account("100", City=None)
    order = shop.shop_order(pump)
    shop.order_line(shop.order(customer), pump, ShopOrder=order)
    assert shop.counts("relations").rejected == 1
    assert shop.counts(SHOP_ORDERS).waiting == 1
    kept = shop.kept("shop_order", shop.shop_order_number(order))
    assert (kept.state, kept.reason, kept.detail) == ("waiting", "reference_open", "relation 100")
    shop.change("crm/Accounts", customer, City="Delft")
    assert SHOP_ORDERS not in shop.poll()
    shop.counts("relations")
    assert SHOP_ORDERS in shop.poll()
    assert shop.counts(SHOP_ORDERS).created == 1
    assert only(shop)["CustomerDebtorNr"] == "100"


def test_a_sales_order_of_years_ago_still_tells_the_customer(shop: World) -> None:
    """What leads to the customer is read from its beginning, whatever the first day of the orders themselves."""
    pump = shop.item("P1")
    shop.control.shift_clock(-200 * 86_400)
    try:
        order, project = shop.order(shop.account("100")), shop.project("PR1", shop.account("300"))
    finally:
        shop.control.reset_clock()
    shop.counts("relations")
    shop.order_line(order, pump, ShopOrder=shop.shop_order(pump))
    shop.shop_order(pump, Project=project)
    assert shop.counts(SHOP_ORDERS).created == 2
    assert sorted(each["CustomerDebtorNr"] for each in shop.work_orders()) == ["100", "300"]


def test_an_order_entered_before_the_first_day_stays_out(shop: World) -> None:
    shop.shop_order(shop.item("P1"), EntryDate="2020-01-01")
    assert shop.counts(SHOP_ORDERS).excluded == 1
    assert shop.work_orders() == []


@pytest.mark.parametrize(("status", "comes"), [(10, True), (20, True), (30, False), (40, False)])
def test_the_chosen_statuses_come(shop: World, status: int, *, comes: bool) -> None:
    shop.shop_order(shop.item("P1"), Status=status)
    counts = shop.counts(SHOP_ORDERS)
    assert (counts.created, counts.excluded) == ((1, 0) if comes else (0, 1))


def test_another_status_can_be_chosen(shop: World) -> None:
    shop.shop_order(shop.item("P1"), Status=30)
    assert shop.counts(SHOP_ORDERS).excluded == 1
    shop.settings(shop_orders={"statuses": ["finished"]})
    assert shop.counts(SHOP_ORDERS).created == 1


def test_a_plan_that_changed_changes_the_work_order_while_nobody_has_begun(shop: World) -> None:
    order, material = shop.shop_order(shop.item("P1")), shop.item("A1")
    line = shop.plan(order, material, 1)
    shop.counts(SHOP_ORDERS)
    shop.change(PLANS, line, PlannedQuantity=4)
    assert shop.counts(SHOP_ORDERS).updated == 1
    assert materials(only(shop)) == [("A1", "4")]
    other = shop.plan(order, shop.item("B2"), 2)
    assert shop.counts(SHOP_ORDERS).updated == 1
    assert materials(only(shop)) == [("A1", "4"), ("B2", "2")]
    shop.change(PLANS, other, Type=2)
    assert shop.counts(SHOP_ORDERS).updated == 1
    assert materials(only(shop)) == [("A1", "4")]


def test_a_customer_that_comes_later_is_told_to_a_person(shop: World) -> None:
    pump, customer = shop.item("P1"), shop.account("100")
    shop.counts("relations")
    order = shop.shop_order(pump)
    line = shop.order_line(shop.order(customer), pump)
    shop.counts(SHOP_ORDERS)
    assert only(shop)["CustomerDebtorNr"] == "1"
    shop.change(LINES, line, ShopOrder=order)
    assert shop.counts(SHOP_ORDERS).updated == 1
    (told,) = shop.rows(record_log, event="change_by_hand")
    assert "debtor number" in told.detail
    assert only(shop)["CustomerDebtorNr"] == "1"


def test_the_account_of_a_project_that_changes_reaches_the_orders_that_wait(shop: World) -> None:
    shop.settings(shop_orders={"internal_relation": ""})
    project = shop.project("PR1")
    order = shop.shop_order(shop.item("P1"), Project=project)
    other = shop.shop_order(shop.item("P2"))
    assert shop.counts(SHOP_ORDERS).rejected == 2
    customer = shop.account("100")
    shop.counts("relations")
    shop.change("project/Projects", project, Account=customer)
    assert SHOP_ORDERS in shop.poll()
    counts = shop.counts(SHOP_ORDERS)
    assert (counts.created, counts.read) == (1, 0)
    assert only(shop)["WorkorderNo"] == shop.shop_order_number(order)
    assert shop.kept("shop_order", shop.shop_order_number(other)).state == "rejected"


def test_lines_of_sales_orders_without_a_shop_order_are_not_kept(shop: World) -> None:
    customer, pump = shop.account("100"), shop.item("P1")
    shop.order_line(shop.order(customer), pump)
    shop.counts(SHOP_ORDERS)
    assert [row.stream for row in shop.rows(part)] == ["shop_order_sales_orders"]


def test_an_administration_without_projects_has_shop_orders_all_the_same(shop: World) -> None:
    order = shop.shop_order(shop.item("P1"))
    shop.control.add_fault("status", vendor="exact", path="Project/Projects", status=403, times=None)
    assert shop.counts(SHOP_ORDERS).created == 1
    shop.forget_calls()
    assert SHOP_ORDERS not in shop.poll()
    shop.touch(ORDERS, order)
    shop.counts(SHOP_ORDERS)
    assert shop.reads(path="Project/Projects") == []
    assert shop.counts(SHOP_ORDERS, codes=(shop.shop_order_number(order),)).unchanged == 1
    shop.control.clear_faults()
    shop.project("PR1")
    assert SHOP_ORDERS not in shop.poll()
    shop.counts(SHOP_ORDERS, full=True)
    shop.project("PR2")
    assert SHOP_ORDERS in shop.poll()


def test_a_cycle_without_news_asks_once_for_what_sales_orders_and_projects_read_as_well(shop: World) -> None:
    shop.settings(sales_orders={"enabled": True}, project_planning={"enabled": True}, relations={"enabled": False})
    shop.settings(materials={"enabled": False}, hour_types={"enabled": False})
    customer, pump = shop.account("100"), shop.item("P1")
    shop.order(customer)
    shop.shop_order(pump, Project=shop.project("P", customer))
    shop.sync("sales_orders", "shop_orders", "project_planning", full=True)
    read_by_one = shop.order(customer)
    shop.sync(SHOP_ORDERS)
    shop.delete("salesorder/SalesOrders", read_by_one)
    shop.sync("sales_orders", "shop_orders", "project_planning")
    shop.forget_calls()
    shop.poll()
    asked = [call["resource"] for call in shop.reads() if call["resource"].startswith("sync/")]
    assert len(asked) == len(set(asked)) == 7


def test_a_scope_that_is_missing_for_what_leads_to_the_customer_is_told(shop: World) -> None:
    shop.shop_order(shop.item("P1"))
    shop.control.change_scopes(remove=["Projects projects"])
    try:
        failed = shop.sync(SHOP_ORDERS)[SHOP_ORDERS]
    finally:
        shop.control.change_scopes(add=["Projects projects"])
    assert failed.error_code == "scope_missing"
    assert shop.work_orders() == []


@pytest.mark.parametrize("begun", [False, True], ids=["not begun", "begun"])
def test_a_deleted_order_gets_the_chosen_work_status_while_nobody_has_begun(shop: World, *, begun: bool) -> None:
    shop.by_hand("workstatusses", sta_code="X", sta_name="Cancelled")
    shop.settings(shop_orders={"cancelled_status": "X"})
    order = shop.shop_order(shop.item("P1"))
    shop.counts(SHOP_ORDERS)
    if begun:
        shop.move_on(shop.shop_order_number(order), EmployeeNr="7", status="Opgehaald")
    shop.delete(ORDERS, order)
    assert SHOP_ORDERS in shop.poll()
    assert shop.counts(SHOP_ORDERS).deleted == 1
    assert only(shop).get("WorkStatus") == (None if begun else "X")
    shop.counts(SHOP_ORDERS)
    assert len(shop.rows(record_log, reason="order_cancelled")) == 1


@pytest.mark.parametrize("status", ["Opgehaald", "Compleet", "Afgehandeld"])
def test_a_work_order_that_somebody_has_begun_is_left_alone(shop: World, status: str) -> None:
    order = shop.shop_order(shop.item("P1"), PlannedStartDate="2026-12-01")
    shop.counts(SHOP_ORDERS)
    shop.move_on(shop.shop_order_number(order), EmployeeNr="7", status=status)
    shop.change(ORDERS, order, PlannedStartDate="2026-12-24T00:00:00")
    assert shop.counts(SHOP_ORDERS).excluded == 1
    assert only(shop)["WorkDate"] == "01-12-2026"


@pytest.mark.parametrize("fault", ["timeout_after", "truncate"])
def test_an_order_whose_answer_was_lost_is_made_once(shop: World, fault: str) -> None:
    order = shop.shop_order(shop.item("P1"))
    rule: dict[str, Any] = {"seconds": 0.01} if fault == "timeout_after" else {}
    shop.control.add_fault(fault, vendor="outsmart", path="PostWorkorders", times=1, **rule)
    shop.sync(SHOP_ORDERS)
    shop.control.clear_faults()
    for _ in range(3):
        shop.counts(SHOP_ORDERS)
    assert [each["WorkorderNo"] for each in shop.work_orders()] == [shop.shop_order_number(order)]
    (line,) = shop.rows(ledger_table)
    assert (line.state, line.remote_id) == ("done", str(only(shop)["id"]))


def test_one_order_is_imported_by_its_number_with_its_customer(shop: World) -> None:
    pump, customer = shop.item("P1"), shop.account("100")
    shop.counts("relations")
    first, second, third = (
        shop.shop_order(pump, **each) for each in ({}, {}, {"Project": shop.project("P", customer)})
    )
    shop.order_line(shop.order(customer), pump, ShopOrder=second)
    shop.plan(second, shop.item("A1"), 2)
    shop.plan(second, shop.item("B2"), 2, Type=2)
    numbers = [shop.shop_order_number(each) for each in (first, second, third)]
    assert shop.counts(SHOP_ORDERS, codes=tuple(numbers[1:])).created == 2
    made = {each["WorkorderNo"]: each for each in shop.work_orders()}
    assert {number: each["CustomerDebtorNr"] for number, each in made.items()} == dict.fromkeys(numbers[1:], "100")
    assert materials(made[numbers[1]]) == [("A1", "2")]
    counts = shop.counts(SHOP_ORDERS)
    assert (counts.created, counts.updated) == (1, 0)


def test_without_an_outsmart_account_orders_end_in_the_mirror(shop: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.world import without_outsmart

    pump, customer = shop.item("P1"), shop.account("100")
    without_outsmart(monkeypatch)
    shop.order_line(shop.order(customer), pump, ShopOrder=shop.shop_order(pump))
    shop.counts("relations", full=True)
    assert shop.counts(SHOP_ORDERS).created == 1
    (kept,) = shop.rows(mirror, record="shop_order")
    assert kept.state == "synced"
