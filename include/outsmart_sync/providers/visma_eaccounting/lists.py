"""VISMA's lists of values that a setting may have, and the proposal which units are hours.

Fields: the operations of each list's path in
https://eaccountingapi.vismaonline.com/openapi/v2.json .
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from outsmart_sync.records.setting_kinds import ValueList

if TYPE_CHECKING:
    from outsmart_sync.providers.visma_eaccounting.client import VismaClient
    from outsmart_sync.records.streams import Row


@dataclass(frozen=True, kw_only=True, eq=False)
class VismaList(ValueList):
    """A list of VISMA's, read whole.

    Attributes:
        path: The list, below ``/v2/``.
        title: Columns that tell a person what a row means.
        key: Column by which rows are known; a row without a value in it is left out.
        only: Column that must be true; '': all rows count.
    """

    path: str
    title: tuple[str, ...]
    key: str = "Id"
    only: str = ""


TITLE_SEPARATOR = ", "
"""Between the columns of a value's title."""

_HOUR_WORDS = frozenset(
    (
        *("hour", "hours", "hr", "hrs", "hur"),
        *("timme", "timmar", "tim", "time", "timer"),
        *("uur", "uren", "stunde", "stunden", "std", "tunti", "tunnit"),
    )
)
"""What an hour is called, or shortened to, in the countries of eAccounting; never a part of a longer name."""
_LETTERS = frozenset(("h", "u"))
"""Signs of an hour that may stand for something else, too, unless the unit is called nothing else."""


def hour_units(units: Sequence[tuple[str, str]]) -> list[str]:
    """Of units with their titles, those that are called an hour in one of the countries' languages."""
    return [value for value, title in units if is_hour(title.split(TITLE_SEPARATOR))]


def is_hour(names: Iterable[str]) -> bool:
    """Whether a unit with these names and signs is an hour, as far as that can be told from them."""
    known = {name.strip().strip(".").casefold() for name in names} - {""}
    return bool(known & _HOUR_WORDS) or (bool(known) and known <= _LETTERS)


UNITS = VismaList(
    name="units",
    label="units",
    path="units",
    title=("Name", "Abbreviation", "AbbreviationEnglish", "Code"),
    proposes=hour_units,
)
CUSTOMER_LABELS = VismaList(name="customer_labels", label="customer labels", path="customerlabels", title=("Name",))
ARTICLE_LABELS = VismaList(name="article_labels", label="article labels", path="articlelabels", title=("Name",))

ARTICLE_UNITS = VismaList(
    name="article_units", label="units", path="units", title=("Name", "Abbreviation", "AbbreviationEnglish", "Code")
)
TERMS_OF_PAYMENT = VismaList(
    name="terms_of_payment",
    label="terms of payment",
    path="termsofpayments",
    title=("Name",),
    only="AvailableForSales",
)
CODINGS = VismaList(
    name="article_codings",
    label="article account codings",
    path="articleaccountcodings",
    title=("Name", "Type"),
    only="IsActive",
)
DELIVERY_METHODS = VismaList(
    name="delivery_methods", label="delivery methods", path="deliverymethods", title=("Name", "Code"), key="Name"
)
DELIVERY_TERMS = VismaList(
    name="delivery_terms", label="delivery terms", path="deliveryterms", title=("Name", "Code"), key="Name"
)


def read_values(client: VismaClient, listed: VismaList) -> list[tuple[str, str]]:
    """The values of a list, each once, by what a person knows them by."""
    found: dict[str, str] = {}
    columns = dict.fromkeys(("Id", listed.key, *listed.title, *([listed.only] if listed.only else [])))
    for page in client.pages(listed.path, {"$select": ",".join(columns)}):
        for row in page.rows:
            key = str(row[listed.key] or "").strip()
            if key and (not listed.only or row[listed.only]):
                found[key] = _title(row, listed.title) or key
    return sorted(found.items(), key=lambda each: each[1].casefold())


def _title(row: Row, columns: Sequence[str]) -> str:
    words = (str(row.get(column) or "").strip() for column in columns)
    return TITLE_SEPARATOR.join(dict.fromkeys(word for word in words if word))
