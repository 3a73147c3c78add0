"""Fills in what is empty in .env: a made-up password or key for each secret; needs nothing but Python.

``python3 scripts/env_file.py`` makes .env of .env.example where there is none. What is set stays as it is.
"""

from __future__ import annotations

import base64
import secrets
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KEYS = ("FERNET_KEY", "VAULT_KEYS")
"""Keys of the form that Fernet wants; all others are hexadecimal, so that they may stand in an address."""


def filled(text: str) -> str:
    """The file with a made-up value wherever a name has none."""
    return "".join(f"{_line(line)}\n" for line in text.splitlines())


def made_up(name: str) -> str:
    """A value for a secret."""
    if name in KEYS:
        return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    return secrets.token_hex(16 if name == "ADMIN_PASSWORD" else 32)


def main(folder: Path = ROOT) -> int:
    """Write .env, readable by its owner only."""
    file, example = folder / ".env", folder / ".env.example"
    text = (file if file.exists() else example).read_text(encoding="utf-8")
    file.touch(mode=0o600)
    file.chmod(0o600)
    file.write_text(filled(text), encoding="utf-8")
    sys.stdout.write(f"{file} is complete; Airflow's first user is admin, with ADMIN_PASSWORD from that file.\n")
    return 0


def _line(line: str) -> str:
    name, equals, value = line.partition("=")
    return f"{name}={made_up(name)}" if equals and not value.strip() and not name.startswith("#") else line


if __name__ == "__main__":
    sys.exit(main())
