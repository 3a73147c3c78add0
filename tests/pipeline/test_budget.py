"""What everything together costs of Exact's 5,000 calls a day."""

from __future__ import annotations

from outsmart_sync.providers.exact_online.imports import PACKAGE
from pipeline.world import DIVISION, World

MOST_CALLS = 26
"""96 cycles a day with so many use half of what Exact grants."""

CALLS, CALLS_OF_PRICE_LISTS = 22, 3
"""A call per stream, and those that price lists cost besides the first where there are any."""


def test_an_idle_cycle_of_all_categories_costs_a_call_per_stream_and_stays_within_half_a_day_of_calls(
    sqlite_world: World,
) -> None:
    world = sqlite_world
    world.settings(licence="pro", **{category.name: {"enabled": True} for category in PACKAGE.imports})
    assert len(PACKAGE.imports) == 14
    world.order(world.account("100"), Description="Repair")
    for _ in range(3):
        results = world.sync()
        assert {name: each.error_code for name, each in results.items() if each.error_code} == {}
    assert world.poll() == []
    world.forget_calls()
    assert world.poll() == []
    calls = [call["resource"] for call in world.reads()]
    assert len(calls) == len(set(calls)), sorted(calls)
    assert len(calls) == CALLS, sorted(calls)
    assert world.reads("outsmart") == []
    price_list = {"Code": "GOLD", "Description": "Gold", "Entity": 1, "Type": 1, "Currency": "EUR"}
    world.control.add_exact(DIVISION, "sales/SalesPriceLists", price_list)
    for _ in range(2):
        world.sync()
    world.forget_calls()
    assert world.poll() == []
    assert len(world.reads()) == CALLS + CALLS_OF_PRICE_LISTS <= MOST_CALLS
