"""Companies, users, rights, scopes and licences."""

from datetime import datetime, timedelta

from tests.sandbox.clients import ARCHIVED, BELGIAN, EMPTY, HOLDING, MAIN, SPANISH


def codes(exact, path, division=MAIN):
    return {row["Code"] for row in exact.rows(path, division, select="Code")}


def test_me_tells_who_and_when(exact, vendor_now):
    content = exact.get("current/Me", division=None).json()["d"]
    [me] = content["results"]
    assert (me["UserName"], me["CurrentDivision"]) == ("demo@example.com", MAIN)
    assert me["EmployeeID"] == "00000000-0000-0000-0000-000000000000"
    server = datetime.fromisoformat(me["ServerTime"]) - timedelta(seconds=me["ServerUtcOffset"])
    assert abs(server - vendor_now().replace(tzinfo=None)) < timedelta(seconds=5)
    assert exact.get("current/Me", division=None, select="UserID,CurrentDivision").json()["d"]["results"][0].keys() == {
        "UserID",
        "CurrentDivision",
    }


def test_me_has_no_division_and_others_need_one(exact):
    assert exact.get("current/Me", division=MAIN).status_code == 404
    assert exact.get("crm/Accounts", division=None, filter="Status eq 'C'").status_code == 404


def test_divisions_are_those_granted_across_licences(exact, exact_as):
    assert codes(exact, "system/Divisions") == set(range(MAIN, HOLDING))
    assert codes(exact_as(divisions=[MAIN, SPANISH, HOLDING]), "system/Divisions") == {MAIN, SPANISH, HOLDING}


def test_divisions_do_not_look_at_the_division_in_the_address(exact):
    assert codes(exact, "system/Divisions", division=999) == set(range(MAIN, HOLDING))


def test_all_divisions_are_one_licences_granted_or_not(exact):
    assert codes(exact, "system/AllDivisions") == set(range(MAIN, HOLDING + 1)) - {SPANISH}
    assert codes(exact, "system/AllDivisions", SPANISH) == {SPANISH}


def test_hrm_divisions_are_one_licences_granted(exact):
    assert codes(exact, "hrm/Divisions") == set(range(MAIN, HOLDING)) - {SPANISH}
    row = exact.get("hrm/Divisions", select="HID,Main,CountryDescription").json()["d"]["results"][0]
    assert row["Main"] is True
    assert row["CountryDescription"] == "Nederland"


def test_divisions_differ_in_country_status_and_size(exact, control):
    rows = {row["Code"]: row for row in exact.rows("system/Divisions")}
    assert {row["Country"] for row in rows.values()} == {"NL ", "BE ", "DE ", "FR ", "ES "}
    assert [code for code, row in rows.items() if row["Status"] == 2] == [ARCHIVED]
    assert [code for code, row in rows.items() if row["Current"]] == [MAIN]
    assert control.counts(EMPTY, "crm/Accounts")["total"] == 0
    assert control.counts(BELGIAN, "crm/Accounts")["total"] >= 40
    assert exact.rows("sync/CRM/Accounts", EMPTY, filter="Timestamp gt 1") == []


def test_division_that_was_not_granted_is_forbidden(exact, message):
    response = exact.get("crm/Accounts", HOLDING, filter="Status eq 'C'")
    assert (response.status_code, message(response)) == (403, "Forbidden")
    assert exact.get("crm/Accounts", 999, filter="Status eq 'C'").status_code == 403


def test_user_cannot_grant_what_is_not_theirs(exact_as):
    limited = exact_as("limited@example.com", [MAIN, SPANISH])
    assert codes(limited, "system/Divisions") == {MAIN}
    assert limited.get("crm/Contacts", SPANISH).status_code == 403


def test_withdrawn_division_is_forbidden_until_given_back(exact, control):
    control.change_scopes(remove_divisions=[BELGIAN])
    assert exact.get("crm/Contacts", BELGIAN).status_code == 403
    assert BELGIAN not in codes(exact, "system/Divisions")
    control.change_scopes(add_divisions=[BELGIAN])
    assert exact.get("crm/Contacts", BELGIAN).status_code == 200


def test_scope_taken_away_is_violated_on_all_its_endpoints(exact, control, message):
    control.change_scopes(remove=["Crm accounts"])
    for path in ("crm/Contacts", "sync/CRM/Accounts", "crm/AccountClassifications"):
        response = exact.get(path)
        assert (response.status_code, message(response)) == (403, "Forbidden - Application Scope Violated")
    assert exact.get("logistics/Units").status_code == 200


def has_right(exact, endpoint, action, division=MAIN):
    query = {"endpoint": f"'{endpoint}'", "action": f"'{action}'"}
    response = exact.session.get(exact.url("users/UserHasRights", division), params=query, timeout=30)
    assert response.status_code == 200, response.text
    return response.json()["d"]["results"][0]["UserHasRights"]


def test_rights_tell_what_calls_then_do(exact, control):
    assert has_right(exact, "crm/Accounts", "GET")
    control.change_scopes(remove_rights=[{"endpoint": "crm/Accounts", "action": "GET"}])
    assert not has_right(exact, "crm/Accounts", "GET")
    assert has_right(exact, "crm/Accounts", "POST")
    assert exact.get("sync/CRM/Accounts").status_code == 403
    assert exact.get("crm/Contacts").status_code == 200


def test_limited_user_may_not_write(exact_as):
    limited = exact_as("limited@example.com", [MAIN])
    assert not has_right(limited, "crm/Accounts", "POST")
    assert limited.call("POST", "crm/Accounts", json={"Name": "x"}).status_code == 403


def test_nobody_has_rights_where_nothing_is_served(exact):
    assert not has_right(exact, "crm/Nothing", "GET")


def test_rights_need_quoted_parameters_and_a_known_action(exact):
    for query in (
        {},
        {"endpoint": "crm/Accounts", "action": "GET"},
        {"endpoint": "'crm/Accounts'", "action": "'PATCH'"},
    ):
        assert exact.session.get(exact.url("users/UserHasRights"), params=query, timeout=30).status_code == 400


def test_expired_licence_forbids_the_company(exact, control, message):
    control.switch(licence_expired=[BELGIAN])
    response = exact.get("crm/Contacts", BELGIAN)
    assert (response.status_code, message(response)) == (403, "Forbidden - Customer's license expired")
    assert exact.get("crm/Contacts", MAIN).status_code == 200
