"""Connecting: log in on the vendor's page, choose the administration, which is fixed from then on; disconnecting."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import delete, select, update

from outsmart_sync.errors import ConfigurationError, InvalidSettings, LoginExpired, SyncError, TransientError
from outsmart_sync.providers.packages import package as package_of
from outsmart_sync.services import export_switch, leading
from outsmart_sync.store import connections, logins
from outsmart_sync.store.connections import State, SyncConnection
from outsmart_sync.store.tables import category_state, setting, sync_connection
from outsmart_sync.store.tokens import TOKENS, TokenPair, login_owner, pair_of, pair_values
from outsmart_sync.store.vault import Vault

if TYPE_CHECKING:
    from outsmart_sync.records.exchange import Administration
    from outsmart_sync.services.gateway import Gateway, PackageDoor
    from outsmart_sync.store.store import Store

log = logging.getLogger(__name__)

OUTSMART_CONN_ID = "outsmart_default"

Known = Callable[[SyncConnection], bool]
"""Whether somebody may know of a connection."""

_PROOF, _VERIFIER = "proof", "verifier"
_VERIFIER_BYTES = 48  # 64 characters; RFC 7636 asks for 43 to 128

_SPARE = 60
"""Seconds before a kept access token ends from which on it is renewed first."""


@dataclass(frozen=True, slots=True)
class LoginStart:
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
        waiting: Connections of the same app and OutSmart account that wait for a login still, as this one is not
            theirs.
    """

    connection: SyncConnection
    user_name: str
    administrations: list[Administration]
    revived: list[SyncConnection]
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


def start_login(
    store: Store,
    gateway: Gateway,
    package: str,
    *,
    country: str,
    conn_id: str = "",
    outsmart_conn_id: str = OUTSMART_CONN_ID,
    outsmart_account: str = "",
    like: SyncConnection | None = None,
) -> LoginStart:
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
        return LoginStart(door.login_address(attempt.state), attempt.state)
    verifier = secrets.token_urlsafe(_VERIFIER_BYTES)
    Vault(store).write(logins.attempt_owner(attempt.state), _PROOF, {_VERIFIER: verifier})
    return LoginStart(door.login_address(attempt.state, verifier), attempt.state)


def finish_login(store: Store, gateway: Gateway, return_address: str, *, state: str | None = None) -> Connected:
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
    Vault(store).write(login_owner(login_id), TOKENS, pair_values(pair))
    Vault(store).forget(logins.attempt_owner(attempt.state))
    revived = _revive(store, login_id)
    pending = _pending(store, attempt, login_id)
    log.info("%s connected to %s", found.user_name, attempt.package)
    waiting = connections.find(
        store,
        package=attempt.package,
        conn_id=attempt.conn_id,
        outsmart_account=attempt.outsmart_account,
        state=State.EXPIRED,
    )
    return Connected(pending, found.user_name, found.administrations, revived, waiting)


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


def administrations_of(gateway: Gateway, connection: SyncConnection) -> list[Administration]:
    """The administrations that a connection's login gives access to.

    Raises:
        LoginExpired: The login is no longer accepted.
        TransientError: The package does not answer.
    """
    return gateway.door(connection).look_around().administrations


def earlier_of(store: Store, pending: SyncConnection, code: str) -> SyncConnection | None:
    """The connection that an administration had before, or has, on the same OutSmart account; None: it is new.

    Args:
        store: The store.
        pending: The connection that awaits its administration.
        code: The package's code of the administration.
    """
    found = connections.find(
        store,
        package=pending.package,
        country=pending.country,
        administration=code,
        outsmart_account=pending.outsmart_account,
    )
    return found[0] if found else None


def choose_administration(
    store: Store,
    gateway: Gateway,
    connection: SyncConnection,
    code: str,
    *,
    share_account: bool = False,
    known: Known | None = None,
) -> SyncConnection:
    """Fix the administration of a connection that awaits one.

    An administration that was connected before resumes: its cursors, links and log are found again.

    Args:
        store: The store.
        gateway: Opens the package.
        connection: The connection that awaits its administration.
        code: The package's code of the administration.
        share_account: Another administration may already deliver into the same OutSmart account.
        known: Which connections a refusal may name; None: all.

    Returns:
        The connection that is active now; not the given one when an earlier one resumes.

    Raises:
        InvalidSettings: The connection has an administration already, the login gives no access to this one, or
            another administration delivers into the OutSmart account.
    """
    code = code.strip()
    if connection.administration:
        if connection.administration == code and connection.state is State.ACTIVE:
            return connection
        raise InvalidSettings(
            f"Connection {connection.id} is fixed to {connection.label}.",
            remedy="Disconnect it and connect anew to choose another administration; what is in OutSmart stays.",
            code="administration_fixed",
        )
    gateway.delivers(connection)  # an OutSmart connection that was named must be there
    offered = administrations_of(gateway, connection)
    chosen = next((administration for administration in offered if administration.code == code), None)
    if chosen is None:
        raise InvalidSettings(
            f"This login gives no access to an administration '{code}'.",
            remedy="Choose one of: " + ", ".join(f"{a.code} ({a.name})" for a in offered) + "."
            if offered
            else "Log in as a user that has access to it and tick it on the package's page.",
            code="unknown_administration",
        )
    if not share_account:
        require_account_free(store, connection, chosen, known)
    return _activate(store, connection, chosen)


