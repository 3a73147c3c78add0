"""The call budget: no more calls than the vendor allows, however many processes share it."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from outsmart_sync.errors import RateLimited, RequestRefused
from outsmart_sync.store.budget import BudgetRules, CallBudget, Window
from outsmart_sync.store.store import Store
from outsmart_sync.store.tables import call_budget, endpoint_error
from store.racing import race

RULES = BudgetRules(minute_limit=5, day_limit=100)
KEY = "exact_online:nl:app:2001001"
ACCOUNTS = "crm/Accounts"
AN_HOUR = 3_600.0


def budget(store: Store, key: str = KEY, **rules: Any) -> CallBudget:
    return CallBudget(store, key, replace(RULES, **rules))


def row(store: Store) -> Any:
    with store.read() as connection:
        return connection.execute(select(call_budget).where(call_budget.c.key == KEY)).one()


def change(store: Store, **values: Any) -> None:
    with store.begin() as connection:
        connection.execute(update(call_budget).where(call_budget.c.key == KEY).values(**values))


def take_all(one: CallBudget) -> int:
    """Take calls until there are none for now; returns how many there were."""
    taken = 0
    while one.take(ACCOUNTS) == 0:
        taken += 1
    return taken


# Minutes


def test_a_minute_holds_as_many_calls_as_the_vendor_allows(store: Store) -> None:
    one = budget(store)
    assert [one.take(ACCOUNTS) for _ in range(5)] == [0] * 5
    wait = one.take(ACCOUNTS)
    assert 0 < wait <= 60
    assert row(store).minute_left == 0


def test_a_call_that_has_to_wait_is_not_taken(store: Store) -> None:
    one = budget(store)
    take_all(one)
    left = row(store).day_left
    one.take(ACCOUNTS)
    assert row(store).day_left == left == 95


def test_a_new_minute_begins_when_the_old_one_is_over(store: Store) -> None:
    one = budget(store)
    take_all(one)
    change(store, minute_ends=store.now() - timedelta(seconds=1))
    assert one.take(ACCOUNTS) == 0
    found = row(store)
    assert found.minute_left == 4
    assert found.minute_ends > store.now() + timedelta(seconds=30)


def test_budgets_of_other_apps_and_administrations_are_apart(store: Store) -> None:
    take_all(budget(store))
    assert take_all(budget(store, "exact_online:nl:app:2001002")) == 5


def test_a_wait_is_never_nothing(store: Store) -> None:
    one = budget(store)
    take_all(one)
    change(store, minute_ends=store.now() + timedelta(microseconds=100))
    assert one.take(ACCOUNTS) in (0, pytest.approx(0.05, abs=0.05))


# Processes


@pytest.mark.parametrize("round_", ["first", "later"])
def test_processes_that_share_a_budget_never_exceed_the_minute(store: Store, round_: str) -> None:
    """Also in the first moment, when there is no budget yet and each of them might make one."""
    if round_ == "later":
        budget(store, minute_limit=40).flush()
        assert budget(store, minute_limit=40).take(ACCOUNTS) == 0
    results = race(8, "calls", store, key=KEY, minute=40, day=1_000)
    assert {result.get("error") for result in results} == {None}, results
    assert sum(result["got"] for result in results) == (40 if round_ == "first" else 39)
    assert row(store).minute_left == 0


def test_processes_that_share_a_budget_never_exceed_the_day(store: Store) -> None:
    results = race(6, "calls", store, key=KEY, minute=1_000, day=30, most=30)
    errors = [result for result in results if "error" in result]
    assert {result["error"] for result in errors} == {"day_limit"}, results
    assert row(store).day_left == 0


def test_many_first_calls_at_the_same_moment_are_all_counted(store: Store) -> None:
    results = race(12, "calls", store, key=KEY, minute=100, day=1_000, most=1)
    assert [result.get("got") for result in results] == [1] * 12, results
    assert row(store).minute_left == 88


def test_threads_of_a_process_share_a_budget_too(store: Store) -> None:
    counts: list[int] = []
    threads = [threading.Thread(target=lambda: counts.append(take_all(budget(store)))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sum(counts) == 5


# What the vendor says


def test_a_smaller_figure_of_the_vendor_counts(store: Store) -> None:
    """Somebody else uses the same app."""
    one = budget(store)
    one.take(ACCOUNTS)
    one.observe(Window(5, 1, 30), None)
    assert take_all(one) == 1


def test_a_larger_figure_of_the_vendor_does_not_count_within_the_window(store: Store) -> None:
    """Calls of other processes may be under way: the vendor has not seen them yet."""
    one = budget(store)
    for _ in range(3):
        one.take(ACCOUNTS)
    one.observe(Window(5, 4, 30), None)
    assert take_all(one) == 2


def test_the_figure_of_a_later_window_counts_as_it_is(store: Store) -> None:
    one = budget(store)
    take_all(one)
    change(store, minute_ends=store.now() + timedelta(seconds=1))
    one.observe(Window(5, 4, 58), None)
    assert take_all(one) == 4


@pytest.mark.parametrize(("limit", "left", "then"), [(9, 8, 8), (3, 2, 2)], ids=["more", "fewer"])
def test_another_limit_of_the_vendor_holds_from_then_on(store: Store, limit: int, left: int, then: int) -> None:
    one = budget(store)
    one.take(ACCOUNTS)
    one.observe(Window(limit, left, 30), None)
    assert take_all(one) == then
    change(store, minute_ends=store.now() - timedelta(seconds=1))
    assert take_all(one) == limit


def test_a_limit_that_is_not_stated_changes_nothing(store: Store) -> None:
    one = budget(store)
    one.take(ACCOUNTS)
    one.observe(Window(0, 2, 30), None)
    one.flush()
    assert (row(store).minute_limit, row(store).minute_left) == (5, 2)


def test_the_day_of_the_vendor_is_kept_beside_the_minute(store: Store) -> None:
    one = budget(store)
    one.take(ACCOUNTS)
    one.observe(None, Window(100, 40, AN_HOUR))
    one.flush()
    found = row(store)
    assert (found.day_left, found.minute_left) == (40, 4)
    assert abs(found.day_ends - store.now() - timedelta(hours=1)) < timedelta(minutes=1)


def test_an_answer_that_says_nothing_of_one_window_leaves_what_was_said_before(store: Store) -> None:
    """A refused call carries the headers of the window that is used up, and only those."""
    one = budget(store)
    one.observe(Window(5, 3, 30), Window(100, 50, AN_HOUR))
    one.observe(Window(5, 0, 30), None)
    one.flush()
    found = row(store)
    assert (found.minute_left, found.day_left) == (0, 50)


def test_what_an_answer_said_is_stored_once(store: Store) -> None:
    one = budget(store)
    one.observe(Window(5, 1, 30), None)
    one.flush()
    change(store, minute_left=4)
    one.flush()
    assert row(store).minute_left == 4


@pytest.mark.parametrize("ends_in", [0.0, -90.0], ids=["now", "past"])
def test_a_window_that_is_over_by_the_vendors_clock_never_makes_us_wait(store: Store, ends_in: float) -> None:
    """A reset time in the past once made a client sleep for a negative time: picqer/exact-php-client issue 521."""
    one = budget(store)
    one.observe(Window(5, 0, ends_in), None)
    assert one.take(ACCOUNTS) == 0


def test_what_was_said_in_a_window_that_is_over_says_nothing_about_the_next(store: Store) -> None:
    """A process that works on a page for a while brings the figures of its last answer late."""
    one = budget(store)
    one.observe(Window(5, 0, 0.05), None)
    threading.Event().wait(0.1)
    assert take_all(one) == 5


def test_time_that_passed_since_an_answer_does_not_lengthen_its_window(store: Store) -> None:
    one = budget(store)
    one.take(ACCOUNTS)
    said_at = store.now()
    one.observe(Window(5, 3, 30), None)
    threading.Event().wait(0.3)
    one.flush()
    assert row(store).minute_ends < said_at + timedelta(seconds=30.2)


def test_a_late_report_does_not_give_back_calls_that_others_have_taken(sqlite_store: Store) -> None:
    """Seen from now, an old answer's window would seem to end later than the one that others count in."""
    store = sqlite_store
    late, others = budget(store), budget(store)
    others.observe(Window(5, 5, 2.5), None)
    late.observe(Window(5, 4, 2.5), None)
    take_all(others)
    threading.Event().wait(2.2)
    late.flush()
    assert row(store).minute_left == 0


