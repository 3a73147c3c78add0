"""What OutSmart must hold after an import, worked out the plain way: one record after the other, from the rules alone.

Written from the rules that people are told (docs and settings), not from the steps; it shares no code with them. A
record of OutSmart tells itself who brought it: relations by ``external_id``, children by their code, articles by the
name that the walk gave their item.
"""

from __future__ import annotations

from base64 import b32encode
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from hashlib import blake2b
from typing import Any
from uuid import UUID

Value = str | Decimal | None
Record = dict[str, Value]
Account = dict[str, dict[str, Record]]
"""List of OutSmart → code → filled fields."""

LISTS = ("relations", "contactpersons", "addresses", "materials", "hourtypes")
_PRICES = {"price", "sale_price"}
_NOT_OURS = {"house_number", "cost_price"}
_STATUS = {"C": "customer", "P": "prospect", "S": "suspect"}
_LONGEST_BARCODE = 55


@dataclass
class Rules:
    """The settings, as far as the walk changes them."""

    types: list[str] = field(default_factory=lambda: ["customer"])
    include_blocked: bool = False
    include_inactive: bool = False
    material_groups: list[str] = field(default_factory=list)


@dataclass
class _Candidate:
    """One row of the package that wants to be in one of OutSmart's lists."""

    id: str
    code: str
    record: Record
    blocked: bool = False
    ended: bool = False
    left_out: bool = False
    blocked_may: bool = False
    ended_may: bool = False
    too_long: bool = False
    parent: str | None = None


def canonical(name: str, records: Mapping[str, Mapping[str, str]]) -> dict[str, Record]:
    """A list of OutSmart without differences that mean nothing: empty fields, decimal commas, the split address."""
    plain: dict[str, Record] = {}
    for code, record in records.items():
        values: Record = {key: value.strip() for key, value in record.items() if value.strip()}
        if name == "relations" and values.get("house_number"):
            values["street"] = f"{values.get('street') or ''} {values['house_number']}".strip()
        plain[code] = {
            key: Decimal(str(value).replace(",", ".")) if key in _PRICES else value
            for key, value in values.items()
            if key not in _NOT_OURS
        }
    return plain


def after_import(rows: Mapping[str, list[dict[str, Any]]], before: Account, rules: Rules, today: date) -> Account:
    """What OutSmart holds after everything has been imported into what it held before."""
    accounts = {str(row["ID"]): row for row in rows["crm/Accounts"]}
    items = {str(row["ID"]): row for row in rows["logistics/Items"]}
    groups = {str(row["ID"]): str(row["Code"]) for row in rows["logistics/ItemGroups"]}
    after: Account = {}

    def relation_owner(record: Record) -> str | None:
        owner = str(record.get("external_id"))
        return owner if owner in accounts else None

    relations = [_relation(row, rules, today) for row in accounts.values()]
    needed = ("name", "street", "postal_code", "city")
    after["relations"], place = _imported(relations, before["relations"], relation_owner, needed, {})

    for name, resource, needed, make in (
        ("contactpersons", "crm/Contacts", ("cpn_name",), _contact),
        ("addresses", "crm/Addresses", ("adr_line_1", "adr_zip", "adr_city"), _address),
    ):
        children = [child for row in rows[resource] if (child := make(row, rules, today, accounts, place))]
        owners = {_code_of(str(row["ID"])): str(row["ID"]) for row in rows[resource]}
        after[name], _ = _imported(
            children,
            before[name],
            lambda record, owners=owners: owners.get(str(record.get("cpn_code") or record.get("adr_code"))),  # type: ignore[misc]
            needed,
            {},
        )

    by_name = {str(row["Notes"]): key for key, row in items.items()}

    def item_owner(record: Record) -> str | None:
        marker = str(record.get("description") or record.get("name") or "").partition(" ")[0]
        return by_name.get(marker)

    materials = [
        _material(row, groups, rules, today, rows)
        for row in items.values()
        if row.get("IsSalesItem") and not row.get("IsTime")
    ]
    after["materials"], _ = _imported(
        materials, before["materials"], item_owner, ("description", "unit"), {"price": Decimal(0)}
    )
    hours = [_hour_type(row, today, rows) for row in items.values() if row.get("IsTime")]
    defaults: Record = {"sale_price": Decimal(0), "cost_booking": "0", "sale_booking": "1"}
    after["hourtypes"], _ = _imported(hours, before["hourtypes"], item_owner, ("name",), defaults)
    return after


