"""Invoice drafts: what POST and PUT make of them."""

from datetime import date, timedelta
from typing import Any

from sandbox.visma_eaccounting.resources import Row
from sandbox.visma_eaccounting.rows import RowStore
from sandbox.visma_eaccounting.sales.amounts import rounded, totals
from sandbox.visma_eaccounting.sales.orders import check_fiscal_year, fill_from_customer
from sandbox.visma_eaccounting.sales.rows import DRAFT_ROW, Buyer, buyer, complete_rows, price_with_vat

Values = dict[str, Any]


def complete_draft(
    store: RowStore, company: str, values: Values, _: Row | None, *, private: bool | None = None
) -> None:
    """Complete and check a draft, in place.

    Args:
        store: All rows.
        company: The company.
        values: What was sent, checked against the schema.
        private: Whether the customer counts as a private person whatever is known of it.

    Raises:
        ApiError: It is refused.
    """
    who = buyer(store, company, values["CustomerId"], private=private)
    values["InvoiceDate"] = values["InvoiceDate"] or store.today()
    check_fiscal_year(store, values["InvoiceDate"])
    rows = values["Rows"] or []
    if values["ReplaceUnitPriceWhenZero"]:
        rows = [_priced(store, company, who, one) for one in rows]
    values["Rows"] = complete_rows(store, company, who, rows, DRAFT_ROW)
    values |= {"CustomerNumber": who.customer.CustomerNumber, "CustomerName": who.customer.Name}
    values |= dict.fromkeys(("InvoiceCustomerName", "InvoicePostalCode", "InvoiceCity", "InvoiceCountryCode"))
    fill_from_customer(values, who)
    values |= {
        "InvoiceCurrencyCode": who.customer.CurrencyCode or store.settings(company).CurrencyCode,
        "CustomerIsPrivatePerson": who.customer.IsPrivatePerson if private is None else private,
        "ReverseChargeOnConstructionServices": who.customer.ReverseChargeOnConstructionServices,
        "IncludesVat": who.includes_vat,
    }
    values["DueDate"] = values["DueDate"] or _due(store, company, values)
    add_up_draft(store, company, values)


def _priced(store: RowStore, company: str, who: Buyer, row: Values) -> Values:
    """A row of which the price is taken from the price list or the article where it is 0."""
    article = store.find(company, "articles", row["ArticleId"])
    if row["IsTextRow"] or row["UnitPrice"] or article is None:
        return row
    key = f"{who.customer.SalesPriceListId}/{article.Id}"
    price = (store.find(company, "salespricelists/prices", key) or article).NetPrice
    coding = store.find(company, "articleaccountcodings", article.CodingId)
    rate = coding.VatRatePercent if coding and who.includes_vat else 0.0
    return row | {"UnitPrice": float(rounded(price_with_vat(price, rate)))}


def _due(store: RowStore, company: str, values: Values) -> str:
    terms = store.find(company, "termsofpayments", values["TermsOfPaymentId"])
    days = terms.NumberOfDays if terms else 0
    return (date.fromisoformat(values["InvoiceDate"]) + timedelta(days=days)).isoformat()


def add_up_draft(store: RowStore, company: str, values: Values) -> None:
    """Work out a draft's totals."""
    settings = store.settings(company)
    found = totals(
        values["Rows"],
        includes_vat=values["IncludesVat"],
        whole_units=bool(settings.DomesticCurrencyRounding),
    )
    values |= {
        "TotalAmount": float(found.amount),
        "TotalVatAmount": float(found.vat),
        "TotalRoundings": float(found.rounding),
        "TotalAmountBaseCurrency": float(found.amount),
        "TotalVatAmountBaseCurrency": float(found.vat),
    }
