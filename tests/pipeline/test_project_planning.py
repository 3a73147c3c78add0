"""Projects, and what is planned on them: work orders with a day, a time and an employee, moving with the planning."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import update

from outsmart_sync.store.tables import ledger as ledger_table
from outsmart_sync.store.tables import mirror, record_log
from pipeline.world import DIVISION, World, without_outsmart

PROJECTS, PLANNED = "project/Projects", "project/ProjectPlanning"
PLANNING = "project_planning"


@pytest.fixture
def firm(world: World) -> World:
    """Relations, employees and project planning are imported, planning of any day."""
    world.settings(
        licence="pro",
        employees={"enabled": True},
        project_planning={"enabled": True, "start_date": "2020-01-01"},
        materials={"enabled": False},
        hour_types={"enabled": False},
    )
    return world


@pytest.fixture
def customer(firm: World) -> str:
    account = firm.account("100", City="Delft")
    firm.counts("relations")
    return account


@pytest.fixture
def anna(firm: World) -> str:
    employee = firm.employee("12")
    firm.counts("employees")
    return employee


def morning(world: World, days: int = 1, clock: str = "07:30") -> str:
    """A time of day, so many days from now."""
    return f"{world.work_day(days).isoformat()}T{clock}:00"


def d_m_y(world: World, days: int) -> str:
    return f"{world.work_day(days):%d-%m-%Y}"


def only(world: World) -> dict[str, Any]:
    (work_order,) = world.work_orders()
    return work_order


def kept(world: World) -> Any:
    """The one planning in the mirror."""
    (row,) = world.rows(mirror, record="planning")
    return row


def updates(world: World) -> list[dict[str, str]]:
    """What was asked to be changed of work orders since the calls were forgotten."""
    calls = world.control.calls(vendor="outsmart")
    return [call["query"] for call in calls if "UpdateWorkorder" in call["path"]]


# Projects.


def test_a_project_comes_with_its_customer_and_its_days(firm: World, customer: str) -> None:
    contact = firm.contact(customer)
    firm.counts("relations")
    project = firm.project(
        "P1", customer, Notes="Park at the back.", StartDate="2026-06-01", EndDate="2099-12-31", AccountContact=contact
    )
    assert firm.counts(PLANNING).created == 1
    made = firm.outsmart("projects")["P1"]
    assert made["cpn_code"] in firm.outsmart("contactpersons")
    del made["cpn_code"]
    assert made == {
        "code": "P1",
        "code_ext": project,
        "debtor_number": "100",
        "status": "Nieuw",
        "name": "Project P1",
        "description": "Park at the back.",
        "date_start": "2026-06-01",
        "date_end": "2099-12-31",
        "active": "1",
        "progress": "0",
    }


def test_a_project_that_changes_is_updated_and_one_that_does_not_costs_no_call(firm: World, customer: str) -> None:
    project = firm.project("P1", customer)
    firm.counts(PLANNING)
    firm.forget_calls()
    firm.touch(PROJECTS, project)
    assert firm.counts(PLANNING).unchanged == 1
    assert firm.counts(PLANNING, full=True).unchanged == 1
    assert firm.writes() == []
    firm.change(PROJECTS, project, Description="Roof")
    assert firm.counts(PLANNING).updated == 1
    assert firm.outsmart("projects")["P1"]["name"] == "Roof"


@pytest.mark.parametrize("full", [False, True], ids=["scheduled", "full"])
def test_a_project_of_another_customer_goes_to_that_one(firm: World, customer: str, *, full: bool) -> None:
    project = firm.project("P1", customer)
    firm.counts(PLANNING)
    other = firm.account("200")
    firm.counts("relations")
    firm.change(PROJECTS, project, Account=other)
    assert firm.counts(PLANNING, full=full).updated == 1
    assert firm.outsmart("projects")["P1"]["debtor_number"] == "200"
    (line,) = firm.rows(record_log, record="project", event="updated")
    assert line.changes == '{"debtor_number":["100","200"]}'


def test_a_customer_that_was_changed_in_outsmart_is_brought_back_by_a_full_run(firm: World, customer: str) -> None:
    firm.project("P1", customer)
    firm.account("200")
    firm.counts("relations")
    firm.counts(PLANNING)
    firm.by_hand("projects", code="P1", debtor_number="200")
    assert firm.counts(PLANNING).updated == 0
    assert firm.counts(PLANNING, full=True).updated == 1
    assert firm.outsmart("projects")["P1"]["debtor_number"] == "100"


def test_a_project_waits_for_its_customer_and_goes_by_itself(firm: World) -> None:
    account = firm.account("100", City=None)
    assert firm.counts("relations").rejected == 1
    firm.project("P1", account)
    assert firm.counts(PLANNING).waiting == 1
    project = firm.kept("project", "P1")
    assert (project.state, project.detail) == ("waiting", "relation 100")
    firm.change("crm/Accounts", account, City="Delft")
    firm.counts("relations")
    assert PLANNING in firm.poll()
    assert firm.counts(PLANNING).created == 1


def test_a_project_without_a_customer_is_rejected_until_one_is_chosen_for_work_of_ones_own(firm: World) -> None:
    firm.project("P1")
    firm.relation_by_hand("OWN")
    firm.counts("relations")
    assert firm.counts(PLANNING).rejected == 1
    assert firm.states("project")["P1"] == ("rejected", "reference_unnamed")
    assert firm.writes() == []
    firm.settings(project_planning={"internal_relation": "own"})
    assert PLANNING in firm.poll()
    assert firm.counts(PLANNING).created == 1
    assert firm.outsmart("projects")["P1"]["debtor_number"] == "OWN"


def test_a_project_waits_for_the_relation_of_work_of_ones_own_too(firm: World) -> None:
    firm.settings(project_planning={"internal_relation": "900"})
    firm.project("P1")
    account = firm.account("900", City=None)
    firm.counts("relations")
    assert firm.counts(PLANNING).waiting == 1
    assert firm.kept("project", "P1").detail == "relation 900"
    assert PLANNING not in firm.poll()
    firm.change("crm/Accounts", account, City="Delft")
    firm.counts("relations")
    assert PLANNING in firm.poll()
    assert firm.counts(PLANNING).created == 1
    assert firm.outsmart("projects")["P1"]["debtor_number"] == "900"


@pytest.mark.parametrize("full", [False, True], ids=["scheduled", "full"])
@pytest.mark.parametrize("internal", ["", "900"], ids=["none chosen", "one chosen"])
def test_a_project_whose_customer_was_emptied_keeps_the_one_it_has(
    firm: World, customer: str, internal: str, *, full: bool
) -> None:
    project = firm.project("P1", customer)
    firm.account("900")
    firm.counts("relations")
    firm.counts(PLANNING)
    firm.settings(project_planning={"internal_relation": internal})
    firm.change(PROJECTS, project, Account=None, Description="Roof")
    assert firm.counts(PLANNING, full=full).updated == 1
    made = firm.outsmart("projects")["P1"]
    assert (made["name"], made["debtor_number"]) == ("Roof", "100")


def test_projects_come_by_type(firm: World, customer: str) -> None:
    for kind in range(1, 6):
        firm.project(f"P{kind}", customer, Type=kind)
    assert firm.counts(PLANNING).excluded == 1
    assert firm.states("project")["P1"] == ("excluded", "type_not_chosen")
    firm.settings(project_planning={"types": ["campaign", "prepaid"]})
    firm.counts(PLANNING)
    assert firm.states("project")["P1"] == ("synced", None)
    assert sorted(firm.outsmart("projects")) == ["P1", "P2", "P3", "P4", "P5"]


def test_a_project_that_has_ended_or_is_closed_does_not_come_and_one_that_is_there_is_told_so(
    firm: World, customer: str
) -> None:
    yesterday = f"{firm.work_day(-1)}T00:00:00"
    firm.project("P1", customer, EndDate=yesterday)
    firm.project("P2", customer, BlockEntry=True)
    ending, closing = firm.project("P3", customer), firm.project("P4", customer)
    assert (firm.counts(PLANNING).excluded, sorted(firm.outsmart("projects"))) == (2, ["P3", "P4"])
    assert {firm.states("project")[code] for code in ("P1", "P2")} == {
        ("excluded", "inactive"),
        ("excluded", "blocked"),
    }
    firm.change(PROJECTS, ending, EndDate=yesterday)
    firm.change(PROJECTS, closing, BlockEntry=True)
    assert firm.counts(PLANNING).updated == 2
    assert {each["active"] for each in firm.outsmart("projects").values()} == {"0"}


def test_a_project_that_ends_becomes_inactive_on_its_day_and_one_to_come_is_there_before(
    firm: World, customer: str
) -> None:
    firm.project("P1", customer, EndDate=f"{firm.work_day(1)}T00:00:00")
    firm.project("P2", customer, StartDate=f"{firm.work_day(5)}T00:00:00")
    firm.counts(PLANNING)
    assert [each["active"] for each in firm.outsmart("projects").values()] == ["1", "1"]
    firm.work(PLANNING, today=firm.work_day(2)).through()
    made = firm.outsmart("projects")
    assert (made["P1"]["active"], made["P2"]["active"]) == ("0", "1")


def test_a_project_that_outsmart_has_already_is_taken_over_by_its_code(firm: World, customer: str) -> None:
    by_hand = {"debtor_number": "100", "status": "Lopend", "name": "By hand", "date_start": "2026-01-01"}
    firm.by_hand("projects", code="p1", progress="40", **by_hand)
    firm.project("P1", customer)
    assert (firm.counts(PLANNING).updated, list(firm.outsmart("projects"))) == (1, ["p1"])
    made = firm.outsmart("projects")["p1"]
    assert (made["name"], made["status"], made["progress"]) == ("Project P1", "Lopend", "40")


def test_a_project_that_was_deleted_stays_in_outsmart_and_is_noted(firm: World, customer: str) -> None:
    project = firm.project("P1", customer)
    firm.counts(PLANNING)
    firm.delete(PROJECTS, project)
    assert PLANNING in firm.poll()
    assert firm.counts(PLANNING).deleted == 1
    assert "P1" in firm.outsmart("projects")
    assert firm.kept("project", "P1").source_gone_at is not None


def test_projects_are_read_from_their_beginning_and_planning_from_the_start_date_on(
    firm: World, customer: str, anna: str
) -> None:
    firm.settings(project_planning={"start_date": firm.work_day(500).isoformat()})
    firm.planned(anna, morning(firm, 501), Project=firm.project("P1", customer))
    firm.planned(anna, morning(firm, 502), Project=firm.project("P2", customer))
    work = firm.work(PLANNING)
    work.extract()
    read = sorted(row.record for row in work.staged() if row.seq >= 0)
    # The last row before the start date may come along; no other does.
    assert read == ["planning", "project", "project"]


def test_a_full_run_takes_projects_that_are_missing_for_deleted_and_planning_not(
    firm: World, customer: str, anna: str
) -> None:
    firm.planned(anna, morning(firm), Project=firm.project("P1", customer))
    firm.counts(PLANNING)
    with firm.store.begin() as connection:
        for record in ("project", "planning"):
            unknown = update(mirror).where(mirror.c.record == record).values(provider_id=str(uuid4()))
            connection.execute(unknown)
    work = firm.work(PLANNING, full=True)
    work.extract()
    assert [row.record for row in work.staged() if row.origin == "deleted"] == ["project"]


def test_a_sales_order_names_its_project(firm: World, customer: str) -> None:
    firm.settings(sales_orders={"enabled": True})
    project = firm.project("P1", customer)
    order = firm.order(customer)
    firm.order_line(order, firm.item("A1"), Project=project)
    runs = firm.sync()
    assert list(runs).index(PLANNING) < list(runs).index("sales_orders")
    assert only(firm)["ProjectNr"] == "P1"


# Planning.


def test_planning_becomes_a_work_order_with_employee_day_time_duration_project_and_customer(
    firm: World, customer: str, anna: str
) -> None:
    project = firm.project("P1", customer)
    firm.planned(anna, morning(firm), hours=7.75, Project=project, Account=customer, Notes="Bring the ladder")
    assert firm.counts(PLANNING).created == 2
    made = only(firm)
    names = ("EmployeeNr", "WorkDate", "WorkTime", "WorkDuration", "ProjectNr", "CustomerDebtorNr", "CustomerCity")
    assert [made[name] for name in names] == ["12", d_m_y(firm, 1), "07:30", "465", "P1", "100", "Delft"]
    texts = ("WorkDescription", "ShortWorkDescription", "InternalWorkDescription")
    assert [made[name] for name in texts] == ["Repair", "Repair", "Bring the ladder"]
    assert (made["status"], made["CustomerDebtorNrInvoice"]) == ("Klaargezet", "100")


def test_the_time_is_that_of_the_clock_in_summer_and_in_winter(firm: World, customer: str, anna: str) -> None:
    """Exact writes wall-clock time as if it were UTC; nothing may be converted, on this machine's clock or another."""
    moments = {("15-07-2027", "07:30"), ("15-01-2027", "07:30"), ("16-07-2027", "23:45"), ("16-01-2027", "00:15")}
    for on, clock in moments:
        row = firm.planned(anna, f"{on[6:]}-{on[3:5]}-{on[:2]}T{clock}:00", Account=customer)
        assert clock in str(firm.control.exact_row(DIVISION, PLANNED, row)["StartDate"])
    firm.counts(PLANNING)
    assert {(each["WorkDate"], each["WorkTime"]) for each in firm.work_orders()} == moments


