"""Records that wait for a person: what they decide holds over later runs."""

from __future__ import annotations

import json
from functools import partial

import pytest
from sqlalchemy import insert, update

from commands import typed
from outsmart_sync import terminal
from outsmart_sync.errors import InvalidSettings
from outsmart_sync.pipeline.outcomes import MirrorState
from outsmart_sync.providers.packages import package
from outsmart_sync.services import attention, health, history, links, report, settings
from outsmart_sync.services.attention import Waiting
from outsmart_sync.store import connections
from outsmart_sync.store.store import Store
from outsmart_sync.store.tables import mirror
from support import MAIN, Rig, added


@pytest.fixture
def here(sqlite_rig: Rig) -> Rig:
    sqlite_rig.connect(relations={"enabled": True})
    return sqlite_rig


def first_rejected(rig: Rig) -> Waiting:
    cause = next(each for each in attention.causes(rig.store, [1]) if each.state == "rejected")
    found = attention.waiting(rig.store, 1, cause.record, cause.state, cause.reason)
    assert len(found) == cause.number
    return next(each for each in found if not known(rig, each.id).outsmart_values)


def known(rig: Rig, number: int) -> history.RecordStatus:
    found = history.record_of(rig.store, number)
    assert found is not None
    return found


def state_of(rig: Rig, number: int) -> str:
    return known(rig, number).state


def mend(rig: Rig, code: str) -> None:
    rig.vendors.control.change_exact(
        MAIN, "crm/Accounts", code, Name="Mended", AddressLine1="Kade 1", Postcode="3511 AB", City="Utrecht"
    )


def test_a_record_on_hold_stays_out_whatever_changes_until_it_is_released(here: Rig) -> None:
    here.sync("relations")
    connection = connections.require(here.store, 1)
    record = first_rejected(here)
    assert attention.hold(here.store, connection, [record.id]) == 1
    mend(here, record.code)
    here.sync("relations")
    assert state_of(here, record.id) == MirrorState.HELD
    here.sync("relations", full=True)
    assert state_of(here, record.id) == MirrorState.HELD
    assert attention.release(here.store, connection, [record.id]) == 1
    here.sync("relations")
    assert state_of(here, record.id) == MirrorState.SYNCED
    done = [line.event for line in known(here, record.id).events]
    assert [event for event in done if event in ("put_on_hold", "released", "created")] == [
        "put_on_hold",
        "released",
        "created",
    ]


def test_a_dismissed_record_stays_dismissed_until_it_changes(here: Rig) -> None:
    here.sync("relations")
    connection = connections.require(here.store, 1)
    record = first_rejected(here)
    attention.dismiss(here.store, connection, [record.id])
    here.sync("relations", full=True)
    assert state_of(here, record.id) == MirrorState.EXCLUDED
    assert record.id not in {
        each.id
        for cause in attention.causes(here.store, [1])
        for each in attention.waiting(here.store, 1, cause.record, cause.state, cause.reason)
    }
    mend(here, record.code)
    here.sync("relations")
    assert state_of(here, record.id) == MirrorState.SYNCED


def test_what_was_linked_by_hand_is_not_put_on_hold(here: Rig) -> None:
    here.vendors.control.write_outsmart(
        "north",
        "relations",
        {"debtor_number": "OTHER", "name": "Other", "street": "S", "postal_code": "1", "city": "C"},
    )
    here.sync("relations", full=True)
    connection = connections.require(here.store, 1)
    record = first_rejected(here)
    links.link(here.store, connection, "relation", record.provider_id, "OTHER")
    with pytest.raises(InvalidSettings, match="linked by hand"):
        attention.hold(here.store, connection, [record.id])


