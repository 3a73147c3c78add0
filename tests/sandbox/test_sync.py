"""Sync endpoints, deletions, and moves of a division."""

import pytest

from tests.sandbox.clients import BELGIAN, FRENCH, GERMAN, MAIN, RELATIONS, SPANISH

ACCOUNTS = "sync/CRM/Accounts"
DAY = 86_400


def versions(exact, path, division, after=1):
    rows = exact.rows(path, division, filter=f"Timestamp gt {after}L", select="ID,Timestamp")
    return {row["ID"]: row["Timestamp"] for row in rows}


def test_rows_come_in_the_order_of_their_timestamps_with_gaps(exact):
    rows = exact.rows(ACCOUNTS, filter="Timestamp gt 0", select="Timestamp,Modified")
    stamps = [row["Timestamp"] for row in rows]
    assert stamps == sorted(set(stamps))
    assert stamps[-1] - stamps[0] > len(stamps)
    assert [row["Modified"] for row in rows] == sorted(row["Modified"] for row in rows)


def test_main_division_needs_64_bits(exact):
    assert min(versions(exact, ACCOUNTS, MAIN).values()) > 2**32
    assert max(versions(exact, ACCOUNTS, BELGIAN).values()) < 2**31


def test_nothing_after_the_last_timestamp(exact):
    last = max(versions(exact, ACCOUNTS, MAIN).values())
    assert versions(exact, ACCOUNTS, MAIN, last) == {}
    assert len(versions(exact, ACCOUNTS, MAIN, last - 1)) == 1


def test_insert_and_update_go_above_all_existing_timestamps_of_the_division(exact, control):
    before = versions(exact, ACCOUNTS, BELGIAN)
    highest = max(*before.values(), *versions(exact, "sync/Logistics/Items", BELGIAN).values())
    [added] = control.add_exact(BELGIAN, "Accounts", {"Name": "New"})
    touched = next(key for key in before if key != added)
    control.change_exact(BELGIAN, "Accounts", touched, Phone="+32 1")
    after = versions(exact, ACCOUNTS, BELGIAN, highest)
    assert after.keys() == {added, touched}
    assert highest < after[added] < after[touched]


def test_a_row_that_changes_twice_comes_once(exact, control):
    last = max(versions(exact, ACCOUNTS, BELGIAN).values())
    row = control.exact_rows(BELGIAN, "Accounts")[0]
    for name in ("One", "Two"):
        control.change_exact(BELGIAN, "Accounts", row["ID"], Name=name)
    rows = exact.rows(ACCOUNTS, BELGIAN, filter=f"Timestamp gt {last}L", select="ID,Name")
    assert [(one["ID"], one["Name"]) for one in rows] == [(row["ID"], "Two")]


def test_rows_changed_between_pages_are_not_lost(exact, control):
    first = exact.get("sync/CRM/Contacts", top=10, select="ID,Timestamp").json()["d"]
    touched = set(control.touch_exact(MAIN, "Contacts", 20, seed=9))
    rest = versions(exact, "sync/CRM/Contacts", MAIN, first[-1]["Timestamp"])
    assert touched <= rest.keys()


def test_sync_hands_out_1000_rows_a_page(exact, control):
    names = [{"Name": f"Bulk {number}"} for number in range(1000)]
    ids = control.add_exact(SPANISH, "Accounts", *names)
    first = exact.get(ACCOUNTS, SPANISH, filter="Timestamp gt 1L", select="ID,Timestamp").json()["d"]
    assert len(first["results"]) == 1000
    assert f"skiptoken={first['results'][-1]['Timestamp']}L" in first["__next"]
    assert set(ids) <= versions(exact, ACCOUNTS, SPANISH).keys()
    control.delete_exact(SPANISH, "Accounts", *ids)


def test_sync_rows_have_no_collections(exact):
    row = exact.get(ACCOUNTS, top=1).json()["d"][0]
    assert "BankAccounts" not in row
    assert "Timestamp" in row
    assert len(row) > 150