def test_planning_without_a_time_or_hours_has_none(firm: World, customer: str, anna: str) -> None:
    firm.planned(anna, morning(firm, clock="00:00"), hours=0, Account=customer)
    firm.counts(PLANNING)
    made = only(firm)
    assert (made["WorkDate"], made.get("WorkTime"), made.get("WorkDuration")) == (d_m_y(firm, 1), None, None)


def test_planning_without_an_account_is_for_the_projects_customer(firm: World, customer: str, anna: str) -> None:
    firm.planned(anna, morning(firm), Project=firm.project("P1", customer))
    assert firm.counts(PLANNING).created == 2
    assert only(firm)["CustomerDebtorNr"] == "100"


def test_planning_has_an_account_of_its_own_before_that_of_the_project(firm: World, customer: str, anna: str) -> None:
    other = firm.account("200")
    firm.counts("relations")
    firm.planned(anna, morning(firm), Project=firm.project("P1", customer), Account=other)
    firm.counts(PLANNING)
    assert (only(firm)["CustomerDebtorNr"], only(firm)["ProjectNr"]) == ("200", "P1")


def test_planning_without_project_and_account_is_rejected_or_on_the_relation_of_work_of_ones_own(
    firm: World, customer: str, anna: str
) -> None:
    firm.planned(anna, morning(firm))
    assert firm.counts(PLANNING).rejected == 1
    assert (kept(firm).reason, kept(firm).detail) == ("reference_unnamed", "relation")
    firm.settings(project_planning={"internal_relation": "100"})
    assert firm.counts(PLANNING).created == 1
    assert only(firm)["CustomerName"] == "Customer 100"


