"""Keeps two documents from becoming two work orders for the same work, such as a quotation and the order made from it.

Of two that stand for the same work, the one that came first to the destination keeps the other out; each keeps out one
at most. What is in the destination already is never left out.
"""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, exists, not_, or_, select, true, update

from outsmart_sync.pipeline import scope
from outsmart_sync.pipeline.outcomes import OPEN_STATES, UNSURE, MirrorState, Outcome
from outsmart_sync.records.staged import tag, values_of
from outsmart_sync.store import dialect, staged_rows
from outsmart_sync.store.tables import mirror, staging

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

    from outsmart_sync.pipeline.job import Job
    from outsmart_sync.records.record import Record
    from outsmart_sync.records.streams import SameWork

log = logging.getLogger(__name__)

_CHUNK = 1_000
_other = mirror.alias("other")
_own = mirror.alias("own")
_row = staging.alias("row")
_NUMBERS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class _Document:
    """A document, and when it is dated."""

    provider_id: str
    code: str
    day: date | None


def judge(connection: Connection, job: Job, record: Record) -> None:
    """Leave out the rows whose work another document stands for."""
    for rule in job.category.stream_of(record.name).same_work:
        rows = _candidates(connection, job, record, rule)
        verdicts = _without(rule, rows) if rule.without else []
        named = [(row, value) for row in rows for value in values_of(row.tags, rule.tag)]
        if named:
            others = _standing(connection, job, record, rule)
            if rule.record == record.name:
                verdicts += _revised(rule, named, others)
            else:
                verdicts += _kept_out(rule, named, others, _taken(connection, job, record, rule))
        _keep(connection, job, verdicts)
        if verdicts:
            log.info("%s %s records are left out: %s", len(verdicts), record.label, rule.reason)


def released(job: Job, record: Record) -> ColumnElement[bool]:
    """Whether what a record of the mirror was left out for does not stand any more."""
    rules = job.category.stream_of(record.name).same_work
    ways = [
        and_(
            mirror.c.reason == rule.reason,
            ~exists().where(
                scope.mirrored(job, rule.record, _other),
                _other.c.provider_id == mirror.c.parent_id,
                _stands(job, rule),
            ),
        )
        for rule in rules
    ]
    return and_(mirror.c.state == MirrorState.EXCLUDED, or_(*ways))


def _stands(job: Job, rule: SameWork) -> ColumnElement[bool]:
    """Whether another document is made, perhaps made or, where that is enough, to be made."""
    unsure = and_(_other.c.state == MirrorState.WAITING, _other.c.reason == UNSURE)
    to_be = and_(_other.c.state.in_(OPEN_STATES), _other.c.source_gone_at.is_(None))
    return or_(scope.in_destination(job, _other), to_be if rule.open else unsure)


def _candidates(connection: Connection, job: Job, record: Record, rule: SameWork) -> list[Any]:
    """Rows in the running that are not in the destination."""
    there = exists().where(
        scope.mirrored(job, record.name, _own),
        _own.c.provider_id == staging.c.provider_id,
        scope.in_destination(job, _own),
    )
    tagged = true() if rule.without else dialect.contains(connection, staging.c.tags, tag(rule.tag, ""))
    query = select(staging.c.seq, staging.c.provider_id, staging.c.code, staging.c.tags, staging.c.dated_on).where(
        scope.open_rows(job, record.name), staging.c.origin != "part", not_(staging.c.blocked), tagged, not_(there)
    )
    return [row for chunk in staged_rows.chunks(connection, query, _CHUNK) for row in chunk]


