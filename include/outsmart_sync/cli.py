"""outsmart-sync: everything the page and the DAGs can do, from a shell."""

from __future__ import annotations

import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from dotenv import find_dotenv, load_dotenv
from rich.markup import escape
from rich.table import Table

from outsmart_sync import terminal
from outsmart_sync.cli_attention import attention_app
from outsmart_sync.cli_export import export_app
from outsmart_sync.cli_records import link, log, print_run, show_history, unlink
from outsmart_sync.cli_store import erase, store_app, vault_app
from outsmart_sync.errors import InvalidSettings, NotConfigured, SyncError, TransientError
from outsmart_sync.pipeline.job import Options
from outsmart_sync.pipeline.outcomes import MirrorState
from outsmart_sync.providers.packages import package as package_of
from outsmart_sync.services import choices as choosing
from outsmart_sync.services import connect as connecting
from outsmart_sync.services import (
    expansions,
    export_count,
    export_switch,
    health,
    history,
    login,
    settings,
    start_dates,
    sync,
)
from outsmart_sync.store import connections
from outsmart_sync.store.runs import RunState
from outsmart_sync.store.store import Store
from outsmart_sync.terminal import ConnectionNumber, Json, OneConnection

if TYPE_CHECKING:
    from outsmart_sync.services.gateway import Gateway

app = typer.Typer(name="outsmart-sync", no_args_is_help=True, add_completion=False, help=__doc__, rich_markup_mode=None)
settings_app = typer.Typer(no_args_is_help=True, help="Show and change what is synced.")
app.add_typer(settings_app, name="settings")
app.add_typer(store_app, name="store")
app.add_typer(vault_app, name="vault")
app.add_typer(attention_app, name="attention")
app.add_typer(export_app, name="export")

out, err = terminal.console(), terminal.console(stderr=True)

_STATES: dict[str, str] = {MirrorState.OUTSMART_ONLY: "only in OutSmart"}
"""States of records that need other words than their own."""

Unchecked = Annotated[
    bool, typer.Option("--unchecked", help="Do not ask the package and OutSmart whether they have such values.")
]


def main() -> None:
    """Run the command line; errors a person can act on are told in words, and end with code 1."""
    try:
        _load_env()
        app()
    except SyncError as error:
        _fail(error)


def _load_env() -> None:
    file = find_dotenv(usecwd=True)
    try:
        load_dotenv(file)
    except OSError as error:
        raise NotConfigured(
            f"{file} cannot be read: {error.strerror}.",
            remedy="Run this as the user whose file it is, or from another folder.",
        ) from error


@app.callback()
def _options(
    *, verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Tell each page and chunk, on stderr.")] = False
) -> None:
    terminal.log_to_stderr(verbose=verbose)


