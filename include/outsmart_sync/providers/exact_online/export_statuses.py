"""The way back: invoices that got their number, were processed, deleted or paid, by row version.

Streams: https://start.exactonline.nl/docs/HlpRestAPIResourcesDetails.aspx?name=SyncSalesInvoiceSalesInvoices (headers
with line number 0 and lines in one), name=SyncCashflowPaymentTerms and name=SyncDeleted .
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

from outsmart_sync.providers.exact_online import start_dates
from outsmart_sync.providers.exact_online.export_reading import rows_with
from outsmart_sync.providers.exact_online.rights import explained, need_of
from outsmart_sync.providers.exact_online.values import is_reference
from outsmart_sync.records.export_document import InvoicePage, InvoiceState

if TYPE_CHECKING:
    from outsmart_sync.providers.exact_online.client import ExactOnlineClient
    from outsmart_sync.records.streams import Row

INVOICES, TERMS, DELETED = "sync/SalesInvoice/SalesInvoices", "sync/Cashflow/PaymentTerms", "sync/Deleted"
_PROCESSED = 50
_RECEIVABLE = 20
_DELETED_INVOICE = 13
_COLUMNS = {
    INVOICES: ("Timestamp", "InvoiceID", "LineNumber", "InvoiceNumber", "Status", "SalesOrder"),
    TERMS: ("Timestamp", "InvoiceNumber", "LineType", "IsFullyPaid"),
    DELETED: ("Timestamp", "EntityKey", "EntityType"),
}
_ALSO = {DELETED: f" and EntityType eq {_DELETED_INVOICE}"}


class ExactStatuses:
    """What became of the invoices of one administration.

    Args:
        client: The administration.
    """

    def __init__(self, client: ExactOnlineClient) -> None:
        self._client = client

    def pages(self, cursors: Mapping[str, str], since: date) -> Iterator[InvoicePage]:
        """What changed after a position in each stream, or since a day; invoices come before their payments."""
        beginning = "" if all(stream in cursors for stream in _COLUMNS) else self._beginning(since)
        readers: dict[str, Callable[[Sequence[Row]], list[InvoiceState]]] = {
            INVOICES: _of_invoices,
            TERMS: self._of_terms,
            DELETED: _of_deletions,
        }
        for stream, read in readers.items():
            yield from self._stream(stream, cursors.get(stream) or beginning, read)

    def _stream(
        self, stream: str, after: str, read: Callable[[Sequence[Row]], list[InvoiceState]]
    ) -> Iterator[InvoicePage]:
        filters = f"Timestamp gt {after}L{_ALSO.get(stream, '')}"
        position = int(after)
        with explained(self._client, need_of(stream)):
            for page in self._client.pages(self._client.address(stream, select=_COLUMNS[stream], filters=filters)):
                position = max(position, *(int(row["Timestamp"]) for row in page.rows), 0)
                last = page.next_page is None
                yield InvoicePage(stream=stream, cursor=str(position), states=read(page.rows), last=last)

    def _beginning(self, since: date) -> str:
        """Where a day begins: one row version counts all streams of an administration."""
        return str(start_dates.position_of(self._client, INVOICES, since) or 1)

    def _of_terms(self, rows: Sequence[Row]) -> list[InvoiceState]:
        """Invoices of which something was paid, with whether all of it is: an invoice may be paid in several terms.

        Terms know the invoice's number only, so that its id is asked for, and so are its other terms.
        """
        numbers = {
            int(row["InvoiceNumber"])
            for row in rows
            if row["LineType"] == _RECEIVABLE and row["IsFullyPaid"] and row["InvoiceNumber"]
        }
        conditions = [f"InvoiceNumber eq {number}" for number in sorted(numbers)]
        select = ("InvoiceID", "InvoiceNumber", "Status")
        invoices = list(rows_with(self._client, "salesinvoice/SalesInvoices", select, conditions))
        known = {int(row["InvoiceNumber"]) for row in invoices}
        open_ones = self._open([one for one in sorted(numbers) if one in known])
        return [
            InvoiceState(
                document=str(row["InvoiceID"]),
                invoice=str(row["InvoiceID"]),
                number=str(row["InvoiceNumber"]),
                booked=row["Status"] == _PROCESSED,
                paid=int(row["InvoiceNumber"]) not in open_ones,
            )
            for row in invoices
        ]

    def _open(self, numbers: Sequence[int]) -> set[int]:
        """Those of some invoices of which a term is not paid."""
        conditions = [f"InvoiceNumber eq {number}" for number in numbers]
        select = ("ID", "InvoiceNumber", "IsFullyPaid")
        rows = rows_with(self._client, "bulk/Cashflow/Receivables", select, conditions)
        return {int(row["InvoiceNumber"]) for row in rows if not row["IsFullyPaid"]}


def _of_invoices(rows: Sequence[Row]) -> list[InvoiceState]:
    """A state for each order that stands on an invoice, and then one for each invoice.

    A header that changes leaves its lines as they are, so that what the header says counts for its orders, too.
    """
    headers = {str(row["InvoiceID"]): row for row in rows if row["LineNumber"] == 0}
    orders = {
        (str(row["SalesOrder"]), str(row["InvoiceID"])): headers.get(str(row["InvoiceID"]), row)
        for row in rows
        if row["LineNumber"] != 0 and is_reference(row["SalesOrder"])
    }
    return [
        *(_state(row, order) for (order, _), row in orders.items()),
        *(_state(row, invoice) for invoice, row in headers.items()),
    ]


def _state(row: Row, document: str) -> InvoiceState:
    return InvoiceState(
        document=document,
        invoice=str(row["InvoiceID"]),
        number=str(row["InvoiceNumber"] or ""),
        booked=row["Status"] == _PROCESSED,
    )


def _of_deletions(rows: Sequence[Row]) -> list[InvoiceState]:
    return [
        InvoiceState(document=str(row["EntityKey"]), invoice=str(row["EntityKey"]), gone=True)
        for row in rows
        if row["EntityType"] == _DELETED_INVOICE
    ]
