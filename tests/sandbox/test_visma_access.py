"""VISMA's identity server, and what a company, a scope or a limit keeps an app from."""

import base64
import hashlib
import json
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from sandbox.browser import LoginFailedError
from sandbox.fixed_world import VISMA_COMPANIES

FORCED = "service:44643EB1-3F76-4C1C-A672-402AE8085934 forceselectcompany:true"


def claims(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def code_of(response):
    return response.json()["ErrorCode"]


def test_consent_gives_tokens_for_the_chosen_company(visma_vendor, visma_app, browser):
    address = browser.consent_visma(visma_vendor.visma_authorize_url(state="xyz"), "gavle")
    assert parse_qs(urlsplit(address).query)["state"] == ["xyz"]
    tokens = visma_app.exchange(address).json()
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 3600)
    assert claims(tokens["access_token"])["customer_id"] == VISMA_COMPANIES["gavle"].id
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    settings = requests.get(f"{visma_vendor.visma_url}/v2/companysettings", headers=headers, timeout=30).json()
    assert (settings["Name"], settings["CurrencyCode"]) == ("Rörservice i Gävle AB sandbox", "SEK")


def test_only_companies_with_eaccounting_are_offered_where_asked(visma_vendor, browser):
    offered = browser.visma_companies(visma_vendor.visma_authorize_url())
    assert "holding" not in offered
    assert offered.keys() == VISMA_COMPANIES.keys() - {"holding"}
    assert "holding" in browser.visma_companies(visma_vendor.visma_authorize_url(acr_values=""))


@pytest.mark.parametrize(
    ("prompt", "values", "choice"),
    [("", "", False), ("login", "", False), ("", FORCED, False), ("login", FORCED, True), ("select_account", "", True)],
)
def test_default_company_comes_without_a_choice_unless_asked_for_properly(
    visma_vendor, browser, prompt, values, choice
):
    offered = browser.visma_companies(visma_vendor.visma_authorize_url(prompt=prompt, acr_values=values))
    assert (len(offered) > 1) is choice
    assert choice or list(offered) == ["holding"]


def test_login_is_asked_again_only_with_prompt_login(visma_vendor, browser):
    browser.visma_companies(visma_vendor.visma_authorize_url())
    page = browser._session.get(visma_vendor.visma_authorize_url(), timeout=30).text
    assert "Choose a company" in page
    page = browser._session.get(visma_vendor.visma_authorize_url(prompt="login select_account"), timeout=30).text
    assert "Password" in page


def test_wrong_password_and_foreign_address_are_refused(visma_vendor, browser):
    with pytest.raises(LoginFailedError, match="not correct"):
        browser.visma_companies(visma_vendor.visma_authorize_url(), password="no")
    elsewhere = visma_vendor.visma_authorize_url(redirect_uri="http://127.0.0.1:1/elsewhere")
    assert requests.get(elsewhere, timeout=30).status_code == 400


@pytest.mark.parametrize(
    ("change", "error"), [({"scope": "ea:everything"}, "invalid_scope"), ({"scope": ""}, "invalid_scope")]
)
def test_unknown_scopes_send_the_browser_back_with_an_error(visma_vendor, change, error):
    response = requests.get(visma_vendor.visma_authorize_url(**change), allow_redirects=False, timeout=30)
    assert parse_qs(urlsplit(response.headers["Location"]).query)["error"] == [error]


def test_cancel_sends_the_browser_back_with_access_denied(visma_vendor, browser):
    address = visma_vendor.visma_authorize_url()
    browser.visma_companies(address)
    assert "error=access_denied" in browser.cancel(address)


def test_code_works_once_and_for_five_minutes(visma_vendor, visma_app, browser):
    address = browser.consent_visma(visma_vendor.visma_authorize_url())
    assert visma_app.exchange(address).status_code == 200
    again = visma_app.exchange(address)
    assert (again.status_code, again.json()) == (400, {"error": "invalid_grant"})
    late = browser.consent_visma(visma_vendor.visma_authorize_url())
    visma_vendor.control.shift_clock(301)
    assert visma_app.exchange(late).json() == {"error": "invalid_grant"}


def test_pkce_is_checked_where_it_was_asked_for(visma_vendor, visma_app, browser):
    verifier = "a" * 50
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    address = visma_vendor.visma_authorize_url(code_challenge=challenge, code_challenge_method="S256")
    back = browser.consent_visma(address)
    assert visma_app.exchange(back).json() == {"error": "invalid_grant"}
    assert visma_app.exchange(back, code_verifier=verifier).status_code == 200


def test_client_must_say_its_secret(visma_app, visma):
    fields = {"grant_type": "refresh_token", "refresh_token": visma.tokens["refresh_token"]}
    wrong = visma_app.post(client=("outsmartsyncsandbox", "wrong"), **fields)
    assert (wrong.status_code, wrong.json()) == (400, {"error": "invalid_client"})
    assert visma_app.post(**(fields | {"grant_type": "password"})).json() == {"error": "unsupported_grant_type"}


@pytest.mark.parametrize("manner", ["reuse", "rotate", "omit"])
def test_refresh_token_is_kept_replaced_or_left_out(visma_vendor, visma_app, visma, manner):
    visma_vendor.control.switch(visma_refresh=manner)
    old = visma.tokens["refresh_token"]
    answer = visma_app.refresh(old).json()
    new = answer.get("refresh_token")
    assert {"reuse": new == old, "rotate": new not in {old, None}, "omit": new is None}[manner]
    again = visma_app.refresh(old)
    assert (again.status_code == 200) is (manner != "rotate")


