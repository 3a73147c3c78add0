"""What one company is owed and owes: payment terms of invoices, paid or not.

Amounts are negative where a customer owes and positive where he has credit (https://github.com/TimPelgrim/exactonline-mcp).
"""

from typing import Any

from sandbox.exact_online.row_types import Row
from sandbox.seeds.books import Books
from sandbox.seeds.traits import PAYMENT_TRAITS as TRAITS

RECEIVABLE, PAYABLE = 20, 22
_OPEN, _SELECTED, _PROCESSED, _MATCHED = 20, 30, 40, 50
_UNPAID_STATES = (_OPEN, _SELECTED, _OPEN, _PROCESSED)
_SALES_INVOICE, _SALES_CREDIT_NOTE, _PURCHASE_INVOICE = 20, 21, 30
_FIRST_NUMBER = 24_000_001
_OLDEST_DAYS = 420
_DAYS = {"30": 30, "14": 14, "00": 0}


def make_payment_terms(books: Books) -> None:
    """Make terms: most of a customer's invoice at once, some in two parts, some credit notes, some of suppliers."""
    count = books.share(0.3, 20, 1500)
    for index in range(count):
        age = books.days_between(index, count, _OLDEST_DAYS, 2)
        account = books.chance.choice(books.suppliers if index in TRAITS["payable"] else books.customers)
        amount = round(books.chance.uniform(50, 3000), 2)
        if index not in TRAITS["two_terms"]:
            _term(books, index, age, account, amount, amount)
            continue
        half = round(amount / 2, 2)
        _term(books, index, age, account, half, amount)
        _term(books, index, age, account, round(amount - half, 2), amount, part=2)


def _term(books: Books, index: int, age: int, account: Row, amount: float, total: float, *, part: int = 1) -> None:
    payable = index in TRAITS["payable"]
    condition = account.PaymentConditionSales or "30"
    due = books.stamps.day(_DAYS[condition] * part - age)
    books.make(
        "sync/Cashflow/PaymentTerms",
        **books.stamp(age, age // 2 if index % 2 else None),
        **_amounts(amount, total, 1 if payable or index in TRAITS["credit_note"] else -1),
        **_payment(books, index, age, part),
        **_invoice(index, payable=payable),
        Account=account.ID,
        Currency="EUR",
        Description=f"{books.words.invoice} {_FIRST_NUMBER + index}",
        DueDate=due,
        InvoiceDate=books.stamps.day(-age),
        EntryDate=books.stamps.day(-age),
        EntryNumber=_FIRST_NUMBER + index,
        EntryID=books.stamps.guid(),
        PaymentCondition=condition,
        PaymentDays=_DAYS[condition],
        TransactionID=books.stamps.guid(),
        RateFC=1.0,
        IsBatchBooking=0,
        Source=1,
        YourRef=f"PO-{index:05d}" if index in TRAITS["your_ref"] else None,
    )


def _invoice(index: int, *, payable: bool) -> dict[str, Any]:
    credit = index in TRAITS["credit_note"]
    sold = _SALES_CREDIT_NOTE if credit else _SALES_INVOICE
    return {
        "LineType": PAYABLE if payable else RECEIVABLE,
        "InvoiceNumber": _FIRST_NUMBER + index,
        "Journal": "60" if payable else "70",
        "TransactionType": _PURCHASE_INVOICE if payable else sold,
        "TransactionIsReversal": False,
    }


def _amounts(amount: float, total: float, sign: int) -> dict[str, float]:
    """A term's own amount, and that of the whole invoice (name=CashflowReceivables: of the linked transaction)."""
    return {
        "AmountDC": sign * amount,
        "AmountFC": sign * amount,
        "TransactionAmountDC": sign * total,
        "TransactionAmountFC": sign * total,
    }


def _payment(books: Books, index: int, age: int, part: int) -> dict[str, Any]:
    """Whether it is paid: old ones mostly are, some are on their way."""
    method = "I" if index in TRAITS["collected"] else "B"
    if part == 1 and index not in TRAITS["unpaid"] and (age > 2 * _DAYS["30"] or index in TRAITS["paid_early"]):
        paid = books.stamps.day(-(age // 2))
        return {
            "Status": _MATCHED, "IsFullyPaid": True, "LastPaymentDate": paid, "EndDate": paid, "PaymentMethod": method,
        }  # fmt: skip
    unpaid = index in TRAITS["unpaid"]
    status = _UNPAID_STATES[index // TRAITS["unpaid"].step % len(_UNPAID_STATES)] if unpaid else _OPEN
    return {"Status": status, "IsFullyPaid": False, "PaymentMethod": method}
