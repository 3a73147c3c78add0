"""Sales orders and invoices: made with their lines in one call, found by their token, read back with their total.

Fields: https://start.exactonline.nl/docs/HlpRestAPIResourcesDetails.aspx?name=SalesOrderSalesOrders and
name=SalesInvoiceSalesInvoices . The token stands at the beginning of ``Description``, which may be filtered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from outsmart_sync.errors import NotConfigured, RecordError
from outsmart_sync.providers.exact_online import lists, writing
from outsmart_sync.providers.exact_online.export_lines import as_order_line, body_of, is_alike
from outsmart_sync.providers.exact_online.export_reading import by_ids, decimal, rows_holding, rows_with, same_id
from outsmart_sync.providers.exact_online.exports import SALES_INVOICE, SALES_ORDER
from outsmart_sync.providers.exact_online.values import exact_moment, is_id
from outsmart_sync.records.export_document import ExistingOrder, MadeDocument
from outsmart_sync.records.export_token import tokens_in
from outsmart_sync.records.export_update import Changes, Replaced, Sent, changes

if TYPE_CHECKING:
    from outsmart_sync.providers.exact_online.client import ExactOnlineClient
    from outsmart_sync.records.export_document import ExportDocument, Line
    from outsmart_sync.records.streams import Row

LONGEST_TEXT = 60
"""Characters of a description."""

_OPEN_INVOICE = 20
_COMPLETE, _CANCELLED = 21, 45
_INVOICE, _CREDIT_NOTE = 8020, 8021
_CLOCKS_DIFFER = timedelta(days=1)
_CLOSED = (
    ("Status", _CANCELLED, "cancelled"),
    ("InvoiceStatus", _COMPLETE, "invoiced"),
    ("DeliveryStatus", _COMPLETE, "shipped"),
    ("Status", _COMPLETE, "closed"),
)
"""Column, value, and what it means; the first that fits counts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """How one kind of document is written at Exact.

    Attributes:
        path: Its endpoint.
        key: Column with its id.
        number: Column with its number.
        lines: The collection of its lines.
        line_path: Their endpoint.
        states: Columns that say whether it is still open.
    """

    path: str
    key: str
    number: str
    lines: str
    line_path: str
    states: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """What is read of it."""
        said = ("AmountFCExclVat", "Description", "OrderedBy", "InvoiceTo", "DeliverTo", "Created")
        return (self.key, self.number, *said, *self.states)


SHAPES = {
    SALES_ORDER: Shape(
        path="salesorder/SalesOrders",
        key="OrderID",
        number="OrderNumber",
        lines="SalesOrderLines",
        line_path="salesorder/SalesOrderLines",
        states=("Status", "DeliveryStatus", "InvoiceStatus"),
    ),
    SALES_INVOICE: Shape(
        path="salesinvoice/SalesInvoices",
        key="InvoiceID",
        number="InvoiceNumber",
        lines="SalesInvoiceLines",
        line_path="salesinvoice/SalesInvoiceLines",
        states=("Status",),
    ),
}
_ORDER = SHAPES[SALES_ORDER]
_EMPTY = {"YourRef": None, "Remarks": None}
"""Of a header: what may have nothing in it."""
_LINE_COLUMNS = (
    "ID", "Item", "Quantity", "NetPrice", "UnitPrice", "Discount", "AmountFC", "Description", "Notes", "LineNumber",
    "Project",
)  # fmt: skip


