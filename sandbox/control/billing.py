"""What people at the bookkeeping package's screen do with what was exported: invoice orders, print, get paid.

`/billing/{division}/...`; orders and invoices go by id or number.
"""

from decimal import Decimal
from typing import Any

import msgspec
from aiohttp import web

from sandbox.control.exact_rows import BY
from sandbox.control.reading import answer, read_as
from sandbox.exact_online.business import complete
from sandbox.exact_online.dates import day_ms, to_iso, wall_clock
from sandbox.exact_online.documents import to_cents
from sandbox.exact_online.row_types import Row
from sandbox.exact_online.rows import RowStore
from sandbox.fixed_world import DIVISIONS

_ORDERS, _ORDER_LINES = "salesorder/SalesOrders", "salesorder/SalesOrderLines"
_INVOICES, _INVOICE_LINES = "salesinvoice/SalesInvoices", "salesinvoice/SalesInvoiceLines"
_TERMS, _TRANSACTIONS = "sync/Cashflow/PaymentTerms", "sync/Project/TimeCostTransactions"
_COMPLETE, _OPEN, _PROCESSED, _MATCHED = 21, 20, 50, 50
_COPIED = (
    "Item", "Description", "Quantity", "UnitCode", "UnitPrice", "NetPrice", "Discount", "VATCode", "VATPercentage",
    "Notes", "Project",
)  # fmt: skip


class Invoicing(msgspec.Struct, forbid_unknown_fields=True):
    """How an order is invoiced."""

    journal: str = "70"


class Payment(msgspec.Struct, forbid_unknown_fields=True):
    """How much is paid, VAT included; all of it unless said otherwise."""

    amount: float | None = None


