"""Goods deliveries are kept, and told to the work orders of their sales orders, whose material stays as it is."""

from __future__ import annotations

from typing import Any

import pytest

from outsmart_sync.records.values import decode
from outsmart_sync.services import history
from outsmart_sync.store.tables import mirror, part
from pipeline.world import DIVISION, World, without_outsmart

DELIVERED, LINES, ORDERED = "salesorder/GoodsDeliveries", "salesorder/GoodsDeliveryLines", "salesorder/SalesOrders"
DELIVERIES, SALES_ORDERS, QUOTATIONS = "goods_deliveries", "sales_orders", "quotations"


@pytest.fixture
def shop(world: World) -> World:
    """Deliveries and sales orders are imported, and there is a customer."""
    world.settings(licence="pro", goods_deliveries={"enabled": True}, sales_orders={"enabled": True})
    world.by_hand("workstatusses", sta_code="D", sta_name="Delivered")
    return world


@pytest.fixture
def customer(shop: World) -> str:
    account = shop.account("100")
    shop.counts("relations")
    return account


def ordered(world: World, customer: str, *codes: str, **values: Any) -> list[str]:
    """A sales order of ten of each article; ids of its lines."""
    order = world.order(customer, **values)
    return [world.order_line(order, world.item(code), quantity=10) for code in codes]


def told(world: World, code: str, record: str = "sales_order") -> list[str]:
    """What the page shows of deliveries with a work order."""
    (status,) = history.history(world.store, record, code)
    return [each.text for each in status.events if each.event in ("delivered", "withdrawn")]


def status_of(world: World, number: str) -> tuple[str | None, str]:
    (found,) = [each for each in world.work_orders() if each["WorkorderNo"] == number]
    return found.get("WorkStatus"), found["status"]


def status_changes(world: World) -> int:
    return len([call for call in world.control.calls(vendor="outsmart") if "UpdateWorkorder" in call["path"]])


def sentence(world: World, words: str, order: str) -> str:
    return f"Goods of its order were delivered {world.today().isoformat()}: {words} ({order})."


def test_a_delivery_is_kept_with_its_lines_and_told_to_the_work_order(shop: World, customer: str) -> None:
    first, second = ordered(shop, customer, "A1", "B2")
    shop.counts(SALES_ORDERS)
    before = shop.work_orders()
    shop.delivery(customer, (first, 3), (second, 0.125), TrackingNumber="3S1")
    shop.forget_calls()
    assert shop.counts(DELIVERIES).created == 2
    kept = decode(shop.kept("goods_delivery", "GD-1").payload)
    assert (kept["orders"], kept["tracking_number"], kept["customer_name"]) == ("SO-1", "3S1", "Customer 100")
    assert told(shop, "SO-1") == [sentence(shop, "3 x A1, 0.125 x B2", "SO-1")]
    assert shop.work_orders() == before
    assert shop.control.calls(vendor="outsmart") == []
    assert shop.counts(DELIVERIES, full=True).unchanged == 2
    assert len(told(shop, "SO-1")) == 1


def test_the_work_order_gets_the_chosen_status_once(shop: World, customer: str) -> None:
    shop.settings(goods_deliveries={"delivered_status": "D"})
    (line,) = ordered(shop, customer, "A1")
    shop.counts(SALES_ORDERS)
    materials = shop.work_orders()[0]["Materials"]
    shop.delivery(customer, (line, 3))
    shop.counts(DELIVERIES)
    assert status_of(shop, "SO-1") == ("D", "Klaargezet")
    shop.move_on("SO-1", WorkStatus=None)
    shop.forget_calls()
    shop.delivery(customer, (line, 7))
    shop.counts(DELIVERIES)
    shop.counts(DELIVERIES, full=True)
    shop.counts(SALES_ORDERS, full=True)
    assert status_changes(shop) == 0
    assert told(shop, "SO-1") == [sentence(shop, "3 x A1", "SO-1"), sentence(shop, "7 x A1", "SO-1")]
    assert shop.work_orders()[0]["Materials"] == materials


def test_a_work_order_that_somebody_has_begun_keeps_its_status(shop: World, customer: str) -> None:
    shop.settings(goods_deliveries={"delivered_status": "D"})
    (line,) = ordered(shop, customer, "A1")
    shop.counts(SALES_ORDERS)
    shop.move_on("SO-1", EmployeeNr="7", status="Opgehaald")
    shop.delivery(customer, (line, 3))
    shop.counts(DELIVERIES)
    assert status_of(shop, "SO-1") == (None, "Opgehaald")
    assert len(told(shop, "SO-1")) == 1


