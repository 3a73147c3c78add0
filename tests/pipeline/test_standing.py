"""What stands of a record follows from its last entry, and so does the number of the next."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from outsmart_sync.pipeline.standing import Standing, code_of, last_of_each, number_of, place_of
from outsmart_sync.records.exchange import Document, Stage
from outsmart_sync.records.payment import PAYMENT

TERM = "6f3c2a52-6d0d-4a6e-9d0e-0d4b5c4f0001"
places = st.integers(1, 50).flatmap(lambda place: st.sampled_from((place, -place)))


def entry(place: int, amount: str) -> Document:
    number = number_of(TERM, place)
    payload = {"external_id": number, "invoice_id": "7", "amount": amount}
    return Document(f"R{place}", number, Stage.NEW, payload)


@given(places)
def test_a_number_says_whose_entry_it_is_and_which(place: int) -> None:
    number = number_of(TERM, place)
    assert (code_of(number), place_of(TERM, number)) == (TERM, place)


def test_the_first_entry_has_the_records_own_code_and_each_next_one_another_number() -> None:
    standing, numbers = Standing(TERM, 0, Decimal(0), {}), []
    for _ in range(5):
        numbers.append(number_of(TERM, standing.upcoming))
        standing = standing.after(PAYMENT, standing.upcoming, {"amount": "121"})
    assert numbers == [TERM, f"{TERM}/-1", f"{TERM}/2", f"{TERM}/-2", f"{TERM}/3"]
    assert standing.amount == 121


@given(st.permutations([entry(1, "121"), entry(-1, "-121"), entry(2, "40.5")]), st.integers(1, 3))
def test_the_last_entry_of_all_that_outsmart_has_is_what_stands(entries: list[Document], made: int) -> None:
    there = [each for each in entries if each.number in {number_of(TERM, place) for place in (1, -1, 2)[:made]}]
    (held,) = last_of_each(PAYMENT, there)
    standing = Standing.of(PAYMENT, TERM, held)
    assert (standing.last, standing.amount) == [(1, Decimal(121)), (-1, Decimal(0)), (2, Decimal("40.5"))][made - 1]


def test_a_code_that_holds_a_slash_is_still_a_code() -> None:
    assert code_of("INV/A") == "INV/A"
    assert code_of("INV/A/-2") == "INV/A"


def test_an_entry_that_somebody_made_zero_counts_as_undone() -> None:
    standing = Standing(TERM, 0, Decimal(0), {}).after(PAYMENT, 1, {"amount": "0.00"})
    assert (standing.last, standing.upcoming) == (-1, 2)
