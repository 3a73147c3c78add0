"""What Exact Online fills in on new documents and refuses on any: numbers, defaults, and references that lead nowhere.

Defaults follow what recordings of new sales orders show
(https://github.com/NangoHQ/integration-templates/tree/main/integrations/exact-online); the rest is chosen alike.
"""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.exact_online.derived import standard_sales_price
from sandbox.exact_online.errors import already_exists, invalid
from sandbox.exact_online.row_types import STORED, Row
from sandbox.exact_online.rows import RowStore
from sandbox.exact_online.surroundings import Near

Values = dict[str, Any]

NUMBERS = {
    "salesorder/SalesOrders": "OrderNumber",
    "crm/Quotations": "QuotationNumber",
    "salesorder/GoodsDeliveries": "DeliveryNumber",
    "manufacturing/ShopOrders": "ShopOrderNumber",
    "inventory/AssemblyOrders": "OrderNumber",
    "payroll/Employees": "HID",
    "sync/Project/TimeCostTransactions": "EntryNumber",
    "documents/Documents": "HID",
}
"""The property that numbers the documents of a table; a new one gets the next number."""

LINES = {
    "salesorder/SalesOrderLines": ("OrderID", "salesorder/SalesOrders"),
    "salesinvoice/SalesInvoiceLines": ("InvoiceID", "salesinvoice/SalesInvoices"),
    "crm/QuotationLines": ("QuotationID", "crm/Quotations"),
    "salesorder/GoodsDeliveryLines": ("EntryID", "salesorder/GoodsDeliveries"),
    "manufacturing/ShopOrderMaterialPlans": ("ShopOrder", "manufacturing/ShopOrders"),
    "inventory/AssemblyOrders/PartItems": ("AssemblyOrder", "inventory/AssemblyOrders"),
    "sales/SalesPriceListVolumeDiscounts": ("PriceListPeriod", "sales/SalesPriceListPeriods"),
}
"""For tables of lines, the property that leads to the header, and the header's table."""

_ORDER_STATES = {"Status": 12, "DeliveryStatus": 12, "InvoiceStatus": 12}
DEFAULTS: dict[str, Values] = {
    "salesorder/SalesOrders": _ORDER_STATES | {"ApprovalStatus": 1, "Currency": "EUR"},
    "salesorder/SalesOrderLines": _ORDER_STATES
    | {"Quantity": 1.0, "Discount": 0.0, "UseDropShipment": 0, "QuantityDelivered": 0.0, "QuantityInvoiced": 0.0},
    "salesinvoice/SalesInvoices": {"Status": 20, "Type": 8020, "Currency": "EUR"},
    "salesinvoice/SalesInvoiceLines": {"Quantity": 1.0, "Discount": 0.0},
    "sync/Project/TimeCostTransactions": {"HourStatus": 1, "Currency": "EUR"},
    "documents/Documents": {"Language": "NL"},
    "crm/Quotations": {"Status": 20, "VersionNumber": 1, "Currency": "EUR"},
    "crm/QuotationLines": {"Quantity": 1.0, "Discount": 0.0, "Optional": False},
    "project/Projects": {"Type": 3, "BlockEntry": False, "BlockPlanning": False},
    "project/ProjectPlanning": {"Status": 2, "Type": 4, "BGTStatus": 1, "CommunicationErrorStatus": 0,
                                "OverAllocate": False},
    "manufacturing/ShopOrders": {"Status": 10, "Type": 9040, "PlannedQuantity": 1.0, "ProducedQuantity": 0.0,
                                 "IsOnHold": 0, "IsReleased": 1},
    "manufacturing/ShopOrderMaterialPlans": {"Status": 10, "Type": 1, "PlannedQuantity": 1.0},
    "inventory/AssemblyOrders": {"OrderStatus": 20, "Type": 8060, "PlannedQuantity": 1.0, "FinishedQuantity": 0.0},
    "inventory/AssemblyOrders/PartItems": {"Quantity": 1.0},
    "inventory/Warehouses": {"Main": 0, "UseStorageLocations": 0},
    "sync/Cashflow/PaymentTerms": {"LineType": 20, "Status": 20, "IsFullyPaid": False, "PaymentMethod": "B",
                                   "Currency": "EUR"},
    "sales/SalesPriceListVolumeDiscounts": {"Quantity": 1.0, "NumberOfItemsPerUnit": 1.0},
}  # fmt: skip
TODAY = {
    "salesorder/SalesOrders": ("OrderDate", "DeliveryDate"),
    "salesinvoice/SalesInvoices": ("InvoiceDate", "OrderDate"),
    "sync/Project/TimeCostTransactions": ("Date",),
    "documents/Documents": ("DocumentDate",),
    "crm/Quotations": ("QuotationDate",),
    "salesorder/GoodsDeliveries": ("DeliveryDate",),
    "project/Projects": ("StartDate",),
    "payroll/Employees": ("StartDate",),
    "manufacturing/ShopOrders": ("EntryDate", "PlannedStartDate", "PlannedDate"),
    "inventory/AssemblyOrders": ("OrderDate", "AssemblyDate"),
    "sync/Cashflow/PaymentTerms": ("InvoiceDate", "EntryDate", "DueDate"),
    "sales/SalesPriceListPeriods": ("StartDate",),
}
"""Dates that are today unless said otherwise."""

