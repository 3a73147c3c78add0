"""Resolves what records refer to: the package names other records by its ids, OutSmart by its codes.

A row waits until everything it needs is in the destination, or on its way there in the same run, and says what it waits
for. Codes are put in when it is delivered, as OutSmart spells them.

Where the package names nothing, another record may do it in its place, or a setting: see ``Reference``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Text, and_, bindparam, case, cast, exists, false, func, null, or_, select, true, update

from outsmart_sync.pipeline import scope
from outsmart_sync.pipeline.outcomes import MISSING_FIELD, REFERENCE_LEFT_OUT, STANDS_FOR, UNNAMED, MirrorState, Outcome
from outsmart_sync.records.record import BY_CODE, REFERS
from outsmart_sync.records.streams import Referred
from outsmart_sync.records.values import Payload, code_key, decode
from outsmart_sync.store import staged_rows
from outsmart_sync.store.tables import mirror, staging

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

    from outsmart_sync.pipeline.job import Job
    from outsmart_sync.records.record import Record, Reference

_CHUNK = 500
_MISSING = "reference_missing"
_GOES = (None, Outcome.CREATE, Outcome.UPDATE, Outcome.UNCHANGED)
_LONGEST_ID = 60  # of the column that says what a row waits for
_referred = mirror.alias("referred")


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is known of a record that is referred to."""

    there: bool
    code: str
    left_out: bool
    referred: Referred


Known = Mapping[tuple[str, str], _Seen]
"""(Reference's name, id at the package) → what is known of it."""


def judge(connection: Connection, job: Job, record: Record, rows: ColumnElement[bool]) -> int:
    """Let rows wait that refer to something which is not there; give the others the code they make up.

    Args:
        connection: The transaction.
        job: Whose rows.
        record: Their type.
        rows: Which of them.

    Returns:
        Number of rows that wait.
    """
    return _judge(connection, job, record, rows, hold=True)


def name(connection: Connection, job: Job, record: Record, rows: ColumnElement[bool]) -> None:
    """Give rows the code that they make up with what they refer to, as far as all of that is there."""
    _judge(connection, job, record, rows, hold=False)


def _judge(connection: Connection, job: Job, record: Record, rows: ColumnElement[bool], *, hold: bool) -> int:
    if not record.references or (record.amount and not job.delivers):
        return 0  # what is paid is worth knowing without OutSmart's invoices, too
    waiting = 0
    query = select(staging.c.seq, staging.c.payload, _held(job, record).label("outsmart")).where(
        scope.staged(job), staging.c.record == record.name, staging.c.origin != "part", rows
    )
    for chunk in staged_rows.chunks(connection, query, _CHUNK):
        payloads = _completed(connection, job, record, [decode(row.payload) for row in chunk])
        known = _look_up(connection, job, record, payloads)
        held, named = [], []
        for row, payload in zip(chunk, payloads, strict=True):
            missing = _missing(record, payload, known, decode(row.outsmart) if row.outsmart else {})
            if missing is None and record.keys:
                code = record.code_of(body_of(record, payload, referred(record, payload, known)))
                named.append({"job_": job.id, "seq_": row.seq, "code_": code, "key_": code_key(code)})
            elif missing is not None and hold:
                held.append({"job_": job.id, "seq_": row.seq, **_verdict(*missing, payload, known)})
        _keep(connection, held, named)
        waiting += len(held)
    return waiting


def resolve(
    connection: Connection, job: Job, record: Record, payloads: Sequence[Payload]
) -> list[Mapping[str, Referred]]:
    """For each payload what it refers to, by the reference's name, as far as it is there."""
    payloads = _completed(connection, job, record, payloads)
    known = _look_up(connection, job, record, payloads)
    return [referred(record, payload, known) for payload in payloads]


def referred(record: Record, payload: Payload, known: Known) -> dict[str, Referred]:
    """What a payload refers to, by the reference's name."""
    found: dict[str, Referred] = {}
    for reference in record.references:
        for identity in reference.identities(payload):
            seen = known.get((reference.name, identity))
            if seen is not None and (seen.there or reference.known):
                found[reference.place(identity)] = seen.referred
    return found


