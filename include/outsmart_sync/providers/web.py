"""What every vendor connection has in common on the wire."""

from __future__ import annotations

import ipaddress
import logging
import os
from dataclasses import dataclass
from urllib.parse import urlsplit

from outsmart_sync.errors import NotConfigured, RequestRefused

TIMEOUT = (10.0, 120.0)
"""Seconds to connect, seconds between two bytes of an answer."""

USER_AGENT = "outsmart-sync"

# At DEBUG these libraries log tokens and request bodies in clear.
for _name in ("requests_oauthlib", "oauthlib"):
    logging.getLogger(_name).setLevel(logging.INFO)


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
        return cls(frozenset(_origin(url) for url in urls))

    def check(self, url: str) -> str:
        """Return the address when it is of a known host.

        Raises:
            RequestRefused: It is not; the token must not be sent there.
        """
        if _origin(url) not in self.origins:
            raise RequestRefused(
                "The vendor's answer points to a host that this connection does not know, so it is not followed.",
                remedy="If the vendor has moved, set api_url in the Airflow connection to the new address.",
                code="unknown_host",
                technical=f"{_origin(url)} is none of {', '.join(sorted(self.origins))}",
            )
        return url


def checked_address(url: str, what: str, *, plain_http: bool = False) -> str:
    """An address without its last slash, if tokens may travel there.

    Args:
        url: The address.
        what: What it is the address of, for the message.
        plain_http: The connection allows HTTP without TLS to other machines, as inside a container network.

    Raises:
        NotConfigured: It is no web address, or a plain ``http`` one of another machine.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise NotConfigured(f"{what} is not a web address: '{url}'.", remedy="Correct it in the Airflow connection.")
    if parts.scheme == "http" and not (plain_http or is_loopback(parts.hostname)):
        raise NotConfigured(
            f"{what} would send logins unencrypted: '{url}'.",
            remedy="Use https, or set plain_http to true in the connection's extras for a closed network.",
        )
    if parts.scheme == "http":
        # requests-oauthlib refuses plain http by this variable alone; the rule above is the stricter one.
        os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
    return url.rstrip("/")


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _origin(url: str) -> str:
    parts = urlsplit(url)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
    return f"{parts.scheme}://{(parts.hostname or '').lower()}:{port}"