def test_deletions_are_reported_with_their_code(exact, control):
    [key] = control.add_exact(GERMAN, "Accounts", {"Name": "Short-lived"})
    before = max(versions(exact, ACCOUNTS, GERMAN).values())
    control.delete_exact(GERMAN, "Accounts", key)
    [row] = exact.rows("sync/Deleted", GERMAN, filter=f"Timestamp gt {before}L and EntityType eq 2")
    assert row["EntityKey"] == key
    assert row["Division"] == GERMAN
    assert row["Timestamp"] > before
    assert row["DeletedDate"].startswith("/Date(")
    assert exact.rows("sync/Deleted", GERMAN, filter=f"Timestamp gt {before}L and EntityType eq 9") == []
    assert key not in versions(exact, ACCOUNTS, GERMAN)


def test_what_belongs_to_a_deleted_row_goes_with_it(exact, control):
    account = next(row for row in control.exact_rows(GERMAN, "Accounts") if "MainContact" in row)
    control.delete_exact(GERMAN, "Accounts", account["ID"])
    deleted = exact.rows("sync/Deleted", GERMAN, select="EntityKey,EntityType")
    assert {"EntityKey": account["MainContact"], "EntityType": 5}.items() <= next(
        row for row in deleted if row["EntityKey"] == account["MainContact"]
    ).items()
    assert {row["EntityType"] for row in deleted} >= {2, 3, 5}


def test_deletions_are_kept_two_months(exact_as, control):
    [key] = control.add_exact(FRENCH, "Items", {"Code": "GONE", "Description": "Gone"})
    control.delete_exact(FRENCH, "Items", "GONE")
    control.shift_clock(58 * DAY)
    assert key in {row["EntityKey"] for row in exact_as().rows("sync/Deleted", FRENCH, select="EntityKey")}
    control.shift_clock(5 * DAY)
    assert key not in {row["EntityKey"] for row in exact_as().rows("sync/Deleted", FRENCH, select="EntityKey")}


def test_sync_timestamp_is_where_to_start_for_a_date(exact, control):
    rows = sorted(control.exact_rows(MAIN, "logistics/Items"), key=lambda row: row["Modified"])
    chosen = rows[100]["Modified"]
    url = exact.url("read/sync/Sync/SyncTimestamp")
    query = {"modified": f"datetime'{chosen}'", "endPoint": "'Items'"}
    [found] = exact.session.get(url, params=query, timeout=30).json()["d"]["results"]
    assert found["API"] == "sync/Logistics/Items"
    after = versions(exact, "sync/Logistics/Items", MAIN, found["TimeStampAsBigInt"])
    assert after.keys() >= {row["ID"] for row in rows if row["Modified"] >= chosen}
    assert len(after) == len([row for row in rows if row["Modified"] >= chosen])


@pytest.mark.parametrize(
    "query",
    [{}, {"modified": "datetime'2026-01-01'"}, {"modified": "'2026'", "endpoint": "'Items'"},
     {"modified": "datetime'2026-01-01'", "endpoint": "'Units'"}],
)  # fmt: skip
def test_sync_timestamp_needs_both_parameters(exact, query):
    assert exact.session.get(exact.url("read/sync/Sync/SyncTimestamp"), params=query, timeout=30).status_code == 400


def test_moving_a_division_renews_all_timestamps_and_says_so(exact, control):
    before = versions(exact, ACCOUNTS, FRENCH)
    select = "Code,DivisionMoveDate"
    assert exact.get(f"system/Divisions({FRENCH})", select=select).json()["d"]["DivisionMoveDate"] is None
    control.move_division(FRENCH, first_timestamp=5)
    after = versions(exact, ACCOUNTS, FRENCH)
    assert after.keys() == before.keys()
    assert max(after.values()) < max(before.values())
    assert all(after[key] != before[key] for key in before)
    assert sorted(before, key=before.get) == sorted(after, key=after.get)
    assert exact.get(f"system/Divisions({FRENCH})", select=select).json()["d"]["DivisionMoveDate"].startswith("/Date(")
    assert exact.rows(ACCOUNTS, FRENCH, filter=f"Timestamp gt {max(before.values())}L") == []


def test_the_seeds_are_all_there(exact):
    assert len(versions(exact, ACCOUNTS, MAIN)) >= RELATIONS
