"""Links into both packages: from a record, and from a work order."""

from __future__ import annotations

import html
import json
import os
import re
from collections.abc import Callable

import pytest
import requests
from sqlalchemy import select

from exports.world import ExportWorld
from outsmart_sync.records.exchange import WebPage
from outsmart_sync.services import history, settings, web_pages
from outsmart_sync.store import connections
from outsmart_sync.store.tables import mirror
from pipeline.world import World
from support import Rig
from webapp.conftest import Browser

LINK = re.compile(r'<a class="button" href="([^"]+)" target="_blank" rel="noopener noreferrer">([^<]+)')


def links(text: str) -> dict[str, str]:
    """What each link says → where it leads."""
    return {said.strip(): html.unescape(address) for address, said in LINK.findall(text)}


@pytest.fixture
def relation(exact: Rig) -> int:
    """A relation that was imported; its number in the mirror."""
    (firm,) = connections.find(exact.store)
    settings.save(exact.store, firm, {"relations": {"enabled": True}})
    exact.sync("relations")
    query = select(mirror.c.id).where(mirror.c.record == "relation", mirror.c.state == "synced")
    with exact.store.read() as transaction:
        return int(transaction.execute(query.where(mirror.c.provider_id.is_not(None))).scalars().first() or 0)


def test_a_relation_opens_in_exact_online_and_leads_to_outsmart(exact: Rig, relation: int, page: Browser) -> None:
    found = links(page.get(f"record/{relation}").text)
    assert set(found) == {"Open in Exact Online", "To OutSmart"}
    card = requests.get(found["Open in Exact Online"], timeout=10)
    (row,) = exact.rows(mirror, id=relation)
    assert card.status_code == 200
    assert row.title in html.unescape(card.text)
    assert requests.get(found["To OutSmart"], timeout=10).status_code == 200


def test_a_side_whose_connection_is_not_in_order_has_no_link(
    relation: int, page: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "AIRFLOW_CONN_EXACT_ONLINE_DEFAULT"
    kept = json.loads(os.environ[name])
    kept["extra"]["web_pages"] = {"relation": "{nothing}"}
    monkeypatch.setenv(name, json.dumps(kept))
    assert set(links(page.get(f"record/{relation}").text)) == {"To OutSmart"}


def test_a_work_order_opens_in_outsmart_and_its_package_is_near(
    world: ExportWorld, page: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.work_order("W-1")
    world.run()
    order = world.export("W-1")
    host = json.dumps({"conn_type": "outsmart", "host": world.gateway.outsmart_url, "password": "x"})
    monkeypatch.setenv(f"AIRFLOW_CONN_{world.world.connection.outsmart_conn_id.upper()}", host)
    found = links(page.get(f"exports/{order.connection_id}/{order.row_id}").text)
    assert found["To Exact Online"] == "https://books.example/invoice/"
    answer = requests.get(found["Open in OutSmart"], timeout=10)
    assert answer.status_code == 200
    assert "Work order W-1" in answer.text


@pytest.fixture
def imported(sqlite_world: World) -> Callable[[str], dict[str, WebPage]]:
    """The pages of the one record of a type, once it is imported."""

    def pages(record: str) -> dict[str, WebPage]:
        (row,) = sqlite_world.rows(mirror, record=record)
        found = history.record_of(sqlite_world.store, row.id)
        assert found
        return dict(web_pages.of_record(sqlite_world.gateway, sqlite_world.connection, found))

    return pages


def test_an_imported_order_opens_as_the_work_order_that_it_became(
    sqlite_world: World, imported: Callable[[str], dict[str, WebPage]]
) -> None:
    sqlite_world.settings(licence="pro", sales_orders={"enabled": True})
    customer = sqlite_world.account("100", Email="office@example.com")
    sqlite_world.counts("relations")
    sqlite_world.order(customer, Description="New boiler")
    assert sqlite_world.counts("sales_orders").created == 1
    (work_order,) = sqlite_world.work_orders()
    page = imported("sales_order")["OutSmart"]
    assert page.of_record
    answer = requests.get(page.address, timeout=10)
    assert f"Work order {work_order['WorkorderNo']}" in answer.text


def test_a_payment_leads_to_outsmart_and_to_no_work_order_of_its_number(
    sqlite_world: World, imported: Callable[[str], dict[str, WebPage]]
) -> None:
    sqlite_world.settings(payment_transactions={"enabled": True})
    customer = sqlite_world.account("100")
    sqlite_world.invoice(7, "100")
    sqlite_world.pay(sqlite_world.term(customer, 7))
    assert sqlite_world.counts("payment_transactions").created == 1
    found = imported("payment")
    assert not found["OutSmart"].of_record
    assert requests.get(found["OutSmart"].address, timeout=10).status_code == 200
