"""Drafts the next version of the store's tables: what ``tables.py`` declares and the migrations do not make yet.

Called by the Makefile as ``new_migration.py "what changes"``. A draft is to be read before it is kept: Alembic takes a
renamed column for one dropped and one added, and sees neither rows nor what only PostgreSQL can do.
"""

from __future__ import annotations

import contextlib
import io
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from alembic import command

from outsmart_sync.errors import SyncError
from outsmart_sync.store import schema
from outsmart_sync.store.store import Store

USAGE = "make migration ARGS='what changes'"
OWN_TYPES = {
    "outsmart_sync.store.tables.Utc(timezone=True)": "Utc",
    "outsmart_sync.store.tables.Money(length=40)": "Money",
}
"""Column types of ours as Alembic writes them → their names."""


def main(arguments: list[str]) -> int:
    """Draft a version and say where it is; returns the exit code."""
    what = " ".join(" ".join(arguments).split()).rstrip(".")
    if not re.search(r"\w", what) or re.search(r'["\\]', what):
        print(f"Say in a few words, without quotes, what changes: {USAGE}", file=sys.stderr)
        return 1
    try:
        file = draft(what[0].upper() + what[1:])
    except SyncError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    if file is None:
        print("The migrations make exactly the tables that tables.py declares: there is nothing to write.")
        return 0
    polish(file)
    print(f"Drafted {file}\nRead it, add what Alembic cannot see, then run: make test ARGS=tests/store/test_schema.py")
    return 0


def draft(what: str) -> Path | None:
    """Write what differs as the next version; None: nothing does.

    Args:
        what: What changes, as a sentence without its point.
    """
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"sqlite:///{folder}/empty.db")
        try:
            newest = schema.upgrade(store)
            return _revision(store, what, f"{int(newest) + 1:04}")
        finally:
            store.close()


def _revision(store: Store, what: str, number: str) -> Path | None:
    config = schema.alembic_config()
    with store.begin() as connection, contextlib.redirect_stdout(io.StringIO()):
        config.attributes["connection"] = connection
        made = command.revision(config, what, autogenerate=True, rev_id=number, process_revision_directives=_drop_empty)
    scripts = made if isinstance(made, list) else [made]
    return next((Path(script.path) for script in scripts if script is not None), None)


def _drop_empty(_context: Any, _revision: Any, directives: list[Any]) -> None:
    """No file without a difference."""
    if directives[0].upgrade_ops.is_empty():
        directives.clear()


def polish(file: Path) -> None:
    """Bring a draft into the style of the versions before it."""
    text = re.sub(r"^ *# ###.*\n", "", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
    text = text.replace("sa.text('(false)')", 'sa.text("false")')
    used = [name for written, name in OWN_TYPES.items() if written in text]
    for written, name in OWN_TYPES.items():
        text = text.replace(written, f"{name}()")
    if used:
        imported = f"from outsmart_sync.store.tables import {', '.join(sorted(used))}\n"
        text = text.replace("from alembic import op\n", f"from alembic import op\n\n{imported}", 1)
    file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
