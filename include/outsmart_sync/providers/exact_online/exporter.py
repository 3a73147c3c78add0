"""Exact Online as exporting needs it; what each method promises is in ``pipeline/export_ports.py``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from outsmart_sync.providers.exact_online.export_documents import ExactDocuments
from outsmart_sync.providers.exact_online.export_files import ExactFiles
from outsmart_sync.providers.exact_online.export_hours import ExactHours
from outsmart_sync.providers.exact_online.export_look_ups import ExactLookUps
from outsmart_sync.providers.exact_online.export_statuses import ExactStatuses
from outsmart_sync.providers.exact_online.lists import read_values

if TYPE_CHECKING:
    from outsmart_sync.providers.exact_online.client import ExactOnlineClient
    from outsmart_sync.providers.exact_online.lists import ExactList
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


class ExactExporter:
    """One administration, opened for exporting.

    Args:
        client: The administration.
        settings: Those of the category ``work_orders``.
    """

    def __init__(self, client: ExactOnlineClient, settings: Mapping[str, Any]) -> None:
        self._client = client
        self._documents = ExactDocuments(client)
        self._hours = ExactHours(client, settings)
        self._look_ups = ExactLookUps(client, settings)
        self._files = ExactFiles(client, settings)
        self._statuses = ExactStatuses(client)

    @property
    def calls(self) -> int:
        """Calls made so far."""
        return self._client.calls

    def find(self, kind: DocumentKind, tokens: Sequence[str], since: date) -> list[MadeDocument]:
        """Documents, or lines of hours and costs, that have one of these tokens."""
        if kind.by_line:
            return self._hours.find(tokens, since)
        return self._documents.find(kind.name, tokens, since)

    def get(self, kind: DocumentKind, remote_id: str) -> MadeDocument | None:
        """A document as it is now; None: it is gone."""
        return self._hours.get(remote_id) if kind.by_line else self._documents.get(kind.name, remote_id)

    def by_number(self, kind: DocumentKind, number: str) -> list[MadeDocument]:
        """Documents with this number, or this id."""
        return self._hours.by_number(number) if kind.by_line else self._documents.by_number(kind.name, number)

    def create(self, kind: DocumentKind, document: ExportDocument) -> MadeDocument:
        """Make an order or invoice with all its lines."""
        return self._documents.create(kind.name, document)

    def create_line(self, kind: DocumentKind, document: ExportDocument, line: Line) -> MadeDocument:  # noqa: ARG002
        """Make an hour or cost."""
        return self._hours.create(document, line)

    def replace(self, kind: DocumentKind, remote_id: str, sent: Sent, document: ExportDocument) -> Replaced:
        """Bring an open document to what ``document`` says."""
        return self._hours.replace() if kind.by_line else self._documents.replace(kind.name, remote_id, sent, document)

    def order(self, remote_id: str) -> ExistingOrder | None:
        """An order with its lines; None: it is gone."""
        return self._documents.order(remote_id)

    def append_line(self, document: ExportDocument, line: Line) -> MadeDocument:
        """Add a line to the order that a work order came from."""
        return self._documents.append_line(document.append_to, line)

    def change_line(self, order_id: str, line_id: str, line: Line) -> None:  # noqa: ARG002
        """Bring a line of ours to what ``line`` says."""
        self._documents.change_line(line_id, line)

    def remove_line(self, order_id: str, line_id: str) -> None:  # noqa: ARG002
        """Take a line of ours off an order."""
        self._documents.remove_line(line_id)

    def change_quantity(self, order_id: str, line_id: str, quantity: Decimal) -> None:  # noqa: ARG002
        """Set the ordered quantity of a line."""
        self._documents.change_quantity(line_id, quantity)

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
        """Make the document that the PDF goes into."""
        return self._files.create(document)

    def find_file(self, kind: DocumentKind, token: str, made: MadeDocument) -> list[str]:  # noqa: ARG002
        """Documents with a token in their subject."""
        return self._files.find(token)

    def attach(self, kind: DocumentKind, made: MadeDocument, file_id: str, attachment: Attachment) -> str:  # noqa: ARG002
        """Put the PDF into its document."""
        return self._files.attach(file_id, attachment)

    def find_attachment(self, kind: DocumentKind, made: MadeDocument, file_id: str, name: str) -> list[str]:  # noqa: ARG002
        """Attachments with a file name."""
        return self._files.find_attachment(file_id, name)

    def link_file(self, kind: DocumentKind, made: MadeDocument, file_id: str) -> None:
        """Show the PDF at its order or invoice."""
        self._documents.link(kind.name, made.remote_id, file_id)

    def invoice_states(self, cursors: Mapping[str, str], since: date) -> Iterator[InvoicePage]:
        """What became of invoices."""
        return self._statuses.pages(cursors, since)

    def choices(self, listed: ValueList) -> list[tuple[str, str]]:
        """The values of one of Exact's lists."""
        return read_values(self._client, cast("ExactList", listed))

    def close(self) -> None:
        """End the session."""
        self._client.close()
