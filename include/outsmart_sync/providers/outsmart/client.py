"""OutSmart on the wire: envelopes, tokens, lists that are read as a stream. Knows no Airflow.

Protocol: https://knowledge.out-smart.com/openapi . There is no paging: a list comes whole, so it is parsed while it
arrives and never held in memory.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import ijson
import msgspec
import requests

from outsmart_sync.errors import SyncError
from outsmart_sync.providers import web
from outsmart_sync.providers.outcomes import Outcome, Reaction, error_of, outcome_of
from outsmart_sync.providers.outsmart.errors import (
    HTTP_OUTCOMES,
    OK,
    READ_OUTCOMES,
    UNREACHABLE,
    UNREADABLE,
    WRITE_OUTCOMES,
)

log = logging.getLogger(__name__)

API_URL = "https://app.out-smart.com/openapi/8"

_REPEATS = (0.5, 2.0)
_CHUNK_BYTES = 1 << 16


@dataclass(frozen=True, slots=True, repr=False)
class Tokens:
    """What opens an account: its own token and that of the software that calls."""

    account: str
    software: str


class _Failed(Exception):
    """An answer that the tables say something about."""

    def __init__(self, row: Outcome, technical: str, text: str = "") -> None:
        super().__init__(technical)
        self.row = row
        self.error: SyncError = error_of(row, text, technical)


class OutSmartClient:
    """Calls one OutSmart account.

    Args:
        session: Opens the connections; one per task.
        tokens: Travel as query parameters, so addresses are never logged.
        api_url: Base address.
        sleep: Waits; tests shorten it.
    """

    def __init__(
        self,
        session: requests.Session,
        tokens: Tokens,
        api_url: str = API_URL,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._session = session
        self._tokens = tokens
        self._api_url = api_url
        self._sleep = sleep
        self.calls = 0

    def get_list(self, endpoint: str) -> Iterator[dict[str, Any]]:
        """Every record of a list, while it arrives.

        What was handed out must not be used before the iterator has ended: only then is the envelope's code known.

        Raises:
            ConfigurationError: Tokens or request are not in order.
            TransientError: No answer, or one that was cut off.
        """
        response = self._repeated(lambda: self._send("GET", endpoint, stream=True))
        try:
            yield from self._parsed(endpoint, response)
        except _Failed as failed:
            raise failed.error from failed.__cause__
        finally:
            response.close()

    def post(self, endpoint: str, records: list[dict[str, str]]) -> Any:
        """Insert or update records by code: all of them are stored, or none.

        Safe to repeat, and repeated after a failure that says nothing about the records.

        Returns:
            The envelope's ``response``.

        Raises:
            RecordError: One of the records was refused; nothing was stored.
            ConfigurationError: Tokens or request are not in order.
            TransientError: No answer; whether the records were stored is unknown.
        """
        body = msgspec.json.encode(records)
        return self._repeated(lambda: self._envelope(endpoint, self._send("POST", endpoint, body=body)))

    def close(self) -> None:
        """End the session."""
        self._session.close()

    def _repeated(self, call: Callable[[], Any]) -> Any:
        for pause in (*_REPEATS, None):
            try:
                return call()
            except _Failed as failed:
                if failed.row.reaction is not Reaction.REPEAT or pause is None:
                    raise failed.error from failed.__cause__
                log.warning("%s; trying again in %s s", failed.error.technical, pause)
                self._sleep(pause)
        raise AssertionError("unreachable")

    def _send(
        self, method: str, endpoint: str, *, body: bytes | None = None, stream: bool = False
    ) -> requests.Response:
        self.calls += 1
        try:
            response = self._session.request(
                method,
                f"{self._api_url}/{endpoint}",
                params={"token": self._tokens.account, "software_token": self._tokens.software},
                data=body,
                headers={
                    "Accept": "application/json",
                    "Content-Type": "application/json",
                    "User-Agent": web.USER_AGENT,
                },
                timeout=web.TIMEOUT,
                allow_redirects=False,
                stream=stream,
            )
        except requests.RequestException as error:
            # The library's text holds the address, and that the tokens.
            raise _Failed(UNREACHABLE, f"{method} {endpoint}: {type(error).__name__}") from None
        if response.status_code != requests.codes.ok:
            row = outcome_of(HTTP_OUTCOMES, response.status_code, "")
            response.close()
            raise _Failed(row, f"{method} {endpoint}: HTTP {response.status_code}")
        return response

    def _envelope(self, endpoint: str, response: requests.Response) -> Any:
        try:
            envelope = msgspec.json.decode(response.content)
            code, messages = int(envelope["code"]), list(envelope.get("messages") or [])
        except (msgspec.DecodeError, KeyError, TypeError, ValueError):
            raise _Failed(UNREADABLE, f"POST {endpoint}: unreadable answer") from None
        _require_ok(f"POST {endpoint}", code, messages, WRITE_OUTCOMES)
        return envelope.get("response")

    def _parsed(self, endpoint: str, response: requests.Response) -> Iterator[dict[str, Any]]:
        records, codes, messages = (ijson.sendable_list() for _ in range(3))
        readers = [
            ijson.items_coro(target, prefix)
            for target, prefix in ((records, "response.item"), (codes, "code"), (messages, "messages.item"))
        ]
        try:
            for chunk in response.iter_content(_CHUNK_BYTES):
                for reader in readers:
                    reader.send(chunk)
                yield from records
                del records[:]
            for reader in readers:
                reader.close()
            code = int(codes[0])
        except (ijson.JSONError, requests.RequestException):
            raise _Failed(UNREADABLE, f"GET {endpoint}: unreadable answer") from None
        except (IndexError, TypeError, ValueError):
            raise _Failed(UNREADABLE, f"GET {endpoint}: no envelope code") from None
        _require_ok(f"GET {endpoint}", code, messages, READ_OUTCOMES)


def _require_ok(what: str, code: int, messages: list[Any], table: tuple[Outcome, ...]) -> None:
    if code == OK:
        return
    text = "; ".join(str(message) for message in messages)
    raise _Failed(outcome_of(table, code, text), f"{what}: code {code}: {text or 'no text'}", text)
