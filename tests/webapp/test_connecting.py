"""Connecting on the page: a first time, again, and every way in which it does not go."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import delete

from exports.world import ExportWorld
from outsmart_sync.services import settings
from outsmart_sync.store import connections
from outsmart_sync.store.connections import State
from outsmart_sync.store.logins import attempt_owner
from outsmart_sync.store.tables import vault_secret
from sandbox.process import SandboxProcess
from support import MAIN, NORTH, SMALL, SOUTH, Rig, connection_environment, outsmart_connection
from webapp.conftest import Browser, PlayedAirflow
from webapp.logging_in import EXACT, VISMA, log_in, login_page, there_and_back

OTHER = "outsmart_other"
ARCHIVED = 2001007
"""A division that cannot be synced, as it is archived."""


@pytest.fixture
def other_account(exact: Rig, monkeypatch: pytest.MonkeyPatch) -> Rig:
    """A second OutSmart account beside that of the administration that is connected."""
    monkeypatch.setenv(f"AIRFLOW_CONN_{OTHER.upper()}", outsmart_connection(exact.vendors, SOUTH))
    return exact


def choose(page: Browser, number: int, administration: int, **more: str | list[str]) -> Any:
    return page.post(
        f"connections/{number}/setup", data={"administration": str(administration), "licence": "basic", **more}
    )


def active(rig: Rig) -> dict[str, str]:
    """Administration → OutSmart account, of what is connected."""
    return {each.administration: each.outsmart_account for each in connections.find(rig.store, state=State.ACTIVE)}


def test_a_connection_on_another_account_is_connected_again_with_that_account(
    page: Browser, other_account: Rig
) -> None:
    choose(page, log_in(page, account=OTHER), SMALL)
    (first,) = connections.find(other_account.store, administration=str(SMALL))
    page.post(f"connections/{first.id}/disconnect")
    for place in ("", f"connections/{first.id}"):
        assert f"connect/exact-online?again={first.id}" in page.get(place).text, place
    form = page.get("connect/exact-online", params={"again": first.id}).text
    assert f'value="{OTHER}"' in form
    assert re.search(r'value="nl" required checked', form)
    assert "Choose the same administration" in form
    number = log_in(page, again=str(first.id), account=OTHER)
    assert choose(page, number, SMALL).status_code == 303
    assert active(other_account) == {str(MAIN): "outsmart_default", str(SMALL): OTHER}
    assert connections.require(other_account.store, first.id).state is State.ACTIVE


def test_an_account_that_the_command_line_named_keeps_its_name_when_it_is_connected_again(
    page: Browser, other_account: Rig
) -> None:
    choose(page, log_in(page, account=OTHER), SMALL)
    (first,) = connections.find(other_account.store, administration=str(SMALL))
    with other_account.store.begin() as transaction:
        connections.change(transaction, first.id, outsmart_account="the branch")
    page.post(f"connections/{first.id}/disconnect")
    choose(page, log_in(page, again=str(first.id), account=OTHER), SMALL)
    assert active(other_account)[str(SMALL)] == "the branch"


def test_a_login_that_was_cancelled_is_begun_again_with_what_was_chosen(page: Browser, other_account: Rig) -> None:
    def cancel(vendor: Any, address: str) -> str:
        vendor.log_in(address)
        return str(vendor.cancel(address))

    answer = there_and_back(page, EXACT, cancel, country="be", account=OTHER)
    assert answer.status_code == 400
    assert "The login was cancelled" in answer.text
    assert f"connect%2Fexact-online%3Fcountry%3Dbe%26account%3D{OTHER}" in answer.text
    form = page.get("connect/exact-online", params={"country": "be", "account": OTHER}).text
    assert f'value="{OTHER}"' in form
    assert re.search(r'value="be" required checked', form)


def test_an_administration_of_another_country_is_told_before_it_is_saved(page: Browser, exact: Rig) -> None:
    number = log_in(page)
    shown = page.get(f"connections/{number}/setup", params={"administration": str(SMALL)}).text
    assert "You chose Netherlands, and this administration is in Belgium" in shown
    assert (
        "U koos"
        in page.get(
            f"connections/{number}/setup", params={"administration": str(SMALL)}, headers={"Accept-Language": "nl"}
        ).text
    )


def test_rights_that_the_user_lacks_are_named_with_the_category_that_needs_them(
    page: Browser, sqlite_store: Any, fresh_vendors: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    from outsmart_sync.webapp import opened

    for name, value in connection_environment(fresh_vendors, sqlite_store, NORTH).items():
        monkeypatch.setenv(name, value)
    rig = Rig(sqlite_store, fresh_vendors)
    monkeypatch.setattr(opened, "store", lambda: rig.store)
    monkeypatch.setattr(opened, "gateway", lambda: rig.gateway)
    number = log_in(page)
    fresh_vendors.control.change_scopes(remove=["Hrm payroll"])
    shown = page.get(f"connections/{number}/setup/rights", params={"administration": str(MAIN)}).text
    items = re.findall(r"<li>.*?</li>", shown, re.DOTALL)
    assert ["Hrm payroll" in item for item in items if "Employees" in item] == [True]
    assert [item for item in items if "Relations" in item and "not yet" in item] == []


def test_a_login_without_an_administration_says_so_and_how_to_go_on(page: Browser, exact: Rig) -> None:
    answer = there_and_back(page, EXACT, lambda vendor, address: vendor.consent(address, [ARCHIVED]), country="nl")
    found = re.search(r"connections%2F(\d+)%2Fsetup", answer.headers["Location"])
    assert found
    shown = page.get(f"connections/{found[1]}/setup").text
    assert "This login gives access to no administration." in shown
    assert f"connect/exact-online?again={found[1]}" in shown


@pytest.mark.parametrize("language", ["en", "nl", "pt"])
def test_a_second_administration_for_one_account_is_refused_without_a_command(
    page: Browser, exact: Rig, language: str
) -> None:
    number = log_in(page)
    page.headers["Accept-Language"] = language
    answer = choose(page, number, SMALL)
    assert answer.status_code == 422
    assert 'name="share"' in answer.text
    assert "outsmart-sync connect" not in answer.text
    assert "--" not in re.sub(r"<!--.*?-->", "", answer.text)
    assert choose(page, number, SMALL, share="on").status_code == 303


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "load this page again in a few minutes"), ("nl", "laad deze pagina over een paar minuten opnieuw")],
)
def test_a_login_that_an_outage_ended_halfway_is_finished_by_loading_the_page_again(
    page: Browser, exact: Rig, language: str, said: str
) -> None:
    page.headers["Accept-Language"] = language
    exact.vendors.control.add_fault("status", vendor="exact", path="current/Me", status=503, times=None)
    answer = there_and_back(page, EXACT, lambda vendor, address: vendor.consent(address), country="nl")
    exact.vendors.control.clear_faults()
    assert answer.status_code == 400
    assert said in answer.text
    assert "outsmart-sync connect" not in answer.text
    assert page.get(str(answer.url)).status_code == 303


def test_a_login_at_visma_carries_a_challenge_and_leaves_no_proof_behind(page: Browser, exact: Rig) -> None:
    asked = parse_qs(urlsplit(login_page(page.post(f"connect/{VISMA}", data={}))).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert len(asked["code_challenge"][0]) == 43
    answer = there_and_back(page, VISMA, lambda vendor, address: vendor.consent_visma(address, "leeg"))
    assert answer.status_code == 303, answer.text
    kept = {(each.owner, each.kind) for each in exact.rows(vault_secret) if each.kind == "proof"}
    assert kept == {(attempt_owner(asked["state"][0]), "proof")}  # of the one that was not finished


def test_a_login_at_visma_cannot_be_finished_without_the_proof_of_who_began_it(page: Browser, exact: Rig) -> None:
    def lose_the_proof(vendor: Any, address: str) -> str:
        back = str(vendor.consent_visma(address, "leeg"))
        with exact.store.begin() as transaction:
            transaction.execute(delete(vault_secret).where(vault_secret.c.kind == "proof"))
        return back

    refused = there_and_back(page, VISMA, lose_the_proof)
    assert refused.status_code == 400
    assert "Start the login again" in refused.text
    assert connections.find(exact.store, package="visma_eaccounting") == []


def test_nobody_connects_again_what_they_may_not_connect(page: Browser, exact: Rig, played: PlayedAirflow) -> None:
    (first,) = connections.find(exact.store)
    assert page.get(f"connect/{VISMA}", params={"again": first.id}).status_code == 404
    played.viewer()
    assert page.get("connect/exact-online", params={"again": first.id}).status_code == 403


CHOSEN = {
    "relations": {"enabled": True, "types": ["customer"]},
    "materials": {"enabled": True},
    "licence": "pro",
    "automatic": True,
}
"""Settings of an administration that is in use."""


def form_of(text: str) -> dict[str, str]:
    """What the checklist's form would send as it is shown."""
    licence = re.search(r'<option value="(\w+)" selected', text)
    ticked = re.findall(r'<input type="checkbox" name="([\w.]+)" checked', text)
    assert licence
    return {"licence": licence[1], **dict.fromkeys(ticked, "on")}


