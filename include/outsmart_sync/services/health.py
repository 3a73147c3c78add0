"""How things stand: each connection with its login, its categories, and what the day's calls leave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlalchemy import case, func, or_, select

from outsmart_sync.pipeline import by_hand
from outsmart_sync.providers.packages import package as package_of
from outsmart_sync.records.catalogue import ImportCategory
from outsmart_sync.records.export_catalogue import INVOICE_STATUS
from outsmart_sync.records.values import is_machine_made
from outsmart_sync.services import attention, export_list, planning, settings
from outsmart_sync.services.setting_values import ENABLED
from outsmart_sync.store import connections, dialect, logins
from outsmart_sync.store.connections import State, SyncConnection
from outsmart_sync.store.runs import RunState
from outsmart_sync.store.tables import (
    call_budget,
    category_state,
    mirror,
    run,
    run_category,
    run_connection,
    sync_connection,
)
from outsmart_sync.store.tokens import login_owner, refusals, renewed_at

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from outsmart_sync.services.settings import Settings
    from outsmart_sync.store.store import Store

SHOWN_PER_DAY = ("created", "updated", "excluded", "rejected")
"""Outcomes that are counted per day."""

_DAY = timedelta(days=1)
_LEAST_SHARE = 0.05
"""Share of a day from which on a forecast makes sense."""


@dataclass(frozen=True, slots=True)
class CategoryStatus:
    """One category of a connection.

    Attributes:
        name: Its name.
        enabled: Whether it is switched on.
        stopped: Why it does not run now; '' when it does.
        last_success: When it last came to its end.
        records: Where they were counted: mirror state → number of records of all its types, such as relations with
            their contact persons.
        to_do_by_hand: Records of which a person was told in the last days to do something by hand.
    """

    name: str
    enabled: bool
    stopped: str
    last_success: datetime | None
    records: dict[str, int]
    to_do_by_hand: int = 0


@dataclass(frozen=True, slots=True)
class ConnectionStatus:
    """One sync connection.

    Attributes:
        connection: The connection.
        user_name: Who logged in.
        login_lapses: When the login ends unless it is used; None: it does not by itself.
        licence: Its licence.
        categories: Its categories.
        automatic: Whether scheduled runs take it along.
        work: How its exports stand; None: nothing can be exported to its package.
        last_checked: When an import last asked its package whether there is anything new.
        attention: Records of the switched-on categories that wait for a person.
        refused: Its package has refused to renew the login, in words that may pass.
    """

    connection: SyncConnection
    user_name: str
    login_lapses: datetime | None
    licence: str
    categories: list[CategoryStatus]
    automatic: bool = True
    work: export_list.Standing | None = None
    last_checked: datetime | None = None
    attention: int = 0
    refused: bool = False

    @property
    def last_success(self) -> datetime | None:
        """When the import of a category last came to its end."""
        imports = {each.name for each in package_of(self.connection.package).imports}
        mine = [each.last_success for each in self.categories if each.last_success and each.name in imports]
        return max(mine, default=None)

    @property
    def administration(self) -> str:
        """The package's code of the administration; '' where it is an id that no person knows."""
        return "" if is_machine_made(self.connection.administration) else self.connection.administration

    @property
    def to_do_by_hand(self) -> int:
        """Records of which a person was told in the last days to do something by hand."""
        return sum(each.to_do_by_hand for each in self.categories)

    def days_left(self, now: datetime) -> int | None:
        """Whole days until the login ends unless it is used; None: it does not end by itself, or no sync uses it."""
        if self.login_lapses is None or self.connection.state is not State.ACTIVE:
            return None
        return max((self.login_lapses - now).days, 0)


def status(
    store: Store, wanted: Sequence[SyncConnection] | None = None, *, count: bool = True
) -> list[ConnectionStatus]:
    """How some connections stand.

    Args:
        store: The store.
        wanted: The connections, in whose order the answer comes; None: every one, oldest first.
        count: Also count every category's records by their state, which takes a second for some 100,000.
    """
    chosen = connections.find(store) if wanted is None else wanted
    saved = settings.read_all(store, chosen)
    known = _known(store, chosen, count=count)
    for_a_person = attention.numbers(store, [each.id for each in chosen])
    names = logins.user_names(store, {each.login_id for each in chosen})
    exporting = [each for each in chosen if package_of(each.package).exports]
    work = export_list.standings(store, exporting, saved)
    return [
        ConnectionStatus(
            connection=each,
            user_name=names.get(each.login_id, ""),
            login_lapses=lapses(each, known.renewed),
            licence=saved[each.id].licence,
            automatic=saved[each.id].automatic,
            last_checked=_last_checked(each, known),
            work=work.get(each.id),
            attention=for_a_person.get(each.id, 0),
            refused=login_owner(each.login_id or 0) in known.refused,
            categories=_categories(each, saved[each.id], known, work[each.id].totals if each.id in work else {}),
        )
        for each in chosen
    ]


