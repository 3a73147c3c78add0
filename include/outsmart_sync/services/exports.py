"""Work orders on their way into the books, as a person sees them: lists, one with its history, a preview."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from sqlalchemy import select

from outsmart_sync.errors import InvalidSettings
from outsmart_sync.pipeline.export_extract import WORK_ORDER, several
from outsmart_sync.records import export_plan
from outsmart_sync.records.export_document import Line, LineKind
from outsmart_sync.records.export_plan import Plan, Problem
from outsmart_sync.store import connections, exports
from outsmart_sync.store.exports import Export, ExportState
from outsmart_sync.store.tables import record_log, run_category, staging

if TYPE_CHECKING:
    from collections.abc import Sequence

    from outsmart_sync.store.store import Store


@dataclass(frozen=True, slots=True)
class Shown:
    """One work order with where it stands, as the page and the command line show it."""

    row_id: str
    number: str
    title: str
    connection_id: int
    connection: str
    state: str
    document: str
    document_number: str
    expected: Decimal | None
    actual: Decimal | None
    cause: str
    remedy: str
    invoice_number: str
    booked: bool
    paid: bool
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Happened:
    """A line in a work order's history."""

    at: datetime
    event: str
    text: str
    run_id: int


def listed(
    store: Store, *, connection_id: int | None = None, states: Sequence[str] = (), limit: int = 50
) -> list[Shown]:
    """The work orders that changed last.

    Raises:
        InvalidSettings: There is no such state.
    """
    known = [str(each) for each in ExportState]
    if wrong := [each for each in states if each not in known]:
        raise InvalidSettings(f"There is no state '{wrong[0]}'.", remedy=f"Choose from: {', '.join(known)}.")
    with store.read() as transaction:
        found = exports.listed(transaction, connection_id=connection_id, states=states, limit=limit)
    return all_shown(store, found)


def show(store: Store, number: str, connection_id: int | None = None) -> list[tuple[Shown, list[Happened]]]:
    """Every work order with a number, or row id, and what happened to it.

    Raises:
        InvalidSettings: None was seen.
    """
    found = find(store, number, connection_id)
    return [(told, _history(store, each)) for told, each in zip(all_shown(store, found), found, strict=True)]


def preview(store: Store, run_id: int) -> list[Plan | Problem]:
    """What a preview run found: each document with its lines, or why there is none."""
    query = (
        select(staging.c.detail)
        .join(run_category, run_category.c.id == staging.c.job_id)
        .where(run_category.c.run_id == run_id, staging.c.record == WORK_ORDER, staging.c.detail.is_not(None))
        .order_by(staging.c.job_id, staging.c.seq)
    )
    with store.read() as transaction:
        texts = list(transaction.execute(query).scalars())
    return [export_plan.decode(text) for text in texts]


def find(store: Store, number: str, connection_id: int | None, account: str = "") -> list[Export]:
    """Every work order with a number or row id, of one connection's account, of one account, or of all.

    Raises:
        InvalidSettings: None was seen.
    """
    if account:
        accounts = {account}
    elif connection_id is not None:
        accounts = {connections.require(store, connection_id).outsmart_account}
    else:
        accounts = {each.outsmart_account for each in connections.find(store)}
    with store.read() as transaction:
        found = [each for one in sorted(accounts) for each in exports.of_number(transaction, one, number)]
    if not found:
        raise InvalidSettings(
            f"No work order {number} has been seen by an export.",
            remedy="Check the number; a run looks at completed work orders only.",
            code="unknown_work_order",
        )
    return found


def one(store: Store, number: str, connection_id: int | None, account: str = "") -> Export:
    """The one work order that is meant by a number, a row id, or ``id:`` with a row id.

    Raises:
        InvalidSettings: None was seen, or several may be meant.
    """
    found = find(store, number, connection_id, account)
    if len(found) > 1:
        raise several(number, [(each.row_id, each.number, each.title) for each in found])
    return found[0]


def all_shown(store: Store, found: Sequence[Export]) -> list[Shown]:
    """Work orders as people see them."""
    labels = {each.id: each.label for each in connections.find(store)} if found else {}
    return [_shown(each, labels.get(each.connection_id, "")) for each in found]


def shown(store: Store, export: Export) -> Shown:
    """A work order as people see it."""
    return all_shown(store, [export])[0]


def _shown(export: Export, label: str) -> Shown:
    return Shown(
        row_id=export.row_id,
        number=export.number,
        title=export.title,
        connection_id=export.connection_id,
        connection=label,
        state=export.state.value,
        document=export.kind,
        document_number=export.remote_number,
        expected=export.expected,
        actual=export.actual,
        cause=export.cause,
        remedy=export.remedy,
        invoice_number=export.invoice_number,
        booked=export.booked,
        paid=export.paid,
        changed_at=export.changed_at,
    )


def _history(store: Store, export: Export) -> list[Happened]:
    query = (
        select(record_log.c.at, record_log.c.event, record_log.c.detail, record_log.c.run_id)
        .where(record_log.c.record == WORK_ORDER, record_log.c.provider_id == export.row_id)
        .where(record_log.c.connection_id == export.connection_id, record_log.c.code == export.number)
        .order_by(record_log.c.id)
    )
    with store.read() as transaction:
        return [Happened(row.at, row.event, row.detail or "", row.run_id) for row in transaction.execute(query)]


def preview_lines(store: Store, run_id: int) -> list[str]:
    """What a run plans, in lines for a log or a terminal: each document with its lines, total and calls."""
    lines: list[str] = []
    for each in preview(store, run_id):
        if isinstance(each, Problem):
            lines.append(f"{each.state}: {each.cause} {each.remedy}".rstrip())
            continue
        document = each.document
        what = f"lines on order {document.append_to}" if document.append_to else document.kind
        total = "computed by the package" if document.total is None else f"{document.total:f} {document.currency}"
        lines.append(f"Work order {document.number}: {what}, total {total.rstrip()}, {each.calls} calls")
        lines += [f"   a new customer {new.code}, {new.name}" for new in each.new_customers]
        lines += [f"   a new article {new.code}, {new.description}" for new in each.new_articles]
        lines += [f"   {_line_text(line)}" for line in document.lines]
        lines += [
            f"   ordered line {q.line_id}: {_plain(q.ordered)} becomes {_plain(q.used)}"
            for q in each.quantities
            if q.changes
        ]
    return lines


def _line_text(line: Line) -> str:
    if line.kind is LineKind.TEXT:
        return f"text: {line.text.splitlines()[0][:80] if line.text else ''}"
    price = "at the package's price" if line.price is None else f"at {_plain(line.price)}"
    off = f" less {_plain(line.discount * 100)} %" if line.discount else ""
    amount = "" if line.amount is None else f" = {line.amount:f}"
    return f"{_plain(line.quantity)} {line.code} {line.text} {price}{off}{amount}"


def _plain(number: Decimal) -> str:
    """A number without zeros that say nothing."""
    return f"{number.normalize():f}"
