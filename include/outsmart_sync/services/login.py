"""Logging in: on the vendor's page and back, what a login then may reach, and what happens when it is lost."""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import delete, select

from outsmart_sync.errors import ConfigurationError, InvalidSettings, LoginExpired, RenewalRefused, TransientError
from outsmart_sync.providers.packages import package as package_of
from outsmart_sync.store import connections, logins
from outsmart_sync.store.connections import State, SyncConnection
from outsmart_sync.store.tables import category_state, sync_connection
from outsmart_sync.store.tokens import REFUSED, TOKENS, TokenPair, login_owner, pair_of, pair_values, refusals
from outsmart_sync.store.vault import Vault

if TYPE_CHECKING:
    from outsmart_sync.records.exchange import Administration
    from outsmart_sync.services.gateway import Gateway, PackageDoor
    from outsmart_sync.store.store import Store

log = logging.getLogger(__name__)

OUTSMART_CONN_ID = "outsmart_default"

_PROOF, _VERIFIER = "proof", "verifier"
_VERIFIER_BYTES = 48  # 64 characters; RFC 7636 asks for 43 to 128

_SPARE = 60
"""Seconds before a kept access token ends from which on it is renewed first."""


@dataclass(frozen=True, slots=True)
class Started:
    """Where a person goes to log in, and the value that must come back."""

    address: str
    state: str


@dataclass(frozen=True, slots=True)
class Connected:
    """A finished login.

    Attributes:
        connection: The sync connection that awaits its administration.
        user_name: Who logged in.
        administrations: What may be chosen.
        revived: Connections that had expired and work again with this login.
        resumed: Connections whose login the package refused to renew, and that go on with this one.
        waiting: Connections of the same app and OutSmart account that wait for a login still, as this one is not
            theirs.
    """

    connection: SyncConnection
    user_name: str
    administrations: list[Administration]
    revived: list[SyncConnection]
    resumed: list[SyncConnection]
    waiting: list[SyncConnection] = field(default_factory=list)


@dataclass(frozen=True, slots=True, repr=False)
class _Answer:
    """What a finished login brought.

    Attributes:
        code: The package's code for a token pair.
        verifier: The proof that who finishes the login began it; '': the package asks for none.
    """

    code: str
    verifier: str


def start(
    store: Store,
    gateway: Gateway,
    package: str,
    *,
    country: str,
    conn_id: str = "",
    outsmart_conn_id: str = OUTSMART_CONN_ID,
    outsmart_account: str = "",
    like: SyncConnection | None = None,
) -> Started:
    """Begin a login.

    Args:
        store: The store.
        gateway: Opens the package.
        package: Its name.
        country: Whose instance of the package.
        conn_id: Airflow connection of the app; '': the package's default.
        outsmart_conn_id: Airflow connection of the OutSmart account to join with.
        outsmart_account: Our name of that account; '': the connection's name.
        like: The sync connection that is to be connected again: its app, and its name of the account, hold.

    Raises:
        InvalidSettings: The package does not exist, or not in this country.
        NotConfigured: The app's connection is missing or incomplete.
        VaultLocked: The login could not be stored: there is no key.
    """
    Vault(store).require_key()  # a login that cannot be stored still ends the one that the person had
    chosen = package_of(package)
    country = country.lower()
    if chosen.countries and country not in chosen.countries:
        known = ", ".join(f"{code} ({name})" for code, name in chosen.countries.items())
        raise InvalidSettings(
            f"{chosen.label} is not offered in country '{country}'." if country else f"{chosen.label} needs a country.",
            remedy=f"Choose one of: {known}.",
            code="unknown_country",
        )
    conn_id = conn_id or (like.conn_id if like else chosen.conn_id)
    if like and like.outsmart_conn_id == outsmart_conn_id:
        outsmart_account = outsmart_account or like.outsmart_account
    door = gateway.login_door(chosen.name, conn_id, country)
    attempt = logins.begin(
        store,
        package=chosen.name,
        country=country,
        conn_id=conn_id,
        outsmart_account=outsmart_account or outsmart_conn_id,
        outsmart_conn_id=outsmart_conn_id,
    )
    if not door.takes_proof:
        return Started(door.login_address(attempt.state), attempt.state)
    verifier = secrets.token_urlsafe(_VERIFIER_BYTES)
    Vault(store).write(logins.attempt_owner(attempt.state), _PROOF, {_VERIFIER: verifier})
    return Started(door.login_address(attempt.state, verifier), attempt.state)