_TRANSACTIONS = "sync/Project/TimeCostTransactions"
_USUAL_VAT_CODE, _INCLUDING = "VH", "I"
_ACCOUNT, _ITEM = "crm/Accounts", "logistics/Items"
_PROJECT, _WAREHOUSE = "project/Projects", "inventory/Warehouses"
REFERENCES: dict[str, dict[str, str]] = {
    "salesorder/SalesOrders": {
        "OrderedBy": _ACCOUNT, "DeliverTo": _ACCOUNT, "InvoiceTo": _ACCOUNT, "DeliveryAddress": "crm/Addresses",
        "WarehouseID": _WAREHOUSE, "Project": _PROJECT, "Document": "documents/Documents",
    },
    "salesorder/SalesOrderLines": {"Item": _ITEM, "Project": _PROJECT, "ShopOrder": "manufacturing/ShopOrders"},
    "salesinvoice/SalesInvoices": {
        "OrderedBy": _ACCOUNT, "DeliverTo": _ACCOUNT, "InvoiceTo": _ACCOUNT, "Warehouse": _WAREHOUSE,
        "Document": "documents/Documents",
    },
    "salesinvoice/SalesInvoiceLines": {"Item": _ITEM, "Project": _PROJECT, "Employee": "payroll/Employees"},
    "sync/Project/TimeCostTransactions": {
        "Account": _ACCOUNT, "Project": _PROJECT, "Employee": "payroll/Employees", "Item": _ITEM,
        "Attachment": "documents/DocumentAttachments",
    },
    "documents/Documents": {"Account": _ACCOUNT, "Project": _PROJECT, "Item": _ITEM},
    "documents/DocumentAttachments": {"Document": "documents/Documents"},
    "crm/Quotations": {"OrderAccount": _ACCOUNT, "DeliveryAccount": _ACCOUNT, "InvoiceAccount": _ACCOUNT},
    "crm/QuotationLines": {"Item": _ITEM},
    "salesorder/GoodsDeliveries": {"DeliveryAccount": _ACCOUNT, "Warehouse": _WAREHOUSE},
    "salesorder/GoodsDeliveryLines": {"SalesOrderLineID": "salesorder/SalesOrderLines", "Item": _ITEM},
    "project/Projects": {"Account": _ACCOUNT},
    "project/ProjectPlanning": {
        "Project": _PROJECT, "Employee": "payroll/Employees", "HourType": _ITEM, "Account": _ACCOUNT,
    },
    "manufacturing/ShopOrders": {"Item": _ITEM, "Project": _PROJECT, "Warehouse": _WAREHOUSE},
    "manufacturing/ShopOrderMaterialPlans": {"Item": _ITEM},
    "inventory/AssemblyOrders": {"Item": _ITEM, "Warehouse": _WAREHOUSE, "Unit": "logistics/Units"},
    "inventory/AssemblyOrders/PartItems": {"PartItem": _ITEM},
    "sync/Cashflow/PaymentTerms": {"Account": _ACCOUNT},
    "sales/SalesPriceListPeriods": {"PriceList": "sales/SalesPriceLists"},
    "sales/SalesPriceListLinkedAccounts": {"PriceList": "sales/SalesPriceLists"},
    "sales/SalesPriceListVolumeDiscounts": {"Item": _ITEM, "ItemGroup": "logistics/ItemGroups"},
}  # fmt: skip
SAME = {
    "salesorder/SalesOrders": {"DeliverTo": "OrderedBy", "InvoiceTo": "OrderedBy"},
    "salesinvoice/SalesInvoices": {"DeliverTo": "OrderedBy", "InvoiceTo": "OrderedBy"},
    "crm/Quotations": {"DeliveryAccount": "OrderAccount", "InvoiceAccount": "OrderAccount"},
    "sync/Cashflow/PaymentTerms": {
        "AmountFC": "AmountDC", "TransactionAmountDC": "AmountDC", "TransactionAmountFC": "AmountDC",
    },
}  # fmt: skip
"""Properties that are like another one unless said otherwise."""

