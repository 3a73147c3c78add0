"""Access tokens: renewed once for all processes, by the vendor's rules, and never lost to a race."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography.fernet import Fernet
from sqlalchemy import select, text, update

import outsmart_sync
from outsmart_sync.errors import Busy, LoginExpired, RateLimited, RenewalRefused, VaultLocked, VendorUnavailable
from outsmart_sync.providers.exact_online import oauth
from outsmart_sync.store import leases
from outsmart_sync.store.store import Store
from outsmart_sync.store.tables import vault_secret
from outsmart_sync.store.tokens import (
    ASKED_AGAIN_AFTER,
    REFUSED,
    TOKENS,
    TokenKeeper,
    TokenPair,
    login_owner,
    pair_values,
    refusals,
)
from outsmart_sync.store.vault import KEYS_VARIABLE, Vault
from sandbox.process import SandboxProcess
from store.racing import race
from support import exact_connection

OWNER = login_owner(1)
LEASE = f"token:{OWNER}"
DUE = 571
"""Seconds after which Exact lets a login be renewed, with one to spare."""


def keep(store: Store, access: str = "access-0", refresh: str = "refresh-0", previous: str = "") -> None:
    Vault(store).write(OWNER, TOKENS, pair_values(TokenPair(access, refresh, 600), previous))


def stored(store: Store) -> dict[str, str]:
    secret = Vault(store).read(OWNER, TOKENS)
    assert secret is not None
    return dict(secret.values)


def age(store: Store, seconds: float) -> None:
    """Let the stored pair, and what is noted of it, be older by so much, by the store's clock."""
    with store.begin() as connection:
        for row in connection.execute(select(vault_secret)).all():
            older = update(vault_secret).where(vault_secret.c.owner == row.owner, vault_secret.c.kind == row.kind)
            connection.execute(older.values(obtained_at=row.obtained_at - timedelta(seconds=seconds)))
    noted = Vault(store).read(OWNER, REFUSED)
    if noted:
        since = datetime.fromisoformat(noted.values["since"]) - timedelta(seconds=seconds)
        text = Fernet(os.environ[KEYS_VARIABLE].encode()).encrypt(
            json.dumps({**noted.values, "since": since.isoformat()}).encode()
        )
        with store.begin() as connection:
            mine = update(vault_secret).where(vault_secret.c.owner == OWNER, vault_secret.c.kind == REFUSED)
            connection.execute(mine.values(ciphertext=text.decode()))


@dataclass
class Login:
    """A login at the sandbox whose pair is in the vault."""

    store: Store
    vendors: SandboxProcess
    pair: dict[str, str]

    @property
    def connection(self) -> dict[str, Any]:
        """The Airflow connection of the app."""
        found: dict[str, Any] = json.loads(exact_connection(self.vendors))
        return found

    def renew(self, refresh_token: str) -> TokenPair:
        """Ask the sandbox, without the pauses between tries."""
        app = oauth.App.of("nl", self.connection["login"], self.connection["password"], self.connection["extra"])
        return oauth.refresh(app, refresh_token, sleep=lambda _: None)

    def keeper(self, refresh: Callable[[str], TokenPair] | None = None) -> TokenKeeper:
        """A keeper as another process would have it."""
        return TokenKeeper(
            self.store, Vault(self.store), OWNER, refresh or self.renew, refresh_after=oauth.REFRESH_AFTER
        )

    def grow_older(self, seconds: float) -> None:
        """Let time pass, for us and at the vendor."""
        age(self.store, seconds)
        self.vendors.control.shift_clock(seconds)

    @property
    def calls(self) -> dict[str, int]:
        """What the vendor's token endpoint answered."""
        outcomes: dict[str, int] = self.vendors.control.token_calls()["outcomes"]
        return outcomes

    def works(self, access_token: str) -> bool:
        """Whether the vendor accepts a token."""
        answer = requests.get(
            f"{self.vendors.exact_url}/api/v1/current/Me?$select=UserID",
            headers={"Authorization": f"Bearer {access_token}", "Accept": "application/json"},
            timeout=30,
        )
        return answer.ok


@pytest.fixture
def login(store: Store, vendors: SandboxProcess) -> Login:
    pair = vendors.control.give_tokens()
    keep(store, pair["access_token"], pair["refresh_token"])
    vendors.control.forget_token_calls()
    return Login(store, vendors, pair)


