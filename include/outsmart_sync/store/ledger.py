"""The ledger of documents that are made once: what is being sent, what was, and what became of it.

A line is written before a document is sent. So after a crash, or an answer that never came, the next attempt knows that
there may be one already, and looks before it makes another.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, exists, or_, select, update

from outsmart_sync.store import dialect
from outsmart_sync.store.tables import ledger, staging

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from sqlalchemy import ColumnElement, Connection

MISSES_UNTIL_SENT_AGAIN = 2
"""Runs that must have looked for an unclear document in vain before it is sent again."""

MISSES_COUNT_AFTER = timedelta(minutes=5)
"""How long after a document was sent, or looked for, a look in vain counts."""

COPY = "#"
"""Stands between the key of a document, and which one it is, where a person asked for another one of the same thing."""

_CHUNK = 1_000


class LedgerState(StrEnum):
    """Where a document stands."""

    SENDING = "sending"
    """About to be sent, or sent: nobody has said how it ended."""
    UNCERTAIN = "uncertain"
    """Sent, without an answer that says whether it was made."""
    DONE = "done"
    """Made."""


UNCLEAR = (LedgerState.SENDING, LedgerState.UNCERTAIN)


@dataclass(frozen=True, slots=True)
class Line:
    """One document's line.

    Attributes:
        account: The OutSmart account, by our name.
        kind: What it is, such as ``work_order``.
        key: Its number there.
        state: Where it stands.
        remote_id: Its id where it was made; '' while that is not known.
        misses: Runs that looked for it in vain.
        run_id: The run that wrote the line last.
        connection_id: The sync connection that it was sent for.
        begun_at: When it was last about to be sent; None for lines of older versions.
        content: What was sent; '' where that is not kept.
        changed_at: When the line was last written.
    """

    account: str
    kind: str
    key: str
    state: LedgerState
    remote_id: str
    misses: int
    run_id: int
    connection_id: int
    begun_at: datetime | None = None
    content: str = ""
    changed_at: datetime | None = None


def find(connection: Connection, account: str, kind: str, key: str) -> Line | None:
    """A document's line; None: it was never sent."""
    row = connection.execute(select(*_columns()).where(_line(account, kind, key))).one_or_none()
    return None if row is None else _of(row)


def unclear(connection: Connection, account: str, kind: str, connection_id: int) -> list[tuple[Line, str]]:
    """Every line of a kind of which nobody knows how it ended, with the token by which it is looked for."""
    query: Any = select(*_columns(), ledger.c.token).where(
        ledger.c.account == account,
        ledger.c.kind == kind,
        ledger.c.connection_id == connection_id,
        ledger.c.state.in_(UNCLEAR),
    )
    return [(_of(row), str(row.token)) for row in connection.execute(query)]


def of_prefix(connection: Connection, account: str, kind: str, prefix: str) -> list[Line]:
    """The lines of a kind whose keys begin with a text."""
    query = select(*_columns()).where(
        ledger.c.account == account, ledger.c.kind == kind, ledger.c.key.startswith(prefix, autoescape=True)
    )
    return [_of(row) for row in connection.execute(query)]


def of_key(connection: Connection, account: str, kinds: Collection[str], key: str) -> list[Line]:
    """Every line of these kinds about one thing: its own, and those of its parts."""
    parts = ledger.c.key.startswith(f"{key}/", autoescape=True)
    query = select(*_columns()).where(
        ledger.c.account == account, ledger.c.kind.in_(kinds), or_(ledger.c.key == key, parts)
    )
    return [_of(row) for row in connection.execute(query.order_by(ledger.c.kind, ledger.c.key))]


def _columns() -> Any:
    return [ledger.c[name] for name in Line.__dataclass_fields__]


def _of(row: Any) -> Line:
    """A line of a row that may have other columns, too."""
    line = Line(**{name: getattr(row, name) for name in Line.__dataclass_fields__})
    return replace(line, state=LedgerState(line.state))


def keys_of(connection: Connection, account: str, kind: str, remote_ids: Sequence[str]) -> dict[str, str]:
    """Of documents that were made: the id where each was made → its number here."""
    # A deliberate second document of one thing has a key of its own.
    found = _done_by(connection, account, kind, ledger.c.remote_id, remote_ids)
    return {remote_id: key.partition(COPY)[0] for key, remote_id in found}


def made(connection: Connection, account: str, kind: str, keys: Sequence[str]) -> dict[str, str]:
    """Of these numbers here, those that were made → the id where each was made."""
    return dict(_done_by(connection, account, kind, ledger.c.key, keys))


