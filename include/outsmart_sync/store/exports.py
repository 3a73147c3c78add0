"""Where each work order stands on its way into the books: one row per work order of an OutSmart account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, or_, select, update

from outsmart_sync.records.completed_work_order import ROW_ID, decode
from outsmart_sync.store import dialect
from outsmart_sync.store.ledger import COPY
from outsmart_sync.store.tables import ledger
from outsmart_sync.store.tables import work_order_export as table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy import ColumnElement, Connection, Row


class ExportState(StrEnum):
    """Where a work order stands."""

    WAITING = "waiting"
    """It goes with the next run."""
    SENDING = "sending"
    """It is being exported; the document may be there, and steps behind it may be missing."""
    DONE = "done"
    """The document is there, and OutSmart was told."""
    UNCERTAIN = "uncertain"
    """Sent without a clear answer: nobody knows whether the document is there."""
    DIFFERS = "differs"
    """The document is there, and the package's total is another one."""
    FAILED = "failed"
    HELD = "held"
    """It is not sent until a person says so."""
    OLDER = "older"
    """Completed before exports began."""
    CHANGED = "changed"
    """The document is there, and the work order was changed while it was exported, or afterwards."""


AT_REST = (
    ExportState.DONE,
    ExportState.DIFFERS,
    ExportState.HELD,
    ExportState.OLDER,
    ExportState.CHANGED,
    ExportState.FAILED,
)
"""States in which nothing happens by itself while neither the work order nor the settings change."""

ON_THE_WAY = (ExportState.WAITING, ExportState.SENDING, ExportState.UNCERTAIN)


class Decision(StrEnum):
    """What a person said about a work order."""

    HOLD = "hold"
    """Do not send it."""
    SEND = "send"
    """Send it; what holds it may be lifted, see ``released``."""
    ACCEPT = "accept"
    """The document is right as it is, whatever its total."""
    UPDATE = "update"
    """Bring the document that is there to what the work order says now."""


@dataclass(frozen=True, slots=True)
class Export:
    """One work order's row; the columns are explained in ``tables.py``."""

    account: str
    row_id: str
    connection_id: int
    number: str
    title: str
    payload: str
    fingerprint: str
    judged_by: str
    kind: str
    state: ExportState
    reason: str
    cause: str
    remedy: str
    by_itself: bool
    decision: str
    released: str
    copy: int
    sent: str
    remote_id: str
    remote_number: str
    expected: Decimal | None
    actual: Decimal | None
    marked: str
    invoice: str
    invoice_number: str
    booked: bool
    paid: bool
    told: str
    run_id: int
    changed_at: datetime
    completed_at: datetime | None

    def is_released(self, reason: str) -> bool:
        """Whether a person said that it goes although this held it."""
        return reason in self.released.split(",")

    def releasing(self, *reasons: str) -> str:
        """The reasons that are lifted once these are, too."""
        return ",".join(sorted({*filter(None, self.released.split(",")), *filter(None, reasons)}))

    @property
    def key(self) -> str:
        """The key of its document in the ledger: a deliberate second one has its own."""
        return self.row_id if self.copy == 1 else f"{self.row_id}{COPY}{self.copy}"


NUMBERS_APART = ", "
"""Between the numbers of the invoices that one document became."""

_NAMES = tuple(Export.__slots__)
_CHUNK = 500


def of_rows(connection: Connection, account: str, row_ids: Sequence[str]) -> dict[str, Export]:
    """The rows of these work orders, by row id."""
    found: dict[str, Export] = {}
    for start in range(0, len(row_ids), _CHUNK):
        chosen = table.c.row_id.in_(row_ids[start : start + _CHUNK])
        found |= {each.row_id: each for each in _select(connection, table.c.account == account, chosen)}
    return found


def of_number(connection: Connection, account: str, number: str) -> list[Export]:
    """The rows that a person may mean: by number or row id, or only by row id where it is ``id:`` with that."""
    row_id = number.removeprefix(ROW_ID).strip()
    named = table.c.row_id == row_id
    if row_id == number:
        named = or_(named, table.c.number == number)
    return _select(connection, table.c.account == account, named)


