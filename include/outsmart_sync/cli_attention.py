"""outsmart-sync attention: records that wait for a person, as the page lists them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from outsmart_sync import terminal
from outsmart_sync.errors import InvalidSettings
from outsmart_sync.services import attention, history
from outsmart_sync.store import connections
from outsmart_sync.terminal import ConnectionNumber, Json

if TYPE_CHECKING:
    from outsmart_sync.store.connections import SyncConnection
    from outsmart_sync.store.store import Store

attention_app = typer.Typer(no_args_is_help=True, help="Records that wait for a person.")
out = terminal.console()

RecordType = Annotated[str, typer.Argument(help="Record type, such as relation or material.")]
Codes = Annotated[list[str], typer.Argument(help="Codes of the records.")]

_MANY = 100_000


@attention_app.command("list")
def list_(
    connection: Annotated[int | None, typer.Option(help="Only this sync connection.")] = None,
    records: Annotated[bool, typer.Option("--records", help="Each record, not only how many.")] = False,
    as_json: Json = False,
) -> None:
    """Show what waits, by cause."""
    store = terminal.open_store()
    mine = [each.id for each in connections.find(store) if connection in (None, each.id)]
    causes = attention.causes(store, mine)
    if records:
        found = [
            each
            for cause in causes
            for each in attention.waiting(
                store, cause.connection_id, cause.record, cause.state, cause.reason, limit=_MANY
            )
        ]
        if as_json:
            terminal.print_json(found)
            return
        table = Table("Connection", "Record", "Code", "Name", "State", "Cause", box=None)
        for each in found:
            cells = (str(each.connection_id), each.record, each.code, each.title, each.state)
            table.add_row(*map(escape, (*cells, f"{each.text} {each.remedy}".strip())))
        out.print(table)
        return
    if as_json:
        terminal.print_json(causes)
        return
    table = Table("Connection", "Record", "State", "How many", "Cause", box=None)
    for cause in causes:
        row = (str(cause.connection_id), cause.record, cause.state, str(cause.number))
        table.add_row(*map(escape, (*row, f"{cause.text} {cause.remedy}".strip())))
    out.print(table)
    if not causes:
        out.print("Nothing waits for you.")


@attention_app.command()
def dismiss(connection: ConnectionNumber, record: RecordType, codes: Codes, as_json: Json = False) -> None:
    """Say that records need not go to OutSmart; they come up again when they change."""
    _decide(attention.dismiss, "dismissed", connection, record, codes, as_json=as_json)


@attention_app.command()
def hold(connection: ConnectionNumber, record: RecordType, codes: Codes, as_json: Json = False) -> None:
    """Keep records from OutSmart until they are released."""
    _decide(attention.hold, "on hold", connection, record, codes, as_json=as_json)


@attention_app.command()
def release(connection: ConnectionNumber, record: RecordType, codes: Codes, as_json: Json = False) -> None:
    """Let records go that were put on hold or dismissed; the next sync looks at them."""
    _decide(attention.release, "released", connection, record, codes, as_json=as_json)


def _decide(
    decide: Callable[[Store, SyncConnection, Sequence[int]], int],
    what: str,
    connection_id: int,
    record: str,
    codes: list[str],
    *,
    as_json: bool,
) -> None:
    store = terminal.open_store()
    connection = connections.require(store, connection_id)
    number = decide(store, connection, _ids(store, connection, record, codes))
    if as_json:
        terminal.print_json({"records": number})
    else:
        out.print(f"{number} records: {what}.")


def _ids(store: Store, connection: SyncConnection, record: str, codes: list[str]) -> list[int]:
    """The records that are meant.

    Raises:
        InvalidSettings: One of them is not known.
    """
    found = {code: [each.id for each in history.history(store, record, code, connection.id)] for code in codes}
    if unknown := [code for code, ids in found.items() if not ids]:
        raise InvalidSettings(
            f"Connection {connection.id} knows no {record} {', '.join(unknown)}.",
            remedy="See what waits: outsmart-sync attention list --records",
            code="unknown_record",
        )
    return [each for ids in found.values() for each in ids]
