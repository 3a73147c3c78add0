"""After any history, an import brings OutSmart to what an obvious model says.

Another or a longer walk: set ``OUTSMART_SYNC_WALK_SEED`` and ``OUTSMART_SYNC_WALK_ROUNDS``.
"""

from __future__ import annotations

import os
from typing import Any

import pytest

from pipeline.walking import Walk
from pipeline.world import World

ROUNDS = int(os.environ.get("OUTSMART_SYNC_WALK_ROUNDS", "10"))
SEED = int(os.environ.get("OUTSMART_SYNC_WALK_SEED", "20"))


@pytest.mark.parametrize("codes", [False, True], ids=["everything", "codes"])
@pytest.mark.parametrize("seed", [SEED])
def test_after_any_history_a_run_brings_outsmart_to_what_the_rules_say_and_the_next_writes_nothing(
    quick_world: World, seed: int, *, codes: bool
) -> None:
    walk = Walk(quick_world, seed, codes=codes)
    for _ in range(ROUNDS):
        walk.round()
    walk.note("final run")
    walk.check(full=True)
    before, outsmart = quick_world.everything(), walk.outsmart()
    for full in (False, True):
        quick_world.forget_calls()
        walk.must_end_well(quick_world.sync(full=full))
        assert quick_world.writes() == [], walk.story()
        assert _changes(before, quick_world.everything()) == [], walk.story()
    assert walk.outsmart() == outsmart


def _changes(before: dict[str, list[Any]], after: dict[str, list[Any]]) -> list[Any]:
    """Table → rows that are not the same."""
    return [
        (
            table,
            [row for row in before[table] if row not in after[table]],
            [row for row in rows if row not in before[table]],
        )
        for table, rows in after.items()
        if rows != before[table]
    ]
