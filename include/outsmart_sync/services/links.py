"""Links made by hand: a person says which record of OutSmart a record of the package is, or that they are two.

Links are made automatically by code. By hand they are made where the code says nothing (it was changed in the package),
or the wrong thing (both systems gave it to another firm). What a person said stands in the sync log and outlives every
run, and the next run acts on it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, or_, select, update

from outsmart_sync.errors import Busy, InvalidSettings
from outsmart_sync.pipeline import guards, halves
from outsmart_sync.pipeline.outcomes import BY_HAND, KEPT_APART, KEPT_FROM_THEIRS, Link, MirrorState
from outsmart_sync.providers.packages import package as package_of
from outsmart_sync.records.values import code_key
from outsmart_sync.services import planning
from outsmart_sync.store import connections, dialect, leases
from outsmart_sync.store.tables import mirror, record_log

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from outsmart_sync.records.catalogue import ImportCategory
    from outsmart_sync.records.record import Record
    from outsmart_sync.store.connections import SyncConnection
    from outsmart_sync.store.store import Store

_BY_A_PERSON = 0  # no run
_AT_ONCE = date(1970, 1, 1)  # a day that has come: the next run judges the record again
_LEASE_LASTS = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided about a record, and what it leads to.

    Attributes:
        connection: Administration's name.
        record: Record type.
        code: The package's code.
        outsmart_code: OutSmart's code.
        text: What is the case now, and what the next sync does.
    """

    connection: str
    record: str
    code: str
    outsmart_code: str
    text: str


def link(store: Store, connection: SyncConnection, record_name: str, code: str, outsmart_code: str) -> Decision:
    """Say that a record of the package and one of OutSmart are one, whatever their codes.

    Args:
        store: The store.
        connection: Whose records.
        record_name: Record type, such as ``relation``.
        code: The package's code, or its id where several records have the code.
        outsmart_code: OutSmart's code; it is kept.

    Raises:
        InvalidSettings: One of them is not known, or linked to another one already.
        Busy: A run works on the category just now.
    """
    category, record = _record(connection, record_name)
    with alone(store, connection, category), store.begin() as transaction:
        ours = _ours(transaction, connection, record, code)
        theirs = _theirs(transaction, connection, record, outsmart_code)
        own = halves.own_code(record, ours)
        if ours.id == theirs.id:
            _keep(transaction, record, ours, own)
        else:
            _join(transaction, connection, record, ours, theirs)
        _log(transaction, connection, category, ours, "linked", own, f"OutSmart: {theirs.code.strip()}")
    name = theirs.code.strip()
    text = f"{record.label} {own} is OutSmart's {name} from now on; the next sync brings it there under that code."
    return Decision(connection.label, record.name, own, name, text)


def unlink(store: Store, connection: SyncConnection, record_name: str, code: str) -> Decision:
    """Say that a record of the package and the one of OutSmart that it is taken for are two; undoes :func:`link`.

    Args:
        store: The store.
        connection: Whose records.
        record_name: Record type, such as ``relation``.
        code: The package's code, or its id where several records have the code.

    Raises:
        InvalidSettings: The record is not known, or there is nothing to unlink it from.
        Busy: A run works on the category just now.
    """
    category, record = _record(connection, record_name)
    with alone(store, connection, category), store.begin() as transaction:
        ours = _ours(transaction, connection, record, code)
        own = halves.own_code(record, ours)
        theirs, text = _take_apart(transaction, connection, record, ours, own)
        _log(transaction, connection, category, ours, "unlinked", own, f"OutSmart: {theirs}")
    return Decision(connection.label, record.name, own, theirs, text)


