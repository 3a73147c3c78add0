"""Invoices that were made in OutSmart. They are read, to find the one that a payment belongs to; never written."""

from __future__ import annotations

from outsmart_sync.records.record import Field, Kind, Record

INVOICE = Record(
    name="invoice",
    label="invoice",
    code="id",
    title="number_formatted",
    fields=(
        Field("id", "id", required=True),
        Field("number", "number"),
        Field("number_formatted", "number as it is printed"),
        Field("debtor", "debtor number"),
        # With VAT.
        Field("amount", "amount", Kind.DECIMAL),
        # The sum of its transactions: what was paid, not what is open.
        Field("balance", "paid", Kind.DECIMAL),
        Field("currency", "currency"),
        # Row id of the work order that it was made from.
        Field("work_order", "work order"),
        Field("type", "type"),
        Field("status", "status"),
        Field("date", "date", Kind.DATE),
    ),
)
