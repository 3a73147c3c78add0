"""Payments: what the bookkeeping package says is paid, registered as transactions on the invoices made in OutSmart."""

from __future__ import annotations

from dataclasses import replace

from outsmart_sync.records.invoice import INVOICE
from outsmart_sync.records.record import REFERS, Reference
from outsmart_sync.records.transaction import TRANSACTION

INVOICE_OF = Reference("invoice", {INVOICE.name: "invoice_id"}, "invoice")
"""The invoice that is paid. The package's id of it is any text that all payments of one invoice share."""

NUMBER = f"{REFERS}number"
"""Payload entry: the invoice's number at the package."""
DEBTOR = f"{REFERS}debtor"
"""Payload entry: the debtor number of who pays."""
TOTAL = f"{REFERS}total"
"""Payload entry: what the whole invoice comes to, with VAT, in the administration's currency."""
DOCUMENT = f"{REFERS}document"
"""Payload entry: the package's id of the invoice, by which our own export may know it."""

EXPORTED_INVOICE = "sales_invoice"
"""Name under which the ledger keeps invoices that our export made at the package, by the work order's row id."""

PAYMENT = replace(
    TRANSACTION,
    name="payment",
    label="payment",
    # OutSmart takes a transaction without an invoice, but nobody would see what it pays.
    fields=tuple(replace(each, required=True) if each.name == "invoice_id" else each for each in TRANSACTION.fields),
    references=(INVOICE_OF,),
    made_once=True,
    kind=TRANSACTION.name,
    amount="amount",
)
"""What is paid of one payment term; its code is the term's id."""