def shown_switches(text: str) -> list[str]:
    return re.findall(r'name="shown" value="([\w.]+)"', text)


@pytest.mark.parametrize("disconnected", [True, False])
def test_an_administration_that_is_connected_again_keeps_its_settings(
    page: Browser, exact: Rig, disconnected: bool
) -> None:
    (firm,) = connections.find(exact.store)
    settings.save(exact.store, firm, CHOSEN)
    before = settings.read(exact.store, firm)
    if disconnected:
        page.post(f"connections/{firm.id}/disconnect")
    number = log_in(page, again=str(firm.id))
    shown = page.get(f"connections/{number}/setup", params={"administration": str(MAIN)}).text
    assert ("Exports went off when it was disconnected" in shown) is disconnected
    form = form_of(shown)
    assert form == {"licence": "pro", "relations.enabled": "on", "materials.enabled": "on"}
    answer = choose(page, number, MAIN, **form, shown=shown_switches(shown))
    assert answer.headers["Location"].endswith(f"connections/{firm.id}?resumed=1")
    after = connections.require(exact.store, firm.id)
    assert after.state is State.ACTIVE
    assert settings.read(exact.store, after).as_document() == before.as_document()
    assert "goes on where it stopped, with the settings it had" in page.get(f"connections/{firm.id}?resumed=1").text


