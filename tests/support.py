"""What tests do again and again: connect by the real login, import, look at what came out."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, select
from sqlalchemy.engine import Dialect

import sandbox_connections
from outsmart_sync.pipeline.job import Options
from outsmart_sync.providers.gateway import HookGateway
from outsmart_sync.services import connect, login, settings, sync
from outsmart_sync.store import connections, runs
from outsmart_sync.store.connections import State, SyncConnection
from outsmart_sync.store.runs import CategoryRun
from outsmart_sync.store.store import Store
from sandbox.browser import Browser
from sandbox.fixed_world import OUTSMART_ACCOUNTS, VISMA_COMPANIES
from sandbox.process import SandboxProcess

NORTH = OUTSMART_ACCOUNTS["north"]
SOUTH = OUTSMART_ACCOUNTS["south"]
MAIN = 2001001
SMALL = 2001002
"""Divisions of the sandbox: the main administration and a small one."""


def exact_connection(vendors: SandboxProcess, **extras: Any) -> str:
    """The Airflow connection of the app at the sandbox's Exact Online, in Airflow's JSON form."""
    return sandbox_connections.exact(vendors.exact_url, **extras)


def visma_connection(vendors: SandboxProcess, **extras: Any) -> str:
    """The Airflow connection of the app at the sandbox's VISMA, in Airflow's JSON form."""
    return sandbox_connections.visma(vendors.visma_url, **extras)


def outsmart_connection(vendors: SandboxProcess, account: Any = NORTH) -> str:
    """The Airflow connection of an OutSmart account of the sandbox."""
    return sandbox_connections.outsmart(vendors.outsmart_url, account)


def connection_environment(vendors: SandboxProcess, store: Store, account: Any | None) -> dict[str, str]:
    """Environment variables of all connections; without an account imports end in the mirror."""
    variables = {
        "AIRFLOW_CONN_OUTSMART_SYNC_STORE": store.url.render_as_string(hide_password=False),
        **sandbox_connections.packages(vendors),
    }
    if account is not None:
        variables[sandbox_connections.OUTSMART] = outsmart_connection(vendors, account)
    return variables


@dataclass
class Rig:
    """A store and vendors with the connections between them in the environment."""

    store: Store
    vendors: SandboxProcess

    @property
    def gateway(self) -> HookGateway:
        """Opens the vendors as a task does."""
        return HookGateway(self.store)

    def connect(self, division: int = MAIN, *, user: str = "demo@example.com", **changes: Any) -> SyncConnection:
        """Log in as a user of the sandbox, choose a division, and save settings."""
        started = login.start(self.store, self.gateway, "exact_online", country="nl")
        browser = Browser()
        try:
            back = browser.consent(started.address, user_name=user)
        finally:
            browser.close()
        done = login.finish(self.store, self.gateway, back, state=started.state)
        connection = connect.choose_administration(
            self.store, self.gateway, done.connection, str(division), share_account=True
        )
        if changes:
            settings.save(self.store, connection, changes)
        return connection

    def log_in_to_visma(self, company: str) -> login.Connected:
        """Log in to VISMA as the sandbox's demo user, and choose a company on its page."""
        started = login.start(self.store, self.gateway, "visma_eaccounting", country="")
        browser = Browser()
        try:
            back = browser.consent_visma(started.address, company)
        finally:
            browser.close()
        return login.finish(self.store, self.gateway, back, state=started.state)

    def connect_visma(self, company: str = "leeg", **changes: Any) -> SyncConnection:
        """Log in to VISMA, fix the company, and save settings."""
        done = self.log_in_to_visma(company)
        connection = connect.choose_administration(
            self.store, self.gateway, done.connection, VISMA_COMPANIES[company].id
        )
        if changes:
            settings.save(self.store, connection, changes, gateway=self.gateway)
        return connection

    def sync(self, *categories: str, package: str = "exact_online", **options: Any) -> dict[str, CategoryRun]:
        """Import in this process; category → what became of it (of the first connection that has it)."""
        external_id = f"test:{uuid.uuid4()}"
        run_id = sync.import_now(
            self.store, self.gateway, package, external_id, Options(categories=categories, **options)
        )
        found: dict[str, CategoryRun] = {}
        for each in runs.category_runs(self.store, run_id):
            found.setdefault(each.category, each)
        return found

    def rows(self, table: Table, **where: Any) -> list[Any]:
        """Rows of a table with these column values."""
        query = select(table)
        for name, value in where.items():
            query = query.where(table.c[name] == value)
        with self.store.read() as connection:
            return list(connection.execute(query))


def added(
    store: Store, administration: str | None = "1", *, state: State = State.ACTIVE, why: str = "", **fields: str
) -> SyncConnection:
    """A connection as a login and a choice leave it; nobody is asked.

    Args:
        store: The store.
        administration: Its code; None: it has not been chosen.
        state: How it stands.
        why: Words for the state.
        fields: Other columns of the connection.
    """
    default = dict.fromkeys(("outsmart_account", "outsmart_conn_id"), "outsmart_default")
    values: dict[str, Any] = {"package": "exact_online", "country": "nl", "conn_id": "exact_online_default"} | default
    with store.begin() as transaction:
        number = connections.add(transaction, **(values | {"administration": administration} | fields))
        connections.set_state(transaction, number, state, text=why)
    return connections.require(store, number)


def empty_tables(store: Store) -> None:
    """Remove every row of a store on PostgreSQL, and number anew: quicker than a new database."""
    from sqlalchemy import text

    from outsmart_sync.store.tables import metadata

    with store.begin() as connection:
        connection.execute(text(f"TRUNCATE {', '.join(metadata.tables)} RESTART IDENTITY CASCADE"))


_STATEMENTS: dict[str, tuple[Dialect, dict[Any, Any]]] = {}


def warmed(store: Store) -> Store:
    """A store that knows the statements which others have compiled in this process."""
    engine = store.engine
    dialect, compiled = _STATEMENTS.setdefault(engine.dialect.name, (engine.dialect, {}))
    engine.dialect = dialect
    engine.update_execution_options(compiled_cache=compiled)
    return store
