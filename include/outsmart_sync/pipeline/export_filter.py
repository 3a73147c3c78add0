"""The second step of exporting: what must not be sent, and why."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from outsmart_sync.pipeline import export_rows
from outsmart_sync.pipeline.export_rows import is_begun
from outsmart_sync.pipeline.export_rules import ruling
from outsmart_sync.records.export_plan import Problem
from outsmart_sync.store.exports import Decision, ExportState

if TYPE_CHECKING:
    from outsmart_sync.pipeline.export_job import ExportJob
    from outsmart_sync.pipeline.export_rows import Row
    from outsmart_sync.store.exports import Export
    from outsmart_sync.store.store import Store


def filter_rows(store: Store, job: ExportJob) -> None:
    """Judge every staged work order; may be run again."""
    for rows in export_rows.chunks(store, job, None):
        with store.begin() as connection:
            for row in rows:
                problem = judge(job, row)
                if problem is None:
                    export_rows.pass_on(connection, job, row)
                else:
                    export_rows.stop(connection, job, row, problem)


def judge(job: ExportJob, row: Row) -> Problem | None:
    """Why a work order is not sent; None: it is."""
    known = row.known
    for rule in (_own, _elsewhere, _exported, _held_by_hand, _on_its_way, _unreadable, _older, _held_by_rule):
        answer = rule(job, row, known)
        if answer is not _UNDECIDED:
            return answer if isinstance(answer, Problem) else None
    return None


BEFORE_CUT_OFF, _RULE = "before_cut_off", "rule"


class _Undecided:
    """The next rule decides."""


_UNDECIDED = _Undecided()
_Answer = Problem | _Undecided | None


def _own(job: ExportJob, row: Row, _: Export | None) -> _Answer:
    if not row.work_order.number.startswith(job.exports.never_sold or ("\0",)):
        return _UNDECIDED
    return Problem(
        state=ExportState.HELD,
        reason="own_production",
        cause=f"Work order {row.work_order.number} is for the firm's own production: nobody is billed for it.",
    )


def _elsewhere(job: ExportJob, row: Row, known: Export | None) -> _Answer:
    """Exported through another connection, of another administration or package: it is there, or may be."""
    if known is None or known.connection_id == job.connection_id or not is_begun(known):
        return _UNDECIDED
    if known.state is ExportState.DONE and known.sent not in ("", row.work_order.fingerprint):
        return _changed_later(row, known)
    return _as_it_is(known)


def _exported(_: ExportJob, row: Row, known: Export | None) -> _Answer:
    """Exported already: never a second time by itself, whatever became of the work order since."""
    if known is None or known.state not in (ExportState.DONE, ExportState.CHANGED, ExportState.DIFFERS):
        return _UNDECIDED
    if known.decision in (Decision.ACCEPT, Decision.UPDATE):
        return None
    if known.state is ExportState.DIFFERS and known.sent in ("", row.work_order.fingerprint):
        return _as_it_is(known)
    if known.sent == row.work_order.fingerprint:
        if known.state is ExportState.CHANGED:
            return _as_it_is(known)
        return Problem(state=ExportState.DONE, reason="", cause="")
    return _changed_later(row, known)


def _changed_later(row: Row, known: Export) -> Problem:
    document = known.remote_number or known.remote_id
    return Problem(
        state=ExportState.CHANGED,
        reason="changed_later",
        cause=f"Work order {row.work_order.number} was exported as {document}, and was changed since.",
        remedy="Correct the document by hand; or bring it up to date: outsmart-sync export resend --update. A second "
        "document is made only if you ask for it: --second.",
    )


def _as_it_is(known: Export) -> Problem:
    return Problem(
        state=known.state, reason=known.reason, cause=known.cause, remedy=known.remedy, by_itself=known.by_itself
    )


def _held_by_hand(_: ExportJob, row: Row, known: Export | None) -> _Answer:
    if known is None or known.decision != Decision.HOLD:
        return _UNDECIDED
    return Problem(
        state=ExportState.HELD,
        reason="by_hand",
        cause=f"Somebody said that work order {row.work_order.number} is not to be sent.",
        remedy="To send it all the same: outsmart-sync export release.",
    )


def _on_its_way(_: ExportJob, __: Row, known: Export | None) -> _Answer:
    """What was begun is ended, also when a rule was changed in between."""
    begun = known is not None and known.state in (ExportState.SENDING, ExportState.UNCERTAIN)
    return None if begun else _UNDECIDED


def _unreadable(_: ExportJob, row: Row, __: Export | None) -> _Answer:
    if not row.work_order.unreadable:
        return _UNDECIDED
    fields = ", ".join(row.work_order.unreadable)
    return Problem(
        state=ExportState.FAILED,
        reason="unreadable",
        cause=f"Work order {row.work_order.number} holds what cannot be read: {fields}.",
        remedy="Correct it in OutSmart; it goes by itself then.",
    )


def _older(job: ExportJob, row: Row, known: Export | None) -> _Answer:
    cut_off = job.text("cut_off")
    asked_for = job.options.codes or (known is not None and known.is_released(BEFORE_CUT_OFF))
    if not cut_off or asked_for or (at := row.work_order.ended_at) is None or at >= datetime.fromisoformat(cut_off):
        return _UNDECIDED
    return Problem(
        state=ExportState.OLDER,
        reason=BEFORE_CUT_OFF,
        cause=f"Work order {row.work_order.number} was completed before exports began ({cut_off}).",
        remedy="To send it all the same: outsmart-sync export release.",
    )


def _held_by_rule(job: ExportJob, row: Row, known: Export | None) -> _Answer:
    held = ruling(job, row.work_order).held
    if not held or (known is not None and known.is_released(_RULE)):
        return None
    return Problem(
        state=ExportState.HELD,
        reason=_RULE,
        cause=f"Work order {row.work_order.number} has the {held}, which the settings hold.",
        remedy="If the customer is to be billed: outsmart-sync export release. To decide it for all of them, change "
        "the rule in the settings.",
    )
