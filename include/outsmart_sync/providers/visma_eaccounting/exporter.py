"""VISMA eAccounting as exporting needs it; what each method promises is in ``pipeline/export_ports.py``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from outsmart_sync.errors import RecordError
from outsmart_sync.providers.visma_eaccounting import export_files as files
from outsmart_sync.providers.visma_eaccounting import export_statuses
from outsmart_sync.providers.visma_eaccounting.export_documents import INVOICES, PATHS, VismaDocuments
from outsmart_sync.providers.visma_eaccounting.export_files import VismaFiles
from outsmart_sync.providers.visma_eaccounting.export_look_ups import PLACES, VismaLookUps
from outsmart_sync.providers.visma_eaccounting.lists import read_values

if TYPE_CHECKING:
    from outsmart_sync.providers.visma_eaccounting.client import VismaClient
    from outsmart_sync.providers.visma_eaccounting.lists import VismaList
    from outsmart_sync.records.export_catalogue import DocumentKind
    from outsmart_sync.records.export_document import (
        Attachment,
        Entity,
        ExistingOrder,
        ExportDocument,
        InvoicePage,
        Known,
        Likely,
        Line,
        MadeDocument,
        NewArticle,
        NewCustomer,
    )
    from outsmart_sync.records.export_update import Replaced, Sent
    from outsmart_sync.records.setting_kinds import ValueList

ENDPOINTS = (*PATHS.values(), INVOICES, files.PATH, *files.TARGETS.values(), *(place.path for place in PLACES.values()))
"""Where exports read and write documents and what they refer to."""


class VismaExporter:
    """One company, opened for exporting.

    Args:
        client: The company.
        settings: Those of the category ``work_orders``.
    """

    def __init__(self, client: VismaClient, settings: Mapping[str, Any]) -> None:
        self._client = client
        self._documents = VismaDocuments(client, settings)
        self._look_ups = VismaLookUps(client, settings)
        self._files = VismaFiles(client, self._documents)

    @property
    def calls(self) -> int:
        """Calls made so far."""
        return self._client.calls

    def find(self, kind: DocumentKind, tokens: Sequence[str], since: date) -> list[MadeDocument]:
        """Documents that have one of these tokens: what is recent is read and compared."""
        return self._documents.find(kind.name, tokens, since)

    def get(self, kind: DocumentKind, remote_id: str) -> MadeDocument | None:
        """A document as it is now, booked or not; None: it is gone."""
        return self._documents.get(kind.name, remote_id)

    def by_number(self, kind: DocumentKind, number: str) -> list[MadeDocument]:
        """Documents with this number, or this id; a draft has the number of its invoice."""
        return self._documents.by_number(kind.name, number)

    def create(self, kind: DocumentKind, document: ExportDocument) -> MadeDocument:
        """Make an order or draft with all its rows."""
        return self._documents.create(kind.name, document)

    def create_line(self, kind: DocumentKind, document: ExportDocument, line: Line) -> MadeDocument:  # noqa: ARG002
        """VISMA has no documents that are made line by line."""
        raise RecordError(f"VISMA eAccounting has no {kind.label} that is made line by line.")

    def replace(self, kind: DocumentKind, remote_id: str, sent: Sent, document: ExportDocument) -> Replaced:
        """Bring an open document to what ``document`` says."""
        return self._documents.replace(kind.name, remote_id, sent, document)

    def order(self, remote_id: str) -> ExistingOrder | None:
        """An order with its lines; None: it is gone."""
        return self._documents.order(remote_id)

    def append_line(self, document: ExportDocument, line: Line) -> MadeDocument:
        """Add a line to the order that a work order came from."""
        return self._documents.append_line(document.append_to, line)

    def change_line(self, order_id: str, line_id: str, line: Line) -> None:
        """Bring a line of ours to what ``line`` says."""
        self._documents.change_line(order_id, line_id, line)

    def remove_line(self, order_id: str, line_id: str) -> None:
        """Take a line of ours off an order."""
        self._documents.remove_line(order_id, line_id)

    def change_quantity(self, order_id: str, line_id: str, quantity: Decimal) -> None:
        """Set the ordered quantity of a line."""
        self._documents.change_quantity(order_id, line_id, quantity)

    def look_up(self, entity: Entity, codes: Sequence[str]) -> dict[str, Known]:
        """Records by their codes."""
        return self._look_ups.look_up(entity, codes)

    def facts(self, entity: Entity, remote_ids: Sequence[str]) -> dict[str, Known]:
        """Records by their ids."""
        return self._look_ups.facts(entity, remote_ids)

    def likely_customers(self, customer: NewCustomer) -> list[Likely]:
        """Customers that may be this one under another code."""
        return self._look_ups.likely_customers(customer)

    def likely_articles(self, article: NewArticle) -> list[Likely]:
        """Articles that may be this one under another code."""
        return self._look_ups.likely_articles(article)

    def create_customer(self, customer: NewCustomer) -> Known:
        """Make a customer."""
        return self._look_ups.create_customer(customer)

    def create_article(self, article: NewArticle) -> Known:
        """Make an article."""
        return self._look_ups.create_article(article)

    def create_file(self, kind: DocumentKind, document: ExportDocument, made: MadeDocument, name: str) -> str:  # noqa: ARG002
        """Nothing: files hang on the document itself."""
        return ""

    def find_file(self, kind: DocumentKind, token: str, made: MadeDocument) -> list[str]:  # noqa: ARG002
        """What :meth:`create_file` says of every document."""
        return [""]

    def attach(self, kind: DocumentKind, made: MadeDocument, file_id: str, attachment: Attachment) -> str:  # noqa: ARG002
        """Attach a file to a document."""
        return self._files.attach(kind.name, made.remote_id, attachment)

    def find_attachment(self, kind: DocumentKind, made: MadeDocument, file_id: str, name: str) -> list[str]:  # noqa: ARG002
        """Attachments with a file name."""
        return self._files.find(kind.name, made.remote_id, name)

    def link_file(self, kind: DocumentKind, made: MadeDocument, file_id: str) -> None:
        """Nothing: an attachment shows at its document."""

    def invoice_states(self, cursors: Mapping[str, str], since: date) -> Iterator[InvoicePage]:
        """What became of drafts and orders."""
        return export_statuses.pages(self._client, cursors, since)

    def choices(self, listed: ValueList) -> list[tuple[str, str]]:
        """The values of one of VISMA's lists."""
        return read_values(self._client, cast("VismaList", listed))

    def close(self) -> None:
        """End the session."""
        self._client.close()
