"""Exact Online's wire: pages, links, limits, repeats, and what each answer means."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from outsmart_sync.errors import (
    AccessDenied,
    LoginExpired,
    RateLimited,
    RequestRefused,
    SyncError,
    VendorUnavailable,
)
from outsmart_sync.providers import web
from outsmart_sync.providers.exact_online.client import RULES, ExactOnlineClient, endpoint_of
from outsmart_sync.providers.exact_online.errors import API_OUTCOMES
from outsmart_sync.store.budget import CallBudget
from outsmart_sync.store.store import Store
from outsmart_sync.store.tables import call_budget
from sandbox import process
from sandbox.process import SandboxProcess
from support import MAIN, SMALL
from tests.providers.conftest import FixedTokens, MakeClient
from tests.providers.scripted import Answer, Received, ScriptedServer

EMPTY = 2001006
EVERYTHING = "Modified gt datetime'2000-01-01T00:00:00'"
TOKEN = "secret-access-token"
MINUTE = ("X-RateLimit-Minutely-Limit", "X-RateLimit-Minutely-Remaining", "X-RateLimit-Minutely-Reset")
DAY = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")


@pytest.fixture(scope="module")
def shared_vendors() -> Iterator[SandboxProcess]:
    """Vendors with some pages of contact persons."""
    with process.start(relations=300) as vendors:
        yield vendors


class Naps:
    """Sleeps that take no time."""

    def __init__(self) -> None:
        self.taken: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)


def page(*rows: Any, then: str | None = None) -> Answer:
    return Answer(200, {"d": {"results": list(rows)} | ({"__next": then} if then else {})})


def limits(family: tuple[str, str, str], limit: int, left: int, ends_in: float, clock: float = 0) -> dict[str, str]:
    """The headers of one limit, by a vendor whose clock is so many seconds ahead."""
    there = datetime.now(UTC) + timedelta(seconds=clock)
    resets = round((there.timestamp() + ends_in) * 1000)
    figures = zip(family, (limit, left, resets), strict=True)
    return {"Date": format_datetime(there, usegmt=True)} | {name: str(value) for name, value in figures}


def error_body(text: str) -> dict[str, Any]:
    return {"error": {"code": "", "message": {"lang": "", "value": text}}}


def read_all(client: ExactOnlineClient, address: str) -> list[Any]:
    return [row for each in client.pages(address) for row in each.rows]


def accounts(client: ExactOnlineClient) -> str:
    return client.address("sync/CRM/Accounts", select=("ID", "Timestamp"), filters="Timestamp gt 1L")


# Addresses and what is sent


def test_an_address_asks_for_columns_and_a_filter_in_the_vendors_own_words(exact_at: MakeClient) -> None:
    client = exact_at("https://start.exactonline.nl")
    address = client.address(
        "crm/Accounts", select=("ID", "Code"), filters="Code eq '              'and 1' or Name eq 'a&b=c+d#é'", top=1
    )
    parts = urlsplit(address)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"https://start.exactonline.nl/api/v1/{MAIN}/crm/Accounts"
    assert parse_qs(parts.query, strict_parsing=True) == {
        "$select": ["ID,Code"],
        "$filter": ["Code eq '              'and 1' or Name eq 'a&b=c+d#é'"],
        "$top": ["1"],
    }


@pytest.mark.parametrize(
    ("path", "endpoint"),
    [
        ("/api/v1/2001001/sync/CRM/Accounts?$filter=x", "sync/CRM/Accounts"),
        ("/api/v1/current/Me?$select=x", "current/Me"),
        ("/somewhere/else", "/somewhere/else"),
    ],
)
def test_limits_and_logs_speak_of_the_path_below_the_administration(path: str, endpoint: str) -> None:
    assert endpoint_of(f"https://start.exactonline.nl{path}") == endpoint


def test_a_call_carries_the_token_in_its_header_and_nowhere_else(server: ScriptedServer, exact_at: MakeClient) -> None:
    server.play(page())
    client = exact_at(server.url, TOKEN)
    client.get(accounts(client))
    (sent,) = server.received
    assert sent.headers["authorization"] == f"Bearer {TOKEN}"
    assert sent.headers["accept"] == "application/json"
    assert sent.headers["user-agent"] == web.USER_AGENT
    assert TOKEN not in sent.target
    assert (sent.method, sent.body) == ("GET", b"")


def test_it_is_said_who_is_connected_and_which_administrations_there_are(exact: ExactOnlineClient) -> None:
    assert exact.me()["UserName"] == "demo@example.com"
    codes = [row["Code"] for row in exact.divisions(str(SMALL))]
    assert {MAIN, SMALL, EMPTY} <= set(codes)
    assert exact.calls == 2


def test_an_answer_that_does_not_say_who_is_connected_is_a_passing_trouble(
    server: ScriptedServer, exact_at: MakeClient
) -> None:
    server.play(page())
    with pytest.raises(VendorUnavailable, match="who is logged in"):
        exact_at(server.url).me()


# Shapes of an answer


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        ({"d": [{"ID": 1}, {"ID": 2}]}, [{"ID": 1}, {"ID": 2}]),
        ({"d": []}, []),
        ({"d": {"results": [{"ID": 1}]}}, [{"ID": 1}]),
        ({"d": {"results": []}}, []),
        ({"d": {"results": [{"ID": 1}], "__next": None}}, [{"ID": 1}]),
        ({"d": {"ID": 1}}, [{"ID": 1}]),
    ],
    ids=["list", "empty list", "results", "no results", "null link", "single"],
)
def test_rows_are_found_in_every_shape_that_exact_uses(
    server: ScriptedServer, exact_at: MakeClient, body: Any, rows: list[Any]
) -> None:
    server.play(Answer(200, body))
    client = exact_at(server.url)
    found = client.get(accounts(client))
    assert (found.rows, found.next_page) == (rows, None)


@pytest.mark.parametrize(
    "body",
    [{}, [], {"d": None}, {"d": "x"}, {"error": {}}, "null", {"d": {"results": None}}, {"d": {"results": {}}}],
    ids=str,
)
def test_an_answer_of_another_shape_is_a_passing_trouble_and_no_empty_page(
    server: ScriptedServer, exact_at: MakeClient, body: Any
) -> None:
    server.play(Answer(200, body))
    client = exact_at(server.url)
    with pytest.raises(VendorUnavailable) as failed:
        client.get(accounts(client))
    assert failed.value.code == "vendor_unreadable"


def test_fractions_are_read_as_they_were_written(server: ScriptedServer, exact_at: MakeClient) -> None:
    server.play(Answer(200, '{"d":[{"Price":4.55,"Quantity":0.1,"Stamp":4300000001,"Text":"1.5"}]}'))
    client = exact_at(server.url)
    assert client.get(accounts(client)).rows == [
        {"Price": Decimal("4.55"), "Quantity": Decimal("0.1"), "Stamp": 4_300_000_001, "Text": "1.5"}
    ]


# Pages


@pytest.mark.parametrize("more", [0, 1], ids=["exactly a page", "one more"])
@pytest.mark.parametrize(
    ("resource", "size", "filters"),
    [
        ("crm/Accounts", 60, EVERYTHING),
        ("sync/CRM/Accounts", 1_000, "Timestamp gt 1L"),
        ("bulk/CRM/Accounts", 1_000, EVERYTHING),
    ],
    ids=["single", "sync", "bulk"],
)
def test_every_row_is_read_once_however_the_pages_fall(
    calm: SandboxProcess, exact_at: MakeClient, resource: str, size: int, filters: str, more: int
) -> None:
    there = {row["ID"] for row in calm.control.exact_rows(EMPTY, "crm/Accounts")}
    chosen = "crm/Accounts"
    if len(there) < size + more:
        names = [{"Name": f"Relation {number}"} for number in range(size + more - len(there))]
        there |= set(calm.control.add_exact(EMPTY, chosen, *names))
    elif len(there) > size + more:
        surplus = sorted(there)[size + more :]
        calm.control.delete_exact(EMPTY, chosen, *surplus)
        there -= set(surplus)
    client = exact_at(calm.exact_url, calm.control.give_tokens()["access_token"], division=str(EMPTY))
    pages = list(client.pages(client.address(resource, select=("ID",), filters=filters)))
    ids = [row["ID"] for each in pages for row in each.rows]
    assert sorted(ids) == sorted(there)
    assert [len(each.rows) for each in pages if each.rows] == [size, 1][: 1 + more]


def test_many_small_pages_hold_every_row_once(calm: SandboxProcess, exact: ExactOnlineClient) -> None:
    there = {row["ID"] for row in calm.control.exact_rows(MAIN, "crm/Contacts")}
    found = [row["ID"] for row in read_all(exact, exact.address("crm/Contacts", select=("ID",), filters=EVERYTHING))]
    assert sorted(found) == sorted(there)
    assert exact.calls == len(found) // 60 + (len(found) % 60 > 0)


def test_without_rows_there_is_one_empty_page(exact: ExactOnlineClient) -> None:
    address = exact.address("sync/CRM/Accounts", select=("ID",), filters="Timestamp gt 9000000000000L")
    assert [each.rows for each in exact.pages(address)] == [[]]
    assert exact.calls == 1


@pytest.mark.parametrize(
    "token", ["guid'de300000-0000-4000-8000-000000000001'", "'GM%2BD'", "387L", "'10',6,2014", "a%20b+c"]
)
def test_a_link_is_followed_letter_by_letter(server: ScriptedServer, exact_at: MakeClient, token: str) -> None:
    path = f"/api/v1/{MAIN}/crm/Accounts?$select=ID&$skiptoken={token}"
    server.play(page({"ID": 1}, then=server.url + path), page({"ID": 2}))
    client = exact_at(server.url)
    assert read_all(client, accounts(client)) == [{"ID": 1}, {"ID": 2}]
    assert server.received[1].target == path


def test_a_page_can_be_taken_up_again_at_its_link(exact: ExactOnlineClient) -> None:
    address = exact.address("crm/Contacts", select=("ID",), filters=EVERYTHING)
    first, *others = exact.pages(address)
    assert first.next_page
    assert [each.rows for each in exact.pages(first.next_page)] == [each.rows for each in others]


def test_pages_are_fetched_one_at_a_time_and_only_when_they_are_wanted(
    server: ScriptedServer, exact_at: MakeClient
) -> None:
    link = f"{server.url}/api/v1/{MAIN}/crm/Accounts?$skiptoken="
    server.play(*(page({"ID": n}, then=f"{link}{n}") for n in range(5)), page({"ID": 5}))
    client = exact_at(server.url)
    pages = client.pages(accounts(client))
    assert [next(pages).rows, next(pages).rows, len(server.received)] == [[{"ID": 0}], [{"ID": 1}], 2]
    assert len(list(pages)) == 4
    assert (server.most_at_once, client.calls) == (1, 6)


# Where the token may travel


@pytest.mark.parametrize("host", ["{stranger}", "http://localhost:{port}", "http://127.0.0.1:{port}@evil.example"])
def test_a_link_to_an_unknown_host_is_refused_and_the_host_never_called(
    server: ScriptedServer, stranger: ScriptedServer, exact_at: MakeClient, host: str
) -> None:
    link = host.format(stranger=stranger.url, port=server.port) + f"/api/v1/{MAIN}/crm/Accounts?$skiptoken=1L"
    server.play(page({"ID": 1}, then=link))
    client = exact_at(server.url)
    pages = client.pages(accounts(client))
    assert next(pages).rows == [{"ID": 1}]
    with pytest.raises(RequestRefused) as refused:
        next(pages)
    assert refused.value.code == "unknown_host"
    assert stranger.received == []
    assert len(server.received) == client.calls == 1


def test_a_link_to_a_host_that_the_connection_names_is_followed(
    server: ScriptedServer, stranger: ScriptedServer, exact_at: MakeClient
) -> None:
    server.play(page({"ID": 1}, then=f"{stranger.url}/api/v1/{MAIN}/crm/Accounts?$skiptoken=1L"))
    stranger.play(page({"ID": 2}))
    client = exact_at(server.url, hosts=web.KnownHosts.of(server.url, stranger.url))
    assert read_all(client, accounts(client)) == [{"ID": 1}, {"ID": 2}]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(
    server: ScriptedServer, stranger: ScriptedServer, exact_at: MakeClient, status: int
) -> None:
    server.play(Answer(status, "", {"Location": f"{stranger.url}/login"}))
    stranger.play(page())
    client = exact_at(server.url)
    with pytest.raises(VendorUnavailable):
        client.get(accounts(client))
    assert stranger.received == []


# Tokens that are refused


def test_a_token_that_is_refused_amid_paging_is_renewed_once_and_reading_goes_on(
    calm: SandboxProcess, exact_at: MakeClient
) -> None:
    old = calm.control.give_tokens()["access_token"]
    calm.control.add_fault("status", path="crm/Contacts", status=401, skip=1, body=error_body("Unauthorized"))
    tokens = FixedTokens(old, old)
    client = exact_at(calm.exact_url, tokens=tokens)
    found = read_all(client, client.address("crm/Contacts", select=("ID",), filters=EVERYTHING))
    assert sorted(row["ID"] for row in found) == sorted(
        row["ID"] for row in calm.control.exact_rows(MAIN, "crm/Contacts")
    )
    assert tokens.refused == [old]


def test_after_a_renewal_the_new_token_is_sent(server: ScriptedServer, exact_at: MakeClient) -> None:
    server.play(Answer(401), page({"ID": 1}))
    client = exact_at(server.url, "old-token", "new-token")
    assert read_all(client, accounts(client)) == [{"ID": 1}]
    assert [sent.headers["authorization"] for sent in server.received] == ["Bearer old-token", "Bearer new-token"]


def test_each_page_may_find_its_token_expired(server: ScriptedServer, exact_at: MakeClient) -> None:
    link = f"{server.url}/api/v1/{MAIN}/crm/Accounts?$skiptoken=1L"
    server.play(Answer(401), page({"ID": 1}, then=link), Answer(401), page({"ID": 2}))
    tokens = FixedTokens("one", "two", "three")
    client = exact_at(server.url, tokens=tokens)
    assert len(read_all(client, accounts(client))) == 2
    assert tokens.refused == ["one", "two"]


def test_a_renewed_token_that_is_refused_too_means_that_the_login_has_ended(
    calm: SandboxProcess, exact_at: MakeClient
) -> None:
    tokens = FixedTokens("never-given", "never-given-either")
    client = exact_at(calm.exact_url, tokens=tokens)
    with pytest.raises(LoginExpired) as expired:
        client.get(accounts(client))
    assert expired.value.code == "login_refused"
    assert "connect exact-online" in expired.value.remedy
    assert (tokens.refused, client.calls) == (["never-given"], 2)


# What each failure means

TABLE = [
    (401, "Unauthorized", LoginExpired, "login_refused"),
    (403, "Forbidden - Application Scope Violated", AccessDenied, "scope_missing"),
    (403, "Forbidden - Customer's license expired", AccessDenied, "licence_ended"),
    (403, "Forbidden", AccessDenied, "no_right"),
    (404, "Resource not found", RequestRefused, "not_found"),
    (400, "Bad Request - Error in query syntax.", RequestRefused, "bad_request"),
    (408, "Request Timeout", VendorUnavailable, "vendor_timeout"),
    (429, "Too Many Requests", RateLimited, "rate_limited"),
    (500, "Object reference not set", VendorUnavailable, "vendor_fault"),
    (502, "Bad Gateway", VendorUnavailable, "vendor_unavailable"),
    (503, "Service Unavailable", VendorUnavailable, "vendor_unavailable"),
    (504, "Gateway Timeout", VendorUnavailable, "vendor_unavailable"),
    (599, "Network Connect Timeout", VendorUnavailable, "vendor_unavailable"),
]


@pytest.mark.parametrize(("status", "text", "error", "code"), TABLE, ids=lambda value: str(value)[:12])
@pytest.mark.parametrize("said", ["body", "header", "text"])
def test_every_failure_has_one_meaning_wherever_exact_says_its_reason(
    server: ScriptedServer, exact_at: MakeClient, status: int, text: str, error: type[SyncError], code: str, said: str
) -> None:
    answers = {
        "body": Answer(status, error_body(text)),
        "header": Answer(status, "", {"Reason": text}),
        "text": Answer(status, text),
    }
    server.play(answers[said])
    client = exact_at(server.url)
    with pytest.raises(error) as raised:
        client.get(accounts(client))
    assert (type(raised.value), raised.value.code) == (error, code)
    assert text in raised.value.technical
    assert f"GET sync/CRM/Accounts: HTTP {status}" in raised.value.technical
    assert raised.value.remedy


def test_every_row_of_the_table_is_tried() -> None:
    assert {code for *_, code in TABLE} == {row.code for row in API_OUTCOMES}


def test_a_web_page_is_not_quoted(server: ScriptedServer, exact_at: MakeClient) -> None:
    server.play(Answer(500, "\n<!doctype html><h1>Runtime Error</h1>"))
    client = exact_at(server.url)
    with pytest.raises(VendorUnavailable, match="a web page") as failed:
        client.get(accounts(client))
    assert "Runtime Error" not in str(failed.value) + failed.value.technical


@pytest.mark.parametrize(
    ("prepare", "code"),
    [
        (lambda control: control.change_scopes(remove=["Crm accounts"]), "scope_missing"),
        (lambda control: control.switch(licence_expired=[MAIN]), "licence_ended"),
        (lambda control: control.change_scopes(remove_divisions=[MAIN]), "no_right"),
        (
            lambda control: control.change_scopes(
                remove_rights=[{"endpoint": "crm/Accounts", "action": "GET", "user": "demo@example.com"}]
            ),
            "no_right",
        ),
    ],
    ids=["scope", "licence", "administration", "right"],
)
def test_what_is_not_allowed_is_told_apart_and_tried_once(
    calm: SandboxProcess, exact: ExactOnlineClient, prepare: Callable[[Any], Any], code: str
) -> None:
    prepare(calm.control)
    with pytest.raises(AccessDenied) as denied:
        exact.get(accounts(exact))
    assert denied.value.code == code
    assert exact.calls == 1


@pytest.mark.parametrize(
    ("resource", "select", "filters", "code"),
    [
        ("crm/Nothing", ("ID",), "", "not_found"),
        ("sync/CRM/Accounts", ("ID", "Nothing"), "Timestamp gt 1L", "bad_request"),
        ("sync/CRM/Accounts", ("ID",), "Name eq 'x'", "bad_request"),
        ("crm/Accounts", ("ID",), "", "bad_request"),
    ],
    ids=["path", "column", "sync filter", "no filter"],
)
def test_a_request_that_exact_calls_wrong_is_not_repeated(
    exact: ExactOnlineClient, resource: str, select: tuple[str, ...], filters: str, code: str
) -> None:
    with pytest.raises(RequestRefused) as refused:
        exact.get(exact.address(resource, select=select, filters=filters))
    assert (refused.value.code, exact.calls) == (code, 1)


# Passing troubles

PASSING = [
    {"kind": "status", "status": 408},
    {"kind": "status", "status": 500, "body": error_body("oops")},
    {"kind": "html"},
    {"kind": "reset"},
    {"kind": "truncate"},
    {"kind": "truncate", "clean": True},
]
PASSING_NAMES = ["408", "500", "503 page", "reset", "cut off", "half an answer"]


@pytest.mark.parametrize("fault", PASSING, ids=PASSING_NAMES)
def test_a_passing_trouble_is_repeated_and_nothing_is_lost_or_doubled(
    calm: SandboxProcess, exact_at: MakeClient, fault: dict[str, Any]
) -> None:
    calm.control.add_fault(path="crm/Contacts", skip=1, times=2, **fault)
    naps = Naps()
    client = exact_at(calm.exact_url, calm.control.give_tokens()["access_token"], sleep=naps)
    found = read_all(client, client.address("crm/Contacts", select=("ID",), filters=EVERYTHING))
    assert sorted(row["ID"] for row in found) == sorted(
        row["ID"] for row in calm.control.exact_rows(MAIN, "crm/Contacts")
    )
    assert naps.taken == [0.5, 2.0]


@pytest.mark.parametrize("fault", PASSING, ids=PASSING_NAMES)
def test_a_trouble_that_does_not_pass_is_given_up_after_three_tries(
    calm: SandboxProcess, exact: ExactOnlineClient, fault: dict[str, Any]
) -> None:
    calm.control.add_fault(path="sync/CRM", times=None, **fault)
    with pytest.raises(VendorUnavailable) as failed:
        exact.get(accounts(exact))
    assert "by itself" in failed.value.remedy
    assert exact.calls == len(calm.control.calls(path="sync/CRM")) == 3


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, "<html>Please log in</html>"),
        Answer(200, ""),
        Answer(200, '{"d":[{"ID":1},'),
        Answer(200, b'{"d":[{"Name":"\xff\xfe"}]}'),
        Answer(200, b"\x1f\x8b not gzip", {"Content-Encoding": "gzip"}),
        Answer(200, {"d": []}, cut=4),
    ],
    ids=["web page", "nothing", "half", "no UTF-8", "no gzip", "cut off"],
)
def test_an_answer_that_is_no_data_is_a_passing_trouble(
    server: ScriptedServer, exact_at: MakeClient, answer: Answer
) -> None:
    server.play(answer, answer, page({"ID": 1}))
    client = exact_at(server.url)
    assert read_all(client, accounts(client)) == [{"ID": 1}]
    server.play(answer)
    with pytest.raises(VendorUnavailable):
        client.get(accounts(client))


@pytest.mark.parametrize("status", [400, 403, 500])
def test_a_failure_whose_text_cannot_be_read_is_a_failure_all_the_same(
    server: ScriptedServer, exact_at: MakeClient, status: int
) -> None:
    server.play(Answer(status, b'{"error":{"message":{"value":"\xff\xfe"}}}'))
    client = exact_at(server.url)
    with pytest.raises(SyncError) as failed:
        client.get(accounts(client))
    assert f"HTTP {status}" in failed.value.technical


def test_a_host_where_nobody_listens_cannot_be_reached(stranger: ScriptedServer, exact_at: MakeClient) -> None:
    stranger.stop()
    naps = Naps()
    client = exact_at(stranger.url, sleep=naps)
    with pytest.raises(VendorUnavailable) as failed:
        client.get(accounts(client))
    assert failed.value.code == "vendor_unreachable"
    assert naps.taken == [0.5, 2.0]


@pytest.mark.parametrize(
    "answer", [Answer(reset=True), Answer(401), Answer(403, "no"), Answer(500, "oops"), Answer(200, "{")], ids=str
)
def test_the_token_is_in_no_error_and_no_log_line(
    server: ScriptedServer, exact_at: MakeClient, chatter: Callable[[], str], answer: Answer
) -> None:
    server.play(answer)
    client = exact_at(server.url, TOKEN)
    with pytest.raises(SyncError) as failed:
        client.get(accounts(client))
    error = failed.value
    seen = "\n".join([*traceback.format_exception(error), str(error), repr(error), repr(vars(error)), chatter()])
    assert TOKEN not in seen


# Call limits


@pytest.mark.parametrize("clock", [0, 3_600, -3_600], ids=["right", "ours is behind", "ours is ahead"])
def test_a_full_minute_is_waited_out_by_the_vendors_own_clock(
    server: ScriptedServer, exact_at: MakeClient, clock: float
) -> None:
    def refuse(_: Received) -> Answer:
        return Answer(429, error_body("Too Many Requests"), limits(MINUTE, 60, 0, 42, clock))

    server.play(refuse, page({"ID": 1}))
    naps = Naps()
    client = exact_at(server.url, sleep=naps)
    assert read_all(client, accounts(client)) == [{"ID": 1}]
    (nap,) = naps.taken
    assert 42 <= nap <= 44


def test_a_minute_of_the_vendor_that_is_already_over_costs_no_wait(
    server: ScriptedServer, exact_at: MakeClient
) -> None:
    server.play(Answer(429, "", limits(MINUTE, 60, 0, -30)), page())
    naps = Naps()
    client = exact_at(server.url, sleep=naps)
    client.get(accounts(client))
    assert naps.taken == [0.5]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        limits(MINUTE, 60, 12, 20),
        {"X-RateLimit-Minutely-Remaining": "many", "X-RateLimit-Minutely-Reset": "soon"},
        {"X-RateLimit-Minutely-Remaining": "0"},
    ],
    ids=["none", "calls are left", "no figures", "half"],
)
def test_where_the_answer_does_not_say_how_long_a_minute_is_waited(
    server: ScriptedServer, exact_at: MakeClient, headers: dict[str, str]
) -> None:
    server.play(Answer(429, "", headers), page())
    naps = Naps()
    client = exact_at(server.url, sleep=naps)
    client.get(accounts(client))
    assert naps.taken == [60.5]


def test_without_a_date_no_clock_can_make_a_wait_longer_than_the_minute(
    server: ScriptedServer, exact_at: MakeClient
) -> None:
    headers = limits(MINUTE, 60, 0, 40, clock=7_200)
    del headers["Date"]
    server.play(Answer(429, "", headers), page())
    naps = Naps()
    client = exact_at(server.url, sleep=naps)
    client.get(accounts(client))
    assert naps.taken == [60.5]


def test_a_limit_that_does_not_lift_is_waited_for_three_times_and_then_left_to_the_caller(
    server: ScriptedServer, exact_at: MakeClient
) -> None:
    server.play(Answer(429))
    naps = Naps()
    client = exact_at(server.url, sleep=naps)
    with pytest.raises(RateLimited) as limited:
        client.get(accounts(client))
    assert (naps.taken, client.calls) == ([60.5] * 3, 4)
    assert limited.value.retry_at is not None


@pytest.mark.parametrize("clock", [0, 86_400, -7_200], ids=["right", "ours is behind", "ours is ahead"])
def test_a_used_up_day_is_left_to_the_caller_with_the_time_when_it_begins_anew(
    server: ScriptedServer, exact_at: MakeClient, clock: float
) -> None:
    server.play(Answer(429, "", limits(DAY, 5_000, 0, 7_200, clock)))
    naps = Naps()
    client = exact_at(server.url, sleep=naps)
    with pytest.raises(RateLimited) as limited:
        client.get(accounts(client))
    assert naps.taken == []
    retry_at = limited.value.retry_at
    assert retry_at is not None
    assert retry_at.tzinfo is not None
    left = (retry_at - datetime.now(UTC)).total_seconds()
    assert 6_900 < left < 7_205


def test_a_caller_without_patience_gets_the_minute_as_well(server: ScriptedServer, exact_at: MakeClient) -> None:
    server.play(Answer(429, "", limits(MINUTE, 60, 0, 30)))
    naps = Naps()
    client = exact_at(server.url, sleep=naps, patience=5)
    with pytest.raises(RateLimited) as limited:
        client.get(accounts(client))
    assert naps.taken == []
    assert limited.value.retry_at is not None


def begin_a_minute(vendors: SandboxProcess) -> None:
    """Put the vendor's clock to just after a whole minute, so that none ends while a test looks."""
    now = datetime.fromisoformat(vendors.control.now())
    vendors.control.shift_clock(61 - now.second)


