"""What can be imported from Exact Online: streams, fields, filters, each beside the vendor's page.

Field tables: https://start.exactonline.nl/docs/HlpRestAPIResourcesDetails.aspx?name=SyncCRMAccounts (and
SyncCRMContacts, SyncCRMAddresses, SyncLogisticsItems, SyncLogisticsSalesItemPrices).
"""

from __future__ import annotations

from datetime import timedelta

from outsmart_sync.providers.exact_online import lists, units, values
from outsmart_sync.providers.exact_online.assembly_orders import ASSEMBLY_ORDERS_IMPORT
from outsmart_sync.providers.exact_online.goods_deliveries import GOODS_DELIVERIES_IMPORT
from outsmart_sync.providers.exact_online.payments import PAYMENT_TRANSACTIONS_IMPORT
from outsmart_sync.providers.exact_online.price_agreements import PRICE_AGREEMENTS_IMPORT
from outsmart_sync.providers.exact_online.prices import TIME_UNIT, sale_price
from outsmart_sync.providers.exact_online.project_planning import PROJECT_PLANNING_IMPORT
from outsmart_sync.providers.exact_online.quotations import QUOTATIONS_IMPORT
from outsmart_sync.providers.exact_online.sales_orders import SALES_ORDERS_IMPORT
from outsmart_sync.providers.exact_online.shop_orders import SHOP_ORDERS_IMPORT
from outsmart_sync.providers.exact_online.stream import ExactStream
from outsmart_sync.providers.exact_online.values import code_from_id, coordinate, id_of, is_reference, number, text
from outsmart_sync.records.catalogue import ImportCategory, Package
from outsmart_sync.records.category import CATEGORY
from outsmart_sync.records.employee import EMPLOYEE
from outsmart_sync.records.hour_type import HOUR_TYPE
from outsmart_sync.records.material import MATERIAL
from outsmart_sync.records.material_category import GROUP, ITEM, MATERIAL_CATEGORY
from outsmart_sync.records.relation import ADDRESS, CONTACT_PERSON, RELATION
from outsmart_sync.records.setting_kinds import (
    DEACTIVATE_REMOVED,
    FOLLOW_INACTIVE,
    HOLD_TWO_FIRMS,
    REMARK_INACTIVE,
    Choice,
    Switch,
    Text,
)
from outsmart_sync.records.streams import Belongs, LeftOut, Row, Tags
from outsmart_sync.records.warehouse import WAREHOUSE

DELIVERY_ADDRESS = 4
"""Address types: 1 visit, 2 postal, 3 invoice, 4 delivery (name=CRMAddresses)."""


_CLASSIFICATIONS = tuple(f"Classification{number}" for number in range(1, 9))
"""Ids of rows of crm/AccountClassifications, one for each of up to eight classifications (name=CRMAccounts)."""


def _account_tags(row: Row) -> list[tuple[str, str]]:
    """What relations are chosen by: their type, and the classifications that they have."""
    classifications = [row[column] for column in _CLASSIFICATIONS if row[column]]
    return [*_account_types(row), *(("classification", value) for value in classifications)]


def _account_types(row: Row) -> list[tuple[str, str]]:
    """Status C, P, S is customer, prospect, suspect; being a supplier is a flag beside it (name=CRMAccounts)."""
    status = {"C": "customer", "P": "prospect", "S": "suspect"}.get((row["Status"] or "").strip())
    types = [("type", status)] if status else []
    return [*types, ("type", "supplier")] if row["IsSupplier"] else types


def _is_labour(row: Row) -> bool:
    """Labour items are flagged, or kept in a unit of time (name=LogisticsItems: UnitType T)."""
    return bool(row["IsTime"]) or row["UnitType"] == "T"


def _item_group(row: Row) -> list[tuple[str, str]]:
    group = (row["ItemGroupCode"] or "").strip()
    return [("group", group)] if group else []


ACCOUNTS = ExactStream(
    name="accounts",
    record=RELATION,
    path="sync/CRM/Accounts",
    single="crm/Accounts",
    lookup="Code",
    padded=True,
    deleted_type=2,
    scope="Crm accounts",
    key="ID",
    fields={
        "debtor_number": text("Code"),
        "name": text("Name"),
        "street": text("AddressLine1"),
        "postal_code": text("Postcode"),
        "city": text("City"),
        "country": text("Country"),
        "phone_number": text("Phone"),
        "email": text("Email"),
        "remark": text("Remarks"),
        "latitude": coordinate("Latitude"),
        "longitude": coordinate("Longitude"),
        "external_id": text("ID"),
        "debtor_number_invoice": text("InvoiceAccountCode"),
        "kvk_number": text("ChamberOfCommerce"),
        "vat_number": text("VATNumber"),
    },
    blocked="Blocked",
    valid=("StartDate", "EndDate"),
    tags=Tags(("Status", "IsSupplier", *_CLASSIFICATIONS), _account_tags),
)

