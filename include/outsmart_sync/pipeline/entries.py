"""Tells OutSmart of amounts by entries that are never changed, as in bookkeeping.

What is registered of a record is its last entry: either that one's amount stands, or it was undone and nothing does.
Where the package says another amount, or names another invoice, what stands is undone by a counter-entry and the new
amount is entered; so the sum of a record's entries is always what the package said last. Which entry comes next, and
under which number, follows from the last one (``pipeline.standing``); the ledger tells whether that one has been sent.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, exists, or_, select, update

from outsmart_sync.pipeline import marks, merging, overtaken, references, scope
from outsmart_sync.pipeline.making import Maker, NotMade
from outsmart_sync.pipeline.outcomes import MISSING_FIELD, ON_ITS_WAY, OPEN_STATES, MirrorState, Outcome
from outsmart_sync.pipeline.standing import NOTHING, Standing, amount_of, number_of
from outsmart_sync.records.record import REMOTE_ID
from outsmart_sync.records.values import Payload, decimal_text, decode, encode
from outsmart_sync.store import dialect, ledger, staged_rows
from outsmart_sync.store.ledger import LedgerState
from outsmart_sync.store.tables import ledger as ledger_table
from outsmart_sync.store.tables import mirror, staging

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import ColumnElement, Connection, Row

    from outsmart_sync.pipeline.job import Job
    from outsmart_sync.pipeline.ports import Destination
    from outsmart_sync.records.exchange import Document
    from outsmart_sync.records.record import Record
    from outsmart_sync.records.streams import Referred
    from outsmart_sync.store.store import Store

log = logging.getLogger(__name__)

_AT_ONCE = 100
_CHUNK = 1_000
_WRITTEN = (Outcome.CREATE, Outcome.UPDATE)
_MATCHED = (*_WRITTEN, Outcome.UNCHANGED)


# Deciding.


def unclear(job: Job, record: Record) -> ColumnElement[bool]:
    """Whether an entry of a staged row was sent of which nobody knows what became."""
    return exists().where(
        ledger_table.c.account == job.account,
        ledger_table.c.kind == record.at_outsmart,
        ledger_table.c.state.in_(ledger.UNCLEAR),
        ledger_table.c.token == staging.c.provider_id,
    )


def leave_out_untold(connection: Connection, job: Job, record: Record, known: ColumnElement[bool]) -> None:
    """Leave out rows of which nothing is to be registered; ``known`` ones go on, something may stand of them."""
    says_nothing = dialect.contains(connection, staging.c.payload, f'"{record.amount}":"{NOTHING}"')
    connection.execute(
        update(staging)
        .where(scope.open_rows(job, record.name), says_nothing, ~known)
        .values(outcome=Outcome.EXCLUDED, reason="nothing_paid")
    )


def take_back_unclear(connection: Connection, job: Job, record: Record) -> None:
    """Let no filter leave out a row of which an entry may have been made: that one must be looked for."""
    if not (record.amount and job.delivers):
        return
    connection.execute(
        update(staging)
        .where(scope.staged(job), staging.c.record == record.name, staging.c.outcome == Outcome.EXCLUDED)
        .where(unclear(job, record))
        .values(outcome=None, reason=None, detail=None)
    )


def compare(connection: Connection, job: Job, record: Record) -> None:
    """Decide by what is registered, and not by fingerprint: whatever else changed, the amount decides."""
    if not (record.amount and job.delivers):
        return
    query = (
        select(
            staging.c.seq,
            staging.c.code,
            staging.c.payload,
            mirror.c.outsmart,
            unclear(job, record).label("unclear"),
        )
        .select_from(staging.outerjoin(mirror, mirror.c.id == staging.c.mirror_id))
        .where(scope.staged(job), staging.c.record == record.name, staging.c.outcome.in_(_MATCHED))
    )
    for rows in staged_rows.chunks(connection, query, _CHUNK):
        payloads = [decode(row.payload) for row in rows]
        found = references.resolve(connection, job, record, payloads)
        verdicts: dict[Outcome, list[int]] = {outcome: [] for outcome in _MATCHED}
        for row, payload, others in zip(rows, payloads, found, strict=True):
            standing = Standing.of(record, row.code, decode(row.outsmart) if row.outsmart else {})
            body = references.body_of(record, payload, others)
            verdicts[_verdict(record, standing, body, unclear=row.unclear)].append(row.seq)
        for outcome, seqs in verdicts.items():
            if seqs:
                connection.execute(
                    update(staging).where(scope.staged(job), staging.c.seq.in_(seqs)).values(outcome=outcome)
                )


def _verdict(record: Record, standing: Standing, body: Payload, *, unclear: bool) -> Outcome:
    if standing.is_as(record, body) and not unclear:
        return Outcome.UNCHANGED
    return Outcome.UPDATE if standing.last else Outcome.CREATE


# Bringing.


def deliver(store: Store, job: Job, record: Record, destination: Destination) -> None:
    """Bring what was matched to OutSmart, one record after the other.

    Raises:
        ConfigurationError: OutSmart refuses our tokens.
        TransientError: OutSmart does not answer; this may be run again and goes on where it stopped.
        Busy: Another run has brought everything in the meantime.
    """
    with store.begin() as connection:
        after = marks.reached(connection, job, marks.DELIVERED, record)
        here = and_(_to_do(job, record), staging.c.seq > after)
        references.judge(connection, job, record, and_(here, staging.c.outcome.in_(_WRITTEN)))
        _anchor(connection, job, and_(here, staging.c.outcome == Outcome.CREATE))
    booking = _Booking(store, job, record, Maker(store, job, record, destination))
    while True:
        with store.read() as connection:
            rows = connection.execute(_rows(job, record).where(staging.c.seq > after)).all()
            found = references.resolve(connection, job, record, [decode(row.payload) for row in rows])
        if not rows:
            return
        overtaken.require_latest(store, job)
        for row, others in zip(rows, found, strict=True):
            booking.bring(row, others)
            after = row.seq


def _to_do(job: Job, record: Record) -> ColumnElement[bool]:
    outcomes = staging.c.outcome.in_((*_WRITTEN, Outcome.DELETED))
    return and_(scope.staged(job), staging.c.record == record.name, outcomes)


def _rows(job: Job, record: Record) -> Any:
    known = mirror.alias("known")
    columns = (staging.c.seq, staging.c.provider_id, staging.c.code, staging.c.payload, staging.c.outcome)
    return (
        select(*columns, known.c.outsmart, known.c.reason.label("known_reason"))
        .select_from(staging.outerjoin(known, known.c.id == staging.c.mirror_id))
        .where(
            _to_do(job, record),
            or_(
                staging.c.outcome != Outcome.DELETED,
                known.c.outsmart.is_not(None),
                known.c.state.in_(OPEN_STATES),  # one that got its place, and of which nothing was sent after all
                unclear(job, record),
            ),
        )
        .order_by(staging.c.seq)
        .limit(_AT_ONCE)
    )


def _anchor(connection: Connection, job: Job, created: ColumnElement[bool]) -> None:
    """Give new records their place in the mirror before anything is sent of them.

    Should the run end right after an entry was made, and the package delete the record before the next one, only the
    mirror knows that there is something to be undone.
    """
    new = and_(created, staging.c.mirror_id.is_(None))
    on_its_way = and_(scope.staged(job), staging.c.reason == ON_ITS_WAY)
    own = select(mirror.c.id).where(
        mirror.c.connection_id == job.connection_id,
        mirror.c.record == staging.c.record,
        mirror.c.provider_id == staging.c.provider_id,
    )
    connection.execute(update(staging).where(new).values(outcome=Outcome.WAITING, reason=ON_ITS_WAY))
    merging.merge(connection, job, on_its_way)
    connection.execute(
        update(staging).where(on_its_way).values(outcome=Outcome.CREATE, reason=None, mirror_id=own.scalar_subquery())
    )


@dataclass(frozen=True)
class _Booking:
    """One record type's entries on their way."""

    store: Store
    job: Job
    record: Record
    maker: Maker

    def bring(self, row: Row[Any], others: Mapping[str, Referred]) -> None:
        """Make the entries that are lacking, and note what became of them."""
        standing = Standing.of(self.record, row.code, decode(row.outsmart) if row.outsmart else {})
        wanted = references.body_of(self.record, decode(row.payload), others)
        if row.outcome == Outcome.DELETED:
            wanted[self.record.amount] = NOTHING
        reached = self._catch_up(row, standing)
        while isinstance(reached, Standing) and not reached.is_as(self.record, wanted):
            reached = self._undo(row, reached) if reached.amount else self._enter(row, reached, wanted)
        if isinstance(reached, NotMade):
            self._keep_stopped(row, reached)
        else:
            self._keep_done(row)

    def _catch_up(self, row: Row[Any], standing: Standing) -> Standing | NotMade:
        """What stands after all entries that were sent, whatever became of their answers."""
        self._settle_last(standing)
        while True:
            number = number_of(standing.code, standing.upcoming)
            with self.store.read() as connection:
                line = self.maker.line(connection, number)
            if line is None:
                return standing
            found = self._made_before(line)
            if isinstance(found, NotMade):
                return found
            if found is None:
                return standing
            standing = self._reach(row, standing, found)

    def _settle_last(self, standing: Standing) -> None:
        """The last entry was read in OutSmart itself: whatever the ledger thinks of it, it was made."""
        if not standing.last:
            return
        number = number_of(standing.code, standing.last)
        with self.store.begin() as connection:
            line = self.maker.line(connection, number)
            if line is not None and line.state is not LedgerState.DONE:
                self.maker.done(connection, number, str(standing.held.get(REMOTE_ID, "")))

    def _made_before(self, line: ledger.Line) -> Payload | NotMade | None:
        """An entry that the ledger knows and the mirror does not; None: it was never made."""
        if line.state is not LedgerState.DONE:
            found = self.maker.look_for(line)
            return found if isinstance(found, NotMade) or found is None else _held(found)
        documents = self.maker.destination.find(self.record, line.key)
        if len(documents) > 1:
            return NotMade(Outcome.HELD, "several_documents", line.key)
        # Removed by hand: it is not made again, and there is nothing to undo.
        return _held(documents[0]) if documents else {REMOTE_ID: line.remote_id, self.record.amount: NOTHING}

    def _undo(self, row: Row[Any], standing: Standing) -> Standing | NotMade:
        """Take back what stands, as OutSmart has it: somebody may have changed or removed it there."""
        number = number_of(standing.code, standing.last)
        documents = self.maker.destination.find(self.record, number)
        if len(documents) > 1:
            return NotMade(Outcome.HELD, "several_documents", number)
        there = amount_of(self.record, documents[0].payload) if documents else Decimal(0)
        if not there:
            log.warning("%s %s was removed in OutSmart: there is nothing to undo", self.record.label, number)
            return self._reach(row, standing, {**standing.held})
        body = {**documents[0].payload, self.record.amount: decimal_text(-there)}
        body = {name: value for name, value in body.items() if name in self._told}
        title = self.record.field(self.record.title)
        body[title.name] = f"Reversal: {body.get(title.name, number)}"[: title.max_length]
        return self._make(row, standing, body)

    @property
    def _told(self) -> set[str]:
        """Fields that a counter-entry repeats."""
        referring = (field for reference in self.record.references for field in reference.fields.values())
        return {self.record.amount, self.record.title, *referring}

    def _enter(self, row: Row[Any], standing: Standing, wanted: Payload) -> Standing | NotMade:
        if lacking := self.record.lacks(wanted):
            return NotMade(Outcome.REJECTED, MISSING_FIELD, ", ".join(lacking))
        return self._make(row, standing, wanted)

    def _make(self, row: Row[Any], standing: Standing, body: Payload) -> Standing | NotMade:
        number = number_of(standing.code, standing.upcoming)
        self.maker.begin(number, token=row.provider_id)
        made = self.maker.send(number, {**body, self.record.code: number})
        if isinstance(made, NotMade):
            return made
        event = "reversed" if standing.last > 0 else "registered" if standing.last else ""  # the first is "created"
        return self._reach(row, standing, {**body, REMOTE_ID: made}, event)

    def _reach(self, row: Row[Any], standing: Standing, body: Payload, event: str = "") -> Standing:
        """Note in one transaction that the upcoming entry is there, and what stands by that."""
        number = number_of(standing.code, standing.upcoming)
        reached = standing.after(self.record, standing.upcoming, body)
        with self.store.begin() as connection:
            self.maker.done(connection, number, str(body.get(REMOTE_ID, "")))
            if event:
                merging.log_event(
                    connection, self.job, self._only(row), event, f"{body[self.record.amount]} ({number})"
                )
            connection.execute(
                update(mirror)
                .where(scope.mirrored(self.job, self.record.name), mirror.c.provider_id == row.provider_id)
                .values(outsmart=encode(reached.held))
            )
        return reached

    # Noting.

    def _keep_done(self, row: Row[Any]) -> None:
        """OutSmart knows the amount as the package has it."""
        with self.store.begin() as connection:
            if row.outcome == Outcome.DELETED:
                self._note_gone(connection, row, MirrorState.SYNCED, None)
            else:
                here = self._only(row)
                merging.log_events(connection, self.job, and_(here, staging.c.outcome == Outcome.CREATE))
                merging.merge(connection, self.job, here, state_of_written=True)
            marks.note(connection, self.job, marks.DELIVERED, self.record, row.seq)

    def _keep_stopped(self, row: Row[Any], why: NotMade) -> None:
        with self.store.begin() as connection:
            if row.outcome == Outcome.DELETED:
                self._note_gone(connection, row, MirrorState(why.outcome.value), why)
            else:
                values = {"outcome": why.outcome.value, "reason": why.reason, "detail": why.detail}
                connection.execute(update(staging).where(self._only(row)).values(**values))
            marks.note(connection, self.job, marks.DELIVERED, self.record, row.seq)

    def _note_gone(self, connection: Connection, row: Row[Any], state: MirrorState, why: NotMade | None) -> None:
        """Of a record that the package deleted, the state tells whether what stood has been undone."""
        if why is not None and why.reason != row.known_reason:
            merging.log_event(connection, self.job, self._only(row), why.outcome.value, why.detail, reason=why.reason)
        connection.execute(
            update(mirror)
            .where(scope.mirrored(self.job, self.record.name), mirror.c.provider_id == row.provider_id)
            .values(state=state, reason=why.reason if why else None, detail=why.detail if why else None)
        )

    def _only(self, row: Row[Any]) -> ColumnElement[bool]:
        return and_(scope.staged(self.job), staging.c.seq == row.seq)


def _held(document: Document) -> Payload:
    return {**document.payload, REMOTE_ID: document.remote_id}
