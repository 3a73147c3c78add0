"""The list of work orders on their way into the books, as a person works through it: oldest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select

from outsmart_sync.errors import InvalidSettings
from outsmart_sync.pipeline.export_extract import WORK_ORDER
from outsmart_sync.providers.packages import package as package_of
from outsmart_sync.records import export_plan
from outsmart_sync.records.completed_work_order import ROW_ID, CompletedWorkOrder, decode
from outsmart_sync.services import export_actions, export_decisions, exports, settings
from outsmart_sync.services.exports import Happened, Shown
from outsmart_sync.store import connections
from outsmart_sync.store import exports as rows
from outsmart_sync.store.exports import Export, ExportState
from outsmart_sync.store.tables import run_category, staging, work_order_export

if TYPE_CHECKING:
    from outsmart_sync.records.export_plan import Plan, Problem
    from outsmart_sync.services.settings import Settings
    from outsmart_sync.store.connections import SyncConnection
    from outsmart_sync.store.store import Store

TROUBLE = (ExportState.UNCERTAIN, ExportState.DIFFERS, ExportState.FAILED, ExportState.CHANGED)
"""States in which a document may be missing, doubtful or wrong."""

OPEN = (ExportState.WAITING, ExportState.SENDING, *TROUBLE, ExportState.HELD)
"""States of work orders that are not billed yet, or of which that is not sure."""

ALL = "all"
"""Asks for every state; none at all asks for those of :data:`OPEN`."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A work order in the list.

    Attributes:
        shown: Where it stands.
        completed_at: When the work was completed; where only a day is known, its end. None: nobody says.
        offers: What can be asked about it, of ``records/export_actions.py``.
    """

    shown: Shown
    completed_at: datetime | None
    offers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Opened:
    """A work order with everything that is known of it.

    Attributes:
        listed: Where it stands.
        work_order: What OutSmart said when it was last read.
        history: What happened to it, oldest first.
        planned: The document that the last run composed of it, or why there is none; None: not known any more.
        planned_in: The run that did.
        sending: Whether that run sent it; else it only looked.
        invoice: The package's id of its invoice; '' until it is one.
    """

    listed: Listed
    work_order: CompletedWorkOrder
    history: list[Happened]
    planned: Plan | Problem | None
    planned_in: int
    sending: bool
    invoice: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How a connection's exports stand.

    Attributes:
        totals: State → work orders.
        oldest: The open work order that was completed first; None: nothing is open.
        on: Whether exports are switched on.
    """

    totals: dict[str, int]
    oldest: Listed | None
    on: bool = False

    @property
    def open(self) -> int:
        """Work orders that are not billed yet, or of which that is not sure."""
        return sum(self.totals.get(each, 0) for each in OPEN)

    @property
    def trouble(self) -> int:
        """Work orders that need somebody."""
        return sum(self.totals.get(each, 0) for each in TROUBLE)


def states_of(asked: str) -> tuple[str, ...]:
    """The states that are asked for: one, all, or none at all for those that are open.

    Raises:
        InvalidSettings: There is no such state.
    """
    if asked in ("", ALL):
        return tuple(OPEN) if not asked else ()
    if asked not in {str(each) for each in ExportState}:
        known = ", ".join(ExportState)
        raise InvalidSettings(f"There is no state '{asked}'.", remedy=f"Choose from: {known}.", code="unknown_state")
    return (asked,)


def in_order(store: Store, connection_id: int, asked: str = "", *, limit: int = 50, offset: int = 0) -> list[Listed]:
    """A page of the list: what is open by when the work was completed, anything else as it changed last.

    Args:
        store: The store.
        connection_id: Whose work orders.
        asked: See :func:`states_of`.
        limit: At most so many.
        offset: After so many.
    """
    states = states_of(asked)
    is_open = bool(states) and set(states) <= set(OPEN)
    with store.read() as transaction:
        found = rows.listed(
            transaction, connection_id=connection_id, states=states, limit=limit, offset=offset, oldest_work=is_open
        )
    return _listed(store, found)


def standing(store: Store, connection: SyncConnection) -> Standing:
    """How a connection's exports stand."""
    return standings(store, [connection], settings.read_all(store, [connection]))[connection.id]


def standings(store: Store, wanted: Sequence[SyncConnection], saved: Mapping[int, Settings]) -> dict[int, Standing]:
    """Connection → how its exports stand.

    Args:
        store: The store.
        wanted: The connections.
        saved: Connection → its settings.
    """
    with store.read() as transaction:
        totals = rows.totals(transaction, [each.id for each in wanted])
        with_open = [number for number, states in totals.items() if not states.keys().isdisjoint(OPEN)]
        first = rows.oldest(transaction, with_open, OPEN) if with_open else []
    oldest = {each.shown.connection_id: each for each in _listed(store, first)}
    return {
        each.id: Standing(
            totals[each.id], oldest.get(each.id), bool(saved[each.id].exporting(package_of(each.package)))
        )
        for each in wanted
    }


