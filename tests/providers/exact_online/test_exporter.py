"""Exporting to the sandbox's Exact Online: what is made, found again, read back, and refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest

from outsmart_sync.errors import RecordError, UncertainOutcome
from outsmart_sync.pipeline.export_ports import Exporter
from outsmart_sync.providers.exact_online.client import ExactOnlineClient
from outsmart_sync.providers.exact_online.exporter import ExactExporter
from outsmart_sync.providers.exact_online.exports import EXPORTS, HOURS, SALES_INVOICE, SALES_ORDER
from outsmart_sync.records.export_document import (
    Attachment,
    Entity,
    ExportDocument,
    InvoiceState,
    Line,
    LineKind,
    MadeDocument,
    NewArticle,
    NewCustomer,
    Place,
)
from outsmart_sync.records.export_token import token_of
from outsmart_sync.records.export_update import Sent
from outsmart_sync.records.setting_kinds import Text
from sandbox import process
from sandbox.process import SandboxProcess
from sandbox.remote_control import RemoteControl
from support import MAIN
from tests.providers.conftest import MakeClient

ORDER, INVOICE, BY_LINE = (EXPORTS.kind(name) for name in (SALES_ORDER, SALES_INVOICE, HOURS))
TODAY = datetime.now(UTC).date()
SINCE = TODAY - timedelta(days=2)
_numbers = count(1)


@pytest.fixture(scope="module")
def shared_vendors() -> Iterator[SandboxProcess]:
    """Vendors that nobody else writes to, with calls enough."""
    with process.start(relations=130, items=150, minute_limit=100_000, day_limit=1_000_000) as vendors:
        yield vendors


@pytest.fixture(scope="module")
def known(shared_vendors: SandboxProcess) -> dict[str, Any]:
    """Customers, an article, an hour and a project of the administration."""
    control = shared_vendors.control
    accounts = [row for row in control.exact_rows(MAIN, "Accounts") if row["Status"] == "C" and "EndDate" not in row]
    accounts = [row for row in accounts if not row.get("Blocked") and row["StartDate"] <= f"{TODAY}"]
    items = [row for row in control.exact_rows(MAIN, "Items") if row.get("IsSalesItem") and "EndDate" not in row]
    items = [row for row in items if row["StartDate"] <= f"{TODAY}"]
    return {
        "customer": accounts[0],
        "payer": accounts[1],
        "item": next(row for row in items if not row["IsTime"]),
        "hour": next(row for row in items if row["IsTime"]),
        "project": control.exact_rows(MAIN, "project/Projects")[0],
        "employee": control.exact_rows(MAIN, "payroll/Employees")[0],
    }


@pytest.fixture
def control(shared_vendors: SandboxProcess) -> Iterator[RemoteControl]:
    yield shared_vendors.control
    shared_vendors.control.clear_faults()


@pytest.fixture
def client(shared_vendors: SandboxProcess, exact_at: MakeClient) -> ExactOnlineClient:
    return exact_at(shared_vendors.exact_url, shared_vendors.control.give_tokens()["access_token"])


@pytest.fixture
def exporter(client: ExactOnlineClient) -> ExactExporter:
    return ExactExporter(client, {})


def line(known: dict[str, Any], **values: Any) -> Line:
    amounts = {"quantity": Decimal(2), "price": Decimal("10.01"), "amount": Decimal("20.02")}
    return Line(
        **{"key": "m1", "kind": LineKind.MATERIAL, "text": "Pipe", "article": known["item"]["ID"]} | amounts | values
    )  # type: ignore[arg-type]


def document(known: dict[str, Any], *lines: Line, **values: Any) -> ExportDocument:
    """A work order's document, each with a token of its own."""
    number = next(_numbers)
    made = {
        "kind": SALES_ORDER,
        "token": token_of("tests", str(number)),
        "number": f"WB-{number}",
        "customer": known["customer"]["ID"],
        "deliver_to": known["customer"]["ID"],
        "invoice_to": known["payer"]["ID"],
        "work_address": Place(),
        "lines": list(lines) or [line(known)],
        "day": TODAY,
        "total": sum((each.amount or Decimal(0) for each in lines), Decimal(0)) if lines else Decimal("20.02"),
        "title": f"WB-{number} Ketel nagekeken",
        "reference": "PO-12",
    }
    return ExportDocument(**made | values)  # type: ignore[arg-type]


