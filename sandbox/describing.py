"""What the world holds, counted, so that readers and tests know what to expect."""

from collections.abc import Callable, Iterable
from typing import Any

from sandbox.describing_visma import describe_visma
from sandbox.exact_online.dates import day_ms, wall_clock
from sandbox.exact_online.derived import DERIVED
from sandbox.exact_online.row_types import ROW_TYPES, Row
from sandbox.exact_online.rows import RowStore
from sandbox.exact_online.surroundings import Near
from sandbox.fixed_world import APP, DIVISIONS, USERS, WORLD
from sandbox.outsmart.records import Records
from sandbox.visma_eaccounting.rows import RowStore as VismaRowStore

Kind = Callable[[Row, int], bool]
"""Whether a row is of a kind, given today's date as rows store dates."""


def _has(field: str, value: object) -> Kind:
    return lambda row, _: getattr(row, field) == value


def _each(field: str, **values: object) -> dict[str, Kind]:
    """A kind for each value of a field."""
    return {name: _has(field, value) for name, value in values.items()}


def _lacks(field: str) -> Kind:
    return lambda row, _: not getattr(row, field)


def _ended(row: Row, today: int) -> bool:
    return row.EndDate is not None and row.EndDate < today


def _not_started(row: Row, today: int) -> bool:
    return row.StartDate is not None and row.StartDate > today


def _active_customer(row: Row, today: int) -> bool:
    return row.Status == "C" and not row.Blocked and not _ended(row, today) and not _not_started(row, today)


def _active_customer_with_address(row: Row, today: int) -> bool:
    return _active_customer(row, today) and all((row.AddressLine1, row.Postcode, row.City))


def _active_sales_item(row: Row, today: int) -> bool:
    return bool(row.IsSalesItem) and not _ended(row, today) and not _not_started(row, today)


KINDS: dict[str, dict[str, Kind]] = {
    "crm/Accounts": {
        "customers": _has("Status", "C"),
        "prospects": _has("Status", "P"),
        "suspects": _has("Status", "S"),
        "neither": _has("Status", "A"),
        "suppliers": _has("IsSupplier", value=True),
        "blocked": _has("Blocked", value=True),
        "ended": _ended,
        "not_started": _not_started,
        "without_street": _lacks("AddressLine1"),
        "without_postcode": _lacks("Postcode"),
        "without_city": _lacks("City"),
        "without_email": _lacks("Email"),
        "invoiced_elsewhere": lambda row, _: row.InvoiceAccount is not None,
        "active_customers": _active_customer,
        "active_customers_with_address": _active_customer_with_address,
    },
    "crm/Contacts": {"without_email": _lacks("BusinessEmail")},
    "crm/Addresses": {
        "visit": _has("Type", 1),
        "postal": _has("Type", 2),
        "invoice": _has("Type", 3),
        "delivery": _has("Type", 4),
    },
    "logistics/Items": {
        "labour": _has("IsTime", 1),
        "for_sale": _has("IsSalesItem", value=True),
        "ended": _ended,
        "not_started": _not_started,
        "without_group": _lacks("ItemGroup"),
        "active_for_sale": _active_sales_item,
        "active_materials": lambda row, today: _active_sales_item(row, today) and not row.IsTime,
        "active_labour": lambda row, today: _active_sales_item(row, today) and bool(row.IsTime),
    },
    "logistics/SalesItemPrices": {
        "agreements": lambda row, _: row.Account is not None,
        "quantity_steps": lambda row, _: row.Quantity > 1,
        "other_currency": lambda row, _: row.Currency != "EUR",
        "ended": _ended,
        "not_started": _not_started,
    },
    "payroll/Employees": {
        "left": _ended,
        "not_started": _not_started,
        "without_code": _lacks("Code"),
        "without_email": _lacks("BusinessEmail"),
    },
    "sync/Cashflow/PaymentTerms": {
        "receivable": _has("LineType", 20),
        "payable": _has("LineType", 22),
        "open": _has("Status", 20),
        "selected": _has("Status", 30),
        "processed": _has("Status", 40),
        "matched": _has("Status", 50),
        "fully_paid": _has("IsFullyPaid", value=True),
        "credit_notes": lambda row, _: row.LineType == 20 and row.AmountDC > 0,
    },
    "sales/SalesPriceListPeriods": {"ended": _ended, "not_started": _not_started, "special": _has("Type", 2)},
    "sales/SalesPriceListVolumeDiscounts": {
        "discount_leading": _has("EntryMethod", 1),
        "price_leading": _has("EntryMethod", 2),
        "by_item": lambda row, _: row.Item is not None,
        "by_group": lambda row, _: row.ItemGroup is not None,
    },
    "salesorder/SalesOrders": _each("Status", open=12, partial=20, complete=21, cancelled=45)
    | {"unapproved": _has("ApprovalStatus", 0), "with_project": lambda row, _: row.Project is not None},
    "crm/Quotations": _each(
        "Status", rejected=5, reviewed=6, draft=20, open=25, printed=40, accepted=50, awaiting_online=60
    )
    | {"later_versions": lambda row, _: row.VersionNumber > 1},
    "project/Projects": {
        "over": _ended,
        "blocked": _has("BlockEntry", value=True),
        "own": _lacks("Account"),
        "without_end": _lacks("EndDate"),
    },
    "project/ProjectPlanning": _each("Status", reserved=1, planned=2) | {"without_project": _lacks("Project")},
    "manufacturing/ShopOrders": _each("Status", open=10, in_process=20, finished=30, completed=40)
    | {"on_hold": _has("IsOnHold", 1), "with_project": lambda row, _: row.Project is not None},
    "inventory/AssemblyOrders": _each("OrderStatus", open=20, partial=30, complete=50)
    | {"taken_apart": _has("Type", 8061)},
}


