"""The four steps of a category, each under the category's lease, with its calls counted and its failure noted."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from outsmart_sync.errors import LoginExpired, SyncError
from outsmart_sync.pipeline import by_hand as by_hands
from outsmart_sync.pipeline import extract as extracting
from outsmart_sync.pipeline import filter as filtering
from outsmart_sync.pipeline import match as matching
from outsmart_sync.pipeline import upsert as upserting
from outsmart_sync.pipeline.job import Job, Step
from outsmart_sync.providers.packages import package as package_of
from outsmart_sync.services import planning, trouble
from outsmart_sync.services.doors import Doors
from outsmart_sync.services.step_lease import held_lease
from outsmart_sync.store import connections, dialect, runs
from outsmart_sync.store.connections import State, SyncConnection
from outsmart_sync.store.runs import Counts, RunState

if TYPE_CHECKING:
    from outsmart_sync.records.catalogue import ImportCategory
    from outsmart_sync.services.gateway import Gateway
    from outsmart_sync.store.store import Store

log = logging.getLogger(__name__)

_CALLS = ("calls", "outsmart_calls")


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a step hands on.

    Attributes:
        staged: Rows in staging.
        outcomes: Outcome → rows, once known.
        counts: The category's figures, once it is settled.
        by_hand: Records of which the category told a person to do something by hand.
        skip: Why the steps that follow have nothing to do; '' when they have.
    """

    staged: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    counts: Counts | None = None
    by_hand: int = 0
    skip: str = ""

    def figures(self) -> dict[str, int]:
        """What came of the step, by name; calls are not among it, as they are counted when it has ended."""
        if self.counts is None:
            return {"staged": self.staged, **{str(outcome): number for outcome, number in self.outcomes.items()}}
        counts = {**asdict(self.counts), "to_do_by_hand": self.by_hand}
        return {name: number for name, number in counts.items() if number and name not in _CALLS}


def run_step(
    store: Store, gateway: Gateway, step: Step, run_id: int, connection_id: int, category_name: str
) -> StepResult:
    """Run one step of one category, under its lease, and note how it went.

    Raises:
        SyncError: As the step does; the category's row says why. A wait that is too long is no error: the category is
            postponed and the result says so.
        Exception: A defect; the category's row says that there is one.
    """
    connection = connections.require(store, connection_id)
    category = package_of(connection.package).category(category_name)
    options = planning.options_of(store, run_id)
    began = time.monotonic()
    doors = Doors(gateway, connection)
    job_id = runs.begin_step(store, run_id, connection_id, category_name, step.value)
    try:
        with _lease(store, run_id, connection, category):
            return _STEPS[step](store, doors, doors.job(store, run_id, category, options, job_id))
    except SyncError as error:
        if trouble.note_failure(store, job_id, connection, category, error, options):
            return StepResult(skip=str(error))
        raise
    except Exception as error:
        trouble.note_defect(store, job_id, connection, category, error)
        raise
    finally:
        doors.close()
        _count(store, job_id, time.monotonic() - began, doors)


def _extract(store: Store, doors: Doors, job: Job) -> StepResult:
    connection = connections.require(store, job.connection_id)
    if connection.state is State.EXPIRED:
        raise LoginExpired(connection.state_text, code=connection.state_code)
    if job.options.by_hand:
        doors.forgive()
    staged = extracting.extract(store, job, doors.source, doors.destination)
    trouble.let_go(store, job)
    if staged:
        return StepResult(staged=staged)
    if job.options.preview:
        _set_state(store, job, RunState.PREVIEWED)
        return StepResult(skip=f"{job.category.label}: nothing new")
    upserting.settle(store, job)
    _set_state(store, job, RunState.IDLE)
    _mended(store, job)
    return StepResult(skip=f"{job.category.label}: nothing new")


def _filter(store: Store, _: Doors, job: Job) -> StepResult:
    if skip := _overtaken(store, job):
        return StepResult(skip=skip)
    staged = upserting.require_staged(store, job)
    filtering.filter_rows(store, job)
    return StepResult(staged=staged, outcomes=matching.count_outcomes(store, job))


def _match(store: Store, _: Doors, job: Job) -> StepResult:
    if skip := _overtaken(store, job):
        return StepResult(skip=skip)
    staged = upserting.require_staged(store, job)
    outcomes = matching.match_by_code(store, job)
    if job.options.preview:
        with store.begin() as transaction:
            figures = upserting.figures(outcomes)
            runs.change_category(
                transaction,
                job.id,
                state=RunState.PREVIEWED,
                finished_at=dialect.now(transaction),
                **figures,
            )
    return StepResult(staged=staged, outcomes=outcomes)


def _upsert(store: Store, doors: Doors, job: Job) -> StepResult:
    if job.options.preview:
        return StepResult(skip="Preview: nothing is written")
    if skip := _overtaken(store, job):
        return StepResult(skip=skip)
    if doors.destination is None:
        log.warning("No OutSmart account is configured for this connection: the import ends in the mirror")
    counts = upserting.upsert(store, job, doors.destination)
    _mended(store, job)
    with store.read() as connection:
        by_hand = by_hands.of_run(connection, job)
    result = StepResult(counts=counts, by_hand=by_hand)
    totals = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in result.figures().items())
    report = log.warning if counts.rejected or counts.held or by_hand else log.info
    report("%s: %s", job.category.label, totals or "nothing")
    return result


_STEPS: dict[Step, Callable[[Any, Doors, Job], StepResult]] = {
    Step.EXTRACT: _extract,
    Step.FILTER: _filter,
    Step.MATCH_BY_CODE: _match,
    Step.UPSERT: _upsert,
}


def _overtaken(store: Store, job: Job) -> str:
    """Why a step of an old run must not go on; '' when it may."""
    later = runs.overtaken_by(store, job.id)
    if later is None:
        return ""
    log.warning("Run %s has brought %s further since; what this run staged is old", later, job.category.name)
    return f"Run {later} has synced {job.category.label} since; clear extract to read anew"


@contextmanager
def _lease(store: Store, run_id: int, connection: SyncConnection, category: ImportCategory) -> Iterator[None]:
    """Hold the category's lease while a step runs, and keep it for the run's next step."""
    with held_lease(store, run_id, planning.lease_name(connection.id, category.name), category.label, connection):
        yield


def _mended(store: Store, job: Job) -> None:
    with store.begin() as transaction:
        trouble.mended(transaction, job.connection_id, [job.category.name])


def _set_state(store: Store, job: Job, state: RunState) -> None:
    with store.begin() as transaction:
        runs.change_category(transaction, job.id, state=state)


def _count(store: Store, job_id: int, seconds: float, doors: Doors) -> None:
    try:
        calls = dict(zip(_CALLS, (doors.source_calls, doors.destination_calls), strict=True))
        runs.count_calls(store, job_id, seconds=seconds, **calls)
    except SyncError as error:  # the step's own error is the one to hear of
        log.warning("The step's calls could not be counted: %s", error)
