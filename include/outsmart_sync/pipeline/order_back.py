"""A work order that came from an imported order goes back to that order: what was used beyond it is added there.

What was ordered and used alike stays as it is; another quantity is set; the rest is appended. Delivered quantities and
the order's own reference are never touched.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from msgspec.structs import replace
from sqlalchemy import select

from outsmart_sync.pipeline import money
from outsmart_sync.pipeline.composing import require_not_negative
from outsmart_sync.pipeline.export_rows import is_begun
from outsmart_sync.records.export_document import ExistingOrder, Line, LineKind, OrderLine
from outsmart_sync.records.export_plan import Plan, Problem, Quantity, Stopped
from outsmart_sync.records.export_update import Agreed, decode_agreed
from outsmart_sync.records.values import code_key
from outsmart_sync.store import ledger
from outsmart_sync.store.exports import ExportState
from outsmart_sync.store.tables import mirror

if TYPE_CHECKING:
    from collections.abc import Callable

    from outsmart_sync.pipeline.export_job import ExportJob
    from outsmart_sync.pipeline.export_ports import Exporter
    from outsmart_sync.pipeline.export_rows import Row
    from outsmart_sync.store.store import Store

ORDER_QUANTITY = "order_quantity"
"""The ledger's word for the quantity of a line that was ordered."""

_NOT_USED = "ordered_not_used"


def to_its_order(store: Store, job: ExportJob, row: Row, plan: Plan, exporter: Callable[[], Exporter]) -> Plan:
    """A plan that goes back to the order that the work order came from; the same plan where it came from none.

    Raises:
        Stopped: The order takes nothing any more, or a person must decide.
    """
    number = row.work_order.number
    record = job.order_type(number)
    if not record:
        return plan
    order_id = _order_id(store, job, record, number)
    if order_id is None:
        raise _held(
            "order_unknown",
            f"Work order {number} came from an order that this administration does not know: it was imported from "
            "another one, or before the connection was made.",
            "Bill it there by hand and hold it here.",
        )
    order = exporter().order(order_id)
    if order is None:
        raise _held("order_gone", f"The order that work order {number} came from is gone.", "Bill it by hand.")
    merged, ordered = _merged(plan, order, _agreed(store, job, row))
    if order.closed and not _finished_before(order, merged, row):
        name = order.made.number or order.made.remote_id
        raise _held(
            "order_closed",
            f"Work order {number} came from order {name}, which is {order.closed}: it takes no more lines.",
            "Bill what was used by hand, then hold the work order here.",
        )
    if ordered and not (row.known is not None and row.known.is_released(_NOT_USED)):
        texts = ", ".join(line.text or line.article for line in ordered)
        raise _held(
            _NOT_USED,
            f"Work order {number} has no line for what its order names: {texts}.",
            "If those lines stay on the order: outsmart-sync export release. Else take them off the order first.",
        )
    require_not_negative(job, merged.document.total)
    return merged


def _agreed(store: Store, job: ExportJob, row: Row) -> dict[str, Agreed]:
    """Id of a line of the order → what the ledger has of it."""
    with store.read() as connection:
        known = ledger.of_prefix(connection, job.account, ORDER_QUANTITY, f"{row.key}/")
    return {line.remote_id: decode_agreed(line.content) for line in known if line.content}


def _merged(plan: Plan, order: ExistingOrder, agreed: Mapping[str, Agreed]) -> tuple[Plan, list[OrderLine]]:
    """What is appended, and which lines bill what was used; and what was ordered and not used."""
    ordered = [line for line in order.lines if not line.token]
    lines = [line for line in plan.document.lines if line.kind is not LineKind.TEXT]
    pairs = _paired(lines, ordered, agreed)
    appended = [line for line in lines if line.key not in pairs]
    quantities = [_quantity(pairs[line.key], line, agreed) for line in lines if line.key in pairs]
    taken = {each.line_id for each in quantities}
    ordered = [line for line in ordered if line.remote_id not in taken]
    remote_id = order.made.remote_id
    merged = replace(
        plan,
        document=replace(
            plan.document, append_to=remote_id, lines=appended, total=expected(order, appended, quantities)
        ),
        quantities=quantities,
        calls=plan.calls + len(appended) + sum(each.changes for each in quantities) + 1,
    )
    return merged, ordered


