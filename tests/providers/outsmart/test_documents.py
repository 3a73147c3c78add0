"""Work orders and payments over the wire: made once whatever happens, found again, changed, never marked by a read."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from urllib3.exceptions import MaxRetryError, SSLError

from outsmart_sync.errors import AccessDenied, RecordError, SyncError, TransientError, UncertainOutcome
from outsmart_sync.providers import web
from outsmart_sync.providers.outsmart.delivery import OutSmartAccount
from outsmart_sync.providers.outsmart.errors import GONE
from outsmart_sync.records.exchange import Document, Stage
from outsmart_sync.records.record import Record
from outsmart_sync.records.transaction import TRANSACTION
from outsmart_sync.records.values import Payload
from outsmart_sync.records.work_order import WORK_ORDER, MaterialLine, encode_materials
from sandbox.fixed_world import OutSmartAccount as Account
from sandbox.process import SandboxProcess
from support import NORTH, SOUTH
from tests.providers.conftest import MakeOutSmart
from tests.providers.scripted import Answer, ScriptedServer

LISTS = {WORK_ORDER.name: "workorders", TRANSACTION.name: "transactions"}
ADDRESS = {"name": "Bakkerij 't Hoekje", "street": "Kade 12 bis", "zip": "3511 AB", "city": "Utrecht", "contact": "Jo"}
ORDER: Payload = {
    "number": "SO-1",
    "customer": "1001",
    "invoice_customer": "1002",
    **{f"customer_{name}": value for name, value in ADDRESS.items()},
    **{f"invoice_{name}": value for name, value in ADDRESS.items()},
    "type_of_work": "Onderhoud",
    "payment_method": "op rekening",
}
LINES = [
    MaterialLine("P-1", 'Pipe 15", Ø "oud"', "m", "2.5", "4.55", "W1"),
    MaterialLine("P-0", "Elbow", "", "-1", "233"),
]
FULL: Payload = ORDER | {
    "customer_email": "jo@example.com",
    "customer_phone": "030-1234567",
    "address": "ADR",
    "contact_person": "CPN",
    "invoice_email": "bill@example.com",
    "invoice_phone": "030-7654321",
    "description": "First line\nSecond 'line', \"quoted\"",
    "internal_description": "Key is at the neighbour's\r\n\r\nDog",
    "short_description": "Boiler",
    "order_number": "PO 7/8",
    "project": "P1",
    "extern_project": "X-9",
    "employee": "67",
    "work_date": "2026-03-05",
    "work_time": "07:30",
    "work_end_date": "2026-03-06",
    "work_end_time": "16:00",
    "deadline": "2026-12-31",
    "duration": "90",
    "work_status": "C",
    "comment": "None",
    "materials": encode_materials(LINES),
}
PAYMENT: Payload = {"external_id": "term-1", "description": "Bank", "amount": "100.43", "type": "BANK"}
SAMPLES = {WORK_ORDER.name: ORDER, TRANSACTION.name: PAYMENT}

each_type = pytest.mark.parametrize("record", [WORK_ORDER, TRANSACTION], ids=lambda record: record.name)


@pytest.fixture
def south(calm: SandboxProcess, outsmart_at: MakeOutSmart) -> Iterator[OutSmartAccount]:
    """The second account, with what a work order may refer to and without documents; no read may have marked any."""
    control = calm.control
    for name in ("workorders", "transactions", "invoices", "worktypes", "paymentmethods"):
        control.delete_outsmart("south", name)
    for name, fields in {
        "employees": {"number": "67", "firstname": "A", "lastname": "B"},
        "workstatusses": {"sta_code": "C", "sta_name": "Cancelled"},
        "projects": {"code": "P1", "name": "P"},
        "addresses": {"adr_code": "ADR"},
        "contactpersons": {"cpn_code": "CPN"},
        "warehouses": {"wse_code": "W1"},
    }.items():
        control.write_outsmart("south", name, fields)
    control.forget_calls()
    before = max((each["seq"] for each in control.outsmart_changes("south")), default=0)
    yield OutSmartAccount(outsmart_at(calm.outsmart_url, SOUTH))
    history = control.outsmart_changes("south", entity="workorders", since=before, actor="api")
    assert [each for each in history if each["action"] == "update" and "status" in each["fields"]] == []
    control.delete_outsmart("south", "workorders")
    for name in ("projects", "contactpersons", "addresses", "warehouses", "transactions", "employees"):
        control.delete_outsmart("south", name)


def stored(vendors: SandboxProcess, record: Record) -> list[dict[str, Any]]:
    return vendors.control.outsmart_records("south", LISTS[record.name])


def sample(record: Record, **fields: str) -> Payload:
    return SAMPLES[record.name] | fields


def number_of(record: Record, number: str) -> Payload:
    return sample(record, **{record.code: number})


def calls(vendors: SandboxProcess) -> list[str]:
    return [f"{call['method']} {call['resource']}" for call in vendors.control.calls(vendor="outsmart")]


# Made, and read back


def test_a_work_order_is_read_back_as_it_was_sent(south: OutSmartAccount) -> None:
    remote_id = south.create(WORK_ORDER, FULL)
    expected = Document(remote_id, "SO-1", Stage.NEW, FULL)
    assert south.get(WORK_ORDER, remote_id) == expected
    assert south.find(WORK_ORDER, "SO-1") == [expected]
    assert list(south.documents(WORK_ORDER, "SO-")) == [expected]


def test_a_work_order_with_nothing_but_what_is_demanded_is_read_back_as_it_was_sent(south: OutSmartAccount) -> None:
    blank: Payload = {field.name: "" for field in WORK_ORDER.fields if field.name not in ORDER}
    remote_id = south.create(WORK_ORDER, ORDER | blank)
    assert south.get(WORK_ORDER, remote_id) == Document(remote_id, "SO-1", Stage.NEW, ORDER)


def test_a_payment_is_read_back_as_it_was_sent(calm: SandboxProcess, south: OutSmartAccount) -> None:
    calm.control.write_outsmart("south", "invoices", {"inv_id": "164", "inv_amount": "121.00"})
    payload = PAYMENT | {
        "invoice_id": "164",
        "amount": "-50.5",
        "type_description": "Reversal",
        "status": "NEW",
        "user": "OutSmart Sync",
        "timestamp": "2026-07-31 11:33:45",
    }
    remote_id = south.create(TRANSACTION, payload)
    expected = Document(remote_id, "term-1", Stage.NEW, payload)
    assert south.get(TRANSACTION, remote_id) == expected
    assert south.find(TRANSACTION, "term-1") == [expected]
    assert list(south.documents(TRANSACTION, "term-")) == [expected]
    assert [each["balance"] for each in south.invoices()] == ["-50.5"]


@each_type
def test_a_document_is_made_with_a_single_call(calm: SandboxProcess, south: OutSmartAccount, record: Record) -> None:
    south.create(record, sample(record))
    endpoint = {"work_order": "PostWorkorders", "transaction": "transactions"}[record.name]
    assert calls(calm) == [f"POST {endpoint}"]


@each_type
def test_documents_are_never_written_like_records_that_have_a_code(south: OutSmartAccount, record: Record) -> None:
    with pytest.raises(ValueError, match="created, not written"):
        south.write(record, [sample(record)])
    assert south.calls == 0


# Made once, whatever happens

AFTER = [
    {"kind": "timeout_after", "seconds": 0},
    {"kind": "truncate"},
    {"kind": "truncate", "clean": True},
]
BEFORE = [
    {"kind": "reset"},
    {"kind": "html"},
    *({"kind": "status", "status": status} for status in (302, 404, 408, 429, 500, 502, 503, 504)),
    {"kind": "status", "status": 200, "body": "<html>"},
    {"kind": "status", "status": 200, "body": {"messages": [], "response": None}},
    {"kind": "status", "status": 200, "body": {"code": 1007, "messages": ["Uncaught"], "response": None}},
    {"kind": "status", "status": 200, "body": {"code": 999, "messages": [], "response": None}},
    {"kind": "status", "status": 200, "body": {"code": 200, "messages": [], "response": 1}},
    {"kind": "status", "status": 200, "body": {"code": 200, "messages": [], "response": []}},
    {"kind": "status", "status": 200, "body": {"code": 200, "messages": [], "response": [{"row_id": None}]}},
]


@each_type
@pytest.mark.parametrize("fault", [*AFTER, *BEFORE], ids=str)
def test_no_clear_answer_is_uncertain_and_never_repeated(
    calm: SandboxProcess, south: OutSmartAccount, record: Record, fault: dict[str, Any]
) -> None:
    calm.control.add_fault(vendor="outsmart", method="POST", times=None, **fault)
    with pytest.raises(UncertainOutcome) as failed:
        south.create(record, sample(record))
    assert failed.value.code == "outsmart_uncertain"
    assert "looked up" in failed.value.remedy
    assert south.calls == len(calls(calm)) == 1
    calm.control.clear_faults()
    found = south.find(record, str(sample(record)[record.code]))
    assert len(found) == len(stored(calm, record)) == (1 if fault in AFTER else 0)


@each_type
def test_an_answer_that_never_comes_is_uncertain(
    calm: SandboxProcess, south: OutSmartAccount, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "TIMEOUT", (5.0, 0.2))
    calm.control.add_fault("timeout_after", vendor="outsmart", method="POST")
    with pytest.raises(UncertainOutcome) as failed:
        south.create(record, sample(record))
    assert "ReadTimeout" in failed.value.technical
    assert len(stored(calm, record)) == 1


@each_type
def test_where_nobody_listens_nothing_was_sent(
    stranger: ScriptedServer, outsmart_at: MakeOutSmart, record: Record
) -> None:
    stranger.stop()
    account = OutSmartAccount(outsmart_at(stranger.url))
    with pytest.raises(TransientError) as failed:
        account.create(record, sample(record))
    assert failed.value.code == "outsmart_unreachable"
    assert account.calls == 1


@pytest.mark.parametrize(
    ("error", "unsent"),
    [
        (requests.ConnectTimeout(), True),
        (requests.exceptions.ProxyError(), True),
        (requests.exceptions.SSLError(MaxRetryError(None, "", SSLError(ssl.SSLCertVerificationError(1, "x")))), True),  # type: ignore[arg-type]
        (requests.exceptions.SSLError(MaxRetryError(None, "", SSLError(ssl.SSLError(1, "bad record")))), False),  # type: ignore[arg-type]
        (requests.ReadTimeout(), False),
        (requests.ConnectionError(), False),
        (requests.exceptions.ChunkedEncodingError(), False),
    ],
    ids=["connect", "proxy", "certificate", "broken record", "read", "dropped", "cut off"],
)
def test_only_what_surely_was_not_sent_counts_as_not_sent(error: requests.RequestException, unsent: bool) -> None:
    assert web.was_never_sent(error) is unsent


@each_type
def test_a_refused_token_is_neither_refused_record_nor_uncertain(
    calm: SandboxProcess, outsmart_at: MakeOutSmart, record: Record
) -> None:
    account = OutSmartAccount(outsmart_at(calm.outsmart_url, Account("x", SOUTH.token, "wrong", None)))
    with pytest.raises(AccessDenied):
        account.create(record, sample(record))
    with pytest.raises(AccessDenied):
        account.find(record, "SO-1")


# Refused


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("type_of_work", "Vliegen", "TypeOfWork Vliegen not found"),
        ("payment_method", "knikkers", "PaymentMethod knikkers not found"),
        ("employee", "404", "EmployeeNr 404 not found"),
        ("project", "404", "ProjectNr 404 not found"),
        ("work_status", "404", "WorkStatus 404 not found"),
        ("address", "404", "AdrCode 404 not found"),
        ("work_time", "half past", "Time invalid"),
        ("customer_contact", "", "Required field missing: CustomerContactPerson"),
        ("invoice_customer", "", "Required field missing: CustomerDebtorNrInvoice"),
        ("materials", encode_materials([MaterialLine("", "Pipe")]), "Required field missing: MaterialCode"),
        ("materials", encode_materials([MaterialLine("A", "Pipe", quantity="many")]), "MaterialNr"),
        ("materials", encode_materials([MaterialLine("A", "Pipe", warehouse="404")]), "MaterialWarehouseCode 404"),
    ],
)
def test_a_refused_work_order_says_why_and_is_not_stored(
    calm: SandboxProcess, south: OutSmartAccount, field: str, value: str, text: str
) -> None:
    with pytest.raises(RecordError, match=text) as refused:
        south.create(WORK_ORDER, FULL | {field: value})
    assert refused.value.code == "refused_by_outsmart"
    assert stored(calm, WORK_ORDER) == []
    assert south.calls == 1


@pytest.mark.parametrize(("field", "value"), [("amount", "a lot"), ("invoice_id", "404"), ("status", "DONE")])
def test_a_refused_payment_says_why_and_is_not_stored(
    calm: SandboxProcess, south: OutSmartAccount, field: str, value: str
) -> None:
    with pytest.raises(RecordError):
        south.create(TRANSACTION, PAYMENT | {field: value})
    assert stored(calm, TRANSACTION) == []


def test_whatever_outsmart_demands_of_a_work_order_is_a_problem_here_first(
    calm: SandboxProcess, south: OutSmartAccount
) -> None:
    assert WORK_ORDER.problems(ORDER) == ""
    for name in ORDER:
        less = {other: value for other, value in ORDER.items() if other != name}
        assert WORK_ORDER.problems(less) == name
        with pytest.raises(RecordError, match="Required field missing"):
            south.create(WORK_ORDER, less)
    assert stored(calm, WORK_ORDER) == []


# Found


@each_type
def test_a_number_that_nobody_has_is_found_nowhere_with_one_call(south: OutSmartAccount, record: Record) -> None:
    south.create(record, number_of(record, "SO-10"))
    assert south.find(record, "SO-1") == []
    assert south.calls == 2


@each_type
def test_all_documents_with_one_number_are_found(south: OutSmartAccount, record: Record) -> None:
    first, other, second = (south.create(record, number_of(record, number)) for number in ("SO-1", "SO-2", "SO-1"))
    assert [each.remote_id for each in south.find(record, "SO-1")] == [first, second]
    assert [each.remote_id for each in south.find(record, "SO-2")] == [other]


@each_type
@pytest.mark.parametrize("number", ["SO-1 & 2", "SO-ü/%+#", "SO-'1'", 'SO-"1"', "SO-1=2"])
def test_a_number_of_any_letters_is_found(south: OutSmartAccount, record: Record, number: str) -> None:
    south.create(record, number_of(record, "SO-1"))
    remote_id = south.create(record, number_of(record, number))
    assert [(each.remote_id, each.number) for each in south.find(record, number)] == [(remote_id, number)]


@each_type
def test_a_document_that_was_removed_is_gone(calm: SandboxProcess, south: OutSmartAccount, record: Record) -> None:
    remote_id = south.create(record, sample(record))
    calm.control.delete_outsmart("south", LISTS[record.name], remote_id)
    assert south.get(record, remote_id) is None
    assert south.find(record, str(sample(record)[record.code])) == []
    assert list(south.documents(record, "")) == []


@each_type
def test_only_numbers_with_our_prefix_are_listed(calm: SandboxProcess, south: OutSmartAccount, record: Record) -> None:
    for number in ("SO-1", "SH-1", "SO-2"):
        south.create(record, number_of(record, number))
    of_a_person: dict[str, Any] = {
        "work_order": {"id": "9", "status": "Klaargezet"},
        "transaction": {"int_transaction_id": "9"},
    }
    calm.control.write_outsmart("south", LISTS[record.name], of_a_person[record.name])
    assert [each.number for each in south.documents(record, "SO-")] == ["SO-1", "SO-2"]
    assert [each.number for each in south.documents(record, "")] == ["SO-1", "SH-1", "SO-2"]


@pytest.mark.parametrize(
    ("status", "stage"),
    [
        ("Klaargezet", Stage.NEW),
        ("Opgehaald", Stage.STARTED),
        ("Compleet", Stage.FINISHED),
        ("Afgehandeld", Stage.FINISHED),
    ],
)
def test_no_read_moves_a_work_order_on(calm: SandboxProcess, south: OutSmartAccount, status: str, stage: Stage) -> None:
    remote_id = south.create(WORK_ORDER, ORDER | {"employee": "67"})
    calm.control.change_work_order("south", remote_id, status=status)
    seen = [
        south.get(WORK_ORDER, remote_id),
        *south.find(WORK_ORDER, "SO-1"),
        *south.documents(WORK_ORDER, "SO-"),
    ]
    assert [each.stage for each in seen if each] == [stage] * 3
    assert [each["status"] for each in stored(calm, WORK_ORDER)] == [status]


@each_type
@pytest.mark.parametrize("fault", [*AFTER, *BEFORE[:4]], ids=str)
def test_a_read_without_an_answer_is_repeated(
    calm: SandboxProcess, south: OutSmartAccount, record: Record, fault: dict[str, Any]
) -> None:
    remote_id = south.create(record, sample(record))
    calm.control.add_fault(vendor="outsmart", method="GET", times=2, **fault)
    if record is TRANSACTION and fault["kind"] == "truncate":
        with pytest.raises(TransientError):  # a list is handed out while it arrives: too late to begin again
            south.get(record, remote_id)
        return
    found = south.get(record, remote_id)
    assert found is not None
    assert found.remote_id == remote_id


@each_type
@pytest.mark.parametrize("ask", ["find", "get", "documents"])
def test_no_answer_is_not_the_same_as_no_document(
    calm: SandboxProcess, south: OutSmartAccount, record: Record, ask: str
) -> None:
    calm.control.add_fault("status", vendor="outsmart", times=None, status=503)
    asked: dict[str, Callable[[], object]] = {
        "find": lambda: south.find(record, "SO-1"),
        "get": lambda: south.get(record, "1"),
        "documents": lambda: list(south.documents(record, "SO-")),
    }
    with pytest.raises(TransientError):
        asked[ask]()


def test_a_list_that_is_cut_off_is_no_shorter_list(calm: SandboxProcess, south: OutSmartAccount) -> None:
    for number in range(5):
        south.create(WORK_ORDER, number_of(WORK_ORDER, f"SO-{number}"))
    calm.control.add_fault("truncate", vendor="outsmart", clean=True)
    with pytest.raises(TransientError):
        list(south.documents(WORK_ORDER, "SO-"))


# Answers that the sandbox does not give


def envelope(response: Any, code: int = 200) -> Answer:
    return Answer(200, {"code": code, "messages": [], "response": response})


ROW = {"id": "7", "WorkorderNo": "SO-1", "status": "Klaargezet"}


@pytest.mark.parametrize("answer", [envelope(ROW), envelope([ROW])], ids=["record", "list of one"])
def test_one_work_order_may_come_alone_or_in_a_list(
    server: ScriptedServer, outsmart_at: MakeOutSmart, answer: Answer
) -> None:
    server.play(answer)
    found = OutSmartAccount(outsmart_at(server.url)).get(WORK_ORDER, "7")
    assert found == Document("7", "SO-1", Stage.NEW, {"number": "SO-1"})


@pytest.mark.parametrize("listed", [envelope([]), envelope(None), envelope(None, 1500)], ids=["empty", "null", "1500"])
def test_a_work_order_that_the_list_leaves_out_is_found_all_the_same(
    server: ScriptedServer, outsmart_at: MakeOutSmart, listed: Answer
) -> None:
    server.play(envelope(ROW), listed)
    found = OutSmartAccount(outsmart_at(server.url)).find(WORK_ORDER, "SO-1")
    assert [each.remote_id for each in found] == ["7"]
    assert [sent.target for sent in server.received if "update_status=false" not in sent.target] == []


def test_another_work_order_than_was_asked_for_is_not_ours(server: ScriptedServer, outsmart_at: MakeOutSmart) -> None:
    server.play(envelope(ROW))
    assert OutSmartAccount(outsmart_at(server.url)).find(WORK_ORDER, "SO-12") == []


@pytest.mark.parametrize("row", [{"WorkorderNo": "SO-1"}, {"id": None}, "SO-1"], ids=str)
def test_a_work_order_without_an_id_is_no_answer(server: ScriptedServer, outsmart_at: MakeOutSmart, row: Any) -> None:
    server.play(envelope(row))
    with pytest.raises(TransientError):
        OutSmartAccount(outsmart_at(server.url)).get(WORK_ORDER, "7")


def test_a_filter_that_is_not_heeded_finds_no_more(server: ScriptedServer, outsmart_at: MakeOutSmart) -> None:
    rows = [{"int_transaction_id": f"T{each}", "int_external_transaction_id": f"term-{each}"} for each in range(3)]
    server.play(envelope(rows))
    account = OutSmartAccount(outsmart_at(server.url))
    assert [each.remote_id for each in account.find(TRANSACTION, "term-1")] == ["T1"]
    found = account.get(TRANSACTION, "T2")
    assert found is not None
    assert found.number == "term-2"


# Changed


def test_what_can_be_changed_is_changed_and_nothing_else(calm: SandboxProcess, south: OutSmartAccount) -> None:
    calm.control.write_outsmart("south", "employees", {"number": "68", "firstname": "C", "lastname": "D"})
    calm.control.write_outsmart("south", "workstatusses", {"sta_code": "D", "sta_name": "Other"})
    remote_id = south.create(WORK_ORDER, FULL)
    changes: Payload = {
        "work_date": "2027-01-02",
        "work_time": "08:00",
        "employee": "68",
        "work_status": "D",
        "materials": encode_materials([*reversed(LINES), MaterialLine("N", "New", "st", "1", "0.1")]),
    }
    south.change(WORK_ORDER, remote_id, changes)
    found = south.get(WORK_ORDER, remote_id)
    assert found == Document(remote_id, "SO-1", Stage.NEW, FULL | changes)


@pytest.mark.parametrize(
    ("changes", "asked"),
    [
        ({"work_date": "2027-01-02"}, ["GET UpdateWorkorder"]),
        ({"materials": encode_materials(LINES[:1])}, ["POST UpdateWorkorder"]),
        (
            {"materials": encode_materials(LINES[:1]), "work_time": "10:00"},
            ["GET UpdateWorkorder", "POST UpdateWorkorder"],
        ),
        ({"work_date": "", "employee": "", "materials": ""}, []),
        ({}, []),
    ],
    ids=["planning", "materials", "both", "blank", "nothing"],
)
def test_a_change_makes_only_the_calls_it_needs(
    calm: SandboxProcess, south: OutSmartAccount, changes: Payload, asked: list[str]
) -> None:
    remote_id = south.create(WORK_ORDER, FULL)
    calm.control.forget_calls()
    south.change(WORK_ORDER, remote_id, changes)
    assert calls(calm) == asked


def test_an_empty_list_of_materials_takes_them_all_off(south: OutSmartAccount) -> None:
    remote_id = south.create(WORK_ORDER, FULL)
    south.change(WORK_ORDER, remote_id, {"materials": encode_materials([])})
    found = south.get(WORK_ORDER, remote_id)
    assert found is not None
    assert "materials" not in found.payload


def test_a_change_that_is_there_already_is_a_success(south: OutSmartAccount) -> None:
    remote_id = south.create(WORK_ORDER, FULL)
    same = {name: FULL[name] for name in ("work_date", "work_time", "employee", "work_status", "materials")}
    for _ in range(2):
        south.change(WORK_ORDER, remote_id, same)
    assert south.calls == 5


@pytest.mark.parametrize("fault", [*AFTER, *BEFORE[:4]], ids=str)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_change_without_an_answer_is_repeated_and_made_once(
    calm: SandboxProcess, south: OutSmartAccount, method: str, fault: dict[str, Any]
) -> None:
    remote_id = south.create(WORK_ORDER, FULL)
    changes: Payload = {"work_time": "09:00", "materials": encode_materials([*LINES, *LINES])}
    calm.control.add_fault(vendor="outsmart", path="UpdateWorkorder", method=method, times=2, **fault)
    south.change(WORK_ORDER, remote_id, changes)
    found = south.get(WORK_ORDER, remote_id)
    assert found is not None
    assert found.payload == FULL | changes


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"employee": "404"}, "Employee not updated"),
        ({"work_status": "404"}, "Workstatus not updated"),
        ({"work_time": "noon"}, "Time invalid"),
        ({"materials": encode_materials([MaterialLine("", "Pipe")])}, "MaterialCode"),
    ],
)
def test_a_refused_change_says_why(south: OutSmartAccount, changes: Payload, text: str) -> None:
    remote_id = south.create(WORK_ORDER, FULL)
    with pytest.raises(RecordError, match=text):
        south.change(WORK_ORDER, remote_id, changes)
    found = south.get(WORK_ORDER, remote_id)
    assert found is not None
    assert found.payload == FULL


@pytest.mark.parametrize("changes", [{"work_time": "09:00"}, {"materials": "[]"}], ids=str)
def test_a_change_of_a_work_order_that_was_removed_says_so(
    calm: SandboxProcess, south: OutSmartAccount, changes: Payload
) -> None:
    remote_id = south.create(WORK_ORDER, FULL)
    calm.control.delete_outsmart("south", "workorders", remote_id)
    with pytest.raises(RecordError) as refused:
        south.change(WORK_ORDER, remote_id, changes)
    assert refused.value.code == GONE


def test_what_outsmart_cannot_change_is_not_even_tried(south: OutSmartAccount) -> None:
    with pytest.raises(ValueError, match="cannot change customer_name, description of a work order"):
        south.change(WORK_ORDER, "1", {"description": "x", "customer_name": "y", "work_time": "10:00"})
    with pytest.raises(ValueError, match="cannot change amount of a payment transaction"):
        south.change(TRANSACTION, "1", {"amount": "1"})
    assert south.calls == 0


# Invoices


def test_invoices_are_read_with_number_debtor_amount_and_what_was_paid(
    calm: SandboxProcess, outsmart_at: MakeOutSmart
) -> None:
    found = list(OutSmartAccount(outsmart_at(calm.outsmart_url, NORTH)).invoices())
    assert len(found) == len(calm.control.outsmart_records("north", "invoices")) > 1
    assert next(each for each in found if each["id"] == "1") == {
        "id": "1",
        "number": "1",
        "number_formatted": "2025-00001",
        "debtor": "0000001",
        "amount": "121",
        "balance": "21",
        "currency": "EUR",
        "type": "DEBIT",
        "status": "OPEN",
        "date": "2025-12-01",
    }


# Secrets


@pytest.mark.parametrize("answer", [Answer(reset=True), Answer(503), Answer(200, "{"), envelope(None, 1504)], ids=str)
@pytest.mark.parametrize("call", ["create", "change", "find"])
def test_no_token_is_in_an_error_or_a_log_line(
    server: ScriptedServer, outsmart_at: MakeOutSmart, chatter: Callable[[], str], answer: Answer, call: str
) -> None:
    server.play(answer)
    account = OutSmartAccount(outsmart_at(server.url))
    asked: dict[str, Callable[[], object]] = {
        "create": lambda: account.create(WORK_ORDER, FULL),
        "change": lambda: account.change(WORK_ORDER, "7", {"work_time": "10:00"}),
        "find": lambda: account.find(WORK_ORDER, "SO-1"),
    }
    with pytest.raises(SyncError) as failed:
        asked[call]()
    seen = f"{failed.value} {vars(failed.value)!r} {chatter()}"
    assert [secret for secret in (NORTH.token, NORTH.software_token) if secret in seen] == []
