"""The whole way over real sockets: OutSmart's completed work orders into VISMA eAccounting, each once, to the cent."""

from __future__ import annotations

import os
import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import delete

from exports.world import line
from outsmart_sync.pipeline.job import Options
from outsmart_sync.services import export_decisions as decisions
from outsmart_sync.services import export_run, exports, settings
from outsmart_sync.store import runs
from outsmart_sync.store.connections import SyncConnection
from outsmart_sync.store.runs import CategoryRun
from outsmart_sync.store.store import Store
from outsmart_sync.store.tables import looked_up
from outsmart_sync.store.vault import KEYS_VARIABLE
from sandbox import process
from support import SOUTH, Rig, connection_environment

ACCOUNT = "south"
TODAY = datetime.now(UTC).date()
PATHS = {"sales_order": "orders", "invoice_draft": "customerinvoicedrafts"}
EACH = pytest.mark.parametrize("document", PATHS)
COLD = 6
"""Calls at most for what a first run looks up: customers, articles, codings, units, the company."""
OFF = ("customers", "materials", "hour_types", "projects", "sales_orders")


@pytest.fixture(scope="module")
def vendors() -> Iterator[process.SandboxProcess]:
    """Vendors with calls enough."""
    with process.start(relations=12, items=14) as running:
        running.control.set_visma_limit(minute=100_000)
        yield running


@dataclass
class Office:
    """One company and one account, with exports switched on."""

    rig: Rig
    connection: SyncConnection
    company: str

    @property
    def control(self) -> Any:
        return self.rig.vendors.control

    @property
    def store(self) -> Store:
        return self.rig.store

    def work_orders(self) -> list[dict[str, Any]]:
        return list(self.control.outsmart_records(ACCOUNT, "workorders"))

    def save(self, **changes: Any) -> None:
        settings.save(self.rig.store, self.connection, {"work_orders": changes})

    def rows(self, resource: str) -> list[dict[str, Any]]:
        return list(self.control.visma_rows(self.company, resource))

    def made(self, document: str) -> list[dict[str, Any]]:
        return [row for row in self.rows(PATHS[document]) if "OS-" in (row["OurReference"] or "")]

    def customer(self, *, private: bool = False) -> dict[str, Any]:
        country = {"devries": "NL", "bergen": "NO"}[self.company]
        return next(
            row
            for row in self.rows("customers")
            if row["IsActive"] and row["IsPrivatePerson"] is private and row["InvoiceCountryCode"] == country
            if not row["ReverseChargeOnConstructionServices"]
        )

    def article(self, unit: str = "PCS") -> str:
        units = {row["Id"]: row["Code"] for row in self.rows("units")}
        articles = [row for row in self.rows("articles") if row["IsActive"] and units[row["UnitId"]] == unit]
        return str(articles[0]["Number"])

    def work_order(self, number: str, payer: dict[str, Any], *materials: dict[str, Any], **fields: Any) -> None:
        given = {
            "WorkorderNo": number,
            "CustomerDebtorNr": payer["CustomerNumber"],
            "CustomerName": "De flat",
            "CustomerStreet": "Werkstraat 1",
            "CustomerZIP": "3500 AA",
            "CustomerCity": "Utrecht",
            "CustomerDebtorNrInvoice": payer["CustomerNumber"],
            "TypeOfWork": "Service",
            "PaymentMethod": "op rekening",
            "WorkEndDate": "05-11-2026",
            "WorkDescription": "Boiler mended",
            "ExternalReference": "PO 12",
            "status": "Compleet",
            "Materials": list(materials),
            **fields,
        }
        self.control.write_outsmart(ACCOUNT, "workorders", given)

    def hour_type(self) -> str:
        code = self.article("HUR")
        row = {
            "code": code,
            "name": "Hour",
            "cost_booking": "0",
            "sale_booking": "1",
            "sale_price": "61,50",
            "active": "1",
        }
        self.control.write_outsmart(ACCOUNT, "hourtypes", row)
        return code

    def run(self, *categories: str) -> CategoryRun:
        """Export in this process, through the hooks."""
        options = Options(categories=categories or ("work_orders",), connection=self.connection.id)
        run_id = export_run.export_now(
            self.rig.store, self.rig.gateway, "visma_eaccounting", f"test:{uuid.uuid4()}", options
        )
        (found,) = runs.category_runs(self.rig.store, run_id)
        return found

    def forget_what_was_looked_up(self) -> None:
        """As it is after a day."""
        with self.store.begin() as connection:
            connection.execute(delete(looked_up))

    def states(self) -> dict[str, str]:
        return {each.number: str(each.state) for each in exports.listed(self.rig.store)}

    def causes(self) -> list[str]:
        return [each.cause for each in exports.listed(self.rig.store) if each.cause]


