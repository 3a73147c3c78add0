"""The whole way over real sockets: OutSmart's completed work orders into Exact Online; what was made comes not back."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from exports.world import line
from outsmart_sync.pipeline.job import Options
from outsmart_sync.services import export_decisions as decisions
from outsmart_sync.services import export_run, exports
from outsmart_sync.store import runs
from outsmart_sync.store.runs import CategoryRun
from pipeline.world import ACCOUNT, DIVISION, World

HEADERS = {"sales_order": "salesorder/SalesOrders", "sales_invoice": "salesinvoice/SalesInvoices"}
MADE_BY_EXPORTS = (
    "sync/Project/TimeCostTransactions",
    "salesinvoice/SalesInvoiceLines",
    "salesinvoice/SalesInvoices",
    "documents/DocumentAttachments",
    "documents/Documents",
)


class Way:
    """Exports from one world's OutSmart into its administration."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.customer = world.account("100")
        world.account("200")
        for code in ("A1", "A2"):
            world.item(code)
        world.labour("H1")
        world.by_hand(
            "hourtypes", code="H1", name="Hour", cost_booking="0", sale_booking="1", sale_price="60,00", active="1"
        )
        world.settings(
            relations={"enabled": False},
            materials={"enabled": False},
            hour_types={"enabled": False},
            work_orders={"enabled": True, "cut_off": "2026-01-01"},
        )

    def work_order(self, number: str, *materials: dict[str, Any], **fields: Any) -> None:
        given = {
            "WorkorderNo": number,
            "CustomerDebtorNr": "100",
            "CustomerName": "Jansen",
            "CustomerDebtorNrInvoice": "200",
            "TypeOfWork": "Service",
            "PaymentMethod": "op rekening",
            "WorkEndDate": "05-11-2026",
            "WorkDescription": "Boiler mended",
            "status": "Compleet",
            "Materials": list(materials),
            **fields,
        }
        self.world.control.write_outsmart(ACCOUNT, "workorders", given)

    def save(self, **changes: Any) -> None:
        self.world.settings(work_orders=changes)

    def run(self, *codes: str, category: str = "work_orders", **options: Any) -> CategoryRun:
        """Export in this process with the real hooks; the work orders' category must have ended well."""
        made = Options(categories=(category,), codes=codes, connection=self.world.connection.id, **options)
        external_id = f"test:{uuid.uuid4()}"
        run_id = export_run.export_now(self.world.store, self.world.gateway, "exact_online", external_id, made)
        (found,) = runs.category_runs(self.world.store, run_id)
        return found

    def rows(self, resource: str) -> list[dict[str, Any]]:
        return list(self.world.control.exact_rows(DIVISION, resource))

    def states(self) -> dict[str, str]:
        return {each.number: each.state for each in exports.listed(self.world.store)}

    def causes(self) -> list[str]:
        return [each.cause for each in exports.listed(self.world.store)]


@pytest.fixture
def way(sqlite_world: World) -> Iterator[Way]:
    """Exports switched on, as sales orders."""
    yield Way(sqlite_world)
    for resource in MADE_BY_EXPORTS:
        key = "InvoiceID" if resource.endswith("SalesInvoices") else "ID"
        if ids := [row[key] for row in sqlite_world.control.exact_rows(DIVISION, resource)]:
            sqlite_world.control.delete_exact(DIVISION, resource, *ids)


@pytest.mark.parametrize("kind", HEADERS)
def test_a_work_order_becomes_one_document_with_its_pdf(way: Way, kind: str) -> None:
    way.save(document=kind)
    period = {"WorkDate": "05-11-2026", "BeginTime": "08:00", "EndTime": "09:30", "HourType": "H1"}
    way.work_order("W1", line("A1", "2", "12,50"), Workperiods=[period])
    result = way.run()
    assert (result.error_text, way.states()) == ("", {"W1": "done"}), way.causes()
    (made,) = way.rows(HEADERS[kind])
    assert made["OrderedBy"] == way.customer
    found = exports.one(way.world.store, "W1", None)
    assert (found.expected, found.actual) == (Decimal("115.00"), Decimal("115.00"))
    (order,) = way.world.work_orders()
    assert order["status"] == "Afgehandeld"
    way.run()
    assert len(way.rows(HEADERS[kind])) == 1