def test_exacts_own_minute_is_waited_out(calm: SandboxProcess, exact_at: MakeClient) -> None:
    begin_a_minute(calm)
    calm.control.set_limits(minute=60, used_minute=59, division=MAIN)
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        calm.control.shift_clock(seconds)

    client = exact_at(calm.exact_url, calm.control.give_tokens()["access_token"], sleep=sleep)
    address = client.address("crm/Contacts", select=("ID",), filters=EVERYTHING)
    found = read_all(client, address)
    assert len(found) == len(calm.control.exact_rows(MAIN, "crm/Contacts"))
    assert len(waits) == 1
    assert 0.5 <= waits[0] <= 61


def test_exacts_own_day_is_left_to_the_caller(calm: SandboxProcess, exact: ExactOnlineClient) -> None:
    begin_a_minute(calm)
    calm.control.set_limits(day=5_000, used_day=5_000, division=MAIN)
    with pytest.raises(RateLimited) as limited:
        exact.get(accounts(exact))
    midnight = datetime.fromisoformat(calm.control.now()).replace(hour=0, minute=0, second=0, microsecond=0)
    assert limited.value.retry_at is not None
    # By our own clock, which the vendor's is at most a minute ahead of.
    assert abs(limited.value.retry_at - midnight - timedelta(days=1)) < timedelta(minutes=3)


