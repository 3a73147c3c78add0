"""Rows as answers show them: with what is worked out from the rows around them."""

from collections.abc import Callable
from typing import Any

from sandbox.visma_eaccounting.resources import RESOURCES, Row
from sandbox.visma_eaccounting.rows import RowStore

Shown = dict[str, Any]
SERVICE = "Service"
"""What the coding of a service article has as `Type`."""

_GOODS_CODING, _SERVICE_CODING = 1, 2


def show(store: RowStore, company: str, resource: str, row: Row) -> Shown:
    """Every field of a row, derived ones included."""
    shown = {name: getattr(row, name) for name in RESOURCES[resource].fields}
    if resource in _DERIVED:
        shown.update(_DERIVED[resource](store, company, row))
    return shown


def reader(store: RowStore, company: str, name: str) -> Callable[[Row], Any]:
    """A function that reads a property for filters and sorting."""
    if name == "CodingType":
        return lambda row: _SERVICE_CODING if is_service(store, company, row) else _GOODS_CODING
    return lambda row: getattr(row, name)


def is_service(store: RowStore, company: str, article: Row) -> bool:
    """Whether an article's coding is one for services."""
    coding = store.find(company, "articleaccountcodings", article.CodingId)
    return coding is not None and coding.Type == SERVICE


def _customer(store: RowStore, company: str, row: Row) -> Shown:
    invoices = store.table(company, "customerinvoices").having("CustomerId", row.Id)
    terms = store.find(company, "termsofpayments", row.TermsOfPaymentId)
    return {
        "TermsOfPayment": terms and show(store, company, "termsofpayments", terms),
        "CustomerLabels": _labels(store, company, "customerlabels", row.CustomerLabels),
        "UnpaidInvoicesAmount": round(sum(one.RemainingAmount for one in invoices), 2),
        "LastInvoiceDate": max((one.InvoiceDate for one in invoices), default=None),
    }


def _article(store: RowStore, company: str, row: Row) -> Shown:
    coding = store.find(company, "articleaccountcodings", row.CodingId)
    unit = store.find(company, "units", row.UnitId)
    return {
        "CodingName": coding and coding.Name,
        "IsServiceArticle": coding is not None and coding.Type == SERVICE,
        "UnitName": unit and unit.Name,
        "UnitAbbreviation": unit and unit.Abbreviation,
        "ArticleLabels": _labels(store, company, "articlelabels", row.ArticleLabels),
        "StockBalanceAvailable": round(row.StockBalance - row.StockBalanceReserved, 2),
        "ShowStockInformation": row.IsStock,
    }


def _labels(store: RowStore, company: str, resource: str, ids: list[str] | None) -> list[Shown]:
    found = (store.find(company, resource, one) for one in ids or ())
    return [show(store, company, resource, label) for label in found if label is not None]


def _project(store: RowStore, company: str, row: Row) -> Shown:
    customer = store.find(company, "customers", row.CustomerId)
    return {"CustomerName": customer and customer.Name}


def _settings(store: RowStore, company: str, _: Row) -> Shown:
    return {
        "NextCustomerNumber": next_number(store, company, "customers", "CustomerNumber"),
        "NextArticleNumber": next_number(store, company, "articles", "Number"),
        "NextOrderNumber": next_number(store, company, "orders", "Number"),
        "NextCustomerInvoiceNumber": next_number(store, company, "customerinvoices", "InvoiceNumber"),
    }


def _draft(store: RowStore, company: str, row: Row) -> Shown:
    """A draft's date is shown as today's unless the settings keep it (the vendor's changelog, page 4)."""
    keep = store.settings(company).KeepOriginalDraftDate
    return {"InvoiceDate": row.InvoiceDate if keep else max(row.InvoiceDate, store.today())}


def next_number(store: RowStore, company: str, resource: str, field: str) -> int:
    """One above the highest number that a field holds, leaving texts aside."""
    table = store.table(company, resource)
    kept = table.kept_order(("highest", field))
    if kept is None:
        numbers = (str(getattr(row, field)) for row in table.by_key.values())
        kept = [max((int(number) for number in numbers if number.isdecimal()), default=0)]
        table.keep_order(("highest", field), kept)
    return int(kept[0]) + 1


_DERIVED: dict[str, Callable[[RowStore, str, Row], Shown]] = {
    "customers": _customer,
    "articles": _article,
    "projects": _project,
    "companysettings": _settings,
    "customerinvoicedrafts": _draft,
}