def test_hours_and_costs_are_booked_line_by_line(way: Way) -> None:
    way.save(document="hours")
    period = {"WorkDate": "05-11-2026", "BeginTime": "23:00", "EndTime": "00:30", "HourType": "H1"}
    way.work_order("W1", line("A1", "2", "12,50"), Workperiods=[period])
    way.run()
    assert way.states() == {"W1": "done"}, way.causes()
    booked = way.rows("sync/Project/TimeCostTransactions")
    assert sorted(Decimal(str(row["Quantity"])) for row in booked) == [Decimal("1.5"), Decimal(2)]


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "timeout_after", "seconds": 0.02},
        {"kind": "reset"},
        {"kind": "status", "status": 503},
        {"kind": "status", "status": 429},
        {"kind": "status", "status": 401},
        {"kind": "truncate"},
    ],
    ids=lambda fault: f"{fault['kind']}{fault.get('status', '')}",
)
def test_whatever_exact_answers_there_is_one_order(way: Way, fault: dict[str, Any]) -> None:
    way.save(pdf=False)
    way.work_order("W1", line("A1", "2", "12,50"))
    way.world.control.add_fault(**fault, vendor="exact", method="POST", path="SalesOrders")
    for _ in range(4):
        way.run()
    assert way.states() == {"W1": "done"}, way.causes()
    assert len(way.rows("salesorder/SalesOrders")) == 1


def test_what_we_made_does_not_come_back_as_work(way: Way) -> None:
    way.save(pdf=False)
    for number in range(100):
        way.work_order(f"W{number}", line("A1", "1", "10"))
    way.run()
    assert len(way.rows("salesorder/SalesOrders")) == 100, way.causes()
    assert set(way.states().values()) == {"done"}, way.causes()
    way.world.settings(licence="pro", sales_orders={"enabled": True, "start_date": "2026-01-01"})
    way.world.sync()
    assert len(way.world.work_orders()) == 100


def test_a_second_connection_and_back_make_no_second_order(way: Way) -> None:
    from outsmart_sync.services import connect

    way.save(pdf=False)
    way.work_order("W1", line("A1", "1", "10"))
    way.run()
    first = way.world.connection
    connect.disconnect(way.world.store, first)
    (order,) = way.world.work_orders()
    way.world.move_on(order["id"], status="Compleet")
    way.world.connection = way.world.rig.connect(2001002, work_orders={"enabled": True, "cut_off": "2026-01-01"})
    way.run()
    connect.disconnect(way.world.store, way.world.connection)
    way.world.connection = way.world.rig.connect(DIVISION)
    assert way.world.connection.id == first.id
    way.save(enabled=True, cut_off="2026-01-01")
    way.run()
    assert len(way.rows("salesorder/SalesOrders")) == 1


def test_an_order_goes_back_to_its_order(way: Way) -> None:
    way.save(pdf=False)
    items = {row["Code"].strip(): row["ID"] for row in way.rows("logistics/Items")}
    order = way.world.order(way.customer, Description="Boiler", YourRef="PO 1")
    way.world.order_line(order, items["A1"], quantity=2)
    way.world.settings(
        licence="pro", relations={"enabled": True}, sales_orders={"enabled": True, "start_date": "2026-01-01"}
    )
    way.world.sync()
    number = way.world.order_number(order)
    lines = [line("A1", "3", "10"), line("A2", "1", "7,50")]
    way.world.move_on(number, status="Compleet", Materials=lines)
    way.run()
    assert way.states() == {number: "done"}, way.causes()
    made = sorted((row["Quantity"], row["NetPrice"]) for row in way.rows("salesorder/SalesOrderLines"))
    assert made == [(1, 7.5), (3, 10)]
    (head,) = way.rows("salesorder/SalesOrders")
    assert head["YourRef"] == "PO 1"


def test_a_missing_customer_and_article_are_made_once(way: Way) -> None:
    way.save(pdf=False, create_relations=True, create_materials=True)
    place = {"CustomerStreet": "Haven 1", "CustomerZIP": "9876 AB", "CustomerCity": "Gouda"}
    for number in ("W1", "W2"):
        way.work_order(
            number,
            line("NEW", "2", "12,50"),
            CustomerDebtorNr="300",
            CustomerName="Slagerij",
            CustomerDebtorNrInvoice="300",
            **place,
        )
    way.run()
    assert set(way.states().values()) == {"done"}, way.causes()
    assert [row["Code"].strip() for row in way.rows("crm/Accounts")].count("300") == 1
    assert [row["Code"].strip() for row in way.rows("logistics/Items")].count("NEW") == 1


