"""The command line, as a shell runs it: what it prints, on which stream, and how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

import commands
from commands import Ended
from outsmart_sync import cli
from outsmart_sync.store import connections
from outsmart_sync.store.address import VARIABLE as STORE
from outsmart_sync.store.store import Store
from outsmart_sync.store.tokens import REFUSED, login_owner
from outsmart_sync.store.vault import KEYS_VARIABLE, Vault
from sandbox.browser import Browser
from sandbox.process import SandboxProcess
from support import MAIN, NORTH, SMALL, exact_connection, outsmart_connection

PROGRAM = Path(sys.executable).with_name("outsmart-sync")
EVERYTHING = (
    "relations.enabled=true",
    "materials.enabled=true",
    "hour_types.enabled=yes",
    "relations.types=customer,prospect",
)


@dataclass
class Shell:
    """A folder with a ``.env``, and commands that are run in it and know nothing else."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)

    def write(self) -> None:
        lines = [f"{name}='{value}'\n" for name, value in self.variables.items()]
        (self.folder / ".env").write_text("".join(lines))

    @property
    def environment(self) -> dict[str, str]:
        ours = (KEYS_VARIABLE, "AIRFLOW_CONN_", "OUTSMART_", "AIRFLOW__CORE__UNIT_TEST_MODE")
        return {name: value for name, value in os.environ.items() if not name.startswith(ours)}

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [PROGRAM, *arguments],
            cwd=self.folder,
            env=self.environment | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, typed: str = "", **environment: str) -> Ended:
        return commands.run(arguments, self.folder, self.environment | environment, typed)

    @staticmethod
    def end(process: subprocess.Popen[str], typed: str = "") -> Ended:
        try:
            out, err = process.communicate(typed, timeout=commands.SECONDS)
        except BaseException:
            process.kill()
            raise
        return Ended(process.returncode, out, err)

    def ok(self, *arguments: str, **environment: str) -> Ended:
        ended = self.run(*arguments, **environment)
        assert ended.code == 0, ended
        return ended


def log_in(address: str) -> str:
    browser = Browser()
    try:
        return browser.consent(address)
    finally:
        browser.close()


