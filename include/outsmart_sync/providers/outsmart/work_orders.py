"""Wire forms of a work order: its own field names, dates as d-m-Y, times as H:i, numbers as text with a comma.

Fields and forms: https://knowledge.out-smart.com/openapi/work-orders and
https://github.com/CloudEcosystemDev/outsmart-component .
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import msgspec

from outsmart_sync.errors import RecordError
from outsmart_sync.providers.outsmart.wire import read_field, text_of
from outsmart_sync.records.exchange import Document, Stage
from outsmart_sync.records.record import Kind
from outsmart_sync.records.values import Payload, decimal_text, parse_decimal
from outsmart_sync.records.work_order import WORK_ORDER, MaterialLine, decode_materials, encode_materials

log = logging.getLogger(__name__)

_NAMES = {
    "number": "WorkorderNo",
    "customer": "CustomerDebtorNr",
    "customer_name": "CustomerName",
    "customer_street": "CustomerStreet",
    "customer_zip": "CustomerZIP",
    "customer_city": "CustomerCity",
    "customer_contact": "CustomerContactPerson",
    "customer_email": "CustomerEmail",
    "customer_phone": "CustomerPhone",
    "address": "AdrCode",
    "contact_person": "CpnCode",
    "invoice_customer": "CustomerDebtorNrInvoice",
    "invoice_name": "CustomerNameInvoice",
    "invoice_street": "CustomerStreetInvoice",
    "invoice_zip": "CustomerZIPInvoice",
    "invoice_city": "CustomerCityInvoice",
    "invoice_contact": "CustomerContactPersonInvoice",
    "invoice_email": "CustomerEmailInvoice",
    "invoice_phone": "CustomerPhoneInvoice",
    "type_of_work": "TypeOfWork",
    "payment_method": "PaymentMethod",
    "description": "WorkDescription",
    "internal_description": "InternalWorkDescription",
    "short_description": "ShortWorkDescription",
    "order_number": "OrderNr",
    "project": "ProjectNr",
    "extern_project": "ExternProjectNr",
    "employee": "EmployeeNr",
    "work_date": "WorkDate",
    "work_time": "WorkTime",
    "work_end_date": "WorkEndDate",
    "work_end_time": "WorkEndTime",
    "deadline": "WorkDeadline",
    "duration": "WorkDuration",
    "work_status": "WorkStatus",
    "comment": "Comment",
}
_HOUSE_NUMBERS = {"customer_street": "CustomerStreetNo", "invoice_street": "CustomerStreetNoInvoice"}
"""OutSmart keeps the house number apart; ours is in the street, as on relations."""

_CHANGES = {"work_date": "workdate", "work_time": "worktime", "employee": "employee_nr", "work_status": "workstatus"}
_TIMES = ("work_time", "work_end_time")
_NO_DURATION = "0"

_STAGES = {
    "Klaargezet": Stage.NEW,
    "Opgehaald": Stage.STARTED,
    "Compleet": Stage.FINISHED,
    "Afgehandeld": Stage.FINISHED,
}


def to_wire(payload: Payload) -> dict[str, Any]:
    """A work order as it is posted; blank fields are left out.

    Raises:
        RecordError: A date or the materials cannot be read.
    """
    body: dict[str, Any] = {_NAMES[name]: text for name, text in _filled(payload).items() if name != "materials"}
    if materials := payload.get("materials"):
        body["Materials"] = lines_to_wire(str(materials))
    return body


def changes_to_wire(changes: Payload) -> dict[str, str]:
    """Changed fields as parameters of an update; materials travel apart, blank fields not at all.

    Raises:
        RecordError: A date cannot be read.
    """
    return {_CHANGES[name]: text for name, text in _filled(changes).items() if name != "materials"}


def lines_to_wire(materials: str) -> list[dict[str, str]]:
    """Material lines as they are posted.

    Raises:
        RecordError: They cannot be read.
    """
    try:
        return [_line_to_wire(line) for line in decode_materials(materials)]
    except msgspec.DecodeError as error:
        raise _unwritable("materials", materials) from error


def from_wire(fields: Mapping[str, Any]) -> Payload:
    """A work order as OutSmart sends it, in canonical form; what is blank or cannot be read is left out."""
    payload: Payload = {}
    for field in WORK_ORDER.fields:
        value = fields.get(_NAMES.get(field.name, ""))
        if field.kind is Kind.DATE:
            text: str | bool | None = _iso_date(text_of(value))
        elif field.name in _TIMES:
            text = _clock(text_of(value))
        else:
            text = read_field(WORK_ORDER, field, value, text_of(fields.get("WorkorderNo")))
        if text:
            payload[field.name] = text
    if payload.get("duration") == _NO_DURATION:
        del payload["duration"]
    for street, number in _HOUSE_NUMBERS.items():
        if rest := text_of(fields.get(number)):
            payload[street] = f"{payload.get(street, '')} {rest}".strip()
    if lines := [_line_from_wire(line) for line in fields.get("Materials") or ()]:
        payload["materials"] = encode_materials(lines)
    return payload


def document(fields: Mapping[str, Any]) -> Document:
    """A work order as the pipeline knows it."""
    payload = from_wire(fields)
    return Document(
        remote_id=text_of(fields.get("id")),
        number=str(payload.get("number", "")),
        stage=_stage(fields),
        payload=payload,
    )


def _stage(fields: Mapping[str, Any]) -> Stage:
    if text_of(fields.get("Archived")) == "1":
        return Stage.FINISHED
    status = text_of(fields.get("status"))
    if status not in _STAGES:
        log.warning("Work order %s has the status '%s', which is not documented", fields.get("WorkorderNo"), status)
    return _STAGES.get(status, Stage.STARTED)  # nobody knows what it means, so it is left alone


def _filled(payload: Payload) -> dict[str, str]:
    """The fields that are not blank, in the form in which they travel."""
    found: dict[str, str] = {}
    for name, value in payload.items():
        text = str(value)
        if not text.strip() or (name == "duration" and text == _NO_DURATION):
            continue
        found[name] = _day(name, text) if WORK_ORDER.field(name).kind is Kind.DATE else text
    return found


def _day(name: str, text: str) -> str:
    try:
        return f"{date.fromisoformat(text):%d-%m-%Y}"
    except ValueError as error:
        raise _unwritable(name, text) from error


def _iso_date(text: str) -> str | None:
    """A date of OutSmart's; None when there is none."""
    if not text:
        return None
    try:
        return datetime.strptime(text, "%d-%m-%Y").date().isoformat()  # noqa: DTZ007 - a plain day
    except ValueError:
        log.warning("A work order of OutSmart's has a date that cannot be read: '%s'", text)
        return None


