"""What one company sells: units, item groups, items and their prices."""

from pathlib import Path
from random import Random
from typing import Any

import msgspec

from sandbox.exact_online.row_types import ROW_TYPES, Row
from sandbox.seeds.stamps import Stamps
from sandbox.seeds.traits import ITEM_TRAITS as TRAITS


class Words(msgspec.Struct, frozen=True):
    """One language's words for articles and documents; `products` are name, unit and price."""

    units: dict[str, tuple[str, str]]
    groups: tuple[str, ...]
    labour_groups: tuple[str, ...]
    labour: tuple[str, ...]
    call_out: str
    warehouse: str
    van: str
    invoice: str
    price_list: str
    jobs: tuple[str, ...]
    products: tuple[tuple[str, str, float], ...]
    variants: tuple[str, ...]


CATALOGUE = msgspec.json.decode(Path(__file__).with_name("catalogue.json").read_bytes(), type=dict[str, Words])

_UNIT_TYPES = {
    "piece": "O", "metre": "L", "kilo": "W", "litre": "V", "area": "A", "set": "O", "hour": "T", "day": "T",
}  # fmt: skip
_TIME_UNITS = {"hour": "hh", "day": "dd"}
_ODD_CODES = ("O'RING-{}", "T&G {}", "CAFÉ-{}", "1/2-{}", "kit-{}", "ACTIE 50% {}", "A+B #{}")
_LABOUR_SHARE = 0.03
_FEWEST_LABOUR = 6
_LONGEST_DESCRIPTION = 60
_NOTES = "Order per box.\r\nKeep dry & frost-free."

_item, _price = ROW_TYPES["logistics/Items"], ROW_TYPES["logistics/SalesItemPrices"]


