"""Delivers documents that OutSmart makes anew whenever they are sent, such as work orders: each exactly once.

Before one is sent, a line in the ledger says so. Where an earlier line has no end (a crash, an answer that never came),
it is looked for by its number first: found, it is linked; not found in two different runs, it is sent again.

What changes at the package later is carried over while nobody has begun the work, as far as OutSmart can; the rest is
told to a person. A document is never removed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, exists, or_, select, update
from sqlalchemy.exc import IntegrityError

from outsmart_sync.pipeline import guards, marks, merging, notices, overtaken, references, scope
from outsmart_sync.pipeline.making import Maker, NotMade
from outsmart_sync.pipeline.outcomes import BY_HAND, CANCELLED, MISSING_FIELD, OTHER_DOCUMENT, REOPENED, Outcome
from outsmart_sync.records.exchange import Stage
from outsmart_sync.records.order import CANCELLED_STATUS, OPEN
from outsmart_sync.records.record import REFERS, REMOTE_ID
from outsmart_sync.records.values import Payload, code_key, decode, encode
from outsmart_sync.records.work_order import same_materials
from outsmart_sync.store.ledger import LedgerState
from outsmart_sync.store.tables import mirror, staging

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import ColumnElement, Connection, Row

    from outsmart_sync.pipeline.job import Job
    from outsmart_sync.pipeline.ports import Destination
    from outsmart_sync.records.exchange import Document
    from outsmart_sync.records.record import Record
    from outsmart_sync.records.streams import Referred
    from outsmart_sync.store.ledger import Line
    from outsmart_sync.store.store import Store

log = logging.getLogger(__name__)

_AT_ONCE = 100
_MATERIALS = "materials"
_EMPTY = {_MATERIALS: "[]"}
"""Fields that can be emptied, and what is sent for that; OutSmart keeps others when they come empty."""

_WRITTEN = (Outcome.CREATE, Outcome.UPDATE)
_STATUS = "work_status"
_STATUS_BEFORE = f"{REFERS}status_before"
"""Where the mirror holds the work status that a document had before it got that of cancelled ones."""
_SENDING = f"{REFERS}sending"
"""Where it holds, encoded, what is being changed just now."""
_NOT_KEPT = (_STATUS_BEFORE, _SENDING)
_successor = staging.alias("successor")


def deliver(store: Store, job: Job, record: Record, destination: Destination) -> None:
    """Bring what was matched to OutSmart, one document after the other.

    Raises:
        ConfigurationError: OutSmart refuses our tokens.
        TransientError: OutSmart does not answer; this may be run again and goes on where it stopped.
        Busy: Another run has brought everything in the meantime.
    """
    with store.begin() as connection:
        after = marks.reached(connection, job, marks.DELIVERED, record)
        here = _to_do(job, record)
        references.judge(connection, job, record, and_(here, staging.c.outcome.in_(_WRITTEN), staging.c.seq > after))
        source = job.category.stream_of(record.name).notes_from
        texts = notices.beforehand(connection, job, source) if source else {}
    delivery = _Delivery(store, job, record, destination, texts)
    while True:
        with store.read() as connection:
            rows = connection.execute(_rows(job, record).where(staging.c.seq > after)).all()
            found = references.resolve(connection, job, record, [decode(row.payload) for row in rows])
        if not rows:
            return
        overtaken.require_latest(store, job)
        for row, others in zip(rows, found, strict=True):
            delivery.bring(row, others)
            after = row.seq


def _to_do(job: Job, record: Record) -> ColumnElement[bool]:
    outcomes = staging.c.outcome.in_((*_WRITTEN, Outcome.DELETED))
    return and_(scope.staged(job), staging.c.record == record.name, outcomes)


def _rows(job: Job, record: Record) -> Any:
    known = mirror.alias("known")
    taken_on = exists().where(
        _successor.c.job_id == job.id,
        _successor.c.mirror_id == staging.c.mirror_id,
        _successor.c.outcome.in_((*_WRITTEN, Outcome.UNCHANGED)),
    )
    deleted = and_(known.c.delivered_hash.is_not(None), ~taken_on)  # a new one under its number: the work goes on
    return (
        select(
            staging.c.seq,
            staging.c.mirror_id,
            staging.c.code,
            staging.c.payload,
            staging.c.outcome,
            known.c.outsmart,
            known.c.delivered_hash,
            known.c.link,
            known.c.reason.label("known_reason"),
            known.c.source_gone_at,
        )
        .select_from(staging.outerjoin(known, known.c.id == staging.c.mirror_id))
        .where(_to_do(job, record), or_(staging.c.outcome != Outcome.DELETED, deleted))
        .order_by(staging.c.seq)
        .limit(_AT_ONCE)
    )


@dataclass(frozen=True)
class _Delivery:
    """One record type's documents on their way."""

    store: Store
    job: Job
    record: Record
    destination: Destination
    texts: Mapping[str, list[str]]

    def bring(self, row: Row[Any], others: Mapping[str, Referred]) -> None:
        """Make, change or cancel one document, and note what became of it."""
        payload = decode(row.payload)
        cancelled = row.outcome == Outcome.DELETED or payload.get(OPEN) is False
        body = {**self._composed(payload, others), self.record.code: row.code}
        there = decode(row.outsmart) if row.outsmart else {}
        if row.outcome == Outcome.CREATE:
            self._create(row, body)
        elif row.delivered_hash is None:
            self._take_over(row, body, there)
        elif cancelled:
            self._cancel(row, there)
        else:
            self._change(row, body, there)

    def _composed(self, payload: Payload, others: Mapping[str, Referred]) -> Payload:
        compose = self.job.category.stream_of(self.record.name).compose
        own = {name: value for name, value in payload.items() if self.record.travels(name)}
        return compose(own, others, self.job.settings) if compose else references.body_of(self.record, payload, others)

    # Making.

    def _create(self, row: Row[Any], body: Payload) -> None:
        if lacking := self.record.lacks(body):
            self._keep(row, self._decided(Outcome.REJECTED, MISSING_FIELD, ", ".join(lacking)))
            return
        with self.store.read() as connection:
            line = self._maker.line(connection, row.code)
        if line is None:
            self._send(row, body)
        elif line.connection_id != self.job.connection_id:
            self._keep(row, self._decided(Outcome.HELD, OTHER_DOCUMENT, f"{row.code}, of another administration"))
        elif line.state is LedgerState.DONE:
            self._adopt(row, body, line.remote_id)
        else:
            self._look_for(row, body, line)

    def _send(self, row: Row[Any], body: Payload) -> None:
        # What goes along is not kept: later changes of the document are not compared with it.
        sent = notices.with_texts(body, self.texts.get(code_key(row.code), []))
        self._maker.begin(row.code)
        made = self._maker.send(row.code, sent)
        if isinstance(made, NotMade):
            self._keep(row, self._decided(made.outcome, made.reason, made.detail))
        else:
            self._adopt(row, body, made)

    def _look_for(self, row: Row[Any], body: Payload, line: Line) -> None:
        """Nobody knows whether it was made: look before making it again."""
        found = self._maker.look_for(line)
        if isinstance(found, NotMade):
            self._keep(row, self._decided(found.outcome, found.reason, found.detail))
        elif found is not None:
            self._bring_up_to_date(row, body, found)
            self._adopt(row, body, found.remote_id)
        else:
            self._send(row, body)

    def _bring_up_to_date(self, row: Row[Any], body: Payload, found: Document) -> None:
        """It may have changed at the package since it was sent."""
        behind: Payload = {
            name: body.get(name) or _EMPTY[name]
            for name in self.record.changeable
            if (name in body or name in _EMPTY) and not _same(name, body.get(name, ""), found.payload.get(name, ""))
        }
        if not behind:
            return
        if found.stage is Stage.NEW:
            self.destination.change(self.record, found.remote_id, behind)
        else:
            log.warning("%s %s has been begun, and lacks: %s", self.record.label, row.code, self._labels(behind))

    def _take_over(self, row: Row[Any], body: Payload, there: Payload) -> None:
        """Somebody made it before: it is ours from now on, unless it is clearly another one."""
        with self.store.read() as connection:
            line = self._maker.line(connection, row.code)
        made_for = line.connection_id if line else None
        if row.link not in BY_HAND and guards.is_another(self.job, self.record, made_for, body, there):
            self._keep(row, self._decided(Outcome.HELD, OTHER_DOCUMENT, f"{row.code}, {there.get('customer', '')}"))
            return
        remote_id = str(there.get(REMOTE_ID, ""))
        unclear = line is not None and line.state is not LedgerState.DONE
        if unclear and (document := self.destination.get(self.record, remote_id)) is not None:
            self._bring_up_to_date(row, body, document)
        self._keep(row, self._written({**body, **_identity(there)}), remote_id=remote_id if unclear else "")

    def _adopt(self, row: Row[Any], body: Payload, remote_id: str) -> None:
        self._keep(row, self._written({**body, REMOTE_ID: remote_id}), remote_id=remote_id)

    # Changing.

    def _change(self, row: Row[Any], body: Payload, there: Payload) -> None:
        """Carry over what changed since it was sent, while nobody has begun; what a planner changed stays."""
        reopened = row.known_reason == CANCELLED or row.source_gone_at is not None
        wanted = {**body, _STATUS: there[_STATUS_BEFORE]} if _STATUS_BEFORE in there else body
        changed = {
            name: wanted.get(name, "") for name in {*wanted, *_own(there)} if wanted.get(name) != there.get(name)
        }
        changed.pop(self.record.code, None)
        if not changed:
            self._keep(row, self._written({**body, **_identity(there)}, reopened=reopened))
            return
        document = self.destination.get(self.record, str(there.get(REMOTE_ID, "")))
        if document is None or document.stage is not Stage.NEW:
            reason = "document_gone" if document is None else "document_started"
            self._keep(row, self._decided(Outcome.EXCLUDED, reason, self._labels(changed)))
            return
        now = document.payload
        for name in [name for name, value in changed.items() if _same(name, value, now.get(name, ""))]:
            del changed[name]  # a person was quicker
        sent = {**there, **decode(str(there.get(_SENDING, "{}")))}
        possible: Payload = {
            name: value if value != "" else _EMPTY[name]
            for name, value in changed.items()
            if self._can_change(name, value)
            and any(_same(name, each.get(name, ""), now.get(name, "")) for each in (there, sent))
        }
        if possible:
            with self.store.begin() as connection:  # should the run end here: what OutSmart has then is ours
                self._hold(connection, row, {**there, _SENDING: encode(possible)})
            self.destination.change(self.record, document.remote_id, possible)
        rest = self._labels(name for name in changed if name not in possible)
        if rest:
            log.warning("%s %s: to be changed by hand in OutSmart: %s", self.record.label, row.code, rest)
        self._keep(row, self._written({**body, **_identity(there)}, by_hand=rest, reopened=reopened))

    def _can_change(self, name: str, value: str | bool) -> bool:
        return name in self.record.changeable and (value != "" or name in _EMPTY)

    def _cancel(self, row: Row[Any], there: Payload) -> None:
        """Cancelled or deleted at the package: OutSmart is told, once, while nobody has begun; nothing is removed."""
        if row.known_reason == CANCELLED or row.source_gone_at is not None:
            self._keep(row, self._decided(None, "", ""))
            return
        status = str(self.job.settings.get(CANCELLED_STATUS) or "")
        document = self.destination.get(self.record, str(there.get(REMOTE_ID, "")))
        held = there
        if document is None:
            done = "the work order is not in OutSmart any more"
        elif document.stage is not Stage.NEW:
            done = "the work order has been fetched or completed, and stays as it is"
        elif not status:
            done = "no work status is chosen for that, so the work order stays as it is"
        else:
            before = document.payload.get(_STATUS, "")
            held = {**there, _STATUS: status, _STATUS_BEFORE: "" if before == status else before}
            self.destination.change(self.record, document.remote_id, {_STATUS: status})
            done = f"the work order has the work status {status} now"
        log.warning("%s %s was cancelled or deleted at the source: %s", self.record.label, row.code, done)
        outcome = None if row.outcome == Outcome.DELETED else Outcome.EXCLUDED
        self._keep(row, self._decided(outcome, CANCELLED, done, held))

    # Noting.

    @property
    def _maker(self) -> Maker:
        return Maker(self.store, self.job, self.record, self.destination)

    def _labels(self, names: Any) -> str:
        labels = {field.name: field.label for field in self.record.fields}
        return ", ".join(sorted(labels.get(name, name) for name in names))

    def _written(
        self, body: Payload, by_hand: str = "", *, reopened: bool = False
    ) -> Callable[[Connection, Row[Any]], None]:
        """It is in OutSmart as the package has it."""

        def note(connection: Connection, row: Row[Any]) -> None:
            here = self._only(row)
            merging.log_changes(connection, self.job, self.record, here, {row.seq: body})
            merging.log_events(connection, self.job, and_(here, staging.c.outcome == Outcome.CREATE))
            if reopened:
                merging.log_event(connection, self.job, here, REOPENED, "")
            if by_hand:
                merging.log_event(connection, self.job, here, "change_by_hand", by_hand)
            merging.merge(connection, self.job, here, state_of_written=True)
            held = select(staging.c.provider_id).where(here).scalar_subquery()
            connection.execute(
                update(mirror)
                .where(scope.mirrored(self.job, self.record.name), mirror.c.provider_id == held)
                .values(outsmart=encode(body), code=row.code)
            )

        return note

    def _decided(
        self, outcome: Outcome | None, reason: str, detail: str, held: Payload | None = None
    ) -> Callable[[Connection, Row[Any]], None]:
        """It was not written; None: its outcome stays as it is, and only the log hears of it.

        ``held`` is what OutSmart has of it from now on, where that is something else.
        """

        def note(connection: Connection, row: Row[Any]) -> None:
            if outcome is not None:
                values = {"outcome": outcome.value, "reason": reason, "detail": detail}
                connection.execute(update(staging).where(self._only(row)).values(**values))
            elif reason:
                merging.log_event(connection, self.job, self._only(row), reason, detail)
            if held is not None:
                self._hold(connection, row, held)

        return note

    def _hold(self, connection: Connection, row: Row[Any], held: Payload) -> None:
        """Note what OutSmart has of a document, without anything else about it."""
        connection.execute(update(mirror).where(mirror.c.id == row.mirror_id).values(outsmart=encode(held)))

    def _only(self, row: Row[Any]) -> ColumnElement[bool]:
        return and_(scope.staged(self.job), staging.c.seq == row.seq)

    def _keep(self, row: Row[Any], note: Callable[[Connection, Row[Any]], None], *, remote_id: str = "") -> None:
        """One transaction: what became of a document, in ledger, mirror and log, and that it is done with.

        Raises:
            Busy: Another process has noted the same document at the same moment.
        """
        try:
            with self.store.begin() as connection:
                if remote_id:
                    self._maker.done(connection, row.code, remote_id)
                note(connection, row)
                marks.note(connection, self.job, marks.DELIVERED, self.record, row.seq)
        except IntegrityError as error:  # the mirror has one place for it
            raise self._maker.busy(row.code) from error


def _same(name: str, one: str | bool, other: str | bool) -> bool:
    """Whether two values of a field say the same to a person."""
    if name == _MATERIALS:
        return same_materials(str(one), str(other))
    return code_key(str(one)) == code_key(str(other))


def _own(there: Payload) -> list[str]:
    return [name for name in there if not name.startswith(REFERS)]


def _identity(there: Payload) -> Payload:
    return {name: value for name, value in there.items() if name.startswith(REFERS) and name not in _NOT_KEPT}