def billed(control: RemoteControl, made: ExportDocument) -> list[dict[str, Any]]:
    return control.billed(MAIN, made.token)


def test_it_is_what_exporting_needs_of_a_package(client: ExactOnlineClient) -> None:
    needed: Exporter = ExactExporter(client, {})
    assert {name for name in vars(Exporter) if not name.startswith("_")} <= set(dir(needed))


def test_an_order_has_its_parties_lines_and_total(
    exporter: ExactExporter, control: RemoteControl, known: dict[str, Any]
) -> None:
    lines = (
        line(known, discount=Decimal("0.1"), amount=Decimal("18.02")),
        line(known, key="m2", quantity=Decimal("-0.5"), price=Decimal("0.07"), amount=Decimal("-0.04")),
        line(
            known,
            key="m3",
            price=Decimal("9.999"),
            discount=Decimal("0.125"),
            amount=Decimal("17.50"),
            text="Long " * 20,
        ),
    )
    sent = document(known, *lines, remarks="Vervangen:\nde ketel & co", project=known["project"]["ID"])
    before = exporter.calls
    made = exporter.create(ORDER, sent)
    assert exporter.calls - before == 1
    assert (made.total, made.token, made.open) == (Decimal("35.48"), sent.token, True)
    assert (made.customer, made.invoice_to) == (sent.customer, sent.invoice_to)
    [there] = billed(control, sent)
    assert there["description"] == f"{sent.token} {sent.title}"
    assert there["your_ref"] == "PO-12"
    assert there["number"] == int(made.number)
    assert [each["amount"] for each in there["lines"]] == [18.02, -0.04, 17.5]
    assert there["notes"][2].startswith("Long Long")
    assert datetime.fromisoformat(made.made_at).date() in {TODAY, TODAY + timedelta(days=1)}


@pytest.mark.parametrize(
    ("kind", "resource"), [(ORDER, "salesorder/SalesOrders"), (INVOICE, "salesinvoice/SalesInvoices")], ids=str
)
def test_a_document_is_in_the_administrations_currency_whatever_the_customers_is(
    exporter: ExactExporter, control: RemoteControl, known: Any, kind: Any, resource: str
) -> None:
    made = exporter.create(kind, document(known, currency="USD"))
    (row,) = (each for each in control.exact_rows(MAIN, resource) if made.remote_id in each.values())
    assert row["Currency"] == "USD"  # the sandbox takes the administration's own where none is sent


def test_a_long_title_is_cut_and_the_token_stays(exporter: ExactExporter, control: RemoteControl, known: Any) -> None:
    sent = document(known, title="x" * 200)
    exporter.create(ORDER, sent)
    [there] = billed(control, sent)
    assert len(there["description"]) == 60


def test_an_invoice_is_open_without_a_number_in_the_first_sales_journal(
    exporter: ExactExporter, control: RemoteControl, known: Any
) -> None:
    sent = document(known, kind=SALES_INVOICE, warehouse=control.exact_rows(MAIN, "Warehouses")[0]["ID"])
    made = exporter.create(INVOICE, sent)
    assert (made.number, made.open, made.total) == ("", True, Decimal("20.02"))
    row = control.exact_row(MAIN, "SalesInvoices", made.remote_id)
    assert (row["Journal"], row["Type"], row["Status"]) == ("70", 8020, 20)
    assert "Warehouse" not in row


def test_what_comes_to_less_than_nothing_is_a_credit_note(
    exporter: ExactExporter, control: RemoteControl, known: Any
) -> None:
    back = line(known, quantity=Decimal(-2), amount=Decimal("-20.02"))
    made = exporter.create(INVOICE, document(known, back, kind=SALES_INVOICE, journal="71"))
    assert made.total == Decimal("-20.02")
    row = control.exact_row(MAIN, "SalesInvoices", made.remote_id)
    assert (row["Type"], row["Journal"]) == (8021, "71")


@pytest.mark.parametrize("kind", [ORDER, INVOICE], ids=lambda kind: kind.name)
@pytest.mark.parametrize(
    "fault",
    [{"kind": "timeout_after", "seconds": 0.02}, {"kind": "truncate"}, {"kind": "truncate", "clean": True}],
    ids=str,
)
def test_what_was_made_without_an_answer_is_found_by_its_token(
    exporter: ExactExporter, control: RemoteControl, known: Any, kind: Any, fault: Any
) -> None:
    sent = document(known, kind=kind.name)
    control.add_fault(vendor="exact", method="POST", path="/Sales(Orders|Invoices)$", **fault)
    with pytest.raises(UncertainOutcome):
        exporter.create(kind, sent)
    [found] = exporter.find(kind, [sent.token, token_of("tests", "never")], SINCE)
    assert (found.token, found.total, found.customer) == (sent.token, sent.total, sent.customer)
    assert len(billed(control, sent)) == 1


