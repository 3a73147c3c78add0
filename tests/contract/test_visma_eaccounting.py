"""Everything that we ask VISMA eAccounting for is in its OpenAPI description, with a type that fits."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.fernet import Fernet

from outsmart_sync.providers.visma_eaccounting import company, lists, oauth, price_lists, projects, sales_orders
from outsmart_sync.providers.visma_eaccounting.imports import PACKAGE
from outsmart_sync.providers.visma_eaccounting.stream import ExpandedStream, VismaStream
from outsmart_sync.services.choices import choices
from outsmart_sync.store.store import Store
from outsmart_sync.store.vault import KEYS_VARIABLE
from sandbox import process
from support import SOUTH, Rig, connection_environment

FACTS: dict[str, Any] = json.loads(Path(__file__).with_name("visma_eaccounting.json").read_text(encoding="utf-8"))
RESOURCES, SCHEMAS = FACTS["resources"], FACTS["schemas"]
STREAMS = {
    f"{category.name}.{stream.name}": stream
    for category in PACKAGE.imports
    for stream in category.streams
    if isinstance(stream, VismaStream) and not isinstance(stream, ExpandedStream)
}
LISTS = (lists.UNITS, lists.CUSTOMER_LABELS, lists.ARTICLE_LABELS)
READS = {
    "_text": {"string", "uuid", "integer"},
    "_number": {"number"},
    "_day": {"date-time"},
    "_id": {"uuid"},
    "_first_barcode": {"list of ArticleBarcodeApi"},
    "_rows": {"list of OrderRowApi"},
}
"""Reader, by the function that it is, → the types that it reads."""
WHOLE_ROWS = {"_materials": {"Rows": "list of OrderRowApi", "IncludesVat": "boolean"}, "_project": {}, "_texts": {}}
OPTIONS = {"$page", "$pagesize", "$orderby", "$select", "$filter"}
TIME = re.compile(r"(\w+) gt \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.00Z")
NUMBERS = re.compile(r"Number eq '(?:[^']|'')*'(?: or Number eq '(?:[^']|'')*')*")

each_stream = pytest.mark.parametrize("stream", STREAMS.values(), ids=STREAMS)


def schema_of(path: str) -> dict[str, Any]:
    found: dict[str, Any] = SCHEMAS[RESOURCES[path]["schema"]]
    return found


def test_every_stream_of_the_package_is_looked_at() -> None:
    expanded = [each for category in PACKAGE.imports for each in category.streams if isinstance(each, ExpandedStream)]
    assert len(STREAMS) + len(expanded) == sum(len(category.streams) for category in PACKAGE.imports)


@pytest.mark.parametrize("path", price_lists.READS)
def test_price_lists_are_read_by_columns_that_exist_with_a_type_that_fits(path: str) -> None:
    types = {
        **dict.fromkeys(("Id", "SalesPriceListId", "ArticleId", "DiscountAgreementId"), "uuid"),
        **dict.fromkeys(("NetPrice", "DiscountPercentage"), "number"),
        **dict.fromkeys(("IsStandard", "IsActive"), "boolean"),
        **dict.fromkeys(("Name", "CurrencyCode"), "string"),
        price_lists.CHANGED: "date-time",
    }
    found = schema_of(path)
    assert {column: found[column]["type"] for column in price_lists.READS[path]} == {
        column: types[column] for column in price_lists.READS[path]
    }
    assert set(RESOURCES[path]["scopes"]) & set(oauth.SCOPES)


@each_stream
def test_a_list_exists_is_paged_and_our_scopes_open_it(stream: VismaStream) -> None:
    resource = RESOURCES[stream.path]
    assert resource["answer"] == f"PaginatedResponseOf{resource['schema']}"
    assert set(resource["scopes"]) & set(oauth.SCOPES)


@each_stream
def test_a_stream_asks_only_for_columns_that_are_there(stream: VismaStream) -> None:
    assert set(stream.asked) <= set(schema_of(stream.path))


@each_stream
def test_keys_change_stamps_and_dates_have_their_types(stream: VismaStream) -> None:
    schema = schema_of(stream.path)
    assert schema[stream.key]["type"] == "uuid"
    assert schema[stream.changed]["type"] == "date-time"
    assert stream.dated is None or schema[stream.dated]["type"] == "date-time"
    assert schema[stream.lookup]["type"] == ("integer" if stream.numbered else "string")


@each_stream
def test_a_field_is_read_from_columns_of_a_type_that_its_reader_takes(stream: VismaStream) -> None:
    schema = schema_of(stream.path)
    for name, source in stream.fields.items():
        reader = getattr(source.read, "__name__", "")
        if reader in READS:
            assert {schema[column]["type"] for column in source.columns} <= READS[reader], name
        elif reader in WHOLE_ROWS:
            assert schema["Rows"]["type"] == "list of OrderRowApi"
        elif source.joined:
            assert {schema[column]["type"] for column in source.columns} == {"string"}, name
        else:
            assert (name, reader) == ("number", "_order_number")


def test_what_marks_a_row_as_out_of_use_has_the_values_that_we_take_it_for() -> None:
    assert schema_of("customers")["IsActive"]["type"] == schema_of("articles")["IsActive"]["type"] == "boolean"
    assert schema_of("projects")["Status"]["values"]["Finished"] == projects.FINISHED
    found = {value: name.lower() for name, value in schema_of("orders")["Status"]["values"].items()}
    assert found == sales_orders.STATUSES
    variants = {value: name.lower() for name, value in schema_of("companysettings")["ProductVariant"]["values"].items()}
    assert variants == {number: name.replace(" ", "").lower() for number, name in company.VARIANTS.items()}


def test_order_rows_have_the_columns_and_types_that_a_line_is_made_of() -> None:
    row = SCHEMAS["OrderRowApi"]
    numbers = ("Quantity", "UnitPrice", "DiscountPercentage", "DiscountFixedAmount", "VatRate")
    assert {row[name]["type"] for name in numbers} == {"number"}
    assert {row[name]["type"] for name in ("IsTextRow", "IsDiscountInFixedAmount")} == {"boolean"}
    assert {row[name]["type"] for name in ("Text", "ArticleNumber")} == {"string"}
    assert (row["LineNumber"]["type"], row["ProjectId"]["type"]) == ("integer", "uuid")
    assert schema_of("orders")["IncludesVat"]["type"] == WHOLE_ROWS["_materials"]["IncludesVat"]


def test_the_company_s_own_columns_have_the_types_that_are_read() -> None:
    found = schema_of("companysettings")
    for name in ("Name", "CurrencyCode", "CountryCode"):
        assert found[name]["type"] == "string", name
    for name in ("CompanyIdentifier", "CorporateIdentityNumber"):
        assert found[name]["type"] == "string", name
    assert found["ActivatedModules"]["type"] == "list of string"
    assert found["CompanyStatus"]["values"] == {"Inactive": 0, "Active": 1, "ReadOnly": 2}


@pytest.mark.parametrize("listed", LISTS, ids=lambda listed: listed.name)
def test_the_ids_of_a_list_of_values_are_ids(listed: lists.VismaList) -> None:
    assert schema_of(listed.path)[listed.key]["type"] in {"uuid", "string"}


@pytest.mark.parametrize("listed", LISTS, ids=lambda listed: listed.name)
def test_a_list_of_values_exists_with_its_columns(listed: lists.VismaList) -> None:
    assert {"Id", *listed.title} <= set(schema_of(listed.path))
    assert set(RESOURCES[listed.path]["scopes"]) & set(oauth.SCOPES)


@pytest.fixture(scope="module")
def calls(databases: Any) -> Iterator[list[dict[str, Any]]]:
    """What VISMA received: login, choices, a first import, an idle one, a full one, chosen codes."""
    store = Store(databases.make("sqlite"))
    with process.start(relations=10, items=12) as vendors, pytest.MonkeyPatch.context() as patch:
        for name, value in connection_environment(vendors, store, SOUTH).items():
            patch.setenv(name, value)
        patch.setenv(KEYS_VARIABLE, Fernet.generate_key().decode())
        rig = Rig(store, vendors)
        connection = rig.connect_visma("devries", **{each.name: {"enabled": True} for each in PACKAGE.imports})
        for category, setting in (("customers", "labels"), ("materials", "labels"), ("hour_types", "hour_units")):
            choices(rig.gateway, connection, category, setting)
        for options in ({}, {}, {"full": True}):
            assert {each.error_code for each in rig.sync(package=PACKAGE.name, **options).values()} == {""}
        rig.sync("materials", package=PACKAGE.name, codes=("it's", "2"))
        rig.sync("customers", package=PACKAGE.name, codes=("2",))
        rig.sync("price_agreements", package=PACKAGE.name, codes=("2",))
        yield vendors.control.calls(vendor="visma", path="/v2/")
    store.close()


def resource_of(call: dict[str, Any]) -> str:
    """The list that a call asks for; of prices, that of one price list."""
    path = str(call["path"]).removeprefix("/v2/")
    begin, _, key = path.rpartition("/")
    return begin if begin == "salespricelists/prices" and str(UUID(key)) == key else path


def test_every_call_is_one_that_the_description_knows_and_names_its_columns(calls: list[dict[str, Any]]) -> None:
    assert {resource_of(call) for call in calls} == set(RESOURCES)
    for call in calls:
        path, query = resource_of(call), call["query"]
        assert call["method"] == "GET"
        assert set(query) <= OPTIONS
        if path == "companysettings":
            continue
        columns = query["$select"].split(",")
        assert set(columns) <= set(schema_of(path))
        assert 1 <= int(query["$pagesize"]) <= 1_000
        assert query.get("$orderby", "Id").split()[0] in schema_of(path)


def test_every_filter_is_written_as_the_vendor_writes_it(calls: list[dict[str, Any]]) -> None:
    filters = {
        (call["path"].removeprefix("/v2/"), call["query"]["$filter"]) for call in calls if "$filter" in call["query"]
    }
    assert filters
    changed = {stream.path: stream.changed for stream in STREAMS.values()}
    for path, text in filters:
        time = TIME.fullmatch(text)
        assert (time and time[1] == changed[path]) or NUMBERS.fullmatch(text) or text.startswith("CustomerNumber eq '")
