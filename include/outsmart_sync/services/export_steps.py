"""The four steps of each export category, under the OutSmart account's lease, with calls counted and failures noted."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from outsmart_sync.errors import LoginExpired, NotConfigured, StagingGone, SyncError
from outsmart_sync.pipeline import export_extract, export_filter, export_match, export_rows, export_upsert
from outsmart_sync.pipeline import invoice_status as back
from outsmart_sync.pipeline.export_job import ExportJob
from outsmart_sync.pipeline.job import Step
from outsmart_sync.providers.packages import package as package_of
from outsmart_sync.records.export_catalogue import INVOICE_STATUS, WORK_ORDERS
from outsmart_sync.services import export_switch, planning, trouble
from outsmart_sync.services.export_doors import ExportDoors, export_job
from outsmart_sync.services.step_lease import held_lease, require_held
from outsmart_sync.services.steps import StepResult
from outsmart_sync.store import connections, dialect, runs
from outsmart_sync.store.connections import State, SyncConnection
from outsmart_sync.store.runs import Counts, RunState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from outsmart_sync.services.gateway import Gateway
    from outsmart_sync.store.store import Store

log = logging.getLogger(__name__)

_CALLS = ("calls", "outsmart_calls")


class _Work:
    """One step of one category."""

    def __init__(self, store: Store, doors: ExportDoors, job: ExportJob, connection: SyncConnection) -> None:
        self.store, self.doors, self.job, self.connection = store, doors, job, connection

    @property
    def lease(self) -> str:
        """The name of the lease that it holds."""
        return planning.export_lease_name(self.job.account, self.job.category.name)

    def may_send(self) -> None:
        """Raise when another process has taken over."""
        require_held(self.store, self.job.run_id, self.lease, self.job.category.label, self.connection)


def run_step(store: Store, gateway: Gateway, step: Step, run_id: int, connection_id: int, category: str) -> StepResult:
    """Run one step of one export category, under its lease, and note how it went.

    Raises:
        SyncError: As the step does; the category's row says why. A wait that is too long is no error: the category is
            postponed and the result says so.
        Exception: A defect; the category's row says that there is one.
    """
    connection = connections.require(store, connection_id)
    declared = package_of(connection.package).any_category(category)
    options = planning.options_of(store, run_id)
    began = time.monotonic()
    doors = ExportDoors(store, gateway, connection)
    job_id = runs.begin_step(store, run_id, connection_id, category, step.value)
    try:
        job = export_job(store, connection, run_id, category, options, job_id)
        work = _Work(store, doors, job, connection)
        with held_lease(store, run_id, work.lease, declared.label, connection):
            return _STEPS[category][step](work)
    except SyncError as error:
        if trouble.note_failure(store, job_id, connection, declared, error, options):
            return StepResult(skip=str(error))
        raise
    except Exception as error:
        trouble.note_defect(store, job_id, connection, declared, error)
        raise
    finally:
        doors.close()
        _count(store, job_id, time.monotonic() - began, doors)


def _extract_work_orders(work: _Work) -> StepResult:
    _require_alone(work)
    staged = export_extract.extract(work.store, work.job, work.doors.outsmart)
    return _extracted(work, staged, "no work order has anything to do")


def _filter_work_orders(work: _Work) -> StepResult:
    staged = _require_staged(work)
    export_filter.filter_rows(work.store, work.job)
    with work.store.read() as transaction:
        return StepResult(staged=staged, outcomes=export_rows.count(transaction, work.job))


def _match_work_orders(work: _Work) -> StepResult:
    staged = _require_staged(work)
    outcomes = export_match.match_by_code(work.store, work.job, work.doors.exporter, work.doors.hour_prices)
    return _matched(work, staged, outcomes, export_upsert.counts(_planned(outcomes)))


def _upsert_work_orders(work: _Work) -> StepResult:
    if work.job.options.preview:
        return StepResult(skip="Preview: nothing is sent")
    _require_staged(work)
    sending = export_upsert.Sending(
        work.store,
        work.job,
        work.doors.exporter(),
        work.doors.outsmart,
        work.doors.hour_prices,
        work.may_send,
    )
    return _ended(work, export_upsert.counts(sending.send_all()))


def _extract_states(work: _Work) -> StepResult:
    _require_usable(work)
    staged = back.extract(work.store, work.job, work.doors.exporter())
    # Also without news there may be something that OutSmart has not been told of yet.
    return _extracted(work, staged, "nothing became of exported documents", anyway=True)


def _filter_states(work: _Work) -> StepResult:
    back.filter_rows(work.store, work.job)
    return StepResult(outcomes=back.match(work.store, work.job))


def _match_states(work: _Work) -> StepResult:
    outcomes = back.match(work.store, work.job)
    counts = Counts(updated=outcomes.get(back.OURS, 0), excluded=outcomes.get(back.FOREIGN, 0))
    return _matched(work, sum(outcomes.values()), outcomes, counts)


def _upsert_states(work: _Work) -> StepResult:
    if work.job.options.preview:
        return StepResult(skip="Preview: nothing is written")
    return _ended(work, back.upsert(work.store, work.job, work.doors.outsmart, work.doors.exporter))


_STEPS: dict[str, dict[Step, Callable[[_Work], StepResult]]] = {
    WORK_ORDERS: {
        Step.EXTRACT: _extract_work_orders,
        Step.FILTER: _filter_work_orders,
        Step.MATCH_BY_CODE: _match_work_orders,
        Step.UPSERT: _upsert_work_orders,
    },
    INVOICE_STATUS: {
        Step.EXTRACT: _extract_states,
        Step.FILTER: _filter_states,
        Step.MATCH_BY_CODE: _match_states,
        Step.UPSERT: _upsert_states,
    },
}


def _require_usable(work: _Work) -> None:
    connection = work.connection
    if connection.state is State.EXPIRED:
        raise LoginExpired(connection.state_text, code=connection.state_code)
    if work.job.options.by_hand:
        work.doors.forgive()


def _require_alone(work: _Work) -> None:
    """Only one connection of an OutSmart account may export: two would bill everything twice.

    Raises:
        NotConfigured: There are several.
    """
    _require_usable(work)
    others = [each for each in export_switch.exporting(work.store, work.job.account) if each != work.connection.id]
    if others:
        all_of_them = ", ".join(map(str, (*others, work.connection.id)))
        raise NotConfigured(
            f"Connections {all_of_them} all export the work orders of one OutSmart account.",
            remedy="Switch exports off on all but one of them.",
            code="several_exports",
        )


def _require_staged(work: _Work) -> int:
    """How many work orders ``extract`` staged.

    Raises:
        StagingGone: They are not there any more.
    """
    known = runs.category_run(work.store, work.job.id)
    with work.store.read() as transaction:
        there = sum(export_rows.count(transaction, work.job).values())
    if known is None or there < known.staged:
        raise StagingGone(
            f"The rows that extract staged for {work.job.category.label} are not there any more.",
            remedy="Clear the category's extract task with those behind it; or start a new run.",
        )
    return there


def _extracted(work: _Work, staged: int, nothing: str, *, anyway: bool = False) -> StepResult:
    trouble.let_go(work.store, work.job)
    if staged or (anyway and not work.job.options.preview):
        return StepResult(staged=staged)
    state = RunState.PREVIEWED if work.job.options.preview else RunState.IDLE
    with work.store.begin() as transaction:
        finished = dialect.now(transaction)
        runs.change_category(transaction, work.job.id, state=state, finished_at=finished)
        if state is RunState.IDLE:
            trouble.mended(transaction, work.job.connection_id, [work.job.category.name])
    return StepResult(skip=f"{work.job.category.label}: {nothing}")


def _planned(outcomes: Mapping[str, int]) -> dict[str, int]:
    """What a preview says will be done is counted as done."""
    found = dict(outcomes)
    found["done"] = found.pop(export_rows.SEND, 0)
    return found


def _matched(work: _Work, staged: int, outcomes: Mapping[str, int], counts: Counts) -> StepResult:
    if work.job.options.preview:
        with work.store.begin() as transaction:
            runs.change_category(
                transaction,
                work.job.id,
                state=RunState.PREVIEWED,
                finished_at=dialect.now(transaction),
                **_figures(counts),
            )
    return StepResult(staged=staged, outcomes=dict(outcomes))


def _ended(work: _Work, counts: Counts) -> StepResult:
    with work.store.begin() as transaction:
        runs.change_category(
            transaction,
            work.job.id,
            state=RunState.DONE,
            finished_at=dialect.now(transaction),
            **_figures(counts),
        )
        trouble.mended(transaction, work.job.connection_id, [work.job.category.name])
    result = StepResult(counts=counts)
    totals = ", ".join(f"{number} {name}" for name, number in result.figures().items())
    report = log.warning if counts.rejected or counts.held else log.info
    report("%s: %s", work.job.category.label, totals or "nothing")
    return result


def _figures(counts: Counts) -> dict[str, Any]:
    names = ("created", "updated", "excluded", "rejected", "waiting", "held")
    return {name: getattr(counts, name) for name in names}


def _count(store: Store, job_id: int, seconds: float, doors: ExportDoors) -> None:
    try:
        calls = dict(zip(_CALLS, (doors.calls, doors.outsmart_calls), strict=True))
        runs.count_calls(store, job_id, seconds=seconds, **calls)
    except SyncError as error:  # the step's own error is the one to hear of
        log.warning("The step's calls could not be counted: %s", error)