@pytest.mark.parametrize("read", ["before", "after", "never"])
def test_a_customer_that_exact_gives_a_number_of_its_own_comes_not_back_as_a_second_one(way: Way, read: str) -> None:
    """OutSmart's relation is read before the export, or only after it, or not by itself since it is newer."""
    if read == "never":
        way.world.settings(relations={"enabled": True})
        way.world.sync()
    way.world.relation_by_hand("ABC", name="Slagerij", city="Gouda")
    if read == "before":
        way.world.settings(relations={"enabled": True})
        way.world.sync()
    way.save(pdf=False, create_relations=True)
    for number in range(2):  # the second time it is known
        place = {"CustomerStreet": "Haven 1", "CustomerZIP": "9876 AB", "CustomerCity": "Gouda"}
        debtor = {"CustomerDebtorNr": "ABC", "CustomerDebtorNrInvoice": "ABC"}
        way.work_order(f"W{number}", line("A1", "2", "12,50"), **debtor, **place)
        way.run()
    assert set(way.states().values()) == {"done"}, way.causes()
    (made,) = (row for row in way.rows("crm/Accounts") if row.get("SearchCode") == "ABC")
    way.world.change("crm/Accounts", made["ID"], City="Leiden")
    way.world.settings(relations={"enabled": True})
    way.world.sync()
    held = way.world.outsmart("relations")
    assert sorted(held) == ["100", "200", "ABC"]
    assert held["ABC"]["city"] == "Leiden"
    way.world.sync(full=True)
    assert sorted(way.world.outsmart("relations")) == ["100", "200", "ABC"]


def test_travel_without_a_price_in_outsmart_has_that_of_exact(way: Way) -> None:
    items = {row["Code"].strip(): row["ID"] for row in way.rows("logistics/Items")}
    way.world.price(items["A2"], 0.35)
    way.save(pdf=False, hours=False, travel_material="A2")
    period = {"WorkDate": "05-11-2026", "BeginTime": "08:00", "EndTime": "09:00", "HourType": "H1", "Travel": "12"}
    way.work_order("W1", line("A1", "2", "10"), Workperiods=[period])
    way.run()
    assert way.states() == {"W1": "done"}, way.causes()
    found = exports.one(way.world.store, "W1", None)
    assert (found.expected, found.actual) == (Decimal("24.20"), Decimal("24.20"))


def test_an_invoice_that_is_deleted_in_exact_is_for_a_person(way: Way) -> None:
    way.world.settings(invoice_status={"enabled": True})
    way.save(pdf=False, document="sales_invoice")
    way.work_order("W1", line("A1", "1", "10"))
    way.run()
    way.run(category="invoice_status")
    (made,) = way.rows("salesinvoice/SalesInvoices")
    way.world.control.delete_exact(DIVISION, "SalesInvoices", made["InvoiceID"])
    way.run(category="invoice_status")
    found = exports.one(way.world.store, "W1", None)
    assert (found.state, found.reason) == ("differs", "gone")
    decisions.resend(way.world.store, way.world.gateway, "W1")
    way.run()
    assert way.states() == {"W1": "done"}, way.causes()
    assert len(way.rows("salesinvoice/SalesInvoices")) == 1


def test_calls_per_work_order_with_and_without_a_pdf(way: Way) -> None:
    for number in range(3):
        way.work_order(f"W{number}", line("A1", "1", "10"))
    cold = way.run()
    assert set(way.states().values()) == {"done"}, way.causes()
    way.work_order("W9", line("A1", "1", "10"))
    with_pdf = way.run().counts.calls
    way.save(pdf=False)
    way.work_order("W10", line("A1", "1", "10"))
    without = way.run().counts.calls
    print(
        f"cold mirror, three work orders with PDF: {cold.counts.calls} calls; warm: {with_pdf} with, {without} without"
    )
    assert without == 1
    assert with_pdf <= 4


def test_a_deleted_order_is_made_again_when_somebody_says_so(way: Way) -> None:
    way.save(pdf=False)
    way.work_order("W1", line("A1", "1", "10"))
    way.run()
    (made,) = way.rows("salesorder/SalesOrders")
    way.world.delete("salesorder/SalesOrders", made["OrderID"])
    decisions.resend(way.world.store, way.world.gateway, "W1")
    way.run()
    (again,) = way.rows("salesorder/SalesOrders")
    assert again["OrderID"] != made["OrderID"]
