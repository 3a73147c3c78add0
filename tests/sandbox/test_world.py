"""The made-up companies: their oddities are there, in the numbers the world tells."""

import pytest

from sandbox import process
from sandbox.describing import KINDS
from sandbox.exact_online.documents import LINES, REFERENCES
from sandbox.exact_online.row_types import key_field
from tests.sandbox.clients import (
    ARCHIVED,
    BELGIAN,
    EMPTY,
    FRENCH,
    GERMAN,
    ITEMS,
    MAIN,
    RELATIONS,
    SPANISH,
    ExactClient,
)


@pytest.fixture(scope="module")
def untouched():
    """A sandbox that no test changes."""
    with process.start(relations=RELATIONS, items=ITEMS) as running:
        yield running


@pytest.fixture(scope="module")
def world(untouched):
    return untouched.control.world()


@pytest.fixture
def control(untouched):
    return untouched.control


@pytest.fixture
def exact(untouched):
    client = ExactClient(untouched, untouched.control.give_tokens())
    yield client
    client.session.close()


def counts(world, division, table):
    return next(one for one in world["exact_online"]["divisions"] if one["code"] == division)["counts"][table]


@pytest.mark.parametrize("division", [MAIN, BELGIAN, GERMAN, FRENCH, SPANISH])
def test_every_company_has_every_oddity(world, division):
    for table in KINDS:
        assert all(counts(world, division, table).values()), (table, counts(world, division, table))


def test_main_company_has_the_figures_asked_for(world):
    assert counts(world, MAIN, "crm/Accounts")["total"] == RELATIONS
    assert counts(world, MAIN, "logistics/Items")["total"] == ITEMS


def test_counts_agree_with_the_api(exact, control, world):
    customers = exact.rows(
        "crm/Accounts", filter="Status eq 'C'", select="ID,Blocked,AddressLine1,Postcode,City,EndDate"
    )
    assert len(customers) == control.counts(MAIN, "crm/Accounts")["customers"]
    items = exact.rows("logistics/Items", filter="IsTime eq 0 or IsTime eq 1", select="StandardSalesPrice")
    unpriced = sum(item["StandardSalesPrice"] is None for item in items)
    assert unpriced == control.counts(MAIN, "logistics/Items")["without_standard_price"]
    assert unpriced > control.counts(MAIN, "logistics/Items")["without_price"] > 0
    labour = exact.rows("logistics/Items", filter="IsTime eq 1", select="UnitType,ItemGroupDescription,IsSalesItem")
    assert len(labour) == control.counts(MAIN, "logistics/Items")["labour"]
    assert {row["UnitType"] for row in labour} == {"T"}


def test_item_codes_are_awkward(exact):
    codes = {row["Code"] for row in exact.rows("sync/Logistics/Items", filter="Timestamp gt 1", select="Code")}
    for awkward in ("'", "&", "É", "/", " ", "%"):
        assert any(awkward in code for code in codes), awkward
    assert any(code.startswith("0") for code in codes)
    assert len(codes) == ITEMS


def test_names_have_accents_quotes_and_ampersands(exact):
    names = [row["Name"] for division in (MAIN, BELGIAN, GERMAN, FRENCH, SPANISH)
             for row in exact.rows("sync/CRM/Accounts", division, filter="Timestamp gt 1", select="Name")]  # fmt: skip
    for awkward in ("'", "&", "é", "ü"):
        assert any(awkward in name for name in names), awkward


def test_an_account_can_have_several_delivery_addresses_and_remarks_of_several_lines(exact):
    addresses = exact.rows("crm/Addresses", filter="Type eq 4", select="Account,Main")
    owners = [row["Account"] for row in addresses]
    assert max(owners.count(owner) for owner in owners) > 1
    assert sum(row["Main"] for row in addresses) == len(set(owners))
    remarks = [row["Remarks"] for row in exact.rows("sync/CRM/Accounts", filter="Timestamp gt 1", select="Remarks")]
    assert any(text and "\r\n" in text for text in remarks)


def test_postcodes_fit_the_country(control):
    for division, length in ((BELGIAN, 4), (GERMAN, 5), (FRENCH, 5), (SPANISH, 5)):
        home = {BELGIAN: "BE", GERMAN: "DE", FRENCH: "FR", SPANISH: "ES"}[division]
        rows = [row for row in control.exact_rows(division, "Accounts") if row.get("Country") == f"{home} "]
        assert {len(row["Postcode"]) for row in rows if "Postcode" in row} == {length}