def _done_by(
    connection: Connection, account: str, kind: str, column: ColumnElement[str], values: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """Key and remote id of what was made, of which a column has one of these values."""
    for start in range(0, len(values), _CHUNK):
        query = select(ledger.c.key, ledger.c.remote_id).where(
            ledger.c.account == account,
            ledger.c.kind == kind,
            ledger.c.state == LedgerState.DONE,
            column.in_(values[start : start + _CHUNK]),
        )
        for row in connection.execute(query):
            yield row.key, row.remote_id


def begin(
    connection: Connection, account: str, kind: str, key: str, *, connection_id: int, run_id: int, token: str = ""
) -> None:
    """Note that a document is about to be sent; commit before it is."""
    values = {
        "connection_id": connection_id,
        "state": LedgerState.SENDING.value,
        "remote_id": "",
        "token": token,
        "misses": 0,
        "run_id": run_id,
        "changed_at": dialect.now(connection),
        "begun_at": dialect.now(connection),
    }
    statement = dialect.upsert(connection, ledger).values(account=account, kind=kind, key=key, **values)
    connection.execute(
        statement.on_conflict_do_update(index_elements=[ledger.c.account, ledger.c.kind, ledger.c.key], set_=values)
    )


def claim(
    connection: Connection,
    account: str,
    kind: str,
    key: str,
    *,
    connection_id: int,
    run_id: int,
    token: str,
    content: str = "",
    seen: Line | None = None,
) -> bool:
    """Note that a document is about to be sent, unless somebody else did since its line was looked at.

    Two tasks of one run may both believe that they are the one, when Airflow takes one for dead: only one of them gets
    the line. Commit before the document is sent.

    Args:
        connection: An open transaction.
        account: The OutSmart account, by our name.
        kind: What it is.
        key: Its number there.
        connection_id: The sync connection.
        run_id: The run.
        token: By which it is looked for.
        content: What is sent.
        seen: The line as it was when it was looked at; None: there was none.

    Returns:
        Whether this process may send it.
    """
    now = dialect.now(connection)
    values = {
        "connection_id": connection_id,
        "state": LedgerState.SENDING.value,
        "remote_id": "",
        "token": token,
        "content": content,
        "misses": 0,
        "run_id": run_id,
        "changed_at": now,
        "begun_at": now,
    }
    if seen is None:
        statement = dialect.upsert(connection, ledger).values(account=account, kind=kind, key=key, **values)
        nothing = statement.on_conflict_do_nothing(index_elements=[ledger.c.account, ledger.c.kind, ledger.c.key])
        return connection.execute(nothing.returning(ledger.c.key)).one_or_none() is not None
    begun = ledger.c.begun_at.is_(None) if seen.begun_at is None else ledger.c.begun_at == seen.begun_at
    unchanged = and_(_line(account, kind, key), ledger.c.state.in_(UNCLEAR), begun)
    return connection.execute(update(ledger).where(unchanged).values(**values)).rowcount == 1


def give_up(connection: Connection, line: Line) -> bool:
    """Forget an unclear document that is known not to be there; false: somebody else has written its line since."""
    return connection.execute(delete(ledger).where(_as_seen(line))).rowcount == 1


def uncertain(connection: Connection, account: str, kind: str, key: str, run_id: int) -> None:
    """Note that no clear answer came."""
    _change(connection, account, kind, key, state=LedgerState.UNCERTAIN.value, run_id=run_id)


def missed(connection: Connection, line: Line, run_id: int) -> int | None:
    """Note that an unclear document was looked for in vain; a run counts once.

    A package may store what it was sent long after it broke off. So a look counts only some minutes after the document
    was sent, and after the look before it.

    Returns:
        How many looks count so far; None: somebody else has written the line since it was read.
    """
    now = dialect.now(connection)
    if line.changed_at is not None and now - line.changed_at < MISSES_COUNT_AFTER:
        return line.misses
    looked_already = line.misses > 0 and line.run_id == run_id
    misses = line.misses if looked_already else line.misses + 1
    values = {"state": LedgerState.UNCERTAIN.value, "misses": misses, "run_id": run_id}
    noted = connection.execute(update(ledger).where(_as_seen(line)).values(**values, changed_at=now))
    return misses if noted.rowcount == 1 else None


def done(connection: Connection, account: str, kind: str, key: str, remote_id: str, run_id: int) -> None:
    """Note that a document was made."""
    _change(connection, account, kind, key, state=LedgerState.DONE.value, remote_id=remote_id, run_id=run_id)


def note(
    connection: Connection,
    account: str,
    kind: str,
    key: str,
    *,
    connection_id: int,
    run_id: int,
    remote_id: str,
    content: str = "",
) -> None:
    """Note what is there without having been sent, or may be done again and again; no content leaves it as it is."""
    begin(connection, account, kind, key, connection_id=connection_id, run_id=run_id)
    done(connection, account, kind, key, remote_id, run_id)
    if content:
        keep(connection, account, kind, key, content)


def keep(connection: Connection, account: str, kind: str, key: str, content: str) -> None:
    """Note what a document that is there says by now."""
    _change(connection, account, kind, key, content=content)


def refused(connection: Connection, account: str, kind: str, key: str) -> None:
    """Forget a document of which is known that it was not made."""
    connection.execute(delete(ledger).where(_line(account, kind, key)))


def is_own_export(connection: Connection, account: str, kind: str) -> ColumnElement[bool]:
    """Whether a staged row is a document that our own export made, or is just making."""
    mine = and_(ledger.c.account == account, ledger.c.kind == kind)
    made = exists().where(mine, ledger.c.remote_id == staging.c.provider_id)
    position = dialect.position(connection, staging.c.payload, ledger.c.token)
    unclear = exists().where(mine, ledger.c.state.in_(UNCLEAR), ledger.c.token != "", position > 0)
    return or_(made, unclear)


def _line(account: str, kind: str, key: str) -> ColumnElement[bool]:
    return and_(ledger.c.account == account, ledger.c.kind == kind, ledger.c.key == key)


def _as_seen(line: Line) -> ColumnElement[bool]:
    """A line, unless it was written since it was read."""
    return and_(
        _line(line.account, line.kind, line.key),
        ledger.c.state == line.state,
        ledger.c.misses == line.misses,
        ledger.c.run_id == line.run_id,
    )


def _change(connection: Connection, account: str, kind: str, key: str, **values: object) -> None:
    connection.execute(
        update(ledger).where(_line(account, kind, key)).values(**values, changed_at=dialect.now(connection))
    )
