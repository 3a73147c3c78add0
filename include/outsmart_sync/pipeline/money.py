"""Amounts of lines: exact, rounded once, half away from zero, as a person with pen and paper would.

Nothing here knows a package: how many decimals it keeps comes in.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

CENT = Decimal("0.01")
_HUNDRED = Decimal(100)


class Disagree(ValueError):
    """A line's quantity, price and discount do not come to what OutSmart says the line comes to."""


@dataclass(frozen=True, slots=True)
class Priced:
    """How a line is sent.

    Attributes:
        quantity: As the package keeps it.
        price: Of one unit, without VAT, as the package keeps it.
        discount: Fraction that the package takes off; 0 where the price is net already.
        amount: What it comes to.
    """

    quantity: Decimal
    price: Decimal
    discount: Decimal
    amount: Decimal


def rounded(value: Decimal, decimals: int) -> Decimal:
    """A number with so many decimals, half away from zero."""
    return value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def cents(value: Decimal) -> Decimal:
    """An amount in cents."""
    return rounded(value, 2)


def amount_of(quantity: Decimal, price: Decimal, discount: Decimal = Decimal(0)) -> Decimal:
    """What a line comes to: rounded once, at the end.

    Args:
        quantity: How many.
        price: Of one.
        discount: Fraction that goes off.
    """
    return cents(quantity * price * (1 - discount))


def discount_of(
    quantity: Decimal, price: Decimal, percentage: Decimal, total: Decimal | None, original: Decimal | None
) -> Decimal:
    """The fraction that still goes off a price; 0 where the discount is in the price already.

    What OutSmart says the line comes to decides, to a cent: how it rounds is not documented. Without that, or where
    both are as near, the price before the discount does.

    Args:
        quantity: How many.
        price: Of one, as the line has it.
        percentage: The line's discount.
        total: What OutSmart says the line comes to.
        original: The price before the discount.

    Raises:
        Disagree: The line comes to something else either way, or nothing tells which way it is.
    """
    fraction = percentage / _HUNDRED
    net, less = amount_of(quantity, price), amount_of(quantity, price, fraction)
    if total is not None and abs(total - net) != abs(total - less):
        nearer, discount = (net, Decimal(0)) if abs(total - net) < abs(total - less) else (less, fraction)
        if abs(total - nearer) <= CENT:
            return discount
    if total is not None and min(abs(total - net), abs(total - less)) > CENT:
        either = f"{net}" if net == less else f"{net} or, with the discount, {less}"
        raise Disagree(f"{quantity} at {price} comes to {either}, but OutSmart says {cents(total)}")
    if net == less:
        return Decimal(0)
    if original is not None:
        if cents(original) == cents(price):
            return fraction
        if cents(original * (1 - fraction)) == cents(price):
            return Decimal(0)
    raise Disagree(f"whether the discount of {percentage:f} % is in the price {price} already cannot be told")


def priced(
    quantity: Decimal,
    price: Decimal,
    discount: Decimal,
    *,
    quantity_decimals: int,
    price_decimals: int,
    vat_rate: Decimal | None = None,
) -> Priced:
    """A line as a package keeps it: rounded first, and computed from what was rounded.

    Args:
        quantity: How many.
        price: Of one, without VAT.
        discount: Fraction that goes off.
        quantity_decimals: So many the package keeps of a quantity.
        price_decimals: So many it keeps of a price.
        vat_rate: The package keeps this price including VAT of this rate; None: without.
    """
    kept = rounded(quantity, quantity_decimals)
    if vat_rate is None:
        each = rounded(price, price_decimals)
        return Priced(kept, each, discount, amount_of(kept, each, discount))
    each = with_vat(price, vat_rate, price_decimals)
    return Priced(kept, each, discount, cents(amount_of(kept, each, discount) / (1 + vat_rate)))


def total_of(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """The sum of lines; None where one of them is not known."""
    total = Decimal(0).quantize(CENT)
    for amount in amounts:
        if amount is None:
            return None
        total += amount
    return total


def with_vat(price: Decimal, rate: Decimal, decimals: int) -> Decimal:
    """A price as a package holds it that keeps prices including VAT."""
    return rounded(price * (1 + rate), decimals)


def within(expected: Decimal, actual: Decimal, tolerance: Decimal, lines: int) -> bool:
    """Whether a package's total is ours, as far as its own rounding of each line may go."""
    return abs(cents(expected) - cents(actual)) <= tolerance * max(lines, 1)
