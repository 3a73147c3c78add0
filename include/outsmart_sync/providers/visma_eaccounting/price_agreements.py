"""Prices that VISMA's customers have by their price lists.

Discount agreements are not imported: OutSmart has no place for a discount that depends on customer and article. The run
that reads price lists says in its log how many customers have one.
"""

from __future__ import annotations

from outsmart_sync.providers.visma_eaccounting.price_lists import CHANGED, LISTS
from outsmart_sync.providers.visma_eaccounting.stream import ExpandedStream
from outsmart_sync.records import price_lists
from outsmart_sync.records.catalogue import ImportCategory
from outsmart_sync.records.price import PRICE

PRICE_LISTS = ExpandedStream(
    name="price_lists",
    record=PRICE,
    path=LISTS,
    changed=CHANGED,
    lookup="Number",
    whole=True,
    id_prefix=price_lists.ID_PREFIX,
    key=price_lists.KEY,
    fields=price_lists.FIELDS,
    currency=price_lists.CURRENCY,
)

PRICE_AGREEMENTS_IMPORT = ImportCategory(
    name="price_agreements",
    label="Price agreements",
    streams=(PRICE_LISTS,),
    filters=(price_lists.LIMIT,),
    after=("customers", "materials", "hour_types"),
    tier="active",
)
