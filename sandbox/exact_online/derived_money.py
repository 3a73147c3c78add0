"""What employees, warehouses, payment terms and price lists derive from other rows."""

from typing import Any

from sandbox.exact_online.deriving import (
    ITEM,
    PAYMENT_CONDITION_NAMES,
    PEOPLE,
    Derivation,
    Derivations,
    Surroundings,
    full_name,
    named,
    pointing,
    same_as,
    unit,
    user_name,
)

_JOURNAL_NAMES = {"70": "Sales", "60": "Purchase"}


def _is_active(row: Any, near: Surroundings) -> bool:
    if row.IsAnonymised:
        return False
    started = row.StartDate is None or row.StartDate <= near.today
    return started and (row.EndDate is None or row.EndDate >= near.today)


def _price_list(wanted: str) -> Derivation:
    """A property of the price list that a discount's period belongs to."""

    def look_up(row: Any, near: Surroundings) -> Any:
        period = near.find("sales/SalesPriceListPeriods", row.PriceListPeriod)
        return getattr(near.find("sales/SalesPriceLists", getattr(period, "PriceList", None)), wanted, None)

    return look_up


def _linked_name(row: Any, near: Surroundings) -> str | None:
    accounts = near.having("crm/Accounts", "Code", row.Code)
    return accounts[0].Name if accounts else None


MONEY: dict[str, Derivations] = {
    "payroll/Employees": PEOPLE
    | {
        "ActiveEmployment": lambda row, near: int(_is_active(row, near)),
        "EmployeeHID": same_as("HID"),
        "FullName": full_name,
        "IsActive": _is_active,
        "UserFullName": user_name("User"),
    },
    "inventory/Warehouses": PEOPLE,
    "sync/Cashflow/PaymentTerms": PEOPLE
    | pointing("Account", "crm/Accounts", AccountCode="Code", AccountName="Name", AccountCountry="Country")
    | {
        "JournalDescription": named("Journal", _JOURNAL_NAMES),
        "PaymentConditionDescription": named("PaymentCondition", PAYMENT_CONDITION_NAMES),
    },
    "sales/SalesPriceLists": PEOPLE,
    "sales/SalesPriceListPeriods": PEOPLE | pointing("PriceList", "sales/SalesPriceLists", Currency="Currency"),
    "sales/SalesPriceListLinkedAccounts": PEOPLE | {"Name": _linked_name},
    "sales/SalesPriceListVolumeDiscounts": PEOPLE
    | ITEM
    | pointing("ItemGroup", "logistics/ItemGroups", ItemGroupCode="Code", ItemGroupDescription="Description")
    | {
        "PriceListCode": _price_list("Code"),
        "PriceListDescription": _price_list("Description"),
        "SalesUnit": same_as("Unit"),
        "UnitDescription": unit("Unit", "Description"),
    },
}
