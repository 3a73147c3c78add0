"""Exact Online's dialect: answers, paging, query options, refusals."""

from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from tests.sandbox.clients import BELGIAN, EMPTY, GERMAN, ITEMS, MAIN, RELATIONS

SYNTAX = "Bad Request - Error in query syntax."
CUSTOMERS = "Status eq 'C'"


def test_rows_come_under_d_results_with_metadata(exact):
    row = exact.get("crm/Accounts", filter=CUSTOMERS, select="ID,Name").json()["d"]["results"][0]
    assert row.keys() == {"__metadata", "ID", "Name"}
    assert row["__metadata"]["uri"] == exact.url(f"crm/Accounts(guid'{row['ID']}')")
    assert row["__metadata"]["type"].startswith("Exact.Web.Api.Models.")


@pytest.mark.parametrize("top", [1, 50, 60])
def test_top_up_to_the_page_size_gives_a_bare_list(exact, top):
    assert len(exact.get("crm/Accounts", filter=CUSTOMERS, top=top).json()["d"]) == top


def test_top_above_the_page_size_pages_and_stops_there(exact):
    first = exact.get("crm/Accounts", filter=CUSTOMERS, top=70, select="ID").json()["d"]
    assert len(first["results"]) == 60
    assert "%24top=10" in first["__next"] or "$top=10" in first["__next"]
    assert len(exact.rows("crm/Accounts", filter=CUSTOMERS, top=70, select="ID")) == 70


def test_single_endpoints_page_by_60_in_key_order(exact, control):
    first = exact.get("logistics/Items", filter="IsTime eq 0", select="ID").json()["d"]
    assert len(first["results"]) == 60
    assert f"$skiptoken=guid'{first['results'][-1]['ID']}'" in first["__next"]
    rows = exact.rows("logistics/Items", filter="IsTime eq 0", select="ID")
    ids = [row["ID"] for row in rows]
    assert ids == sorted(set(ids))
    counts = control.counts(MAIN, "logistics/Items")
    assert len(ids) == counts["total"] - counts["labour"]


def test_a_page_of_exactly_60_has_no_next(exact, control):
    division = GERMAN
    assert control.counts(division, "logistics/Items")["total"] == 60
    content = exact.get("logistics/Items", division, filter="IsTime eq 0 or IsTime eq 1", select="ID").json()["d"]
    assert len(content["results"]) == 60
    assert "__next" not in content


def test_next_uses_the_host_the_caller_knows(exact):
    headers = {"Host": "start.exactonline.example:8443"}
    content = exact.get("crm/Accounts", filter=CUSTOMERS, headers=headers).json()["d"]
    assert content["__next"].startswith(f"http://start.exactonline.example:8443/api/v1/{MAIN}/crm/Accounts?")
    assert content["results"][0]["__metadata"]["uri"].startswith("http://start.exactonline.example:8443/")


def test_skiptoken_of_sync_is_a_timestamp(exact):
    url = exact.url("sync/Logistics/Items") + "?$filter=Timestamp gt 1L&$top=1"
    last = exact.session.get(url, timeout=30).json()["d"][0]["Timestamp"]
    rest = exact.get("sync/Logistics/Items", skiptoken=f"{last}L", select="Timestamp").json()["d"]["results"]
    assert len(rest) == ITEMS - 1
    assert rest[0]["Timestamp"] > last


def test_skip_leaves_rows_out_once(exact):
    everything = exact.rows("crm/Contacts", select="ID")
    assert exact.rows("crm/Contacts", select="ID", skip=5) == everything[5:]


def test_inlinecount_counts_all_rows_as_text(exact, control):
    content = exact.get("crm/Accounts", filter=CUSTOMERS, top=0, inlinecount="allpages").json()["d"]
    assert content == {"results": [], "__count": str(control.counts(MAIN, "crm/Accounts")["customers"])}


@pytest.mark.parametrize(("direction", "reverse"), [("", False), (" asc", False), (" desc", True)])
def test_orderby_sorts_across_pages(exact, milliseconds, direction, reverse):
    rows = exact.rows("crm/Accounts", filter=CUSTOMERS, select="ID,Modified", orderby=f"Modified{direction}")
    moments = [milliseconds(row["Modified"]) for row in rows]
    assert moments == sorted(moments, reverse=reverse)
    assert len({row["ID"] for row in rows}) == len(rows) > 60


def test_orderby_on_a_property_with_nulls_loses_no_row(exact):
    rows = exact.rows("crm/Accounts", filter=CUSTOMERS, select="ID,EndDate", orderby="EndDate desc,Name")
    assert {row["ID"] for row in rows} == {
        row["ID"] for row in exact.rows("crm/Accounts", filter=CUSTOMERS, select="ID")
    }
    assert rows[-1]["EndDate"] is None


