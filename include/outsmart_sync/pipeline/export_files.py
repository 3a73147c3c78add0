"""The work order's PDF at its document: what holds the file, the file, and the link between them, each made once."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from outsmart_sync.pipeline.once import Once, Thing
from outsmart_sync.records.export_document import Attachment, MadeDocument
from outsmart_sync.records.export_plan import Stopped
from outsmart_sync.store.exports import ExportState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from outsmart_sync.pipeline.export_ports import CompletedWorkOrders, Exporter
    from outsmart_sync.records.completed_work_order import CompletedWorkOrder
    from outsmart_sync.records.export_document import ExportDocument

log = logging.getLogger(__name__)

FILE, ATTACHMENT, LINKED = "file", "attachment", "file_link"
"""The ledger's words for the three."""


def attach_pdf(
    once: Once,
    exporter: Exporter,
    outsmart: CompletedWorkOrders,
    work_order: CompletedWorkOrder,
    document: ExportDocument,
    made: MadeDocument,
    key: str,
) -> str:
    """Attach the PDF, as far as it is not there yet.

    Returns:
        Why there is none, in words: OutSmart has none, or the package refuses it; '' when it is there.

    Raises:
        Stopped: Whether a part of it was made is not known.
        TransientError: A vendor does not answer.
    """
    kind = once.job.kind
    attached = Thing(ATTACHMENT, key, f"PDF of work order {work_order.number}")
    linked = Thing(LINKED, key, "link to the PDF")
    if once.is_done(linked):
        return ""
    name = f"{work_order.number or work_order.row_id}.pdf".replace("/", "-")
    content = None if once.is_done(attached) else outsmart.pdf(work_order)
    if content is None and not once.is_done(attached):
        return "OutSmart has no PDF of it"
    try:
        holder = once.make(
            Thing(FILE, key, f"document for the PDF of work order {work_order.number}", document.token),
            lambda: MadeDocument(remote_id=exporter.create_file(kind, document, made, name)),
            lambda: _named(exporter.find_file(kind, document.token, made)),
        )
        once.make(
            attached,
            lambda: MadeDocument(
                remote_id=exporter.attach(kind, made, holder.remote_id, Attachment(name=name, content=content or b""))
            ),
            lambda: _named(exporter.find_attachment(kind, made, holder.remote_id, name)),
        )
    except Stopped as stopped:
        if stopped.problem.state != ExportState.FAILED:
            raise
        log.warning("%s", stopped.problem.cause)
        return stopped.problem.cause
    once.repeat(linked, lambda: exporter.link_file(kind, made, holder.remote_id), holder.remote_id)
    return ""


def _named(ids: Sequence[str]) -> list[MadeDocument]:
    return [MadeDocument(remote_id=each) for each in ids]
