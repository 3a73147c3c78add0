"""Employees, payments, price lists, orders, projects and production at Exact Online, as they are read."""

import re

import pytest

from sandbox.exact_online.resources import RESOURCES
from sandbox.remote_control import ControlError
from tests.sandbox.clients import BELGIAN, EMPTY, MAIN

SYNC_CODES = {
    "sync/Payroll/Employees": 42,
    "sync/Cashflow/PaymentTerms": 10,
    "sync/Sales/SalesPriceListVolumeDiscounts": 31,
    "sync/SalesOrder/SalesOrderHeaders": 32,
    "sync/SalesOrder/SalesOrderLines": 33,
    "sync/CRM/QuotationHeaders": 34,
    "sync/CRM/QuotationLines": 35,
    "sync/Project/Projects": 21,
    "sync/Project/ProjectPlanning": 26,
    "sync/SalesOrder/GoodsDeliveries": 16,
    "sync/SalesOrder/GoodsDeliveryLines": 17,
    "sync/Manufacturing/ShopOrders": 36,
    "sync/Manufacturing/ShopOrderMaterialPlans": 37,
}
WITHOUT_SYNC = [
    "inventory/Warehouses", "inventory/AssemblyOrders", "sales/SalesPriceLists", "sales/SalesPriceListPeriods",
    "sales/SalesPriceListLinkedAccounts",
]  # fmt: skip
FILTERS = {
    "salesorder/SalesOrders": "OrderNumber gt 0",
    "salesorder/SalesOrderLines": "LineNumber gt 0",
    "bulk/SalesOrder/SalesOrders": "OrderNumber gt 0",
    "bulk/SalesOrder/SalesOrderLines": "LineNumber gt 0",
}
TABLES = {path: RESOURCES[path].rows for path in (*SYNC_CODES, *WITHOUT_SYNC)}
HEADERS = {
    "salesorder/SalesOrders": ("SalesOrderLines", "salesorder/SalesOrderLines", "OrderID"),
    "crm/Quotations": ("QuotationLines", "crm/QuotationLines", "QuotationID"),
    "salesorder/GoodsDeliveries": ("GoodsDeliveryLines", "salesorder/GoodsDeliveryLines", "EntryID"),
    "manufacturing/ShopOrders": ("ShopOrderMaterialPlans", "manufacturing/ShopOrderMaterialPlans", "ShopOrder"),
    "inventory/AssemblyOrders": ("PartItems", "inventory/AssemblyOrders/PartItems", "AssemblyOrder"),
}


@pytest.fixture
def customer(control):
    return next(row for row in control.exact_rows(MAIN, "Accounts") if row["Status"] == "C")


@pytest.fixture
def item(control):
    return next(row for row in control.exact_rows(MAIN, "Items") if row["IsSalesItem"] and not row["IsTime"])


@pytest.fixture
def order(control, customer):
    """A new sales order without lines."""
    [order_id] = control.add_exact(MAIN, "SalesOrders", {"OrderedBy": customer["ID"]})
    return control.exact_row(MAIN, "SalesOrders", order_id)


def last(control):
    return control.world()["exact_online"]["divisions"][0]["last_timestamp"]


@pytest.mark.parametrize("path", SYNC_CODES)
def test_sync_shows_every_row_with_every_property(exact, control, path):
    rows = exact.rows(path, filter="Timestamp gt 1L")
    assert len(rows) == control.counts(MAIN, TABLES[path])["total"] > 0
    assert rows[0].keys() - {"__metadata"} == {
        name for name, one in RESOURCES[path].properties.items() if not one.is_collection
    }
    assert exact.rows(path, BELGIAN, filter="Timestamp gt 1L")
    assert exact.rows(path, EMPTY, filter="Timestamp gt 1L") == []


@pytest.mark.parametrize("path", SYNC_CODES)
def test_sync_filters_on_timestamp_only(exact, path):
    assert exact.get(path, filter="Modified gt datetime'2020-01-01'", select="Timestamp").status_code == 400


@pytest.mark.parametrize("path", [path for path, one in RESOURCES.items() if one.kind == "bulk"])
def test_bulk_gives_the_same_rows_as_single(exact, path):
    key = RESOURCES[path].key
    single = next(one.path for one in RESOURCES.values() if one.kind == "single" and one.rows == RESOURCES[path].rows)
    query = {"filter": FILTERS[path]} if path in FILTERS else {}
    if RESOURCES[path].filter_mandatory and not query:
        query = {"filter": "Modified gt datetime'2000-01-01'"}
    ids = [row[key] for row in exact.rows(path, select=key, **query)]
    assert ids == [row[key] for row in exact.rows(single, select=key, **query)] != []
    assert (exact.get(path, **query).status_code == 400) == RESOURCES[path].select_required


