"""Exporting to the sandbox's VISMA eAccounting: what is made, found again, read back, and refused."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
import requests
from msgspec import structs

from outsmart_sync.errors import RateLimited, RecordError, SyncError, UncertainOutcome
from outsmart_sync.providers.visma_eaccounting.client import VismaClient
from outsmart_sync.providers.visma_eaccounting.exporter import VismaExporter
from outsmart_sync.providers.visma_eaccounting.exports import EXPORTS, INVOICE_DRAFT, SALES_ORDER
from outsmart_sync.records.export_document import (
    Attachment,
    Entity,
    ExportDocument,
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
from tests.providers.conftest import FixedTokens

ORDER, DRAFT = EXPORTS.kind(SALES_ORDER), EXPORTS.kind(INVOICE_DRAFT)
EACH = pytest.mark.parametrize("kind", [ORDER, DRAFT], ids=lambda kind: kind.name)
PATHS = {SALES_ORDER: "orders", INVOICE_DRAFT: "customerinvoicedrafts"}
COMPANY, WITH_VAT = "gavle", "bergen"
TODAY = datetime.now(UTC).date()
SINCE = TODAY - timedelta(days=2)
PDF = b"%PDF-1.7 work order"
_numbers = count(1)


@pytest.fixture(scope="module")
def shared_vendors() -> Iterator[SandboxProcess]:
    """Vendors that nobody else writes to."""
    with process.start(relations=12, items=14) as vendors:
        vendors.control.set_visma_limit(minute=100_000)
        yield vendors


@pytest.fixture
def control(shared_vendors: SandboxProcess) -> Iterator[RemoteControl]:
    yield shared_vendors.control
    shared_vendors.control.clear_faults()
    shared_vendors.control.switch(visma_filters_refused=[])


def exporter_of(vendors: SandboxProcess, company: str = COMPANY, **settings: Any) -> VismaExporter:
    token = str(vendors.control.give_visma_tokens(company=company)["access_token"])
    client = VismaClient(requests.Session, vendors.visma_url, FixedTokens(token), sleep=lambda _: None)
    return VismaExporter(client, settings)


@pytest.fixture(scope="module")
def exporter(shared_vendors: SandboxProcess) -> Iterator[VismaExporter]:
    made = exporter_of(shared_vendors)
    yield made
    made.close()


def known_in(control: RemoteControl, company: str, *, private: bool = False) -> dict[str, Any]:
    country = "SE" if company == COMPANY else "NO"
    customers = [row for row in control.visma_rows(company, "customers") if row["InvoiceCountryCode"] == country]
    customers = [row for row in customers if row["IsActive"] and not row["ReverseChargeOnConstructionServices"]]
    articles = [row for row in control.visma_rows(company, "articles") if row["IsActive"]]
    units = {row["Id"]: row["Code"] for row in control.visma_rows(company, "units")}
    return {
        "customer": next(row for row in customers if row["IsPrivatePerson"] is private),
        "article": next(row for row in articles if units[row["UnitId"]] == "PCS"),
        "hour": next(row for row in articles if units[row["UnitId"]] == "HUR"),
    }


@pytest.fixture(scope="module")
def known(shared_vendors: SandboxProcess) -> dict[str, Any]:
    return known_in(shared_vendors.control, COMPANY)


def line(known: dict[str, Any], **values: Any) -> Line:
    amounts = {"quantity": Decimal(2), "price": Decimal("10.01"), "amount": Decimal("20.02")}
    return Line(
        **{"key": "m1", "kind": LineKind.MATERIAL, "text": "Pipe", "article": known["article"]["Id"]} | amounts | values
    )  # type: ignore[arg-type]


def document(known: dict[str, Any], *lines: Line, **values: Any) -> ExportDocument:
    """A work order's document, each with a token of its own."""
    number = next(_numbers)
    lines = lines or (line(known),)
    made = {
        "kind": "",
        "token": token_of("tests", str(number)),
        "number": f"WB-{number}",
        "customer": known["customer"]["Id"],
        "deliver_to": known["customer"]["Id"],
        "invoice_to": known["customer"]["Id"],
        "work_address": Place(name="Villa", street="Storgatan 1", postcode="803 20", city="Gävle", country="se"),
        "lines": list(lines),
        "day": TODAY,
        "total": sum((each.amount or Decimal(0) for each in lines), Decimal(0)),
        "title": f"WB-{number} Boiler",
        "reference": "PO-12",
    }
    return ExportDocument(**made | values)  # type: ignore[arg-type]


