"""Makes VISMA's companies."""

from datetime import date
from random import Random

from sandbox.clock import Clock
from sandbox.config import SandboxConfig
from sandbox.fixed_world import VISMA_COMPANIES, VismaCompany
from sandbox.seeds.articles import CATALOGUE
from sandbox.seeds.countries import COUNTRIES
from sandbox.seeds.pools import pool_for
from sandbox.seeds.visma_articles import make_articles
from sandbox.seeds.visma_books import VismaBooks
from sandbox.seeds.visma_company import make_company
from sandbox.seeds.visma_customers import make_customers
from sandbox.seeds.visma_sales import make_drafts, make_invoices, make_orders, make_projects
from sandbox.state import State
from sandbox.visma_eaccounting.rows import RowStore

_STEPS = (make_company, make_customers, make_articles, make_projects, make_orders, make_drafts, make_invoices)
"""In this order, as later ones point to rows of earlier ones."""


def seed_visma(config: SandboxConfig, state: State, clock: Clock) -> None:
    """Make all companies."""
    store = RowStore(state, clock)
    for company in VISMA_COMPANIES.values():
        books = _books(config, store, company, clock.now().date())
        for step in _STEPS:
            step(books)
            books.flush()


def _books(config: SandboxConfig, store: RowStore, company: VismaCompany, today: date) -> VismaBooks:
    return VismaBooks(
        company=company,
        store=store,
        chance=Random(f"{config.seed} visma {company.code}"),
        today=today,
        words=CATALOGUE[COUNTRIES[company.locale].words],
        pool=pool_for(company.locale, config.seed),
        relations=config.relations if company.relations is None else company.relations,
        items=config.items if company.items is None else company.items,
        seed=config.seed,
    )