def link_ahead(
    store: Store, connection: SyncConnection, record_name: str, provider_id: str, code: str, outsmart_code: str
) -> Decision:
    """Say before a first import that a record of the package, which is not known here yet, is one of OutSmart's.

    One that has become known since, as an import came in between, is linked as :func:`link` does.

    Args:
        store: The store.
        connection: Whose records.
        record_name: Record type, such as ``relation``.
        provider_id: The package's id of its record.
        code: The package's code.
        outsmart_code: OutSmart's code; it is kept.

    Raises:
        InvalidSettings: OutSmart's is not known, or linked already.
        Busy: A run works on the category just now.
    """
    category, record = _record(connection, record_name)
    if _is_known(store, connection, record, provider_id):
        return link(store, connection, record_name, provider_id, outsmart_code)
    with alone(store, connection, category), store.begin() as transaction:
        theirs = _theirs(transaction, connection, record, outsmart_code)
        if theirs.provider_id is not None:
            raise InvalidSettings(
                f"OutSmart's {theirs.code.strip()} is linked with {record.label} {halves.own_code(record, theirs)} of "
                "the package already.",
                remedy="Part them first, if that is wrong.",
                code="already_linked",
            )
        _change(transaction, theirs.id, provider_id=provider_id, link=Link.JOINED)
        transaction.execute(
            insert(record_log).values(
                connection_id=connection.id,
                run_id=_BY_A_PERSON,
                category=category.name,
                record=record.name,
                provider_id=provider_id,
                code=code,
                event="linked",
                reason="by_hand",
                detail=f"OutSmart: {theirs.code.strip()}",
                at=dialect.now(transaction),
            )
        )
    name = theirs.code.strip()
    text = f"{record.label} {code} is OutSmart's {name} from now on; the next sync brings it there under that code."
    return Decision(connection.label, record.name, code, name, text)


def _is_known(store: Store, connection: SyncConnection, record: Record, provider_id: str) -> bool:
    query = select(mirror.c.id).where(_of(connection, record), mirror.c.provider_id == provider_id)
    with store.read() as transaction:
        return transaction.execute(query).one_or_none() is not None


def _keep(transaction: Connection, record: Record, ours: Row[Any], own: str) -> None:
    """They are linked: that stays so, although the package changed the code."""
    if ours.link in BY_HAND or ours.code_key == code_key(own):
        raise InvalidSettings(
            f"{record.label.capitalize()} {own} is linked with OutSmart's {ours.code.strip()} already.",
            remedy="Nothing needs doing.",
            code="already_linked",
        )
    _change(transaction, ours.id, link=Link.KEPT, due_on=_AT_ONCE)


def _join(
    transaction: Connection, connection: SyncConnection, record: Record, ours: Row[Any], theirs: Row[Any]
) -> None:
    own = halves.own_code(record, ours)
    if ours.outsmart is not None or ours.delivered_hash is not None:
        raise InvalidSettings(
            f"{record.label.capitalize()} {own} is linked with OutSmart's {ours.code.strip()} already.",
            remedy=f"If that is wrong: outsmart-sync unlink {connection.id} {record.name} {own}",
            code="already_linked",
        )
    if theirs.provider_id is not None and theirs.source_gone_at is None:
        other = halves.own_code(record, theirs)
        raise InvalidSettings(
            f"OutSmart's {theirs.code.strip()} is linked with {record.label} {other} of the package already.",
            remedy=f"If that is wrong: outsmart-sync unlink {connection.id} {record.name} {other}",
            code="already_linked",
        )
    halves.join(transaction, ours, theirs)
    _change(transaction, ours.id, link=Link.JOINED, due_on=_AT_ONCE)


def _take_apart(
    transaction: Connection, connection: SyncConnection, record: Record, ours: Row[Any], own: str
) -> tuple[str, str]:
    """Part what is linked; returns OutSmart's code, and what will happen."""
    theirs = ours.code.strip()
    if ours.outsmart is not None and ours.link == Link.KEPT:
        _change(transaction, ours.id, link="", due_on=_AT_ONCE)
        return theirs, f"It is held again, since its code was changed: OutSmart knows it as {theirs}."
    same = ours.code_key == code_key(own)
    if ours.outsmart is not None:
        halves.split(transaction, record, [ours])
        if not same:
            _change(transaction, ours.id, link="", due_on=_AT_ONCE)
            return theirs, f"The next sync judges {record.label} {own} by its own code."
        return theirs, _hold_apart(transaction, record, ours, own, guards.shown(record, ours.code, ours.outsmart))
    if ours.state == MirrorState.HELD and ours.link != Link.APART and ours.reason in KEPT_FROM_THEIRS:
        return theirs, _hold_apart(transaction, record, ours, own, ours.detail or theirs)
    raise InvalidSettings(
        f"{record.label.capitalize()} {own} is linked with nothing in OutSmart.",
        why="A person said so already." if ours.link == Link.APART else "",
        remedy=f"See where it stands: outsmart-sync history {record.name} {own} --connection {connection.id}",
        code="not_linked",
    )