def test_one_row_by_key(exact):
    row = exact.get("logistics/Units", top=1).json()["d"][0]
    found = exact.get(f"logistics/Units(guid'{row['ID']}')").json()["d"]
    assert found == row


@pytest.mark.parametrize("key", ["guid'00000000-0000-4000-8000-000000000000'"])
def test_unknown_key_is_404(exact, key):
    assert exact.get(f"crm/Accounts({key})").status_code == 404


@pytest.mark.parametrize("key", ["123", "'x'", "guid'x'"])
def test_unreadable_key_is_400(exact, key):
    assert exact.get(f"crm/Accounts({key})").status_code == 400


def test_whole_row_shows_collections_as_links(exact):
    row = exact.get("crm/Accounts", filter=CUSTOMERS, top=1).json()["d"][0]
    uri = row["__metadata"]["uri"]
    assert row["BankAccounts"] == {"__deferred": {"uri": f"{uri}/BankAccounts"}}
    assert exact.session.get(f"{uri}/BankAccounts", timeout=30).json() == {"d": {"results": []}}


def test_expand_shows_the_collection_itself(exact):
    row = exact.get("crm/Accounts", filter=CUSTOMERS, top=1, expand="BankAccounts", select="ID,BankAccounts").json()[
        "d"
    ][0]
    assert row["BankAccounts"] == {"results": []}


@pytest.mark.parametrize(
    "query",
    [
        {"select": "ID,Naam"},
        {"select": ""},
        {"expand": "Name"},
        {"orderby": "Nothing"},
        {"orderby": "Name sideways"},
        {"top": "-1"},
        {"top": "many"},
        {"skip": "x"},
        {"inlinecount": "yes"},
        {"skiptoken": "5L"},
        {"skiptoken": "guid'x'"},
        {"format": "json"},
    ],
)
def test_unreadable_option_is_refused(exact, message, query):
    response = exact.get("crm/Accounts", **({"filter": CUSTOMERS} | query))
    assert (response.status_code, message(response)) == (400, SYNTAX)


def test_unknown_or_repeated_option_is_refused(exact):
    for query in ("?$filter=Status eq 'C'&page=2", "?$filter=Status eq 'C'&$top=1&$top=2"):
        assert exact.session.get(exact.url("crm/Accounts") + query, timeout=30).status_code == 400


@pytest.mark.parametrize("path", ["crm/Accounts", "bulk/CRM/Accounts", "logistics/Items", "bulk/Logistics/Items"])
def test_mandatory_filter_names_the_fields(exact, message, path):
    response = exact.get(path, select="ID")
    assert response.status_code == 400
    assert message(response).startswith("A GET request for this endpoint must have a $filter parameter")
    assert "Modified" in message(response)


@pytest.mark.parametrize("path", ["bulk/CRM/Contacts", "bulk/CRM/Addresses", "bulk/Logistics/SalesItemPrices"])
def test_bulk_needs_select_or_top_1(exact, message, path):
    response = exact.get(path)
    assert (response.status_code, message(response)) == (
        400,
        "Please add a $select or a $top=1 statement to the query string.",
    )
    assert exact.get(path, top=1).status_code == 200
    assert exact.get(path, select="ID").status_code == 200


def test_bulk_hands_out_1000_rows_a_page(control, exact):
    [owner] = exact.rows("crm/Accounts", BELGIAN, filter=CUSTOMERS, select="ID", top=1)
    new = ({"Account": owner["ID"], "LastName": f"Number {number}"} for number in range(1001))
    ids = control.add_exact(BELGIAN, "Contacts", *new)
    try:
        first = exact.get("bulk/CRM/Contacts", BELGIAN, select="ID").json()["d"]
        assert len(first["results"]) == 1000
        everything = exact.rows("bulk/CRM/Contacts", BELGIAN, select="ID")
        assert len(everything) == control.counts(BELGIAN, "crm/Contacts")["total"]
    finally:
        control.delete_exact(BELGIAN, "Contacts", *ids)


def test_long_addresses_are_refused(exact):
    assert exact.get("crm/Contacts", select=",".join(["LastName"] * 700)).status_code == 414
    assert exact.get("crm/Contacts", select=",".join(["LastName"] * 500)).status_code == 200