def test_planning_on_a_project_of_ones_own_is_on_the_same_relation(firm: World, customer: str, anna: str) -> None:
    firm.settings(project_planning={"internal_relation": "100"})
    firm.planned(anna, morning(firm), Project=firm.project("P1"))
    assert firm.counts(PLANNING).created == 2
    assert (only(firm)["CustomerDebtorNr"], only(firm)["ProjectNr"]) == ("100", "P1")


def test_its_number_is_short_and_the_same_for_ever(firm: World, customer: str, anna: str) -> None:
    firm.planned(anna, morning(firm), Account=customer)
    firm.planned(anna, morning(firm, 2), Account=customer)
    firm.counts(PLANNING)
    numbers = sorted(each["WorkorderNo"] for each in firm.work_orders())
    assert [(each[:3], len(each), each.isascii()) for each in numbers] == [("PL-", 13, True)] * 2
    with firm.store.begin() as connection:
        connection.execute(mirror.delete().where(mirror.c.record == "planning"))
        connection.execute(ledger_table.delete())
    firm.forget_calls()
    firm.counts(PLANNING, full=True)
    assert (sorted(each["WorkorderNo"] for each in firm.work_orders()), firm.writes()) == (numbers, [])


def test_planning_waits_for_its_employee_and_goes_by_itself(firm: World, customer: str) -> None:
    employee = firm.employee("12", last="")
    assert firm.counts("employees").rejected == 1
    firm.planned(employee, morning(firm), Account=customer)
    assert firm.counts(PLANNING).waiting == 1
    assert (kept(firm).reason, kept(firm).detail) == ("reference_open", "employee 12")
    firm.change("payroll/Employees", employee, LastName="Bakker")
    assert PLANNING not in firm.poll()
    firm.counts("employees")
    assert PLANNING in firm.poll()
    assert firm.counts(PLANNING).created == 1
    assert only(firm)["EmployeeNr"] == "12"