def there(control: RemoteControl, kind: Any, token: str, company: str = COMPANY) -> list[dict[str, Any]]:
    rows = control.visma_rows(company, PATHS[kind.name])
    return [row for row in rows if token in (row["OurReference"] or "")]


@EACH
def test_a_document_has_its_payer_place_rows_and_total(
    exporter: VismaExporter, control: RemoteControl, known: Any, kind: Any
) -> None:
    hours = {"kind": LineKind.HOURS, "article": known["hour"]["Id"], "discount": Decimal("0.1")}
    lines = [
        line(known),
        line(known, key="h1", quantity=Decimal("1.25"), price=Decimal(60), amount=Decimal("67.50"), **hours),
        line(known, key="d", kind=LineKind.TEXT, text="Boiler mended", article="", amount=None),
    ]
    wanted = document(known, *lines, total=Decimal("87.52"))
    made = exporter.create(kind, wanted)
    assert (made.total, made.token, made.invoice_to) == (Decimal("87.52"), wanted.token, wanted.invoice_to)
    (row,) = there(control, kind, wanted.token)
    assert (row["BuyersOrderReference"], row["DeliveryCustomerName"], row["DeliveryCountryCode"]) == (
        "PO-12",
        "Villa",
        "SE",
    )
    assert [(each["Text"], each["Quantity"], each["UnitPrice"]) for each in row["Rows"]] == [
        (f"{wanted.token} {wanted.title}", 0, 0),
        ("Pipe", 2, 10.01),
        ("Pipe", 1.25, 60),
        ("Boiler mended", 0, 0),
    ]
    assert exporter.get(kind, made.remote_id) == made
    assert exporter.by_number(kind, made.remote_id) == [made]


@EACH
@pytest.mark.parametrize(
    "refused", [[], ["orders", "customerinvoices", "customerinvoicedrafts"]], ids=["filter", "none"]
)
@pytest.mark.parametrize("fault", ["timeout_after", "truncate"])
def test_what_was_made_without_an_answer_is_found_by_reading(
    exporter: VismaExporter, control: RemoteControl, known: Any, kind: Any, fault: str, refused: list[str]
) -> None:
    wanted = document(known)
    control.switch(visma_filters_refused=refused)
    control.add_fault(fault, vendor="visma", method="POST", path=PATHS[kind.name], seconds=0.02, times=1)
    with pytest.raises(UncertainOutcome):
        exporter.create(kind, wanted)
    (found,) = exporter.find(kind, [wanted.token, "OS-AAAAAAAAAA"], SINCE)
    assert (found.token, found.total) == (wanted.token, Decimal("20.02"))
    assert len(there(control, kind, wanted.token)) == 1
    assert exporter.find(kind, ["OS-AAAAAAAAAA"], SINCE) == []


def said(status: int, code: int, text: str) -> dict[str, Any]:
    return {"kind": "status", "status": status, "body": {"ErrorCode": code, "DeveloperErrorMessage": text}}


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"kind": "status", "status": 503}, UncertainOutcome),
        ({"kind": "reset"}, UncertainOutcome),
        (said(400, 5000, "Internal error"), UncertainOutcome),
        (said(429, 4010, "Try again in 9 seconds"), RateLimited),
        (said(400, 3001, "No fiscal year"), RecordError),
    ],
)
def test_each_end_of_a_call_is_told_apart_and_nothing_is_sent_twice(
    exporter: VismaExporter, control: RemoteControl, known: Any, fault: dict[str, Any], error: type[SyncError]
) -> None:
    wanted = document(known)
    control.add_fault(**fault, vendor="visma", method="POST", path="customerinvoicedrafts", times=1)
    with pytest.raises(error) as ended:
        exporter.create(DRAFT, wanted)
    assert type(ended.value) is error
    assert there(control, DRAFT, wanted.token) == []