PRICED = {
    "salesorder/SalesOrderLines": "VATAmount",
    "salesinvoice/SalesInvoiceLines": "VATAmountFC",
    "crm/QuotationLines": "VATAmountFC",
}
"""Tables whose lines have amounts, and what the VAT of a line is called there."""

UNIQUE = {"inventory/Warehouses", "project/Projects", "sales/SalesPriceLists"}
"""Tables whose `Code` can be taken once."""


def complete_document(
    store: RowStore, division: int, table: str, values: Values, row: Row | None, today: int, fresh: str | None = None
) -> None:
    """Complete and check the values of a new or changed document, line, project or employee, in place.

    Args:
        store: All rows.
        division: The division.
        table: The table; others than these are left alone.
        values: What was given.
        row: The row that changes; None for a new one.
        today: Today, as dates are stored.
        fresh: For a line, the key of the header that is being made with it.

    Raises:
        VendorError: A reference leads nowhere, or a code is taken.
    """
    if row is None:
        _fill_in(store, division, table, values, today)
    if table in LINES:
        _describe(store, division, table, values, row)
    if table in PRICED:
        _price_line(store, division, table, values, row, today)
    references = dict(REFERENCES.get(table, {}))
    if table in LINES:
        field, header = LINES[table]
        if values.get(field) != fresh:
            references[field] = header
    for name, target in references.items():
        if values.get(name) is not None and values[name] not in store.table(division, target).by_key:
            raise invalid(name)
    if table == _TRANSACTIONS:
        _price_of_transaction(store, division, values, row, today)
    if table in UNIQUE and values.get("Code"):
        _refuse_taken(store.table(division, table).having("Code", values["Code"]), row)


def _fill_in(store: RowStore, division: int, table: str, values: Values, today: int) -> None:
    defaults = DEFAULTS.get(table, {}) | dict.fromkeys(TODAY.get(table, ()), today)
    if table in NUMBERS:
        defaults[NUMBERS[table]] = _next(store.table(division, table).by_key.values(), NUMBERS[table])
    values.update({name: value for name, value in defaults.items() if values.get(name) is None})
    if table in LINES and "LineNumber" in STORED[table]:
        _number_line(store, division, table, values)
    for name, source in SAME.get(table, {}).items():
        if values.get(name) is None:
            values[name] = values.get(source)


def _refuse_taken(found: Iterable[Row], row: Row | None) -> None:
    if any(one is not row for one in found):
        raise already_exists()


def _number_line(store: RowStore, division: int, table: str, values: Values) -> None:
    field, _ = LINES[table]
    if values.get(field) is None:
        raise invalid(field)
    siblings = store.table(division, table).having(field, values[field])
    values.setdefault("LineNumber", _next(siblings, "LineNumber"))


def _next(rows: Iterable[Row], field: str) -> int:
    return max((getattr(row, field) or 0 for row in rows), default=0) + 1


