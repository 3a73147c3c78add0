"""OutSmart's work orders."""

import pytest

from sandbox.outsmart.entities import WORK_ORDERS
from sandbox.remote_control import ControlError

ADDRESS = {"Name": "Test", "DebtorNr": "T-1", "Street": "Dam", "ZIP": "1012 JS", "City": "Amsterdam",
           "ContactPerson": "Jo"}  # fmt: skip
ORDER = {
    "WorkorderNo": "SO-1",
    **{f"Customer{name}": value for name, value in ADDRESS.items()},
    **{f"Customer{name}Invoice": value for name, value in ADDRESS.items()},
    "TypeOfWork": "Onderhoud",
    "PaymentMethod": "op rekening",
}
MATERIAL = {"MaterialCode": "A", "MaterialNr": "2,5", "MaterialPrice": "233.00", "MaterialName": "Pipe"}


@pytest.fixture
def account(south, control):
    """The second account with an employee and a work status, and no work orders."""
    for name in ("workorders", "worktypes", "paymentmethods"):
        control.delete_outsmart("south", name)
    south.post("employees", {"number": "67", "firstname": "A", "lastname": "B"})
    south.post("workstatusses", {"sta_code": "C", "sta_name": "Cancelled"})
    return south


@pytest.fixture
def row_id(account):
    """A work order that was just posted."""
    return account.post("PostWorkorders", ORDER)["response"][0]["row_id"]


def fetch(account, row_id, **query):
    return account.get("GetWorkorder", **{"row_id": row_id, "update_status": "false"} | query)["response"]


def test_post_answers_number_and_row_id(account):
    answer = account.post("PostWorkorders", ORDER, ORDER | {"WorkorderNo": "SO-2"})
    assert (answer["code"], answer["messages"]) == (200, [])
    assert [one["workorder_no"] for one in answer["response"]] == ["SO-1", "SO-2"]
    assert all(isinstance(one["row_id"], int) for one in answer["response"])


def test_new_work_order_is_ready_and_shows_every_field(account, row_id):
    found = fetch(account, row_id)
    assert found.keys() == WORK_ORDERS.fields.keys()
    assert (found["status"], found["WorkorderNo"], found["WorkStatus"], found["Materials"]) == (
        "Klaargezet", "SO-1", "", [],
    )  # fmt: skip
    assert found["id"] == str(row_id)


def test_second_post_makes_a_second_work_order(account, row_id):
    [again] = account.post("PostWorkorders", ORDER)["response"]
    assert again["row_id"] != row_id
    found = account.get("GetWorkorders", status="Alle", update_status="false")["response"]
    assert [one["WorkorderNo"] for one in found] == ["SO-1", "SO-1"]
    assert fetch(account, "", workorder_no="SO-1")["id"] == str(row_id)


@pytest.mark.parametrize("field", WORK_ORDERS.required)
def test_required_fields_are_named(account, field):
    answer = account.post("PostWorkorders", ORDER, ORDER | {field: ""})
    assert answer == {"code": 1501, "messages": [f"Required field missing: {field}"], "response": None}
    assert account.get("GetWorkorders", status="Alle")["response"] == []


def test_each_missing_field_has_a_message_of_its_own(account):
    answer = account.post("PostWorkorders", {"WorkorderNo": "1"})
    assert len(answer["messages"]) == len(WORK_ORDERS.required) - 1


@pytest.mark.parametrize(
    "change",
    [
        {"TypeOfWork": "Dansen"},
        {"PaymentMethod": "schelpen"},
        {"EmployeeNr": "nobody"},
        {"Employees": ["67", "nobody"]},
        {"WorkStatus": "nothing"},
        {"ProjectNr": "nothing"},
        {"AdrCode": "nowhere"},
        {"CpnCode": "nobody"},
        {"WorkDate": "2026-01-31"},
        {"WorkDate": "31-02-2026"},
        {"WorkTime": "25:00"},
        {"status": "Compleet"},
        {"colour": "red"},
        {"Materials": MATERIAL},
        {"Materials": [MATERIAL | {"MaterialPrice": "x"}]},
        {"Materials": [MATERIAL | {"colour": "red"}]},
        {"Materials": [MATERIAL | {"MaterialWarehouseCode": "nowhere"}]},
        {"Workperiods": [{"WorkDate": "01-02-2026", "HourType": "nothing"}]},
        {"Workperiods": [{"WorkDate": "2026-02-01"}]},
    ],
)
def test_what_cannot_be_read_or_found_is_refused(account, change):
    answer = account.post("PostWorkorders", ORDER | change)
    assert (answer["code"], answer["response"]) == (1504, None)
    assert answer["messages"]


