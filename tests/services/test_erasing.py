"""What is stored of an administration's people is removed on request, and nothing of anybody else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from outsmart_sync.errors import Busy, InvalidSettings
from outsmart_sync.services import connect, erasing, planning
from outsmart_sync.store import connections, leases
from outsmart_sync.store.store import Store
from outsmart_sync.store.tables import ledger, login, metadata, mirror
from support import SMALL, Rig

ORDERS = {"relations": {"enabled": True}, "sales_orders": {"enabled": True, "start_date": "2025-01-01"}}


def everything(store: Store) -> str:
    """All text that the store holds."""
    with store.read() as transaction:
        return "\n".join(str(row) for table in metadata.sorted_tables for row in transaction.execute(select(table)))


def test_nothing_of_its_people_stays_and_nothing_of_others_goes(rig: Rig) -> None:
    chosen = {"relations": {"enabled": True}}
    gone, stays = rig.connect(SMALL, **chosen), rig.connect(2001003, **chosen)
    rig.sync("relations")
    names = {row.title for row in rig.rows(mirror, connection_id=gone.id) if row.title}
    others = {row.title for row in rig.rows(mirror, connection_id=stays.id) if row.title}
    kept = len(rig.rows(mirror, connection_id=stays.id))
    assert len(names - others) > 3
    connect.disconnect(rig.store, gone)
    removed = erasing.erase(rig.store, connections.require(rig.store, gone.id))
    assert removed.rows["records"] > 3
    text = everything(rig.store)
    assert [name for name in names - others if name in text] == []
    assert gone.administration_name not in text
    assert len(rig.rows(mirror, connection_id=stays.id)) == kept
    assert len(rig.rows(login)) == 1  # the other administration is the same person's
    rig.sync("relations")
    connect.disconnect(rig.store, stays)
    erasing.erase(rig.store, connections.require(rig.store, stays.id))
    assert rig.rows(login) == []
    assert "Dana" not in everything(rig.store)


def test_the_same_administration_can_be_connected_again_and_makes_no_document_twice(rig: Rig) -> None:
    connection = rig.connect(2001001, licence="pro", **ORDERS)
    rig.sync()
    made = len(rig.vendors.control.outsmart_records("north", "workorders"))
    lines = len(rig.rows(ledger))
    assert lines
    connect.disconnect(rig.store, connection)
    removed = erasing.erase(rig.store, connections.require(rig.store, connection.id))
    assert (removed.kept, len(rig.rows(ledger))) == (lines, lines)
    again = rig.connect(2001001, licence="pro", **ORDERS)
    assert again.id == connection.id
    rig.sync()
    assert len(rig.vendors.control.outsmart_records("north", "workorders")) == made


def test_a_connected_one_is_not_erased(rig: Rig) -> None:
    connection = rig.connect(SMALL)
    with pytest.raises(InvalidSettings, match="outsmart-sync disconnect 1"):
        erasing.erase(rig.store, connection)


@pytest.mark.parametrize("direction", [planning.IMPORT, planning.EXPORT])
def test_nor_one_that_a_step_is_still_at_work_on(sqlite_rig: Rig, direction: str) -> None:
    connection = sqlite_rig.connect(SMALL)
    connect.disconnect(sqlite_rig.store, connection)
    names = {
        planning.IMPORT: planning.lease_name(connection.id, "relations"),
        planning.EXPORT: planning.export_lease_name(connection.outsmart_account, "work_orders"),
    }
    leases.claim(sqlite_rig.store, names[direction], "run:9", timedelta(minutes=5))
    with pytest.raises(Busy):
        erasing.erase(sqlite_rig.store, connections.require(sqlite_rig.store, connection.id))
    leases.release(sqlite_rig.store, names[direction], "run:9")
    for other in (planning.lease_name(connection.id + 10, "relations"), planning.export_lease_name("south", "x")):
        leases.claim(sqlite_rig.store, other, "run:9", timedelta(minutes=5))
    erasing.erase(sqlite_rig.store, connections.require(sqlite_rig.store, connection.id))
