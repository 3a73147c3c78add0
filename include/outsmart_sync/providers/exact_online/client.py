"""Exact Online on the wire: one session, paging, limits, errors. Knows no Airflow and no OutSmart.

Protocol: https://start.exactonline.nl/docs/HlpRestAPIResources.aspx . Limits: https://docs.maesn.com/rate-limits .
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote, urlsplit

import msgspec
import requests

from outsmart_sync.errors import VendorUnavailable
from outsmart_sync.providers import web
from outsmart_sync.providers.exact_online.errors import API_OUTCOMES, COUNTS_AS_ERROR, NO_CLEAR_ANSWER
from outsmart_sync.providers.outcomes import NO_TEXT, WEB_PAGE, Outcome, Reaction, error_of, outcome_of
from outsmart_sync.providers.reads import FailedAnswer, answered
from outsmart_sync.store.budget import BudgetRules, Window

if TYPE_CHECKING:
    from outsmart_sync.records.streams import Row
    from outsmart_sync.store.budget import CallBudget

log = logging.getLogger(__name__)

RULES = BudgetRules(minute_limit=60, day_limit=5_000, keep_share=0.05)
"""Exact's standard limits per app and company, and the share of the day that imports leave to exports."""

_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encode = msgspec.json.Encoder(decimal_format="number").encode
_NUL = rb"\u0000"
_NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError)


class AccessTokens(Protocol):
    """Hands out access tokens, see :class:`outsmart_sync.store.tokens.TokenKeeper`."""

    def access_token(self, refused: str | None = None) -> str:
        """A valid token, other than the refused one."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a collection.

    Attributes:
        rows: Decoded rows; numbers with a fraction are Decimal.
        next_page: Address of the next page, to be followed as it is; None: this was the last.
        total: Rows of all pages, where it was asked for.
    """

    rows: list[Row]
    next_page: str | None
    total: int | None = None


