"""Which of an item's price rows is its sale price today.

Rows: https://start.exactonline.nl/docs/HlpRestAPIResourcesDetails.aspx?name=SyncLogisticsSalesItemPrices .
The sync stream of items carries no StandardSalesPrice, so the price is found the way Exact finds it: the row that holds
for everyone, in the administration's currency, in the item's own unit, for the lowest quantity, valid today.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from outsmart_sync.providers.exact_online.units import per_hour
from outsmart_sync.records.mapping import next_change
from outsmart_sync.records.record import REFERS, is_active
from outsmart_sync.records.streams import Fold, FoldContext, Folded, Part
from outsmart_sync.records.values import Payload, decimal_text

TIME_UNIT = f"{REFERS}time_unit"
"""Where an hour type's payload holds the time unit that its prices are for."""


def sale_price(field: str) -> Fold:
    """A fold that puts the sale price into a field; without a price that holds today the field is left out.

    OutSmart's hour types have a price for an hour, so that of an item which is kept in days or minutes is converted.
    """

    def fold(payload: Payload, prices: list[Part], context: FoldContext) -> Folded:
        general = [price for price in prices if _is_general(price, context.currency)]
        folded = {name: value for name, value in payload.items() if name != field}
        best = max((price for price in general if _holds(price, context.today)), key=_rank, default=None)
        if best is not None and (amount := best.number("price")) is not None:
            folded[field] = decimal_text(per_hour(amount, str(payload.get(TIME_UNIT, "")), context.settings))
        days = [day for price in general for day in (price.valid_from, price.valid_until)]
        return Folded(folded, next_change(context.today, *days))

    return fold


def _is_general(price: Part, currency: str) -> bool:
    """Whether a row is the item's own price: from one piece on, and not in another currency or unit."""
    payload = price.payload
    if (price.number("quantity") or 0) > 1:
        return False  # a price for larger quantities is no price for one
    foreign = currency and payload.get("currency", currency) != currency
    default_unit = payload.get("default_unit", payload.get("unit"))
    return not foreign and payload.get("unit", default_unit) == default_unit


def _holds(price: Part, today: date) -> bool:
    return is_active(today, blocked=False, valid_from=price.valid_from, valid_until=price.valid_until)


def _rank(price: Part) -> tuple[Decimal, date, str]:
    """The lowest quantity step first; of those the one that began last; then the id, so that the choice is stable."""
    return (-(price.number("quantity") or Decimal(0)), price.valid_from or date.min, price.provider_id)
