"""The last step of exporting: each planned work order becomes its document, once; then OutSmart is told.

For one work order: what is missing is made, the document, its total is compared, the PDF, and OutSmart marks the work
order as handled. Each of these is noted before and after, so that a run that was killed anywhere is taken up again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import structs

from outsmart_sync.errors import RecordError
from outsmart_sync.pipeline import export_rows
from outsmart_sync.pipeline.export_documents import ORDER_LINE, Documents, compared
from outsmart_sync.pipeline.export_files import NO_FILE, Files
from outsmart_sync.pipeline.export_filter import judge
from outsmart_sync.pipeline.export_match import plan_of
from outsmart_sync.pipeline.export_missing import make_missing
from outsmart_sync.pipeline.export_resolve import Resolver
from outsmart_sync.pipeline.once import Once
from outsmart_sync.records.completed_work_order import HANDLED
from outsmart_sync.records.export_catalogue import INVOICE_STATUS
from outsmart_sync.records.export_plan import Plan, Problem, Stopped
from outsmart_sync.records.export_settings import FAILURE_STATUS, SUCCESS_STATUS, TRIGGER_STATUS
from outsmart_sync.store import cursors, exports, ledger, runs
from outsmart_sync.store.exports import GONE, Decision, ExportState

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from outsmart_sync.pipeline.export_job import ExportJob
    from outsmart_sync.pipeline.export_ports import CompletedWorkOrders, Exporter
    from outsmart_sync.pipeline.export_rows import Row
    from outsmart_sync.records.export_document import MadeDocument
    from outsmart_sync.store.store import Store

log = logging.getLogger(__name__)

HANDLED_BY_HAND = "handled_by_hand"
"""Reason of a work order that somebody settled in OutSmart before it was sent."""

_MARKED_HANDLED, _MARKED_FAILED = "handled", "failed"
_LEFT_ALONE = "left_alone"
_LEFT_REMEDY = "Look at it there; what is wrong with it is corrected by hand."
_GONE_TEXT = "Its document was deleted at the package, and a person said that this is right."
_FILE_REMEDY = "The document counts without it. To try the file again: outsmart-sync export resend."
_NOT_BEGUN = (ExportState.WAITING, ExportState.FAILED)


@dataclass
class Sending:
    """Sends the work orders of one job.

    Attributes:
        store: The store.
        job: Whose.
        exporter: The package.
        outsmart: The account.
        hour_prices: Reads OutSmart's hour types.
        may_send: Raises when another process has taken over.
    """

    store: Store
    job: ExportJob
    exporter: Exporter
    outsmart: CompletedWorkOrders
    hour_prices: Callable[[], Mapping[str, Decimal | None]]
    may_send: Callable[[], None]

    @cached_property
    def _makers(self) -> dict[str, Documents]:
        return {}

    def _documents(self, row: Row) -> Documents:
        """Makes documents of the kind that a work order becomes, or was begun as."""
        job = self.job.of(row.work_order.number, row.known)
        if job.kind.name not in self._makers:
            self._makers[job.kind.name] = Documents(Once(self.store, job, self.may_send), self.exporter)
        return self._makers[job.kind.name]

    @cached_property
    def resolver(self) -> Resolver:
        """Knows the ids; the step before has found nearly everything, so that this hardly asks anybody."""
        return Resolver(self.store, self.job, lambda: self.exporter, self.hour_prices)

    def send_all(self) -> dict[str, int]:
        """Send every planned work order; one that fails does not stop the others.

        Returns:
            State → work orders, of all that were looked at in this run.

        Raises:
            ConfigurationError: A vendor refuses us; what was sent is noted.
            TransientError: A vendor does not answer; this may be run again, and goes on where it stopped.
        """
        for rows in export_rows.chunks(self.store, self.job, export_rows.SEND):
            self.resolver.prepare([row.work_order for row in rows])
            for row in rows:
                self._send(row)
        self._tell_failed()
        with self.store.read() as connection:
            return export_rows.count(connection, self.job)

    def _tell_failed(self) -> None:
        """Give work orders that failed their work status, each once."""
        status = self.job.text(FAILURE_STATUS)
        if not status:
            return
        for rows in export_rows.chunks(self.store, self.job, ExportState.FAILED):
            for row in rows:
                if row.known is not None and row.known.marked != _MARKED_FAILED:
                    self._set_status(row, status)
                    self._put(row, marked=_MARKED_FAILED)

    def _send(self, row: Row) -> None:
        # Judged again: a person, or another run, may have decided since the rows were planned.
        if (problem := judge(self.job, row)) is not None:
            with self.store.begin() as connection:
                export_rows.stop(connection, self.job, row, problem)
            return
        try:
            self._bring(row)
        except Stopped as stopped:
            self._stop(row, stopped.problem)

    def _stop(self, row: Row, problem: Problem) -> None:
        with self.store.begin() as connection:
            export_rows.stop(connection, self.job, row, problem)
            if problem.reason == GONE:  # what a person said was of the document, not of that it is gone
                export_rows.put(connection, self.job, row, decision="")
            if problem.state in (ExportState.FAILED, ExportState.HELD) and not self._is_begun(connection, row):
                # Nothing of it is there: it may become another kind of document.
                export_rows.put(connection, self.job, row, sent="")

    def _is_begun(self, connection: Connection, row: Row) -> bool:
        if row.known is not None and row.known.remote_id:
            return True
        kind = self.job.of(row.work_order.number, row.known).kind.name
        return bool(ledger.of_key(connection, self.job.account, {kind, ORDER_LINE}, row.key))

    def _bring(self, row: Row) -> None:
        """One work order, from wherever it was left."""
        if row.known is not None and export_rows.is_accepted_as_gone(row.known):
            self._tell(row, row.known.sent)
            self._done(row, "its document is gone, and that is right", GONE, _GONE_TEXT)
            return
        if not row.listed:
            row = self._fresh(row)
        documents = self._documents(row)
        kind = documents.once.job.kind
        plan = plan_of(self.store, self.job, row, self.resolver, lambda: self.exporter)
        self._require_same(row, documents)
        accepted = export_rows.is_accepted(row.known)
        # A document that is accepted as it is says what the work order said when it was sent.
        sent = row.known.sent if row.known is not None and accepted else row.work_order.fingerprint
        self._put(row, state=ExportState.SENDING, kind=kind.name, sent=sent)
        if row.known is not None and accepted:
            made, left = documents.there(row.work_order.number, row.key, row.known.remote_id), list[str]()
            number = made.number or made.remote_id
            self._put(row, remote_number=number, actual=made.total)
        else:
            plan, made, left = self._make(documents, row, plan)
            number = made.number or made.remote_id
        note = self._attach(documents.once, row, plan, made)
        self._tell(row, sent)
        if left:
            self._done(row, f"{kind.label} {number}", _LEFT_ALONE, " ".join(left), _LEFT_REMEDY)
        else:
            self._done(row, f"{kind.label} {number}", *((NO_FILE, note, _FILE_REMEDY) if note else ()))

    def _make(self, documents: Documents, row: Row, plan: Plan) -> tuple[Plan, MadeDocument, list[str]]:
        """The document, what it was made by, and what an update left alone.

        Raises:
            Stopped: It was refused, whether it is there is not known, or the package has something else of it.
        """
        if make_missing(documents.once, plan, self.resolver, self.exporter):
            plan = plan_of(self.store, self.job, row, self.resolver, lambda: self.exporter)
        with self.store.read() as connection:
            late = not (row.known and row.known.remote_id) and self._is_begun(connection, row)
        made, left = self._document(documents, row, plan)
        self._learn(row, made, late=late, expected=plan.document.total, actual=made.total)
        problem = compared(documents.once.job.kind.tolerance, plan, made, self.job.package)
        if problem is not None:
            raise Stopped(structs.replace(problem, cause=" ".join((problem.cause, *left))))
        return plan, made, left

    def _fresh(self, row: Row) -> Row:
        """A work order that OutSmart did not list, as it is now; what was begun goes on with what it was begun with.

        Raises:
            Stopped: Somebody settled it in OutSmart in the meantime.
        """
        known = row.known
        if known is not None and known.state not in _NOT_BEGUN and known.decision != Decision.UPDATE:
            return row
        now = self.outsmart.by_row(row.work_order.row_id)
        number = row.work_order.number
        if now is None:
            raise _held("gone_in_outsmart", f"Work order {number} is no longer in OutSmart.", "")
        asked = self.job.options.codes or (
            known is not None and (known.is_released(HANDLED_BY_HAND) or known.decision == Decision.UPDATE)
        )
        if now.status == HANDLED and not asked and not self.job.text(TRIGGER_STATUS):
            raise _held(
                HANDLED_BY_HAND,
                f"Somebody marked work order {number} as handled in OutSmart before it was sent.",
                "If it has yet to be billed: outsmart-sync export release.",
            )
        if not now.finished:
            raise Stopped(
                Problem(
                    state=ExportState.FAILED,
                    reason="reopened",
                    cause=f"Work order {number} is being worked on again.",
                    remedy="It goes by itself once it is completed.",
                    by_itself=True,
                )
            )
        self.resolver.prepare([now])  # it may name other records by now
        return replace(row, work_order=now)

    def _require_same(self, row: Row, documents: Documents) -> None:
        """What was begun must not be gone on with another content; a document that may be there is looked for first.

        Raises:
            Stopped: The work order was changed in between, or whether its document is there is not known yet.
        """
        known = row.known
        if known is None or not known.sent or known.sent == row.work_order.fingerprint:
            return
        if known.decision in (Decision.ACCEPT, Decision.UPDATE):
            return
        if row.listed and (found := documents.found_again(row.key)) is not None:
            self._learn(row, found, late=True, actual=found.total)
        with self.store.read() as connection:
            begun = row.listed and self._is_begun(connection, row)
        if begun:
            raise Stopped(
                Problem(
                    state=ExportState.CHANGED,
                    reason="changed_while_exporting",
                    cause=f"Work order {row.work_order.number} was changed while it was being exported.",
                    remedy="Look what the package has of it, then: outsmart-sync export resend --update, or --second.",
                )
            )

    @staticmethod
    def _document(documents: Documents, row: Row, plan: Plan) -> tuple[MadeDocument, list[str]]:
        """The document, and what an update left alone, as a sentence."""
        known, left = row.known, list[str]()
        if known is None or known.decision != Decision.UPDATE or not known.remote_id:
            return documents.make(plan, row.key), left
        if plan.document.append_to:  # an order that somebody else made only ever gets our lines
            left = documents.bring_up_to_date(plan, row.key)
            made = documents.make(plan, row.key)
        else:
            replaced = documents.update(plan, row.key, known.remote_id)
            made, left = replaced.made, replaced.left
        return made, [f"What the office did to the document was left alone: {'; '.join(left)}."] if left else []

    def _attach(self, once: Once, row: Row, plan: Plan, made: MadeDocument) -> str:
        kind, note = once.job.kind, ""
        if kind.by_line:
            return note
        files = Files(once, self.exporter, self.outsmart, row.work_order, plan.document, made, row.key)
        if self.job.is_on("pdf") and kind.takes_files:
            note = files.attach_pdf()
        if self.job.is_on("photos") and kind.takes_photos:
            note = " ".join(part for part in (note, files.attach_photos()) if part)
        return note

    def _tell(self, row: Row, sent: str) -> None:
        """Mark the work order as handled, and see whether it is still what was exported.

        Raises:
            Stopped: It was changed in between.
        """
        was = self.outsmart.handle(row.work_order.row_id)
        if status := self.job.text(SUCCESS_STATUS):
            self._set_status(row, status)
        self._put(row, marked=_MARKED_HANDLED)
        if was is not None and was.fingerprint != (sent or row.work_order.fingerprint):
            raise Stopped(
                Problem(
                    state=ExportState.CHANGED,
                    reason="changed_while_exporting",
                    cause=f"Work order {row.work_order.number} was changed while it was being exported; the document "
                    "has what it said before.",
                    remedy="Correct the document by hand, or: outsmart-sync export resend --update.",
                )
            )

    def _learn(self, row: Row, made: MadeDocument, *, late: bool, **values: object) -> None:
        """Keep the id of a document.

        Args:
            row: Whose.
            made: The document.
            late: It may have been there since an earlier run: what became of it since was taken for somebody else's,
                so that it is read again.
            values: What else is kept.
        """
        number = made.number or made.remote_id
        with self.store.begin() as connection:
            export_rows.put(connection, self.job, row, remote_id=made.remote_id, remote_number=number, **values)
            if late:
                cursors.restart(connection, self.job.connection_id, INVOICE_STATUS)

    def _set_status(self, row: Row, status: str) -> None:
        try:
            self.outsmart.set_work_status(row.work_order.row_id, status)
        except RecordError as error:
            log.warning("Work order %s does not get the status %s: %s", row.work_order.number, status, error)

    def _done(self, row: Row, what: str, reason: str = "", cause: str = "", remedy: str = "") -> None:
        with self.store.begin() as connection:
            export_rows.finish(connection, self.job, row, reason, cause, remedy)
            export_rows.log_event(connection, self.job, row.work_order, "exported", what)
        log.info("Work order %s: %s", row.work_order.number, what)

    def _put(self, row: Row, **values: object) -> None:
        with self.store.begin() as connection:
            export_rows.put(connection, self.job, row, **values)


def counts(outcomes: Mapping[str, int]) -> runs.Counts:
    """The figures of a run."""
    return runs.Counts(
        created=outcomes.get(ExportState.DONE, 0),
        excluded=outcomes.get(ExportState.OLDER, 0),
        rejected=outcomes.get(ExportState.FAILED, 0),
        waiting=sum(outcomes.get(each, 0) for each in exports.ON_THE_WAY),
        held=sum(outcomes.get(each, 0) for each in (ExportState.HELD, ExportState.DIFFERS, ExportState.CHANGED)),
    )


def _held(reason: str, cause: str, remedy: str) -> Stopped:
    return Stopped(Problem(state=ExportState.HELD, reason=reason, cause=cause, remedy=remedy))