def opened(
    store: Store, vendors: process.SandboxProcess, monkeypatch: pytest.MonkeyPatch, company: str
) -> Iterator[Office]:
    for name, value in connection_environment(vendors, store, SOUTH).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv(KEYS_VARIABLE, Fernet.generate_key().decode())
    rig = Rig(store, vendors)
    wanted = {"enabled": True, "cut_off": "2026-01-01", "pdf": False, "photos": False}
    off = {each: {"enabled": False} for each in OFF}
    yield Office(rig, rig.connect_visma(company, work_orders=wanted, **off), company)
    vendors.control.clear_faults()
    for entity in ("workorders", "hourtypes", "relations", "materials"):
        vendors.control.delete_outsmart(ACCOUNT, entity)
    for resource in PATHS.values():
        ours = [
            row["Id"] for row in vendors.control.visma_rows(company, resource) if "OS-" in (row["OurReference"] or "")
        ]
        if ours:
            vendors.control.delete_visma(company, resource, *ours)


@pytest.fixture
def office(sqlite_store: Store, vendors: process.SandboxProcess, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """A company in the Netherlands."""
    yield from opened(sqlite_store, vendors, monkeypatch, "devries")


@pytest.fixture
def with_vat(sqlite_store: Store, vendors: process.SandboxProcess, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """A company whose private customers pay prices including VAT."""
    yield from opened(sqlite_store, vendors, monkeypatch, "bergen")


@EACH
def test_a_work_order_becomes_one_document_with_its_files(office: Office, document: str) -> None:
    office.save(document=document, pdf=True, photos=True)
    payer, article, hour = office.customer(), office.article(), office.hour_type()
    period = {"WorkDate": "05-11-2026", "BeginTime": "23:00", "EndTime": "00:20", "HourType": hour}
    materials = [line(article, "2", "12,50"), line(article, "0,333", "3,005")]
    office.work_order("W1", payer, *materials, Workperiods=[period], Photos=[{"title": "After"}])
    result = office.run()
    assert (result.error_text, office.states()) == ("", {"W1": "done"}), office.causes()
    (made,) = office.made(document)
    # 2 at 12.50; 0.333 (a draft: 0.33) at 3.01; 1.3333 hours (a draft: 1.33) at 61.50.
    wanted = {"sales_order": "108.00", "invoice_draft": "107.79"}[document]
    found = exports.one(office.rig.store, "W1", None)
    assert (found.expected, found.actual) == (Decimal(wanted), Decimal(wanted))
    assert (made["CustomerId"], made["BuyersOrderReference"]) == (payer["Id"], "PO 12")
    assert (made["DeliveryAddress1"], made["DeliveryCity"]) == ("Werkstraat 1", "Utrecht")
    assert "Boiler mended" in [row["Text"] for row in made["Rows"]]
    files = [row for row in office.rows("salesdocumentattachments") if row["DocumentId"] == made["Id"]]
    assert sorted(row["OriginalFilename"] for row in files) == ["W1-1.png", "W1.pdf"]
    office.run()
    assert len(office.made(document)) == 1


@EACH
@pytest.mark.parametrize(
    "fault",
    [{"kind": "timeout_after", "seconds": 0.02}, {"kind": "status", "status": 503}, {"kind": "truncate"}],
    ids=lambda fault: fault["kind"],
)
def test_a_lost_answer_makes_no_second_document(office: Office, document: str, fault: dict[str, Any]) -> None:
    office.save(document=document)
    office.work_order("W1", office.customer(), line(office.article(), "2", "12,50"))
    office.control.add_fault(**fault, vendor="visma", method="POST", path=PATHS[document], times=1)
    for _ in range(4):
        office.run()
    assert office.states() == {"W1": "done"}, office.causes()
    assert len(office.made(document)) == 1


@EACH
def test_prices_of_private_persons_include_vat(with_vat: Office, document: str) -> None:
    with_vat.save(document=document)
    with_vat.work_order("W1", with_vat.customer(private=True), line(with_vat.article(), "3", "9,99"))
    with_vat.run()
    assert with_vat.states() == {"W1": "done"}, with_vat.causes()
    (made,) = with_vat.made(document)
    assert made["IncludesVat"]
    found = exports.one(with_vat.rig.store, "W1", None)
    assert found.expected is not None
    assert abs(found.expected - Decimal("29.97")) <= Decimal("0.02")


@EACH
def test_who_pays_gets_the_bill_and_a_discount_counts_once(office: Office, document: str) -> None:
    office.save(document=document)
    payer, article = office.customer(), office.article()
    orderer = next(row for row in office.rows("customers") if row["IsActive"] and row["Id"] != payer["Id"])
    after = {"MaterialDiscountPercentage": "12,5", "MaterialOriginalPrice": "8,99", "MaterialTotalPrice": "23,60"}
    before = {"MaterialDiscountPercentage": "10", "MaterialOriginalPrice": "20,00", "MaterialTotalPrice": "18,00"}
    lines = [line(article, "3", "8,99", **after), line(article, "1", "18,00", **before)]
    office.work_order("W1", payer, *lines, CustomerDebtorNr=orderer["CustomerNumber"])
    office.run()
    assert office.states() == {"W1": "done"}, office.causes()
    (made,) = office.made(document)
    assert made["CustomerId"] == payer["Id"]
    assert exports.one(office.rig.store, "W1", None).actual == Decimal("41.60")


@EACH
def test_a_discount_with_more_decimals_than_visma_keeps_comes_to_the_same(office: Office, document: str) -> None:
    office.save(document=document)
    odd = {"MaterialDiscountPercentage": "12,345", "MaterialOriginalPrice": "1000", "MaterialTotalPrice": "876,55"}
    office.work_order("W1", office.customer(), line(office.article(), "1", "1000", **odd))
    office.run()
    assert office.states() == {"W1": "done"}, office.causes()
    found = exports.one(office.rig.store, "W1", None)
    assert (found.expected, found.actual) == (Decimal("876.55"), Decimal("876.55"))


def test_a_preview_tells_the_calls_of_the_files(office: Office) -> None:
    office.work_order("W1", office.customer(), line(office.article(), "1", "10"), Photos=[{"title": "After"}])
    told = []
    for files in (False, True):
        office.save(pdf=files, photos=files)
        options = Options(categories=("work_orders",), connection=office.connection.id, preview=True)
        run_id = export_run.export_now(
            office.rig.store, office.rig.gateway, "visma_eaccounting", f"test:{uuid.uuid4()}", options
        )
        told.append(exports.preview_lines(office.store, run_id)[0].rsplit(", ", 1)[1])
    assert told == ["1 calls", "3 calls"]


def test_what_the_customer_gets_back_is_a_credit_draft_and_no_order(office: Office) -> None:
    office.work_order("W1", office.customer(), line(office.article(), "-2", "10"))
    office.run()
    assert office.states()["W1"] in ("held", "failed")
    office.save(document="invoice_draft")
    decisions.resend(office.rig.store, office.rig.gateway, "W1")
    office.run()
    assert office.states() == {"W1": "done"}, office.causes()
    (made,) = office.made("invoice_draft")
    assert made["IsCreditInvoice"]
    assert exports.one(office.rig.store, "W1", None).actual == Decimal(-20)


@EACH
def test_invoices_and_payments_are_read_back(office: Office, document: str) -> None:
    office.save(document=document)
    settings.save(office.rig.store, office.connection, {"invoice_status": {"enabled": True}})
    office.work_order("W1", office.customer(), line(office.article(), "2", "12,50"))
    office.run()
    assert office.states() == {"W1": "done"}, office.causes()
    (made,) = office.made(document)
    office.run("invoice_status")
    if document == "sales_order":
        office.control.act_on_visma("devries", "orders", made["Id"], "completed")
        office.control.act_on_visma("devries", "orders", made["Id"], "convert")
        invoice = next(row for row in office.rows("customerinvoices") if row["CreatedFromOrderId"] == made["Id"])
    else:
        office.control.act_on_visma("devries", PATHS[document], made["Id"], "book")
        invoice = next(row for row in office.rows("customerinvoices") if row["CreatedFromDraftId"] == made["Id"])
    office.run("invoice_status")
    found = exports.one(office.rig.store, "W1", None)
    assert (found.invoice_number, found.booked, found.paid) == (str(invoice["InvoiceNumber"]), True, False)
    office.control.act_on_visma("devries", "customerinvoices", invoice["Id"], "pay")
    office.run("invoice_status")
    assert exports.one(office.rig.store, "W1", None).paid


def test_a_missing_customer_and_article_are_made_once(office: Office) -> None:
    terms = next(row["Id"] for row in office.rows("termsofpayments") if row["AvailableForSales"])
    office.save(create_relations=True, create_materials=True)
    nobody = {"CustomerNumber": "9300"}
    names = {"CustomerNameInvoice": "Slagerij", "CustomerZIPInvoice": "9876 AB", "CustomerCityInvoice": "Gouda"}
    for number in ("W1", "W2"):
        office.work_order(number, nobody, line("NEW", "2", "12,50"), CustomerName="Slagerij", **names)
    office.run()
    assert set(office.states().values()) == {"failed"}
    assert any("terms of payment" in cause for cause in office.causes())
    coding, unit = office.rows("articleaccountcodings")[0]["Id"], office.rows("units")[0]["Id"]
    office.save(customer_terms=terms, article_coding=coding, article_unit=unit)
    for number in ("W1", "W2"):
        decisions.resend(office.rig.store, office.rig.gateway, number)
    office.run()
    assert set(office.states().values()) == {"done"}, office.causes()
    assert [row["CustomerNumber"] for row in office.rows("customers")].count("9300") == 1
    assert [row["Number"] for row in office.rows("articles")].count("NEW") == 1


def test_an_order_goes_back_to_its_order_and_what_we_made_comes_not_back(office: Office) -> None:
    payer, article, other = office.customer(), office.article(), office.article("MTR")
    articles = {row["Number"]: row["Id"] for row in office.rows("articles")}
    row = {"LineNumber": 1, "IsTextRow": False, "IsWorkCost": False, "EligibleForReverseChargeOnVat": False}
    head = {
        "CustomerId": payer["Id"], "CurrencyCode": "EUR", "OrderDate": f"{TODAY}", "EuThirdParty": False, "Status": 2,
        "RotReducedInvoicingType": 0, "ReverseChargeOnConstructionServices": False, "YourReference": "Mrs. Berg",
        "Rows": [row | {"ArticleId": articles[article], "Quantity": 2, "UnitPrice": 10}],
    }  # fmt: skip
    (order_id,) = office.control.add_visma("devries", "orders", head)
    on = {each: {"enabled": True} for each in ("customers", "materials")}
    settings.save(
        office.rig.store, office.connection, on | {"sales_orders": {"enabled": True, "start_date": f"{TODAY}"}}
    )
    office.rig.sync(package="visma_eaccounting")
    (imported,) = [
        each for each in office.control.outsmart_records(ACCOUNT, "workorders") if each["WorkorderNo"].startswith("VO-")
    ]
    used = [line(article, "3", "10"), line(other, "1", "7,50")]
    office.control.write_outsmart(ACCOUNT, "workorders", imported | {"status": "Compleet", "Materials": used})
    office.run()
    assert office.states() == {imported["WorkorderNo"]: "done"}, office.causes()
    (order,) = [each for each in office.rows("orders") if each["Id"] == order_id]
    assert [(each["Quantity"], each["UnitPrice"]) for each in order["Rows"]] == [(3, 10), (1, 7.5)]
    assert order["YourReference"] == "Mrs. Berg"
    office.work_order("W2", payer, line(article, "1", "10"))
    office.run()
    before = len(office.control.outsmart_records(ACCOUNT, "workorders"))
    office.rig.sync(package="visma_eaccounting")
    assert len(office.control.outsmart_records(ACCOUNT, "workorders")) == before


FAULTS = (
    {"kind": "timeout_after", "seconds": 0.01},
    {"kind": "reset"},
    {"kind": "truncate"},
    {"kind": "status", "status": 503},
    {"kind": "status", "status": 401},
    {"kind": "status", "status": 429, "body": {"ErrorCode": 4010, "DeveloperErrorMessage": "in 900 seconds"}},
    {"kind": "status", "status": 400, "body": {"ErrorCode": 5000, "DeveloperErrorMessage": "Internal error"}},
)


@EACH
def test_under_random_faults_every_work_order_becomes_exactly_one_document(office: Office, document: str) -> None:
    seed = int(os.environ.get("VISMA_FAULT_SEED") or random.randrange(10**6))
    print(f"VISMA_FAULT_SEED={seed}")
    chance, count = random.Random(seed), 12
    office.save(document=document)
    payer, article = office.customer(), office.article()
    for number in range(1, count + 1):
        office.work_order(f"W{number}", payer, line(article, str(number), "10"))
    for _ in range(5):
        for fault in chance.sample(FAULTS, 2):
            # A renewed token that is refused as well means that a person must log in again.
            times = 1 if fault.get("status") == 401 else chance.randint(1, 2)
            office.control.add_fault(**fault, vendor="visma", method="POST", path=PATHS[document], times=times)
        office.run()
    office.control.clear_faults()
    for _ in range(4):
        office.run()
    assert set(office.states().values()) == {"done"}, (seed, office.causes())
    total = "Amount" if document == "sales_order" else "TotalAmount"
    vat = "VatAmount" if document == "sales_order" else "TotalVatAmount"
    totals = sorted(round(row[total] - row[vat], 2) for row in office.made(document))
    assert totals == [10.0 * number for number in range(1, count + 1)], seed


@EACH
def test_calls_per_work_order_with_and_without_a_pdf(office: Office, document: str) -> None:
    office.save(document=document, pdf=True)
    payer, article = office.customer(), office.article()
    for number in range(3):
        office.work_order(f"W{number}", payer, line(article, "1", "10"))
    cold = office.run().counts.calls
    assert set(office.states().values()) == {"done"}, office.causes()
    office.work_order("W9", payer, line(article, "1", "10"))
    with_pdf = office.run().counts.calls
    office.save(pdf=False)
    office.work_order("W10", payer, line(article, "1", "10"))
    without = office.run().counts.calls
    print(f"cold mirror, three work orders with PDF: {cold} calls; warm: {with_pdf} with, {without} without")
    assert (with_pdf, without) == (2, 1)
    assert cold <= 3 * with_pdf + COLD


@EACH
def test_what_has_no_known_price_waits_and_never_goes_at_nothing(office: Office, document: str) -> None:
    payer, article, hour = office.customer(), office.article(), office.article("HUR")
    office.save(document=document, travel_material=article)
    period = {"WorkDate": "05-11-2026", "BeginTime": "08:00", "EndTime": "09:00", "HourType": hour}
    office.work_order("W1", payer, Workperiods=[period])
    office.hour_type()
    office.work_order("W2", payer, Workperiods=[period | {"Travel": "12"}])
    office.control.delete_outsmart(ACCOUNT, "hourtypes")
    office.run()
    assert office.states() == {"W1": "failed", "W2": "failed"}
    assert all("has no sale price for the hour type" in cause for cause in office.causes())
    office.hour_type()
    for number in ("W1", "W2"):
        decisions.resend(office.store, office.rig.gateway, number)
    office.forget_what_was_looked_up()
    office.run()
    assert office.states() == {"W1": "done", "W2": "failed"}
    (cause,) = office.causes()
    assert f"OutSmart's price of the article for travel, '{article}', is not known here" in cause
    assert len(office.made(document)) == 1
