"""What is broken now, so that somebody must hear of it: logins, categories, work orders on their way into the books."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import select

from outsmart_sync.errors import RenewalRefused
from outsmart_sync.pipeline.job import Options
from outsmart_sync.providers.packages import package as package_of
from outsmart_sync.records.export_catalogue import WORK_ORDERS
from outsmart_sync.services import health
from outsmart_sync.store import dialect, exports
from outsmart_sync.store.connections import State, SyncConnection
from outsmart_sync.store.exports import ExportState
from outsmart_sync.store.runs import RunState
from outsmart_sync.store.tables import category_state, run, run_category
from outsmart_sync.store.tokens import login_owner, refusals

if TYPE_CHECKING:
    from sqlalchemy import Connection

Broken = dict[str, tuple[str, str]]
"""What is broken (:data:`WHOLE`, a category, or :data:`STUCK`) → code, and what happened, why, and what to do."""

WHOLE = ""
"""The connection itself, not one of its categories."""

STUCK = f"{WORK_ORDERS}:stuck"
"""Work orders that were not exported, or not for sure; not their category, which goes on with the others."""

LAPSES, KEEPS_FAILING, NOT_EXPORTED = "login_lapses", "keeps_failing", "not_exported"

LAPSES_WITHIN = timedelta(days=10)
"""A login that nobody could keep alive is told of so long before its end; it should be renewed every week."""

REFUSED_TIMES = 5
"""So often in a row a login is refused in words that may pass before it is told of, which takes two hours and more."""

IN_A_ROW = 3
"""Runs in which a category fails before it is told of: one outage of minutes wakes nobody."""

_LOOKED_AT = 4 * IN_A_ROW  # runs that are looked at for these: previews and tries by hand do not count
_NAMED = 5  # so many work orders are named in one message
_STUCK_STATES = (ExportState.FAILED, ExportState.UNCERTAIN, ExportState.DIFFERS)


def category_of(key: str) -> str:
    """The category that a key belongs to; '' for the connection itself."""
    return key.partition(":")[0]


def of(transaction: Connection, connection: SyncConnection) -> Broken:
    """What is broken now."""
    if connection.state is State.EXPIRED:
        return {WHOLE: (connection.state_code, connection.state_text)}
    if connection.state is not State.ACTIVE:
        return {}
    # Also one whose time to be tried again has come: it is mended when it has ended well, which removes its row.
    query = select(category_state).where(
        category_state.c.connection_id == connection.id, category_state.c.state == "blocked"
    )
    blocked = {row.category: (row.code, row.reason) for row in transaction.execute(query)}
    return (
        _failing(transaction, connection)
        | blocked
        | _not_exported(transaction, connection)
        | _refused(transaction, connection)
        | _lapsing(transaction, connection)
    )


def _failing(transaction: Connection, connection: SyncConnection) -> Broken:
    """Categories that failed in each of their last runs, such as at a defect, or at a package that does not answer."""
    found = {}
    for category in package_of(connection.package).categories:
        last = _last_runs(transaction, connection, category.name)
        if len(last) == IN_A_ROW and all(state == RunState.FAILED for state, _ in last):
            text = f"It failed in each of its last {IN_A_ROW} runs, and is tried again in every one. {last[0][1]}"
            found[category.name] = (KEEPS_FAILING, text)
    return found


def _last_runs(transaction: Connection, connection: SyncConnection, category: str) -> list[tuple[str, str]]:
    """State and error of a category's last runs, newest first; a try by hand counts when it went well."""
    query = (
        select(run_category.c.state, run_category.c.error_text, run.c.options)
        .join(run, run.c.id == run_category.c.run_id)
        .where(
            run_category.c.connection_id == connection.id,
            run_category.c.category == category,
            run_category.c.finished_at.is_not(None),
            run_category.c.state != RunState.PREVIEWED,
        )
        .order_by(run_category.c.finished_at.desc())
        .limit(_LOOKED_AT)
    )
    rows = transaction.execute(query).all()
    return [
        (row.state, row.error_text)
        for row in rows
        if row.state != RunState.FAILED or not msgspec.json.decode(row.options, type=Options).by_hand
    ][:IN_A_ROW]


def _not_exported(transaction: Connection, connection: SyncConnection) -> Broken:
    """Work orders that somebody must look after, as they do not get into the books by themselves."""
    totals = exports.totals(transaction, [connection.id])[connection.id]
    numbers = {state: totals[state] for state in _STUCK_STATES if totals.get(state)}
    if not numbers:
        return {}
    lines = [_stuck(state, number) for state, number in numbers.items()]
    some = exports.listed(transaction, connection_id=connection.id, states=tuple(numbers), limit=_NAMED)
    lines += [f"{each.number}: {each.cause} {each.remedy}".rstrip() for each in some]
    if sum(numbers.values()) > len(some):
        text = f"And {sum(numbers.values()) - len(some)} more."
        lines.append(text)
    text = "See Work orders on the page, or outsmart-sync export list."
    return {STUCK: (NOT_EXPORTED, "\n".join([*lines, text]))}


def _stuck(state: ExportState, number: int) -> str:
    """How many work orders are stuck in a state."""
    if state is ExportState.FAILED:
        text = f"Not exported: {number}."
    elif state is ExportState.UNCERTAIN:
        text = f"Perhaps exported, no clear answer came: {number}."
    else:
        text = f"Exported with another total: {number}."
    return text


def _refused(transaction: Connection, connection: SyncConnection) -> Broken:
    """That the package has refused for hours to renew the login, in words that may pass."""
    owner = login_owner(connection.login_id or 0)
    if refusals(transaction, [owner]).get(owner, 0) < REFUSED_TIMES:
        return {}
    text = (
        "The package has refused for hours to renew the login. It is tried again by itself, but most likely the "
        "permission that was given to this app has been withdrawn: connect the administration again."
    )
    return {WHOLE: (RenewalRefused.code, text)}


def _lapsing(transaction: Connection, connection: SyncConnection) -> Broken:
    """That a login comes to its end, if it is near."""
    lapses = health.login_lapses(transaction, connection)
    left = None if lapses is None else lapses - dialect.now(transaction)
    if lapses is None or left is None or left > LAPSES_WITHIN:
        return {}
    text = (
        f"The login ends in {max(left.days, 0)} days, on {lapses:%d-%m-%Y}, unless it is renewed. It is renewed every "
        "week by itself; that has failed since. Let your administrator read why in the log of the task close_run, or "
        "connect the administration again."
    )
    return {WHOLE: (LAPSES, text)}
