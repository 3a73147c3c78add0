"""Figures for whoever watches over all connections: in a few queries, however many connections there are.

Names are ``outsmart_sync.<what>.<package>.<connection>``, for ``last_end`` and ``scheduled`` with the direction behind;
the operator's guide lists them.
"""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from outsmart_sync.providers.packages import package as package_of
from outsmart_sync.services import health, settings
from outsmart_sync.services.planning import EXPORT, IMPORT
from outsmart_sync.services.settings import Settings
from outsmart_sync.store import connections, dialect
from outsmart_sync.store.connections import State, SyncConnection
from outsmart_sync.store.runs import CategoryRun
from outsmart_sync.store.tables import call_budget, category_state, run, run_connection
from outsmart_sync.store.tokens import renewed_at

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from outsmart_sync.store.store import Store

log = logging.getLogger(__name__)

PREFIX = "outsmart_sync"
_DAY = 86_400.0
_NOT_RECORDS = ("read", "calls", "outsmart_calls")


@dataclass(frozen=True, slots=True)
class _Known:
    """What figures are made of.

    Attributes:
        now: The moment.
        ended: Connection → direction → when its last run ended.
        stopped: Connection → how many categories wait for a person.
        left: (package, country, administration) → calls left.
        logins: Login → when it was renewed.
        saved: Connection → its settings.
    """

    now: datetime
    ended: dict[int, dict[str, datetime]]
    stopped: dict[int, int]
    left: dict[tuple[str, str, str], float]
    logins: dict[str, datetime]
    saved: dict[int, Settings]


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
    """How every connection stands; a defect in one of them leaves out its figures alone.

    ``scheduled``, of each direction: 1 when the schedule runs it; 0 when it is switched off, or waits for a new login,
    or was disconnected. ``stopped`` and ``expired``: 0 for one that was disconnected, as whoever collects figures keeps
    the last one. The others are of active and expired connections. ``last_end``, of each direction that the
    schedule runs: the moment, in Unix seconds, when the last run ended that it took part in; whoever watches sees it
    grow old, also when nothing is sent any more. ``stopped``: its categories that wait for a person. ``calls_left``: of
    the day's calls to the package, once one was made today. ``login_days_left``: until its login lapses unless used,
    where it does. ``expired``: 1 when it has lapsed.
    """
    found = [each for each in connections.find(store) if each.state is not State.CONNECTED]
    saved = settings.read_all(store, found)
    with store.read() as transaction:
        now = dialect.now(transaction)
        known = _Known(
            now=now,
            ended=_last_ended(transaction),
            stopped=_stopped(transaction),
            left=_calls_left(transaction, now),
            logins=renewed_at(transaction),
            saved=saved,
        )
    metrics = []
    for each in found:
        try:
            metrics += _of_connection(each, known)
        except Exception:
            log.exception("%s: its figures cannot be told", each.label)
    return metrics


def _of_connection(connection: SyncConnection, known: _Known) -> list[Metric]:
    place = f"{connection.package}.{connection.id}"
    scheduled = _scheduled(connection, known.saved[connection.id])
    metrics = [Metric(f"{PREFIX}.scheduled.{place}.{name}", float(runs)) for name, runs in scheduled.items()]
    if connection.state is State.DISCONNECTED:
        return metrics + [Metric(f"{PREFIX}.{what}.{place}", 0.0) for what in ("stopped", "expired")]
    figures = {
        "stopped": float(known.stopped.get(connection.id, 0)),
        "calls_left": known.left.get((connection.package, connection.country, connection.administration)),
        "login_days_left": _days_left(connection, known.logins, known.now),
        "expired": float(connection.state is State.EXPIRED),
    }
    metrics += [Metric(f"{PREFIX}.{what}.{place}", figure) for what, figure in figures.items() if figure is not None]
    metrics += [
        Metric(f"{PREFIX}.last_end.{place}.{direction}", at.timestamp())
        for direction, at in known.ended.get(connection.id, {}).items()
        if scheduled.get(direction)
    ]
    return metrics


def _scheduled(connection: SyncConnection, saved: Settings) -> dict[str, bool]:
    """Direction → whether the schedule takes the connection along."""
    package = package_of(connection.package)
    runs = connection.state is State.ACTIVE and saved.automatic
    return {IMPORT: runs and bool(saved.enabled(package)), EXPORT: runs and bool(saved.exporting(package))}


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
    ends = health.lapses(connection, logins)
    return None if ends is None else max((ends - now).total_seconds() / _DAY, 0.0)
