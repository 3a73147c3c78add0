"""`make migration`: drafts what tables.py declares and the migrations do not make, in a copy of the package."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
VERSIONS = "include/outsmart_sync/store/migrations/versions"
TABLES = "include/outsmart_sync/store/tables.py"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The package and the script in a folder of their own."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "include", tmp_path / "include", ignore=ignored)
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "new_migration.py", tmp_path / "scripts")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def run(copy: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=copy,
        env=os.environ | {"PYTHONPATH": str(copy / "include")},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def versions(copy: Path) -> list[str]:
    return sorted(file.name for file in (copy / VERSIONS).glob("[0-9]*.py"))


def declare(copy: Path) -> None:
    """A new table, and a new column of an old one."""
    file = copy / TABLES
    text = file.read_text().replace(
        '    Column("used_at", Utc),\n', '    Column("used_at", Utc),\n    Column("note", Text),\n', 1
    )
    text += """
visit = Table(
    "visit",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("at", Utc, nullable=False),
    Column("seen", Boolean, nullable=False, server_default=text("false")),
    Index("ix_visit_at", "at"),
)
"""
    file.write_text(text)


CHECK = """
import sys
from outsmart_sync.store import schema
from outsmart_sync.store.store import Store
store = Store("sqlite:///" + sys.argv[1])
print(schema.upgrade(store), schema.differences(store))
schema.downgrade(store, "base")
store.close()
"""


def test_without_a_difference_it_says_so_and_writes_nothing(copy: Path) -> None:
    before = versions(copy)
    ended = run(copy, "scripts/new_migration.py", "nothing")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "there is nothing to write" in ended.stdout
    assert versions(copy) == before


def test_a_difference_becomes_the_next_version_which_makes_the_tables_that_are_declared(copy: Path) -> None:
    before = versions(copy)
    declare(copy)
    ended = run(copy, "scripts/new_migration.py", "visits are noted.")
    assert (ended.returncode, ended.stderr) == (0, "")
    number = f"{len(before) + 1:04}"
    file = copy / VERSIONS / f"{number}_visits_are_noted.py"
    assert str(file) in ended.stdout
    assert versions(copy) == [*before, file.name]
    text = file.read_text().replace("'", '"')
    assert text.startswith('"""Visits are noted."""\n')
    assert f'revision = "{number}"\ndown_revision = "{len(before):04}"\n' in text
    assert "###" not in text
    assert 'sa.Column("at", Utc(), nullable=False)' in text
    checked = run(copy, "-c", CHECK, str(copy / "store.db"))
    assert (checked.stdout, checked.stderr) == (f"{number} []\n", "")
    assert "nothing to write" in run(copy, "scripts/new_migration.py", "again").stdout


@pytest.mark.parametrize("what", [[], [""], ["  . "], ['a "name"']], ids=str)
def test_what_changes_has_to_be_said(copy: Path, what: list[str]) -> None:
    declare(copy)
    before = versions(copy)
    ended = run(copy, "scripts/new_migration.py", *what)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "make migration ARGS=" in ended.stderr
    assert versions(copy) == before
