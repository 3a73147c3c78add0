"""Connecting: the whole login, the choice that is fixed, resuming, and what becomes of a login that is lost."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select, update

from outsmart_sync.errors import (
    ConfigurationError,
    InvalidSettings,
    LoginExpired,
    NotConfigured,
    SyncError,
    VaultLocked,
    VendorUnavailable,
)
from outsmart_sync.services import connect, health, history, login, settings
from outsmart_sync.services.login import Connected, Started
from outsmart_sync.store import connections, cursors, logins
from outsmart_sync.store.connections import State, SyncConnection
from outsmart_sync.store.runs import RunState
from outsmart_sync.store.store import Store
from outsmart_sync.store.tables import login_attempt, mirror, sync_connection, vault_secret
from outsmart_sync.store.tokens import TOKENS, login_owner
from outsmart_sync.store.vault import KEYS_VARIABLE, Vault
from sandbox.browser import Browser
from sandbox.process import SandboxProcess
from services.scheduled import scheduled
from support import MAIN, NORTH, SMALL, Rig, connection_environment, exact_connection

LIMITED = "limited@example.com"
ARCHIVED = "2001007"
NOT_TICKED = "2001008"
FRENCH = 2001004


@dataclass
class Desk(Rig):
    """A rig with somebody at a browser."""

    browser: Browser

    def begin(self, **given: Any) -> Started:
        return login.start(self.store, self.gateway, "exact_online", **{"country": "nl"} | given)

    def answer(self, started: Started, user: str = "demo@example.com", divisions: list[int] | None = None) -> str:
        browser = Browser()
        try:
            offer = browser.log_in(started.address, user, user.partition("@")[0])
            return browser.allow(started.address, offer.ticked if divisions is None else divisions)
        finally:
            browser.close()

    def log_in(self, user: str = "demo@example.com", divisions: list[int] | None = None, **given: Any) -> Connected:
        started = self.begin(**given)
        return self.finish(self.answer(started, user, divisions), state=started.state)

    def finish(self, back: str, state: str | None = None) -> Connected:
        return login.finish(self.store, self.gateway, back, state=state)

    def choose(self, connection: SyncConnection, code: int | str, **given: Any) -> SyncConnection:
        return connect.choose_administration(self.store, self.gateway, connection, str(code), **given)

    def again(self, connection: SyncConnection) -> SyncConnection:
        return connections.require(self.store, connection.id)

    def has_tokens(self, login_id: int | None) -> bool:
        assert login_id is not None
        return Vault(self.store).read(login_owner(login_id), TOKENS) is not None

    def cursors(self, connection: SyncConnection, category: str = "relations") -> dict[str, str]:
        with self.store.read() as transaction:
            return {k: c.value for k, c in cursors.read_all(transaction, connection.id, category).items()}


def desk_of(store: Store, vendors: SandboxProcess, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    for name, value in connection_environment(vendors, store, NORTH).items():
        monkeypatch.setenv(name, value)
    for name in ("OUTSMART_SOUTH", "OUTSMART_LIMITED"):  # further accounts that connections may be joined with
        monkeypatch.setenv(f"AIRFLOW_CONN_{name}", os.environ["AIRFLOW_CONN_OUTSMART_DEFAULT"])
    browser = Browser()
    yield Desk(store, vendors, browser)
    browser.close()


@pytest.fixture
def desk(store: Store, vendors: SandboxProcess, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """For tests that end with the vendors' world as it was."""
    yield from desk_of(store, vendors, monkeypatch)


