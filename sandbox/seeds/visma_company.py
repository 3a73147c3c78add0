"""What a new VISMA company comes with: settings, units, codings, terms, labels, price lists."""

from typing import Any

from sandbox.seeds.visma_books import VismaBooks
from sandbox.visma_eaccounting.sales.orders import FISCAL_YEARS_BACK
from sandbox.visma_eaccounting.showing import SERVICE

VAT_RATES = {"NL": (0.21, 0.09), "SE": (0.25, 0.12), "NO": (0.25, 0.15)}
"""The usual rate and a lower one."""

_UNIT_CODES = {
    "piece": ("PCS", "pcs"), "metre": ("MTR", "m"), "kilo": ("KGM", "kg"), "litre": ("LTR", "l"), "area": ("MTK", "m2"),
    "set": ("SET", "set"), "hour": ("HUR", "h"), "day": ("DAY", "day"),
}  # fmt: skip
_TERMS = (("30", 30, 0, True), ("14", 14, 0, True), ("0", 0, 2, True), ("60", 60, 0, False))
_COUNTRIES = (
    ("NL", "Netherlands", True), ("BE", "Belgium", True), ("DE", "Germany", True), ("FR", "France", True),
    ("SE", "Sweden", True), ("NO", "Norway", False), ("FI", "Finland", True), ("GB", "United Kingdom", False),
)  # fmt: skip
_CUSTOMER_LABELS = ("Service contract", "Housing association", "Do not synchronise")
_ARTICLE_LABELS = ("Field service", "Webshop", "Project materials")
_PRO = 5


def make_company(books: VismaBooks) -> None:
    """Make everything that stands before the first customer."""
    _lists(books)
    _codings(books)
    terms = [_terms(books, *one) for one in _TERMS]
    for name in _CUSTOMER_LABELS:
        books.make("customerlabels", Name=name, Description=f"Customers: {name}")
    for name in _ARTICLE_LABELS:
        books.make("articlelabels", Name=name, Description=None)
    if books.company.variant == _PRO:
        for number, name in enumerate(("Standard", "Contract"), 1):
            standing = {"IsStandard": number == 1, "IsActive": True}
            books.make(
                "salespricelists",
                Name=f"{books.words.price_list} {name}",
                Number=number,
                CurrencyCode=books.company.currency,
                **standing,
            )
        books.make("discountagreements", Name="5 %", Number=1, IsActive=True)
    _settings(books, terms[0].Id)


def _lists(books: VismaBooks) -> None:
    for kind, (abbreviation, name) in books.words.units.items():
        code, english = _UNIT_CODES[kind]
        books.make("units", Name=name, Code=code, Abbreviation=abbreviation, AbbreviationEnglish=english)
    for code, name, member in _COUNTRIES:
        books.make("countries", Name=name, NameEnglish=name, Code=code, IsEuMember=member)
    for code in ("EUR", "SEK", "NOK", "GBP", "USD"):
        books.make("currencies", Code=code)
    books.make("deliverymethods", Name="Own van", NameEnglish="Own van", Code="VAN")
    books.make("deliveryterms", Name="Free", NameEnglish="Free", Code="FREE", Editable=True)
    books.make("costcenters", Name="Service", Number=1, IsActive=True, Items=[])
    books.make("users", Email="demo@example.com", FirstName="Dana", LastName="Demo", IsActive=True, IsCurrentUser=True)


def _codings(books: VismaBooks) -> None:
    """A coding for goods and one for services at each VAT rate, with their sales accounts, and the VAT codes."""
    for place, rate in enumerate(VAT_RATES[books.company.country]):
        percent = f"{rate:.0%}"
        books.make("vatcodes", Code=f"{place + 1:02d}", Description=f"Sales {percent}", VatRate=rate)
        for kind, account in (("Goods", 3001), (SERVICE, 3041)):
            books.make(
                "articleaccountcodings",
                Name=f"{kind} {percent}",
                NameEnglish=f"{kind} {percent}",
                Type=kind,
                VatRate=f"{place + 1:02d}",
                IsActive=True,
                VatRatePercent=rate,
                DomesticSalesSubjectToVatAccountNumber=account + place,
                DomesticSalesSubjectToReversedConstructionVatAccountNumber=account + 200,
                ForeignSalesVatExemptWithinEuAccountNumber=account + 100,
                ForeignSalesVatExemptOutsideEuAccountNumber=account + 105,
            )


def _terms(books: VismaBooks, name: str, days: int, kind: int, sales: bool) -> Any:
    return books.make(
        "termsofpayments",
        Name=f"{name} {books.words.units['day'][0]}",
        NameEnglish=f"{name} days",
        NumberOfDays=days,
        TermsOfPaymentTypeId=kind,
        TermsOfPaymentTypeText="Cash" if kind else "Normal",
        AvailableForSales=sales,
        AvailableForPurchase=True,
    )


def _settings(books: VismaBooks, terms: str) -> None:
    company = books.company
    swedish = company.country == "SE"
    books.make(
        "companysettings",
        Name=company.full_name,
        Address1="Voorbeeldstraat 1",
        CountryCode=company.country,
        PostalCode=company.postcode,
        City=company.city,
        Email=f"office@{company.code}.example.com",
        Phone="+31 30 555 0100",
        CurrencyCode=company.currency,
        TermsOfPaymentId=terms,
        CorporateIdentityNumber=books.pool.country.chamber_number(books.chance),
        VatCode=books.pool.country.vat_number(books.chance),
        ProductVariant=company.variant,
        TypeOfBusiness=1,
        VatPeriod=3,
        AccountingLockedTo=f"{books.today.year - FISCAL_YEARS_BACK - 1}-12-31",
        ActivatedModules=list(company.modules),
        ShowPricesExclVatPC=company.prices_with_vat,
        UsesProject=True,
        UsesCostCenter=False,
        DomesticCurrencyRounding=int(swedish),
        UsesReverseConstructionVat=company.country in {"SE", "NL"},
        UsesRotReducedInvoicing=swedish,
        CompanyStatus=1,
        CompanyIdentifier=company.id,
        KeepOriginalDraftDate=False,
        AccountNumberDigits=4,
    )
