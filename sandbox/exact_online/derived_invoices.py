"""What invoices, hours, costs and documents derive from other rows."""

from typing import Any

from sandbox.exact_online.deriving import (
    ITEM,
    PEOPLE,
    VAT_CODE_NAMES,
    Derivation,
    Derivations,
    Surroundings,
    contact_name,
    named,
    of,
    pointing,
    total,
    unit,
    user_name,
    worded,
)

_INVOICES, _LINES = "salesinvoice/SalesInvoices", "salesinvoice/SalesInvoiceLines"
_STATUS_WORDS = {10: "Draft", 20: "Open", 50: "Processed"}
_TYPE_WORDS = {
    8020: "Sales invoice",
    8021: "Sales credit note",
    8023: "Direct sales invoice",
    8024: "Direct credit note",
}
_PAYMENT_CONDITIONS, _JOURNALS = "cashflow/PaymentConditions", "financial/Journals"


def _description(field: str, table: str) -> Derivation:
    """The description of the row whose `Code` stands in a field."""

    def look_up(row: Any, near: Surroundings) -> str | None:
        found = near.having(table, "Code", getattr(row, field))
        return found[0].Description if found else None

    return look_up


def _role(role: str) -> Derivations:
    """Name and contact of an account in a role of an invoice."""
    return {
        f"{role}Name": of(role, "crm/Accounts", "Name"),
        f"{role}ContactPersonFullName": contact_name(f"{role}ContactPerson"),
    }


def _order(wanted: str) -> Derivation:
    return of("SalesOrder", "salesorder/SalesOrders", wanted)


def _project_account(wanted: str) -> Derivation:
    """A property of the account of the row's project."""

    def look_up(row: Any, near: Surroundings) -> Any:
        project = near.find("project/Projects", row.Project)
        return getattr(near.find("crm/Accounts", getattr(project, "Account", None)), wanted, None)

    return look_up


def _file_size(row: Any, _: Surroundings) -> float:
    """Bytes of what was sent as base64."""
    content = row.Attachment or ""
    return float(len(content) * 3 // 4 - content[-2:].count("="))


DOCUMENT = pointing("Document", "documents/Documents", DocumentNumber="HID", DocumentSubject="Subject")
_PROJECT = pointing("Project", "project/Projects", ProjectCode="Code", ProjectDescription="Description")

INVOICES: dict[str, Derivations] = {
    _INVOICES: PEOPLE
    | DOCUMENT
    | _role("OrderedBy")
    | _role("DeliverTo")
    | _role("InvoiceTo")
    | {
        "AmountDC": total(_LINES, "InvoiceID", "InvoiceID", "AmountFC", "VATAmountFC"),
        "AmountFC": total(_LINES, "InvoiceID", "InvoiceID", "AmountFC", "VATAmountFC"),
        "AmountFCExclVat": total(_LINES, "InvoiceID", "InvoiceID", "AmountFC"),
        "VATAmountDC": total(_LINES, "InvoiceID", "InvoiceID", "VATAmountFC"),
        "VATAmountFC": total(_LINES, "InvoiceID", "InvoiceID", "VATAmountFC"),
        "StatusDescription": worded("Status", _STATUS_WORDS),
        "TypeDescription": worded("Type", _TYPE_WORDS),
        "JournalDescription": _description("Journal", _JOURNALS),
        "PaymentConditionDescription": _description("PaymentCondition", _PAYMENT_CONDITIONS),
        "SalespersonFullName": user_name("Salesperson"),
    },
    _LINES: ITEM
    | _PROJECT
    | {
        "EmployeeFullName": of("Employee", "payroll/Employees", "FirstName"),
        "SalesOrderNumber": _order("OrderNumber"),
        "SalesOrderLineNumber": of("SalesOrderLine", "salesorder/SalesOrderLines", "LineNumber"),
        "UnitDescription": unit("UnitCode", "Description"),
        "VATAmountDC": lambda row, _: row.VATAmountFC,
        "VATCodeDescription": named("VATCode", VAT_CODE_NAMES),
    },
    "sync/Project/TimeCostTransactions": PEOPLE
    | _PROJECT
    | pointing("Item", "logistics/Items", ItemDescription="Description", ItemDivisable="IsFractionAllowedItem")
    | {
        "AccountName": of("Account", "crm/Accounts", "Name"),
        "ProjectAccount": of("Project", "project/Projects", "Account"),
        "ProjectAccountCode": _project_account("Code"),
        "ProjectAccountName": _project_account("Name"),
        # The single endpoints and sync call it by different names.
        "WBS": lambda row, _: row.Activity or row.Expense,
    },
    "documents/Documents": PEOPLE
    | _PROJECT
    | pointing("Account", "crm/Accounts", AccountCode="Code", AccountName="Name")
    | pointing("Item", "logistics/Items", ItemCode="Code", ItemDescription="Description")
    | {
        "HasEmptyBody": lambda row, _: not row.Body,
        "TypeDescription": of("Type", "documents/DocumentTypes", "Description"),
    },
    "documents/DocumentAttachments": {"FileSize": _file_size, "Url": lambda _row, _near: None},
    "cashflow/PaymentConditions": PEOPLE,
    "financial/Journals": PEOPLE,
    "vat/VATCodes": PEOPLE,
}