class ArticleSeeds:
    """Makes the articles of one division.

    Args:
        division: The division's code.
        words: The words of its language.
        chance: Where randomness comes from.
        stamps: Gives ids and moments.
    """

    def __init__(self, division: int, words: Words, chance: Random, stamps: Stamps) -> None:
        self._division = division
        self._words = words
        self._chance = chance
        self._stamps = stamps
        self._groups: list[Row] = []
        self._labour_groups: list[Row] = []

    def make(self, count: int, customers: list[Row]) -> dict[str, list[Row]]:
        """Make so many items with their groups, units and prices.

        Args:
            count: Number of items.
            customers: Accounts that may have a price of their own.

        Returns:
            Rows by table.
        """
        units = [self._unit(*unit) for unit in self._words.units.items()] if count else []
        self._groups = [self._group(place, name) for place, name in enumerate(self._words.groups if count else ())]
        names = self._words.labour_groups if count else ()
        self._labour_groups = [self._group(place, name) for place, name in enumerate(names, 90)]
        labour = min(count, max(_FEWEST_LABOUR, int(count * _LABOUR_SHARE)))
        items = [self._labour(index) for index in range(labour)]
        items += [self._material(index) for index in range(labour, count)]
        prices = [price for index, item in enumerate(items) for price in self._prices(index, item, customers)]
        return {
            "logistics/Units": units,
            "logistics/ItemGroups": self._groups + self._labour_groups,
            "logistics/Items": items,
            "logistics/SalesItemPrices": prices,
        }

    def _own(self) -> dict[str, Any]:
        return {"ID": self._stamps.guid(), "Division": self._division, **self._stamps.audit()}

    def _unit(self, kind: str, names: tuple[str, str]) -> Row:
        return ROW_TYPES["logistics/Units"](
            ID=self._stamps.guid(),
            Division=self._division,
            Active=True,
            Code=names[0],
            Description=names[1],
            Main=int(kind == "piece"),
            Type=_UNIT_TYPES[kind],
            TimeUnit=_TIME_UNITS.get(kind),
        )

    def _group(self, place: int, name: str) -> Row:
        row = ROW_TYPES["logistics/ItemGroups"]
        return row(**self._own(), Code=f"{place + 1:02d}", Description=name, IsDefault=int(place == 0))

    def _labour(self, index: int) -> Row:
        """Labour counts time, but for two that lead readers astray: a fixed charge, and one that goes by the day."""
        by_the_piece = index == 1
        unit = "piece" if by_the_piece else "day" if index == 2 else "hour"
        name = self._words.call_out if by_the_piece else self._words.labour[index % len(self._words.labour)]
        return self._item(
            index,
            code=f"U-{index + 1:03d}",
            name=f"{name} {index + 1}" if index >= len(self._words.labour) else name,
            unit=unit,
            group=self._labour_groups[index % len(self._labour_groups)].ID,
            IsTime=int(not by_the_piece),
            IsStockItem=False,
            IsPurchaseItem=False,
            Stock=0.0,
            CostPriceStandard=float(self._chance.randint(25, 45)),
        )

    def _material(self, index: int) -> Row:
        chance = self._chance
        name, unit, price = chance.choice(self._words.products)
        variant = chance.choice(self._words.variants)
        return self._item(
            index,
            code=_code(index),
            name=f"{name} {variant} {index}"[:_LONGEST_DESCRIPTION],
            unit=unit,
            group=None if index in TRAITS["no_group"] else chance.choice(self._groups).ID,
            IsTime=0,
            IsStockItem=chance.random() < 0.8,
            IsPurchaseItem=True,
            Stock=float(chance.randint(0, 400)),
            CostPriceStandard=round(price * chance.uniform(0.4, 0.7), 4),
            Barcode=f"87{index:011d}" if index in TRAITS["barcode"] else None,
            Notes=_NOTES if index in TRAITS["notes"] else None,
            ExtraDescription=f"{name}: {variant}" if index in TRAITS["notes"] else None,
        )

    def _item(self, index: int, *, code: str, name: str, unit: str, group: str | None, **others: Any) -> Row:
        day, chance = self._stamps.day, self._chance
        not_started = index in TRAITS["not_started"]
        return _item(
            **self._own(),
            Code=code,
            SearchCode=code.upper()[:20],
            Description=name,
            ItemGroup=group,
            Unit=self._words.units[unit][0],
            IsSalesItem=index not in TRAITS["not_for_sale"],
            IsFractionAllowedItem=unit != "piece",
            IsWebshopItem=0,
            IsMakeItem=0,
            IsSerialItem=False,
            IsBatchItem=0,
            SalesVatCode="VH",
            CostPriceCurrency="EUR",
            StartDate=day(chance.randint(5, 90)) if not_started else day(-chance.randint(400, 2000)),
            EndDate=day(-chance.randint(1, 200)) if index in TRAITS["ended"] else None,
            **others,
        )

    def _prices(self, index: int, item: Row, customers: list[Row]) -> list[Row]:
        """Today's price for anybody, and whatever else stands on the item's price screen."""
        if index in TRAITS["no_price"]:
            return []
        chance, day = self._chance, self._stamps.day
        base = round(item.CostPriceStandard * chance.uniform(1.4, 2.2), 2)
        began = day(-chance.randint(30, 300))
        rows = [self._price(item, base, began)]
        rows[0].EndDate = day(-1) if index in TRAITS["price_ended"] else None
        if index in TRAITS["quantity_steps"]:
            rows.append(self._price(item, round(base * 0.9, 2), began, Quantity=10.0))
            rows.append(self._price(item, round(base * 0.8, 3), began, Quantity=100.0))
        if index in TRAITS["other_currency"]:
            rows.append(self._price(item, round(base * 1.1, 2), began, Currency="USD"))
        if index in TRAITS["earlier_price"]:
            earlier = self._price(item, round(base * 0.95, 2), began - 86_400_000 * 400)
            earlier.EndDate = began - 86_400_000
            rows.append(earlier)
        if index in TRAITS["later_price"]:
            rows.append(self._price(item, round(base * 1.05, 2), day(chance.randint(10, 90))))
        if index in TRAITS["agreement"] and customers:
            rows.append(self._price(item, round(base * 0.75, 2), began, Account=chance.choice(customers).ID))
        return rows

    def _price(self, item: Row, price: float, start: int, **others: Any) -> Row:
        usual = {"Quantity": 1.0, "Currency": "EUR", "NumberOfItemsPerUnit": 1.0, "Unit": item.Unit}
        return _price(**self._own(), Item=item.ID, Price=price, StartDate=start, **(usual | others))


def _code(index: int) -> str:
    if index in TRAITS["odd_code"]:
        return _ODD_CODES[index // TRAITS["odd_code"].step % len(_ODD_CODES)].format(index)
    return f"{index:06d}" if index in TRAITS["leading_zeros"] else f"ART-{index:05d}"
