"""After any history of payments, an invoice's transactions in OutSmart add up to what Exact Online says is paid."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from outsmart_sync.store.tables import ledger as ledger_table
from outsmart_sync.store.tables import mirror
from pipeline.killing import killed_at, killed_when
from pipeline.world import ACCOUNT, DIVISION, World

PAYMENTS, TERMS = "payment_transactions", "PaymentTerms"
RUNS_UNTIL_QUIET = 5
numbers = count(1)
often = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

LOST = {
    "made, no answer": {"kind": "timeout_after", "seconds": 0.01},
    "made, half an answer": {"kind": "truncate"},
    "not made, no answer": {"kind": "reset"},
    "not made, refused for now": {"kind": "status", "status": 500},
}
EDITS = ("pay", "unpay", "smaller", "delete", "bring back")


class Books:
    """One customer's two invoices, each with two terms, and what Exact says is paid of them."""

    def __init__(self, world: World) -> None:
        self.world = world
        code = str(next(numbers))
        self.account = world.account(code)
        self.invoices, self.terms = list[str](), dict[str, dict[str, Any]]()
        for _ in range(2):
            number = next(numbers)
            self.invoices.append(world.invoice(number, code, 100))
            for amount in (70, 30):
                term = world.term(self.account, number, amount, TransactionAmountDC=-100)
                self.terms[term] = {"number": number, "amount": amount, "invoice": self.invoices[-1]}

    def rows(self) -> dict[str, dict[str, Any]]:
        return {row["ID"]: row for row in self.world.control.exact_rows(DIVISION, TERMS) if row["ID"] in self.terms}

    def edit(self, what: str, place: int) -> None:
        term = list(self.terms)[place % len(self.terms)]
        there = self.rows().get(term)
        if what == "bring back":
            if there is None:
                made = self.terms[term]
                self.world.term(self.account, made["number"], made["amount"], ID=term, TransactionAmountDC=-100)
        elif there is None:
            return
        elif what == "pay":
            self.world.pay(term)
        elif what == "unpay":
            self.world.unpay(term)
        elif what == "smaller":
            self.world.change(TERMS, term, AmountDC=round(there["AmountDC"] / 3, 2))
        else:
            self.world.delete(TERMS, term)

    def paid(self) -> dict[str, Decimal]:
        """What Exact says is paid of each invoice."""
        sums = dict.fromkeys(self.invoices, Decimal(0))
        for term, row in self.rows().items():
            if row["Status"] == 50:
                sums[self.terms[term]["invoice"]] -= Decimal(str(row["AmountDC"]))
        return sums

    def registered(self) -> dict[str, Decimal]:
        """What OutSmart has on each invoice; no external id may occur twice."""
        sums = dict.fromkeys(self.invoices, Decimal(0))
        records = self.world.control.outsmart_records(ACCOUNT, "transactions")
        for each in records:
            if each["int_inv_id"] in sums:
                sums[each["int_inv_id"]] += Decimal(each["int_amount"])
        times = Counter(each["int_external_transaction_id"] for each in records)
        assert [number for number, occurs in times.items() if occurs > 1] == []
        return sums

    def settle(self) -> None:
        """Run until there is nothing left to do, and compare."""
        for _ in range(RUNS_UNTIL_QUIET):
            self.world.counts(PAYMENTS)
            if PAYMENTS not in self.world.poll():
                break
        assert self.registered() == self.paid()
        assert PAYMENTS not in self.world.poll()
        self.world.forget_calls()
        for full in (False, True):
            self.world.counts(PAYMENTS, full=full)
        assert self.world.writes() == []
        assert {row.state for row in self.world.rows(ledger_table)} <= {"done"}
        assert {row.state for row in self.world.rows(mirror, record="payment")} <= {"synced", "excluded"}


edit = st.tuples(st.sampled_from(EDITS), st.integers(0, 3))
lost = st.none() | st.tuples(st.sampled_from(list(LOST)), st.integers(0, 1), st.integers(1, 2))
rounds = st.lists(st.tuples(st.lists(edit, min_size=1, max_size=3), lost), min_size=1, max_size=5)


@pytest.fixture
def books_world(quick_world: World) -> World:
    quick_world.settings(payment_transactions={"enabled": True})
    return quick_world


UNHEARD = ("made, no answer", 0, 1)


@often
@given(rounds)
@example([([("pay", 0)], UNHEARD), ([("unpay", 0)], None)])
@example([([("pay", 0)], UNHEARD), ([("delete", 0)], ("not made, no answer", 0, 1))])
@example([([("pay", 0)], None), ([("delete", 0)], UNHEARD), ([("bring back", 0), ("pay", 0)], UNHEARD)])
@example([([("pay", 0)], None), ([("smaller", 0)], ("made, half an answer", 1, 1)), ([("unpay", 0)], UNHEARD)])
def test_whatever_answers_are_lost_the_transactions_add_up_to_what_is_paid(books_world: World, rounds: Any) -> None:
    books = Books(books_world)
    for edits, fault in rounds:
        for each in edits:
            books.edit(*each)
        if fault is not None:
            name, skip, times = fault
            rule = dict(LOST[name])
            kind = rule.pop("kind")
            books_world.control.add_fault(
                kind, vendor="outsmart", path="transactions", method="POST", skip=skip, times=times, **rule
            )
        books_world.counts(PAYMENTS)
        books_world.control.clear_faults()
    books.settle()


def test_what_was_made_right_before_a_kill_is_undone_although_its_term_is_gone_by_then(books_world: World) -> None:
    books = Books(books_world)
    books.edit("pay", 0)
    books_world.forget_calls()
    with killed_when(books_world, lambda: bool(books_world.writes())):
        books_world.work(PAYMENTS).through()
    assert sum(books.registered().values()) == 70
    books.edit("delete", 0)
    books.settle()
    assert len(books_world.transactions()) == 2


def test_one_that_was_about_to_be_sent_before_a_kill_is_no_work_for_ever_once_its_term_is_gone(
    books_world: World,
) -> None:
    books = Books(books_world)
    books.edit("pay", 0)
    looking = False

    def has_its_place() -> bool:
        nonlocal looking
        if looking:  # by a statement of the store, too
            return False
        looking = True
        try:
            return bool(books_world.rows(mirror, record="payment", reason="on_its_way"))
        finally:
            looking = False

    with killed_when(books_world, has_its_place):
        books_world.work(PAYMENTS).through()
    assert sum(books.registered().values()) == 0
    books.edit("delete", 0)
    books.settle()
    assert books_world.transactions() == {}


@often
@given(st.lists(st.tuples(st.lists(edit, min_size=1, max_size=3), st.integers(0, 250)), min_size=1, max_size=5))
def test_killed_anywhere_the_transactions_add_up_to_what_is_paid(books_world: World, rounds: Any) -> None:
    books = Books(books_world)
    for edits, statement in rounds:
        for each in edits:
            books.edit(*each)
        work = books_world.work(PAYMENTS)
        with killed_at(books_world, statement):
            work.through()
    books.settle()
