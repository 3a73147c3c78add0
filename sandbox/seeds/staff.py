"""Who works for one company, and where its stock lies."""

from typing import Any

from sandbox.fixed_world import USERS
from sandbox.seeds.books import Books
from sandbox.seeds.pools import plain
from sandbox.seeds.traits import EMPLOYEE_TRAITS as TRAITS

_VANS = 3
_USERS = [user.user_id for user in USERS.values()]


def make_staff(books: Books) -> None:
    """Make employees: technicians, some of whom have left, some who have yet to come, one without a number."""
    for index in range(books.share(0.012, 10, 60)):
        _employee(books, index)


def make_warehouses(books: Books) -> None:
    """Make the main warehouse and the vans."""
    if books.is_empty:
        return
    books.make("inventory/Warehouses", Code="1", Description=books.words.warehouse, Main=1, UseStorageLocations=0)
    for number in range(1, _VANS + 1):
        books.make(
            "inventory/Warehouses", Code=f"BUS{number:02d}", Description=f"{books.words.van} {number}", Main=0,
            UseStorageLocations=0,
        )  # fmt: skip


def _employee(books: Books, index: int) -> None:
    chance, day = books.chance, books.stamps.day
    first, last = chance.choice(books.pool.first_names), chance.choice(books.pool.last_names)
    mailbox = f"{plain(first)}.{plain(last)}"
    books.make(
        "payroll/Employees",
        Code=None if index in TRAITS["no_code"] else str(index + 1),
        HID=index + 1,
        FirstName=first,
        LastName=last,
        Initials=f"{first[0]}.",
        BusinessEmail=None if index in TRAITS["no_email"] else f"{mailbox}@example.com",
        BusinessMobile=f"{books.pool.country.dialling} 6 555 {chance.randint(1000, 9999)}",
        Email=f"{mailbox}@example.com",
        StartDate=day(20) if index in TRAITS["not_started"] else day(-chance.randint(200, 3000)),
        EndDate=day(-chance.randint(5, 150)) if index in TRAITS["left"] else None,
        User=_USERS[index] if index < len(_USERS) else None,
        Language=books.pool.country.language,
        **_private(books, mailbox),
    )


def _private(books: Books, mailbox: str) -> dict[str, Any]:
    """What no field service has any business with."""
    chance = books.chance
    return {
        "AddressStreet": chance.choice(books.pool.streets),
        "AddressStreetNumber": str(chance.randint(1, 250)),
        "Postcode": books.pool.country.postcode(chance),
        "City": chance.choice(books.pool.cities),
        "Country": books.pool.country.code,
        "BirthDate": books.stamps.day(-chance.randint(20 * 365, 60 * 365)),
        "Gender": chance.choice("MVO"),
        "MaritalStatus": chance.randint(1, 4),
        "PrivateEmail": f"{mailbox}@private.example.org",
        "Phone": f"{books.pool.country.dialling} 30 555 {chance.randint(1000, 9999)}",
        "SocialSecurityNumber": f"00{chance.randint(1_000_000, 9_999_999)}",
        "IsAnonymised": 0,
    }