def test_without_offline_access_there_is_nothing_to_refresh_with(visma_as):
    assert "refresh_token" not in visma_as(scopes=["ea:api", "ea:sales"]).tokens


def test_access_token_lives_an_hour(visma_vendor, visma_app, visma):
    visma_vendor.control.shift_clock(3601)
    late = visma.get("units")
    assert (late.status_code, code_of(late)) == (401, 4005)
    fresh = visma_app.refresh(visma.tokens["refresh_token"])
    visma.session.headers["Authorization"] = f"Bearer {fresh.json()['access_token']}"
    assert visma.get("units").status_code == 200


def test_revocation_ends_everything_and_an_unknown_token_is_no_mistake(visma_vendor, visma_app, visma):
    visma_vendor.control.forget_visma_token_calls()
    token = visma.tokens["refresh_token"]
    assert visma_app.post("revocation", token=token, token_type_hint="refresh_token").status_code == 200
    assert visma_app.refresh(token).json() == {"error": "invalid_grant"}
    assert visma.get("units").status_code == 401
    assert visma_app.post("revocation", token="nothing").status_code == 200
    assert visma_vendor.control.visma_token_calls()["outcomes"] == {
        "revocation 200 revoked": 1,
        "refresh_token 400 invalid_grant": 1,
        "revocation 200 unknown": 1,
    }


def test_taking_consent_back_is_for_one_company(visma_vendor, visma_as):
    swedish, dutch = visma_as(company="gavle"), visma_as()
    visma_vendor.control.revoke_visma(company="gavle")
    assert (swedish.get("units").status_code, dutch.get("units").status_code) == (401, 200)


@pytest.mark.parametrize(
    ("company", "path", "status", "code"),
    [
        ("jansen", "customers", 403, 4003),
        ("licentie", "customers", 403, 4012),
        ("echt", "companysettings", 403, 4034),
        ("holding", "companysettings", 403, 4011),
        ("kamer", "customers", 403, 4002),
        ("zonnig", "orders", 403, 4002),
        ("bakker", "orders", 403, 4009),
        ("bakker", "projects", 403, 4009),
        ("gavle", "salespricelists", 403, 4009),
    ],
)
def test_company_refuses_with_a_code_of_its_own(visma_as, company, path, status, code):
    response = visma_as(company=company).get(path)
    assert (response.status_code, code_of(response)) == (status, code)
    assert response.json().keys() == {"ErrorCode", "DeveloperErrorMessage", "ErrorId", "Errors"}


def test_missing_modules_are_named(visma_as):
    for company, path, module in (("kamer", "units", "api_standard"), ("zonnig", "orders", "sales_standard")):
        text = visma_as(company=company).get(path).json()["DeveloperErrorMessage"]
        assert text == f"No access to module: {module}"


def test_company_can_be_mended(visma_vendor, visma_as):
    visma_vendor.control.change_visma_standing("jansen", start_guide_done=True)
    assert visma_as(company="jansen").get("customers").status_code == 200
    visma_vendor.control.change_visma_standing("zonnig", modules=["api_standard", "sales_standard"])
    client = visma_as(company="zonnig")
    assert client.get("orders").status_code == 200
    assert "sales_standard" in client.get("companysettings").json()["ActivatedModules"]


def test_company_that_is_read_only_refuses_writes(visma_vendor, visma_as):
    visma_vendor.control.change_visma_standing("gavle", status=2)
    client = visma_as(company="gavle")
    assert client.get("companysettings").json()["CompanyStatus"] == 2
    assert code_of(client.post("customerlabels", {"Name": "x"})) == 4007


def test_scopes_are_needed(visma_as):
    reader = visma_as(scopes=["ea:api", "ea:sales_readonly"])
    assert reader.get("customers").status_code == 200
    assert code_of(reader.post("customers", {})) == 4006
    assert code_of(reader.get("vatcodes")) == 4006
    assert code_of(visma_as(scopes=["ea:sales"]).get("customers")) == 4006
    assert visma_as(scopes=["ea:api", "ea:accounting_readonly"]).get("vatcodes").status_code == 200


def test_user_with_read_access_only_can_not_write(visma_as):
    client = visma_as(user="limited@example.com")
    assert client.get("customers").status_code == 200
    assert code_of(client.post("customerlabels", {"Name": "x"})) == 4019


def test_limit_is_per_endpoint_and_names_the_seconds(visma_vendor, visma):
    visma_vendor.control.set_visma_limit(minute=3)
    visma_vendor.control.set_visma_limit(endpoint="articles", used=3)
    refused = visma.get("articles")
    assert (refused.status_code, code_of(refused)) == (429, 4010)
    seconds = int(refused.json()["DeveloperErrorMessage"].split("Try again in ")[1].split()[0])
    assert 1 <= seconds <= 60
    assert "Retry-After" not in refused.headers
    assert visma.get("units").status_code == 200
    visma_vendor.control.shift_clock(seconds)
    assert visma.get("articles").status_code == 200


def test_ids_do_not_make_endpoints_of_their_own(visma_vendor, visma):
    units = [one["Id"] for one in visma.rows("units")]
    visma_vendor.control.set_visma_limit(minute=2)
    answers = [visma.get(f"units/{one}").status_code for one in units[:4]]
    assert answers.count(429) >= 1
    visma_vendor.control.switch(visma_retry_after=True)
    visma_vendor.control.set_visma_limit(endpoint="units/{id}", used=99)
    assert int(visma.get(f"units/{units[0]}").headers["Retry-After"]) > 0
