"""Somebody who is limited to one sync connection learns nothing of another, and changes nothing of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select

from outsmart_sync.services import history, settings
from outsmart_sync.store import connections
from outsmart_sync.store.connections import SyncConnection
from outsmart_sync.store.tables import metadata, mirror
from support import MAIN, SMALL, Rig
from webapp.conftest import Browser, PlayedAirflow
from webapp.places import FIELDS, of_connection


@dataclass
class Two:
    """One connection that the person sees, and one that they do not."""

    rig: Rig
    seen: SyncConnection
    hidden: SyncConnection

    def content(self) -> dict[str, list[Any]]:
        """All that the store holds, but for what every look may touch."""
        with self.rig.store.read() as transaction:
            return {
                table.name: [tuple(row) for row in transaction.execute(select(table))]
                for table in metadata.sorted_tables
                if table.name not in ("lease", "call_budget")
            }


@pytest.fixture
def two(exact: Rig, played: PlayedAirflow) -> Two:
    """Both have been synced; from here on, only one of them is seen."""
    (seen,) = connections.find(exact.store, administration=str(MAIN))
    hidden = exact.connect(SMALL, relations={"enabled": True})
    exact.sync("relations")
    settings.save(exact.store, seen, {"relations": {"enabled": True}})
    played.sees = lambda number: number == seen.id
    return Two(exact, seen, hidden)


def test_every_address_of_a_hidden_connection_is_not_there_and_changes_nothing(
    page: Browser, two: Two, played: PlayedAirflow
) -> None:
    addresses = of_connection(two.hidden.id)
    assert len(addresses) > 25
    (row, *_) = two.rig.rows(mirror, connection_id=two.hidden.id)
    fields = FIELDS | {"record": [str(row.id)] if row else "relation"}
    before = two.content()
    for method, address in addresses:
        for sent in (FIELDS, fields):
            answer = page.request(
                method, address, params=FIELDS if method == "GET" else None, data=sent if method == "POST" else None
            )
            assert answer.status_code == 404, (method, address)
            assert two.hidden.label not in answer.text, (method, address)
            assert "There is no such page" in answer.text, (method, address)
    assert two.content() == before
    assert played.triggered == played.unpaused == []


def test_the_same_addresses_are_there_for_the_connection_that_is_seen(page: Browser, two: Two) -> None:
    found = {address: page.get(address, params=FIELDS).status_code for method, address in of_connection(two.seen.id)
             if method == "GET"}  # fmt: skip
    missing = {address.removeprefix(f"connections/{two.seen.id}/") for address, code in found.items() if code == 404}
    # There is no preview, no such start date and no such work order; rules are of exports.
    assert missing == {
        "report/relations/create",
        "start-count/relations",
        f"exports/{two.seen.id}/1",
    }


def test_what_belongs_to_a_hidden_connection_is_not_there_by_its_own_number_either(page: Browser, two: Two) -> None:
    (row, *_) = two.rig.rows(mirror, connection_id=two.hidden.id)
    (mine, *_) = history.latest_runs(two.rig.store, 1, connection_ids=[two.hidden.id])
    for method, address in (
        ("GET", f"record/{row.id}"),
        ("POST", f"record/{row.id}/link"),
        ("GET", f"runs/{mine.run_id}"),
        ("GET", f"log?connection={two.hidden.id}"),
        ("GET", f"log.csv?connection={two.hidden.id}"),
        ("GET", f"exports?connection={two.hidden.id}"),
        ("GET", f"connect/exact-online?again={two.hidden.id}"),
    ):
        answer = page.request(method, address, data={"outsmart_code": ""} if method == "POST" else None)
        assert answer.status_code == 404, address
        assert two.hidden.label not in answer.text, address


def test_pages_about_all_connections_leave_it_out(page: Browser, two: Two) -> None:
    (row, *_) = two.rig.rows(mirror, connection_id=two.hidden.id)
    for address in ("", "exports", "log", "log.csv", "attention", f"attention?connection={two.hidden.id}", "health",
                    "alerts", f"find?text={row.code}"):  # fmt: skip
        answer = page.get(address)
        assert answer.status_code == 200, address
        assert two.hidden.label not in answer.text, address
    assert two.seen.label in page.get("").text


def test_a_record_of_a_hidden_connection_is_not_decided_about_through_another_one(page: Browser, two: Two) -> None:
    (row, *_) = two.rig.rows(mirror, connection_id=two.hidden.id, record="relation")
    before = two.content()
    for action in ("hold", "release", "dismiss", "retry"):
        page.post(f"records/{two.seen.id}", data={"action": action, "record": [str(row.id)], "back": "log"})
    assert two.content() == before