def test_a_delivery_waits_for_the_work_order_and_goes_along_when_it_is_made(shop: World) -> None:
    shop.settings(goods_deliveries={"delivered_status": "D"})
    account = shop.account("100", City=None)
    shop.counts("relations")
    (line,) = ordered(shop, account, "A1")
    shop.delivery(account, (line, 3))
    assert shop.counts(SALES_ORDERS).waiting == 1
    counts = shop.counts(DELIVERIES)
    assert (counts.created, counts.waiting) == (1, 1)
    (waits,) = shop.rows(mirror, record="delivery_notice")
    assert (waits.reason, waits.detail) == ("reference_open", "sales order SO-1")
    assert DELIVERIES not in shop.poll()
    shop.change("crm/Accounts", account, City="Delft")
    shop.counts("relations")
    shop.counts(SALES_ORDERS)
    (made,) = shop.work_orders()
    assert made["InternalWorkDescription"] == f"delivered {shop.today().isoformat()}: 3 x A1 (SO-1)"
    assert DELIVERIES in shop.poll()
    assert shop.counts(DELIVERIES).created == 1
    assert (status_of(shop, "SO-1")[0], len(told(shop, "SO-1"))) == ("D", 1)
    shop.touch(ORDERED, shop.control.exact_rows(DIVISION, ORDERED)[0]["OrderID"])
    assert shop.counts(SALES_ORDERS).unchanged == 1


def test_a_delivery_of_an_order_that_is_not_imported_is_kept_only_and_comes_along_later(
    shop: World, customer: str
) -> None:
    (line,) = ordered(shop, customer, "A1", Status=21)
    shop.delivery(customer, (line, 10))
    assert shop.counts(SALES_ORDERS).excluded == 1
    counts = shop.counts(DELIVERIES)
    assert (counts.created, counts.excluded) == (1, 1)
    (left,) = shop.rows(mirror, record="delivery_notice")
    assert (left.reason, left.detail) == ("reference_left_out", "sales order SO-1")
    shop.settings(sales_orders={"statuses": ["open", "complete"]})
    shop.counts(SALES_ORDERS)
    assert shop.work_orders()[0]["InternalWorkDescription"].startswith("delivered ")
    assert DELIVERIES in shop.poll()
    shop.counts(DELIVERIES)
    assert len(told(shop, "SO-1")) == 1


def test_an_order_that_was_never_read_is_taken_for_left_out(shop: World, customer: str) -> None:
    (line,) = ordered(shop, customer, "A1")
    shop.delivery(customer, (line, 10))
    assert shop.counts(DELIVERIES).excluded == 1
    assert shop.states("delivery_notice") == {"GD-1/SO-1": ("excluded", "reference_left_out")}
    shop.counts(SALES_ORDERS)
    assert DELIVERIES in shop.poll()
    assert shop.counts(DELIVERIES).created == 1


def test_a_delivery_of_several_orders_tells_each_its_own(shop: World, customer: str) -> None:
    (first,), (second,) = ordered(shop, customer, "A1"), ordered(shop, customer, "B2", Status=21)
    shop.counts(SALES_ORDERS)
    shop.delivery(customer, (first, 3), (second, 10))
    counts = shop.counts(DELIVERIES)
    assert (counts.created, counts.excluded) == (2, 1)
    assert told(shop, "SO-1") == [sentence(shop, "3 x A1", "SO-1")]


def test_a_changed_delivery_is_told_again_and_one_that_is_gone_is_taken_back(shop: World, customer: str) -> None:
    first, second = ordered(shop, customer, "A1", "B2")
    shop.counts(SALES_ORDERS)
    delivery = shop.delivery(customer, (first, 3))
    shop.counts(DELIVERIES)
    added = shop.delivery_line(delivery, second, 1)
    assert shop.counts(DELIVERIES).updated == 2
    shop.delete(LINES, added)
    shop.counts(DELIVERIES)
    shop.delete(DELIVERED, delivery)
    assert shop.counts(DELIVERIES).deleted == 2
    shop.counts(DELIVERIES, full=True)
    words = ("3 x A1", "3 x A1, 1 x B2", "3 x A1")
    again = "This no longer holds: goods of its order were" + sentence(shop, "3 x A1", "SO-1").removeprefix(
        "Goods of its order were"
    )
    assert told(shop, "SO-1") == [*(sentence(shop, each, "SO-1") for each in words), again]


