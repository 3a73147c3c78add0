"""Properties that follow from other properties or rows and are worked out when a row is read."""

from typing import Any

from sandbox.exact_online.derived_documents import DOCUMENTS
from sandbox.exact_online.derived_invoices import INVOICES
from sandbox.exact_online.derived_money import MONEY
from sandbox.exact_online.deriving import (
    COUNTRY_NAMES,
    CURRENCY_NAMES,
    LANGUAGE_NAMES,
    PAYMENT_CONDITION_NAMES,
    PEOPLE,
    VAT_CODE_NAMES,
    Derivation,
    Derivations,
    Surroundings,
    full_name,
    named,
    of,
    unit,
)


def _is_main_contact(row: Any, near: Surroundings) -> bool:
    return bool(getattr(near.find("crm/Accounts", row.Account), "MainContact", None) == row.ID)


def _default_unit(wanted: str) -> Derivation:
    def look_up(row: Any, near: Surroundings) -> Any:
        item = near.find("logistics/Items", row.Item)
        return unit("Unit", wanted)(item, near) if item else None

    return look_up


def standard_sales_price(item: Any, near: Surroundings) -> float | None:
    """The price for anybody, for one piece, in euro, of today; of several the one that started last.

    The vendor's page says only that the property is read-only; this is what its price screen shows.
    """
    current = [
        price
        for price in near.having("logistics/SalesItemPrices", "Item", item.ID)
        if price.Account is None
        and (price.Quantity or 0) <= 1
        and price.Currency == "EUR"
        and (price.StartDate is None or price.StartDate <= near.today)
        and (price.EndDate is None or price.EndDate >= near.today)
    ]
    return max(current, key=lambda price: price.StartDate or 0).Price if current else None


_RELATIONS_AND_ITEMS: dict[str, Derivations] = {
    "system/Divisions": PEOPLE
    | {
        "Current": lambda row, near: row.Code == near.current_division,
        # hrm/Divisions calls these by other names.
        "HID": lambda row, _: row.Hid,
        "Main": lambda row, _: row.IsMainDivision,
        "CountryDescription": named("Country", COUNTRY_NAMES),
        "CurrencyDescription": named("Currency", CURRENCY_NAMES),
    },
    "crm/Accounts": PEOPLE
    | {
        "CountryName": named("Country", COUNTRY_NAMES),
        "LanguageDescription": named("Language", LANGUAGE_NAMES),
        "IsSales": lambda row, _: row.Status == "C",
        "InvoiceAccountCode": of("InvoiceAccount", "crm/Accounts", "Code"),
        "InvoiceAccountName": of("InvoiceAccount", "crm/Accounts", "Name"),
        "ResellerCode": of("Reseller", "crm/Accounts", "Code"),
        "ResellerName": of("Reseller", "crm/Accounts", "Name"),
        "SalesCurrencyDescription": named("SalesCurrency", CURRENCY_NAMES),
        "PurchaseCurrencyDescription": named("PurchaseCurrency", CURRENCY_NAMES),
        "PaymentConditionSalesDescription": named("PaymentConditionSales", PAYMENT_CONDITION_NAMES),
        "SalesVATCodeDescription": named("SalesVATCode", VAT_CODE_NAMES),
    },
    "crm/Contacts": PEOPLE
    | {
        "FullName": full_name,
        "IsMainContact": _is_main_contact,
        "AccountName": of("Account", "crm/Accounts", "Name"),
        "AccountIsCustomer": lambda row, near: getattr(near.find("crm/Accounts", row.Account), "Status", None) == "C",
        "AccountIsSupplier": of("Account", "crm/Accounts", "IsSupplier"),
        "AccountMainContact": of("Account", "crm/Accounts", "MainContact"),
        "City": of("Account", "crm/Accounts", "City"),
        "Country": of("Account", "crm/Accounts", "Country"),
        "Postcode": of("Account", "crm/Accounts", "Postcode"),
    },
    "crm/Addresses": PEOPLE
    | {
        "CountryName": named("Country", COUNTRY_NAMES),
        "AccountName": of("Account", "crm/Accounts", "Name"),
        "AccountIsSupplier": of("Account", "crm/Accounts", "IsSupplier"),
    },
    "crm/AccountClassificationNames": PEOPLE,
    "crm/AccountClassifications": PEOPLE
    | {
        "AccountClassificationNameDescription": of(
            "AccountClassificationName", "crm/AccountClassificationNames", "Description"
        ),
    },
    "logistics/ItemGroups": PEOPLE,
    "logistics/Items": PEOPLE
    | {
        "ItemGroupCode": of("ItemGroup", "logistics/ItemGroups", "Code"),
        "ItemGroupDescription": of("ItemGroup", "logistics/ItemGroups", "Description"),
        "UnitDescription": unit("Unit", "Description"),
        "UnitType": unit("Unit", "Type"),
        "SalesVatCodeDescription": named("SalesVatCode", VAT_CODE_NAMES),
        "StandardSalesPrice": standard_sales_price,
    },
    "logistics/SalesItemPrices": PEOPLE
    | {
        "AccountName": of("Account", "crm/Accounts", "Name"),
        "ItemCode": of("Item", "logistics/Items", "Code"),
        "ItemDescription": of("Item", "logistics/Items", "Description"),
        "UnitDescription": unit("Unit", "Description"),
        "DefaultItemUnit": of("Item", "logistics/Items", "Unit"),
        "DefaultItemUnitDescription": _default_unit("Description"),
    },
}

DERIVED = _RELATIONS_AND_ITEMS | MONEY | DOCUMENTS | INVOICES
