"""What VISMA does to customers, articles, projects and labels besides storing what was sent."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from sandbox.visma_eaccounting.errors import CANNOT_DELETE, CONFLICT, VAT_NUMBER, ApiError, invalid, missing
from sandbox.visma_eaccounting.resources import Row
from sandbox.visma_eaccounting.rows import RowStore
from sandbox.visma_eaccounting.sales.amounts import exact, rounded
from sandbox.visma_eaccounting.sales.drafts import complete_draft
from sandbox.visma_eaccounting.sales.orders import complete_order, may_be_deleted
from sandbox.visma_eaccounting.showing import next_number

Values = dict[str, Any]
Complete = Callable[[RowStore, str, Values, Row | None], None]

_KEPT_WHEN_ABSENT = ("Iban", "IsDirectDebitEnabled")
"""Fields of customers that a PUT leaves alone when they are not sent; all others become empty."""

_SHORTEST_VAT, _LONGEST_VAT = 8, 12


def complete(store: RowStore, company: str, resource: str, values: Values, row: Row | None) -> None:
    """Complete and check the values of a new or changed row, in place.

    Args:
        store: All rows.
        company: The company.
        resource: The resource.
        values: What was sent, checked against the schema.
        row: The row that changes; None for a new one.

    Raises:
        ApiError: A number is taken, a reference leads nowhere, or values do not fit each other.
    """
    if resource in _COMPLETE:
        _COMPLETE[resource](store, company, values, row)


def check_deletion(store: RowStore, company: str, resource: str, row: Row) -> None:
    """Refuse to delete what is used.

    Raises:
        ApiError: It is.
    """
    if resource == "orders":
        may_be_deleted(row)
    if resource == "customers":
        kinds = ("orders", "customerinvoicedrafts", "customerinvoices", "projects")
        if any(store.table(company, kind).having("CustomerId", row.Id) for kind in kinds):
            raise ApiError(CANNOT_DELETE, "The customer has transactions and can not be deleted.")


def _customer(store: RowStore, company: str, values: Values, row: Row | None) -> None:
    settings = store.settings(company)
    _refuse_taken(store, company, "customers", "CustomerNumber", values, row)
    if not values["CustomerNumber"]:
        own = row.CustomerNumber if row else None
        values["CustomerNumber"] = own or str(next_number(store, company, "customers", "CustomerNumber"))
    _must_exist(store, company, "termsofpayments", values["TermsOfPaymentId"], "TermsOfPaymentId")
    if values["VatNumber"]:
        _check_vat_number(values["VatNumber"])
    if values["ReverseChargeOnConstructionServices"] and not values["VatNumber"]:
        raise invalid(("VatNumber", "Reverse charge on construction services needs a VAT number."))
    values["CurrencyCode"] = values["CurrencyCode"] or settings.CurrencyCode
    values["InvoiceCountryCode"] = values["InvoiceCountryCode"] or settings.CountryCode
    values["CustomerLabels"] = _label_ids(store, company, "customerlabels", values["CustomerLabels"])
    values.pop("TermsOfPayment", None)
    if row is not None:
        values |= {name: getattr(row, name) for name in _KEPT_WHEN_ABSENT if values[name] is None}


def _check_vat_number(number: str) -> None:
    """Two letters and 8 to 12 characters; the register of the EU is not asked."""
    country, rest = number[:2], number[2:]
    if not country.isalpha() or not rest.isalnum() or not _SHORTEST_VAT <= len(rest) <= _LONGEST_VAT:
        raise ApiError(VAT_NUMBER, f"The VAT number {number} is not valid.", [("VatNumber", "Not valid.")])


def _article(store: RowStore, company: str, values: Values, row: Row | None) -> None:
    _refuse_taken(store, company, "articles", "Number", values, row)
    _must_exist(store, company, "units", values["UnitId"], "UnitId")
    coding = store.find(company, "articleaccountcodings", values["CodingId"])
    if coding is None:
        raise missing(f"CodingId {values['CodingId']}", 400)
    values |= _prices(exact(values["NetPrice"]), exact(values["GrossPrice"]), exact(coding.VatRatePercent))
    values["PurchasePrice"] = float(rounded(exact(values["PurchasePrice"])))
    values["ArticleLabels"] = _label_ids(store, company, "articlelabels", values["ArticleLabels"])


def _prices(net: Decimal, gross: Decimal, rate: Decimal) -> Values:
    """Either price, or both if they fit the VAT rate (the vendor's changelog on creating and updating articles)."""
    if net and gross and abs(rounded(net * (1 + rate)) - gross) > Decimal("0.01"):
        raise invalid(("GrossPrice", f"The gross price does not match the net price and a VAT rate of {rate}."))
    net = net or rounded(gross / (1 + rate))
    return {"NetPrice": float(net), "GrossPrice": float(gross or rounded(net * (1 + rate)))}


def _project(store: RowStore, company: str, values: Values, row: Row | None) -> None:
    _refuse_taken(store, company, "projects", "Number", values, row)
    if values["CustomerId"] is not None:
        _must_exist(store, company, "customers", values["CustomerId"], "CustomerId")
    values["StartDate"] = values["StartDate"] or store.today()


def _label(resource: str) -> Complete:
    def check(store: RowStore, company: str, values: Values, row: Row | None) -> None:
        _refuse_taken(store, company, resource, "Name", values, row)

    return check


def _label_ids(store: RowStore, company: str, resource: str, labels: list[Any] | None) -> list[str]:
    """Labels are known by their ids or names; control and seeds give ids."""
    found = []
    for label in labels or ():
        if isinstance(label, str):
            found.append(label)
            continue
        known = store.table(company, resource).having("Name", label["Name"])
        if not known:
            raise missing(f"Label {label['Name']}", 400)
        found.append(known[0].Id)
    return found


def _refuse_taken(store: RowStore, company: str, resource: str, field: str, values: Values, row: Row | None) -> None:
    value = values.get(field)
    if value and any(one is not row for one in store.table(company, resource).having(field, value)):
        raise ApiError(CONFLICT, f"{field} {value} already exists.", [(field, "Already exists.")])


def _must_exist(store: RowStore, company: str, resource: str, key: str, name: str) -> None:
    if store.find(company, resource, key) is None:
        raise missing(f"{name} {key}", 400)


_COMPLETE: dict[str, Complete] = {
    "customers": _customer,
    "articles": _article,
    "projects": _project,
    "customerlabels": _label("customerlabels"),
    "articlelabels": _label("articlelabels"),
    "orders": complete_order,
    "customerinvoicedrafts": complete_draft,
}
