"""Which failures are tried again, and when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from airflow.sdk.definitions.retry_policy import RetryAction

from outsmart_sync.errors import Busy, LoginExpired, RateLimited, RecordError, UncertainOutcome, VendorUnavailable
from outsmart_sync.orchestration.retries import MAX_RETRY_DELAY, RETRIES, RETRY_DELAY, SyncRetryPolicy

POLICY = SyncRetryPolicy()


def test_a_limit_is_waited_for_as_long_as_the_vendor_says() -> None:
    begins = datetime.now(UTC) + timedelta(minutes=7)
    decision = POLICY.evaluate(RateLimited("The limit is used up.", retry_at=begins), 1, RETRIES)
    assert decision.action is RetryAction.RETRY
    assert decision.retry_delay is not None
    assert timedelta(minutes=6) < decision.retry_delay <= timedelta(minutes=7)


def test_another_run_at_work_is_looked_for_soon_and_then_less_and_less() -> None:
    busy = Busy("Another run is at work.", retry_at=datetime.now(UTC) + timedelta(minutes=3))
    waits = [POLICY.evaluate(busy, number, RETRIES).retry_delay for number in range(1, RETRIES + 1)]
    assert waits[0] == RETRY_DELAY
    assert sum(filter(None, waits), timedelta()) > timedelta(minutes=12)


def test_a_run_that_was_cleared_again_and_again_waits_no_longer_than_others() -> None:
    waits = [POLICY.evaluate(Busy("Another run is at work."), number, 60).retry_delay for number in (4, 5, 20, 5_000)]
    assert set(waits) == {waits[0]}
    assert waits[0] is not None
    assert timedelta(minutes=5) < waits[0] <= MAX_RETRY_DELAY


@pytest.mark.parametrize("error", [LoginExpired("Log in."), RecordError("No."), UncertainOutcome("Did it arrive?")])
def test_what_a_person_must_look_at_is_not_repeated(error: Exception) -> None:
    assert POLICY.evaluate(error, 1, RETRIES).action is RetryAction.FAIL


@pytest.mark.parametrize("error", [VendorUnavailable("Down."), OSError("Broken.")])
def test_anything_else_is_tried_again_as_airflow_does(error: Exception) -> None:
    assert POLICY.evaluate(error, 1, RETRIES).action is RetryAction.DEFAULT
