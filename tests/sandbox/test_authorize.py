"""Login and consent in a browser."""

from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from sandbox.browser import LoginFailedError
from sandbox.config import DEFAULT_REDIRECT_URI
from tests.sandbox.clients import HOLDING, MAIN


def query_of(address):
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def test_state_comes_back_unchanged_with_a_code(vendor, browser):
    state = "a b&c=d/ü+%"
    address = browser.consent(vendor.authorize_url(state=state))
    assert address.startswith(DEFAULT_REDIRECT_URI + "?")
    assert query_of(address).keys() == {"code", "state"}
    assert query_of(address)["state"] == state


def test_code_needs_encoding_and_survives_the_address(vendor, browser, app):
    address = browser.consent(vendor.authorize_url())
    assert set("+/=") & set(query_of(address)["code"])
    assert app.exchange(address).status_code == 200


def test_without_state_none_comes_back(vendor, browser):
    address = vendor.authorize_url().replace("&state=state", "")
    assert query_of(browser.consent(address)).keys() == {"code"}


def test_wrong_password_shows_the_login_page_again(vendor, browser):
    with pytest.raises(LoginFailedError, match="not correct"):
        browser.log_in(vendor.authorize_url(), password="guess")


def test_consent_page_lists_all_companies_and_ticks_all_but_one(vendor, browser):
    offer = browser.log_in(vendor.authorize_url())
    assert len(offer.names) == 8
    assert set(offer.names) - set(offer.ticked) == {HOLDING}
    assert "(archived)" in offer.names[2001007]


def test_limited_user_is_offered_only_own_companies(vendor, browser):
    offer = browser.log_in(vendor.authorize_url(), "limited@example.com", "limited")
    assert sorted(offer.names) == [2001001, 2001002]


def test_cancel_goes_back_with_access_denied(vendor, browser):
    address = vendor.authorize_url(state="s")
    browser.log_in(address)
    assert query_of(browser.cancel(address)) == {"error": "access_denied", "state": "s"}


def test_allowing_nothing_asks_again(vendor, browser):
    address = vendor.authorize_url()
    browser.log_in(address)
    with pytest.raises(KeyError):  # no Location: the page came back
        browser.allow(address, [])


def test_only_ticked_companies_are_granted(vendor, browser, app):
    address = browser.consent(vendor.authorize_url(), divisions=[MAIN, HOLDING])
    token = app.exchange(address).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    url = f"{vendor.exact_url}/api/v1/{MAIN}/system/Divisions?$select=Code"
    rows = requests.get(url, headers=headers, timeout=30).json()["d"]["results"]
    assert [row["Code"] for row in rows] == [MAIN, HOLDING]


def test_logged_in_user_skips_the_login_page_unless_forced(vendor, browser):
    browser.log_in(vendor.authorize_url())
    assert browser.open(vendor.authorize_url(force_login="0")).names
    with pytest.raises(LoginFailedError):
        browser.open(vendor.authorize_url(force_login="1"))


@pytest.mark.parametrize(
    "redirect_uri",
    [
        DEFAULT_REDIRECT_URI.replace("http:", "https:"),
        DEFAULT_REDIRECT_URI + "/",
        DEFAULT_REDIRECT_URI.replace("127.0.0.1", "localhost"),
    ],
)
def test_redirect_uri_must_be_equal_to_the_registered_one(vendor, redirect_uri):
    response = requests.get(vendor.authorize_url(redirect_uri=redirect_uri), allow_redirects=False, timeout=30)
    assert response.status_code == 400
    assert "not authorized" in response.text.lower()


def test_unknown_client_gets_a_page_and_no_redirect(vendor):
    response = requests.get(vendor.authorize_url(client_id="other"), allow_redirects=False, timeout=30)
    assert response.status_code == 400


def test_other_response_type_goes_back_with_an_error(vendor):
    response = requests.get(vendor.authorize_url(response_type="token"), allow_redirects=False, timeout=30)
    assert response.status_code == 302
    assert query_of(response.headers["Location"])["error"] == "invalid_request"


def test_further_redirect_uris_can_be_registered(vendor, control, browser):
    uri = "https://sync.example.com/callback?tenant=1"
    control.ask("POST", "/redirect-uris", {"redirect_uris": [uri]})
    address = browser.consent(vendor.authorize_url(redirect_uri=uri))
    assert address.startswith("https://sync.example.com/callback?tenant=1&code=")
