"""Exact Online's OAuth: login address, code exchange, refresh.

Protocol: https://support.exactonline.com/community/s/knowledge-base#All-All-DNO-Content-oauth-eol-oauth-devstep1 ; the
token rules (600 s life, renewal not before 570 s, rotating single-use refresh tokens) are those of
https://forums.invantive.com/t/exact-online-error-message-old-refresh-token-used/2903 .
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from oauthlib.oauth2 import OAuth2Error
from requests_oauthlib import OAuth2Session

from outsmart_sync.errors import NotConfigured, VendorUnavailable
from outsmart_sync.providers import web
from outsmart_sync.providers.exact_online.errors import CODE_REFUSED, TOKEN_OUTCOMES
from outsmart_sync.providers.outcomes import Reaction, error_of, outcome_of
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
_REPEATS = (1.0, 3.0)


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
    """

    client_id: str
    client_secret: str
    authorize_url: str
    token_url: str
    api_url: str
    redirect_uri: str

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
        plain = str(extras.get("plain_http", "")).lower() in ("1", "true", "yes")
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
    session = _session(app, exchanging=True)
    return _call(
        lambda: session.fetch_token(
            app.token_url, code=code, client_secret=app.client_secret, include_client_id=True, timeout=web.TIMEOUT
        )
    )


def refresh(app: App, refresh_token: str) -> TokenPair:
    """Turn a refresh token into a new pair; the old refresh token is dead from then on.

    Only answers that say nothing about the token are repeated, with the same token.

    Raises:
        LoginExpired: The refresh token has expired or was replaced.
        RateLimited: Too early, or too many.
        NotConfigured: Exact does not know the client id or secret.
        VendorUnavailable: No usable answer after three tries.
    """
    for pause in (*_REPEATS, None):
        session = _session(app, exchanging=False)
        try:
            return _call(
                lambda session=session: session.refresh_token(
                    app.token_url,
                    refresh_token=refresh_token,
                    client_id=app.client_id,
                    client_secret=app.client_secret,
                    timeout=web.TIMEOUT,
                )
            )
        except VendorUnavailable as error:
            if pause is None:
                raise
            log.warning("Token endpoint: %s; trying again in %s s", error.technical or error.what, pause)
            time.sleep(pause)
    raise AssertionError("unreachable")


def _session(app: App, *, exchanging: bool) -> OAuth2Session:
    session = OAuth2Session(app.client_id, redirect_uri=app.redirect_uri)
    session.headers["User-Agent"] = web.USER_AGENT
    if exchanging:
        session.register_compliance_hook("access_token_response", lambda response: _checked(response, exchanging=True))
    else:
        session.register_compliance_hook(
            "refresh_token_response", lambda response: _checked(response, exchanging=False)
        )
    return session


def _checked(response: requests.Response, *, exchanging: bool) -> requests.Response:
    """Let a good answer pass; turn any other into the error that the table names, before oauthlib reads it."""
    if response.ok and response.text.lstrip().startswith("{") and "access_token" in response.text:
        return response
    reason = response.headers.get("Reason", "")
    said = f"{response.text[:500]} {reason}".strip() or "no text"
    row = outcome_of(TOKEN_OUTCOMES, response.status_code, said)
    if exchanging and row.reaction is Reaction.REPEAT and response.status_code in (400, 401):
        row = CODE_REFUSED
    raise error_of(row, _short(response), f"HTTP {response.status_code} {reason} {_short(response)}".strip())


def _short(response: requests.Response) -> str:
    text = response.text.strip()
    return "a web page" if text.startswith("<") else text[:300]


def _call(call: Any) -> TokenPair:
    try:
        token = call()
        return TokenPair(access=token["access_token"], refresh=token["refresh_token"], lasts=int(token["expires_in"]))
    except (requests.RequestException, OAuth2Error, KeyError, ValueError) as error:
        raise VendorUnavailable(
            "Exact Online's token endpoint gives no usable answer.",
            remedy="The sync is tried again by itself.",
            code="token_endpoint_unavailable",
            technical=f"{type(error).__name__}: {error}"
            if isinstance(error, requests.RequestException)
            else type(error).__name__,
        ) from error
