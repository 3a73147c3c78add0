"""Sales orders become work orders: each exactly once, and changed while nobody has begun."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from outsmart_sync.pipeline.job import Options
from outsmart_sync.services import health, planning
from outsmart_sync.services.steps import Step
from outsmart_sync.store import ledger
from outsmart_sync.store.tables import cursor, mirror, record_log
from outsmart_sync.store.tables import ledger as ledger_table
from pipeline.world import DIVISION, World

ORDERS, LINES = "salesorder/SalesOrders", "salesorder/SalesOrderLines"
SALES_ORDERS = "sales_orders"


@pytest.fixture
def orders(world: World) -> World:
    world.settings(licence="pro", sales_orders={"enabled": True})
    return world


@pytest.fixture
def customer(orders: World) -> str:
    account = orders.account("100", Email="office@example.com")
    orders.counts("relations")
    return account


def only(world: World) -> dict[str, Any]:
    (work_order,) = world.work_orders()
    return work_order


def test_an_order_becomes_a_work_order_with_its_customer_and_its_lines(orders: World, customer: str) -> None:
    order = orders.order(customer, Description="New boiler", DeliveryDate="2026-12-01", YourRef="PO 7")
    orders.order_line(order, orders.item("B2"), quantity=0.125, price=1234.56)
    orders.order_line(order, orders.item("A1"), quantity=3, price=0.05)
    assert orders.counts(SALES_ORDERS).created == 1
    made = only(orders)
    assert made["WorkorderNo"] == orders.order_number(order)
    assert (made["CustomerDebtorNr"], made["CustomerName"], made["CustomerCity"]) == ("100", "Customer 100", "Delft")
    assert (made["CustomerDebtorNrInvoice"], made["CustomerContactPerson"]) == ("100", "Customer 100")
    assert (made["WorkDate"], made["WorkDescription"], made["status"]) == ("01-12-2026", "New boiler", "Klaargezet")
    names = ("MaterialCode", "MaterialNr", "MaterialPrice")
    assert [tuple(each[name].replace(",", ".") for name in names) for each in made["Materials"]] == [
        ("B2", "0.125", "1234.56"),
        ("A1", "3", "0.05"),
    ]


def test_the_next_run_makes_no_other_and_asks_outsmart_nothing(orders: World, customer: str) -> None:
    orders.order(customer)
    orders.counts(SALES_ORDERS)
    orders.forget_calls()
    assert orders.counts(SALES_ORDERS).created == 0
    assert orders.counts(SALES_ORDERS, full=True).unchanged == 1
    assert len(orders.work_orders()) == 1
    assert orders.writes() == []


def test_the_invoice_goes_to_who_pays_and_the_work_is_at_the_delivery_address(orders: World, customer: str) -> None:
    payer = orders.account("200", City="Gouda")
    address = orders.address(customer, "Haven 9", City="Sneek")
    orders.counts("relations")
    orders.order(customer, InvoiceTo=payer, DeliveryAddress=address)
    orders.counts(SALES_ORDERS)
    made = only(orders)
    assert (made["CustomerDebtorNr"], made["CustomerStreet"], made["CustomerCity"]) == ("100", "Haven 9", "Sneek")
    assert (made["CustomerDebtorNrInvoice"], made["CustomerCityInvoice"]) == ("200", "Gouda")
    assert made["AdrCode"] in orders.outsmart("addresses")


def test_an_order_in_another_currency_stays_out_and_says_so(sqlite_world: World) -> None:
    orders = sqlite_world
    orders.settings(licence="pro", sales_orders={"enabled": True})
    order = orders.order(orders.account("100"), Currency="USD")
    orders.order_line(order, orders.item("A1"), price=100)
    orders.counts("relations")
    assert orders.counts(SALES_ORDERS).excluded == 1
    assert orders.states("sales_order") == {orders.order_number(order): ("excluded", "other_currency")}
    orders.change(ORDERS, order, Currency="EUR")
    assert orders.counts(SALES_ORDERS).created == 1


def test_an_order_has_the_project_of_its_lines_else_its_own(sqlite_world: World) -> None:
    orders = sqlite_world
    orders.settings(licence="pro", project_planning={"enabled": True}, sales_orders={"enabled": True})
    customer = orders.account("100")
    own, of_line = orders.project("P1", customer), orders.project("P2", customer)
    item = orders.item("A1")
    for project in (None, of_line):
        order = orders.order(customer, Project=own)
        orders.order_line(order, item, Project=project)
    bare = orders.order(customer, Project=own)
    orders.counts("relations")
    orders.counts("project_planning")
    assert orders.counts(SALES_ORDERS).created == 3
    projects = [each["ProjectNr"] for each in sorted(orders.work_orders(), key=lambda each: each["WorkorderNo"])]
    assert projects == ["P1", "P2", "P1"]
    assert orders.counts(SALES_ORDERS, codes=(orders.order_number(bare),)).unchanged == 1
    line = orders.order_line(bare, item)
    orders.counts(SALES_ORDERS)
    assert orders.rows(record_log, event="change_by_hand") == []
    assert line


def test_an_order_waits_for_its_customer_and_goes_by_itself(orders: World) -> None:
    orders.order(orders.account("100", City=None))
    assert orders.counts("relations").rejected == 1
    assert orders.counts(SALES_ORDERS).waiting == 1
    (kept,) = orders.rows(mirror, record="sales_order")
    assert (kept.state, kept.reason, kept.detail) == ("waiting", "reference_open", "relation 100")
    (account,) = orders.control.exact_rows(DIVISION, "crm/Accounts")
    orders.change("crm/Accounts", account["ID"], City="Delft")
    assert SALES_ORDERS not in orders.poll()
    orders.counts("relations")
    assert SALES_ORDERS in orders.poll()
    assert orders.counts(SALES_ORDERS).created == 1
    assert only(orders)["CustomerCity"] == "Delft"


def test_an_order_that_lacks_what_its_relation_lacks_is_rejected_and_goes_once_that_is_mended(orders: World) -> None:
    orders.relation_by_hand("100", name="Customer 100", city="")
    account = orders.account("100", City=None)
    orders.counts("relations")
    orders.order(account)
    counts = orders.counts(SALES_ORDERS)
    assert (counts.rejected, counts.created) == (1, 0)
    (row,) = orders.rows(mirror, record="sales_order")
    assert row.reason == "missing_field"
    assert "city" in row.detail.casefold()
    assert SALES_ORDERS not in orders.poll()
    orders.change("crm/Accounts", account, City="Delft")
    assert orders.counts("relations").updated == 1
    assert SALES_ORDERS in orders.poll()
    assert orders.counts(SALES_ORDERS).created == 1
    assert only(orders)["CustomerCity"] == "Delft"
    assert SALES_ORDERS not in orders.poll()


def test_an_order_of_a_relation_that_is_left_out_comes_along_when_that_is_imported(orders: World) -> None:
    order = orders.order(orders.account("100", Status="S"))
    orders.counts("relations")
    assert orders.counts(SALES_ORDERS).excluded == 1
    assert orders.states("sales_order") == {orders.order_number(order): ("excluded", "reference_left_out")}
    assert orders.work_orders() == []
    orders.settings(relations={"types": ["customer", "suspect"]})
    orders.counts("relations")
    assert SALES_ORDERS in orders.poll()
    assert orders.counts(SALES_ORDERS).created == 1


def test_a_line_that_changed_changes_the_work_order_while_nobody_has_begun(orders: World, customer: str) -> None:
    order = orders.order(customer)
    line = orders.order_line(order, orders.item("A1"), quantity=1)
    orders.counts(SALES_ORDERS)
    orders.change(LINES, line, Quantity=4)
    assert orders.counts(SALES_ORDERS).updated == 1
    assert [each["MaterialNr"] for each in only(orders)["Materials"]] == ["4"]


def test_an_order_that_lost_its_last_line_takes_the_material_off_the_work_order(orders: World, customer: str) -> None:
    order = orders.order(customer)
    line = orders.order_line(order, orders.item("A1"))
    orders.counts(SALES_ORDERS)
    orders.delete(LINES, line)
    assert orders.counts(SALES_ORDERS).updated == 1
    assert not only(orders)["Materials"]
    assert orders.rows(record_log, event="change_by_hand") == []


def test_material_that_a_planner_changed_in_outsmart_is_not_written_over(sqlite_world: World) -> None:
    orders = sqlite_world
    orders.settings(licence="pro", sales_orders={"enabled": True})
    order = orders.order(orders.account("100"), DeliveryDate="2026-12-01T00:00:00")
    line = orders.order_line(order, orders.item("A1"), quantity=2)
    orders.counts("relations")
    orders.counts(SALES_ORDERS)
    (sent,) = only(orders)["Materials"]
    by_hand = {"MaterialCode": "HAND", "MaterialNr": "1", "MaterialPrice": "5", "MaterialName": "By hand"}
    orders.move_on(orders.order_number(order), Materials=[sent, by_hand])
    orders.change(LINES, line, Quantity=3)
    orders.change(ORDERS, order, DeliveryDate="2026-12-02T00:00:00")
    assert orders.counts(SALES_ORDERS).updated == 1
    assert [(each["MaterialCode"], each["MaterialNr"]) for each in only(orders)["Materials"]] == [
        ("A1", "2"),
        ("HAND", "1"),
    ]
    assert [row.detail for row in orders.rows(record_log, event="change_by_hand")] == ["materials"]
    assert only(orders)["WorkDate"] == "02-12-2026"
    orders.move_on(orders.order_number(order), WorkDate="08-12-2026", Materials=[{**sent, "MaterialNr": "4"}])
    orders.change(LINES, line, Quantity=4)  # as a person has it by now
    orders.change(ORDERS, order, DeliveryDate="2026-12-03T00:00:00")
    assert orders.counts(SALES_ORDERS).updated == 1
    assert only(orders)["WorkDate"] == "08-12-2026"
    assert [row.detail for row in orders.rows(record_log, event="change_by_hand")] == ["materials", "date"]
    orders.change(LINES, line, Quantity=5)
    assert orders.counts(SALES_ORDERS).updated == 1
    assert [each["MaterialNr"] for each in only(orders)["Materials"]] == ["5"]


def test_what_outsmart_cannot_change_is_told_to_a_person(orders: World, customer: str) -> None:
    order = orders.order(customer, Description="Old words")
    orders.counts(SALES_ORDERS)
    orders.change(ORDERS, order, Description="New words", DeliveryDate="2026-12-24T00:00:00")
    assert orders.counts(SALES_ORDERS).updated == 1
    assert (only(orders)["WorkDate"], only(orders)["WorkDescription"]) == ("24-12-2026", "Old words")
    told = [row.detail for row in orders.rows(record_log, event="change_by_hand")]
    assert told == ["short work description, work description"]
    orders.counts(SALES_ORDERS, full=True)
    assert len(orders.rows(record_log, event="change_by_hand")) == 1


@pytest.mark.parametrize("status", ["Opgehaald", "Compleet", "Afgehandeld"])
def test_a_work_order_that_somebody_has_begun_is_left_alone(orders: World, customer: str, status: str) -> None:
    order = orders.order(customer, DeliveryDate="2026-12-01")
    orders.counts(SALES_ORDERS)
    orders.move_on(orders.order_number(order), EmployeeNr="7", status=status)
    orders.change(ORDERS, order, DeliveryDate="2026-12-24T00:00:00")
    assert orders.counts(SALES_ORDERS).excluded == 1
    assert (only(orders)["WorkDate"], only(orders)["status"]) == ("01-12-2026", status)
    (kept,) = orders.rows(mirror, record="sales_order")
    assert (kept.reason, kept.detail) == ("document_started", "date")
    orders.counts(SALES_ORDERS, full=True)
    assert len(orders.rows(record_log, reason="document_started")) == 1


@pytest.mark.parametrize("how", ["cancelled", "deleted"])
@pytest.mark.parametrize("begun", [False, True], ids=["not begun", "begun"])
def test_a_cancelled_order_gets_the_chosen_work_status_while_nobody_has_begun(
    orders: World, customer: str, how: str, *, begun: bool
) -> None:
    orders.by_hand("workstatusses", sta_code="X", sta_name="Cancelled")
    orders.settings(sales_orders={"cancelled_status": "X"})
    order = orders.order(customer)
    orders.counts(SALES_ORDERS)
    if begun:
        orders.move_on(orders.order_number(order), EmployeeNr="7", status="Opgehaald")
    if how == "deleted":
        orders.delete(ORDERS, order)
    else:
        orders.change(ORDERS, order, Status=45)
    orders.counts(SALES_ORDERS)
    assert only(orders).get("WorkStatus") == (None if begun else "X")
    orders.forget_calls()
    for _ in range(2):
        orders.counts(SALES_ORDERS, full=True)
    assert len(orders.rows(record_log, reason="order_cancelled")) == 1
    assert not [call for call in orders.control.calls(vendor="outsmart") if "UpdateWorkorder" in call["path"]]


@pytest.mark.parametrize("before", ["W", None], ids=["with a status before", "without one"])
def test_a_reopened_order_gets_its_work_status_back_or_a_person_is_told(
    sqlite_world: World, before: str | None
) -> None:
    orders = sqlite_world
    orders.settings(licence="pro", sales_orders={"enabled": True})
    for code in "WX":
        orders.by_hand("workstatusses", sta_code=code, sta_name=f"Status {code}")
    orders.settings(sales_orders={"cancelled_status": "X"})
    order = orders.order(orders.account("100"))
    line = orders.order_line(order, orders.item("A1"))
    orders.counts("relations")
    orders.counts(SALES_ORDERS)
    for _ in range(2):
        orders.move_on(orders.order_number(order), WorkStatus=before)
        orders.change(ORDERS, order, Status=45)
        orders.counts(SALES_ORDERS)
        assert only(orders)["WorkStatus"] == "X"
        orders.change(ORDERS, order, Status=12)
        orders.counts(SALES_ORDERS)
        assert only(orders)["WorkStatus"] == (before or "X")
        assert orders.states("sales_order") == {orders.order_number(order): ("synced", None)}
    told = [row.detail for row in orders.rows(record_log, event="change_by_hand")]
    assert told == ([] if before else ["work status", "work status"])
    assert len(orders.rows(record_log, event="order_reopened")) == 2
    orders.change(LINES, line, Quantity=7)
    assert orders.counts(SALES_ORDERS).updated == 1
    assert [each["MaterialNr"] for each in only(orders)["Materials"]] == ["7"]
    assert only(orders)["WorkStatus"] == (before or "X")
    assert orders.counts(SALES_ORDERS, full=True).unchanged == 1


@pytest.mark.parametrize("at_once", [True, False], ids=["in one run", "in two runs"])
def test_a_new_order_under_the_number_of_a_deleted_one_takes_its_work_order_on(
    sqlite_world: World, *, at_once: bool
) -> None:
    orders = sqlite_world
    orders.settings(licence="pro", sales_orders={"enabled": True})
    for code in "WX":
        orders.by_hand("workstatusses", sta_code=code, sta_name=f"Status {code}")
    orders.settings(sales_orders={"cancelled_status": "X"})
    customer = orders.account("100")
    first = orders.order(customer, OrderNumber=7)
    orders.counts("relations")
    orders.counts(SALES_ORDERS)
    orders.move_on("SO-7", WorkStatus="W")
    orders.delete(ORDERS, first)
    if not at_once:
        orders.counts(SALES_ORDERS)
        assert only(orders)["WorkStatus"] == "X"
    orders.order(customer, OrderNumber=7)
    orders.counts(SALES_ORDERS)
    assert (only(orders)["WorkorderNo"], only(orders)["WorkStatus"]) == ("SO-7", "W")
    assert orders.states("sales_order") == {"SO-7": ("synced", None)}
    assert len(orders.rows(record_log, reason="order_cancelled")) == (0 if at_once else 1)


def test_an_order_that_was_deleted_early_in_a_long_pause_is_cancelled(orders: World, customer: str) -> None:
    gone, there = orders.order(customer), orders.order(customer)
    assert orders.counts(SALES_ORDERS).created == 2
    orders.control.shift_clock(-70 * 86_400)
    orders.delete(ORDERS, gone)
    orders.control.reset_clock()
    with orders.store.begin() as connection:
        connection.execute(update(cursor).values(moved_at=orders.store.now() - timedelta(days=70)))
    assert orders.counts(SALES_ORDERS).deleted == 1
    (line,) = orders.rows(record_log, reason="order_cancelled")
    assert line.provider_id == gone
    (kept,) = orders.rows(mirror, provider_id=there)
    assert kept.source_gone_at is None


def test_a_cancelled_order_that_was_never_imported_stays_out(orders: World, customer: str) -> None:
    orders.order(customer, Status=45)
    assert orders.counts(SALES_ORDERS).excluded == 1
    assert orders.work_orders() == []


@pytest.mark.parametrize("fault", ["timeout_after", "reset_after", "status"])
def test_an_order_whose_answer_was_lost_is_made_once(orders: World, customer: str, fault: str) -> None:
    order = orders.order(customer)
    kind = {"status": "status", "reset_after": "truncate"}.get(fault, fault)
    rule: dict[str, Any] = {"seconds": 0.01} if kind == "timeout_after" else {}
    rule |= {"status": 500} if kind == "status" else {}
    orders.control.add_fault(kind, vendor="outsmart", path="PostWorkorders", times=1, **rule)
    orders.sync(SALES_ORDERS)
    orders.control.clear_faults()
    for _ in range(3):
        orders.counts(SALES_ORDERS)
    assert [each["WorkorderNo"] for each in orders.work_orders()] == [orders.order_number(order)]
    (line,) = orders.rows(ledger_table)
    assert (line.state, line.remote_id) == ("done", str(only(orders)["id"]))


def test_a_store_that_was_lost_finds_the_work_orders_again_by_their_numbers(orders: World, customer: str) -> None:
    orders.order(customer)
    orders.counts(SALES_ORDERS)
    with orders.store.begin() as connection:
        connection.execute(mirror.delete().where(mirror.c.record == "sales_order"))
        connection.execute(ledger_table.delete())
    orders.forget_calls()
    orders.counts(SALES_ORDERS, full=True)
    assert len(orders.work_orders()) == 1
    assert orders.writes() == []


def test_a_work_order_that_was_removed_by_hand_is_not_made_again(orders: World, customer: str) -> None:
    order = orders.order(customer)
    orders.counts(SALES_ORDERS)
    orders.remove_by_hand("workorders", orders.order_number(order))
    orders.counts(SALES_ORDERS, full=True)
    orders.change(ORDERS, order, Description="Changed")
    orders.counts(SALES_ORDERS)
    assert orders.work_orders() == []


def test_an_order_that_our_own_export_made_is_never_imported(orders: World, customer: str) -> None:
    made, sending = orders.order(customer), orders.order(customer, Description="Work order 12 [OS-12]")
    account = orders.connection.outsmart_account
    with orders.store.begin() as connection:
        for key, token in (("11", "[OS-11]"), ("12", "[OS-12]")):
            ledger.begin(
                connection, account, "sales_order", key, connection_id=orders.connection.id, run_id=1, token=token
            )
        ledger.done(connection, account, "sales_order", "11", made, 1)
    assert orders.counts(SALES_ORDERS).excluded == 2
    assert orders.work_orders() == []
    assert {row.reason for row in orders.rows(mirror, record="sales_order")} == {"own_export"}
    assert sending


def test_an_order_that_outsmart_refuses_is_rejected_and_stops_no_other(orders: World, customer: str) -> None:
    orders.order(customer, Description="x" * 300)
    fine = orders.order(customer)
    counts = orders.counts(SALES_ORDERS)
    assert (counts.created, counts.rejected) == (1, 1)
    assert only(orders)["WorkorderNo"] == orders.order_number(fine)


def test_one_order_is_imported_by_its_number(orders: World, customer: str) -> None:
    first, second = orders.order(customer), orders.order(customer)
    assert orders.counts(SALES_ORDERS, codes=(orders.order_number(second),)).created == 1
    assert only(orders)["WorkorderNo"] == orders.order_number(second)
    assert orders.counts(SALES_ORDERS).created == 1
    assert first


def test_without_an_outsmart_account_orders_end_in_the_mirror(
    orders: World, customer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.world import without_outsmart

    without_outsmart(monkeypatch)
    orders.order(customer)
    orders.counts("relations", full=True)
    assert orders.counts(SALES_ORDERS).created == 1
    (kept,) = orders.rows(mirror, record="sales_order")
    assert kept.state == "synced"


def test_what_is_to_be_done_by_hand_is_counted_in_the_run_and_in_the_status(sqlite_world: World) -> None:
    orders = sqlite_world
    orders.settings(licence="pro", sales_orders={"enabled": True})
    customer = orders.account("100")
    changed, cancelled, begun = (orders.order(customer) for _ in range(3))
    orders.counts("relations")
    orders.counts(SALES_ORDERS)
    orders.move_on(orders.order_number(begun), EmployeeNr="7", status="Opgehaald")
    orders.change(ORDERS, changed, Description="New words")
    orders.change(ORDERS, cancelled, Status=45)
    orders.change(ORDERS, begun, Description="New words")
    run = planning.open_run(orders.store, "exact_online", "by hand", Options(categories=(SALES_ORDERS,)))
    *_, last = [orders.step(step, run.run_id, SALES_ORDERS) for step in Step]
    assert last.figures()["to_do_by_hand"] == 3
    (status,) = health.status(orders.store)
    assert {each.name: each.to_do_by_hand for each in status.categories if each.to_do_by_hand} == {SALES_ORDERS: 3}