def finish(store: Store, gateway: Gateway, return_address: str, *, state: str | None = None) -> Connected:
    """Finish a login with the address that the vendor sent the person back to.

    Args:
        store: The store.
        gateway: Opens the package.
        return_address: The whole address, with ``code`` and ``state``.
        state: The state of the login that this must be the answer to, '' when none was begun here; None: of any login
            that was begun.

    Raises:
        LoginExpired: The login was cancelled, is too old, or was finished already.
        NotConfigured: The app's connection is incomplete.
        VaultLocked: The login could not be stored: there is no key.
        TransientError: The package does not answer; the same address can finish the login later.
    """
    Vault(store).require_key()
    attempt, answer = _answer(store, return_address, state)
    door = gateway.login_door(attempt.package, attempt.conn_id, attempt.country)
    pair = _fresh_pair(store, door, attempt, answer)
    try:
        found = door.look_around(pair)
    except TransientError as error:
        _finish_again(error, attempt)
        raise
    with store.begin() as connection:
        login_id = logins.keep(
            connection,
            package=attempt.package,
            country=attempt.country,
            conn_id=attempt.conn_id,
            user_id=found.user_id,
            user_name=found.user_name,
        )
    owner = login_owner(login_id)
    with store.read() as connection:
        refused = owner in refusals(connection, [owner])
    Vault(store).write(owner, TOKENS, pair_values(pair))
    Vault(store).forget(owner, REFUSED)
    Vault(store).forget(logins.attempt_owner(attempt.state))
    revived = _revive(store, login_id)
    resumed = _resume(store, login_id) if refused else []
    pending = _pending(store, attempt, login_id)
    log.info("%s connected to %s", found.user_name, attempt.package)
    waiting = connections.find(
        store,
        package=attempt.package,
        conn_id=attempt.conn_id,
        outsmart_account=attempt.outsmart_account,
        state=State.EXPIRED,
    )
    return Connected(pending, found.user_name, found.administrations, revived, resumed, waiting)


def _fresh_pair(store: Store, door: PackageDoor, attempt: logins.Attempt, answer: _Answer) -> TokenPair:
    """The pair that the answer's code is good for; kept before anything else, as the code works only once.

    The package ends the person's earlier login when it hands the pair out, so one that got lost would cost both.
    """
    vault, owner = Vault(store), logins.attempt_owner(attempt.state)
    kept = vault.read(owner, TOKENS)
    if kept is None:
        pair = door.exchange_code(answer.code, answer.verifier)
    else:
        pair = pair_of(kept.values)
        if store.now() - kept.obtained_at < timedelta(seconds=pair.lasts - _SPARE):
            return pair
        pair = _renewed(door, pair, attempt)
    vault.write(owner, TOKENS, pair_values(pair))
    return pair


def _renewed(door: PackageDoor, pair: TokenPair, attempt: logins.Attempt) -> TokenPair:
    try:
        return door.renew(pair)
    except TransientError as error:
        _finish_again(error, attempt)
        raise


def _finish_again(error: TransientError, attempt: logins.Attempt) -> None:
    command = package_of(attempt.package).command
    error.remedy = (
        "The login itself went well and is kept: finish it in a few minutes with the same address again, with: "
        f"outsmart-sync connect {command} --return-address ADDRESS"
    )


def lost(store: Store, connection: SyncConnection, error: LoginExpired) -> None:
    """The package refused a login: every connection that uses it waits for a person."""
    with store.begin() as transaction:
        rows = transaction.execute(
            select(sync_connection.c.id).where(
                sync_connection.c.login_id == connection.login_id, sync_connection.c.state == State.ACTIVE
            )
        ).scalars()
        for connection_id in list(rows):
            connections.set_state(transaction, connection_id, State.EXPIRED, code=error.code, text=str(error))


