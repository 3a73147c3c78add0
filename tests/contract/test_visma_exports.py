"""Everything that exports send to VISMA eAccounting, and ask it for, is in its OpenAPI description."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from outsmart_sync.providers.visma_eaccounting.client import VismaClient
from outsmart_sync.providers.visma_eaccounting.exporter import VismaExporter
from outsmart_sync.providers.visma_eaccounting.exports import EXPORTS
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
from tests.providers.conftest import FixedTokens
from tests.providers.scripted import Answer, Received, scripted

FACTS: dict[str, Any] = json.loads(
    Path(__file__).with_name("visma_eaccounting_exports.json").read_text(encoding="utf-8")
)
OPERATIONS, WRITTEN, READ = FACTS["operations"], FACTS["written"], FACTS["read"]
ROWS = {"OrderApi": "OrderRowApi", "CustomerInvoiceDraftApi": "CustomerInvoiceDraftRowApi"}
ODATA = {"$page", "$pagesize", "$orderby", "$select", "$filter"}
ID = "11111111-2222-4333-8444-555555555555"
_ID_IN_PATH = re.compile(r"(?<=/)[0-9a-f]{8}-[0-9a-f-]{27}")
_TEXT = "x" * 3000
LINE = Line(
    key="m1", kind=LineKind.MATERIAL, text=_TEXT, token="OS-ABCDEFGHIJ", article=ID, quantity=Decimal("1.25"),
    price=Decimal(2), discount=Decimal("0.12345"), project=ID, reverse_charge=True,
)  # fmt: skip
WORDS = Line(key="d", kind=LineKind.TEXT, text=_TEXT)
DOCUMENT = ExportDocument(
    kind="", token="OS-ABCDEFGHIJ", number=_TEXT, customer=ID, deliver_to=ID, invoice_to=ID,
    work_address=Place(_TEXT, _TEXT, _TEXT, _TEXT, "nl"), lines=[LINE, WORDS], day=date(2026, 1, 5), total=Decimal(-4),
    reference=_TEXT, title=_TEXT, payment_condition=ID, append_to=ID,
)  # fmt: skip
MADE = MadeDocument(remote_id=ID)
STAMP = "2026-01-05T10:00:00.1234567Z"


def row_of(schema: str) -> dict[str, Any]:
    """A row that has every field of its schema."""
    fields = WRITTEN[schema]["fields"] if schema in WRITTEN else READ[schema]
    known = {
        "Id": ID, "Name": "x", "Number": "1", "CustomerNumber": "1", "InvoiceNumber": 1, "LineNumber": 1, "Status": 2,
        "CreatedUtc": STAMP, "ModifiedUtc": STAMP, "ArticleId": ID, "Text": "y", "IsTextRow": False, "Code": "NL",
        "CreatedFromDraftId": ID, "OriginalFilename": "a.pdf", "AvailableForSales": True, "IsActive": True,
        "VatRatePercent": 0.21, "CurrencyCode": "EUR", "CodingId": ID, "UnitId": ID, "PaymentStatus": 1,
        "IsPrivatePerson": True, "ShowPricesExclVatPC": True, "CountryCode": "NL", "InvoiceCountryCode": "BE",
        "SalesDocumentAttachments": [ID], "TotalAmount": 1, "Amount": 1,
    }  # fmt: skip
    rows = {"Rows": [row_of(ROWS[schema])]} if schema in ROWS else {}
    return {name: known.get(name) for name in fields} | rows


def operation_of(request: Received) -> str:
    path = urlsplit(request.target).path.removeprefix("/v2/")
    return f"{request.method} {_ID_IN_PATH.sub('{id}', path)}"


def answer(request: Received) -> Answer:
    schema = OPERATIONS[operation_of(request)]["answer"]
    if not schema.startswith("PaginatedResponseOf"):
        return Answer(200 if request.method == "GET" else 201, row_of(schema))
    meta = {"CurrentPage": 1, "PageSize": 1000, "TotalNumberOfPages": 1, "TotalNumberOfResults": 1}
    data = [row_of(schema.removeprefix("PaginatedResponseOf"))]
    return Answer(200, {"Meta": meta | {"ServerTimeUtc": STAMP}, "Data": data})


@pytest.fixture(scope="module")
def sent() -> Iterator[list[Received]]:
    """Every request that exporting can make, to a server that takes everything."""
    settings = {each.name: each.default or ID for each in EXPORTS.settings if isinstance(each, Text)}
    with scripted(answer) as server:
        client = VismaClient(requests.Session, server.url, FixedTokens("token"))
        use_everything(VismaExporter(client, settings | {"order_status": "3", "delivery_method": "x" * 50}))
        client.close()
        yield list(server.received)


def use_everything(exporter: VismaExporter) -> None:
    for kind in EXPORTS.kinds:
        exporter.create(kind, DOCUMENT)
        exporter.replace(kind, ID, Sent(document=DOCUMENT), DOCUMENT)
        exporter.find(kind, [LINE.token], date(2026, 1, 5))
        exporter.get(kind, ID)
        exporter.by_number(kind, "12")
        exporter.attach(kind, MADE, "", Attachment(name="x" * 200 + ".pdf", content=b"x"))
        exporter.find_attachment(kind, MADE, "", "a.pdf")
    exporter.order(ID)
    exporter.append_line(DOCUMENT, LINE)
    exporter.change_quantity(ID, "1", Decimal(7))
    for entity in Entity:
        exporter.look_up(entity, ["1"])
        exporter.facts(entity, [ID])
    customer = NewCustomer(
        code="12", name=_TEXT, street=_TEXT, postcode=_TEXT, city=_TEXT, country="NL", email="e", phone=_TEXT,
        vat_number="v", coc_number="c",
    )  # fmt: skip
    exporter.likely_customers(customer)
    exporter.create_customer(customer)
    exporter.likely_articles(NewArticle(code="1", description="x"))
    exporter.create_article(NewArticle(code="1", description=_TEXT, price=Decimal("1.005")))
    list(exporter.invoice_states({}, date(2026, 11, 1)))
    for setting in EXPORTS.settings:
        if isinstance(setting, Text) and setting.lists is not None:
            exporter.choices(setting.lists)


def test_every_call_is_one_that_the_description_knows(sent: list[Received]) -> None:
    assert {operation_of(request) for request in sent} == set(OPERATIONS)


def test_every_question_names_columns_and_parameters_that_are_there(sent: list[Received]) -> None:
    for request in sent:
        query, operation = dict(parse_qsl(urlsplit(request.target).query)), OPERATIONS[operation_of(request)]
        assert set(query) <= ODATA | set(operation["query"])
        schema = operation["answer"].removeprefix("PaginatedResponseOf")
        fields = set(WRITTEN[schema]["fields"] if schema in WRITTEN else READ[schema])
        assert set(query.get("$select", "").split(",")) - {""} <= fields
        assert set(re.findall(r"(\w+) (?:eq|gt) ", query.get("$filter", ""))) <= fields


def test_every_change_has_what_is_demanded_and_nothing_that_is_not_ours_to_write(sent: list[Received]) -> None:
    changes = [request for request in sent if request.method != "GET"]
    assert len(changes) > 8
    for request in changes:
        schema, body = OPERATIONS[operation_of(request)]["body"], json.loads(request.body)
        check(schema, body)
        for row in body.get("Rows", ()):
            check(ROWS[schema], row)


def check(schema: str, body: dict[str, Any]) -> None:
    facts = WRITTEN[schema]
    assert set(body) <= set(facts["fields"]) - set(facts["read_only"]), schema
    assert not [name for name in facts["required"] if name not in body], schema
    for name, longest in facts["longest"].items():
        assert len(body.get(name) or "") <= longest, (schema, name)
