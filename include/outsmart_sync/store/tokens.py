"""One access token for many processes: refreshed once, by one of them, while the others wait for it.

A vendor that rotates refresh tokens kills the old one at the first use, so two refreshes at once end the login
(https://github.com/picqer/exact-php-client/issues/460). Here a refresh is: claim the lease in a short transaction, read
the vault again, call the vendor with no transaction open, swap the new pair in if nobody else did. The refresh token
before the current one is kept until the current one has itself been used.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from outsmart_sync.errors import Busy, LoginExpired
from outsmart_sync.store import leases

if TYPE_CHECKING:
    from outsmart_sync.store.store import Store
    from outsmart_sync.store.vault import Secret, Vault

log = logging.getLogger(__name__)

TOKENS = "tokens"
"""The vault's kind of an administration's token pair."""

_LEASE_LASTS = timedelta(seconds=90)
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
        seen: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._seen = seen
        self._store = store
        self._vault = vault
        self._owner = owner
        self._refresh = refresh
        self._refresh_after = refresh_after
        self._patience = patience
        self._known: _Known | None = None

    def access_token(self, refused: str | None = None) -> str:
        """A token that is valid as far as we know.

        Args:
            refused: A token that the vendor has just answered with 401; another one is fetched, once for all processes.

        Raises:
            LoginExpired: There is no pair, or the vendor no longer accepts it.
            TransientError: The vendor's token endpoint does not answer, or another process is still refreshing.
        """
        known = self._known
        if known and known.access != refused and time.monotonic() < known.refresh_from:
            return known.access
        claimant, deadline, step = uuid.uuid4().hex, time.monotonic() + self._patience, _WAIT_STEP
        while True:
            known = self._load()
            if known.access != refused and time.monotonic() < known.refresh_from:
                return known.access
            if leases.claim(self._store, self._lease_name, claimant, _LEASE_LASTS):
                try:
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
        if known.access != refused and time.monotonic() < known.refresh_from:
            return known.access
        values = known.secret.values
        try:
            pair = self._refresh(values["refresh"])
        except LoginExpired:
            if not values.get("previous"):
                raise
            log.warning("The refresh token was refused; trying the one before it, which is kept for this case")
            pair = self._refresh(values["previous"])
        stored = self._vault.write(
            self._owner, TOKENS, pair_values(pair, previous=values["refresh"]), replaces=known.secret.version
        )
        if not stored:
            # A new login replaced the pair meanwhile: that one counts.
            log.warning("The login was replaced while its token was being renewed; the new login is used")
        else:
            log.info("Access token renewed, valid for %s seconds", pair.lasts)
        return self._load().access


def pair_values(pair: TokenPair, previous: str = "") -> dict[str, str]:
    """A token pair as the vault's fields."""
    return {"access": pair.access, "refresh": pair.refresh, "lasts": str(pair.lasts), "previous": previous}


def login_owner(login_id: int) -> str:
    """The vault's owner of a login's pair."""
    return f"login:{login_id}"