def test_disconnecting_tells_that_exports_go_off_where_they_are_on(page: Browser, world: ExportWorld) -> None:
    firm = world.world.connection
    assert "The export of work orders is switched off" in page.get(f"connections/{firm.id}/disconnect").text
    settings.save(world.store, firm, {"work_orders": {"enabled": False}})
    assert "The export of work orders" not in page.get(f"connections/{firm.id}/disconnect").text


def test_what_stays_off_after_saving_is_named_with_the_way_to_it(page: Browser, exact: Rig) -> None:
    (firm,) = connections.find(exact.store)
    shown = page.get(f"connections/{firm.id}?left=materials,nothing").text
    note = re.search(r"These stay off until.*?</div>", shown, re.DOTALL)
    assert note
    assert re.findall(r'href="#([\w-]+)">([^<]+)', note[0]) == [("materials-enabled", "Materials")]
    assert 'id="materials-enabled"' in shown


def test_a_new_connection_is_finished_before_anybody_was_given_its_view(
    page: Browser, exact: Rig, played: PlayedAirflow
) -> None:
    (firm,) = connections.find(exact.store)
    played.sees = lambda number: number in (None, firm.id)  # type: ignore[assignment]
    number = log_in(page)
    assert page.get(f"connections/{number}/setup").status_code == 200
    saved = choose(page, number, SMALL, share="on")
    assert saved.status_code == 403
    assert f"OutSmart Sync {number}" in saved.text
    assert connections.require(exact.store, number).state is State.ACTIVE
    assert page.get(f"connections/{number}").status_code == 404