@pytest.fixture
def sqlite_desk(sqlite_store: Store, vendors: SandboxProcess, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Where the database makes no difference."""
    yield from desk_of(sqlite_store, vendors, monkeypatch)


def told(error: pytest.ExceptionInfo[SyncError]) -> tuple[str, str]:
    assert error.value.remedy
    return error.value.code, error.value.what


def test_a_login_leads_to_a_connection_that_awaits_its_administration(desk: Desk) -> None:
    done = desk.log_in()
    assert done.user_name == "Dana Demo"
    assert (done.connection.state, done.connection.administration) == (State.CONNECTED, "")
    assert (done.connection.package, done.connection.country) == ("exact_online", "nl")
    assert desk.has_tokens(done.connection.login_id)
    assert done.revived == []


def test_the_login_page_is_asked_for_as_the_app_is_registered(sqlite_desk: Desk) -> None:
    started = sqlite_desk.begin()
    query = {name: values[0] for name, values in parse_qs(urlsplit(started.address).query).items()}
    assert query["state"] == started.state
    assert query["response_type"] == "code"
    assert query["redirect_uri"].endswith("/callback")
    assert len(started.state) >= 40


def test_the_administrations_of_the_login_are_offered_without_those_that_are_archived(desk: Desk) -> None:
    codes = {each.code for each in desk.log_in().administrations}
    assert {str(MAIN), str(SMALL)} <= codes
    assert ARCHIVED not in codes


def test_choosing_makes_a_connection_active_with_name_and_currency(desk: Desk) -> None:
    chosen = desk.choose(desk.log_in().connection, f" {MAIN} ")
    assert (chosen.state, chosen.administration, chosen.currency) == (State.ACTIVE, str(MAIN), "EUR")
    assert chosen.label == "Van Dijk Installatietechniek B.V."


@pytest.mark.parametrize("code", [ARCHIVED, NOT_TICKED, "1", ""], ids=["archived", "not ticked", "unknown", "none"])
def test_an_administration_that_is_not_offered_is_refused_and_those_that_are_get_named(
    sqlite_desk: Desk, code: str
) -> None:
    pending = sqlite_desk.log_in().connection
    with pytest.raises(InvalidSettings) as error:
        sqlite_desk.choose(pending, code)
    assert told(error)[0] == "unknown_administration"
    assert str(MAIN) in error.value.remedy
    assert sqlite_desk.again(pending).state is State.CONNECTED


def test_a_chosen_administration_is_fixed(sqlite_desk: Desk) -> None:
    chosen = sqlite_desk.choose(sqlite_desk.log_in().connection, MAIN)
    with pytest.raises(InvalidSettings) as error:
        sqlite_desk.choose(chosen, SMALL)
    assert told(error)[0] == "administration_fixed"
    assert sqlite_desk.choose(chosen, MAIN) == chosen


def test_a_cancelled_login_stores_nothing(sqlite_desk: Desk) -> None:
    started = sqlite_desk.begin()
    sqlite_desk.browser.log_in(started.address)
    back = sqlite_desk.browser.cancel(started.address)
    with pytest.raises(LoginExpired) as error:
        sqlite_desk.finish(back, started.state)
    assert told(error) == ("login_cancelled", "The login was cancelled.")
    assert sqlite_desk.rows(sync_connection) == []
    assert sqlite_desk.rows(vault_secret) == []


@pytest.mark.parametrize(
    "back",
    ["", "nonsense", "http://127.0.0.1/callback", "http://x/?code=1", "http://x/?state=1", "http://x/?state=1&code="],
)
def test_an_address_that_is_no_answer_is_refused(sqlite_desk: Desk, back: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        sqlite_desk.finish(back)
    assert told(error)[0] == "return_address"


def test_an_answer_with_an_unknown_state_is_refused_and_nobody_is_asked(sqlite_desk: Desk) -> None:
    sqlite_desk.vendors.control.forget_token_calls()
    with pytest.raises(LoginExpired) as error:
        sqlite_desk.finish("http://x/?code=stolen&state=made-up")
    assert told(error) == ("login_state", "This login is not known here.")
    assert sqlite_desk.vendors.control.token_calls()["count"] == 0


def test_an_answer_to_another_login_is_refused_and_that_one_can_still_be_finished(desk: Desk) -> None:
    mine, other = desk.begin(), desk.begin()
    back = desk.answer(other)
    with pytest.raises(LoginExpired) as error:
        desk.finish(back, mine.state)
    assert told(error) == ("login_state", "This answer belongs to another login.")
    assert desk.finish(back, other.state).user_name == "Dana Demo"


def test_an_answer_works_once(desk: Desk) -> None:
    started = desk.begin()
    back = desk.answer(started)
    desk.finish(back, started.state)
    desk.vendors.control.forget_token_calls()
    with pytest.raises(LoginExpired) as error:
        desk.finish(back, started.state)
    assert told(error) == ("login_state", "This login was finished already.")
    assert desk.vendors.control.token_calls()["count"] == 0


def test_a_login_that_was_begun_long_ago_has_expired(desk: Desk) -> None:
    started = desk.begin()
    back = desk.answer(started)
    with desk.store.begin() as transaction:
        transaction.execute(update(login_attempt).values(expires_at=desk.store.now()))
    with pytest.raises(LoginExpired) as error:
        desk.finish(back, started.state)
    assert told(error) == ("login_state", "This login has expired.")


def test_a_login_lasts_fifteen_minutes_and_is_forgotten_after_that(desk: Desk) -> None:
    started = desk.begin()
    (row,) = desk.rows(login_attempt)
    assert timedelta(minutes=14) < row.expires_at - desk.store.now() <= logins.ATTEMPT_LASTS
    with desk.store.begin() as transaction:
        long_ago = row.expires_at - logins.ATTEMPT_LASTS - logins.ATTEMPT_KEPT
        transaction.execute(update(login_attempt).values(expires_at=long_ago))
    Vault(desk.store).write(logins.attempt_owner(started.state), TOKENS, {})
    desk.begin()
    assert started.state not in {each.state for each in desk.rows(login_attempt)}
    assert desk.rows(vault_secret) == []


@dataclass
class Halfway:
    """A login whose code was exchanged, after which the package had an outage; it is over."""

    desk: Desk
    state: str
    back: str
    error: SyncError

    def finish(self) -> Connected:
        return self.desk.finish(self.back, self.state)


@pytest.fixture
def halfway(desk: Desk) -> Halfway:
    started = desk.begin()
    back = desk.answer(started)
    desk.vendors.control.add_fault("status", vendor="exact", path="current/Me", status=503, times=None)
    with pytest.raises(VendorUnavailable) as error:
        desk.finish(back, started.state)
    desk.vendors.control.clear_faults()
    return Halfway(desk, started.state, back, error.value)


def test_a_login_that_an_outage_ended_halfway_is_kept_and_says_how_to_finish_it(halfway: Halfway) -> None:
    assert "same address" in halfway.error.remedy
    assert "outsmart-sync connect exact-online --return-address" in halfway.error.remedy
    assert "by itself" not in str(halfway.error)
    assert len(halfway.desk.rows(vault_secret)) == 1
    assert halfway.desk.rows(sync_connection) == []


def test_a_login_that_an_outage_ended_halfway_is_finished_with_the_same_address_once(halfway: Halfway) -> None:
    halfway.desk.vendors.control.forget_token_calls()
    done = halfway.finish()
    assert halfway.desk.vendors.control.token_calls()["count"] == 0
    assert halfway.desk.choose(done.connection, MAIN).state is State.ACTIVE
    assert [row.owner for row in halfway.desk.rows(vault_secret)] == [login_owner(done.connection.login_id or 0)]
    with pytest.raises(LoginExpired, match="finished already"):
        halfway.finish()


def test_a_login_that_was_kept_for_long_is_renewed_before_it_is_finished(halfway: Halfway) -> None:
    store, control = halfway.desk.store, halfway.desk.vendors.control
    with store.begin() as transaction:
        transaction.execute(update(vault_secret).values(obtained_at=store.now() - timedelta(minutes=20)))
        transaction.execute(update(login_attempt).values(expires_at=store.now() - timedelta(minutes=1)))
    control.shift_clock(1200)
    try:
        done = halfway.finish()
        assert halfway.desk.choose(done.connection, MAIN).state is State.ACTIVE
    finally:
        control.reset_clock()


def test_a_second_outage_loses_no_login_either(halfway: Halfway) -> None:
    halfway.desk.vendors.control.add_fault("status", vendor="exact", path="current/Me", status=503, times=None)
    with pytest.raises(VendorUnavailable):
        halfway.finish()
    halfway.desk.vendors.control.clear_faults()
    assert halfway.finish().user_name == "Dana Demo"


def test_a_code_that_the_vendor_calls_too_old_is_told_so(sqlite_desk: Desk) -> None:
    started = sqlite_desk.begin()
    back = sqlite_desk.answer(started)
    sqlite_desk.vendors.control.shift_clock(200)
    try:
        with pytest.raises(LoginExpired) as error:
            sqlite_desk.finish(back, started.state)
    finally:
        sqlite_desk.vendors.control.reset_clock()
    assert told(error)[0] == "login_code_refused"
    assert "three minutes" in error.value.remedy
    assert sqlite_desk.rows(sync_connection) == []


def test_a_code_that_was_used_elsewhere_is_refused(sqlite_desk: Desk) -> None:
    first, second = sqlite_desk.begin(), sqlite_desk.begin()
    back = sqlite_desk.answer(first)
    sqlite_desk.finish(back, first.state)
    with pytest.raises(LoginExpired) as error:
        sqlite_desk.finish(back.replace(first.state, second.state), second.state)
    assert told(error)[0] == "login_code_refused"


def test_a_wrong_client_secret_is_the_apps_and_not_the_persons_fault(
    sqlite_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = sqlite_desk.begin()
    back = sqlite_desk.answer(started)
    wrong = exact_connection(sqlite_desk.vendors).replace("sandbox-secret", "wrong")
    monkeypatch.setenv("AIRFLOW_CONN_EXACT_ONLINE_DEFAULT", wrong)
    with pytest.raises(NotConfigured) as error:
        sqlite_desk.finish(back, started.state)
    assert told(error)[0] == "client_refused"


@pytest.mark.parametrize("country", ["", "us", "uk"])
def test_a_country_without_an_instance_is_refused_and_the_others_are_named(sqlite_desk: Desk, country: str) -> None:
    with pytest.raises(InvalidSettings) as error:
        sqlite_desk.begin(country=country)
    assert told(error)[0] == "unknown_country"
    assert "nl (" in error.value.remedy


def test_a_country_may_be_written_large(sqlite_desk: Desk) -> None:
    assert sqlite_desk.log_in(country="NL").connection.country == "nl"


def test_without_the_apps_connection_the_variable_to_set_is_named(sqlite_desk: Desk) -> None:
    with pytest.raises(NotConfigured) as error:
        sqlite_desk.begin(conn_id="nowhere")
    assert told(error)[0] == "connection_missing"
    assert "AIRFLOW_CONN_NOWHERE" in error.value.remedy


def test_without_a_key_neither_half_of_a_login_is_done(sqlite_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    started = sqlite_desk.begin()
    back = sqlite_desk.answer(started)
    monkeypatch.delenv(KEYS_VARIABLE)
    sqlite_desk.vendors.control.forget_token_calls()
    for work in (sqlite_desk.begin, lambda: sqlite_desk.finish(back, started.state)):
        with pytest.raises(VaultLocked):
            work()
    assert sqlite_desk.vendors.control.token_calls()["count"] == 0


def test_logging_in_again_before_choosing_leaves_one_connection(desk: Desk) -> None:
    assert desk.log_in().connection == desk.log_in().connection
    assert len(connections.find(desk.store)) == 1


def test_disconnecting_keeps_the_data_and_forgets_the_tokens(rig: Rig) -> None:
    connection = rig.connect(relations={"enabled": True})
    rig.sync()
    before = rig.rows(mirror)
    connect.disconnect(rig.store, connection)
    after = connections.require(rig.store, connection.id)
    assert (after.state, after.login_id, after.administration) == (State.DISCONNECTED, None, str(MAIN))
    assert rig.rows(vault_secret) == []
    assert before
    assert rig.rows(mirror) == before
    with pytest.raises(InvalidSettings, match="nothing to sync"):
        rig.sync()


def test_a_login_that_another_connection_uses_is_not_forgotten(desk: Desk) -> None:
    first = desk.choose(desk.log_in().connection, MAIN)
    second = desk.choose(desk.log_in().connection, SMALL, share_account=True)
    assert first.login_id == second.login_id
    connect.disconnect(desk.store, first)
    assert desk.has_tokens(second.login_id)
    connect.disconnect(desk.store, second)
    assert not desk.has_tokens(second.login_id)


def test_a_second_login_of_the_same_user_keeps_the_other_administrations_working(desk: Desk) -> None:
    first = desk.choose(desk.log_in().connection, MAIN)
    desk.log_in()
    assert {each.code for each in connect.administrations_of(desk.gateway, first)} >= {str(MAIN)}


def test_the_same_administration_resumes_with_its_cursors_links_and_settings(rig: Rig) -> None:
    connection = rig.connect(relations={"enabled": True})
    rig.sync()
    before = rig.rows(mirror)
    connect.disconnect(rig.store, connection)
    resumed = rig.connect()
    assert resumed.id == connection.id
    assert len(connections.find(rig.store)) == 1
    assert settings.read(rig.store, resumed).categories["relations"]["enabled"] is True
    assert rig.sync()["relations"].state is RunState.IDLE
    assert rig.rows(mirror) == before


def test_another_administration_starts_empty_and_the_old_one_stays_readable(rig: Rig) -> None:
    old = rig.connect(relations={"enabled": True})
    rig.sync()
    code = rig.rows(mirror, connection_id=old.id, record="relation", state="synced")[0].code
    connect.disconnect(rig.store, old)
    new = rig.connect(SMALL)
    assert new.id != old.id
    assert rig.rows(mirror, connection_id=new.id) == []
    with rig.store.read() as transaction:
        assert cursors.read_all(transaction, new.id, "relations") == {}
        assert cursors.read_all(transaction, old.id, "relations") != {}
    assert settings.read(rig.store, new).categories["relations"]["enabled"] is False
    (found,) = history.history(rig.store, "relation", code, old.id)
    assert found.events


def test_an_administration_joined_with_another_account_is_another_connection(desk: Desk) -> None:
    north = desk.choose(desk.log_in().connection, MAIN)
    south = desk.choose(desk.log_in(outsmart_conn_id="outsmart_south").connection, MAIN)
    assert north.id != south.id
    assert {north.outsmart_account, south.outsmart_account} == {"outsmart_default", "outsmart_south"}
    assert {each.state for each in connections.find(desk.store)} == {State.ACTIVE}


@pytest.mark.parametrize("state", [State.ACTIVE, State.EXPIRED])
def test_an_account_that_another_administration_delivers_into_is_refused_without_a_word(
    sqlite_desk: Desk, state: State
) -> None:
    first = sqlite_desk.choose(sqlite_desk.log_in().connection, MAIN)
    with sqlite_desk.store.begin() as transaction:
        connections.change(transaction, first.id, state=state)
    pending = sqlite_desk.log_in().connection
    with pytest.raises(InvalidSettings) as error:
        sqlite_desk.choose(pending, SMALL)
    assert told(error)[0] == "account_taken"
    assert "'outsmart_default' is joined with Van Dijk Installatietechniek B.V. (connection 1)" in error.value.what
    assert "overwrite" in error.value.why
    assert "--outsmart OTHER_CONNECTION" in error.value.remedy
    assert sqlite_desk.again(pending).state is State.CONNECTED
    assert sqlite_desk.choose(pending, SMALL, share_account=True).state is State.ACTIVE


@pytest.mark.parametrize("state", [State.CONNECTED, State.DISCONNECTED])
def test_an_account_that_no_administration_delivers_into_any_more_is_free(sqlite_desk: Desk, state: State) -> None:
    first = sqlite_desk.choose(sqlite_desk.log_in().connection, MAIN)
    pending = sqlite_desk.log_in().connection
    with sqlite_desk.store.begin() as transaction:
        connections.set_state(transaction, first.id, state)
    assert sqlite_desk.choose(pending, SMALL).state is State.ACTIVE


def test_an_administration_that_shares_its_account_already_is_connected_again_without_a_word(
    sqlite_desk: Desk,
) -> None:
    sqlite_desk.choose(sqlite_desk.log_in().connection, MAIN)
    small = sqlite_desk.choose(sqlite_desk.log_in().connection, SMALL, share_account=True)
    again = sqlite_desk.choose(sqlite_desk.log_in(LIMITED).connection, SMALL)
    assert again.id == small.id


def test_an_administration_taken_over_by_another_person_forgets_the_first_ones_tokens(desk: Desk) -> None:
    first = desk.choose(desk.log_in().connection, MAIN)
    second = desk.choose(desk.log_in(LIMITED).connection, MAIN)
    assert second.id == first.id
    assert second.login_id != first.login_id
    assert not desk.has_tokens(first.login_id)
    assert desk.has_tokens(second.login_id)


@dataclass
class Lost:
    """Two administrations of one login that the vendor no longer accepts, and one of another."""

    rig: Rig
    main: SyncConnection
    small: SyncConnection
    others: SyncConnection

    def states(self) -> list[State]:
        return [connections.require(self.rig.store, c.id).state for c in (self.main, self.small, self.others)]


@pytest.fixture
def lost(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> Lost:
    """The login ends at the vendor, and a scheduled run finds out."""
    desk = Desk(rig.store, rig.vendors, Browser())
    monkeypatch.setenv("AIRFLOW_CONN_OUTSMART_LIMITED", os.environ["AIRFLOW_CONN_OUTSMART_DEFAULT"])
    on = {"relations": {"enabled": True}}
    main, small = rig.connect(MAIN, **on), rig.connect(SMALL, **on)
    others = desk.choose(desk.log_in(LIMITED, outsmart_conn_id="outsmart_limited").connection, SMALL)
    settings.save(rig.store, others, on)
    desk.browser.close()
    rig.vendors.control.give_tokens("demo@example.com")  # somebody connects the same user elsewhere
    return Lost(rig, main, small, others)


def states_of(rig: Rig, name: str) -> dict[int, str]:
    """A scheduled run; connection → state of its relations."""
    return {connection_id: each.state for (connection_id, _), each in scheduled(rig, name).items()}


def test_a_lost_login_is_red_once_and_skipped_with_its_reason_until_somebody_logs_in_again(
    lost: Lost, caplog: pytest.LogCaptureFixture
) -> None:
    first = states_of(lost.rig, "first")
    assert first == {lost.main.id: "failed", lost.small.id: "failed", lost.others.id: "done"}
    assert lost.states() == [State.EXPIRED, State.EXPIRED, State.ACTIVE]
    second = states_of(lost.rig, "second")
    assert set(second) == {lost.others.id}
    assert f"{lost.main.label} takes no part: The login at Exact Online has been replaced" in caplog.text
    (main, *_) = health.status(lost.rig.store)
    assert "outsmart-sync connect exact-online" in main.connection.state_text
    revived = Desk(lost.rig.store, lost.rig.vendors, Browser()).log_in().revived
    assert {each.id for each in revived} == {lost.main.id, lost.small.id}
    assert lost.states() == [State.ACTIVE] * 3
    third = states_of(lost.rig, "third")
    assert set(third) == {lost.main.id, lost.small.id, lost.others.id}
    assert third[lost.main.id] == "done"


def test_every_connection_of_a_lost_login_has_expired_as_soon_as_one_finds_out(lost: Lost) -> None:
    assert lost.rig.sync(connection=lost.small.id)["relations"].error_code == "refresh_token_used"
    assert lost.states() == [State.EXPIRED, State.EXPIRED, State.ACTIVE]


def test_a_person_who_syncs_a_lost_login_by_hand_hears_why_it_cannot_go(lost: Lost) -> None:
    scheduled(lost.rig, "first")
    with pytest.raises(InvalidSettings, match="nothing to sync") as error:
        lost.rig.sync(connection=lost.main.id)
    assert "Exact Online" in error.value.why


def test_a_disconnected_connection_is_not_marked_expired(lost: Lost) -> None:
    connect.disconnect(lost.rig.store, lost.small)
    scheduled(lost.rig, "first")
    assert lost.states() == [State.EXPIRED, State.DISCONNECTED, State.ACTIVE]


def test_one_login_of_a_person_is_kept_once(desk: Desk) -> None:
    numbers = {desk.log_in().connection.login_id for _ in range(2)}
    assert len(numbers) == 1
    with desk.store.read() as transaction:
        assert len(transaction.execute(select(vault_secret)).all()) == 1
