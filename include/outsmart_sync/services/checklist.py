"""What is looked at before an administration is fixed: country, user, administration, OutSmart account, rights."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from outsmart_sync.errors import AccessDenied, SyncError
from outsmart_sync.providers.packages import package as package_of
from outsmart_sync.records.values import is_machine_made
from outsmart_sync.services import connect, settings
from outsmart_sync.store import logins
from outsmart_sync.store.connections import State

if TYPE_CHECKING:
    from outsmart_sync.pipeline.ports import Source
    from outsmart_sync.records.catalogue import ImportCategory
    from outsmart_sync.records.exchange import Administration
    from outsmart_sync.services.gateway import Gateway
    from outsmart_sync.store.connections import SyncConnection
    from outsmart_sync.store.store import Store


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        subject: What: ``country``, ``user``, ``administration``, ``currency``, ``note`` (what a person should know of
            it), ``earlier`` (it was connected before), ``now`` (it is), ``outsmart`` or the name of a category.
        found: What was found.
        ok: Whether it is as it should be.
        error: What is wrong, in words; None when nothing is.
    """

    subject: str
    found: str
    ok: bool = True
    error: SyncError | None = None


def of_login(store: Store, connection: SyncConnection, chosen: Administration) -> list[Check]:
    """What a login says by itself, without a call: country, user, administration."""
    package = package_of(connection.package)
    country = package.countries.get(connection.country, connection.country or chosen.country.upper())
    there = package.countries.get(chosen.country, chosen.country.upper())
    same = not chosen.country or not connection.country or chosen.country == connection.country
    wrong = AccessDenied(
        f"You chose {country}, and this administration is in {there}.",
        why="The country must be that of the account.",
        remedy="Choose another administration, or log in again with the other country, unless this is meant so.",
        code="other_country",
    )
    earlier = connect.earlier_of(store, connection, chosen.code)
    return [
        Check("country", country, same, None if same else wrong),
        Check("user", logins.user_name(store, connection.login_id)),
        Check("administration", _named(chosen)),
        *([Check("currency", chosen.currency)] if chosen.currency else []),
        *(Check("note", note) for note in chosen.notes),
        *([Check("now" if earlier.state is State.ACTIVE else "earlier", earlier.label)] if earlier else []),
    ]


def _named(chosen: Administration) -> str:
    return chosen.name if is_machine_made(chosen.code) else f"{chosen.name} ({chosen.code})"


def of_rights(
    store: Store,
    gateway: Gateway,
    connection: SyncConnection,
    chosen: Administration,
    known: connect.Known | None = None,
) -> list[Check]:
    """What the login may read in an administration that is not fixed yet: one call per category.

    Args:
        store: The store.
        gateway: Opens the package.
        connection: The connection that awaits its administration.
        chosen: The administration.
        known: Which connections may be named; None: all.
    """
    package = package_of(connection.package)
    opened = replace(connection, administration=chosen.code)
    checks = [_account(store, gateway, connection, chosen, known)]
    try:
        source = gateway.door(opened).source()
    except SyncError as error:
        return [*checks, Check("rights", "", ok=False, error=error)]
    try:
        today = settings.today_of(store, package)
        checks += [_readable(source, category, today) for category in package.imports]
    finally:
        source.close()
    return checks


def _account(
    store: Store,
    gateway: Gateway,
    connection: SyncConnection,
    chosen: Administration,
    known: connect.Known | None,
) -> Check:
    """Whether there is an OutSmart account to deliver to, and no other administration is joined with it."""
    try:
        connect.require_account_free(store, connection, chosen, known)
        there = gateway.delivers(connection)
    except SyncError as error:
        return Check("outsmart", connection.outsmart_account, ok=False, error=error)
    if there:
        return Check("outsmart", connection.outsmart_account)
    missing = AccessDenied(
        "No OutSmart account is set up.",
        why=f"There is no Airflow connection '{connection.outsmart_conn_id}'.",
        remedy="You can go on: what is read is kept here, and delivered once the account is set up.",
        code="no_account",
    )
    return Check("outsmart", connection.outsmart_account, ok=False, error=missing)


def _readable(source: Source, category: ImportCategory, today: date) -> Check:
    try:
        source.require(category, today)
    except SyncError as error:
        return Check(category.name, category.label, ok=False, error=error)
    return Check(category.name, category.label)
