"""Orders, invoices, hours, costs and documents that callers make at Exact Online, and what becomes of them."""

import base64

import pytest
import requests

from sandbox.process import start
from tests.sandbox.clients import MAIN


@pytest.fixture
def customer(control):
    rows = control.exact_rows(MAIN, "Accounts")
    return next(row["ID"] for row in rows if row["Status"] == "C" and not row.get("Blocked"))


@pytest.fixture
def item(control):
    return next(row["ID"] for row in control.exact_rows(MAIN, "Items") if not row["IsTime"])


@pytest.fixture
def hour(control):
    return next(row["ID"] for row in control.exact_rows(MAIN, "Items") if row["IsTime"])


@pytest.fixture
def order(exact, customer, item):
    """Posts an order, of one line unless others are given."""

    def post(*lines, **header):
        body = {"OrderedBy": customer, "SalesOrderLines": list(lines) or [{"Item": item, "NetPrice": 10}]} | header
        return exact.call("POST", "salesorder/SalesOrders", json=body)

    return post


@pytest.fixture
def invoice(exact, customer, item):
    def post(*lines, **header):
        lines = list(lines) or [{"Item": item, "NetPrice": 10}]
        body = {"OrderedBy": customer, "Journal": "70", "SalesInvoiceLines": lines} | header
        return exact.call("POST", "salesinvoice/SalesInvoices", json=body)

    return post


def made(response, key):
    assert response.status_code == 201, response.text
    return response.json()["d"][key]


def test_an_order_comes_with_its_lines_and_answers_its_total(exact, order, item):
    response = order(
        {"Item": item, "Quantity": 3, "UnitPrice": 10.01, "Discount": 0.1},
        {"Item": item, "Quantity": -1, "NetPrice": 0.005, "Notes": "back"},
        Description="OS-ORDER1 boiler",
    )
    row = response.json()["d"]
    # 3 * 10.01 * 0.9 = 27.027; half a cent goes away from zero.
    assert row["AmountFCExclVat"] == 27.02
    assert (row["Status"], row["ApprovalStatus"], row["DeliveryDate"]) == (12, 1, row["OrderDate"])
    lines = exact.rows("salesorder/SalesOrderLines", filter=f"OrderID eq guid'{row['OrderID']}'")
    assert sorted((line["LineNumber"], line["AmountFC"]) for line in lines) == [(1, 27.03), (2, -0.01)]
    found = exact.rows(
        "salesorder/SalesOrders", filter="substringof('OS-ORDER1',Description) eq true", select="OrderID"
    )
    assert [one["OrderID"] for one in found] == [row["OrderID"]]


@pytest.mark.parametrize(
    ("header", "status", "text"),
    [
        ({"SalesOrderLines": []}, 500, "Mandatory: SalesOrderLines"),
        ({"OrderedBy": None}, 500, "Mandatory: OrderedBy"),
        ({"Description": "x" * 61}, 500, "Invalid: Description"),
        ({"PaymentCondition": "ZZ"}, 500, "Invalid: PaymentCondition"),
        ({"Boiler": 1}, 400, "'Boiler'"),
        ({"SalesOrderLines": {"Item": "x"}}, 400, "'SalesOrderLines'"),
        ({"SalesOrderLines": [{"Quantity": 1}]}, 500, "Mandatory: Item"),
        ({"SalesOrderLines": [{"Item": "00000000-0000-0000-0000-000000000001"}]}, 500, "Invalid: Item"),
    ],
)
def test_what_no_order_may_be_like_is_refused_and_nothing_stays(control, order, message, header, status, text):
    before = len(control.exact_rows(MAIN, "SalesOrders")), len(control.exact_rows(MAIN, "SalesOrderLines"))
    response = order(**header)
    assert response.status_code == status
    assert text in message(response)
    assert (len(control.exact_rows(MAIN, "SalesOrders")), len(control.exact_rows(MAIN, "SalesOrderLines"))) == before