def _standing(connection: Connection, job: Job, record: Record, rule: SameWork) -> dict[str, list[_Document]]:
    """Value of the tag → the documents that stand for it."""
    query = select(_other.c.provider_id, _other.c.code, _other.c.tags, _other.c.dated_on).where(
        scope.mirrored(job, rule.record, _other),
        _other.c.provider_id.is_not(None),
        dialect.contains(connection, _other.c.tags, tag(rule.tag, "")),
        _stands(job, rule),
    )
    if rule.record == record.name:  # one that this run judges anew may stand no longer
        query = query.where(or_(scope.in_destination(job, _other), ~_judged_anew(job, record)))
    found: dict[str, list[_Document]] = defaultdict(list)
    for row in connection.execute(query):
        for value in values_of(row.tags, rule.tag):
            found[value].append(_Document(row.provider_id, row.code, row.dated_on))
    for documents in found.values():
        documents.sort(key=lambda each: _natural(each.code))
    return found


def _judged_anew(job: Job, record: Record) -> ColumnElement[bool]:
    return exists().where(
        _row.c.job_id == job.id, _row.c.record == record.name, _row.c.provider_id == _other.c.provider_id
    )


def _taken(connection: Connection, job: Job, record: Record, rule: SameWork) -> dict[str, str]:
    """Document that stands for another → id of the one that is left out for it."""
    query = select(mirror.c.parent_id, mirror.c.provider_id).where(
        scope.mirrored(job, record.name),
        mirror.c.state == MirrorState.EXCLUDED,
        mirror.c.reason == rule.reason,
        mirror.c.source_gone_at.is_(None),
    )
    return {row.parent_id: row.provider_id for row in connection.execute(query)}


def _without(rule: SameWork, rows: list[Any]) -> list[dict[str, Any]]:
    return [_verdict(row, rule.without, None, None) for row in rows if not values_of(row.tags, rule.tag)]


def _revised(rule: SameWork, named: list[tuple[Any, str]], others: dict[str, list[_Document]]) -> list[dict[str, Any]]:
    """Of several of one kind, one that is there stays; else the newest of them is made."""
    verdicts, newest = [], dict[str, Any]()
    for row, value in named:
        if value not in newest or _natural(row.code) > _natural(newest[value].code):
            newest[value] = row
    for row, value in named:
        kept = next((each for each in others.get(value, []) if each.provider_id != row.provider_id), newest[value])
        if kept.provider_id != row.provider_id:
            verdicts.append(_verdict(row, rule.reason, kept.code, kept.provider_id))
    return verdicts


def _kept_out(
    rule: SameWork, named: list[tuple[Any, str]], others: dict[str, list[_Document]], taken: dict[str, str]
) -> list[dict[str, Any]]:
    """Each document that stands keeps one out: the one that it kept out before, else the first by number."""
    verdicts = []
    for row, value in sorted(named, key=lambda each: _natural(each[0].code)):
        for other in others.get(value, []):
            if (
                _fits(rule, row.dated_on, other.day)
                and taken.setdefault(other.provider_id, row.provider_id) == row.provider_id
            ):
                verdicts.append(_verdict(row, rule.reason, other.code, other.provider_id))
                break
    return verdicts


def _fits(rule: SameWork, day: date | None, other: date | None) -> bool:
    if rule.later is None or day is None or other is None:
        return True
    return other >= day if rule.later else other <= day


def _verdict(row: Any, reason: str, detail: str | None, needs: str | None) -> dict[str, Any]:
    return {"seq_": row.seq, "reason_": reason, "detail_": detail, "needs_": needs}


def _keep(connection: Connection, job: Job, verdicts: list[dict[str, Any]]) -> None:
    if verdicts:
        connection.execute(
            update(staging)
            .where(scope.staged(job), staging.c.seq == bindparam("seq_"))
            .values(
                outcome=Outcome.EXCLUDED.value,
                reason=bindparam("reason_"),
                detail=bindparam("detail_"),
                parent_id=bindparam("needs_"),
            ),
            verdicts,
        )


def _natural(code: str) -> list[int]:
    """Order of numbers: 2 before 10."""
    return [int(each) for each in _NUMBERS.findall(code or "")]
