"""POST, PUT and DELETE at Exact Online."""

import pytest

from tests.sandbox.clients import BELGIAN, MAIN


@pytest.fixture
def account(exact):
    response = exact.call("POST", "crm/Accounts", BELGIAN, json={"Name": "Made by a test", "Country": "BE"})
    assert response.status_code == 201
    key = response.json()["d"]["ID"]
    yield key
    exact.call("DELETE", f"crm/Accounts(guid'{key}')", BELGIAN)


def read(exact, key, path="crm/Accounts"):
    return exact.get(f"{path}(guid'{key}')", BELGIAN).json()["d"]


def test_post_answers_little_more_than_the_id(exact, account):
    response = exact.call("POST", "crm/Accounts", BELGIAN, json={"Name": "Second"})
    row = response.json()["d"]
    assert row["Name"] is None
    assert row["__metadata"]["uri"].endswith(f"crm/Accounts(guid'{row['ID']}')")
    assert read(exact, row["ID"])["Name"] == "Second"


def test_prefer_asks_for_the_whole_row(exact):
    headers = {"Prefer": "return=representation"}
    response = exact.call("POST", "crm/Accounts", BELGIAN, json={"Name": "Whole"}, headers=headers)
    row = response.json()["d"]
    assert (row["Name"], row["Status"], row["Type"], row["IsSales"]) == ("Whole", "A", "A", False)


def test_new_account_gets_the_highest_code_plus_one_and_starts_today(exact, control, account):
    row = read(exact, account)
    others = [int(one["Code"]) for one in control.exact_rows(BELGIAN, "Accounts") if one["ID"] != account]
    assert int(row["Code"]) == max(others) + 1
    assert len(row["Code"]) == 18
    assert row["StartDate"].startswith("/Date(")
    assert row["Country"] == "BE "


def test_read_only_properties_in_a_post_are_ignored(exact):
    headers = {"Prefer": "return=representation"}
    body = {"Name": "Seller", "Status": "C", "IsSales": False, "IsPurchase": False}
    row = exact.call("POST", "crm/Accounts", BELGIAN, json=body, headers=headers).json()["d"]
    assert row["IsSales"] is True


def test_put_changes_only_what_is_sent(exact, account):
    response = exact.call("PUT", f"crm/Accounts(guid'{account}')", BELGIAN, json={"City": "Gent"})
    assert (response.status_code, response.text) == (204, "")
    row = read(exact, account)
    assert (row["City"], row["Name"]) == ("Gent", "Made by a test")


def test_put_of_a_whole_row_is_refused(exact, account):
    row = {name: value for name, value in read(exact, account).items() if not isinstance(value, dict)}
    assert exact.call("PUT", f"crm/Accounts(guid'{account}')", BELGIAN, json=row).status_code == 400


def test_delete_answers_204_and_the_row_is_gone(exact):
    key = exact.call("POST", "crm/Accounts", BELGIAN, json={"Name": "Gone"}).json()["d"]["ID"]
    assert exact.call("DELETE", f"crm/Accounts(guid'{key}')", BELGIAN).status_code == 204
    assert exact.get(f"crm/Accounts(guid'{key}')", BELGIAN).status_code == 404
    assert key in {row["EntityKey"] for row in exact.rows("sync/Deleted", BELGIAN)}


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        ({"Naam": "x"}, 400, "Error processing request stream. The property name 'Naam'"),
        ({"Name": 5}, 400, "Error encountered in converting the value from request payload for property 'Name'"),
        ({"Name": "x", "Blocked": "true"}, 400, "Error encountered in converting"),
        ({"Name": "x", "Classification1": ""}, 400, "Error encountered in converting"),
        ({"Name": "x", "DiscountSales": "0,05"}, 400, "Error encountered in converting"),
        ({"Name": "x", "StartDate": "tomorrow"}, 400, "Error encountered in converting"),
        ({}, 500, "Mandatory: Name"),
        ({"Name": ""}, 500, "Mandatory: Name"),
        ({"Name": "x", "Status": "X"}, 500, "Invalid: Status"),
        ({"Name": "x", "Code": "1"}, 500, "Data already exists"),
        ({"Name": "x", "Code": "ABC"}, 500, "Invalid: Code"),
    ],
)
def test_bad_bodies_are_refused_with_the_vendors_words(exact, message, body, status, text):
    if body.get("Code") == "1":
        body = body | {
            "Code": exact.rows("crm/Accounts", filter="Status eq 'C'", select="Code", top=1)[0]["Code"].strip()
        }
    response = exact.call("POST", "crm/Accounts", json=body)
    assert response.status_code == status
    assert message(response).startswith(text)


def test_bodies_must_be_json_objects(exact):
    assert exact.call("POST", "crm/Accounts", data="Name=x").status_code == 415
    headers = {"Content-Type": "application/json"}
    for raw in ("", "{", "[]", "1"):
        assert exact.call("POST", "crm/Accounts", data=raw, headers=headers).status_code == 400


def test_duplicate_item_code_is_refused_also_on_change(exact, control, message):
    first, second = control.exact_rows(MAIN, "Items")[:2]
    response = exact.call("PUT", f"logistics/Items(guid'{first['ID']}')", json={"Code": second["Code"]})
    assert (response.status_code, message(response)) == (500, "Data already exists")
    assert exact.call("PUT", f"logistics/Items(guid'{first['ID']}')", json={"Code": first["Code"]}).status_code == 204


def test_an_id_can_be_chosen_but_not_twice(exact, message):
    body = {"ID": "12345678-1234-4234-8234-123456789abc", "Name": "Chosen"}
    assert exact.call("POST", "crm/Accounts", BELGIAN, json=body).json()["d"]["ID"] == body["ID"]
    again = exact.call("POST", "crm/Accounts", BELGIAN, json=body)
    assert (again.status_code, message(again)) == (500, "Data already exists")


def test_identical_address_gives_the_existing_id(exact, account):
    body = {"Account": account, "Type": 4, "AddressLine1": "Kade 1", "City": "Gent"}
    first = exact.call("POST", "crm/Addresses", BELGIAN, json=body).json()["d"]["ID"]
    assert exact.call("POST", "crm/Addresses", BELGIAN, json=body).json()["d"]["ID"] == first
    other = exact.call("POST", "crm/Addresses", BELGIAN, json=body | {"City": "Brugge"}).json()["d"]["ID"]
    assert other != first


def test_contact_needs_an_existing_account_and_one_name(exact, message, account):
    nobody = "00000000-0000-4000-8000-000000000000"
    assert (
        message(exact.call("POST", "crm/Contacts", BELGIAN, json={"Account": nobody, "LastName": "x"}))
        == "Invalid: Account"
    )
    assert message(exact.call("POST", "crm/Contacts", BELGIAN, json={"Account": account})).startswith("Mandatory:")
    assert exact.call("POST", "crm/Contacts", BELGIAN, json={"Account": account, "LastName": "x"}).status_code == 201


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "sync/CRM/Accounts"),
        ("POST", "logistics/Units"),
        ("PUT", "crm/Accounts"),
        ("DELETE", "crm/Accounts"),
        ("POST", "system/Divisions"),
    ],
)
def test_methods_a_resource_does_not_take_are_405(exact, method, path):
    assert exact.call(method, path, json={}).status_code == 405