def _answer(store: Store, return_address: str, expected: str | None) -> tuple[logins.Attempt, _Answer]:
    again = "Start the login again."
    query = parse_qs(urlsplit(return_address.strip()).query)
    state, code = query.get("state", [""])[0], query.get("code", [""])[0]
    if not state or not (code or query.get("error")):
        raise ConfigurationError(
            "This is not the address that the login page sent you back to: it has no code and state in it.",
            remedy="Copy the whole address from the browser's address bar after logging in.",
            code="return_address",
        )
    if expected is not None and state != expected:
        raise _foreign(store, state, begun=bool(expected))
    attempt, usable = logins.take(store, state)
    verifier = _taken(store, state)
    if attempt is not None and attempt.used:
        usable = Vault(store).has(logins.attempt_owner(state), TOKENS)  # an outage ended it between its two halves
    if attempt is None:
        raise LoginExpired(
            "This login is not known here.",
            why="It was begun elsewhere, or long ago.",
            remedy=again,
            code="login_state",
        )
    if not usable:
        what = "This login was finished already." if attempt.used else "This login has expired."
        raise LoginExpired(what, remedy=again, code="login_state")
    if not code:
        reason = query.get("error", [""])[0]
        cancelled = reason == "access_denied"
        raise LoginExpired(
            "The login was cancelled." if cancelled else "The login page reports an error.",
            remedy=again,
            code="login_cancelled",
            technical=f"{reason} {query.get('error_description', [''])[0]}".strip(),
        )
    return attempt, _Answer(code, verifier)


def _taken(store: Store, state: str) -> str:
    """The verifier of a login, '' when there is none; it is forgotten, as the answer that it belongs to works once."""
    vault, owner = Vault(store), logins.attempt_owner(state)
    proof = vault.read(owner, _PROOF)
    if proof is None:
        return ""
    vault.forget(owner, _PROOF)
    return proof.values[_VERIFIER]


def _foreign(store: Store, state: str, *, begun: bool) -> LoginExpired:
    """Why an answer is not the one that is waited for, in the words that fit what became of its login."""
    again, attempt = "Start the login again.", logins.find(store, state)
    if attempt is not None and attempt.used:
        return LoginExpired("This login was finished already.", remedy=again, code="login_state")
    if attempt is not None and attempt.expires_at <= store.now():
        return LoginExpired("This login has expired.", remedy=again, code="login_state")
    if begun:
        return LoginExpired(
            "This answer belongs to another login.",
            why="Another one was begun after it, in another tab or window; only the last one counts.",
            remedy="Go on with that one, or start the login again.",
            code="login_state",
        )
    return LoginExpired(
        "This login was not begun here.",
        why="It was begun in another browser or by another person, or long ago.",
        remedy=again,
        code="login_state",
    )


def _revive(store: Store, login_id: int) -> list[SyncConnection]:
    expired = connections.find(store, login_id=login_id, state=State.EXPIRED)
    with store.begin() as transaction:
        for connection in expired:
            connections.set_state(transaction, connection.id, State.ACTIVE)
            transaction.execute(delete(category_state).where(category_state.c.connection_id == connection.id))
    return expired


def _resume(store: Store, login_id: int) -> list[SyncConnection]:
    """Let what waits for a refused login to be asked for again go on at once; what else stands in its way stays."""
    active = connections.find(store, login_id=login_id, state=State.ACTIVE)
    with store.begin() as transaction:
        transaction.execute(
            delete(category_state).where(
                category_state.c.connection_id.in_([each.id for each in active]),
                category_state.c.code == RenewalRefused.code,
            )
        )
    return active


def _pending(store: Store, attempt: logins.Attempt, login_id: int) -> SyncConnection:
    """The connection that awaits its administration: the one left from an earlier login, or a new one."""
    left = connections.find(store, login_id=login_id, state=State.CONNECTED, outsmart_account=attempt.outsmart_account)
    if left:
        return left[0]
    with store.begin() as transaction:
        number = connections.add(
            transaction,
            package=attempt.package,
            country=attempt.country,
            conn_id=attempt.conn_id,
            outsmart_account=attempt.outsmart_account,
            outsmart_conn_id=attempt.outsmart_conn_id,
            login_id=login_id,
        )
    return connections.require(store, number)
