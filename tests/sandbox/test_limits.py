"""Calls a minute and a day, and the error velocity limit."""

import pytest

from tests.sandbox.clients import BELGIAN, GERMAN, MAIN

MINUTELY = {f"X-RateLimit-Minutely-{name}" for name in ("Limit", "Remaining", "Reset")}
DAILY = {f"X-RateLimit-{name}" for name in ("Limit", "Remaining", "Reset")}


def families(response):
    return {name for name in response.headers if name.startswith("X-RateLimit")}


@pytest.fixture
def at_the_start_of_a_minute(control, vendor_now):
    now = vendor_now()
    control.shift_clock(60 - now.second - now.microsecond / 1e6 + 0.1)


def test_normal_answers_carry_both_families_in_epoch_milliseconds(exact, control, vendor_now):
    control.set_limits(minute=60, day=5000)
    response = exact.get("logistics/Units", top=1)
    assert families(response) == MINUTELY | DAILY
    now = vendor_now().timestamp()
    assert response.headers["X-RateLimit-Limit"] == "5000"
    assert response.headers["X-RateLimit-Minutely-Limit"] == "60"
    assert int(response.headers["X-RateLimit-Minutely-Reset"]) == (int(now) // 60 + 1) * 60_000
    assert int(response.headers["X-RateLimit-Reset"]) == (int(now) // 86_400 + 1) * 86_400_000


def test_remaining_counts_down_per_company(exact, control):
    control.set_limits(minute=60, day=5000)
    first, second = (exact.get("logistics/Units", top=1).headers for _ in range(2))
    other = exact.get("logistics/Units", BELGIAN, top=1).headers
    assert int(second["X-RateLimit-Remaining"]) == int(first["X-RateLimit-Remaining"]) - 1
    assert int(other["X-RateLimit-Remaining"]) > int(second["X-RateLimit-Remaining"])


@pytest.mark.usefixtures("at_the_start_of_a_minute")
def test_minute_used_up_is_429_with_minute_headers_only_until_the_next_minute(exact, control):
    control.set_limits(minute=3, day=5000)
    assert [exact.get("logistics/Units", top=1).status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = exact.get("logistics/Units", top=1)
    assert families(refused) == MINUTELY
    assert refused.headers["X-RateLimit-Minutely-Remaining"] == "0"
    assert exact.get("logistics/Units", BELGIAN, top=1).status_code == 200
    control.shift_clock(60)
    assert exact.get("logistics/Units", top=1).status_code == 200


def test_day_used_up_is_429_with_day_headers_only_until_midnight(exact, exact_as, control, vendor_now):
    control.set_limits(day=5000, used_day=5000)
    refused = exact.get("logistics/Units", top=1)
    assert refused.status_code == 429
    assert families(refused) == DAILY
    left = int(refused.headers["X-RateLimit-Reset"]) / 1000 - vendor_now().timestamp()
    assert 0 < left <= 86_400
    control.shift_clock(left + 1)
    assert exact_as().get("logistics/Units", top=1).status_code == 200


def test_first_call_can_meet_a_used_up_minute(exact, control):
    control.set_limits(minute=60, used_minute=60, division=GERMAN)
    assert exact.get("logistics/Units", GERMAN, top=1).status_code == 429
    assert exact.get("logistics/Units", MAIN, top=1).status_code == 200


def test_eleventh_error_shuts_the_endpoint_for_an_hour(exact, exact_as, control):
    statuses = [exact.get("crm/Accounts").status_code for _ in range(12)]
    assert statuses == [400] * 11 + [429]
    refused = exact.get("crm/Accounts", filter="Status eq 'C'", top=1)
    assert refused.status_code == 429
    assert families(refused) == MINUTELY | DAILY
    assert int(refused.headers["X-RateLimit-Minutely-Remaining"]) > 0
    assert exact.get("crm/Contacts", top=1).status_code == 200
    assert exact.get("crm/Accounts", BELGIAN, filter="Status eq 'C'", top=1).status_code == 200
    assert exact_as("limited@example.com", [MAIN]).get("crm/Accounts", filter="Status eq 'C'", top=1).status_code == 200
    control.shift_clock(3599)
    assert exact_as().get("crm/Accounts", filter="Status eq 'C'", top=1).status_code == 429
    control.shift_clock(2)
    assert exact_as().get("crm/Accounts", filter="Status eq 'C'", top=1).status_code == 200


def test_ten_errors_an_hour_are_allowed(exact, exact_as, control):
    assert {exact.get("crm/Nothing").status_code for _ in range(10)} == {404}
    control.shift_clock(3601)
    assert {exact_as().get("crm/Nothing").status_code for _ in range(10)} == {404}


def test_500_and_429_do_not_count_as_errors(exact):
    assert {exact.call("POST", "crm/Accounts", json={}).status_code for _ in range(12)} == {500}


def test_expired_tokens_count_as_errors(exact, exact_as, control):
    control.shift_clock(601)
    assert {exact.get("crm/Contacts", BELGIAN).status_code for _ in range(11)} == {401}
    assert exact_as().get("crm/Contacts", BELGIAN).status_code == 429
    control.reset_limits()
    assert exact_as().get("crm/Contacts", BELGIAN).status_code == 200


def test_refused_calls_are_not_counted(exact, control):
    control.set_limits(minute=60, day=5000, used_minute=60, used_day=10)
    for _ in range(3):
        assert exact.get("logistics/Units").status_code == 429
    assert control.ask("GET", "/limits")["divisions"][str(MAIN)]["used"]["day_calls"] == 10
