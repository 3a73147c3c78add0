"""What the vendors' tests share: a server of their own, an app, a quiet sandbox, logs at their most talkative."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from outsmart_sync.providers.exact_online.client import ExactOnlineClient
from outsmart_sync.providers.exact_online.oauth import App
from outsmart_sync.providers.outsmart.client import OutSmartClient, Tokens
from outsmart_sync.store.connections import SyncConnection
from outsmart_sync.store.store import Store
from outsmart_sync.store.tokens import TOKENS, login_owner
from outsmart_sync.store.vault import Vault
from sandbox.config import DEFAULT_REDIRECT_URI
from sandbox.fixed_world import APP
from sandbox.process import SandboxProcess
from support import MAIN, NORTH
from tests.providers.scripted import ScriptedServer, scripted


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """A vendor that says what a test wants."""
    with scripted() as running:
        yield running


@pytest.fixture
def stranger() -> Iterator[ScriptedServer]:
    """A host that no connection knows."""
    with scripted() as running:
        yield running


@pytest.fixture
def calm(vendors: SandboxProcess) -> Iterator[SandboxProcess]:
    """The shared sandbox, with clock, limits, switches and permissions put back afterwards."""
    yield vendors
    control = vendors.control
    control.reset_clock()
    control.reset_limits()
    control.forget_token_calls()
    control.switch(int64_as_string=False, licence_expired=[], nightly_400=0, https_required=False)
    scopes = control.ask("GET", "/scopes")
    rights = [
        dict(zip(("user", "action", "endpoint"), one.split(" "), strict=True)) for one in scopes["removed_rights"]
    ]
    control.change_scopes(
        add=["Crm accounts", "Logistics items", "Sales prices", "Organization administration"],
        add_divisions=scopes["withdrawn_divisions"],
        add_rights=rights,
    )


@pytest.fixture
def chatter(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """Everything that is logged at DEBUG, as text with tracebacks."""
    caplog.set_level(logging.DEBUG)
    for name in ("requests", "urllib3", "airflow", "outsmart_sync"):
        caplog.set_level(logging.DEBUG, name)
    return lambda: caplog.text


def app_at(
    exact_url: str, *, client_id: str = APP.client_id, client_secret: str = APP.client_secret, **extras: Any
) -> App:
    """The sandbox's app at an address."""
    addresses = {
        "authorize_url": f"{exact_url}/api/oauth2/auth",
        "token_url": f"{exact_url}/api/oauth2/token",
        "api_url": exact_url,
        "redirect_uri": DEFAULT_REDIRECT_URI,
    }
    return App.of("nl", client_id, client_secret, addresses | extras)


class FixedTokens:
    """Hands out tokens one after the other: the next one whenever one was refused."""

    def __init__(self, *tokens: str) -> None:
        self._tokens = list(tokens)
        self.refused: list[str] = []

    def access_token(self, refused: str | None = None) -> str:
        if refused is not None:
            self.refused.append(refused)
            if len(self._tokens) > 1:
                self._tokens.pop(0)
        return self._tokens[0]


@pytest.fixture
def sessions() -> Iterator[Callable[[], requests.Session]]:
    """Makes sessions and ends them."""
    made: list[requests.Session] = []

    def make() -> requests.Session:
        made.append(requests.Session())
        return made[-1]

    yield make
    for session in made:
        session.close()


MakeClient = Callable[..., ExactOnlineClient]


@pytest.fixture
def exact_at(sessions: Callable[[], requests.Session]) -> MakeClient:
    """Makes clients of an Exact Online at an address; they never really sleep."""

    def make(url: str, *tokens: str, **options: Any) -> ExactOnlineClient:
        handed_out = options.pop("tokens", None) or FixedTokens(*(tokens or ("secret-access-token",)))
        return ExactOnlineClient(
            sessions(), url, handed_out, **{"division": str(MAIN), "sleep": lambda _: None} | options
        )

    return make


@pytest.fixture
def exact(calm: SandboxProcess, exact_at: MakeClient) -> ExactOnlineClient:
    """A client of the sandbox's main administration."""
    return exact_at(calm.exact_url, calm.control.give_tokens()["access_token"])


MakeOutSmart = Callable[..., OutSmartClient]


@pytest.fixture
def outsmart_at(sessions: Callable[[], requests.Session]) -> MakeOutSmart:
    """Makes clients of an OutSmart at an address; they never really sleep."""

    def make(url: str, account: Any = NORTH, **options: Any) -> OutSmartClient:
        tokens = Tokens(account.token, account.software_token)
        return OutSmartClient(sessions(), tokens, url, **{"sleep": lambda _: None} | options)

    return make


def tokens_of(store: Store, connection: SyncConnection) -> dict[str, str]:
    """The token pair that the vault holds for a connection."""
    assert connection.login_id is not None
    secret = Vault(store).read(login_owner(connection.login_id), TOKENS)
    assert secret is not None
    return dict(secret.values)
