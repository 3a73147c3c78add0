"""A process that is killed while it imports: the next one ends where an undisturbed one would have ended."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest
from sqlalchemy import update

from faults.conftest import Importer
from outsmart_sync.store.tables import lease
from pipeline.walking import Walk
from pipeline.world import World

KILLS = 12


def let_leases_run_out(world: World) -> None:
    """As they do three minutes after their owner died."""
    with world.store.begin() as connection:
        connection.execute(update(lease).values(expires_at=world.store.now()))


def statements_of_a_run(importer: Importer, walk: Walk) -> int:
    walk.edit()
    importer.begin("whole")
    result = importer.end()
    assert result is not None
    assert result["errors"] == {}
    return int(result["statements"])


def test_killed_anywhere_the_next_run_ends_as_if_nothing_had_been(importer: Importer, walk: Walk) -> None:
    world, dice = walk.world, random.Random(1)
    last = statements_of_a_run(importer, walk)
    killed = 0
    for number in range(KILLS):
        walk.edit()
        expected = walk.expected()
        # One in each stretch of the run, so that every step has its turn.
        at = dice.randint(number * last // KILLS, (number + 1) * last // KILLS) + 1
        walk.note("killed before statement", at)
        importer.begin(f"kill:{number}", kill_at=at)
        killed += importer.end() is None
        if dice.random() < 0.5:
            importer.begin(f"kill:{number}")
            again = importer.end()
            assert again is not None
            assert again["errors"] == {}, walk.story()
        else:
            let_leases_run_out(world)
            walk.must_end_well(world.sync())
        walk.settle(expected)
    assert killed > KILLS // 2
    world.forget_calls()
    walk.must_end_well(world.sync(full=True))
    assert world.writes() == []


def wait_until_stopped(pid: int) -> None:
    """Until the process stands still; the time limit of all tests applies."""
    while Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "T":
        time.sleep(0.01)


@pytest.mark.parametrize("step", [1, 2], ids=["extract", "upsert"])
def test_while_one_process_imports_a_category_another_is_told_so_and_does_nothing(
    importer: Importer, walk: Walk, step: int
) -> None:
    world = walk.world
    world.account("555000", Name="Once")
    expected = walk.expected()
    world.forget_calls()
    pid = importer.begin("first", stop_at=step)
    try:
        wait_until_stopped(pid)
        before = world.control.calls()
        result = world.sync("relations")["relations"]
        assert result.error_code == "busy"
        assert world.control.calls() == before
    finally:
        os.kill(pid, signal.SIGCONT)
    first = importer.end()
    assert first is not None
    assert first["errors"] == {}
    assert len([call for call in world.writes() if call["path"].endswith("/relations")]) == 1
    walk.settle(expected)


@pytest.mark.parametrize("step", [1, 2], ids=["extract", "upsert"])
def test_what_a_process_does_that_wakes_up_after_its_lease_was_taken_is_made_good_by_the_next_run(
    importer: Importer, walk: Walk, step: int
) -> None:
    world = walk.world
    account = world.account("555000", Name="Old")
    pid = importer.begin("sleeper", stop_at=step)
    try:
        wait_until_stopped(pid)
        let_leases_run_out(world)
        world.change("crm/Accounts", account, Name="New")
        walk.must_end_well(world.sync())
        assert world.outsmart("relations")["555000"]["name"] == "New"
    finally:
        os.kill(pid, signal.SIGCONT)
    result = importer.end()
    assert result is not None
    assert result["errors"].get("relations", "overtaken") == "overtaken"
    walk.must_end_well(world.sync())
    assert world.outsmart("relations")["555000"]["name"] == "New"


def test_killed_anywhere_while_orders_become_work_orders_each_is_made_exactly_once(
    importer: Importer, quick_world: World
) -> None:
    world, dice = quick_world, random.Random(3)
    world.settings(
        licence="pro", materials={"enabled": False}, hour_types={"enabled": False}, sales_orders={"enabled": True}
    )
    customer, item = world.account("100"), world.item("A1")

    def order() -> str:
        made = world.order(customer, Description=f"Order {dice.random()}")
        world.order_line(made, item, quantity=dice.randint(1, 9))
        return world.order_number(made)

    numbers, last, killed = [], 0, 0
    for name in ("the first", "an ordinary one"):
        numbers += [order(), order()]
        importer.begin(name)
        whole = importer.end()
        assert whole is not None
        assert whole["errors"] == {}
        last = int(whole["statements"])
    for number in range(KILLS):
        numbers += [order(), order()]
        # In the second half, where the work orders are made.
        importer.begin(f"kill:{number}", kill_at=dice.randint(last // 2, last))
        killed += importer.end() is None
        let_leases_run_out(world)
        world.sync()
    assert killed > KILLS // 2
    for _ in range(2):
        assert {each.error_code for each in world.sync().values()} == {""}
    assert sorted(each["WorkorderNo"] for each in world.work_orders()) == sorted(numbers)
    world.forget_calls()
    world.sync(full=True)
    assert world.writes() == []