def test_without_accepting_json_atom_comes(exact):
    response = exact.get("logistics/Units", headers={"Accept": "*/*"})
    assert response.headers["Content-Type"].startswith("application/atom+xml")
    assert "<d:Code>uur</d:Code>" in response.text
    refused = exact.get("logistics/Nothing", headers={"Accept": "application/xml"})
    assert refused.status_code == 404
    assert refused.headers["Content-Type"].startswith("application/xml")


def test_unknown_path_is_404(exact, message):
    assert exact.get("crm/Nothing").status_code == 404
    assert exact.get("crm/accounts", filter=CUSTOMERS).status_code == 404
    assert message(exact.get("crm/Nothing")) == "Resource not found"


def test_without_a_valid_token_401(exact, message):
    for authorization in ("", "Bearer nonsense", "Basic x"):
        response = exact.get("crm/Accounts", headers={"Authorization": authorization})
        assert (response.status_code, message(response)) == (401, "Unauthorized")


def test_dates_carry_dutch_time_as_if_it_were_utc(exact, control, milliseconds, vendor_now):
    [key] = control.touch_exact(EMPTY, "Accounts", 1) or control.add_exact(EMPTY, "Accounts", {"Name": "New"})
    modified = milliseconds(exact.get(f"crm/Accounts(guid'{key}')", EMPTY).json()["d"]["Modified"])
    dutch = vendor_now().astimezone(ZoneInfo("Europe/Amsterdam")).replace(tzinfo=UTC)
    assert abs(dutch.timestamp() - modified / 1000) < 5
    control.delete_exact(EMPTY, "Accounts", key)


def test_plain_dates_are_midnight(exact, milliseconds):
    rows = exact.rows("crm/Accounts", filter=CUSTOMERS, select="StartDate,EndDate")
    days = [milliseconds(value) for row in rows for value in (row["StartDate"], row["EndDate"]) if value]
    assert all(day % 86_400_000 == 0 for day in days)


def test_account_codes_are_padded_left_and_countries_right(exact):
    rows = exact.rows("crm/Accounts", filter=CUSTOMERS, select="Code,Country")
    assert all(len(row["Code"]) == 18 and row["Code"].strip() == str(int(row["Code"])) for row in rows)
    assert {row["Country"] for row in rows} <= {"NL ", "BE ", "DE "}


def test_flags_are_bytes_or_booleans_by_their_type(exact):
    item = exact.get("sync/Logistics/Items", top=1, select="IsTime,IsSalesItem,Timestamp").json()["d"][0]
    assert type(item["IsTime"]) is int
    assert type(item["IsSalesItem"]) is bool
    assert type(item["Timestamp"]) is int


def test_long_numbers_can_be_switched_to_text(exact, control):
    control.switch(int64_as_string=True)
    item = exact.get("sync/Logistics/Items", top=1, select="IsTime,Timestamp").json()["d"][0]
    assert type(item["IsTime"]) is int
    assert item["Timestamp"].isdigit()


def test_standard_price_is_todays_price_for_anybody_and_absent_from_sync(exact, vendor_now):
    prices = {}
    today = vendor_now().astimezone(ZoneInfo("Europe/Amsterdam")).date().isoformat()
    condition = f"Currency eq 'EUR' and Quantity le 1 and StartDate le datetime'{today}T00:00:00'"
    for row in exact.rows("logistics/SalesItemPrices", filter=condition):
        if row["Account"] is None and row["EndDate"] is None:
            prices.setdefault(row["Item"], row["Price"])
    items = exact.rows("logistics/Items", filter="IsTime eq 0 or IsTime eq 1", select="ID,StandardSalesPrice")
    assert len(items) == ITEMS
    assert all(item["StandardSalesPrice"] == prices.get(item["ID"]) for item in items)
    assert any(item["StandardSalesPrice"] is None for item in items)
    assert exact.get("sync/Logistics/Items", select="StandardSalesPrice").status_code == 400
    assert exact.get("bulk/Logistics/Items", filter="IsTime eq 1", select="StandardSalesPrice").status_code == 200


def test_names_of_other_rows_follow_them(exact, control):
    contact = exact.rows("crm/Contacts", BELGIAN, select="ID,Account,AccountName,FullName")[0]
    control.change_exact(BELGIAN, "Accounts", contact["Account"], Name="Renamed & Co")
    again = exact.get(f"crm/Contacts(guid'{contact['ID']}')", BELGIAN).json()["d"]
    assert again["AccountName"] == "Renamed & Co"
    assert again["FullName"] == contact["FullName"]


def test_all_relations_of_the_world_are_there(exact):
    assert len(exact.rows("sync/CRM/Accounts", filter="Timestamp gt 1", select="ID")) == RELATIONS
