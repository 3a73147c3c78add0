"""What an import would do, record by record, before anything is written: the rows that a preview has staged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from outsmart_sync.pipeline import guards
from outsmart_sync.pipeline.outcomes import TWO_FIRMS, MirrorState, Outcome, explain
from outsmart_sync.providers.packages import package as package_of
from outsmart_sync.records.values import decode
from outsmart_sync.store import runs
from outsmart_sync.store.runs import CategoryRun, RunState
from outsmart_sync.store.tables import mirror, run_category, staging

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from outsmart_sync.records.catalogue import ImportCategory
    from outsmart_sync.records.record import Record
    from outsmart_sync.store.connections import SyncConnection
    from outsmart_sync.store.store import Store

ALIKE = "alike"
"""Beside the outcomes: records that would be made, and that OutSmart likely has under another code."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """What would become of one record.

    Attributes:
        record: Record type.
        provider_id: The package's id.
        code: Its code there.
        title: What a person recognises it by.
        text: Why.
        remedy: What to do.
        outsmart_code: Code of OutSmart's record that is meant; '' when there is none.
        outsmart_title: What that one is recognised by.
    """

    record: str
    provider_id: str
    code: str
    title: str
    text: str
    remedy: str
    outsmart_code: str
    outsmart_title: str


@dataclass(frozen=True, slots=True)
class CategoryReport:
    """What would become of a category's records.

    Attributes:
        run: How its preview went.
        outcomes: Outcome → number; ``alike`` is a part of ``create``.
    """

    run: CategoryRun
    outcomes: dict[str, int]


def latest(store: Store, connection: SyncConnection) -> list[CategoryReport]:
    """The newest preview of each category of a connection whose rows are still there, in the package's order."""
    found = {run.category: run for run in _newest(store, connection)}
    reports = [
        CategoryReport(found[category.name], _outcomes(store, connection, category, found[category.name].id))
        for category in package_of(connection.package).imports
        if category.name in found
    ]
    return [each for each in reports if each.outcomes or not each.run.staged]


def newest(store: Store, connection: SyncConnection, category: str) -> CategoryRun | None:
    """The newest preview of one category."""
    return next(iter(_newest(store, connection, run_category.c.category == category)), None)


def _newest(store: Store, connection: SyncConnection, *where: ColumnElement[bool]) -> list[CategoryRun]:
    query = (
        select(func.max(run_category.c.id))
        .where(run_category.c.connection_id == connection.id, run_category.c.state == RunState.PREVIEWED, *where)
        .group_by(run_category.c.category)
    )
    with store.read() as transaction:
        jobs = list(transaction.execute(query).scalars())
    return [run for job in jobs if (run := runs.category_run(store, job))]


def _outcomes(store: Store, connection: SyncConnection, category: ImportCategory, job_id: int) -> dict[str, int]:
    query = (
        select(staging.c.outcome, func.count().label("number"))
        .where(staging.c.job_id == job_id, staging.c.outcome.is_not(None))
        .group_by(staging.c.outcome)
    )
    with store.read() as transaction:
        counted = {row.outcome: row.number for row in transaction.execute(query)}
    if counted.get(Outcome.CREATE) and (pairs := alike(store, connection, category, job_id)):
        counted[ALIKE] = len(pairs)
    return counted


def listed(
    store: Store, connection: SyncConnection, run: CategoryRun, outcome: str, *, limit: int = 50, offset: int = 0
) -> list[Proposed]:
    """Records of a category's preview with one outcome, or those that are alike; some at a time."""
    if outcome != ALIKE:
        return proposed(store, run.id, outcome, limit=limit, offset=offset)
    category = package_of(connection.package).category(run.category)
    return alike(store, connection, category, run.id)[offset : offset + limit]


def proposed(store: Store, job_id: int, outcome: str, *, limit: int = 50, offset: int = 0) -> list[Proposed]:
    """Records of a preview with one outcome, in the order in which they were read.

    Args:
        store: The store.
        job_id: Number of the category's preview.
        outcome: Which outcome.
        limit: At most so many.
        offset: Skip so many.
    """
    query = (
        select(
            *(staging.c[name] for name in ("record", "provider_id", "code", "title", "reason", "detail")),
            mirror.c.code.label("other_code"),
            mirror.c.outsmart,
        )
        .outerjoin(mirror, mirror.c.id == staging.c.mirror_id)
        .where(staging.c.job_id == job_id, staging.c.outcome == outcome)
        .order_by(staging.c.seq)
        .limit(limit)
        .offset(offset)
    )
    with store.read() as transaction:
        return [_proposed(row) for row in transaction.execute(query)]


def _proposed(row: Any) -> Proposed:
    text, remedy = explain(row.reason, row.detail)
    code = (row.code or "").strip()
    there = row.other_code.strip() if row.outsmart is not None else ""
    if row.reason == TWO_FIRMS:  # kept from OutSmart's record, which has the same code
        there = code
    return Proposed(row.record, row.provider_id, code, row.title or "", text, remedy, there, "")


def alike(store: Store, connection: SyncConnection, category: ImportCategory, job_id: int) -> list[Proposed]:
    """Records that would be made although OutSmart likely has them: same registration number, or name and postcode."""
    found: list[Proposed] = []
    for record in category.records:
        if record.identity is not None:
            found += _alike(store, connection, record, job_id)
    return found


def _alike(store: Store, connection: SyncConnection, record: Record, job_id: int) -> list[Proposed]:
    if record.identity is None:
        return []
    free = select(mirror.c.code, mirror.c.outsmart).where(
        mirror.c.connection_id == connection.id,
        mirror.c.record == record.name,
        mirror.c.state == MirrorState.OUTSMART_ONLY,
        mirror.c.provider_id.is_(None),
        mirror.c.outsmart.is_not(None),
    )
    new = select(staging).where(
        staging.c.job_id == job_id, staging.c.record == record.name, staging.c.outcome == Outcome.CREATE
    )
    known: dict[tuple[str, str], tuple[str, str]] = {}
    found = []
    with store.read() as transaction:
        for row in transaction.execute(free):
            payload = decode(row.outsmart)
            for mark in guards.fingerprints(record.identity, payload):
                known.setdefault(mark, (row.code.strip(), str(payload.get(record.title, ""))))
        for row in transaction.execute(new) if known else ():
            marks = guards.fingerprints(record.identity, decode(row.payload))
            there = next((known[mark] for mark in sorted(marks) if mark in known), None)
            if there is not None:
                code, title = (row.code or "").strip(), row.title or ""
                found.append(Proposed(record.name, row.provider_id, code, title, "", "", *there))
    return found
