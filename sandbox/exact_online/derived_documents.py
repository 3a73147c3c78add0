"""What orders, quotations, deliveries, projects and production derive from other rows."""

from typing import Any

from sandbox.exact_online.deriving import (
    ITEM,
    PAYMENT_CONDITION_NAMES,
    PEOPLE,
    VAT_CODE_NAMES,
    Derivations,
    Surroundings,
    contact_name,
    count,
    named,
    of,
    pointing,
    same_as,
    total,
    unit,
    user_name,
    worded,
)

_ORDERS, _ORDER_LINES = "salesorder/SalesOrders", "salesorder/SalesOrderLines"
_QUOTATIONS, _QUOTATION_LINES = "crm/Quotations", "crm/QuotationLines"
_PLANS, _SHOP_ORDERS = "manufacturing/ShopOrderMaterialPlans", "manufacturing/ShopOrders"
_ORDER_WORDS = {12: "Open", 20: "Partial", 21: "Complete", 45: "Cancelled"}
_APPROVAL_WORDS = {0: "Awaiting approval", 1: "Automatically", 2: "Approved"}
_QUOTATION_WORDS = {
    5: "Rejected", 6: "Reviewed and closed", 10: "Recovery", 20: "Draft", 25: "Open", 35: "Processing", 40: "Printed",
    50: "Accepted", 60: "Awaiting online acceptance", 70: "Accepted with processing error",
}  # fmt: skip
_PLAN_WORDS = {5: "Draft", 10: "Open", 20: "On order", 25: "Partial", 30: "Finished"}
_PROJECT_WORDS = {1: "Campaign", 2: "Fixed price", 3: "Time and material", 4: "Non billable", 5: "Prepaid"}

_PROJECT = pointing("Project", "project/Projects", ProjectCode="Code", ProjectDescription="Description")
_VAT = {"VATCodeDescription": named("VATCode", VAT_CODE_NAMES), "VATDescription": named("VATCode", VAT_CODE_NAMES)}
_UNIT_CODE = {"UnitDescription": unit("UnitCode", "Description")}


def _warehouse(field: str) -> Derivations:
    return pointing(field, "inventory/Warehouses", WarehouseCode="Code", WarehouseDescription="Description")


def _has_status(field: str = "Status") -> Derivations:
    return {f"{field}Description": worded(field, _ORDER_WORDS)}


def _account(role: str) -> Derivations:
    """Code, name and contact of an account in a role of a quotation."""
    return pointing(role, "crm/Accounts", **{f"{role}Code": "Code", f"{role}Name": "Name"}) | {
        f"{role}ContactFullName": contact_name(f"{role}Contact")
    }


def _order_account(role: str) -> Derivations:
    """Name and contact of an account in a role of a sales order."""
    return {
        f"{role}Name": of(role, "crm/Accounts", "Name"),
        f"{role}ContactPersonFullName": contact_name(f"{role}ContactPerson"),
    }


def _order_line(wanted: str) -> Any:
    """A property of the sales order line that a delivery line belongs to."""
    return of("SalesOrderLineID", _ORDER_LINES, wanted)


def _order_of_delivery_line(row: Any, near: Surroundings) -> Any:
    line = near.find(_ORDER_LINES, row.SalesOrderLineID)
    return getattr(near.find(_ORDERS, getattr(line, "OrderID", None)), "OrderNumber", None)


def _unit_of_id(wanted: str) -> Any:
    """A property of the unit whose id stands in `Unit`; only assembly orders have it so."""
    return of("Unit", "logistics/Units", wanted)


_EXCLUSIVE = ("OrderID", "OrderID", "AmountFC")
_INCLUSIVE = (*_EXCLUSIVE, "VATAmount")
_QUOTED = ("QuotationID", "QuotationID", "AmountFC")