def test_types_and_methods_are_the_accounts_own_once_it_has_any(account):
    account.post("worktypes", {"wrt_name": "Dansen", "wrt_description": "d", "wrt_default_minutes": "5",
                               "wrt_active": "1"})  # fmt: skip
    account.post("paymentmethods", {"pmd_description": "schelpen"})
    assert account.post("PostWorkorders", ORDER)["code"] == 1504
    assert account.post("PostWorkorders", ORDER | {"TypeOfWork": "Dansen", "PaymentMethod": "schelpen"})["code"] == 200


def test_materials_periods_and_planning_come_back(account):
    period = {"WorkDate": "01-02-2026", "BeginTime": "08:00", "EndTime": "10:00", "EmployeeNr": "67"}
    [made] = account.post(
        "PostWorkorders",
        ORDER | {"Materials": [MATERIAL], "Workperiods": [period], "Employees": ["67"], "WorkDate": "01-02-2026",
                 "WorkTime": "08:00", "WorkDuration": 90, "WorkStatus": "C"},
    )["response"]  # fmt: skip
    found = fetch(account, made["row_id"])
    [line] = found["Materials"]
    assert (line["MaterialNr"], line["MaterialPrice"], line["MaterialTotalPrice"]) == ("2,5", "233,00", "582,50")
    assert found["Workperiods"][0]["BeginTime"] == "08:00"
    assert (found["Employees"], found["WorkDuration"], found["WorkStatus"]) == (["67"], "90", "C")


@pytest.mark.parametrize("material", [{"MaterialCode": "A"}, MATERIAL | {"MaterialName": ""}])
def test_required_fields_of_materials(account, material):
    assert account.post("PostWorkorders", ORDER | {"Materials": [material]})["code"] == 1501


def test_fetching_makes_handled_unless_told_otherwise(account, row_id):
    assert fetch(account, row_id)["status"] == "Klaargezet"
    assert account.get("GetWorkorders", status="Klaargezet", update_status="false")["response"]
    assert [one["status"] for one in account.get("GetWorkorders", status="Klaargezet")["response"]] == ["Klaargezet"]
    assert account.get("GetWorkorders", status="Klaargezet")["response"] == []
    assert fetch(account, row_id)["status"] == "Afgehandeld"
    [other] = account.post("PostWorkorders", ORDER)["response"]
    account.get("GetWorkorder", row_id=other["row_id"])
    assert fetch(account, other["row_id"])["status"] == "Afgehandeld"


@pytest.mark.parametrize("query", [{}, {"status": "Open"}, {"status": "klaargezet"}])
def test_status_is_mandatory(account, query):
    assert account.get("GetWorkorders", **query)["code"] == 1500


def test_work_status_narrows_the_list(account, row_id):
    account.get("UpdateWorkorder", row_id=row_id, workstatus="C")
    account.post("PostWorkorders", ORDER | {"WorkorderNo": "SO-2"})
    found = account.get("GetWorkorders", status="Alle", workstatus="C", update_status="0")["response"]
    assert [one["id"] for one in found] == [str(row_id)]


def test_unknown_work_order_answers_1500_without_a_message(account):
    for answer in (
        account.get("GetWorkorder", row_id="999999"),
        account.get("GetWorkorder"),
        account.get("UpdateWorkorder", workorder_no="nothing", workdate="01-01-2026"),
        account.post("UpdateWorkorder", row_id=999999, ClearMaterials="true"),
    ):
        assert answer == {"code": 1500, "messages": [], "response": None}


