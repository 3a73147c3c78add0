"""Who may do what on the page: Airflow's auth manager decides, by a package's DAGs and Airflow connections."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

from fastapi import HTTPException
from pydantic import Field

from outsmart_sync.errors import AccessDenied
from outsmart_sync.providers.packages import packages
from outsmart_sync.records.catalogue import Package
from outsmart_sync.services import health, planning
from outsmart_sync.store import connections
from outsmart_sync.store.connections import State, SyncConnection
from outsmart_sync.store.store import Store
from outsmart_sync.webapp import airflow

_NOT_FOUND = 404

LARGEST = 2**63 - 1
Number = Annotated[int, Field(ge=0, le=LARGEST)]
"""A number in an address or a form: the store holds no larger one, so what has such a number is not there."""


def number_of(text: str) -> int | None:
    """The number that an address names; None: it names none.

    Raises:
        HTTPException: 404: there cannot be anything of that number.
    """
    if not text.isdecimal():
        return None
    if len(text) >= len(str(LARGEST)):
        raise HTTPException(_NOT_FOUND)
    return int(text)


@dataclass(frozen=True)
class Rights:
    """What a person may do with one package.

    Attributes:
        user: The person.
        package: The package.
    """

    user: airflow.Person
    package: Package

    @property
    def dag_id(self) -> str:
        """The DAG that decides: that of the package's imports."""
        return planning.dag_id(self.package, planning.IMPORT)

    @cached_property
    def look(self) -> bool:
        """Read what happened."""
        return airflow.may_dag(self.user, "GET", self.dag_id)

    @cached_property
    def edit(self) -> bool:
        """Change settings, start a sync, decide about records."""
        return airflow.may_dag(self.user, "PUT", self.dag_id)

    @property
    def export_dag_id(self) -> str:
        """The DAG of the package's exports."""
        return planning.dag_id(self.package, planning.EXPORT)

    def dag_of(self, direction: str) -> str:
        """The DAG of one direction."""
        return planning.dag_id(self.package, direction)

    @cached_property
    def export(self) -> bool:
        """Change what is exported, decide about work orders, start an export."""
        return bool(self.package.export_categories) and airflow.may_dag(self.user, "PUT", self.export_dag_id)

    @cached_property
    def connect(self) -> bool:
        """Connect and disconnect."""
        return airflow.may_connection(self.user, "PUT", self.package.conn_id)

    def require(self, what: str) -> None:
        """Refuse somebody without a right.

        Args:
            what: ``look``, ``edit``, ``export`` or ``connect``.

        Raises:
            AccessDenied: They have not got it.
        """
        if getattr(self, what):
            return
        needed = {
            "look": f"the right to read the DAG {self.dag_id}",
            "edit": f"the right to edit the DAG {self.dag_id}",
            "export": f"the right to edit the DAG {self.export_dag_id}",
            "connect": f"the right to edit the Airflow connection {self.package.conn_id}",
        }
        raise AccessDenied(
            "You may not do this.",
            why=f"It needs {needed[what]} in Airflow.",
            remedy="Ask somebody who has it, or your administrator.",
            code="forbidden",
        )


def right_to_change(category: str, package: Package) -> str:
    """The right that settings of a category need: of exports another one than of imports."""
    return "export" if category in {each.name for each in package.export_categories} else "edit"


def visible_packages(user: airflow.Person) -> list[Rights]:
    """The packages that a person may know of."""
    found = [Rights(user, package) for package in packages().values() if package.imports]
    return [rights for rights in found if rights.look]


def sees(rights: Rights, connection: SyncConnection) -> bool:
    """Whether a person may know of a sync connection; one that awaits its administration is for who may connect."""
    begun = connection.state is State.CONNECTED and rights.connect
    number = None if begun else connection.id
    return rights.look and airflow.may_see(rights.user, rights.dag_id, number, connection.outsmart_conn_id)


def package_of(connection: SyncConnection) -> Package:
    """The package of a connection."""
    return packages()[connection.package]


def rights_of(user: airflow.Person, connection: SyncConnection) -> Rights:
    """What a person may do with a connection's package."""
    return Rights(user, package_of(connection))


def visible_connections(store: Store, user: airflow.Person) -> list[SyncConnection]:
    """The sync connections that a person may know of, oldest first; none whose login was forgotten unused."""
    known = {rights.package.name: rights for rights in visible_packages(user)}
    return [
        each
        for each in connections.find(store)
        if each.package in known and sees(known[each.package], each) and not health.is_forgotten(each)
    ]


def open_connection(store: Store, user: airflow.Person, connection_id: int, what: str) -> tuple[SyncConnection, Rights]:
    """A sync connection with a person's rights on its package.

    Raises:
        HTTPException: 404: there is none, or none that they may know of.
        AccessDenied: They may not do ``what``.
    """
    connection = connections.get(store, connection_id)
    if connection is None or connection.package not in packages():
        raise HTTPException(_NOT_FOUND)
    rights = rights_of(user, connection)
    if not sees(rights, connection):
        raise HTTPException(_NOT_FOUND)
    rights.require(what)
    return connection, rights
