"""One access token for many processes: refreshed once, by one of them, while the others wait for it.

A vendor that rotates refresh tokens kills the old one at the first use, so two refreshes at once end the login
(https://github.com/picqer/exact-php-client/issues/460). Here a refresh is: claim the lease in a short transaction, read
the vault again, call the vendor with no transaction open, swap the new pair in if nobody else did. The lease is renewed
while the vendor takes its time, so nobody else calls meanwhile. The refresh token before the current one is kept until
the current one has itself been used.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from outsmart_sync.errors import Busy, LoginExpired, RenewalRefused, TransientError
from outsmart_sync.store import leases
from outsmart_sync.store.tables import vault_secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import Connection

    from outsmart_sync.store.store import Store
    from outsmart_sync.store.vault import Secret, Vault

log = logging.getLogger(__name__)

TOKENS = "tokens"
"""The vault's kind of an administration's token pair."""

LEASE_LASTS = timedelta(seconds=90)
"""For so long a process that was killed while renewing holds the others up."""

REFUSED = "renewal_refused"
"""The vault's kind of what is known of a pair that is refused in words that may pass; its version counts how often."""

ASKED_AGAIN_AFTER = (timedelta(minutes=10), timedelta(minutes=20), timedelta(minutes=40), timedelta(hours=1))
"""After such a refusal nobody asks for so long, then for longer: a package counts its users' calls for tokens."""

HOPELESS_AFTER = timedelta(hours=24)
"""A login that is refused without a reason so long after the first time has come to its end."""

_KEPT_AGAIN = (1.0, 3.0, 10.0)
_WAIT_STEP = 0.05
_WAIT_STEP_MOST = 0.5


@dataclass(frozen=True, slots=True, repr=False)
class TokenPair:
    """What a vendor's token endpoint hands out.

    Attributes:
        access: Access token.
        refresh: Refresh token.
        lasts: Life of the access token in seconds from its receipt.
    """

    access: str
    refresh: str
    lasts: int

    def __repr__(self) -> str:
        return f"TokenPair(lasts={self.lasts})"


@dataclass(frozen=True, slots=True)
class _Known:
    """A pair as this process knows it, with deadlines on its own monotonic clock."""

    secret: Secret
    refresh_from: float

    @property
    def access(self) -> str:
        return self.secret.values["access"]


