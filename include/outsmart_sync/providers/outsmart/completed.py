"""Completed work orders of an account: read whole, with everything that may be billed, and marked as handled.

Fields and forms: https://knowledge.out-smart.com/openapi/work-orders and
https://github.com/CloudEcosystemDev/outsmart-component . Every read says ``update_status=false``; only :meth:`handle`
says true, and for one work order. What each method promises is in ``pipeline/export_ports.py``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from outsmart_sync.errors import RecordError
from outsmart_sync.providers.outsmart.errors import GONE
from outsmart_sync.providers.outsmart.wire import text_of
from outsmart_sync.records.completed_work_order import COMPLETE, CompletedWorkOrder, Material, Period
from outsmart_sync.records.export_document import Place
from outsmart_sync.records.values import parse_decimal

if TYPE_CHECKING:
    from outsmart_sync.providers.outsmart.client import OutSmartClient

_EVERY_STATUS = "Alle"
_PDF_BEGINS = b"%PDF"
_MOMENTS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%d-%m-%Y %H:%M:%S", "%d-%m-%Y %H:%M")


class CompletedWorkOrders:
    """An account's completed work orders.

    Args:
        client: The account's session.
    """

    def __init__(self, client: OutSmartClient) -> None:
        self._client = client

    @property
    def calls(self) -> int:
        """Calls made so far."""
        return self._client.calls

    def completed(self, work_status: str) -> Iterator[CompletedWorkOrder]:
        """Completed work orders that nobody has handled; with a work status: all completed ones that have it."""
        query = {"status": COMPLETE if not work_status else _EVERY_STATUS, "update_status": "false"}
        if work_status:
            query["workstatus"] = work_status
        try:
            for fields in self._client.get_list("GetWorkorders", query):
                found = read(fields)
                if found.row_id and found.finished and not found.archived:
                    yield found
        except RecordError as error:
            if error.code != GONE:  # "not found by given criteria" is how an account without any may say so
                raise

    def by_row(self, row_id: str) -> CompletedWorkOrder | None:
        """One work order by its row id; None: there is none."""
        return self._one({"row_id": row_id, "update_status": "false"})

    def by_number(self, number: str) -> list[CompletedWorkOrder]:
        """The work orders with a number, finished or not; one call unless there is one."""
        first = self._one({"workorder_no": number, "update_status": "false"})
        if first is None:
            return []
        rest = self._client.get_list("GetWorkorders", {"status": _EVERY_STATUS, "update_status": "false"})
        same = (read(fields) for fields in rest if text_of(fields.get("WorkorderNo")) == first.number)
        return list({each.row_id: each for each in (first, *same)}.values())

    def handle(self, row_id: str) -> CompletedWorkOrder | None:
        """Mark one work order as handled, and return it as it was; safe to repeat. None: it was removed."""
        return self._one({"row_id": row_id, "update_status": "true"})

    def set_work_status(self, row_id: str, code: str) -> None:
        """Give a work order a work status; safe to repeat."""
        self._client.change("UpdateWorkorder", {"row_id": row_id, "workstatus": code})

    def pdf(self, work_order: CompletedWorkOrder) -> bytes | None:
        """A work order's PDF; None: it has none, or what is there is none."""
        if not work_order.pdf_url:
            return None
        content = self._client.download(work_order.pdf_url)
        return content if content.startswith(_PDF_BEGINS) else None

    def photo(self, address: str) -> bytes | None:
        """One of a work order's photos; None: there is nothing at its address."""
        return self._client.download(address) or None

    def close(self) -> None:
        """End the session."""
        self._client.close()

    def _one(self, query: Mapping[str, str]) -> CompletedWorkOrder | None:
        try:
            answer = self._client.get("GetWorkorder", query)
        except RecordError as error:
            if error.code == GONE:
                return None
            raise
        found = answer[0] if isinstance(answer, list) and answer else answer
        return read(found) if isinstance(found, dict) and text_of(found.get("id")) else None


class _Reader:
    """Reads fields of one record, and remembers what cannot be read."""

    def __init__(self, fields: Mapping[str, Any], where: str, unreadable: list[str]) -> None:
        self._fields, self._where, self._unreadable = fields, where, unreadable

    def text(self, name: str) -> str:
        return text_of(self._fields.get(name))

    def number(self, name: str) -> Decimal | None:
        text = self.text(name)
        try:
            return parse_decimal(text) if text else None
        except ValueError:
            self._bad(name, text)
            return None

    def whole(self, name: str) -> int:
        number = self.number(name) or Decimal(0)
        if number != number.to_integral_value():
            self._bad(name, f"{number}")
        return int(number)

    def day(self, name: str) -> date | None:
        text = self.text(name)
        try:
            return datetime.strptime(text, "%d-%m-%Y").date() if text else None  # noqa: DTZ007 - a plain day
        except ValueError:
            self._bad(name, text)
            return None

    def clock(self, name: str) -> time | None:
        text = self.text(name)
        try:
            return time.fromisoformat(text[:5].zfill(5)) if text else None
        except ValueError:
            self._bad(name, text)
            return None

    def minutes(self, name: str) -> int | None:
        """A length such as 07:30, which may be longer than a day."""
        text = self.text(name)
        if not text:
            return None
        found = re.fullmatch(r"(\d+):([0-5]\d)(?::\d\d)?", text)
        if found is None:
            self._bad(name, text)
            return None
        return int(found[1]) * 60 + int(found[2])

    def _bad(self, name: str, text: str) -> None:
        """Remember a field that cannot be read."""
        self._unreadable.append(f"{self._where}{name} '{text}'")


