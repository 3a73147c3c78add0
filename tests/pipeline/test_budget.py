"""What everything together costs of Exact's 5,000 calls a day."""

from __future__ import annotations

from typing import Any

from outsmart_sync.providers.exact_online.imports import PACKAGE
from pipeline.world import DIVISION, World
from support import SMALL

IDLE_CALLS, CALLS_OF_PRICE_LISTS = 22, 3
"""One for each stream, one for all deletions; and those that price lists cost besides the first where there are any."""
MOST_CALLS = 26
"""96 cycles a day with so many use half of what Exact grants."""
MOST_FIRST_CALLS = 64
"""A first import of the sandbox's small administration with the documents of a year: 61 when it was measured; how many
orders have lines to be looked up depends on the day."""


def everything(world: World) -> dict[str, Any]:
    """Settings with all categories on, and documents of a year."""
    first = world.work_day(-365).isoformat()
    on = {each.name: {"enabled": True, **({each.start.name: first} if each.start else {})} for each in PACKAGE.imports}
    assert len(on) == 14
    return {"licence": "pro", **on}


def test_an_idle_cycle_of_all_categories_costs_a_call_per_stream_and_stays_within_half_a_day_of_calls(
    sqlite_world: World,
) -> None:
    world = sqlite_world
    world.settings(**everything(world))
    world.order(world.account("100"), Description="Repair")
    for _ in range(3):
        results = world.sync()
        assert {name: each.error_code for name, each in results.items() if each.error_code} == {}
    assert world.poll() == []
    world.forget_calls()
    assert world.poll() == []
    calls = [call["resource"] for call in world.reads()]
    assert len(calls) == len(set(calls)), sorted(calls)
    assert len(calls) == IDLE_CALLS, sorted(calls)
    assert world.reads("outsmart") == []
    price_list = {"Code": "GOLD", "Description": "Gold", "Entity": 1, "Type": 1, "Currency": "EUR"}
    world.control.add_exact(DIVISION, "sales/SalesPriceLists", price_list)
    for _ in range(2):
        world.sync()
    world.forget_calls()
    assert world.poll() == []
    assert len(world.reads()) == IDLE_CALLS + CALLS_OF_PRICE_LISTS <= MOST_CALLS


def test_a_first_import_of_all_categories_costs_few_calls_beyond_its_pages(sqlite_world: World) -> None:
    world = sqlite_world
    small = world.rig.connect(SMALL, **everything(world))
    world.forget_calls()
    results = world.rig.sync(connection=small.id)
    assert {name: each.error_code for name, each in results.items() if each.error_code} == {}
    calls = [call["resource"] for call in world.reads()]
    assert len(calls) <= MOST_FIRST_CALLS, sorted(calls)