@EACH
def test_a_refusal_says_in_words_what_to_do(exporter: VismaExporter, known: Any, kind: Any) -> None:
    with pytest.raises(RecordError) as refused:
        exporter.create(kind, document(known, day=TODAY.replace(year=2001)))
    assert "fiscal year" in refused.value.what
    assert "Add the fiscal year" in refused.value.remedy
    with pytest.raises(RecordError):
        exporter.create(kind, document(known, line(known, article=known["customer"]["Id"])))


def test_a_credit_is_a_credit_draft(exporter: VismaExporter, control: RemoteControl, known: Any) -> None:
    wanted = document(known, line(known, quantity=Decimal(-2), amount=Decimal("-20.02")))
    made = exporter.create(DRAFT, wanted)
    assert made.total == Decimal("-20.02")
    (row,) = there(control, DRAFT, wanted.token)
    assert (row["IsCreditInvoice"], row["Rows"][1]["Quantity"]) == (True, 2)


@EACH
def test_private_persons_pay_prices_with_vat_where_the_company_says_so(
    shared_vendors: SandboxProcess, control: RemoteControl, kind: Any
) -> None:
    known, exporter = known_in(control, WITH_VAT, private=True), exporter_of(shared_vendors, WITH_VAT)
    customer, article = known["customer"], known["article"]
    (facts,) = exporter.facts(Entity.CUSTOMER, [customer["Id"]]).values()
    (found,) = exporter.look_up(Entity.ARTICLE, [article["Number"]]).values()
    assert facts.vat_included
    assert found.vat_rate in (Decimal("0.25"), Decimal("0.15"))
    price = (Decimal(100) * (1 + found.vat_rate)).quantize(Decimal("0.01"))
    place = Place(name="x")
    wanted = document(
        known, line(known, price=price, amount=Decimal(200), vat_included=True), work_address=place, total=Decimal(200)
    )
    made = exporter.create(kind, wanted)
    assert made.total == Decimal(200)
    if kind is ORDER:
        order = exporter.order(made.remote_id)
        assert order is not None
        assert [(round(each.price, 2), each.amount) for each in order.lines] == [(100, 200)]
    exporter.close()


@EACH
def test_reverse_charge_stands_in_every_row(
    shared_vendors: SandboxProcess, exporter: VismaExporter, control: RemoteControl, known: Any, kind: Any
) -> None:
    name = known["customer"]["CustomerNumber"]
    values = {"ReverseChargeOnConstructionServices": True, "VatNumber": "SE556677889901"}
    control.change_visma(COMPANY, "customers", name, **values)
    (facts,) = exporter.facts(Entity.CUSTOMER, [known["customer"]["Id"]]).values()
    assert facts.reverse_charge
    made = exporter.create(kind, document(known, line(known, reverse_charge=True)))
    assert made.total == Decimal("20.02")
    row = next(row for row in control.visma_rows(COMPANY, PATHS[kind.name]) if row["Id"] == made.remote_id)
    vat = row["VatAmount"] if kind is ORDER else row["TotalVatAmount"]
    control.change_visma(COMPANY, "customers", name, ReverseChargeOnConstructionServices=False)
    assert vat == 0


@EACH
def test_an_open_document_is_brought_up_to_date_and_a_closed_one_is_not(
    exporter: VismaExporter, control: RemoteControl, known: Any, kind: Any
) -> None:
    wanted = document(known)
    made = exporter.create(kind, wanted)
    more = document(known, line(known), line(known, key="m2"), token=wanted.token)
    for _ in range(2):
        found = exporter.replace(kind, made.remote_id, Sent(document=wanted, becoming=more), more)
        assert (found.made.total, found.left) == (Decimal("40.04"), [])
    (row,) = there(control, kind, wanted.token)
    action = "completed" if kind is ORDER else "book"
    control.act_on_visma(COMPANY, PATHS[kind.name], row["Id"], action)
    with pytest.raises(RecordError):
        exporter.replace(kind, made.remote_id, Sent(document=more), wanted)
    now = exporter.get(kind, made.remote_id)
    assert now is not None
    assert (now.open, now.total, now.token) == (False, Decimal("40.04"), wanted.token)
    assert [each.remote_id for each in exporter.find(kind, [wanted.token], SINCE)] == [made.remote_id]
    assert exporter.by_number(kind, now.number) == [now]