def read(fields: Mapping[str, Any]) -> CompletedWorkOrder:
    """A work order as OutSmart sends it."""
    unreadable: list[str] = []
    of = _Reader(fields, "", unreadable)
    invoice = of.text("CustomerDebtorNrInvoice")
    return CompletedWorkOrder(
        row_id=of.text("id"),
        number=of.text("WorkorderNo") or of.text("id"),  # not every work order has one
        status=of.text("status"),
        work_status=of.text("WorkStatus"),
        reference=of.text("ExternalReference") or of.text("Reference"),
        project=of.text("ProjectNr"),
        customer=of.text("CustomerDebtorNr"),
        invoice_customer="" if invoice == of.text("CustomerDebtorNr") else invoice,
        address=_place(of, ""),
        invoice_address=_place(of, "Invoice"),
        email=of.text("CustomerEmail"),
        phone=of.text("CustomerPhone"),
        type_of_work=of.text("TypeOfWork"),
        payment_method=of.text("PaymentMethod"),
        description=of.text("WorkDescription"),
        short_description=of.text("ShortWorkDescription"),
        day=of.day("WorkDate"),
        end_day=of.day("WorkEndDate"),
        completed_at=_completed_at(fields),
        minimum_hours=of.number("MinimumHours"),
        rounding_minutes=of.whole("RoundingAmount"),
        materials=[
            _material(each, f"material {place}: ", unreadable)
            for place, each in enumerate(fields.get("Materials") or (), 1)
        ],
        periods=[
            _period(each, f"period {place}: ", unreadable)
            for place, each in enumerate(fields.get("Workperiods") or (), 1)
        ],
        pdf_url=of.text("PdfUrl"),
        photos=[text_of(each.get("image")) for each in fields.get("Photos") or () if each.get("image")],
        archived=of.text("Archived") == "1",
        unreadable=unreadable,
    )


def _place(of: _Reader, side: str) -> Place:
    street = f"{of.text(f'CustomerStreet{side}')} {of.text(f'CustomerStreetNo{side}')}".strip()
    return Place(
        name=of.text(f"CustomerName{side}"),
        street=street,
        postcode=of.text(f"CustomerZIP{side}"),
        city=of.text(f"CustomerCity{side}"),
        country=of.text(f"CustomerCountry{side}"),
    )


def _material(fields: Mapping[str, Any], where: str, unreadable: list[str]) -> Material:
    of = _Reader(fields, where, unreadable)
    return Material(
        code=of.text("MaterialCode"),
        name=of.text("MaterialName"),
        unit=of.text("MaterialUnit"),
        quantity=of.number("MaterialNr") or Decimal(0),
        price=of.number("MaterialPrice") or Decimal(0),
        original_price=of.number("MaterialOriginalPrice"),
        discount=of.number("MaterialDiscountPercentage") or Decimal(0),
        total=of.number("MaterialTotalPrice"),
        warehouse=of.text("MaterialWarehouseCode"),
    )


def _period(fields: Mapping[str, Any], where: str, unreadable: list[str]) -> Period:
    of = _Reader(fields, where, unreadable)
    return Period(
        day=of.day("WorkDate"),
        begin=of.clock("BeginTime"),
        end=of.clock("EndTime"),
        pause=of.whole("Break"),
        total=of.minutes("TotalTime"),
        travel=of.number("Travel") or Decimal(0),
        remark=of.text("WorkRemark"),
        hour_type=of.text("HourType"),
        employee=of.text("EmployeeNr"),
    )


def _completed_at(fields: Mapping[str, Any]) -> datetime | None:
    """When it was completed, by the changes of its status; else, where no day of work is told, when it was changed."""
    changes = fields.get("StatusChanges")
    found = [
        moment
        for each in (changes if isinstance(changes, list) else ())
        if isinstance(each, dict) and text_of(each.get("status")) == COMPLETE
        if (moment := _moment(text_of(each.get("timestamp"))))
    ]
    if found:
        return max(found)
    dated = any(text_of(fields.get(name)) for name in ("WorkEndDate", "WorkDate"))
    # A note that somebody adds years later changes it, too.
    return None if dated else _moment(text_of(fields.get("MutationDate")))


def _moment(text: str) -> datetime | None:
    """A moment as OutSmart writes it, without a zone; it is taken for UTC, which is at most two hours off."""
    for form in _MOMENTS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None
