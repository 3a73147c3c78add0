"""The control server: looking, counting, and changing things by hand."""

import pytest
import requests

from sandbox.remote_control import ControlError
from tests.sandbox.clients import BELGIAN, EMPTY, MAIN


def test_health(control):
    assert control.ask("GET", "/health") == {"status": "ok"}


def test_world_tells_everything_a_caller_needs(vendor, control):
    world = control.world()
    assert world["addresses"]["exact_online"] == vendor.exact_url
    assert world["exact_online"]["app"]["client_secret"] == "sandbox-secret"
    assert {user["user_name"] for user in world["exact_online"]["users"]} == {"demo@example.com", "limited@example.com"}
    assert [account["token"] for account in world["outsmart"]["accounts"]] == [
        "sandbox-token-north",
        "sandbox-token-south",
    ]
    assert len(world["exact_online"]["divisions"]) == 8


def test_clock_goes_forward_for_both_vendors(control, south, vendor_now):
    before = vendor_now()
    control.shift_clock(3600)
    assert 3600 <= (vendor_now() - before).total_seconds() < 3610
    south.post("paymentmethods", {"pmd_description": "clock"})
    assert control.outsmart_changes("south", entity="paymentmethods")[-1]["at"] >= before.isoformat()[:13]


def test_calls_are_listed_and_summed_up(exact, south, control):
    control.forget_calls()
    exact.get("logistics/Units", select="Code")
    exact.get("logistics/Units", top=2)
    exact.get("crm/Nothing")
    south.post("relations", raw="")
    calls = control.calls(vendor="exact")
    assert [(call["method"], call["resource"], call["status"], call["rows"]) for call in calls] == [
        ("GET", "logistics/Units", 200, 8),
        ("GET", "logistics/Units", 200, 2),
        ("GET", "crm/Nothing", 404, None),
    ]
    assert calls[0]["division"] == str(MAIN)
    assert calls[0]["query"] == {"$select": "Code"}
    assert calls[0]["duration_ms"] >= 0
    units = next(one for one in control.call_summary(path="Units"))
    assert (units["calls"], units["rows"], units["statuses"]) == (2, 10, {"200": 2})
    [posted] = control.calls(vendor="outsmart")
    assert (posted["code"], posted["division"]) == (1008, "south")
    assert "sandbox-token" not in str(posted)
    assert control.calls(since=posted["seq"]) == []


def test_key_addresses_count_for_their_resource(exact, control):
    row = exact.get("logistics/Units", top=1).json()["d"][0]
    control.forget_calls()
    exact.get(f"logistics/Units(guid'{row['ID']}')")
    assert [call["resource"] for call in control.calls()] == ["logistics/Units"]


def test_rows_are_found_by_id_code_and_short_name(control):
    row = control.exact_rows(MAIN, "crm/Accounts")[0]
    assert control.exact_row(MAIN, "Accounts", row["ID"]) == row
    assert control.exact_row(MAIN, "crm/Accounts", row["Code"].strip()) == row
    odd = next(item for item in control.exact_rows(MAIN, "Items") if "/" in item["Code"])
    assert control.exact_row(MAIN, "Items", odd["Code"]) == odd


def test_rows_can_be_listed_in_parts(control):
    whole = control.exact_rows(MAIN, "Items")
    part = control.ask("GET", f"/exact/{MAIN}/Items", query={"offset": 10, "limit": 5})
    assert part == {"total": len(whole), "rows": whole[10:15]}


def test_rows_can_be_added_changed_and_deleted_by_the_thousand(exact, control):
    ids = control.add_exact(EMPTY, "Accounts", *({"Name": f"Number {number}", "Status": "C"} for number in range(2000)))
    assert len(set(ids)) == 2000
    control.change_exact_rows(EMPTY, "Accounts", [{"ID": key, "City": "Breda"} for key in ids[:1500]])
    assert sum(row.get("City") == "Breda" for row in control.exact_rows(EMPTY, "Accounts")) == 1500
    touched = control.touch_exact(EMPTY, "Accounts", 100, seed=1, Phone="+31 1")
    assert len(touched) == len(set(touched)) == 100
    last = control.world()["exact_online"]["divisions"][5]["last_timestamp"]
    control.ask("DELETE", f"/exact/{EMPTY}/Accounts", {"count": 10})
    control.delete_exact(EMPTY, "Accounts", *(row["ID"] for row in control.exact_rows(EMPTY, "Accounts")))
    assert len(exact.rows("sync/Deleted", EMPTY, filter=f"Timestamp gt {last}L", select="ID")) == 2000