def test_planning_waits_for_its_project_and_goes_by_itself(firm: World, anna: str) -> None:
    account = firm.account("100", City=None)
    firm.counts("relations")
    firm.planned(anna, morning(firm), Project=firm.project("P1", account))
    assert firm.counts(PLANNING).waiting == 2
    assert kept(firm).detail == "project P1"
    firm.change("crm/Accounts", account, City="Delft")
    firm.counts("relations")
    assert firm.counts(PLANNING).created >= 1
    if PLANNING in firm.poll():
        firm.counts(PLANNING)
    assert only(firm)["ProjectNr"] == "P1"


def test_planning_of_an_employee_or_a_project_that_is_not_imported_is_left_out_and_comes_with_it(
    firm: World, customer: str
) -> None:
    firm.employee("7", "Bert")
    employee = firm.employee("12")
    firm.settings(employees={"numbers": ["7"]})
    firm.counts("employees")
    campaign = firm.project("P1", customer, Type=1)
    firm.planned(employee, morning(firm), Project=campaign)
    assert firm.counts(PLANNING).excluded == 2
    assert (kept(firm).state, kept(firm).reason, kept(firm).detail) == ("excluded", "reference_left_out", "project P1")
    firm.settings(project_planning={"types": []})
    firm.counts(PLANNING)
    firm.counts(PLANNING)
    assert (kept(firm).reason, kept(firm).detail) == ("reference_left_out", "employee 12")
    firm.settings(employees={"numbers": []})
    firm.counts("employees")
    assert PLANNING in firm.poll()
    assert firm.counts(PLANNING).created == 1


