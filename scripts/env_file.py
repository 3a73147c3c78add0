"""Makes .env for docker-compose.yaml: a made-up password or key for each secret; needs nothing but Python.

``python3 scripts/env_file.py`` makes .env of .env.example where there is none, and adds what an existing one lacks.
What is set stays as it is. ``--files`` moves the keys into files of their own, for docker-compose.secrets.yaml.
``--worker ADDRESS`` also writes worker.env, the .env of a worker on another machine.
"""

from __future__ import annotations

import argparse
import base64
import ipaddress
import os
import re
import secrets
import sys
from collections.abc import Collection
from pathlib import Path

from topology import SECRETS

ROOT = Path(__file__).resolve().parent.parent
KEYS = ("FERNET_KEY", "VAULT_KEYS")
"""Keys of the form that Fernet wants; all others are hexadecimal, so that they may stand in an address."""

MADE_UP = (*SECRETS, "GRAFANA_PASSWORD")
"""What gets a value where it has none; any other name may well be empty."""

FILES = ("FERNET_KEY", "VAULT_KEYS", "API_SECRET_KEY", "JWT_SECRET", "ADMIN_PASSWORD")
"""What ``docker-compose.secrets.yaml`` takes from files; the others stand in addresses."""

FOLDER = "deploy/secrets"
IN_A_FILE = "in-a-file"
"""What .env says of a secret that is in a file: the compose file wants each to be set."""

COMPOSE = "COMPOSE_FILE"
"""Which files ``docker compose`` reads when it is told none."""

COMPOSED = "docker-compose.yaml"
WITH_FILES = "docker-compose.secrets.yaml"
OVERRIDES = tuple(f"{name}.override.{kind}" for name in ("compose", "docker-compose") for kind in ("yml", "yaml"))
"""The first of these it also reads, but only while :data:`COMPOSE` is not set."""

CONNECTIONS = "CONNECTIONS_FILE"
QUICK_START = "# Written by `make run`"
"""How the quick start's .env begins, which is another thing altogether."""

WORKER_FILE = "worker.env"
OF_A_WORKER = re.compile(
    "(CELERY_DB|STORE_DB|REDIS)_PASSWORD|API_SECRET_KEY|VAULT_KEYS|PUBLIC_URL|PARALLELISM|METRICS|"
    "OTEL_.*|OUTSMART_SYNC_.*"
)
"""What a worker on another machine is told of .env, and nothing else."""

PORTS = {"API_ADDRESS": ":8080", "POSTGRES_ADDRESS": ":5432", "REDIS_ADDRESS": ":6379", "STATSD_HOST": ""}
"""What it finds at this machine's address, unless .env says that it is elsewhere."""

_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_]\w*)\s*[=:]")
_QUOTED = re.compile(r"""\s*(['"])(.*?)(?<!\\)\1\s*(?:#.*)?$""")
_PLAIN = re.compile(r"[\w.,:/+=@-]+")


class Refused(ValueError):
    """Something that a person has to decide; nothing was written."""


def filled(text: str, example: str = "", *, connections: str = "", kept: Collection[str] = ()) -> str:
    """The file with a value wherever a secret has none, and with the names of the example that it lacks.

    Args:
        text: What the file says.
        example: What .env.example says.
        connections: File with the vendors' connections, where there is one.
        kept: Secrets that are in files of their own.

    Raises:
        Refused: A secret has two values.
    """
    lines = text.splitlines()
    there = {_name(line) for line in lines}
    lines += [line for line in example.splitlines() if _name(line) and _name(line) not in there]
    for name in MADE_UP:
        said = [_value(line) for line in lines if _name(line) == name]
        if len(set(filter(None, said))) > 1 or (any(said) and not said[-1]):
            raise Refused(f"{name} stands in .env more than once, with different values: leave the one that is in use")
    for name, value in _values(lines).items():
        if not value and name in kept:
            _set(lines, name, IN_A_FILE)
        elif not value and name in MADE_UP:
            _set(lines, name, made_up(name))
        elif not value and name == CONNECTIONS and connections:
            _set(lines, name, connections)
    return _text(lines)


def made_up(name: str) -> str:
    """A value for a secret."""
    if name in KEYS:
        return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    return secrets.token_hex(16 if name == "ADMIN_PASSWORD" else 32)


def main(folder: Path = ROOT, arguments: list[str] | None = None) -> int:
    """Write .env, readable by its owner only; returns the exit code."""
    parser = argparse.ArgumentParser(prog="env_file", description=__doc__)
    parser.add_argument("--files", action="store_true", help=f"keep keys as files in {FOLDER}")
    parser.add_argument(
        "--worker",
        metavar="ADDRESS",
        type=ipaddress.IPv4Address,
        help=f"write {WORKER_FILE}, too: the .env of a worker on the machine of this address",
    )
    given = parser.parse_args(arguments or [])
    try:
        _write_all(folder, files=given.files, worker=str(given.worker or ""))
    except Refused as refused:
        sys.stderr.write(f"env_file: {refused}\n")
        return 1
    return 0


