"""What an OutSmart account holds before the first sync.

Part of the main administration's customers and articles is there already, some exactly alike, some outdated; others
were made by hand and exist nowhere else.
"""

import re
from random import Random
from typing import Any

from sandbox.exact_online.row_types import Row
from sandbox.outsmart.entities import ENTITIES
from sandbox.outsmart.records import Record, Records

_WORK_TYPES = (
    "Installatie", "Garantie", "Levering", "Onderhoud", "Project", "Regie", "Reparatie", "Service", "Storing",
    "Verkoop", "Verhuur",
)  # fmt: skip
_PAYMENT_METHODS = ("niet van toepassing", "op rekening", "contant voldaan", "pin betaling", "conform offerte")
"""Both lists are OutSmart's own defaults (https://knowledge.out-smart.com/openapi/work-orders)."""

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
        for name in _WORK_TYPES
    ],
    "paymentmethods": [{"pmd_description": name} for name in _PAYMENT_METHODS],
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
    }
    for entity in ENTITIES.values():
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