def test_reserved_hours_come_only_when_they_are_chosen(firm: World, customer: str, anna: str) -> None:
    row = firm.planned(anna, morning(firm), Account=customer, Status=1)
    assert firm.counts(PLANNING).excluded == 1
    assert kept(firm).reason == "status_not_chosen"
    firm.settings(project_planning={"statuses": ["reserved", "planned"]})
    assert firm.counts(PLANNING).created == 1
    firm.settings(project_planning={"statuses": ["planned"]})
    assert firm.counts(PLANNING).excluded == 1
    firm.change(PLANNED, row, Status=2)
    assert (firm.counts(PLANNING).unchanged, len(firm.work_orders())) == (1, 1)


def test_planning_of_a_day_before_the_start_date_stays_out_and_its_project_does_not(
    firm: World, customer: str, anna: str
) -> None:
    firm.settings(project_planning={"start_date": firm.work_day(0).isoformat()})
    project = firm.project("P1", customer, StartDate="2001-01-01")
    row = firm.planned(anna, morning(firm, -1), Project=project)
    firm.planned(anna, morning(firm, 0), Project=project)
    counts = firm.counts(PLANNING)
    assert (counts.created, counts.excluded) == (2, 1)
    assert only(firm)["WorkDate"] == d_m_y(firm, 0)
    firm.change(PLANNED, row, StartDate=morning(firm, 3))
    assert firm.counts(PLANNING).created == 1


