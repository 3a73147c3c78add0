"""Exact Online's rows: per division and table, by key and by Timestamp, written through to the state.

A Timestamp is a row version of the division's database: every insert or update gets a value above all existing ones,
with gaps (https://start.exactonline.nl/docs/HlpRestAPIResourcesDetails.aspx?name=SyncCRMAccounts).
"""

import random
import uuid
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

import msgspec

from sandbox.clock import Clock
from sandbox.exact_online.dates import wall_clock_ms
from sandbox.exact_online.resources import deletion_code
from sandbox.exact_online.row_types import ROW_TYPES, STORED, Row, identity, key_field
from sandbox.exact_online.table import Table
from sandbox.fixed_world import DIVISIONS
from sandbox.state import Documents, State

EVERYWHERE = 0
"""The division of tables that belong to no division."""

BELONGINGS = {
    "crm/Accounts": (("crm/Contacts", "Account"), ("crm/Addresses", "Account")),
    "logistics/Items": (("logistics/SalesItemPrices", "Item"),),
    "salesorder/SalesOrders": (("salesorder/SalesOrderLines", "OrderID"),),
    "salesinvoice/SalesInvoices": (
        ("salesinvoice/SalesInvoiceLines", "InvoiceID"),
        ("sync/SalesInvoice/SalesInvoices", "InvoiceID"),
    ),
    "salesinvoice/SalesInvoiceLines": (("sync/SalesInvoice/SalesInvoices", "ID"),),
    "documents/Documents": (("documents/DocumentAttachments", "Document"),),
    "salesorder/GoodsDeliveries": (("salesorder/GoodsDeliveryLines", "EntryID"),),
    "crm/Quotations": (("crm/QuotationLines", "QuotationID"),),
    "project/Projects": (("project/ProjectPlanning", "Project"),),
    "manufacturing/ShopOrders": (("manufacturing/ShopOrderMaterialPlans", "ShopOrder"),),
    "inventory/AssemblyOrders": (("inventory/AssemblyOrders/PartItems", "AssemblyOrder"),),
    "sales/SalesPriceLists": (
        ("sales/SalesPriceListPeriods", "PriceList"),
        ("sales/SalesPriceListLinkedAccounts", "PriceList"),
    ),
    "sales/SalesPriceListPeriods": (("sales/SalesPriceListVolumeDiscounts", "PriceListPeriod"),),
}
"""What goes with a row when it is deleted. The vendor's pages are silent; an orphan would be worse."""

Follower = Callable[[int, Sequence[Row], str], None]
"""Is told of rows of a division that were written, and by whom."""

_encode = msgspec.msgpack.Encoder().encode