def of(store: Store, connection: SyncConnection) -> ConnectionStatus:
    """One connection, its records uncounted."""
    return status(store, [connection], count=False)[0]


def is_forgotten(connection: SyncConnection) -> bool:
    """Whether its login was forgotten before an administration was chosen: then there is nothing to show of it."""
    return connection.state is State.DISCONNECTED and not connection.administration


@dataclass(frozen=True, slots=True)
class Calls:
    """What a day's calls to a package leave.

    Attributes:
        used: Calls made since the day began there.
        limit: Calls that the day has.
        ends: When it begins anew.
        forecast: Calls that the day will have cost when it goes on like this.
    """

    used: int
    limit: int
    ends: datetime
    forecast: int


def calls(store: Store, connection: SyncConnection) -> Calls | None:
    """The day's calls of a connection's administration; None: none has been made lately."""
    beginning = f"{connection.package}:{connection.country}:"
    query = select(call_budget).where(
        call_budget.c.key.startswith(beginning, autoescape=True),
        call_budget.c.key.endswith(f":{connection.administration}", autoescape=True),
    )
    with store.read() as transaction:
        now = dialect.now(transaction)
        rows = [row for row in transaction.execute(query) if row.day_ends > now]
    if not rows or not connection.administration:
        return None
    row = min(rows, key=lambda each: each.day_left)
    used = row.day_limit - row.day_left
    gone = max((now - (row.day_ends - _DAY)) / _DAY, _LEAST_SHARE)
    return Calls(used, row.day_limit, row.day_ends, max(used, min(round(used / gone), 10 * row.day_limit)))


@dataclass(frozen=True, slots=True)
class Day:
    """What became of records on one day.

    Attributes:
        on: The day, where the package keeps its calendar.
        counts: Outcome → records.
    """

    on: date
    counts: dict[str, int]


def days(store: Store, wanted: Sequence[SyncConnection], number: int = 14) -> list[Day]:
    """Records per day and outcome, the last so many days up to today, oldest first; previews do not count."""
    zones: dict[ZoneInfo, list[int]] = {}
    for each in wanted:
        zones.setdefault(ZoneInfo(package_of(each.package).timezone), []).append(each.id)
    now = store.now()
    last = max((now.astimezone(zone).date() for zone in zones), default=now.date())
    every = [last - timedelta(days=ago) for ago in reversed(range(number))]
    counts = {each: dict.fromkeys(SHOWN_PER_DAY, 0) for each in every}
    with store.read() as transaction:
        for zone, connection_ids in zones.items():
            for day, found in _per_day(transaction, connection_ids, every, zone).items():
                for name in SHOWN_PER_DAY:
                    counts[day][name] += found[name]
    return [Day(each, counts[each]) for each in every]


def _per_day(
    transaction: Connection, connection_ids: list[int], every: Sequence[date], zone: ZoneInfo
) -> dict[date, dict[str, int]]:
    """Day → outcome → records, by the days of a time zone."""
    at = run_category.c.started_at
    ends = [datetime.combine(each + timedelta(days=1), time(), zone) for each in every]
    place = case(*((at < end, index) for index, end in enumerate(ends))).label("place")
    sums = [func.sum(run_category.c[name]).label(name) for name in SHOWN_PER_DAY]
    query = (
        select(place, *sums)
        .where(
            run_category.c.connection_id.in_(connection_ids),
            at >= datetime.combine(every[0], time(), zone),
            at < ends[-1],
            run_category.c.state != RunState.PREVIEWED,
        )
        .group_by("place")  # by its name: PostgreSQL does not see that two expressions with values are one
    )
    rows = transaction.execute(query)
    return {every[row.place]: {name: int(getattr(row, name)) for name in SHOWN_PER_DAY} for row in rows}


def login_lapses(transaction: Connection, connection: SyncConnection) -> datetime | None:
    """When a connection's login ends unless it is used; None: it does not by itself, or there is none."""
    return lapses(connection, renewed_at(transaction, _owners([connection])))


def lapses(connection: SyncConnection, renewed: Mapping[str, datetime]) -> datetime | None:
    """The same, where it is known when logins were renewed: owner in the vault → when."""
    lasts = package_of(connection.package).login_lasts
    if connection.login_id is None or lasts is None or connection.state is State.DISCONNECTED:
        return None
    obtained = renewed.get(login_owner(connection.login_id))
    return None if obtained is None else obtained + lasts


def _owners(wanted: Iterable[SyncConnection]) -> list[str]:
    return [login_owner(each.login_id) for each in wanted if each.login_id is not None]


