"""VISMA eAccounting on the wire: sessions, limits, errors. Knows no Airflow and no OutSmart.

Protocol: https://developer.vismaonline.com/docs/pagination ; limit of 600 calls a minute, per client and endpoint, with
the seconds to wait in the refusal's text: https://developer.vismaonline.com/docs/rate-limits-copy .
"""

from __future__ import annotations

import logging
import re
import threading
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote, urlsplit

import msgspec
import requests

from outsmart_sync.errors import RequestRefused
from outsmart_sync.providers import web
from outsmart_sync.providers.outcomes import NO_TEXT, WEB_PAGE, Outcome, Reaction, error_of, outcome_of
from outsmart_sync.providers.reads import FailedAnswer, answered
from outsmart_sync.providers.visma_eaccounting import paging
from outsmart_sync.providers.visma_eaccounting.errors import (
    API_OUTCOMES,
    COUNTS_AS_ERROR,
    GONE,
    GONE_CODE,
    NO_CLEAR_ANSWER,
    QUERY_REFUSED,
    UNREACHABLE,
    UNREADABLE,
)
from outsmart_sync.providers.visma_eaccounting.paging import Page
from outsmart_sync.providers.visma_eaccounting.values import is_id
from outsmart_sync.store.budget import BudgetRules

if TYPE_CHECKING:
    from outsmart_sync.records.streams import Row
    from outsmart_sync.store.budget import CallBudget

log = logging.getLogger(__name__)

RULES = BudgetRules(minute_limit=600, day_limit=1_000_000)
"""VISMA's limit per app and endpoint; there is none per day."""

PARALLEL = 4
"""Pages that are fetched at a time."""

_MOST_SECONDS = 60.0
_SECONDS = re.compile(r"in (\d+) second", re.IGNORECASE)
_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encode = msgspec.json.Encoder(decimal_format="number").encode
_NUL = rb"\u0000"
_NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError)


class AccessTokens(Protocol):
    """Hands out access tokens, see :class:`outsmart_sync.store.tokens.TokenKeeper`."""

    def access_token(self, refused: str | None = None) -> str:
        """A valid token, other than the refused one."""


