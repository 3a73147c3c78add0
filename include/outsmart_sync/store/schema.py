"""Creates and checks the store's tables, with Alembic."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from outsmart_sync.errors import StoreUnusable
from outsmart_sync.store.tables import metadata

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from outsmart_sync.store.store import Store

_UPGRADE = "Run: outsmart-sync store upgrade"
_VERSION_TABLE = "store_version"


def upgrade(store: Store, revision: str = "head") -> str:
    """Create the tables or bring them to this release's version; does nothing when they are there already.

    Returns:
        The version the store has now.
    """
    logging.getLogger("alembic").setLevel(logging.WARNING)
    if store.url.get_backend_name() == "sqlite" and store.url.database:
        Path(store.url.database).parent.mkdir(parents=True, exist_ok=True)
    with store.begin() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        return version(connection) or ""


def downgrade(store: Store, revision: str) -> None:
    """Take the store back to an earlier version; what later versions added is lost."""
    with store.begin() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.downgrade(config, revision)


def version(connection: Connection) -> str | None:
    """The version of the store's tables; None: there are none."""
    return MigrationContext.configure(connection, opts={"version_table": _VERSION_TABLE}).get_current_revision()


def newest() -> str:
    """The version that this release needs."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def require_current(store: Store) -> None:
    """Check that the store has this release's tables.

    Raises:
        StoreUnusable: It has none, older or newer ones.
    """
    with store.read() as connection:
        found = version(connection)
    if found == (needed := newest()):
        return
    if found is None:
        raise StoreUnusable("The store has no tables yet.", remedy=_UPGRADE, code="store_version")
    raise StoreUnusable(
        "The store's tables are of another version than this release.",
        why=f"They are at {found}, this release needs {needed}.",
        remedy=_UPGRADE,
        code="store_version",
    )


def differences(store: Store) -> list[str]:
    """How the store's tables differ from what this release declares; empty when all is well."""
    with store.read() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": _VERSION_TABLE, "compare_type": True, "target_metadata": metadata}
        )
        return [str(difference) for difference in compare_metadata(context, metadata)]


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config