# The shared budget


def budget_row(store: Store) -> Any:
    with store.read() as connection:
        return connection.execute(call_budget.select()).one()


@pytest.fixture
def budget(sqlite_store: Store) -> CallBudget:
    return CallBudget(sqlite_store, "key", RULES)


def test_what_an_answer_says_of_the_limits_is_what_the_next_process_starts_from(
    server: ScriptedServer, exact_at: MakeClient, sqlite_store: Store, budget: CallBudget
) -> None:
    both = limits(MINUTE, 300, 123, 40) | limits(DAY, 13_000, 9_876, 5_000)
    server.play(Answer(200, {"d": []}, both))
    client = exact_at(server.url, budget=budget)
    client.get(accounts(client))
    client.close()
    row = budget_row(sqlite_store)
    assert (row.minute_limit, row.minute_left, row.day_limit, row.day_left) == (300, 123, 13_000, 9_876)


def test_two_processes_of_one_app_share_a_minute(
    server: ScriptedServer, exact_at: MakeClient, sqlite_store: Store
) -> None:
    server.play(page())
    clients = [exact_at(server.url, budget=CallBudget(sqlite_store, "key", RULES)) for _ in range(2)]
    for client in clients:
        for _ in range(5):
            client.get(accounts(client))
    assert budget_row(sqlite_store).minute_left == 50