# The day


def used_up(store: Store, one: CallBudget, left: int = 0) -> datetime:
    ends = store.now() + timedelta(hours=3)
    one.flush()
    one.take(ACCOUNTS)
    change(store, day_left=left, day_ends=ends)
    return ends


def test_a_day_that_is_used_up_says_when_the_next_begins(store: Store) -> None:
    one = budget(store)
    ends = used_up(store, one)
    with pytest.raises(RateLimited) as caught:
        one.take(ACCOUNTS)
    assert caught.value.code == "day_limit"
    assert caught.value.retry_at is not None
    assert abs(caught.value.retry_at - ends) < timedelta(seconds=1)
    assert f"{ends:%d-%m-%Y %H:%M} UTC" in caught.value.remedy


def test_a_new_day_begins_when_the_old_one_is_over(store: Store) -> None:
    one = budget(store)
    used_up(store, one)
    change(store, day_ends=store.now() - timedelta(seconds=1))
    assert one.take(ACCOUNTS) == 0
    assert row(store).day_left == 99


def test_imports_leave_a_share_of_the_day_to_exports(store: Store) -> None:
    imports, exports = budget(store, keep_share=0.05), budget(store)
    used_up(store, imports, left=6)
    assert imports.take(ACCOUNTS) == 0
    with pytest.raises(RateLimited, match="5 calls are kept for exports"):
        imports.take(ACCOUNTS)
    assert exports.take(ACCOUNTS) == 0