@dataclass
class Office(Shell):
    """A shell whose store has one administration connected, and synced once."""

    text: dict[str, Ended] = field(default_factory=dict)
    """What the commands that made it printed."""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, shared_vendors: SandboxProcess) -> Office:
    """Connected and synced by the command line itself, on settings in ``.env`` alone."""
    folder = tmp_path_factory.mktemp("office")
    variables = {
        STORE: json.dumps({"conn_type": "sqlite", "host": str(folder / "new" / "store.db")}),
        KEYS_VARIABLE: Fernet.generate_key().decode(),
        "AIRFLOW_CONN_EXACT_ONLINE_DEFAULT": exact_connection(shared_vendors),
        "AIRFLOW_CONN_OUTSMART_DEFAULT": outsmart_connection(shared_vendors, NORTH),
    }
    made = Office(folder, variables)
    made.write()
    made.text["upgrade"] = made.ok("store", "upgrade")
    made.text["nothing"] = made.ok("status")
    with made.start("connect", "exact-online", "--country", "nl", "--administration", str(MAIN)) as process:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")
        address = next(line.strip() for line in lines if line.strip().startswith("http"))
        made.text["connect"] = made.end(process, log_in(address) + "\n")
    assert made.text["connect"].code == 0, made.text["connect"]
    made.text["set"] = made.ok("settings", "set", "1", *EVERYTHING)
    made.text["sync"] = made.ok("sync", "exact-online")
    return made


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A shell with an empty store and nothing else."""
    made = Shell(tmp_path, {STORE: f"sqlite:///{tmp_path / 'store.db'}"})
    made.write()
    return made


def test_a_store_is_made_with_its_folder(office: Office) -> None:
    assert office.text["upgrade"].out.startswith("The store is at version ")
    assert office.text["upgrade"].err == ""


def test_an_empty_store_says_how_to_begin(office: Office) -> None:
    assert "outsmart-sync connect exact-online --country nl" in office.text["nothing"].out


def test_connecting_asks_for_the_pasted_address_and_fixes_the_administration(office: Office) -> None:
    said = office.text["connect"]
    assert "Van Dijk Installatietechniek B.V. is connected, as connection 1" in said.out
    assert "outsmart-sync settings set 1" in said.out
    assert said.err == ""


def test_saved_settings_are_shown(office: Office) -> None:
    said = office.text["set"].out
    assert said.startswith("Saved. What is new:\n")
    assert "- prospect" in said
    assert "work_orders" not in said  # what stayed is not repeated
    assert office.ok("settings", "set", "1", *EVERYTHING).out == "Saved. All of it was so already.\n"


def test_a_sync_shows_a_line_for_each_category(office: Office) -> None:
    lines = [line.split() for line in office.text["sync"].out.splitlines()]
    assert {line[0] for line in lines if line} >= {"Run", "relations", "materials", "hour_types"}
    assert office.text["sync"].err == ""


COMMANDS = {
    "store check": "is at version",
    "store upgrade": "is at version",
    "store clean": "Removed: 0 staged rows",
    "status": "Van Dijk Installatietechniek B.V.",
    "settings show 1": "relations:",
    "settings set 1 relations.include_blocked=false": "Saved.",
    "settings load 1 {file}": "Saved.",
    "settings choices 1 relations.types": "customer",
    "settings choices 1 hour_types.item_groups": "Value",
    "sync exact-online --category relations --preview --code {relation}": "previewed",
    "log": "Run ",
    "log --event created --limit 3": "created",
    "log --run 1 --category hour_types --connection 1 --event held": "No such lines.",
    "history relation {relation}": "created",
    "vault rotate": "secrets are encrypted",
}


@pytest.fixture(scope="module")
def filled(office: Office) -> Any:
    """Fills what a command names."""
    file = office.folder / "settings.yaml"
    file.write_text("relations:\n  include_inactive: false\n")
    created = office.ok("log", "--event", "created", "--limit", "500", "--json").document
    codes = {line["record"]: line["code"] for line in created if " " not in line["code"]}
    return lambda command: command.format(file=file.name, **codes).split()


@pytest.mark.parametrize(("command", "expected"), COMMANDS.items(), ids=COMMANDS)
def test_a_command_prints_text_for_people_on_standard_output_alone(
    office: Office, filled: Any, command: str, expected: str
) -> None:
    ended = office.ok(*filled(command))
    assert expected in ended.out
    assert ended.err == ""


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_prints_one_json_document_and_nothing_else(office: Office, filled: Any, command: str) -> None:
    ended = office.ok(*filled(command), "--json")
    assert isinstance(ended.document, (dict, list))
    assert ended.out.count("\n") == 1
    assert ended.err == ""


def test_what_is_printed_as_json_can_be_worked_with(office: Office) -> None:
    (one,) = office.ok("status", "--json").document
    assert (one["connection"]["administration"], one["connection"]["state"]) == (str(MAIN), "active")
    assert {each["name"]: each["enabled"] for each in one["categories"]}["hour_types"] is True
    run = office.ok("sync", "exact-online", "--category", "relations", "--full", "--json").document
    (category,) = run["categories"]
    counts = category["counts"]
    assert (run["state"], category["category"], category["state"]) == ("done", "relations", "done")
    assert counts["read"] == sum(counts[name] for name in ("unchanged", "excluded", "rejected", "waiting", "held"))


def test_records_that_only_outsmart_has_are_called_so(office: Office) -> None:
    said = office.ok("status").out
    assert " only in OutSmart" in said
    assert " outsmart" not in said.replace("OutSmart account outsmart_default", "")


def test_shown_settings_can_be_loaded_as_they_are(office: Office) -> None:
    shown = office.ok("settings", "show", "1").out
    (office.folder / "shown.yaml").write_text(shown)
    office.ok("settings", "load", "1", "shown.yaml")
    assert office.ok("settings", "show", "1").out == shown


def test_a_value_that_exact_does_not_have_is_saved_only_unchecked(office: Office) -> None:
    ended = office.run("settings", "set", "1", "materials.item_groups=NOPE")
    assert (ended.code, ended.out) == (1, "")
    assert "NOPE is not among the item groups (Exact Online has " in ended.err
    shown = {
        each["value"] for each in office.ok("settings", "choices", "1", "materials.item_groups", "--json").document
    }
    assert shown
    assert "NOPE" not in shown
    unchecked = office.ok("settings", "set", "1", "materials.item_groups=NOPE", "--unchecked", "--json")
    assert unchecked.document["materials"]["item_groups"] == ["NOPE"]
    one = min(shown)
    assert office.ok("settings", "set", "1", f"materials.item_groups={one}", "--json").document["materials"][
        "item_groups"
    ] == [one]
    office.ok("settings", "set", "1", "materials.item_groups=")


def test_who_wants_to_follow_gets_pages_and_chunks_on_standard_error_and_no_secret(office: Office) -> None:
    ended = office.ok("--verbose", "sync", "exact-online", "--full", "--json", AIRFLOW__CORE__UNIT_TEST_MODE="True")
    assert ended.document["state"] == "done"
    assert "INFO" in ended.err
    assert "page" in ended.err
    secrets = (NORTH.token, NORTH.software_token, "sandbox-secret", office.variables[KEYS_VARIABLE])
    said = "".join(each.out + each.err for each in (ended, *office.text.values()))
    assert [secret for secret in secrets if secret in said] == []


def test_a_sync_that_fails_says_why_and_ends_with_1(office: Office, vendors: SandboxProcess) -> None:
    vendors.control.add_fault("status", vendor="exact", path="Items", status=403, body="no", times=None)
    ended = office.run("sync", "exact-online", "--category", "materials", "--full", "--json")
    vendors.control.clear_faults()
    assert ended.code == 1
    (category,) = ended.document["categories"]
    assert (category["state"], category["error_code"]) == ("failed", "module_missing")
    assert "stopped" in office.ok("status").out
    office.ok("sync", "exact-online", "--category", "materials")
    assert "stopped" not in office.ok("status").out


def test_several_logins_with_json_are_a_line_each(office: Office) -> None:
    with office.start("connect", "exact-online", "--country", "nl", "--json") as process:
        assert process.stdout is not None
        asked = json.loads(process.stdout.readline())
        ended = office.end(process, log_in(asked["login_address"]))
    assert ended.code == 0, ended
    chosen = ended.document
    assert str(SMALL) in {each["code"] for each in chosen["administrations"]}
    number = str(chosen["connection"])
    choice = ("connect", "exact-online", "--connection", number, "--administration", str(SMALL), "--json")
    assert office.run(*choice).document["error"]["code"] == "account_taken"
    again = office.ok(*choice, "--share-account")
    assert again.document["state"] == "active"
    gone = office.ok("disconnect", number, "--json")
    assert (gone.document["state"], gone.document["login_id"]) == ("disconnected", None)
    told = office.ok("disconnect", number)
    assert "is disconnected. What is in OutSmart stays as it is." in told.out


@pytest.mark.parametrize("given_up", [False, True])
def test_a_refused_login_is_told_with_its_command_and_goes_on_with_the_next_one(
    office: Office, monkeypatch: pytest.MonkeyPatch, given_up: bool
) -> None:
    monkeypatch.setenv(KEYS_VARIABLE, office.variables[KEYS_VARIABLE])
    store = Store(f"sqlite:///{office.folder / 'new' / 'store.db'}")
    connection = connections.require(store, 1)
    owner = login_owner(connection.login_id or 0)
    noted = {"since": "2026-01-31T12:00:00+00:00", "what": "Not now.", "technical": "", "version": "1"}
    Vault(store).write(owner, REFUSED, noted)
    if given_up:
        with store.begin() as transaction:
            connections.set_state(transaction, 1, connections.State.EXPIRED, code="login_refused", text="For a day.")
    store.close()
    command = ("connect", "exact-online", "--country", "nl")
    told = office.ok("status").out
    assert f"log in again: outsmart-sync {' '.join(command)}\n" in told
    assert ("asked for again by itself" in told) is not given_up
    elsewhere = replace(connection, conn_id="exact_other", outsmart_conn_id="outsmart_other")
    words = "connect exact-online --country nl --app-connection exact_other --outsmart outsmart_other"
    assert cli._login_command(elsewhere) == f"outsmart-sync {words}"
    with office.start(*command, "--json") as process:
        assert process.stdout is not None
        address = json.loads(process.stdout.readline())["login_address"]
        ended = office.end(process, log_in(address))
    assert ended.code == 0, ended
    assert "Van Dijk Installatietechniek B.V. works again." in ended.err
    assert "log in again" not in office.ok("status").out
    office.ok("disconnect", str(ended.document["connection"]))


def test_a_login_can_be_finished_by_a_second_command(office: Office) -> None:
    with office.start("connect", "exact-online", "--country", "nl", "--json") as process:
        assert process.stdout is not None
        address = json.loads(process.stdout.readline())["login_address"]
        assert office.end(process).code == 1  # nothing was pasted
    back = log_in(address)
    ended = office.ok("connect", "exact-online", "--return-address", back, "--json")
    assert ended.document["administrations"]


MISTAKES: dict[str, tuple[Sequence[str], str]] = {
    "no country": (("connect", "exact-online"), "unknown_country"),
    "no app": (("connect", "exact-online", "--country", "nl", "--app-connection", "x"), "connection_missing"),
    "a login of somebody else": (
        ("connect", "exact-online", "--return-address", "http://x/?code=a&state=b"),
        "login_state",
    ),
    "another administration": (
        ("connect", "exact-online", "--connection", "1", "--administration", "9"),
        "administration_fixed",
    ),
    "a connection that does not exist": (("disconnect", "99"), "unknown_connection"),
    "settings of a connection that does not exist": (("settings", "show", "99"), "unknown_connection"),
    "a setting that does not exist": (("settings", "set", "1", "relations.colour=red"), "invalid_settings"),
    "an item group that Exact does not have": (("settings", "set", "1", "materials.item_groups=X"), "invalid_settings"),
    "choices of what is no setting": (("settings", "choices", "1", "relations"), "invalid_settings"),
    "choices of a category that does not exist": (("settings", "choices", "1", "orders.x"), "unknown_category"),
    "what is no setting": (("settings", "set", "1", "relations"), "invalid_settings"),
    "a file that does not exist": (("settings", "load", "1", "nowhere.yaml"), "invalid_settings"),
    "a category that does not exist": (("sync", "exact-online", "--category", "orders"), "unknown_category"),
    "an event that does not exist": (("log", "--event", "nonsense"), "unknown_event"),
    "lines of a category that does not exist": (("log", "--category", "orders"), "unknown_category"),
    "a link of a record that was never seen": (("link", "1", "relation", "nobody", "nothing"), "unknown_record"),
    "what is linked with nothing": (("unlink", "1", "relation", "nobody"), "unknown_record"),
    "a run that there is not": (("log", "--run", "999"), "unknown_run"),
    "a kind of record that there is not": (("history", "relaton", "12"), "unknown_record"),
    "a record that was never seen": (("history", "relation", "nobody"), "unknown_record"),
}


@pytest.mark.parametrize(("arguments", "code"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_in_words_and_ends_with_1(office: Office, arguments: Sequence[str], code: str) -> None:
    ended = office.run(*arguments, "--json")
    assert ended.code == 1
    error = ended.document["error"]
    assert error["code"] == code
    assert error["what"]
    assert error["remedy"] or code == "invalid_settings"
    assert ended.err.startswith(f"Error: {error['what']}")
    assert "Traceback" not in ended.err


def test_an_error_without_json_is_on_standard_error_alone(office: Office) -> None:
    ended = office.run("history", "relation", "nobody")
    assert (ended.code, ended.out) == (1, "")
    line = "Error: No relation with code 'nobody' has been seen. Check the code; sync the category if it is new.\n"
    assert ended.err == line


@pytest.mark.parametrize(
    "arguments",
    [("nonsense",), ("sync",), ("settings", "show", "one"), ("log", "--limit", "0"), ("status", "--jsno")],
    ids=" ".join,
)
def test_a_command_that_is_written_wrong_ends_with_2(shell: Shell, arguments: Sequence[str]) -> None:
    ended = shell.run(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert "Usage:" in ended.err
    assert "Traceback" not in ended.err


def test_a_store_without_tables_says_which_command_makes_them(shell: Shell) -> None:
    ended = shell.run("store", "check", "--json")
    assert (ended.code, ended.document["error"]["code"]) == (1, "store_version")
    assert "outsmart-sync store upgrade" in ended.err


def test_without_a_store_the_variable_to_set_is_named(tmp_path: Path) -> None:
    ended = Shell(tmp_path).run("status", AIRFLOW_HOME=str(tmp_path / uuid.uuid4().hex))
    assert ended.code == 1
    assert STORE in ended.err
    assert "Traceback" not in ended.err


def test_a_store_that_cannot_be_there_is_told_in_words(tmp_path: Path) -> None:
    ended = Shell(tmp_path).run("status", **{STORE: "sqlite:////proc/nowhere/store.db"})
    assert ended.code == 1
    assert ended.err.startswith("Error: The store's database file cannot be opened.")


def test_without_a_key_nobody_is_sent_to_log_in(shell: Shell) -> None:
    shell.ok("store", "upgrade")
    ended = shell.run("connect", "exact-online", "--country", "nl", "--json", AIRFLOW__CORE__UNIT_TEST_MODE="True")
    assert (ended.code, ended.document["error"]["code"]) == (1, "vault_locked")
    assert KEYS_VARIABLE in ended.err


def test_the_environment_wins_over_the_file(shell: Shell) -> None:
    other = shell.folder / "other.db"
    shell.ok("store", "upgrade", **{STORE: f"sqlite:///{other}"})
    assert other.exists()
    assert not (shell.folder / "store.db").exists()


def test_the_file_is_found_from_a_folder_within(shell: Shell) -> None:
    within = Shell(shell.folder / "deep" / "down")
    within.folder.mkdir(parents=True)
    within.ok("store", "upgrade")
    assert (shell.folder / "store.db").exists()


def test_the_address_of_a_postgresql_store_hides_its_password(shell: Shell, databases: Any) -> None:
    address = databases.make("postgresql").replace("postgres:", "postgres:hunter2", 1)
    ended = shell.run("store", "check", **{STORE: address})
    assert "hunter2" not in ended.out + ended.err


def test_a_link_is_undone_and_made_by_hand_and_stands_in_the_records_history(office: Office, filled: Any) -> None:
    code = filled("{relation}")[0]
    assert "until one of the two has another code" in office.ok("unlink", "1", "relation", code).out
    linked = office.ok("link", "1", "relation", code, code, "--json").document
    assert (linked["code"], linked["outsmart_code"]) == (code, code)
    said = office.ok("history", "relation", code).out
    assert "unlinked  by hand  A person said so." in said
    assert "linked    by hand  A person said so." in said
    run = office.ok("sync", "exact-online", "--category", "relations", "--full", "--json").document
    assert run["state"] == "done"


def test_erasing_explains_first_and_wants_the_administration_typed(office: Office) -> None:
    said = office.run("erase", "1")
    assert (said.code, "outsmart-sync disconnect 1" in said.err) == (1, True)
    assert office.run("disconnect", "1").code == 0
    said = office.run("erase", "1", typed="no\n")
    assert said.code == 1
    assert "records" in said.out
    assert "cannot be undone" in said.out
    assert "Nothing was erased" in said.err
    said = office.run("erase", "1", typed=f"{MAIN}\n")
    assert (said.code, said.err) == (0, "")
    assert "is erased" in said.out
    assert office.run("history", "relation", "1").code == 1