def body_of(record: Record, payload: Payload, found: Mapping[str, Referred]) -> Payload:
    """OutSmart's fields: those of the payload, and the codes of what it refers to."""
    body = {name: value for name, value in payload.items() if record.travels(name)}
    for reference in record.references:
        if not reference.many and (other := found.get(reference.name)) is not None:
            body[reference.fields[other.record]] = other.code
    return body


def named_or_new(
    record: Record, payload: Payload, found: Mapping[str, Referred], there: Payload
) -> dict[str, Referred]:
    """What was found, without what stands in for something that the package left empty and OutSmart has."""
    kept = {
        reference.name
        for reference in record.references
        if not payload.get(reference.key) and any(field in there for field in reference.fields.values())
    }
    return {name: other for name, other in found.items() if name not in kept}


def ready(job: Job, record: Record) -> ColumnElement[bool]:
    """Whether what a record of the mirror waited for is there by now, or known at all where it was not."""
    if not record.references:
        return false()
    known = exists().where(
        _referred.c.connection_id == job.connection_id,
        _referred.c.record.in_(_types(record.references)),
        _referred.c.provider_id == mirror.c.parent_id,
    )
    there = or_(*_ways(job, record.references), *(_chosen_there(job, reference) for reference in record.references))
    missed = and_(mirror.c.state == MirrorState.WAITING, mirror.c.reason == _MISSING)
    waits = or_(
        mirror.c.state == MirrorState.WAITING,
        and_(mirror.c.state == MirrorState.EXCLUDED, mirror.c.reason == REFERENCE_LEFT_OUT),
    )
    return or_(and_(waits, there), and_(missed, known))


def mended(job: Job, record: Record) -> ColumnElement[bool]:
    """Whether a document was rejected that takes from other records what it lacks, and any of those came since."""
    newest = (
        select(func.max(_referred.c.run_id))
        .where(_referred.c.connection_id == job.connection_id, _referred.c.record.in_(_types(record.references)))
        .scalar_subquery()
    )
    lacks = mirror.c.reason.in_((MISSING_FIELD, UNNAMED))
    return and_(mirror.c.state == MirrorState.REJECTED, lacks, mirror.c.run_id < newest)


def _ways(job: Job, references: Sequence[Reference]) -> list[ColumnElement[bool]]:
    """What a record waited for is there: for each way of naming it, and of being there enough."""
    ways: list[ColumnElement[bool]] = []
    for by_code, known in sorted({(reference.by_code, reference.known) for reference in references}):
        alike = [each for each in references if (each.by_code, each.known) == (by_code, known)]
        named = func.substr(mirror.c.parent_id, 1, len(BY_CODE)) == BY_CODE
        code = func.substr(mirror.c.parent_id, len(BY_CODE) + 1)
        ways.append(
            exists().where(
                _referred.c.connection_id == job.connection_id,
                _referred.c.record.in_(_types(alike)),
                and_(named, _referred.c.code_key == code) if by_code else _referred.c.provider_id == mirror.c.parent_id,
                true() if known else scope.in_destination(job, _referred),
            )
        )
    return ways


def _chosen_there(job: Job, reference: Reference) -> ColumnElement[bool]:
    """Whether a record waited for the one that a setting names, and that one is there by now."""
    identity = _chosen(job, reference)
    if not identity:
        return false()
    there = exists().where(
        _referred.c.connection_id == job.connection_id,
        _referred.c.record.in_(list(reference.fields)),
        _referred.c.code_key == identity.removeprefix(BY_CODE),
        scope.in_destination(job, _referred),
    )
    return and_(mirror.c.parent_id == identity[:_LONGEST_ID], there)


def _chosen(job: Job, reference: Reference) -> str:
    """What a setting says is meant where the package names nothing; '' when it says nothing."""
    code = code_key(str(job.settings.get(reference.setting) or "")) if reference.setting else ""
    return f"{BY_CODE}{code}" if code else ""