def test_update_changes_date_time_employee_and_work_status(account, row_id):
    change = {"workdate": "05-03-2026", "worktime": "16:45", "employee_nr": "67", "workstatus": "C"}
    assert account.get("UpdateWorkorder", workorder_no="SO-1", **change) == {
        "code": 200, "messages": [], "response": None,
    }  # fmt: skip
    found = fetch(account, row_id)
    assert [found[name] for name in ("WorkDate", "WorkTime", "EmployeeNr", "WorkStatus")] == list(change.values())
    assert account.get("UpdateWorkorder", row_id=row_id, **change)["code"] == 1503
    assert account.get("UpdateWorkorder", row_id=row_id)["code"] == 1502


def test_update_names_everything_that_cannot_be_taken(account, row_id):
    answer = account.get("UpdateWorkorder", row_id=row_id, workdate="2026-03-05", worktime="9", employee_nr="nobody")
    assert answer["code"] == 1504
    assert answer["messages"] == [
        "Date invalid. Format: 20-02-2016", "Time invalid. Format: 07:08", "Employee not updated",
    ]  # fmt: skip
    assert fetch(account, row_id)["WorkDate"] == ""


def test_update_of_materials_clears_adds_or_replaces(account, row_id):
    def codes():
        return [line["MaterialCode"] for line in fetch(account, row_id)["Materials"]]

    other = MATERIAL | {"MaterialCode": "B"}
    assert account.post("UpdateWorkorder", MATERIAL, row_id=row_id, ProcessMaterials="true")["response"] is None
    account.post("UpdateWorkorder", other, row_id=row_id, ProcessMaterials="true")
    assert codes() == ["A", "B"]
    account.post("UpdateWorkorder", other, row_id=row_id, ProcessMaterials="true", ClearMaterials="true")
    assert codes() == ["B"]
    assert account.post("UpdateWorkorder", {}, row_id=row_id, ProcessMaterials="true")["code"] == 1501
    assert account.post("UpdateWorkorder", other, row_id=row_id)["code"] == 1502
    account.post("UpdateWorkorder", row_id=row_id, ClearMaterials="true", raw="[]")
    assert codes() == []


def test_technician_takes_it_from_ready_to_complete(account, control, row_id):
    with pytest.raises(ControlError, match="employee"):
        control.change_work_order("south", row_id, status="Opgehaald")
    control.change_work_order("south", "SO-1", status="Opgehaald", EmployeeNr="67")
    control.change_work_order("south", row_id, status="Compleet", Materials=[MATERIAL])
    found = fetch(account, row_id)
    assert (found["status"], found["WorkFinished"], len(found["Materials"])) == ("Compleet", "1", 1)
    assert control.outsmart_record("south", "workorders", "SO-1")["status"] == "Compleet"
    with pytest.raises(ControlError, match="status is one of"):
        control.change_work_order("south", row_id, status="Weg")
    with pytest.raises(ControlError):
        control.change_work_order("south", "nothing", status="Compleet")


def test_work_orders_can_be_made_by_hand(account, control):
    control.write_outsmart("south", "workorders", {"OrderNr": "APP-1", "status": "Compleet"})
    [found] = account.get("GetWorkorders", status="Compleet", update_status="false")["response"]
    assert (found["OrderNr"], found["WorkorderNo"]) == ("APP-1", "")


def test_first_account_has_one_in_each_status(control):
    assert {one["status"] for one in control.outsmart_records("north", "workorders")} == {
        "Klaargezet", "Opgehaald", "Compleet", "Afgehandeld",
    }  # fmt: skip


def test_work_orders_are_no_list_for_callers(north):
    assert north.get("workorders")["code"] == 1001
    assert north.get("PostWorkorders")["code"] == 1001
    assert north.post("GetWorkorders", status="Alle")["code"] == 1001
    assert north.get("GetWorkorders", status="Alle", key="id", value="1")["code"] == 1504


def test_creations_can_be_counted(account, control):
    since = max(change["seq"] for change in control.outsmart_changes("south"))
    account.post("PostWorkorders", ORDER, ORDER)
    writes = control.outsmart_writes("south", entity="workorders", since=since, actor="api")["workorders"]
    assert list(writes.values()) == [{"insert": 1}, {"insert": 1}]
