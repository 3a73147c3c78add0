"""Work orders: posted, fetched, changed.

They have endpoints of their own (https://github.com/CloudEcosystemDev/outsmart-component). A post is documented as
adding; so a second one with the same number adds a second work order. Fetching marks everything that is fetched as
handled unless `update_status=false`.
"""

import secrets
from collections.abc import Mapping
from typing import Any

from sandbox.clock import Clock
from sandbox.outsmart.entities import STATUSES, WORK_ORDERS
from sandbox.outsmart.envelope import (
    DATA_UNREADABLE,
    NOTHING_CHANGED,
    NOTHING_TO_UPDATE,
    WORK_ORDER_NOT_FOUND,
    RefusedError,
)
from sandbox.outsmart.records import Record, Records
from sandbox.outsmart.work_order_form import WorkOrderForm, shown

READY, FETCHED, COMPLETE, HANDLED = STATUSES
EVERYTHING = "Alle"
_UPDATES = {"workdate": "WorkDate", "worktime": "WorkTime", "employee_nr": "EmployeeNr", "workstatus": "WorkStatus"}
_NOT_UPDATED = {"EmployeeNr": "Employee not updated", "WorkStatus": "Workstatus not updated"}
_YES_OR_NO = {"true": True, "1": True, "false": False, "0": False}

Query = Mapping[str, str]