def _describe(store: RowStore, division: int, table: str, values: Values, row: Row | None) -> None:
    """Give a new line the item's description and unit, unless the line has its own."""
    item = store.table(division, _ITEM).by_key.get(values.get("Item"))
    if row is not None or item is None:
        return
    described = {"Description": item.Description, "UnitCode": item.Unit, "Unit": item.Unit}
    for name, value in described.items():
        if name in STORED[table] and values.get(name) is None:
            values[name] = value


def _price_line(store: RowStore, division: int, table: str, values: Values, row: Row | None, today: int) -> None:
    if row is None:
        _default_prices(store, division, values, today)
    _set_vat_rate(store, division, values, row)
    _price(values, row, PRICED[table], included=_is_including(store, division, values, row))


def _default_prices(store: RowStore, division: int, values: Values, today: int) -> None:
    """What a new line has unless it is sent: the item's price (0 if it has none, in recordings) and its VAT code."""
    item = store.table(division, _ITEM).by_key.get(values.get("Item"))
    if values.get("UnitPrice") is None:
        values["UnitPrice"] = (standard_sales_price(item, Near(store, division, today)) if item else None) or 0.0
    if not values.get("VATCode"):
        values["VATCode"] = (item.SalesVatCode if item else None) or _USUAL_VAT_CODE


def _set_vat_rate(store: RowStore, division: int, values: Values, row: Row | None) -> None:
    """Let the rate follow from the code; a code that is not there is refused."""
    code = values.get("VATCode")
    if not code:
        return
    known = store.table(division, "vat/VATCodes").having("Code", code)
    if not known:
        raise invalid("VATCode")
    if values.get("VATPercentage") is None or row is not None:
        values["VATPercentage"] = known[0].Percentage


def _is_including(store: RowStore, division: int, values: Values, row: Row | None) -> bool:
    """Whether prices of a line include VAT, as its code says."""
    known = store.table(division, "vat/VATCodes").having("Code", values.get("VATCode") or getattr(row, "VATCode", None))
    return bool(known) and known[0].Type == _INCLUDING


def _price(values: Values, row: Row | None, vat: str, *, included: bool) -> None:
    """Work out the amounts of a line from its quantity and price.

    A net price counts as it is sent. Without one it is the unit price less the discount. The vendor's pages say nothing
    of rounding: here amounts are rounded to cents, half a cent away from zero, and prices are not rounded at all. Nor
    do they say more of a VAT code of type I than that it is "including": here prices include it and amounts do not.
    """
    if row is not None and not values.keys() & {"Quantity", "NetPrice", "UnitPrice", "Discount", "VATCode"}:
        return

    def now(name: str) -> Any:
        return values[name] if name in values else getattr(row, name, None)

    if values.get("NetPrice") is None and (row is None or values.keys() & {"UnitPrice", "Discount"}):
        values["NetPrice"] = float(_decimal(now("UnitPrice")) * (1 - _decimal(now("Discount"))))
    amount, rate = _decimal(now("Quantity")) * _decimal(now("NetPrice")), _decimal(now("VATPercentage"))
    without = to_cents(amount / (1 + rate) if included else amount)
    values |= {"AmountFC": float(without), "AmountDC": float(without)}
    values[vat] = float(to_cents(amount) - without if included else to_cents(without * rate))


def _price_of_transaction(store: RowStore, division: int, values: Values, row: Row | None, today: int) -> None:
    """Hours and costs are priced by the item unless a price was sent, which only costs may have."""
    quantity = values.get("Quantity", getattr(row, "Quantity", None))
    price = values.get("PriceFC", getattr(row, "PriceFC", None))
    if price is None:
        item = store.table(division, _ITEM).by_key.get(values.get("Item", getattr(row, "Item", None)))
        price = (standard_sales_price(item, Near(store, division, today)) if item else None) or 0.0
    amount = to_cents(_decimal(quantity) * _decimal(price))
    values |= {"PriceFC": price, "AmountFC": float(amount)}


def _decimal(value: float | None) -> Decimal:
    return Decimal(str(value or 0))


def to_cents(amount: Decimal) -> Decimal:
    """An amount in whole cents."""
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)