@dataclass
class Renewals:
    """A vendor's token endpoint without a wire: counts, and does what a test says."""

    asked: list[str] = field(default_factory=list)
    refuses: dict[str, LoginExpired] = field(default_factory=dict)
    before: Callable[[], None] = lambda: None

    def __call__(self, refresh_token: str) -> TokenPair:
        self.asked.append(refresh_token)
        self.before()
        if refresh_token in self.refuses:
            raise self.refuses[refresh_token]
        number = len(self.asked)
        return TokenPair(f"access-{number}", f"refresh-{number}", 600)


def fake_keeper(store: Store, renewals: Renewals, **options: Any) -> TokenKeeper:
    return TokenKeeper(store, Vault(store), OWNER, renewals, refresh_after=oauth.REFRESH_AFTER, **options)


# By the vendor's rules, at the sandbox


@pytest.mark.parametrize("seconds", [0, 300, 540])
def test_a_token_is_not_renewed_before_the_vendor_allows_it(login: Login, seconds: int) -> None:
    login.grow_older(seconds)
    assert login.keeper().access_token() == login.pair["access_token"]
    assert login.calls == {}
    assert login.works(login.pair["access_token"])


@pytest.mark.parametrize("seconds", [DUE, 605, 29 * 86_400])
def test_a_token_that_is_due_is_renewed_with_one_call(login: Login, seconds: int) -> None:
    login.grow_older(seconds)
    keeper = login.keeper()
    token = keeper.access_token()
    assert token != login.pair["access_token"]
    assert keeper.access_token() == token
    assert login.keeper().access_token() == token
    assert login.calls == {"refresh_token 200 tokens": 1}
    assert login.works(token)


def test_a_renewed_pair_is_stored_with_the_token_it_was_given_for(login: Login) -> None:
    login.grow_older(DUE)
    token = login.keeper().access_token()
    found = stored(login.store)
    assert found["access"] == token
    assert found["refresh"] != login.pair["refresh_token"]
    assert found["previous"] == login.pair["refresh_token"]
    assert found["lasts"] == "600"


def test_a_login_is_renewed_again_and_again(login: Login) -> None:
    tokens = set()
    for _ in range(4):
        login.grow_older(DUE)
        # A new keeper each time: one that knows the pair goes by its own monotonic clock, which nobody can put forward.
        tokens.add(login.keeper().access_token())
    assert len(tokens) == 4
    assert login.calls == {"refresh_token 200 tokens": 4}
    assert login.works(stored(login.store)["access"])


def test_twenty_processes_make_one_call_when_a_token_is_due(login: Login) -> None:
    login.grow_older(DUE)
    results = race(20, "token", login.store, owner=OWNER, app=login.connection)
    assert {result.get("error") for result in results} == {None}, results
    tokens = {result["got"] for result in results}
    assert tokens == {stored(login.store)["access"]}
    assert tokens != {login.pair["access_token"]}
    assert login.calls == {"refresh_token 200 tokens": 1}
    assert login.works(tokens.pop())


def test_twenty_processes_make_one_call_when_their_token_is_refused(login: Login) -> None:
    login.vendors.control.shift_clock(605)
    old = login.pair["access_token"]
    assert not login.works(old)
    results = race(20, "token", login.store, owner=OWNER, app=login.connection, refused=old)
    assert {result.get("error") for result in results} == {None}, results
    assert {result["got"] for result in results} == {stored(login.store)["access"]}
    assert login.calls == {"refresh_token 200 tokens": 1}


def test_a_refused_token_that_was_replaced_already_costs_no_call(login: Login) -> None:
    login.grow_older(DUE)
    late = login.keeper()
    new = login.keeper().access_token()
    assert late.access_token(refused=login.pair["access_token"]) == new
    assert login.calls == {"refresh_token 200 tokens": 1}


def test_a_token_refused_too_early_fails_for_now_and_keeps_the_login(login: Login) -> None:
    with pytest.raises(RateLimited) as caught:
        login.keeper().access_token(refused=login.pair["access_token"])
    assert caught.value.code == "token_too_early"
    assert login.calls == {"refresh_token 400 access_denied": 1}
    login.grow_older(DUE)
    assert login.works(login.keeper().access_token())


def test_a_login_that_was_not_used_for_thirty_days_has_expired(login: Login) -> None:
    login.grow_older(30 * 86_400 + 1)
    with pytest.raises(LoginExpired) as caught:
        login.keeper().access_token()
    assert caught.value.code == "login_expired"
    assert "30 days" in caught.value.what
    assert "Connect" in caught.value.remedy


