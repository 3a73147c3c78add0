"""What one company's documents are made from: its customers, articles and people, and a hand to draw from them."""

from collections import defaultdict
from dataclasses import dataclass, field
from random import Random
from typing import Any

from sandbox.exact_online.row_types import ROW_TYPES, STORED, Row
from sandbox.seeds.articles import Words
from sandbox.seeds.pools import Pool
from sandbox.seeds.stamps import Stamps

Tables = dict[str, list[Any]]
"""Rows by table."""

_DELIVERY = 4


@dataclass
class Books:
    """One company while its rows are being made.

    Attributes:
        division: Its code.
        chance: Where randomness comes from.
        stamps: Gives ids and moments.
        words: The words of its language.
        pool: Names of its country.
        tables: The rows made so far.
    """

    division: int
    chance: Random
    stamps: Stamps
    words: Words
    pool: Pool
    tables: Tables
    customers: list[Row] = field(init=False)
    suppliers: list[Row] = field(init=False)
    materials: list[Row] = field(init=False)
    labour: list[Row] = field(init=False)
    _places: dict[str, list[Row]] = field(init=False)
    _prices: dict[str, float] = field(init=False)

    def __post_init__(self) -> None:
        items = [row for row in self.tables["logistics/Items"] if row.IsSalesItem and row.EndDate is None]
        self.customers = [row for row in self.tables["crm/Accounts"] if row.Status == "C" and row.EndDate is None]
        self.suppliers = [row for row in self.tables["crm/Accounts"] if row.IsSupplier] or self.customers
        self.materials = [row for row in items if not row.IsTime]
        self.labour = [row for row in items if row.IsTime]
        self._places = defaultdict(list)
        for row in self.tables["crm/Addresses"]:
            self._places[row.Account].append(row)
        self._prices = {row.Item: row.Price for row in self.tables["logistics/SalesItemPrices"] if row.Account is None}

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to make documents from."""
        return not (self.customers and self.materials and self.labour)

    def share(self, part: float, fewest: int, most: int) -> int:
        """How many documents of a kind a company of this size has; none where there is nothing to sell or nobody."""
        if self.is_empty:
            return 0
        relations = len(self.tables["crm/Accounts"])
        return min(most, max(min(fewest, relations), round(relations * part)))

    def make(self, table: str, **values: Any) -> Row:
        """A new row with an id, audit stamps where the table has them, and these values; kept in `tables`."""
        made = ROW_TYPES[table]
        stored = STORED[table]
        own = {"ID": self.stamps.guid(), "Division": self.division}
        stamped = "Modified" in values or "Modified" not in stored
        known = own | ({} if stamped else self.stamps.audit()) | values
        row = made(**{name: value for name, value in known.items() if name in stored})
        self.tables.setdefault(table, []).append(row)
        return row

    def pick(self, table: str) -> Row | None:
        """One of the rows of a table; None without rows."""
        rows = self.tables.get(table)
        return self.chance.choice(rows) if rows else None

    def stamp(self, days_ago: int, changed_days_ago: int | None = None) -> dict[str, Any]:
        """Audit stamps of something made so many days ago (at least yesterday)."""
        return self.stamps.audit_at(max(1, days_ago), None if changed_days_ago is None else max(1, changed_days_ago))

    def delivery_address(self, account: Row) -> Row | None:
        """Where goods for an account go: a delivery address if it has one."""
        places = self._places[account.ID]
        elsewhere = [place for place in places if place.Type == _DELIVERY]
        return (elsewhere or places or [None])[0]

    def price(self, item: Row) -> float:
        """About what an item costs anybody."""
        return float(self._prices.get(item.ID) or round((item.CostPriceStandard or 10.0) * 1.5, 2))

    def days_between(self, index: int, count: int, first: int, last: int) -> int:
        """How many days ago document number `index` of `count` was made, spread evenly with some noise."""
        even = first - (first - last) * index // max(1, count)
        return max(last, even - self.chance.randint(0, 3))
