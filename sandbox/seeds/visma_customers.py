"""Customers of one of VISMA's companies."""

from typing import Any

from sandbox.seeds.pools import Pool, plain, pool_for
from sandbox.seeds.traits import VISMA_CUSTOMER_TRAITS as TRAITS
from sandbox.seeds.visma_books import LABEL_TRAITS, VismaBooks

_NEIGHBOURS = {"nl_NL": ("nl_BE", "de_DE"), "sv_SE": ("de_DE",), "no_NO": ("sv_SE",)}
_OUTSIDE_EU = {"nl_NL": "no_NO", "sv_SE": "no_NO", "no_NO": "no_NO"}
_NOTE = 'Key at the neighbours\' (no. 12).\r\nCall first & ask for "Jo".'
_LONGEST_NAME = 50


def make_customers(books: VismaBooks) -> None:
    """Make customers: businesses and private persons, some abroad, some no longer active."""
    number = 0
    for index in range(books.relations):
        number += books.chance.randint(1, 3)
        _customer(books, index, number)


def _customer(books: VismaBooks, index: int, number: int) -> None:
    pool = _pool(books, index)
    name = _name(books, index, pool)
    books.make(
        "customers",
        CustomerNumber=_code(index, number),
        Name=name[:_LONGEST_NAME],
        IsActive=index not in TRAITS["inactive"],
        IsPrivatePerson=index in TRAITS["private_person"],
        TermsOfPaymentId=books.chance.choice([one.Id for one in books.all("termsofpayments")][:3]),
        **_place(books, index, pool),
        **_reach(books, index, pool, name),
        **_standing(books, index, pool),
        **_prices(books, index),
    )


def _pool(books: VismaBooks, index: int) -> Pool:
    locale = books.company.locale
    if index in TRAITS["outside_eu"] and _OUTSIDE_EU[locale] != locale:
        return pool_for(_OUTSIDE_EU[locale], books.seed)
    if index in TRAITS["abroad"]:
        return pool_for(books.chance.choice(_NEIGHBOURS[locale]), books.seed)
    return books.pool


def _code(index: int, number: int) -> str:
    if index in TRAITS["letters"]:
        return f"K-{number}"
    return f"{number:05d}" if index in TRAITS["leading_zeros"] else str(10_000 + number)


def _name(books: VismaBooks, index: int, pool: Pool) -> str:
    chance = books.chance
    surname = chance.choice(pool.last_names)
    if index in TRAITS["private_person"]:
        return f"{chance.choice(pool.first_names)} {surname}"
    return chance.choice(pool.country.business_names).format(name=surname, city=chance.choice(pool.cities))


def _lines(books: VismaBooks, pool: Pool, kind: str) -> dict[str, Any]:
    chance = books.chance
    return {
        f"{kind}Address1": pool.country.address_line(chance.choice(pool.streets), str(chance.randint(1, 250)))[:50],
        f"{kind}PostalCode": pool.country.postcode(chance),
        f"{kind}City": chance.choice(pool.cities),
        f"{kind}CountryCode": pool.country.code,
    }


def _place(books: VismaBooks, index: int, pool: Pool) -> dict[str, Any]:
    """Old customers may lack what the API demands of new ones."""
    place = _lines(books, pool, "Invoice")
    if index in TRAITS["no_postcode"]:
        place["InvoicePostalCode"] = ""
    if index in TRAITS["no_street"]:
        place["InvoiceAddress1"] = None
    return place | (_lines(books, pool, "Delivery") if index in TRAITS["delivery_address"] else {})


def _reach(books: VismaBooks, index: int, pool: Pool, name: str) -> dict[str, Any]:
    chance = books.chance
    first, last = chance.choice(pool.first_names), chance.choice(pool.last_names)
    phone = f"{pool.country.dialling} {chance.randint(10, 99)} 555 {chance.randint(1000, 9999)}"
    return {
        "EmailAddress": None if index in TRAITS["no_email"] else f"{plain(name)[:20]}.{index}@example.com",
        "Telephone": phone if chance.random() < 0.9 else None,
        "WwwAddress": f"https://{plain(name)[:20]}{index}.example.com" if chance.random() < 0.3 else None,
        "ContactPersonName": f"{first} {last}" if index % 3 else None,
        "ContactPersonEmail": f"{plain(first)}.{plain(last)}@example.org" if index % 3 == 1 else None,
        "SalesDocumentLanguage": pool.country.language.lower(),
    }


def _standing(books: VismaBooks, index: int, pool: Pool) -> dict[str, Any]:
    chance, business = books.chance, index not in TRAITS["private_person"]
    reverse = business and index in TRAITS["reverse_charge"]
    labels = [one.Id for one in books.all("customerlabels")]
    has_number = reverse or chance.random() < 0.8
    return {
        "VatNumber": pool.country.vat_number(chance) if business and has_number else None,
        "CorporateIdentityNumber": pool.country.chamber_number(chance) if business else None,
        "ReverseChargeOnConstructionServices": reverse,
        "CurrencyCode": books.company.currency,
        "Note": _NOTE if index in TRAITS["note"] else None,
        "CustomerLabels": [labels[place] for place, trait in enumerate(LABEL_TRAITS) if index in TRAITS[trait]],
    }


def _prices(books: VismaBooks, index: int) -> dict[str, Any]:
    lists, agreements = books.all("salespricelists"), books.all("discountagreements")
    contract = lists[1].Id if lists and index in TRAITS["price_list"] else None
    return {
        "SalesPriceListId": contract or (lists[0].Id if lists else None),
        "DiscountAgreementId": agreements[0].Id if agreements and index in TRAITS["discount_agreement"] else None,
        "DiscountPercentage": 0.055 if index in TRAITS["discount"] else 0.0,
    }