def _hold_apart(transaction: Connection, record: Record, ours: Row[Any], own: str, detail: str) -> str:
    _change(
        transaction, ours.id, link=Link.APART, state=MirrorState.HELD, reason=KEPT_APART, detail=detail, due_on=None
    )
    return f"{record.label.capitalize()} {own} stays out of OutSmart until one of the two has another code."


def _change(transaction: Connection, mirror_id: int, **values: Any) -> None:
    transaction.execute(update(mirror).where(mirror.c.id == mirror_id).values(**values))


def _record(connection: SyncConnection, name: str) -> tuple[ImportCategory, Record]:
    known: dict[str, tuple[ImportCategory, Record]] = {}
    for category in package_of(connection.package).imports:
        known |= {record.name: (category, record) for record in category.records}
    if name not in known:
        raise InvalidSettings(
            f"There is no record type '{name}'.", remedy=f"Choose one of: {', '.join(known)}.", code="unknown_record"
        )
    return known[name]


def _ours(transaction: Connection, connection: SyncConnection, record: Record, code: str) -> Row[Any]:
    """The package's record with a code; the mirror may keep it by OutSmart's."""
    key = code_key(code)
    perhaps = or_(
        mirror.c.code_key == key,
        mirror.c.provider_id == code,
        mirror.c.state == MirrorState.HELD,
        mirror.c.link.in_(BY_HAND),
    )
    rows = [
        row
        for row in transaction.execute(
            select(mirror).where(
                _of(connection, record), perhaps, mirror.c.provider_id.is_not(None), mirror.c.source_gone_at.is_(None)
            )
        )
        if row.provider_id == code or code_key(halves.own_code(record, row)) == key
    ]
    what = f"No {record.label} with code '{code}' has been read from the package, as far as {connection.label} knows."
    return _only(record, code, rows, what)


def _theirs(transaction: Connection, connection: SyncConnection, record: Record, code: str) -> Row[Any]:
    query = select(mirror).where(
        _of(connection, record), mirror.c.code_key == code_key(code), mirror.c.outsmart.is_not(None)
    )
    rows = list(transaction.execute(query))
    exact = [row for row in rows if row.code == code]
    what = f"OutSmart has no {record.label} with code '{code}', as far as {connection.label} knows."
    return _only(record, code, exact or rows, what)


def _only(record: Record, code: str, rows: list[Row[Any]], what: str) -> Row[Any]:
    if not rows:
        raise InvalidSettings(
            what,
            why="Records are known here once a sync has read them; what others made in OutSmart, once a full one has.",
            remedy="Check the code, or sync the category with --full.",
            code="unknown_record",
        )
    if len(rows) > 1:
        named = ", ".join(f"{row.provider_id or row.code} ({row.title})" for row in rows)
        raise InvalidSettings(
            f"Several {record.label} records have the code '{code}': {named}.",
            remedy="Name the one that is meant: by the package's id, or by OutSmart's code as it is written there.",
            code="ambiguous_record",
        )
    return rows[0]


def _of(connection: SyncConnection, record: Record) -> Any:
    return (mirror.c.connection_id == connection.id) & (mirror.c.record == record.name)


def _log(
    transaction: Connection,
    connection: SyncConnection,
    category: ImportCategory,
    ours: Row[Any],
    event: str,
    code: str,
    detail: str,
) -> None:
    transaction.execute(
        insert(record_log).values(
            connection_id=connection.id,
            run_id=_BY_A_PERSON,
            category=category.name,
            record=ours.record,
            provider_id=ours.provider_id,
            code=code,
            event=event,
            reason="by_hand",
            detail=detail,
            at=dialect.now(transaction),
        )
    )


@contextmanager
def alone(store: Store, connection: SyncConnection, category: ImportCategory) -> Iterator[None]:
    """Keep runs out of the category meanwhile: their rows point to records of the mirror."""
    connections.require(store, connection.id)
    name, owner = planning.lease_name(connection.id, category.name), f"person:{uuid.uuid4()}"
    if leases.claim(store, name, owner, _LEASE_LASTS) is None:
        raise Busy(
            f"{category.label} of {connection.label} is being synced just now.",
            remedy="Try again when that run has ended.",
        )
    try:
        yield
    finally:
        leases.release(store, name, owner)
