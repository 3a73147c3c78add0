"""What every vendor connection has in common on the wire."""

from __future__ import annotations

import ipaddress
import logging
import os
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import requests
from urllib3.exceptions import LocationParseError, MaxRetryError, NewConnectionError
from urllib3.util import Timeout, Url, parse_url

from outsmart_sync.errors import (
    NotConfigured,
    RateLimited,
    RenewalRefused,
    RequestRefused,
    SyncError,
    VendorUnavailable,
)

_Session = TypeVar("_Session", bound=requests.Session)

_CONNECT, _READ = 10.0, 120.0


@dataclass(slots=True)
class _Block:
    """A block whose calls have so much time.

    Attributes:
        ends: When it is over, by this process's monotonic clock.
        fair: Seconds in which a vendor that is there would answer one call.
        tried: Whether a call with :data:`TIMEOUT` was to be sent.
        asked: Whether one was, with a fair time to answer.
        answered: Whether one was answered, and not only to say that the vendor is away.
    """

    ends: float
    fair: float
    tried: bool = False
    asked: bool = False
    answered: bool = False

    @property
    def is_to_blame(self) -> bool:
        """Whether its time was too short, and not the vendor silent; what renewals took of it is no call's."""
        return self.ends <= time.monotonic() and (self.answered or (self.tried and not self.asked))


_block: ContextVar[_Block | None] = ContextVar("block", default=None)