CONTACTS = ExactStream(
    name="contacts",
    record=CONTACT_PERSON,
    path="sync/CRM/Contacts",
    single="crm/Contacts",
    lookup="Account",
    deleted_type=5,
    scope="Crm accounts",
    key="ID",
    derived_code=code_from_id,
    fields={
        "cpn_name": text("FullName", "LastName", "FirstName"),
        "cpn_phone": text("Phone", "Mobile"),
        "cpn_email": text("Email"),
    },
    parent="Account",
    valid=("StartDate", "EndDate"),
    belongs=Belongs(("Account",), lambda row: is_reference(row["Account"]), "no_relation"),
)

ADDRESSES = ExactStream(
    name="addresses",
    record=ADDRESS,
    path="sync/CRM/Addresses",
    single="crm/Addresses",
    lookup="Account",
    deleted_type=3,
    scope="Crm accounts",
    key="ID",
    derived_code=code_from_id,
    fields={
        "adr_line_1": text("AddressLine1"),
        "adr_zip": text("Postcode"),
        "adr_city": text("City"),
        "adr_country": text("Country"),
        "adr_remark": text("AddressLine2"),
    },
    parent="Account",
    belongs=Belongs(
        ("Account", "Type"),
        lambda row: is_reference(row["Account"]) and row["Type"] == DELIVERY_ADDRESS,
        "not_delivery_address",
    ),
)

NO_MEASURE_OF_WORK = "no_measure_of_work"
_ITEM_COLUMNS = ("IsTime", "UnitType", "IsSalesItem")


def _is_material(row: Row) -> bool:
    """Materials are the sales items that are no labour."""
    return bool(row["IsSalesItem"]) and not _is_labour(row)


def _too_long(row: Row) -> str:
    return NO_MEASURE_OF_WORK if row[units.TIME_UNIT] in units.TOO_LONG else ""


def _items(*, hour_types: bool) -> ExactStream:
    """The stream of items, of which each category takes its own kind."""
    name = "name" if hour_types else "description"
    fields = {"code": text("Code"), name: text("Description")}
    if hour_types:
        fields |= {TIME_UNIT: text(units.TIME_UNIT)}
    else:
        fields |= {"unit": text("Unit"), "barcode": text("Barcode")}
    belongs = (
        Belongs((*_ITEM_COLUMNS, "Unit"), _is_labour, "not_labour")
        if hour_types
        else Belongs(_ITEM_COLUMNS, _is_material, "not_for_sale")
    )
    return ExactStream(
        name="items",
        record=HOUR_TYPE if hour_types else MATERIAL,
        path="sync/Logistics/Items",
        single="logistics/Items",
        lookup="Code",
        deleted_type=9,
        scope="Logistics items",
        key="ID",
        fields=fields,
        valid=("StartDate", "EndDate"),
        tags=Tags(("ItemGroupCode",), _item_group),
        belongs=belongs,
        left_out=LeftOut((units.TIME_UNIT,), _too_long, (NO_MEASURE_OF_WORK,)) if hour_types else None,
        from_units=(units.TIME_UNIT,) if hour_types else (),
    )


PRICES = ExactStream(
    name="prices",
    record=None,
    path="sync/Logistics/SalesItemPrices",
    single="logistics/SalesItemPrices",
    lookup="Item",
    deleted_type=8,
    scope="Sales prices",
    key="ID",
    fields={
        "price": number("Price"),
        "quantity": number("Quantity"),
        "currency": text("Currency"),
        "unit": text("Unit"),
        "default_unit": text("DefaultItemUnit"),
    },
    parent="Item",
    valid=("StartDate", "EndDate"),
    # A row with an account is a price agreement of that customer (name=LogisticsSalesItemPrices).
    belongs=Belongs(
        ("Account", "Employee", "Project"),
        lambda row: not any(is_reference(row[column]) for column in ("Account", "Employee", "Project")),
        "price_agreement",
    ),
)

ITEM_GROUPS = ExactStream(
    name="item_groups",
    record=CATEGORY,
    path="logistics/ItemGroups",
    single="logistics/ItemGroups",
    lookup="Code",
    whole=True,
    scope="Logistics items",
    key="ID",
    fields={"cat_code": text("Code"), "cat_name": text("Description", "Code")},
)

# The items once more, for their groups alone: the same path, so that a poll asks for both categories with one call.
ITEMS_IN_GROUPS = ExactStream(
    name="items_in_groups",
    record=MATERIAL_CATEGORY,
    path="sync/Logistics/Items",
    single="logistics/Items",
    lookup="Code",
    scope="Logistics items",
    deleted_type=9,
    key="ID",
    fields={ITEM.key: id_of("ID"), GROUP.key: id_of("ItemGroup")},
    belongs=Belongs(
        (*_ITEM_COLUMNS, "ItemGroup"),
        lambda row: is_reference(row["ItemGroup"]) and _is_material(row),
        "not_in_group",
    ),
)

