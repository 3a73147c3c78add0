"""Properties that follow from other properties or rows and are worked out when a row is read."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from sandbox.fixed_world import USERS_BY_ID

COUNTRY_NAMES = {
    "NL": "Nederland", "BE": "België", "DE": "Deutschland", "FR": "France", "ES": "España",
}  # fmt: skip
LANGUAGE_NAMES = {"NL": "Nederlands", "DE": "Deutsch", "FR": "Français", "ES": "Español", "EN": "English"}
CURRENCY_NAMES = {"EUR": "Euro", "USD": "US Dollar"}
PAYMENT_CONDITION_NAMES = {"30": "30 days", "14": "14 days", "00": "Cash"}
VAT_CODE_NAMES = {"VH": "VAT standard rate", "VL": "VAT reduced rate", "VN": "VAT zero rate"}


class Surroundings(Protocol):
    """What a property may be worked out from besides its own row."""

    today: int
    current_division: int | None

    def find(self, table: str, key: str | None) -> Any:
        """The row of the same division with this key, or None."""

    def having(self, table: str, field: str, value: object) -> Sequence[Any]:
        """The rows of the same division whose field has this value."""


Derivation = Callable[[Any, Surroundings], Any]


def _user_name(field: str) -> Derivation:
    return lambda row, _: user.full_name if (user := USERS_BY_ID.get(getattr(row, field))) else None


def _named(field: str, names: Mapping[str, str]) -> Derivation:
    return lambda row, _: names.get((getattr(row, field) or "").strip())


def _of(field: str, table: str, wanted: str) -> Derivation:
    """A property of the row that `field` points to."""
    return lambda row, near: getattr(near.find(table, getattr(row, field)), wanted, None)


def _full_name(row: Any, _: Surroundings) -> str:
    return " ".join(part for part in (row.FirstName, row.MiddleName, row.LastName) if part)


def _is_main_contact(row: Any, near: Surroundings) -> bool:
    return bool(getattr(near.find("crm/Accounts", row.Account), "MainContact", None) == row.ID)


def _unit(field: str, wanted: str) -> Derivation:
    """A property of the unit whose code `field` holds."""

    def look_up(row: Any, near: Surroundings) -> Any:
        units = near.having("logistics/Units", "Code", getattr(row, field))
        return getattr(units[0], wanted) if units else None

    return look_up


def _default_unit(wanted: str) -> Derivation:
    def look_up(row: Any, near: Surroundings) -> Any:
        item = near.find("logistics/Items", row.Item)
        return _unit("Unit", wanted)(item, near) if item else None

    return look_up


def _standard_sales_price(item: Any, near: Surroundings) -> float | None:
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


_PEOPLE: dict[str, Derivation] = {
    "CreatorFullName": _user_name("Creator"),
    "ModifierFullName": _user_name("Modifier"),
}

DERIVED: dict[str, dict[str, Derivation]] = {
    "system/Divisions": _PEOPLE
    | {
        "Current": lambda row, near: row.Code == near.current_division,
        # hrm/Divisions calls these by other names.
        "HID": lambda row, _: row.Hid,
        "Main": lambda row, _: row.IsMainDivision,
        "CountryDescription": _named("Country", COUNTRY_NAMES),
        "CurrencyDescription": _named("Currency", CURRENCY_NAMES),
    },
    "crm/Accounts": _PEOPLE
    | {
        "CountryName": _named("Country", COUNTRY_NAMES),
        "LanguageDescription": _named("Language", LANGUAGE_NAMES),
        "IsSales": lambda row, _: row.Status == "C",
        "InvoiceAccountCode": _of("InvoiceAccount", "crm/Accounts", "Code"),
        "InvoiceAccountName": _of("InvoiceAccount", "crm/Accounts", "Name"),
        "ResellerCode": _of("Reseller", "crm/Accounts", "Code"),
        "ResellerName": _of("Reseller", "crm/Accounts", "Name"),
        "SalesCurrencyDescription": _named("SalesCurrency", CURRENCY_NAMES),
        "PurchaseCurrencyDescription": _named("PurchaseCurrency", CURRENCY_NAMES),
        "PaymentConditionSalesDescription": _named("PaymentConditionSales", PAYMENT_CONDITION_NAMES),
        "SalesVATCodeDescription": _named("SalesVATCode", VAT_CODE_NAMES),
    },
    "crm/Contacts": _PEOPLE
    | {
        "FullName": _full_name,
        "IsMainContact": _is_main_contact,
        "AccountName": _of("Account", "crm/Accounts", "Name"),
        "AccountIsCustomer": lambda row, near: getattr(near.find("crm/Accounts", row.Account), "Status", None) == "C",
        "AccountIsSupplier": _of("Account", "crm/Accounts", "IsSupplier"),
        "AccountMainContact": _of("Account", "crm/Accounts", "MainContact"),
        "City": _of("Account", "crm/Accounts", "City"),
        "Country": _of("Account", "crm/Accounts", "Country"),
        "Postcode": _of("Account", "crm/Accounts", "Postcode"),
    },
    "crm/Addresses": _PEOPLE
    | {
        "CountryName": _named("Country", COUNTRY_NAMES),
        "AccountName": _of("Account", "crm/Accounts", "Name"),
        "AccountIsSupplier": _of("Account", "crm/Accounts", "IsSupplier"),
    },
    "crm/AccountClassificationNames": _PEOPLE,
    "crm/AccountClassifications": _PEOPLE
    | {
        "AccountClassificationNameDescription": _of(
            "AccountClassificationName", "crm/AccountClassificationNames", "Description"
        ),
    },
    "logistics/ItemGroups": _PEOPLE,
    "logistics/Items": _PEOPLE
    | {
        "ItemGroupCode": _of("ItemGroup", "logistics/ItemGroups", "Code"),
        "ItemGroupDescription": _of("ItemGroup", "logistics/ItemGroups", "Description"),
        "UnitDescription": _unit("Unit", "Description"),
        "UnitType": _unit("Unit", "Type"),
        "SalesVatCodeDescription": _named("SalesVatCode", VAT_CODE_NAMES),
        "StandardSalesPrice": _standard_sales_price,
    },
    "logistics/SalesItemPrices": _PEOPLE
    | {
        "AccountName": _of("Account", "crm/Accounts", "Name"),
        "ItemCode": _of("Item", "logistics/Items", "Code"),
        "ItemDescription": _of("Item", "logistics/Items", "Description"),
        "UnitDescription": _unit("Unit", "Description"),
        "DefaultItemUnit": _of("Item", "logistics/Items", "Unit"),
        "DefaultItemUnitDescription": _default_unit("Description"),
    },
}
