"""How exports stand, wherever the page tells it: overview, health, what needs attention, finding a work order."""

from __future__ import annotations

from sqlalchemy import insert

from exports.world import ExportWorld, line
from outsmart_sync.store.tables import record_log
from webapp.conftest import Browser, PlayedAirflow


def troubled(world: ExportWorld) -> None:
    world.work_order("W1", line())
    world.run()
    world.work_order("W3", line("NOPE"), WorkEndDate="05-11-2026")
    world.work_order("W2", line(), WorkEndDate="02-11-2026", PaymentMethod="contant voldaan")
    world.run()


def test_the_overview_and_health_name_the_work_order_that_waits_longest(page: Browser, world: ExportWorld) -> None:
    troubled(world)
    for place in ("", "health"):
        shown = page.get(place).text
        assert "1 work orders need a look" in shown, place
        assert "W2" in shown, place
        assert "2 Nov 2026" in shown, place


def test_the_overview_says_that_the_export_is_paused(page: Browser, world: ExportWorld, played: PlayedAirflow) -> None:
    assert "no work order is exported" not in page.get("").text
    played.paused.add("exact_online_export")
    assert "The DAG exact_online_export is paused in Airflow: no work order is exported by itself." in page.get("").text
    world.save(enabled=False)
    assert "no work order is exported" not in page.get("").text


def test_links_say_what_they_connect_and_open(page: Browser, world: ExportWorld) -> None:
    shown = page.get("").text
    assert "Connect VISMA eAccounting" in shown
    assert 'aria-label="Connect another administration of Exact Online"' in shown
    assert f'aria-label="Show: {world.world.connection.label}"' in shown


def test_what_needs_attention_names_work_orders_by_cause(page: Browser, world: ExportWorld) -> None:
    troubled(world)
    shown = page.get("attention").text
    assert "does not have" in shown
    assert "contant voldaan" in shown
    assert "state=failed" in shown
    assert "outsmart-sync export" not in shown


def test_what_is_to_be_done_by_hand_is_listed(page: Browser, world: ExportWorld) -> None:
    with world.store.begin() as transaction:
        transaction.execute(
            insert(record_log).values(
                connection_id=world.world.connection.id,
                run_id=1,
                category="sales_orders",
                record="sales_order",
                provider_id="1",
                code="SO1",
                event="order_cancelled",
                reason="order_cancelled",
                detail="",
                at=world.store.now(),
            )
        )
    shown = page.get("attention").text
    assert "To do by hand" in shown
    assert "SO1" in shown
    assert "1 changes to do by hand in OutSmart" in page.get("").text
    assert "To do by hand" in page.get("health").text


def test_a_work_order_is_found_by_its_number_its_document_and_its_customer(page: Browser, world: ExportWorld) -> None:
    troubled(world)
    document = world.export("W1").remote_number
    for text in ("W1", "w1", document, "jansen"):
        assert ">W1</a>" in page.get("find", params={"text": text}).text, text
    assert ">W1</a>" not in page.get("find", params={"text": "nothing of it"}).text