@pytest.mark.parametrize("path", ["salesorder/SalesOrders", "salesorder/SalesOrderLines"])
def test_orders_need_a_filter(exact, message, path):
    response = exact.get(path, select="OrderNumber")
    assert response.status_code == 400
    assert "must have a $filter" in message(response)
    assert exact.get(path, select="OrderNumber", filter=FILTERS[path]).status_code == 200


@pytest.mark.parametrize("path", [path for path in TABLES if "sync" not in path or path == "inventory/AssemblyOrders"])
def test_lists_without_sync_are_read_whole(exact, control, path):
    assert len(exact.rows(path, select=RESOURCES[path].key)) == control.counts(MAIN, TABLES[path])["total"] > 0
    assert all(one.kind == "single" for one in RESOURCES.values() if one.rows == TABLES[path] == one.path)


def test_warehouses_are_filtered_by_modified(exact, control):
    control.change_exact(MAIN, "Warehouses", "1", Description="Changed")
    [row] = exact.rows("inventory/Warehouses", orderby="Modified desc", top=1)
    changed = re.fullmatch(r"/Date\((\d+)\)/", row["Modified"])[1]
    assert (row["Code"], row["Main"]) == ("1", 1)
    assert changed
    later = exact.rows("inventory/Warehouses", filter="Modified gt datetime'2099-01-01T00:00:00'")
    assert later == []


def test_assembly_orders_have_no_change_stamp(exact):
    assert exact.get("inventory/AssemblyOrders", select="Modified").status_code == 400
    assert exact.get("sync/Inventory/AssemblyOrders", filter="Timestamp gt 1").status_code == 404
    assert exact.rows("inventory/AssemblyOrders", filter="OrderDate gt datetime'2020-01-01' and OrderStatus eq 20")


@pytest.mark.parametrize("header", HEADERS)
def test_expand_shows_the_lines_of_each_header(exact, control, header):
    name, table, leads_back = HEADERS[header]
    key = RESOURCES[header].key
    owners = [row[leads_back] for row in control.exact_rows(MAIN, table)]
    query = {"filter": FILTERS[header]} if header in FILTERS else {}
    rows = exact.rows(header, select=f"{key},{name}", expand=name, **query)
    assert {row[key]: len(row[name]["results"]) for row in rows} == {row[key]: owners.count(row[key]) for row in rows}
    line = next(row[name]["results"][0] for row in rows if row[name]["results"])
    assert line.keys() - {"__metadata"} == RESOURCES[RESOURCES[header].collections[name][0]].properties.keys()
    deferred = exact.rows(header, select=f"{key},{name}", **query)[0][name]
    assert deferred.keys() == {"__deferred"}
    found = exact.session.get(deferred["__deferred"]["uri"], timeout=30).json()["d"]["results"]
    assert len(found) == owners.count(rows[0][key])


def test_expanded_lines_end_at_sixty_with_an_address_for_the_rest(exact, control, order, item):
    control.add_exact(MAIN, "SalesOrderLines", *({"OrderID": order["OrderID"], "Item": item["ID"]} for _ in range(70)))
    address = f"salesorder/SalesOrders(guid'{order['OrderID']}')"
    lines = exact.get(address, expand="SalesOrderLines").json()["d"]["SalesOrderLines"]
    rest = exact.session.get(lines["__next"], timeout=30).json()["d"]
    assert (len(lines["results"]), len(rest["results"]), "__next" in rest) == (60, 10, False)
    assert {one["LineNumber"] for one in lines["results"] + rest["results"]} == set(range(1, 71))
    control.delete_exact(MAIN, "SalesOrders", order["OrderID"])


def test_new_order_gets_the_next_number_and_its_defaults(control, order, customer):
    numbers = [row["OrderNumber"] for row in control.exact_rows(MAIN, "SalesOrders")]
    assert numbers.count(order["OrderNumber"]) == 1
    assert order["OrderNumber"] == max(numbers)
    assert (order["Status"], order["DeliveryStatus"], order["ApprovalStatus"]) == (12, 12, 1)
    assert order["DeliverTo"] == order["InvoiceTo"] == customer["ID"]
    assert order["ID"] != order["OrderID"]


def test_amounts_of_an_order_follow_its_lines(exact, control, order, item):
    line = {"OrderID": order["OrderID"], "Item": item["ID"], "Quantity": 4, "UnitPrice": 10.0, "Discount": 0.25}
    first, second = control.add_exact(MAIN, "SalesOrderLines", line, line | {"Quantity": 1})
    control.change_exact(MAIN, "SalesOrderLines", second, Quantity=2)
    row = exact.get(f"salesorder/SalesOrders(guid'{order['OrderID']}')").json()["d"]
    assert (row["AmountFCExclVat"], row["AmountDC"]) == (45.0, 54.45)
    lines = exact.rows("salesorder/SalesOrderLines", filter=f"OrderID eq guid'{order['OrderID']}'")
    assert [(one["LineNumber"], one["NetPrice"]) for one in sorted(lines, key=lambda one: one["LineNumber"])] == [
        (1, 7.5), (2, 7.5),
    ]  # fmt: skip
    assert {one["ItemCode"] for one in lines} == {item["Code"]}
    assert {one["OrderNumber"] for one in lines} == {order["OrderNumber"]}
    assert first != second


