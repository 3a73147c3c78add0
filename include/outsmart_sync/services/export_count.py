"""How many work orders a first export would send: told before it does."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from outsmart_sync.pipeline import export_extract, export_filter
from outsmart_sync.pipeline.export_rows import Row
from outsmart_sync.pipeline.job import Options
from outsmart_sync.records.completed_work_order import decode
from outsmart_sync.records.export_catalogue import WORK_ORDERS
from outsmart_sync.services.export_doors import ExportDoors, export_job
from outsmart_sync.store import exports
from outsmart_sync.store.exports import ExportState

if TYPE_CHECKING:
    from outsmart_sync.services.gateway import Gateway
    from outsmart_sync.store.connections import SyncConnection
    from outsmart_sync.store.store import Store

_GOES = "goes"


@dataclass(frozen=True, slots=True)
class FirstExport:
    """What the next run finds.

    Attributes:
        goes: Work orders that it sends, as far as can be told without asking the package.
        held: Work orders that the rules hold.
        older: Work orders that were completed before the cut-off.
        cut_off: That moment.
    """

    goes: int
    held: int
    older: int
    cut_off: str

    def __str__(self) -> str:
        return (
            f"With the next run would go, unless the package lacks what they name: {self.goes} work orders. Held by "
            f"the rules: {self.held}. Completed before {self.cut_off}, so that they stay out: {self.older}."
        )


def first_export(store: Store, gateway: Gateway, connection: SyncConnection) -> FirstExport:
    """Look what the next run would send; one call to OutSmart, and nothing is kept.

    Raises:
        SyncError: OutSmart cannot be asked.
    """
    doors = ExportDoors(store, gateway, connection)
    try:
        job = export_job(store, connection, 0, WORK_ORDERS, Options())
        staged = export_extract.read_work(store, job, doors.outsmart)
    finally:
        doors.close()
    with store.read() as transaction:
        known = exports.of_rows(transaction, job.account, [each.provider_id for each in staged])
    found: Counter[str] = Counter()
    for each in staged:
        row = Row(0, decode(each.payload or ""), listed=True, known=known.get(each.provider_id))
        problem = export_filter.judge(job, row)
        found[_GOES if problem is None else problem.state] += 1
    return FirstExport(found[_GOES], found[ExportState.HELD], found[ExportState.OLDER], job.text("cut_off"))