def _imported(
    candidates: list[_Candidate],
    before: dict[str, Record],
    owner_of: Callable[[Record], str | None],
    needed: tuple[str, ...],
    defaults: Record,
) -> tuple[dict[str, Record], dict[str, str]]:
    """One list after the import, and where each of the package's rows is found in it."""
    owned = {owner: code for code, record in before.items() if (owner := owner_of(record))}
    free = {_key(code): code for code, record in before.items() if not owner_of(record)}
    place = {each.id: code for each in candidates if (code := owned.get(each.id) or free.get(_key(each.code)))}
    going = [each for each in candidates if _may_go(each, before.get(place.get(each.id, "")), needed)]
    steady = [each for each in going if _key(owned.get(each.id, each.code)) == _key(each.code)]
    wanted = Counter(_key(each.code) for each in steady)
    taken = {_key(code) for code in owned.values()}
    after = dict(before)
    for each in steady:
        key = _key(each.code)
        if each.id not in owned and (wanted[key] > 1 or key in taken):
            continue
        code = place.setdefault(each.id, each.code)
        there = before.get(code, {})
        filled: Record = {name: there.get(name, value) for name, value in defaults.items()}
        name = next(name for name in ("debtor_number", "cpn_code", "adr_code", "code") if name in each.record)
        sent = {key: value for key, value in each.record.items() if value is not None}
        after[code] = there | filled | sent | {name: code}
    return after, place


def _may_go(each: _Candidate, there: Record | None, needed: tuple[str, ...]) -> bool:
    if each.left_out or not each.code or each.too_long:
        return False
    if there is None and ((each.blocked and not each.blocked_may) or (each.ended and not each.ended_may)):
        return False
    return all(each.record.get(name) is not None or (there or {}).get(name) for name in needed)


def _key(code: str) -> str:
    return code.strip().lower()


def _code_of(identity: str) -> str:
    """A child has no code in the package: sixteen letters and digits from its id."""
    return b32encode(blake2b(UUID(identity).bytes, digest_size=10).digest()).decode()


def _text(row: Mapping[str, Any], *columns: str) -> str | None:
    return next((text for column in columns if (text := str(row.get(column) or "").strip())), None)


def _ended(row: Mapping[str, Any], today: date) -> bool:
    first, last = (row.get(name) for name in ("StartDate", "EndDate"))
    begun = not first or date.fromisoformat(str(first)[:10]) <= today
    return not begun or bool(last and date.fromisoformat(str(last)[:10]) < today)


def _relation(row: dict[str, Any], rules: Rules, today: date) -> _Candidate:
    kinds = {_STATUS.get(str(row.get("Status") or "").strip()), "supplier" if row.get("IsSupplier") else None}
    blocked, ended = bool(row.get("Blocked")), _ended(row, today)
    record: Record = {
        "debtor_number": _text(row, "Code"),
        "name": _text(row, "Name"),
        "street": _text(row, "AddressLine1"),
        "postal_code": _text(row, "Postcode"),
        "city": _text(row, "City"),
        "country": _text(row, "Country"),
        "phone_number": _text(row, "Phone"),
        "email": _text(row, "Email"),
        "remark": _text(row, "Remarks"),
        "external_id": str(row["ID"]),
        "active": "0" if blocked or ended else "1",
    }
    return _Candidate(
        id=str(row["ID"]),
        code=str(row.get("Code") or "").strip(),
        record=record,
        blocked=blocked,
        ended=ended,
        left_out=bool(rules.types) and not kinds & set(rules.types),
        blocked_may=rules.include_blocked,
        ended_may=rules.include_inactive,
    )


