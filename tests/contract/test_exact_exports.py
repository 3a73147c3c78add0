"""Everything that exports send to Exact Online, and ask it for, is on its documentation's pages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
import requests

from outsmart_sync.providers.exact_online.client import ExactOnlineClient, endpoint_of
from outsmart_sync.providers.exact_online.exporter import ExactExporter
from outsmart_sync.providers.exact_online.exports import EXPORTS
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
from outsmart_sync.records.export_update import Sent
from outsmart_sync.records.setting_kinds import Text
from support import MAIN
from tests.contract.vendors import EXACT, FUNCTIONS, WRITES
from tests.providers.conftest import FixedTokens
from tests.providers.scripted import Answer, Received, ScriptedServer, scripted

ID = "11111111-2222-4333-8444-555555555555"
_FIELD = re.compile(r"(?:^|[( ])(?:substringof\('[^']*',(\w+)\) eq true|(\w+) (?:eq|ne|gt|ge) )")
_LITERAL = re.compile(r"(?:guid|datetime)?'(?:[^']|'')*'")
ROW = {
    "ID": ID, "OrderID": ID, "InvoiceID": ID, "Code": "1", "OrderNumber": 1, "InvoiceNumber": 1, "LineNumber": 0,
    "Status": 20, "Description": "OS-ABCDEFGHIJ x", "Subject": "", "Notes": "OS-ABCDEFGHIJ x", "OrderedBy": ID,
    "InvoiceTo": ID, "Quantity": 1, "NetPrice": 1, "AmountFC": 1, "AmountFCExclVat": 1, "Item": ID, "Type": 1,
    "TimeUnit": "hh", "Timestamp": 5, "TimeStampAsBigInt": 4, "LineType": 20, "IsFullyPaid": True, "SalesOrder": None,
    "EntityType": 13, "EntityKey": ID, "FileName": "a.pdf", "Name": "x", "VATNumber": "", "ChamberOfCommerce": "",
    "Postcode": "", "Blocked": False, "StartDate": None, "EndDate": None, "IsSalesItem": True, "IsTime": 1,
    "Unit": "hour", "BlockEntry": False, "FirstName": "x", "LastName": "y", "HourStatus": 1, "EntryNumber": 1,
    "Created": None, "UnitPrice": 1, "Discount": 0, "Project": None, "UnitType": "T", "SalesVatCode": "VH",
    "SearchCode": "", "Percentage": 0.21,
}  # fmt: skip
"""A row that may be anything."""
LINE = Line(
    key="m1", kind=LineKind.MATERIAL, text="x" * 90, token="OS-ABCDEFGHIJ", article=ID, quantity=Decimal(1),
    price=Decimal(2), discount=Decimal("0.1"), project=ID, employee=ID, day=date(2026, 1, 5),
)  # fmt: skip
NET = Line(key="m2", kind=LineKind.HOURS, text="y", article=ID, quantity=Decimal(1), price=Decimal(2))
DOCUMENT = ExportDocument(
    kind="sales_order", token="OS-ABCDEFGHIJ", number="1", customer=ID, deliver_to=ID, invoice_to=ID,
    work_address=Place(), lines=[LINE, NET], day=date(2026, 1, 5), total=Decimal(4), reference="PO", title="Job",
    remarks="Done", warehouse=ID, payment_condition="30", append_to=ID,
)  # fmt: skip
MADE = MadeDocument(remote_id=ID)
SETTINGS = {each.name: each.default or "1" for each in EXPORTS.settings if isinstance(each, Text)}


def answer(request: Received) -> Answer:
    if request.method == "GET":
        return Answer(200, {"d": {"results": [ROW]}})
    return Answer(204) if request.method == "PUT" else Answer(201, {"d": ROW})


@pytest.fixture(scope="module")
def sent() -> Iterator[list[Received]]:
    """Every request that exporting can make, to a server that takes everything."""
    with scripted(answer) as server, requests.Session() as session:
        client = ExactOnlineClient(session, server.url, FixedTokens("token"), division=str(MAIN))
        use_everything(ExactExporter(client, SETTINGS))
        yield received(server)


def received(server: ScriptedServer) -> list[Received]:
    return list(server.received)


def use_everything(exporter: ExactExporter) -> None:
    order, _, by_line = EXPORTS.kinds
    for kind in EXPORTS.kinds:
        exporter.find(kind, [LINE.token], date(2026, 1, 5))
        exporter.get(kind, ID)
        exporter.by_number(kind, "12")
        if not kind.by_line:
            exporter.create(kind, DOCUMENT)
            exporter.replace(kind, ID, Sent(document=DOCUMENT), DOCUMENT)
            exporter.link_file(kind, MADE, ID)
    for line in DOCUMENT.lines:
        exporter.create_line(by_line, DOCUMENT, line)
    exporter.order(ID)
    exporter.append_line(DOCUMENT, LINE)
    exporter.change_quantity(ID, ID, Decimal(2))
    for entity in Entity:
        exporter.look_up(entity, ["1"])
        exporter.facts(entity, [ID])
    customer = NewCustomer(
        code="12", name="x", street="y", postcode="1", city="z", country="NL", email="e", phone="p", vat_number="v",
        coc_number="c",
    )  # fmt: skip
    exporter.likely_customers(customer)
    exporter.create_customer(customer)
    exporter.likely_articles(NewArticle(code="1", description="x"))
    exporter.create_article(NewArticle(code="1", description="x", unit="piece"))
    exporter.create_file(order, DOCUMENT, MADE, "a.pdf")
    exporter.find_file(order, LINE.token, MADE)
    exporter.attach(order, MADE, ID, Attachment(name="a.pdf", content=b"x"))
    exporter.find_attachment(order, MADE, ID, "a.pdf")
    list(exporter.invoice_states({}, date(2026, 11, 1)))
    for setting in EXPORTS.settings:
        if isinstance(setting, Text) and setting.lists is not None:
            exporter.choices(setting.lists)


def query_of(request: Received) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(request.target).query))


def fields_of(filters: str) -> set[str]:
    """The fields that a filter is by; texts in it are left out of the search."""
    bare = _LITERAL.sub("''", filters)
    found = {field for match in _FIELD.finditer(bare) for field in match.groups() if field}
    assert bare.count(" eq ") + bare.count(" ne ") + bare.count(" gt ") + bare.count(" ge ") == len(
        _FIELD.findall(bare)
    ), filters
    return found


def test_every_question_is_one_that_exact_documents(sent: list[Received]) -> None:
    asked = [request for request in sent if request.method == "GET"]
    assert len(asked) > 30
    for request in asked:
        path, query = endpoint_of(request.target), query_of(request)
        if path in FUNCTIONS:
            assert set(query) == set(FUNCTIONS[path].parameters)
            continue
        documented = EXACT[path]
        assert set(query) <= {"$select", "$filter"}, path
        columns = set(query["$select"].split(","))
        assert columns <= set(documented.properties), (path, columns - set(documented.properties))
        fields = fields_of(query.get("$filter", ""))
        assert fields <= set(documented.properties), path
        if documented.filters is not None:
            assert fields <= documented.filters, (path, fields)
        assert fields or not documented.filter_required, path


def test_row_versions_are_asked_for_as_exact_allows(sent: list[Received]) -> None:
    for request in sent:
        filters = query_of(request).get("$filter", "")
        if "/sync/" in request.target and request.method == "GET" and "SyncTimestamp" not in request.target:
            assert re.fullmatch(r"Timestamp gt \d+L( and EntityType eq \d+)?", filters), filters


def test_every_change_is_one_that_exact_documents(sent: list[Received]) -> None:
    written = [request for request in sent if request.method != "GET"]
    assert {endpoint_of(request.target) for request in written} == set(WRITES) - {"salesinvoice/SalesInvoiceLines"} | {
        endpoint_of(request.target) for request in written if "SalesInvoiceLines" in request.target
    }
    for request in written:
        documented, body = WRITES[endpoint_of(request.target)], json.loads(request.body or b"{}")
        assert request.method in documented.methods
        if request.method == "PUT":
            assert re.search(r"\(guid'[0-9a-f-]{36}'\)$", unquote(request.target))
            assert set(body) <= set(documented.put), documented.path
            continue
        assert set(body) <= set(documented.post), (documented.path, set(body) - set(documented.post))
        assert not missing(documented.path, documented.mandatory, body)
        for line in body.get("SalesOrderLines", []) + body.get("SalesInvoiceLines", []):
            nested = WRITES[f"{documented.path.removesuffix('s')}Lines"]
            assert set(line) <= set(nested.post)
            assert not missing(nested.path, nested.mandatory, line)


def missing(path: str, mandatory: list[str], body: dict[str, Any]) -> set[str]:
    """What a new row lacks. Exact implies the header of nested lines, and takes the ledger account from the item."""
    implied = {"OrderID", "InvoiceID", "GLAccount"} if path.endswith("Lines") else set()
    return {name for name in mandatory if not body.get(name)} - implied


def test_a_price_is_sent_as_one_thing(sent: list[Received]) -> None:
    lines = [
        line
        for request in sent
        if request.method == "POST"
        for body in [json.loads(request.body)]
        for line in [*body.get("SalesOrderLines", []), *body.get("SalesInvoiceLines", []), body]
        if "Item" in line and "Quantity" in line
    ]
    assert len(lines) > 4
    assert not [line for line in lines if "NetPrice" in line and line.keys() & {"UnitPrice", "Discount"}]


def test_what_is_fixed_once_a_document_is_made_is_never_changed(sent: list[Received]) -> None:
    for request in sent:
        if request.method == "PUT":
            body = json.loads(request.body)
            assert not body.keys() & {"OrderedBy", "InvoiceTo", "DeliverTo", "Journal", "SalesOrderLines"}
            assert not body.keys() & {"QuantityDelivered"}
