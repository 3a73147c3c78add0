"""Which failures Airflow tries again, by the error's class.

Retry policies: https://airflow.apache.org/docs/apache-airflow/stable/core-concepts/tasks.html
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import RetryDecision, RetryPolicy
from airflow.sdk.definitions.context import Context

from outsmart_sync.errors import Busy, ConfigurationError, RecordError, TransientError, UncertainOutcome

RETRIES = 4
RETRY_DELAY = timedelta(seconds=20)
MAX_RETRY_DELAY = timedelta(minutes=15)


class SyncRetryPolicy(RetryPolicy):
    """Never repeats what only a person can mend; waits exactly as long as the vendor says, else longer each time."""

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,
        max_tries: int,  # noqa: ARG002 - given by Airflow
        context: Context | None = None,  # noqa: ARG002
    ) -> RetryDecision:
        """Decide about a failed try, in the worker and with the real exception."""
        if isinstance(exception, ConfigurationError):
            return RetryDecision.fail(reason=f"{exception.code}: a person must act first")
        if isinstance(exception, (RecordError, UncertainOutcome)):
            return RetryDecision.fail(reason=f"{exception.code}: not to be repeated blindly")
        if isinstance(exception, Busy):  # it is free as soon as the other one has ended, not when its lease runs out
            wait = min(RETRY_DELAY * 3 ** min(try_number - 1, 3), MAX_RETRY_DELAY)  # after a clear, the tries go on
            return RetryDecision.retry(delay=wait, reason="busy: another run is at work")
        if isinstance(exception, TransientError) and exception.retry_at is not None:
            wait = max(exception.retry_at - datetime.now(UTC), timedelta(seconds=1))
            return RetryDecision.retry(delay=wait, reason=f"{exception.code}: the limit begins anew then")
        return RetryDecision.default()
