"""Finds the invoice in OutSmart that a payment belongs to, and keeps the two linked.

OutSmart's invoices are read when a payment has none yet, once in a run at most. One is linked by giving it, in the
mirror, the package's id of the invoice; from then on payments refer to it as records refer to one another.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, delete, or_, select, update

from outsmart_sync.pipeline import outsmart_read, scope
from outsmart_sync.pipeline.outcomes import INVOICE_MISSING, Outcome
from outsmart_sync.records.invoice import INVOICE
from outsmart_sync.records.payment import DEBTOR, DOCUMENT, EXPORTED_INVOICE, INVOICE_OF, NUMBER, TOTAL
from outsmart_sync.records.staged import Origin
from outsmart_sync.records.values import Payload, code_key, decode
from outsmart_sync.store import dialect, exports, ledger, staged_rows
from outsmart_sync.store.tables import mirror, staging

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy import ColumnElement, Connection

    from outsmart_sync.pipeline.job import Job
    from outsmart_sync.pipeline.ports import Destination
    from outsmart_sync.records.record import Record
    from outsmart_sync.store.store import Store

log = logging.getLogger(__name__)

_CHUNK = 1_000
_CONCEPT = "CONCEPT"
_ONE_DAY = timedelta(days=1)


@dataclass
class _Sought:
    """An invoice of the package's that payments are waiting for.

    Attributes:
        number: Its number.
        debtor: Debtor number of who pays.
        totals: What it comes to, as its terms say.
        documents: The package's ids of it.
    """

    number: str = ""
    debtor: str = ""
    totals: set[Decimal] = field(default_factory=set)
    documents: set[str] = field(default_factory=set)

    def add(self, payload: Payload) -> None:
        """Take in what one of its terms says."""
        self.number, self.debtor = str(payload.get(NUMBER, "")), str(payload.get(DEBTOR, ""))
        if total := payload.get(TOTAL):
            self.totals.add(Decimal(str(total)))
        if document := payload.get(DOCUMENT):
            self.documents.add(str(document))


@dataclass(frozen=True, slots=True)
class _Invoice:
    """An invoice of OutSmart's that no payment belongs to yet."""

    id: int
    debtor: str
    amount: Decimal
    currency: str

    def fits(self, sought: _Sought, currency: str) -> bool:
        """Whether it is the one: same debtor, amount and, where it is said, currency."""
        same_currency = not (currency and self.currency) or self.currency == currency
        return same_currency and self.amount in sought.totals and code_key(self.debtor) == code_key(sought.debtor)

    def __str__(self) -> str:
        return f"debtor {self.debtor or '?'}, {self.amount} {self.currency}".rstrip()


@dataclass(frozen=True, slots=True)
class _Exported:
    """The work orders that our own exports made documents of.

    Attributes:
        by_document: The package's id of an invoice that was made → row id of the work order.
        by_number: Number of an invoice that a document was turned into later → row ids of the work orders.
    """

    by_document: Mapping[str, str]
    by_number: Mapping[str, set[str]]

    def of(self, sought: _Sought) -> set[str]:
        """Row ids of the work orders that an invoice of the package's is for."""
        made = {self.by_document[each] for each in sought.documents if each in self.by_document}
        return made | self.by_number.get(sought.number, set())

    def all(self) -> set[str]:
        """Row ids of all these work orders."""
        return set(self.by_document.values()).union(*self.by_number.values())


@dataclass(frozen=True)
class _Unlinked:
    """OutSmart's invoices that may be meant, by their numbers and by the work orders that they were made from."""

    by_number: Mapping[str, list[_Invoice]]
    by_work_order: Mapping[str, list[_Invoice]]
    exported: _Exported
    currency: str

    def of_export(self, sought: _Sought) -> list[_Invoice]:
        """Those of the work order that our own export made the document of."""
        found = [each for row_id in self.exported.of(sought) for each in self.by_work_order.get(row_id, ())]
        return found if len(found) == 1 else [each for each in found if each.fits(sought, self.currency)]

    def alike(self, sought: _Sought) -> list[_Invoice]:
        """Those with its number, debtor and amount."""
        return [each for each in self.numbered(sought) if each.fits(sought, self.currency)]

    def numbered(self, sought: _Sought) -> list[_Invoice]:
        """Those with its number."""
        return self.by_number.get(code_key(sought.number), [])


def link(store: Store, job: Job, destination: Destination) -> None:
    """Link the invoices of payments that have none; OutSmart is asked only where there are such.

    Raises:
        ConfigurationError: OutSmart refuses our tokens.
        TransientError: OutSmart's answer did not come, or not whole.
    """
    for record in job.category.records:
        if INVOICE_OF not in record.references:
            continue
        with store.read() as connection:
            lacking = bool(_sought(connection, job, record))
        if not lacking:
            continue
        outsmart_read.read_record(store, job, destination, INVOICE)
        with store.begin() as connection:
            sought = _sought(connection, job, record)  # fewer, if one that was removed is back
            linked = _link(connection, job, sought)
        log.info("%s of %s invoices that payments wait for were found in OutSmart", linked, len(sought))


def explain(connection: Connection, job: Job, record: Record) -> None:
    """Say of each payment that waits for its invoice what OutSmart has instead, and look again tomorrow."""
    if INVOICE_OF not in record.references:
        return
    waiting = _staged(job, record, staging.c.outcome == Outcome.WAITING)
    found: dict[str, _Sought] = defaultdict(_Sought)
    rows: list[tuple[int, str]] = []
    for seq, payload in _payloads(connection, waiting):
        if key := str(payload.get(INVOICE_OF.key, "")):
            found[key].add(payload)
            rows.append((seq, key))
    unlinked = _unlinked(connection, job, found.values())
    why = {key: _why(sought, unlinked) for key, sought in found.items()}
    due_on = job.today + _ONE_DAY
    told = [{"seq_": seq, "reason_": why[key][0], "detail_": why[key][1], "due_": due_on} for seq, key in rows]
    if told:
        connection.execute(
            update(staging)
            .where(scope.staged(job), staging.c.seq == bindparam("seq_"))
            .values(reason=bindparam("reason_"), detail=bindparam("detail_"), due_on=bindparam("due_")),
            told,
        )


