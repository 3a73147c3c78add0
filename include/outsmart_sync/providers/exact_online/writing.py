"""Changes at Exact Online, each sent once, and what its answers to them mean.

Only an answer in Exact's own form says what became of a change. Whatever a gateway, a fault or a lost connection says
instead is ``UncertainOutcome``: the thing may be there or not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests

from outsmart_sync.errors import RateLimited
from outsmart_sync.providers import web
from outsmart_sync.providers.exact_online.client import decoded, error_text, limits_of, wait_of
from outsmart_sync.providers.exact_online.errors import NO_CLEAR_ANSWER, WRITE_OUTCOMES
from outsmart_sync.providers.exact_online.rights import explained, need_of
from outsmart_sync.providers.outcomes import error_of, outcome_of

if TYPE_CHECKING:
    from outsmart_sync.errors import SyncError
    from outsmart_sync.providers.exact_online.client import ExactOnlineClient
    from outsmart_sync.records.streams import Row

_BLAMELESS = requests.codes.internal_server_error
"""A status that says something only together with a message of Exact's own."""


def create(client: ExactOnlineClient, resource: str, body: Row) -> Row:
    """Make a row; returns it as Exact answers it, which may be little more than its id.

    Raises:
        RecordError: Exact refuses it; nothing was made.
        UncertainOutcome: It was sent, and what became of it is not known.
        TransientError: Nothing was sent, or Exact had no call left for it.
        ConfigurationError: Login, right, scope or module is not in order.
    """
    response = _sent(client, "POST", resource, body)
    try:
        row = decoded(response)["d"]
    except (ValueError, KeyError, TypeError) as error:
        raise error_of(NO_CLEAR_ANSWER, "", f"POST {resource}: unreadable answer: {error}") from error
    if isinstance(row, dict) and isinstance(row.get("results"), list) and row["results"]:
        row = row["results"][0]
    if not isinstance(row, dict):
        raise error_of(NO_CLEAR_ANSWER, "", f"POST {resource}: the answer holds no row")
    return row


def change(client: ExactOnlineClient, resource: str, key: str, body: Row) -> None:
    """Change some columns of a row. Raises as :func:`create` does."""
    _sent(client, "PUT", f"{resource}(guid'{key}')", body)


def remove(client: ExactOnlineClient, resource: str, key: str) -> None:
    """Delete a row. Raises as :func:`create` does."""
    _sent(client, "DELETE", f"{resource}(guid'{key}')", {})


def _sent(client: ExactOnlineClient, method: str, resource: str, body: Row) -> requests.Response:
    response = client.send(method, resource, body)
    if response.ok and response.status_code < requests.codes.multiple_choices:
        return response
    with explained(client, need_of(resource.partition("(")[0], writes=True)):
        raise _failure(method, resource, response)


def _failure(method: str, resource: str, response: requests.Response) -> SyncError:
    text = error_text(response)
    technical = f"{method} {resource}: HTTP {response.status_code}: {text}"
    if response.status_code == _BLAMELESS and not _is_from_exact(response):
        return error_of(NO_CLEAR_ANSWER, text, technical)
    error = error_of(outcome_of(WRITE_OUTCOMES, response.status_code, text), text, technical)
    if isinstance(error, RateLimited):
        error.retry_at = web.moment_in(wait_of(*limits_of(response)))
    return error


def _is_from_exact(response: requests.Response) -> bool:
    """Whether an answer has a message of Exact's own (https://github.com/picqer/exact-php-client/issues/461)."""
    try:
        said: Any = decoded(response)["error"]["message"]["value"]
    except (ValueError, KeyError, TypeError):
        return False
    return bool(said)