def test_what_is_gone_is_gone(exporter: VismaExporter, known: Any, control: RemoteControl) -> None:
    for kind in (ORDER, DRAFT):
        made = exporter.create(kind, document(known))
        control.delete_visma(COMPANY, PATHS[kind.name], made.remote_id)
        assert exporter.get(kind, made.remote_id) is None
        assert exporter.by_number(kind, made.remote_id) == []
    assert exporter.order(made.remote_id) is None


def test_lines_go_back_to_an_imported_order_and_all_else_stays(
    exporter: VismaExporter, control: RemoteControl, known: Any
) -> None:
    rows = [
        {"LineNumber": 1, "IsTextRow": False, "ArticleId": known["article"]["Id"], "Quantity": 2, "UnitPrice": 10},
        {"LineNumber": 2, "IsTextRow": False, "ArticleId": known["article"]["Id"], "Quantity": 1, "UnitPrice": 5},
    ]
    (order_id,) = control.add_visma(
        COMPANY,
        "orders",
        {
            "CustomerId": known["customer"]["Id"], "CurrencyCode": "SEK", "OrderDate": f"{TODAY}", "Status": 2,
            "EuThirdParty": False, "RotReducedInvoicingType": 0, "ReverseChargeOnConstructionServices": False,
            "YourReference": "Mrs. Berg", "BuyersOrderReference": "PO 7",
            "Rows": [{"IsWorkCost": False, "EligibleForReverseChargeOnVat": False, **row} for row in rows],
        },
    )  # fmt: skip
    order = exporter.order(order_id)
    assert order is not None
    assert [(each.quantity, each.price, each.amount) for each in order.lines] == [(2, 10, 20), (1, 5, 5)]
    token = token_of("tests", "order", line="m3")
    for line_id, quantity in zip([each.remote_id for each in order.lines], ("3", "4"), strict=True):
        exporter.change_quantity(order_id, line_id, Decimal(quantity))
    made = exporter.append_line(document(known, append_to=order_id), line(known, token=token))
    now = exporter.order(order_id)
    assert now is not None
    assert [(each.quantity, each.token) for each in now.lines] == [(3, ""), (4, ""), (2, token)]
    assert now.lines[2].remote_id == made.remote_id
    (row,) = [row for row in control.visma_rows(COMPANY, "orders") if row["Id"] == order_id]
    assert (row["YourReference"], row["BuyersOrderReference"], row["Status"]) == ("Mrs. Berg", "PO 7", 2)
    control.act_on_visma(COMPANY, "orders", order_id, "completed")
    shipped = exporter.order(order_id)
    assert shipped is not None
    assert shipped.closed == "shipped"
    with pytest.raises(RecordError):
        exporter.append_line(document(known, append_to=order_id), line(known, token=token))


@EACH
def test_a_file_hangs_on_its_document(exporter: VismaExporter, control: RemoteControl, known: Any, kind: Any) -> None:
    wanted = document(known)
    made = exporter.create(kind, wanted)
    assert exporter.create_file(kind, wanted, made, "a.pdf") == ""
    attached = exporter.attach(kind, made, "", Attachment(name="WB.pdf", content=PDF))
    assert exporter.find_attachment(kind, made, "", "WB.pdf") == [attached]
    assert exporter.find_attachment(kind, made, "", "other.pdf") == []
    with pytest.raises(RecordError, match="MB"):
        exporter.attach(kind, made, "", Attachment(name="WB.pdf", content=b"x" * 6 * 1024**2))
    with pytest.raises(RecordError):
        exporter.attach(kind, made, "", Attachment(name="WB.jpg", content=PDF, media_type="image/jpeg"))


