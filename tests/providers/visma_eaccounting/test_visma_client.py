"""VISMA on the wire: limits, refused tokens, the table of errors, pages fetched together."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import pytest
import requests

from outsmart_sync.errors import (
    AccessDenied,
    LoginExpired,
    NotConfigured,
    RateLimited,
    RequestRefused,
    SyncError,
    VendorUnavailable,
)
from outsmart_sync.providers import web
from outsmart_sync.providers.outcomes import outcome_of
from outsmart_sync.providers.visma_eaccounting.client import RULES, VismaClient, counted_as
from outsmart_sync.providers.visma_eaccounting.errors import API_OUTCOMES
from outsmart_sync.providers.visma_eaccounting.lists import hour_units
from outsmart_sync.providers.visma_eaccounting.paging import Page, in_parallel
from outsmart_sync.store.budget import ENDPOINT_CLOSED, CallBudget
from outsmart_sync.store.store import Store
from sandbox.process import SandboxProcess


class Tokens:
    """Hands out one token after the other."""

    def __init__(self, *tokens: str) -> None:
        self._tokens, self.refused = list(tokens), list[str]()

    def access_token(self, refused: str | None = None) -> str:
        if refused is not None:
            self.refused.append(refused)
            self._tokens = self._tokens[1:] or self._tokens
        return self._tokens[0]


def client_at(vendors: SandboxProcess, tokens: Tokens, waits: list[float], *, parallel: int = 4) -> VismaClient:
    return VismaClient(requests.Session, vendors.visma_url, tokens, sleep=waits.append, parallel=parallel)


@pytest.fixture
def token(vendors: SandboxProcess) -> Iterator[str]:
    vendors.control.reset_visma_limits()
    yield str(vendors.control.give_visma_tokens(company="devries")["access_token"])
    vendors.control.reset_visma_limits()


@pytest.mark.parametrize("retry_after", [False, True])
def test_a_limit_is_waited_out_for_the_seconds_that_the_refusal_names(
    vendors: SandboxProcess, token: str, retry_after: bool
) -> None:
    vendors.control.switch(visma_retry_after=retry_after)
    body = {"ErrorCode": 4010, "DeveloperErrorMessage": "API calls quota exceeded! Try again in 17 seconds."}
    headers = {"Retry-After": "23"} if retry_after else {}
    vendors.control.add_fault("status", vendor="visma", path="units", status=429, body=body, headers=headers, times=1)
    waits: list[float] = []
    assert client_at(vendors, Tokens(token), waits).page("units", {}).rows
    assert waits == [23.5 if retry_after else 17.5]


def test_a_limit_that_is_far_off_is_left_to_the_schedule_with_its_time(vendors: SandboxProcess, token: str) -> None:
    body = {"ErrorCode": 4010, "DeveloperErrorMessage": "Try again in 900 seconds"}
    vendors.control.add_fault("status", vendor="visma", path="units", status=429, body=body)
    waits: list[float] = []
    with pytest.raises(RateLimited) as limited:
        client_at(vendors, Tokens(token), waits).page("units", {})
    assert limited.value.retry_at is not None
    assert waits == []


def test_calls_are_counted_without_the_ids_in_their_paths() -> None:
    assert counted_as("customers") == "customers"
    assert counted_as("salespricelists/prices/00000000-0000-4000-8000-0000000000d1") == "salespricelists/prices"


def test_the_vendors_own_limit_is_kept_to(vendors: SandboxProcess, token: str) -> None:
    vendors.control.set_visma_limit(minute=1)
    waits: list[float] = []
    client = client_at(vendors, Tokens(token), waits)
    client.page("units", {})
    with pytest.raises(RateLimited):
        client.page("units", {})
    assert len(waits) == 3
    assert all(0 < each <= 60.5 for each in waits)


def test_threads_and_clients_share_an_endpoint_s_calls_and_another_endpoint_has_its_own(
    vendors: SandboxProcess, token: str, store: Store
) -> None:
    rules = replace(RULES, minute_limit=5)
    waits: list[float] = []

    class Waited(Exception):
        """Instead of a minute's pause."""

    def wait(seconds: float) -> None:
        waits.append(seconds)
        raise Waited

    def client() -> VismaClient:
        return VismaClient(
            requests.Session,
            vendors.visma_url,
            Tokens(token),
            budget_of=lambda endpoint: CallBudget(store, f"app:{endpoint}", rules),
            sleep=wait,
        )

    def asked(each: VismaClient) -> bool:
        with suppress(Waited):
            return bool(each.page("units", {}).rows)
        return False

    vendors.control.forget_calls()
    clients = [client() for _ in range(2)]
    with ThreadPoolExecutor(4) as pool:
        answered = list(pool.map(asked, clients * 4))
    assert sum(answered) == 5
    assert len(waits) == 3
    assert all(0 < each <= 60.5 for each in waits)
    assert len(vendors.control.calls(vendor="visma", path="/v2/units")) == 5
    assert clients[0].page("customers", {}, size=1).rows


def test_errors_of_one_company_close_nothing_for_another(vendors: SandboxProcess, store: Store) -> None:
    def client(company: str) -> VismaClient:
        token = str(vendors.control.give_visma_tokens(company=company)["access_token"])
        return VismaClient(
            requests.Session,
            vendors.visma_url,
            Tokens(token),
            budget_of=lambda endpoint: CallBudget(store, f"app:{endpoint}", RULES, f"app:{company}:{endpoint}"),
            sleep=lambda _: None,
        )

    vendors.control.change_visma_standing("leeg", start_guide_done=False)
    refused, other = client("leeg"), client("devries")
    for _ in range(RULES.equal_errors):
        with pytest.raises(AccessDenied):
            refused.page("customers", {})
    with pytest.raises(RequestRefused) as closed:
        refused.page("customers", {})
    assert closed.value.code == ENDPOINT_CLOSED
    assert other.page("customers", {}, size=1).rows
    vendors.control.reset_visma_standings()
    with pytest.raises(RequestRefused):
        refused.page("customers", {})
    CallBudget(store, "app:customers", RULES, "app:leeg:customers").forgive()
    refused.page("customers", {})