INVOICE_OF = "invoice_of"
"""The ledger's word for an invoice that a document became, or a part of it; its key is the document's and its own."""


def of_remote(connection: Connection, account: str, connection_id: int, remote_ids: Sequence[str]) -> list[Export]:
    """The rows whose documents, or one of whose invoices, have these ids."""
    found: list[Export] = []
    for start in range(0, len(remote_ids), _CHUNK):
        ids = remote_ids[start : start + _CHUNK]
        invoices = select(ledger.c.key).where(
            ledger.c.account == account, ledger.c.kind == INVOICE_OF, ledger.c.remote_id.in_(ids)
        )
        keys = {key.rpartition("/")[0] for key in connection.execute(invoices).scalars()}
        invoiced = table.c.row_id.in_({key.partition(COPY)[0] for key in keys})
        named = or_(table.c.remote_id.in_(ids), table.c.invoice.in_(ids), invoiced)
        rows = _select(connection, table.c.account == account, table.c.connection_id == connection_id, named)
        # A line may be of another document of the same work order.
        found += [each for each in rows if each.key in keys or each.remote_id in ids or each.invoice in ids]
    return found


def pending(connection: Connection, connection_id: int) -> list[Export]:
    """Rows with which something may happen although OutSmart does not list them.

    They are on the way, or failed for something that may be there by now.
    """
    failed = and_(table.c.state == ExportState.FAILED, table.c.by_itself)
    return _select(connection, table.c.connection_id == connection_id, or_(table.c.state.in_(ON_THE_WAY), failed))


def of_invoices(connection: Connection, connection_id: int, numbers: Iterable[str]) -> dict[str, set[str]]:
    """Number of an invoice that a work order's document was turned into → row ids of the work orders."""
    wanted, found = set(numbers), dict[str, set[str]]()
    known = table.c.invoice_number
    ways = [known.contains(NUMBERS_APART), *(known.in_(some) for some in _some(sorted(wanted)))]
    for way in ways if wanted else ():
        query = select(known, table.c.row_id).where(table.c.connection_id == connection_id, way)
        for row in connection.execute(query):
            for number in wanted.intersection(row.invoice_number.split(NUMBERS_APART)):
                found.setdefault(number, set()).add(row.row_id)
    return found


def _some(values: Sequence[str]) -> Iterator[Sequence[str]]:
    """Values, so many at a time as a statement may name."""
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]


GONE = "gone"
"""Reason of a row whose document was deleted at the package."""


def is_open(connection_id: int) -> ColumnElement[bool]:
    """Rows of a connection with a document of which it is not known that it is paid."""
    return and_(
        table.c.connection_id == connection_id,
        table.c.remote_id != "",
        table.c.paid.is_(False),
        table.c.reason != GONE,
    )


def open_since(connection: Connection, connection_id: int) -> date | None:
    """A day before which no document was sent that is not known to be paid; None: there is none.

    It is told by the ledger. Where nothing was made, since an imported order took what it has, it is the day of the
    work: no bill of it is older.
    """
    sent = (
        select(func.min(ledger.c.begun_at))
        .where(
            ledger.c.account == table.c.account,
            ledger.c.kind == table.c.kind,
            ledger.c.remote_id == table.c.remote_id,
        )
        .scalar_subquery()
    )
    days = []
    for payload, begun, changed in connection.execute(
        select(table.c.payload, sent, table.c.changed_at).where(is_open(connection_id))
    ):
        order = decode(payload)
        days.append(begun.date() if begun else min(filter(None, (order.day, order.end_day, changed.date()))))
    return min(days, default=None)


def untold(connection: Connection, connection_id: int) -> list[Export]:
    """Rows whose invoice OutSmart has not been told of."""
    return _select(
        connection,
        table.c.connection_id == connection_id,
        or_(
            and_(table.c.paid, table.c.told != "paid"),
            and_(table.c.booked, table.c.told == ""),
        ),
    )