class RowStore:
    """All rows of one sandbox's Exact Online."""

    def __init__(self, state: State, clock: Clock) -> None:
        self._state = state
        self._clock = clock
        self._tables: dict[tuple[int, str], Table] = {}
        self._versions = Documents(state, "versions", int)
        self._gaps = random.Random(0)
        self._followers: dict[str, Follower] = {}

    def now(self) -> datetime:
        """The moment, in UTC."""
        return self._clock.now()

    def follow(self, name: str, follower: Follower) -> None:
        """Have a table's changes told, for rows that another table shows in its own way."""
        self._followers[name] = follower

    def transaction(self) -> AbstractContextManager[None]:
        """All that is written within is kept, or nothing."""
        return self._state.transaction()

    def table(self, division: int, name: str) -> Table:
        """The rows of one table in one division, read from the state at first use."""
        known = self._tables.get((division, name))
        if known is None:
            known = Table(name)
            decode = msgspec.msgpack.Decoder(ROW_TYPES[name]).decode
            known.load(decode(body) for body in self._state.exact_rows(division, name))
            self._tables[division, name] = known
        return known

    def last_version(self, division: int) -> int:
        """The highest Timestamp given out in a division."""
        fixed = DIVISIONS.get(division)
        return self._versions.get(str(division)) or (fixed.first_timestamp if fixed else 1)

    def insert(self, division: int, name: str, values: Sequence[dict[str, Any]], by: str) -> list[Row]:
        """Add rows as a user would.

        Args:
            division: The division.
            name: The table.
            values: Stored properties of each row; a missing key is made up.
            by: The user's id.

        Returns:
            The rows, with `Created`, `Modified` and a new Timestamp.
        """
        ids, made = {key_field(name), "ID"} & STORED[name], ROW_TYPES[name]
        rows = [made(**({one_id: str(uuid.uuid4()) for one_id in ids} | one)) for one in values]
        now = wall_clock_ms(self._clock.now())
        for row in rows:
            _set_where_known(row, Created=now, Creator=by, Division=division)
        self._write(division, name, rows, by, now)
        return rows

    def update(self, division: int, name: str, changes: Sequence[tuple[Row, dict[str, Any]]], by: str) -> None:
        """Change rows as a user would: each gets a new `Modified` and Timestamp.

        Args:
            division: The division.
            name: The table.
            changes: Rows and the new values of some of their stored properties.
            by: The user's id.
        """
        table = self.table(division, name)
        for row, values in changes:
            table.change(row, values)
        self._write(division, name, [row for row, _ in changes], by, wall_clock_ms(self._clock.now()))

    def delete(self, division: int, name: str, rows: Sequence[Row], by: str) -> None:
        """Delete rows and what belongs to them; `sync/Deleted` reports each that has a code there."""
        with self._state.transaction():
            for table, field in BELONGINGS.get(name, ()):
                near = self.table(division, table)
                orphans = [one for row in rows for one in near.having(field, getattr(row, key_field(name)))]
                if orphans:
                    self.delete(division, table, orphans, by)
            self.table(division, name).remove(rows)
            self._state.delete_exact_rows(division, name, (_key(name, row) for row in rows))
            self._log_deletions(division, name, rows, by)

    def clear(self, division: int, names: Sequence[str]) -> None:
        """Take all rows of some tables, and what belongs to them, out as if they had never been.

        `sync/Deleted` forgets what it reported.
        """
        tables = ["sync/Deleted", *names]
        for name in tables:
            tables += [table for table, _ in BELONGINGS.get(name, ()) if table not in tables]
        with self._state.transaction():
            for name in tables:
                table = self.table(division, name)
                rows = list(table.by_key.values())
                if rows:
                    table.remove(rows)
                    self._state.delete_exact_rows(division, name, (_key(name, row) for row in rows))

    def add_generated(self, division: int, name: str, rows: Sequence[Row]) -> None:
        """Store rows that already carry everything, Timestamps included."""
        self._save(division, name, sorted(rows, key=lambda row: _key(name, row)))

    def set_version(self, division: int, version: int) -> None:
        """Remember the highest Timestamp given out."""
        self._versions.put(str(division), version)

    def regenerate_versions(self, division: int, start: int) -> None:
        """Give every row of a division a new Timestamp from `start` on, in the old order.

        That is what moving a division to another database does
        (https://start.exactonline.nl/docs/HlpRestAPIResourcesDetails.aspx?name=SystemSystemDivisions).
        """
        tables = {name: self.table(division, name) for name in ROW_TYPES if name != "system/Divisions"}
        everything = [row for table in tables.values() for row in table.by_key.values()]
        everything.sort(key=lambda row: row.Timestamp)
        self.set_version(division, start)
        with self._state.transaction():
            for row, version in zip(everything, self._next_versions(division, len(everything)), strict=True):
                row.Timestamp = version
            for name, table in tables.items():
                table.load(sorted(table.by_key.values(), key=lambda row: row.Timestamp))
                self._save(division, name, list(table.by_key.values()))

    def _write(self, division: int, name: str, rows: list[Row], by: str, now: int) -> None:
        with self._state.transaction():
            versions = self._next_versions(division, len(rows))
            for row in rows:
                _set_where_known(row, Modified=now, Modifier=by)
            self.table(division, name).put(rows, versions)
            self._save(division, name, rows)
            if name in self._followers:
                self._followers[name](division, rows, by)

    def _next_versions(self, division: int, count: int) -> list[int]:
        version = self.last_version(division)
        given = [version := version + self._gaps.randint(1, 5) for _ in range(count)]
        self.set_version(division, version)
        return given

    def _save(self, division: int, name: str, rows: Iterable[Row]) -> None:
        self._state.put_exact_rows(division, name, ((_key(name, row), _encode(row)) for row in rows))

    def _log_deletions(self, division: int, name: str, rows: Sequence[Row], by: str) -> None:
        code = deletion_code(name)
        if code is None:
            return
        now = wall_clock_ms(self._clock.now())
        about = {"DeletedBy": by, "DeletedDate": now, "EntityType": code, "Division": division}
        self.insert(division, "sync/Deleted", [about | {"EntityKey": identity(name, row)} for row in rows], by)


def _key(name: str, row: Row) -> str:
    return str(getattr(row, key_field(name)))


def _set_where_known(row: Row, **values: object) -> None:
    for name, value in values.items():
        if hasattr(row, name):
            setattr(row, name, value)