def _contact(
    row: dict[str, Any], rules: Rules, today: date, accounts: Mapping[str, Any], place: Mapping[str, str]
) -> _Candidate | None:
    parent = place.get(str(row.get("Account")))
    names = [str(row[name]) for name in ("FirstName", "MiddleName", "LastName") if row.get(name)]
    record: Record = {
        "cpn_code": _code_of(str(row["ID"])),
        "cpn_name": " ".join(names) or None,
        "cpn_phone": _text(row, "Phone", "Mobile"),
        "cpn_email": _text(row, "Email"),
        "cpn_debtor_nr": parent,
    }
    return _child(row, record, "cpn_code", ended=_ended(row, today), may=rules.include_inactive) if parent else None


def _address(
    row: dict[str, Any], rules: Rules, today: date, accounts: Mapping[str, Any], place: Mapping[str, str]
) -> _Candidate | None:
    parent = place.get(str(row.get("Account")))
    record: Record = {
        "adr_code": _code_of(str(row["ID"])),
        "adr_line_1": _text(row, "AddressLine1"),
        "adr_zip": _text(row, "Postcode"),
        "adr_city": _text(row, "City"),
        "adr_country": _text(row, "Country"),
        "adr_remark": _text(row, "AddressLine2"),
        "adr_debtor_nr": parent,
    }
    delivery = row.get("Type") == 4
    return _child(row, record, "adr_code", ended=False, may=True) if parent and delivery else None


def _child(row: dict[str, Any], record: Record, code: str, *, ended: bool, may: bool) -> _Candidate:
    return _Candidate(id=str(row["ID"]), code=str(record[code]), record=record, ended=ended, ended_may=may)


def _material(
    row: dict[str, Any], groups: Mapping[str, str], rules: Rules, today: date, rows: Mapping[str, Any]
) -> _Candidate:
    group = groups.get(str(row.get("ItemGroup")))
    record: Record = {
        "code": _text(row, "Code"),
        "description": _text(row, "Description"),
        "unit": _text(row, "Unit"),
        "barcode": _text(row, "Barcode"),
        "price": _price(row, rows["logistics/SalesItemPrices"], today),
    }
    return _Candidate(
        id=str(row["ID"]),
        code=str(row.get("Code") or "").strip(),
        record=record,
        ended=_ended(row, today),
        left_out=bool(rules.material_groups) and group not in rules.material_groups,
        too_long=len(str(row.get("Barcode") or "")) > _LONGEST_BARCODE,
    )


def _hour_type(row: dict[str, Any], today: date, rows: Mapping[str, Any]) -> _Candidate:
    ended = _ended(row, today)
    record: Record = {
        "code": _text(row, "Code"),
        "name": _text(row, "Description"),
        "sale_price": _price(row, rows["logistics/SalesItemPrices"], today),
        "active": "0" if ended else "1",
    }
    return _Candidate(id=str(row["ID"]), code=str(row.get("Code") or "").strip(), record=record, ended=ended)


def _price(item: Mapping[str, Any], prices: list[dict[str, Any]], today: date) -> Decimal | None:
    """For everyone, for one piece, in euro and the item's own unit, valid today; of several the one that began last."""
    found = [
        price
        for price in prices
        if price.get("Item") == item["ID"]
        and not price.get("Account")
        and (price.get("Quantity") or 0) <= 1
        and (price.get("Currency") or "EUR") == "EUR"
        and (price.get("Unit") or item.get("Unit")) == item.get("Unit")
        and price.get("Price") is not None
        and not _ended(price, today)
    ]
    found.sort(key=lambda price: (-(price.get("Quantity") or 0), str(price.get("StartDate") or ""), price["ID"]))
    return Decimal(str(found[-1]["Price"])) if found else None
