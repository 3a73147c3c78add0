"""What is paid in Exact Online is registered on OutSmart's invoices, each payment once, each change by an entry."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from outsmart_sync.pipeline.outcomes import explain
from outsmart_sync.store import ledger
from outsmart_sync.store.tables import ledger as ledger_table
from outsmart_sync.store.tables import mirror, record_log, work_order_export
from pipeline.world import World, day, without_outsmart

PAYMENTS = "payment_transactions"
TERMS = "PaymentTerms"


@pytest.fixture
def books(world: World) -> World:
    world.settings(payment_transactions={"enabled": True})
    return world


@pytest.fixture
def customer(books: World) -> str:
    return books.account("100")


def reason(world: World, term: str) -> tuple[str, str | None, str | None]:
    kept = world.kept("payment", term)
    return kept.state, kept.reason, kept.detail


def test_a_paid_term_is_registered_on_its_invoice(books: World, customer: str) -> None:
    books.settings(payment_transactions={"start_date": "2026-11-01"})
    invoice = books.invoice(7, "100", 1234.56)
    term = books.term(customer, 7, 1234.56)
    books.pay(term, LastPaymentDate="2026-11-03T00:00:00")
    assert books.counts(PAYMENTS).created == 1
    assert books.transactions() == {term: (invoice, "1234.56")}
    (made,) = books.control.outsmart_records("south", "transactions")
    assert (made["int_description"], made["int_timestamp"]) == ("Invoice 7", "2026-11-03 00:00:00")
    (line,) = books.rows(ledger_table)
    assert (line.key, line.state, line.remote_id) == (term, "done", made["int_transaction_id"])


def test_an_open_term_is_kept_and_costs_outsmart_nothing(books: World, customer: str) -> None:
    books.invoice(7, "100")
    term = books.term(customer, 7)
    books.counts(PAYMENTS)
    books.forget_calls()
    books.change(TERMS, term, Status=40)
    assert books.counts(PAYMENTS).excluded == 1
    assert reason(books, term) == ("excluded", "nothing_paid", None)
    assert books.control.calls(vendor="outsmart") == []


def test_the_next_run_registers_nothing_again_and_asks_outsmart_nothing(books: World, customer: str) -> None:
    books.invoice(7, "100")
    term = books.term(customer, 7)
    books.pay(term)
    books.counts(PAYMENTS)
    books.forget_calls()
    books.touch(TERMS, term)
    assert books.counts(PAYMENTS).unchanged == 1
    assert books.control.calls(vendor="outsmart") == []
    assert PAYMENTS not in books.poll()
    assert books.counts(PAYMENTS, full=True).unchanged == 1
    assert books.writes() == []


def test_what_is_paid_late_in_part_and_as_credit_adds_up(books: World, customer: str) -> None:
    """Exact splits a term of which a part is paid; a credit note's term has the other sign."""
    invoice = books.invoice(7, "100", 121)
    first = books.term(customer, 7, 0.1, TransactionAmountDC=-121)
    rest = books.term(customer, 7, 120.9, TransactionAmountDC=-121)
    credit = books.invoice(8, "100", -50, inv_type="CREDIT")
    back = books.term(customer, 8, -50, TransactionType=21)
    books.pay(first)
    books.pay(back)
    assert books.counts(PAYMENTS).created == 2
    books.pay(rest, Status=30)
    books.counts(PAYMENTS)
    assert books.transactions() == {first: (invoice, "0.10"), rest: (invoice, "120.90"), back: (credit, "-50.00")}


def test_an_unmatch_and_a_new_match_become_entries_of_their_own(books: World, customer: str) -> None:
    invoice = books.invoice(7, "100")
    term = books.term(customer, 7)
    books.pay(term)
    books.counts(PAYMENTS)
    books.unpay(term)
    assert books.counts(PAYMENTS).updated == 1
    books.counts(PAYMENTS, full=True)
    assert books.transactions() == {term: (invoice, "121.00"), f"{term}/-1": (invoice, "-121.00")}
    books.pay(term)
    books.counts(PAYMENTS)
    books.unpay(term)
    books.counts(PAYMENTS)
    assert books.transactions() == {
        term: (invoice, "121.00"),
        f"{term}/-1": (invoice, "-121.00"),
        f"{term}/2": (invoice, "121.00"),
        f"{term}/-2": (invoice, "-121.00"),
    }
    told = [(row.event, row.detail) for row in books.rows(record_log, record="payment")]
    assert told == [
        ("created", None),
        ("reversed", f"-121 ({term}/-1)"),
        ("registered", f"121 ({term}/2)"),
        ("reversed", f"-121 ({term}/-2)"),
    ]


