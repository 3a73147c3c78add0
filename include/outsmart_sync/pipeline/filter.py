"""Step 2, filter: leave out what the settings exclude, reject what OutSmart would refuse, with reason and remedy.

Each rule is one statement over the staged rows that are still in the running; the first rule that fits counts. The step
may be run again: it begins by taking back every decision.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import and_, exists, func, not_, or_, select, true, update

from outsmart_sync.pipeline import entries, invoices, marks, ranking, references, same_work, scope
from outsmart_sync.pipeline.outcomes import MISSING_FIELD, MirrorState, Outcome
from outsmart_sync.records.record import UNREADABLE
from outsmart_sync.records.setting_kinds import Choice, StartDate, Switch
from outsmart_sync.records.staged import CURRENCY, LEFT_OUT, Origin, tag
from outsmart_sync.records.streams import OTHER_CURRENCY, DerivedStream
from outsmart_sync.records.values import decode
from outsmart_sync.store import dialect, ledger, staged_rows
from outsmart_sync.store.tables import mirror, staging

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

    from outsmart_sync.pipeline.job import Job
    from outsmart_sync.records.record import Record
    from outsmart_sync.store.store import Store

log = logging.getLogger(__name__)

_CHUNK = 1_000
_NO_PARENT = "no_parent"
_parent_row = staging.alias("parent_row")
_parent = mirror.alias("parent")


def filter_rows(store: Store, job: Job) -> None:
    """Decide about every staged row that need not be matched."""
    with store.begin() as connection:
        _take_back(connection, job)
        for record in job.category.records:
            ranking.bring_rivals(connection, job, record)
            _by_origin(connection, job, record)
            _by_switch(connection, job, record)
            _by_choices(connection, job, record)
            _by_itself(connection, job, record)
            if record.keys and job.category.stream_of(record.name).valid:
                references.name(connection, job, record, staging.c.outcome.is_(None))
            _by_use(connection, job, record)
            _by_exports(connection, job, record)
            same_work.judge(connection, job, record)
            if record.amount:
                entries.leave_out_untold(connection, job, record, _known(job, record))
            if references.judge(connection, job, record, staging.c.outcome.is_(None)):
                log.info("Some %s records wait for others", record.label)
                invoices.explain(connection, job, record)
            _decide(connection, job, record, staging.c.code_key == "", Outcome.REJECTED, "code_missing")
            if record.parent is not None:
                _by_parent(connection, job, record)
            _by_problems(connection, job, record)
            entries.take_back_unclear(connection, job, record)
            ranking.choose(connection, job, record)


def _take_back(connection: Connection, job: Job) -> None:
    connection.execute(
        update(staging)
        .where(scope.staged(job), or_(staging.c.outcome.is_not(None), staging.c.mirror_id.is_not(None)))
        .values(outcome=None, reason=None, detail=None, mirror_id=None)
    )
    marks.forget(connection, job)


def _decide(
    connection: Connection,
    job: Job,
    record: Record,
    condition: ColumnElement[bool],
    outcome: Outcome,
    reason: str | ColumnElement[str],
    detail: ColumnElement[str] | None = None,
) -> None:
    decided = connection.execute(
        update(staging)
        .where(scope.open_rows(job, record.name), condition)
        .values(outcome=outcome, reason=reason, detail=detail)
    )
    if decided.rowcount:
        log.info(
            "%s %s records %s: %s", decided.rowcount, record.label, outcome, reason if isinstance(reason, str) else ""
        )


def _by_origin(connection: Connection, job: Job, record: Record) -> None:
    deleted, left = staging.c.origin == Origin.DELETED, staging.c.origin == Origin.LEFT
    _decide(connection, job, record, deleted, Outcome.DELETED, "deleted_at_source")
    elsewhere = job.category.stream_of(record.name).elsewhere
    _decide(connection, job, record, left, Outcome.EXCLUDED, elsewhere or "not_chosen")


def _by_switch(connection: Connection, job: Job, record: Record) -> None:
    """What follows from records only while a switch is on."""
    stream = job.category.stream_of(record.name)
    if isinstance(stream, DerivedStream) and stream.when and not job.settings.get(stream.when):
        _decide(connection, job, record, true(), Outcome.EXCLUDED, "switched_off")


def _by_choices(connection: Connection, job: Job, record: Record) -> None:
    """A choice looks at one record type, mostly the main one; its children follow it.

    A start date looks at what bears a date, and leaves alone what is there.
    """
    for choice in job.category.filters:
        chosen = job.settings.get(choice.name)
        if isinstance(choice, Choice) and chosen and job.category.chooses(choice, record):
            keeps = [dialect.contains(connection, staging.c.tags, tag(choice.tag, value) + "|") for value in chosen]
            _decide(connection, job, record, not_(or_(*keeps)), Outcome.EXCLUDED, choice.reason)
        elif isinstance(choice, StartDate):
            early = staging.c.dated_on < job.starts_on
            _decide(connection, job, record, and_(early, not_(_known(job, record))), Outcome.EXCLUDED, choice.reason)


def _by_itself(connection: Connection, job: Job, record: Record) -> None:
    """What is never imported, whatever was chosen; of what is there already, OutSmart is told the last day."""
    stream, lets = job.category.stream_of(record.name), _lets(job)
    for reason in stream.left_out.reasons if stream.left_out else ():
        if reason in lets:
            continue
        marked = dialect.contains(connection, staging.c.tags, tag(LEFT_OUT, reason) + "|")
        _decide(connection, job, record, marked, Outcome.EXCLUDED, reason)
    if stream.currency and job.currency:
        known = dialect.contains(connection, staging.c.tags, tag(CURRENCY, ""))
        own = dialect.contains(connection, staging.c.tags, tag(CURRENCY, job.currency) + "|")
        _decide(connection, job, record, and_(known, not_(own)), Outcome.EXCLUDED, OTHER_CURRENCY)


def _by_use(connection: Connection, job: Job, record: Record) -> None:
    """Blocked and ended records do not come in, but those that are there already are told so."""
    lets = _lets(job)
    new = not_(_known(job, record))
    if "blocked" not in lets:
        _decide(connection, job, record, and_(staging.c.blocked, new), Outcome.EXCLUDED, "blocked")
    if "inactive" not in lets:
        _decide(connection, job, record, and_(scope.out_of_dates(job), new), Outcome.EXCLUDED, "inactive")


def _lets(job: Job) -> set[str]:
    """What switches that are on let through."""
    return {
        switch.lets for switch in job.category.filters if isinstance(switch, Switch) and job.settings.get(switch.name)
    }


def _by_exports(connection: Connection, job: Job, record: Record) -> None:
    """What our own export made, or is just making, is no news from the package."""
    kind = job.category.stream_of(record.name).exported_as
    if kind and job.account:
        own = ledger.is_own_export(connection, job.account, kind)
        _decide(connection, job, record, own, Outcome.EXCLUDED, "own_export")


def _known(job: Job, record: Record) -> ColumnElement[bool]:
    """Whether the destination has the record already: by our link, or by its code."""
    same_id = mirror.c.provider_id == staging.c.provider_id
    same_code = and_(staging.c.code_key != "", mirror.c.code_key == staging.c.code_key, scope.vacant(job))
    there = scope.in_destination(job)
    return or_(
        exists().where(scope.mirrored(job, record.name), same_id, there),
        exists().where(scope.mirrored(job, record.name), same_code, there),
    )


def _by_parent(connection: Connection, job: Job, record: Record) -> None:
    """A child goes only where its parent is or goes; else it says which parent it is about."""
    if record.parent is None:
        return
    in_run = and_(
        _parent_row.c.job_id == staging.c.job_id,
        _parent_row.c.record == record.parent.record,
        _parent_row.c.provider_id == staging.c.parent_id,
    )
    in_mirror = and_(scope.mirrored(job, record.parent.record, _parent), _parent.c.provider_id == staging.c.parent_id)
    staged_open = exists().where(in_run, _parent_row.c.outcome.is_(None))
    there = or_(
        exists().where(in_mirror, scope.in_destination(job, _parent)),
        # Not linked yet, but OutSmart has a record with the parent's code, whatever is wrong with the parent's own row.
        exists().where(
            in_run,
            scope.mirrored(job, record.parent.record, _parent),
            _parent.c.code_key == _parent_row.c.code_key,
            scope.vacant(job, _parent),
            scope.in_destination(job, _parent),
        ),
    )
    # The few without a parent to go with are set apart first, so that only they are looked at more closely.
    connection.execute(
        update(staging)
        .where(scope.open_rows(job, record.name), not_(staged_open), not_(there))
        .values(reason=_NO_PARENT)
    )
    alone = staging.c.reason == _NO_PARENT
    left_out = or_(
        exists().where(in_run, _parent_row.c.outcome == Outcome.EXCLUDED),
        and_(not_(exists().where(in_run)), exists().where(in_mirror, _parent.c.state == MirrorState.EXCLUDED)),
    )
    unknown = not_(or_(exists().where(in_run), exists().where(in_mirror)))
    code = _parent_code(in_run, in_mirror)
    _decide(connection, job, record, and_(alone, left_out), Outcome.EXCLUDED, "parent_excluded", code)
    _decide(connection, job, record, and_(alone, unknown), Outcome.WAITING, "parent_missing")
    _decide(connection, job, record, alone, Outcome.WAITING, "parent_open", code)


def _parent_code(in_run: ColumnElement[bool], in_mirror: ColumnElement[bool]) -> ColumnElement[str]:
    staged = select(func.min(_parent_row.c.code)).where(in_run).scalar_subquery()
    kept = select(func.min(_parent.c.code)).where(in_mirror).scalar_subquery()
    return func.coalesce(staged, kept)


def _by_problems(connection: Connection, job: Job, record: Record) -> None:
    """Reject what lacks a field, unless OutSmart has a value for it: an empty value at the source wipes nothing."""
    query = select(staging.c.seq, staging.c.problems, scope.held(job, record.name).label("outsmart")).where(
        scope.open_rows(job, record.name), staging.c.problems != ""
    )
    rejected = 0
    for rows in staged_rows.chunks(connection, query, _CHUNK):
        # A handful of different refusals, so a handful of statements.
        refusals: dict[tuple[str, str], list[int]] = defaultdict(list)
        for row in rows:
            there = decode(row.outsmart) if row.outsmart else {}
            problems = [problem for problem in row.problems.split(",") if problem not in there]
            if problems:
                refusals[_refusal(record, problems)].append(row.seq)
        for (reason, detail), seqs in refusals.items():
            rejected += len(seqs)
            connection.execute(
                update(staging)
                .where(scope.staged(job), staging.c.seq.in_(seqs))
                .values(outcome=Outcome.REJECTED, reason=reason, detail=detail)
            )
    if rejected:
        log.info("%s %s records rejected: a field that OutSmart needs is empty or too long", rejected, record.label)


def _refusal(record: Record, problems: Sequence[str]) -> tuple[str, str]:
    missing, too_long = [], []
    unreadable = [problem.removesuffix(UNREADABLE) for problem in problems if problem.endswith(UNREADABLE)]
    if unreadable:
        return "unreadable", ", ".join(record.field(name).label if name else "a date or a type" for name in unreadable)
    for problem in problems:
        name, _, length = problem.partition(">")
        label = record.field(name).label
        if length:
            too_long.append(f"{label} (at most {length} characters)")
        else:
            missing.append(label)
    return (MISSING_FIELD, ", ".join(missing)) if missing else ("too_long", ", ".join(too_long))