def test_a_connection_that_somebody_may_not_see_is_neither_named_nor_taken_over(
    page: Browser, exact: Rig, played: PlayedAirflow
) -> None:
    (firm,) = connections.find(exact.store)
    settings.save(exact.store, firm, CHOSEN)
    before = settings.read(exact.store, firm)
    played.sees = lambda number: number != firm.id
    number = log_in(page)
    for answer in (
        page.get(f"connections/{number}/setup", params={"administration": str(MAIN)}),
        choose(page, number, MAIN, share="on"),
    ):
        assert answer.status_code == 403
        assert "you may not see that connection" in answer.text
    rights = page.get(f"connections/{number}/setup/rights", params={"administration": str(SMALL)}).text
    assert "is joined with another administration already" in rights
    refused = choose(page, number, SMALL)
    assert refused.status_code == 422
    for text in (rights, refused.text):
        assert firm.label not in text
    assert settings.read(exact.store, firm) == before
    assert connections.require(exact.store, firm.id).login_id == firm.login_id


def test_connecting_again_changes_nothing_that_the_person_may_not_change(
    page: Browser, exact: Rig, played: PlayedAirflow
) -> None:
    (firm,) = connections.find(exact.store)
    settings.save(exact.store, firm, CHOSEN)
    before = settings.read(exact.store, firm)
    number = log_in(page)
    played.may = lambda method, name: method == "GET" or "import" not in name  # who connects does not edit
    refused = choose(page, number, MAIN, **{"relations.enabled": "on"}, shown=["relations.enabled"])
    assert refused.status_code == 403  # the licence would have changed
    assert settings.read(exact.store, firm) == before
    form = {"licence": "pro", "relations.enabled": "on", "shown": ["relations.enabled"]}
    assert page.post(f"connections/{number}/setup", data={"administration": str(MAIN), **form}).status_code == 303
    assert settings.read(exact.store, firm).as_document() == before.as_document()


def test_the_checklist_switches_no_exports_on_whatever_a_form_says(page: Browser, exact: Rig) -> None:
    number = log_in(page)
    crafted = {"work_orders.enabled": "on", "relations.types": "friend"}
    assert choose(page, number, SMALL, share="on", **crafted, shown=list(crafted)).status_code == 303
    saved = settings.read(exact.store, connections.require(exact.store, number))
    assert saved.categories["work_orders"]["enabled"] is False


def test_a_licence_of_none_stays_when_it_is_connected_again(page: Browser, exact: Rig) -> None:
    (firm,) = connections.find(exact.store)
    settings.save(exact.store, firm, {"licence": "none"})
    number = log_in(page)
    shown = page.get(f"connections/{number}/setup", params={"administration": str(MAIN)}).text
    assert form_of(shown)["licence"] == "none"


def test_a_login_that_was_forgotten_is_no_administration_of_the_log(page: Browser, exact: Rig) -> None:
    (firm,) = connections.find(exact.store)
    page.post(f"connections/{log_in(page)}/forget")
    assert len(connections.find(exact.store)) == 2
    shown = page.get("log").text
    assert "<th>Administration</th>" not in shown
    assert "connection" not in re.sub(r"<[^>]+>", " ", shown).casefold()
    assert firm.label in page.get("").text


@pytest.mark.parametrize("address", ["log?connection=", "attention?connection=", "connect/exact-online?again="])
def test_a_number_of_thousands_of_digits_is_not_there(page: Browser, exact: Rig, address: str) -> None:
    assert page.get(address + "9" * 5_000).status_code == 404
