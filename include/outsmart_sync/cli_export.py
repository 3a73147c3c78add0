"""outsmart-sync export: work orders on their way into the books."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer
from rich.markup import escape
from rich.table import Table

from outsmart_sync import terminal
from outsmart_sync.errors import InvalidSettings
from outsmart_sync.pipeline.job import Options
from outsmart_sync.records.export_catalogue import WORK_ORDERS
from outsmart_sync.services import export_decisions as decisions
from outsmart_sync.services import export_run, exports, history
from outsmart_sync.store.exports import ExportState
from outsmart_sync.store.runs import RunState
from outsmart_sync.terminal import Json, OneConnection

if TYPE_CHECKING:
    from outsmart_sync.services.exports import Shown
    from outsmart_sync.services.gateway import Gateway
    from outsmart_sync.store.store import Store

export_app = typer.Typer(no_args_is_help=True, help="Work orders on their way into the books.")
out = terminal.console()

Number = Annotated[
    str, typer.Argument(help="The work order's number; id: with its row id where several have the number.")
]
Package = Annotated[str, typer.Argument(help="Bookkeeping package, such as exact-online.")]


@export_app.command("list")
def list_(
    state: Annotated[list[str] | None, typer.Option(help=f"Only {', '.join(ExportState)}; may be repeated.")] = None,
    connection: OneConnection = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    as_json: Json = False,
) -> None:
    """Show where work orders stand, the ones that changed last first."""
    found = exports.listed(terminal.open_store(), connection_id=connection, states=state or (), limit=limit)
    if as_json:
        terminal.print_json(found)
        return
    table = Table("Number", "Customer", "State", "Document", "Total", "Invoice", "Cause", box=None)
    for each in found:
        total = "" if each.expected is None else f"{each.expected:f}"
        document = " ".join(part for part in (each.document, each.document_number) if part)
        paid = " paid" if each.paid else " booked" if each.booked else ""
        cells = (each.number, each.title, each.state, document, total, f"{each.invoice_number}{paid}", each.cause)
        table.add_row(*map(escape, cells))
    out.print(table)
    if not found:
        out.print("No work order has been looked at yet. See what would go: outsmart-sync export preview exact-online")


@export_app.command()
def show(number: Number, connection: OneConnection = None, as_json: Json = False) -> None:
    """Show one work order: where it stands, what to do, and everything that happened to it."""
    found = exports.show(terminal.open_store(), number, connection)
    if as_json:
        terminal.print_json([{"work_order": each, "history": happened} for each, happened in found])
        return
    for each, happened in found:
        _print_one(each)
        for event in happened:
            by = f"run {event.run_id}" if event.run_id else "by hand"
            out.print(f"   {event.at:%d-%m-%Y %H:%M:%S}  {event.event:<9} {by}  {event.text}", markup=False)


@export_app.command()
def resend(
    number: Number,
    connection: OneConnection = None,
    update: Annotated[bool, typer.Option(help="Its document is there: bring it up to date.")] = False,
    second: Annotated[bool, typer.Option(help="Its document is there: make another one all the same.")] = False,
    as_json: Json = False,
) -> None:
    """Send a work order again, with the next run. A document that was deleted is made anew."""
    store, gateway = terminal.open_store_and_gateway()
    again = decisions.resend(store, gateway, number, connection, update=update, second=second)
    if as_json:
        terminal.print_json(again)
        return
    _print_one(again.shown)
    if again.there:
        out.print(
            f"Its document {again.there} is still there, so nothing is sent. To bring it up to date: --update. To make "
            "a second one on purpose: --second.",
            markup=False,
        )
        raise typer.Exit(1)


@export_app.command()
def hold(number: Number, connection: OneConnection = None, as_json: Json = False) -> None:
    """Do not send a work order, until it is released."""
    _print_decided(decisions.hold(terminal.open_store(), number, connection), as_json=as_json)


@export_app.command()
def release(number: Number, connection: OneConnection = None, as_json: Json = False) -> None:
    """Send a work order that is held, or older than the cut-off, with the next run."""
    _print_decided(decisions.release(terminal.open_store(), number, connection), as_json=as_json)


@export_app.command()
def settle(
    number: Number,
    connection: OneConnection = None,
    there: Annotated[str, typer.Option(help="Uncertain: it is there, with this number or id.")] = "",
    not_there: Annotated[bool, typer.Option("--not-there", help="Uncertain: it is not there, send it again.")] = False,
    accept: Annotated[bool, typer.Option("--accept", help="Differs or changed: the document is right.")] = False,
    as_json: Json = False,
) -> None:
    """Say what only a person can know about a work order."""
    store, gateway = terminal.open_store_and_gateway()
    shown = decisions.settle(store, gateway, number, connection, there=there, not_there=not_there, accept=accept)
    _print_decided(shown, as_json=as_json)


@export_app.command()
def preview(
    package: Package,
    work_order: Annotated[list[str] | None, typer.Option(help="Only this one; may be repeated.")] = None,
    connection: OneConnection = None,
    as_json: Json = False,
) -> None:
    """Show each document that would be made, with its lines, total and calls; nothing is sent."""
    store, gateway = terminal.open_store_and_gateway()
    run = _run(store, gateway, package, work_order, connection, (WORK_ORDERS,), preview=True)
    if as_json:
        terminal.print_json(msgspec.to_builtins(exports.preview(store, run.run_id)))
        return
    lines = exports.preview_lines(store, run.run_id)
    for line in lines:
        out.print(line, markup=False)
    documents = sum(line.startswith("Work order ") for line in lines)
    out.print(f"Preview: {documents} documents would be made; nothing was sent.")
    if run.state == RunState.FAILED:
        _print_failures(run)


@export_app.command()
def run(
    package: Package,
    work_order: Annotated[list[str] | None, typer.Option(help="Only this one; may be repeated.")] = None,
    category: Annotated[list[str] | None, typer.Option(help="work_orders or invoice_status; may be repeated.")] = None,
    connection: OneConnection = None,
    as_json: Json = False,
) -> None:
    """Export now, in this process, without Airflow."""
    store, gateway = terminal.open_store_and_gateway()
    found = _run(store, gateway, package, work_order, connection, tuple(category or ()))
    if as_json:
        terminal.print_json(found)
    else:
        out.print(f"[bold]Run {found.run_id}[/bold]: {found.state}")
        if found.categories:
            out.print(terminal.figures_table(store, found.categories))
        if found.state == RunState.FAILED:
            _print_failures(found)
            out.print(terminal.NOT_AGAIN)
    if found.state == RunState.FAILED:
        raise typer.Exit(1)


def _run(
    store: Store,
    gateway: Gateway,
    package: str,
    work_orders: list[str] | None,
    connection: int | None,
    categories: tuple[str, ...],
    *,
    preview: bool = False,
) -> Any:
    options = Options(categories=categories, connection=connection, preview=preview, codes=tuple(work_orders or ()))
    external_id = f"cli:{uuid.uuid4()}"
    export_run.export_now(store, gateway, package, external_id, options)
    found = history.find_run(store, external_id)
    if found is None:
        raise InvalidSettings("The run left no trace.", remedy="Check the store with: outsmart-sync store check")
    return found


def _print_failures(run: Any) -> None:
    for each in run.categories:
        if each.error_text:
            out.print(f"{each.category}: {each.error_text}", markup=False)


def _print_decided(shown: Shown, *, as_json: bool) -> None:
    if as_json:
        terminal.print_json(shown)
    else:
        _print_one(shown)


def _print_one(each: Shown) -> None:
    out.print(f"[bold]{escape(each.number)}[/bold]  {escape(each.title)}  {escape(each.connection)}: {each.state}")
    if each.document_number:
        amounts = "" if each.expected is None else f", total {each.expected:f}"
        theirs = "" if each.actual is None or each.actual == each.expected else f" (there: {each.actual:f})"
        out.print(f"   {each.document} {each.document_number}{amounts}{theirs}", markup=False)
    if each.invoice_number:
        paid = ", paid" if each.paid else ", booked" if each.booked else ""
        out.print(f"   invoice {each.invoice_number}{paid}", markup=False)
    if each.cause:
        out.print(f"   {each.cause} {each.remedy}", markup=False)