# What becomes of it later.


def test_planning_that_moves_to_another_day_time_and_employee_moves_its_work_order(
    firm: World, customer: str, anna: str
) -> None:
    bert = firm.employee("7", "Bert")
    firm.counts("employees")
    row = firm.planned(anna, morning(firm), Account=customer)
    firm.counts(PLANNING)
    firm.forget_calls()
    firm.change(PLANNED, row, StartDate=morning(firm, 4, "13:00"), EndDate=morning(firm, 4, "15:00"), Employee=bert)
    assert firm.counts(PLANNING).updated == 1
    made = only(firm)
    assert (made["WorkDate"], made["WorkTime"], made["EmployeeNr"]) == (d_m_y(firm, 4), "13:00", "7")
    assert (len(updates(firm)), firm.writes()) == (1, [])
    (line,) = firm.rows(record_log, record="planning", event="updated")
    assert line.changes == (
        f'{{"employee":["12","7"],"work_date":["{firm.work_day(1)}","{firm.work_day(4)}"],"work_time":["07:30","13:00"]}}'
    )
    assert firm.rows(record_log, event="change_by_hand") == []


def test_what_outsmart_cannot_change_is_told_to_a_person(firm: World, customer: str, anna: str) -> None:
    row = firm.planned(anna, morning(firm), hours=2, Account=customer)
    firm.counts(PLANNING)
    firm.change(PLANNED, row, Hours=4, StartDate=morning(firm, 1, "00:00"))
    assert firm.counts(PLANNING).updated == 1
    assert (only(firm)["WorkDuration"], only(firm)["WorkTime"]) == ("120", "07:30")
    assert [each.detail for each in firm.rows(record_log, event="change_by_hand")] == ["duration, time"]


@pytest.mark.parametrize("status", ["Opgehaald", "Compleet", "Afgehandeld"])
def test_a_work_order_that_somebody_has_begun_does_not_move(firm: World, customer: str, anna: str, status: str) -> None:
    row = firm.planned(anna, morning(firm), Account=customer)
    firm.counts(PLANNING)
    firm.move_on(only(firm)["WorkorderNo"], status=status)
    firm.change(PLANNED, row, StartDate=morning(firm, 4))
    assert firm.counts(PLANNING).excluded == 1
    assert (only(firm)["WorkDate"], only(firm)["status"]) == (d_m_y(firm, 1), status)
    assert (kept(firm).reason, kept(firm).detail) == ("document_started", "date")
    assert len(firm.rows(record_log, reason="document_started")) == 1


@pytest.mark.parametrize("chosen", ["X", ""], ids=["status chosen", "none chosen"])
@pytest.mark.parametrize("begun", [False, True], ids=["not begun", "begun"])
def test_planning_that_was_deleted_gets_the_chosen_work_status_while_nobody_has_begun(
    firm: World, customer: str, anna: str, chosen: str, *, begun: bool
) -> None:
    firm.by_hand("workstatusses", sta_code="X", sta_name="Cancelled")
    firm.settings(project_planning={"cancelled_status": chosen})
    row = firm.planned(anna, morning(firm), Account=customer)
    firm.counts(PLANNING)
    if begun:
        firm.move_on(only(firm)["WorkorderNo"], status="Opgehaald")
    firm.delete(PLANNED, row)
    assert PLANNING in firm.poll()
    assert firm.counts(PLANNING).deleted == 1
    assert only(firm).get("WorkStatus") == (None if begun or not chosen else "X")
    firm.forget_calls()
    for _ in range(2):
        firm.counts(PLANNING, full=True)
    assert (len(firm.rows(record_log, reason="order_cancelled")), updates(firm)) == (1, [])