def test_changed_line_leaves_its_header_alone(exact, control, order, item):
    [line] = control.add_exact(MAIN, "SalesOrderLines", {"OrderID": order["OrderID"], "Item": item["ID"]})
    before = last(control)
    control.change_exact(MAIN, "SalesOrderLines", line, Quantity=9)
    assert exact.rows("sync/SalesOrder/SalesOrderHeaders", filter=f"Timestamp gt {before}L") == []
    changed = exact.rows("sync/SalesOrder/SalesOrderLines", filter=f"Timestamp gt {before}L", select="ID,Quantity")
    assert [(one["ID"], one["Quantity"]) for one in changed] == [(line, 9)]


def test_deleted_order_is_reported_with_its_lines(exact, control, order, item):
    lines = control.add_exact(
        MAIN, "SalesOrderLines", *({"OrderID": order["OrderID"], "Item": item["ID"]} for _ in range(3))
    )
    before = last(control)
    control.delete_exact(MAIN, "SalesOrders", str(order["OrderNumber"]))
    deleted = exact.rows("sync/Deleted", filter=f"Timestamp gt {before}L", select="EntityType,EntityKey")
    assert sorted((one["EntityType"], one["EntityKey"]) for one in deleted) == sorted(
        [(32, order["ID"]), *((33, line) for line in lines)]
    )


@pytest.mark.parametrize("path", SYNC_CODES)
def test_deletions_are_reported_under_their_code(exact, control, path):
    before = last(control)
    rows = exact.rows(path, filter="Timestamp gt 1L")
    table = TABLES[path]
    key = RESOURCES[table].key if RESOURCES[table].kind == "single" else "ID"
    control.delete_exact(MAIN, table, rows[0][key])
    deleted = exact.rows("sync/Deleted", filter=f"Timestamp gt {before}L and EntityType eq {SYNC_CODES[path]}")
    assert rows[0].get("ID", rows[0][key]) in {one["EntityKey"] for one in deleted}


@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("SalesOrders", {"OrderedBy": "00000000-0000-4000-8000-000000000000"}),
        ("SalesOrderLines", {"OrderID": "00000000-0000-4000-8000-000000000000"}),
        ("SalesOrderLines", {}),
        ("ProjectPlanning", {"Employee": "00000000-0000-4000-8000-000000000000"}),
        ("Warehouses", {"Code": "1"}),
    ],
)
def test_references_that_lead_nowhere_and_taken_codes_are_refused(control, table, row):
    with pytest.raises(ControlError, match=r"Invalid|already exists"):
        control.add_exact(MAIN, table, row)


def test_new_rows_of_every_kind_can_be_made_by_hand(control, customer, item):
    [project] = control.add_exact(MAIN, "Projects", {"Code": "NEW", "Description": "n", "Account": customer["ID"]})
    [employee] = control.add_exact(MAIN, "Employees", {"FirstName": "A", "LastName": "B"})
    labour = next(row for row in control.exact_rows(MAIN, "Items") if row["IsTime"])
    plan = {"Project": project, "Employee": employee, "HourType": labour["ID"], "StartDate": "2030-01-01T08:00:00"}
    control.add_exact(MAIN, "ProjectPlanning", plan)
    [quotation] = control.add_exact(MAIN, "Quotations", {"OrderAccount": customer["ID"], "Status": 50})
    control.add_exact(MAIN, "QuotationLines", {"QuotationID": quotation, "Item": item["ID"], "UnitPrice": 3})
    [shop_order] = control.add_exact(MAIN, "ShopOrders", {"Item": item["ID"]})
    control.add_exact(MAIN, "ShopOrderMaterialPlans", {"ShopOrder": shop_order, "Item": item["ID"]})
    [assembly] = control.add_exact(MAIN, "AssemblyOrders", {"Item": item["ID"], "OrderDate": "2030-01-01"})
    control.add_exact(MAIN, "PartItems", {"AssemblyOrder": assembly, "PartItem": item["ID"], "Quantity": 2})
    [term] = control.add_exact(MAIN, "PaymentTerms", {"Account": customer["ID"], "InvoiceNumber": 5, "AmountDC": -7.5})
    assert control.exact_row(MAIN, "PaymentTerms", term)["TransactionAmountDC"] == -7.5
    assert control.exact_row(MAIN, "Employees", employee)["HID"] > 1
    assert control.exact_row(MAIN, "Projects", "NEW")["ID"] == project
    control.change_exact_rows(MAIN, "Quotations", [{"QuotationID": quotation, "Status": 5}])
    assert control.exact_row(MAIN, "Quotations", quotation)["Status"] == 5


