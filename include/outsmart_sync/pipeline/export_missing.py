"""Customers and articles that a work order names and the package does not have: each is made once, and then known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outsmart_sync.pipeline.once import Once, Thing
from outsmart_sync.records.export_document import Entity, Known, MadeDocument
from outsmart_sync.records.values import code_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from outsmart_sync.pipeline.export_ports import Exporter
    from outsmart_sync.pipeline.export_resolve import Resolver
    from outsmart_sync.records.export_plan import Plan


def make_missing(once: Once, plan: Plan, resolver: Resolver, exporter: Exporter) -> bool:
    """Make what a plan needs; returns whether anything was made, so that the plan is to be made anew.

    Raises:
        Stopped: The package refuses one, or whether it was made is not known.
    """
    for customer in plan.new_customers:
        _make(
            once,
            Entity.CUSTOMER,
            customer.code,
            f"customer {customer.code}",
            lambda customer=customer: exporter.create_customer(customer),  # type: ignore[misc]
            resolver,
            exporter,
        )
    for article in plan.new_articles:
        _make(
            once,
            Entity.ARTICLE,
            article.code,
            f"article {article.code}",
            lambda article=article: exporter.create_article(article),  # type: ignore[misc]
            resolver,
            exporter,
        )
    return bool(plan.new_customers or plan.new_articles)


def _make(
    once: Once,
    entity: Entity,
    code: str,
    label: str,
    create: Callable[[], Known],
    resolver: Resolver,
    exporter: Exporter,
) -> None:
    found: dict[str, Known] = {}

    def send() -> MadeDocument:
        known = create()
        found[known.remote_id] = known
        return MadeDocument(remote_id=known.remote_id, number=known.code)

    def look() -> list[MadeDocument]:
        there = exporter.look_up(entity, [code]).get(code)
        if there is None:
            return []
        found[there.remote_id] = there
        return [MadeDocument(remote_id=there.remote_id, number=there.code)]

    # By administration, not by account: each administration needs its own.
    key = f"{once.job.connection_id}/{code_key(code)}"[:120]
    made = once.make(Thing(f"new_{entity.value}", key, label), send, look)
    resolver.learn(entity, code, found.get(made.remote_id) or Known(remote_id=made.remote_id, code=code))