DOCUMENTS: dict[str, Derivations] = {
    _ORDERS: PEOPLE
    | _order_account("OrderedBy")
    | _order_account("DeliverTo")
    | _order_account("InvoiceTo")
    | _has_status()
    | _has_status("DeliveryStatus")
    | _has_status("InvoiceStatus")
    | _PROJECT
    | _warehouse("WarehouseID")
    | {
        **pointing("Document", "documents/Documents", DocumentNumber="HID", DocumentSubject="Subject"),
        "AmountDC": total(_ORDER_LINES, *_INCLUSIVE),
        "AmountFC": total(_ORDER_LINES, *_INCLUSIVE),
        "AmountFCExclVat": total(_ORDER_LINES, *_EXCLUSIVE),
        "VATAmount": total(_ORDER_LINES, "OrderID", "OrderID", "VATAmount"),
        "ApprovalStatusDescription": worded("ApprovalStatus", _APPROVAL_WORDS),
        "ApproverFullName": user_name("Approver"),
        "PaymentConditionDescription": named("PaymentCondition", PAYMENT_CONDITION_NAMES),
        "SalespersonFullName": user_name("Salesperson"),
    },
    _ORDER_LINES: PEOPLE
    | ITEM
    | _PROJECT
    | _VAT
    | _UNIT_CODE
    | _has_status()
    | _has_status("DeliveryStatus")
    | _has_status("InvoiceStatus")
    | {
        "OrderNumber": of("OrderID", _ORDERS, "OrderNumber"),
        # The single endpoint and sync call it by two names.
        "OrderStatus": same_as("Status"),
        "PricelistDescription": of("Pricelist", "sales/SalesPriceLists", "Description"),
        "ShopOrderNumber": of("ShopOrder", _SHOP_ORDERS, "ShopOrderNumber"),
    },
    _QUOTATIONS: PEOPLE
    | _account("OrderAccount")
    | _account("DeliveryAccount")
    | _account("InvoiceAccount")
    | _PROJECT
    | _warehouse("WarehouseID")
    | {
        "AmountDC": total(_QUOTATION_LINES, *_QUOTED),
        "AmountFC": total(_QUOTATION_LINES, *_QUOTED),
        "PaymentConditionDescription": named("PaymentCondition", PAYMENT_CONDITION_NAMES),
        "SalesPersonFullName": user_name("SalesPerson"),
        "StatusDescription": worded("Status", _QUOTATION_WORDS),
        "VATAmountFC": total(_QUOTATION_LINES, "QuotationID", "QuotationID", "VATAmountFC"),
    },
    _QUOTATION_LINES: PEOPLE
    | _VAT
    | _UNIT_CODE
    | pointing("Item", "logistics/Items", ItemDescription="Description")
    | pointing("QuotationID", _QUOTATIONS, QuotationNumber="QuotationNumber", VersionNumber="VersionNumber"),
    "salesorder/GoodsDeliveries": PEOPLE
    | _warehouse("Warehouse")
    | pointing("DeliveryAccount", "crm/Accounts", DeliveryAccountCode="Code", DeliveryAccountName="Name")
    | {"DeliveryContactPersonFullName": contact_name("DeliveryContact")},
    "salesorder/GoodsDeliveryLines": PEOPLE
    | ITEM
    | {
        "QuantityOrdered": _order_line("Quantity"),
        "SalesOrderLineNumber": _order_line("LineNumber"),
        "SalesOrderNumber": _order_of_delivery_line,
    },
    "project/Projects": PEOPLE
    | pointing("Account", "crm/Accounts", AccountCode="Code", AccountName="Name")
    | {
        "ManagerFullname": user_name("Manager"),
        "TypeDescription": worded("Type", _PROJECT_WORDS),
    },
    "project/ProjectPlanning": PEOPLE
    | _PROJECT
    | pointing("Account", "crm/Accounts", AccountCode="Code", AccountName="Name")
    | pointing("Employee", "payroll/Employees", EmployeeCode="Code", EmployeeHID="HID")
    | pointing("HourType", "logistics/Items", HourTypeCode="Code", HourTypeDescription="Description"),
    _SHOP_ORDERS: PEOPLE
    | ITEM
    | _warehouse("Warehouse")
    | pointing("Project", "project/Projects", ProjectDescription="Description")
    | {
        "ItemBarcode": of("Item", "logistics/Items", "Barcode"),
        "SalesOrderLineCount": count(_ORDER_LINES, "ShopOrder", "ID"),
        "ShopOrderMaterialPlanCount": count(_PLANS, "ShopOrder", "ID"),
        "ShopOrderNumberString": lambda row, _: None if row.ShopOrderNumber is None else str(row.ShopOrderNumber),
        "UnitDescription": unit("Unit", "Description"),
    },
    _PLANS: PEOPLE
    | ITEM
    | {
        "StatusDescription": worded("Status", _PLAN_WORDS),
        "UnitDescription": unit("Unit", "Description"),
    },
    "inventory/AssemblyOrders": ITEM
    | _warehouse("Warehouse")
    | {
        "UnitCode": _unit_of_id("Code"),
        "UnitDescription": _unit_of_id("Description"),
    },
    "inventory/AssemblyOrders/PartItems": pointing(
        "PartItem", "logistics/Items", PartItemCode="Code", PartItemDescription="Description"
    ),
}