def test_lines_are_added_by_calls_of_their_own(exact, order, item, message):
    key = made(order(), "OrderID")
    refused = exact.call("PUT", f"salesorder/SalesOrders(guid'{key}')", json={"SalesOrderLines": [{"Item": item}]})
    assert refused.status_code == 400
    assert "Binding to new entities" in message(refused)
    line = {"OrderID": key, "Item": item, "NetPrice": 2.5, "Quantity": 2}
    assert exact.call("POST", "salesorder/SalesOrderLines", json=line).status_code == 201
    row = exact.get(f"salesorder/SalesOrders(guid'{key}')", select="AmountFCExclVat").json()["d"]
    assert row["AmountFCExclVat"] == 15.0


def test_parties_are_fixed_after_creation(exact, order, customer):
    key = made(order(), "OrderID")
    for name in ("OrderedBy", "DeliverTo", "InvoiceTo"):
        assert exact.call("PUT", f"salesorder/SalesOrders(guid'{key}')", json={name: customer}).status_code == 400
    assert exact.call("PUT", f"salesorder/SalesOrders(guid'{key}')", json={"YourRef": "PO 1"}).status_code == 204


@pytest.mark.parametrize("change", [{"Status": 21}, {"DeliveryStatus": 21}, {"InvoiceStatus": 21}, {"Status": 45}])
def test_an_order_that_is_done_with_takes_no_more_lines(exact, control, order, item, change):
    key = made(order(), "OrderID")
    control.change_exact(MAIN, "SalesOrders", key, **change)
    assert exact.call("POST", "salesorder/SalesOrderLines", json={"OrderID": key, "Item": item}).status_code == 500
    assert exact.call("PUT", f"salesorder/SalesOrders(guid'{key}')", json={"YourRef": "x"}).status_code == 500


def test_a_new_invoice_is_open_and_has_no_number(invoice):
    row = invoice().json()["d"]
    assert (row["Status"], row["Type"], row["InvoiceNumber"], row["AmountFCExclVat"]) == (20, 8020, None, 10.0)


@pytest.mark.parametrize(
    ("header", "text"),
    [
        ({"Journal": None}, "Mandatory: Journal"),
        ({"Journal": "60"}, "Invalid: Journal"),
        ({"Type": 8020, "Warehouse": "00000000-0000-0000-0000-000000000001"}, "Invalid: Warehouse"),
        ({"Status": 50}, "Invalid: Status"),
        ({"Type": 8021}, "Invalid: Type"),
        ({"SalesInvoiceLines": [{"Quantity": 1}]}, "Mandatory: Item"),
    ],
)
def test_what_no_invoice_may_be_like_is_refused(invoice, message, header, text):
    response = invoice(**header)
    assert (response.status_code, message(response)) == (500, text)


def test_only_credit_notes_come_to_less_than_nothing(invoice, item, message):
    line = {"Item": item, "Quantity": -1, "NetPrice": 10}
    assert message(invoice(line)) == "Invalid: Type"
    assert invoice(line, Type=8021).json()["d"]["AmountFCExclVat"] == -10.0


def test_an_invoice_goes_to_a_customer(exact, invoice, control, message):
    supplier = next(row["ID"] for row in control.exact_rows(MAIN, "Accounts") if row["Status"] == "A")
    response = invoice(InvoiceTo=supplier)
    assert (response.status_code, message(response)) == (500, "Invalid: Invoice to (Type)")


def test_a_processed_invoice_is_final_and_gets_paid(exact, control, invoice):
    stream = control.exact_rows(MAIN, "sync/SalesInvoice/SalesInvoices")
    start_at = max((row["Timestamp"] for row in stream), default=1)
    key = made(invoice(), "InvoiceID")
    number = control.process_invoice(MAIN, key)
    assert exact.call("PUT", f"salesinvoice/SalesInvoices(guid'{key}')", json={"YourRef": "x"}).status_code == 500
    assert exact.call("DELETE", f"salesinvoice/SalesInvoices(guid'{key}')").status_code == 500
    rows = exact.rows("sync/SalesInvoice/SalesInvoices", filter=f"Timestamp gt {start_at}L")
    rows = [row for row in rows if row["InvoiceID"] == key]
    assert [(row["LineNumber"], row["Status"], row["InvoiceNumber"]) for row in rows if row["LineNumber"] == 0] == [
        (0, 50, number)
    ]
    assert len(rows) == 2
    control.pay_invoice(MAIN, key, 2.1)
    control.pay_invoice(MAIN, key)
    terms = [row for row in control.exact_rows(MAIN, "PaymentTerms") if row.get("InvoiceNumber") == number]
    assert sorted((row["AmountDC"], row["IsFullyPaid"]) for row in terms) == [(-10.0, True), (-2.1, True)]


