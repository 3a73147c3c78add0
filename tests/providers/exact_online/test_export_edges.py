"""Exports to the sandbox's Exact Online where a mistake would bill twice, or too much."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests
from urllib3 import HTTPSConnectionPool
from urllib3.exceptions import MaxRetryError, NewConnectionError
from urllib3.exceptions import SSLError as EncryptionError

from outsmart_sync.errors import AccessDenied, RecordError, UncertainOutcome
from outsmart_sync.providers import web
from outsmart_sync.providers.exact_online import writing
from outsmart_sync.providers.exact_online.exporter import ExactExporter
from outsmart_sync.providers.exact_online.exports import EXPORTS, HOURS_PER_DAY, SALES_INVOICE, SALES_ORDER
from outsmart_sync.records.export_document import Entity, ExportDocument, Line, LineKind, NewCustomer, Place
from outsmart_sync.records.export_token import token_of
from sandbox import process
from sandbox.process import SandboxProcess
from sandbox.remote_control import RemoteControl
from tests.providers.conftest import MakeClient
from tests.providers.scripted import Answer, ScriptedServer

EMPTY = 2001006
ORDER, INVOICE = EXPORTS.kind(SALES_ORDER), EXPORTS.kind(SALES_INVOICE)
BAD_QUERY = {"error": {"code": "", "message": {"lang": "", "value": "Bad Request - Error in query syntax."}}}


@pytest.fixture(scope="module")
def shared_vendors() -> Iterator[SandboxProcess]:
    with process.start(relations=20, items=20, minute_limit=100_000, day_limit=1_000_000) as vendors:
        yield vendors


@dataclass
class Books:
    """The empty administration, with what a test puts there."""

    control: RemoteControl
    address: str
    make: MakeClient

    def exporter(self, **settings: Any) -> ExactExporter:
        token = self.control.give_tokens()["access_token"]
        return ExactExporter(self.make(self.address, token, division=str(EMPTY)), settings)

    def add(self, resource: str, **values: Any) -> str:
        return self.control.add_exact(EMPTY, resource, values)[0]

    def customer(self, **values: Any) -> str:
        return self.add("crm/Accounts", **{"Name": "Bakkerij Jansen", "Status": "C"} | values)

    def item(self, code: str, **values: Any) -> str:
        return self.add("logistics/Items", Code=code, Description=f"Item {code}", **values)


@pytest.fixture
def books(shared_vendors: SandboxProcess, exact_at: MakeClient) -> Iterator[Books]:
    control = shared_vendors.control
    yield Books(control, shared_vendors.exact_url, exact_at)
    control.clear_faults()
    for resource, key in (
        ("salesorder/SalesOrders", "OrderID"),
        ("salesinvoice/SalesInvoices", "InvoiceID"),
        ("logistics/Items", "ID"),
        ("crm/Accounts", "ID"),
        ("logistics/Units", "ID"),
    ):
        if rows := control.exact_rows(EMPTY, resource):
            control.delete_exact(EMPTY, resource, *(row[key] for row in rows))


def document(kind: str, customer: str, *lines: Line) -> ExportDocument:
    return ExportDocument(
        kind=kind,
        token=token_of("tests", kind),
        number="WB-1",
        customer=customer,
        deliver_to=customer,
        invoice_to=customer,
        work_address=Place(),
        lines=list(lines),
        day=date(2026, 11, 5),
        total=None,
        title="WB-1 Ketel",
    )


def line(item: str, **values: Any) -> Line:
    given = {"key": "m1", "kind": LineKind.MATERIAL, "text": "Pipe", "quantity": Decimal(2), "price": Decimal("10.01")}
    return Line(article=item, **given | values)


def made_error(reason: Exception) -> requests.ConnectionError:
    pool = HTTPSConnectionPool("localhost")
    return requests.exceptions.SSLError(MaxRetryError(pool, "/", reason))


@pytest.mark.parametrize(
    ("error", "unsent"),
    [
        (requests.ConnectTimeout(), True),
        (made_error(NewConnectionError(HTTPSConnectionPool("localhost"), "refused")), True),  # type: ignore[arg-type]
        (made_error(EncryptionError(ssl.SSLCertVerificationError("self-signed"))), True),
        # These may come when the request was read and the answer is on its way.
        (made_error(EncryptionError(ssl.SSLEOFError("end of file"))), False),
        (requests.exceptions.SSLError(ssl.SSLError("record layer failure")), False),
        (requests.ConnectionError("reset"), False),
        (requests.ReadTimeout(), False),
    ],
)
def test_only_what_cannot_have_arrived_was_never_sent(error: requests.RequestException, unsent: bool) -> None:
    assert web.was_never_sent(error) is unsent


@pytest.mark.parametrize("code", ["KLANT-7", "00100"])
def test_a_customer_without_a_number_is_found_again_when_the_answer_was_lost(books: Books, code: str) -> None:
    exporter = books.exporter()
    books.control.add_fault("timeout_after", vendor="exact", method="POST", path="crm/Accounts", seconds=0.02)
    with pytest.raises(UncertainOutcome):
        exporter.create_customer(NewCustomer(code=code, name="Bakkerij Jansen"))
    found = exporter.look_up(Entity.CUSTOMER, [code, "unknown"])
    assert [each.title for each in found.values()] == ["Bakkerij Jansen"]
    assert list(found) == [code]


def test_a_search_code_never_stands_for_a_number(books: Books) -> None:
    books.customer(SearchCode="100")
    assert books.exporter().look_up(Entity.CUSTOMER, ["100"]) == {}


def test_a_document_is_found_where_exact_does_not_search_in_texts(books: Books) -> None:
    exporter, customer = books.exporter(), books.customer()
    wanted = document(SALES_ORDER, customer, line(books.item("A1")))
    made = exporter.create(ORDER, wanted)
    books.control.add_fault("status", status=400, body=BAD_QUERY, vendor="exact", method="GET", path="SalesOrders")
    found = exporter.find(ORDER, [wanted.token], date.today() - timedelta(days=1))  # noqa: DTZ011
    assert [each.remote_id for each in found] == [made.remote_id]


@pytest.mark.parametrize(
    ("unit", "settings", "minutes", "blocked"),
    [
        ("hh", {}, Decimal(60), ""),
        ("mi", {}, Decimal(1), ""),
        ("dd", {}, Decimal(480), ""),
        ("dd", {HOURS_PER_DAY: "7,5"}, Decimal(450), ""),
        ("wk", {}, None, "hours cannot be converted to its unit 'U'"),
    ],
)
def test_hours_are_counted_in_the_unit_of_their_item(
    books: Books, unit: str, settings: dict[str, str], minutes: Decimal | None, blocked: str
) -> None:
    books.add("logistics/Units", Code="U", Description="unit", Type="T", TimeUnit=unit)
    books.item("H1", Unit="U", IsTime=0)
    known = books.exporter(**settings).look_up(Entity.HOUR_ARTICLE, ["H1"])["H1"]
    assert (known.unit_minutes, known.blocked) == (minutes, blocked)


def test_a_blocked_journal_is_not_used(books: Books) -> None:
    exporter, customer, item = books.exporter(), books.customer(), books.item("A1")
    journal = next(row for row in books.control.exact_rows(EMPTY, "financial/Journals") if row["Code"] == "70")
    books.control.change_exact(EMPTY, "financial/Journals", journal["ID"], IsBlocked=True)
    try:
        made = exporter.create(INVOICE, document(SALES_INVOICE, customer, line(item)))
    finally:
        books.control.change_exact(EMPTY, "financial/Journals", journal["ID"], IsBlocked=False)
    assert books.control.exact_row(EMPTY, "salesinvoice/SalesInvoices", made.remote_id)["Journal"] == "71"


@pytest.mark.parametrize("price", ["0.000001", "1234567.891234", "33.3333"])
def test_prices_arrive_digit_for_digit(server: ScriptedServer, exact_at: MakeClient, price: str) -> None:
    server.play(Answer(201, {"d": {"ID": "1"}}))
    writing.create(exact_at(server.url), "salesorder/SalesOrderLines", {"NetPrice": Decimal(price)})
    assert f'"NetPrice":{price}' in str(server.received[-1].body)


@pytest.mark.parametrize("status", [405, 410, 414, 415])
def test_a_request_that_exact_calls_wrong_made_nothing(
    server: ScriptedServer, exact_at: MakeClient, status: int
) -> None:
    server.play(Answer(status, BAD_QUERY))
    with pytest.raises(RecordError):
        writing.create(exact_at(server.url), "crm/Accounts", {"Name": "x"})


@pytest.mark.parametrize(
    ("change", "undo", "said"),
    [
        (
            {"remove": ["Sales orders"]},
            {"add": ["Sales orders"]},
            "lacks the scope 'Sales orders', without which sales",
        ),
        (
            {"remove_rights": [{"endpoint": "salesorder/SalesOrders", "action": "POST"}]},
            {"add_rights": [{"endpoint": "salesorder/SalesOrders", "action": "POST"}]},
            "lacks the right to make sales orders (salesorder/SalesOrders)",
        ),
    ],
    ids=["scope", "right"],
)
def test_a_refusal_names_the_scope_or_the_right_that_is_missing(
    books: Books, change: dict[str, Any], undo: dict[str, Any], said: str
) -> None:
    exporter, wanted = books.exporter(), document(SALES_ORDER, books.customer(), line(books.item("A1")))
    books.control.change_scopes(**change)
    try:
        with pytest.raises(AccessDenied) as refused:
            exporter.create(ORDER, wanted)
    finally:
        books.control.change_scopes(**undo)
    assert said in str(refused.value)
    assert books.control.exact_rows(EMPTY, "salesorder/SalesOrders") == []
