"""The rows of a sales document: their articles, prices, VAT and projects.

VAT is never sent: it follows from the article's coding and from the customer. Reverse charge in construction was
measured (https://github.com/stefanwejd-dev/sie-mcp): the flag of a row counts only for a flagged customer, and is
refused for others.
"""

import uuid
from decimal import Decimal
from typing import Any

import msgspec

from sandbox.visma_eaccounting.errors import NO_ACCOUNT, PROJECT_ENDED, ApiError, invalid, missing
from sandbox.visma_eaccounting.resources import SCHEMAS, Row
from sandbox.visma_eaccounting.rows import RowStore
from sandbox.visma_eaccounting.sales.amounts import exact, row_amount
from sandbox.visma_eaccounting.showing import is_service

Values = dict[str, Any]

EU = frozenset((
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU",
    "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
))  # fmt: skip
ORDER_ROW, DRAFT_ROW = "OrderRow", "CustomerInvoiceDraftRow"
REVERSE_FLAGS = {ORDER_ROW: "EligibleForReverseChargeOnVat", DRAFT_ROW: "ReversedConstructionServicesVatFree"}
"""The field with which a row asks for reverse charge."""

_FINISHED = 2
_FOREIGN_DECIMALS, _DOMESTIC_DECIMALS = 4, 2


class Buyer(msgspec.Struct, frozen=True):
    """The customer of a document, and what follows for its rows.

    Attributes:
        customer: The customer.
        foreign: Whether customer or currency is not the company's own.
        free_of_vat: Whether sales to this customer carry no VAT: a business abroad.
        includes_vat: Whether prices include VAT.
    """

    customer: Row
    foreign: bool
    free_of_vat: bool
    includes_vat: bool


def buyer(
    store: RowStore, company: str, customer_id: str, currency: str | None = None, *, private: bool | None = None
) -> Buyer:
    """Who buys.

    Raises:
        ApiError: There is no such customer.
    """
    customer, settings = store.find(company, "customers", customer_id), store.settings(company)
    if customer is None:
        raise missing(f"Customer {customer_id}", 400)
    is_private = customer.IsPrivatePerson if private is None else private
    country = customer.InvoiceCountryCode or settings.CountryCode
    abroad = country != settings.CountryCode
    outside = abroad and country not in EU
    used = currency or customer.CurrencyCode or settings.CurrencyCode
    return Buyer(
        customer=customer,
        foreign=abroad or used != settings.CurrencyCode,
        free_of_vat=outside or (abroad and not is_private and bool(customer.VatNumber)),
        includes_vat=bool(settings.ShowPricesExclVatPC and is_private),
    )


def complete_rows(store: RowStore, company: str, who: Buyer, rows: list[Values], schema: str) -> list[Values]:
    """Check the rows of a document and work out what the vendor adds.

    Args:
        store: All rows.
        company: The company.
        who: Who buys.
        rows: The rows as sent.
        schema: What they are: `ORDER_ROW` or `DRAFT_ROW`.

    Returns:
        New rows with new ids and every field of the schema.

    Raises:
        ApiError: A row is refused.
    """
    found = []
    for index, row in enumerate(rows):
        made = _complete(
            store, company, who, f"Rows[{index}].", row | {"LineNumber": row["LineNumber"] or index + 1}, schema
        )
        found.append({name: made.get(name, field.empty) for name, field in SCHEMAS[schema].items()})
    return found


def _complete(store: RowStore, company: str, who: Buyer, place: str, row: Values, schema: str) -> Values:
    flag = REVERSE_FLAGS[schema]
    row |= {"Id": str(uuid.uuid4())}
    if row[flag] and not who.customer.ReverseChargeOnConstructionServices:
        raise invalid((place + flag, "The customer is not set up for reverse charge on construction services."))
    if row["IsTextRow"]:
        if not row["Text"]:
            raise invalid((f"{place}Text", "A text row needs at least one character."))
        return row | {"ArticleId": None, "ArticleNumber": None, "VatRate": None, "UnitPrice": 0.0, "Amount": 0.0}
    article = _article(store, company, place, row)
    _check_price(who, place, row)
    _check_project(store, company, row)
    row |= _from_article(store, company, article)
    row["Text"] = row["Text"] or article.Name
    row["VatRate"] = _vat_rate(store, company, article, who, reverse=row[flag])
    return row | {"Amount": float(row_amount(row))}


def _from_article(store: RowStore, company: str, article: Row) -> Values:
    unit = store.find(company, "units", article.UnitId)
    return {
        "ArticleNumber": article.Number,
        "IsServiceArticle": is_service(store, company, article),
        "UnitId": article.UnitId,
        "UnitName": unit and unit.Name,
        "UnitAbbreviation": unit and unit.Abbreviation,
        "UnitAbbreviationEnglish": unit and unit.AbbreviationEnglish,
        "PurchasePrice": article.PurchasePrice,
    }


def _article(store: RowStore, company: str, place: str, row: Values) -> Row:
    if row["ArticleId"] is None:
        raise invalid((f"{place}ArticleId", "A row that is no text row needs an article."))
    article = store.find(company, "articles", row["ArticleId"])
    if article is None:
        raise missing(f"Article {row['ArticleId']}", 400)
    return article


def _check_price(who: Buyer, place: str, row: Values) -> None:
    row["UnitPrice"] = row["UnitPrice"] or 0.0
    allowed = _FOREIGN_DECIMALS if who.foreign else _DOMESTIC_DECIMALS
    if -int(exact(row["UnitPrice"]).normalize().as_tuple().exponent) > allowed:
        raise invalid((f"{place}UnitPrice", f"At most {allowed} decimals are allowed for this customer and currency."))


def _check_project(store: RowStore, company: str, row: Values) -> None:
    if row["ProjectId"] is None:
        return
    project = store.find(company, "projects", row["ProjectId"])
    if project is None:
        raise missing(f"Project {row['ProjectId']}", 400)
    if project.Status == _FINISHED:
        raise ApiError(PROJECT_ENDED, f"The project {project.Number} has ended.")


def _vat_rate(store: RowStore, company: str, article: Row, who: Buyer, *, reverse: bool) -> float:
    coding = store.find(company, "articleaccountcodings", article.CodingId)
    if coding is None or coding.DomesticSalesSubjectToVatAccountNumber is None:
        raise ApiError(NO_ACCOUNT, f"A sales account number is missing on the coding of article {article.Number}.")
    return 0.0 if reverse or who.free_of_vat else float(coding.VatRatePercent)


def price_with_vat(price: float, rate: float) -> Decimal:
    """A net price as the customer pays it."""
    return exact(price) * (1 + exact(rate))
