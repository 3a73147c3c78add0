"""Employees: number, names and days, and nothing else that Exact knows of them."""

from __future__ import annotations

import pytest

from outsmart_sync.store.tables import record_log
from pipeline.world import World, day

EMPLOYEES = "employees"


@pytest.fixture
def staff(world: World) -> World:
    world.settings(employees={"enabled": True})
    return world


def test_employees_come_with_number_and_names(staff: World) -> None:
    staff.employee("7", "Anna", "Bakker", BirthDate="/Date(0)/", PrivateEmail="anna@example.org")
    assert staff.counts(EMPLOYEES).created == 1
    record = staff.outsmart("employees")["7"]
    assert {name: record[name] for name in ("number", "firstname", "lastname")} == {
        "number": "7",
        "firstname": "Anna",
        "lastname": "Bakker",
    }


def test_only_what_outsmart_takes_is_ever_asked_for(staff: World) -> None:
    staff.employee("7")
    staff.forget_calls()
    staff.counts(EMPLOYEES)
    staff.counts(EMPLOYEES, codes=("7",))
    asked = {
        column
        for call in staff.reads()
        if call["resource"].endswith("Employees")
        for column in call["query"]["$select"].split(",")
    }
    assert asked == {"ID", "Code", "FirstName", "LastName", "StartDate", "EndDate", "IsActive", "Timestamp"}


def test_an_employee_who_has_left_does_not_come(staff: World) -> None:
    staff.employee("7", EndDate=day(staff.work_day(-1)))
    staff.employee("8", EndDate=day(staff.work_day(1)))
    counts = staff.counts(EMPLOYEES)
    assert (counts.excluded, counts.created) == (1, 1)
    assert set(staff.outsmart("employees")) == {"8"}


def test_one_that_is_not_active_within_its_dates_does_not_come_and_is_remarked_where_it_is_there(staff: World) -> None:
    staff.employee("7", IsAnonymised=1)
    there = staff.employee("8")
    counts = staff.counts(EMPLOYEES)
    assert (counts.excluded, counts.created) == (1, 1)
    staff.change("payroll/Employees", there, IsAnonymised=1)
    staff.counts(EMPLOYEES)
    assert [line.code for line in staff.rows(record_log, event="out_of_use")] == ["8"]


def test_one_that_begins_next_week_comes_when_that_day_has_come_without_a_change(staff: World) -> None:
    staff.employee("7", StartDate=day(staff.work_day(2)))
    assert staff.counts(EMPLOYEES).excluded == 1
    staff.work(EMPLOYEES, today=staff.work_day(3)).through()
    assert set(staff.outsmart("employees")) == {"7"}


def test_only_the_chosen_ones_come(staff: World) -> None:
    staff.settings(employees={"numbers": ["8"]})
    for number in ("7", "8", "9"):
        staff.employee(number)
    assert staff.counts(EMPLOYEES).excluded == 2
    assert set(staff.outsmart("employees")) == {"8"}


def test_an_employee_without_a_first_name_is_rejected_with_the_field(staff: World) -> None:
    staff.employee("7", first="")
    assert staff.counts(EMPLOYEES).rejected == 1
    kept = staff.kept("employee", "7")
    assert (kept.state, kept.reason, kept.detail) == ("rejected", "missing_field", "first name")


def test_a_changed_name_is_updated_and_what_is_the_same_costs_no_write(staff: World) -> None:
    row = staff.employee("7", "Anna", "Bakker")
    staff.employee("8")
    staff.counts(EMPLOYEES)
    staff.change("payroll/Employees", row, LastName="de Vries")
    staff.forget_calls()
    counts = staff.counts(EMPLOYEES)
    assert (counts.updated, counts.created, len(staff.writes())) == (1, 0, 1)
    assert staff.outsmart("employees")["7"]["lastname"] == "de Vries"
    counts = staff.counts(EMPLOYEES, full=True)
    assert (counts.unchanged, counts.updated) == (2, 0)


def test_a_deleted_employee_is_noted_and_stays_in_outsmart(staff: World) -> None:
    row = staff.employee("7")
    staff.counts(EMPLOYEES)
    staff.delete("payroll/Employees", row)
    staff.forget_calls()
    assert staff.counts(EMPLOYEES).deleted == 1
    assert staff.kept("employee", "7").source_gone_at is not None
    assert set(staff.outsmart("employees")) == {"7"}
    assert staff.writes() == []
