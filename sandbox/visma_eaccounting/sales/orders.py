"""Orders: what POST and PUT make of them, and how they go from draft to invoiced.

Status: 1 draft, 2 ongoing, 3 shipped, 4 invoiced. A client that writes orders takes 2000 as the answer to a change of
one that is too far (https://docs.wetail.io/woocommerce/visma-integration/felkoder/). Whether a PUT keeps the ids of
rows is not documented; here every row gets a new one.
"""

from typing import Any

from sandbox.visma_eaccounting.errors import (
    CANNOT_DELETE,
    NO_FISCAL_YEAR,
    VALIDATION_FAILED,
    ApiError,
    invalid,
)
from sandbox.visma_eaccounting.resources import Row
from sandbox.visma_eaccounting.rows import RowStore
from sandbox.visma_eaccounting.sales.amounts import totals
from sandbox.visma_eaccounting.sales.rows import ORDER_ROW, Buyer, buyer, complete_rows
from sandbox.visma_eaccounting.showing import next_number

Values = dict[str, Any]

DRAFT, ONGOING, SHIPPED, INVOICED = 1, 2, 3, 4
FISCAL_YEARS_BACK = 3
"""Fiscal years that a company has besides this one."""

_FROM_CUSTOMER = {
    "DeliveryAddress1": ("DeliveryAddress1", "InvoiceAddress1"),
    "DeliveryAddress2": ("DeliveryAddress2", "InvoiceAddress2"),
    "DeliveryPostalCode": ("DeliveryPostalCode", "InvoicePostalCode"),
    "DeliveryCity": ("DeliveryCity", "InvoiceCity"),
    "DeliveryCountryCode": ("DeliveryCountryCode", "InvoiceCountryCode"),
    "InvoiceAddress1": ("InvoiceAddress1",),
    "InvoiceAddress2": ("InvoiceAddress2",),
    "InvoicePostalCode": ("InvoicePostalCode",),
    "InvoiceCity": ("InvoiceCity",),
    "InvoiceCountryCode": ("InvoiceCountryCode",),
    "InvoiceCustomerName": ("Name",),
    "DeliveryCustomerName": ("DeliveryCustomerName", "Name"),
    "TermsOfPaymentId": ("TermsOfPaymentId",),
}


def complete_order(store: RowStore, company: str, values: Values, row: Row | None) -> None:
    """Complete and check an order, in place.

    Raises:
        ApiError: It is refused.
    """
    if row is not None and row.Status in {SHIPPED, INVOICED}:
        raise ApiError(
            VALIDATION_FAILED, "A shipped or invoiced order can not be changed.", [("Status", "Not allowed.")]
        )
    if values["Status"] == INVOICED:
        raise invalid(("Status", "An order becomes invoiced by conversion only."))
    check_fiscal_year(store, values["OrderDate"])
    who = buyer(store, company, values["CustomerId"], values["CurrencyCode"])
    _check_currency(store, company, who, values["CurrencyCode"])
    values["Rows"] = complete_rows(store, company, who, values["Rows"] or [], ORDER_ROW)
    fill_from_customer(values, who)
    values |= {
        "CustomerNumber": who.customer.CustomerNumber,
        "CustomerName": who.customer.Name,
        "CustomerIsPrivatePerson": who.customer.IsPrivatePerson,
        "IncludesVat": who.includes_vat,
    }
    add_up_order(store, company, values)
    if values["Amount"] < 0:
        raise invalid(("Amount", "The total amount of an order must be positive."))
    number = row.Number if row else None
    if number is None and values["Status"] != DRAFT:
        number = next_number(store, company, "orders", "Number")
    values["Number"] = number
    if values["Status"] == SHIPPED:
        values["ShippedDateTime"] = values["ShippedDateTime"] or store.today()


def fill_from_customer(values: Values, who: Buyer) -> None:
    """Take from the customer what was not sent."""
    for name, sources in _FROM_CUSTOMER.items():
        if values.get(name) is None:
            values[name] = next((value for one in sources if (value := getattr(who.customer, one))), None)


def check_fiscal_year(store: RowStore, day: str) -> None:
    """Refuse a day outside the fiscal years."""
    this_year = int(store.today()[:4])
    if not this_year - FISCAL_YEARS_BACK <= int(day[:4]) <= this_year:
        raise ApiError(NO_FISCAL_YEAR, f"There is no fiscal year for {day}.")


def may_be_deleted(row: Row) -> None:
    """Refuse to delete what was shipped or invoiced."""
    if row.Status in {SHIPPED, INVOICED}:
        raise ApiError(CANNOT_DELETE, "A shipped or invoiced order can not be deleted.")


def to_order(store: RowStore, company: str, row: Row) -> None:
    """From draft to ongoing."""
    _expect(row, DRAFT)
    number = row.Number or next_number(store, company, "orders", "Number")
    store.update(company, "orders", row, {"Status": ONGOING, "Number": number})


def complete(store: RowStore, company: str, row: Row) -> None:
    """From ongoing to shipped, today."""
    _expect(row, ONGOING)
    rows = [one | {"DeliveredQuantity": one["Quantity"]} for one in row.Rows or ()]
    values = {"Status": SHIPPED, "ShippedDateTime": store.today(), "Rows": rows}
    delivered = {"DeliveredAmount": row.Amount, "DeliveredVatAmount": row.VatAmount}
    store.update(company, "orders", row, values | delivered | {"DeliveredRoundingsAmount": row.RoundingsAmount})


def void(store: RowStore, company: str, row: Row) -> None:
    """From shipped back to ongoing."""
    _expect(row, SHIPPED)
    store.update(company, "orders", row, {"Status": ONGOING, "ShippedDateTime": None})


def _expect(row: Row, status: int) -> None:
    if row.Status != status:
        raise ApiError(VALIDATION_FAILED, f"The order has status {row.Status}; this needs status {status}.")


def _check_currency(store: RowStore, company: str, who: Buyer, currency: str) -> None:
    usual = {store.settings(company).CurrencyCode, who.customer.CurrencyCode}
    if currency not in usual:
        raise invalid(("CurrencyCode", f"{currency} is neither the company's currency nor the customer's."))


def add_up_order(store: RowStore, company: str, values: Values) -> None:
    """Work out an order's totals."""
    how = {"includes_vat": values["IncludesVat"], "whole_units": bool(store.settings(company).DomesticCurrencyRounding)}
    ordered, delivered = totals(values["Rows"], **how), totals(values["Rows"], quantity="DeliveredQuantity", **how)
    for name, found in (("", ordered), ("Delivered", delivered)):
        values[f"{name}Amount"] = float(found.amount)
        values[f"{name}VatAmount"] = float(found.vat)
        values[f"{name}RoundingsAmount"] = float(found.rounding)
