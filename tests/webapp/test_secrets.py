"""No token and no secret is in anything that the page answers."""

from __future__ import annotations

from typing import Any

from outsmart_sync.store import connections
from outsmart_sync.store.tables import mirror, run
from outsmart_sync.store.tokens import TOKENS, login_owner
from outsmart_sync.store.vault import Vault
from sandbox.fixed_world import APP
from support import NORTH, SMALL, Rig
from webapp.conftest import Browser, PlayedAirflow
from webapp.logging_in import EXACT, log_in, there_and_back
from webapp.places import FIELDS, places


def said(answer: Any) -> str:
    """All that an answer says, its headers as well."""
    return answer.text + "\n".join(f"{name}: {value}" for name, value in answer.headers.items())


def secrets_of(rig: Rig) -> set[str]:
    """Tokens of every login, and what the connections to the vendors keep to themselves."""
    found = {APP.client_secret, NORTH.token, NORTH.software_token}
    for each in connections.find(rig.store):
        kept = Vault(rig.store).read(login_owner(each.login_id), TOKENS) if each.login_id else None
        if kept is not None:
            found |= {kept.values[name] for name in ("access", "refresh")}
    return found


def test_no_address_of_the_page_tells_a_token(page: Browser, exact: Rig, played: PlayedAirflow) -> None:
    (active,) = connections.find(exact.store)
    from outsmart_sync.services import settings

    settings.save(exact.store, active, {"relations": {"enabled": True}})
    exact.sync("relations")
    pending = log_in(page)
    (row, *_), (ran, *_) = exact.rows(mirror), exact.rows(run)
    told = secrets_of(exact)
    assert len(told) >= 5
    asked = 0
    for number in (active.id, pending):
        for method, address in places(connection_id=number, number=row.id, run_id=ran.id):
            if method != "GET":
                continue
            for params in ({}, FIELDS | {"administration": str(SMALL)}):
                answer = page.get(address, params=params)
                asked += answer.status_code == 200
                assert [each for each in told | secrets_of(exact) if each in said(answer)] == [], address
    assert asked > 40


def test_neither_does_an_answer_of_the_login_itself(page: Browser, exact: Rig) -> None:
    begun = page.post(f"connect/{EXACT}", data={"country": "nl"})
    assert APP.client_secret not in said(begun)
    answer = there_and_back(page, EXACT, lambda vendor, address: vendor.consent(address), country="nl")
    assert [each for each in secrets_of(exact) if each in said(answer)] == []


def test_what_went_wrong_at_the_login_tells_none_either(page: Browser, exact: Rig) -> None:
    exact.vendors.control.add_fault("status", status=500, path="/api/oauth2/token", times=1)
    answer = there_and_back(page, EXACT, lambda vendor, address: vendor.consent(address), country="nl")
    exact.vendors.control.clear_faults()
    assert answer.status_code == 400
    assert [each for each in secrets_of(exact) if each in said(answer)] == []