def _write_all(folder: Path, *, files: bool, worker: str) -> None:
    file, place = folder / ".env", folder / FOLDER
    example = (folder / ".env.example").read_text(encoding="utf-8")
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    if before.startswith(QUICK_START):
        raise Refused(
            ".env is the quick start's, and holds nothing that docker-compose.yaml needs: run `make clean`, "
            "which also forgets the quick start, or use another checkout"
        )
    connections = "connections.env" if (folder / "connections.env").exists() else ""
    keys = _in_files(place)
    after = filled(before or example, example, connections=connections, kept=keys)
    moved = _to_move(after, place, keys) if files else {}
    after = _with_files(after, {**keys, **moved}, folder, every=files)
    of_worker = _worker(after, {**keys, **moved}, worker) if worker else ""
    for name, value in moved.items():
        # The container's user must be able to read it; on this machine the folder keeps all others out.
        place.mkdir(parents=True, exist_ok=True)
        place.chmod(0o700)
        _write(place / name.lower(), f"{value}\n", 0o444)
    _write(file, after, 0o600)
    _tell(file, before, after)
    if not before and keys:
        sys.stdout.write(
            f"The keys in {place} are kept. Passwords of databases and Redis are new ones: if those are there already, "
            "put their passwords into .env.\n"
        )
    if worker:
        _write(folder / WORKER_FILE, of_worker, 0o600)
        sys.stdout.write(f"{folder / WORKER_FILE}, with keys and passwords, is the .env of the worker at {worker}.\n")


def _tell(file: Path, before: str, after: str) -> None:
    was, now = _values(before.splitlines()), _values(after.splitlines())
    added = [name for name, value in now.items() if value and not was.get(name)]
    if before and added:
        sys.stdout.write(f"Added to {file}: {', '.join(added)}\n")
    sys.stdout.write(f"{file} is complete; Airflow's first user is admin, with ADMIN_PASSWORD.\n")
    if not now.get(CONNECTIONS):
        sys.stdout.write(
            "The vendors are the sandbox's: docker compose --profile sandbox up. For the real ones, copy "
            "connections.env.example to connections.env, fill it in, and run this again.\n"
        )


def _in_files(place: Path) -> dict[str, str]:
    """The secrets that are in files of their own."""
    paths = {name: place / name.lower() for name in FILES}
    found = {name: path.read_text(encoding="utf-8").strip() for name, path in paths.items() if path.is_file()}
    return {name: value for name, value in found.items() if value}


def _to_move(text: str, place: Path, keys: dict[str, str]) -> dict[str, str]:
    """The secrets of :data:`FILES` that are to get files."""
    values = _values(text.splitlines())
    for name, kept in keys.items():
        if values[name] not in {IN_A_FILE, kept}:
            raise Refused(
                f"{place / name.lower()} is there with another value than {name} in .env: which of them is in use only "
                f"you can tell. Remove that file, or leave {name}= empty in .env to keep the file"
            )
    return {name: values[name] for name in FILES if values[name] != IN_A_FILE and name not in keys}


def _with_files(text: str, keys: dict[str, str], folder: Path, *, every: bool) -> str:
    """The file without the secrets that are in files, and with what makes ``docker compose`` read those."""
    lines = text.splitlines()
    for name in FILES if every else ():
        _set(lines, name, IN_A_FILE)
    values = _values(lines)
    in_files = [name for name in FILES if values.get(name) == IN_A_FILE]
    for name in in_files:
        if name not in keys:
            raise Refused(f"{name} is in a file, says .env, and {folder / FOLDER / name.lower()} is not there")
    separator = values.get("COMPOSE_PATH_SEPARATOR") or os.pathsep
    composed = [each for each in values.get(COMPOSE, "").split(separator) if each]
    if in_files and WITH_FILES not in {Path(each).name for each in composed}:
        composed = composed or [COMPOSED, *[name for name in OVERRIDES if (folder / name).exists()][:1]]
        _set(lines, COMPOSE, separator.join([*composed, WITH_FILES]))
    return _text(lines)


def _worker(text: str, keys: dict[str, str], address: str) -> str:
    """What a worker on another machine has as its .env."""
    lines = text.splitlines()
    values = _values(lines)
    listens = values.get("CLUSTER_LISTEN")
    if not listens or listens == "0.0.0.0":  # noqa: S104 - refused
        raise Refused("CLUSTER_LISTEN has to be, in .env, the address of this machine at which workers reach it")
    copied = {_name(line): line for line in lines if OF_A_WORKER.fullmatch(_name(line))}
    for name in copied:
        if values[name] == IN_A_FILE:
            value = keys[name]
            copied[name] = f"{name}={value}" if _PLAIN.fullmatch(value) else f"{name}='{value}'"
    added = {name: values.get(name) or f"{listens}{port}" for name, port in PORTS.items()}
    added |= {"WORKER_HOST": address, "WORKER_LISTEN": address}
    return _text([*copied.values(), *(f"{name}={value}" for name, value in added.items())])


def _write(path: Path, text: str, mode: int) -> None:
    """Put a file in place in one go: whatever happens, there is the old one or the new one, never a part."""
    path = Path(os.path.realpath(path))
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    new.touch(mode=0o600, exist_ok=False)
    with new.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.chmod(mode)
    new.replace(path)


def _set(lines: list[str], name: str, value: str) -> None:
    """Give a name a value where it stands, or at the end."""
    places = [place for place, line in enumerate(lines) if _name(line) == name]
    for place in places:
        lines[place] = f"{lines[place].partition(name)[0]}{name}={value}"
    if not places:
        lines.append(f"{name}={value}")


def _name(line: str) -> str:
    """The name that a line sets, or nothing."""
    found = _LINE.match(line)
    return found[1] if found else ""


def _value(line: str) -> str:
    """The value that a line sets, without its quotes or the comment behind it."""
    found = _LINE.match(line)
    said = line[found.end() :] if found else ""
    quoted = _QUOTED.match(said)
    return quoted[2] if quoted else re.split(r"\s#", said, maxsplit=1)[0].strip()


def _values(lines: list[str]) -> dict[str, str]:
    """Name → value; of a name that stands more than once, the last one counts."""
    return {_name(line): _value(line) for line in lines if _name(line)}


def _text(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


if __name__ == "__main__":
    sys.exit(main(arguments=sys.argv[1:]))