class VismaClient:
    """Reads, and changes, the one company that its token is for.

    Args:
        open_session: Opens a session; each thread that fetches pages has its own.
        api_url: Base address without ``/v2``.
        tokens: Where access tokens come from.
        budget_of: The shared call budget of an endpoint; None: calls are not counted.
        hosts: Where the token may travel; None: only to ``api_url``.
        patience: Longest wait for a limit, in seconds; a longer one is left to the caller.
        parallel: Pages that are fetched at a time.
        page_size: Rows of a page where lists are read whole.
        sleep: Waits; tests shorten it.
    """

    def __init__(
        self,
        open_session: Callable[[], requests.Session],
        api_url: str,
        tokens: AccessTokens,
        *,
        budget_of: Callable[[str], CallBudget] | None = None,
        hosts: web.KnownHosts | None = None,
        patience: float = 120,
        parallel: int = PARALLEL,
        page_size: int = paging.LARGEST,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._open_session = open_session
        self._api_url = api_url
        self._tokens = tokens
        self._budget_of = budget_of
        self._hosts = hosts or web.KnownHosts.of(api_url)
        self._patience = patience
        self._parallel = parallel
        self._page_size = page_size
        self._sleep = sleep
        self._own = threading.local()
        self._sessions: list[requests.Session] = []
        self._lock = threading.Lock()
        self.calls = 0

    def company_settings(self) -> Row:
        """The company as it stands: schema ``CompanySettingsApi`` of the vendor's description."""
        found: Row = self._call("companysettings", self.address("companysettings", {}))
        return found

    def claims(self) -> Mapping[str, Any]:
        """What the access token says of itself, as VISMA's token endpoint handed it out; nothing where it is opaque."""
        with suppress(*_NOT_JSON, ValueError, IndexError):
            middle = self._token().split(".")[1]
            found = msgspec.json.decode(urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
            return found if isinstance(found, dict) else {}
        return {}

    def address(self, path: str, query: Mapping[str, str]) -> str:
        """The address of a resource below ``/v2/``."""
        encoded = "&".join(f"{name}={quote(value, safe=',')}" for name, value in query.items())
        return f"{self._api_url}/v2/{path}?{encoded}" if encoded else f"{self._api_url}/v2/{path}"

    def page(self, path: str, query: Mapping[str, str], number: int = 1, size: int | None = None) -> Page:
        """One page of a list.

        Raises:
            ConfigurationError: Login, right, module, variant or question is not in order.
            TransientError: Limits, maintenance, network; after a few tries of our own.
        """
        asked = {**query, "$page": str(number), "$pagesize": str(size or self._page_size)}
        return paging.page_of(path, self._call(counted_as(path), self.address(path, asked)))

    def pages(self, path: str, query: Mapping[str, str], first: int = 1) -> Iterator[Page]:
        """Every page of a list from one on, in their order; several are fetched at a time.

        Without an order of the caller's own, rows come in that of their ids, which no change of a row moves.

        Raises:
            ConfigurationError: As for :meth:`page`.
            TransientError: As for :meth:`page`.
        """
        ordered = {"$orderby": "Id", **query}
        return paging.in_parallel(lambda number: self.page(path, ordered, number), first, self._parallel)

    def row(self, path: str, key: str) -> Row | None:
        """One row by its id; None: it is not there.

        Raises:
            ConfigurationError: As for :meth:`page`.
            TransientError: As for :meth:`page`.
        """
        try:
            found: Row = self._call(path, self.address(f"{path}/{key}", {}))
        except RequestRefused as error:
            if error.code != GONE:
                raise
            return None
        return found

    def send(self, method: str, path: str, body: Row, key: str = "") -> requests.Response:
        """Send a change, once; what the answer means is for the caller (see ``writing.py``).

        A refused token says that nothing was done, so that it is renewed and the change sent again.

        Args:
            method: ``POST`` or ``PUT``.
            path: Path below ``/v2/``.
            body: Its fields, amounts as Decimal.
            key: The id of the row that is meant; '' for a new one.

        Raises:
            VendorUnavailable: No connection came about: nothing was sent.
            UncertainOutcome: It was sent, and no answer came.
            RequestRefused: The endpoint has answered too many equal errors: nothing was sent.
        """
        address = self._hosts.check(self.address(f"{path}/{key}" if key else path, {}))
        token = self._token()
        response = self._send(method, path, address, body, token)
        if response.status_code == requests.codes.unauthorized:
            log.info("Access token refused; renewing it")
            response = self._send(method, path, address, body, self._token(refused=token))
        return response

    def _send(self, method: str, path: str, address: str, body: Row, token: str) -> requests.Response:
        self._take_call(path)
        with self._lock:
            self.calls += 1
        try:
            return self._session.request(
                method,
                address,
                data=_encode(body),
                headers={**_headers(token), "Content-Type": "application/json"},
                timeout=web.TIMEOUT,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            row = UNREACHABLE if web.was_never_sent(error) else NO_CLEAR_ANSWER
            raise error_of(row, "", f"{method} {path}: {type(error).__name__}: {error}") from error

    def close(self) -> None:
        """End the sessions."""
        with self._lock:
            sessions, self._sessions = self._sessions, []
        for session in sessions:
            session.close()
        self._own = threading.local()

    @property
    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._own, "session", None)
        if session is None:
            session = self._own.session = self._open_session()
            with self._lock:
                self._sessions.append(session)
        return session

    def _token(self, refused: str | None = None) -> str:
        """One thread at a time: the others get what it has fetched."""
        with self._lock:
            return self._tokens.access_token(refused)

    def _call(self, endpoint: str, address: str) -> Any:
        """Read until there is an answer worth returning or raising, see :mod:`outsmart_sync.providers.reads`."""
        self._hosts.check(address)
        return answered(
            lambda token: self._answer(endpoint, address, token),
            self._token,
            log=log,
            sleep=self._sleep,
            patience=self._patience,
        )

    def _answer(self, endpoint: str, address: str, token: str) -> Any:
        self._take_call(endpoint)
        with self._lock:
            self.calls += 1
        try:
            response = self._session.get(
                address,
                headers=_headers(token),
                timeout=web.TIMEOUT,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise FailedAnswer(UNREACHABLE, f"{endpoint}: {type(error).__name__}: {error}") from error
        if response.status_code != requests.codes.ok:
            raise self._failure(endpoint, response)
        try:
            return decoded(response)
        except ValueError as error:
            raise FailedAnswer(UNREADABLE, f"{endpoint}: {error}") from error

    def _take_call(self, endpoint: str) -> None:
        if self._budget_of is None:
            return
        while (wait := self._budget_of(endpoint).take(endpoint)) > 0:
            web.require_time(wait)
            log.info("%s: %.0f s until the limit's minute is over", endpoint, wait)
            self._sleep(wait)

    def _failure(self, endpoint: str, response: requests.Response) -> FailedAnswer:
        said = Refusal.of(response)
        row = said.outcome
        technical = f"GET {endpoint}: HTTP {response.status_code}: {said.text}{said.identity}"
        # A question that is not taken, and a row that is gone, are no mistakes of ours.
        unasked = row.reaction is Reaction.RAISE and row.code != QUERY_REFUSED and said.code != GONE_CODE
        if self._budget_of is not None and response.status_code in COUNTS_AS_ERROR and unasked:
            self._budget_of(endpoint).count_error(endpoint, response.status_code, said.text)
        return FailedAnswer(row, technical, said.text, wait=wait_of(response, said.text) if said.waits else 0)


class Refusal(msgspec.Struct, frozen=True):
    """What VISMA says about a failure.

    Attributes:
        status: HTTP status.
        code: The vendor's own code; None: the answer has none.
        text: In words.
        identity: The vendor's id of the failure, which its support asks for, ready to be put behind the words.
    """

    status: int
    code: int | None
    text: str
    identity: str = ""

    @classmethod
    def of(cls, response: requests.Response) -> Refusal:
        """Read an answer; one in another form than documented is taken for its status."""
        status = response.status_code
        try:
            body = msgspec.json.decode(response.content)
            code = int(body["ErrorCode"])
        except (*_NOT_JSON, KeyError, TypeError, ValueError):
            text = response.text.strip()
            return cls(status, None, WEB_PAGE if text.startswith("<") else text[:300] or NO_TEXT)
        fields = [
            f"{each.get('Field') or ''}: {each.get('Message') or ''}".strip(": ")
            for each in body.get("Errors") or ()
            if isinstance(each, dict)
        ]
        text = " ".join(part for part in (str(body.get("DeveloperErrorMessage") or ""), *fields) if part)
        identity = f" (error {code}, id {body['ErrorId']})" if body.get("ErrorId") else f" (error {code})"
        return cls(status, code, text or NO_TEXT, identity)

    @property
    def outcome(self) -> Outcome:
        """What it means: the vendor's code tells, and where there is none, the status."""
        return outcome_of(API_OUTCOMES, self.status if self.code is None else self.code, self.text)

    @property
    def waits(self) -> bool:
        """Whether it makes sense to wait."""
        return self.outcome.reaction is Reaction.WAIT


def counted_as(path: str) -> str:
    """A path without ids, as VISMA counts calls by."""
    return "/".join(part for part in path.split("/") if not is_id(part))


def decoded(response: requests.Response) -> Any:
    """What an answer holds.

    Raises:
        ValueError: It cannot be read.
    """
    try:
        found = _decoder.decode(response.content)
    except _NOT_JSON as error:
        raise ValueError(str(error)) from error
    return _without_nul(found) if _NUL in response.content else found


def wait_of(response: requests.Response, text: str) -> float:
    """Seconds until a refused call makes sense again: by the header, else by the text, else a minute."""
    header, said = response.headers.get("Retry-After", ""), _SECONDS.search(text)
    if header.isdecimal():
        return float(header) + 0.5
    return float(said[1]) + 0.5 if said else _MOST_SECONDS


def endpoint_of(address: str) -> str:
    """The path that limits and logs speak of: without host, version and query."""
    return urlsplit(address).path.partition("/v2/")[2]


def _headers(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "Accept": "application/json", "User-Agent": web.USER_AGENT}


def _without_nul(value: Any) -> Any:
    """A text may hold a zero character, which no text of PostgreSQL may."""
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, list):
        return [_without_nul(each) for each in value]
    if isinstance(value, dict):
        return {name: _without_nul(each) for name, each in value.items()}
    return value