class Billing:
    """The control server's routes for invoices and payments."""

    def __init__(self, store: RowStore) -> None:
        self._store = store

    def routes(self) -> list[web.RouteDef]:
        """The routes."""
        start = "/billing/{division:[0-9]+}"
        return [
            web.get(f"{start}/documents", self.documents),
            web.post(f"{start}/orders/{{key}}/invoice", self.invoice_order),
            web.post(f"{start}/invoices/{{key}}/process", self.process),
            web.post(f"{start}/invoices/{{key}}/pay", self.pay),
        ]

    async def documents(self, request: web.Request) -> web.Response:
        """Every order, invoice, hour and cost with its texts and totals; `?text=` must stand in one of the texts."""
        division, text = _division(request), request.query.get("text", "")
        shown = [
            *(self._document(division, "sales_order", row) for row in self._rows(division, _ORDERS)),
            *(self._document(division, "sales_invoice", row) for row in self._rows(division, _INVOICES)),
            *(_transaction(row) for row in self._rows(division, _TRANSACTIONS)),
        ]
        return answer([one for one in shown if text in " ".join((one["description"], one["your_ref"], *one["notes"]))])

    async def invoice_order(self, request: web.Request) -> web.Response:
        """Makes an open invoice of all lines of an order, which is invoiced from then on."""
        division, given = _division(request), await read_as(request, Invoicing)
        order = self._find(division, _ORDERS, "OrderNumber", request.match_info["key"])
        invoice = self._make(
            division,
            _INVOICES,
            **{
                name: getattr(order, name) for name in ("OrderedBy", "InvoiceTo", "DeliverTo", "Description", "YourRef")
            },
            Journal=given.journal,
            OrderNumber=order.OrderNumber,
            PaymentCondition=order.PaymentCondition,
        )
        lines = list(self._store.table(division, _ORDER_LINES).having("OrderID", order.OrderID))
        for line in lines:
            copied = {name: getattr(line, name) for name in _COPIED}
            links = {"InvoiceID": invoice.InvoiceID, "SalesOrder": order.OrderID, "SalesOrderLine": line.ID}
            self._make(division, _INVOICE_LINES, **copied, **links)
            self._change(division, _ORDER_LINES, line, InvoiceStatus=_COMPLETE, QuantityInvoiced=line.Quantity)
        self._change(division, _ORDERS, order, InvoiceStatus=_COMPLETE)
        return answer({"id": invoice.InvoiceID})

    async def process(self, request: web.Request) -> web.Response:
        """Prints and books an invoice: it gets its number, and a payment term."""
        division = _division(request)
        invoice = self._find(division, _INVOICES, "InvoiceNumber", request.match_info["key"])
        if invoice.Status != _OPEN:
            raise ValueError("The invoice is not open")
        known = self._rows(division, _INVOICES) + self._rows(division, _TERMS)
        number = max((row.InvoiceNumber or 0 for row in known), default=0) + 1
        self._change(division, _INVOICES, invoice, Status=_PROCESSED, InvoiceNumber=number, InvoiceDate=self._today())
        total = -self._total(division, invoice, with_vat=True)
        self._make(
            division,
            _TERMS,
            AmountDC=total,
            Account=invoice.InvoiceTo,
            Journal=invoice.Journal,
            InvoiceNumber=number,
            InvoiceDate=self._today(),
            YourRef=invoice.YourRef,
            Description=invoice.Description,
            PaymentCondition=invoice.PaymentCondition,
        )
        return answer({"id": invoice.InvoiceID, "number": number})

    async def pay(self, request: web.Request) -> web.Response:
        """Matches a payment with a booked invoice; part of it leaves a second term open."""
        division, given = _division(request), await read_as(request, Payment)
        invoice = self._find(division, _INVOICES, "InvoiceNumber", request.match_info["key"])
        table = self._store.table(division, _TERMS)
        term = next((row for row in table.having("InvoiceNumber", invoice.InvoiceNumber) if not row.IsFullyPaid), None)
        if invoice.InvoiceNumber is None or term is None:
            raise ValueError("The invoice is not booked, or paid already")
        paid = -given.amount if given.amount is not None else term.AmountDC
        rest = to_cents(Decimal(str(term.AmountDC)) - Decimal(str(paid)))
        today = self._today()
        self._change(
            division,
            _TERMS,
            term,
            AmountDC=paid,
            AmountFC=paid,
            IsFullyPaid=True,
            Status=_MATCHED,
            LastPaymentDate=today,
        )
        if rest:
            names = ("Account", "Journal", "InvoiceNumber", "InvoiceDate", "Description", "TransactionAmountDC")
            self._make(division, _TERMS, **{name: getattr(term, name) for name in names}, AmountDC=float(rest))
        return answer({"paid": paid, "rest": float(rest)})

    def _document(self, division: int, kind: str, row: Row) -> dict[str, Any]:
        table, lines, key = (
            (_ORDERS, _ORDER_LINES, "OrderID") if kind == "sales_order" else (_INVOICES, _INVOICE_LINES, "InvoiceID")
        )
        found = self._store.table(division, lines).having(key, getattr(row, key))
        number = row.OrderNumber if table == _ORDERS else row.InvoiceNumber
        return _described(kind, row) | {
            "id": getattr(row, key),
            "number": number,
            "ordered_by": row.OrderedBy,
            "deliver_to": row.DeliverTo,
            "invoice_to": row.InvoiceTo,
            "document": row.Document,
            "status": row.Status,
            "total": _sum(line.AmountFC for line in found),
            "notes": [line.Notes or "" for line in found],
            "lines": [
                {"item": line.Item, "description": line.Description, "quantity": line.Quantity, "price": line.NetPrice,
                 "amount": line.AmountFC}
                for line in sorted(found, key=lambda line: line.LineNumber)
            ],
        }  # fmt: skip

    def _total(self, division: int, invoice: Row, *, with_vat: bool) -> float:
        lines = self._store.table(division, _INVOICE_LINES).having("InvoiceID", invoice.InvoiceID)
        return _sum(line.AmountFC + (line.VATAmountFC if with_vat else 0.0) for line in lines)

    def _make(self, division: int, table: str, **values: Any) -> Row:
        complete(self._store, division, table, values, None, self._store.now())
        return self._store.insert(division, table, [values], BY)[0]

    def _change(self, division: int, table: str, row: Row, **values: Any) -> None:
        self._store.update(division, table, [(row, values)], BY)

    def _find(self, division: int, table: str, number: str, key: str) -> Row:
        known = self._store.table(division, table)
        found = known.by_key.get(key) or next(iter(known.having(number, int(key)) if key.isdigit() else ()), None)
        if found is None:
            raise KeyError(f"{table} {key}")
        return found

    def _rows(self, division: int, table: str) -> list[Row]:
        return list(self._store.table(division, table).by_key.values())

    def _today(self) -> int:
        return day_ms(wall_clock(self._store.now()).date())


def _described(kind: str, row: Row) -> dict[str, Any]:
    return {
        "kind": kind,
        "description": row.Description or "",
        "your_ref": row.YourRef or "",
        "created": to_iso(row.Created),
    }


def _transaction(row: Row) -> dict[str, Any]:
    return {
        "kind": "time" if row.Type == 1 else "cost",
        "id": row.ID,
        "description": "",
        "your_ref": "",
        "notes": [row.Notes or ""],
        "created": to_iso(row.Created),
        "item": row.Item,
        "account": row.Account,
        "project": row.Project,
        "employee": row.Employee,
        "quantity": row.Quantity,
        "price": row.PriceFC,
        "total": row.AmountFC,
        "status": row.HourStatus,
    }


def _sum(amounts: Any) -> float:
    return float(sum((to_cents(Decimal(str(amount or 0))) for amount in amounts), Decimal(0)))


def _division(request: web.Request) -> int:
    division = int(request.match_info["division"])
    if division not in DIVISIONS:
        raise KeyError(f"division {division}")
    return division