def test_the_reason_is_what_the_vendor_says_of_the_current_token_not_of_the_one_before(login: Login) -> None:
    login.grow_older(DUE)
    login.keeper().access_token()
    login.grow_older(30 * 86_400 + 1)
    with pytest.raises(LoginExpired) as caught:
        login.keeper().access_token()
    assert caught.value.code == "login_expired"
    assert login.calls["refresh_token 401 old refresh token"] == 1


def test_a_login_that_was_replaced_elsewhere_has_expired(login: Login) -> None:
    login.vendors.control.give_tokens()
    login.grow_older(DUE)
    with pytest.raises(LoginExpired) as caught:
        login.keeper().access_token()
    assert caught.value.code == "refresh_token_used"


def test_an_expired_login_is_not_lost_from_the_vault_nor_is_its_lease_held(login: Login) -> None:
    login.vendors.control.give_tokens()
    login.grow_older(DUE)
    before = stored(login.store)
    with pytest.raises(LoginExpired):
        login.keeper().access_token()
    assert stored(login.store) == before
    assert leases.holder(login.store, LEASE) is None


@pytest.mark.parametrize("times", [1, 2])
def test_a_false_refusal_at_night_is_outlived(login: Login, times: int) -> None:
    login.grow_older(DUE)
    login.vendors.control.switch(nightly_400=times)
    assert login.works(login.keeper().access_token())
    assert login.calls == {"refresh_token 400 nightly 400": times, "refresh_token 200 tokens": 1}


def test_a_token_endpoint_that_stays_away_costs_the_run_but_not_the_login(login: Login) -> None:
    login.grow_older(DUE)
    login.vendors.control.switch(nightly_400=3)
    with pytest.raises(VendorUnavailable) as caught:
        login.keeper().access_token()
    assert caught.value.code == "renewal_refused"
    assert leases.holder(login.store, LEASE) is None
    login.grow_older(ASKED_AGAIN_AFTER[0].total_seconds())
    assert login.works(login.keeper().access_token())


def test_after_a_refusal_nobody_asks_for_a_while_and_then_for_longer(login: Login) -> None:
    """A login whose consent was withdrawn would use up its user's calls for tokens with every cycle."""
    login.vendors.control.revoke("demo@example.com")
    login.grow_older(DUE)
    for number, pause in enumerate((*ASKED_AGAIN_AFTER, ASKED_AGAIN_AFTER[-1]), 1):
        asked = sum(login.calls.values())
        with pytest.raises(RenewalRefused) as first:
            login.keeper().access_token()
        assert sum(login.calls.values()) == asked + 3, number
        for _ in range(2):  # another process
            with pytest.raises(RenewalRefused) as later:
                login.keeper().access_token()
            assert str(later.value) == str(first.value)
            assert later.value.technical == first.value.technical
        assert sum(login.calls.values()) == asked + 3, number
        for told in (first.value, later.value):
            assert told.retry_at is not None
            assert pause - timedelta(seconds=30) < told.retry_at - login.store.now() <= pause
        login.grow_older(pause.total_seconds())


def test_a_new_login_is_used_at_once_whatever_was_said_of_the_old_one(login: Login) -> None:
    login.vendors.control.revoke("demo@example.com")
    login.grow_older(DUE)
    with pytest.raises(RenewalRefused):
        login.keeper().access_token()
    pair = login.vendors.control.give_tokens()
    keep(login.store, pair["access_token"], pair["refresh_token"])
    login.grow_older(DUE)
    assert login.works(login.keeper().access_token())


def test_a_login_that_nobody_used_for_days_is_given_up_a_day_after_the_first_refusal(login: Login) -> None:
    login.vendors.control.revoke("demo@example.com")
    login.grow_older(3 * 86_400)
    for seconds in (0, 600, 12 * 3_600):
        login.grow_older(seconds)
        with pytest.raises(RenewalRefused):
            login.keeper().access_token()
    login.grow_older(12 * 3_600)
    with pytest.raises(LoginExpired, match="Connect the administration again"):
        login.keeper().access_token()


def test_what_was_noted_of_a_refusal_goes_with_it(login: Login) -> None:
    """It counts how often in a row, and it would stand in the way of who has lost the key and connects again."""
    login.grow_older(DUE)
    login.vendors.control.switch(nightly_400=3)
    with pytest.raises(RenewalRefused):
        login.keeper().access_token()
    with login.store.read() as transaction:
        assert refusals(transaction, [OWNER]) == {OWNER: 1}
    login.grow_older(ASKED_AGAIN_AFTER[0].total_seconds())
    login.keeper().access_token()
    with login.store.read() as transaction:
        assert refusals(transaction, [OWNER]) == {}