def test_the_share_is_of_the_limit_that_the_vendor_states(store: Store) -> None:
    one = budget(store, keep_share=0.05)
    one.observe(None, Window(1_000, 50, AN_HOUR))
    with pytest.raises(RateLimited, match="50 calls are kept for exports"):
        one.take(ACCOUNTS)


def test_an_exhausted_day_stays_so_for_other_processes(store: Store) -> None:
    one = budget(store)
    one.observe(None, Window(100, 0, AN_HOUR))
    with pytest.raises(RateLimited):
        one.take(ACCOUNTS)
    with pytest.raises(RateLimited):
        budget(store).take(ACCOUNTS)


# Endpoints that answer with errors


def test_five_equal_errors_close_an_endpoint(store: Store) -> None:
    one = budget(store)
    for number in range(1, 6):
        assert one.take(ACCOUNTS) == 0
        assert one.count_error(ACCOUNTS, 400, "Error in query syntax.") == number
    with pytest.raises(RequestRefused) as caught:
        budget(store).take(ACCOUNTS)
    assert caught.value.code == "endpoint_closed"
    assert "5 times with error 400" in caught.value.what
    assert "Error in query syntax." in caught.value.why


def test_a_closed_endpoint_costs_no_call(store: Store) -> None:
    one = budget(store)
    one.take(ACCOUNTS)
    for _ in range(5):
        one.count_error(ACCOUNTS, 400, "no")
    with pytest.raises(RequestRefused):
        one.take(ACCOUNTS)
    assert row(store).day_left == 99


def test_other_endpoints_errors_and_administrations_stay_open(store: Store) -> None:
    one, other = budget(store), budget(store, "exact_online:nl:app:2001002")
    for _ in range(5):
        one.count_error(ACCOUNTS, 400, "no")
    assert one.take("logistics/Items") == 0
    assert other.take(ACCOUNTS) == 0
    for status in (401, 403, 404, 400):
        assert one.count_error("logistics/Items", status, "no") == 1
    assert one.take("logistics/Items") == 0


def test_a_person_opens_a_closed_endpoint(store: Store) -> None:
    one, other = budget(store), budget(store, "exact_online:nl:app:2001002")
    for each in (one, other):
        for _ in range(5):
            each.count_error(ACCOUNTS, 403, "Forbidden")
    one.forgive()
    assert one.take(ACCOUNTS) == 0
    assert one.count_error(ACCOUNTS, 403, "Forbidden") == 1
    with pytest.raises(RequestRefused):
        other.take(ACCOUNTS)


def test_a_closed_endpoint_opens_by_itself_after_an_hour(store: Store) -> None:
    one = budget(store)
    for _ in range(5):
        one.count_error(ACCOUNTS, 400, "no")
    with store.begin() as connection:
        connection.execute(update(endpoint_error).values(since=store.now() - timedelta(minutes=61)))
    assert one.take(ACCOUNTS) == 0
    assert one.count_error(ACCOUNTS, 400, "no") == 1


def test_a_long_error_text_is_cut(store: Store) -> None:
    one = budget(store)
    for _ in range(5):
        one.count_error(ACCOUNTS, 400, "x" * 10_000)
    with pytest.raises(RequestRefused) as caught:
        one.take(ACCOUNTS)
    assert len(str(caught.value)) < 1_000
