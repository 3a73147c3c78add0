"""Injected faults."""

import time

import pytest
import requests

from tests.sandbox.clients import BELGIAN, MAIN

RELATION = {"debtor_number": "F-1", "name": "Test", "street": "Dam", "postal_code": "1012 JS", "city": "Amsterdam"}
UNITS = "logistics/Units"


def test_status_with_body_and_headers_instead_of_an_answer(exact, control):
    control.add_fault("status", vendor="exact", path=UNITS, status=429, body={"error": "x"}, headers={"X-Note": "y"})
    response = exact.get(UNITS)
    assert (response.status_code, response.json(), response.headers["X-Note"]) == (429, {"error": "x"}, "y")
    assert exact.get(UNITS).status_code == 200


def test_rules_skip_then_strike_so_many_times(exact, control):
    control.add_fault("status", path=UNITS, status=500, skip=2, times=2)
    assert [exact.get(UNITS).status_code for _ in range(6)] == [200, 200, 500, 500, 200, 200]
    assert control.faults()[0]["hits"] == 2


def test_rules_without_end_last_until_cleared(exact, control):
    control.add_fault("status", path=UNITS, status=500, times=None)
    assert {exact.get(UNITS).status_code for _ in range(5)} == {500}
    control.clear_faults()
    assert exact.get(UNITS).status_code == 200


def test_rules_choose_by_vendor_method_path_and_division(exact, north, control):
    control.add_fault("status", vendor="outsmart", status=500, times=None)
    assert exact.get(UNITS).status_code == 200
    control.clear_faults()
    control.add_fault("status", method="POST", status=500, times=None)
    assert exact.get(UNITS).status_code == 200
    control.clear_faults()
    control.add_fault("status", division=BELGIAN, status=500, times=None)
    assert exact.get(UNITS, MAIN).status_code == 200
    assert exact.get(UNITS, BELGIAN).status_code == 500
    control.clear_faults()
    control.add_fault("status", path=r"sync/CRM/\w+$", status=500, times=None)
    assert exact.get("sync/CRM/Contacts").status_code == 500
    assert exact.get("crm/Contacts").status_code == 200


def test_reset_drops_the_connection_before_anything_happens(south, control):
    control.add_fault("reset", vendor="outsmart", method="POST")
    with pytest.raises(requests.ConnectionError):
        south.post("relations", RELATION)
    assert south.get("relations")["response"] == []
    assert control.calls(vendor="outsmart")[-2]["fault"] == "reset"


def test_timeout_after_executes_and_never_answers(vendor, south, control):
    control.add_fault("timeout_after", vendor="outsmart", method="POST")
    with pytest.raises(requests.Timeout):
        requests.post(f"{vendor.outsmart_url}/relations", params=south.tokens, json=[RELATION], timeout=0.3)
    assert [record["debtor_number"] for record in south.get("relations")["response"]] == ["F-1"]
    assert [call["status"] for call in control.calls(vendor="outsmart")][-2] == 0


def test_timeout_after_can_drop_the_connection(south, control):
    control.add_fault("timeout_after", vendor="outsmart", method="POST", seconds=0)
    with pytest.raises(requests.ConnectionError):
        south.post("relations", RELATION)
    assert len(south.get("relations")["response"]) == 1


def test_slow_waits_then_answers(exact, control):
    control.add_fault("slow", path=UNITS, seconds=0.3)
    started = time.monotonic()
    assert exact.get(UNITS).status_code == 200
    assert time.monotonic() - started >= 0.3


def test_truncated_answer_breaks_off(exact, control):
    control.add_fault("truncate", path=UNITS)
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
        exact.get(UNITS)


def test_truncated_answer_can_look_whole(exact, control):
    control.add_fault("truncate", path=UNITS, clean=True)
    response = exact.get(UNITS)
    assert response.status_code == 200
    with pytest.raises(requests.exceptions.JSONDecodeError):
        response.json()


def test_html_during_the_night(exact, north, control):
    control.add_fault("html", times=None)
    response = exact.get(UNITS)
    assert response.status_code == 503
    assert response.headers["Content-Type"].startswith("text/html")
    assert requests.get(f"{north.vendor.outsmart_url}/relations", params=north.tokens, timeout=5).status_code == 503


def test_token_endpoint_can_fail_too(app, control):
    pair = control.give_tokens()
    control.shift_clock(600)
    control.add_fault("timeout_after", path="oauth2/token", seconds=0)
    with pytest.raises(requests.ConnectionError):
        app.refresh(pair["refresh_token"])
    assert app.refresh(pair["refresh_token"]).text == "Old refresh token used."


def test_rules_that_make_no_sense_are_refused(vendor):
    for rule in ({"kind": "magic"}, {"kind": "reset", "pth": "x"}, {"kind": "reset", "path": "("}, {}):
        response = requests.post(f"{vendor.control_url}/faults", json=rule, timeout=30)
        assert response.status_code == 400, rule
        assert response.json()["error"]
