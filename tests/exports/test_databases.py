"""The whole way once on each database: what is sent, what is not, and what a person says about it."""

from __future__ import annotations

from exports.test_flow import Script
from exports.world import ExportWorld
from outsmart_sync.records.export_document import InvoiceState
from outsmart_sync.services import export_decisions as decisions
from outsmart_sync.services import exports, settings


def test_a_document_a_lost_answer_a_hold_and_an_invoice(exporting_anywhere: ExportWorld) -> None:
    world = exporting_anywhere
    settings.save(world.store, world.world.connection, {"invoice_status": {"enabled": True, "paid_status": "P"}})
    world.save(create_materials=True)
    world.gateway.trouble = Script("", "", "lost after")
    world.work_order("W1", {"code": "NEW", "quantity": "3", "price": "0,35"})
    world.work_order("W2", {})
    world.work_order("W3", {}, PaymentMethod="contant voldaan")
    world.run(preview=True)
    assert exports.listed(world.store) == []
    world.run()
    assert [world.state(number)[0] for number in ("W1", "W2", "W3")] == ["done", "uncertain", "held"]
    decisions.release(world.store, "W3")
    world.run()
    assert [world.state(number)[0] for number in ("W1", "W2", "W3")] == ["done", "done", "done"]
    world.books.put_state(InvoiceState(document=world.export("W1").remote_id, invoice="i", number="7", booked=True))
    world.books.put_state(InvoiceState(invoice="i", paid=True))
    world.run(categories=("invoice_status",))
    assert (world.export("W1").invoice_number, world.export("W1").paid) == ("7", True)
    assert len(world.books.documents()) == 3
    (found,) = exports.show(world.store, "W2")
    assert [event.event for event in found[1]] == ["uncertain", "exported"]
