"""Creates and checks the store's tables, with Alembic."""

from __future__ import annotations

import contextlib
import functools
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from outsmart_sync.errors import StoreUnusable
from outsmart_sync.store import dialect
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

    Raises:
        StoreUnusable: Its folder cannot be made, it cannot be written, or a newer release made its tables.
    """
    logging.getLogger("alembic").setLevel(logging.WARNING)
    if store.url.get_backend_name() == "sqlite" and store.url.database:
        _make_file(Path(store.url.database))
    with store.begin() as connection:
        dialect.lock_tables_for_change(connection)
        _require_known(version(connection))
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        return version(connection) or ""


def downgrade(store: Store, revision: str) -> None:
    """Take the store back to an earlier version; what later versions added is lost."""
    with store.begin() as connection:
        dialect.lock_tables_for_change(connection)
        _require_known(version(connection))
        config = alembic_config()
        config.attributes["connection"] = connection
        command.downgrade(config, revision)


def version(connection: Connection) -> str | None:
    """The version of the store's tables; None: there are none."""
    return MigrationContext.configure(connection, opts={"version_table": _VERSION_TABLE}).get_current_revision()


@functools.cache
def newest() -> str:
    """The version that this release needs."""
    return ScriptDirectory.from_config(alembic_config()).get_current_head() or ""


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
    _require_known(found)
    raise StoreUnusable(
        "The store's tables are of an older version than this release.",
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


def alembic_config() -> Config:
    """Alembic's settings: where the migrations are."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config


def _require_known(found: str | None) -> None:
    scripts = ScriptDirectory.from_config(alembic_config())
    if found is None or found in {script.revision for script in scripts.walk_revisions()}:
        return
    raise StoreUnusable(
        "The store's tables were made by a newer release than this one.",
        why=f"They are at {found}, this release knows them up to {scripts.get_current_head()}.",
        remedy="Install the newer release here too.",
        code="store_version",
    )


def _make_file(file: Path) -> None:
    """A new file is for its owner only: it will hold customers and logins."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnusable(
            "The folder for the store's database file cannot be made.",
            remedy="Check the path in the connection outsmart_sync_store, and that the user that runs Airflow may "
            "write there.",
            code="store_missing",
            technical=f"{error.strerror}: {file.parent}",
        ) from error
    with contextlib.suppress(OSError):  # what is wrong, the database itself will say
        file.touch(mode=0o600, exist_ok=True)