def test_a_call_waits_for_the_budget_before_it_is_sent(
    server: ScriptedServer, exact_at: MakeClient, sqlite_store: Store, budget: CallBudget
) -> None:
    server.play(page())
    other = exact_at(server.url, budget=CallBudget(sqlite_store, "key", RULES))
    other.get(accounts(other))
    with sqlite_store.begin() as connection:
        connection.execute(call_budget.update().values(minute_left=0))
    sent: list[int] = []

    def sleep(seconds: float) -> None:
        sent.append(len(server.received))
        assert 0 < seconds <= 60
        with sqlite_store.begin() as connection:
            connection.execute(call_budget.update().values(minute_left=5))

    client = exact_at(server.url, budget=budget, sleep=sleep)
    client.get(accounts(client))
    assert (sent, client.calls) == ([1], 1)


def test_a_used_up_day_costs_no_call(server: ScriptedServer, exact_at: MakeClient, sqlite_store: Store) -> None:
    server.play(Answer(429, "", limits(DAY, 5_000, 0, 7_200)))
    first, second = (exact_at(server.url, budget=CallBudget(sqlite_store, "key", RULES)) for _ in range(2))
    with pytest.raises(RateLimited):
        first.get(accounts(first))
    first.close()
    with pytest.raises(RateLimited) as limited:
        second.get(accounts(second))
    assert limited.value.code == "day_limit"
    assert (len(server.received), second.calls) == (1, 0)