def test_another_amount_undoes_the_old_one_and_registers_the_new(books: World, customer: str) -> None:
    """As when a payment turns out to be for a part only, and Exact splits the term afterwards."""
    invoice = books.invoice(7, "100")
    term = books.term(customer, 7)
    books.pay(term)
    books.counts(PAYMENTS)
    books.change(TERMS, term, AmountDC=-40.5)
    assert books.counts(PAYMENTS).updated == 1
    assert books.transactions() == {
        term: (invoice, "121.00"),
        f"{term}/-1": (invoice, "-121.00"),
        f"{term}/2": (invoice, "40.50"),
    }


def test_a_deleted_term_is_undone_once(books: World, customer: str) -> None:
    invoice = books.invoice(7, "100")
    term = books.term(customer, 7)
    books.pay(term)
    books.counts(PAYMENTS)
    books.delete(TERMS, term)
    assert books.counts(PAYMENTS).deleted == 1
    for full in (False, True):
        books.counts(PAYMENTS, full=full)
    assert books.transactions() == {term: (invoice, "121.00"), f"{term}/-1": (invoice, "-121.00")}
    assert books.kept("payment", term).source_gone_at is not None


def test_a_term_that_was_never_registered_is_deleted_without_a_word_to_outsmart(books: World, customer: str) -> None:
    term = books.term(customer, 7)
    books.counts(PAYMENTS)
    books.delete(TERMS, term)
    assert books.counts(PAYMENTS).deleted == 1
    assert books.transactions() == {}


@pytest.mark.parametrize("marked", ["the term itself", "a term of its own"])
def test_a_reversal_leaves_nothing_registered(books: World, customer: str, marked: str) -> None:
    books.invoice(7, "100")
    term = books.term(customer, 7)
    books.pay(term)
    books.counts(PAYMENTS)
    if marked == "the term itself":
        books.change(TERMS, term, TransactionIsReversal=True)
    else:
        books.pay(books.term(customer, 7, -121, TransactionIsReversal=True))
    books.counts(PAYMENTS)
    assert sum(float(amount) for _, amount in books.transactions().values()) == 0
    assert len(books.transactions()) == 2


@pytest.mark.parametrize(
    "other",
    [{"LineType": 22}, {"TransactionType": 40}, {"TransactionType": None}],
    ids=["of a supplier", "the money itself", "of something else"],
)
def test_other_terms_are_none_of_ours(books: World, customer: str, other: dict[str, Any]) -> None:
    books.invoice(7, "100")
    books.pay(books.term(customer, 7, **other))
    books.counts(PAYMENTS)
    assert (books.transactions(), books.rows(mirror, record="payment")) == ({}, [])


# The invoice.


def test_a_payment_waits_for_its_invoice_and_goes_by_itself(books: World, customer: str) -> None:
    term = books.term(customer, 7)
    books.pay(term)
    assert books.counts(PAYMENTS).waiting == 1
    assert reason(books, term) == ("waiting", "invoice_missing", "7")
    assert "invoice 7" in explain("invoice_missing", "7")[0]
    assert books.transactions() == {}
    assert PAYMENTS not in books.poll()
    invoice = books.invoice(7, "100")
    assert books.counts(PAYMENTS).created == 1
    assert books.transactions() == {term: (invoice, "121.00")}


def test_a_waiting_payment_is_looked_at_again_the_next_day(books: World, customer: str) -> None:
    books.pay(books.term(customer, 7))
    books.counts(PAYMENTS)
    (kept,) = books.rows(mirror, record="payment")
    assert kept.due_on == books.today() + timedelta(days=1)
    with books.store.begin() as connection:
        connection.execute(mirror.update().where(mirror.c.id == kept.id).values(due_on=books.today()))
    assert PAYMENTS in books.poll()


