"""The token endpoint: codes, refreshing, and how it refuses."""

import pytest
import requests

from sandbox.fixed_world import APP


@pytest.fixture
def code_address(vendor, browser):
    return browser.consent(vendor.authorize_url())


@pytest.fixture
def pair(control):
    return control.give_tokens()


def works(vendor, access_token):
    headers = {"Authorization": f"Bearer {access_token}", "Accept": "application/json"}
    return requests.get(f"{vendor.exact_url}/api/v1/current/Me", headers=headers, timeout=30).status_code == 200


def test_code_gives_tokens_with_expires_in_as_digits_in_text(app, code_address):
    response = app.exchange(code_address)
    assert response.status_code == 200
    pair = response.json()
    assert pair["expires_in"] == "600"
    assert pair["token_type"] == "bearer"
    assert pair.keys() == {"access_token", "refresh_token", "token_type", "expires_in"}


def test_code_works_once(app, code_address):
    assert app.exchange(code_address).status_code == 200
    again = app.exchange(code_address)
    assert (again.status_code, again.json()) == (400, {"error": "invalid_request"})


def test_code_lives_three_minutes(app, control, code_address):
    control.shift_clock(181)
    assert app.exchange(code_address).json() == {"error": "invalid_request"}


def test_code_needs_the_same_redirect_uri(app, code_address):
    response = app.exchange(code_address, redirect_uri="http://127.0.0.1/other")
    assert response.json() == {"error": "invalid_request"}


def test_wrong_secret_is_invalid_client(app, pair):
    response = app.post(grant_type="refresh_token", refresh_token=pair["refresh_token"], client_secret="wrong")
    assert (response.status_code, response.json()) == (400, {"error": "invalid_client"})


def test_credentials_belong_in_the_body(vendor, pair):
    response = requests.post(
        f"{vendor.exact_url}/api/oauth2/token",
        data={"grant_type": "refresh_token", "refresh_token": pair["refresh_token"]},
        auth=(APP.client_id, APP.client_secret),
        timeout=30,
    )
    assert response.json() == {"error": "invalid_request"}


def test_json_body_is_invalid_request(vendor, pair):
    body = {"grant_type": "refresh_token", "refresh_token": pair["refresh_token"], "client_id": APP.client_id}
    response = requests.post(f"{vendor.exact_url}/api/oauth2/token", json=body, timeout=30)
    assert (response.status_code, response.json()) == (400, {"error": "invalid_request"})


def test_unknown_grant_type_is_invalid_request(app):
    assert app.post(grant_type="client_credentials").json() == {"error": "invalid_request"}


def test_refreshing_before_570_seconds_is_refused_and_costs_nothing(vendor, app, control, pair):
    control.shift_clock(565)
    early = app.refresh(pair["refresh_token"])
    assert early.status_code == 400
    assert early.json() == {
        "error": "access_denied",
        "error_description": "Rate limit exceeded: access_token not expired",
    }
    assert early.headers["Reason"].startswith("TooEarlyToRefreshTokens:")
    assert works(vendor, pair["access_token"])
    control.shift_clock(6)
    assert app.refresh(pair["refresh_token"]).status_code == 200


def test_access_token_lives_600_seconds_even_when_refreshed(vendor, app, control, pair):
    control.shift_clock(575)
    new = app.refresh(pair["refresh_token"]).json()
    assert works(vendor, pair["access_token"])
    control.shift_clock(26)
    assert not works(vendor, pair["access_token"])
    assert works(vendor, new["access_token"])


def test_refresh_token_works_once(app, control, pair):
    control.shift_clock(600)
    assert app.refresh(pair["refresh_token"]).status_code == 200
    again = app.refresh(pair["refresh_token"])
    assert (again.status_code, again.text) == (401, "Old refresh token used.")


def test_refresh_token_dies_after_30_unused_days(app, control, pair):
    control.shift_clock(30 * 86_400 + 1)
    response = app.refresh(pair["refresh_token"])
    assert response.status_code == 400
    assert response.json()["error"] == "invalid_request"
    assert response.json()["error_description"].startswith("The refresh token expired at ")
    assert " and it is now " in response.json()["error_description"]


def test_refresh_token_lives_almost_30_days(app, control, pair):
    control.shift_clock(30 * 86_400 - 60)
    assert app.refresh(pair["refresh_token"]).status_code == 200


def test_logging_in_again_ends_the_older_pair(vendor, app, control, pair):
    newer = control.give_tokens()
    assert not works(vendor, pair["access_token"])
    assert works(vendor, newer["access_token"])
    control.shift_clock(600)
    assert app.refresh(pair["refresh_token"]).status_code == 401
    assert app.refresh(newer["refresh_token"]).status_code == 200


def test_another_users_login_leaves_the_pair_alone(vendor, control, pair):
    control.give_tokens("limited@example.com")
    assert works(vendor, pair["access_token"])


def test_revoked_consent_ends_access_at_once(vendor, app, control, pair):
    control.revoke()
    assert not works(vendor, pair["access_token"])
    control.shift_clock(600)
    assert app.refresh(pair["refresh_token"]).json() == {"error": "invalid_request"}


def test_nightly_400_says_nothing_and_the_same_request_then_succeeds(app, control, pair):
    control.shift_clock(600)
    control.switch(nightly_400=2)
    for _ in range(2):
        response = app.refresh(pair["refresh_token"])
        assert (response.status_code, response.text) == (400, "")
    assert app.refresh(pair["refresh_token"]).status_code == 200


def test_at_most_200_token_calls_a_day_per_user(app, control, pair):
    control.shift_clock(10 * 86_400)  # a day of which no other test uses calls
    pair = control.give_tokens()
    statuses = [app.refresh(pair["refresh_token"]).status_code for _ in range(201)]
    assert statuses == [400] * 200 + [429]
    control.shift_clock(86_400)
    assert app.refresh(pair["refresh_token"]).status_code == 200


def test_token_calls_are_counted_with_their_outcomes(app, control, pair):
    control.forget_token_calls()
    app.refresh(pair["refresh_token"])
    control.shift_clock(600)
    new = app.refresh(pair["refresh_token"]).json()
    app.refresh(pair["refresh_token"])
    app.post(grant_type="refresh_token", refresh_token=new["refresh_token"], client_id="gone")
    found = control.token_calls()
    assert found["count"] == 4
    assert found["outcomes"] == {
        "refresh_token 400 access_denied": 1,
        "refresh_token 200 tokens": 1,
        "refresh_token 401 old refresh token": 1,
        "refresh_token 400 invalid_client": 1,
    }