def test_an_order_becomes_an_invoice(exact, control, order, item):
    key = made(order({"Item": item, "Quantity": 2, "NetPrice": 4.5}, Description="OS-ORDER2"), "OrderID")
    invoice = control.invoice_order(MAIN, key)
    [line] = exact.rows("salesinvoice/SalesInvoiceLines", filter=f"InvoiceID eq guid'{invoice}'")
    assert (line["SalesOrder"], line["AmountFC"]) == (key, 9.0)
    both = control.billed(MAIN, "OS-ORDER2")
    assert [(one["kind"], one["total"]) for one in both] == [("sales_order", 9.0), ("sales_invoice", 9.0)]


def test_a_deleted_invoice_is_told(exact, control, invoice):
    key = made(invoice(), "InvoiceID")
    assert exact.call("DELETE", f"salesinvoice/SalesInvoices(guid'{key}')").status_code == 204
    deleted = exact.rows("sync/Deleted", filter="Timestamp gt 1L and EntityType eq 13")
    assert key in {row["EntityKey"] for row in deleted}


def test_hours_are_priced_by_the_package_and_costs_by_the_caller(exact, control, customer, item, hour):
    time = {"Account": customer, "Item": hour, "Quantity": 1.5, "Notes": "OS-HOURS1 repair"}
    cost = {"Account": customer, "Item": item, "Quantity": 2, "PriceFC": 3.333, "Notes": "OS-HOURS1 pipe"}
    assert exact.call("POST", "project/TimeTransactions", json=time).status_code == 201
    assert exact.call("POST", "project/CostTransactions", json=cost).status_code == 201
    rows = [row for row in exact.rows("sync/Project/TimeCostTransactions", filter="Timestamp gt 1L") if row["Notes"]]
    rows = [row for row in rows if "OS-HOURS1" in row["Notes"]]
    assert [(row["Type"], row["Quantity"]) for row in rows] == [(1, 1.5), (2, 2)]
    assert rows[1]["AmountFC"] == 6.67
    assert [one["kind"] for one in control.billed(MAIN, "OS-HOURS1")] == ["time", "cost"]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"Account": None}, "Mandatory: Project"),
        ({"Quantity": None}, "Mandatory: Quantity"),
        ({"HourStatus": 20}, "Invalid: HourStatus"),
    ],
)
def test_what_no_hours_may_be_like_is_refused(exact, message, customer, hour, change, text):
    body = {"Account": customer, "Item": hour, "Quantity": 1} | change
    response = exact.call("POST", "project/TimeTransactions", json=body)
    assert (response.status_code, message(response)) == (500, text)


def test_material_is_no_hour(exact, message, customer, item):
    response = exact.call("POST", "project/TimeTransactions", json={"Account": customer, "Item": item, "Quantity": 1})
    assert message(response) == "Invalid: Item"


def test_final_hours_cannot_be_changed(exact, control, customer, hour):
    body = {"Account": customer, "Item": hour, "Quantity": 1}
    key = made(exact.call("POST", "project/TimeTransactions", json=body), "ID")
    control.change_exact(MAIN, "sync/Project/TimeCostTransactions", key, HourStatus=20)
    assert exact.call("PUT", f"project/TimeTransactions(guid'{key}')", json={"Quantity": 2}).status_code == 500


