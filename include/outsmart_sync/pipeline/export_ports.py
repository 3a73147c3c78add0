"""What exporting needs from a bookkeeping package, whichever it is.

Each call that makes something says how it can end:

* it returns: clear, the thing is there;
* ``RecordError``: refused, nothing was made; the error's words tell a person what to change;
* ``UncertainOutcome``: it was sent and no clear answer came (timeout, reset, gateway error, unreadable answer): it may
  be there or not;
* ``TransientError`` (429, no connection came about, or the vendor says that it did not start) and
  ``ConfigurationError`` (login, right, module): nothing was made.

No such call is ever repeated inside: the ledger is written before it, and whoever comes next looks before it sends
again.
Reads are repeated as usual and raise ``TransientError`` or ``ConfigurationError``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from outsmart_sync.records.completed_work_order import CompletedWorkOrder
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


class Exporter(Protocol):
    """A connected administration, opened for exporting. The package's hook hands it out as ``exporter(settings)``.

    ``settings`` are those of the category ``work_orders``: what new customers and articles are made with.
    """

    @property
    def calls(self) -> int:
        """Calls made so far."""

    # Documents.

    def find(self, kind: DocumentKind, tokens: Sequence[str], since: date) -> list[MadeDocument]:
        """Every document that has one of these tokens, with token, customer, payer, total and time read back.

        Where the package filters by the token, with as few calls as the length of an address allows; else what was made
        since a day is read and compared. All that have a token are returned, also two with the same one. For kinds that
        are made by line, the tokens are those of lines.
        """

    def get(self, kind: DocumentKind, remote_id: str) -> MadeDocument | None:
        """A document as it is now; None: it is gone."""

    def by_number(self, kind: DocumentKind, number: str) -> list[MadeDocument]:
        """Documents with this number of the package's, or this id: a person typed it."""

    def create(self, kind: DocumentKind, document: ExportDocument) -> MadeDocument:
        """Make a document with all its lines in one call; its total as the package computed it is in the answer."""

    def create_line(self, kind: DocumentKind, document: ExportDocument, line: Line) -> MadeDocument:
        """Make one line of a kind that is made by line, such as hours or costs; ``line.token`` must stand in it."""

    def replace(self, kind: DocumentKind, remote_id: str, sent: Sent, document: ExportDocument) -> Replaced:
        """Bring a document that is still open to what ``document`` says; safe to repeat.

        Only what is as it was ``sent`` is touched; ``records/export_update.py`` says which rows those are.

        Raises:
            RecordError: The package does not allow it (any more); nothing was changed.
        """

    # Orders that work orders came from.

    def order(self, remote_id: str) -> ExistingOrder | None:
        """An order with its lines as they are now; None: it is gone."""

    def append_line(self, document: ExportDocument, line: Line) -> MadeDocument:
        """Add one line to the order ``document.append_to``, with ``line.token`` in it; ``remote_id`` is the line's."""

    def change_line(self, order_id: str, line_id: str, line: Line) -> None:
        """Bring a line that :meth:`append_line` added to what ``line`` says. Safe to repeat."""

    def remove_line(self, order_id: str, line_id: str) -> None:
        """Take a line off an order that :meth:`append_line` added. Safe to repeat."""

    def change_quantity(self, order_id: str, line_id: str, quantity: Decimal) -> None:
        """Set the ordered quantity of a line; delivered quantities are not touched. Safe to repeat."""

    # What documents refer to.

    def look_up(self, entity: Entity, codes: Sequence[str]) -> dict[str, Known]:
        """Records by their codes, in batches: code as asked → what was found; a code that is not there is left out."""

    def facts(self, entity: Entity, remote_ids: Sequence[str]) -> dict[str, Known]:
        """The same by the package's ids, in batches."""

    def likely_customers(self, customer: NewCustomer) -> list[Likely]:
        """Customers that may be this one under another code.

        They have the same VAT number, the same chamber-of-commerce number, or the same name and postcode.
        """

    def likely_articles(self, article: NewArticle) -> list[Likely]:
        """Articles that may be this one under another code, by description."""

    def create_customer(self, customer: NewCustomer) -> Known:
        """Make a customer with the settings' defaults. The package may give it another code: it is in the answer."""

    def create_article(self, article: NewArticle) -> Known:
        """Make an article with the settings' defaults."""

    # The PDF.

    def create_file(self, kind: DocumentKind, document: ExportDocument, made: MadeDocument, name: str) -> str:
        """Make what holds a file (Exact: a document); returns its id. Where none is needed: '' without a call."""

    def find_file(self, kind: DocumentKind, token: str, made: MadeDocument) -> list[str]:
        """Ids of what :meth:`create_file` made for a document; the token stands in its subject."""

    def attach(self, kind: DocumentKind, made: MadeDocument, file_id: str, attachment: Attachment) -> str:
        """Put the bytes there; returns the attachment's id."""

    def find_attachment(self, kind: DocumentKind, made: MadeDocument, file_id: str, name: str) -> list[str]:
        """Ids of attachments with this file name."""

    def link_file(self, kind: DocumentKind, made: MadeDocument, file_id: str) -> None:
        """Show the file at the document, where that is a step of its own (Exact: PUT Document); safe to repeat."""

    # The way back, and lists.

    def invoice_states(self, cursors: Mapping[str, str], since: date) -> Iterator[InvoicePage]:
        """What became of documents, after a position in each stream; a stream without one begins on a day.

        Streams come in such an order that an invoice is told of before its payments.
        """

    def choices(self, listed: ValueList) -> list[tuple[str, str]]:
        """Journals, warehouses, payment conditions, document types ... for settings."""

    def close(self) -> None:
        """End the session."""


class CompletedWorkOrders(Protocol):
    """An OutSmart account, as exporting reads and marks its completed work orders."""

    @property
    def calls(self) -> int:
        """Calls made so far."""

    def completed(self, work_status: str) -> Iterator[CompletedWorkOrder]:
        """Completed work orders that nobody has handled, or all completed ones with a work status; none is marked.

        Counts only when the iterator has ended.
        """

    def by_row(self, row_id: str) -> CompletedWorkOrder | None:
        """One work order by its row id, not marked; None: it was removed."""

    def by_number(self, number: str) -> list[CompletedWorkOrder]:
        """Every work order with a number, not marked, finished or not."""

    def handle(self, row_id: str) -> CompletedWorkOrder | None:
        """Mark one work order as handled; returns it as it was. Safe to repeat; None: it was removed."""

    def set_work_status(self, row_id: str, code: str) -> None:
        """Give it a work status; safe to repeat.

        Raises:
            RecordError: OutSmart does not know the status or the work order.
        """

    def pdf(self, work_order: CompletedWorkOrder) -> bytes | None:
        """The work order's PDF; None: OutSmart has none (yet).

        Raises:
            RecordError: Its link is dead.
            RequestRefused: Its link leads nowhere that is asked.
            TransientError: No answer.
        """

    def photo(self, address: str) -> bytes | None:
        """One of its photos; None: it is empty. Raises as :meth:`pdf` does."""

    def close(self) -> None:
        """End the session."""
