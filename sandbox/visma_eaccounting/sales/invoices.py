"""Invoices: drafts and orders that are booked, and their payment.

A booked draft is gone; the invoice says from which draft or order it was made
(https://github.com/matssun/visma-external-api-schemas). Credit invoices have amounts below zero.
"""

import uuid
from collections.abc import Mapping
from typing import Any

from sandbox.visma_eaccounting.errors import FUTURE_DATE, LOCKED_PERIOD, ApiError, invalid
from sandbox.visma_eaccounting.resources import SCHEMAS, Row
from sandbox.visma_eaccounting.rows import RowStore
from sandbox.visma_eaccounting.sales import attachments
from sandbox.visma_eaccounting.sales.amounts import exact, net_amount
from sandbox.visma_eaccounting.sales.orders import INVOICED, SHIPPED
from sandbox.visma_eaccounting.showing import next_number

Values = dict[str, Any]

PAID, UNPAID, OVERDUE = 0, 1, 2

_SAME = (
    "CustomerId", "CustomerNumber", "CustomerName", "CustomerIsPrivatePerson", "EuThirdParty", "OurReference",
    "YourReference", "BuyersOrderReference", "DeliveryDate", "DeliveryCustomerName", "DeliveryAddress1",
    "DeliveryAddress2", "DeliveryPostalCode", "DeliveryCity", "DeliveryCountryCode", "InvoiceCustomerName",
    "InvoiceAddress1", "InvoiceAddress2", "InvoicePostalCode", "InvoiceCity", "InvoiceCountryCode", "TermsOfPaymentId",
    "ReverseChargeOnConstructionServices", "IncludesVat", "RotReducedInvoicingType", "SalesDocumentAttachments",
)  # fmt: skip


def book_draft(
    store: RowStore,
    company: str,
    draft: Row,
    expected: Mapping[str, Any] | None = None,
    history: Mapping[str, Any] | None = None,
    keep_date: bool | None = None,
) -> Row:
    """Make an invoice of a draft, which is gone then.

    Args:
        store: All rows.
        company: The company.
        draft: The draft.
        expected: Totals that the caller expects; None for none.
        history: Values of an invoice that was made earlier than now; None for none.
        keep_date: Whether the invoice has the draft's date instead of today's; None for what the settings say.

    Raises:
        ApiError: Its date is in the future or in a locked period, or the totals are others.
    """
    _check_date(store, company, draft.InvoiceDate)
    _check_expected(draft, expected or {})
    sign = -1 if draft.IsCreditInvoice else 1
    money = _money(sign * draft.TotalAmount, sign * draft.TotalVatAmount, sign * draft.TotalRoundings)
    values = _common(draft) | money | {"IsCreditInvoice": draft.IsCreditInvoice, "CreatedFromDraftId": draft.Id}
    keep = store.settings(company).KeepOriginalDraftDate if keep_date is None else keep_date
    day = draft.InvoiceDate if keep else store.today()
    days = {"InvoiceDate": day, "DueDate": draft.DueDate, "CurrencyCode": draft.InvoiceCurrencyCode}
    invoice = _insert(store, company, values | days | dict(history or {}))
    attachments.move(store, company, draft, invoice)
    store.delete(company, "customerinvoicedrafts", [draft])
    return invoice


def book_order(store: RowStore, company: str, order: Row, history: Mapping[str, Any] | None = None) -> Row:
    """Make an invoice of a shipped order, which becomes invoiced.

    Args:
        store: All rows.
        company: The company.
        order: The order.
        history: Values of an invoice that was made earlier than now; None for none.

    Raises:
        ApiError: The order is not shipped, or today is in a locked period.
    """
    if order.Status != SHIPPED:
        raise invalid(("Status", "Only a shipped order can be converted to an invoice."))
    _check_date(store, company, store.today())
    values = _common(order) | _money(order.Amount, order.VatAmount, order.RoundingsAmount)
    values |= {"CreatedFromOrderId": order.Id, "CurrencyCode": order.CurrencyCode}
    values |= {"InvoiceDate": store.today(), "DueDate": store.today()}
    invoice = _insert(store, company, values | dict(history or {}))
    store.update(company, "orders", order, {"Status": INVOICED})
    return invoice


def pay(store: RowStore, company: str, invoice: Row) -> None:
    """Settle an invoice completely, today."""
    values = {"RemainingAmount": 0.0, "RemainingAmountInvoiceCurrency": 0.0}
    store.update(company, "customerinvoices", invoice, values | {"PaymentStatus": PAID, "PaymentDate": store.today()})


def _insert(store: RowStore, company: str, values: Values) -> Row:
    number = next_number(store, company, "customerinvoices", "InvoiceNumber")
    voucher = {"VoucherNumber": f"A{number}", "InvoiceNumber": number, "PaymentReferenceNumber": str(number)}
    return store.insert(
        company, "customerinvoices", {"PaymentStatus": UNPAID, "VoucherId": str(uuid.uuid4())} | values | voucher
    )


def _common(document: Row) -> Values:
    same = {name: getattr(document, name) for name in _SAME}
    return same | {"Rows": [_row(one, includes_vat=document.IncludesVat) for one in document.Rows or ()]}


def _row(row: Values, *, includes_vat: bool) -> Values:
    known = {name: row.get(name, field.empty) for name, field in SCHEMAS["CustomerInvoiceRow"].items()}
    amount = net_amount(exact(row.get("Amount")), row.get("VatRate"), includes_vat=includes_vat)
    return known | {"AmountNoVat": float(amount), "PercentVat": row.get("VatRate") or 0.0}


def _money(amount: float, vat: float, rounding: float) -> Values:
    remaining = {"RemainingAmount": amount, "RemainingAmountInvoiceCurrency": amount}
    in_currency = {"TotalAmountInvoiceCurrency": amount, "TotalVatAmountInvoiceCurrency": vat}
    return remaining | in_currency | {"TotalAmount": amount, "TotalVatAmount": vat, "TotalRoundings": rounding}


def _check_date(store: RowStore, company: str, day: str) -> None:
    if day > store.today():
        raise ApiError(FUTURE_DATE, f"The date {day} is in the future.")
    locked = store.settings(company).AccountingLockedTo
    if locked and day <= locked:
        raise ApiError(LOCKED_PERIOD, f"The date {day} is in a locked period.")


def _check_expected(draft: Row, expected: Mapping[str, Any]) -> None:
    names = {
        "TotalAmountInvoiceCurrency": draft.TotalAmount,
        "TotalVatAmountInvoiceCurrency": draft.TotalVatAmount,
        "TotalRoundingsInvoiceCurrency": draft.TotalRoundings,
    }
    wrong = [name for name, found in names.items() if expected.get(name) not in {None, found}]
    if wrong:
        raise invalid(*((name, f"The draft has {names[name]}.") for name in wrong))