def test_what_was_never_made_is_not_found(exporter: ExactExporter, control: RemoteControl, known: Any) -> None:
    sent = document(known)
    control.add_fault("reset", vendor="exact", method="POST", path="/SalesOrders$")
    with pytest.raises(UncertainOutcome):
        exporter.create(ORDER, sent)
    assert exporter.find(ORDER, [sent.token], SINCE) == []


def test_a_hundred_tokens_take_three_calls(exporter: ExactExporter) -> None:
    before = exporter.calls
    assert exporter.find(ORDER, [token_of("tests", f"none {number}") for number in range(100)], SINCE) == []
    assert exporter.calls - before == 3


def test_a_document_is_found_by_number_or_id_and_gone_when_it_is(
    exporter: ExactExporter, control: RemoteControl, known: Any
) -> None:
    made = exporter.create(ORDER, document(known))
    assert exporter.by_number(ORDER, made.number) == exporter.by_number(ORDER, made.remote_id) == [made]
    assert exporter.by_number(ORDER, "no number") == []
    control.delete_exact(MAIN, "SalesOrders", made.remote_id)
    assert exporter.get(ORDER, made.remote_id) is None


def test_a_refusal_makes_nothing(exporter: ExactExporter, control: RemoteControl, known: Any) -> None:
    supplier = next(row for row in control.exact_rows(MAIN, "Accounts") if row["Status"] == "A")
    sent = document(known, invoice_to=supplier["ID"])
    with pytest.raises(RecordError, match="no customer in Exact Online") as caught:
        exporter.create(ORDER, sent)
    assert "status Customer" in caught.value.remedy
    assert billed(control, sent) == []


def test_an_open_document_can_be_brought_up_to_date_again_and_again(
    exporter: ExactExporter, control: RemoteControl, known: Any
) -> None:
    sent = document(known, line(known), line(known, key="m2", price=Decimal(5)), line(known, key="m3"))
    made = exporter.create(ORDER, sent)
    changed = document(
        known, line(known, quantity=Decimal(3)), line(known, key="m2", price=Decimal(5)), token=sent.token, total=None
    )
    first = Sent(document=sent, becoming=changed)
    for _ in range(2):
        assert exporter.replace(ORDER, made.remote_id, first, changed).made.total == Decimal("40.03")
    longer = document(known, *changed.lines, line(known, key="m9", price=Decimal(1)), token=sent.token)
    assert exporter.replace(ORDER, made.remote_id, Sent(document=changed), longer).made.total == Decimal("42.03")
    plain = document(known, *changed.lines, token=sent.token, reference="")
    assert exporter.replace(ORDER, made.remote_id, Sent(document=longer), plain).made.token == sent.token
    [there] = billed(control, sent)
    assert (there["your_ref"], len(there["lines"])) == ("", 2)
    control.change_exact(MAIN, "SalesOrders", made.remote_id, InvoiceStatus=21)
    with pytest.raises(RecordError, match="closed"):
        exporter.replace(ORDER, made.remote_id, Sent(document=plain), changed)


def test_the_payer_of_a_document_is_fixed(exporter: ExactExporter, known: Any) -> None:
    sent = document(known)
    made = exporter.create(ORDER, sent)
    other = document(known, invoice_to=known["customer"]["ID"], token=sent.token)
    with pytest.raises(RecordError, match="fixes who orders"):
        exporter.replace(ORDER, made.remote_id, Sent(document=sent), other)


