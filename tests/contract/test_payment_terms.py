"""What is asked of Exact's payment terms is on their page, with the types and values that the rules take them for."""

from __future__ import annotations

import pytest

from outsmart_sync.providers.exact_online import payments
from outsmart_sync.providers.exact_online.payments import CREDIT_NOTE, INVOICE, MATCHED, RECEIVABLE, TERMS
from tests.contract.vendors import EXACT

SYNC, SINGLE = EXACT[TERMS.path], EXACT[TERMS.single]
TYPES = {
    "ID": "Edm.Guid",
    "Account": "Edm.Guid",
    "AccountCode": "Edm.String",
    "AmountDC": "Edm.Double",
    "Description": "Edm.String",
    "EndDate": "Edm.DateTime",
    "InvoiceNumber": "Edm.Int32",
    "IsFullyPaid": "Edm.Boolean",
    "LastPaymentDate": "Edm.DateTime",
    "LineType": "Edm.Int16",
    "Status": "Edm.Int16",
    "TransactionAmountDC": "Edm.Double",
    "TransactionEntryID": "Edm.Guid",
    "TransactionIsReversal": "Edm.Boolean",
    "TransactionType": "Edm.Int32",
}


def test_every_column_has_the_type_that_it_is_read_as() -> None:
    assert {column: SYNC.properties[column] for column in TERMS.columns} == TYPES


def test_the_ordinary_endpoint_has_them_all_but_the_line_type() -> None:
    single = {column: SINGLE.properties.get(column) for column in TERMS.columns if column not in TERMS.sync_only}
    assert single == {column: TYPES[column] for column in single}
    assert not set(TERMS.sync_only) & set(SINGLE.properties)


def test_terms_are_looked_up_by_their_id_and_counted_by_their_date() -> None:
    assert TERMS.lookup == TERMS.key == "ID"
    assert SINGLE.filters is None or {TERMS.lookup, TERMS.dated} <= SINGLE.filters
    assert (SYNC.filters, SYNC.deleted_entity_type, TERMS.deleted_type) == ({"Timestamp"}, 10, 10)


def test_the_values_that_decide_are_documented_ones() -> None:
    assert str(RECEIVABLE) in SYNC.values["LineType"]
    assert MATCHED in SYNC.values["Status"]


@pytest.mark.parametrize(
    ("row", "ours"),
    [
        ({"LineType": RECEIVABLE, "TransactionType": INVOICE}, True),
        ({"LineType": RECEIVABLE, "TransactionType": CREDIT_NOTE}, True),
        ({"LineType": None, "TransactionType": INVOICE}, True),
        ({"LineType": 22, "TransactionType": INVOICE}, False),
        ({"LineType": RECEIVABLE, "TransactionType": 40}, False),
        ({"LineType": RECEIVABLE, "TransactionType": None}, False),
    ],
    ids=["invoice", "credit note", "looked up", "payable", "money", "unknown"],
)
def test_terms_of_sales_invoices_and_credit_notes_are_ours(row: dict[str, int | None], *, ours: bool) -> None:
    assert TERMS.belongs is not None
    assert TERMS.belongs.rule(row) is ours
    assert payments.PAYMENT_TRANSACTIONS_IMPORT.tier == "basic"
