"""The made-up companies: their oddities are there, in the numbers the world tells."""

import pytest

from sandbox import process
from tests.sandbox.clients import BELGIAN, FRENCH, GERMAN, ITEMS, MAIN, RELATIONS, SPANISH, ExactClient


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
    assert all(counts(world, division, "crm/Accounts").values())
    assert all(counts(world, division, "crm/Contacts").values())
    assert all(counts(world, division, "crm/Addresses").values())
    assert all(counts(world, division, "logistics/Items").values())
    assert all(counts(world, division, "logistics/SalesItemPrices").values())


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
