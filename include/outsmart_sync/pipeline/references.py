"""Resolves what records refer to: the package names other records by its ids, OutSmart by its codes.

A row waits until everything it needs is in the destination, or on its way there in the same run, and says what it waits
for. Codes are put in when it is delivered, as OutSmart spells them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, case, exists, false, or_, select, true, update

from outsmart_sync.pipeline import scope
from outsmart_sync.pipeline.outcomes import REFERENCE_LEFT_OUT, STANDS_FOR, MirrorState, Outcome
from outsmart_sync.records.catalogue import Referred
from outsmart_sync.records.values import Payload, code_key, decode
from outsmart_sync.store import staged_rows
from outsmart_sync.store.tables import mirror, staging

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

    from outsmart_sync.pipeline.job import Job
    from outsmart_sync.records.record import Record, Reference

_CHUNK = 500
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
    if not record.references:
        return 0
    waiting = 0
    query = select(staging.c.seq, staging.c.payload).where(
        scope.staged(job), staging.c.record == record.name, staging.c.origin != "part", rows
    )
    for chunk in staged_rows.chunks(connection, query, _CHUNK):
        payloads = [decode(row.payload) for row in chunk]
        known = _look_up(connection, job, record, payloads)
        held, named = [], []
        for row, payload in zip(chunk, payloads, strict=True):
            missing = _missing(record, payload, known)
            if missing is not None:
                held.append({"job_": job.id, "seq_": row.seq, **_verdict(*missing, known)})
            elif record.keys:
                code = record.code_of(body_of(record, payload, referred(record, payload, known)))
                named.append({"job_": job.id, "seq_": row.seq, "code_": code, "key_": code_key(code)})
        _keep(connection, held, named)
        waiting += len(held)
    return waiting


def resolve(
    connection: Connection, job: Job, record: Record, payloads: Sequence[Payload]
) -> list[Mapping[str, Referred]]:
    """For each payload what it refers to, by the reference's name, as far as it is there."""
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


def ready(job: Job, record: Record) -> ColumnElement[bool]:
    """Whether what a record of the mirror waited for is there by now."""
    if not record.references:
        return false()
    waits = or_(
        mirror.c.state == MirrorState.WAITING,
        and_(mirror.c.state == MirrorState.EXCLUDED, mirror.c.reason == REFERENCE_LEFT_OUT),
    )
    return and_(waits, or_(*_ways(job, record.references)))


def _ways(job: Job, references: Sequence[Reference]) -> list[ColumnElement[bool]]:
    """What a record waited for is there: for each way of naming it, and of being there enough."""
    ways: list[ColumnElement[bool]] = []
    for by_code, known in sorted({(reference.by_code, reference.known) for reference in references}):
        alike = [each for each in references if (each.by_code, each.known) == (by_code, known)]
        ways.append(
            exists().where(
                _referred.c.connection_id == job.connection_id,
                _referred.c.record.in_(_types(alike)),
                (_referred.c.code_key if by_code else _referred.c.provider_id) == mirror.c.parent_id,
                true() if known else scope.in_destination(job, _referred),
            )
        )
    return ways


def _types(references: Iterable[Reference]) -> list[str]:
    return sorted({record for reference in references for record in reference.fields})


def _look_up(connection: Connection, job: Job, record: Record, payloads: Sequence[Payload]) -> Known:
    known: dict[tuple[str, str], _Seen] = {}
    for reference in record.references:
        ids = sorted({identity for payload in payloads for identity in reference.identities(payload)})
        for start in range(0, len(ids), _CHUNK):
            some = ids[start : start + _CHUNK]
            if reference.by_code:
                known |= {(reference.name, code): seen for code, seen in _by_code(connection, job, reference, some)}
                continue
            for identity, seen in _on_its_way(connection, job, reference, some).items():
                known[reference.name, identity] = seen
            for identity, seen in _in_mirror(connection, job, reference, some).items():
                if seen.there or (reference.name, identity) not in known:
                    known[reference.name, identity] = seen
    return known


