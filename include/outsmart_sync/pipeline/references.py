"""Resolves what records refer to: the package names other records by its ids, OutSmart by its codes.

A row waits until everything it needs is in the destination, or on its way there in the same run, and says what it waits
for. Codes are put in when it is delivered, as OutSmart spells them.

Where the package names nothing, another record may do it in its place, or a setting: see ``Reference``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Text, and_, bindparam, case, cast, exists, false, null, or_, select, update

from outsmart_sync.pipeline import scope
from outsmart_sync.pipeline.outcomes import REFERENCE_LEFT_OUT, MirrorState, Outcome
from outsmart_sync.records.catalogue import Referred
from outsmart_sync.records.record import REFERS
from outsmart_sync.records.values import Payload, code_key, decode
from outsmart_sync.store import staged_rows
from outsmart_sync.store.tables import mirror, staging

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

    from outsmart_sync.pipeline.job import Job
    from outsmart_sync.records.record import Record, Reference

_CHUNK = 500
_GOES = (None, Outcome.CREATE, Outcome.UPDATE, Outcome.UNCHANGED)
_LONGEST_ID = 60  # of the column that says what a row waits for
_BY_CODE = "="  # begins an identity that is a code of OutSmart's, and no id of the package's
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
            if missing is not None:
                held.append({"job_": job.id, "seq_": row.seq, **_verdict(missing, payload, known)})
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
    payloads = _completed(connection, job, record, payloads)
    known = _look_up(connection, job, record, payloads)
    return [referred(record, payload, known) for payload in payloads]


def referred(record: Record, payload: Payload, known: Known) -> dict[str, Referred]:
    """What a payload refers to, by the reference's name."""
    found: dict[str, Referred] = {}
    for reference in record.references:
        seen = known.get((reference.name, str(payload.get(reference.key, ""))))
        if seen is not None and seen.there:
            found[reference.name] = seen.referred
    return found


def body_of(record: Record, payload: Payload, found: Mapping[str, Referred]) -> Payload:
    """OutSmart's fields: those of the payload, and the codes of what it refers to."""
    body = {name: value for name, value in payload.items() if record.travels(name)}
    for reference in record.references:
        if (other := found.get(reference.name)) is not None:
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
    """Whether what a record of the mirror waited for is there by now."""
    if not record.references:
        return false()
    there = or_(
        exists().where(
            _referred.c.connection_id == job.connection_id,
            _referred.c.record.in_(_types(record.references)),
            _referred.c.provider_id == mirror.c.parent_id,
            scope.in_destination(job, _referred),
        ),
        *(_chosen_there(job, reference) for reference in record.references),
    )
    waits = or_(
        mirror.c.state == MirrorState.WAITING,
        and_(mirror.c.state == MirrorState.EXCLUDED, mirror.c.reason == REFERENCE_LEFT_OUT),
    )
    return and_(waits, there)


def _chosen_there(job: Job, reference: Reference) -> ColumnElement[bool]:
    """Whether a record waited for the one that a setting names, and that one is there by now."""
    identity = _chosen(job, reference)
    if not identity:
        return false()
    there = exists().where(
        _referred.c.connection_id == job.connection_id,
        _referred.c.record.in_(list(reference.fields)),
        _referred.c.code_key == identity.removeprefix(_BY_CODE),
        scope.in_destination(job, _referred),
    )
    return and_(mirror.c.parent_id == identity[:_LONGEST_ID], there)


def _chosen(job: Job, reference: Reference) -> str:
    """What a setting says is meant where the package names nothing; '' when it says nothing."""
    code = code_key(str(job.settings.get(reference.setting) or "")) if reference.setting else ""
    return f"{_BY_CODE}{code}" if code else ""


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
        ids = sorted({str(payload[reference.key]) for payload in payloads if payload.get(reference.key)})
        for start in range(0, len(ids), _CHUNK):
            some = ids[start : start + _CHUNK]
            for identity, seen in _in_run(connection, job, reference, some).items():
                known[reference.name, identity] = seen
            for identity, seen in _in_mirror(connection, job, reference, some).items():
                if seen.there or (reference.name, identity) not in known:
                    known[reference.name, identity] = seen
    return known


def _in_mirror(connection: Connection, job: Job, reference: Reference, ids: list[str]) -> dict[str, _Seen]:
    codes = [identity.removeprefix(_BY_CODE) for identity in ids if identity.startswith(_BY_CODE)]
    there = case((scope.in_destination(job), 1), else_=0)
    query = select(
        mirror.c.record,
        mirror.c.provider_id,
        mirror.c.code,
        mirror.c.code_key,
        mirror.c.state,
        mirror.c.payload,
        mirror.c.outsmart,
        there.label("there"),
    ).where(
        mirror.c.connection_id == job.connection_id,
        mirror.c.record.in_(list(reference.fields)),
        or_(mirror.c.provider_id.in_(ids), mirror.c.code_key.in_(codes)) if codes else mirror.c.provider_id.in_(ids),
    )
    found: dict[str, _Seen] = {}
    for row in sorted(connection.execute(query), key=lambda row: _place(reference, row)):
        text = row.outsmart or row.payload
        other = Referred(row.record, row.code, decode(text) if text else {})
        left_out = row.state == MirrorState.EXCLUDED
        for identity in filter(None, (row.provider_id, f"{_BY_CODE}{row.code_key}")):
            found.setdefault(identity, _Seen(bool(row.there), row.code, left_out, other))
    return found


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


def _place(reference: Reference, row: Any) -> tuple[bool, int]:
    """Those that are there first, then in the order in which the reference names the types."""
    return not row.there, list(reference.fields).index(row.record)


def _missing(record: Record, payload: Payload, known: Known, there: Payload) -> Reference | None:
    """The first thing that a payload needs and that is not there, unless OutSmart has one in its place already."""
    for reference in record.references:
        identity = payload.get(reference.key)
        if not identity or str(identity).startswith(_BY_CODE):
            if any(field in there for field in reference.fields.values()):
                continue
            if not identity and reference.demanded:
                return reference
        if identity and reference.waits:
            seen = known.get((reference.name, str(identity)))
            if seen is None or not seen.there:
                return reference
    return None


def _verdict(reference: Reference, payload: Payload, known: Known) -> dict[str, Any]:
    identity = str(payload.get(reference.key, ""))
    if not identity:
        verdict = {"outcome_": Outcome.REJECTED.value, "reason_": "reference_unnamed", "detail_": reference.label}
        return {**verdict, "needs_": None}
    seen = known.get((reference.name, identity))
    outcome, reason, detail = Outcome.WAITING, "reference_missing", reference.label
    if seen is not None:
        detail = f"{reference.label} {seen.code}"
        outcome, reason = Outcome.WAITING, "reference_open"
        if seen.left_out:
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
