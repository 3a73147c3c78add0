"""VISMA's OAuth: login address, code exchange, refresh, revocation.

Protocol: https://developer.vismaonline.com/docs/getting-started : a code lives five minutes, an access token sixty.
Older registrations get a new refresh token with every refresh, newer ones keep theirs
(https://developer.vismaonline.com/changelog?page=2); an answer without one keeps the old one, too.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests
from oauthlib.oauth2 import WebApplicationClient
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

from outsmart_sync.errors import NotConfigured
from outsmart_sync.providers import web
from outsmart_sync.providers.outcomes import NO_TEXT, Instead, Reaction, error_of, outcome_of
from outsmart_sync.providers.token_endpoint import TIMEOUT, is_good, pair_from, repeated, session_of, shown
from outsmart_sync.providers.visma_eaccounting.errors import (
    CODE_REFUSED,
    LOGIN_UNFINISHED,
    RENEWAL_FAILED,
    TOKEN_OUTCOMES,
)
from outsmart_sync.store.tokens import TokenPair

log = logging.getLogger(__name__)

REFRESH_AFTER = 57 * 60
"""Seconds after receipt from which on a token is renewed: three minutes before it ends."""

SCOPES = ("ea:api", "offline_access", "ea:sales")
"""The least that reading needs; ``ea:sales`` also lets projects be read."""

COMPANY_CHOICE = "service:44643EB1-3F76-4C1C-A672-402AE8085934 forceselectcompany:true"
"""Only companies with eAccounting are listed, and nobody's default company is taken unasked; that works together with
``prompt=login`` alone."""

_IDENTITY = "https://identity.vismaonline.com"
_API = "https://eaccountingapi.vismaonline.com"


@dataclass(frozen=True, slots=True, repr=False)
class App:
    """An app registration at VISMA and the addresses it is used with.

    Attributes:
        client_id: The app's id.
        client_secret: Its secret.
        authorize_url: Login page.
        token_url: Token endpoint.
        revocation_url: Where a login is ended.
        api_url: Base of the API, without ``/v2``.
        redirect_uri: Where the login page sends the user back to; registered with the app, letter by letter.
        transport: How calls travel.
    """

    client_id: str
    client_secret: str
    authorize_url: str
    token_url: str
    revocation_url: str
    api_url: str
    redirect_uri: str
    transport: web.Transport = field(default_factory=web.Transport)

    @classmethod
    def of(cls, client_id: str, client_secret: str, extras: dict[str, Any]) -> App:
        """The app; ``extras`` override the vendor's addresses.

        Raises:
            NotConfigured: A credential or address is missing or unusable.
        """
        for value, name in ((client_id, "client id (login)"), (client_secret, "client secret (password)")):
            if not value:
                raise NotConfigured(
                    f"The Airflow connection for VISMA eAccounting has no {name}.",
                    remedy="Fill it in from the app's registration at VISMA.",
                )
        plain = web.allows_plain_http(extras)

        def address(name: str, vendors: str) -> str:
            return web.checked_address(extras.get(name) or vendors, name, plain_http=plain)

        token_url = address("token_url", f"{_IDENTITY}/connect/token")
        beside = token_url.rpartition("/")[0]
        return cls(
            client_id=client_id,
            client_secret=client_secret,
            authorize_url=address("authorize_url", f"{_IDENTITY}/connect/authorize"),
            token_url=token_url,
            revocation_url=address("revocation_url", f"{beside}/revocation"),
            api_url=address("api_url", _API),
            redirect_uri=extras.get("redirect_uri") or "",
            transport=web.Transport.of(extras),
        )

    @property
    def hosts(self) -> web.KnownHosts:
        """Where the token may travel."""
        return web.KnownHosts.of(self.api_url)

    @property
    def auth(self) -> HTTPBasicAuth:
        """The app's id and secret, as the token endpoint wants them."""
        return HTTPBasicAuth(self.client_id, self.client_secret)

    def __repr__(self) -> str:
        return f"App(api_url={self.api_url!r})"


