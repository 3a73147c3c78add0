"""A scheduled run without Airflow: what its tasks call, in their order."""

from __future__ import annotations

from typing import Any

from outsmart_sync.errors import SyncError
from outsmart_sync.pipeline.job import Options, Step
from outsmart_sync.services import planning
from outsmart_sync.services.planning import OpenRun
from outsmart_sync.services.steps import StepResult, run_step
from outsmart_sync.store import runs
from outsmart_sync.store.runs import CategoryRun
from support import Rig


def opened(rig: Rig, name: str, **options: Any) -> OpenRun:
    """A run that has begun, and nothing else."""
    return planning.open_run(rig.store, "exact_online", name, Options(**options))


def connections_of(run: OpenRun) -> list[int]:
    """Who takes part."""
    return [connection_id for shard in run.shards for connection_id in shard]


def step(rig: Rig, run: OpenRun, which: Step, category: str = "relations", connection_id: int = 1) -> StepResult:
    """One step of one category."""
    return run_step(rig.store, rig.gateway, which, run.run_id, connection_id, category)


def scheduled(rig: Rig, name: str, **options: Any) -> dict[tuple[int, str], CategoryRun]:
    """A whole run; (connection, category) → what became of it."""
    run = opened(rig, name, **options)
    for connection_id, (_, categories) in runs.read_plan(rig.store, run.run_id).items():
        for category in categories:
            for which in Step:
                try:
                    if step(rig, run, which, category, connection_id).skip:
                        break
                except SyncError:
                    break
    planning.close_run(rig.store, run.run_id)
    return {(each.connection_id, each.category): each for each in runs.category_runs(rig.store, run.run_id)}