class WorkOrders:
    """The work orders of all accounts."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self._records = records
        self._clock = clock
        self._form = WorkOrderForm(records)

    def post(self, account: str, body: list[Any]) -> list[Record]:
        """Add all work orders of a body.

        Returns:
            Number and row id of each.

        Raises:
            RefusedError: One of them cannot be taken; then none is.
        """
        checked = [self._form.check(account, one) for one in body]
        made = [self._dated({}, self.new(account) | record) for record in checked]
        self._records.write(account, WORK_ORDERS, made, "api")
        return [{"workorder_no": one["WorkorderNo"], "row_id": int(one["id"])} for one in made]

    def new(self, account: str) -> Record:
        """What a work order has before anybody fills it in."""
        return {
            "id": str(self._records.next_number(account, WORK_ORDERS.name)),
            "status": READY,
            "CreationDate": f"{self._clock.now():%Y-%m-%d %H:%M}",
            "WorkFinished": "0",
            "Archived": "0",
            "WorksheetCode": secrets.token_hex(16),
        }

    def many(self, account: str, query: Query) -> list[Record]:
        """Fetch all work orders of a status, and of a work status if one is given.

        Raises:
            RefusedError: The status is missing or unknown; the description has no code for that.
        """
        status = query.get("status")
        if status != EVERYTHING and status not in STATUSES:
            raise RefusedError(WORK_ORDER_NOT_FOUND, f"Status must be {EVERYTHING} or one of {', '.join(STATUSES)}")
        found = [
            one
            for one in self._records.of(account, WORK_ORDERS.name).values()
            if status in {EVERYTHING, one["status"]} and query.get("workstatus") in {None, "", one.get("WorkStatus")}
        ]
        return self._handed_out(account, query, found)

    def one(self, account: str, query: Query) -> Record:
        """Fetch one work order by row id or number; of several with a number the oldest.

        Raises:
            RefusedError: There is none.
        """
        return self._handed_out(account, query, [self._find(account, query)])[0]

    def update(self, account: str, query: Query) -> None:
        """Change date, time, employee or work status.

        Raises:
            RefusedError: There is no such work order, nothing to change, or a value cannot be taken.
        """
        record = self._find(account, query)
        change = {field: query[name] for name, field in _UPDATES.items() if query.get(name)}
        if not change:
            raise RefusedError(NOTHING_TO_UPDATE)
        problems = self._form.problems(account, change)
        if problems:
            named = [text for field, text in _NOT_UPDATED.items() if any(one.startswith(field) for one in problems)]
            plain = [one for one in problems if not one.startswith(tuple(_NOT_UPDATED))]
            raise RefusedError(DATA_UNREADABLE, *plain, *named)
        self._change(account, record, change)

    def update_materials(self, account: str, query: Query, body: list[Any]) -> None:
        """Take the materials off (`ClearMaterials`), put those of the body on (`ProcessMaterials`), or both.

        What the two mean is not described; this is what their names say.

        Raises:
            RefusedError: There is no such work order, nothing to change, or a line cannot be taken.
        """
        record = self._find(account, query)
        clear, process = (_flag(query, name, default=False) for name in ("ClearMaterials", "ProcessMaterials"))
        if not clear and not process:
            raise RefusedError(NOTHING_TO_UPDATE)
        lines = [self._form.material(account, one) for one in body] if process else []
        self._change(account, record, {"Materials": [*([] if clear else record.get("Materials") or []), *lines]})

    def by_hand(self, account: str, key: str | None, change: Record) -> Record:
        """A work order as a planner makes it, or as a planner or technician changes it.

        Args:
            account: The account.
            key: Row id or number; None for a new one.
            change: Fields; one that is fetched needs an employee, and one that is completed counts as finished.

        Raises:
            ValueError: Nobody could have fetched it.
        """
        record = (
            self.new(account) if key is None else self._find(account, {"row_id": key, "workorder_no": key})
        ) | change
        if change.get("status") == FETCHED and not (record.get("EmployeeNr") or record.get("Employees")):
            raise ValueError("Only a work order with an employee can be fetched")
        if change.get("status") == COMPLETE:
            record = {**record, "WorkFinished": change.get("WorkFinished", "1")}
        before = {} if key is None else self._find(account, {"row_id": key, "workorder_no": key})
        return self._dated(before, record)

    def find(self, account: str, key: str) -> Record:
        """The work order with this row id or number, as it is kept.

        Raises:
            RefusedError: There is none.
        """
        return self._find(account, {"row_id": key, "workorder_no": key})

    def _find(self, account: str, query: Query) -> Record:
        known = self._records.of(account, WORK_ORDERS.name)
        if query.get("row_id") in known:
            return known[query["row_id"]]
        number = query.get("workorder_no")
        found = next((one for one in known.values() if number and one.get("WorkorderNo") == number), None)
        if found is None:
            raise RefusedError(WORK_ORDER_NOT_FOUND)
        return found

    def _change(self, account: str, record: Record, change: Record) -> None:
        if all(record.get(name) == value for name, value in change.items()):
            raise RefusedError(NOTHING_CHANGED)
        self._records.write(account, WORK_ORDERS, [self._dated(record, {"id": record["id"]} | change)], "api")

    def _dated(self, before: Record, change: Record) -> Record:
        """A change with when it was made and, where the status becomes another one, a line in its history.

        Both are read by other clients (https://github.com/CloudEcosystemDev/outsmart-component does not list them);
        the form of the moments is that of `CreationDate`, with seconds.
        """
        now = f"{self._clock.now():%Y-%m-%d %H:%M:%S}"
        given = {name for name in ("MutationDate", "StatusChanges") if change.get(name) not in (None, before.get(name))}
        stamp: Record = {} if "MutationDate" in given else {"MutationDate": now}
        status = change.get("status")
        if status and status != before.get("status") and "StatusChanges" not in given:
            line = {"timestamp": now, "status": status, "user": "sandbox"}
            stamp["StatusChanges"] = [*(before.get("StatusChanges") or ()), line]
        return change | stamp

    def _handed_out(self, account: str, query: Query, found: list[Record]) -> list[Record]:
        """Work orders as they were when they were fetched; fetching them makes them handled."""
        answers = [shown(one) for one in found]
        if _flag(query, "update_status", default=True):
            handled = [
                self._dated(one, {"id": one["id"], "status": HANDLED}) for one in found if one["status"] != HANDLED
            ]
            self._records.write(account, WORK_ORDERS, handled, "api")
        return answers


def _flag(query: Query, name: str, *, default: bool) -> bool:
    text = query.get(name)
    if text is None:
        return default
    if text.lower() not in _YES_OR_NO:
        raise RefusedError(DATA_UNREADABLE, f"{name} is neither true nor false")
    return _YES_OR_NO[text.lower()]