def test_lines_go_back_to_the_order_that_a_work_order_came_from(
    exporter: ExactExporter, control: RemoteControl, known: Any
) -> None:
    made = exporter.create(ORDER, document(known))
    token = token_of("tests", "line", line="h1")
    sent = document(known, append_to=made.remote_id)
    appended = exporter.append_line(sent, line(known, token=token, text="Extra"))
    assert (appended.total, appended.quantity) == (Decimal("20.02"), Decimal(2))
    order = exporter.order(made.remote_id)
    assert order is not None
    assert order.closed == ""
    assert [each.token for each in order.lines] == ["", token]
    assert order.lines[1].remote_id == appended.remote_id
    exporter.change_quantity(made.remote_id, order.lines[0].remote_id, Decimal("1.5"))
    changed = exporter.order(made.remote_id)
    assert changed is not None
    assert [each.amount for each in changed.lines] == [Decimal("15.02"), Decimal("20.02")]
    assert changed.made.total == Decimal("35.04")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"Status": 45}, "cancelled"),
        ({"InvoiceStatus": 21}, "invoiced"),
        ({"DeliveryStatus": 21}, "shipped"),
        ({"Status": 21}, "closed"),
    ],
)
def test_an_order_that_is_done_with_says_why_and_takes_no_line(
    exporter: ExactExporter, control: RemoteControl, known: Any, change: Any, word: str
) -> None:
    made = exporter.create(ORDER, document(known))
    control.change_exact(MAIN, "SalesOrders", made.remote_id, **change)
    order = exporter.order(made.remote_id)
    assert order is not None
    assert (order.closed, order.made.open) == (word, False)
    with pytest.raises(RecordError, match="takes no change"):
        exporter.append_line(document(known, append_to=made.remote_id), line(known))


def test_hours_and_costs_are_made_one_by_one_and_found_in_their_stream(
    exporter: ExactExporter, control: RemoteControl, known: Any
) -> None:
    hours = line(
        known,
        key="h1",
        kind=LineKind.HOURS,
        article=known["hour"]["ID"],
        quantity=Decimal("1.25"),
        token=token_of("tests", "hours", line="h1"),
        employee=known["employee"]["ID"],
        begin=time(23, 30),
        end=time(0, 45),
    )
    cost = line(known, token=token_of("tests", "hours", line="m1"), discount=Decimal("0.5"))
    sent = document(known, hours, cost, kind=HOURS)
    control.add_fault("timeout_after", vendor="exact", method="POST", path="TimeTransactions", seconds=0.02)
    with pytest.raises(UncertainOutcome):
        exporter.create_line(BY_LINE, sent, hours)
    made = exporter.create_line(BY_LINE, sent, cost)
    assert (made.quantity, made.total) == (Decimal(2), Decimal("10.01"))
    [time_made] = exporter.find(BY_LINE, [hours.token], SINCE)
    assert (time_made.quantity, time_made.total, time_made.token) == (Decimal("1.25"), None, hours.token)
    assert exporter.get(BY_LINE, time_made.remote_id) == time_made
    assert [each.remote_id for each in exporter.by_number(BY_LINE, made.number)] == [made.remote_id]
    [row] = control.billed(MAIN, hours.token)
    assert (row["kind"], row["account"], row["employee"]) == ("time", sent.invoice_to, known["employee"]["ID"])
    assert row["notes"] == [f"{hours.token} {sent.number} 23:30-00:45 Pipe"]
    with pytest.raises(RecordError, match="entries of their own"):
        exporter.replace(BY_LINE, made.remote_id, Sent(document=sent), sent)
    control.delete_exact(MAIN, "sync/Project/TimeCostTransactions", made.remote_id)
    assert exporter.get(BY_LINE, made.remote_id) is None


def test_hours_go_to_a_project_where_there_is_one(exporter: ExactExporter, control: RemoteControl, known: Any) -> None:
    cost = line(known, token=token_of("tests", "project", line="m1"), project=known["project"]["ID"])
    exporter.create_line(BY_LINE, document(known, cost, kind=HOURS), cost)
    [row] = control.billed(MAIN, cost.token)
    assert (row["project"], row["account"]) == (known["project"]["ID"], None)


def test_records_are_found_by_code_in_batches(exporter: ExactExporter, control: RemoteControl, known: Any) -> None:
    codes = [row["Code"].strip() for row in control.exact_rows(MAIN, "Accounts")]
    before = exporter.calls
    found = exporter.look_up(Entity.CUSTOMER, [*codes, "HAND-1", "99999999", ""])
    assert exporter.calls - before <= len(codes) // 40 + 4
    assert set(found) == set(codes)
    assert found[known["customer"]["Code"].strip()].remote_id == known["customer"]["ID"]
    assert {found[code].blocked for code in codes} >= {"", "blocked", "not a customer", "ended", "not yet valid"}
    items = exporter.look_up(Entity.ARTICLE, [known["item"]["Code"], "nothing"])
    assert [each.remote_id for each in items.values()] == [known["item"]["ID"]]
    [hour] = exporter.look_up(Entity.HOUR_ARTICLE, [known["hour"]["Code"]]).values()
    assert hour.unit_minutes == Decimal(60)
    assert exporter.look_up(Entity.PROJECT, [known["project"]["Code"]])
    assert exporter.look_up(Entity.EMPLOYEE, [known["employee"]["Code"]])
    assert exporter.facts(Entity.ARTICLE, [known["item"]["ID"]])[known["item"]["ID"]].code == known["item"]["Code"]


