"""Payments of sales invoices from Exact Online, as transactions on OutSmart's invoices.

Fields: https://start.exactonline.nl/docs/HlpRestAPIResourcesDetails.aspx?name=SyncCashflowPaymentTerms and, with more
words, name=CashflowReceivables. A term is a part of what an invoice comes to. No column says that half a term is paid;
the pages say only that a split term has several rows. Assumed is that Exact splits one of which a part is paid, so that
each of the two has its own amount and status.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from outsmart_sync.providers.exact_online.stream import ExactStream
from outsmart_sync.providers.exact_online.values import day, flag, id_of, number, text
from outsmart_sync.records.catalogue import ImportCategory
from outsmart_sync.records.payment import DEBTOR, DOCUMENT, INVOICE_OF, NUMBER, PAYMENT, TOTAL
from outsmart_sync.records.record import REFERS
from outsmart_sync.records.setting_kinds import StartDate
from outsmart_sync.records.streams import Belongs, FoldContext, Folded, Part, Row
from outsmart_sync.records.values import Payload, decimal_text

RECEIVABLE = 20
"""Line types: 20 receipt, 22 payment (name=SyncCashflowPaymentTerms). Its ordinary twin has the former only."""
MATCHED = "50"
"""Status: 20 open, 30 selected to be collected, 40 collection processed, 50 matched with what settles it."""
INVOICE, CREDIT_NOTE = 20, 21
"""Type of the entry: 20 sales entry, 21 sales credit note (name=SalesEntrySalesEntries). The money that comes in has
terms of its own, of other types."""

_ACCOUNT, _STATUS, _FULLY_PAID = f"{REFERS}account", f"{REFERS}status", f"{REFERS}fully_paid"
_OWED, _REVERSAL, _TYPE = f"{REFERS}owed", f"{REFERS}reversal", f"{REFERS}type"
_COMES_TO, _PAID_ON = f"{REFERS}comes_to", f"{REFERS}paid_on"
_FOLDED = (PAYMENT.amount, "timestamp", INVOICE_OF.key, TOTAL)
_CENT = Decimal("0.01")


def _is_of_sales(row: Row) -> bool:
    # The ordinary endpoint knows no line types: it has receivables only.
    return row["LineType"] in (RECEIVABLE, None) and row["TransactionType"] in (INVOICE, CREDIT_NOTE)


def paid(payload: Payload, _parts: list[Part], _context: FoldContext) -> Folded:
    """A term with what is paid of it, and the invoice to tell of that."""
    own = {name: value for name, value in payload.items() if name not in _FOLDED}
    amount = _amount_paid(own)
    own[PAYMENT.amount] = decimal_text(amount)
    if not own.get(_REVERSAL) and _COMES_TO in own:
        own[TOTAL] = decimal_text(-_cents(own[_COMES_TO]))
    if amount and _ACCOUNT in own and NUMBER in own:
        own[INVOICE_OF.key] = f"{own[_ACCOUNT]}/{own[NUMBER]}"
    if amount and _PAID_ON in own:
        own["timestamp"] = f"{own[_PAID_ON]} 00:00:00"
    description = str(own.get("description") or f"Invoice {own.get(NUMBER, '')}".strip())
    own["description"] = description[: PAYMENT.field("description").max_length]
    return Folded(own, None)


def _amount_paid(own: Payload) -> Decimal:
    """What is paid of a term: all of it or nothing. Exact writes what a customer owes below zero."""
    if _OWED not in own or not (own.get(_STATUS) == MATCHED or own.get(_FULLY_PAID)):
        return Decimal(0)
    amount = -_cents(own[_OWED])
    # A reversal has terms of its own, with the opposite sign, that settle those of what it reverses: both count. One
    # that bears the mark and still has its own sign is itself what was reversed.
    was_reversed = own.get(_REVERSAL) and (amount > 0) == (own.get(_TYPE) == str(INVOICE))
    return Decimal(0) if was_reversed else amount


def _cents(value: str | bool) -> Decimal:
    return Decimal(str(value)).quantize(_CENT, ROUND_HALF_UP)


TERMS = ExactStream(
    name="payment_terms",
    record=PAYMENT,
    path="sync/Cashflow/PaymentTerms",
    scope="Financial cashflow",
    single_scope="Financial receivables",
    single="cashflow/Receivables",
    lookup="ID",
    sync_only=("LineType",),
    deleted_type=10,
    key="ID",
    fields={
        "external_id": text("ID"),
        "description": text("Description"),
        NUMBER: number("InvoiceNumber"),
        DEBTOR: text("AccountCode"),
        DOCUMENT: id_of("TransactionEntryID"),
        _ACCOUNT: id_of("Account"),
        _STATUS: number("Status"),
        _FULLY_PAID: flag("IsFullyPaid"),
        # In the administration's own currency, whatever that of the invoice.
        _OWED: number("AmountDC"),
        _COMES_TO: number("TransactionAmountDC"),
        _REVERSAL: flag("TransactionIsReversal"),
        _TYPE: number("TransactionType"),
        _PAID_ON: day("LastPaymentDate", "EndDate"),
    },
    belongs=Belongs(("LineType", "TransactionType"), _is_of_sales, "not_receivable"),
    # What is paid from that day on counts, however old its invoice is; what is not paid yet bears no date.
    dated="LastPaymentDate",
)

PAYMENT_TRANSACTIONS_IMPORT = ImportCategory(
    name="payment_transactions",
    label="Payment transactions",
    streams=(TERMS,),
    filters=(StartDate(label="First day whose payments are imported (empty: the day it is switched on)"),),
    fold=paid,
)