def test_a_line_that_was_split_over_storage_locations_counts_whole_and_goes_whole(shop: World, customer: str) -> None:
    (line,) = ordered(shop, customer, "A1")
    shop.counts(SALES_ORDERS)
    location = "11111111-2222-4333-8444-555555555555"
    delivery = shop.delivery(customer, (line, 3))
    split = shop.delivery_line(delivery, line, 4, StorageLocation=location)
    shop.counts(DELIVERIES)
    assert told(shop, "SO-1") == [sentence(shop, "7 x A1", "SO-1")]
    assert {len(row.provider_id) for row in shop.rows(part, stream="goods_delivery_lines")} == {36, 53}
    shop.delete(LINES, split)
    shop.counts(DELIVERIES)
    assert told(shop, "SO-1")[-1] == sentence(shop, "3 x A1", "SO-1")
    assert {len(row.provider_id) for row in shop.rows(part, stream="goods_delivery_lines")} == {36}


def test_a_delivery_of_an_order_that_a_quotation_stands_for_is_told_to_its_work_order(
    shop: World, customer: str
) -> None:
    shop.settings(
        quotations={"enabled": True, "accepted_to_work_orders": True}, goods_deliveries={"delivered_status": "D"}
    )
    shop.quotation(customer, Status=50)
    (line,) = ordered(shop, customer, "A1", YourRef="PO 7")
    shop.delivery(customer, (line, 3))
    for category in (QUOTATIONS, SALES_ORDERS, DELIVERIES):
        shop.counts(category)
    assert told(shop, "QU-1/1", "quotation_order") == [sentence(shop, "3 x A1", "SO-1")]
    assert status_of(shop, "QU-1/1")[0] == "D"


def test_a_status_that_outsmart_does_not_take_rejects_the_notice_and_stops_no_other(shop: World, customer: str) -> None:
    shop.settings(goods_deliveries={"delivered_status": "D"})
    (line,) = ordered(shop, customer, "A1")
    shop.counts(SALES_ORDERS)
    shop.remove_by_hand("workstatusses", "D")
    shop.delivery(customer, (line, 3))
    counts = shop.counts(DELIVERIES)
    assert (counts.created, counts.rejected) == (1, 1)
    assert told(shop, "SO-1") == []
    shop.settings(goods_deliveries={"delivered_status": ""})
    assert shop.counts(DELIVERIES).created == 1
    assert len(told(shop, "SO-1")) == 1


@pytest.mark.parametrize("fault", ["timeout_after", "truncate"])
def test_a_status_whose_answer_was_lost_is_given_and_told_once(shop: World, customer: str, fault: str) -> None:
    shop.settings(goods_deliveries={"delivered_status": "D"})
    (line,) = ordered(shop, customer, "A1")
    shop.counts(SALES_ORDERS)
    shop.delivery(customer, (line, 3))
    rule = {"seconds": 0.01} if fault == "timeout_after" else {}
    shop.control.add_fault(fault, vendor="outsmart", path="UpdateWorkorder", times=20, **rule)
    shop.sync(DELIVERIES)
    assert told(shop, "SO-1") == []
    shop.control.clear_faults()
    shop.counts(DELIVERIES)
    shop.counts(DELIVERIES)
    assert (status_of(shop, "SO-1")[0], len(told(shop, "SO-1"))) == ("D", 1)


def test_deliveries_of_before_the_start_date_stay_out(shop: World, customer: str) -> None:
    (line,) = ordered(shop, customer, "A1")
    shop.counts(SALES_ORDERS)
    shop.delivery(customer, (line, 3), DeliveryDate=f"{shop.work_day(-3).isoformat()}T00:00:00")
    assert shop.counts(DELIVERIES).excluded == 2
    assert told(shop, "SO-1") == []


def test_one_delivery_is_imported_by_its_number(shop: World, customer: str) -> None:
    (line,) = ordered(shop, customer, "A1")
    shop.counts(SALES_ORDERS)
    shop.delivery(customer, (line, 1))
    shop.delivery(customer, (line, 2))
    assert shop.counts(DELIVERIES, codes=("GD-2",)).created == 2
    assert told(shop, "SO-1") == [sentence(shop, "2 x A1", "SO-1")]


def test_without_an_outsmart_account_deliveries_are_told_to_the_orders_of_the_mirror(
    shop: World, customer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_outsmart(monkeypatch)
    shop.counts("relations", full=True)
    (line,) = ordered(shop, customer, "A1")
    shop.counts(SALES_ORDERS)
    shop.delivery(customer, (line, 3))
    assert shop.counts(DELIVERIES).created == 2
    assert len(told(shop, "SO-1")) == 1