@pytest.mark.parametrize(
    ("title", "hour"),
    [
        ("Timme, tim, h, HUR", True),
        ("Uur, u", True),
        ("h", True),
        ("Std.", True),
        ("Manuur, HUR", True),
        ("Ton, t", False),
        ("Halve uur, 1/2 u", False),
        ("Kvart timme", False),
        ("Unit, u", False),
        ("Hektar, h", False),
        ("Dag, day, DAY", False),
        ("", False),
    ],
)
def test_a_unit_is_an_hour_only_where_one_of_its_names_says_just_that(title: str, hour: bool) -> None:
    assert hour_units([("1", title)]) == (["1"] if hour else [])


def test_a_refused_token_is_renewed_once_and_then_the_login_has_ended(vendors: SandboxProcess, token: str) -> None:
    tokens = Tokens("dead", token)
    assert client_at(vendors, tokens, []).page("units", {}).rows
    assert tokens.refused == ["dead"]
    hopeless = Tokens("dead", "dead too")
    with pytest.raises(LoginExpired):
        client_at(vendors, hopeless, []).page("units", {})
    assert hopeless.refused == ["dead"]


@pytest.mark.parametrize(
    ("code", "text", "error", "name"),
    [
        (4002, "No access to module: api_standard", AccessDenied, "api_module_missing"),
        (4002, "No access to module: sales_standard", AccessDenied, "order_module_missing"),
        (4003, "", AccessDenied, "start_guide"),
        (4004, "", AccessDenied, "company_inactive"),
        (4006, "", AccessDenied, "scope_missing"),
        (4007, "", AccessDenied, "no_right"),
        (4009, "", AccessDenied, "variant"),
        (4011, "", AccessDenied, "no_right"),
        (4012, "", AccessDenied, "licence_agreement"),
        (4034, "", NotConfigured, "sandbox_client"),
        (403, "No access to module: api_standard", AccessDenied, "api_module_missing"),
        (403, "", AccessDenied, "no_right"),
        (2000, "", RequestRefused, "bad_request"),
        (3000, "", RequestRefused, "not_found"),
        (6000, "", RequestRefused, "query_refused"),
        (6001, "", RequestRefused, "bad_date"),
        (4100, "", VendorUnavailable, "vendor_fault"),
        (5000, "", VendorUnavailable, "vendor_fault"),
        (5001, "", VendorUnavailable, "vendor_fault"),
        (5005, "", RequestRefused, "bad_request"),
        (404, "", RequestRefused, "not_found"),
        (503, "", VendorUnavailable, "vendor_unavailable"),
    ],
)
def test_each_code_has_its_error_and_what_a_person_can_mend_has_a_remedy(
    code: int, text: str, error: type[SyncError], name: str
) -> None:
    row = outcome_of(API_OUTCOMES, code, text)
    assert (row.error, row.code) == (error, name)
    assert row.remedy


def test_a_failure_is_told_with_the_vendors_code_and_id_and_never_with_a_token(
    vendors: SandboxProcess, token: str
) -> None:
    with pytest.raises(RequestRefused) as refused:
        client_at(vendors, Tokens(token), []).page("units", {"$filter": "Nothing eq 1"})
    assert "error 6000, id " in refused.value.technical
    assert token not in refused.value.technical


def test_pages_come_in_their_order_whichever_arrives_first_and_never_more_than_allowed_at_a_time() -> None:
    under_way, most = [0], [0]

    def fetch(number: int) -> Page:
        under_way[0] += 1
        most[0] = max(most[0], under_way[0])
        time.sleep(0.02 if number % 2 else 0.001)
        under_way[0] -= 1
        return Page([{"Id": number}], number, 9, 9, "2026-11-26T12:00:00Z")

    assert [page.number for page in in_parallel(fetch, 1, 3)] == list(range(1, 10))
    assert 1 < most[0] <= 3
    assert [page.number for page in in_parallel(fetch, 7, 3)] == [7, 8, 9]
    assert [page.number for page in in_parallel(fetch, 1, 1)] == list(range(1, 10))


def test_a_list_that_grows_while_its_pages_come_is_followed_to_its_new_end() -> None:
    def fetch(number: int) -> Page:
        return Page([], number, 3 if number < 3 else 5, 0, "")

    assert [page.number for page in in_parallel(fetch, 1, 2)] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("workers", [1, 3])
def test_pages_know_how_long_calls_may_take(workers: int) -> None:
    left: list[float] = []

    def fetch(number: int) -> Page:
        left.append(web.time_left())
        return Page([], number, 5, 0, "")

    with web.within(60):
        list(in_parallel(fetch, 1, workers))
    assert len(left) == 5
    assert max(left) <= 60


def test_an_error_on_one_page_ends_the_read() -> None:
    def fetch(number: int) -> Page:
        if number == 3:
            raise VendorUnavailable("gone")
        return Page([], number, 6, 0, "")

    with pytest.raises(VendorUnavailable):
        list(in_parallel(fetch, 1, 2))


def test_an_answer_in_another_form_is_refused(vendors: SandboxProcess, token: str) -> None:
    vendors.control.add_fault("status", vendor="visma", path="units", status=200, body={"Data": []}, times=None)
    with pytest.raises(VendorUnavailable) as unusual:
        client_at(vendors, Tokens(token), []).page("units", {})
    assert unusual.value.code == "vendor_unreadable"
