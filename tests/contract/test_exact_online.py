"""Everything that we ask Exact Online for is on its documentation's pages, with a type that fits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from outsmart_sync.providers.exact_online import (
    assembly_orders,
    lists,
    price_lists,
    project_planning,
    rights,
    shop_orders,
    source,
    start_dates,
    units,
    windows,
)
from outsmart_sync.providers.exact_online.imports import (
    ACCOUNTS,
    DELIVERY_ADDRESS,
    PACKAGE,
    RELATIONS_IMPORT,
    ExactStream,
)
from outsmart_sync.providers.exact_online.price_agreements import LISTS as PRICE_LISTS
from outsmart_sync.providers.exact_online.stream import ExpandedStream
from outsmart_sync.records.setting_kinds import Choice
from sandbox.exact_online.resources import RESOURCES
from tests.contract.vendors import EXACT, FUNCTIONS, WRITES, ExactResource, conditions

ROOT = Path(__file__).resolve().parents[2]
STREAMS = {
    f"{category.name}.{stream.name}": stream
    for category in PACKAGE.imports
    for stream in category.streams
    if isinstance(stream, ExactStream) and not isinstance(stream, ExpandedStream)
}
_WHOLE = {"Edm.Byte", "Edm.Int16", "Edm.Int32", "Edm.Int64"}
READS = {
    "_text": {"Edm.String", "Edm.Guid"},
    "_number": {"Edm.Double", *_WHOLE},
    "_day": {"Edm.DateTime"},
    "_id": {"Edm.Guid"},
    "prefixed": {"Edm.Int32"},
    "_clock": {"Edm.DateTime"},
    "_minutes": {"Edm.Double"},
    "bool": {"Edm.Boolean", "Edm.Byte"},
    "_materials": {"Collection(PartItems)"},
    "_code": {"Edm.Int32"},
    "_status": {"Edm.Int16", "Edm.Int32"},
    "<lambda>": {"Edm.Int16", "Edm.Int32"},
}
"""Reader, by the function of ``values`` that it comes from, → the types that it reads."""
TWINS = {"salesorderheaders": "salesorders", "quotationheaders": "quotations"}
"""Sync endpoints have other names for the headers of documents."""
OTHER_TWINS = {"sync/Cashflow/PaymentTerms": "cashflow/Receivables"}
"""Payment terms have no ordinary endpoint of their own: receivables are those of one side."""
RULED = {
    "Unit": "Edm.String",
    "Account": "Edm.Guid",
    "Employee": "Edm.Guid",
    "Project": "Edm.Guid",
    "Type": {"Edm.Int16", "Edm.Int32"},
    "LineType": "Edm.Int16",
    "TransactionType": {"Edm.Int16", "Edm.Int32"},
    "ShopOrder": "Edm.Guid",
    "ItemGroup": "Edm.Guid",
    "QuotationNumber": "Edm.Int32",
    "VersionNumber": "Edm.Int32",
    "OrderedBy": "Edm.Guid",
    "OrderAccount": "Edm.Guid",
    "YourRef": "Edm.String",
    "Currency": "Edm.String",
    "OrderStatus": {"Edm.Int16", "Edm.Int32"},
    "Status": {"Edm.String", "Edm.Int16", "Edm.Int32"},
    "IsSupplier": "Edm.Boolean",
    "IsTime": "Edm.Byte",
    "UnitType": "Edm.String",
    "IsSalesItem": "Edm.Boolean",
    "ItemGroupCode": "Edm.String",
    "Code": "Edm.String",
    **{f"Classification{number}": "Edm.Guid" for number in range(1, 9)},
    ("addresses", "Type"): "Edm.Int16",
    ("accounts", "Status"): "Edm.String",
    ("projects", "Type"): "Edm.Int32",
    ("planning", "Status"): "Edm.Int16",
    ("sales_orders", "Status"): "Edm.Int16",
    ("shop_orders", "Status"): "Edm.Int32",
    ("shop_order_plans", "Type"): "Edm.Int32",
    ("shop_order_sales_lines", "ShopOrder"): "Edm.Guid",
    ("assembly_orders", "OrderStatus"): "Edm.Int16",
    ("assembly_orders", "Type"): "Edm.Int16",
}
"""Columns that a rule in Python looks at, with the type that the rule takes them for; some go with their stream."""


def both(stream: ExactStream) -> tuple[ExactResource, ExactResource]:
    return EXACT[stream.path], EXACT[stream.single]


CHANGES = {name: stream for name, stream in STREAMS.items() if not stream.whole}
LISTS = {name: stream for name, stream in STREAMS.items() if stream.whole and not stream.window}
WINDOWS = {name: stream for name, stream in STREAMS.items() if stream.window}

each_stream = pytest.mark.parametrize("stream", STREAMS.values(), ids=STREAMS)
each_list_of_changes = pytest.mark.parametrize("stream", CHANGES.values(), ids=CHANGES)
each_whole_list = pytest.mark.parametrize("stream", LISTS.values(), ids=LISTS)
each_window = pytest.mark.parametrize("stream", WINDOWS.values(), ids=WINDOWS)


def test_every_stream_of_the_package_is_looked_at() -> None:
    expanded = [each for category in PACKAGE.imports for each in category.streams if isinstance(each, ExpandedStream)]
    assert len(STREAMS) + len(expanded) == sum(len(category.streams) for category in PACKAGE.imports)


EXPANDED_READS = {
    "Edm.Guid": {"ID", "PriceList", "PriceListPeriod", "Item", "ItemGroup", "Account", "Employee", "Project"},
    "Edm.DateTime": {"Modified", "StartDate", "EndDate", "Created"},
    "Edm.Double": {
        "Quantity", "NumberOfItemsPerUnit", "Discount", "NewPrice", "BasePriceAmount", "StandardSalesPrice",
    },
    "Edm.Int16": {"Entity", "Type"},
    "Edm.Int32": {"EntryMethod"},
    "Edm.Int64": {"Timestamp"},
    "Edm.String": {"Currency", "Code", "Unit", "DefaultItemUnit"},
    "Edm.Boolean": {"IsSalesItem"},
}  # fmt: skip
"""Type → the columns that price lists are taken for."""


EXPANDED_FILTERS = {
    "sync/Sales/SalesPriceListVolumeDiscounts": {"Timestamp"},
    "crm/Accounts": {"Code"},
    "logistics/Items": {"ID", "ItemGroup"},
    "logistics/SalesItemPrices": {"Account"},
}
"""Endpoint → what price lists filter it by."""


@pytest.mark.parametrize("path", price_lists.READS)
def test_price_lists_are_read_by_columns_that_exist_with_a_type_that_fits(path: str) -> None:
    found, columns = EXACT[path], price_lists.READS[path]
    types = {column: kind for kind, names in EXPANDED_READS.items() for column in names}
    assert {column: found.properties.get(column) for column in columns} == {column: types[column] for column in columns}
    assert found.scope in {"Sales prices", "Logistics items", "Crm accounts"}
    filtered = EXPANDED_FILTERS.get(path, set())
    assert filtered or not found.filter_required
    assert filtered <= (found.properties.keys() if found.filters is None else found.filters)


def test_deleted_discounts_are_told_and_their_values_are_those_of_the_page() -> None:
    discounts = EXACT["sync/Sales/SalesPriceListVolumeDiscounts"]
    assert discounts.deleted_entity_type == PRICE_LISTS.deleted_type == 31
    assert discounts.page_size == 1_000
    assert discounts.filters == {"Timestamp"}
    assert EXACT["sales/SalesPriceListPeriods"].values["Type"] == ["1", "2"]
    assert EXACT["sales/SalesPriceListVolumeDiscounts"].values["EntryMethod"] == ["1", "2"]
    assert EXACT["sales/SalesPriceLists"].values["Entity"] == ["1", "2"]


@each_list_of_changes
def test_a_stream_and_its_ordinary_twin_exist_and_are_twins(stream: ExactStream) -> None:
    sync, single = both(stream)
    assert (sync.page_size, single.page_size) == (1_000, 60)
    *folder, name = stream.path.lower().split("/")
    twin = "/".join((*folder, TWINS.get(name, name)))
    assert OTHER_TWINS.get(stream.path) == stream.single or twin == f"sync/{stream.single}".lower()


@each_whole_list
def test_a_list_that_is_read_whole_has_no_other_twin_and_knows_when_it_was_changed(stream: ExactStream) -> None:
    found, single = both(stream)
    assert found is single
    assert not found.filter_required
    assert found.properties[source.MODIFIED] == "Edm.DateTime"
    assert found.filters is None or source.MODIFIED in found.filters
    assert not any(path.lower() == f"sync/{stream.path}".lower() for path in EXACT)


@each_window
def test_a_list_of_which_the_last_days_are_read_has_no_change_stamp_and_no_twin(stream: ExactStream) -> None:
    found, single = both(stream)
    assert (found, found.page_size, stream.whole) == (single, windows.PAGE_SIZE, True)
    assert source.MODIFIED not in found.properties
    assert found.properties[str(stream.dated)] == "Edm.DateTime"
    assert found.properties[stream.expand].startswith("Collection(")
    assert not any(path.lower() == f"sync/{stream.path}".lower() for path in EXACT)


@each_stream
def test_every_column_is_a_property_of_both_with_the_same_type(stream: ExactStream) -> None:
    sync, single = both(stream)
    for column in stream.from_units:
        assert column in EXACT[units.PATH].properties
    for column in stream.asked:
        assert column in sync.properties
        if column in stream.sync_only:
            assert column not in single.properties
        else:
            assert sync.properties[column] == single.properties.get(column), column


@each_stream
def test_the_scope_that_a_stream_needs_is_that_of_its_page(stream: ExactStream) -> None:
    sync, single = both(stream)
    assert sync.scope == stream.scope
    assert single.scope == (stream.single_scope or stream.scope)


@pytest.mark.parametrize("need", [rights.DELETED, rights.DIVISIONS], ids=lambda need: need.endpoint)
def test_the_scope_of_what_belongs_to_no_category_is_that_of_its_page(need: rights.Need) -> None:
    assert EXACT[need.endpoint].scope == need.scope


@pytest.mark.parametrize("path", sorted(rights._EXPORTS))
def test_the_scope_that_exports_name_is_that_of_the_page(path: str) -> None:
    assert EXACT[path].scope == rights.need_of(path).scope


@pytest.mark.parametrize("path", sorted(WRITES))
def test_whatever_is_written_has_a_scope_to_name(path: str) -> None:
    assert rights.need_of(path, writes=True).writes


@each_list_of_changes
def test_a_stream_is_filtered_by_its_row_version_alone(stream: ExactStream) -> None:
    sync, _ = both(stream)
    assert sync.properties[source.VERSION] == "Edm.Int64"
    assert sync.filters == {source.VERSION}


@each_stream
def test_a_look_up_filters_by_a_field_that_may_be_filtered(stream: ExactStream) -> None:
    _, single = both(stream)
    assert single.filters is None or stream.lookup in single.filters
    by_code = "Edm.Int32" if stream.number_prefix else "Edm.String"
    by_id = stream.parent is not None or stream.lookup == stream.key
    assert single.properties[stream.lookup] == ("Edm.Guid" if by_id else by_code)


@each_stream
def test_ids_are_guids_days_are_dates_and_marks_are_flags(stream: ExactStream) -> None:
    sync, _ = both(stream)
    assert sync.properties[stream.key] == "Edm.Guid"
    if stream.parent:
        assert sync.properties[stream.parent] == "Edm.Guid"
        assert stream.lookup == stream.parent
    if stream.alias:
        assert sync.properties[stream.alias] == "Edm.Guid"
    if stream.blocked and stream.is_blocked is bool:
        assert sync.properties[stream.blocked] == "Edm.Boolean"
    for column in filter(None, stream.valid or ()):
        assert sync.properties[column] == "Edm.DateTime"


@each_stream
def test_every_value_is_read_as_what_it_is(stream: ExactStream) -> None:
    sync, _ = both(stream)
    for name, field in stream.fields.items():
        coordinate = name in {"latitude", "longitude"}
        fitting = {"Edm.Double"} if coordinate else READS[field.read.__qualname__.partition(".")[0]]
        for column in field.columns:
            known = EXACT[units.PATH] if column in stream.from_units else sync
            assert known.properties[column] in fitting, (name, column)


@each_stream
def test_every_column_that_a_rule_looks_at_has_the_type_that_the_rule_takes_it_for(stream: ExactStream) -> None:
    sync, _ = both(stream)
    for rule in filter(None, (stream.tags, stream.belongs)):
        for column in rule.columns:
            ruled = RULED[column]
            assert sync.properties[column] in ({ruled} if isinstance(ruled, str) else ruled), column


@each_list_of_changes
def test_deletions_are_reported_under_the_streams_own_code(stream: ExactStream) -> None:
    sync, _ = both(stream)
    if stream.shared:  # read for what it says of others only
        assert stream.deleted_type is None
        return
    assert stream.deleted_type == sync.deleted_entity_type
    assert str(stream.deleted_type) in EXACT["sync/Deleted"].values["EntityType"]


@pytest.mark.parametrize(
    "listed", [each for each in vars(lists).values() if isinstance(each, lists.ExactList)], ids=lambda each: each.name
)
def test_a_list_of_values_has_the_columns_that_are_read_and_needs_no_filter(listed: lists.ExactList) -> None:
    documented = EXACT[listed.path]
    assert not documented.filter_required
    assert documented.properties[listed.value] in {"Edm.String", "Edm.Guid", "Edm.Int32"}
    assert {documented.properties[column] for column in listed.title} == {"Edm.String"}


def test_where_a_day_lies_in_a_stream_is_told_as_a_row_version() -> None:
    assert FUNCTIONS[start_dates.SYNC_TIMESTAMP].properties[start_dates.POSITION] == "Edm.Int64"


@each_stream
def test_the_date_of_a_document_is_one_and_may_be_filtered_by(stream: ExactStream) -> None:
    sync, single = both(stream)
    if stream.dated:
        assert sync.properties[stream.dated] == single.properties[stream.dated] == "Edm.DateTime"
        assert single.filters is None or stream.dated in single.filters


def test_every_status_of_an_order_for_the_own_production_is_one_that_can_be_chosen() -> None:
    for module, path, column in (
        (shop_orders, "manufacturing/ShopOrders", "Status"),
        (assembly_orders, "inventory/AssemblyOrders", "OrderStatus"),
    ):
        assert {str(status) for status in module.STATUSES} == set(EXACT[path].values[column])
    assert str(shop_orders.MATERIAL) in EXACT["manufacturing/ShopOrderMaterialPlans"].values["Type"]
    assert str(assembly_orders.ASSEMBLY) in EXACT["inventory/AssemblyOrders"].values["Type"]


def test_the_parts_of_an_assembly_order_have_the_columns_of_its_bill_of_material_where_they_are_served() -> None:
    """Exact documents the collection by its name alone."""
    assert set(assembly_orders.PART_COLUMNS) <= set(RESOURCES["inventory/AssemblyOrders/PartItems"].properties)


def test_only_account_codes_are_padded() -> None:
    assert {stream.name for stream in STREAMS.values() if stream.padded} == {ACCOUNTS.name}


def test_deletions_are_read_by_columns_that_exist() -> None:
    properties = EXACT[source._DELETED].properties
    assert {column: properties[column] for column in source._DELETED_COLUMNS} == {
        "EntityKey": "Edm.Guid",
        "EntityType": "Edm.Int32",
        source.VERSION: "Edm.Int64",
    }
    assert source.VERSION in (EXACT[source._DELETED].filters or ())


def tagged(**row: Any) -> set[str]:
    assert ACCOUNTS.tags is not None
    return {
        value for _, value in ACCOUNTS.tags.rule(dict.fromkeys(ACCOUNTS.tags.columns) | {"IsSupplier": False} | row)
    }


def test_every_status_of_a_relation_is_one_that_can_be_chosen_or_none() -> None:
    (choice,) = (each for each in RELATIONS_IMPORT.filters if isinstance(each, Choice) and each.name == "types")
    found = {status: tagged(Status=status) for status in EXACT["sync/CRM/Accounts"].values["Status"]}
    assert found == {"A": set(), "S": {"suspect"}, "P": {"prospect"}, "C": {"customer"}}
    assert set().union(*found.values(), tagged(IsSupplier=True)) == set(choice.values)


def test_delivery_addresses_and_labour_items_are_known_by_documented_values() -> None:
    assert str(DELIVERY_ADDRESS) in EXACT["sync/CRM/Addresses"].values["Type"]
    assert "T" in EXACT["sync/Logistics/Items"].values["UnitType"]


@pytest.mark.parametrize("path", EXACT)
def test_the_sandbox_serves_the_resource_as_it_is_documented(path: str) -> None:
    """Else tests that pass on the sandbox would say little about the vendor."""
    documented, served = EXACT[path], RESOURCES[path]
    assert served.page_size == documented.page_size
    assert {name: each.edm for name, each in served.properties.items()} == documented.properties
    assert (served.filter_mandatory, served.deleted_entity_type) == (
        documented.filter_required,
        documented.deleted_entity_type,
    )
    if documented.filters is not None:
        assert served.filters == documented.filters


@pytest.mark.parametrize(
    ("query", "mistakes"),
    [
        ({"$select": "ID,Code", "$filter": "Code eq 'O''Brien' or Code eq '7'"}, []),
        ({"$select": "ID,Kode", "$filter": "Code eq '7'"}, ["unknown column Kode"]),
        ({"$filter": "Code eq '7'"}, ["no columns are named"]),
        ({"$select": "ID"}, ["no filter"]),
        ({"$select": "ID", "$filter": "Remarks eq '7'"}, ["filter by Remarks"]),
        ({"$select": "ID", "$filter": "Code eq '7'", "$expand": "x"}, ["unknown collection x"]),
    ],
    ids=["good", "column", "no columns", "no filter", "filter", "option"],
)
def test_the_comparison_finds_mistakes(query: dict[str, str], mistakes: list[str]) -> None:
    assert EXACT["crm/Accounts"].mistakes(query) == mistakes


@pytest.mark.parametrize("filters", ["Code eq 7 and Name eq 8", "Code eq 'a'b'", "Code", "Code eq guid'1'"])
def test_a_filter_that_we_never_write_is_no_filter_of_ours(filters: str) -> None:
    with pytest.raises(ValueError, match="not a filter of ours"):
        conditions(filters)


def test_every_type_of_a_project_and_every_status_of_planning_can_be_chosen() -> None:
    projects, planning = EXACT["sync/Project/Projects"], EXACT["sync/Project/ProjectPlanning"]
    assert {str(value) for value in project_planning.TYPES} == set(projects.values["Type"])
    assert {str(value) for value in project_planning.STATUSES} == set(planning.values["Status"])
    choices = {each.name: each for each in PACKAGE.category("project_planning").filters if isinstance(each, Choice)}
    assert set(choices["types"].values) == set(project_planning.TYPES.values())
    assert set(choices["statuses"].values) == set(project_planning.STATUSES.values())


def test_the_documentation_names_every_scope_with_the_categories_that_need_it() -> None:
    page = (ROOT / "docs" / "exact-online.md").read_text(encoding="utf-8")
    table = page[page.index("| scope | for |") :].split("\n\n")[0]
    for category in PACKAGE.imports:
        for stream in category.streams:
            assert isinstance(stream, ExactStream)
            for scope in {stream.scope, stream.single_scope} - {""}:
                line = next((line for line in table.splitlines() if line.startswith(f"| {scope} |")), "")
                assert category.label.lower() in line, f"{scope}: {category.label}"