@app.command()
def connect(
    package: Annotated[str, typer.Argument(help="Bookkeeping package, such as exact-online.")],
    country: Annotated[
        str, typer.Option(help="Country of Exact Online's instance: nl, be, de, fr or es; VISMA asks for none.")
    ] = "",
    administration: Annotated[str, typer.Option(help="Choose this administration and fix it.")] = "",
    connection: Annotated[
        int | None, typer.Option(help="Choose for this connection, which is logged in already.")
    ] = None,
    return_address: Annotated[
        str, typer.Option(help="The address the login page sent you back to; asked for when left out.")
    ] = "",
    outsmart: Annotated[
        str, typer.Option(help="Airflow connection of the OutSmart account to join with.")
    ] = login.OUTSMART_CONN_ID,
    app_connection: Annotated[str, typer.Option(help="Airflow connection of the package's app.")] = "",
    share_account: Annotated[
        bool, typer.Option("--share-account", help="Join an OutSmart account that has another administration already.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Log in to a package in the browser, then choose the administration.

    Prints the login address; after logging in, the browser shows an address that begins with the registered return
    address (the page itself may not exist): paste it here.
    """
    store, gateway = terminal.open_store_and_gateway()

    def choose(pending: connections.SyncConnection) -> None:
        chosen = connecting.choose_administration(store, gateway, pending, administration, share_account=share_account)
        _print_connected(chosen, as_json=as_json)

    if connection is not None:
        pending = connections.require(store, connection)
        if administration:
            choose(pending)
        else:
            _print_choice(pending.id, connecting.administrations_of(gateway, pending), package, as_json=as_json)
        return
    if not return_address:
        started = login.start(
            store, gateway, package, country=country, conn_id=app_connection, outsmart_conn_id=outsmart
        )
        return_address = _ask_return_address(started.address, as_json=as_json)
        done = login.finish(store, gateway, return_address, state=started.state)
    else:
        done = login.finish(store, gateway, return_address)
    for revived in (*done.revived, *done.resumed):
        err.print(f"{revived.label} works again.", markup=False)
    for waiting in done.waiting:
        err.print(
            f"{waiting.label} (connection {waiting.id}) still waits for a login: this one is not its own.", markup=False
        )
    if administration:
        choose(done.connection)
    else:
        err.print(f"Logged in as {done.user_name}.", markup=False)
        _print_choice(done.connection.id, done.administrations, package, as_json=as_json)


@app.command()
def disconnect(connection: ConnectionNumber, as_json: Json = False) -> None:
    """End the sync of a connection. Everything it brought stays, here and in OutSmart; connecting again goes on."""
    store, gateway = terminal.open_store_and_gateway()
    found = connections.require(store, connection)
    connecting.disconnect(store, found, gateway)
    if as_json:
        terminal.print_json(connections.require(store, connection))
    else:
        out.print(f"{found.label} is disconnected. What is in OutSmart stays as it is.", markup=False)


@app.command()
def status(as_json: Json = False) -> None:
    """Show every connection: its login, its categories, and what stands in their way."""
    found = health.status(terminal.open_store())
    if as_json:
        terminal.print_json(found)
        return
    if not found:
        out.print(
            "Nothing is connected yet. Begin with: outsmart-sync connect exact-online --country nl, or: outsmart-sync "
            "connect visma-eaccounting"
        )
    for each in found:
        connection = each.connection
        where = f"{connection.package} {connection.country}".rstrip()
        out.print(
            f"[bold]{connection.id}  {escape(connection.label)}[/bold]  {where}, "
            f"administration {escape(connection.administration or 'not chosen yet')}, "
            f"OutSmart account {escape(connection.outsmart_account)}"
        )
        checked = f", last checked {each.last_checked:%d-%m-%Y %H:%M} UTC" if each.last_checked else ""
        lapses = f", login lapses {each.login_lapses:%d-%m-%Y} unless used" if each.login_lapses else ""
        out.print(
            f"   {connection.state}{': ' + connection.state_text if connection.state_text else ''}"
            f"{', as ' + each.user_name if each.user_name else ''}{lapses}, licence {each.licence}{checked}",
            markup=False,
        )
        if connection.state is connections.State.EXPIRED:
            out.print(f"   log in again: {_login_command(connection)}", markup=False)
        elif each.refused:
            out.print(
                "   The login was refused when it was last renewed; it is asked for again by itself. If it was taken "
                f"back, log in again: {_login_command(connection)}",
                markup=False,
            )
        for category in each.categories:
            last = (
                f"last synced {category.last_success:%d-%m-%Y %H:%M} UTC" if category.last_success else "never synced"
            )
            numbers = ", ".join(
                f"{number} {_STATES.get(state, state)}" for state, number in sorted(category.records.items())
            )
            line = f"   {category.name:<12} {'on ' if category.enabled else 'off'}  {last if category.enabled else ''}"
            out.print(f"{line}  {numbers}".rstrip())
            if category.to_do_by_hand:
                command = f"outsmart-sync log --connection {connection.id} --category {category.name}"
                out.print(f"      by hand: {category.to_do_by_hand} in the last 7 days, see: {command}")
            if category.stopped:
                out.print(f"      stopped: {category.stopped}", markup=False)


def _login_command(connection: connections.SyncConnection) -> str:
    """The command that logs in again for a connection."""
    package = package_of(connection.package)
    words = ["outsmart-sync", "connect", package.command]
    if connection.country and package.countries:
        words += ["--country", connection.country]
    if connection.conn_id != package.conn_id:
        words += ["--app-connection", connection.conn_id]
    if connection.outsmart_conn_id != login.OUTSMART_CONN_ID:
        words += ["--outsmart", connection.outsmart_conn_id]
    return " ".join(words)


@settings_app.command("show")
def settings_show(connection: ConnectionNumber, as_json: Json = False) -> None:
    """Show a connection's settings, in the form that `load` takes."""
    store = terminal.open_store()
    document = settings.read(store, connections.require(store, connection)).as_document()
    if as_json:
        terminal.print_json(document)
    else:
        out.print(settings.as_yaml(document), end="", markup=False)


@settings_app.command("set")
def settings_set(
    connection: ConnectionNumber,
    changes: Annotated[list[str], typer.Argument(help="relations.enabled=true relations.types=customer,prospect ...")],
    unchecked: Unchecked = False,
    as_json: Json = False,
) -> None:
    """Change settings; all of them or, when one is wrong, none."""
    _save_settings(connection, settings.parse_all(changes), unchecked=unchecked, as_json=as_json)


@settings_app.command("load")
def settings_load(
    connection: ConnectionNumber,
    file: Annotated[Path, typer.Argument(help="A YAML file as `show` prints it.")],
    unchecked: Unchecked = False,
    as_json: Json = False,
) -> None:
    """Change settings from a file; what it does not name stays."""
    _save_settings(connection, settings.load(file), unchecked=unchecked, as_json=as_json)


@settings_app.command("choices")
def settings_choices(
    connection: ConnectionNumber,
    setting: Annotated[str, typer.Argument(help="The setting, such as relations.types or materials.item_groups.")],
    as_json: Json = False,
) -> None:
    """Show the values that a setting may have, as the package or OutSmart knows them."""
    store, gateway = terminal.open_store_and_gateway()
    category, _, name = setting.partition(".")
    found = choosing.choices(gateway, connections.require(store, connection), category, name)
    if as_json:
        terminal.print_json([{"value": value, "label": label} for value, label in found])
        return
    table = Table("Value", "Meaning", box=None)
    for value, label in found:
        table.add_row(escape(value), escape(label))
    out.print(table)


@app.command("sync")
def sync_now(
    package: Annotated[str, typer.Argument(help="Bookkeeping package, such as exact-online.")],
    category: Annotated[list[str] | None, typer.Option(help="Only this category; may be repeated.")] = None,
    connection: OneConnection = None,
    full: Annotated[bool, typer.Option(help="Read everything again, at the package and in OutSmart.")] = False,
    preview: Annotated[bool, typer.Option(help="Show what would happen; write nothing outside.")] = False,
    code: Annotated[list[str] | None, typer.Option(help="Only the record with this code; may be repeated.")] = None,
    as_json: Json = False,
) -> None:
    """Import now, in this process, without Airflow."""
    store, gateway = terminal.open_store_and_gateway()
    options = Options(
        categories=tuple(category or ()), connection=connection, full=full, preview=preview, codes=tuple(code or ())
    )
    external_id = f"cli:{uuid.uuid4()}"
    sync.import_now(store, gateway, package, external_id, options)
    run = history.find_run(store, external_id)
    if run is None:
        raise InvalidSettings("The run left no trace.", remedy="Check the store with: outsmart-sync store check")
    if as_json:
        terminal.print_json(run)
    else:
        if preview:
            out.print("Preview: nothing was written; this is what a sync would do.")
        print_run(store, run)
        if run.state == RunState.FAILED:
            out.print(terminal.NOT_AGAIN)
        _tell_undelivered(store, gateway, {each.connection_id for each in run.categories})
    if run.state == RunState.FAILED:
        raise typer.Exit(1)


def _tell_undelivered(store: Store, gateway: Gateway, connection_ids: set[int]) -> None:
    for each in (connections.require(store, number) for number in sorted(connection_ids)):
        if not gateway.delivers(each):
            out.print(
                f"{each.label}: nothing was delivered. There is no Airflow connection '{each.outsmart_conn_id}', so "
                "what was read is kept in the store; the first run that finds the connection delivers it."
            )


def _ask_return_address(login_address: str, *, as_json: bool) -> str:
    if as_json:
        terminal.print_json({"login_address": login_address})
    else:
        out.print("Open this address in a browser and log in:\n")
        out.print(f"  {login_address}\n", markup=False)
        out.print("Then paste the address that the browser was sent back to (the page itself may not exist):")
    line = sys.stdin.readline().strip()
    if not line:
        raise InvalidSettings(
            "No address was pasted, so nothing is connected.", remedy="Start again when you are ready."
        )
    return line


def _print_choice(connection: int, administrations: list[Any], package: str, *, as_json: bool) -> None:
    if as_json:
        terminal.print_json({"connection": connection, "administrations": administrations})
        return
    table = Table("Code", "Administration", "Country", "Currency", box=None)
    for each in administrations:
        table.add_row(*(escape(cell) for cell in (each.code, each.name, each.country, each.currency)))
    out.print(table)
    for each in administrations:
        if each.notes:
            out.print(f"{each.name}: {' '.join(each.notes)}", markup=False)
    out.print(
        "\nChoose one; it is fixed from then on:\n"
        f"  outsmart-sync connect {package} --connection {connection} --administration CODE"
    )


def _print_connected(connection: connections.SyncConnection, *, as_json: bool) -> None:
    if as_json:
        terminal.print_json(connection)
        return
    out.print(
        f"{connection.label} is connected, as connection {connection.id}. Its administration is fixed now.",
        markup=False,
    )
    first = package_of(connection.package).imports[0].name
    out.print(
        f"Switch on what to sync, for example:\n  outsmart-sync settings set {connection.id} {first}.enabled=true"
    )


def _save_settings(number: int, changes: dict[str, Any], *, unchecked: bool, as_json: bool) -> None:
    store, gateway = terminal.open_store_and_gateway()
    connection = connections.require(store, number)
    before = settings.read(store, connection)
    saved = settings.save(store, connection, changes, gateway=None if unchecked else gateway)
    package = package_of(connection.package)
    meant = start_dates.meant_by(gateway, connection, start_dates.begun(package, before, saved))
    expands = expansions.meant_by(store, gateway, connection, package, before, saved)
    beyond = list(saved.beyond_licence(package).values())
    if as_json:
        told = {"start_dates": meant, "price_lists": expands, "not_covered": beyond}
        terminal.print_json({**saved.as_document(), **told})
        return
    if news := _news(before.as_document(), saved.as_document()):
        out.print("Saved. What is new:")
        out.print(settings.as_yaml(news), end="", markup=False)
    else:
        out.print("Saved. All of it was so already.")
    if export_switch.was_switched_on(before, saved):
        try:
            out.print(str(export_count.first_export(store, gateway, connection)), markup=False)
        except SyncError as error:  # what was asked for is saved; this is only told besides
            out.print(f"How many work orders that means could not be counted. {error}", markup=False)
        out.print(f"See them first: outsmart-sync export preview {package.command}")
    for each in (*meant, *expands):
        out.print(str(each), markup=False)
    for sentence in beyond:
        out.print(f"{sentence} It stays switched on, and does not run.", markup=False)


def _news(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """What of the settings' document has changed, in the same form."""
    news = {name: value for name, value in after.items() if value != before.get(name)}
    for name, value in news.items():
        kept = before.get(name)
        if isinstance(value, dict) and isinstance(kept, dict):
            news[name] = {each: now for each, now in value.items() if now != kept.get(each)}
    return news


def _fail(error: SyncError) -> NoReturn:
    if "--json" in sys.argv:
        terminal.print_json(
            {
                "error": {
                    "code": error.code,
                    "what": error.what,
                    "why": error.why,
                    "remedy": error.remedy,
                    "technical": error.technical,
                }
            }
        )
    err.print(f"Error: {error}", markup=False)
    if isinstance(error, TransientError):
        err.print(terminal.NOT_AGAIN)
    if error.technical:
        err.print(f"({' '.join(error.technical.split())})", markup=False)
    sys.exit(1)


app.command()(log)
app.command("history")(show_history)
for each in (link, unlink, erase):
    app.command()(each)