def _in_mirror(connection: Connection, job: Job, reference: Reference, ids: list[str]) -> dict[str, _Seen]:
    found: dict[str, _Seen] = {}
    for row in _rows(connection, job, reference, mirror.c.provider_id.in_(ids)):
        found.setdefault(row.provider_id, _seen(row))
    return found


def _by_code(connection: Connection, job: Job, reference: Reference, codes: list[str]) -> Iterator[tuple[str, _Seen]]:
    """Records by their codes; where another document stands for the same work, that one."""
    rows: dict[str, Any] = {}
    for row in _rows(connection, job, reference, mirror.c.code_key.in_([code_key(code) for code in codes])):
        rows.setdefault(row.code_key, row)
    replaced = {row.parent_id: row.code_key for row in rows.values() if not row.there and row.reason == STANDS_FOR}
    for row in _rows(connection, job, reference, mirror.c.provider_id.in_(list(replaced))) if replaced else ():
        rows[replaced[row.provider_id]] = row
    for code in codes:
        if (found := rows.get(code_key(code))) is not None:
            yield code, _seen(found)


def _rows(connection: Connection, job: Job, reference: Reference, which: ColumnElement[bool]) -> list[Any]:
    query = select(
        mirror.c.record,
        mirror.c.provider_id,
        mirror.c.parent_id,
        mirror.c.code,
        mirror.c.code_key,
        mirror.c.state,
        mirror.c.reason,
        mirror.c.payload,
        mirror.c.outsmart,
        case((scope.in_destination(job), 1), else_=0).label("there"),
    ).where(mirror.c.connection_id == job.connection_id, mirror.c.record.in_(list(reference.fields)), which)
    return sorted(connection.execute(query), key=lambda row: _place(reference, row))


def _seen(row: Any) -> _Seen:
    text = row.outsmart or row.payload
    other = Referred(row.record, row.code, decode(text) if text else {}, row.provider_id or "")
    return _Seen(bool(row.there), row.code, row.state == MirrorState.EXCLUDED, other)


def _on_its_way(connection: Connection, job: Job, reference: Reference, ids: list[str]) -> dict[str, _Seen]:
    """Records of the same run that nothing has stopped so far."""
    own = [each for each in reference.fields if each in {record.name for record in job.category.records}]
    if not own:
        return {}
    query = select(staging.c.record, staging.c.provider_id, staging.c.code, staging.c.payload).where(
        scope.staged(job),
        staging.c.record.in_(own),
        staging.c.provider_id.in_(ids),
        staging.c.origin != "part",
        or_(staging.c.outcome.is_(None), staging.c.outcome.in_((Outcome.CREATE, Outcome.UPDATE, Outcome.UNCHANGED))),
    )
    return {
        row.provider_id: _Seen(
            there=True,
            code=row.code,
            left_out=False,
            referred=Referred(row.record, row.code, decode(row.payload)),
        )
        for row in connection.execute(query)
    }


def _place(reference: Reference, row: Any) -> tuple[bool, int]:
    """Those that are there first, then in the order in which the reference names the types."""
    return not row.there, list(reference.fields).index(row.record)


def _missing(record: Record, payload: Payload, known: Known) -> tuple[Reference, str] | None:
    """The first thing that a payload needs and that is not there."""
    for reference in record.references:
        for identity in reference.identities(payload) if reference.waits else ():
            seen = known.get((reference.name, identity))
            if seen is None or not (seen.there or reference.known):
                return reference, identity
    return None


def _verdict(reference: Reference, identity: str, known: Known) -> dict[str, Any]:
    seen = known.get((reference.name, identity))
    outcome, reason, detail = Outcome.WAITING, "reference_missing", reference.label
    if seen is not None:
        detail = f"{reference.label} {seen.code}"
        outcome, reason = Outcome.WAITING, "reference_open"
    elif reference.by_code:
        detail = f"{reference.label} {identity}"
    if seen.left_out if seen is not None else reference.by_code:
        outcome, reason = Outcome.EXCLUDED, REFERENCE_LEFT_OUT
    needs = code_key(seen.code if seen is not None else identity) if reference.by_code else identity
    return {"outcome_": outcome.value, "reason_": reason, "detail_": detail, "needs_": needs}


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
