"""Sales orders and invoice drafts: made with their rows in one call, found by reading what is recent, changed whole.

Fields: schemas ``OrderApi``, ``CustomerInvoiceDraftApi`` and ``CustomerInvoiceApi`` of
https://eaccountingapi.vismaonline.com/openapi/v2.json . The token stands in ``OurReference`` and in the first row;
no list is known to be filtered by either. A draft that was booked is gone; the invoice says which draft it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from outsmart_sync.errors import RecordError, RequestRefused
from outsmart_sync.providers.visma_eaccounting import exports, writing
from outsmart_sync.providers.visma_eaccounting.errors import QUERY_REFUSED
from outsmart_sync.providers.visma_eaccounting.export_rows import (
    Body,
    appended,
    as_order_line,
    changed,
    kept,
    number,
    rows_of,
    tokens_of,
    total_of,
    updated,
)
from outsmart_sync.providers.visma_eaccounting.exports import INVOICE_DRAFT, SALES_ORDER
from outsmart_sync.providers.visma_eaccounting.values import is_id, moment, time_literal
from outsmart_sync.records.export_document import ExistingOrder, MadeDocument
from outsmart_sync.records.export_update import Replaced, Sent

if TYPE_CHECKING:
    from outsmart_sync.providers.visma_eaccounting.client import VismaClient
    from outsmart_sync.records.export_document import ExportDocument, Line
    from outsmart_sync.records.streams import Row

ORDERS, DRAFTS, INVOICES = "orders", "customerinvoicedrafts", "customerinvoices"
PATHS = {SALES_ORDER: ORDERS, INVOICE_DRAFT: DRAFTS}
SHIPPED, _INVOICED = 3, 4
CLOSED = {SHIPPED: "shipped", _INVOICED: "invoiced"}
"""Statuses of an order that takes no change."""

_CLOCKS_DIFFER = timedelta(days=1)
_LONGEST_REFERENCE, _LONGEST_OWN_REFERENCE = 35, 100
_LONGEST_NAME = {SALES_ORDER: 100, INVOICE_DRAFT: 50}
_LONGEST_STREET = _LONGEST_CITY = 50
_LONGEST_POSTCODE, _COUNTRY_LETTERS = 10, 2
_READ_ONLY = frozenset({
    "Id", "CreatedUtc", "ModifiedUtc", "Number", "CustomerNumber", "CustomerName", "CustomerIsPrivatePerson",
    "IncludesVat", "DeliveryTermId", "DeliveryMethodId", "SalesDocumentAttachments", "MessageThreads", "Notes",
    "MaxAllowedTaxReductionAmount", "RotReducedInvoicingPercent", "IsNotDelivered", "CreatedFromQuoteId",
    "BackgroundId",
    "ContributionMargin", "Amount", "VatAmount", "RoundingsAmount", "DeliveredAmount", "DeliveredVatAmount",
    "DeliveredRoundingsAmount",
})  # fmt: skip
"""Fields of an order that VISMA works out; all others are sent back as they were, known or not."""
_READ_ONLY_OF = {
    SALES_ORDER: _READ_ONLY,
    INVOICE_DRAFT: _READ_ONLY | {
        "InvoiceCustomerName", "InvoicePostalCode", "InvoiceCity", "InvoiceCountryCode", "InvoiceCurrencyCode",
        "ReverseChargeOnConstructionServices", "TotalAmount", "TotalVatAmount", "TotalRoundings",
        "TotalAmountBaseCurrency", "TotalVatAmountBaseCurrency",
    },
}  # fmt: skip


class VismaDocuments:
    """Orders and invoice drafts of one company.

    Args:
        client: The company.
        settings: Those of the category ``work_orders``.
    """

    def __init__(self, client: VismaClient, settings: Mapping[str, Any]) -> None:
        self._client = client
        self._settings = settings

    def create(self, kind: str, document: ExportDocument) -> MadeDocument:
        """Make a document with all its rows."""
        return made_of(kind, writing.create(self._client, PATHS[kind], self._body(kind, document)))

    def find(self, kind: str, tokens: Sequence[str], since: date) -> list[MadeDocument]:
        """Every document that has one of these tokens and was made since a day, booked or not."""
        begin = datetime.combine(since, datetime.min.time(), UTC) - _CLOCKS_DIFFER
        found = list(self._recent(kind, begin))
        return [made for made in found if made.token in tokens]

    def get(self, kind: str, remote_id: str) -> MadeDocument | None:
        """A document as it is now, booked or not; None: it is gone."""
        row = self._client.row(PATHS[kind], remote_id)
        if row is not None:
            return made_of(kind, row)
        invoice = self.booked(remote_id) if kind == INVOICE_DRAFT else None
        return None if invoice is None else _made_of_invoice(invoice)

    def booked(self, draft_id: str) -> Row | None:
        """The invoice that a draft became."""
        return self._first(INVOICES, lambda row: row.get("CreatedFromDraftId") == draft_id)

    def by_number(self, kind: str, wanted: str) -> list[MadeDocument]:
        """The document with this id, or the order, or the draft that became the invoice, with this number."""
        text = wanted.strip()
        if is_id(text):
            return [made for made in [self.get(kind, text.lower())] if made is not None]
        if kind == SALES_ORDER:
            order = self._first(ORDERS, lambda row: str(row.get("Number") or "") == text)
            return [] if order is None else [made_of(kind, order)]
        invoice = self._first(
            INVOICES, lambda row: str(row["InvoiceNumber"]) == text and row.get("CreatedFromDraftId") is not None
        )
        return [] if invoice is None else [_made_of_invoice(invoice)]

    def replace(self, kind: str, remote_id: str, sent: Sent, document: ExportDocument) -> Replaced:
        """Bring a document that is open to what ``document`` says, as far as it is as it was sent; safe to repeat.

        Raises:
            RecordError: It is gone, booked, shipped or invoiced; or it would become a credit note, or be none any more.
        """
        there = self._client.row(PATHS[kind], remote_id)
        if there is None:
            raise RecordError(
                "It is not there any more in VISMA eAccounting: it was deleted, or booked.",
                remedy="Send it again to make a new one, or correct the invoice there.",
            )
        if there.get("Status") in CLOSED:
            raise RecordError("It is shipped or invoiced in VISMA eAccounting.")
        if sent.document.is_credit != document.is_credit:
            raise RecordError(
                "A draft cannot be made a credit note in VISMA eAccounting, nor a credit note a draft.",
                remedy="Delete it there and send it again.",
            )
        before, after = (self._body(kind, each) for each in (sent.document, document))
        heads = {name: after.get(name) for name in (before | after) if before.get(name) != after.get(name)}
        done, rows = updated(kind, _rows(there), sent, document)
        body = {name: value for name, value in there.items() if name not in _READ_ONLY_OF[kind]} | heads
        row = writing.replace(self._client, PATHS[kind], remote_id, body | {"Rows": rows})
        return Replaced(made=made_of(kind, row), left=done.left, lines=done.lines)

    def order(self, remote_id: str) -> ExistingOrder | None:
        """An order with its rows as they are now; None: it is gone."""
        row = self._client.row(ORDERS, remote_id)
        if row is None:
            return None
        includes_vat = bool(row.get("IncludesVat"))
        lines = [as_order_line(each, includes_vat=includes_vat) for each in _rows(row) if not each["IsTextRow"]]
        return ExistingOrder(
            made=made_of(SALES_ORDER, row), lines=lines, closed=CLOSED.get(int(row.get("Status") or 0), "")
        )

    def append_line(self, order_id: str, line: Line) -> MadeDocument:
        """Add a row to an order: all of it is read and put back."""
        order = self._open_order(order_id)
        following = max((int(row["LineNumber"] or 0) for row in _rows(order)), default=0) + 1
        row = appended(line) | {"LineNumber": following}
        self._put_back(order, [*map(kept, _rows(order)), row])
        return MadeDocument(remote_id=str(following), total=line.amount, quantity=line.quantity, token=line.token)

    def change_line(self, order_id: str, line_id: str, line: Line) -> None:
        """Bring a row that was appended to what ``line`` says."""
        order = self._open_order(order_id)
        rows = [
            changed(row, appended(line)) if str(row["LineNumber"]) == line_id else kept(row) for row in _rows(order)
        ]
        self._put_back(order, rows)

    def remove_line(self, order_id: str, line_id: str) -> None:
        """Take a row that was appended off its order."""
        order = self._open_order(order_id)
        self._put_back(order, [kept(row) for row in _rows(order) if str(row["LineNumber"]) != line_id])

    def change_quantity(self, order_id: str, line_id: str, quantity: Decimal) -> None:
        """Set the ordered quantity of a row, by its number."""
        order = self._open_order(order_id)
        rows = [
            kept(row) | ({"Quantity": quantity} if str(row["LineNumber"]) == line_id else {}) for row in _rows(order)
        ]
        if rows != [kept(row) for row in _rows(order)]:
            self._put_back(order, rows)

    def attachments(self, kind: str, remote_id: str) -> list[str]:
        """Ids of what is attached to a document, booked or not."""
        row = self._client.row(PATHS[kind], remote_id)
        if row is None and kind == INVOICE_DRAFT:
            row = self.booked(remote_id)
        return [str(each) for each in (row or {}).get("SalesDocumentAttachments") or ()]

    @cached_property
    def currency(self) -> str:
        """The company's currency: prices of work orders are in it."""
        return str(self._client.company_settings().get("CurrencyCode") or "")

    def _open_order(self, order_id: str) -> Row:
        order = self._client.row(ORDERS, order_id)
        if order is None:
            raise RecordError("The order is not there any more in VISMA eAccounting.", remedy="Bill it by hand.")
        return order

    def _put_back(self, order: Row, rows: list[Body]) -> None:
        body = {name: value for name, value in order.items() if name not in _READ_ONLY}
        writing.replace(self._client, ORDERS, str(order["Id"]), body | {"Rows": rows})

    def _body(self, kind: str, document: ExportDocument) -> Body:
        body = self._header(document) | self._place(kind, document)
        if kind == INVOICE_DRAFT:
            body |= {"InvoiceDate": document.day.isoformat(), "IsCreditInvoice": document.is_credit}
            return body | {"Rows": rows_of(kind, document, delivered=False)}
        status = int(self._text(exports.ORDER_STATUS) or 2)
        body |= {
            "CurrencyCode": document.currency or self.currency,
            "OrderDate": document.day.isoformat(),
            "ReverseChargeOnConstructionServices": any(line.reverse_charge for line in document.lines),
            "Status": status,
            "Rows": rows_of(kind, document, delivered=status == SHIPPED),
        }
        return body | ({"ShippedDateTime": document.day.isoformat()} if status == SHIPPED else {})

    def _header(self, document: ExportDocument) -> Body:
        given = {
            "OurReference": f"{document.token} {document.number}".strip()[:_LONGEST_OWN_REFERENCE],
            "BuyersOrderReference": (document.reference or document.number).strip()[:_LONGEST_REFERENCE],
            "TermsOfPaymentId": document.payment_condition,
            "DeliveryMethodName": self._text(exports.DELIVERY_METHOD),
            "DeliveryTermName": self._text(exports.DELIVERY_TERM),
        }
        fixed = {
            "CustomerId": document.invoice_to,
            "EuThirdParty": False,
            "RotReducedInvoicingType": 0,
            "DeliveryDate": document.day.isoformat(),
        }
        return fixed | {name: value for name, value in given.items() if value}

    @staticmethod
    def _place(kind: str, document: ExportDocument) -> Body:
        """The work address as the delivery address, as far as it is known."""
        place, country = document.work_address, document.work_address.country.strip().upper()
        given = {
            "DeliveryCustomerName": place.name.strip()[: _LONGEST_NAME[kind]],
            "DeliveryAddress1": place.street.strip()[:_LONGEST_STREET],
            "DeliveryPostalCode": place.postcode.strip()[:_LONGEST_POSTCODE],
            "DeliveryCity": place.city.strip()[:_LONGEST_CITY],
            "DeliveryCountryCode": country if len(country) == _COUNTRY_LETTERS else "",
        }
        return {name: value for name, value in given.items() if value}

    def _recent(self, kind: str, begin: datetime) -> Iterator[MadeDocument]:
        """What was made since a moment; a draft of which a call was lost may be booked by now."""
        for row in self._since(PATHS[kind], "" if kind == INVOICE_DRAFT else "ModifiedUtc", begin):
            yield made_of(kind, row)
        if kind == INVOICE_DRAFT:
            for row in self._since(INVOICES, "ModifiedUtc", begin):
                if row.get("CreatedFromDraftId"):
                    yield _made_of_invoice(row)

    def _since(self, path: str, column: str, begin: datetime) -> Iterator[Row]:
        """Rows that were made since a moment; asked for by their last change where that is taken."""
        query = {"$filter": f"{column} gt {time_literal(begin)}"} if column else {}
        try:
            rows = [row for page in self._client.pages(path, query) for row in page.rows]
        except RequestRefused as error:
            if error.code != QUERY_REFUSED or not query:
                raise
            rows = [row for page in self._client.pages(path, {}) for row in page.rows]
        return (row for row in rows if not row.get("CreatedUtc") or moment(row["CreatedUtc"]) > begin)

    def _first(self, path: str, fits: Callable[[Row], bool]) -> Row | None:
        rows = (row for page in self._client.pages(path, {}) for row in page.rows)
        return next((row for row in rows if fits(row)), None)

    def _text(self, name: str) -> str:
        return str(self._settings.get(name) or "")


