"""What callers of the API may do to orders, invoices, hours, costs and documents, and when.

People at the screen may do more, so that these rules stand beside those of `documents.py`. Where the vendor's pages
say when something is refused but not how, the form of its other refusals is used (`500 Invalid: ...`).
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from sandbox.exact_online.documents import LINES, to_cents
from sandbox.exact_online.errors import VendorError, invalid, mandatory, wrong_value
from sandbox.exact_online.row_types import Row
from sandbox.exact_online.rows import RowStore

Values = dict[str, Any]

_ORDERS, _ORDER_LINES = "salesorder/SalesOrders", "salesorder/SalesOrderLines"
_INVOICES, _INVOICE_LINES = "salesinvoice/SalesInvoices", "salesinvoice/SalesInvoiceLines"
_TIMES, _COSTS = "project/TimeTransactions", "project/CostTransactions"
_PARTIAL, _COMPLETE, _CANCELLED, _OPEN_INVOICE = 20, 21, 45, 20
_DIRECT_TYPES, _CREDIT_TYPES = (8023, 8024), (8021, 8024)
_SALES_JOURNAL = 20
_LEAST_FINAL = 11
"""From this `HourStatus` on, hours and costs are approved, being approved or invoiced."""

LONGEST = 60
"""Characters of a description (https://start.exactonline.nl/docs/HlpRestAPIResourcesDetails.aspx?name=LogisticsItems).

The page says so of items; orders, invoices and their lines are taken to be alike.
"""

_DESCRIBED = {"logistics/Items", _ORDERS, _ORDER_LINES, _INVOICES, _INVOICE_LINES}


def check_new(store: RowStore, division: int, path: str, values: Values, lines: Sequence[Values]) -> None:
    """Refuse a new row that may not be.

    Args:
        store: All rows.
        division: The division.
        path: The resource it was sent to.
        values: What was sent, checked for types.
        lines: What was sent with it.

    Raises:
        VendorError: It may not be made so.
    """
    _check_lengths(path, values)
    if path in _NEW:
        _NEW[path](store, division, values, lines)
    _check_header_open(store, division, path, values)


def check_completed(path: str, values: Values, lines: Sequence[Values]) -> None:
    """Refuse a new document whose amounts, now known, do not suit it: only credit notes may come to less than nothing.

    Raises:
        VendorError: They do not.
    """
    if path != _INVOICES:
        return
    total = sum((to_cents(Decimal(str(line["AmountFC"]))) for line in lines), Decimal(0))
    if (total < 0) != (values["Type"] in _CREDIT_TYPES) and total != 0:
        raise invalid("Type")


def check_change(store: RowStore, division: int, path: str, row: Row, values: Values) -> None:
    """Refuse a change that may not be.

    Raises:
        VendorError: The row is done with, or a value makes no sense.
    """
    _check_lengths(path, values)
    check_removal(store, division, path, row)
    _check_codes(store, division, path, values)


def check_removal(store: RowStore, division: int, path: str, row: Row) -> None:
    """Refuse to delete or change what is done with.

    A completed order can no longer be updated
    (https://start.exactonline.nl/docs/HlpRestAPIResourcesDetails.aspx?name=SalesOrderSalesOrders), nor a processed
    invoice, nor hours that are final.

    Raises:
        VendorError: It is.
    """
    if path in {_ORDERS, _INVOICES}:
        _check_open(path, row)
    elif path in {_TIMES, _COSTS} and (row.HourStatus or 0) >= _LEAST_FINAL:
        raise invalid("HourStatus")
    else:
        _check_header_open(
            store, division, path, {LINES[path][0]: getattr(row, LINES[path][0])} if path in LINES else {}
        )


def _check_lengths(path: str, values: Values) -> None:
    if path in _DESCRIBED and len(values.get("Description") or "") > LONGEST:
        raise invalid("Description")


def _check_header_open(store: RowStore, division: int, path: str, values: Values) -> None:
    if path not in {_ORDER_LINES, _INVOICE_LINES}:
        return
    field, table = LINES[path]
    header = store.table(division, table).by_key.get(values.get(field))
    if header is not None:
        _check_open(table, header)


def _check_open(table: str, header: Row) -> None:
    if table == _INVOICES and header.Status != _OPEN_INVOICE:
        raise invalid("Status")
    if table == _ORDERS:
        for name in ("Status", "DeliveryStatus", "InvoiceStatus"):
            if getattr(header, name) in {_COMPLETE, _CANCELLED}:
                raise invalid(name)


def _check_codes(store: RowStore, division: int, path: str, values: Values) -> None:
    """Codes must be in their lists; a journal must be one for sales."""
    if path not in {_ORDERS, _INVOICES}:
        return
    if values.get("PaymentCondition") and not _having(store, division, "cashflow/PaymentConditions", values):
        raise invalid("PaymentCondition")
    if values.get("Journal"):
        found = store.table(division, "financial/Journals").having("Code", values["Journal"])
        if not found or found[0].Type != _SALES_JOURNAL or found[0].IsBlocked:
            raise invalid("Journal")


def _having(store: RowStore, division: int, table: str, values: Values) -> Sequence[Row]:
    return store.table(division, table).having("Code", values["PaymentCondition"])


def _check_customers(store: RowStore, division: int, values: Values, names: Sequence[str]) -> None:
    """A relation on a sale must be a customer (https://github.com/picqer/exact-php-client/issues/172)."""
    for name, label in names_and_labels(names):
        account = store.table(division, "crm/Accounts").by_key.get(values.get(name))
        if account is not None and account.Status != "C":
            raise invalid(f"{label} (Type)")
        if account is not None and account.Blocked:
            raise invalid(f"{label} (Blocked)")


def names_and_labels(names: Sequence[str]) -> list[tuple[str, str]]:
    """Properties and what the vendor's messages call them."""
    labels = {"OrderedBy": "Ordered by", "InvoiceTo": "Invoice to", "DeliverTo": "Deliver to"}
    return [(name, labels[name]) for name in names]


def _order(store: RowStore, division: int, values: Values, _lines: Sequence[Values]) -> None:
    _check_customers(store, division, values, ("OrderedBy", "InvoiceTo"))
    _check_codes(store, division, _ORDERS, values)
    number = values.get("OrderNumber")
    if number is not None and store.table(division, _ORDERS).having("OrderNumber", number):
        raise VendorError(500, "Data already exists")


def _invoice(store: RowStore, division: int, values: Values, lines: Sequence[Values]) -> None:
    values["Type"] = values.get("Type") or 8020
    values["Status"] = values.get("Status") or _OPEN_INVOICE
    if values["Status"] != _OPEN_INVOICE:
        raise invalid("Status")
    _check_customers(store, division, values, ("OrderedBy", "InvoiceTo"))
    _check_codes(store, division, _INVOICES, values)
    if values["Type"] not in _DIRECT_TYPES and values.get("Warehouse"):
        raise invalid("Warehouse")
    if values["Type"] in _DIRECT_TYPES and not values.get("Warehouse"):
        # A recording shows one made without it: the main one is taken.
        warehouses = [row for row in store.table(division, "inventory/Warehouses").by_key.values() if row.Main]
        if not warehouses:
            raise mandatory("Warehouse")
        values["Warehouse"] = warehouses[0].ID
    for line in lines:
        _invoice_line(store, division, line, ())


def _invoice_line(_store: RowStore, _division: int, values: Values, _lines: Sequence[Values]) -> None:
    if not values.get("Item") and not values.get("GLAccount"):
        raise mandatory("Item")


def _transaction(store: RowStore, division: int, values: Values, kind: int) -> None:
    values["Type"] = kind
    if not any(values.get(name) for name in ("Account", "Project", "Subscription")):
        raise mandatory("Project")
    item = store.table(division, "logistics/Items").by_key.get(values["Item"])
    if item is None or _is_of_time(store, division, item) is not (kind == 1):
        raise invalid("Item")


def _is_of_time(store: RowStore, division: int, item: Row) -> bool:
    """Whether an item is one of time: it says so itself, or its unit does."""
    units = store.table(division, "logistics/Units").having("Code", item.Unit)
    return bool(item.IsTime) or any(unit.Type == "T" for unit in units)


def _times(store: RowStore, division: int, values: Values, _lines: Sequence[Values]) -> None:
    """The price of an hour is the package's business (`PriceFC` is read-only)."""
    _transaction(store, division, values, 1)


def _costs(store: RowStore, division: int, values: Values, _lines: Sequence[Values]) -> None:
    _transaction(store, division, values, 2)


def _document(store: RowStore, division: int, values: Values, _lines: Sequence[Values]) -> None:
    found = store.table(division, "documents/DocumentTypes").by_key.get(values["Type"])
    if found is None or not found.DocumentIsCreatable:
        raise invalid("Type")


def _attachment(_store: RowStore, _division: int, values: Values, _lines: Sequence[Values]) -> None:
    try:
        base64.b64decode(values["Attachment"], validate=True)
    except (binascii.Error, ValueError):
        raise wrong_value("Attachment", "Byte[]") from None


_NEW: dict[str, Callable[[RowStore, int, Values, Sequence[Values]], None]] = {
    _ORDERS: _order,
    _INVOICES: _invoice,
    _INVOICE_LINES: _invoice_line,
    _TIMES: _times,
    _COSTS: _costs,
    "documents/Documents": _document,
    "documents/DocumentAttachments": _attachment,
}
