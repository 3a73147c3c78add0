"""The third step of exporting: what is sent, with the package's ids; it writes nothing outside.

Ids come from the mirror; what it does not know is asked for in batches, and once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from msgspec.structs import replace

from outsmart_sync.pipeline import export_rows
from outsmart_sync.pipeline.composing import compose
from outsmart_sync.pipeline.export_resolve import Resolver
from outsmart_sync.pipeline.export_rules import ruling
from outsmart_sync.pipeline.order_back import to_its_order
from outsmart_sync.records.export_plan import Plan, Problem, Stopped
from outsmart_sync.records.export_update import decode_sent
from outsmart_sync.store import ledger
from outsmart_sync.store.exports import ExportState

if TYPE_CHECKING:
    from outsmart_sync.pipeline.export_job import ExportJob
    from outsmart_sync.pipeline.export_ports import Exporter
    from outsmart_sync.pipeline.export_rows import Row
    from outsmart_sync.records.export_document import ExportDocument, Likely
    from outsmart_sync.store.store import Store


def match_by_code(
    store: Store,
    job: ExportJob,
    exporter: Callable[[], Exporter],
    hour_prices: Callable[[], Mapping[str, Decimal | None]],
) -> dict[str, int]:
    """Plan every work order that goes on; may be run again.

    Returns:
        Outcome → work orders.

    Raises:
        ConfigurationError: The package or OutSmart refuses us.
        TransientError: One of them does not answer.
    """
    resolver = Resolver(store, job, exporter, hour_prices)
    likely: dict[str, list[Likely]] = {}
    for rows in export_rows.chunks(store, job, export_rows.SEND):
        resolver.prepare([row.work_order for row in rows])
        for row in rows:
            if export_rows.is_accepted_as_gone(row.known):
                with store.begin() as connection:
                    export_rows.pass_on(connection, job, row)
                continue
            # Outside of a transaction: planning may ask the package.
            planned = _planned(store, job, row, resolver, exporter, likely)
            with store.begin() as connection:
                if isinstance(planned, Problem):
                    export_rows.stop(connection, job, row, planned)
                    continue
                export_rows.pass_on(connection, job, row, planned)
                if not job.options.preview and (row.known is None or row.known.state not in _BEGUN):
                    kind = job.of(row.work_order.number, row.known).kind.name
                    export_rows.put(connection, job, row, state=ExportState.WAITING, kind=kind, **_NOTHING)
    with store.read() as connection:
        return export_rows.count(connection, job)


_LIKELY, _UNFIT = "likely_match", "rule_unfit"
_BEGUN = (ExportState.SENDING, ExportState.UNCERTAIN, ExportState.DIFFERS, ExportState.DONE, ExportState.CHANGED)
_NOTHING = {"reason": "", "cause": "", "remedy": "", "by_itself": False}


def _planned(
    store: Store,
    job: ExportJob,
    row: Row,
    resolver: Resolver,
    exporter: Callable[[], Exporter],
    likely: dict[str, list[Likely]],
) -> Plan | Problem:
    try:
        plan = plan_of(store, job, row, resolver, exporter)
        if row.known is None or not row.known.is_released(_LIKELY):
            _require_new(job, row, plan, exporter, likely)
    except Stopped as stopped:
        return stopped.problem
    return plan


def plan_of(store: Store, job: ExportJob, row: Row, resolver: Resolver, exporter: Callable[[], Exporter]) -> Plan:
    """What is sent of a work order.

    Raises:
        Stopped: It cannot be sent, or a person must decide first.
    """
    own = job.of(row.work_order.number, row.known)
    accepted = export_rows.is_accepted(row.known)
    if accepted and (sent := _sent(store, own, row)) is not None:
        return Plan(document=sent)
    plan = compose(own, row.work_order, resolver, row.known.copy if row.known else 1)
    _require_rules(own, row)
    if accepted:
        return replace(plan, new_customers=[], new_articles=[])
    return to_its_order(store, own, row, plan, exporter)


def _sent(store: Store, job: ExportJob, row: Row) -> ExportDocument | None:
    """A document as it was sent; None: that is not known, as of lines on an order that was imported."""
    with store.read() as connection:
        line = ledger.find(connection, job.account, job.kind.name, row.key)
    return decode_sent(line.content).document if line is not None and line.content else None


def _require_rules(job: ExportJob, row: Row) -> None:
    """What the rules choose must have a place on what the work order becomes.

    Raises:
        Stopped: It has none.
    """
    number, rules, known = row.work_order.number, ruling(job, row.work_order), row.known
    existing = bool(job.order_type(number))
    if known is not None and (export_rows.is_begun(known) or known.is_released(_UNFIT)):
        return
    why = "the order that it came from has its own" if existing else "what it becomes has none"
    if rules.journal and (existing or not job.kind.journals):
        cause = f"A rule gives work order {number} the journal {rules.journal}, but {why}."
    elif rules.payment_condition and (existing or not job.kind.payment_conditions):
        cause = f"A rule gives work order {number} the payment condition {rules.payment_condition}, but {why}."
    else:
        return
    raise Stopped(
        Problem(
            state=ExportState.HELD,
            reason=_UNFIT,
            cause=cause,
            remedy="To send it without: outsmart-sync export release. Or change the rule in the settings, or what work "
            "orders become.",
        )
    )


def _require_new(
    job: ExportJob, row: Row, plan: Plan, exporter: Callable[[], Exporter], likely: dict[str, list[Likely]]
) -> None:
    """What is to be made must not be there under another code.

    Raises:
        Stopped: Something there is likely the same.
    """
    for customer in plan.new_customers:
        place = f"customer {customer.code}"
        if place not in likely:
            likely[place] = exporter().likely_customers(customer)
        _hold_if_likely(job, row, "relation", customer.code, customer.name, likely[place])
    for article in plan.new_articles:
        place = f"article {article.code}"
        if place not in likely:
            likely[place] = exporter().likely_articles(article)
        _hold_if_likely(job, row, "material", article.code, article.description, likely[place])


def _hold_if_likely(job: ExportJob, row: Row, record: str, code: str, title: str, found: list[Likely]) -> None:
    if not found:
        return
    each = found[0]
    raise Stopped(
        Problem(
            state=ExportState.HELD,
            reason=_LIKELY,
            cause=f"Work order {row.work_order.number} names the {record} {code} ({title}), which {job.package} does "
            f"not have; but it has {each.known.code} ({each.known.title}) with the same {each.why}.",
            remedy=f"If they are one: outsmart-sync link {job.connection_id} {record} {each.known.code} {code}, then "
            "release. If they are two: outsmart-sync export release, and a new one is made.",
        )
    )