class OutOfTime(VendorUnavailable):
    """The time for some calls was over, and the vendor is none that does not answer."""

    code = "out_of_time"


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Let the calls of a block, their repetitions included, end within so many seconds in all; later ones are not sent.

    It holds for calls with :data:`TIMEOUT`, of this thread and of those that are given its context. A renewal of a
    login, which has times of its own, is not broken off: the vendor may have taken the old token by then.

    Raises:
        OutOfTime: The time was too short for a vendor that answered before, or that was given hardly any of it.
    """
    seconds = min(seconds, time_left())
    block = _Block(time.monotonic() + seconds, fair=seconds / 2)
    before = _block.set(block)
    try:
        yield
    except RenewalRefused:
        raise
    except VendorUnavailable as error:
        if not block.is_to_blame:
            raise
        raise OutOfTime(
            "The time for these calls was over before all of them were answered.",
            remedy="The next run asks again.",
            technical=error.technical,
        ) from error
    finally:
        _block.reset(before)


def time_left() -> float:
    """Seconds that calls may still take, see :func:`within`; endless where nobody has said."""
    block = _block.get()
    return float("inf") if block is None else block.ends - time.monotonic()


def _note_answer(response: requests.Response, *_: Any, timeout: Any = None, **__: Any) -> None:
    """Note an answer to a call of the block; one to a renewal says nothing of calls."""
    block = _block.get()
    if block is not None and timeout is TIMEOUT and response.status_code < requests.codes.server_error:
        block.answered = True


def moment_in(seconds: float) -> datetime:
    """The moment so many seconds from now, aware UTC."""
    return datetime.now(UTC) + timedelta(seconds=seconds)


def require_time(wait: float) -> None:
    """Make sure that there is time to wait so many seconds for a call limit, see :func:`within`.

    Raises:
        RateLimited: There is less.
    """
    if wait > time_left():
        raise RateLimited(
            "The calls of this minute are used up.",
            remedy="It goes on by itself when the minute is over.",
            code="minute_limit",
            retry_at=moment_in(wait),
        )


class _Patience(Timeout):
    """How long a call may take, as of the moment when it is made: ``urllib3`` takes a clone for each."""

    def clone(self) -> Timeout:
        left, block = time_left(), _block.get()
        if block is not None:
            block.tried, block.asked = True, block.asked or (left > 0 and left >= block.fair)
        if left <= 0:
            raise requests.ConnectTimeout("not sent: the time for these calls is over")
        return Timeout(connect=min(_CONNECT, left), read=min(_READ, left))


TIMEOUT: Any = _Patience()
"""Seconds to connect, seconds between two bytes of an answer; less within a block that has less."""

USER_AGENT = "outsmart-sync"

# At DEBUG these libraries log request bodies and whole addresses, and with them tokens, in clear; urllib3.connection
# does so at WARNING when an answer's headers cannot be read.
for _name in ("requests_oauthlib", "oauthlib", "urllib3.connectionpool", "urllib3.util.retry"):
    logging.getLogger(_name).setLevel(logging.INFO)
logging.getLogger("urllib3.connection").setLevel(logging.ERROR)


def was_never_sent(error: requests.RequestException) -> bool:
    """Whether no connection came about, so that nothing can have arrived.

    A certificate is judged before anything is sent; other trouble with encryption may come while the answer is read.
    """
    if isinstance(error, requests.ConnectTimeout | requests.exceptions.ProxyError | requests.exceptions.InvalidURL):
        return True
    failed = error.args[0] if error.args else None
    if isinstance(failed, requests.ConnectTimeout):  # as requests hands on what _Patience raises
        return True
    if not isinstance(failed, MaxRetryError):
        return False
    cause = failed.reason.args[0] if failed.reason and failed.reason.args else None
    return isinstance(failed.reason, NewConnectionError) or isinstance(cause, ssl.SSLCertVerificationError)


def is_silence(error: SyncError) -> bool:
    """Whether a vendor does not answer; what it says of one login alone is an answer, and our haste no silence."""
    return isinstance(error, VendorUnavailable) and not isinstance(error, RenewalRefused | OutOfTime)


@dataclass(frozen=True, slots=True)
class KnownHosts:
    """The addresses a connection may send its token to.

    Attributes:
        origins: ``scheme://host:port`` of each.
    """

    origins: frozenset[str]

    @classmethod
    def of(cls, *urls: str) -> KnownHosts:
        """The hosts of these addresses."""
        return cls(frozenset(_origin(parse_url(url)) for url in urls))

    def check(self, url: str) -> str:
        """Return the address when it is of a known host.

        Raises:
            RequestRefused: It is not; the token must not be sent there.
        """
        try:
            origin = _origin(parse_url(url))
        except LocationParseError:
            origin = "an address that cannot be read"
        if origin not in self.origins:
            raise RequestRefused(
                "The vendor's answer points to a host that this connection does not know, so it is not followed.",
                remedy="If the vendor has moved, set api_url in the Airflow connection to the new address.",
                code="unknown_host",
                technical=f"{origin} is none of {', '.join(sorted(self.origins))}",
            )
        return url


@dataclass(frozen=True, slots=True)
class Transport:
    """How calls travel, as a connection's extras say.

    Attributes:
        verify: Whether certificates are checked, or the file or folder of the authorities to check them against.
        proxies: Proxy address by scheme.
    """

    verify: bool | str = True
    proxies: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, extras: Mapping[str, Any]) -> Transport:
        """What the extras ``verify`` and ``proxies`` say.

        Raises:
            NotConfigured: One of them makes no sense.
        """
        proxies = extras.get("proxies") or {}
        if not isinstance(proxies, dict):
            raise NotConfigured(
                "The extra proxies of the Airflow connection cannot be read.",
                remedy='Write it as {"https": "http://proxy.example:3128"}.',
            )
        return cls(_verify(extras.get("verify", True)), proxies)

    def dress(self, session: _Session, url: str) -> _Session:
        """Set up a session that will call this address.

        In ``requests`` the environment's proxies and certificates win over the session's own. Here the environment only
        fills in what the connection leaves open, and logins of a ``.netrc`` file are never sent.
        """
        settings: Mapping[str, Any] = session.merge_environment_settings(
            url, dict(self.proxies), None, self.verify, None
        )
        session.proxies, session.verify = settings["proxies"], settings["verify"]
        session.trust_env = False
        session.hooks["response"].append(_note_answer)
        return session


def _verify(value: Any) -> bool | str:
    """In a connection written as a URI every extra is text."""
    if value is None or isinstance(value, bool):
        return value is not False
    if (word := str(value).lower()) in ("true", "false"):
        return word == "true"
    if not Path(str(value)).exists():
        raise NotConfigured(
            f"The extra verify of the Airflow connection names a file that is not there: '{value}'.",
            remedy="Give the path of a file with certificates, or leave it out.",
        )
    return str(value)


def checked_address(url: str, what: str, *, plain_http: bool = False) -> str:
    """An address without its last slash, if tokens may travel there.

    Args:
        url: The address.
        what: What it is the address of, for the message.
        plain_http: The connection allows HTTP without TLS to other machines, as inside a container network.

    Raises:
        NotConfigured: It is no web address, or a plain ``http`` one of another machine.
    """
    try:
        parts = parse_url(url)
    except LocationParseError:
        parts = Url()
    if parts.scheme not in ("http", "https") or not parts.host:
        raise NotConfigured(f"{what} is not a web address: '{url}'.", remedy="Correct it in the Airflow connection.")
    if parts.scheme == "http" and not (plain_http or is_loopback(parts.host)):
        raise NotConfigured(
            f"{what} would send logins unencrypted to {parts.host}.",
            remedy="Use https, or set plain_http to true in the connection's extras for a closed network.",
        )
    if parts.scheme == "http":
        # requests-oauthlib refuses plain http by this variable alone; the rule above is the stricter one.
        os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
    return url.rstrip("/")


def allows_plain_http(extras: Mapping[str, Any]) -> bool:
    """Whether a connection's extras allow HTTP without TLS to other machines."""
    return str(extras.get("plain_http", "")).lower() in ("1", "true", "yes")


def origin(url: str) -> str:
    """Scheme, host and port of an address."""
    parts = parse_url(url)
    return f"{parts.scheme}://{parts.netloc}"


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _origin(parts: Url) -> str:
    """Taken from the parser that ``requests`` itself uses: another one may see another host in the same text."""
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme or "", 0)
    return f"{parts.scheme}://{parts.host}:{port}"