def _held(job: Job, record: Record) -> ColumnElement[str | None]:
    """What OutSmart holds of a staged record, where that can do for what the package does not name."""
    if record.made_once or not any(reference.demanded for reference in record.references):
        return cast(null(), Text)
    return scope.held(job, record.name)


def _completed(connection: Connection, job: Job, record: Record, payloads: Sequence[Payload]) -> Sequence[Payload]:
    """The payloads with what is meant where the package itself names nothing."""
    for reference in record.references:
        if not (reference.through or reference.setting):
            continue
        named = _named(connection, job, record, reference, payloads)
        chosen, through = _chosen(job, reference), f"{REFERS}{reference.through}"
        payloads = [
            payload
            if payload.get(reference.key)
            else {**payload, reference.key: named.get(str(payload.get(through))) or chosen}
            for payload in payloads
        ]
    return payloads


def _named(
    connection: Connection, job: Job, record: Record, reference: Reference, payloads: Sequence[Payload]
) -> dict[str, str]:
    """What others name, as the package last had them: id of the other → id that it names in this reference's place."""
    found: dict[str, str] = {}
    for through in record.references:
        if through.name != reference.through:
            continue
        bare = [payload for payload in payloads if payload.get(through.key) and not payload.get(reference.key)]
        ids = sorted({str(payload[through.key]) for payload in bare})
        for start in range(0, len(ids), _CHUNK):
            for table, mine in ((mirror, mirror.c.connection_id == job.connection_id), (staging, scope.staged(job))):
                some = table.c.provider_id.in_(ids[start : start + _CHUNK])
                query = select(table.c.provider_id, table.c.payload).where(
                    mine, table.c.record.in_(list(through.fields)), some, table.c.payload.is_not(None)
                )
                found |= {
                    row.provider_id: str(decode(row.payload).get(reference.key, ""))
                    for row in connection.execute(query)
                }
    return found


def _types(references: Iterable[Reference]) -> list[str]:
    return sorted({record for reference in references for record in reference.fields})


def _look_up(connection: Connection, job: Job, record: Record, payloads: Sequence[Payload]) -> Known:
    known: dict[tuple[str, str], _Seen] = {}
    for reference in record.references:
        ids = sorted({identity for payload in payloads for identity in reference.identities(payload)})
        for start in range(0, len(ids), _CHUNK):
            some = ids[start : start + _CHUNK]
            for identity, seen in _in_run(connection, job, reference, some).items():
                known[reference.name, identity] = seen
            for identity, seen in _in_mirror(connection, job, reference, some).items():
                if seen.there or (reference.name, identity) not in known:
                    known[reference.name, identity] = seen
    return known


def _in_mirror(connection: Connection, job: Job, reference: Reference, ids: list[str]) -> dict[str, _Seen]:
    codes = [identity.removeprefix(BY_CODE) for identity in ids if identity.startswith(BY_CODE)]
    by_id = mirror.c.provider_id.in_(ids)
    rows = _rows(connection, job, reference, or_(by_id, mirror.c.code_key.in_(codes)) if codes else by_id)
    if reference.by_code:
        rows = _stand_ins(connection, job, reference, rows) + rows
    found: dict[str, _Seen] = {}
    for identity, row in rows:
        text = row.outsmart or row.payload
        other = Referred(row.record, row.code, decode(text) if text else {}, row.provider_id or "")
        found.setdefault(identity, _Seen(bool(row.there), row.code, row.state == MirrorState.EXCLUDED, other))
    return found


def _stand_ins(
    connection: Connection, job: Job, reference: Reference, rows: list[tuple[str, Any]]
) -> list[tuple[str, Any]]:
    """What stands for the same work as records that were left out for that."""
    replaced = {row.parent_id: identity for identity, row in rows if row.reason == STANDS_FOR and not row.there}
    found = _rows(connection, job, reference, mirror.c.provider_id.in_(list(replaced))) if replaced else []
    return [(replaced[row.provider_id], row) for identity, row in found if identity == row.provider_id]