def test_records_are_found_by_code_and_by_id(
    shared_vendors: SandboxProcess, exporter: VismaExporter, control: RemoteControl, known: Any
) -> None:
    number, article = known["customer"]["CustomerNumber"], known["article"]
    found = exporter.look_up(Entity.CUSTOMER, [number, "none"])
    assert {code: each.remote_id for code, each in found.items()} == {number: known["customer"]["Id"]}
    (hour,) = exporter.look_up(Entity.HOUR_ARTICLE, [known["hour"]["Number"]]).values()
    assert (hour.unit_minutes, hour.blocked) == (60, "")
    (piece,) = exporter.look_up(Entity.HOUR_ARTICLE, [article["Number"]]).values()
    assert piece.blocked.startswith("hours cannot be converted to its unit '")
    assert exporter.look_up(Entity.ARTICLE, [article["Number"]])[article["Number"]].blocked == ""
    said = exporter_of(shared_vendors, other_hour_units="one_hour")
    (piece,) = said.look_up(Entity.HOUR_ARTICLE, [article["Number"]]).values()
    assert (piece.unit_minutes, piece.blocked) == (60, "")
    said.close()
    assert exporter.look_up(Entity.EMPLOYEE, ["1"]) == {}
    control.change_visma(COMPANY, "articles", article["Number"], IsActive=False)
    assert exporter.facts(Entity.ARTICLE, [article["Id"]])[article["Id"]].blocked == "inactive"
    control.change_visma(COMPANY, "articles", article["Number"], IsActive=True)
    control.change_visma(COMPANY, "customers", number, CurrencyCode="EUR")
    fresh = exporter_of(shared_vendors)
    (foreign,) = fresh.facts(Entity.CUSTOMER, [known["customer"]["Id"]]).values()
    fresh.close()
    assert foreign.blocked == "it is billed in EUR, and work orders are in SEK"
    control.change_visma(COMPANY, "customers", number, CurrencyCode="SEK")
    many = [row["Id"] for row in control.visma_rows(COMPANY, "articles")][:25]
    assert set(exporter.facts(Entity.ARTICLE, many)) == set(many)


def test_missing_ones_are_made_with_what_the_settings_say(
    shared_vendors: SandboxProcess, control: RemoteControl
) -> None:
    terms = next(row["Id"] for row in control.visma_rows(COMPANY, "termsofpayments") if row["AvailableForSales"])
    coding = control.visma_rows(COMPANY, "articleaccountcodings")[0]["Id"]
    unit = control.visma_rows(COMPANY, "units")[0]["Id"]
    exporter = exporter_of(
        shared_vendors, customer_terms=terms, article_coding=coding, article_unit=unit, private_person="without_number"
    )
    new = NewCustomer(code="0815", name="Berg", street="Väg 1", postcode="803 20", city="Gävle", country="SE")
    assert exporter.likely_customers(new) == []
    made = exporter.create_customer(new)
    row = control.visma_row(COMPANY, "customers", "0815")
    assert (made.remote_id, made.code, row["IsPrivatePerson"]) == (row["Id"], "0815", True)
    (likely,) = exporter.likely_customers(NewCustomer(code="1", name="berg", postcode="80320"))
    assert (likely.known.remote_id, likely.why) == (made.remote_id, "name and postcode")
    with pytest.raises(RecordError, match="same number already"):
        exporter.create_customer(new)
    article = exporter.create_article(NewArticle(code="NEW-1", description="Valve", unit="h", price=Decimal("12.345")))
    row = control.visma_row(COMPANY, "articles", "NEW-1")
    assert (article.remote_id, row["NetPrice"]) == (row["Id"], 12.35)
    assert row["UnitId"] == next(each["Id"] for each in control.visma_rows(COMPANY, "units") if each["Code"] == "HUR")
    assert [each.known.code for each in exporter.likely_articles(NewArticle(code="x", description="Valve"))] == [
        "NEW-1"
    ]
    exporter.close()


@pytest.mark.parametrize("change", [{"postcode": ""}, {"code": "1" * 17}, {}], ids=["place", "number", "terms"])
def test_a_customer_that_cannot_be_made_names_the_reason(exporter: VismaExporter, change: dict[str, str]) -> None:
    values = {"code": "77", "name": "Berg", "postcode": "1", "city": "Gävle"} | change
    with pytest.raises(RecordError) as refused:
        exporter.create_customer(NewCustomer(**values))
    assert refused.value.remedy