def _clock(text: str) -> str | None:
    """Hours and minutes; a time with seconds loses them."""
    return text[:5] or None


def _line_to_wire(line: MaterialLine) -> dict[str, str]:
    """A line as it is posted; the vendor's examples write its numbers with a comma."""
    body = {
        "MaterialCode": line.code,
        "MaterialNr": line.quantity.replace(".", ","),
        "MaterialPrice": line.price.replace(".", ","),
        "MaterialName": line.name,
        "MaterialUnit": line.unit,
        "MaterialWarehouseCode": line.warehouse,
    }
    return {name: value for name, value in body.items() if value}


def _line_from_wire(line: Mapping[str, Any]) -> MaterialLine:
    return MaterialLine(
        code=text_of(line.get("MaterialCode")),
        name=text_of(line.get("MaterialName")),
        unit=text_of(line.get("MaterialUnit")),
        quantity=_number(text_of(line.get("MaterialNr"))),
        price=_number(text_of(line.get("MaterialPrice"))),
        warehouse=text_of(line.get("MaterialWarehouseCode")),
    )


def _number(text: str) -> str:
    """A number in canonical form; what is none stays as it is, so that it equals nothing of ours."""
    try:
        return decimal_text(parse_decimal(text or "0"))
    except ValueError:
        log.warning("A material line of OutSmart's has a number that cannot be read: '%s'", text)
        return text


def _unwritable(name: str, value: str) -> RecordError:
    label = WORK_ORDER.field(name).label
    return RecordError(
        f"The work order's {label} cannot be read, so it was not sent.",
        remedy="Correct it in the bookkeeping package; it is sent again when it changes.",
        code="unreadable_field",
        technical=f"{name}: {value[:100]!r}",
    )