def test_a_look_names_who_is_likely_the_same_and_a_link_is_kept_by_the_first_import(here: Rig) -> None:
    row = next(
        each
        for each in here.vendors.control.exact_rows(MAIN, "crm/Accounts")
        if each["Status"] == "C" and not each["Blocked"] and each["Postcode"] and each["City"] and each["AddressLine1"]
    )
    here.vendors.control.write_outsmart(
        "north",
        "relations",
        {
            "debtor_number": "BY-HAND",
            "name": row["Name"],
            "street": "Elsewhere",
            "postal_code": row["Postcode"],
            "city": "Elsewhere",
        },
    )
    connection = connections.require(here.store, 1)
    here.sync("relations", preview=True)
    (found,) = report.latest(here.store, connection)
    assert found.outcomes[report.ALIKE] >= 1
    category = package(connection.package).category("relations")
    pair = next(
        each for each in report.alike(here.store, connection, category, found.run.id) if each.outsmart_code == "BY-HAND"
    )
    assert pair.code == row["Code"].strip()
    links.link_ahead(here.store, connection, pair.record, pair.provider_id, pair.code, pair.outsmart_code)
    here.sync("relations")
    assert here.vendors.control.outsmart_record("north", "relations", "BY-HAND")["street"] == row["AddressLine1"]
    codes = [each["debtor_number"] for each in here.vendors.control.outsmart_records("north", "relations")]
    assert pair.code not in codes


def test_the_command_line_decides_as_the_page_does(here: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    here.sync("relations")
    monkeypatch.setattr(terminal, "open_store", lambda: here.store)
    record = first_rejected(here)

    type_ = partial(typed, "attention")

    assert "rejected" in type_("list")
    waiting = json.loads(type_("list", "--records", "--json"))
    assert record.id in [each["id"] for each in waiting]
    assert "1 records: on hold." in type_("hold", "1", "relation", record.code)
    assert state_of(here, record.id) == MirrorState.HELD
    type_("release", "1", "relation", record.code)
    type_("dismiss", "1", "relation", record.code)
    assert state_of(here, record.id) == MirrorState.EXCLUDED
    type_("dismiss", "1", "relation", "no such code", code=1)


def test_what_waits_is_counted_as_it_is_listed(here: Rig) -> None:
    here.sync("relations")
    connection = connections.require(here.store, 1)

    def listed() -> int:
        return sum(each.number for each in attention.causes(here.store, [1]) if each.state != MirrorState.WAITING)

    def counted() -> int:
        return health.of(here.store, connection).attention

    before = listed()
    assert counted() == before > 1
    gone = first_rejected(here)
    with here.store.begin() as transaction:
        transaction.execute(update(mirror).where(mirror.c.id == gone.id).values(source_gone_at=here.store.now()))
    assert counted() == listed() == before - 1
    (cause, *_) = attention.causes(here.store, [1])
    settings.save(here.store, connection, {"relations": {"enabled": False}})
    assert (counted(), attention.causes(here.store, [1])) == (0, [])
    assert attention.waiting(here.store, 1, cause.record, cause.state, cause.reason) == []
    settings.save(here.store, connection, {"relations": {"enabled": True}})
    assert counted() == listed() == before - 1


def test_a_cause_names_what_its_records_lack_and_what_all_of_them_share(store: Store) -> None:
    connection = added(store)
    number = connection.id
    with store.begin() as transaction:
        causes = (
            ("missing_field", "city"),
            ("missing_field", "street, city"),
            ("too_long", "name"),
            ("too_long", "name"),
            ("refused", "Odd code 1"),
            ("refused", "Odd code 2"),
        )
        for place, (reason, detail) in enumerate(causes):
            values = {"state": "rejected", "reason": reason, "detail": detail, "first_run_id": 1, "run_id": 1}
            key = {"connection_id": number, "record": "relation", "provider_id": str(place)}
            transaction.execute(insert(mirror).values(code="", code_key="", **key, **values))
    settings.save(store, connection, {"relations": {"enabled": True}})
    found = {each.reason: (each.text, each.number) for each in attention.causes(store, [number])}
    assert found == {
        "missing_field": ("OutSmart needs: street, city.", 2),
        "too_long": ("Longer than OutSmart takes: name.", 2),
        "refused": ("…", 2),
    }
    first, second = attention.waiting(store, number, "relation", "rejected", "missing_field")
    assert first.cause == second.cause
    assert (first.cause.number, first.cause.text) == found["missing_field"][::-1]
