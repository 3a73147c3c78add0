"""What an OutSmart account holds before the first sync.

Part of the main administration's customers and articles is there already, some exactly alike, some outdated; others
were made by hand and exist nowhere else.
"""

import re
from random import Random
from typing import Any

from sandbox.exact_online.dates import to_iso
from sandbox.exact_online.row_types import Row
from sandbox.outsmart.entities import ENTITIES, PAYMENT_METHODS, STATUSES, WORK_ORDERS, WORK_TYPES
from sandbox.outsmart.records import Record, Records
from sandbox.seeds.payments import RECEIVABLE

_BY_HAND: dict[str, list[Record]] = {
    "employees": [
        {"number": "1", "firstname": "Sanne", "lastname": "de Wit"},
        {"number": "2", "firstname": "Joël", "lastname": "D'Hondt"},
        {"number": "007", "firstname": "Bram", "lastname": "Oud"},
    ],
    "workstatusses": [
        {"sta_code": "1", "sta_name": "Naar boekhouding"},
        {"sta_code": "2", "sta_name": "Geboekt"},
        {"sta_code": "99", "sta_name": "Fout bij boeken"},
    ],
    "worktypes": [
        {"wrt_name": name, "wrt_description": name, "wrt_default_minutes": "60", "wrt_active": "1"}
        for name in WORK_TYPES
    ],
    "paymentmethods": [{"pmd_description": name} for name in PAYMENT_METHODS],
    "relations": [
        {"debtor_number": "HAND-1", "name": "Only a name"},
        {"debtor_number": "HAND-2", "name": "No street", "postal_code": "1234 AB", "city": "Utrecht"},
        {"debtor_number": "0000001", "name": "Leading zeros & Co", "street": "Dam", "house_number": "1",
         "postal_code": "1012 JS", "city": "Amsterdam"},
        {"debtor_number": "KLANT/ÉÉN", "name": "'t Vreemde nummer", "street": "Markt", "house_number": "2",
         "postal_code": "5611 EB", "city": "Eindhoven"},
        {"debtor_number": "1 ", "name": "Blank behind the number", "street": "Kade", "house_number": "3",
         "postal_code": "3011 AA", "city": "Rotterdam"},
    ],
    "materials": [
        {"code": "HAND-MAT", "description": "Made by hand", "price": "4,55", "unit": "stuk"},
        {"code": "art-00012", "description": "Small letters", "price": "1,00", "unit": "stuk"},
        {"code": "Buis 15\" 'oud'", "description": "Quotes in the code", "price": "0,10", "unit": "m"},
    ],
    "categories": [{"cat_code": "HAND-CAT", "cat_name": "Made by hand", "cat_display": "1"}],
    "material_categories": [{"mct_mat_code": "HAND-MAT", "mct_cat_code": "HAND-CAT"}],
    "warehouses": [
        {"wse_code": "HAND-BUS", "wse_type": "VEHICLE", "wse_description": "Van of Bram", "wse_employee_nr": "007"},
    ],
    "projects": [
        {"code": "HAND-P", "debtor_number": "0000001", "status": "Nieuw", "name": "Made by hand",
         "date_start": "2026-01-05"},
    ],
    "prices": [
        {"material": "HAND-MAT", "hourtype": "", "debtornr": "", "date_start": "2020-01-01", "price": "4,95"},
        {"material": "", "hourtype": "REIS", "debtornr": "0000001", "date_start": "2020-01-01", "price": "40,00"},
    ],
    "invoices": [
        {"inv_id": "1", "inv_number_numeric": "1", "inv_number_formatted": "2025-00001", "inv_amount": "121.00",
         "inv_amount_excl": "100.00", "inv_invoice_debtor_nr": "0000001", "inv_date": "2025-12-01",
         "inv_due_date": "2025-12-31", "inv_invoice_debtor_name": "Leading zeros & Co"},
    ],
    "transactions": [
        {"int_transaction_id": "0000000001HAND", "int_inv_id": "1", "int_external_transaction_id": "",
         "int_description": "Paid at the counter", "int_amount": "21.00", "int_type": "CASH", "int_user": "Sanne",
         "int_timestamp": "2025-12-05 11:33:45"},
    ],
    "hourtypes": [
        {"code": "REIS", "name": "Travel made by hand", "cost_booking": "1", "sale_booking": "1",
         "sale_price": "42,50", "cost_price": "0,00"},
    ],
}  # fmt: skip


def seed_account(records: Records, account: str, exact: dict[str, list[Row]], chance: Random) -> None:
    """Fill an account.

    Args:
        records: OutSmart's records.
        account: The account's name.
        exact: The administration's rows by table.
        chance: Where randomness comes from.
    """
    customers = [row for row in exact["crm/Accounts"] if row.Status == "C"]
    goods = [row for row in exact["logistics/Items"] if row.IsSalesItem and not row.IsTime]
    labour = [row for row in exact["logistics/Items"] if row.IsTime]
    groups = exact["logistics/ItemGroups"]
    known = {
        "relations": [_relation(row, outdated=place % 3 == 0) for place, row in enumerate(customers[::3])],
        "materials": [_material(row, chance, outdated=place % 4 == 0) for place, row in enumerate(goods[::3])],
        "hourtypes": [_hour_type(row) for row in labour[:2]],
        "categories": [{"cat_code": row.Code, "cat_name": row.Description, "cat_display": "1"} for row in groups[:3]],
        "material_categories": _links(goods[::3], groups[:3]),
        "invoices": _invoices(customers[::3], exact.get("sync/Cashflow/PaymentTerms", [])),
    }
    for entity in ENTITIES.values():
        if entity is WORK_ORDERS:
            records.write(account, entity, _work_orders(records, account), "seed")
            continue
        records.write(account, entity, _BY_HAND.get(entity.name, []) + known.get(entity.name, []), "seed")