def _rows(connection: Connection, job: Job, reference: Reference, which: ColumnElement[bool]) -> list[tuple[str, Any]]:
    """Records of the mirror by each of the ways of naming them, the ones to be preferred first."""
    there = case((scope.in_destination(job), 1), else_=0)
    query = select(
        mirror.c.record,
        mirror.c.provider_id,
        mirror.c.parent_id,
        mirror.c.reason,
        mirror.c.code,
        mirror.c.code_key,
        mirror.c.state,
        mirror.c.payload,
        mirror.c.outsmart,
        there.label("there"),
    ).where(
        mirror.c.connection_id == job.connection_id,
        mirror.c.record.in_(list(reference.fields)),
        which,
    )
    rows = sorted(connection.execute(query), key=lambda row: _place(reference, row))
    return [(name, row) for row in rows for name in (row.provider_id, f"{BY_CODE}{row.code_key}") if name]


def _in_run(connection: Connection, job: Job, reference: Reference, ids: list[str]) -> dict[str, _Seen]:
    """Records of the same run: those that nothing has stopped so far count as there."""
    own = [each for each in reference.fields if each in {record.name for record in job.category.records}]
    if not own:
        return {}
    columns = (staging.c.record, staging.c.provider_id, staging.c.code, staging.c.payload, staging.c.outcome)
    query = select(*columns).where(
        scope.staged(job), staging.c.record.in_(own), staging.c.provider_id.in_(ids), staging.c.origin != "part"
    )
    return {
        row.provider_id: _Seen(
            there=row.outcome in _GOES,
            code=row.code,
            left_out=row.outcome == Outcome.EXCLUDED,
            referred=Referred(row.record, row.code, decode(row.payload)),
        )
        for row in connection.execute(query)
    }


def _place(reference: Reference, row: Any) -> tuple[bool, bool, int]:
    """Those that are there first, and still belong there; then in the order in which the reference names the types."""
    left_out = row.state == MirrorState.EXCLUDED
    return not row.there, left_out, list(reference.fields).index(row.record)


def _missing(record: Record, payload: Payload, known: Known, there: Payload) -> tuple[Reference, str] | None:
    """The first thing that a payload needs and that is not there, unless OutSmart has one in its place already."""
    for reference in record.references:
        identity = payload.get(reference.key)
        if not identity or str(identity).startswith(BY_CODE):
            if any(field in there for field in reference.fields.values()):
                continue
            if not identity and reference.demanded:
                return reference, ""
        for each in reference.identities(payload) if reference.waits else ():
            seen = known.get((reference.name, each))
            if seen is None or not (seen.there or reference.known):
                return reference, each
    return None


def _verdict(reference: Reference, identity: str, payload: Payload, known: Known) -> dict[str, Any]:
    if not identity:
        verdict = {"outcome_": Outcome.REJECTED.value, "reason_": UNNAMED, "detail_": reference.label}
        return {**verdict, "needs_": None}
    seen = known.get((reference.name, identity))
    outcome, reason, detail = Outcome.WAITING, _MISSING, reference.label
    if seen is not None:
        detail = f"{reference.label} {seen.code}"
        outcome, reason = Outcome.WAITING, "reference_open"
        if reference.by_code:
            identity = f"{BY_CODE}{code_key(seen.code)}"
    elif reference.by_code:
        detail = f"{reference.label} {payload[reference.key]}"
    if seen.left_out if seen is not None else reference.by_code:
        outcome, reason = Outcome.EXCLUDED, REFERENCE_LEFT_OUT
    return {"outcome_": outcome.value, "reason_": reason, "detail_": detail, "needs_": identity[:_LONGEST_ID]}


def _keep(connection: Connection, held: list[dict[str, Any]], named: list[dict[str, Any]]) -> None:
    row = and_(staging.c.job_id == bindparam("job_"), staging.c.seq == bindparam("seq_"))
    if held:
        connection.execute(
            update(staging)
            .where(row)
            .values(
                outcome=bindparam("outcome_"),
                reason=bindparam("reason_"),
                detail=bindparam("detail_"),
                parent_id=bindparam("needs_"),
            ),
            held,
        )
    if named:
        connection.execute(
            update(staging).where(row).values(code=bindparam("code_"), code_key=bindparam("key_")), named
        )
