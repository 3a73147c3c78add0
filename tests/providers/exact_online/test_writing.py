"""Changes at Exact Online: each is sent once, and only an answer of Exact's own says what became of it."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from outsmart_sync.errors import (
    AccessDenied,
    LoginExpired,
    RateLimited,
    RecordError,
    SyncError,
    UncertainOutcome,
    VendorUnavailable,
)
from outsmart_sync.providers.exact_online import writing
from outsmart_sync.providers.exact_online.client import RULES
from outsmart_sync.store.budget import CallBudget
from outsmart_sync.store.store import Store
from support import MAIN
from tests.providers.conftest import FixedTokens, MakeClient
from tests.providers.scripted import Answer, ScriptedServer

MADE = Answer(201, {"d": {"OrderID": "a-1", "AmountFCExclVat": 10.01}})
ORDERS = "salesorder/SalesOrders"


def refusal(text: str, status: int = 500) -> Answer:
    """An answer in Exact's own form."""
    return Answer(status, {"error": {"code": "", "message": {"lang": "", "value": text}}})


def test_a_new_row_is_sent_as_json_and_read_exactly(server: ScriptedServer, exact_at: MakeClient) -> None:
    server.play(MADE)
    row = writing.create(exact_at(server.url), ORDERS, {"Description": "Ketel É", "Quantity": 2.5})
    assert row["AmountFCExclVat"] == Decimal("10.01")
    [request] = server.received
    assert (request.method, request.target) == ("POST", f"/api/v1/{MAIN}/{ORDERS}")
    assert json.loads(request.body) == {"Description": "Ketel É", "Quantity": 2.5}
    assert request.headers["content-type"] == "application/json"
    assert request.headers["prefer"] == "return=representation"


def test_a_change_and_a_deletion_answer_nothing(server: ScriptedServer, exact_at: MakeClient) -> None:
    server.play(Answer(204))
    client = exact_at(server.url)
    writing.change(client, ORDERS, "a-1", {"YourRef": "x"})
    assert server.received[0].target == f"/api/v1/{MAIN}/{ORDERS}(guid'a-1')"
    assert server.received[0].method == "PUT"


@pytest.mark.parametrize(
    "answer",
    [
        Answer(reset=True),
        Answer(201, MADE.content, cut=9),
        Answer(201, b'{"d": {"Ord'),
        Answer(200, b"<html>maintenance</html>"),
        Answer(201, {"d": []}),
        Answer(500, b"<html>fault</html>"),
        Answer(500, b""),
        Answer(502),
        Answer(503, b"<html>maintenance</html>"),
        Answer(504),
        Answer(408),
        Answer(599),
        refusal("A problem has occurred. Please try again."),
        Answer(302, headers={"Location": "/elsewhere"}),
    ],
)
def test_an_answer_that_says_nothing_leaves_it_open_and_nothing_is_sent_again(
    server: ScriptedServer, exact_at: MakeClient, answer: Answer
) -> None:
    server.play(answer)
    with pytest.raises(UncertainOutcome):
        writing.create(exact_at(server.url), ORDERS, {"Description": "x"})
    assert len(server.received) == 1


@pytest.mark.parametrize(
    ("answer", "error", "code"),
    [
        (refusal("Mandatory: Journal"), RecordError, "value_missing"),
        (refusal("Verplicht: Serie"), RecordError, "value_missing"),
        (refusal("Ongeldig: Factuur voor (Type)"), RecordError, "no_customer"),
        (refusal("Gegeven bestaat reeds."), RecordError, "already_exists"),
        (refusal("Not allow to update in Basic : Warehouse"), RecordError, "licence_lacks"),
        (refusal("Invalid: Status"), RecordError, "done_with"),
        (refusal("Invalid: VATCode"), RecordError, "refused"),
        (refusal("Error processing request stream.", 400), RecordError, "bad_request"),
        (Answer(404), RecordError, "gone"),
        (Answer(413), RecordError, "too_large"),
        (refusal("Forbidden", 403), AccessDenied, "no_right"),
        (refusal("Forbidden - Application Scope Violated", 403), AccessDenied, "scope_missing"),
        (Answer(429), RateLimited, "rate_limited"),
        (Answer(401), LoginExpired, "login_refused"),
    ],
)
def test_a_refusal_says_that_nothing_was_made_and_what_to_do(
    server: ScriptedServer, exact_at: MakeClient, answer: Answer, error: type[SyncError], code: str
) -> None:
    server.play(answer)
    with pytest.raises(error) as caught:
        writing.create(exact_at(server.url), ORDERS, {"Description": "x"})
    assert caught.value.code == code
    if error is AccessDenied:
        assert "sales orders" in caught.value.what.lower()
    sent = [each for each in server.received if each.method == "POST"]
    assert len(sent) == (2 if code == "login_refused" else 1)


def test_a_refused_token_is_renewed_and_the_change_sent_again(server: ScriptedServer, exact_at: MakeClient) -> None:
    server.play(Answer(401), MADE)
    tokens = FixedTokens("old", "new")
    assert writing.create(exact_at(server.url, tokens=tokens), ORDERS, {"Description": "x"})["OrderID"] == "a-1"
    assert tokens.refused == ["old"]
    assert server.received[0].body == server.received[1].body


def test_a_limit_says_when_it_is_over(server: ScriptedServer, exact_at: MakeClient) -> None:
    server.play(Answer(429))
    with pytest.raises(RateLimited) as caught:
        writing.create(exact_at(server.url), ORDERS, {})
    assert caught.value.retry_at is not None


def test_without_a_connection_nothing_was_sent(exact_at: MakeClient, server: ScriptedServer) -> None:
    client = exact_at("http://127.0.0.1:9")
    with pytest.raises(VendorUnavailable, match="cannot be reached"):
        writing.create(client, ORDERS, {})


def test_exports_may_use_what_imports_leave(server: ScriptedServer, exact_at: MakeClient, sqlite_store: Store) -> None:
    from dataclasses import replace

    left = {"X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": "100", "X-RateLimit-Reset": "4102444800000"}
    server.play(Answer(200, {"d": []}, headers=left), MADE)
    imports = exact_at(server.url, budget=CallBudget(sqlite_store, "one", RULES))
    imports.get(imports.address("crm/Accounts", select=("ID",)))
    imports.close()
    with pytest.raises(RateLimited, match="kept for exports"):
        imports.get(imports.address("crm/Accounts", select=("ID",)))
    exports = exact_at(server.url, budget=CallBudget(sqlite_store, "one", replace(RULES, keep_share=0.0)))
    assert writing.create(exports, ORDERS, {"Description": "x"})["OrderID"] == "a-1"


def test_equal_errors_close_the_endpoint_before_exact_does(
    server: ScriptedServer, exact_at: MakeClient, sqlite_store: Store
) -> None:
    server.play(refusal("Error processing request stream.", 400))
    client: Any = exact_at(server.url, budget=CallBudget(sqlite_store, "one", RULES))
    for _ in range(RULES.equal_errors):
        with pytest.raises(RecordError):
            writing.create(client, ORDERS, {})
    with pytest.raises(SyncError) as caught:
        writing.create(client, ORDERS, {})
    assert caught.value.code == "endpoint_closed"
    assert len(server.received) == RULES.equal_errors
