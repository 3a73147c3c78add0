"""The vocabulary in which a package declares what can be exported to it: kinds of documents, settings, strictness."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from outsmart_sync.records.export_document import Entity
from outsmart_sync.records.setting_kinds import Setting, StartDate

WORK_ORDERS, INVOICE_STATUS = "work_orders", "invoice_status"
"""Names of the export categories: settings, task groups, log."""


class Negative(StrEnum):
    """What a package makes of a document whose total is below zero."""

    CREDIT = "credit"
    """A credit note."""
    TAKEN = "taken"
    """It takes it as it is."""
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True, eq=False)
class DocumentKind:
    """One kind of document that work orders can become.

    Attributes:
        name: Stable name: the ledger's kind, and the value of the setting ``document``.
        label: As a person reads it, singular.
        by_line: There is no document: each line is made by a call of its own, with a ledger line of its own.
        quantity_decimals: So many the package keeps of a quantity; more are rounded before anything is computed.
        price_decimals: So many it keeps of a price.
        tolerance: By so much its total may differ from the sum of the lines' amounts, per line, by its own rules.
        package_prices: The package computes the prices of hours: they are compared by quantity.
        negative: What it makes of a total below zero.
        text_lines: It takes lines that are only text; else the work description goes into the remarks.
        takes_files: A file can be attached.
        takes_photos: So can the work order's photos.
        file_calls: Calls that a file takes.
        discount_decimals: So many the package keeps of a discount as a fraction; None: all of them.
        journals: A journal can be chosen for it.
        payment_conditions: So can a payment condition.
    """

    name: str
    label: str
    by_line: bool = False
    quantity_decimals: int = 4
    price_decimals: int = 6
    tolerance: Decimal = Decimal(0)
    package_prices: bool = False
    negative: Negative = Negative.TAKEN
    text_lines: bool = False
    takes_files: bool = True
    takes_photos: bool = False
    file_calls: int = 3
    discount_decimals: int | None = None
    journals: bool = False
    payment_conditions: bool = True


@dataclass(frozen=True, kw_only=True, eq=False)
class ExportCategory:
    """One thing about exports that a person can switch on; in settings and in the DAG it stands beside the imports.

    Attributes:
        name: Stable name.
        label: As a person reads it.
        filters: What can be set besides whether it is switched on.
        tier: Licence that it needs.
        after: Categories that must be switched on for it.
    """

    name: str
    label: str
    filters: tuple[Setting, ...] = ()
    tier: str = "basic"
    after: tuple[str, ...] = ()

    @property
    def start(self) -> StartDate | None:
        """Exports have a cut-off moment instead of a first day."""
        return None


@dataclass(frozen=True, kw_only=True, eq=False)
class Exports:
    """What a package declares in its ``exports.py`` as ``EXPORTS``.

    Attributes:
        kinds: Document kinds; the first one is the default.
        appends_to: Names of the record types that the package's imports make work orders of, and to which a work order
            goes back; each with the kind under which it is made.
        settings: Settings that only this package has: journals, defaults for new customers and articles.
        fixed_facts: Entities of which the id alone will do, so that the mirror answers; others are looked up once a day
            for their facts (time unit, prices with VAT).
        never_sold: What the numbers of work orders begin with that are for the firm's own use.
        statuses: Whether the package tells what became of documents, so that there is a way back.
    """

    kinds: tuple[DocumentKind, ...]
    appends_to: dict[str, str] = field(default_factory=dict)
    settings: tuple[Setting, ...] = ()
    fixed_facts: frozenset[Entity] = frozenset({Entity.CUSTOMER, Entity.ARTICLE, Entity.PROJECT, Entity.EMPLOYEE})
    never_sold: tuple[str, ...] = ()
    statuses: bool = True

    def kind(self, name: str) -> DocumentKind:
        """The document kind of this name.

        Raises:
            KeyError: There is none.
        """
        for kind in self.kinds:
            if kind.name == name:
                return kind
        raise KeyError(name)


JOURNALS, PAYMENT_CONDITIONS = "journal", "payment_condition"
"""Names of the settings that hold a code of the package's own lists, as rules do, too."""