def test_look_ups_follow_changes(exact, control):
    first, second = control.exact_rows(BELGIAN, "Accounts")[:2]
    codes = [first["Code"].strip(), second["Code"].strip()]
    assert control.exact_row(BELGIAN, "Accounts", codes[0])["ID"] == first["ID"]
    control.change_exact(BELGIAN, "Accounts", first["ID"], Code="9999")
    control.change_exact(BELGIAN, "Accounts", second["ID"], Code=codes[0])
    assert control.exact_row(BELGIAN, "Accounts", codes[0])["ID"] == second["ID"]
    [added] = control.add_exact(BELGIAN, "Accounts", {"Name": "Next"})
    assert control.exact_row(BELGIAN, "Accounts", "10000")["ID"] == added
    control.delete_exact(BELGIAN, "Accounts", "10000", "9999")
    [again] = control.add_exact(BELGIAN, "Accounts", {"Name": "Again"})
    others = [int(row["Code"]) for row in control.exact_rows(BELGIAN, "Accounts") if row["ID"] != again]
    assert int(control.exact_row(BELGIAN, "Accounts", again)["Code"]) == max(others) + 1


def test_changes_by_hand_move_modified(control, milliseconds):
    row = control.exact_rows(BELGIAN, "Items")[0]
    control.change_exact(BELGIAN, "Items", row["Code"], Description="Changed", EndDate="2026-12-31")
    after = control.exact_row(BELGIAN, "Items", row["ID"])
    assert after["Modified"] > row["Modified"]
    assert after["Timestamp"] > row["Timestamp"]
    assert (after["Description"], after["EndDate"], after["Created"]) == (
        "Changed",
        "2026-12-31T00:00:00",
        row["Created"],
    )


def test_touch_is_the_same_for_the_same_seed(control):
    assert control.touch_exact(MAIN, "Addresses", 5, seed=3) == control.touch_exact(MAIN, "Addresses", 5, seed=3)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", f"/exact/{MAIN}/Nothing", None),
        ("GET", "/exact/1/Accounts", None),
        ("GET", f"/exact/{MAIN}/Accounts/0", None),
        ("POST", f"/exact/{MAIN}/Accounts", {"Naam": "x"}),
        ("POST", f"/exact/{MAIN}/Accounts", {"Name": 5}),
        ("POST", f"/exact/{MAIN}/Contacts", {"LastName": "x"}),
        ("POST", "/clock", {"shift": 1}),
        ("POST", "/scopes", {"remove": ["Nothing"]}),
        ("POST", "/switches", {"nothing": True}),
        ("POST", "/oauth/tokens", {"user": "nobody"}),
        ("GET", "/outsmart/east/relations", None),
        ("GET", "/outsmart/north/nothing", None),
        ("POST", "/outsmart/north/relations", {"debtor_number": "1", "colour": "red"}),
        ("GET", "/nothing", None),
    ],
)
def test_mistakes_are_explained(control, method, path, body):
    with pytest.raises(ControlError, match=r".+: .+"):
        control.ask(method, path, body)


def test_outsmart_records_by_hand_need_only_their_code(control, south):
    control.write_outsmart("south", "relations", {"debtor_number": "H/1"}, {"debtor_number": "H 2", "name": "x"})
    assert control.outsmart_record("south", "relations", "H/1")["active"] == "1"
    control.write_outsmart("south", "relations", {"debtor_number": "H/1", "name": "Later"})
    assert {row["debtor_number"]: row["name"] for row in south.get("relations")["response"]} == {
        "H/1": "Later",
        "H 2": "x",
    }
    control.delete_outsmart("south", "relations", "H/1")
    assert len(control.outsmart_records("south", "relations")) == 1


def test_records_with_two_codes_are_found_by_both(control, south):
    control.write_outsmart("south", "material_categories", {"mct_mat_code": "a/b", "mct_cat_code": "c"})
    assert control.outsmart_record("south", "material_categories", "a/b", "c")["mct_cat_code"] == "c"


def test_limits_show_what_is_shut(exact, control):
    for _ in range(11):
        exact.get("crm/Accounts")
    blocked = control.ask("GET", "/limits")["blocked_endpoints"]
    assert [key.split()[-1] for key in blocked] == ["crm/Accounts"]


def test_control_listens_on_loopback_only(vendor):
    assert vendor.control_url.startswith("http://127.0.0.1:")
    assert requests.get(f"{vendor.control_url}/health", timeout=5).status_code == 200


def test_what_is_emptied_has_never_been_there(control, exact, south):
    account = control.add_exact(EMPTY, "crm/Accounts", {"Code": "7", "Name": "Seven"})[0]
    control.add_exact(EMPTY, "crm/Contacts", {"Account": account, "LastName": "Seven"})
    control.add_exact(EMPTY, "logistics/Items", {"Code": "kept", "Description": "Kept"})
    control.delete_exact(EMPTY, "crm/Accounts", control.add_exact(EMPTY, "crm/Accounts", {"Code": "8", "Name": "8"})[0])
    assert control.exact_rows(EMPTY, "sync/Deleted") != []
    control.empty_exact(EMPTY, "crm/Accounts")
    for resource in ("crm/Accounts", "crm/Contacts", "sync/Deleted"):
        assert control.exact_rows(EMPTY, resource) == [], resource
    assert [row["Code"] for row in control.exact_rows(EMPTY, "logistics/Items")] == ["kept"]
    south.post("paymentmethods", {"pmd_description": "emptied"})
    control.empty_outsmart("south", "paymentmethods")
    assert control.outsmart_records("south", "paymentmethods") == []
    with pytest.raises(ControlError, match="nothing"):
        control.empty_outsmart("south", "nothing")