def pointed_at(control, division, table, field):
    found = {row[field] for row in control.exact_rows(division, table) if field in row}
    assert found
    return found


def test_nothing_leads_nowhere(control):
    for division in (MAIN, BELGIAN):
        accounts = {row["ID"] for row in control.exact_rows(division, "Accounts")}
        contacts = {row["ID"] for row in control.exact_rows(division, "Contacts")}
        items = {row["ID"] for row in control.exact_rows(division, "Items")}
        groups = {row["ID"] for row in control.exact_rows(division, "ItemGroups")}
        assert pointed_at(control, division, "Contacts", "Account") <= accounts
        assert pointed_at(control, division, "Addresses", "Account") <= accounts
        assert pointed_at(control, division, "Accounts", "InvoiceAccount") <= accounts
        assert pointed_at(control, division, "Accounts", "MainContact") <= contacts
        assert pointed_at(control, division, "SalesItemPrices", "Item") <= items
        assert pointed_at(control, division, "Items", "ItemGroup") <= groups


@pytest.mark.parametrize("division", [MAIN, BELGIAN, ARCHIVED])
def test_no_document_leads_nowhere(control, division):
    keys = {}
    for table in {target for fields in REFERENCES.values() for target in fields.values()} | {
        header for _, header in LINES.values()
    }:
        keys[table] = {row[key_field(table)] for row in control.exact_rows(division, table)}
    for table, fields in REFERENCES.items():
        header = {LINES[table][0]: LINES[table][1]} if table in LINES else {}
        for row in control.exact_rows(division, table):
            for field, target in (fields | header).items():
                assert row.get(field) is None or row[field] in keys[target], (table, field)
            assert all(row.get(field) for field in header), table


def test_documents_grow_with_the_company(world):
    orders = {code: counts(world, code, "salesorder/SalesOrders")["total"] for code in (MAIN, BELGIAN)}
    assert orders == {MAIN: RELATIONS * 4 // 10, BELGIAN: 16}
    for table in ("payroll/Employees", "project/Projects", "manufacturing/ShopOrders", "inventory/AssemblyOrders"):
        assert 10 <= counts(world, BELGIAN, table)["total"] <= 20, table
        assert counts(world, EMPTY, table)["total"] == 0


def test_order_lines_are_one_to_six_and_fit_their_order(control):
    orders = {row["OrderID"]: row for row in control.exact_rows(MAIN, "SalesOrders")}
    lines = {}
    for line in control.exact_rows(MAIN, "SalesOrderLines"):
        lines.setdefault(line["OrderID"], []).append(line)
    assert lines.keys() == orders.keys()
    assert {len(of_order) for of_order in lines.values()} == {1, 2, 3, 4, 5, 6}
    for order_id, of_order in lines.items():
        assert {line["Status"] for line in of_order} == {orders[order_id]["Status"]}


def test_some_orders_were_quotations(control):
    quoted = {
        row["YourRef"]: row["OrderAccount"] for row in control.exact_rows(MAIN, "Quotations") if row["Status"] == 50
    }
    ordered = {row.get("YourRef"): row["OrderedBy"] for row in control.exact_rows(MAIN, "SalesOrders")}
    both = quoted.keys() & ordered.keys()
    assert both
    assert all(quoted[reference] == ordered[reference] for reference in both)


def test_outsmart_accounts_start_half_filled_and_empty(world):
    north, south = (one["counts"] for one in world["outsmart"]["accounts"])
    assert north["relations"] > 5
    assert north["materials"] > 5
    assert north["workstatusses"] == 3
    assert not any(south.values())


def test_outsmart_knows_some_customers_alike_some_outdated_and_some_of_its_own(control):
    exact = {row["Code"].strip(): row for row in control.exact_rows(MAIN, "Accounts")}
    records = {row["debtor_number"]: row for row in control.outsmart_records("north", "relations")}
    shared = records.keys() & exact.keys()
    assert any(records[code]["name"] == exact[code]["Name"] for code in shared)
    assert any(records[code]["name"] != exact[code]["Name"] for code in shared)
    assert records.keys() - exact.keys() >= {"HAND-1", "0000001", "1 "}
    assert records["HAND-1"].get("street") is None


def test_same_seed_same_rows_other_seed_other_rows():
    def names(seed):
        with process.start(relations=8, items=8, seed=seed) as one:
            return [row["Name"] for row in one.control.exact_rows(MAIN, "Accounts")]

    assert names(1) == names(1) != names(2)
