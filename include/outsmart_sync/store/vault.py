"""The token vault: secrets of sync connections, encrypted with keys that are not in the store.

Keys are Fernet keys in the environment variable ``OUTSMART_SYNC_VAULT_KEYS``, newest first, separated by commas; the
first one encrypts, every one decrypts, so keys are rotated by adding one in front and running ``outsmart-sync vault
rotate``. Without keys nothing is stored or read: a secret never lies in clear.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import delete, select, update

from outsmart_sync.errors import VaultLocked
from outsmart_sync.store import dialect
from outsmart_sync.store.tables import vault_secret

if TYPE_CHECKING:
    from outsmart_sync.store.store import Store

KEYS_VARIABLE = "OUTSMART_SYNC_VAULT_KEYS"
_NEW_KEY = 'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'


@dataclass(frozen=True, slots=True)
class Secret:
    """A decrypted secret.

    Attributes:
        values: The secret's own fields.
        version: Grows with every write; what compare-and-swap compares.
        obtained_at: When it was written, by the store's clock.
    """

    values: Mapping[str, str]
    version: int
    obtained_at: datetime

    def __repr__(self) -> str:
        return f"Secret(version={self.version}, obtained_at={self.obtained_at.isoformat()})"


class Vault:
    """Reads and writes secrets.

    Args:
        store: Where the ciphertext is kept.
        keys: Fernet keys, newest first; None: from the environment, at the first use.
    """

    def __init__(self, store: Store, keys: list[str] | None = None) -> None:
        self._store = store
        self._keys = keys

    def require_key(self) -> None:
        """Check that secrets can be stored, before something is done that cannot be undone.

        Raises:
            VaultLocked: There are no keys, or one of them is none.
        """
        self._fernet()

    def read(self, owner: str, kind: str) -> Secret | None:
        """The secret, or None when there is none.

        Raises:
            VaultLocked: There are no keys, or none of them fits.
        """
        with self._store.read() as connection:
            row = connection.execute(
                select(vault_secret).where(vault_secret.c.owner == owner, vault_secret.c.kind == kind)
            ).one_or_none()
        if row is None:
            return None
        return Secret(self._decrypt(row.ciphertext), row.version, row.obtained_at)

    def has(self, owner: str, kind: str) -> bool:
        """Whether there is such a secret; no key is needed."""
        query = select(vault_secret.c.version).where(vault_secret.c.owner == owner, vault_secret.c.kind == kind)
        with self._store.read() as connection:
            return connection.execute(query).one_or_none() is not None

    def write(self, owner: str, kind: str, values: Mapping[str, str], *, replaces: int | None = None) -> bool:
        """Store a secret.

        Args:
            owner: Whose it is, such as ``login:7``.
            kind: Which one.
            values: The secret's fields.
            replaces: Write only if this version is still the stored one (0: only if there is none); None: in any case.

        Returns:
            False when somebody else wrote in between; nothing was changed then.

        Raises:
            VaultLocked: There are no keys.
        """
        ciphertext = self._fernet().encrypt(msgspec.json.encode(dict(values))).decode()
        with self._store.begin() as connection:
            now = dialect.now(connection)
            fields = {"ciphertext": ciphertext, "obtained_at": now}
            if replaces:
                changed = connection.execute(
                    update(vault_secret)
                    .where(
                        vault_secret.c.owner == owner,
                        vault_secret.c.kind == kind,
                        vault_secret.c.version == replaces,
                    )
                    .values(**fields, version=replaces + 1)
                )
                return changed.rowcount == 1
            insert = dialect.upsert(connection, vault_secret).values(owner=owner, kind=kind, version=1, **fields)
            key = [vault_secret.c.owner, vault_secret.c.kind]
            if replaces == 0:
                made = insert.on_conflict_do_nothing(index_elements=key).returning(vault_secret.c.version)
                return connection.execute(made).one_or_none() is not None
            connection.execute(
                insert.on_conflict_do_update(index_elements=key, set_={**fields, "version": vault_secret.c.version + 1})
            )
            return True

    def forget(self, owner: str, kind: str | None = None) -> None:
        """Remove one secret of an owner, or all of them."""
        statement = delete(vault_secret).where(vault_secret.c.owner == owner)
        if kind is not None:
            statement = statement.where(vault_secret.c.kind == kind)
        with self._store.begin() as connection:
            connection.execute(statement)

    def rotate(self) -> int:
        """Encrypt every secret anew with the newest key; returns how many.

        Raises:
            VaultLocked: There are no keys, or one of the secrets fits none of them; nothing was changed then.
        """
        fernet = self._fernet()
        with self._store.begin() as connection:
            # Locked: a secret that another process writes meanwhile must not be put back to what was read here.
            rows = connection.execute(select(vault_secret).with_for_update()).all()
            for row in rows:
                try:
                    ciphertext = fernet.rotate(row.ciphertext.encode()).decode()
                except InvalidToken:
                    raise _no_key_fits() from None
                connection.execute(
                    update(vault_secret)
                    .where(vault_secret.c.owner == row.owner, vault_secret.c.kind == row.kind)
                    .values(ciphertext=ciphertext)
                )
        return len(rows)

    def _decrypt(self, ciphertext: str) -> dict[str, str]:
        try:
            clear = self._fernet().decrypt(ciphertext.encode())
        except InvalidToken:
            raise _no_key_fits() from None
        return msgspec.json.decode(clear, type=dict[str, str])

    def _fernet(self) -> MultiFernet:
        keys = self._keys if self._keys is not None else os.environ.get(KEYS_VARIABLE, "").split(",")
        try:
            fernets = [Fernet(key.strip()) for key in keys if key.strip()]
        except ValueError:
            raise VaultLocked(
                f"{KEYS_VARIABLE} holds something that is no Fernet key.", remedy=f"Make one with: {_NEW_KEY}"
            ) from None
        if not fernets:
            raise VaultLocked(
                "The token vault has no key, so no login can be stored or used.",
                why=f"The environment variable {KEYS_VARIABLE} is empty.",
                remedy=f"Set it wherever tasks, the page or the command line run. Make a key with: {_NEW_KEY}",
            )
        return MultiFernet(fernets)


def _no_key_fits() -> VaultLocked:
    return VaultLocked(
        "A stored login cannot be decrypted.",
        why=f"None of the keys in {KEYS_VARIABLE} is the one it was encrypted with.",
        remedy="Put the earlier key back behind the newest one, or connect the administration again.",
    )
