"""What the packages' token endpoints have in common (RFC 6749): session, tries, and what may be shown of answers.

Which answer means what, each vendor says itself; oauthlib sees only those that are good.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import requests
from oauthlib.oauth2 import OAuth2Error
from requests_oauthlib import OAuth2Session

from outsmart_sync.errors import VendorUnavailable
from outsmart_sync.providers import web
from outsmart_sync.providers.outcomes import WEB_PAGE, Instead, Outcome, error_of
from outsmart_sync.store.tokens import TokenPair

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable

REPEATS = (1.0, 3.0)
"""Seconds between the tries of a renewal."""
TIMEOUT = (5.0, 20.0)
"""As :data:`outsmart_sync.providers.web.TIMEOUT`; all tries of a renewal must end within the lease that guards it, or a
second process would use the same refresh token."""


class App(Protocol):
    """An app registration, as far as a session needs it."""

    @property
    def client_id(self) -> str:
        """The app's id."""

    @property
    def redirect_uri(self) -> str:
        """Where the login page sends the user back to."""

    @property
    def token_url(self) -> str:
        """The token endpoint."""

    @property
    def transport(self) -> web.Transport:
        """How calls travel."""


class Checked(Protocol):
    """Lets a good answer pass, and raises what any other means."""

    def __call__(self, response: requests.Response, *, exchanging: bool) -> requests.Response:
        """Args: ``exchanging``: a code was sent, not a refresh token."""


def session_of(app: App, checked: Checked) -> OAuth2Session:
    """A session for the token endpoint, each answer of which is checked before oauthlib reads it."""
    session = app.transport.dress(OAuth2Session(app.client_id, redirect_uri=app.redirect_uri), app.token_url)
    session.headers["User-Agent"] = web.USER_AGENT
    session.max_redirects = 0  # a redirect would carry client secret and token along
    session.register_compliance_hook("access_token_response", lambda response: checked(response, exchanging=True))
    session.register_compliance_hook("refresh_token_response", lambda response: checked(response, exchanging=False))
    return session


def is_good(response: requests.Response) -> bool:
    """Whether an answer holds tokens in the form that was agreed."""
    return response.ok and response.text.lstrip().startswith("{") and "access_token" in response.text


def shown(response: requests.Response) -> str:
    """What an answer says, as far as it may be shown: one that went well may hold tokens in some other form."""
    text = response.text.strip()
    if text.startswith("<"):
        return WEB_PAGE
    return Instead("an answer that cannot be read") if response.ok else text[:300]


def pair_from(call: Callable[[], Any], failed: Outcome, kept: str = "") -> TokenPair:
    """The pair that a call brings.

    Args:
        call: Returns the endpoint's answer.
        failed: What it means that there is no usable answer.
        kept: The refresh token that lives on when the answer brings none; '': an answer needs one.

    Raises:
        SyncError: There is no usable answer, or what the check of the session made of it.
    """
    try:
        token = call()
        return TokenPair(
            access=token["access_token"],
            refresh=token.get("refresh_token") or _living(kept),
            lasts=int(token["expires_in"]),
        )
    except (requests.RequestException, OAuth2Error, KeyError, ValueError, Warning) as error:
        said = f": {error}" if isinstance(error, requests.RequestException) else ""
        raise error_of(failed, Instead("no usable answer"), f"{type(error).__name__}{said}") from error


def _living(kept: str) -> str:
    if not kept:
        raise KeyError("refresh_token")
    return kept


def repeated(renewal: Callable[[], TokenPair], *, log: logging.Logger, sleep: Callable[[float], None]) -> TokenPair:
    """Renew; an answer that says nothing about the token is asked for again, with the same token.

    Args:
        renewal: Asks once.
        log: Says whose renewals these are.
        sleep: Waits.

    Raises:
        VendorUnavailable: No usable answer after three tries.
    """
    for pause in (*REPEATS, None):
        try:
            return renewal()
        except VendorUnavailable as error:
            if pause is None:
                raise
            log.warning("Token endpoint: %s; trying again in %s s", error.technical or error.what, pause)
            sleep(pause)
    raise AssertionError("unreachable")