def describe(store: RowStore, visma: VismaRowStore, records: Records) -> dict[str, Any]:
    """The companies, users, accounts and tokens of the world, and what each company and account holds.

    Args:
        store: Exact Online's rows.
        visma: VISMA's rows.
        records: OutSmart's records.

    Returns:
        A JSON object.
    """
    return {
        "exact_online": {
            "app": {"client_id": APP.client_id, "client_secret": APP.client_secret, "name": APP.name},
            "users": [
                {"user_name": user.user_name, "password": user.password, "divisions": user.divisions}
                for user in USERS.values()
            ],
            "divisions": [_division(store, code) for code in DIVISIONS],
        },
        "visma_eaccounting": describe_visma(visma),
        "outsmart": {
            "accounts": [
                {
                    "name": account.name,
                    "token": account.token,
                    "software_token": account.software_token,
                    "counts": records.counts(account.name),
                }
                for account in WORLD.outsmart.accounts
            ]
        },
    }


def _division(store: RowStore, code: int) -> dict[str, Any]:
    fixed = DIVISIONS[code]
    return {
        "code": code,
        "description": fixed.description,
        "country": fixed.country,
        "licence": fixed.licence,
        "status": fixed.status,
        "ticked_at_consent": fixed.ticked,
        "last_timestamp": store.last_version(code),
        "counts": {name: _counts(store, code, name) for name in sorted(ROW_TYPES) if name != "system/Divisions"},
    }


def _counts(store: RowStore, division: int, table: str) -> dict[str, int]:
    rows = list(store.table(division, table).by_key.values())
    today = day_ms(wall_clock(store.now()).date())
    counts = {name: _count(rows, kind, today) for name, kind in KINDS.get(table, {}).items()}
    counts = {"total": len(rows)} | counts
    return counts | (_price_counts(rows, Near(store, division, today)) if table == "logistics/Items" else {})


def _price_counts(items: list[Row], near: Near) -> dict[str, int]:
    todays_price = DERIVED["logistics/Items"]["StandardSalesPrice"]
    return {
        "without_price": sum(1 for item in items if not near.having("logistics/SalesItemPrices", "Item", item.ID)),
        "without_standard_price": sum(1 for item in items if todays_price(item, near) is None),
    }


def _count(rows: Iterable[Row], kind: Kind, today: int) -> int:
    return sum(1 for row in rows if kind(row, today))
