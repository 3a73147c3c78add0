"""Completed work orders as technicians bring them back, of customers and articles that an administration has.

Kinds say what is on them; everything else follows from the seed, so that a failing test can be repeated.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from sandbox.exact_online.row_types import Row
from sandbox.exact_online.rows import RowStore
from sandbox.outsmart.records import Record
from sandbox.outsmart.values import as_price

_JOBS = (
    "Cv-ketel nagekeken", "Lekkage onder gootsteen verholpen", "Groepenkast vervangen & getest",
    "Storing verholpen:\nfilter schoongemaakt", "Thermostaat 'slim' gemaakt",
)  # fmt: skip
_PRICES = ("12,50", "0,07", "349,00", "8,99", "1,005", "4,55", "27,33")
_QUANTITIES = ("1", "2", "3", "0,5", "12,25", "7")
_SHIFTS = (("08:00", "12:30", "0"), ("13:05", "16:50", "15"), ("09:17", "11:00", "0"), ("07:30", "16:00", "45"))
_NIGHT = (("22:30", "01:15", "30"), ("23:50", "00:20", "0"))
PHOTO = {"title": "After"}


@dataclass(frozen=True)
class Cast:
    """Whom and what work orders may name.

    Attributes:
        customers: Customers that may be billed.
        materials: Articles that may be sold.
        hour_types: Time articles that may be sold.
    """

    customers: list[Row]
    materials: list[Row]
    hour_types: list[Row]


def cast_of(store: RowStore, division: int, today: int) -> Cast:
    """Everybody and everything of an administration that may be billed, in key order."""

    def current(row: Row) -> bool:
        return (row.StartDate is None or row.StartDate <= today) and (row.EndDate is None or row.EndDate >= today)

    accounts = [row for row in store.table(division, "crm/Accounts").key_order()[1] if current(row)]
    items = [row for row in store.table(division, "logistics/Items").key_order()[1] if current(row) and row.IsSalesItem]
    return Cast(
        [row for row in accounts if row.Status == "C" and not row.Blocked],
        [row for row in items if not row.IsTime],
        [row for row in items if row.IsTime],
    )


def completed_work_order(cast: Cast, kind: str, number: str, day: date, chance: Random) -> Record:
    """One work order, without what every work order gets.

    Raises:
        KeyError: There is no such kind.
    """
    customer = chance.choice(cast.customers)
    parts = KINDS[kind](cast, day, chance)
    end = day + timedelta(days=1) if kind == "night" else day
    return (
        _party(customer, "")
        | _party(customer, "Invoice")
        | {
            "WorkorderNo": number,
            "TypeOfWork": chance.choice(("Reparatie", "Onderhoud", "Service")),
            "PaymentMethod": "op rekening",
            "WorkDescription": chance.choice(_JOBS),
            "ShortWorkDescription": chance.choice(_JOBS).split("\n")[0],
            "WorkDate": f"{day:%d-%m-%Y}",
            "WorkTime": "08:00",
            "WorkEndDate": f"{end:%d-%m-%Y}",
            "WorkEndTime": "16:00",
            "EmployeeNr": "1",
            "ExternalReference": f"PO-{chance.randint(1000, 9999)}" if chance.random() < 0.3 else "",
            "Photos": [PHOTO],
        }
        | parts
    )


def _party(account: Row, side: str) -> Record:
    return {
        f"CustomerName{side}": account.Name,
        f"CustomerDebtorNr{side}": account.Code.strip(),
        f"CustomerStreet{side}": account.AddressLine1 or "",
        f"CustomerZIP{side}": account.Postcode or "",
        f"CustomerCity{side}": account.City or "",
        f"CustomerContactPerson{side}": "",
        f"CustomerCountry{side}": (account.Country or "").strip(),
    }


def _material(cast: Cast, chance: Random, **change: str) -> Record:
    item = chance.choice(cast.materials)
    return {
        "MaterialCode": item.Code,
        "MaterialName": item.Description,
        "MaterialNr": chance.choice(_QUANTITIES),
        "MaterialPrice": chance.choice(_PRICES),
        "MaterialUnit": item.Unit,
    } | change


def _discounted(cast: Cast, chance: Random) -> Record:
    """The discount is in the price already, or it is not: only the total tells."""
    price = as_price(chance.choice(_PRICES))
    line = _material(cast, chance, MaterialOriginalPrice=_comma(price), MaterialDiscountPercentage="10")
    net = price * 9 / 10
    shown = price if chance.random() < 0.5 else net
    total = as_price(line["MaterialNr"]) * net
    return line | {"MaterialPrice": _comma(shown), "MaterialTotalPrice": f"{total:.2f}".replace(".", ",")}


def _comma(price: object) -> str:
    return str(price).replace(".", ",")


def _period(cast: Cast, day: date, shift: tuple[str, str, str], chance: Random) -> Record:
    begin, end, pause = shift
    minutes = (_minutes(end) - _minutes(begin)) % 1440 - int(pause)
    return {
        "WorkDate": f"{day:%d-%m-%Y}",
        "BeginTime": begin,
        "EndTime": end,
        "Break": pause,
        "TotalTime": f"{minutes // 60:02d}:{minutes % 60:02d}",
        "Travel": str(chance.randint(0, 40)),
        "WorkRemark": chance.choice(_JOBS).split("\n")[0],
        "HourType": chance.choice(cast.hour_types).Code,
        "EmployeeNr": "1",
    }


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


def _materials(cast: Cast, _day: date, chance: Random) -> Record:
    return {"Materials": [_material(cast, chance) for _ in range(chance.randint(1, 4))]}


def _hours(cast: Cast, day: date, chance: Random) -> Record:
    return {"Workperiods": [_period(cast, day, chance.choice(_SHIFTS), chance) for _ in range(chance.randint(1, 3))]}


def _mixed(cast: Cast, day: date, chance: Random) -> Record:
    return _materials(cast, day, chance) | _hours(cast, day, chance)


def _discount(cast: Cast, _day: date, chance: Random) -> Record:
    return {"Materials": [_discounted(cast, chance), _material(cast, chance)]}


def _credit(cast: Cast, _day: date, chance: Random) -> Record:
    return {"Materials": [_material(cast, chance, MaterialNr="-2", MaterialPrice="25,00")]}


def _night(cast: Cast, day: date, chance: Random) -> Record:
    return {"Workperiods": [_period(cast, day, shift, chance) for shift in _NIGHT]}


def _unknown_material(cast: Cast, _day: date, chance: Random) -> Record:
    strange = _material(
        cast, chance, MaterialCode=f"NEW-{chance.randint(1000, 9999)}", MaterialName="Bought on the way"
    )
    free = _material(cast, chance, MaterialCode="", MaterialName="Small parts")
    return {"Materials": [strange, free]}


def _unknown_relation(cast: Cast, day: date, chance: Random) -> Record:
    number = f"9{chance.randint(100_000, 999_999)}"
    named = {"CustomerDebtorNr": number, "CustomerName": f"Nieuwe klant {number}", "CustomerZIP": "1234 AB",
             "CustomerCity": "Utrecht", "CustomerStreet": "Dorpsstraat 1"}  # fmt: skip
    return _materials(cast, day, chance) | named | {f"{name}Invoice": value for name, value in named.items()}


def _paid(cast: Cast, day: date, chance: Random) -> Record:
    return _materials(cast, day, chance) | {"PaymentMethod": chance.choice(("contant voldaan", "pin betaling"))}


def _other_payer(cast: Cast, day: date, chance: Random) -> Record:
    return _materials(cast, day, chance) | _party(chance.choice(cast.customers), "Invoice")


KINDS: dict[str, Callable[[Cast, date, Random], Record]] = {
    "materials": _materials,
    "hours": _hours,
    "mixed": _mixed,
    "discount": _discount,
    "credit": _credit,
    "night": _night,
    "unknown_material": _unknown_material,
    "unknown_relation": _unknown_relation,
    "paid": _paid,
    "other_payer": _other_payer,
}
