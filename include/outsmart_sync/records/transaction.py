"""Transactions: payments that OutSmart registers on its invoices."""

from __future__ import annotations

from outsmart_sync.records.record import Field, Kind, Record

TRANSACTION = Record(
    name="transaction",
    label="payment transaction",
    code="external_id",
    title="description",
    fields=(
        # OutSmart would take one without it, but then it could not be found again.
        Field("external_id", "id in the bookkeeping package", required=True, max_length=255),
        # Without an invoice it lowers the balance of none.
        Field("invoice_id", "invoice"),
        Field("description", "description", max_length=255),
        # Two decimals; a counter-entry is negative.
        Field("amount", "amount", Kind.DECIMAL, required=True),
        Field("type", "type", max_length=255),
        Field("type_description", "description of the type", max_length=255),
        Field("status", "status"),
        Field("user", "user", max_length=255),
        # As ``2026-07-31 11:33:45``.
        Field("timestamp", "date and time"),
    ),
)
"""A transaction is made once: OutSmart takes a second one with the same external id as another payment."""

CHANGEABLE: frozenset[str] = frozenset()
"""Nothing: what was wrong is put right by a counter-entry, as in bookkeeping."""
