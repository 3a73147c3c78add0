"""What is looked at before an administration is fixed."""

from __future__ import annotations

import pytest

from outsmart_sync.records.exchange import Administration
from outsmart_sync.services import checklist, login
from outsmart_sync.services.login import Connected
from sandbox.browser import Browser
from support import MAIN, SMALL, Rig


def logged_in(rig: Rig) -> Connected:
    started = login.start(rig.store, rig.gateway, "exact_online", country="nl")
    browser = Browser()
    back = browser.consent(started.address)
    browser.close()
    return login.finish(rig.store, rig.gateway, back, state=started.state)


def offered(done: Connected, division: int):
    return next(each for each in done.administrations if each.code == str(division))


def test_country_user_and_administration_are_shown(sqlite_rig: Rig) -> None:
    done = logged_in(sqlite_rig)
    found = {each.subject: each for each in checklist.of_login(sqlite_rig.store, done.connection, offered(done, MAIN))}
    assert found["country"].ok
    assert found["user"].found == "Dana Demo"
    assert "Van Dijk" in found["administration"].found


def test_an_administration_of_another_country_is_named(sqlite_rig: Rig) -> None:
    done = logged_in(sqlite_rig)
    country = checklist.of_login(sqlite_rig.store, done.connection, offered(done, SMALL))[0]
    assert not country.ok
    assert "You chose Netherlands, and this administration is in Belgium" in str(country.error)


def test_a_missing_scope_shows_at_its_category_and_nowhere_else(sqlite_rig: Rig) -> None:
    done = logged_in(sqlite_rig)
    sqlite_rig.vendors.control.change_scopes(remove=["Hrm payroll"])
    found = checklist.of_rights(sqlite_rig.store, sqlite_rig.gateway, done.connection, offered(done, MAIN))
    wrong = {each.subject: str(each.error) for each in found if not each.ok}
    assert "employees" in wrong
    assert "Hrm payroll" in wrong["employees"]
    assert "relations" not in wrong
    assert next(each for each in found if each.subject == "outsmart").ok


def test_looking_costs_one_call_per_category_and_reads_no_record(sqlite_rig: Rig) -> None:
    done = logged_in(sqlite_rig)
    sqlite_rig.vendors.control.forget_calls()
    found = checklist.of_rights(sqlite_rig.store, sqlite_rig.gateway, done.connection, offered(done, MAIN))
    calls = [call for call in sqlite_rig.vendors.control.calls(vendor="exact_online") if "oauth" not in call["path"]]
    assert len(calls) <= len(found)


def test_looking_into_a_visma_company_reads_no_list_whole(sqlite_rig: Rig) -> None:
    control = sqlite_rig.vendors.control
    connection = sqlite_rig.connect_visma("devries")
    control.forget_calls()
    company = Administration(connection.administration, "De Vries", "nl", "EUR")
    found = checklist.of_rights(sqlite_rig.store, sqlite_rig.gateway, connection, company)
    assert [str(each.error) for each in found if not each.ok] == []
    calls = control.calls(vendor="visma", path="/v2/")
    assert 4 < len(calls) <= len(found)
    assert {call["query"].get("$pagesize", "1") for call in calls} == {"1"}


def test_an_account_that_another_administration_has_is_no_account_and_what_is_connected_is_said_to_be(
    sqlite_rig: Rig,
) -> None:
    sqlite_rig.connect(MAIN)
    done = logged_in(sqlite_rig)
    subjects = {each.subject for each in checklist.of_login(sqlite_rig.store, done.connection, offered(done, MAIN))}
    assert "now" in subjects
    assert "earlier" not in subjects
    found = checklist.of_rights(sqlite_rig.store, sqlite_rig.gateway, done.connection, offered(done, SMALL))
    account = next(each for each in found if each.subject == "outsmart")
    assert not account.ok
    assert "is joined with" in str(account.error)


def test_a_missing_outsmart_account_is_told_and_stops_nobody(sqlite_rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    done = logged_in(sqlite_rig)
    monkeypatch.delenv("AIRFLOW_CONN_OUTSMART_DEFAULT")
    found = checklist.of_rights(sqlite_rig.store, sqlite_rig.gateway, done.connection, offered(done, MAIN))
    account = next(each for each in found if each.subject == "outsmart")
    assert "You can go on" in str(account.error)
