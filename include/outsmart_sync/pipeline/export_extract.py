"""The first step of exporting: completed work orders into staging, and none of them is marked by it.

What rests and has not changed stays out, so that an idle cycle costs one call and no further step.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from sqlalchemy import update

from outsmart_sync.errors import InvalidSettings
from outsmart_sync.records.completed_work_order import ROW_ID, CompletedWorkOrder, decode, encode
from outsmart_sync.records.export_settings import TRIGGER_STATUS
from outsmart_sync.records.staged import Origin, StagedRow
from outsmart_sync.records.values import code_key
from outsmart_sync.store import exports, looked_up, runs, staged_rows
from outsmart_sync.store.exports import AT_REST, Export
from outsmart_sync.store.tables import run_category

if TYPE_CHECKING:
    from collections.abc import Iterable

    from outsmart_sync.pipeline.export_job import ExportJob
    from outsmart_sync.pipeline.export_ports import CompletedWorkOrders
    from outsmart_sync.store.store import Store

log = logging.getLogger(__name__)

WORK_ORDER = "work_order"
"""The record type under which work orders are staged and logged."""


def extract(store: Store, job: ExportJob, outsmart: CompletedWorkOrders) -> int:
    """Read and stage; returns how many work orders have something to do.

    Raises:
        ConfigurationError: OutSmart refuses our tokens.
        TransientError: OutSmart does not answer.
    """
    rows = read_work(store, job, outsmart)
    with store.begin() as connection:
        if job.options.by_hand:
            looked_up.forget_missing(connection, job.connection_id)
        runs.begin_anew(connection, job.id)
        staged = staged_rows.load(connection, job.id, rows)
        connection.execute(update(run_category).where(run_category.c.id == job.id).values(staged=staged, read=staged))
    log.info("%s work orders to look at", staged)
    return staged


def read_work(store: Store, job: ExportJob, outsmart: CompletedWorkOrders) -> list[StagedRow]:
    """The work orders that have something to do, as they are staged."""
    found = _named(job, outsmart) if job.options.codes else _listed(job, outsmart)
    with store.read() as connection:
        known = exports.of_rows(connection, job.account, list(found))
        waiting = (
            {} if job.options.codes else {each.row_id: each for each in exports.pending(connection, job.connection_id)}
        )
    rows = [
        _staged(each, Origin.PAGE)
        for row_id, each in found.items()
        if job.options.codes or not _rests(job, known.get(row_id), each)
    ]
    return rows + [
        _staged(decode(each.payload), Origin.PENDING) for row_id, each in waiting.items() if row_id not in found
    ]


def _listed(job: ExportJob, outsmart: CompletedWorkOrders) -> dict[str, CompletedWorkOrder]:
    return {each.row_id: each for each in outsmart.completed(job.text(TRIGGER_STATUS))}


def _named(job: ExportJob, outsmart: CompletedWorkOrders) -> dict[str, CompletedWorkOrder]:
    """The work orders that a person named, by number or row id; whatever their work status is.

    Raises:
        InvalidSettings: Several may be meant.
    """
    listed = list(outsmart.completed(""))
    found: dict[str, CompletedWorkOrder] = {}
    for name in job.options.codes:
        meant = {each.row_id: each for each in listed if each.is_named(name)}
        if not meant:
            meant = {each.row_id: each for each in _asked(outsmart, name) if each.finished}
        if len(meant) > 1:
            raise several(name, [(each.row_id, each.number, each.address.name) for each in meant.values()])
        found |= meant
    return found


def _asked(outsmart: CompletedWorkOrders, name: str) -> Iterable[CompletedWorkOrder]:
    row_id = name.strip().removeprefix(ROW_ID).strip()
    single = outsmart.by_row(row_id)
    numbered = outsmart.by_number(name) if row_id == name.strip() else []
    return [*([single] if single else ()), *numbered]


def several(name: str, candidates: Iterable[tuple[str, str, str]]) -> InvalidSettings:
    """The error for a name of several work orders.

    Args:
        name: What a person typed.
        candidates: Row id, number and customer of each.
    """
    ids = ", ".join(f"{ROW_ID}{row_id} (number {number}, {title})" for row_id, number, title in candidates)
    return InvalidSettings(
        f"Several work orders may be meant by '{name}'.",
        remedy=f"Name the one that is meant: {ids}.",
        code="several_work_orders",
    )


def _rests(job: ExportJob, known: Export | None, work_order: CompletedWorkOrder) -> bool:
    """Whether nothing can come of looking at a work order again."""
    if known is None or known.state not in AT_REST or known.by_itself:
        return False
    return known.fingerprint == work_order.fingerprint and known.judged_by == job.rules


def _staged(work_order: CompletedWorkOrder, origin: str) -> StagedRow:
    return StagedRow(
        record=WORK_ORDER,
        provider_id=work_order.row_id,
        version=None,
        code=work_order.number,
        code_key=code_key(work_order.number),
        title=work_order.address.name,
        payload=encode(work_order),
        content_hash=work_order.fingerprint,
        tags="",
        blocked=False,
        valid_from=None,
        valid_until=None,
        due_on=None,
        parent_id=None,
        problems="",
        origin=origin,
    )
