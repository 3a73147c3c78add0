"""The way back: what became of exported documents at the package, into the ledger and onto OutSmart's work orders."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import func, select, update

from outsmart_sync.errors import RecordError
from outsmart_sync.pipeline.export_documents import gone
from outsmart_sync.pipeline.export_rows import log_event
from outsmart_sync.records.completed_work_order import decode
from outsmart_sync.records.export_document import InvoiceState
from outsmart_sync.records.staged import Origin, StagedRow
from outsmart_sync.records.values import content_hash
from outsmart_sync.store import cursors, exports, ledger, runs, staged_rows
from outsmart_sync.store.exports import GONE, INVOICE_OF, Export, ExportState
from outsmart_sync.store.runs import Progress
from outsmart_sync.store.tables import staging

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from outsmart_sync.pipeline.export_job import ExportJob
    from outsmart_sync.pipeline.export_ports import CompletedWorkOrders, Exporter
    from outsmart_sync.store.cursors import Cursor
    from outsmart_sync.store.store import Store

log = logging.getLogger(__name__)

INVOICE = "invoice_state"
OURS, FOREIGN = "update", "excluded"
INVOICED, PAID = "invoiced", "paid"

_CHUNK = 500
_MADE = (ExportState.DONE, ExportState.DIFFERS, ExportState.CHANGED)
_NO_INVOICE: dict[str, Any] = {"invoice": "", "invoice_number": "", "booked": False, "paid": False}
_states = msgspec.json.Decoder(InvoiceState)


def extract(store: Store, job: ExportJob, exporter: Exporter) -> int:
    """Read what the package says about invoices since the last time; returns how many rows.

    The first time it begins on the day on which the earliest document was sent that is not known to be paid.
    """
    with store.begin() as connection:
        runs.begin_anew(connection, job.id)
        kept = cursors.read_all(connection, job.connection_id, job.category.name)
        restarted = kept.pop(cursors.RESTARTED, None)
        runs.save_progress(connection, job.id, cursors.RESTARTED, Progress(None, _value(restarted), 0, 0))
        since = min(exports.open_since(connection, job.connection_id) or job.today, job.today)
    staged = 0
    for page in exporter.invoice_states({name: each.value for name, each in kept.items()}, since):
        with store.begin() as connection:
            staged += staged_rows.load(connection, job.id, [_row(each) for each in page.states])
            progress = Progress(None if page.last else page.cursor, page.cursor, 0, len(page.states))
            runs.save_progress(connection, job.id, page.stream, progress)
            runs.change_category(connection, job.id, staged=staged, read=staged)
    return staged


def filter_rows(store: Store, job: ExportJob) -> None:
    """Leave out what is of documents that somebody else made; may be run again."""
    invoices: set[str] = set()  # of our documents: rows that tell of payments name only them
    with store.begin() as connection:
        after = -1
        while rows := _chunk(connection, job, after):
            states = {row.seq: _states.decode(row.payload) for row in rows}
            found = _exports_of(connection, job, list(states.values()))
            ours = {name for each in found for name in (each.remote_id, *_invoices_of(connection, each)) if name}
            for seq, state in states.items():
                mine = state.document in ours or state.invoice in ours or state.invoice in invoices
                if mine and state.invoice:
                    invoices.add(state.invoice)
                outcome = OURS if mine else FOREIGN
                connection.execute(
                    update(staging).where(staging.c.job_id == job.id, staging.c.seq == seq).values(outcome=outcome)
                )
            after = rows[-1].seq


def match(store: Store, job: ExportJob) -> dict[str, int]:
    """How many rows are of documents that we exported."""
    query = select(staging.c.outcome, func.count()).where(staging.c.job_id == job.id).group_by(staging.c.outcome)
    with store.read() as connection:
        return {str(outcome): number for outcome, number in connection.execute(query)}


def upsert(
    store: Store, job: ExportJob, outsmart: CompletedWorkOrders, exporter: Callable[[], Exporter]
) -> runs.Counts:
    """Keep what became of each document, tell OutSmart, and move the cursors; may be run again.

    The cursors stay where somebody said meanwhile that all is to be read again.

    Raises:
        ConfigurationError: The package or OutSmart refuses us.
        TransientError: One of them does not answer.
    """
    changed = _keep(store, job) + _pay(store, job, exporter)
    with store.read() as connection:
        untold = exports.untold(connection, job.connection_id)
    for each in untold:
        _tell(store, job, each, outsmart)
    with store.begin() as connection:
        progress = runs.progress_of(connection, job.id)
        seen = progress.pop(cursors.RESTARTED, Progress(None, "", 0, 0)).cursor
        now = cursors.read_all(connection, job.connection_id, job.category.name).get(cursors.RESTARTED)
        if _value(now) == seen:
            positions = {stream: each.cursor for stream, each in progress.items() if each.cursor}
            cursors.move(connection, job.connection_id, job.category.name, positions)
    return runs.Counts(updated=changed)


def _value(cursor: Cursor | None) -> str:
    return "" if cursor is None else cursor.value


def _keep(store: Store, job: ExportJob) -> int:
    changed = 0
    after = -1
    while True:
        with store.begin() as connection:
            rows = _chunk(connection, job, after, OURS)
            if not rows:
                return changed
            for state in (_states.decode(row.payload) for row in rows):
                for each in _exports_of(connection, job, [state]):
                    changed += _note(connection, job, each, state)
            after = rows[-1].seq


def _note(connection: Connection, job: ExportJob, export: Export, state: InvoiceState) -> bool:
    """Keep what one row says of one invoice, and what all invoices of the document say together."""
    if state.gone and state.document == export.remote_id:
        return _gone(connection, job, export)
    invoices = _invoices_of(connection, export)
    name = state.invoice or export.invoice or state.document
    before = invoices.get(name)
    invoices[name] = _joined(before or InvoiceState(invoice=name), state)
    if invoices[name] != before:
        ledger.note(
            connection,
            export.account,
            INVOICE_OF,
            f"{export.key}/{name}"[:120],
            connection_id=export.connection_id,
            run_id=job.run_id,
            remote_id=name,
            content=msgspec.json.encode(invoices[name]).decode(),
        )
    there = {each: known for each, known in invoices.items() if not known.gone}
    all_paid = bool(there) and all(each.paid for each in there.values())
    values: dict[str, Any] = {
        "invoice": name if name in there else next(reversed(there), ""),
        "invoice_number": exports.NUMBERS_APART.join(sorted({each.number for each in there.values() if each.number})),
        "booked": any(each.booked for each in there.values()),
        "paid": all_paid and (export.paid or not _is_order(job, export)),
    }
    if all(getattr(export, column) == value for column, value in values.items()):
        return False
    exports.put(connection, export.account, export.row_id, **values)
    return True


def _joined(known: InvoiceState, state: InvoiceState) -> InvoiceState:
    """What is known of an invoice; a page that knows only the payment leaves the rest as it is."""
    return InvoiceState(
        invoice=known.invoice,
        number=state.number or known.number,
        booked=known.booked or state.booked,
        paid=known.paid if state.paid is None else state.paid,
        gone=known.gone or state.gone,
    )


def _invoices_of(connection: Connection, export: Export) -> dict[str, InvoiceState]:
    """Id of an invoice of a document → what is known of it."""
    lines = ledger.of_prefix(connection, export.account, INVOICE_OF, f"{export.key}/")
    found = {line.remote_id: _states.decode(line.content) for line in lines}
    if export.invoice and export.invoice not in found:  # an older version knew one invoice only
        found[export.invoice] = InvoiceState(
            invoice=export.invoice, number=export.invoice_number, booked=export.booked, paid=export.paid
        )
    return found


def _gone(connection: Connection, job: ExportJob, export: Export) -> bool:
    """The document itself was deleted: a person decides what becomes of the work order."""
    if export.state not in _MADE or export.reason == GONE:
        return False
    problem = gone(export.number)
    exports.settle(
        connection,
        export,
        ExportState.DIFFERS,
        run_id=job.run_id,
        reason=GONE,
        cause=problem.cause,
        remedy=problem.remedy,
        decision="",
        **_NO_INVOICE,
    )
    log_event(connection, job, decode(export.payload), ExportState.DIFFERS, problem.cause)
    return True


def _is_order(job: ExportJob, export: Export) -> bool:
    """Whether it may be invoiced in parts."""
    return export.kind in job.exports.appends_to.values()


def _pay(store: Store, job: ExportJob, exporter: Callable[[], Exporter]) -> int:
    """Note orders as paid of which all invoices are, once nothing of them is left to be invoiced."""
    paid = 0
    for export in _paid_so_far(store, job):
        made = exporter().get(job.exports.kind(export.kind), export.remote_id)
        if made is None or made.invoiced is not False:
            with store.begin() as connection:
                exports.put(connection, export.account, export.row_id, paid=True)
            paid += 1
    return paid


def _paid_so_far(store: Store, job: ExportJob) -> list[Export]:
    """Orders that this run told of, all of whose invoices are paid."""
    found: dict[str, Export] = {}
    after = -1
    with store.read() as connection:
        while rows := _chunk(connection, job, after, OURS):
            states = [_states.decode(row.payload) for row in rows]
            for export in _exports_of(connection, job, states):
                invoices = [each for each in _invoices_of(connection, export).values() if not each.gone]
                if _is_order(job, export) and not export.paid and invoices and all(each.paid for each in invoices):
                    found[export.row_id] = export
            after = rows[-1].seq
    return list(found.values())


def _tell(store: Store, job: ExportJob, export: Export, outsmart: CompletedWorkOrders) -> None:
    what = PAID if export.paid else INVOICED
    if status := job.text(f"{what}_status"):
        try:
            outsmart.set_work_status(export.row_id, status)
        except RecordError as error:
            log.warning("Work order %s does not get the status %s: %s", export.number, status, error)
    with store.begin() as connection:
        exports.put(connection, export.account, export.row_id, told=what)


def _exports_of(connection: Connection, job: ExportJob, states: list[InvoiceState]) -> list[Export]:
    """The exports that some rows tell of: all of them, also where several orders became one invoice."""
    ids = [each for state in states for each in (state.document, state.invoice) if each]
    return exports.of_remote(connection, job.account, job.connection_id, list(dict.fromkeys(ids)))


def _chunk(connection: Connection, job: ExportJob, after: int, outcome: str = "") -> list[Any]:
    query = select(staging.c.seq, staging.c.payload).where(staging.c.job_id == job.id, staging.c.seq > after)
    if outcome:
        query = query.where(staging.c.outcome == outcome)
    return list(connection.execute(query.order_by(staging.c.seq).limit(_CHUNK)).all())


def _row(state: InvoiceState) -> StagedRow:
    text = msgspec.json.encode(state).decode()
    return StagedRow(
        record=INVOICE,
        provider_id=state.document or state.invoice,
        version=None,
        code=state.number,
        code_key=state.number,
        title=None,
        payload=text,
        content_hash=content_hash(text),
        tags="",
        blocked=False,
        valid_from=None,
        valid_until=None,
        due_on=None,
        parent_id=None,
        problems="",
        origin=Origin.PAGE,
    )