class ExactDocuments:
    """Orders and invoices of one administration.

    Args:
        client: The administration.
    """

    def __init__(self, client: ExactOnlineClient) -> None:
        self._client = client
        self._journal = ""

    def create(self, kind: str, document: ExportDocument) -> MadeDocument:
        """Make a document with all its lines."""
        shape = SHAPES[kind]
        body = self._header(kind, document) | {
            "OrderedBy": document.customer,
            "DeliverTo": document.deliver_to,
            "InvoiceTo": document.invoice_to,
            "OrderDate": document.day.isoformat(),
            shape.lines: [body_of(line) for line in document.lines],
        }
        if document.currency:  # else it might be that of the customer
            body |= {"Currency": document.currency}
        if kind == SALES_INVOICE:
            body |= {"Journal": document.journal or self._usual_journal()}
            body |= {"Type": _CREDIT_NOTE if document.is_credit else _INVOICE}
        return _made(kind, writing.create(self._client, shape.path, body))

    def find(self, kind: str, tokens: Sequence[str], since: date) -> list[MadeDocument]:
        """Every document that has one of these tokens and was made since a day."""
        shape = SHAPES[kind]
        rows = rows_holding(self._client, shape.path, shape.columns, "Description", tokens, since - _CLOCKS_DIFFER)
        found = [_made(kind, row) for row in rows]
        return [made for made in found if made.token in tokens]

    def get(self, kind: str, remote_id: str) -> MadeDocument | None:
        """A document as it is now; None: it is gone."""
        shape = SHAPES[kind]
        rows = by_ids(self._client, shape.path, shape.key, shape.columns, [remote_id])
        return _made(kind, rows[0]) if rows else None

    def by_number(self, kind: str, number: str) -> list[MadeDocument]:
        """Documents with this number, or this id."""
        shape, wanted = SHAPES[kind], number.strip()
        if is_id(wanted):
            return [made for made in [self.get(kind, wanted)] if made is not None]
        if not wanted.isdigit():
            return []
        condition = [f"{shape.number} eq {int(wanted)}"]
        return [_made(kind, row) for row in rows_with(self._client, shape.path, shape.columns, condition)]

    def replace(self, kind: str, remote_id: str, sent: Sent, document: ExportDocument) -> Replaced:
        """Bring an open document to what ``document`` says, as far as it is as it was sent; safe to repeat.

        Raises:
            RecordError: It is gone or done with, or other parties are to have it: those are fixed once it is made.
        """
        shape, there = SHAPES[kind], self.get(kind, remote_id)
        if there is None:
            raise RecordError("It is not there any more in Exact Online.", remedy="Send it again to make a new one.")
        if not there.open:
            raise RecordError("It is shipped, invoiced, processed or closed in Exact Online.")
        if (there.customer, there.invoice_to) != (document.customer, document.invoice_to):
            raise RecordError(
                "Exact Online fixes who orders and who pays when a document is made.",
                remedy="Delete it there and send it again.",
            )
        before, after = ({**_EMPTY, **self._header(kind, each)} for each in (sent.document, document))
        if new := {name: value for name, value in after.items() if value != before.get(name)}:
            writing.change(self._client, shape.path, remote_id, new)
        done = changes(
            self._lines(shape, remote_id), sent, document.lines, is_alike, lambda row: row["Description"] or row["ID"]
        )
        self._change_lines(shape, remote_id, done)
        return Replaced(made=self.get(kind, remote_id) or there, left=done.left, lines=done.lines)

    def order(self, remote_id: str) -> ExistingOrder | None:
        """An order with its lines as they are now; None: it is gone."""
        rows = by_ids(self._client, _ORDER.path, _ORDER.key, _ORDER.columns, [remote_id])
        if not rows:
            return None
        lines = [as_order_line(row) for row in self._lines(_ORDER, remote_id)]
        return ExistingOrder(made=_made(SALES_ORDER, rows[0]), lines=lines, closed=_why_closed(rows[0]))

    def append_line(self, order_id: str, line: Line) -> MadeDocument:
        """Add a line to an order, with its token in the notes.

        A change of the header adds none (https://github.com/picqer/exact-php-client/issues/538).
        """
        body = {_ORDER.key: order_id} | body_of(line, with_token=True)
        row = writing.create(self._client, _ORDER.line_path, body)
        return MadeDocument(
            remote_id=str(row["ID"]),
            total=decimal(row.get("AmountFC")),
            quantity=decimal(row.get("Quantity")),
            token=line.token,
        )

    def change_line(self, line_id: str, line: Line) -> None:
        """Bring a line that was appended to what ``line`` says."""
        writing.change(self._client, _ORDER.line_path, line_id, body_of(line, with_token=True))

    def remove_line(self, line_id: str) -> None:
        """Take a line that was appended off its order; one that is gone is none any more."""
        writing.remove(self._client, _ORDER.line_path, line_id)

    def change_quantity(self, line_id: str, quantity: Decimal) -> None:
        """Set the ordered quantity of a line."""
        writing.change(self._client, _ORDER.line_path, line_id, {"Quantity": quantity})

    def link(self, kind: str, remote_id: str, document_id: str) -> None:
        """Show a document, such as one with a PDF, at an order or invoice."""
        writing.change(self._client, SHAPES[kind].path, remote_id, {"Document": document_id})

    def _header(self, kind: str, document: ExportDocument) -> dict[str, Any]:
        """What may be changed later, too."""
        body = {
            "Description": f"{document.token} {document.title}".strip()[:LONGEST_TEXT],
            "YourRef": document.reference,
            "Remarks": document.remarks,
            "PaymentCondition": document.payment_condition,
        }
        if kind == SALES_ORDER:
            body["WarehouseID"] = document.warehouse
        return {name: value for name, value in body.items() if value}

    def _usual_journal(self) -> str:
        """The first sales journal; invoices must have one."""
        if not self._journal:
            journals = lists.read_values(self._client, lists.JOURNALS)
            if not journals:
                raise NotConfigured(
                    "The administration has no sales journal, without which Exact Online takes no invoice.",
                    remedy="Make one in Exact, or export sales orders.",
                )
            self._journal = journals[0][0]
        return self._journal

    def _lines(self, shape: Shape, remote_id: str) -> list[Row]:
        conditions = [same_id(shape.key, remote_id)]
        rows = list(rows_with(self._client, shape.line_path, _LINE_COLUMNS, conditions))
        return sorted(rows, key=lambda row: (row["LineNumber"] or 0, row["ID"]))

    def _change_lines(self, shape: Shape, remote_id: str, done: Changes[Row]) -> None:
        """Line by line: ours are changed, missing ones added, and only then surplus ones of ours removed."""
        for row, line in done.changed:
            writing.change(self._client, shape.line_path, row["ID"], body_of(line))
        for line in done.added:
            writing.create(self._client, shape.line_path, {shape.key: remote_id} | body_of(line))
        for row in done.removed:
            writing.remove(self._client, shape.line_path, row["ID"])


def _made(kind: str, row: Mapping[str, Any]) -> MadeDocument:
    shape = SHAPES[kind]
    return MadeDocument(
        remote_id=str(row[shape.key]),
        number=str(row.get(shape.number) or ""),
        total=decimal(row.get("AmountFCExclVat")),
        token=next(iter(tokens_in(row.get("Description") or "")), ""),
        customer=str(row.get("OrderedBy") or ""),
        invoice_to=str(row.get("InvoiceTo") or ""),
        made_at=exact_moment(row.get("Created")) or "",
        open=row.get("Status") == _OPEN_INVOICE if kind == SALES_INVOICE else not _why_closed(row),
        invoiced=None if row.get("InvoiceStatus") is None else row["InvoiceStatus"] == _COMPLETE,
    )


def _why_closed(row: Mapping[str, Any]) -> str:
    return next((word for column, value, word in _CLOSED if row.get(column) == value), "")
