"""Prices that Exact Online keeps for one customer.

Rows: https://start.exactonline.nl/docs/HlpRestAPIResourcesDetails.aspx?name=SyncLogisticsSalesItemPrices .
A row with an account is an agreement with that customer. OutSmart keeps one price per article, customer and first day,
whatever the quantity, so of Exact's steps only the lowest comes, whatever quantity that is.
"""

from __future__ import annotations

from decimal import Decimal

from outsmart_sync.providers.exact_online.stream import ExactStream, ExpandedStream
from outsmart_sync.providers.exact_online.values import day, id_of, is_reference, number
from outsmart_sync.records import price_lists
from outsmart_sync.records.catalogue import ImportCategory
from outsmart_sync.records.price import CUSTOMER, ITEM, PRICE
from outsmart_sync.records.streams import Belongs, LeftOut, Ranked, Row

LARGER_QUANTITY, OTHER_UNIT = "larger_quantity", "other_unit"
_PARTS_OF_ONE = 10**6
"""Quantities are compared to the sixth decimal."""


def _is_agreement(row: Row) -> bool:
    return is_reference(row["Account"]) and not any(is_reference(row[column]) for column in ("Employee", "Project"))


def _step(row: Row) -> int:
    """A quantity step as a whole number; nothing is as 0."""
    return max(0, int(Decimal(str(row["Quantity"] or 0)) * _PARTS_OF_ONE))


def _why_not(row: Row) -> str:
    """A price that is not that of the article's own unit."""
    own = (row["DefaultItemUnit"] or row["Unit"] or "").strip()
    return OTHER_UNIT if (row["Unit"] or own).strip() != own else ""


AGREEMENTS = ExactStream(
    name="price_agreements",
    record=PRICE,
    path="sync/Logistics/SalesItemPrices",
    single="logistics/SalesItemPrices",
    lookup="ItemCode",
    scope="Sales prices",
    deleted_type=8,
    key="ID",
    fields={
        ITEM.key: id_of("Item"),
        CUSTOMER.key: id_of("Account"),
        "price": number("Price"),
        # OutSmart wants a first day; one without has held since it was entered.
        "date_start": day("StartDate", "Created"),
        # An agreement whose last day was taken away goes on.
        "date_end": day("EndDate", absent=""),
    },
    valid=("", "EndDate"),
    belongs=Belongs(("Account", "Employee", "Project"), _is_agreement, "no_agreement"),
    left_out=LeftOut(("Unit", "DefaultItemUnit"), _why_not, (OTHER_UNIT,)),
    ranked=Ranked(("Quantity",), _step, LARGER_QUANTITY),
    currency=price_lists.CURRENCY,
)

_AFTER_ALL = 10**19
LISTS = ExpandedStream(
    name="price_lists",
    record=PRICE,
    path="sales/SalesPriceLists",
    single="sales/SalesPriceLists",
    lookup="ID",
    scope="Sales prices",
    deleted_type=31,
    whole=True,
    id_prefix=price_lists.ID_PREFIX,
    key=price_lists.KEY,
    fields=price_lists.FIELDS,
    valid=("", price_lists.LAST_DAY),
    ranked=Ranked((), lambda _: _AFTER_ALL, LARGER_QUANTITY),
    currency=price_lists.CURRENCY,
)

PRICE_AGREEMENTS_IMPORT = ImportCategory(
    name="price_agreements",
    label="Price agreements",
    streams=(AGREEMENTS, LISTS),
    filters=(price_lists.LIMIT,),
    after=("relations", "materials", "hour_types"),
    tier="pro",
)
