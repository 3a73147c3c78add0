"""A work order that has an order's number in OutSmart is not taken for that order's where it is clearly another one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import delete

from outsmart_sync.store.tables import ledger, mirror
from pipeline.world import World
from support import SMALL

ORDERS = "salesorder/SalesOrders"
SALES_ORDERS, RELATIONS = "sales_orders", "relations"
ON = {"licence": "pro", RELATIONS: {"enabled": True}, SALES_ORDERS: {"enabled": True}}


@pytest.fixture
def orders(sqlite_world: World) -> World:
    sqlite_world.settings(**ON)
    return sqlite_world


class Other:
    """A second administration that delivers into the same OutSmart account."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.connection = world.rig.connect(SMALL, **ON)
        self.made: list[tuple[str, str]] = []

    def add(self, resource: str, **values: Any) -> str:
        (row,) = self.world.control.add_exact(SMALL, resource, values)
        self.made.append((resource, str(row)))
        return str(row)

    def account(self, code: str) -> str:
        place = {"AddressLine1": "Dorp 1", "Postcode": "9999 XX", "City": "Assen"}
        return self.add("crm/Accounts", Code=code, Name=f"Other {code}", Status="C", **place)

    def import_(self, **options: Any) -> Any:
        found = self.world.rig.sync(RELATIONS, SALES_ORDERS, connection=self.connection.id, **options)
        assert {each.error_code for each in found.values()} == {""}
        return found[SALES_ORDERS].counts


@pytest.fixture
def other(orders: World) -> Iterator[Other]:
    made = Other(orders)
    yield made
    for resource, row in reversed(made.made):
        orders.control.delete_exact(SMALL, resource, row)


def kept(other: Other) -> tuple[str, str | None]:
    (row,) = (
        row for row in other.world.rows(mirror, connection_id=other.connection.id, code="SO-1") if row.provider_id
    )
    return row.state, row.reason


@pytest.mark.parametrize("when", ["ours is read with the account", "ours is made later", "the ledger was lost"])
def test_the_number_of_another_administrations_work_order_is_held(orders: World, other: Other, when: str) -> None:
    if when == "ours is made later":
        other.import_()
    ours = orders.order(orders.account("100"), OrderNumber=1)
    orders.counts(RELATIONS)
    assert orders.counts(SALES_ORDERS).created == 1
    if when == "the ledger was lost":
        with orders.store.begin() as connection:
            connection.execute(delete(ledger))
    theirs = other.add(ORDERS, OrderedBy=other.account("200"), OrderNumber=1)
    assert other.import_().held == 1
    assert kept(other) == ("held", "other_document")
    other.import_()
    assert other.import_().held == 0, "what is held is not judged again while nothing has changed"
    assert kept(other) == ("held", "other_document")
    orders.control.change_exact(SMALL, ORDERS, theirs, DeliveryDate="2026-12-24T00:00:00")
    other.import_()
    other.import_(full=True)
    assert kept(other) == ("held", "other_document")
    (only,) = orders.work_orders()
    assert (only["CustomerDebtorNr"], only["status"]) == ("100", "Klaargezet")
    assert only["WorkDate"] != "24-12-2026"
    assert orders.order_number(ours) == "SO-1"


def test_it_is_made_once_the_other_one_is_gone(orders: World, other: Other) -> None:
    orders.by_hand("workorders", WorkorderNo="SO-1", CustomerDebtorNr="300", CustomerName="Bakker")
    orders.order(orders.account("100"), OrderNumber=1)
    orders.counts(RELATIONS)
    assert orders.counts(SALES_ORDERS).held == 1
    assert orders.states("sales_order")["SO-1"] in {("held", "other_document"), ("outsmart", None)}
    orders.remove_by_hand("workorders", "SO-1")
    assert orders.counts(SALES_ORDERS, full=True).created == 1
    assert [each["CustomerDebtorNr"] for each in orders.work_orders()] == ["100"]
