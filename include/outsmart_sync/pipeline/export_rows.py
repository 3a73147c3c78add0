"""Staged work orders between the steps: reading them in chunks, and noting what was decided about each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select, update

from outsmart_sync.pipeline.export_extract import WORK_ORDER
from outsmart_sync.records import export_plan
from outsmart_sync.records.completed_work_order import CompletedWorkOrder, decode, encode
from outsmart_sync.records.export_plan import Plan, Problem
from outsmart_sync.records.staged import Origin
from outsmart_sync.store import dialect, exports
from outsmart_sync.store.exports import GONE, Decision, Export, ExportState
from outsmart_sync.store.tables import record_log, staging

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from outsmart_sync.pipeline.export_job import ExportJob
    from outsmart_sync.store.store import Store

SEND = "send"
"""Outcome of a row that goes on; any other outcome is the state that it got."""

_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Row:
    """One staged work order.

    Attributes:
        seq: Its place.
        work_order: As it was read.
        listed: OutSmart listed it in this run; else it is as it was read before.
        known: What is known of its export; None: nothing yet.
    """

    seq: int
    work_order: CompletedWorkOrder
    listed: bool
    known: Export | None

    @property
    def key(self) -> str:
        """The key of its document in the ledger."""
        return self.known.key if self.known else self.work_order.row_id


def chunks(store: Store, job: ExportJob, outcome: str | None) -> Iterator[list[Row]]:
    """The staged rows with an outcome (None: none yet), in chunks; each is read when the one before is done."""
    after = -1
    while True:
        with store.read() as connection:
            rows = _rows(connection, job, outcome, after)
        if not rows:
            return
        yield rows
        after = rows[-1].seq


def _rows(connection: Connection, job: ExportJob, outcome: str | None, after: int) -> list[Row]:
    query = (
        select(
            staging.c.seq,
            staging.c.provider_id,
            staging.c.payload,
            staging.c.origin,
        )
        .where(
            staging.c.job_id == job.id,
            staging.c.seq > after,
            staging.c.outcome.is_(None) if outcome is None else staging.c.outcome == outcome,
        )
        .order_by(staging.c.seq)
        .limit(_AT_ONCE)
    )
    found = connection.execute(query).all()
    known = exports.of_rows(connection, job.account, [row.provider_id for row in found])
    return [
        Row(
            seq=row.seq,
            work_order=decode(row.payload),
            listed=row.origin == Origin.PAGE,
            known=known.get(row.provider_id),
        )
        for row in found
    ]


def pass_on(connection: Connection, job: ExportJob, row: Row, plan: Plan | None = None) -> None:
    """A row goes on to the next step."""
    _note(connection, job, row, outcome=SEND, reason=None, detail=export_plan.encode(plan) if plan else None)


def stop(connection: Connection, job: ExportJob, row: Row, problem: Problem) -> None:
    """A row goes no further: its work order gets the problem's state, unless this is a preview."""
    _note(connection, job, row, outcome=problem.state, reason=problem.reason, detail=export_plan.encode(problem))
    if not job.options.preview:
        settle(connection, job, row, problem)


def settle(connection: Connection, job: ExportJob, row: Row, problem: Problem) -> None:
    """A work order gets a problem's state; the log tells it when it is new."""
    known = row.known
    same = known is not None and (known.state, known.reason, known.cause) == (
        problem.state,
        problem.reason,
        problem.cause,
    )
    put(
        connection,
        job,
        row,
        state=problem.state,
        reason=problem.reason,
        cause=problem.cause,
        remedy=problem.remedy,
        by_itself=problem.by_itself,
    )
    if not same:
        log_event(connection, job, row.work_order, problem.state, problem.cause)


def finish(
    connection: Connection, job: ExportJob, row: Row, reason: str = "", cause: str = "", remedy: str = ""
) -> None:
    """A work order is done; ``cause`` says what is the matter with it all the same, and ``remedy`` what may be done."""
    _note(connection, job, row, outcome=ExportState.DONE.value, reason=None, detail=None)
    plain = {"reason": reason, "cause": cause, "remedy": remedy, "by_itself": False, "decision": ""}
    put(connection, job, row, state=ExportState.DONE, **plain)


def put(connection: Connection, job: ExportJob, row: Row, **values: Any) -> None:
    """Note where a work order stands, with what was read of it."""
    order = row.work_order
    read = {
        "number": order.number,
        "title": order.address.name,
        "payload": encode(order),
        "fingerprint": order.fingerprint,
        "completed_at": order.ended_at,
        "judged_by": job.rules,
        "run_id": job.run_id,
    }
    # Whose document it is stays: after a change of package, the work order is still exported where it was.
    owner = {} if row.known is not None and is_begun(row.known) else {"connection_id": job.connection_id}
    exports.put(connection, job.account, order.row_id, **read, **owner, **values)


def is_begun(known: Export) -> bool:
    """Whether a document, or a part of it, is there, or may be."""
    return bool(known.remote_id or known.sent) or known.state in (ExportState.SENDING, ExportState.UNCERTAIN)


def is_accepted(known: Export | None) -> bool:
    """Whether a person said that the document that is there is right as it is: nothing is made or changed."""
    return known is not None and known.decision == Decision.ACCEPT and bool(known.remote_id)


def is_accepted_as_gone(known: Export | None) -> bool:
    """Whether a person said that it is right that the document is not there any more."""
    return known is not None and (known.decision, known.reason) == (Decision.ACCEPT, GONE)


def log_event(connection: Connection, job: ExportJob, work_order: CompletedWorkOrder, event: str, detail: str) -> None:
    """A line in the work order's history, in words."""
    connection.execute(
        insert(record_log).values(
            connection_id=job.connection_id,
            run_id=job.run_id,
            category=job.category.name,
            record=WORK_ORDER,
            provider_id=work_order.row_id,
            code=work_order.number,
            event=event,
            detail=detail,
            at=dialect.now(connection),
        )
    )


def count(connection: Connection, job: ExportJob) -> dict[str, int]:
    """Outcome → staged rows."""
    query = select(staging.c.outcome, func.count()).where(staging.c.job_id == job.id).group_by(staging.c.outcome)
    return {str(outcome or ExportState.WAITING.value): number for outcome, number in connection.execute(query)}


def _note(connection: Connection, job: ExportJob, row: Row, **values: Any) -> None:
    connection.execute(update(staging).where(staging.c.job_id == job.id, staging.c.seq == row.seq).values(**values))