def test_a_customer_that_is_not_there_is_made_once(exporter: ExactExporter, known: Any) -> None:
    new = NewCustomer(code="8811223", name="Nieuw & Co", postcode="1234 AB", city="Utrecht", coc_number="80112233")
    made = exporter.create_customer(new)
    assert made.code == "8811223"
    assert exporter.look_up(Entity.CUSTOMER, ["8811223"])["8811223"].blocked == ""
    with pytest.raises(RecordError, match="same code already"):
        exporter.create_customer(new)
    lettered = exporter.create_customer(NewCustomer(code="KLANT-1", name="Met letters", country="Nederland"))
    assert lettered.code.isdigit()


def test_a_customer_under_another_code_is_likely(exporter: ExactExporter, known: Any) -> None:
    there = known["customer"]
    same_name = NewCustomer(code="1", name=there["Name"], postcode=there["Postcode"])
    assert [each.known.remote_id for each in exporter.likely_customers(same_name)] == [there["ID"]]
    assert exporter.likely_customers(same_name)[0].why == "name and postcode"
    vat = NewCustomer(code="1", name="Other", vat_number=".".join(there["VATNumber"]))
    assert [each.why for each in exporter.likely_customers(vat)] == ["VAT number"]
    assert exporter.likely_customers(NewCustomer(code="1", name="Nobody")) == []


def test_an_article_that_is_not_there_is_made_with_the_settings(
    client: ExactOnlineClient, control: RemoteControl, known: Any
) -> None:
    group = control.exact_rows(MAIN, "ItemGroups")[0]
    exporter = ExactExporter(client, {"item_group": group["Code"], "unit": known["hour"]["Unit"], "vat_code": "VL"})
    made = exporter.create_article(NewArticle(code="NEW-1", description="x" * 90, unit="krat"))
    row = control.exact_row(MAIN, "Items", made.remote_id)
    assert (row["ItemGroup"], row["Unit"], row["SalesVatCode"]) == (group["ID"], known["hour"]["Unit"], "VL")
    assert len(row["Description"]) == 60
    assert [each.known.remote_id for each in exporter.likely_articles(NewArticle(code="?", description="x" * 90))] == [
        made.remote_id
    ]
    with pytest.raises(RecordError, match="item group 'none'"):
        ExactExporter(client, {"item_group": "none"}).create_article(NewArticle(code="NEW-2", description="y"))


def test_a_pdf_hangs_on_its_order(exporter: ExactExporter, control: RemoteControl, known: Any) -> None:
    sent = document(known)
    made = exporter.create(ORDER, sent)
    control.add_fault("timeout_after", vendor="exact", method="POST", path="Documents$", seconds=0.02)
    with pytest.raises(UncertainOutcome):
        exporter.create_file(ORDER, sent, made, "a.pdf")
    [file_id] = exporter.find_file(ORDER, sent.token, made)
    assert exporter.find_attachment(ORDER, made, file_id, "a.pdf") == []
    attached = exporter.attach(ORDER, made, file_id, Attachment(name="a.pdf", content=b"%PDF-1.4 x"))
    assert exporter.find_attachment(ORDER, made, file_id, "a.pdf") == [attached]
    for _ in range(2):
        exporter.link_file(ORDER, made, file_id)
    [there] = billed(control, sent)
    assert there["document"] == file_id


def test_a_pdf_that_is_too_large_is_not_sent(exporter: ExactExporter) -> None:
    before = exporter.calls
    with pytest.raises(RecordError, match="about 7 MB"):
        exporter.attach(ORDER, MadeDocument(remote_id="x"), "y", Attachment(name="a.pdf", content=b"x" * 8_000_000))
    assert exporter.calls == before


def states(exporter: ExactExporter, cursors: dict[str, str]) -> list[InvoiceState]:
    found = []
    for page in exporter.invoice_states(cursors, datetime.now(UTC).date()):
        cursors[page.stream] = page.cursor
        found += page.states
    return found