@EACH
def test_what_became_of_documents_is_read_back(
    exporter: VismaExporter, control: RemoteControl, known: Any, kind: Any
) -> None:
    made = exporter.create(kind, document(known))
    cursors: dict[str, str] = {}
    if kind is ORDER:
        control.act_on_visma(COMPANY, "orders", made.remote_id, "completed")
    invoice = control.act_on_visma(COMPANY, PATHS[kind.name], made.remote_id, "convert" if kind is ORDER else "book")
    state = read_back(exporter, cursors, made)
    there = exporter.get(kind, made.remote_id)
    assert there is not None
    assert (made.invoiced, there.invoiced) == ((False, True) if kind is ORDER else (None, None))
    assert (state.booked, state.paid) == (True, False)
    assert state.number
    control.act_on_visma(COMPANY, "customerinvoices", state.invoice, "pay")
    assert (read_back(exporter, cursors, made).paid, state.invoice) == (True, invoice or state.invoice)


def read_back(exporter: VismaExporter, cursors: dict[str, str], made: MadeDocument) -> Any:
    states = []
    for page in exporter.invoice_states(cursors, TODAY):
        cursors[page.stream] = page.cursor
        states += page.states
    (found,) = [each for each in states if each.document == made.remote_id]
    return found


def test_settings_are_chosen_from_the_companys_own_lists(exporter: VismaExporter) -> None:
    listed = {
        each.name: exporter.choices(each.lists)
        for each in EXPORTS.settings
        if isinstance(each, Text) and each.lists is not None
    }
    assert all(listed.values())
    assert listed["delivery_method"] == [("Own van", "Own van, VAN")]


@EACH
def test_an_update_leaves_alone_what_the_office_did_to_a_document(
    exporter: VismaExporter, control: RemoteControl, known: Any, kind: Any
) -> None:
    text = Line(key="t1", kind=LineKind.TEXT, text="Boiler mended")
    sent = document(known, line(known), line(known, key="m2"), text)
    made = exporter.create(kind, sent)
    (row,) = there(control, kind, sent.token)
    rows = [each | ({"Quantity": 9} if each["LineNumber"] == 3 else {}) for each in row["Rows"]]
    own = rows[1] | {"Id": str(uuid.uuid4()), "LineNumber": 9, "Quantity": 4, "Text": "By the office"}
    control.change_visma(COMPANY, PATHS[kind.name], row["Id"], Rows=[*rows, own], YourReference="Mrs. Berg")
    wanted = document(
        known, line(known, quantity=Decimal(3)), line(known, key="m2", quantity=Decimal(5)),
        structs.replace(text, text="Boiler replaced"), token=sent.token,
    )  # fmt: skip
    found = exporter.replace(kind, made.remote_id, Sent(document=sent), wanted)
    (now,) = there(control, kind, sent.token)
    assert [each["Quantity"] for each in now["Rows"] if not each["IsTextRow"]] == [3, 9, 4]
    assert [each["Text"] for each in now["Rows"] if each["IsTextRow"]][1:] == ["Boiler replaced"]
    assert now["YourReference"] == "Mrs. Berg"
    assert len(found.left) == 3
    assert any("By the office" in each for each in found.left)


def test_a_row_that_was_appended_is_changed_and_taken_off(
    exporter: VismaExporter, control: RemoteControl, known: Any
) -> None:
    sent = document(known)
    made = exporter.create(ORDER, sent)
    tokens = [token_of("test", sent.token, line=name) for name in ("a", "b")]
    for token in tokens:
        exporter.append_line(structs.replace(sent, append_to=made.remote_id), line(known, key="m8", token=token))
    order = exporter.order(made.remote_id)
    assert order is not None
    first, second = (each for each in order.lines if each.token)
    for _ in range(2):
        exporter.change_line(made.remote_id, first.remote_id, line(known, quantity=Decimal(7), token=tokens[0]))
        exporter.remove_line(made.remote_id, second.remote_id)
    now = exporter.order(made.remote_id)
    assert now is not None
    assert [(each.token, each.quantity) for each in now.lines if each.token] == [(tokens[0], 7)]
