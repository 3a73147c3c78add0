"""Prices: what a material or an hour costs from one day to another, for one customer or for all.

A price is known by what it is for, for whom, and from when: another first day is another price.
"""

from __future__ import annotations

from outsmart_sync.records.record import Field, Kind, Record, Reference

ITEM = Reference("item", {"material": "material", "hour_type": "hourtype"}, "article")
CUSTOMER = Reference("relation", {"relation": "debtornr"}, "relation")

PRICE = Record(
    name="price",
    label="price agreement",
    code="key",
    title="material",
    keys=("material", "hourtype", "debtornr", "date_start"),
    references=(ITEM, CUSTOMER),
    ends="date_end",
    fields=(
        Field("key", "material, hour type, debtor number and first day", required=True),
        # OutSmart wants one of the two, never both.
        Field("material", "material"),
        Field("hourtype", "hour type"),
        # Without it, the price is everyone's.
        Field("debtornr", "debtor number"),
        Field("date_start", "first day", Kind.DATE, required=True),
        Field("date_end", "last day", Kind.DATE),
        Field("price", "price", Kind.DECIMAL, required=True),
    ),
)