def made_of(kind: str, row: Mapping[str, Any]) -> MadeDocument:
    """An order or a draft as it was read; a credit draft's amounts are what the customer gets back."""
    if kind == SALES_ORDER:
        total = total_of(row.get("Amount"), row.get("VatAmount"), row.get("RoundingsAmount"))
    else:
        total = total_of(row.get("TotalAmount"), row.get("TotalVatAmount"), row.get("TotalRoundings"))
        total = -total if total is not None and row.get("IsCreditInvoice") else total
    return MadeDocument(
        remote_id=str(row["Id"]),
        number=str(row.get("Number") or ""),
        total=total,
        token=next(iter(tokens_of(row)), ""),
        invoice_to=str(row.get("CustomerId") or ""),
        made_at=_made_at(row),
        open=row.get("Status") not in CLOSED,
        invoiced=row.get("Status") == _INVOICED if kind == SALES_ORDER else None,
    )


def _made_of_invoice(row: Mapping[str, Any]) -> MadeDocument:
    """A draft that was booked, by the draft's id."""
    return MadeDocument(
        remote_id=str(row["CreatedFromDraftId"]),
        number=str(row.get("InvoiceNumber") or ""),
        total=invoice_total(row),
        token=next(iter(tokens_of(row)), ""),
        invoice_to=str(row.get("CustomerId") or ""),
        made_at=_made_at(row),
        open=False,
    )


def invoice_total(row: Mapping[str, Any]) -> Decimal | None:
    """An invoice's total without VAT and rounding, below zero for a credit."""
    total = total_of(row.get("TotalAmount"), row.get("TotalVatAmount"), row.get("TotalRoundings"))
    return -abs(total) if total is not None and row.get("IsCreditInvoice") else total


def _made_at(row: Mapping[str, Any]) -> str:
    created = row.get("CreatedUtc")
    return moment(created).isoformat() if created else ""


def _rows(order: Row) -> list[Row]:
    return sorted(order.get("Rows") or (), key=lambda row: number(row.get("LineNumber")))
