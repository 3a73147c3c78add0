"""A completed work order with everything that may be billed, as it was read from OutSmart.

What OutSmart sends and cannot be read is named in ``unreadable``, never guessed.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal

import msgspec

from outsmart_sync.records.export_document import Place
from outsmart_sync.records.values import code_key, content_hash

COMPLETE, HANDLED = "Compleet", "Afgehandeld"
"""Main statuses, as OutSmart writes them: the work is done, and the office has done its part, too."""
FINISHED = (COMPLETE, HANDLED)


ROW_ID = "id:"
"""Begins a name that is a row id and nothing else: a number of one work order may be the row id of another."""


class Material(msgspec.Struct, frozen=True, kw_only=True):
    """A line of material.

    Attributes:
        code: Material code; '' for one that was only written down.
        name: What the line says.
        unit: Unit.
        quantity: May be negative, for what comes back.
        price: Of one unit.
        original_price: Price before a discount; None: not told.
        discount: Percentage.
        total: What OutSmart says that the line comes to; None: not told.
        warehouse: Warehouse code.
    """

    code: str = ""
    name: str = ""
    unit: str = ""
    quantity: Decimal = Decimal(0)
    price: Decimal = Decimal(0)
    original_price: Decimal | None = None
    discount: Decimal = Decimal(0)
    total: Decimal | None = None
    warehouse: str = ""


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of work.

    Attributes:
        day: The day it began.
        begin: When it began; None: not told.
        end: When it ended; earlier than ``begin``: on the next day.
        pause: Minutes that do not count.
        total: Minutes worked, as OutSmart says; None: not told.
        travel: Distance travelled.
        remark: What was done.
        hour_type: Code; may be ''.
        employee: Number.
    """

    day: date | None = None
    begin: time | None = None
    end: time | None = None
    pause: int = 0
    total: int | None = None
    travel: Decimal = Decimal(0)
    remark: str = ""
    hour_type: str = ""
    employee: str = ""


class CompletedWorkOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A work order.

    Attributes:
        row_id: OutSmart's id of it, unique within the account.
        number: Its number; not unique.
        status: Main status, as OutSmart writes it.
        work_status: Code of its work status.
        reference: The customer's own purchase number.
        project: Project number.
        customer: Debtor number of where the work was.
        invoice_customer: Debtor number of who pays; '' when it is the same.
        address: Where the work was.
        invoice_address: Where the bill goes.
        email: Of the customer.
        phone: Of the customer.
        type_of_work: As OutSmart lists it.
        payment_method: As OutSmart lists it.
        description: What was done; the customer reads it.
        short_description: The same in short.
        day: First day of the work.
        end_day: Last day.
        completed_at: When it was completed, aware UTC; None: only days are known.
        minimum_hours: Hours that are billed at least; None: as many as were worked.
        rounding_minutes: Step to which its hours are rounded up; 0: that of the settings.
        materials: Materials used.
        periods: Work done.
        pdf_url: Where its PDF is; '' when there is none.
        photos: Where its photos are.
        archived: It was put away.
        unreadable: Fields that cannot be read, with what they hold.
    """

    row_id: str
    number: str = ""
    status: str = ""
    work_status: str = ""
    reference: str = ""
    project: str = ""
    customer: str = ""
    invoice_customer: str = ""
    address: Place = Place()
    invoice_address: Place = Place()
    email: str = ""
    phone: str = ""
    type_of_work: str = ""
    payment_method: str = ""
    description: str = ""
    short_description: str = ""
    day: date | None = None
    end_day: date | None = None
    completed_at: datetime | None = None
    minimum_hours: Decimal | None = None
    rounding_minutes: int = 0
    materials: list[Material] = []
    periods: list[Period] = []
    pdf_url: str = ""
    photos: list[str] = []
    archived: bool = False
    unreadable: list[str] = []

    @property
    def fingerprint(self) -> str:
        """Of what is billed: the same whatever its statuses are, and wherever its PDF is."""
        plain = msgspec.structs.replace(
            self, status="", work_status="", completed_at=None, pdf_url="", photos=[], archived=False
        )
        return content_hash(encode(plain))

    @property
    def ended_at(self) -> datetime | None:
        """When the work was completed; where only days are known, the end of the last one; None: nobody says."""
        day = self.end_day or self.day
        return self.completed_at or (None if day is None else datetime.combine(day, time.max, UTC))

    def is_named(self, name: str) -> bool:
        """Whether a person who types this may mean it: its number, its row id, or ``id:`` with its row id."""
        key, own = code_key(name), code_key(self.row_id)
        return key == code_key(f"{ROW_ID}{own}") or key in (own, code_key(self.number))

    @property
    def finished(self) -> bool:
        """Whether the work is done: only then may it be exported."""
        return self.status in FINISHED

    @property
    def payer(self) -> str:
        """Debtor number of who pays."""
        return self.invoice_customer or self.customer


_encoder = msgspec.json.Encoder(order="deterministic")
_decoder = msgspec.json.Decoder(CompletedWorkOrder)


def encode(work_order: CompletedWorkOrder) -> str:
    """A work order as text."""
    return _encoder.encode(work_order).decode()


def decode(text: str) -> CompletedWorkOrder:
    """The work order behind :func:`encode`'s text."""
    return _decoder.decode(text)
