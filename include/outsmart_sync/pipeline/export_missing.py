"""Customers and articles that a work order names and the package does not have: each is made once, and then known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outsmart_sync.pipeline import made_by_exports
from outsmart_sync.pipeline.export_resolve import made_key, made_kind
from outsmart_sync.pipeline.once import Once, Thing
from outsmart_sync.records.export_document import Entity, Known, MadeDocument
from outsmart_sync.records.export_plan import Problem, Stopped
from outsmart_sync.records.values import code_key
from outsmart_sync.store.exports import ExportState

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

    made = once.make(Thing(made_kind(entity), made_key(once.job, code_key(code)), label), send, look)
    known = found.get(made.remote_id) or exporter.facts(entity, [made.remote_id]).get(made.remote_id)
    if known is None:
        raise Stopped(
            Problem(
                state=ExportState.FAILED,
                reason="made_and_gone",
                cause=f"{once.job.package} does not have the {label} any more that was made for OutSmart's.",
                remedy="Make it there again under the same code, or link another one: outsmart-sync link.",
                by_itself=True,
            )
        )
    with once.store.begin() as connection:
        made_by_exports.link(connection, once.job, entity, code, known)
    resolver.learn(entity, code, known)
