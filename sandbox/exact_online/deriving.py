"""Ways to work out properties from other properties and rows; `derived.py` says which property takes which."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from sandbox.fixed_world import LOGINS_BY_ID

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
Derivations = dict[str, Derivation]


def user_name(field: str) -> Derivation:
    """The full name of the user whose id `field` holds."""
    return lambda row, _: user.full_name if (user := LOGINS_BY_ID.get(getattr(row, field))) else None


def named(field: str, names: Mapping[str, str]) -> Derivation:
    """The name of the code that `field` holds."""
    return lambda row, _: names.get((getattr(row, field) or "").strip())


def worded(field: str, words: Mapping[int, str]) -> Derivation:
    """The word for the number that `field` holds."""
    return lambda row, _: words.get(getattr(row, field))


def same_as(field: str) -> Derivation:
    """The value of `field` under another name."""
    return lambda row, _: getattr(row, field)


def of(field: str, table: str, wanted: str) -> Derivation:
    """A property of the row that `field` points to."""
    return lambda row, near: getattr(near.find(table, getattr(row, field)), wanted, None)


def pointing(field: str, table: str, /, **wanted: str) -> Derivations:
    """Properties of the row that `field` points to, each under its name here."""
    return {name: of(field, table, there) for name, there in wanted.items()}


def contact_name(field: str) -> Derivation:
    """The full name of the contact that `field` points to."""

    def look_up(row: Any, near: Surroundings) -> str | None:
        contact = near.find("crm/Contacts", getattr(row, field))
        return full_name(contact, near) if contact else None

    return look_up


def full_name(row: Any, _: Surroundings) -> str:
    """First, middle and last name."""
    return " ".join(part for part in (row.FirstName, row.MiddleName, row.LastName) if part)


def unit(field: str, wanted: str) -> Derivation:
    """A property of the unit whose code `field` holds."""

    def look_up(row: Any, near: Surroundings) -> Any:
        units = near.having("logistics/Units", "Code", getattr(row, field))
        return getattr(units[0], wanted) if units else None

    return look_up


def count(table: str, field: str, key: str) -> Derivation:
    """How many rows of a table point here."""
    return lambda row, near: len(near.having(table, field, getattr(row, key)))


def total(table: str, field: str, key: str, *amounts: str) -> Derivation:
    """The sum of amounts over the rows of a table that point here, to the cent."""

    def add_up(row: Any, near: Surroundings) -> float:
        rows = near.having(table, field, getattr(row, key))
        return round(sum(getattr(one, amount) or 0.0 for one in rows for amount in amounts), 2)

    return add_up


PEOPLE: Derivations = {
    "CreatorFullName": user_name("Creator"),
    "ModifierFullName": user_name("Modifier"),
}
ITEM = pointing("Item", "logistics/Items", ItemCode="Code", ItemDescription="Description")
