"""What a work order consists of, and the check of one that is sent.

Fields, formats, codes and messages: https://knowledge.out-smart.com/openapi/work-orders and
https://github.com/CloudEcosystemDev/outsmart-component. Types of work and payment methods must be among the account's
own or, where it has none, among OutSmart's defaults. An example of the description takes others, too; here they are
refused, as are employees, projects, work statuses, addresses, contact persons, warehouses and hour types that are not
there. The relation need not be there: a work order carries its own addresses.
"""

from typing import Any

from sandbox.outsmart.entities import ENTITIES, PAYMENT_METHODS, WORK_ORDERS, WORK_TYPES
from sandbox.outsmart.envelope import DATA_UNREADABLE, FIELD_MISSING, RefusedError
from sandbox.outsmart.records import Record, Records
from sandbox.outsmart.values import Form, as_price, day, stored, time_of_day

READ_ONLY = frozenset({
    "id", "status", "CreationDate", "WorkFinished", "Archived", "Signature", "SignatureUrl", "PdfUrl", "WordUrl",
    "WorksheetCode", "WorkInstruction", "Photos", "Documents", "Reference", "ExternalReference", "JobNr",
    "ProjectActivityNr", "CustomerCountry", "CustomerCountryInvoice", "SignatureContactperson", "PgpCode",
    "Accountmanager", "ContractNumber", "SlaCode", "MutationDate", "UDID", "StatusChanges", "FreeFields",
})  # fmt: skip
_DATES = frozenset({"WorkDate", "WorkEndDate", "WorkDeadline"})
_TIMES = frozenset({"WorkTime", "WorkEndTime"})
_REFERENCES = {
    "EmployeeNr": "employees", "ProjectNr": "projects", "WorkStatus": "workstatusses", "AdrCode": "addresses",
    "CpnCode": "contactpersons", "CpnCodeInvoice": "contactpersons",
}  # fmt: skip
_MATERIAL: dict[str, Form] = {
    "MaterialCode": "text", "MaterialNr": "quantity", "MaterialPrice": "price", "MaterialName": "text",
    "MaterialUnit": "text", "MaterialType": "text", "MaterialWarehouseCode": "text", "MaterialWarrantyCode": "text",
    "MaterialDiscountPercentage": "quantity", "MaterialOriginalPrice": "price",
    **{f"MaterialFreeField{number}": "text" for number in range(1, 6)},
}  # fmt: skip
_MATERIAL_REQUIRED = ("MaterialCode", "MaterialNr", "MaterialPrice", "MaterialName")
_PERIOD: dict[str, Form] = dict.fromkeys(
    ("WorkDate", "BeginTime", "EndTime", "Break", "TotalTime", "Travel", "WorkRemark", "HourType", "EmployeeNr"), "text"
)
_FORM = frozenset({"Name", "Data", "ObjectCode"})
_ATTACHMENT = frozenset({"File", "Data", "FileName"})
_DATE_INVALID, _TIME_INVALID = "Date invalid. Format: 20-02-2016", "Time invalid. Format: 07:08"


