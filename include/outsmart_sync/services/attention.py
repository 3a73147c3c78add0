"""Records that wait for a person: grouped by cause, tried again, dismissed, put on hold, released."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import Boolean, ColumnElement, and_, func, insert, literal_column, select, update

from outsmart_sync.errors import InvalidSettings
from outsmart_sync.pipeline import halves
from outsmart_sync.pipeline.outcomes import (
    BY_HAND,
    DISMISSED,
    HELD_BY_HAND,
    MISSING_FIELD,
    Link,
    MirrorState,
    explain,
)
from outsmart_sync.providers.packages import package as package_of
from outsmart_sync.services import links, settings
from outsmart_sync.services.setting_values import ENABLED
from outsmart_sync.store import connections, dialect
from outsmart_sync.store.tables import mirror, record_log

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from outsmart_sync.records.catalogue import ImportCategory
    from outsmart_sync.services.settings import Settings
    from outsmart_sync.store.connections import SyncConnection
    from outsmart_sync.store.store import Store

STATES = (MirrorState.REJECTED, MirrorState.HELD, MirrorState.WAITING)
_FOR_A_PERSON = (MirrorState.REJECTED, MirrorState.HELD)  # what waits for another record goes by itself
_AT_ONCE = date(1970, 1, 1)  # a day that has come: the next run judges the record again
_NO_RUN = 0
_CODES = 200
"""Records that are tried again one by one; beyond that the whole category is read again."""
# The partial index's own words: only so can SQLite tell that it fits.
_OPEN: ColumnElement[bool] = literal_column("mirror.state NOT IN ('synced', 'excluded')", Boolean)


@dataclass(frozen=True, slots=True)
class Cause:
    """Records that wait for the same cause.

    Attributes:
        connection_id: Whose.
        category: Name of their category.
        record: Record type.
        state: ``rejected``, ``held`` or ``waiting``.
        reason: Code of the cause.
        text: The cause in words, without what is special to one record; what OutSmart demands is named.
        remedy: What to do.
        number: How many.
    """

    connection_id: int
    category: str
    record: str
    state: str
    reason: str
    text: str
    remedy: str
    number: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """One record that waits.

    Attributes:
        id: Its number in the mirror.
        connection_id: Whose.
        record: Record type.
        state: Where it stands.
        code: The package's code.
        title: What a person recognises it by.
        text: Why, with what is special to it.
        remedy: What to do.
        provider_id: The package's id.
        by_hand: A person put it on hold.
        cause: What it waits for, with all that wait for the same.
    """

    id: int
    connection_id: int
    record: str
    state: str
    code: str
    title: str
    text: str
    remedy: str
    provider_id: str
    by_hand: bool
    cause: Cause


def causes(store: Store, connection_ids: Iterable[int]) -> list[Cause]:
    """Everything that waits, by cause; the most first."""
    return _causes(store, _waits(connection_ids))


def numbers(store: Store, connection_ids: Iterable[int]) -> dict[int, int]:
    """Connection → how many of its records wait for a person, as :func:`causes` lists them."""
    key = (mirror.c.connection_id, mirror.c.record)
    for_a_person = and_(_waits(connection_ids), mirror.c.state.in_(_FOR_A_PERSON))
    with store.read() as transaction:
        rows = transaction.execute(select(*key, func.count().label("number")).where(for_a_person).group_by(*key)).all()
    found: Counter[int] = Counter()
    for connection, row in _of_switched_on(store, rows):
        found[connection.id] += row.number
    return dict(found)


def _causes(store: Store, which: ColumnElement[bool]) -> list[Cause]:
    key = (mirror.c.connection_id, mirror.c.record, mirror.c.state, mirror.c.reason)
    details = (func.min(mirror.c.detail).label("low"), func.max(mirror.c.detail).label("high"))
    query = select(*key, func.count().label("number"), *details).where(which).group_by(*key)
    lists = select(*key, mirror.c.detail).where(which, mirror.c.reason == MISSING_FIELD).distinct()
    with store.read() as transaction:
        rows = transaction.execute(query).all()
        demanded = _demanded(transaction.execute(lists).all())
    found = [
        _cause(connection, row, demanded.get(tuple(row[: len(key)]), ""))
        for connection, row in _of_switched_on(store, rows)
    ]
    return sorted(found, key=lambda each: (STATES.index(MirrorState(each.state)), -each.number))


def _demanded(lists: Iterable[Any]) -> dict[tuple[Any, ...], str]:
    """Key of a cause → all the fields that its records lack: there are few, and each record names its own."""
    found: dict[tuple[Any, ...], dict[str, None]] = {}
    for row in sorted(lists, key=lambda row: (-len(row.detail or ""), row.detail)):
        found.setdefault(tuple(row[:-1]), {}).update(dict.fromkeys((row.detail or "").split(", ")))
    return {key: ", ".join(names) for key, names in found.items()}


def _cause(connection: SyncConnection, row: Row[Any], demanded: str) -> Cause:
    text, remedy = explain(row.reason, demanded or (row.low if row.low == row.high else "…"))
    category = _category_of(connection, row.record)
    return Cause(
        row.connection_id,
        category.name if category else "",
        row.record,
        row.state,
        row.reason or "",
        text.replace("….", "…"),
        remedy,
        row.number,
    )


def _of_switched_on(store: Store, rows: Sequence[Row[Any]]) -> list[tuple[SyncConnection, Row[Any]]]:
    """Those of some rows whose category is switched on, each with its connection."""
    concerned = {row.connection_id for row in rows}
    owners = {each.id: each for each in connections.find(store) if each.id in concerned}
    saved = settings.read_all(store, list(owners.values()))
    on = {number: _switched_on(each, saved[number]) for number, each in owners.items()}
    return [(owners[row.connection_id], row) for row in rows if row.record in on[row.connection_id]]


def _switched_on(connection: SyncConnection, saved: Settings) -> set[str]:
    """The record types of the categories that are switched on: what else waits, waits for nobody."""
    imports = package_of(connection.package).imports
    return {record.name for each in imports if saved.categories[each.name][ENABLED] for record in each.records}


def waiting(
    store: Store,
    connection_id: int,
    record: str,
    state: str,
    reason: str,
    *,
    limit: int = 50,
    offset: int = 0,
) -> list[Waiting]:
    """The records behind one cause, by code."""
    which = (
        _waits([connection_id])
        & (mirror.c.record == record)
        & (mirror.c.state == state)
        & (func.coalesce(mirror.c.reason, "") == reason)
    )
    found = _causes(store, which)
    if not found:
        return []
    connection = connections.require(store, connection_id)
    query = select(mirror).where(which).order_by(mirror.c.code_key, mirror.c.id).limit(limit).offset(offset)
    with store.read() as transaction:
        return [_waiting(connection, row, found[0]) for row in transaction.execute(query)]


def _waiting(connection: SyncConnection, row: Row[Any], cause: Cause) -> Waiting:
    text, remedy = explain(row.reason, row.detail)
    return Waiting(
        row.id,
        row.connection_id,
        row.record,
        row.state,
        _own_code(connection, row),
        row.title or "",
        text,
        remedy,
        row.provider_id or "",
        row.link == Link.ON_HOLD,
        cause,
    )


@dataclass(frozen=True, slots=True)
class Retry:
    """A run that tries records of one category again.

    Attributes:
        asked: What the run is asked for.
        ids: The records, as the mirror numbers them.
    """

    asked: dict[str, Any]
    ids: list[int]


def retries(store: Store, connection: SyncConnection, ids: Sequence[int]) -> list[Retry]:
    """The runs that try records again: one for each of their categories.

    Many records, and those that have no code of their own, are tried by reading the whole category again.
    """
    mine: dict[str, list[int]] = {}
    codes: dict[str, list[str]] = {}
    for row in _rows(store, connection, ids):
        if category := _category_of(connection, row.record):
            mine.setdefault(category.name, []).append(row.id)
            own = [_own_code(connection, row)] if row.record == category.record.name else []
            codes.setdefault(category.name, []).extend(own)
    return [
        Retry(
            {"connection": connection.id, "categories": [name]}
            | ({"codes": codes[name]} if 0 < len(codes[name]) <= _CODES else {"full": True}),
            rows,
        )
        for name, rows in mine.items()
    ]


def dismiss(store: Store, connection: SyncConnection, ids: Sequence[int]) -> int:
    """Say that records that wait need not go to OutSmart; they come up again when they change. Returns how many.

    Raises:
        InvalidSettings: A link made by hand stands in the way.
        Busy: A run works on the category just now.
    """
    values = {"state": MirrorState.EXCLUDED, "reason": DISMISSED, "link": Link.DISMISSED.value, "due_on": None}
    waiting_ones = [row.id for row in _rows(store, connection, ids) if row.state in STATES]
    return _decide(store, connection, waiting_ones, "dismissed", values)


def hold(store: Store, connection: SyncConnection, ids: Sequence[int]) -> int:
    """Keep records from OutSmart until somebody releases them; returns how many.

    Raises:
        InvalidSettings: A link made by hand stands in the way.
        Busy: A run works on the category just now.
    """
    values = {"state": MirrorState.HELD, "reason": HELD_BY_HAND, "link": Link.ON_HOLD.value, "due_on": None}
    return _decide(store, connection, ids, "put_on_hold", values)


def release(store: Store, connection: SyncConnection, ids: Sequence[int]) -> int:
    """Let records go that were put on hold or dismissed; the next run judges them. Returns how many.

    Raises:
        Busy: A run works on the category just now.
    """
    rows = [row for row in _rows(store, connection, ids) if row.link in (Link.ON_HOLD, Link.DISMISSED)]
    return _decide(store, connection, [row.id for row in rows], "released", {"link": "", "due_on": _AT_ONCE})


def _decide(store: Store, connection: SyncConnection, ids: Sequence[int], event: str, values: dict[str, Any]) -> int:
    rows = _rows(store, connection, ids)
    if linked := [row for row in rows if row.link in BY_HAND and values["link"]]:
        raise InvalidSettings(
            f"{_own_code(connection, linked[0])} was linked by hand, so nothing was changed.",
            remedy="Part it from OutSmart's record first.",
            code="linked_by_hand",
        )
    by_category: dict[str, list[Row[Any]]] = {}
    for row in rows:
        if category := _category_of(connection, row.record):
            by_category.setdefault(category.name, []).append(row)
    for name, mine in by_category.items():
        category = package_of(connection.package).category(name)
        with links.alone(store, connection, category), store.begin() as transaction:
            transaction.execute(
                update(mirror).where(mirror.c.id.in_([row.id for row in mine])).values(**values, detail=None)
            )
            _log(transaction, connection, category, mine, event)
    return len(rows)


def _log(
    transaction: Connection, connection: SyncConnection, category: ImportCategory, rows: list[Row[Any]], event: str
) -> None:
    now = dialect.now(transaction)
    transaction.execute(
        insert(record_log),
        [
            {
                "connection_id": connection.id,
                "run_id": _NO_RUN,
                "category": category.name,
                "record": row.record,
                "provider_id": row.provider_id,
                "code": row.code,
                "event": event,
                "reason": "by_hand",
                "detail": "",
                "at": now,
            }
            for row in rows
        ],
    )


def _rows(store: Store, connection: SyncConnection, ids: Sequence[int]) -> list[Row[Any]]:
    query = select(mirror).where(
        mirror.c.id.in_(list(ids)), mirror.c.connection_id == connection.id, mirror.c.provider_id.is_not(None)
    )
    with store.read() as transaction:
        return list(transaction.execute(query))


def _waits(connection_ids: Iterable[int]) -> ColumnElement[bool]:
    return (
        mirror.c.connection_id.in_(list(connection_ids))
        & _OPEN
        & mirror.c.state.in_(STATES)
        & mirror.c.provider_id.is_not(None)
        & mirror.c.source_gone_at.is_(None)
    )


def _own_code(connection: SyncConnection, row: Row[Any]) -> str:
    category = _category_of(connection, row.record)
    record = category.stream_of(row.record).record if category else None
    return ((halves.own_code(record, row) if record else "") or row.code).strip()


def _category_of(connection: SyncConnection, record: str) -> ImportCategory | None:
    for category in package_of(connection.package).imports:
        if record in {each.name for each in category.records}:
            return category
    return None
