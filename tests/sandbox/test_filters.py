"""`$filter`: what is understood, what it finds, what is refused."""

import pytest

from tests.sandbox.clients import MAIN

SYNTAX = "Bad Request - Error in query syntax."


@pytest.fixture
def accounts(control):
    return control.exact_rows(MAIN, "crm/Accounts")


def found(exact, condition, path="crm/Accounts"):
    return {row["ID"] for row in exact.rows(path, filter=condition, select="ID")}


def those(rows, test):
    return {row["ID"] for row in rows if test(row)}


def test_code_is_compared_with_its_padding(exact, accounts):
    code = accounts[0]["Code"]
    assert found(exact, f"Code eq '{code}'") == {accounts[0]["ID"]}
    assert found(exact, f"Code eq '{code.strip()}'") == set()
    assert found(exact, f"trim(Code) eq '{code.strip()}'") == {accounts[0]["ID"]}


def test_blanks_behind_a_text_do_not_count(exact, accounts):
    belgian = those(accounts, lambda row: row["Country"] == "BE ")
    assert belgian
    assert found(exact, "Country eq 'BE'") == found(exact, "Country eq 'BE '") == belgian


def test_quotes_are_doubled(exact, control):
    [key] = control.add_exact(MAIN, "Accounts", {"Name": "'t O'Hara & Zonen"})
    try:
        assert found(exact, "Name eq '''t O''Hara & Zonen'") == {key}
        assert found(exact, "substringof('O''Hara',Name)") == {key}
    finally:
        control.delete_exact(MAIN, "Accounts", key)


@pytest.mark.parametrize(
    ("condition", "test"),
    [
        ("Status eq 'C'", lambda row: row["Status"] == "C"),
        ("Status ne 'C'", lambda row: row["Status"] != "C"),
        ("Blocked eq true", lambda row: row["Blocked"]),
        ("Blocked eq false and Status eq 'P'", lambda row: not row["Blocked"] and row["Status"] == "P"),
        ("Status eq 'P' or Status eq 'S'", lambda row: row["Status"] in {"P", "S"}),
        (
            "Status eq 'P' or Status eq 'C' and Blocked eq true",
            lambda row: row["Status"] == "P" or (row["Status"] == "C" and row["Blocked"]),
        ),
        (
            "(Status eq 'P' or Status eq 'C') and Blocked eq true",
            lambda row: row["Status"] in {"P", "C"} and row["Blocked"],
        ),
        ("EndDate ge datetime'2000-01-01T00:00:00'", lambda row: "EndDate" in row),
        ("EndDate lt datetime'2000-01-01'", lambda _: False),
        ("IsSales eq true", lambda row: row["Status"] == "C"),
        ("substringof('B.V.',Name)", lambda row: "B.V." in row["Name"]),
        ("substringof('B.V.',Name) eq false", lambda row: "B.V." not in row["Name"]),
        ("Name gt 'M'", lambda row: row["Name"] > "M"),
        ("City ne 'Nowhere'", lambda _: True),
    ],
)
def test_condition_finds_what_it_says(exact, accounts, condition, test):
    assert found(exact, condition) == those(accounts, test)


def test_guid_and_date_literals(exact, accounts):
    row = accounts[3]
    assert found(exact, f"ID eq guid'{row['ID'].upper()}'") == {row["ID"]}
    later = found(exact, f"Modified gt datetime'{row['Modified']}'")
    assert later == those(accounts, lambda one: one["Modified"] > row["Modified"])
    assert row["ID"] in found(exact, f"Modified ge datetime'{row['Modified']}'")


def test_number_literals(exact, control):
    steps = those(control.exact_rows(MAIN, "logistics/SalesItemPrices"), lambda row: row["Quantity"] > 1)
    assert steps
    for literal in ("1", "1d", "1.0", "1.5", "1e0"):
        assert found(exact, f"Quantity gt {literal}", "logistics/SalesItemPrices") == steps
    labour = those(control.exact_rows(MAIN, "logistics/Items"), lambda row: row["IsTime"] == 1)
    assert found(exact, "IsTime eq 1", "logistics/Items") == labour


@pytest.mark.parametrize(
    "condition",
    [
        "Nonsense eq 'x'",
        "Remarks eq 'x'",  # not among the filter fields of the vendor's page
        "BankAccounts eq 'x'",
        "Status eq C",
        "Status eq 'C",
        "Status = 'C'",
        "Status eq 'C' and",
        "and Status eq 'C'",
        "(Status eq 'C'",
        "Status eq 'C')",
        "Status eq 'C' Blocked eq true",
        "Status",
        "",
        "Blocked eq 'true'",
        "Blocked eq 1",
        "Blocked gt true",
        "ID eq '00000000-0000-4000-8000-000000000000'",
        "ID eq guid'123'",
        "Modified gt '2026-01-01'",
        "Modified gt datetime'yesterday'",
        "Modified gt datetime'2026-01-01T00:00:00Z'",
        "Modified gt 5L",
        "Status eq 5",
        "Status eq null",
        "trim(Blocked) eq 'x'",
        "startswith(Name,'A')",
        "tolower(Name) eq 'a'",
        "not Blocked eq true",
        "Name in ('a','b')",
        "substringof(Name,'A')",
    ],
)
def test_what_is_not_understood_is_a_query_error(exact, message, condition):
    response = exact.get("crm/Accounts", filter=condition, select="ID")
    assert (response.status_code, message(response)) == (400, SYNTAX)


@pytest.mark.parametrize(
    "condition", ["Modified gt datetime'2026-01-01T00:00:00'", "ID ne 'x'", "Price gt '5'", "Price gt 5L"]
)
def test_bulk_filters_only_the_listed_fields_with_the_right_type(exact, condition):
    assert exact.get("bulk/Logistics/SalesItemPrices", filter=condition, select="ID").status_code == 400


@pytest.mark.parametrize(
    "condition",
    [
        "Modified gt datetime'2026-01-01T00:00:00'",
        "Timestamp ge 5L",
        "Timestamp eq 5L",
        "Timestamp gt '5'",
        "Timestamp gt 4300000000",  # above 32 bits without the L
        "Timestamp gt 5L and Status eq 'C'",
    ],
)
def test_sync_filters_only_on_timestamp_gt(exact, condition):
    assert exact.get("sync/CRM/Accounts", filter=condition, select="ID").status_code == 400