def test_invoices_are_read_once_in_a_run_and_only_for_payments_that_have_none(books: World, customer: str) -> None:
    def reads() -> int:
        found = len(books.reads("outsmart", "invoices"))
        books.forget_calls()
        return found

    for number in (7, 8, 9):
        books.pay(books.term(customer, number))
    books.invoice(7, "100")
    books.forget_calls()
    books.counts(PAYMENTS)
    assert reads() == 1
    books.counts(PAYMENTS)
    assert reads() == 1
    books.invoice(8, "100")
    books.invoice(9, "100")
    books.counts(PAYMENTS)
    assert reads() == 1
    books.pay(books.term(customer, 7, 1))
    books.unpay(books.term(customer, 10))
    books.counts(PAYMENTS)
    assert reads() == 0


@pytest.mark.parametrize(
    ("there", "why"),
    [
        ({"debtor": "200"}, "invoice_differs"),
        ({"debtor": "100", "amount": 121.01}, "invoice_differs"),
        ({"debtor": "100", "inv_currency_code": "USD"}, "invoice_differs"),
        ({"debtor": "100", "inv_type": "CONCEPT_DEBIT"}, "invoice_missing"),
    ],
    ids=["another debtor", "another amount", "another currency", "a concept"],
)
def test_an_invoice_that_is_not_alike_is_not_taken(
    books: World, customer: str, there: dict[str, Any], why: str
) -> None:
    books.invoice(7, **there)
    term = books.term(customer, 7)
    books.pay(term)
    assert books.counts(PAYMENTS).waiting == 1
    assert reason(books, term)[:2] == ("waiting", why)
    assert books.transactions() == {}


def test_of_two_invoices_alike_none_is_taken(books: World, customer: str) -> None:
    books.invoice(7, "100")
    books.invoice(7, "100", inv_id="other")
    term = books.term(customer, 7)
    books.pay(term)
    books.counts(PAYMENTS)
    assert reason(books, term)[:2] == ("waiting", "several_invoices")
    books.remove_by_hand("invoices", "other")
    assert books.counts(PAYMENTS).created == 1


def test_an_invoice_is_known_by_its_printed_number_and_a_padded_debtor(books: World, customer: str) -> None:
    invoice = books.invoice(7, " 100 ", inv_number_numeric="1", inv_number_formatted="7")
    term = books.term(customer, 7)
    books.pay(term)
    books.counts(PAYMENTS)
    assert books.transactions() == {term: (invoice, "121.00")}


def test_the_document_that_our_export_made_goes_before_number_and_amount(books: World, customer: str) -> None:
    document = "6f3c2a52-6d0d-4a6e-9d0e-0d4b5c4f0001"
    account = books.connection.outsmart_account
    with books.store.begin() as connection:
        ledger.begin(connection, account, "sales_invoice", "55", connection_id=books.connection.id, run_id=1)
        ledger.done(connection, account, "sales_invoice", "55", document, 1)
    invoice = books.invoice(900, "100", 121.02, inv_worksheet_id="55")
    books.invoice(7, "100")
    term = books.term(customer, 7, TransactionEntryID=document)
    books.pay(term)
    books.counts(PAYMENTS)
    assert books.transactions() == {term: (invoice, "121.00")}


@pytest.mark.parametrize("numbers", ["7", "6, 7"])
def test_the_invoice_that_an_exported_order_became_is_linked_by_its_number(
    books: World, customer: str, numbers: str
) -> None:
    """OutSmart's own number of its invoice is another one."""
    at = books.store.now()
    row = {"row_id": "55", "number": "W1", "payload": "{}", "fingerprint": "x", "state": "done", "remote_id": "order"}
    with books.store.begin() as connection:
        connection.execute(
            insert(work_order_export).values(
                **row,
                account=books.connection.outsmart_account,
                connection_id=books.connection.id,
                invoice="the bill",
                invoice_number=numbers,
                run_id=1,
                changed_at=at,
            )
        )
    invoice = books.invoice(900, "100", 121.02, inv_worksheet_id="55")
    books.invoice(7, "100")
    term = books.term(customer, 7)
    books.pay(term)
    books.counts(PAYMENTS)
    assert books.transactions() == {term: (invoice, "121.00")}