def _paired(lines: Sequence[Line], ordered: Iterable[OrderLine], agreed: Mapping[str, Agreed]) -> dict[str, OrderLine]:
    """Name of a line of the work order → the order's line that bills it.

    What was paired before stays so, also where the office gave the line another price. Where a package knows lines by
    their place, another line may stand there by now: one that says what a line without its own does is left to that.
    """
    free, pairs = list(ordered), dict[str, OrderLine]()

    def pair(fits: Callable[[OrderLine, Line], bool]) -> None:
        for line in lines:
            found = None if line.key in pairs else next((each for each in free if fits(each, line)), None)
            if found is not None:
                free.remove(found)
                pairs[line.key] = found

    def was_paired(there: OrderLine, line: Line) -> bool:
        known = agreed.get(there.remote_id)
        return known is not None and known.key == line.key and known.article == there.article == line.article

    pair(lambda there, line: was_paired(there, line) and _alike(there, line))
    lost = [line for line in lines if line.key not in pairs and not any(was_paired(each, line) for each in free)]
    pair(lambda there, line: was_paired(there, line) and not any(_alike(there, each) for each in lost))
    pair(_alike)
    return pairs


def _quantity(there: OrderLine, line: Line, agreed: Mapping[str, Agreed]) -> Quantity:
    known = agreed.get(there.remote_id)
    same = Agreed(quantity=line.quantity, key=line.key, article=line.article)
    edited = known is not None and there.quantity not in (known.quantity, known.becoming)
    return Quantity(
        there.remote_id, there.quantity, line.quantity, line.key, line.article, edited=edited, noted=known == same
    )


def expected(order: ExistingOrder, appended: Iterable[Line], quantities: Iterable[Quantity]) -> Decimal | None:
    """What the order comes to once everything is there; None: the package computes some of it."""
    used = {each.line_id: each.used for each in quantities if each.used != each.ordered}
    amounts: list[Decimal | None] = [
        money.amount_of(used[line.remote_id], line.price) if line.remote_id in used else line.amount
        for line in order.lines
        if not line.token
    ]
    return money.total_of([*amounts, *(line.amount for line in appended)])


def _alike(ordered: OrderLine, line: Line) -> bool:
    if ordered.article != line.article or line.kind is not LineKind.MATERIAL:
        return False
    net = _net_price(line)
    return (net is None or money.cents(net) == money.cents(ordered.price)) and not ordered.token


def says(there: OrderLine, line: Line) -> bool:
    """Whether a line of an order bills what one of ours does: article, quantity and price, in cents."""
    net = _net_price(line)
    same_price = net is None or money.cents(net) == money.cents(there.price)
    return there.article == line.article and there.quantity == line.quantity and same_price


def _net_price(line: Line) -> Decimal | None:
    """What one comes to, without VAT; None: the package computes it."""
    if line.vat_included and line.amount is not None and line.quantity:
        return line.amount / line.quantity
    return None if line.price is None else line.price * (1 - line.discount)


def _finished_before(order: ExistingOrder, merged: Plan, row: Row) -> bool:
    """Whether it was begun before and all of it is there, so that it needs nothing of the order any more."""
    there = {line.token for line in order.lines}
    begun = row.known is not None and is_begun(row.known)
    changes = any(each.changes for each in merged.quantities)
    return begun and not changes and {line.token for line in merged.document.lines} <= there


def _order_id(store: Store, job: ExportJob, record: str, number: str) -> str | None:
    query = select(mirror.c.provider_id).where(
        mirror.c.connection_id == job.connection_id,
        mirror.c.record == record,
        mirror.c.code_key == code_key(number),
        mirror.c.provider_id.is_not(None),
    )
    with store.read() as connection:
        found = list(connection.execute(query).scalars())
    return str(found[0]) if len(found) == 1 else None


def _held(reason: str, cause: str, remedy: str) -> Stopped:
    return Stopped(Problem(state=ExportState.HELD, reason=reason, cause=cause, remedy=remedy))