@pytest.mark.parametrize("kind", ["reset", "html", "truncate"])
def test_a_renewal_whose_call_failed_on_the_way_is_repeated(login: Login, kind: str) -> None:
    login.grow_older(DUE)
    # A truncated answer means that the token was spent: then only the vendor's word that it is spent can follow.
    login.vendors.control.add_fault(kind, vendor="exact", path="oauth2/token", times=1)
    if kind == "truncate":
        with pytest.raises(LoginExpired):
            login.keeper().access_token()
    else:
        assert login.works(login.keeper().access_token())
    assert [rule["hits"] for rule in login.vendors.control.faults()] == [1]


def test_a_new_login_during_a_renewal_wins(login: Login) -> None:
    """Logging in ends the pair that is being renewed: the vendor refuses it, and the new pair is in the vault."""
    login.grow_older(DUE)

    def meanwhile(refresh_token: str) -> TokenPair:
        pair = login.vendors.control.give_tokens()
        keep(login.store, pair["access_token"], pair["refresh_token"])
        return login.renew(refresh_token)

    token = login.keeper(meanwhile).access_token()
    assert token == stored(login.store)["access"]
    assert login.works(token)
    assert login.calls == {"refresh_token 401 old refresh token": 1}


# Races and failures, without a wire


def test_a_new_login_is_not_overwritten_by_a_renewal_that_succeeds(store: Store) -> None:
    keep(store)
    age(store, DUE)
    renewals = Renewals(before=lambda: keep(store, "access-new", "refresh-new"))
    assert fake_keeper(store, renewals).access_token() == "access-new"
    assert stored(store)["refresh"] == "refresh-new"


def test_a_login_that_was_forgotten_during_a_renewal_stays_forgotten(store: Store) -> None:
    keep(store)
    age(store, DUE)
    renewals = Renewals(before=lambda: Vault(store).forget(OWNER))
    with pytest.raises(LoginExpired) as caught:
        fake_keeper(store, renewals).access_token()
    assert caught.value.code == "login_missing"
    assert Vault(store).read(OWNER, TOKENS) is None


def test_without_a_login_nobody_is_asked(store: Store) -> None:
    renewals = Renewals()
    with pytest.raises(LoginExpired) as caught:
        fake_keeper(store, renewals).access_token()
    assert caught.value.code == "login_missing"
    assert renewals.asked == []


def test_the_refresh_token_before_is_used_when_the_current_one_is_refused(store: Store) -> None:
    keep(store, previous="refresh-before")
    age(store, DUE)
    renewals = Renewals(refuses={"refresh-0": LoginExpired("no", code="refresh_token_used")})
    assert fake_keeper(store, renewals).access_token() == "access-2"
    assert renewals.asked == ["refresh-0", "refresh-before"]
    assert stored(store)["previous"] == "refresh-before"


def test_without_one_before_a_refused_refresh_token_is_the_end(store: Store) -> None:
    keep(store)
    age(store, DUE)
    renewals = Renewals(refuses={"refresh-0": LoginExpired("no", code="refresh_token_used")})
    with pytest.raises(LoginExpired):
        fake_keeper(store, renewals).access_token()
    assert renewals.asked == ["refresh-0"]


def test_who_comes_while_another_renews_waits_and_gets_the_same_token(store: Store) -> None:
    keep(store)
    age(store, DUE)
    begun, go_on = threading.Event(), threading.Event()

    def slowly() -> None:
        begun.set()
        go_on.wait(60)

    renewals, others = Renewals(before=slowly), Renewals()
    with ThreadPoolExecutor(6) as pool:
        first = pool.submit(fake_keeper(store, renewals).access_token)
        begun.wait(60)
        waiting = [pool.submit(fake_keeper(store, others).access_token) for _ in range(5)]
        go_on.set()
        assert {task.result(60) for task in (first, *waiting)} == {"access-1"}
    assert others.asked == []


def test_who_waited_in_vain_hears_so_and_does_not_call(store: Store) -> None:
    keep(store)
    age(store, DUE)
    leases.claim(store, LEASE, "another", timedelta(minutes=1))
    renewals = Renewals()
    with pytest.raises(Busy) as caught:
        fake_keeper(store, renewals, patience=0.2).access_token()
    assert caught.value.code == "token_refresh_busy"
    assert renewals.asked == []
    holder = leases.holder(store, LEASE)
    assert holder is not None
    assert holder.owner == "another"


