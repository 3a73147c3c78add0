"""Money: what a person would compute with pen and paper, whatever the figures."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from outsmart_sync.pipeline import money

QUANTITIES = st.decimals("-9999.9999", "9999.9999", places=4)
PRICES = st.decimals("-99999.9999", "99999.9999", places=4)
PERCENTAGES = st.decimals("0", "100", places=2)
DECIMALS = st.integers(0, 6)


def by_hand(exact: Fraction, decimals: int = 2) -> Decimal:
    """Half away from zero, by whole numbers alone."""
    scaled = abs(exact) * 10**decimals
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return Decimal(whole if exact >= 0 else -whole).scaleb(-decimals)


@given(QUANTITIES, PRICES, PERCENTAGES)
def test_an_amount_is_rounded_once_and_half_away_from_zero(quantity: Decimal, price: Decimal, off: Decimal) -> None:
    exact = Fraction(quantity) * Fraction(price) * (1 - Fraction(off) / 100)
    assert money.amount_of(quantity, price, off / 100) == by_hand(exact)


@given(QUANTITIES, PRICES, PERCENTAGES)
def test_what_comes_back_is_worth_what_went(quantity: Decimal, price: Decimal, off: Decimal) -> None:
    assert money.amount_of(-quantity, price, off / 100) == -money.amount_of(quantity, price, off / 100)


@given(st.lists(st.tuples(QUANTITIES, PRICES), max_size=30))
def test_a_total_is_the_sum_of_its_rounded_lines(lines: list[tuple[Decimal, Decimal]]) -> None:
    amounts = [money.amount_of(quantity, price) for quantity, price in lines]
    assert money.total_of(amounts) == sum((by_hand(Fraction(q) * Fraction(p)) for q, p in lines), Decimal(0))


def test_a_total_of_what_is_not_known_is_not_known() -> None:
    assert money.total_of([Decimal(1), None]) is None
    assert money.total_of([]) == 0


@given(QUANTITIES, PRICES, PERCENTAGES)
def test_outsmart_s_total_says_whether_the_discount_is_in_the_price(
    quantity: Decimal, price: Decimal, off: Decimal
) -> None:
    net, less = money.amount_of(quantity, price), money.amount_of(quantity, price, off / 100)
    assume(net != less)
    assert money.discount_of(quantity, price, off, net, None) == 0
    assert money.discount_of(quantity, price, off, less, None) == off / 100


@given(QUANTITIES, PRICES, PERCENTAGES, PRICES)
def test_a_line_comes_to_what_outsmart_says_or_is_not_sent(
    quantity: Decimal, price: Decimal, off: Decimal, total: Decimal
) -> None:
    try:
        discount = money.discount_of(quantity, price, off, total, None)
    except money.Disagree:
        return
    assert abs(money.amount_of(quantity, price, discount) - total) <= money.CENT


@pytest.mark.parametrize(
    ("price", "original", "fraction"), [("9", "10", "0"), ("10", "10", "0.1"), ("8.99", "9.99", None)]
)
def test_without_a_total_the_price_before_the_discount_says_it(price: str, original: str, fraction: str | None) -> None:
    if price == "8.99":  # 9.99 less 10 % is 8.991
        assert money.discount_of(Decimal(3), Decimal(price), Decimal(10), None, Decimal(original)) == 0
        return
    found = money.discount_of(Decimal(3), Decimal(price), Decimal(10), None, Decimal(original))
    assert found == Decimal(fraction or 0)


def test_what_cannot_be_told_is_not_guessed() -> None:
    with pytest.raises(money.Disagree, match="cannot be told"):
        money.discount_of(Decimal(3), Decimal(9), Decimal(10), None, None)
    with pytest.raises(money.Disagree, match=r"30\.00 or, with the discount, 27\.00, but OutSmart says 28\.00"):
        money.discount_of(Decimal(3), Decimal(10), Decimal(10), Decimal(28), None)


@given(QUANTITIES, PRICES, DECIMALS, DECIMALS)
def test_a_line_is_computed_from_what_the_package_keeps(
    quantity: Decimal, price: Decimal, quantity_decimals: int, price_decimals: int
) -> None:
    sent = money.priced(quantity, price, Decimal(0), quantity_decimals=quantity_decimals, price_decimals=price_decimals)
    assert sent.quantity == by_hand(Fraction(quantity), quantity_decimals)
    assert sent.price == by_hand(Fraction(price), price_decimals)
    assert sent.amount == by_hand(Fraction(sent.quantity) * Fraction(sent.price))


@given(st.decimals("0.01", "99999", places=2), st.sampled_from(["0", "0.06", "0.09", "0.12", "0.21", "0.25"]))
def test_a_price_with_vat_leads_back_to_the_price_without(price: Decimal, rate: str) -> None:
    sent = money.priced(Decimal(1), price, Decimal(0), quantity_decimals=2, price_decimals=2, vat_rate=Decimal(rate))
    assert sent.price == (price * (1 + Decimal(rate))).quantize(money.CENT, ROUND_HALF_UP)
    assert abs(sent.amount - price) <= money.CENT


@given(PRICES, st.integers(0, 40))
def test_a_difference_is_told_unless_the_package_s_own_rounding_explains_it(total: Decimal, lines: int) -> None:
    assert money.within(total, total, Decimal(0), lines)
    assert not money.within(total, money.cents(total) + money.CENT, Decimal(0), lines)
    assert money.within(total, money.cents(total) + money.CENT, money.CENT, lines)


def test_how_outsmart_rounds_makes_no_difference() -> None:
    """7.85 at 290.90 is 2283.565: whether that is shown as .56 or .57, it is the line without a discount."""
    for total in ("2283.56", "2283.57", "2283.565"):
        assert money.discount_of(Decimal("7.85"), Decimal("290.9"), Decimal(0), Decimal(total), None) == 0