def test_a_term_in_another_currency_counts_by_the_administrations_own(books: World, customer: str) -> None:
    invoice = books.invoice(7, "100", 110)
    term = books.term(customer, 7, 110, Currency="USD", AmountFC=-121, TransactionAmountFC=-121)
    books.pay(term)
    books.counts(PAYMENTS)
    assert books.transactions() == {term: (invoice, "110.00")}


def test_a_payment_without_an_invoice_number_is_rejected(books: World, customer: str) -> None:
    term = books.term(customer, 7, InvoiceNumber=None)
    books.pay(term)
    assert books.counts(PAYMENTS).rejected == 1
    assert reason(books, term) == ("rejected", "missing_field", "invoice")


def test_an_invoice_that_outsmart_made_anew_is_found_again(books: World, customer: str) -> None:
    books.invoice(7, "100")
    first, second = books.term(customer, 7, 21, TransactionAmountDC=-121), books.term(customer, 8)
    books.pay(first)
    books.counts(PAYMENTS)
    books.remove_by_hand("invoices", "I7")
    books.pay(second)
    books.counts(PAYMENTS)
    invoice = books.invoice(7, "100", inv_id="new")
    rest = books.term(customer, 7, 100, TransactionAmountDC=-121)
    books.pay(rest)
    books.counts(PAYMENTS)
    assert books.transactions()[rest] == (invoice, "100.00")


# Start date.


def test_what_was_paid_before_the_start_date_stays_out_and_later_payments_of_old_invoices_count(
    books: World, customer: str
) -> None:
    books.invoice(7, "100")
    books.invoice(8, "100")
    old = books.term(customer, 7, InvoiceDate=day(books.work_day(-1)))
    new = books.term(customer, 8, InvoiceDate=day(books.work_day(-60)))
    books.pay(old, LastPaymentDate=day(books.work_day(-1)))
    books.pay(new, LastPaymentDate=day(books.work_day(0)))
    assert books.counts(PAYMENTS).excluded == 1
    assert set(books.transactions()) == {new}
    assert reason(books, old)[:2] == ("excluded", "before_start")
    books.settings(payment_transactions={"start_date": books.work_day(-1).isoformat()})
    books.counts(PAYMENTS)
    assert set(books.transactions()) == {old, new}


def test_a_later_start_date_does_not_forget_what_is_registered(books: World, customer: str) -> None:
    books.invoice(7, "100")
    term = books.term(customer, 7)
    books.pay(term)
    books.counts(PAYMENTS)
    books.settings(payment_transactions={"start_date": books.work_day(5).isoformat()})
    books.unpay(term)
    books.counts(PAYMENTS)
    assert len(books.transactions()) == 2


# What goes wrong.


def test_a_transaction_that_outsmart_refuses_is_rejected_stops_no_other_and_is_tried_again(
    books: World, customer: str
) -> None:
    for number in (7, 8):
        books.invoice(number, "100")
    refused, fine = books.term(customer, 7), books.term(customer, 8)
    books.pay(refused)
    books.pay(fine)
    work = books.work(PAYMENTS)
    work.extract()
    books.remove_by_hand("invoices", "I7")
    work.filter()
    work.match()
    counts = work.upsert()
    assert (counts.created, counts.rejected) == (1, 1)
    assert reason(books, refused)[:2] == ("rejected", "refused")
    books.invoice(7, "100")
    assert books.counts(PAYMENTS).created == 1
    assert set(books.transactions()) == {refused, fine}


LOST = {
    "timeout after": ("timeout_after", {"seconds": 0.01}),
    "cut off": ("truncate", {}),
    "refused before": ("status", {"status": 500}),
}


@pytest.mark.parametrize("fault", LOST)
@pytest.mark.parametrize("step", ["paid", "unpaid", "deleted", "paid again"])
def test_an_entry_whose_answer_was_lost_is_made_once(books: World, customer: str, fault: str, step: str) -> None:
    kind, rule = LOST[fault]
    books.invoice(7, "100")
    term = books.term(customer, 7)
    steps = {"paid": [], "unpaid": ["pay"], "deleted": ["pay"], "paid again": ["pay", "unpay"]}[step]
    for each in steps:
        getattr(books, each)(term)
        books.counts(PAYMENTS)
    last = {"paid": "pay", "paid again": "pay", "unpaid": "unpay"}.get(step)
    if last:
        getattr(books, last)(term)
    else:
        books.delete(TERMS, term)
    books.control.add_fault(kind, vendor="outsmart", path="transactions", method="POST", times=1, **rule)
    books.counts(PAYMENTS)
    books.control.clear_faults()
    for _ in range(3):
        books.counts(PAYMENTS)
    amounts = [float(amount) for _, amount in books.transactions().values()]
    assert len(amounts) == len(steps) + 1
    assert sum(amounts) == (121 if last == "pay" else 0)
    assert {row.state for row in books.rows(ledger_table)} == {"done"}
    assert PAYMENTS not in books.poll()