def _why(sought: _Sought, unlinked: _Unlinked) -> tuple[str, str]:
    fitting = unlinked.of_export(sought) or unlinked.alike(sought)
    if len(fitting) > 1:
        return "several_invoices", f"{len(fitting)} with number {sought.number}"
    if numbered := unlinked.numbered(sought):
        return "invoice_differs", f"{sought.number}, {'; '.join(map(str, numbered[:3]))}"
    return INVOICE_MISSING, sought.number


def _sought(connection: Connection, job: Job, record: Record) -> dict[str, _Sought]:
    """Invoices that staged payments name, and that are not linked: the package's id → what is known of each."""
    found: dict[str, _Sought] = defaultdict(_Sought)
    rows = _staged(job, record, or_(staging.c.dated_on.is_(None), staging.c.dated_on >= job.starts_on))
    for _, payload in _payloads(connection, rows):
        if key := str(payload.get(INVOICE_OF.key, "")):
            found[key].add(payload)
    for key in _linked(connection, job, sorted(found)):
        del found[key]
    return found


def _staged(job: Job, record: Record, rows: ColumnElement[bool]) -> Any:
    return select(staging.c.seq, staging.c.payload).where(
        scope.staged(job),
        staging.c.record == record.name,
        staging.c.origin.not_in((Origin.DELETED, Origin.LEFT, Origin.PART)),
        rows,
    )


def _payloads(connection: Connection, query: Any) -> Iterator[tuple[int, Payload]]:
    names_one = dialect.contains(connection, staging.c.payload, f'"{INVOICE_OF.key}"')
    for rows in staged_rows.chunks(connection, query.where(names_one), _CHUNK):
        for row in rows:
            yield row.seq, decode(row.payload)


def _linked(connection: Connection, job: Job, keys: Sequence[str]) -> list[str]:
    found: list[str] = []
    for start in range(0, len(keys), _CHUNK):
        query = select(mirror.c.provider_id).where(
            scope.mirrored(job, INVOICE.name),
            scope.in_destination(job),
            mirror.c.provider_id.in_(keys[start : start + _CHUNK]),
        )
        found += connection.execute(query).scalars()
    return found


def _link(connection: Connection, job: Job, sought: Mapping[str, _Sought]) -> int:
    """Link each invoice for which there is exactly one candidate, which is no other one's."""
    unlinked = _unlinked(connection, job, sought.values())
    taken: dict[int, list[str]] = defaultdict(list)
    for key, each in sought.items():
        fitting = unlinked.of_export(each) or unlinked.alike(each)
        if len(fitting) == 1:
            taken[fitting[0].id].append(key)
    links = [{"id_": invoice, "key_": keys[0]} for invoice, keys in taken.items() if len(keys) == 1]
    if links:
        # The one that it was linked to before is not in OutSmart any more.
        lost = and_(scope.mirrored(job, INVOICE.name), mirror.c.provider_id.in_([each["key_"] for each in links]))
        connection.execute(delete(mirror).where(lost, ~scope.in_destination(job)))
        connection.execute(
            update(mirror).where(mirror.c.id == bindparam("id_")).values(provider_id=bindparam("key_")), links
        )
    return len(links)


def _unlinked(connection: Connection, job: Job, sought: Iterable[_Sought]) -> _Unlinked:
    """OutSmart's invoices that these may be, out of all that are not linked."""
    each_sought = list(sought)
    numbers = {code_key(each.number) for each in each_sought}
    documents = sorted({document for each in each_sought for document in each.documents})
    exported = _Exported(
        ledger.keys_of(connection, job.account, EXPORTED_INVOICE, documents),
        exports.of_invoices(connection, job.connection_id, (each.number for each in each_sought if each.number)),
    )
    row_ids = exported.all()
    by_number: dict[str, list[_Invoice]] = defaultdict(list)
    by_work_order: dict[str, list[_Invoice]] = defaultdict(list)
    for row_id, there in _free(connection, job):
        if str(there.get("type", "")).startswith(_CONCEPT):
            continue
        invoice = _invoice(row_id, there)
        for number in {code_key(str(there.get(name, ""))) for name in ("number", "number_formatted")} & numbers:
            by_number[number].append(invoice)
        if (work_order := str(there.get("work_order", ""))) in row_ids:
            by_work_order[work_order].append(invoice)
    return _Unlinked(by_number, by_work_order, exported, job.currency)


def _invoice(row_id: int, there: Payload) -> _Invoice:
    return _Invoice(
        id=row_id,
        debtor=str(there.get("debtor", "")),
        amount=Decimal(str(there.get("amount", "0"))),
        currency=str(there.get("currency", "")),
    )


def _free(connection: Connection, job: Job) -> Iterator[tuple[int, Payload]]:
    after = -1
    query = select(mirror.c.id, mirror.c.outsmart).where(
        scope.mirrored(job, INVOICE.name), mirror.c.provider_id.is_(None), mirror.c.outsmart.is_not(None)
    )
    while True:
        rows = connection.execute(query.where(mirror.c.id > after).order_by(mirror.c.id).limit(_CHUNK)).all()
        if not rows:
            return
        for row in rows:
            yield row.id, decode(row.outsmart)
        after = rows[-1].id