# Only what OutSmart takes, and the days: private data of employees is never asked for.
EMPLOYEES = ExactStream(
    name="employees",
    record=EMPLOYEE,
    path="sync/Payroll/Employees",
    single="payroll/Employees",
    lookup="Code",
    deleted_type=42,
    scope="Hrm payroll",
    key="ID",
    fields={"number": text("Code"), "firstname": text("FirstName"), "lastname": text("LastName")},
    blocked="IsActive",
    is_blocked=lambda value: value is False,
    blocked_out_of_dates=True,
    valid=("StartDate", "EndDate"),
    tags=Tags(("Code",), lambda row: [("employee", (row["Code"] or "").strip())]),
)

WAREHOUSES = ExactStream(
    name="warehouses",
    record=WAREHOUSE,
    path="inventory/Warehouses",
    single="inventory/Warehouses",
    lookup="Code",
    whole=True,
    scope="Logistics inventory",
    key="ID",
    fields={
        "wse_code": text("Code"),
        "wse_description": text("Description", "Code"),
        "wse_external_id": text("ID"),
    },
)

RELATIONS_IMPORT = ImportCategory(
    name="relations",
    label="Relations",
    streams=(ACCOUNTS, CONTACTS, ADDRESSES),
    filters=(
        Choice(
            name="types",
            label="Relation types to import",
            tag="type",
            values={"customer": "Customers", "prospect": "Prospects", "suspect": "Suspects", "supplier": "Suppliers"},
            default=("customer",),
            reason="type_not_chosen",
        ),
        Choice(
            name="classifications",
            label="Classifications to import (empty: all)",
            tag="classification",
            reason="classification_not_chosen",
            lists=lists.CLASSIFICATIONS,
        ),
        Switch(name="include_inactive", label="Also import relations that have ended or not begun", lets="inactive"),
        Switch(name="include_blocked", label="Also import blocked relations", lets="blocked"),
        HOLD_TWO_FIRMS,
        FOLLOW_INACTIVE,
        DEACTIVATE_REMOVED,
    ),
)

_ITEM_GROUPS = Choice(
    name="item_groups",
    label="Item groups to import (empty: all)",
    tag="group",
    reason="group_not_chosen",
    lists=lists.ITEM_GROUP_CODES,
)

MATERIALS_IMPORT = ImportCategory(
    name="materials",
    label="Materials",
    streams=(_items(hour_types=False), PRICES),
    filters=(_ITEM_GROUPS, REMARK_INACTIVE),
    fold=sale_price("price"),
    after=("categories",),
)

HOUR_TYPES_IMPORT = ImportCategory(
    name="hour_types",
    label="Hour types",
    streams=(_items(hour_types=True), PRICES),
    filters=(
        _ITEM_GROUPS,
        Text(units.HOURS_PER_DAY, "Hours in a day, for hour types whose unit is a day", default="8"),
        FOLLOW_INACTIVE,
        DEACTIVATE_REMOVED,
    ),
    fold=sale_price("sale_price"),
)

CATEGORIES_IMPORT = ImportCategory(name="categories", label="Categories", streams=(ITEM_GROUPS, ITEMS_IN_GROUPS))

EMPLOYEES_IMPORT = ImportCategory(
    name="employees",
    label="Employees",
    streams=(EMPLOYEES,),
    filters=(
        Choice(
            name="numbers",
            label="Employees to import (empty: all active ones)",
            tag="employee",
            lists=lists.EMPLOYEE_NUMBERS,
        ),
        REMARK_INACTIVE,
    ),
)

WAREHOUSES_IMPORT = ImportCategory(name="warehouses", label="Warehouses", streams=(WAREHOUSES,), tier="pro")

PACKAGE = Package(
    name="exact_online",
    label="Exact Online",
    conn_id="exact_online_default",
    hook="outsmart_sync.providers.exact_online.hook:ExactOnlineHook",
    timezone=values.TIMEZONE,
    countries={"nl": "Netherlands", "be": "Belgium", "de": "Germany", "fr": "France", "es": "Spain"},
    imports=(
        RELATIONS_IMPORT,
        CATEGORIES_IMPORT,
        MATERIALS_IMPORT,
        HOUR_TYPES_IMPORT,
        EMPLOYEES_IMPORT,
        WAREHOUSES_IMPORT,
        PRICE_AGREEMENTS_IMPORT,
        PROJECT_PLANNING_IMPORT,
        QUOTATIONS_IMPORT,
        SALES_ORDERS_IMPORT,
        GOODS_DELIVERIES_IMPORT,
        PAYMENT_TRANSACTIONS_IMPORT,
        SHOP_ORDERS_IMPORT,
        ASSEMBLY_ORDERS_IMPORT,
    ),
    tiers=("none", "basic", "pro"),
    login_lasts=timedelta(days=30),
)