def test_receivables_are_the_terms_of_customers(exact, control):
    terms = exact.rows("sync/Cashflow/PaymentTerms", filter="Timestamp gt 1L", select="ID,LineType,AmountDC,Status")
    owed = {one["ID"] for one in terms if one["LineType"] == 20}
    assert {one["LineType"] for one in terms} == {20, 22}
    assert {one["ID"] for one in exact.rows("cashflow/Receivables", select="ID")} == owed
    assert any(one["AmountDC"] < 0 for one in terms if one["LineType"] == 20)
    other = next(one["ID"] for one in terms if one["LineType"] == 22)
    assert exact.get(f"cashflow/Receivables(guid'{other}')").status_code == 404


def test_price_list_leads_from_the_account_to_the_discount(exact):
    [linked] = exact.rows("sales/SalesPriceListLinkedAccounts", top=1)
    [account] = exact.rows("crm/Accounts", filter=f"Code eq '{linked['Code']}'", select="Name,PriceList")
    assert (account["Name"], account["PriceList"]) == (linked["Name"], linked["PriceList"])
    periods = exact.rows("sales/SalesPriceListPeriods", filter=f"PriceList eq guid'{linked['PriceList']}'")
    assert {one["Type"] for one in periods} == {1, 2}
    assert any(one["EndDate"] for one in periods)
    discounts = exact.rows("sales/SalesPriceListVolumeDiscounts", filter=f"PriceListPeriod eq guid'{periods[0]['ID']}'")
    [price_list] = exact.rows("sales/SalesPriceLists", filter=f"ID eq guid'{linked['PriceList']}'")
    assert {one["PriceListCode"] for one in discounts} == {price_list["Code"]}
    assert all((one["ItemGroup"] if price_list["Entity"] == 2 else one["Item"]) for one in discounts)


def test_scope_of_a_document_can_be_taken_away(exact, control, message):
    scope = "Manufacturing shopfloor"
    control.change_scopes(remove=[scope])
    response = exact.get("sync/Manufacturing/ShopOrders", filter="Timestamp gt 1L")
    assert (response.status_code, message(response)) == (403, "Forbidden - Application Scope Violated")
    control.change_scopes(add=[scope])
    assert exact.get("sync/Manufacturing/ShopOrders", filter="Timestamp gt 1L").status_code == 200


def test_some_documents_are_read_only_for_the_app(exact):
    assert exact.call("POST", "crm/Quotations", json={"Description": "x"}).status_code == 405
    assert exact.call("POST", "inventory/Warehouses", json={"Code": "N1", "Description": "x"}).status_code == 201
    assert exact.get("inventory/AssemblyOrders/PartItems").status_code == 404


@pytest.mark.parametrize("path", SYNC_CODES)
def test_reading_can_start_from_a_date(exact, path):
    query = {"modified": "datetime'2026-01-01T00:00:00'", "endPoint": f"'{path.removeprefix('sync/')}'"}
    [start] = exact.call("GET", "read/sync/Sync/SyncTimestamp", params=query).json()["d"]["results"]
    rows = exact.rows(path, filter=f"Timestamp gt {start['TimeStampAsBigInt']}L", select="Modified")
    everything = exact.rows(path, filter="Timestamp gt 1L", select="Modified")
    since = [row for row in everything if int(row["Modified"][6:-2]) >= 1_767_225_600_000]
    assert start["API"] == path
    assert {row["Modified"] for row in since} <= {row["Modified"] for row in rows}


def test_employees_carry_private_data_that_a_caller_can_leave_out(exact):
    whole = exact.rows("sync/Payroll/Employees", filter="Timestamp gt 1L")
    assert all(row["BirthDate"] and row["SocialSecurityNumber"] and row["PrivateEmail"] for row in whole[:5])
    some = exact.rows("sync/Payroll/Employees", filter="Timestamp gt 1L", select="Code,FullName,IsActive")
    assert some[0].keys() == {"__metadata", "Code", "FullName", "IsActive"}
    assert {row["IsActive"] for row in some} == {True, False}


def test_move_gives_documents_new_timestamps(exact, control):
    before = {
        row["ID"]: row["Timestamp"] for row in exact.rows("sync/Project/Projects", BELGIAN, filter="Timestamp gt 1")
    }
    control.move_division(BELGIAN, 50)
    after = {
        row["ID"]: row["Timestamp"] for row in exact.rows("sync/Project/Projects", BELGIAN, filter="Timestamp gt 1")
    }
    assert before.keys() == after.keys()
    assert all(before[one] != after[one] for one in before)