def _relation(account: Row, *, outdated: bool) -> Record:
    street, number = _split(account.AddressLine1)
    record: Record = {
        "debtor_number": account.Code.strip(),
        "name": account.Name,
        "street": street,
        "house_number": number,
        "postal_code": account.Postcode,
        "city": account.City,
        "country": account.Country.strip(),
        "phone_number": account.Phone,
        "email": account.Email,
        "vat_number": account.VATNumber,
        "kvk_number": account.ChamberOfCommerce,
    }
    if outdated:
        record |= {"name": f"{account.Name} (oud)", "phone_number": "0000-000000"}
    return record


def _material(item: Row, chance: Random, *, outdated: bool) -> Record:
    price = item.CostPriceStandard * (chance.uniform(1, 2) if outdated else 1.5)
    return {
        "code": item.Code,
        "description": item.Description.upper() if outdated else item.Description,
        "price": f"{price:.2f}".replace(".", ","),
        "unit": item.Unit,
    }


def _links(goods: list[Row], groups: list[Row]) -> list[Record]:
    """Every second material of these groups is in its category already."""
    codes = {row.ID: row.Code for row in groups}
    links = [
        {"mct_mat_code": row.Code, "mct_cat_code": codes[row.ItemGroup]} for row in goods if row.ItemGroup in codes
    ]
    return links[::2]


def _invoices(customers: list[Row], terms: list[Row]) -> list[Record]:
    """What was invoiced in OutSmart, with the numbers and amounts of the bookkeeping, but for every seventh amount."""
    names = {row.ID: row for row in customers}
    amounts: dict[int, float] = {}
    for term in terms:
        if term.LineType == RECEIVABLE and term.Account in names:
            amounts[term.InvoiceNumber] = amounts.get(term.InvoiceNumber, 0.0) - term.AmountDC
    firsts = {term.InvoiceNumber: term for term in reversed(terms) if term.InvoiceNumber in amounts}
    return [
        _invoice(firsts[number], names[firsts[number].Account], amount + (1 if place % 7 == 6 else 0), place)
        for place, (number, amount) in enumerate(sorted(amounts.items()))
    ]


def _invoice(term: Row, account: Row, amount: float, place: int) -> Record:
    day = to_iso(term.InvoiceDate)[:10]
    return {
        "inv_id": str(place + 101),
        "inv_type": "DEBIT" if amount >= 0 else "CREDIT",
        "inv_status": "OPEN",
        "inv_number_numeric": str(term.InvoiceNumber),
        "inv_number_formatted": f"{day[:4]}-{term.InvoiceNumber}",
        "inv_invoice_debtor_nr": account.Code.strip(),
        "inv_invoice_debtor_name": account.Name,
        "inv_date": day,
        "inv_due_date": to_iso(term.DueDate)[:10],
        "inv_amount": f"{amount:.2f}",
        "inv_amount_excl": f"{amount / 1.21:.2f}",
    }


def _work_orders(records: Records, account: str) -> list[Record]:
    """One in each status, planned by hand or begun in the app, without a number of another system."""
    customer = {"CustomerName": "Leading zeros & Co", "CustomerDebtorNr": "0000001", "CustomerStreet": "Dam",
                "CustomerZIP": "1012 JS", "CustomerCity": "Amsterdam", "CustomerContactPerson": "Jo"}  # fmt: skip
    return [
        customer
        | {f"{name}Invoice": value for name, value in customer.items()}
        | {
            "id": str(records.next_number(account, WORK_ORDERS.name)),
            "WorkorderNo": "",
            "OrderNr": f"3BCE72288{place}",
            "TypeOfWork": WORK_TYPES[place],
            "PaymentMethod": PAYMENT_METHODS[1],
            "EmployeeNr": "1",
            "CreationDate": "2026-01-05 09:30",
            "WorkDate": "06-01-2026",
            "WorkTime": "10:00",
            "WorkFinished": "1" if place > 1 else "0",
            "Archived": "0",
            "status": status,
        }
        for place, status in enumerate(STATUSES)
    ]


def _hour_type(item: Row) -> Record:
    return {
        "code": item.Code,
        "name": item.Description,
        "cost_booking": "0",
        "sale_booking": "1",
        "sale_price": "50,00",
        "cost_price": "0,00",
    }


def _split(line: str | None) -> tuple[Any, Any]:
    """Street and house number of a Dutch, Belgian, German or Spanish address line."""
    found = re.fullmatch(r"(.+) (\d\S*)", line or "")
    return (found[1], found[2]) if found else (line, None)
