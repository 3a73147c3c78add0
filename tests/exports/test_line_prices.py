"""Prices of lines that a package could keep as something else: they stop the work order, and say so."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from exports.world import ExportWorld
from outsmart_sync.records.export_document import Entity, Known

PERIOD = {"WorkDate": "05-11-2026", "BeginTime": "08:00", "EndTime": "09:00", "HourType": "H1", "Travel": "12"}


@pytest.fixture
def travelling(exporting: ExportWorld) -> ExportWorld:
    """Travel is billed by an article of its own."""
    exporting.save(travel_material="KM", hours=False)
    return exporting


def payer(world: ExportWorld, **facts: Any) -> None:
    """What the package says of the customer."""
    known = next(each for code, each in world.books._records(Entity.CUSTOMER) if code == "100")
    world.books._db.execute("DELETE FROM record WHERE id = ?", (known.remote_id,))
    world.books.put_record(Entity.CUSTOMER, "100", replace(known, **facts))


def travel_of(world: ExportWorld) -> list[Any]:
    return [line for document in world.books.documents() for line in document.lines if line.kind == "travel"]


def test_travel_bears_what_holds_for_who_pays(travelling: ExportWorld) -> None:
    payer(travelling, reverse_charge=True)
    travelling.books.put_record(Entity.ARTICLE, "KM", Known(remote_id="km", code="KM", price=Decimal("0.35")))
    travelling.work_order("W1", {}, Workperiods=[PERIOD])
    travelling.run()
    assert travelling.state("W1") == ("done", "")
    assert [line.reverse_charge for line in travel_of(travelling)] == [True]


def test_travel_with_an_article_that_takes_no_documents_waits_and_says_why(travelling: ExportWorld) -> None:
    known = Known(remote_id="km", code="KM", title="Travel", blocked="it has ended")
    travelling.books.put_record(Entity.ARTICLE, "KM", known)
    travelling.work_order("W1", {}, Workperiods=[PERIOD])
    travelling.run()
    assert travelling.state("W1") == ("failed", "blocked_record")
    assert "it has ended" in travelling.export("W1").cause


def test_travel_without_a_price_in_outsmart_has_the_package_s_own_and_is_compared(travelling: ExportWorld) -> None:
    travelling.books.put_record(Entity.ARTICLE, "KM", Known(remote_id="km", code="KM", price=Decimal("0.35")))
    travelling.gateway.changes = {"extra": Decimal(3)}
    travelling.work_order("W1", {}, Workperiods=[PERIOD])
    travelling.run()
    (line,) = travel_of(travelling)
    assert (line.price, line.amount) == (Decimal("0.35"), Decimal("4.20"))
    assert travelling.state("W1") == ("differs", "total")


def test_travel_without_any_price_waits_and_says_why(travelling: ExportWorld) -> None:
    travelling.books.put_record(Entity.ARTICLE, "KM", Known(remote_id="km", code="KM"))
    travelling.work_order("W1", {}, Workperiods=[PERIOD])
    travelling.run()
    assert travelling.state("W1") == ("failed", "no_travel_price")
    assert travelling.books.documents() == []


@pytest.mark.parametrize(
    ("quantity", "price", "state"),
    [("1000", "0,125", ("failed", "price_rounded")), ("1", "0,125", ("done", "")), ("1000", "0,13", ("done", ""))],
    ids=["five euros off", "half a cent off", "nothing off"],
)
def test_a_price_that_the_package_cannot_keep_is_not_billed_as_another_one(
    exporting: ExportWorld, quantity: str, price: str, state: tuple[str, str]
) -> None:
    exporting.save(document="sales_invoice")
    exporting.work_order("W1", {"quantity": quantity, "price": price})
    exporting.run()
    assert exporting.state("W1") == state
    if state[0] == "failed":
        assert "comes to 125.00, but" in exporting.export("W1").cause
        assert "which comes to 130.00" in exporting.export("W1").cause
        assert exporting.books.documents() == []
    else:
        assert exporting.books.documents()[0].total == Decimal(quantity) * Decimal(price.replace(",", ".")).quantize(
            Decimal("0.01"), "ROUND_HALF_UP"
        )
