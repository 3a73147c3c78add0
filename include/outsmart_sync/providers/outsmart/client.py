"""OutSmart on the wire: envelopes, tokens, lists that are read as a stream. Knows no Airflow.

Protocol: https://knowledge.out-smart.com/openapi . There is no paging: a list comes whole, so it is parsed while it
arrives and never held in memory.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import ijson
import msgspec
import requests

from outsmart_sync.providers import web
from outsmart_sync.providers.outcomes import outcome_of
from outsmart_sync.providers.outsmart.errors import CHANGING, CREATING, FILE_OUTCOMES, READING, WRITING, Meaning
from outsmart_sync.providers.reads import FailedAnswer, answered

log = logging.getLogger(__name__)

API_URL = "https://app.out-smart.com/openapi/8"

_CHUNK_BYTES = 1 << 16
_LARGEST_FILE = 50_000_000


@dataclass(frozen=True, slots=True, repr=False)
class Tokens:
    """What opens an account: its own token and that of the software that calls."""

    account: str
    software: str


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

    def get_list(self, endpoint: str, query: Mapping[str, str] | None = None) -> Iterator[dict[str, Any]]:
        """Every record of a list, while it arrives.

        What was handed out must not be used before the iterator has ended: only then is the envelope's code known.

        Args:
            endpoint: The list.
            query: Parameters besides the tokens.

        Raises:
            ConfigurationError: Tokens or request are not in order.
            TransientError: No answer, or one that was cut off.
        """
        response = self._repeated(lambda: self._send("GET", endpoint, READING, query, stream=True))
        try:
            yield from self._parsed(endpoint, response)
        except FailedAnswer as failed:
            raise failed.error from failed.__cause__
        finally:
            response.close()

    def get(self, endpoint: str, query: Mapping[str, str]) -> Any:
        """One record.

        Returns:
            The envelope's ``response``.

        Raises:
            RecordError: There is no such work order; the error's code is ``errors.GONE``.
            ConfigurationError: Tokens or request are not in order.
            TransientError: No answer, or one that was cut off.
        """
        return self._repeated(lambda: self._asked("GET", endpoint, READING, query))

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
        return self._repeated(lambda: self._asked("POST", endpoint, WRITING, None, body))

    def create(self, endpoint: str, record: Mapping[str, Any]) -> Any:
        """Store a record that is added and not updated: sent once, whatever happens.

        Returns:
            The envelope's ``response``.

        Raises:
            RecordError: It was refused; nothing was stored.
            ConfigurationError: Tokens or request are not in order; nothing was stored.
            TransientError: No connection came about, so nothing was sent.
            UncertainOutcome: Anything else; whether it was stored is unknown.
        """
        try:
            return self._asked("POST", endpoint, CREATING, None, msgspec.json.encode([record]))
        except FailedAnswer as failed:
            raise failed.error from failed.__cause__

    def change(self, endpoint: str, query: Mapping[str, str], lines: list[dict[str, str]] | None = None) -> None:
        """Change one record: with a GET, as OutSmart wants it, or with a POST of lines.

        Safe to repeat, and repeated after a failure that says nothing about the record. That nothing changed is fine.

        Raises:
            RecordError: It was refused, or there is no such record.
            ConfigurationError: Tokens or request are not in order.
            TransientError: No answer; whether it was changed is unknown.
        """
        method, body = ("GET", None) if lines is None else ("POST", msgspec.json.encode(lines))
        self._repeated(lambda: self._asked(method, endpoint, CHANGING, query, body))

    def download(self, address: str) -> bytes:
        """What is at a link that OutSmart handed out, such as a PDF; our tokens do not travel with it.

        Raises:
            RecordError: Nothing is there any more.
            RequestRefused: The link is neither encrypted nor of OutSmart's own address.
            TransientError: No answer, or one that was cut off or too large.
        """
        return bytes(self._repeated(lambda: self._downloaded(address)))

    def close(self) -> None:
        """End the session."""
        self._session.close()

    def _downloaded(self, address: str) -> bytes:
        if not address.startswith("https://"):
            web.KnownHosts.of(self._api_url).check(address)
        self.calls += 1
        headers = {"User-Agent": web.USER_AGENT}
        found = bytearray()
        try:
            with self._session.get(address, headers=headers, timeout=web.TIMEOUT, stream=True) as response:
                if response.status_code != requests.codes.ok:
                    row = outcome_of(FILE_OUTCOMES, response.status_code, "")
                    raise FailedAnswer(row, f"GET a file: HTTP {response.status_code}")
                for chunk in response.iter_content(_CHUNK_BYTES):
                    found += chunk
                    if len(found) > _LARGEST_FILE:
                        raise FailedAnswer(READING.unreadable, "GET a file: too large")
        except requests.RequestException as error:
            raise FailedAnswer(READING.unanswered, f"GET a file: {type(error).__name__}") from None
        return bytes(found)

    def _repeated(self, call: Callable[[], Any]) -> Any:
        return answered(lambda _: call(), None, log=log, sleep=self._sleep)

    def _asked(
        self, method: str, endpoint: str, meaning: Meaning, query: Mapping[str, str] | None, body: bytes | None = None
    ) -> Any:
        """The ``response`` of one call."""
        response = self._send(method, endpoint, meaning, query, body=body)
        what = f"{method} {endpoint}"
        try:
            envelope = msgspec.json.decode(response.content)
            code, messages = int(envelope["code"]), list(envelope.get("messages") or [])
        except (msgspec.DecodeError, KeyError, TypeError, ValueError):
            raise FailedAnswer(meaning.unreadable, f"{what}: unreadable answer") from None
        _require_fine(what, code, messages, meaning)
        return envelope.get("response")

    def _send(
        self,
        method: str,
        endpoint: str,
        meaning: Meaning,
        query: Mapping[str, str] | None,
        *,
        body: bytes | None = None,
        stream: bool = False,
    ) -> requests.Response:
        self.calls += 1
        try:
            response = self._session.request(
                method,
                f"{self._api_url}/{endpoint}",
                params={"token": self._tokens.account, "software_token": self._tokens.software, **(query or {})},
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
            row = meaning.unsent if web.was_never_sent(error) else meaning.unanswered
            # The library's text holds the address, and that the tokens.
            raise FailedAnswer(row, f"{method} {endpoint}: {type(error).__name__}") from None
        if response.status_code != requests.codes.ok:
            row = outcome_of(meaning.http, response.status_code, "")
            response.close()
            raise FailedAnswer(row, f"{method} {endpoint}: HTTP {response.status_code}")
        return response

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
            raise FailedAnswer(READING.unreadable, f"GET {endpoint}: unreadable answer") from None
        except (IndexError, TypeError, ValueError):
            raise FailedAnswer(READING.unreadable, f"GET {endpoint}: no envelope code") from None
        _require_fine(f"GET {endpoint}", code, messages, READING)


def _require_fine(what: str, code: int, messages: list[Any], meaning: Meaning) -> None:
    if code in meaning.fine:
        return
    text = "; ".join(str(message) for message in messages)
    raise FailedAnswer(outcome_of(meaning.codes, code, text), f"{what}: code {code}: {text or 'no text'}", text)