def test_planning_of_a_deleted_project_is_cancelled_with_it(firm: World, customer: str, anna: str) -> None:
    firm.by_hand("workstatusses", sta_code="X", sta_name="Cancelled")
    firm.settings(project_planning={"cancelled_status": "X"})
    project = firm.project("P1", customer)
    firm.planned(anna, morning(firm), Project=project)
    firm.counts(PLANNING)
    firm.delete(PROJECTS, project)
    assert firm.counts(PLANNING).deleted == 2
    assert only(firm)["WorkStatus"] == "X"


@pytest.mark.parametrize("fault", ["timeout_after", "truncate", "status"])
def test_planning_whose_answer_was_lost_becomes_one_work_order(
    firm: World, customer: str, anna: str, fault: str
) -> None:
    firm.planned(anna, morning(firm), Project=firm.project("P1", customer))
    rule: dict[str, Any] = {"timeout_after": {"seconds": 0.01}, "status": {"status": 500}}.get(fault, {})
    firm.control.add_fault(fault, vendor="outsmart", path="PostWorkorders", times=1, **rule)
    firm.sync(PLANNING)
    firm.control.clear_faults()
    for _ in range(3):
        firm.counts(PLANNING)
    (line,) = firm.rows(ledger_table)
    assert (line.state, line.remote_id) == ("done", str(only(firm)["id"]))


def test_the_next_runs_ask_outsmart_nothing(firm: World, customer: str, anna: str) -> None:
    firm.planned(anna, morning(firm), Project=firm.project("P1", customer))
    firm.counts(PLANNING)
    firm.forget_calls()
    assert firm.poll() == []
    assert len(firm.reads()) <= 8
    firm.counts(PLANNING)
    assert firm.control.calls(vendor="outsmart") == []
    assert firm.counts(PLANNING, full=True).unchanged == 2
    assert (firm.writes(), updates(firm), len(firm.work_orders())) == ([], [], 1)


def test_one_project_is_imported_by_its_code_with_what_is_planned_on_it(firm: World, customer: str, anna: str) -> None:
    first, second = firm.project("P1", customer), firm.project("P2", customer)
    firm.planned(anna, morning(firm), Project=first)
    firm.planned(anna, morning(firm, 2), Project=second)
    assert firm.counts(PLANNING, codes=("P2",)).created == 2
    assert (only(firm)["ProjectNr"], list(firm.outsmart("projects"))) == ("P2", ["P2"])
    assert firm.counts(PLANNING).created == 2
    assert len(firm.work_orders()) == 2


def test_without_an_outsmart_account_projects_and_planning_end_in_the_mirror(
    firm: World, customer: str, anna: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_outsmart(monkeypatch)
    firm.planned(anna, morning(firm), Project=firm.project("P1", customer))
    for category in ("relations", "employees"):
        firm.counts(category, full=True)
    assert firm.counts(PLANNING).created == 2
    assert (kept(firm).state, firm.states("project")) == ("synced", {"P1": ("synced", None)})


def test_a_run_that_is_killed_between_any_steps_loses_and_doubles_nothing(
    firm: World, customer: str, anna: str
) -> None:
    project = firm.project("P1", customer)
    for days in range(1, 4):
        firm.planned(anna, morning(firm, days), Project=project)
    work = firm.work(PLANNING)
    for step in (work.extract, work.filter, work.match, work.upsert):
        step()
        step()
    assert sorted(each["WorkDate"] for each in firm.work_orders()) == sorted(d_m_y(firm, days) for days in range(1, 4))
    assert timedelta(days=3) == firm.work_day(4) - firm.work_day(1)
