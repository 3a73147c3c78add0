"""After any history of orders, with pages of any size and runs that die anywhere, each has one work order, as it is."""

from __future__ import annotations

from collections import Counter
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from outsmart_sync.store.store import Store
from outsmart_sync.store.tables import mirror, record_log
from pipeline.killing import killed_at, killed_when
from pipeline.world import DIVISION, World, made
from sandbox import process

ORDERS, LINES, SALES_ORDERS = "salesorder/SalesOrders", "salesorder/SalesOrderLines", "sales_orders"
RUNS_UNTIL_QUIET = 6
EDITS = ("add", "add line", "change line", "delete line", "move", "touch", "cancel", "delete")
numbers = count(1)
few = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


class Shop:
    """One customer's orders."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.customer, self.item = world.account(str(next(numbers))), world.item(f"I{next(numbers)}")
        self.orders = list[str]()
        world.counts("relations")
        for _ in range(2):
            self.edit("add", 0)

    def there(self) -> dict[str, dict[str, Any]]:
        rows = self.world.control.exact_rows(DIVISION, ORDERS)
        return {row["OrderID"]: row for row in rows if row["OrderID"] in self.orders}

    def lines(self, order: str) -> list[dict[str, Any]]:
        return [row for row in self.world.control.exact_rows(DIVISION, LINES) if row["OrderID"] == order]

    def edit(self, what: str, place: int) -> None:
        if what == "add":
            self.orders.append(self.world.order(self.customer))
            self.world.order_line(self.orders[-1], self.item)
            return
        order = self.orders[place % len(self.orders)]
        if order not in self.there():
            return
        if what == "add line":
            self.world.order_line(order, self.item, quantity=next(numbers))
        elif what == "move":
            self.world.change(ORDERS, order, DeliveryDate=f"2027-01-{next(numbers) % 28 + 1:02}T00:00:00")
        elif what == "touch":
            self.world.touch(ORDERS, order)
        elif what == "cancel":
            self.world.change(ORDERS, order, Status=45)
        elif what == "delete":
            self.world.delete(ORDERS, order)
        elif lines := self.lines(order):
            if what == "delete line":
                self.world.delete(LINES, lines[0]["ID"])
            else:
                self.world.change(LINES, lines[0]["ID"], Quantity=next(numbers))

    def settle(self) -> None:
        """Run until there is nothing left to do, and compare."""
        self.world.control.switch(shorter_pages=0)
        for _ in range(RUNS_UNTIL_QUIET):
            self.world.counts(SALES_ORDERS)
            if SALES_ORDERS not in self.world.poll():
                break
        work_orders = self.world.work_orders()
        times = Counter(each["WorkorderNo"] for each in work_orders)
        assert [number for number, occurs in times.items() if occurs > 1] == []
        by_number = {each["WorkorderNo"]: each for each in work_orders}
        rows = {row.provider_id: row for row in self.world.rows(mirror, record="sales_order")}
        for order, exact in self.there().items():
            if exact["Status"] == 45:
                continue  # its work order, if there is one, stays as it was
            there = by_number[f"SO-{exact['OrderNumber']}"]
            assert rows[order].state == "synced"
            ordered = Counter(float(line["Quantity"]) for line in self.lines(order))
            material = there.get("Materials") or []
            assert Counter(float(line["MaterialNr"].replace(",", ".")) for line in material) == ordered
            if exact.get("DeliveryDate"):
                year, month, day = exact["DeliveryDate"][:10].split("-")
                assert there["WorkDate"] == f"{day}-{month}-{year}"
        self.world.forget_calls()
        self.world.counts(SALES_ORDERS)
        assert self.world.writes() == []


SENT = -1
"""Dies right after it has sent something, instead of before a statement."""
edit = st.tuples(st.sampled_from(EDITS), st.integers(0, 4))
rounds = st.lists(st.tuples(st.lists(edit, max_size=4), st.integers(0, 3), st.integers(0, 150)), min_size=1, max_size=3)


@pytest.fixture
def shop_world(sqlite_store: Store, small_vendors: process.SandboxProcess, monkeypatch: pytest.MonkeyPatch) -> Any:
    with made(sqlite_store, small_vendors, monkeypatch, quick=True) as world:
        world.settings(licence="pro", sales_orders={"enabled": True})
        yield world


@few
@given(rounds)
@example([([], 1, SENT), ([("change line", 0), ("add", 0)], 2, SENT)])
def test_killed_anywhere_each_order_has_one_work_order_as_it_is(shop_world: World, rounds: Any) -> None:
    shop = Shop(shop_world)
    for edits, page, statement in rounds:
        for each in edits:
            shop.edit(*each)
        shop_world.control.switch(shorter_pages=page)
        work = shop_world.work(SALES_ORDERS)
        shop_world.forget_calls()
        sent = killed_when(shop_world, lambda: bool(shop_world.writes()))
        with sent if statement == SENT else killed_at(shop_world, statement):
            work.through()
    shop.settle()


def test_what_was_sent_right_before_a_kill_is_not_taken_for_a_planners_change(shop_world: World) -> None:
    shop = Shop(shop_world)
    shop_world.counts(SALES_ORDERS)
    shop.edit("change line", 0)
    shop_world.forget_calls()
    with killed_when(shop_world, lambda: bool(shop_world.writes())):
        shop_world.work(SALES_ORDERS).through()
    assert len(shop_world.writes()) == 1
    shop.edit("change line", 0)
    shop.settle()
    assert shop_world.rows(record_log, event="change_by_hand") == []
