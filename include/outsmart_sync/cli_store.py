"""outsmart-sync store, vault and erase: the store itself, and what goes out of it."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from outsmart_sync import terminal
from outsmart_sync.errors import InvalidSettings
from outsmart_sync.services import erasing, retention
from outsmart_sync.store import connections, schema
from outsmart_sync.store.vault import Vault
from outsmart_sync.terminal import ConnectionNumber, Json

store_app = typer.Typer(no_args_is_help=True, help="Create, upgrade, check and clean up the store.")
vault_app = typer.Typer(no_args_is_help=True, help="Keys of the stored logins.")
out = terminal.console()


def erase(
    connection: ConnectionNumber,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; for programs.")] = False,
    as_json: Json = False,
) -> None:
    """Remove what is stored of a disconnected administration's people. It cannot be undone; a backup still has it."""
    store = terminal.open_store()
    schema.require_current(store)
    found = connections.require(store, connection)
    erasing.require_disconnected(found)
    if not yes:
        _confirm_erasing(found, erasing.stock(store, found))
    removed = erasing.erase(store, found)
    if as_json:
        terminal.print_json(removed)
    else:
        out.print(f"Connection {found.id} is erased; {removed.kept} numbers of documents stay.", markup=False)


def _confirm_erasing(connection: connections.SyncConnection, stock: erasing.Stock) -> None:
    rows = ", ".join(f"{number} {what}" for what, number in stock.rows.items())
    out.print(f"What is stored of {connection.label} will be removed: {rows}.", markup=False)
    out.print(
        f"What stays: its number, and {stock.kept} numbers of documents, so that none is made twice. What is in "
        "OutSmart and at the package stays there; backups of the store and Airflow's task logs keep what they have "
        "until they go."
    )
    out.print(f"It cannot be undone. Type the administration's number, {connection.administration}, to go on:")
    if sys.stdin.readline().strip() != connection.administration:
        raise InvalidSettings("Nothing was erased: that was not its number.", remedy="Start again when you are ready.")


@store_app.command("upgrade")
def store_upgrade(as_json: Json = False) -> None:
    """Create the store's tables, or bring them to this release's version."""
    version = schema.upgrade(terminal.open_store())
    if as_json:
        terminal.print_json({"version": version})
    else:
        out.print(f"The store is at version {version}.")


@store_app.command("check")
def store_check(as_json: Json = False) -> None:
    """Check that the store can be reached and has this release's tables."""
    store = terminal.open_store()
    schema.require_current(store)
    differences = schema.differences(store)
    if as_json:
        terminal.print_json({"store": repr(store), "version": schema.newest(), "differences": differences})
    else:
        out.print(f"{store!r} is at version {schema.newest()}.", markup=False)
        for difference in differences:
            out.print(f"differs: {difference}", markup=False)
    if differences:
        raise typer.Exit(1)


@store_app.command("clean")
def store_clean(
    days: Annotated[int, typer.Option(help="Days that the log of records and the runs are kept.")] = (
        retention.HISTORY_DAYS
    ),
    as_json: Json = False,
) -> None:
    """Remove what is older than it is kept: staging, log, runs. Once a day, for example by cron."""
    store = terminal.open_store()
    schema.require_current(store)
    removed = retention.clean(store, days)
    if as_json:
        terminal.print_json(removed)
    else:
        out.print("Removed: " + ", ".join(f"{number} {what}" for what, number in removed.items()) + ".")


@vault_app.command("rotate")
def vault_rotate(as_json: Json = False) -> None:
    """Encrypt every stored login anew with the first of the keys in OUTSMART_SYNC_VAULT_KEYS."""
    count = Vault(terminal.open_store()).rotate()
    if as_json:
        terminal.print_json({"rotated": count})
    else:
        out.print(f"{count} secrets are encrypted with the newest key; the older keys can be removed.")
