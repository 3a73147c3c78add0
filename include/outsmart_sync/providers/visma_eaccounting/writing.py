"""Changes at VISMA eAccounting, each sent once, and what its answers to them mean.

Whatever a gateway, a fault or a lost connection says instead of VISMA is ``UncertainOutcome``: it may be there or not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import requests

from outsmart_sync.errors import RateLimited
from outsmart_sync.providers import web
from outsmart_sync.providers.outcomes import error_of, outcome_of
from outsmart_sync.providers.visma_eaccounting.client import Refusal, decoded, wait_of
from outsmart_sync.providers.visma_eaccounting.errors import NO_CLEAR_ANSWER, WRITE_OUTCOMES

if TYPE_CHECKING:
    from outsmart_sync.errors import SyncError
    from outsmart_sync.providers.visma_eaccounting.client import VismaClient
    from outsmart_sync.records.streams import Row


def create(client: VismaClient, path: str, body: Row) -> Row:
    """Make a row; returns it as VISMA has it now.

    Raises:
        RecordError: VISMA refuses it; nothing was made.
        UncertainOutcome: It was sent, and what became of it is not known.
        TransientError: Nothing was sent, or VISMA had no call left for it.
        ConfigurationError: Login, right, variant or module is not in order.
    """
    return _row(client.send("POST", path, body), f"POST {path}")


def replace(client: VismaClient, path: str, key: str, body: Row) -> Row:
    """Put a row in the place of another: what is not sent becomes empty. Raises as :func:`create` does."""
    return _row(client.send("PUT", path, body, key), f"PUT {path}")


def _row(response: requests.Response, what: str) -> Row:
    if not response.ok or response.status_code >= requests.codes.multiple_choices:
        raise _failure(response, what)
    try:
        row = decoded(response)
    except ValueError as error:
        raise error_of(NO_CLEAR_ANSWER, "", f"{what}: unreadable answer: {error}") from error
    if not isinstance(row, dict) or not row.get("Id"):
        raise error_of(NO_CLEAR_ANSWER, "", f"{what}: the answer holds no row")
    return row


def _failure(response: requests.Response, what: str) -> SyncError:
    said = Refusal.of(response)
    status = said.status if said.code is None else said.code
    technical = f"{what}: HTTP {said.status}: {said.text}{said.identity}"
    error = error_of(outcome_of(WRITE_OUTCOMES, status, said.text), said.text, technical)
    if isinstance(error, RateLimited):
        error.retry_at = web.moment_in(wait_of(response, said.text))
    return error
