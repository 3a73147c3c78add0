"""Price lists, expanded to one price per customer and article: a package has a list, OutSmart has prices of customers.

What a list holds, and who has it, is read by the package's own module; what that means is the same for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from outsmart_sync.records.price import CUSTOMER, ITEM
from outsmart_sync.records.setting_kinds import Limit
from outsmart_sync.records.streams import Source
from outsmart_sync.records.timelines import Span, cut
from outsmart_sync.records.values import content_hash, decimal_text

if TYPE_CHECKING:
    from outsmart_sync.records.streams import Row

ID_PREFIX = "list/"
"""Begins the ids of prices that come from a list: packages have none for them."""

KEY, CURRENCY, LAST_DAY = "ID", "Currency", "EndDate"
"""Columns of a row that a list was expanded to."""

FIELDS: Mapping[str, Source] = {
    ITEM.key: Source(("Item",), str),
    CUSTOMER.key: Source(("Account",), str),
    "price": Source(("Price",), decimal_text),
    "date_start": Source(("StartDate",), str),
    # One that ended and holds again has no last day any more.
    "date_end": Source((LAST_DAY,), str, absent=""),
}
"""What such a row becomes."""

LIMIT = Limit(name="price_list_limit", label="Most prices that price lists may expand to", default="5000")
"""Lists multiply: 200 articles for 50 customers are 10,000 prices."""


@dataclass(frozen=True, slots=True)
class Priced:
    """What one article costs by one list, from one day to another.

    Attributes:
        span: The days.
        period: What tells it from others of the same article in the same list; '': there is one.
        price: The price; None: nobody knows it.
    """

    span: Span
    period: str
    price: Decimal | None


@dataclass(frozen=True, slots=True)
class Expansion:
    """What the lists mean.

    Attributes:
        position: Where the lists stood when they were read.
        accounts: List → ids of the customers that have it.
        prices: List → article's id → its prices, one after the other.
        currencies: List → its currency.
        own: Customer and article → when an agreement of their own holds.
        one_each: A customer has one list at most, so that with another list its prices are others, not other records.
    """

    position: str
    accounts: Mapping[str, Sequence[str]]
    prices: Mapping[str, Mapping[str, Sequence[Priced]]]
    currencies: Mapping[str, str]
    own: Mapping[tuple[str, str], Sequence[Span]]
    one_each: bool = False

    @property
    def count(self) -> int:
        """Prices that the lists expand to, those in whose place an own agreement comes included."""
        return sum(
            len(self.accounts[each]) * sum(map(len, priced.values()))
            for each, priced in self.prices.items()
            if each in self.accounts
        )

    def rows(self) -> Iterator[Row]:
        """One row per customer, article and span of days."""
        for price_list, accounts in self.accounts.items():
            for account in accounts:
                for item, priced in self.prices.get(price_list, {}).items():
                    for each in priced:
                        for span in cut(each.span, self.own.get((account, item), ())):
                            yield self._row(price_list, account, item, each, span)

    def _row(self, price_list: str, account: str, item: str, priced: Priced, span: Span) -> Row:
        known_by = f"{account} {'' if self.one_each else price_list} {item} {priced.period} {span.first}"
        return {
            KEY: f"{ID_PREFIX}{content_hash(known_by)}",
            "Account": account,
            "Item": item,
            "Price": priced.price,
            CURRENCY: self.currencies[price_list],
            "StartDate": span.first,
            LAST_DAY: span.last,
        }
