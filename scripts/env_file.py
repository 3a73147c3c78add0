"""Makes .env for docker-compose.yaml: a made-up password or key for each secret; needs nothing but Python.

``python3 scripts/env_file.py`` makes .env of .env.example where there is none, and adds what an existing one lacks.
What is set stays as it is. ``--files`` moves the keys into files of their own, for docker-compose.secrets.yaml.
"""

from __future__ import annotations

import argparse
import base64
import re
import secrets
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KEYS = ("FERNET_KEY", "VAULT_KEYS")
"""Keys of the form that Fernet wants; all others are hexadecimal, so that they may stand in an address."""

FILES = ("FERNET_KEY", "VAULT_KEYS", "API_SECRET_KEY", "JWT_SECRET", "ADMIN_PASSWORD")
"""What ``docker-compose.secrets.yaml`` takes from files; the others stand in addresses."""

FOLDER = "deploy/secrets"
IN_A_FILE = "in-a-file"
"""What .env says of a secret that is in a file: the compose file wants each to be set."""

CONNECTIONS = "CONNECTIONS_FILE"
QUICK_START = "# Written by `make run`"
"""How the quick start's .env begins, which is another thing altogether."""


def filled(text: str, example: str = "", *, connections: str = "") -> str:
    """The file with a value wherever a name has none, and with the names of the example that it lacks.

    Args:
        text: What the file says.
        example: What .env.example says.
        connections: File with the vendors' connections, where there is one.
    """
    lines = text.splitlines()
    there = {_name(line) for line in lines}
    lines += [line for line in example.splitlines() if _name(line) and _name(line) not in there]
    return "".join(f"{_line(line, connections)}\n" for line in lines)


def made_up(name: str) -> str:
    """A value for a secret."""
    if name in KEYS:
        return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    return secrets.token_hex(16 if name == "ADMIN_PASSWORD" else 32)


def main(folder: Path = ROOT, arguments: list[str] | None = None) -> int:
    """Write .env, readable by its owner only; returns the exit code."""
    parser = argparse.ArgumentParser(prog="env_file", description=__doc__)
    parser.add_argument("--files", action="store_true", help=f"keep keys as files in {FOLDER}")
    given = parser.parse_args(arguments or [])
    file = folder / ".env"
    example = (folder / ".env.example").read_text(encoding="utf-8")
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    if before.startswith(QUICK_START):
        sys.stderr.write(
            "env_file: .env is the quick start's, and holds nothing that docker-compose.yaml needs: run `make clean`, "
            "which also forgets the quick start, or use another checkout\n"
        )
        return 1
    connections = "connections.env" if (folder / "connections.env").exists() else ""
    after = filled(before or example, example, connections=connections)
    if given.files:
        after = _moved(after, folder / FOLDER)
    file.touch(mode=0o600)
    file.chmod(0o600)
    file.write_text(after, encoding="utf-8")
    _tell(file, before, after)
    return 0


def _tell(file: Path, before: str, after: str) -> None:
    was, now = _values(before), _values(after)
    added = [name for name, value in now.items() if value and not was.get(name)]
    if before and added:
        sys.stdout.write(f"Added to {file}: {', '.join(added)}\n")
    sys.stdout.write(f"{file} is complete; Airflow's first user is admin, with ADMIN_PASSWORD.\n")
    if not now.get(CONNECTIONS):
        sys.stdout.write(
            "The vendors are the sandbox's: docker compose --profile sandbox up. For the real ones, copy "
            "connections.env.example to connections.env, fill it in, and run this again.\n"
        )


def _moved(text: str, folder: Path) -> str:
    """The file without the secrets of :data:`FILES`, which are written to files of their own."""
    lines = text.splitlines()
    for place, line in enumerate(lines):
        name, _, value = line.partition("=")
        if name in FILES and value != IN_A_FILE:
            # The container's user must be able to read it; on this machine the folder keeps all others out.
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)
            kept = folder / name.lower()
            kept.unlink(missing_ok=True)
            kept.write_text(f"{value}\n", encoding="utf-8")
            kept.chmod(0o444)
            lines[place] = f"{name}={IN_A_FILE}"
    return "".join(f"{line}\n" for line in lines)


def _line(line: str, connections: str) -> str:
    name, _, value = line.partition("=")
    if not _name(line) or value.strip():
        return line
    return f"{name}={connections if name == CONNECTIONS else made_up(name)}"


def _name(line: str) -> str:
    """The name that a line sets, or nothing."""
    found = re.match(r"([A-Za-z_]\w*)=", line)
    return found[1] if found else ""


def _values(text: str) -> dict[str, str]:
    return {_name(line): line.partition("=")[2] for line in text.splitlines() if _name(line)}


if __name__ == "__main__":
    sys.exit(main(arguments=sys.argv[1:]))
