"""Values of settings against the vendors' own lists: what is not there is refused, and all that is can be shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from dated import ORDERS, ORDERS_IMPORT, declare
from outsmart_sync.errors import AccessDenied, InvalidSettings, NotConfigured, SyncError, VendorUnavailable
from outsmart_sync.services import choices, settings
from outsmart_sync.store.connections import State, SyncConnection
from outsmart_sync.store.store import Store
from outsmart_sync.store.tables import mirror, setting
from sandbox import process
from support import MAIN, NORTH, SMALL, Rig, added, connection_environment


@pytest.fixture(scope="module")
def listing_vendors() -> Iterator[process.SandboxProcess]:
    """Vendors whose lists all tests here look at."""
    with process.start(relations=30, items=60) as vendors:
        yield vendors


@pytest.fixture
def rig(sqlite_store: Store, listing_vendors: process.SandboxProcess, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    """A package that also imports sales orders, with both vendors at hand."""
    control = listing_vendors.control
    control.clear_faults()
    control.reset_limits()
    for entity in ("worktypes", "paymentmethods", "workstatusses"):
        control.delete_outsmart("north", entity)
    for name, value in connection_environment(listing_vendors, sqlite_store, NORTH).items():
        monkeypatch.setenv(name, value)
    declare(monkeypatch, ORDERS_IMPORT)
    yield Rig(sqlite_store, listing_vendors)
    control.clear_faults()


def connected(rig: Rig, division: int = MAIN) -> SyncConnection:
    connection = rig.connect(division)
    rig.vendors.control.forget_calls()
    return connection


def save(rig: Rig, connection: SyncConnection, *typed: str) -> dict[str, Any]:
    return settings.save(rig.store, connection, settings.parse_all(typed), gateway=rig.gateway).as_document()


def refused(rig: Rig, connection: SyncConnection, *typed: str, kind: type[SyncError] = InvalidSettings) -> SyncError:
    """The error of a change, after making sure that nothing of it was saved."""
    with pytest.raises(kind) as error:
        save(rig, connection, *typed)
    with rig.store.read() as transaction:
        assert transaction.execute(select(setting)).all() == []
    return error.value


def groups(rig: Rig) -> list[str]:
    return sorted(row["Code"] for row in rig.vendors.control.exact_rows(MAIN, "logistics/ItemGroups"))


def work_status(rig: Rig, code: str, name: str) -> None:
    rig.vendors.control.write_outsmart("north", "workstatusses", {"sta_code": code, "sta_name": name})


def test_values_that_the_vendors_have_are_saved(rig: Rig) -> None:
    connection = connected(rig)
    work_status(rig, "9", "Cancelled")
    group = groups(rig)[0]
    kept = save(rig, connection, f"materials.item_groups={group}", f"{ORDERS}.cancelled_status=9")
    assert kept["materials"]["item_groups"] == [group]
    assert kept[ORDERS]["cancelled_status"] == "9"


def test_all_that_the_vendors_do_not_have_is_named_at_once_with_what_they_have(rig: Rig) -> None:
    connection = connected(rig)
    work_status(rig, "9", "Cancelled")
    group = groups(rig)[0]
    said = refused(
        rig,
        connection,
        f"materials.item_groups={group},NOPE",
        "employees.numbers=99999",
        f"{ORDERS}.cancelled_status=88",
        f"{ORDERS}.work_type=Dancing",
        "orders.enabled=true",
        "relations.enabled=true",
    ).what
    assert "there is no category 'orders'" in said
    assert "materials.item_groups (Materials: Item groups to import (empty: all)): NOPE is not among the" in said
    assert f"item groups (Exact Online has {group} (" in said
    assert "employees.numbers (Employees: Employees to import (empty: all active ones)): 99999 is not among" in said
    assert "88 is not among the work statuses (OutSmart has 9 (Cancelled); as a list:" in said
    assert f"outsmart-sync settings choices {connection.id} {ORDERS}.cancelled_status" in said
    assert "Dancing is not among the types of work (OutSmart has Installatie" in said
    assert " more;" in said


def test_a_list_that_is_empty_says_so(rig: Rig) -> None:
    said = refused(rig, connected(rig), f"{ORDERS}.cancelled_status=88").what
    assert said.endswith("is not among the work statuses: OutSmart has none.")


@pytest.mark.parametrize("typed", ["service", " SERVICE ", "Service"])
def test_a_value_is_kept_as_the_vendor_writes_it(rig: Rig, typed: str) -> None:
    assert save(rig, connected(rig), f"{ORDERS}.work_type={typed}")[ORDERS]["work_type"] == "Service"


def test_a_classification_can_be_named_by_its_description(rig: Rig) -> None:
    connection = connected(rig)
    value, label = choices.choices(rig.gateway, connection, "relations", "classifications")[0]
    assert save(rig, connection, f"relations.classifications={label.upper()}")["relations"]["classifications"] == [
        value
    ]


def test_what_is_known_by_an_id_is_offered_by_its_description_alone(rig: Rig) -> None:
    connection = connected(rig)
    offered = choices.choices(rig.gateway, connection, "relations", "classifications")
    said = refused(rig, connection, "relations.classifications=Nonsense").what
    assert f"Exact Online has {offered[0][1]}, " in said
    assert [value for value, _ in offered if value in said] == []


def test_a_description_that_several_values_share_names_none(rig: Rig) -> None:
    work_status(rig, "8", "Cancelled")
    work_status(rig, "9", "Cancelled")
    said = refused(rig, connected(rig), f"{ORDERS}.cancelled_status=cancelled").what
    assert "8 (Cancelled), 9 (Cancelled)" in said


def test_an_accounts_own_types_of_work_replace_the_usual_ones_and_old_ones_do_not_count(rig: Rig) -> None:
    connection = connected(rig)
    for name, active in (("Tuin", "1"), ("Oud", "0")):
        rig.vendors.control.write_outsmart(
            "north",
            "worktypes",
            {"wrt_name": name, "wrt_description": f"{name}!", "wrt_default_minutes": "60", "wrt_active": active},
        )
    assert choices.choices(rig.gateway, connection, ORDERS, "work_type") == [("Tuin", "Tuin!")]
    refused(rig, connection, f"{ORDERS}.work_type=Service")
    refused(rig, connection, f"{ORDERS}.work_type=Oud")


def test_what_is_not_new_and_what_needs_no_list_costs_no_call(rig: Rig) -> None:
    connection = connected(rig)
    group = groups(rig)[0]
    save(rig, connection, f"materials.item_groups={group}")
    rig.vendors.control.forget_calls()
    save(rig, connection, f"materials.item_groups={group}", "relations.enabled=true", f"{ORDERS}.remark=x")
    save(rig, connection, "materials.item_groups=", f"{ORDERS}.start_date=2026-01-01")
    assert rig.vendors.control.calls() == []


def test_a_list_is_read_once_for_all_settings_that_are_chosen_from_it(rig: Rig) -> None:
    connection = connected(rig)
    group = groups(rig)[0]
    save(rig, connection, f"materials.item_groups={group}", f"hour_types.item_groups={group}")
    assert [call["resource"] for call in rig.vendors.control.calls(vendor="exact")] == ["logistics/ItemGroups"]
    assert rig.vendors.control.calls(vendor="outsmart") == []


def test_no_more_of_employees_is_asked_for_than_an_import_takes(rig: Rig) -> None:
    connection = connected(rig)
    assert choices.choices(rig.gateway, connection, "employees", "numbers")
    (call,) = rig.vendors.control.calls(vendor="exact")
    assert call["query"]["$select"] == "Code,FirstName,LastName"


def test_a_list_of_several_pages_is_known_whole(rig: Rig) -> None:
    connection = connected(rig, SMALL)
    control = rig.vendors.control
    control.add_exact(
        SMALL, "logistics/ItemGroups", *({"Code": f"X{number}", "Description": "x"} for number in range(130))
    )
    rows = control.exact_rows(SMALL, "logistics/ItemGroups")
    found = choices.choices(rig.gateway, connection, "materials", "item_groups")
    assert [value for value, _ in found] == sorted(row["Code"] for row in rows)
    assert save(rig, connection, "materials.item_groups=X129")["materials"]["item_groups"] == ["X129"]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [({"status": 403, "body": "no"}, AccessDenied), ({"status": 503, "body": "no"}, VendorUnavailable)],
    ids=["refuses", "is away"],
)
def test_when_the_vendor_cannot_be_asked_nothing_is_saved_and_the_way_out_is_named(
    rig: Rig, fault: dict[str, Any], kind: type[SyncError]
) -> None:
    connection = connected(rig)
    rig.vendors.control.add_fault("status", vendor="exact", path="ItemGroups", times=None, **fault)
    error = refused(rig, connection, "materials.item_groups=A", "relations.colour=red", kind=kind)
    assert error.what.startswith("The settings were not saved: relations has no setting 'colour'")
    assert "materials.item_groups (Materials: Item groups to import (empty: all)) could not be compared: " in error.what
    assert "Exact Online" in error.what
    assert "--unchecked" in error.remedy


def test_without_an_outsmart_account_its_values_cannot_be_compared(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = connected(rig)
    monkeypatch.delenv("AIRFLOW_CONN_OUTSMART_DEFAULT")
    error = refused(rig, connection, f"{ORDERS}.work_type=Service", kind=NotConfigured)
    assert "outsmart_default" in error.what
    assert "--unchecked" in error.remedy
    unchecked = settings.save(rig.store, connection, {ORDERS: {"work_type": "Service"}})
    assert unchecked.categories[ORDERS]["work_type"] == "Service"


def test_before_the_administration_is_chosen_only_outsmarts_lists_are_known(rig: Rig) -> None:
    pending = added(rig.store, None, state=State.CONNECTED)
    with pytest.raises(InvalidSettings, match="has no administration yet"):
        choices.choices(rig.gateway, pending, "materials", "item_groups")
    assert ("contant voldaan", "contant voldaan") in choices.choices(rig.gateway, pending, ORDERS, "payment_method")


def test_what_the_catalogue_itself_offers_costs_no_call(rig: Rig) -> None:
    connection = connected(rig)
    types = choices.choices(rig.gateway, connection, "relations", "types")
    assert types[0] == ("customer", "Customers")
    switch = choices.choices(rig.gateway, connection, "relations", "include_blocked")
    assert (
        switch == choices.choices(rig.gateway, connection, "relations", "enabled") == [("true", "on"), ("false", "off")]
    )
    assert rig.vendors.control.calls() == []


@pytest.mark.parametrize(
    ("category", "name", "said"),
    [
        ("orders", "enabled", "There is no category 'orders'"),
        ("relations", "colour", "relations has no setting 'colour'"),
        (ORDERS, "remark", "dated_orders.remark is not chosen from a list"),
        (ORDERS, "start_date", "dated_orders.start_date is not chosen from a list"),
    ],
)
def test_a_setting_without_choices_says_what_it_is(rig: Rig, category: str, name: str, said: str) -> None:
    with pytest.raises(InvalidSettings, match=said) as error:
        choices.choices(rig.gateway, connected(rig), category, name)
    assert error.value.remedy


def test_relations_are_chosen_by_their_classification(rig: Rig) -> None:
    connection = connected(rig)
    value, _ = choices.choices(rig.gateway, connection, "relations", "classifications")[0]
    rows = rig.vendors.control.exact_rows(MAIN, "crm/Accounts")
    columns = [f"Classification{number}" for number in range(1, 9)]
    chosen = [row for row in rows if value in [row.get(column) for column in columns]]
    assert 0 < len(chosen) < len(rows)
    save(rig, connection, "relations.enabled=true", "relations.types=", f"relations.classifications={value}",
         "relations.include_blocked=true", "relations.include_inactive=true")  # fmt: skip
    counts = rig.sync("relations", connection=connection.id)["relations"].counts
    in_log = [row.code for row in rig.rows(mirror, record="relation", reason="classification_not_chosen")]
    assert len(in_log) == len(rows) - len(chosen)
    assert counts.excluded >= len(in_log)
