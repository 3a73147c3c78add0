"""The lists that bookkeeping hangs on: journals, payment conditions, VAT codes and document types."""

from sandbox.exact_online.deriving import PAYMENT_CONDITION_NAMES
from sandbox.seeds.books import Books

SALES_JOURNAL = 20
"""`Journals.Type` of a sales journal."""

_JOURNALS = (("70", "Sales", 20), ("71", "Sales service", 20), ("60", "Purchase", 22), ("20", "Bank", 12))
_VAT_CODES = (
    ("VH", "VAT standard rate", "E", 0.21, "S", False),
    ("VL", "VAT reduced rate", "E", 0.09, "S", False),
    ("VN", "VAT zero rate", "N", 0.0, "S", False),
    ("VI", "VAT standard rate, prices including VAT", "I", 0.21, "S", False),
    ("VR", "VAT reverse-charged", "B", 0.0, "S", False),
    ("IH", "Purchase VAT standard rate", "E", 0.21, "P", False),
    ("V6", "VAT reduced rate until 2018", "E", 0.06, "S", True),
)
_DOCUMENT_TYPES = ((10, "Sales invoice", True), (55, "Miscellaneous", True), (20, "Purchase invoice", False))
"""Type 10 is recorded (https://github.com/NangoHQ/integration-templates); the other ids are made up."""


def make_ledger(books: Books) -> None:
    """Make what every administration has, also one without customers."""
    for code, name, journal_type in _JOURNALS:
        books.make(
            "financial/Journals",
            **books.stamp(2000),
            Code=code,
            Description=name,
            Type=journal_type,
            Currency="EUR",
            IsBlocked=False,
        )
    for code, name in PAYMENT_CONDITION_NAMES.items():
        method = "K" if code == "00" else "B"
        books.make(
            "cashflow/PaymentConditions",
            **books.stamp(2000),
            Code=code,
            Description=name,
            PaymentDays=int(code),
            PaymentMethod=method,
        )
    for code, name, vat_type, rate, side, blocked in _VAT_CODES:
        books.make(
            "vat/VATCodes",
            **books.stamp(2000),
            Code=code,
            Description=name,
            Type=vat_type,
            Percentage=rate,
            VATTransactionType=side,
            IsBlocked=blocked,
        )
    for number, name, creatable in _DOCUMENT_TYPES:
        books.make(
            "documents/DocumentTypes",
            **books.stamp(2000) | {"ID": number},
            Description=name,
            DocumentIsCreatable=creatable,
            DocumentIsViewable=True,
        )