class WorkOrderForm:
    """Checks work orders and their parts.

    Args:
        records: What there is to refer to.
    """

    def __init__(self, records: Records) -> None:
        self._records = records

    def check(self, account: str, sent: Any) -> Record:
        """The fields of one sent work order in the form in which they are kept.

        Raises:
            RefusedError: A required field is missing (each is named in a message of its own), or something cannot be
                read or refers to what is not there.
        """
        if not isinstance(sent, dict):
            raise RefusedError(DATA_UNREADABLE, "Work order is not a record")
        _require(sent, WORK_ORDERS.required)
        record = {name: self._value(account, name, value) for name, value in sent.items()}
        problems = self.problems(account, record)
        if problems:
            raise RefusedError(DATA_UNREADABLE, *problems)
        return record

    def problems(self, account: str, record: Record) -> list[str]:
        """What is wrong with dates, times and references of a work order."""
        found = [_DATE_INVALID for name in _DATES if record.get(name) and not day(record[name])]
        found += [_TIME_INVALID for name in _TIMES if record.get(name) and not time_of_day(record[name])]
        for name, entity in _REFERENCES.items():
            found += self._missing(account, name, entity, record.get(name))
        for number in record.get("Employees") or ():
            found += self._missing(account, "Employees", "employees", number)
        for name, entity, usual in (
            ("TypeOfWork", "worktypes", WORK_TYPES), ("PaymentMethod", "paymentmethods", PAYMENT_METHODS),
        ):  # fmt: skip
            known = self._records.of(account, entity) or usual
            if record.get(name) and record[name] not in known:
                found.append(f"{name} {record[name]} not found")
        return found

    def material(self, account: str, sent: Any) -> Record:
        """One checked line of material.

        Raises:
            RefusedError: It cannot be taken.
        """
        line = _line("Materials", _MATERIAL, sent)
        _require(line, _MATERIAL_REQUIRED)
        self._refuse(self._missing(account, "MaterialWarehouseCode", "warehouses", line.get("MaterialWarehouseCode")))
        return line

    def _period(self, account: str, sent: Any) -> Record:
        line = _line("Workperiods", _PERIOD, sent)
        if line.get("WorkDate") and not day(line["WorkDate"]):
            raise RefusedError(DATA_UNREADABLE, _DATE_INVALID)
        if any(line.get(name) and not time_of_day(line[name]) for name in ("BeginTime", "EndTime", "TotalTime")):
            raise RefusedError(DATA_UNREADABLE, _TIME_INVALID)
        self._refuse(self._missing(account, "HourType", "hourtypes", line.get("HourType")))
        self._refuse(self._missing(account, "EmployeeNr", "employees", line.get("EmployeeNr")))
        return line

    def _value(self, account: str, name: str, value: Any) -> Any:
        form = WORK_ORDERS.fields.get(name)
        if form is None or name in READ_ONLY:
            raise RefusedError(DATA_UNREADABLE, f"Unknown field {name}")
        if form == "lines":
            return [self._part(account, name, one) for one in _listed(name, value)]
        try:
            return stored(form, value) or ""
        except (ValueError, TypeError):
            raise RefusedError(DATA_UNREADABLE, f"Invalid value for {name}") from None

    def _part(self, account: str, name: str, sent: Any) -> Any:
        if name == "Materials":
            return self.material(account, sent)
        if name == "Workperiods":
            return self._period(account, sent)
        if name in {"Employees", "WorkObjects"}:
            if not isinstance(sent, str | int):
                raise RefusedError(DATA_UNREADABLE, f"Invalid value for {name}")
            return str(sent)
        return _line(name, dict.fromkeys(_FORM if name == "Forms" else _ATTACHMENT, "text"), sent)

    def _missing(self, account: str, name: str, entity: str, value: str | None) -> list[str]:
        known = self._records.of(account, ENTITIES[entity].name)
        return [f"{name} {value} not found"] if value and value not in known else []

    def _refuse(self, problems: list[str]) -> None:
        if problems:
            raise RefusedError(DATA_UNREADABLE, *problems)


def shown(record: Record) -> Record:
    """A work order as it is given back: blank where nothing was filled in, with what its materials cost."""
    empty: Record = {name: [] if form == "lines" else "" for name, form in WORK_ORDERS.fields.items()}
    materials = [{"MaterialTotalPrice": _total(line)} | line for line in record.get("Materials") or ()]
    return empty | record | {"Materials": materials}


def _total(line: Record) -> str:
    return f"{as_price(line['MaterialNr']) * as_price(line['MaterialPrice']):.2f}".replace(".", ",")


def _require(sent: dict[str, Any], names: tuple[str, ...]) -> None:
    missing = [name for name in names if sent.get(name) is None or not str(sent[name]).strip()]
    if missing:
        raise RefusedError(FIELD_MISSING, *(f"Required field missing: {name}" for name in missing))


def _listed(name: str, value: Any) -> list[Any]:
    if value is not None and not isinstance(value, list):
        raise RefusedError(DATA_UNREADABLE, f"{name} is not a list")
    return value or []


def _line(name: str, fields: dict[str, Form], sent: Any) -> Record:
    if not isinstance(sent, dict):
        raise RefusedError(DATA_UNREADABLE, f"{name}: not a record")
    line: Record = dict.fromkeys(fields)
    for key, value in sent.items():
        if key not in fields:
            raise RefusedError(DATA_UNREADABLE, f"{name}: unknown field {key}")
        try:
            line[key] = stored(fields[key], value) if value != "" else ""
        except (ValueError, TypeError):
            raise RefusedError(DATA_UNREADABLE, f"{name}: invalid value for {key}") from None
    return line
