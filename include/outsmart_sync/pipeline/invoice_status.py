"""The way back: what became of exported documents at the package, into the ledger and onto OutSmart's work orders."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import func, select, update

from outsmart_sync.errors import RecordError
from outsmart_sync.records.export_document import InvoiceState
from outsmart_sync.records.staged import Origin, StagedRow
from outsmart_sync.records.values import content_hash
from outsmart_sync.store import cursors, exports, runs, staged_rows
from outsmart_sync.store.exports import Export
from outsmart_sync.store.runs import Progress
from outsmart_sync.store.tables import staging

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from outsmart_sync.pipeline.export_job import ExportJob
    from outsmart_sync.pipeline.export_ports import CompletedWorkOrders, Exporter
    from outsmart_sync.store.store import Store

log = logging.getLogger(__name__)

INVOICE = "invoice_state"
OURS, FOREIGN = "update", "excluded"
INVOICED, PAID = "invoiced", "paid"

_CHUNK = 500
_states = msgspec.json.Decoder(InvoiceState)


def extract(store: Store, job: ExportJob, exporter: Exporter) -> int:
    """Read what the package says about invoices since the last time; returns how many rows.

    The first time it begins on the day on which the earliest document was sent that is not known to be paid.
    """
    with store.begin() as connection:
        runs.begin_anew(connection, job.id)
        kept = cursors.read_all(connection, job.connection_id, job.category.name)
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
            ours = {name for each in found for name in (each.remote_id, each.invoice) if name}
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


def upsert(store: Store, job: ExportJob, outsmart: CompletedWorkOrders) -> runs.Counts:
    """Keep what became of each document, tell OutSmart, and move the cursors; may be run again.

    Raises:
        ConfigurationError: OutSmart refuses our tokens.
        TransientError: OutSmart does not answer.
    """
    changed = _keep(store, job)
    with store.read() as connection:
        untold = exports.untold(connection, job.connection_id)
    for each in untold:
        _tell(store, job, each, outsmart)
    with store.begin() as connection:
        progress = runs.progress_of(connection, job.id)
        positions = {stream: each.cursor for stream, each in progress.items() if each.cursor}
        cursors.move(connection, job.connection_id, job.category.name, positions)
    return runs.Counts(updated=changed)


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
                    changed += _note(connection, each, state)
            after = rows[-1].seq


def _note(connection: Connection, export: Export, state: InvoiceState) -> bool:
    """Keep what one row says; a page that knows only the payment leaves the rest as it is."""
    values: dict[str, Any] = {
        "invoice": state.invoice or export.invoice,
        "invoice_number": state.number or export.invoice_number,
        "booked": (export.booked or state.booked) and not state.gone,
        "paid": export.paid if state.paid is None else state.paid,
    }
    if all(getattr(export, name) == value for name, value in values.items()):
        return False
    exports.put(connection, export.account, export.row_id, **values)
    return True


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
    return exports.of_remote(connection, job.connection_id, list(dict.fromkeys(ids)))


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
