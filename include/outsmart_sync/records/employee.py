"""Employees: who is planned and fills in work orders."""

from __future__ import annotations

from outsmart_sync.records.record import Field, Record

EMPLOYEE = Record(
    name="employee",
    label="employee",
    code="number",
    title="lastname",
    fields=(
        Field("number", "number", required=True),
        Field("firstname", "first name", required=True),
        Field("lastname", "last name", required=True),
    ),
)