def open_one(store: Store, connection: SyncConnection, row_id: str) -> Opened | None:
    """One work order of a connection; None: it has no such one."""
    with store.read() as transaction:
        export = rows.of_rows(transaction, connection.outsmart_account, [row_id]).get(row_id)
    if export is None or export.connection_id != connection.id:
        return None
    history = [
        each for shown, each in exports.show(store, f"{ROW_ID}{row_id}", connection.id) if shown.row_id == row_id
    ]
    planned, run_id, sending = _planned(store, connection.id, row_id)
    told = history[0] if history else []
    order = decode(export.payload)
    return Opened(_listed(store, [export])[0], order, told, planned, run_id, sending, export.invoice)


def search(store: Store, connection_ids: Sequence[int], text: str, limit: int = 50) -> list[Listed]:
    """Work orders by their number, their document's or their invoice's number, or the customer's name."""
    text = text.strip()
    if not text:
        return []
    table = work_order_export
    like = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    numbers = ("number", "row_id", "remote_number", "invoice_number")
    named = or_(
        *(func.lower(table.c[name]) == text.lower() for name in numbers),
        table.c.number.ilike(f"{like}%", escape="\\"),
        table.c.title.ilike(f"%{like}%", escape="\\"),
    )
    query = (
        select(table.c.account, table.c.row_id)
        .where(table.c.connection_id.in_(list(connection_ids)), named)
        .order_by(table.c.changed_at.desc())
        .limit(limit)
    )
    with store.read() as transaction:
        keys = [(row.account, row.row_id) for row in transaction.execute(query)]
        wanted: dict[str, list[str]] = {}
        for account, row_id in keys:
            wanted.setdefault(account, []).append(row_id)
        known = {
            (account, row_id): export
            for account, row_ids in wanted.items()
            for row_id, export in rows.of_rows(transaction, account, row_ids).items()
        }
    return _listed(store, [known[key] for key in keys])


@dataclass(frozen=True, slots=True)
class Trouble:
    """Work orders that wait for a person for the same cause.

    Attributes:
        connection_id: Whose.
        state: Where they stand.
        number: How many.
        cause: That of one of them.
        remedy: What to do about it.
    """

    connection_id: int
    state: str
    number: int
    cause: str
    remedy: str


def troubles(store: Store, connection_ids: Sequence[int]) -> list[Trouble]:
    """What somebody must look after, by state and cause; the worst first."""
    found: list[Trouble] = []
    for connection_id in connection_ids:
        with store.read() as transaction:
            mine = rows.causes(transaction, connection_id, (*TROUBLE, ExportState.HELD))
        found += [Trouble(connection_id, *each) for each in mine]
    order = [str(each) for each in (*TROUBLE, ExportState.HELD)]
    return sorted(found, key=lambda each: (order.index(each.state), -each.number))


def mine(store: Store, connection: SyncConnection, row_ids: Sequence[str]) -> list[str]:
    """Those of these work orders that belong to a connection."""
    with store.read() as transaction:
        found = rows.of_rows(transaction, connection.outsmart_account, list(row_ids))
    return [each for each in row_ids if each in found and found[each].connection_id == connection.id]


def exporting(store: Store, candidates: Sequence[SyncConnection]) -> list[SyncConnection]:
    """Those of some connections that have seen a work order, or may: they are shown a list."""
    query = select(work_order_export.c.connection_id).distinct()
    with store.read() as transaction:
        seen = set(transaction.execute(query).scalars())
    joined = (connections.State.ACTIVE, connections.State.EXPIRED)
    return [each for each in candidates if each.id in seen or each.state in joined]


def _listed(store: Store, found: Sequence[Export]) -> list[Listed]:
    packages = {each.id: each.package for each in connections.find(store)} if found else {}

    def by_line(export: Export) -> bool:
        declared = package_of(packages[export.connection_id]).exports
        return declared is not None and any(kind.by_line for kind in declared.kinds if kind.name == export.kind)

    def offers(export: Export) -> tuple[str, ...]:
        unclear = export.state is ExportState.CHANGED and export_decisions.is_unclear(store, export)
        return export_actions.offered(export, by_line=by_line(export), unclear=unclear)

    return [
        Listed(shown, export.completed_at, offers(export))
        for shown, export in zip(exports.all_shown(store, found), found, strict=True)
    ]


def _planned(store: Store, connection_id: int, row_id: str) -> tuple[Plan | Problem | None, int, bool]:
    """What the last run that staged a work order made of it: kept for some days."""
    query = (
        select(staging.c.detail, run_category.c.run_id, run_category.c.state)
        .join(run_category, run_category.c.id == staging.c.job_id)
        .where(
            run_category.c.connection_id == connection_id,
            staging.c.record == WORK_ORDER,
            staging.c.provider_id == row_id,
        )
        .order_by(staging.c.job_id.desc())
        .limit(1)
    )
    with store.read() as transaction:
        row = transaction.execute(query).one_or_none()
    if row is None or row.detail is None:
        return None, 0, False
    return export_plan.decode(row.detail), row.run_id, row.state != "previewed"