@pytest.mark.parametrize("status", [400, 403, 404])
def test_an_endpoint_is_left_alone_after_five_equal_errors(
    server: ScriptedServer, exact_at: MakeClient, sqlite_store: Store, budget: CallBudget, status: int
) -> None:
    server.play(Answer(status, error_body("No such luck")))
    client = exact_at(server.url, budget=budget)
    for _ in range(5):
        with pytest.raises(SyncError):
            client.get(accounts(client))
    with pytest.raises(RequestRefused, match="No such luck") as closed:
        client.get(accounts(client))
    assert closed.value.code == "endpoint_closed"
    assert len(server.received) == 5
    server.play(page())
    items = client.address("sync/Logistics/Items", select=("ID",))
    assert client.get(items).rows == []
    CallBudget(sqlite_store, "key", RULES).forgive()
    assert client.get(accounts(client)).rows == []


def test_errors_never_reach_the_number_at_which_exact_closes_the_endpoint(
    calm: SandboxProcess, exact_at: MakeClient, budget: CallBudget
) -> None:
    client = exact_at(calm.exact_url, calm.control.give_tokens()["access_token"], budget=budget)
    wrong = client.address("sync/CRM/Accounts", select=("Nothing",))
    for _ in range(20):
        with pytest.raises(RequestRefused):
            client.get(wrong)
    statuses = [call["status"] for call in calm.control.calls(path="sync/CRM/Accounts")]
    assert statuses == [400] * 5


