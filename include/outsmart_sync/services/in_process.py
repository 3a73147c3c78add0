"""The categories of an opened run, one after the other in this process, as the command line runs them."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from outsmart_sync.errors import StoreUnusable, SyncError
from outsmart_sync.pipeline.job import Step
from outsmart_sync.services import planning
from outsmart_sync.store import runs

if TYPE_CHECKING:
    from outsmart_sync.services.gateway import Gateway
    from outsmart_sync.services.steps import StepResult
    from outsmart_sync.store.store import Store

log = logging.getLogger(__name__)


class RunStep(Protocol):
    """Runs one step of one category, under its lease, and notes how it went."""

    def __call__(
        self, store: Store, gateway: Gateway, step: Step, run_id: int, connection_id: int, category: str, /
    ) -> StepResult:
        """What became of it."""


def run_all(store: Store, gateway: Gateway, run_id: int, run_step: RunStep) -> None:
    """Run the four steps of every category of a run, and close the run.

    The categories tell what became of them; one that fails does not stop the others.

    Raises:
        StoreUnusable: The store cannot be read or written, so nothing can go on.
    """
    defects = 0
    try:
        for connection_id, (_, categories) in runs.read_plan(store, run_id).items():
            for category in categories:
                defects += not _run_category(store, gateway, run_id, connection_id, category, run_step)
    except BaseException:  # also Ctrl-C: the next run must not wait for this one's leases
        with suppress(SyncError):
            planning.close_run(store, run_id, failed=True)
        raise
    planning.close_run(store, run_id, failed=defects > 0)


def _run_category(
    store: Store, gateway: Gateway, run_id: int, connection_id: int, category: str, run_step: RunStep
) -> bool:
    """Run a category's steps as far as they go; returns False when a defect ended them."""
    for step in Step:
        try:
            result = run_step(store, gateway, step, run_id, connection_id, category)
        except StoreUnusable:
            raise
        except SyncError as error:
            log.warning("%s: %s", category, error)  # its row in the store tells it too
            return True
        except Exception:
            log.exception("%s of connection %s stopped at a defect; the others go on", category, connection_id)
            return False
        if result.skip:
            return True
    return True
