"""Logging in and renewing: against the sandbox's token rules, and a server that plays tricks."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from outsmart_sync.errors import LoginExpired, NotConfigured, RateLimited, SyncError, VendorUnavailable
from outsmart_sync.providers import token_endpoint
from outsmart_sync.providers.exact_online import oauth
from outsmart_sync.providers.exact_online.oauth import App
from outsmart_sync.store.tokens import TokenKeeper
from sandbox.browser import Browser
from sandbox.config import DEFAULT_REDIRECT_URI
from sandbox.fixed_world import APP
from sandbox.process import SandboxProcess
from tests.providers.conftest import app_at
from tests.providers.scripted import Answer, ScriptedServer

DAY = 86_400
PAIR = {"access_token": "access-1", "token_type": "bearer", "expires_in": "600", "refresh_token": "refresh-1"}


@pytest.fixture
def app(calm: SandboxProcess) -> App:
    return app_at(calm.exact_url)


class Naps:
    """Sleeps that take no time."""

    def __init__(self) -> None:
        self.taken: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)


def log_in(app: App, state: str = "s@fe/+ &=") -> dict[str, list[str]]:
    """Log in as the demo user; what came back to the return address."""
    browser = Browser()
    try:
        return parse_qs(urlsplit(browser.consent(oauth.login_address(app, state))).query)
    finally:
        browser.close()


def refresh_token(vendors: SandboxProcess, age: float = 570) -> str:
    token = vendors.control.give_tokens()["refresh_token"]
    vendors.control.shift_clock(age)
    return token


def whole_text(error: SyncError) -> str:
    """Everything that anybody may see of an error."""
    return "\n".join([*traceback.format_exception(error), str(error), repr(error), repr(vars(error))])


# The login address


def test_the_login_address_asks_for_a_fresh_login_and_for_no_scope(app: App) -> None:
    address = urlsplit(oauth.login_address(app, "s@fe/+ &="))
    assert parse_qs(address.query, strict_parsing=True) == {
        "response_type": ["code"],
        "client_id": [APP.client_id],
        "redirect_uri": [DEFAULT_REDIRECT_URI],
        "state": ["s@fe/+ &="],
        "force_login": ["1"],
    }
    assert f"{address.scheme}://{address.netloc}{address.path}" == app.authorize_url


@pytest.mark.parametrize(
    "redirect_uri",
    ["https://sync.example/oauth/cb?tenant=a%20b", "https://sync.example/oauth/cb/", DEFAULT_REDIRECT_URI],
)
def test_the_return_address_is_the_registered_one_letter_by_letter(redirect_uri: str) -> None:
    address = oauth.login_address(app_at("https://x", redirect_uri=redirect_uri), "s")
    assert parse_qs(urlsplit(address).query)["redirect_uri"] == [redirect_uri]


@pytest.mark.parametrize("redirect_uri", ["", "nowhere"])
def test_without_a_return_address_nobody_is_sent_to_log_in(redirect_uri: str) -> None:
    with pytest.raises(NotConfigured, match="redirect_uri"):
        oauth.login_address(app_at("https://x", redirect_uri=redirect_uri), "s")


def test_the_state_comes_back_with_the_code(app: App) -> None:
    back = log_in(app, "s@fe/+ &=")
    assert back["state"] == ["s@fe/+ &="]
    assert oauth.exchange_code(app, back["code"][0]).lasts == 600


# The app


@pytest.mark.parametrize("country", ["nl", "be", "de", "fr", "es"])
def test_each_country_has_its_own_instance(country: str) -> None:
    app = App.of(country, "id", "secret", {})
    assert app.api_url == f"https://start.exactonline.{country}"
    assert app.authorize_url == f"{app.api_url}/api/oauth2/auth"
    assert app.token_url == f"{app.api_url}/api/oauth2/token"


def test_every_address_can_be_overridden_and_tokens_travel_to_the_api_alone() -> None:
    extras = {
        "authorize_url": "https://login.example/auth",
        "token_url": "https://token.example/token/",
        "api_url": "https://api.example/",
    }
    app = App.of("xx", "id", "secret", extras)
    assert (app.authorize_url, app.token_url, app.api_url) == (
        "https://login.example/auth",
        "https://token.example/token",
        "https://api.example",
    )
    assert app.hosts.origins == {"https://api.example:443"}


@pytest.mark.parametrize(
    ("country", "client_id", "client_secret", "extras", "named"),
    [
        ("uk", "id", "secret", {}, "country 'uk'"),
        ("uk", "id", "secret", {"authorize_url": "https://x", "token_url": "https://x"}, "country 'uk'"),
        ("nl", "", "secret", {}, "client id"),
        ("nl", "id", "", {}, "client secret"),
        ("nl", "id", "secret", {"authorize_url": "http://x.example"}, "authorize_url"),
        ("nl", "id", "secret", {"token_url": "http://x.example"}, "token_url"),
        ("nl", "id", "secret", {"api_url": "http://x.example"}, "api_url"),
        ("nl", "id", "secret", {"api_url": "start.exactonline.nl"}, "api_url"),
        ("nl", "id", "secret", {"verify": "/no/such/file"}, "verify"),
    ],
)
def test_what_is_missing_or_unsafe_is_named(
    country: str, client_id: str, client_secret: str, extras: dict[str, Any], named: str
) -> None:
    with pytest.raises(NotConfigured, match=named):
        App.of(country, client_id, client_secret, extras)


@pytest.mark.parametrize("word", [True, "true", "1", "yes"])
def test_plain_http_to_another_machine_is_for_connections_that_say_so(word: object) -> None:
    extras = dict.fromkeys(("authorize_url", "token_url", "api_url"), "http://exact.internal")
    assert App.of("nl", "id", "secret", extras | {"plain_http": word}).api_url == "http://exact.internal"
    with pytest.raises(NotConfigured):
        App.of("nl", "id", "secret", extras | {"plain_http": "false"})


# The exchange of a code


def test_a_code_becomes_a_token_pair(app: App) -> None:
    pair = oauth.exchange_code(app, log_in(app)["code"][0])
    assert pair.access != pair.refresh
    assert pair.lasts == 600


def test_a_code_works_once(app: App) -> None:
    code = log_in(app)["code"][0]
    oauth.exchange_code(app, code)
    with pytest.raises(LoginExpired) as refused:
        oauth.exchange_code(app, code)
    assert refused.value.code == "login_code_refused"
    assert "Start it again" in refused.value.remedy


def test_a_code_is_too_old_after_three_minutes(app: App, calm: SandboxProcess) -> None:
    code = log_in(app)["code"][0]
    calm.control.shift_clock(180)
    with pytest.raises(LoginExpired, match="three minutes"):
        oauth.exchange_code(app, code)


@pytest.mark.parametrize(
    ("change", "error", "code"),
    [
        ({"client_secret": "wrong-client-secret"}, NotConfigured, "client_refused"),
        ({"client_id": "nobody"}, NotConfigured, "client_refused"),
        ({"redirect_uri": "https://other.example/cb"}, LoginExpired, "login_code_refused"),
    ],
    ids=["secret", "id", "redirect"],
)
def test_a_code_is_good_for_the_app_that_asked_for_it(
    app: App, calm: SandboxProcess, change: dict[str, str], error: type[SyncError], code: str
) -> None:
    login_code = log_in(app)["code"][0]
    with pytest.raises(error) as refused:
        oauth.exchange_code(app_at(calm.exact_url, **change), login_code)
    assert refused.value.code == code


@pytest.mark.parametrize("kind", ["reset", "html", "truncate"])
def test_an_exchange_without_an_answer_is_not_repeated_and_says_to_start_again(
    app: App, calm: SandboxProcess, kind: str
) -> None:
    code = log_in(app)["code"][0]
    calm.control.add_fault(kind, path="oauth2/token", times=None)
    calm.control.forget_calls()
    with pytest.raises(VendorUnavailable) as failed:
        oauth.exchange_code(app, code)
    assert failed.value.code == "login_unfinished"
    assert "Start it again" in failed.value.remedy
    assert len(calm.control.calls(path="oauth2/token")) == 1


# Renewal


def test_a_renewal_gives_another_pair(app: App, calm: SandboxProcess) -> None:
    token = refresh_token(calm)
    pair = oauth.refresh(app, token)
    assert pair.refresh != token
    assert pair.lasts == 600
    assert calm.control.token_calls()["outcomes"] == {"refresh_token 200 tokens": 1}


def test_a_renewal_before_570_seconds_is_too_early_and_harms_nothing(app: App, calm: SandboxProcess) -> None:
    token = refresh_token(calm, oauth.REFRESH_AFTER - 5)
    naps = Naps()
    with pytest.raises(RateLimited) as early:
        oauth.refresh(app, token, sleep=naps)
    assert early.value.code == "token_too_early"
    assert naps.taken == []
    calm.control.shift_clock(5)
    assert oauth.refresh(app, token).lasts == 600


def test_a_used_refresh_token_ends_the_login(app: App, calm: SandboxProcess) -> None:
    token = refresh_token(calm)
    oauth.refresh(app, token)
    with pytest.raises(LoginExpired) as used:
        oauth.refresh(app, token)
    assert used.value.code == "refresh_token_used"
    assert "connect exact-online" in used.value.remedy


def test_a_login_that_was_not_used_for_thirty_days_has_expired(app: App, calm: SandboxProcess) -> None:
    token = refresh_token(calm, 30 * DAY)
    with pytest.raises(LoginExpired, match="30 days") as expired:
        oauth.refresh(app, token)
    assert expired.value.code == "login_expired"


def test_a_login_of_nearly_thirty_days_can_be_renewed(app: App, calm: SandboxProcess) -> None:
    assert oauth.refresh(app, refresh_token(calm, 30 * DAY - 60)).lasts == 600


def test_a_wrong_secret_is_a_matter_of_the_connection_and_not_of_the_login(app: App, calm: SandboxProcess) -> None:
    token = refresh_token(calm)
    with pytest.raises(NotConfigured) as refused:
        oauth.refresh(app_at(calm.exact_url, client_secret="wrong"), token)
    assert refused.value.code == "client_refused"
    assert oauth.refresh(app, token).lasts == 600


def test_a_false_400_at_night_is_repeated_with_the_same_token(app: App, calm: SandboxProcess) -> None:
    token = refresh_token(calm)
    calm.control.switch(nightly_400=2)
    naps = Naps()
    assert oauth.refresh(app, token, sleep=naps).lasts == 600
    assert naps.taken == [1.0, 3.0]
    assert calm.control.token_calls()["count"] == 3


def test_false_400s_without_end_are_a_passing_trouble_and_not_an_expired_login(app: App, calm: SandboxProcess) -> None:
    token = refresh_token(calm)
    calm.control.switch(nightly_400=3)
    with pytest.raises(VendorUnavailable) as failed:
        oauth.refresh(app, token, sleep=Naps())
    assert failed.value.code == "renewal_refused"
    assert oauth.refresh(app, token).lasts == 600


@pytest.mark.parametrize("kind", ["reset", "html"])
def test_a_call_that_was_dropped_on_the_way_is_repeated_with_the_same_token(
    app: App, calm: SandboxProcess, kind: str
) -> None:
    token = refresh_token(calm)
    calm.control.add_fault(kind, path="oauth2/token", times=2)
    assert oauth.refresh(app, token, sleep=Naps()).lasts == 600


def test_a_renewal_whose_answer_was_lost_is_told_apart_from_one_that_never_arrived(
    app: App, calm: SandboxProcess
) -> None:
    token = refresh_token(calm)
    calm.control.add_fault("truncate", path="oauth2/token")  # executed: the token is used up
    with pytest.raises(LoginExpired) as lost:
        oauth.refresh(app, token, sleep=Naps())
    assert lost.value.code == "refresh_token_used"


def test_a_renewal_that_nobody_answers_is_given_up_after_three_tries(app: App, calm: SandboxProcess) -> None:
    token = refresh_token(calm)
    calm.control.add_fault("reset", path="oauth2/token", times=None)
    calm.control.forget_calls()
    with pytest.raises(VendorUnavailable):
        oauth.refresh(app, token, sleep=Naps())
    assert len(calm.control.calls(path="oauth2/token")) == 3


@pytest.mark.parametrize(
    ("answer", "error", "code"),
    [
        (
            Answer(429, {"error": "access_denied", "error_description": "Rate limit exceeded"}),
            RateLimited,
            "token_limit",
        ),
        (Answer(400, {"error": "x", "error_description": "Rate limit exceeded: 200"}), RateLimited, "token_limit"),
        (Answer(400, "", {"Reason": "TooEarlyToRefreshTokens: x"}), RateLimited, "token_too_early"),
        (Answer(401, "Old refresh token used."), LoginExpired, "refresh_token_used"),
        (Answer(401, ""), LoginExpired, "login_refused"),
        (Answer(400, {"error": "invalid_grant"}), LoginExpired, "login_expired"),
        (Answer(401, {"error": "invalid_client"}), NotConfigured, "client_refused"),
        (Answer(400, {"error": "unauthorized_client"}), NotConfigured, "client_refused"),
        (Answer(500, "<html>oops</html>"), VendorUnavailable, "token_endpoint_unavailable"),
        (Answer(200, ""), VendorUnavailable, "token_endpoint_unavailable"),
        (Answer(200, "[]"), VendorUnavailable, "token_endpoint_unavailable"),
        (Answer(200, "{"), VendorUnavailable, "token_endpoint_unavailable"),
        (Answer(200, {"token_type": "bearer"}), VendorUnavailable, "token_endpoint_unavailable"),
        (Answer(200, PAIR | {"expires_in": "soon"}), VendorUnavailable, "token_endpoint_unavailable"),
        (
            Answer(200, {n: v for n, v in PAIR.items() if n != "expires_in"}),
            VendorUnavailable,
            "token_endpoint_unavailable",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_every_answer_of_the_token_endpoint_has_a_meaning(
    server: ScriptedServer, answer: Answer, error: type[SyncError], code: str
) -> None:
    server.play(answer)
    with pytest.raises(error) as raised:
        oauth.refresh(app_at(server.url), "refresh-0", sleep=Naps())
    assert raised.value.code == code


def test_an_answer_without_a_new_refresh_token_keeps_the_old_one(server: ScriptedServer) -> None:
    server.play(Answer(200, {name: value for name, value in PAIR.items() if name != "refresh_token"}))
    assert oauth.refresh(app_at(server.url), "refresh-0").refresh == "refresh-0"


def test_credentials_travel_in_the_body_and_nowhere_else(server: ScriptedServer) -> None:
    server.play(Answer(200, PAIR))
    oauth.refresh(app_at(server.url), "refresh-0")
    (sent,) = server.received
    assert sent.method == "POST"
    assert sent.target == "/api/oauth2/token"
    assert parse_qs(sent.body.decode()) == {
        "grant_type": ["refresh_token"],
        "refresh_token": ["refresh-0"],
        "client_id": [APP.client_id],
        "client_secret": [APP.client_secret],
    }
    assert "authorization" not in sent.headers


def test_an_exchange_sends_the_return_address_letter_by_letter(server: ScriptedServer) -> None:
    server.play(Answer(200, PAIR))
    oauth.exchange_code(app_at(server.url), "c/o+d e=")
    assert parse_qs(server.received[0].body.decode()) == {
        "grant_type": ["authorization_code"],
        "code": ["c/o+d e="],
        "redirect_uri": [DEFAULT_REDIRECT_URI],
        "client_id": [APP.client_id],
        "client_secret": [APP.client_secret],
    }


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("call", ["exchange", "refresh"])
def test_a_redirect_does_not_carry_the_secret_to_another_host(
    server: ScriptedServer, stranger: ScriptedServer, status: int, call: str
) -> None:
    server.play(Answer(status, "", {"Location": f"{stranger.url}/api/oauth2/token"}))
    stranger.play(Answer(200, PAIR))
    app = app_at(server.url)
    with pytest.raises(VendorUnavailable):
        oauth.exchange_code(app, "code") if call == "exchange" else oauth.refresh(app, "refresh-0", sleep=Naps())
    assert stranger.received == []


def test_renewals_go_through_the_connections_proxy(server: ScriptedServer) -> None:
    server.play(Answer(200, PAIR))
    extras = dict.fromkeys(("authorize_url", "token_url", "api_url"), "http://exact.internal")
    app = App.of("nl", "id", "secret", extras | {"plain_http": True, "proxies": {"http": server.url}})
    assert oauth.refresh(app, "refresh-0").access == "access-1"
    assert server.received[0].target == "http://exact.internal/"


def test_a_renewal_ends_before_those_who_wait_for_it_give_up() -> None:
    tries = [*token_endpoint.REPEATS, 0]
    patience = inspect.signature(TokenKeeper).parameters["patience"].default
    assert sum(token_endpoint.TIMEOUT) * len(tries) + sum(tries) < patience


# Secrets

CODE, TOKEN = "secret-login-code", "refresh-0"
SECRETS = (APP.client_secret, CODE, TOKEN, "access-1", "refresh-1")


@pytest.mark.parametrize(
    "answer",
    [
        Answer(reset=True),
        Answer(400, ""),
        Answer(500, "oops"),
        Answer(200, "\ufeff" + str(PAIR).replace("'", '"')),
        Answer(200, str(PAIR).replace("'", '"')[:-12]),
        Answer(200, "access_token=access-1&refresh_token=refresh-1"),
        Answer(200, PAIR | {"expires_in": "soon"}),
        Answer(302, "", {"Location": "http://127.0.0.1:1/"}),
        Answer(200, PAIR, cut=20),
    ],
    ids=["reset", "400", "500", "unusual form", "cut off json", "form", "no number", "redirect", "cut off"],
)
@pytest.mark.parametrize("call", ["exchange", "refresh"])
def test_no_secret_is_in_an_error_or_a_log_line(
    server: ScriptedServer, chatter: Callable[[], str], answer: Answer, call: str
) -> None:
    server.play(answer)
    try:
        if call == "exchange":
            oauth.exchange_code(app_at(server.url), CODE)
        else:
            oauth.refresh(app_at(server.url), TOKEN, sleep=Naps())
    except SyncError as error:
        seen = whole_text(error) + chatter()
    else:
        seen = chatter()
    assert [secret for secret in SECRETS if secret in seen] == []


def test_a_login_that_goes_well_leaves_no_secret_in_the_log(
    app: App, calm: SandboxProcess, chatter: Callable[[], str]
) -> None:
    code = log_in(app)["code"][0]
    before = len(chatter())
    first = oauth.exchange_code(app, code)
    calm.control.shift_clock(570)
    second = oauth.refresh(app, first.refresh)
    seen = chatter()[before:]
    for secret in (APP.client_secret, code, first.access, first.refresh, second.access, second.refresh):
        assert secret not in seen


def test_neither_app_nor_pair_shows_its_secrets(server: ScriptedServer) -> None:
    server.play(Answer(200, PAIR))
    app = app_at(server.url)
    pair = oauth.refresh(app, "refresh-0")
    shown = f"{app!r} {app} {pair!r} {pair}"
    assert [secret for secret in (*SECRETS, APP.client_id) if secret in shown] == []