def login_address(app: App, state: str, verifier: str = "") -> str:
    """The address of VISMA's login page for one login attempt; it always shows the list of companies.

    VISMA's discovery document names S256 among ``code_challenge_methods_supported``
    (https://identity.vismaonline.com/.well-known/openid-configuration).

    Args:
        app: The app that asks.
        state: Random value that must come back with the answer.
        verifier: Random value whose hash goes along and which must be sent with the code (PKCE, RFC 7636); '': none.

    Raises:
        NotConfigured: The connection names no return address.
    """
    if not urlsplit(app.redirect_uri).hostname:
        raise NotConfigured(
            "The Airflow connection for VISMA eAccounting has no redirect_uri.",
            remedy="Set the extra redirect_uri to the address that is registered with the app at VISMA.",
        )
    session = OAuth2Session(app.client_id, redirect_uri=app.redirect_uri, scope=list(SCOPES))
    address, _ = session.authorization_url(
        app.authorize_url, state=state, prompt="login select_account", acr_values=COMPANY_CHOICE, **_challenge(verifier)
    )
    return str(address)


def _challenge(verifier: str) -> dict[str, str]:
    if not verifier:
        return {}
    challenge = WebApplicationClient("").create_code_challenge(verifier, "S256")
    return {"code_challenge": challenge, "code_challenge_method": "S256"}


def exchange_code(app: App, code: str, verifier: str = "") -> TokenPair:
    """Turn the code of a finished login into a token pair.

    Args:
        app: The app that asks.
        code: The code that came back.
        verifier: The value that the login's address was made with; '': none.

    Raises:
        LoginExpired: The code is older than five minutes or was used.
        NotConfigured: VISMA does not know the client id or secret.
        VendorUnavailable: No usable answer.
    """
    session = session_of(app, _checked)
    proof: dict[str, Any] = {"code_verifier": verifier} if verifier else {}
    return pair_from(
        lambda: session.fetch_token(app.token_url, code=code, auth=app.auth, timeout=TIMEOUT, **proof),
        LOGIN_UNFINISHED,
    )


def refresh(app: App, refresh_token: str, *, sleep: Callable[[float], None] = time.sleep) -> TokenPair:
    """Turn a refresh token into a new pair; whether the old refresh token lives on depends on the registration.

    Only answers that say nothing about the token are repeated, with the same token.

    Args:
        app: The app that asks.
        refresh_token: The login's current refresh token.
        sleep: Waits; tests shorten it.

    Raises:
        LoginExpired: The refresh token is not accepted any more.
        RateLimited: Too many renewals.
        NotConfigured: VISMA does not know the client id or secret.
        VendorUnavailable: No usable answer after three tries.
    """
    return repeated(
        lambda: pair_from(lambda: _refresh_once(app, refresh_token), RENEWAL_FAILED, refresh_token),
        log=log,
        sleep=sleep,
    )


def revoke(app: App, refresh_token: str) -> None:
    """End a login at VISMA; one that has ended already is no mistake.

    Raises:
        VendorUnavailable: No usable answer.
        NotConfigured: VISMA does not know the client id or secret.
    """
    try:
        with app.transport.dress(requests.Session(), app.revocation_url) as session:
            answer = session.post(
                app.revocation_url,
                data={"token": refresh_token, "token_type_hint": "refresh_token"},
                auth=app.auth,
                headers={"User-Agent": web.USER_AGENT},
                timeout=TIMEOUT,
                allow_redirects=False,
            )
    except requests.RequestException as error:
        raise error_of(RENEWAL_FAILED, Instead("no answer"), str(error)) from error
    if answer.status_code != requests.codes.ok:
        raise error_of(
            outcome_of(TOKEN_OUTCOMES, answer.status_code, answer.text), shown(answer), f"HTTP {answer.status_code}"
        )


def _refresh_once(app: App, refresh_token: str) -> Any:
    session = session_of(app, _checked)
    return session.refresh_token(app.token_url, refresh_token=refresh_token, auth=app.auth, timeout=TIMEOUT)


def _checked(response: requests.Response, *, exchanging: bool) -> requests.Response:
    """Let a good answer pass; turn any other into the error that the table names, before oauthlib reads it."""
    if is_good(response):
        return response
    said = shown(response) or NO_TEXT
    row = outcome_of(TOKEN_OUTCOMES, response.status_code, response.text[:500])
    if exchanging and row.code == "login_expired":
        row = CODE_REFUSED
    elif exchanging and row.reaction is Reaction.REPEAT:
        row = LOGIN_UNFINISHED
    raise error_of(row, said, f"HTTP {response.status_code} {said}")
