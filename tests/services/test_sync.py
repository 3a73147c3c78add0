"""Importing end to end: the real steps, the real login, real sockets, both databases."""

from __future__ import annotations

from typing import Any

from outsmart_sync.store.runs import RunState
from outsmart_sync.store.tables import mirror, record_log
from support import MAIN, Rig

ALL_ON: dict[str, Any] = {
    "relations": {"enabled": True},
    "materials": {"enabled": True},
    "hour_types": {"enabled": True},
}


def outsmart_codes(rig: Rig, entity: str, key: str) -> set[str]:
    return {str(record[key]) for record in rig.vendors.control.outsmart_records("north", entity)}


def test_a_first_import_brings_what_the_filters_keep_and_only_that(rig: Rig) -> None:
    rig.connect(**ALL_ON)
    result = rig.sync()
    assert {name: each.state for name, each in result.items()} == dict.fromkeys(
        ("relations", "materials", "hour_types"), RunState.DONE
    )
    accounts = rig.vendors.control.exact_rows(MAIN, "crm/Accounts")
    customers = {row["Code"].strip() for row in accounts if row["Status"] == "C"}
    synced = {row.code for row in rig.rows(mirror, record="relation", state="synced")}
    assert synced <= customers
    assert synced <= outsmart_codes(rig, "relations", "debtor_number")
    counts = result["relations"].counts
    assert counts.read > 0
    assert counts.read == (
        counts.created
        + counts.updated
        + counts.unchanged
        + counts.excluded
        + counts.rejected
        + counts.waiting
        + counts.held
    )


def test_a_second_import_reads_writes_and_delivers_nothing(rig: Rig) -> None:
    rig.connect(**ALL_ON)
    rig.sync()
    before = rig.rows(mirror)
    lines = len(rig.rows(record_log))
    rig.vendors.control.forget_calls()
    result = rig.sync()
    assert {each.state for each in result.values()} == {RunState.IDLE}
    assert rig.rows(mirror) == before
    assert len(rig.rows(record_log)) == lines
    assert rig.vendors.control.calls(vendor="outsmart") == []


def test_a_full_import_of_unchanged_data_writes_nothing_to_outsmart(rig: Rig) -> None:
    rig.connect(**ALL_ON)
    rig.sync()
    rig.vendors.control.forget_calls()
    result = rig.sync(full=True)
    written = [call for call in rig.vendors.control.calls(vendor="outsmart") if call["method"] == "POST"]
    assert written == []
    for each in result.values():
        assert (each.counts.created, each.counts.updated) == (0, 0), each


def test_a_changed_relation_is_updated_and_its_fields_are_logged(rig: Rig) -> None:
    rig.connect(**ALL_ON)
    rig.sync()
    code = next(row.code for row in rig.rows(mirror, record="relation", state="synced"))
    rig.vendors.control.change_exact(MAIN, "crm/Accounts", code, Name="Renamed & Co")
    result = rig.sync()
    assert result["relations"].counts.updated == 1
    assert rig.vendors.control.outsmart_record("north", "relations", code)["name"] == "Renamed & Co"
    line = rig.rows(record_log, record="relation", code=code, event="updated")[-1]
    assert "Renamed & Co" in line.changes


def test_an_edit_made_in_outsmart_is_found_by_a_full_import_only(rig: Rig) -> None:
    rig.connect(**ALL_ON)
    rig.sync()
    code = next(row.code for row in rig.rows(mirror, record="relation", state="synced"))
    record = dict(rig.vendors.control.outsmart_record("north", "relations", code))
    rig.vendors.control.write_outsmart(
        "north",
        "relations",
        {"debtor_number": code, "name": "Edited by hand", **{k: record[k] for k in ("street", "postal_code", "city")}},
    )
    assert rig.sync()["relations"].state == RunState.IDLE
    assert rig.sync(full=True)["relations"].counts.updated == 1
    assert rig.vendors.control.outsmart_record("north", "relations", code)["name"] == record["name"]


def test_a_deleted_relation_is_noted_and_stays_in_outsmart(rig: Rig) -> None:
    rig.connect(**ALL_ON)
    rig.sync()
    row = next(row for row in rig.rows(mirror, record="relation", state="synced"))
    rig.vendors.control.delete_exact(MAIN, "crm/Accounts", row.code)
    result = rig.sync()
    assert result["relations"].counts.deleted >= 1  # its contact persons and addresses go with it
    assert row.code in outsmart_codes(rig, "relations", "debtor_number")
    assert rig.rows(mirror, id=row.id)[0].source_gone_at is not None


def test_without_an_outsmart_connection_the_import_ends_in_the_mirror_and_is_delivered_later(
    rig: Rig, monkeypatch: Any
) -> None:
    import os

    account = os.environ["AIRFLOW_CONN_OUTSMART_DEFAULT"]
    monkeypatch.delenv("AIRFLOW_CONN_OUTSMART_DEFAULT")
    rig.connect(**ALL_ON)
    result = rig.sync()
    assert result["relations"].counts.created > 0
    assert rig.vendors.control.calls(vendor="outsmart") == []
    monkeypatch.setenv("AIRFLOW_CONN_OUTSMART_DEFAULT", account)
    later = rig.sync()
    assert later["relations"].counts.read == 0
    assert later["relations"].counts.created > 0
    synced = {row.code for row in rig.rows(mirror, record="relation", state="synced")}
    assert synced <= outsmart_codes(rig, "relations", "debtor_number")