class ExactOnlineClient:
    """Reads and changes one administration, or reads the user's own data when no division is given.

    Args:
        session: Opens the connections; one per task.
        api_url: Base address without ``/api/v1``.
        tokens: Where access tokens come from.
        division: The administration's code; never taken from ``CurrentDivision``, which follows the user's clicks.
        budget: The shared call budget; None: not counted.
        hosts: Where page links may lead; None: only to ``api_url``.
        patience: Longest wait for a limit, in seconds; a longer one is left to the caller.
        sleep: Waits; tests shorten it.
    """

    def __init__(
        self,
        session: requests.Session,
        api_url: str,
        tokens: AccessTokens,
        *,
        division: str | None = None,
        budget: CallBudget | None = None,
        hosts: web.KnownHosts | None = None,
        patience: float = 120,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._session = session
        self._api_url = api_url
        self._tokens = tokens
        self.division = division
        self._budget = budget
        self._hosts = hosts or web.KnownHosts.of(api_url)
        self._patience = patience
        self._sleep = sleep
        self.calls = 0

    def me(self) -> Row:
        """Who is connected: https://start.exactonline.nl/docs/HlpRestAPIResourcesDetails.aspx?name=SystemSystemMe ."""
        select = "UserID,UserName,FullName,Email,CurrentDivision,ServerTime,ServerUtcOffset"
        rows = self._get(f"{self._api_url}/api/v1/current/Me?$select={select}").rows
        if not rows:
            raise VendorUnavailable("Exact Online does not say who is logged in.", remedy="Try again later.")
        return rows[0]

    def divisions(self, of_division: str, *, only: str | None = None) -> list[Row]:
        """The administrations that the user granted to the app, or only the one of this code.

        Fields: https://start.exactonline.nl/docs/HlpRestAPIResourcesDetails.aspx?name=SystemSystemDivisions .
        """
        fields = (
            "Code",
            "CustomerName",
            "Description",
            "Country",
            "Currency",
            "Status",
            "BlockingStatus",
            "DivisionMoveDate",
            "DivisionHRLinkUnlinkDate",
        )
        filters = "" if only is None else f"Code eq {int(only)}"
        address = self.address("system/Divisions", select=fields, filters=filters, division=of_division)
        return [row for page in self.pages(address) for row in page.rows]

    def may(self, endpoint: str, action: str) -> bool:
        """Whether the connected user has the right to ``GET`` or ``POST`` a resource, such as ``crm/Accounts``.

        Rule: https://start.exactonline.nl/docs/HlpRestAPIResourcesDetails.aspx?name=UsersUserHasRights .
        """
        question = f"endpoint='{quote(endpoint, safe='/')}'&action='{action}'"
        rows = self._get(f"{self._api_url}/api/v1/{self.division}/users/UserHasRights?{question}").rows
        return bool(rows and rows[0]["UserHasRights"])

    def address(
        self,
        resource: str,
        *,
        select: tuple[str, ...],
        filters: str = "",
        top: int | None = None,
        newest_first: str = "",
        counted: bool = False,
        expand: str = "",
        skip: int = 0,
        division: str | None = None,
    ) -> str:
        """The address of a collection in the administration.

        Args:
            resource: Path below the division, such as ``sync/CRM/Accounts``.
            select: Columns to ask for.
            filters: OData filter.
            top: Most rows to return in all.
            newest_first: Column to sort by, largest first, and the rows of all pages are to be counted.
            counted: The rows of all pages are to be counted.
            expand: Collection that is to come along with each row.
            skip: Rows to leave out first.
            division: Another administration than the client's own.
        """
        query = {"$select": ",".join(select)}
        if filters:
            query["$filter"] = filters
        if top is not None:
            query["$top"] = str(top)
        if newest_first:
            query["$orderby"] = f"{newest_first} desc"
        if newest_first or counted:
            query["$inlinecount"] = "allpages"
        if expand:
            query["$expand"] = expand
        if skip:
            query["$skip"] = str(skip)
        return self._address(division or self.division, resource, query)

    def function(self, resource: str, **parameters: str) -> str:
        """The address of an answer that Exact works out from parameters, which are literals as in a filter."""
        return self._address(self.division, resource, parameters)

    def _address(self, division: str | None, resource: str, query: Mapping[str, str]) -> str:
        encoded = "&".join(f"{name}={quote(value, safe=',')}" for name, value in query.items())
        return f"{self._api_url}/api/v1/{division}/{resource}?{encoded}"

    def get(self, address: str) -> Page:
        """One page.

        Raises:
            ConfigurationError: Login, right, scope, module or request is not in order.
            TransientError: Limits, maintenance, network; after a few tries of our own.
        """
        return self._get(address)

    def pages(self, address: str) -> Iterator[Page]:
        """Every page from an address on.

        Raises:
            RequestRefused: A link leads to another host.
            ConfigurationError: As for :meth:`get`.
            TransientError: As for :meth:`get`.
        """
        page = self._get(address)
        yield page
        while page.next_page:
            page = self._get(page.next_page)
            yield page

    def send(self, method: str, resource: str, body: Row) -> requests.Response:
        """Send a change, once; what the answer means is for the caller (see ``writing.py``).

        A refused token says that nothing was done, so that it is renewed and the change sent again.

        Args:
            method: ``POST``, ``PUT`` or ``DELETE``.
            resource: Path below the division, with the key in brackets where one row is meant.
            body: Its columns, amounts as Decimal; empty for none.

        Raises:
            VendorUnavailable: No connection came about: nothing was sent.
            UncertainOutcome: It was sent, and no answer came.
            RateLimited: The day's calls are used up: nothing was sent.
            RequestRefused: The endpoint has answered too many equal errors: nothing was sent.
        """
        address = f"{self._api_url}/api/v1/{self.division}/{resource}"
        token = self._tokens.access_token()
        response = self._send(method, address, body, token)
        if response.status_code == requests.codes.unauthorized:
            log.info("Access token refused; renewing it")
            response = self._send(method, address, body, self._tokens.access_token(refused=token))
        if self._budget and response.status_code in COUNTS_AS_ERROR - {requests.codes.unauthorized}:
            self._budget.count_error(endpoint_of(address), response.status_code, error_text(response))
        return response

    def _send(self, method: str, address: str, body: Row, token: str) -> requests.Response:
        self._take_call(address)
        self.calls += 1
        try:
            response = self._session.request(
                method,
                address,
                data=_encode(body) if body else None,
                headers={**_headers(token), "Content-Type": "application/json", "Prefer": "return=representation"},
                timeout=web.TIMEOUT,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            technical = f"{method} {endpoint_of(address)}: {type(error).__name__}: {error}"
            row = _UNREACHABLE if web.was_never_sent(error) else NO_CLEAR_ANSWER
            raise error_of(row, "", technical) from error
        if self._budget:
            self._budget.observe(*limits_of(response))
        return response

    def close(self) -> None:
        """End the session and store what the last answer said of the limits."""
        self._session.close()
        self._note_limits()

    def _note_limits(self) -> None:
        if self._budget:
            self._budget.flush()

    def _get(self, address: str) -> Page:
        return _page_of(self._call(self._hosts.check(address)))

    def _call(self, address: str) -> Any:
        """Read until there is an answer worth returning or raising, see :mod:`outsmart_sync.providers.reads`."""
        return answered(
            lambda token: self._answer(address, token),
            self._tokens.access_token,
            log=log,
            sleep=self._sleep,
            patience=self._patience,
            before_waiting=self._note_limits,  # afterwards the same figures would mean another minute
        )

    def _answer(self, address: str, token: str) -> Any:
        self._take_call(address)
        self.calls += 1
        try:
            response = self._session.get(
                address,
                headers=_headers(token),
                timeout=web.TIMEOUT,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise FailedAnswer(_UNREACHABLE, f"{endpoint_of(address)}: {type(error).__name__}: {error}") from error
        minute, day = limits_of(response)
        if self._budget:
            self._budget.observe(minute, day)
        if response.status_code == requests.codes.ok:
            try:
                return decoded(response)
            except _NOT_JSON as error:
                raise FailedAnswer(_UNREADABLE, f"{endpoint_of(address)}: {error}") from error
        raise self._failure(address, response, minute, day)

    def _take_call(self, address: str) -> None:
        if self._budget is None:
            return
        while (wait := self._budget.take(endpoint_of(address))) > 0:
            web.require_time(wait)
            log.info("Call budget: %.0f s until the vendor's minute is over", wait)
            self._sleep(wait)

    def _failure(
        self, address: str, response: requests.Response, minute: Window | None, day: Window | None
    ) -> FailedAnswer:
        status, text, endpoint = response.status_code, error_text(response), endpoint_of(address)
        row = outcome_of(API_OUTCOMES, status, text)
        technical = f"GET {endpoint}: HTTP {status}: {text}"
        if self._budget and status in COUNTS_AS_ERROR and row.reaction is not Reaction.RENEW:
            self._budget.count_error(endpoint, status, text)
        if row.reaction is Reaction.WAIT:
            wait = wait_of(minute, day)
            return FailedAnswer(row, technical, text, wait=wait)
        return FailedAnswer(row, technical, text)


_UNREACHABLE = Outcome(
    None,
    (),
    VendorUnavailable,
    "vendor_unreachable",
    "Exact Online cannot be reached.",
    "The sync is tried again by itself; if this stays, check the network of the machine that runs Airflow.",
    Reaction.REPEAT,
)
_UNREADABLE = Outcome(
    None,
    (),
    VendorUnavailable,
    "vendor_unreadable",
    "Exact Online's answer was cut off or is no data.",
    "The sync is tried again by itself.",
    Reaction.REPEAT,
)


def _headers(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "Accept": "application/json", "User-Agent": web.USER_AGENT}


def decoded(response: requests.Response) -> Any:
    """What an answer holds; numbers with a fraction are Decimal.

    Raises:
        ValueError: It is no JSON.
    """
    content = _decoder.decode(response.content)
    return _without_nul(content) if _NUL in response.content else content


def endpoint_of(address: str) -> str:
    """The path that limits and logs speak of: without host, division, key and query."""
    path = urlsplit(address).path.partition("(")[0]
    parts = path.partition("/api/v1/")[2].split("/")
    return "/".join(parts[1:] if parts[:1] and parts[0].isdigit() else parts) or path


def error_text(response: requests.Response) -> str:
    """What Exact says about a failure, wherever it does: error body, ``Reason`` header, or plain text."""
    reason = response.headers.get("Reason", "")
    try:
        said = str(msgspec.json.decode(response.content)["error"]["message"]["value"] or "")
    except (*_NOT_JSON, KeyError, TypeError):
        said = WEB_PAGE if response.text.lstrip().startswith("<") else response.text.strip()[:300]
    return f"{said} {reason}".strip() if reason else said or NO_TEXT


def limits_of(response: requests.Response) -> tuple[Window | None, Window | None]:
    """The minute's and the day's limit of an answer; None where it does not say.

    Reset times are epoch milliseconds of Exact's clock, so they are read against the answer's own ``Date``: our clock
    may be wrong (https://github.com/picqer/exact-php-client/issues/521).
    """
    headers = response.headers
    return _window(headers, "X-RateLimit-Minutely-", 60), _window(headers, "X-RateLimit-", 86_400)


def _window(headers: Mapping[str, str], prefix: str, lasts: int) -> Window | None:
    try:
        left, reset = int(headers[f"{prefix}Remaining"]), int(headers[f"{prefix}Reset"]) / 1000
        limit = int(headers.get(f"{prefix}Limit", 0))
    except (KeyError, ValueError):
        return None
    try:
        there = parsedate_to_datetime(headers["Date"]).timestamp()
    except (KeyError, ValueError):
        there = time.time()  # the answer does not say; should our clock be wrong, no wait is longer than the window
    return Window(limit, left, min(max(reset - there, 0.0), lasts))


def wait_of(minute: Window | None, day: Window | None) -> float:
    """Seconds until a refused call makes sense again; a full minute where the answer does not say."""
    waits = [window.ends_in for window in (minute, day) if window is not None and window.left <= 0]
    return max(waits, default=60.0) + 0.5


def _without_nul(value: Any) -> Any:
    """A text may hold a zero character, which no text of PostgreSQL may."""
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, list):
        return [_without_nul(each) for each in value]
    if isinstance(value, dict):
        return {name: _without_nul(each) for name, each in value.items()}
    return value


def _page_of(answer: Any) -> Page:
    """The rows of an answer in any of Exact's shapes: a list, ``results``, or a single record."""
    body = answer.get("d") if isinstance(answer, dict) else None
    if isinstance(body, list):
        return Page(body, None)
    if isinstance(body, dict) and "results" not in body:
        return Page([body], None)
    if isinstance(body, dict) and isinstance(body["results"], list):
        total = str(body.get("__count", ""))
        return Page(body["results"], body.get("__next") or None, int(total) if total.isdecimal() else None)
    raise VendorUnavailable(
        "Exact Online's answer is not in its usual form.",
        remedy="The sync is tried again by itself; if this stays, send the task's log to whoever maintains it.",
        code="vendor_unreadable",
        technical=f"top level: {sorted(answer) if isinstance(answer, dict) else type(answer).__name__}",
    )
