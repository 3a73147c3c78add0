"""One compact class per table of rows, made from the properties the vendor lists.

A row holds what is stored; what follows from other rows (`AccountName` on a contact) is worked out when it is read, in
`derived.py`. Dates are milliseconds of wall-clock time (see `dates.py`).
"""

from typing import Any

import msgspec

from sandbox.exact_online.derived import DERIVED
from sandbox.exact_online.resources import RESOURCES

Row = Any
"""An instance of one of `ROW_TYPES`; its fields are the stored properties of its table and `Timestamp`."""

KEYS = {path: one.key for path, one in RESOURCES.items() if one.kind in {"single", "nested"} and one.rows == path}
"""The property in the address of a row, per table; tables that only `sync` shows go by `ID`."""


def key_field(table: str) -> str:
    """The property that identifies a row of a table."""
    return KEYS.get(table, "ID")


def _stored_properties(table: str) -> list[str]:
    names: dict[str, None] = {}
    for resource in RESOURCES.values():
        if resource.rows == table:
            names |= dict.fromkeys(one.name for one in resource.properties.values() if not one.is_collection)
    left_out = DERIVED.get(table, {})
    return [name for name in names if name not in left_out]


def _make(table: str) -> type[Any]:
    names = dict.fromkeys([*_stored_properties(table), "Timestamp"])
    fields = [(name, Any, None) for name in names]
    # As an array without names a row takes a third of the room; gc=False is safe because rows hold only plain values.
    return msgspec.defstruct(table.rsplit("/", 1)[-1] + "Row", fields, array_like=True, gc=False)


ROW_TYPES: dict[str, type[Any]] = {table: _make(table) for table in {one.rows for one in RESOURCES.values()} if table}
STORED: dict[str, frozenset[str]] = {table: frozenset(made.__struct_fields__) for table, made in ROW_TYPES.items()}


def identity(table: str, row: Row) -> str:
    """What `sync/Deleted` calls a row.

    Headers of orders and quotations have an `ID` beside the key of their address (`OrderID`, `QuotationID`); the vendor
    does not say how the two are related, so they differ here, and deletions go by `ID`.
    """
    return str(row.ID if "ID" in STORED[table] else getattr(row, key_field(table)))