def require_account_free(
    store: Store, pending: SyncConnection, chosen: Administration, known: Known | None = None
) -> None:
    """Refuse a second administration of an OutSmart account; one that is joined with it already may stay.

    One of another package may join: then each category has one leading package (see ``leading``).

    Args:
        store: The store.
        pending: The connection that awaits its administration.
        chosen: The administration.
        known: Which connections the refusal may name; None: all.
    """
    joined = [
        each
        for each in connections.find(store, outsmart_account=pending.outsmart_account, package=pending.package)
        if each.state in (State.ACTIVE, State.EXPIRED)
    ]
    if not joined or any(_is_of(each, pending, chosen) for each in joined):
        return
    told = [each for each in joined if known is None or known(each)]
    names = " and ".join(f"{each.label} (connection {each.id})" for each in told) or "another administration"
    command = f"outsmart-sync connect {package_of(pending.package).command}"
    country = f" --country {pending.country}" if pending.country else ""
    raise InvalidSettings(
        f"The OutSmart account '{pending.outsmart_account}' is joined with {names} already, so {chosen.name} was not "
        "connected.",
        why="Both would write the same relations and materials there, found by their codes, and overwrite each other.",
        remedy="Log in again and join another account: "
        f"{command}{country} --outsmart OTHER_CONNECTION. Or, if both belong in one account and no "
        f"code is in both: {command} --connection {pending.id} --administration {chosen.code} --share-account",
        code="account_taken",
    )


def _is_of(connection: SyncConnection, pending: SyncConnection, chosen: Administration) -> bool:
    """Whether a connection is that of the chosen administration."""
    return (connection.package, connection.country, connection.administration) == (
        pending.package,
        pending.country,
        chosen.code,
    )


def disconnect(store: Store, connection: SyncConnection, gateway: Gateway | None = None) -> None:
    """End the sync of a connection; everything it brought stays, here and in OutSmart.

    Args:
        store: The store.
        connection: The connection.
        gateway: Opens the package, to end the login there too when nobody else uses it; None: it is only forgotten
            here.
    """
    if gateway is not None and connection.login_id is not None:
        _end_login(store, gateway, connection)
    with store.begin() as transaction:
        connections.set_state(transaction, connection.id, State.DISCONNECTED)
        connections.change(transaction, connection.id, login_id=None)
        exported = export_switch.switch_off(transaction, connection.id)
    if exported:
        log.warning("%s: exports are off; connecting again does not switch them on", connection.label)
    _forget_unused(store, connection.login_id)
    Vault(store).forget(f"connection:{connection.id}")
    log.info("%s disconnected", connection.label)


def _end_login(store: Store, gateway: Gateway, connection: SyncConnection) -> None:
    """What keeps the package from ending a login does not keep a person from disconnecting."""
    if [each.id for each in connections.find(store, login_id=connection.login_id or 0)] != [connection.id]:
        return
    try:
        gateway.door(connection).end_login()
    except SyncError as error:
        log.warning("The login could not be ended at the package, and is only forgotten here: %s", error)


def _forget_unused(store: Store, login_id: int | None) -> None:
    """Forget a login's tokens when no connection uses it any more."""
    if login_id is not None and not connections.find(store, login_id=login_id):
        Vault(store).forget(login_owner(login_id))


def login_lost(store: Store, connection: SyncConnection, error: LoginExpired) -> None:
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


def _activate(store: Store, pending: SyncConnection, chosen: Administration) -> SyncConnection:
    earlier = earlier_of(store, pending, chosen.code)
    values = {
        "administration": chosen.code,
        "administration_name": chosen.name,
        "currency": chosen.currency,
        "login_id": pending.login_id,
        "conn_id": pending.conn_id,
        "outsmart_conn_id": pending.outsmart_conn_id,
    }
    target = earlier.id if earlier else pending.id
    with store.begin() as transaction:
        if earlier:
            transaction.execute(delete(setting).where(setting.c.connection_id == pending.id))
            transaction.execute(delete(sync_connection).where(sync_connection.c.id == pending.id))
        transaction.execute(update(sync_connection).where(sync_connection.c.id == target).values(**values))
        connections.set_state(transaction, target, State.ACTIVE)
        transaction.execute(delete(category_state).where(category_state.c.connection_id == target))
    if earlier:
        _forget_unused(store, earlier.login_id)  # it may have been another person's
    log.info("%s is connected%s", chosen.name, ", and goes on where it stopped" if earlier else "")
    leading.give_way(store, connections.require(store, target))
    return connections.require(store, target)
