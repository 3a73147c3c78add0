"""How exports stand, wherever the page tells it: overview, health, what needs attention, finding a work order."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import insert, update

from exports.world import ExportWorld, line
from outsmart_sync.services import settings
from outsmart_sync.store.tables import mirror, record_log
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
        assert "1 work order needs a look" in shown, place
        assert "W2" in shown, place
        assert "2 Nov 2026" in shown, place
    assert "2 work orders are not done yet; work order W2 of 2 Nov 2026 waits longest." in page.get("").text


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
    assert f'aria-label="Sync and settings: {world.world.connection.label}"' in shown


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
    assert "1 change to do by hand in OutSmart" in page.get("").text
    assert "To do by hand" in page.get("health").text


def test_a_work_order_is_found_by_its_number_its_document_and_its_customer(page: Browser, world: ExportWorld) -> None:
    troubled(world)
    document = world.export("W1").remote_number
    for text in ("W1", "w1", document, "jansen"):
        assert ">W1</a>" in page.get("find", params={"text": text}).text, text
    assert ">W1</a>" not in page.get("find", params={"text": "nothing of it"}).text


@pytest.mark.parametrize(
    ("done", "one", "many"),
    [
        ("retried", "1 record is tried again", "1,234 records are tried again"),
        ("dismiss", "1 record was dismissed. It comes", "1,234 records were dismissed. They come"),
        ("hold", "1 record is on hold", "1,234 records are on hold"),
        ("release", "1 record was released; the next sync looks at it.", "1,234 records were released"),
    ],
)
def test_what_was_done_is_said_of_one_and_of_many(
    page: Browser, world: ExportWorld, done: str, one: str, many: str
) -> None:
    assert one in page.get("attention", params={"done": done, "number": 1}).text
    assert many in page.get("attention", params={"done": done, "number": 1234}).text


def test_the_records_of_a_cause_stand_under_what_they_share(page: Browser, world: ExportWorld) -> None:
    connection = world.world.connection
    settings.save(world.store, connection, {"relations": {"enabled": True}})
    with world.store.begin() as transaction:
        for number in ("1", "2"):
            transaction.execute(
                insert(mirror).values(
                    connection_id=connection.id,
                    record="relation",
                    provider_id=number,
                    code="",
                    code_key="",
                    state="rejected",
                    reason="missing_field",
                    detail="street, city",
                    first_run_id=1,
                    run_id=1,
                )
            )
    shown = page.get(f"attention/{connection.id}/relation/rejected", params={"reason": "missing_field"}).text
    assert "<h1>Relation \N{EN DASH} OutSmart needs: street, city.</h1>" in shown
    assert re.search(rf'<p class="muted">{re.escape(connection.label)} · 2 records</p>', shown)
    assert 'aria-label="Choose 2"' in shown
    assert "2 records need attention" in page.get("").text
    with world.store.begin() as transaction:
        transaction.execute(update(mirror).where(mirror.c.provider_id == "2").values(source_gone_at=world.store.now()))
    assert "1 record needs attention" in page.get("").text


@pytest.mark.parametrize(
    ("place", "title"),
    [
        ("", "Overview"),
        ("exports", "Work orders"),
        ("log", "What happened"),
        ("attention", "Needs attention"),
        ("find", "Find a record"),
        ("health", "Health"),
        ("alerts", "Alerts"),
    ],
)
def test_each_page_has_a_title_of_its_own(page: Browser, world: ExportWorld, place: str, title: str) -> None:
    shown = page.get(place).text
    assert f"<title>{title}</title>" in shown
    assert f"<h1>{title}</h1>" in shown
