"""Two processes that both believe that a document is theirs to send: it is made once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import update

from outsmart_sync.errors import Busy
from outsmart_sync.pipeline.making import Maker
from outsmart_sync.store import ledger
from outsmart_sync.store.tables import ledger as table
from pipeline.world import World

SECONDS = 30


def together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let two threads look at the ledger before either of them writes what it makes of it."""
    barrier, own = threading.Barrier(2), threading.local()
    look = Maker.line

    def line(self: Maker, *given: Any) -> Any:
        found = look(self, *given)
        if not getattr(own, "met", False):
            own.met = True
            barrier.wait(SECONDS)
        return found

    monkeypatch.setattr(Maker, "line", line)


def upsert_twice(world: World, category: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """One run's upsert, by two threads at once; what became of each."""
    work = world.work(category)
    work.judged()
    twin = world.work(category, run_id=work.job.run_id)
    twin.job = work.job
    together(monkeypatch)

    def upsert(each: Any) -> str:
        try:
            each.upsert()
        except Busy:
            return "busy"
        return "done"

    with ThreadPoolExecutor(2) as threads:
        return sorted(threads.map(upsert, (work, twin)))


def test_a_work_order_is_made_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.settings(licence="pro", sales_orders={"enabled": True})
    world.order(world.account("100"))
    world.counts("relations")
    assert upsert_twice(world, "sales_orders", monkeypatch) == ["busy", "done"]
    assert len(world.work_orders()) == 1
    (line,) = world.rows(table)
    assert (line.state, line.remote_id) == ("done", str(world.work_orders()[0]["id"]))
    assert world.counts("sales_orders").created == 0


def test_a_payment_is_registered_once(sqlite_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world = sqlite_world
    world.settings(payment_transactions={"enabled": True})
    customer = world.account("100")
    world.invoice(1, "100")
    term = world.term(customer, 1)
    world.pay(term)
    world.counts("relations")
    assert upsert_twice(world, "payment_transactions", monkeypatch) == ["busy", "done"]
    assert len(world.transactions()) == 1


@pytest.mark.parametrize(("misses", "made"), [(0, 0), (1, 1)], ids=["looked for again", "sent again"])
def test_one_that_is_looked_for_in_vain_by_two_is_sent_by_one_at_most(
    sqlite_world: World, monkeypatch: pytest.MonkeyPatch, misses: int, made: int
) -> None:
    world = sqlite_world
    world.settings(licence="pro", sales_orders={"enabled": True})
    order = world.order(world.account("100"))
    world.counts("relations")
    number, connection_id = world.order_number(order), world.connection.id
    account = world.connection.outsmart_account
    with world.store.begin() as connection:
        ledger.claim(connection, account, "work_order", number, connection_id=connection_id, run_id=1, token="")
        connection.execute(update(table).values(state="uncertain", misses=misses))
    assert upsert_twice(world, "sales_orders", monkeypatch) == ["busy", "done"]
    assert len(world.work_orders()) == made
    (line,) = world.rows(table)
    assert (line.state, line.misses) == (("done", 0) if made else ("uncertain", 1))


def test_refused_tokens_leave_nothing_to_look_for(sqlite_world: World) -> None:
    world = sqlite_world
    world.settings(licence="pro", sales_orders={"enabled": True})
    world.order(world.account("100"))
    world.counts("relations")
    world.sync("sales_orders", preview=True)
    world.control.add_fault("status", vendor="outsmart", path="PostWorkorders", times=1, status=401)
    assert world.sync("sales_orders")["sales_orders"].error_code
    world.control.clear_faults()
    assert world.rows(table) == []
    assert world.counts("sales_orders").created == 1
