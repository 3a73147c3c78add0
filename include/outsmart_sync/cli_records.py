"""outsmart-sync log, history, link and unlink: what was done to records, and which of them are one."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from outsmart_sync import terminal
from outsmart_sync.errors import InvalidSettings
from outsmart_sync.services import history, links
from outsmart_sync.store import connections
from outsmart_sync.store.store import Store
from outsmart_sync.terminal import ConnectionNumber, Json, OneConnection

out = terminal.console()

RecordType = Annotated[str, typer.Argument(help="relation, contact_person, address, material, hour_type ...")]
PackageCode = Annotated[str, typer.Argument(help="The bookkeeping package's code, or its id where several have it.")]


def log(
    run: Annotated[int | None, typer.Option(help="Records of this run.")] = None,
    event: Annotated[
        str | None, typer.Option(help=f"Only {', '.join(history.EVENTS[:-1])} or {history.EVENTS[-1]}.")
    ] = None,
    category: Annotated[str | None, typer.Option(help="Only this category.")] = None,
    connection: OneConnection = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many lines.")] = 20,
    as_json: Json = False,
) -> None:
    """Show the newest runs; with --run, --event, --category or --connection the records."""
    store = terminal.open_store()
    if run is None and event is None and category is None and connection is None:
        found = history.latest_runs(store, limit)
        if as_json:
            terminal.print_json(found)
        else:
            _print_runs(store, found)
        return
    if run is not None and history.run_of(store, run) is None:
        raise InvalidSettings(
            f"There is no run {run}.", remedy="Choose one of the newest: outsmart-sync log", code="unknown_run"
        )
    lines = history.events(store, run_id=run, connection_id=connection, category=category, event=event, limit=limit)
    if as_json:
        terminal.print_json(lines)
    else:
        _print_events(lines)
        if len(lines) == limit:
            out.print(f"These are the newest {limit}; --limit shows more.")


def show_history(
    record: Annotated[str, typer.Argument(help="relation, contact_person, address, material or hour_type.")],
    code: Annotated[str, typer.Argument(help="Its code, such as a debtor number.")],
    connection: OneConnection = None,
    as_json: Json = False,
) -> None:
    """Show where one record stands and everything that was done to it."""
    found = history.history(terminal.open_store(), record, code, connection)
    if not found:
        raise InvalidSettings(
            f"No {record} with code '{code}' has been seen.",
            remedy="Check the code; sync the category if it is new.",
            code="unknown_record",
        )
    if as_json:
        terminal.print_json(found)
        return
    for each in found:
        title = escape(f"{each.record} {each.code}  {each.title}")
        out.print(f"[bold]{title}[/bold]  {escape(each.connection)}: {each.state}")
        if each.text:
            out.print(f"   {each.text} {each.remedy}", markup=False)
        if each.deleted_at:
            out.print(f"   deleted in the package, noted {each.deleted_at:%d-%m-%Y %H:%M} UTC")
        for line in each.events:
            by = f"run {line.run_id}" if line.run_id else "by hand"
            out.print(f"   {line.at:%d-%m-%Y %H:%M:%S}  {line.event:<9} {by}  {line.text}", markup=False)
            for field, (old, new) in line.changes.items():
                out.print(f"      {field}: {old} → {new}", markup=False)


def link(
    connection: ConnectionNumber,
    record: RecordType,
    package_code: PackageCode,
    outsmart_code: Annotated[str, typer.Argument(help="OutSmart's code; it is kept.")],
    as_json: Json = False,
) -> None:
    """Say that a record of the package and one of OutSmart are one, whatever their codes."""
    store = terminal.open_store()
    _print_decision(
        links.link(store, connections.require(store, connection), record, package_code, outsmart_code), as_json=as_json
    )


def unlink(connection: ConnectionNumber, record: RecordType, package_code: PackageCode, as_json: Json = False) -> None:
    """Say that a record of the package and the one of OutSmart that it is taken for are two; undoes `link`."""
    store = terminal.open_store()
    _print_decision(links.unlink(store, connections.require(store, connection), record, package_code), as_json=as_json)


def _print_decision(decision: links.Decision, *, as_json: bool) -> None:
    if as_json:
        terminal.print_json(decision)
    else:
        out.print(decision.text, markup=False)


def _print_runs(store: Store, found: list[history.RunSummary]) -> None:
    for run in found:
        print_run(store, run)
    if not found:
        out.print("Nothing has run yet.")


def print_run(store: Store, run: history.RunSummary) -> None:
    """Print what became of each category in a run."""
    out.print(
        f"[bold]Run {run.run_id}[/bold]  {run.package}  {run.state}  "
        f"{run.started_at:%d-%m-%Y %H:%M:%S} UTC  {escape(run.external_id)}"
    )
    if run.categories:
        out.print(terminal.figures_table(store, run.categories))
    for each in run.categories:
        if each.state not in ("done", "idle"):
            out.print(f"   {each.category}: {each.state}  {each.error_text}".rstrip(), markup=False)


def _print_events(lines: list[history.Event]) -> None:
    for line in lines:
        out.print(
            f"{line.at:%d-%m-%Y %H:%M:%S}  {line.connection}  {line.record} {line.code}  {line.event}  "
            f"{line.text} {line.remedy}".rstrip(),
            markup=False,
        )
        for field, (old, new) in line.changes.items():
            out.print(f"      {field}: {old} → {new}", markup=False)
    if not lines:
        out.print("No such lines.")