def listed(
    connection: Connection,
    *,
    connection_id: int | None = None,
    states: Iterable[str] = (),
    limit: int | None = 100,
    offset: int = 0,
    oldest_work: bool = False,
) -> list[Export]:
    """The rows that changed last, or those whose work was completed first; where nobody says when, last."""
    conditions: list[ColumnElement[bool]] = []
    if connection_id is not None:
        conditions.append(table.c.connection_id == connection_id)
    if chosen := list(states):
        conditions.append(table.c.state.in_(chosen))
    return _select(connection, *conditions, limit=limit, offset=offset, oldest_work=oldest_work)


def oldest(connection: Connection, connection_ids: Iterable[int], states: Iterable[str]) -> list[Export]:
    """Of each connection the row in one of the states whose work was completed first, if there is any."""
    order = (table.c.completed_at.is_(None), table.c.completed_at, table.c.row_id)
    place = func.row_number().over(partition_by=table.c.connection_id, order_by=order).label("place")
    ranked = (
        select(*(table.c[name] for name in _NAMES), place)
        .where(table.c.connection_id.in_(list(connection_ids)), table.c.state.in_(list(states)))
        .subquery()
    )
    query = select(*(ranked.c[name] for name in _NAMES)).where(ranked.c.place == 1)
    return [_of(row) for row in connection.execute(query)]


def causes(connection: Connection, connection_id: int, states: Iterable[str]) -> list[tuple[str, int, str, str]]:
    """(State, number of work orders, cause and remedy of one of them) for each state and reason."""
    example = func.max(table.c.row_id)
    groups = (
        select(table.c.state, table.c.reason, func.count().label("number"), example.label("example"))
        .where(table.c.connection_id == connection_id, table.c.state.in_(list(states)))
        .group_by(table.c.state, table.c.reason)
        .subquery()
    )
    one = and_(table.c.connection_id == connection_id, table.c.row_id == groups.c.example)
    query = select(groups.c.state, groups.c.number, table.c.cause, table.c.remedy).join(table, one)
    return [(row.state, row.number, row.cause, row.remedy) for row in connection.execute(query)]


def totals(connection: Connection, connection_ids: Iterable[int]) -> dict[int, dict[str, int]]:
    """Connection → state → its work orders."""
    ids = list(connection_ids)
    key = (table.c.connection_id, table.c.state)
    found: dict[int, dict[str, int]] = {each: {} for each in ids}
    query = select(*key, func.count()).where(table.c.connection_id.in_(ids)).group_by(*key)
    for connection_id, state, number in connection.execute(query):
        found[connection_id][str(state)] = number
    return found


def put(connection: Connection, account: str, row_id: str, **values: Any) -> None:
    """Insert or change a row; a new one must name connection, number, payload, fingerprint, state and run."""
    values["changed_at"] = dialect.now(connection)
    changed = connection.execute(
        update(table).where(table.c.account == account, table.c.row_id == row_id).values(**values)
    )
    if changed.rowcount == 0:
        connection.execute(table.insert().values(account=account, row_id=row_id, **values))


def settle(
    connection: Connection, export: Export, state: ExportState, *, run_id: int, reason: str = "", **values: Any
) -> None:
    """Move a row to a state; what is not named about the reason is emptied."""
    plain = {"cause": "", "remedy": "", "by_itself": False}
    put(connection, export.account, export.row_id, state=state.value, reason=reason, run_id=run_id, **plain | values)


def _select(
    connection: Connection,
    *conditions: ColumnElement[bool],
    limit: int | None = None,
    offset: int = 0,
    oldest_work: bool = False,
) -> list[Export]:
    order = (table.c.completed_at.is_(None), table.c.completed_at) if oldest_work else (table.c.changed_at.desc(),)
    query = (
        select(*(table.c[name] for name in _NAMES))
        .where(*conditions)
        .order_by(*order, table.c.row_id)
        .limit(limit)
        .offset(offset)
    )
    return [_of(row) for row in connection.execute(query)]


def _of(row: Row[Any]) -> Export:
    values = dict(zip(_NAMES, row, strict=True))
    return Export(**{**values, "state": ExportState(values["state"])})
