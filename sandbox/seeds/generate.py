"""Makes the world at the first start, and again when it should be another one."""

from collections.abc import Callable
from datetime import date
from random import Random
from typing import Any
from zlib import crc32

import msgspec

from sandbox.clock import Clock
from sandbox.config import SandboxConfig
from sandbox.exact_online.row_types import ROW_TYPES, Row
from sandbox.exact_online.rows import EVERYWHERE, RowStore
from sandbox.fixed_world import DIVISIONS, OUTSMART_ACCOUNTS, WORLD, Division
from sandbox.outsmart.records import Records
from sandbox.seeds.accounts import AccountSeeds
from sandbox.seeds.articles import CATALOGUE, ArticleSeeds
from sandbox.seeds.books import Books
from sandbox.seeds.companies import division_rows
from sandbox.seeds.countries import COUNTRIES
from sandbox.seeds.field_service import seed_account
from sandbox.seeds.orders import make_deliveries, make_orders, make_quotations
from sandbox.seeds.payments import make_payment_terms
from sandbox.seeds.pools import pool_for
from sandbox.seeds.price_lists import make_price_lists
from sandbox.seeds.production import make_assembly_orders, make_shop_orders
from sandbox.seeds.projects import make_planning, make_projects
from sandbox.seeds.staff import make_staff, make_warehouses
from sandbox.seeds.stamps import Stamps, give_versions
from sandbox.seeds.visma import seed_visma
from sandbox.state import Documents, State
from sandbox.visma_eaccounting.resources import SCHEMAS

FORMAT = 2
"""Raised when generated values change; worlds of another format are made again."""

_DOCUMENTS = (
    make_staff, make_warehouses, make_payment_terms, make_price_lists, make_projects, make_planning, make_orders,
    make_deliveries, make_quotations, make_shop_orders, make_assembly_orders,
)  # fmt: skip
"""In this order, as later ones point to rows of earlier ones."""


class Stamp(msgspec.Struct, frozen=True):
    """What a world was made from; `format` also tells which properties rows had and what the fixed world was."""

    format: str
    relations: int
    items: int
    seed: int


def prepare(config: SandboxConfig, state: State, say: Callable[[str], None]) -> None:
    """Make sure the state holds the world that is asked for.

    Args:
        config: What is asked for.
        state: Where it is kept.
        say: Tells the user, one line at a time.
    """
    wanted = Stamp(_format(), config.relations, config.items, config.seed)
    found = Documents(state, "stamp", Stamp).get("world")
    if is_prepared(config, state):
        return
    if found is not None:
        say(f"The kept world is another one ({_words(found)}); making a new one, connections must be made again.")
    say(f"Making the world: {_words(wanted)}.")
    with state.transaction():
        state.clear()
        _fill(config, state)
        Documents(state, "stamp", Stamp).put("world", wanted)


def is_prepared(config: SandboxConfig, state: State) -> bool:
    """Whether the state holds the world that is asked for."""
    wanted = Stamp(_format(), config.relations, config.items, config.seed)
    return Documents(state, "stamp", Stamp).get("world") == wanted


def _format() -> str:
    shapes = {name: made.__struct_fields__ for name, made in sorted(ROW_TYPES.items())}
    return f"{FORMAT}-{crc32(msgspec.json.encode([shapes, SCHEMAS, WORLD, CATALOGUE])):08x}"


def _words(stamp: Stamp) -> str:
    return f"{stamp.relations} relations, {stamp.items} items, seed {stamp.seed}, format {stamp.format}"


def _fill(config: SandboxConfig, state: State) -> None:
    clock = Clock(state)
    store, records, today = RowStore(state, clock), Records(state, clock), clock.now().date()
    stamps = Stamps(Random(config.seed), today)
    store.add_generated(EVERYWHERE, "system/Divisions", division_rows(stamps))
    for division in DIVISIONS.values():
        chance = Random(f"{config.seed} {division.code}")
        tables = _division(config, division, chance, today)
        store.set_version(division.code, give_versions(tables, division.first_timestamp, chance))
        for name, rows in tables.items():
            store.add_generated(division.code, name, rows)
        for account in OUTSMART_ACCOUNTS.values():
            if account.seeded_from == division.code:
                seed_account(records, account.name, tables, chance)
    seed_visma(config, state, clock)


def _division(config: SandboxConfig, division: Division, chance: Random, today: date) -> dict[str, list[Any]]:
    stamps = Stamps(chance, today)
    relations = config.relations if division.relations is None else division.relations
    items = config.items if division.items is None else division.items
    accounts = AccountSeeds(division.code, division.locale, config.seed, chance, stamps).make(relations)
    customers: list[Row] = [row for row in accounts["crm/Accounts"] if row.Status == "C"]
    words = CATALOGUE[COUNTRIES[division.locale].words]
    tables = accounts | ArticleSeeds(division.code, words, chance, stamps).make(items, customers)
    # By chance of its own, so that relations and articles stay what they are when documents change.
    chance = Random(f"{config.seed} {division.code} documents")
    pool = pool_for(division.locale, config.seed)
    books = Books(division.code, chance, Stamps(chance, today), words, pool, tables)
    for make in _DOCUMENTS:
        make(books)
    return books.tables