@pytest.mark.parametrize("answer", [Answer(500, "oops"), Answer(503), Answer(reset=True)], ids=["500", "503", "reset"])
def test_troubles_of_exacts_own_do_not_close_an_endpoint(
    server: ScriptedServer, exact_at: MakeClient, budget: CallBudget, answer: Answer
) -> None:
    client = exact_at(server.url, budget=budget)
    server.play(answer)
    for _ in range(3):
        with pytest.raises(VendorUnavailable):
            client.get(accounts(client))
    server.play(page({"ID": 1}))
    assert client.get(accounts(client)).rows == [{"ID": 1}]


def test_tokens_that_run_out_do_not_close_an_endpoint(
    server: ScriptedServer, exact_at: MakeClient, budget: CallBudget
) -> None:
    client = exact_at(server.url, "token", budget=budget)
    for _ in range(8):
        server.play(Answer(401), page())
        client.get(accounts(client))


def test_repeats_are_calls_too(server: ScriptedServer, exact_at: MakeClient, budget: CallBudget) -> None:
    server.play(Answer(500), Answer(401), Answer(503), page())
    client = exact_at(server.url, budget=budget)
    client.get(accounts(client))
    assert client.calls == len(server.received) == 4


def test_a_wait_really_waits_unless_told_otherwise() -> None:
    assert ExactOnlineClient.__init__.__kwdefaults__["sleep"] is time.sleep