def test_what_became_of_invoices_is_told_until_they_are_paid(
    exporter: ExactExporter, control: RemoteControl, known: Any
) -> None:
    order = exporter.create(ORDER, document(known))
    invoice = exporter.create(INVOICE, document(known, kind=SALES_INVOICE))
    cursors: dict[str, str] = {}
    assert invoice.remote_id in {state.document for state in states(exporter, cursors)}  # today's, as nothing was kept
    assert states(exporter, cursors) == []
    assert (order.invoiced, invoice.invoiced) == (False, None)
    of_order = control.invoice_order(MAIN, order.remote_id)
    there = exporter.get(ORDER, order.remote_id)
    assert there is not None
    assert there.invoiced is True
    number = control.process_invoice(MAIN, of_order)
    told = {state.document: state for state in states(exporter, cursors)}
    assert told[order.remote_id].invoice == of_order
    assert (told[order.remote_id].number, told[order.remote_id].booked) == (str(number), True)
    control.pay_invoice(MAIN, of_order, 5)
    [part] = [state for state in states(exporter, cursors) if state.paid is not None]
    assert (part.invoice, part.paid) == (of_order, False)
    control.pay_invoice(MAIN, of_order)
    [whole] = [state for state in states(exporter, cursors) if state.paid is not None]
    assert (whole.invoice, whole.paid, whole.booked) == (of_order, True, True)
    control.delete_exact(MAIN, "SalesInvoices", invoice.remote_id)
    assert invoice.remote_id in {state.document for state in states(exporter, cursors) if state.gone}
    assert states(exporter, cursors) == []


def test_every_list_that_a_setting_has_can_be_read(exporter: ExactExporter) -> None:
    listed = [each for each in EXPORTS.settings if isinstance(each, Text) and each.lists is not None]
    assert {each.name for each in listed} >= {"journal", "warehouse", "payment_condition", "document_type"}
    found = {each.name: exporter.choices(each.lists) for each in listed if each.lists is not None}
    assert all(found.values())
    assert [code for code, _ in found["journal"]] == ["70", "71"]
    assert ("10", "Sales invoice") in found["document_type"]
    assert "V6" not in dict(found["vat_code"])


def test_a_document_of_many_lines_is_one_call(exporter: ExactExporter, control: RemoteControl, known: Any) -> None:
    lines = [line(known, key=f"m{number}", price=Decimal(1), amount=Decimal(2)) for number in range(70)]
    sent = document(known, *lines)
    made = exporter.create(ORDER, sent)
    assert made.total == Decimal(140)
    order = exporter.order(made.remote_id)
    assert order is not None
    assert len(order.lines) == 70


def test_the_document_is_of_the_day_the_work_ended(exporter: ExactExporter, control: RemoteControl, known: Any) -> None:
    made = exporter.create(ORDER, document(known, day=date(2026, 1, 31)))
    assert control.exact_row(MAIN, "SalesOrders", made.remote_id)["OrderDate"].startswith("2026-01-31")


def test_an_update_leaves_alone_what_the_office_did_to_an_order(
    exporter: ExactExporter, client: ExactOnlineClient, control: RemoteControl, known: Any
) -> None:
    sent = document(known, line(known), line(known, key="m2", price=Decimal(5)))
    made = exporter.create(ORDER, sent)
    there = exporter.order(made.remote_id)
    assert there is not None
    edited = next(each for each in there.lines if each.price == 5)
    control.change_exact(MAIN, "SalesOrderLines", edited.remote_id, Quantity=9)
    control.change_exact(MAIN, "SalesOrders", made.remote_id, Remarks="Ring the bell")
    own = {"OrderID": made.remote_id, "Item": known["item"]["ID"], "Quantity": 4, "Description": "By the office"}
    client.send("POST", "salesorder/SalesOrderLines", own)
    wanted = document(
        known, line(known, quantity=Decimal(3)), line(known, key="m2", price=Decimal(6)), token=sent.token
    )
    found = exporter.replace(ORDER, made.remote_id, Sent(document=sent), wanted)
    now = exporter.order(made.remote_id)
    assert now is not None
    assert sorted(each.quantity for each in now.lines) == [3, 4, 9]
    assert len(found.left) == 3
    assert any("By the office" in each for each in found.left)
    assert control.exact_row(MAIN, "SalesOrders", made.remote_id)["Remarks"] == "Ring the bell"