@dataclass(frozen=True, slots=True)
class _Known:
    """What the store knows of some connections, read for all of them at once.

    Attributes:
        stopped: Connection → category → why it does not run now.
        refused: Owner in the vault → how often its login was refused in a row, in words that may pass.
        finished: Connection → category → when it last came to its end.
        checked: Connection → when an import last asked its package.
        records: Connection → record type → mirror state → records.
        told: Connection and category → records to do by hand.
        renewed: Owner in the vault → when its login was last renewed.
    """

    stopped: dict[int, dict[str, str]]
    refused: dict[str, int]
    finished: dict[int, dict[str, datetime]]
    checked: dict[int, datetime]
    records: dict[int, dict[str, dict[str, int]]]
    told: dict[tuple[int, str], int]
    renewed: dict[str, datetime]


def _known(store: Store, wanted: Sequence[SyncConnection], *, count: bool) -> _Known:
    ids = [each.id for each in wanted]
    with store.read() as transaction:
        return _Known(
            _stopped(transaction, ids),
            refusals(transaction, _owners(wanted)),
            _finished(transaction, ids),
            _checked(transaction, ids),
            _records(transaction, ids) if count else {},
            by_hand.recent(transaction, ids),
            renewed_at(transaction, _owners(wanted)),
        )


def _categories(
    connection: SyncConnection, chosen: Settings, known: _Known, exported: dict[str, int]
) -> list[CategoryStatus]:
    package = package_of(connection.package)
    stopped = known.stopped.get(connection.id, {}) | chosen.beyond_licence(package)
    finished = known.finished.get(connection.id, {})
    records = known.records.get(connection.id, {})
    return [
        CategoryStatus(
            name=category.name,
            enabled=chosen.categories[category.name][ENABLED],
            stopped=stopped.get(category.name, ""),
            last_success=finished.get(category.name),
            records=_sum(records.get(record.name, {}) for record in category.records)
            if isinstance(category, ImportCategory)
            else exported,
            to_do_by_hand=known.told.get((connection.id, category.name), 0),
        )
        for category in package.categories
        # What became of invoices is told with the work orders.
        if category.name != INVOICE_STATUS or chosen.categories[category.name][ENABLED]
    ]


def _last_checked(connection: SyncConnection, known: _Known) -> datetime | None:
    """When its package was last asked: a run that goes on may have ended some categories."""
    finished = known.finished.get(connection.id, {})
    imported = [finished.get(each.name) for each in package_of(connection.package).imports]
    return max((each for each in (known.checked.get(connection.id), *imported) if each), default=None)


def _stopped(transaction: Connection, connection_ids: Sequence[int]) -> dict[int, dict[str, str]]:
    now = dialect.now(transaction)
    still = or_(category_state.c.until.is_(None), category_state.c.until > now)
    mine = category_state.c.connection_id.in_(connection_ids)
    found: dict[int, dict[str, str]] = {}
    for row in transaction.execute(select(category_state).where(mine, still)):
        found.setdefault(row.connection_id, {})[row.category] = row.reason
    return found


def _checked(transaction: Connection, connection_ids: Sequence[int]) -> dict[int, datetime]:
    """When an import that took the connection along last ended: where nothing is new, no category runs."""
    last = (
        select(run.c.finished_at)
        .join(run_connection, run_connection.c.run_id == run.c.id)
        .where(
            run_connection.c.connection_id == sync_connection.c.id,
            run.c.direction == planning.IMPORT,
            run.c.finished_at.is_not(None),
        )
        .order_by(run.c.id.desc())
        .limit(1)
        .correlate(sync_connection)
        .scalar_subquery()
    )
    query = select(sync_connection.c.id, last.label("at")).where(sync_connection.c.id.in_(connection_ids))
    return {row.id: row.at for row in transaction.execute(query) if row.at is not None}


def _finished(transaction: Connection, connection_ids: Sequence[int]) -> dict[int, dict[str, datetime]]:
    key = (run_category.c.connection_id, run_category.c.category)
    rows = transaction.execute(
        select(*key, func.max(run_category.c.finished_at).label("at"))
        .where(run_category.c.connection_id.in_(connection_ids), run_category.c.state.in_(("done", "idle")))
        .group_by(*key)
    )
    found: dict[int, dict[str, datetime]] = {}
    for row in rows:
        found.setdefault(row.connection_id, {})[row.category] = row.at
    return found


def _records(transaction: Connection, connection_ids: Sequence[int]) -> dict[int, dict[str, dict[str, int]]]:
    key = (mirror.c.connection_id, mirror.c.record, mirror.c.state)
    rows = transaction.execute(
        select(*key, func.count().label("number")).where(mirror.c.connection_id.in_(connection_ids)).group_by(*key)
    )
    found: dict[int, dict[str, dict[str, int]]] = {}
    for row in rows:
        found.setdefault(row.connection_id, {}).setdefault(row.record, {})[row.state] = row.number
    return found


def _sum(numbers: Iterable[dict[str, int]]) -> dict[str, int]:
    return dict(sum((Counter(each) for each in numbers), Counter()))