def test_a_call_that_takes_longer_than_the_lease_is_not_made_twice(store: Store) -> None:
    """While the vendor takes its time the lease goes on, so that no second process slips in."""
    keep(store)
    age(store, DUE)
    ends = []

    def until_the_lease_was_renewed() -> None:
        pause = threading.Event()
        for _ in range(1_200):
            holder = leases.holder(store, LEASE)
            if holder is not None:
                ends.append(holder.expires_at)
            if ends and ends[-1] > ends[0] + timedelta(seconds=1):
                return
            pause.wait(0.05)

    renewals = Renewals(before=until_the_lease_was_renewed)
    fake_keeper(store, renewals, lease=timedelta(seconds=1)).access_token()
    assert ends[-1] > ends[0] + timedelta(seconds=1)
    assert renewals.asked == ["refresh-0"]
    assert leases.holder(store, LEASE) is None


_HANGS = """
import sys, time
from datetime import timedelta
from outsmart_sync.store.store import Store
from outsmart_sync.store.tokens import TokenKeeper
from outsmart_sync.store.vault import Vault
store = Store(sys.argv[1])
def hang(_):
    print("calling", flush=True)
    time.sleep(600)
TokenKeeper(store, Vault(store), sys.argv[2], hang, refresh_after=570, lease=timedelta(seconds=2)).access_token()
"""


def test_a_process_killed_while_renewing_holds_the_others_up_no_longer_than_its_lease(store: Store) -> None:
    keep(store)
    age(store, DUE)
    process = subprocess.Popen(
        [sys.executable, "-c", _HANGS, store.url.render_as_string(hide_password=False), OWNER],
        env=os.environ | {"PYTHONPATH": str(Path(outsmart_sync.__file__).parents[1])},
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "calling\n"
        os.kill(process.pid, signal.SIGKILL)
        process.wait(60)
    renewals = Renewals()
    assert fake_keeper(store, renewals, patience=60).access_token() == "access-1"
    assert renewals.asked == ["refresh-0"]


def test_no_transaction_is_open_while_the_vendor_is_asked(store: Store) -> None:
    keep(store)
    age(store, DUE)
    other = Store(store.url)

    def write_at_once() -> None:
        with other.begin() as connection:
            if connection.dialect.name == "postgresql":
                open_ones = text("SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'")
                assert connection.execute(open_ones).scalar_one() == 0
            connection.execute(update(vault_secret).values(kind=TOKENS))

    fake_keeper(store, Renewals(before=write_at_once)).access_token()
    other.close()


def test_a_token_is_stored_before_it_is_handed_out(store: Store) -> None:
    """Whoever dies after this point loses nothing."""
    keep(store)
    age(store, DUE)
    told: list[tuple[str, str]] = []
    keeper = fake_keeper(store, Renewals(), seen=lambda token: told.append((token, stored(store)["access"])))
    assert keeper.access_token() == "access-1"
    assert ("access-1", "access-1") in told


def test_every_token_is_told_so_that_logs_can_hide_it(store: Store) -> None:
    keep(store, previous="refresh-before")
    age(store, DUE)
    told: list[str] = []
    fake_keeper(store, Renewals(), seen=told.append).access_token()
    assert set(told) == {"access-0", "refresh-0", "refresh-before", "access-1", "refresh-1"}


def test_neither_logs_nor_reprs_show_a_token(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    keep(store, "secret-access", "secret-refresh", "secret-before")
    age(store, DUE)
    renewals = Renewals(refuses={"secret-refresh": LoginExpired("no")})
    keeper = fake_keeper(store, renewals)
    keeper.access_token()
    pair = TokenPair("secret-access", "secret-refresh", 600)
    assert "renewed" in caplog.text
    assert "secret-" not in caplog.text + repr(keeper) + repr(keeper._known) + repr(pair) + str(pair)


def test_a_vault_without_its_key_fails_before_the_vendor_is_asked(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(store)
    age(store, DUE)
    monkeypatch.delenv(KEYS_VARIABLE)
    renewals = Renewals()
    with pytest.raises(VaultLocked):
        fake_keeper(store, renewals).access_token()
    assert renewals.asked == []


def test_a_withdrawn_consent_is_taken_for_a_passing_trouble_for_a_day_and_then_asks_for_a_new_login(
    login: Login,
) -> None:
    login.vendors.control.revoke("demo@example.com")
    login.grow_older(DUE)
    with pytest.raises(VendorUnavailable) as soon:
        login.keeper().access_token()
    login.grow_older(86_400)
    with pytest.raises(LoginExpired, match="Connect the administration again") as late:
        login.keeper().access_token()
    assert (soon.value.code, late.value.code) == ("renewal_refused", "login_refused")
    assert stored(login.store)["refresh"] == login.pair["refresh_token"]
