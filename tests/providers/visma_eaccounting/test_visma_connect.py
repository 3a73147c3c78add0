"""Connecting to VISMA: the company is chosen on its page, and looked at before anything is read."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from outsmart_sync.errors import AccessDenied, InvalidSettings, LoginExpired, NotConfigured, SyncError
from outsmart_sync.services import connect, login, planning, settings
from outsmart_sync.store import connections
from outsmart_sync.store.connections import State
from outsmart_sync.store.tables import sync_connection, vault_secret
from sandbox.fixed_world import VISMA_COMPANIES
from support import Rig


def refusal(rig: Rig, company: str) -> SyncError:
    with pytest.raises(SyncError) as caught:
        rig.log_in_to_visma(company)
    return caught.value


def test_the_login_page_is_asked_for_a_choice_of_companies(sqlite_visma: Rig) -> None:
    started = login.start(sqlite_visma.store, sqlite_visma.gateway, "visma-eaccounting", country="")
    query = parse_qs(urlsplit(started.address).query)
    assert query["scope"] == ["ea:api offline_access ea:sales"]
    assert query["prompt"] == ["login select_account"]
    assert query["acr_values"] == ["service:44643EB1-3F76-4C1C-A672-402AE8085934 forceselectcompany:true"]
    assert query["response_type"] == ["code"]
    assert query["state"] == [started.state]


def test_a_company_is_connected_with_its_own_id_currency_and_licence(visma: Rig) -> None:
    done = visma.log_in_to_visma("gavle")
    (offered,) = done.administrations
    assert (offered.code, offered.country, offered.currency) == (VISMA_COMPANIES["gavle"].id, "se", "SEK")
    assert offered.notes == (
        "Product variant Standard.",
        "Price lists are in the variant Pro only: price agreements cannot be imported.",
    )
    chosen = connect.choose_administration(visma.store, visma.gateway, done.connection, offered.code)
    assert (chosen.state, chosen.country, chosen.currency) == (State.ACTIVE, "", "SEK")
    assert chosen.administration_name == "Rörservice i Gävle AB sandbox"
    assert settings.read(visma.store, chosen).licence == "active"
    off = settings.save(visma.store, chosen, {"licence": "none", "customers": {"enabled": "false"}})
    assert off.licence == "none"


@pytest.mark.parametrize(
    ("company", "error", "code", "what", "remedy"),
    [
        ("jansen", AccessDenied, "start_guide", "start guide", "finish the guide"),
        ("kamer", AccessDenied, "api_module_missing", "not open to integrations", "Apps and extensions"),
        ("licentie", AccessDenied, "licence_agreement", "licence agreement", "accept the agreement"),
        ("echt", NotConfigured, "sandbox_client", "real company", "production registration"),
    ],
)
def test_what_stands_in_the_way_has_its_own_sentence_and_remedy(
    sqlite_visma: Rig, company: str, error: type[SyncError], code: str, what: str, remedy: str
) -> None:
    found = refusal(sqlite_visma, company)
    assert (type(found), found.code) == (error, code)
    assert what in found.what
    assert remedy in found.remedy
    assert sqlite_visma.rows(sync_connection) == []


def test_a_company_that_is_not_active_cannot_be_connected_and_a_read_only_one_says_so(sqlite_visma: Rig) -> None:
    sqlite_visma.vendors.control.change_visma_standing("leeg", status=0)
    assert refusal(sqlite_visma, "leeg").code == "company_inactive"
    sqlite_visma.vendors.control.change_visma_standing("leeg", status=2)
    (offered,) = sqlite_visma.log_in_to_visma("leeg").administrations
    assert "read-only" in " ".join(offered.notes)


def test_what_a_variant_or_module_lacks_is_said_before_the_company_is_fixed(sqlite_visma: Rig) -> None:
    solo, invoicing = (sqlite_visma.log_in_to_visma(name).administrations[0] for name in ("bakker", "zonnig"))
    assert "no projects and orders" in " ".join(solo.notes)
    assert "Quote & Order" in " ".join(invoicing.notes)


@pytest.mark.parametrize(
    ("company", "category", "code"),
    [
        ("bakker", "projects", "variant"),
        ("bakker", "sales_orders", "variant"),
        ("zonnig", "sales_orders", "order_module_missing"),
    ],
)
def test_a_category_that_the_variant_or_module_lacks_says_so_and_leaves_the_others_alone(
    sqlite_visma: Rig, company: str, category: str, code: str
) -> None:
    sqlite_visma.connect_visma(company, customers={"enabled": True}, **{category: {"enabled": True}})
    done = sqlite_visma.sync(package="visma_eaccounting")
    assert done[category].error_code == code
    assert "Switch" in done[category].error_text
    assert done["customers"].state == "done"


def test_a_login_for_another_company_takes_nothing_from_the_first_one(sqlite_visma: Rig) -> None:
    first = sqlite_visma.connect_visma("leeg", customers={"enabled": True})
    second = sqlite_visma.log_in_to_visma("gavle")
    assert second.connection.id != first.id
    with pytest.raises(InvalidSettings) as wrong:
        connect.choose_administration(
            sqlite_visma.store, sqlite_visma.gateway, second.connection, VISMA_COMPANIES["leeg"].id
        )
    assert wrong.value.code == "unknown_administration"
    assert "Rörservice i Gävle AB" in wrong.value.remedy
    assert sqlite_visma.sync(package="visma_eaccounting")["customers"].state != "failed"


def test_an_expired_company_waits_for_its_own_login_and_is_named(sqlite_visma: Rig) -> None:
    first = sqlite_visma.connect_visma("leeg", customers={"enabled": True})
    login.lost(sqlite_visma.store, first, LoginExpired("gone"))
    other = sqlite_visma.log_in_to_visma("gavle")
    assert ([each.id for each in other.waiting], other.revived) == ([first.id], [])
    again = sqlite_visma.log_in_to_visma("leeg")
    assert ([each.id for each in again.revived], again.waiting) == ([first.id], [])


def test_a_login_that_is_for_another_company_now_stops_the_import(sqlite_visma: Rig) -> None:
    connection = sqlite_visma.connect_visma("leeg", customers={"enabled": True})
    with sqlite_visma.store.begin() as transaction:
        connections.change(transaction, connection.id, administration=VISMA_COMPANIES["gavle"].id)
    done = sqlite_visma.sync(package="visma_eaccounting")["customers"]
    assert done.error_code == "other_company"
    assert "Nieuwe administratie" in done.error_text
    assert "choose the right company" in done.error_text


def test_a_disconnected_login_is_revoked_at_visma_unless_it_is_used_elsewhere(visma: Rig) -> None:
    connection = visma.connect_visma("leeg")
    connect.disconnect(visma.store, connection, visma.gateway)
    assert visma.vendors.control.visma_token_calls()["outcomes"]["revocation 200 revoked"] == 1
    assert visma.rows(vault_secret) == []


def test_a_login_that_cannot_be_revoked_is_forgotten_all_the_same(sqlite_visma: Rig) -> None:
    connection = sqlite_visma.connect_visma("leeg")
    sqlite_visma.vendors.control.add_fault("status", vendor="visma", path="revocation", status=503)
    connect.disconnect(sqlite_visma.store, connection, sqlite_visma.gateway)
    assert connections.require(sqlite_visma.store, connection.id).state is State.DISCONNECTED
    assert sqlite_visma.rows(vault_secret) == []


@pytest.mark.parametrize("kind", ["reuse", "rotate", "omit"])
def test_a_login_lives_on_whatever_becomes_of_its_refresh_token(sqlite_visma: Rig, kind: str) -> None:
    control = sqlite_visma.vendors.control
    sqlite_visma.connect_visma("leeg", customers={"enabled": True})
    control.switch(visma_refresh=kind)
    for _ in range(2):
        control.shift_clock(3_700)
        assert sqlite_visma.sync(package="visma_eaccounting")["customers"].state in ("done", "idle")
    assert control.visma_token_calls()["outcomes"]["refresh_token 200 tokens"] == 2


def test_a_withdrawn_login_is_told_and_the_connection_waits(sqlite_visma: Rig) -> None:
    connection = sqlite_visma.connect_visma("leeg", customers={"enabled": True})
    sqlite_visma.vendors.control.revoke_visma()
    done = sqlite_visma.sync(package="visma_eaccounting")["customers"]
    assert done.error_code == "login_expired"
    assert "outsmart-sync connect visma-eaccounting" in done.error_text
    assert connections.require(sqlite_visma.store, connection.id).state is State.EXPIRED


def test_without_a_licence_nothing_can_run(sqlite_visma: Rig) -> None:
    from outsmart_sync.pipeline.job import Options

    connection = sqlite_visma.connect_visma("leeg", customers={"enabled": True})
    settings.save(sqlite_visma.store, connection, {"licence": "none"})
    with pytest.raises(InvalidSettings, match="needs the licence"):
        planning.open_run(sqlite_visma.store, "visma_eaccounting", "test:none", Options(by_hand=True))
