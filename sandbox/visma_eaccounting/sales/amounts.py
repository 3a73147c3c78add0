"""What the rows of a sales document amount to.

A row has two decimals; VAT is worked out per rate; totals include VAT and the rounding. Totals are rounded half away
from zero (https://developer.vismaonline.com/changelog/roundings-update-for-sales-documents), to whole units where the
company's settings say so.
"""

from collections import defaultdict
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import msgspec

CENT, UNIT = Decimal("0.01"), Decimal(1)
Values = dict[str, Any]


class Totals(msgspec.Struct, frozen=True):
    """A document's totals; `amount` includes VAT and rounding."""

    amount: Decimal
    vat: Decimal
    rounding: Decimal


def exact(value: float | None) -> Decimal:
    """The decimal number that a JSON number was written as; nothing is 0."""
    return Decimal(repr(value or 0))


def rounded(value: Decimal, to: Decimal = CENT) -> Decimal:
    """Half away from zero."""
    return value.quantize(to, ROUND_HALF_UP)


def row_amount(row: Values, quantity: str = "Quantity") -> Decimal:
    """What a row amounts to, with or without VAT as its price is."""
    return rounded(exact(row["UnitPrice"]) * exact(row[quantity]) * (1 - exact(row["DiscountPercentage"])))


def net_amount(amount: Decimal, rate: float | None, *, includes_vat: bool) -> Decimal:
    """The part of an amount that is not VAT."""
    return rounded(amount / (1 + exact(rate))) if includes_vat else amount


def totals(rows: Iterable[Values], *, includes_vat: bool, whole_units: bool, quantity: str = "Quantity") -> Totals:
    """A document's totals.

    Args:
        rows: Its rows, each with its `VatRate`.
        includes_vat: Whether their prices include VAT.
        whole_units: Whether the total is rounded to whole units of the currency.
        quantity: The quantity that counts.
    """
    by_rate: dict[Decimal, Decimal] = defaultdict(Decimal)
    for row in rows:
        if not row["IsTextRow"]:
            by_rate[exact(row["VatRate"])] += row_amount(row, quantity)
    if includes_vat:
        vat = sum((amount - rounded(amount / (1 + rate)) for rate, amount in by_rate.items()), Decimal())
        whole = sum(by_rate.values(), Decimal())
    else:
        vat = sum((rounded(amount * rate) for rate, amount in by_rate.items()), Decimal())
        whole = sum(by_rate.values(), Decimal()) + vat
    paid = rounded(whole, UNIT) if whole_units else whole
    return Totals(paid, vat, paid - whole)
