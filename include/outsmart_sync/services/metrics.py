"""Figures for whoever watches over all connections: in a few queries, however many connections there are.

Names are ``outsmart_sync.<what>.<package>.<connection>``, for ``last_end`` with the direction behind; the operator's
guide lists them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from outsmart_sync.providers.packages import packages
from outsmart_sync.store import connections, dialect
from outsmart_sync.store.connections import State, SyncConnection
from outsmart_sync.store.runs import CategoryRun
from outsmart_sync.store.tables import call_budget, category_state, run, run_connection
from outsmart_sync.store.tokens import login_owner, renewed_at

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from outsmart_sync.store.store import Store

PREFIX = "outsmart_sync"
_DAY = 86_400.0
_NOT_RECORDS = ("read", "calls", "outsmart_calls")


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure.

    Attributes:
        name: Its name, parts with dots between.
        value: The figure.
        adds: Whether it is added to what was counted before; else it replaces it.
    """

    name: str
    value: float
    adds: bool = False


def of_run(store: Store, categories: Iterable[CategoryRun]) -> list[Metric]:
    """What became of records in a run: ``records.<package>.<connection>.<category>.<outcome>``."""
    packages_of = {each.id: each.package for each in connections.find(store)}
    found = []
    for each in categories:
        place = f"{packages_of.get(each.connection_id)}.{each.connection_id}.{each.category}"
        found += [
            Metric(f"{PREFIX}.records.{place}.{outcome}", number, adds=True)
            for outcome, number in asdict(each.counts).items()
            if number and outcome not in _NOT_RECORDS
        ]
    return found


def standing(store: Store) -> list[Metric]:
    """How every active connection stands.

    ``last_end``, of each direction: the moment, in Unix seconds, when the last run ended that it took part in; whoever
    watches sees it grow old, also when nothing is sent any more. ``stopped``: its categories that wait for a person.
    ``calls_left``: of the day's calls to the package, once one was made today. ``login_days_left``: until its login
    lapses unless used, where it does. ``expired``: 1 when it has lapsed.
    """
    found = [each for each in connections.find(store) if each.state in (State.ACTIVE, State.EXPIRED)]
    with store.read() as transaction:
        now = dialect.now(transaction)
        ended = _last_ended(transaction)
        stopped = _stopped(transaction)
        left = _calls_left(transaction, now)
        logins = renewed_at(transaction)
    metrics = []
    for each in found:
        figures = {
            "stopped": float(stopped.get(each.id, 0)),
            "calls_left": left.get((each.package, each.country, each.administration)),
            "login_days_left": _days_left(each, logins, now),
            "expired": float(each.state is State.EXPIRED),
        }
        metrics += [
            Metric(f"{PREFIX}.{what}.{each.package}.{each.id}", figure)
            for what, figure in figures.items()
            if figure is not None
        ]
        metrics += [
            Metric(f"{PREFIX}.last_end.{each.package}.{each.id}.{direction}", at.timestamp())
            for direction, at in ended.get(each.id, {}).items()
        ]
    return metrics


def _last_ended(transaction: Connection) -> dict[int, dict[str, datetime]]:
    """Connection → direction → when its last run ended."""
    query = (
        select(run_connection.c.connection_id, run.c.direction, func.max(run.c.finished_at).label("at"))
        .join(run, run.c.id == run_connection.c.run_id)
        .where(run.c.finished_at.is_not(None))
        .group_by(run_connection.c.connection_id, run.c.direction)
    )
    found: dict[int, dict[str, datetime]] = {}
    for row in transaction.execute(query):
        found.setdefault(row.connection_id, {})[row.direction] = row.at
    return found


def _stopped(transaction: Connection) -> dict[int, int]:
    query = (
        select(category_state.c.connection_id, func.count().label("number"))
        .where(category_state.c.state == "blocked")
        .group_by(category_state.c.connection_id)
    )
    return {row.connection_id: row.number for row in transaction.execute(query)}


def _calls_left(transaction: Connection, now: datetime) -> dict[tuple[str, str, str], float]:
    """(package, country, administration) → the least that any app has left."""
    found: dict[tuple[str, str, str], float] = {}
    for row in transaction.execute(select(call_budget).where(call_budget.c.day_ends > now)):
        package, country, *_, administration = row.key.split(":")
        key = (package, country, administration)
        found[key] = min(found.get(key, float("inf")), float(row.day_left))
    return found


def _days_left(connection: SyncConnection, logins: dict[str, datetime], now: datetime) -> float | None:
    lasts = packages()[connection.package].login_lasts
    if connection.login_id is None or lasts is None:
        return None
    obtained = logins.get(login_owner(connection.login_id))
    return None if obtained is None else max((obtained + lasts - now).total_seconds() / _DAY, 0.0)