def test_a_payment_is_looked_for_although_it_is_not_paid_any_more(books: World, customer: str) -> None:
    invoice = books.invoice(7, "100")
    term = books.term(customer, 7)
    books.pay(term)
    books.control.add_fault(
        "timeout_after", vendor="outsmart", path="transactions", method="POST", times=1, seconds=0.01
    )
    assert books.counts(PAYMENTS).waiting == 1
    books.unpay(term)
    assert PAYMENTS in books.poll()
    books.counts(PAYMENTS)
    assert books.transactions() == {term: (invoice, "121.00"), f"{term}/-1": (invoice, "-121.00")}


def test_a_store_that_was_lost_finds_what_is_registered(books: World, customer: str) -> None:
    books.invoice(7, "100")
    term, other = books.term(customer, 7), books.term(customer, 8)
    books.invoice(8, "100")
    books.pay(term)
    books.pay(other)
    books.counts(PAYMENTS)
    books.unpay(other)
    books.counts(PAYMENTS)
    with books.store.begin() as connection:
        connection.execute(mirror.delete())
        connection.execute(ledger_table.delete())
    books.forget_calls()
    books.counts(PAYMENTS, full=True)
    assert books.writes() == []
    books.unpay(term)
    books.pay(other)
    books.counts(PAYMENTS)
    assert set(books.transactions()) == {term, f"{term}/-1", other, f"{other}/-1", f"{other}/2"}


def test_what_was_removed_in_outsmart_by_hand_is_neither_undone_nor_made_again(books: World, customer: str) -> None:
    invoice = books.invoice(7, "100")
    term = books.term(customer, 7)
    books.pay(term)
    books.counts(PAYMENTS)
    (made,) = books.control.outsmart_records("south", "transactions")
    books.control.delete_outsmart("south", "transactions", made["int_transaction_id"])
    books.counts(PAYMENTS, full=True)
    books.unpay(term)
    books.counts(PAYMENTS)
    assert books.transactions() == {}
    books.pay(term)
    books.counts(PAYMENTS)
    assert books.transactions() == {f"{term}/2": (invoice, "121.00")}


def test_a_preview_tells_what_would_be_registered_and_registers_nothing(books: World, customer: str) -> None:
    books.invoice(7, "100")
    books.pay(books.term(customer, 7))
    assert books.counts(PAYMENTS, preview=True).created == 1
    assert books.transactions() == {}
    assert books.counts(PAYMENTS).created == 1


def test_one_term_is_imported_by_its_id(books: World, customer: str) -> None:
    for number in (7, 8):
        books.invoice(number, "100")
    first, second = books.term(customer, 7), books.term(customer, 8)
    books.pay(first)
    books.pay(second)
    assert books.counts(PAYMENTS, codes=(second,)).created == 1
    assert set(books.transactions()) == {second}
    books.counts(PAYMENTS)
    assert set(books.transactions()) == {first, second}


def test_without_an_outsmart_account_payments_end_in_the_mirror(books: World, customer: str) -> None:
    books.invoice(7, "100")
    term = books.term(customer, 7)
    books.pay(term)
    with pytest.MonkeyPatch.context() as patch:
        without_outsmart(patch)
        assert books.counts(PAYMENTS).created == 1
        assert books.kept("payment", term).state == "synced"
    books.counts(PAYMENTS)
    assert set(books.transactions()) == {term}


def test_a_long_description_is_cut(books: World, customer: str) -> None:
    books.invoice(7, "100")
    books.pay(books.term(customer, 7, Description="x" * 300))
    assert books.counts(PAYMENTS).created == 1
