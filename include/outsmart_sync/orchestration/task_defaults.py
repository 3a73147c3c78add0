"""What every task of our DAGs has in common."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from outsmart_sync.orchestration.retries import MAX_RETRY_DELAY, RETRIES, RETRY_DELAY, SyncRetryPolicy

TASK_DEFAULTS: dict[str, Any] = {
    "owner": "outsmart-sync",
    "retries": RETRIES,
    "retry_delay": RETRY_DELAY,
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": MAX_RETRY_DELAY,
    "retry_policy": SyncRetryPolicy(),
    # A first import of a large administration reads for hours at 60 calls a minute; what hangs longer is stuck.
    "execution_timeout": timedelta(hours=6),
}
