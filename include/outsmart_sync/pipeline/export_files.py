"""The work order's PDF and photos at its document: what holds a file, the file, and the link, each made once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from outsmart_sync.errors import RecordError, RequestRefused, TransientError
from outsmart_sync.pipeline.once import Once, Thing
from outsmart_sync.records.export_document import Attachment, MadeDocument
from outsmart_sync.records.export_plan import Problem, Stopped
from outsmart_sync.store.exports import ExportState

if TYPE_CHECKING:
    from outsmart_sync.pipeline.export_ports import CompletedWorkOrders, Exporter
    from outsmart_sync.records.completed_work_order import CompletedWorkOrder
    from outsmart_sync.records.export_document import ExportDocument

log = logging.getLogger(__name__)

FILE, ATTACHMENT, LINKED = "file", "attachment", "file_link"
"""The ledger's words for what holds a file, the file, and the link between both."""

NO_FILE = "no_pdf"
"""Reason of a work order whose document is there without all of its files."""

PDF = "application/pdf"
_DEAD = (RecordError, RequestRefused)
_MEDIA_TYPES = {b"\x89PNG": ("image/png", "png"), b"\xff\xd8": ("image/jpeg", "jpg"), b"II*": ("image/tiff", "tiff")}


@dataclass(frozen=True)
class Files:
    """The files of one work order.

    Attributes:
        once: Makes each thing once.
        exporter: The package.
        outsmart: Where the files are.
        work_order: Whose.
        document: What was sent.
        made: What the package made of it.
        key: Its key in the ledger.
    """

    once: Once
    exporter: Exporter
    outsmart: CompletedWorkOrders
    work_order: CompletedWorkOrder
    document: ExportDocument
    made: MadeDocument
    key: str

    def attach_pdf(self) -> str:
        """Attach the PDF, as far as it is not there yet.

        Returns:
            Why there is none, in words: OutSmart has none, or the package refuses it; '' when it is there.

        Raises:
            Stopped: Whether a part of it was made is not known.
            TransientError: A vendor does not answer.
        """
        name = f"{self.document.number or self.work_order.row_id}.pdf".replace("/", "-")
        return self._attached(self.key, name, PDF, self._pdf, "OutSmart has no PDF of it.")

    def _pdf(self) -> bytes | None:
        """The PDF; where the link that was read is dead or missing, by the one that OutSmart has by now."""
        try:
            if (content := self.outsmart.pdf(self.work_order)) is not None:
                return content
        except _DEAD:
            now = self.outsmart.by_row(self.work_order.row_id)
            if now is None or now.pdf_url in ("", self.work_order.pdf_url):
                raise
        else:
            now = self.outsmart.by_row(self.work_order.row_id)
        return None if now is None or now.pdf_url == self.work_order.pdf_url else self.outsmart.pdf(now)

    def attach_photos(self) -> str:
        """Attach each photo, as far as it is not there yet; returns and raises as :meth:`attach_pdf` does."""
        notes = []
        for place, address in enumerate(self.work_order.photos, 1):
            key = f"{self.key}/photo{place}"
            if self.once.is_done(Thing(LINKED, key, "")):
                continue
            try:
                content = self._read(lambda address=address: self.outsmart.photo(address))  # type: ignore[misc]
            except _DEAD as error:
                notes.append(f"Photo {place}: {error.what}.")
                continue
            found = [kind for begin, kind in _MEDIA_TYPES.items() if content and content.startswith(begin)]
            if not found:
                notes.append(f"Photo {place} is none that the package takes.")
                continue
            (media_type, ending), number = found[0], self.document.number or self.work_order.row_id
            name = f"{number}-{place}.{ending}".replace("/", "-")
            notes.append(self._attached(key, name, media_type, lambda content=content: content, ""))  # type: ignore[misc]
        return " ".join(note for note in notes if note)

    def _attached(self, key: str, name: str, media_type: str, read: Callable[[], bytes | None], none: str) -> str:
        exporter, kind, made, once = self.exporter, self.once.job.kind, self.made, self.once
        attached = Thing(ATTACHMENT, key, f"file {name}")
        linked = Thing(LINKED, key, f"link to {name}")
        if once.is_done(linked):
            return ""
        try:
            content = None if once.is_done(attached) else self._read(read)
        except _DEAD as error:
            return f"{name}: {error.what}."
        if content is None and not once.is_done(attached):
            return none
        try:
            holder = once.make(
                Thing(FILE, key, f"document for {name}", self.document.token),
                lambda: MadeDocument(remote_id=exporter.create_file(kind, self.document, made, name)),
                lambda: _named(exporter.find_file(kind, self.document.token, made)),
            )
            attachment = Attachment(name=name, content=content or b"", media_type=media_type)
            once.make(
                attached,
                lambda: MadeDocument(remote_id=exporter.attach(kind, made, holder.remote_id, attachment)),
                lambda: _named(exporter.find_attachment(kind, made, holder.remote_id, name)),
            )
            once.repeat(linked, lambda: exporter.link_file(kind, made, holder.remote_id), holder.remote_id)
        except Stopped as stopped:
            if stopped.problem.state != ExportState.FAILED:
                raise
            log.warning("%s", stopped.problem.cause)
            return stopped.problem.cause
        return ""

    def _read(self, read: Callable[[], bytes | None]) -> bytes | None:
        """A file of OutSmart's.

        Raises:
            RecordError: Its link is dead.
            RequestRefused: Its link leads nowhere that is asked.
            Stopped: No answer came; the document stays, and the next run goes on from here.
        """
        try:
            return read()
        except TransientError as error:
            number = self.document.number or self.work_order.row_id
            raise Stopped(
                Problem(
                    state=ExportState.SENDING,
                    reason="file_unread",
                    cause=f"The document of work order {number} is there, but OutSmart does not give its file: "
                    f"{error.what}",
                    remedy="The next run tries it again.",
                    by_itself=True,
                )
            ) from error


def _named(ids: Sequence[str]) -> list[MadeDocument]:
    return [MadeDocument(remote_id=each) for each in ids]