def test_a_pdf_hangs_on_a_document_that_hangs_on_an_order(exact, order, message):
    key = made(order(), "OrderID")
    document = made(exact.call("POST", "documents/Documents", json={"Subject": "OS-PDF1", "Type": 55}), "ID")
    pdf = base64.b64encode(b"%PDF-1.4 sandbox").decode()
    attachment = {"Document": document, "FileName": "a.pdf", "Attachment": pdf}
    row = exact.call("POST", "documents/DocumentAttachments", json=attachment).json()["d"]
    assert (row["FileName"], row["FileSize"]) == ("a.pdf", 16.0)
    raw = exact.call("POST", "documents/DocumentAttachments", json=attachment | {"Attachment": "%PDF not base64"})
    assert raw.status_code == 400
    assert "'Byte[]'" in message(raw)
    assert exact.call("PUT", f"salesorder/SalesOrders(guid'{key}')", json={"Document": document}).status_code == 204
    shown = exact.get(f"salesorder/SalesOrders(guid'{key}')", select="Document,DocumentSubject").json()["d"]
    assert (shown["Document"], shown["DocumentSubject"]) == (document, "OS-PDF1")
    found = exact.rows("documents/Documents", filter="Subject eq 'OS-PDF1'", select="ID")
    assert [one["ID"] for one in found] == [document]


def test_some_document_types_take_no_documents(exact, message):
    response = exact.call("POST", "documents/Documents", json={"Subject": "x", "Type": 20})
    assert message(response) == "Invalid: Type"


@pytest.mark.parametrize(
    ("path", "code"),
    [("financial/Journals", "70"), ("cashflow/PaymentConditions", "30"), ("vat/VATCodes", "VH")],
)  # fmt: skip
def test_lists_to_choose_from(exact, path, code):
    assert code in {row["Code"] for row in exact.rows(path, select="ID,Code,Description")}


def test_an_order_whose_answer_is_lost_is_there_all_the_same(exact, control, order):
    control.add_fault("timeout_after", vendor="exact", method="POST", path="SalesOrders", seconds=0.05)
    with pytest.raises(requests.ConnectionError):
        order(Description="OS-LOST1")
    assert len(control.billed(MAIN, "OS-LOST1")) == 1


def test_what_was_made_is_there_after_a_restart(tmp_path):
    with start(relations=10, items=10, state_dir=tmp_path) as running:
        rows = running.control.exact_rows(MAIN, "Accounts")
        customer = next(row["ID"] for row in rows if row["Status"] == "C")
        [key] = running.control.add_exact(MAIN, "SalesInvoices", {"OrderedBy": customer, "Journal": "70"})
    with start(relations=10, items=10, state_dir=tmp_path) as running:
        assert running.control.exact_row(MAIN, "sync/SalesInvoice/SalesInvoices", key)["Status"] == 20


def test_an_item_is_of_time_by_its_unit_too(exact, control, message, customer):
    [unit] = control.add_exact(MAIN, "Units", {"Code": "dag", "Description": "dag", "Type": "T", "TimeUnit": "dd"})
    [item] = control.add_exact(MAIN, "Items", {"Code": "DAY1", "Description": "Day", "Unit": "dag", "IsTime": 0})
    body = {"Account": customer, "Item": item, "Quantity": 1}
    assert exact.call("POST", "project/TimeTransactions", json=body).status_code == 201
    assert message(exact.call("POST", "project/CostTransactions", json=body)) == "Invalid: Item"
    control.delete_exact(MAIN, "Items", item)
    control.delete_exact(MAIN, "Units", unit)


def test_a_price_includes_vat_where_the_code_says_so(exact, order, item):
    response = order(
        {"Item": item, "Quantity": 3, "NetPrice": 12.1, "VATCode": "VI"},
        {"Item": item, "Quantity": 3, "NetPrice": 10, "VATCode": "VH"},
    )
    key = made(response, "OrderID")
    lines = exact.rows("salesorder/SalesOrderLines", filter=f"OrderID eq guid'{key}'")
    assert {(line["AmountFC"], line["VATAmount"]) for line in lines} == {(30.0, 6.3)}
    assert response.json()["d"]["AmountFCExclVat"] == 60.0


def test_a_line_has_the_vat_code_of_its_item(exact, control, order):
    [item] = control.add_exact(MAIN, "Items", {"Code": "LOW1", "Description": "Low", "SalesVatCode": "VL"})
    key = made(order({"Item": item, "NetPrice": 100}), "OrderID")
    [line] = exact.rows("salesorder/SalesOrderLines", filter=f"OrderID eq guid'{key}'")
    assert (line["VATCode"], line["VATAmount"]) == ("VL", 9.0)