class TokenKeeper:
    """Hands out a valid access token of one login.

    Args:
        store: For the lease and the common clock.
        vault: Where the pair is kept.
        owner: Whose pair it is in the vault.
        refresh: Exchanges a refresh token for a new pair at the vendor; raises
            :class:`~outsmart_sync.errors.LoginExpired` when the vendor calls it dead and a
            :class:`~outsmart_sync.errors.TransientError` when it may work later.
        refresh_after: Seconds after receipt from which on the vendor allows a refresh.
        patience: Seconds to wait for another process's refresh.
        lease: How long this process's refresh holds others up unless it says that it is still at work.
        seen: Told of every token that this process gets to know, so that logs can hide it.
    """

    def __init__(
        self,
        store: Store,
        vault: Vault,
        owner: str,
        refresh: Callable[[str], TokenPair],
        *,
        refresh_after: int,
        patience: float = 120,
        lease: timedelta = LEASE_LASTS,
        seen: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._seen = seen
        self._store = store
        self._vault = vault
        self._owner = owner
        self._refresh = refresh
        self._refresh_after = refresh_after
        self._patience = patience
        self._lease = lease
        self._known: _Known | None = None

    def access_token(self, refused: str | None = None) -> str:
        """A token that is valid as far as we know.

        Args:
            refused: A token that the vendor has just answered with 401; another one is fetched, once for all processes.

        Raises:
            LoginExpired: There is no pair, or the vendor no longer accepts it.
            TransientError: The vendor's token endpoint does not answer, or another process is still refreshing.
        """
        if self._known and _serves(self._known, refused):
            return self._known.access
        claimant, deadline, step = uuid.uuid4().hex, time.monotonic() + self._patience, _WAIT_STEP
        while True:
            known = self._load()
            if _serves(known, refused):
                return known.access
            if leases.claim(self._store, self._lease_name, claimant, self._lease):
                try:
                    with leases.kept(self._store, self._lease_name, claimant, self._lease):
                        return self._refresh_as_owner(refused)
                finally:
                    leases.release(self._store, self._lease_name, claimant)
            if time.monotonic() > deadline:
                raise Busy(
                    "The login is being renewed by another process, which has not finished.",
                    remedy="The sync is tried again by itself.",
                    code="token_refresh_busy",
                )
            time.sleep(step)
            step = min(step * 1.5, _WAIT_STEP_MOST)

    @property
    def _lease_name(self) -> str:
        return f"token:{self._owner}"

    def _load(self) -> _Known:
        secret = self._vault.read(self._owner, TOKENS)
        if secret is None:
            raise LoginExpired(
                "This administration is not connected.", remedy="Connect it again.", code="login_missing"
            )
        for name in ("access", "refresh", "previous"):
            if value := secret.values.get(name):
                self._seen(value)
        age = (self._store.now() - secret.obtained_at).total_seconds()
        lasts = int(secret.values["lasts"])
        self._known = _Known(secret, time.monotonic() + min(self._refresh_after, lasts) - age)
        return self._known

    def _refresh_as_owner(self, refused: str | None) -> str:
        known = self._load()  # somebody may have refreshed between our look and our claim
        if _serves(known, refused):
            return known.access
        before = self._heed_refusal(known)
        try:
            pair, spent = self._renewed(known.secret.values)
        except LoginExpired:
            if self._load().secret.version == known.secret.version:
                raise
            stored = False
        except RenewalRefused as refused_renewal:
            if before and self._store.now() - datetime.fromisoformat(before.values["since"]) >= HOPELESS_AFTER:
                raise _given_up(refused_renewal) from refused_renewal
            raise self._refused(known, refused_renewal, before) from refused_renewal
        else:
            stored = self._keep(pair, spent, known.secret.version)
        if before:
            self._vault.forget(self._owner, REFUSED)
        if stored:
            log.info("Access token renewed, valid for %s seconds", pair.lasts)
        else:
            log.warning("The login was replaced while its token was being renewed; the new login is used")
        return self._load().access

    def _heed_refusal(self, known: _Known) -> Secret | None:
        """Raise what the vendor said when this pair was refused, until it makes sense to ask again.

        Returns:
            What was noted of refusals of this very pair; None: there were none.
        """
        noted = self._vault.read(self._owner, REFUSED)
        if noted is None:
            return None
        if noted.values["version"] != str(known.secret.version):
            self._vault.forget(self._owner, REFUSED)
            return None
        if self._store.now() < _again(noted):
            raise _not_now(noted)
        return noted

    def _refused(self, known: _Known, refused: RenewalRefused, before: Secret | None) -> RenewalRefused:
        """Note a refusal for every process, and say when the vendor is asked again."""
        values = {
            "what": refused.what,
            "technical": refused.technical,
            "since": before.values["since"] if before else self._store.now().isoformat(),
            "version": str(known.secret.version),
        }
        self._vault.write(self._owner, REFUSED, values)
        noted = self._vault.read(self._owner, REFUSED)
        return refused if noted is None else _not_now(noted)

    def _renewed(self, values: Mapping[str, str]) -> tuple[TokenPair, str]:
        """A new pair, and the refresh token that it was given for."""
        try:
            return self._refresh(values["refresh"]), values["refresh"]
        except LoginExpired as refused:
            if not values.get("previous"):
                raise
            log.warning("The refresh token was refused; trying the one before it, which is kept for this case")
            try:
                return self._refresh(values["previous"]), values["previous"]
            except LoginExpired:
                raise refused from None  # what the vendor says of the current one is the reason

    def _keep(self, pair: TokenPair, spent: str, version: int) -> bool:
        """Store a pair before anybody uses it; False when another login was stored meanwhile.

        Tried again for a while: the refresh token it was given for is spent, and the pair exists nowhere else.
        """
        values = pair_values(pair, previous=spent)
        for pause in (*_KEPT_AGAIN, None):
            try:
                return self._vault.write(self._owner, TOKENS, values, replaces=version)
            except TransientError as error:
                if pause is None:
                    raise
                log.warning("The renewed login could not be stored: %s Trying again in %s s", error, pause)
                time.sleep(pause)
        raise AssertionError("unreachable")


def _serves(known: _Known, refused: str | None) -> bool:
    """Whether a pair's access token can be handed out: not the refused one, and not due to be renewed."""
    return known.access != refused and time.monotonic() < known.refresh_from


def _again(noted: Secret) -> datetime:
    """When the vendor is asked again: the note's version is the number of refusals."""
    return noted.obtained_at + ASKED_AGAIN_AFTER[min(noted.version, len(ASKED_AGAIN_AFTER)) - 1]


def _not_now(noted: Secret) -> RenewalRefused:
    again = _again(noted)
    return RenewalRefused(
        noted.values["what"],
        why="This may pass by itself; or the permission that was given to this app has been withdrawn: then connect "
        "the administration again.",
        remedy="It is tried again by itself, and taken for withdrawn after a day.",
        technical=noted.values["technical"],
        retry_at=again,
    )


def _given_up(refused: RenewalRefused) -> LoginExpired:
    return LoginExpired(
        "The login has not been renewed for a day, and the package refuses to.",
        why="Most likely the permission that was given to this app has been withdrawn.",
        remedy="Connect the administration again.",
        code="login_refused",
        technical=refused.technical,
    )


def pair_values(pair: TokenPair, previous: str = "") -> dict[str, str]:
    """A token pair as the vault's fields."""
    return {"access": pair.access, "refresh": pair.refresh, "lasts": str(pair.lasts), "previous": previous}


def pair_of(values: Mapping[str, str]) -> TokenPair:
    """The vault's fields as a token pair."""
    return TokenPair(values["access"], values["refresh"], int(values["lasts"]))


def renewed_at(transaction: Connection, owners: Iterable[str] | None = None) -> dict[str, datetime]:
    """Owner → when its login was last renewed, the oldest first; of all owners, or of some."""
    query = select(vault_secret.c.owner, vault_secret.c.obtained_at).where(vault_secret.c.kind == TOKENS)
    if owners is not None:
        query = query.where(vault_secret.c.owner.in_(list(owners)))
    return {row.owner: row.obtained_at for row in transaction.execute(query.order_by(vault_secret.c.obtained_at))}


def refusals(transaction: Connection, owners: Iterable[str]) -> dict[str, int]:
    """Owner → how often its login was refused in a row, in words that may pass; without those that were not."""
    query = select(vault_secret.c.owner, vault_secret.c.version).where(
        vault_secret.c.kind == REFUSED, vault_secret.c.owner.in_(list(owners))
    )
    return {row.owner: row.version for row in transaction.execute(query)}


def login_owner(login_id: int) -> str:
    """The vault's owner of a login's pair."""
    return f"login:{login_id}"
