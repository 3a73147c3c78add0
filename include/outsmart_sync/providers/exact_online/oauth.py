"""Exact Online's OAuth: login address, code exchange, refresh.

Protocol: https://support.exactonline.com/community/s/knowledge-base#All-All-DNO-Content-oauth-eol-oauth-devstep1 ; the
token rules (600 s life, renewal not before 570 s, rotating single-use refresh tokens) are those of
https://forums.invantive.com/t/exact-online-error-message-old-refresh-token-used/2903 .
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests
from requests_oauthlib import OAuth2Session

from outsmart_sync.errors import NotConfigured
from outsmart_sync.providers import web
from outsmart_sync.providers.exact_online.errors import (
    CODE_REFUSED,
    LOGIN_UNFINISHED,
    RENEWAL_FAILED,
    TOKEN_OUTCOMES,
)
from outsmart_sync.providers.outcomes import Reaction, error_of, outcome_of
from outsmart_sync.providers.token_endpoint import TIMEOUT, is_good, pair_from, repeated, session_of, shown
from outsmart_sync.store.tokens import TokenPair

log = logging.getLogger(__name__)

REFRESH_AFTER = 570
"""Seconds after receipt before which Exact refuses a refresh."""

_HOSTS = {
    "nl": "https://start.exactonline.nl",
    "be": "https://start.exactonline.be",
    "de": "https://start.exactonline.de",
    "fr": "https://start.exactonline.fr",
    "es": "https://start.exactonline.es",
}


@dataclass(frozen=True, slots=True, repr=False)
class App:
    """An app registration at Exact and the addresses it is used with.

    Attributes:
        client_id: The app's id.
        client_secret: Its secret.
        authorize_url: Login page.
        token_url: Token endpoint.
        api_url: Base of the API, without ``/api/v1``.
        redirect_uri: Where the login page sends the user back to; registered with the app, letter by letter.
        transport: How calls travel.
    """

    client_id: str
    client_secret: str
    authorize_url: str
    token_url: str
    api_url: str
    redirect_uri: str
    transport: web.Transport = field(default_factory=web.Transport)

    @classmethod
    def of(cls, country: str, client_id: str, client_secret: str, extras: dict[str, Any]) -> App:
        """The app of a country's instance; ``extras`` override the vendor's addresses.

        Raises:
            NotConfigured: The country has no instance, or a credential or address is missing or unusable.
        """
        host = _HOSTS.get(country, "")
        if not host and not (extras.get("authorize_url") and extras.get("token_url") and extras.get("api_url")):
            raise NotConfigured(
                f"Exact Online has no known instance for country '{country}'.",
                remedy=f"Choose one of: {', '.join(_HOSTS)}.",
            )
        for value, name in ((client_id, "client id (login)"), (client_secret, "client secret (password)")):
            if not value:
                raise NotConfigured(
                    f"The Airflow connection for Exact Online has no {name}.",
                    remedy="Fill it in from the app's registration in Exact's App Center.",
                )
        plain = web.allows_plain_http(extras)
        return cls(
            client_id=client_id,
            client_secret=client_secret,
            authorize_url=web.checked_address(
                extras.get("authorize_url") or f"{host}/api/oauth2/auth", "authorize_url", plain_http=plain
            ),
            token_url=web.checked_address(
                extras.get("token_url") or f"{host}/api/oauth2/token", "token_url", plain_http=plain
            ),
            api_url=web.checked_address(extras.get("api_url") or host, "api_url", plain_http=plain),
            redirect_uri=extras.get("redirect_uri") or "",
            transport=web.Transport.of(extras),
        )

    @property
    def hosts(self) -> web.KnownHosts:
        """Where the token may travel."""
        return web.KnownHosts.of(self.api_url)

    def __repr__(self) -> str:
        return f"App(api_url={self.api_url!r})"


def login_address(app: App, state: str) -> str:
    """The address of Exact's login page for one login attempt.

    Args:
        app: The app that asks.
        state: Random value that must come back with the answer.

    Raises:
        NotConfigured: The connection names no return address.
    """
    if not urlsplit(app.redirect_uri).hostname:
        raise NotConfigured(
            "The Airflow connection for Exact Online has no redirect_uri.",
            remedy="Set the extra redirect_uri to the address that is registered with the app at Exact.",
        )
    session = OAuth2Session(app.client_id, redirect_uri=app.redirect_uri)
    address, _ = session.authorization_url(app.authorize_url, state=state, force_login=1)
    return str(address)


def exchange_code(app: App, code: str) -> TokenPair:
    """Turn the code of a finished login into a token pair.

    Raises:
        LoginExpired: The code is older than three minutes or was used.
        NotConfigured: Exact does not know the client id or secret.
        VendorUnavailable: No usable answer.
    """
    session = session_of(app, _checked)
    return pair_from(
        lambda: session.fetch_token(
            app.token_url, code=code, client_secret=app.client_secret, include_client_id=True, timeout=TIMEOUT
        ),
        LOGIN_UNFINISHED,
    )


def refresh(app: App, refresh_token: str, *, sleep: Callable[[float], None] = time.sleep) -> TokenPair:
    """Turn a refresh token into a new pair; the old refresh token is dead from then on.

    Only answers that say nothing about the token are repeated, with the same token.

    Args:
        app: The app that asks.
        refresh_token: The login's current refresh token.
        sleep: Waits; tests shorten it.

    Raises:
        LoginExpired: The refresh token has expired or was replaced.
        RateLimited: Too early, or too many.
        NotConfigured: Exact does not know the client id or secret.
        VendorUnavailable: No usable answer after three tries.
    """
    return repeated(lambda: pair_from(lambda: _refresh_once(app, refresh_token), RENEWAL_FAILED), log=log, sleep=sleep)


def _refresh_once(app: App, refresh_token: str) -> Any:
    return session_of(app, _checked).refresh_token(
        app.token_url,
        refresh_token=refresh_token,
        client_id=app.client_id,
        client_secret=app.client_secret,
        timeout=TIMEOUT,
    )


def _checked(response: requests.Response, *, exchanging: bool) -> requests.Response:
    """Let a good answer pass; turn any other into the error that the table names, before oauthlib reads it."""
    if is_good(response):
        return response
    reason = response.headers.get("Reason", "")
    said = f"{response.text[:500]} {reason}".strip() or "no text"
    row = outcome_of(TOKEN_OUTCOMES, response.status_code, said)
    if exchanging and row.reaction is Reaction.REPEAT:
        row = CODE_REFUSED if response.status_code in (400, 401) else LOGIN_UNFINISHED
    raise error_of(row, shown(response), f"HTTP {response.status_code} {reason} {shown(response)}".strip())
